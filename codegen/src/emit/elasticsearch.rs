//! `elasticsearch/`: what must be in a search engine before documents arrive, as the requests that put it there, in order.

use serde_json::{Map, Value as Json, json};

use super::kibana;
use crate::model::Connector;
use crate::model::mapping::{Field, Mapping, Path, Verb};
use crate::names::plain;
use crate::output::File;
use crate::spec::data_stream::{DataStream, Latest};
use crate::spec::mapping::FieldType;

/// The files of every data stream of a connector: requests as data, the same to be pasted into a console, and dashboards.
pub fn files(connector: &Connector) -> Vec<File> {
    let mut files = Vec::new();
    for it in &connector.data_streams {
        let (dataset, stream) = (&it.dataset, &it.word);
        let folder = format!("elasticsearch/{}", connector.name);
        let requests = requests(dataset, stream, &connector.mappings[it.mapping]);
        let all: Vec<Json> = requests.iter().map(Request::json).collect();
        let pretty = serde_json::to_string_pretty(&all).unwrap_or_default();
        files.push(File::new(requests_file(connector, dataset), pretty + "\n"));
        let console: Vec<String> = requests.iter().map(Request::console).collect();
        files.push(File::new(format!("{folder}/{dataset}.console"), console.join("\n")));
        if !stream.dashboards.0.is_empty() {
            files.push(File::new(dashboards_file(connector, dataset), kibana::objects(stream)));
        }
    }
    files
}

/// The file of the requests of a data set.
pub fn requests_file(connector: &Connector, dataset: &str) -> String {
    format!("elasticsearch/{}/{dataset}.json", connector.name)
}

/// The file of the dashboards of a data set.
pub fn dashboards_file(connector: &Connector, dataset: &str) -> String {
    format!("elasticsearch/{}/{dataset}.dashboards.ndjson", connector.name)
}

/// A request that puts something there.
struct Request {
    what: String,
    method: &'static str,
    path: String,
    body: Option<Json>,
}

impl Request {
    fn put(what: impl Into<String>, path: String, body: Json) -> Self {
        Self { what: what.into(), method: "PUT", path, body: Some(body) }
    }

    fn json(&self) -> Json {
        let mut json = json!({ "what": self.what, "method": self.method, "path": self.path });
        if let Some(body) = &self.body {
            json["body"] = body.clone();
        }
        json
    }

    /// As the console of Kibana takes it.
    fn console(&self) -> String {
        let body = self.body.as_ref().and_then(|body| serde_json::to_string_pretty(body).ok());
        format!("# {}\n{} {}\n{}", self.what, self.method, self.path, body.map(|it| it + "\n").unwrap_or_default())
    }
}

/// In the order in which each needs those before it.
fn requests(dataset: &str, stream: &DataStream, mapping: &Mapping) -> Vec<Request> {
    let fields = mapping.fields.as_slice();
    let name = &stream.name;
    let component = format!("connectome-{dataset}");
    let mark = |value: &'static str| {
        stream.latest.as_ref().and_then(|latest| latest.mark.as_ref()).map(|mark| (mark.value.as_str(), value))
    };
    let managed = json!({ "managed_by": "connectome", "description": stream.doc });
    let mut settings = json!({ "index.lifecycle.name": stream.retention.policy });
    let mut limit = Map::new();
    if let Some(fields) = stream.fields_limit {
        settings["index.mapping.total_fields.limit"] = json!(fields);
        limit.insert("index.mapping.total_fields.limit".to_owned(), json!(fields));
    }
    let mut made = vec![
        Request::put(
            format!("How long documents of {} are kept", stream.title),
            format!("/_ilm/policy/{}", stream.retention.policy),
            policy(stream),
        ),
        Request::put(
            format!("The fields of {}", stream.title),
            format!("/_component_template/{component}"),
            json!({ "template": { "settings": settings, "mappings": mappings(fields, mark("true")) }, "_meta": managed }),
        ),
        Request::put(
            format!("What the data stream of {} is like", stream.title),
            format!("/_index_template/{name}"),
            json!({
                "index_patterns": [format!("{name}-*")], "data_stream": {}, "priority": stream.priority,
                "composed_of": [component], "_meta": managed,
            }),
        ),
    ];
    if let Some((name, failed)) = stream.failed() {
        let settings = json!({ "index.lifecycle.name": stream.retention.policy });
        made.push(Request::put(
            format!("What the data stream of what could not be mapped of {} is like", stream.title),
            format!("/_index_template/{name}"),
            json!({
                "index_patterns": [format!("{name}-*")], "data_stream": {}, "priority": stream.priority,
                "template": { "settings": settings, "mappings": of_failed(mapping, dataset, failed) },
                "_meta": managed,
            }),
        ));
    }
    if let Some(latest) = &stream.latest {
        made.push(Request::put(
            format!("What the index of the latest documents of {} is like", stream.title),
            format!("/_index_template/{}", template_of(&latest.index)),
            json!({
                "index_patterns": [format!("{}-*", template_of(&latest.index))], "priority": stream.priority + 1,
                "template": { "settings": limit, "mappings": mappings(fields, mark("false")) }, "_meta": managed,
            }),
        ));
        made.push(Request::put(
            latest.doc.clone(),
            format!("/_transform/{}?defer_validation=true", latest.transform),
            transform(name, latest),
        ));
        made.push(Request {
            what: "The transform begins".to_owned(),
            method: "POST",
            path: format!("/_transform/{}/_start", latest.transform),
            body: None,
        });
    }
    made
}

