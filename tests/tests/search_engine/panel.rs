//! What Kibana asks a search engine for a panel, made out of the panel as it is saved, and what it shows of the answer.

use serde_json::{Value, json};

/// A panel that shows numbers.
pub struct Panel {
    pub title: String,
    /// The search that it stands for.
    pub request: Value,
    metric: String,
    split: bool,
}

/// The panels of all dashboards among saved objects, in order.
pub fn all(saved: &str) -> Vec<Panel> {
    let objects = saved.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    objects
        .filter(|object| object["type"] == "dashboard")
        .flat_map(|object| of_dashboard(&object["attributes"]))
        .collect()
}

/// The JSON within a text of a saved object.
fn within(text: &Value) -> Value {
    serde_json::from_str(text.as_str().expect("a text")).expect("JSON")
}

fn of_dashboard(attributes: &Value) -> Vec<Panel> {
    let search = within(&attributes["kibanaSavedObjectMeta"]["searchSourceJSON"]);
    let range = json!({ "range": { "@timestamp": { "gte": attributes["timeFrom"], "lte": attributes["timeTo"] } } });
    let panels = within(&attributes["panelsJSON"]);
    let panels = panels.as_array().expect("panels").iter().filter(|panel| panel["type"] == "lens");
    panels.map(|panel| of_panel(panel, &search["filter"], &range)).collect()
}

fn of_panel(panel: &Value, outer: &Value, range: &Value) -> Panel {
    let lens = &panel["embeddableConfig"]["attributes"];
    let state = &lens["state"];
    let filters = [outer, &state["filters"]];
    let all =
        || filters.iter().flat_map(|it| it.as_array().expect("filters")).filter(|it| it["meta"]["disabled"] == false);
    let picked = |negate: bool| all().filter(move |it| it["meta"]["negate"] == negate).map(|it| it["query"].clone());
    let filter: Vec<Value> = picked(false).chain([range.clone()]).collect();
    let query = json!({ "bool": { "filter": filter, "must_not": picked(true).collect::<Vec<_>>() } });

    let layer = &state["datasourceStates"]["formBased"]["layers"]["layer"];
    let column = |name: &Value| &layer["columns"][name.as_str().expect("a name")];
    let columns: Vec<&Value> = layer["columnOrder"].as_array().expect("an order").iter().map(column).collect();
    let (metrics, buckets): (Vec<&Value>, Vec<&Value>) = columns.iter().partition(|it| it["isBucketed"] == false);
    let [metric] = metrics[..] else { panic!("{} metrics", metrics.len()) };
    let mut aggregations = match metric["operationType"].as_str() {
        Some("sum") => json!({ "metric": { "sum": { "field": metric["sourceField"] } } }),
        _ => json!({}),
    };
    for bucket in buckets.iter().rev() {
        let mut by = bucketed(bucket);
        by["aggs"] = aggregations;
        aggregations = json!({ "by": by });
    }
    let title = [&panel["title"], &lens["title"]].into_iter().find_map(|it| it.as_str().filter(|it| !it.is_empty()));
    Panel {
        title: title.expect("a title").to_owned(),
        request: json!({ "size": 0, "track_total_hits": true, "query": query, "aggs": aggregations }),
        metric: metric["operationType"].as_str().expect("an operation").to_owned(),
        split: !buckets.is_empty(),
    }
}

/// What puts documents into buckets.
fn bucketed(column: &Value) -> Value {
    let (field, parameters) = (&column["sourceField"], &column["params"]);
    let least = u8::from(parameters["includeEmptyRows"] != true);
    match column["operationType"].as_str().expect("an operation") {
        "terms" => {
            assert_eq!(parameters["orderBy"], json!({ "type": "column", "columnId": "count" }));
            assert_eq!(parameters["missingBucket"], false);
            let order = json!([{ "_count": parameters["orderDirection"] }, { "_key": "asc" }]);
            json!({ "terms": { "field": field, "size": parameters["size"], "order": order } })
        }
        "date_histogram" => {
            assert_eq!(parameters["interval"], "auto");
            json!({ "date_histogram": { "field": field, "fixed_interval": "1d", "min_doc_count": least } })
        }
        "range" => {
            assert_eq!((&parameters["type"], &parameters["maxBars"]), (&json!("histogram"), &json!("auto")));
            json!({ "histogram": { "field": field, "interval": 10, "min_doc_count": 1 } })
        }
        other => panic!("a column of {other}"),
    }
}

impl Panel {
    /// The numbers that the panel shows, by value.
    pub fn shown(&self, answer: &Value) -> Vec<(String, u64)> {
        if !self.split {
            let number = match self.metric.as_str() {
                "sum" => answer["aggregations"]["metric"]["value"].as_f64().expect("a sum") as u64,
                _ => answer["hits"]["total"]["value"].as_u64().expect("a count"),
            };
            return vec![(String::new(), number)];
        }
        let mut shown = buckets(&answer["aggregations"]);
        shown.sort_by(|(one, a), (other, b)| b.cmp(a).then_with(|| one.cmp(other)));
        shown
    }
}

fn buckets(aggregations: &Value) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for bucket in aggregations["by"]["buckets"].as_array().unwrap_or_else(|| panic!("no buckets: {aggregations}")) {
        let key = match &bucket["key"] {
            Value::String(text) => text.clone(),
            number => number.as_f64().expect("a number").to_string(),
        };
        let count = bucket["doc_count"].as_u64().expect("a count");
        if bucket["by"].is_object() {
            assert_eq!(buckets(bucket).iter().map(|(_, count)| count).sum::<u64>(), count, "{key}");
        }
        found.push((key, count));
    }
    found
}
