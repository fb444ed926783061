//! What is put into a search engine before documents arrive, as the generated files hold it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../generated/elasticsearch/jupiterone");
    fs::read_to_string(folder.join(format!("jupiter_one.risks_and_alerts.{name}"))).expect("a generated file")
}

fn requests() -> Vec<Value> {
    serde_json::from_str(&file("json")).expect("JSON")
}

fn body(requests: &[Value], path: &str) -> Value {
    requests.iter().find(|it| it["path"] == path).unwrap_or_else(|| panic!("no {path}"))["body"].clone()
}

/// The paths of an index's fields, with their types.
fn fields(properties: &Value, above: &str, found: &mut BTreeSet<(String, String)>) {
    for (name, field) in properties.as_object().expect("properties") {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match field["type"].as_str() {
            Some(ty) => drop(found.insert((path, ty.to_owned()))),
            None => fields(&field["properties"], &path, found),
        }
    }
}

#[test]
fn what_a_request_needs_is_put_there_before_it() {
    let requests = requests();
    let paths: Vec<&str> = requests.iter().map(|it| it["path"].as_str().expect("a path")).collect();
    assert_eq!(
        paths,
        [
            "/_ilm/policy/logs-jupiter_one.risks_and_alerts-default_policy",
            "/_component_template/connectome-jupiter_one.risks_and_alerts",
            "/_index_template/logs-jupiter_one.risks_and_alerts",
            "/_index_template/logs-jupiter_one.asset",
            "/_index_template/logs-jupiter_one_latest.dest_risks_and_alerts",
            "/_transform/logs-jupiter_one.latest_risks_and_alerts-connectome?defer_validation=true",
            "/_transform/logs-jupiter_one.latest_risks_and_alerts-connectome/_start",
        ]
    );
    let console = file("console");
    for request in &requests {
        let line = format!(
            "{} {}\n",
            request["method"].as_str().expect("a method"),
            request["path"].as_str().expect("a path")
        );
        let after = console.split(&line).nth(1).unwrap_or_else(|| panic!("{line} is not for the console"));
        let pasted = serde_json::Deserializer::from_str(after).into_iter::<Value>().next();
        if !request["body"].is_null() {
            assert_eq!(pasted.expect("a body").expect("JSON"), request["body"], "{line}");
        }
    }
}

#[test]
fn the_stream_and_the_index_of_the_latest_hold_the_same_but_for_what_tells_them_apart() {
    let requests = requests();
    let stream = body(&requests, "/_component_template/connectome-jupiter_one.risks_and_alerts");
    let latest = body(&requests, "/_index_template/logs-jupiter_one_latest.dest_risks_and_alerts");
    let [mut stream, mut latest] = [stream, latest].map(|it| it["template"]["mappings"].clone());
    let mark =
        |mappings: &mut Value| mappings["properties"]["labels"]["properties"]["is_transform_source"]["value"].take();
    assert_eq!([mark(&mut stream), mark(&mut latest)], ["true", "false"]);
    assert_eq!(stream, latest);
    let mut found = BTreeSet::new();
    fields(&stream["properties"], "", &mut found);
    let custom = found.iter().filter(|(path, _)| path.starts_with("jupiter_one.asset.")).count();
    assert_eq!(custom, 108);
    // Whatever matches the stock template of data streams only is matched by one of ours that is no data stream.
    let template = body(&requests, "/_index_template/logs-jupiter_one_latest.dest_risks_and_alerts");
    assert!(template["data_stream"].is_null() && template["priority"].as_u64() > Some(500));
    let transform =
        body(&requests, "/_transform/logs-jupiter_one.latest_risks_and_alerts-connectome?defer_validation=true");
    assert_eq!(transform["retention_policy"]["time"]["max_age"], "150d");
}

/// The JSON within a text of a saved object.
fn within(text: &Value) -> Value {
    serde_json::from_str(text.as_str().expect("a text")).expect("JSON")
}

