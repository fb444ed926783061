//! Dashboards as saved objects of Kibana, one on a line, to be imported as they are.
//!
//! Parts of a saved object are JSON within a text; what refers to another object does so by a name, and a list at the end
//! says which object that is.

use serde_json::{Map, Value as Json, json};

use super::elasticsearch::span;
use crate::read::{Literal, Names, OneOrMore};
use crate::spec::dashboard::{Dashboard, Panel};
use crate::spec::data_stream::DataStream;

/// The index pattern that panels read.
const VIEW: &str = "logs-*";
const LAYER: &str = "layer";

/// The dashboards of a stream, behind the index pattern that they read.
pub fn objects(stream: &DataStream) -> String {
    let view = json!({
        "type": "index-pattern", "id": VIEW, "attributes": { "title": VIEW, "timeFieldName": "@timestamp" },
        "references": [], "coreMigrationVersion": "8.8.0", "typeMigrationVersion": "8.0.0",
    });
    let dashboards = stream.dashboards.iter().map(|(id, word)| dashboard(stream, &id.value, word));
    std::iter::once(view).chain(dashboards).map(|object| format!("{object}\n")).collect()
}

fn pattern(name: String) -> Json {
    json!({ "type": "index-pattern", "id": VIEW, "name": name })
}

fn dashboard(stream: &DataStream, id: &str, word: &Dashboard) -> Json {
    let mut references = Vec::new();
    let place = "kibanaSavedObjectMeta.searchSourceJSON.filter";
    let filters = filters(&[(&word.filters, false), (&word.without, true)], place, &mut references);
    let panels: Vec<Json> =
        word.panels.iter().enumerate().map(|(number, it)| panel(stream, number + 1, it, &mut references)).collect();
    let mut controls = Map::new();
    for (number, (label, field)) in word.controls.iter().enumerate() {
        let id = format!("control{}", number + 1);
        references.push(pattern(format!("controlGroup_{id}:optionsListDataView")));
        controls.insert(id.clone(), json!({
            "type": "optionsListControl", "order": number, "width": "medium", "grow": true,
            "explicitInput": {
                "id": id, "title": label.value, "fieldName": field.value, "searchTechnique": "prefix", "selectedOptions": [],
                "singleSelect": false, "sort": { "by": "_count", "direction": "desc" },
            },
        }));
    }
    let ignore =
        json!({ "ignoreFilters": false, "ignoreQuery": false, "ignoreTimerange": false, "ignoreValidations": false });
    let options = json!({
        "useMargins": true, "hidePanelTitles": false, "syncColors": false, "syncTooltips": false, "syncCursor": true,
    });
    let mut range = json!({ "timeRestore": false });
    if let Some(latest) = &stream.latest {
        // The range that Kibana begins with, the last quarter of an hour, hides whatever changed before.
        let from = format!("now-{}", span(latest.max_age.value.0));
        range = json!({ "timeRestore": true, "timeFrom": from, "timeTo": "now" });
    }
    let search = json!({ "query": { "language": "kuery", "query": "" }, "filter": filters });
    let mut attributes = json!({
        "title": word.title, "description": word.doc, "version": 3,
        "panelsJSON": text(&json!(panels)), "optionsJSON": text(&options),
        "kibanaSavedObjectMeta": { "searchSourceJSON": text(&search) },
        "controlGroupInput": {
            "chainingSystem": "HIERARCHICAL", "controlStyle": "oneLine", "showApplySelections": false,
            "panelsJSON": text(&Json::Object(controls)), "ignoreParentSettingsJSON": text(&ignore),
        },
    });
    if let (Some(attributes), Json::Object(range)) = (attributes.as_object_mut(), range) {
        attributes.extend(range);
    }
    json!({
        "type": "dashboard", "id": id, "coreMigrationVersion": "8.8.0", "typeMigrationVersion": "10.2.0",
        "attributes": attributes, "references": references,
    })
}

fn text(value: &Json) -> Json {
    Json::String(value.to_string())
}

type Filters = Names<OneOrMore<Literal>>;