/// The index's name without its number.
fn template_of(index: &str) -> &str {
    index.rsplit_once('-').map_or(index, |(name, _)| name)
}

fn policy(stream: &DataStream) -> Json {
    let retention = &stream.retention;
    let mut roll_over = json!({ "max_age": span(retention.roll_over.0) });
    if let Some(size) = &retention.roll_over_size {
        roll_over["max_primary_shard_size"] = json!(size);
    }
    json!({ "policy": { "phases": {
        "hot": { "min_age": "0ms", "actions": { "rollover": roll_over, "set_priority": { "priority": 100 } } },
        "delete": { "min_age": span(retention.delete_after.0), "actions": { "delete": {} } },
    } } })
}

fn transform(stream: &str, latest: &Latest) -> Json {
    let keys: Vec<&str> = latest.unique_key.iter().map(|it| it.value.as_str()).collect();
    json!({
        "source": { "index": [format!("{stream}-*")] },
        "dest": { "index": latest.index, "aliases": [{ "alias": latest.alias, "move_on_creation": true }] },
        "latest": { "unique_key": keys, "sort": latest.sort.value },
        "frequency": span(latest.frequency.0),
        "sync": { "time": { "field": latest.sync.value, "delay": span(latest.delay.0) } },
        "retention_policy": { "time": { "field": latest.sync.value, "max_age": span(latest.max_age.value.0) } },
        "settings": { "deduce_mappings": false, "unattended": true },
        "description": latest.doc,
        "_meta": { "managed_by": "connectome" },
    })
}

/// The largest unit that says it exactly.
pub fn span(seconds: u64) -> String {
    match seconds {
        it if it > 0 && it % 86_400 == 0 => format!("{}d", it / 86_400),
        it if it > 0 && it % 3600 == 0 => format!("{}h", it / 3600),
        it => format!("{it}s"),
    }
}

/// The mappings of an index, with this field always being this.
fn mappings(fields: &[Field], mark: Option<(&str, &str)>) -> Json {
    let mut properties = Map::new();
    for field in fields {
        let marked = mark.filter(|(name, _)| *name == field.path.join(".")).map(|(_, value)| json!(value));
        put(&mut properties, &field.path, property(field, marked));
    }
    json!({
        "dynamic": true, "date_detection": false,
        "dynamic_templates": [
            { "strings_as_keyword": { "match_mapping_type": "string", "mapping": { "type": "keyword", "ignore_above": LONGEST } } },
        ],
        "properties": properties,
    })
}

/// The mappings of what could not be mapped: what the mapping puts into every document has its type, but of a record that
/// is not as it should be nobody knows what it holds, so that is kept and not looked at.
fn of_failed(mapping: &Mapping, dataset: &str, failed: &str) -> Json {
    let mut always: Vec<&Path> = mapping.failures.iter().collect();
    for stage in mapping.stages.iter().take_while(|stage| !matches!(stage.verb, Verb::Require(_))) {
        match &stage.verb {
            Verb::Original(target) => always.push(target),
            Verb::Set(all) => always.extend(all.iter().map(|(target, _)| target)),
            Verb::Now(all) => always.extend(all.iter().map(|(target, _)| target)),
            Verb::Copy(all) => always.extend(all.iter().map(|(target, ..)| target)),
            Verb::Append(all) => always.extend(all.iter().map(|(target, _)| target)),
            _ => {}
        }
    }
    let mut properties = Map::new();
    for field in mapping.fields.iter().filter(|field| field.constant.is_some() || always.contains(&&field.path)) {
        let other = field.constant.as_ref().is_some_and(|it| plain(it) == dataset).then(|| json!(failed));
        put(&mut properties, &field.path, property(field, other));
    }
    json!({ "dynamic": false, "properties": properties })
}

/// Longer texts are kept, and not found.
const LONGEST: u64 = 1024;

fn property(field: &Field, mark: Option<Json>) -> Json {
    let mut property = json!({ "type": field.ty.text() });
    if let Some(value) = mark.or_else(|| field.constant.as_ref().map(|it| json!(plain(it)))) {
        property["value"] = value;
    }
    if field.unsearched {
        property["index"] = json!(false);
        property["doc_values"] = json!(false);
    } else if matches!(field.ty, FieldType::Keyword | FieldType::Flattened) {
        property["ignore_above"] = json!(LONGEST);
    }
    if let Some(also) = field.also {
        property["fields"] = json!({ "text": { "type": also.text() } });
    }
    property
}

fn put(properties: &mut Map<String, Json>, path: &[String], property: Json) {
    match path {
        [] => {}
        [name] => drop(properties.insert(name.clone(), property)),
        [name, rest @ ..] => {
            let object = properties.entry(name.clone()).or_insert_with(|| json!({ "properties": {} }));
            if let Some(inner) = object["properties"].as_object_mut() {
                put(inner, rest, property);
            }
        }
    }
}