#[test]
fn a_dashboard_refers_to_what_is_there_and_shows_fields_that_documents_have() {
    let objects: Vec<Value> =
        file("dashboards.ndjson").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ids: BTreeSet<(&str, &str)> =
        objects.iter().map(|it| (it["type"].as_str().expect("a type"), it["id"].as_str().expect("an id"))).collect();
    assert_eq!(ids.len(), 3);
    let mut known = BTreeSet::new();
    let mappings = body(&requests(), "/_component_template/connectome-jupiter_one.risks_and_alerts");
    fields(&mappings["template"]["mappings"]["properties"], "", &mut known);
    let known: BTreeSet<&str> = known.iter().map(|(path, _)| path.as_str()).chain(["___records___"]).collect();
    let mut panels = Vec::new();
    for dashboard in objects.iter().filter(|it| it["type"] == "dashboard") {
        let named: BTreeSet<&str> = dashboard["references"]
            .as_array()
            .expect("references")
            .iter()
            .map(|it| it["name"].as_str().expect("a name"))
            .collect();
        for reference in dashboard["references"].as_array().expect("references") {
            let to = (reference["type"].as_str().expect("a type"), reference["id"].as_str().expect("an id"));
            assert!(ids.contains(&to), "{to:?} is not among the objects");
        }
        let attributes = &dashboard["attributes"];
        let search = within(&attributes["kibanaSavedObjectMeta"]["searchSourceJSON"]);
        let controls = within(&attributes["controlGroupInput"]["panelsJSON"]);
        let shown = within(&attributes["panelsJSON"]);
        let mut used = Vec::new();
        let mut names = Vec::new();
        // What is gone is not shown, and what has not changed for long is.
        let left_out: Vec<&Value> =
            search["filter"].as_array().expect("filters").iter().filter(|it| it["meta"]["negate"] == true).collect();
        assert_eq!(left_out.len(), 1);
        assert_eq!(left_out[0]["query"], json!({ "match_phrase": { "jupiter_one.asset.entity._deleted": true } }));
        assert_eq!(left_out[0]["meta"]["params"], json!({ "query": true }));
        let range = ["timeRestore", "timeFrom", "timeTo"].map(|name| attributes[name].clone());
        assert_eq!(range, [json!(true), json!("now-150d"), json!("now")]);
        for filter in search["filter"].as_array().expect("filters") {
            used.push(filter["meta"]["field"].clone());
            names.push(filter["meta"]["indexRefName"].as_str().expect("a name").to_owned());
        }
        for (id, control) in controls.as_object().expect("controls") {
            used.push(control["explicitInput"]["fieldName"].clone());
            names.push(format!("controlGroup_{id}:optionsListDataView"));
        }
        for panel in shown.as_array().expect("panels") {
            let (id, content) = (panel["panelIndex"].as_str().expect("an id"), &panel["embeddableConfig"]);
            assert_eq!(panel["gridData"]["i"], id);
            let lens = &content["attributes"];
            for reference in lens["references"].as_array().into_iter().flatten() {
                names.push(format!("{id}:{}", reference["name"].as_str().expect("a name")));
            }
            for link in content["attributes"]["links"].as_array().into_iter().flatten() {
                names.push(format!("{id}:{}", link["destinationRefName"].as_str().expect("a name")));
            }
            let layers = &lens["state"]["datasourceStates"]["formBased"]["layers"];
            for column in layers["layer"]["columns"].as_object().into_iter().flat_map(|it| it.values()) {
                used.push(column["sourceField"].clone());
            }
            for filter in lens["state"]["filters"].as_array().into_iter().flatten() {
                used.push(filter["meta"]["field"].clone());
            }
            let grid = &panel["gridData"];
            let title = [&panel["title"], &lens["title"], &panel["type"]]
                .into_iter()
                .find_map(|it| it.as_str().filter(|it| !it.is_empty()))
                .expect("a title");
            panels.push(format!("{title} {},{},{},{}", grid["x"], grid["y"], grid["w"], grid["h"]));
        }
        for field in used {
            assert!(field.as_str().is_some_and(|it| known.contains(it)), "{field} has no type");
        }
        let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(named, wanted);
    }
    let wanted = [
        "links 0,0,48,4",
        "visualization 0,4,24,16",
        "Assets by Status 24,4,24,16",
        "Assets by Type 0,20,24,15",
        "Assets by Source 24,20,24,15",
        "Assets by Class 0,35,24,15",
        "Assets by Classification 24,35,24,15",
        "links 0,0,48,4",
        "visualization 0,4,22,22",
        "Total Open Alerts 22,4,13,11",
        "Total Closed Alerts 35,4,13,11",
        "Total Open Vulnerabilities 22,15,13,11",
        "Total Affected Entities 35,15,13,11",
        "Severity over Time 0,26,32,17",
        "Findings by Device Status 32,26,16,17",
        "Findings by MITRE Technique 0,43,24,15",
        "Findings by MITRE Tactic 24,43,24,15",
        "Risks and Alerts by Category 0,58,24,15",
        "Findings by Product 24,58,24,15",
        "Top Device IP 0,73,24,17",
        "Top Product Name Version 24,73,24,17",
    ];
    assert_eq!(panels, wanted);
}