/// Filters on values of fields, and whether they leave these out; each refers to the index pattern by a name.
fn filters(words: &[(&Filters, bool)], name: &str, references: &mut Vec<Json>) -> Vec<Json> {
    let mut made = Vec::new();
    let words = words.iter().flat_map(|(words, negate)| words.iter().map(move |it| (it, negate)));
    for (number, ((field, values), negate)) in words.enumerate() {
        let index = format!("{name}[{number}].meta.index");
        references.push(pattern(index.clone()));
        let matching = |value: &Literal| json!({ "match_phrase": { &field.value: value.value } });
        let (kind, parameters, query) = match values.0.as_slice() {
            [one] => ("phrase", json!({ "query": one.value }), matching(one)),
            several => {
                let values: Vec<&Json> = several.iter().map(|it| &it.value).collect();
                let any: Vec<Json> = several.iter().map(matching).collect();
                ("phrases", json!(values), json!({ "bool": { "minimum_should_match": 1, "should": any } }))
            }
        };
        made.push(json!({
            "meta": {
                "key": field.value, "field": field.value, "type": kind, "params": parameters, "negate": negate,
                "disabled": false, "alias": null, "indexRefName": index,
            },
            "query": query, "$state": { "store": "appState" },
        }));
    }
    made
}

fn panel(stream: &DataStream, number: usize, word: &Panel, references: &mut Vec<Json>) -> Json {
    // By this it is known again as one of ours.
    let id = format!("connectome-{number}");
    let at = |place: usize| word.at.get(place).copied().unwrap_or_default();
    let mut panel = json!({
        "panelIndex": id, "gridData": { "x": at(0), "y": at(1), "w": at(2), "h": at(3), "i": id },
        "title": word.title.as_deref().unwrap_or_default(),
    });
    let (kind, content) = if !word.links.is_empty() {
        ("links", links(stream, &id, word, references))
    } else if let Some(markdown) = &word.text {
        let markdown = json!({
            "id": "", "title": "", "description": "", "type": "markdown", "uiState": {},
            "params": { "fontSize": 12, "openLinksInNewTab": false, "markdown": markdown },
            "data": { "aggs": [], "searchSource": { "query": { "language": "kuery", "query": "" }, "filter": [] } },
        });
        ("visualization", json!({ "savedVis": markdown, "enhancements": {}, "hidePanelTitles": true }))
    } else {
        ("lens", lens(&id, word, references))
    };
    panel["type"] = json!(kind);
    panel["embeddableConfig"] = content;
    panel
}

fn links(stream: &DataStream, id: &str, word: &Panel, references: &mut Vec<Json>) -> Json {
    let mut links = Vec::new();
    for (number, link) in word.links.iter().enumerate() {
        let name = format!("link_link{}_dashboard", number + 1);
        references.push(json!({ "type": "dashboard", "id": link.value, "name": format!("{id}:{name}") }));
        let title = stream.dashboards.get(&link.value).map(|it| it.title.as_str()).unwrap_or_default();
        // What stands in brackets before a title says which dashboards belong together.
        let label = title.rsplit_once("] ").map_or(title, |(_, label)| label);
        links.push(json!({
            "id": format!("link{}", number + 1), "type": "dashboardLink", "order": number, "label": label,
            "destinationRefName": name,
            "options": { "openInNewTab": false, "useCurrentDateRange": true, "useCurrentFilters": false },
        }));
    }
    json!({ "attributes": { "layout": "horizontal", "links": links }, "enhancements": {} })
}

/// A chart, within its panel.
fn lens(id: &str, word: &Panel, references: &mut Vec<Json>) -> Json {
    let layer = format!("indexpattern-datasource-layer-{LAYER}");
    let mut own = vec![pattern(layer)];
    let filters = filters(&[(&word.filters, false)], "filter", &mut own);
    let (kind, columns, visualization) = chart(word);
    let order: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let columns: Map<String, Json> =
        columns.iter().map(|(name, column)| ((*name).to_owned(), column.clone())).collect();
    references.extend(own.iter().map(|reference| {
        let mut outer = reference.clone();
        outer["name"] = json!(format!("{id}:{}", reference["name"].as_str().unwrap_or_default()));
        outer
    }));
    let title = word.title.as_deref().or(word.metric.as_deref()).unwrap_or_default();
    json!({
        "enhancements": {}, "hidePanelTitles": word.title.is_none(),
        "attributes": {
            "title": title, "type": "lens", "visualizationType": kind, "references": own,
            "state": {
                "datasourceStates": { "formBased": { "layers": { LAYER: {
                    "columnOrder": order, "columns": columns, "incompleteColumns": {},
                } } } },
                "visualization": visualization, "query": { "language": "kuery", "query": "" }, "filters": filters,
                "internalReferences": [], "adHocDataViews": {},
            },
        },
    })
}

type Columns = Vec<(&'static str, Json)>;

fn chart(word: &Panel) -> (&'static str, Columns, Json) {
    let top = |field: &crate::spec::Name, other: bool| {
        json!({
            "label": word.label.as_deref().unwrap_or(&field.value), "customLabel": true, "dataType": "string",
            "operationType": "terms", "sourceField": field.value, "isBucketed": true, "scale": "ordinal",
            "params": {
                "size": word.top.unwrap_or(5), "orderBy": { "type": "column", "columnId": "count" }, "orderDirection": "desc",
                "otherBucket": other, "missingBucket": false, "parentFormat": { "id": "terms" },
            },
        })
    };
    let count = number(word);
    if let Some(field) = &word.pie {
        let layer = json!({
            "layerId": LAYER, "layerType": "data", "primaryGroups": ["by"], "metrics": ["count"], "numberDisplay": "percent",
            "categoryDisplay": "default", "legendDisplay": "show", "nestedLegend": false, "legendPosition": "right",
            "truncateLegend": false, "colorMapping": palette(),
        });
        ("lnsPie", vec![("by", top(field, true)), ("count", count)], json!({ "shape": "pie", "layers": [layer] }))
    } else if let Some(field) = &word.bar {
        let kind = "bar_horizontal_stacked";
        let columns = vec![("by", top(field, true)), ("count", count)];
        ("lnsXY", columns, axes(kind, json!({ "seriesType": kind, "xAccessor": "by" }), false))
    } else if let Some(field) = &word.table {
        let columns = json!([{ "columnId": "by" }, { "columnId": "count" }]);
        let visualization = json!({ "layerId": LAYER, "layerType": "data", "columns": columns });
        ("lnsDatatable", vec![("by", top(field, false)), ("count", count)], visualization)
    } else if let Some(field) = &word.line {
        let time = json!({
            "label": word.label.as_deref().unwrap_or(&field.value), "customLabel": true, "dataType": "date",
            "operationType": "date_histogram", "sourceField": field.value, "isBucketed": true, "scale": "interval",
            "params": { "interval": "auto", "includeEmptyRows": true, "dropPartials": false },
        });
        let mut columns = vec![("time", time)];
        let mut layer = json!({ "seriesType": "line", "xAccessor": "time" });
        if let Some(split) = &word.split {
            columns.insert(0, ("split", bands(split, word.split_label.as_deref())));
            layer["splitAccessor"] = json!("split");
        }
        columns.push(("count", count));
        ("lnsXY", columns, axes("line", layer, true))
    } else {
        let visualization = json!({
            "layerId": LAYER, "layerType": "data", "metricAccessor": "count", "color": word.color.as_deref().unwrap_or_default(),
        });
        ("lnsMetric", vec![("count", count)], visualization)
    }
}

/// How many documents there are, or what a field of theirs adds up to.
fn number(word: &Panel) -> Json {
    let label = word.metric.as_deref().unwrap_or("Count");
    let (operation, field) =
        word.sum.as_ref().map_or(("count", "___records___"), |field| ("sum", field.value.as_str()));
    json!({
        "label": label, "customLabel": true, "dataType": "number", "operationType": operation, "sourceField": field,
        "isBucketed": false, "scale": "ratio",
        "params": { "emptyAsNull": false, "format": { "id": "number", "params": { "decimals": 0 } } },
    })
}

/// Numbers in bands of their own choice.
fn bands(field: &crate::spec::Name, label: Option<&str>) -> Json {
    json!({
        "label": label.unwrap_or(&field.value), "customLabel": true, "dataType": "number", "operationType": "range",
        "sourceField": field.value, "isBucketed": true, "scale": "interval",
        "params": {
            "type": "histogram", "maxBars": "auto", "includeEmptyRows": true, "ranges": [{ "from": 0, "to": 1000, "label": "" }],
        },
    })
}

fn axes(preferred: &str, mut layer: Json, single: bool) -> Json {
    layer["layerId"] = json!(LAYER);
    layer["layerType"] = json!("data");
    layer["accessors"] = json!(["count"]);
    layer["colorMapping"] = palette();
    let shown = json!({ "x": true, "yLeft": true, "yRight": true });
    json!({
        "preferredSeriesType": preferred, "valueLabels": "hide", "layers": [layer],
        "legend": { "isVisible": true, "position": "right", "shouldTruncate": false, "showSingleSeries": single },
        "axisTitlesVisibilitySettings": shown, "tickLabelsVisibilitySettings": shown, "gridlinesVisibilitySettings": shown,
    })
}

/// Colours that people who do not see all of them can tell apart.
fn palette() -> Json {
    json!({
        "assignments": [], "specialAssignments": [{ "rule": { "type": "other" }, "color": { "type": "loop" }, "touched": false }],
        "paletteId": "eui_amsterdam_color_blind", "colorMode": { "type": "categorical" },
    })
}
