//! `catalog.json`: everything every connector can do, as data. Document cells are the vendor's; descriptions are ours.

use serde_json::{Map, Value as Json, json};

use crate::emit::describe;
use crate::model::data_stream::DataStream;
use crate::model::graph::{Graph, How, Relationship};
use crate::model::{Connector, Field, Model, Operation, Record, Trigger};
use crate::names::rust_module;
use crate::output::File;

/// The catalog of all connectors, and the entry of each, which its build carries.
pub fn files(model: &Model) -> Vec<File> {
    let entries: Vec<Json> = model.connectors.iter().map(entry).collect();
    let each = model.connectors.iter().zip(&entries);
    let mut files: Vec<File> = each
        .map(|(connector, entry)| {
            File::new(format!("src/{}/catalog.json", rust_module(&connector.name)), pretty(entry))
        })
        .collect();
    let mut catalog = json!({});
    catalog["connectors"] = Json::Array(entries);
    files.push(File::new("catalog.json".to_owned(), pretty(&catalog)));
    files
}

fn pretty(value: &Json) -> String {
    // A `Value` always prints.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn entry(connector: &Connector) -> Json {
    let mut entry = Map::new();
    let mut put = |key: &str, value: Json| put(&mut entry, key, value);
    put("name", json!(connector.name));
    put("title", json!(connector.title));
    put("version", json!(connector.version));
    put("description", json!(connector.doc));
    put("module", json!(rust_module(&connector.name)));
    put("connection", fields(&connector.connection.parameters));
    put("further_connection", further(&connector.connection.parameters));
    put(
        "regions",
        connector
            .connection
            .regions
            .iter()
            .map(|(name, url, known)| json!({ "name": name, "url": url, "known": known.text() }))
            .collect(),
    );
    put("actions", connector.actions.iter().map(action).collect());
    put("triggers", connector.triggers.iter().map(|it| trigger(connector, it)).collect());
    let (listed, further): (Vec<_>, Vec<_>) = connector.streams.iter().partition(|stream| stream.documented);
    put("streams", listed.into_iter().map(|it| lean(describe::stream::stream(it))).collect());
    put("snapshots", connector.snapshots.iter().map(|it| lean(describe::snapshot::snapshot(it))).collect());
    put("further_streams", further.into_iter().map(|it| lean(describe::stream::stream(it))).collect());
    put(
        "types",
        connector.records.iter().filter(|record| record.refines.is_none() && record.documented).map(record).collect(),
    );
    put(
        "roles",
        connector
            .roles
            .iter()
            .map(|role| json!({ "name": role.name, "description": role.doc, "grants": role.grants.text() }))
            .collect(),
    );
    if let Some(collection) = &connector.collection {
        put("collection", describe::stream::collection(collection));
    }
    put("modelling", connector.modelling.iter().map(|it| describe::stream::modelling(connector, it)).collect());
    let mappings = connector.mappings.iter().filter_map(|it| describe::mapping::mapping(it).as_object().cloned());
    put("mappings", mappings.map(lean).collect());
    if let Some(DataStream { dataset, word, .. }) = connector.data_streams.first() {
        put("classes", word.classes.iter().map(|class| json!(class.value)).collect());
        put("dataset", json!(dataset));
        put("retention_days", json!(word.retention.delete_after.0 / 86_400));
    }
    let streams = connector.data_streams.iter().filter_map(|it| describe::mapping::stream(it).as_object().cloned());
    put("data_streams", streams.map(lean).collect());
    if let Some(graph) = &connector.graph {
        graph_cells(graph, &mut put);
    }
    Json::Object(entry)
}

fn graph_cells(graph: &Graph, put: &mut impl FnMut(&str, Json)) {
    let Some(documented) = graph.dialects.first() else { return };
    let entity = |entity| lean(describe::graph::entity(graph, entity));
    let edge = |edge| lean(describe::graph::relationship(graph, documented, edge));
    let (mapped, direct): (Vec<&Relationship>, Vec<&Relationship>) =
        documented.relationships.iter().partition(|edge| matches!(edge.how, How::Target { .. }));
    put("entities", documented.entities.iter().map(entity).collect());
    put("relationships", direct.into_iter().map(edge).collect());
    put("mapped_relationships", mapped.into_iter().map(edge).collect());
    let pairs = |known: &[(String, String)]| -> Json {
        known.iter().map(|(name, doc)| json!({ "name": name, "description": doc })).collect()
    };
    let steps = graph.steps.iter().filter_map(|step| describe::graph::step(graph, step).as_object().cloned());
    put("steps", steps.map(lean).collect());
    let dialects = graph.dialects.iter().map(|dialect| {
        let mut entry = describe::graph::words(documented, dialect);
        entry.insert("name".to_owned(), json!(dialect.name));
        entry.insert("description".to_owned(), json!(dialect.doc));
        lean(entry)
    });
    put("dialects", dialects.collect());
    put("lookups", pairs(&graph.lookups));
}

/// An entry without what is empty.
fn lean(entry: Map<String, Json>) -> Json {
    let mut kept = Map::new();
    for (key, value) in entry {
        put(
            &mut kept,
            &key,
            match value {
                Json::Array(items) => items
                    .into_iter()
                    .map(|item| match item {
                        Json::Object(item) => lean(item),
                        item => item,
                    })
                    .collect(),
                value => value,
            },
        );
    }
    Json::Object(kept)
}

/// Leaves out what is empty.
fn put(entry: &mut Map<String, Json>, key: &str, value: Json) {
    let empty = match &value {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        Json::String(text) => text.is_empty(),
        _ => false,
    };
    if !empty {
        entry.insert(key.to_owned(), value);
    }
}

fn fields(fields: &[Field]) -> Json {
    fields.iter().filter(|field| !field.document.absent).map(|it| field(it, false)).collect()
}

/// Fields that the vendor's document does not list.
fn further(fields: &[Field]) -> Json {
    fields.iter().filter(|field| field.document.absent).map(|it| field(it, false)).collect()
}

fn field(field: &Field, titled: bool) -> Json {
    let mut entry = Map::new();
    if titled {
        entry.insert("title".to_owned(), json!(field.title));
    }
    entry.insert("name".to_owned(), json!(field.name));
    entry.insert("type".to_owned(), json!(field.document.ty));
    entry.insert("required".to_owned(), json!(field.document.required));
    put(&mut entry, "default", field.document.default.clone().unwrap_or_default());
    put(&mut entry, "enum", field.document.one_of.clone().into());
    if let Some(example) = &field.example {
        entry.insert("example".to_owned(), example.clone());
    }
    put(&mut entry, "description", json!(field.doc));
    put(&mut entry, "limits", json!(super::words::limits(field)));
    put(&mut entry, "note", json!(super::words::note(field)));
    if field.secret {
        entry.insert("secret".to_owned(), json!(true));
    }
    Json::Object(entry)
}

fn permissions(permissions: &[(String, Vec<String>)]) -> Json {
    Json::Object(permissions.iter().map(|(app, names)| (app.clone(), json!(names))).collect())
}

fn action(action: &Operation) -> Json {
    let mut entry = Map::new();
    let mut put = |key: &str, value: Json| put(&mut entry, key, value);
    put("name", json!(action.name));
    put("title", json!(action.title));
    put("description", json!(action.doc));
    put("note", json!(super::words::operation_note(action)));
    put("effect", json!(action.effect.text()));
    put("repeat", json!(action.repeat.text()));
    put("undo", json!(action.undo));
    put("call", json!(action.call.text()));
    put("permissions", permissions(&action.document_permissions));
    if action.permissions != action.document_permissions {
        put("needs", permissions(&action.permissions));
    }
    put("inputs", fields(&action.input));
    put("further_inputs", further(&action.input));
    put("outputs", fields(&action.output));
    put("further_outputs", further(&action.output));
    examples(&mut entry, action.example.as_ref());
    Json::Object(entry)
}

fn examples(entry: &mut Map<String, Json>, example: Option<&crate::model::Example>) {
    let Some(example) = example else { return };
    if let Some(input) = &example.input {
        entry.insert("example_input".to_owned(), input.clone());
    }
    if let Some(output) = &example.output {
        entry.insert("example_output".to_owned(), output.clone());
    }
}

fn trigger(connector: &Connector, trigger: &Trigger) -> Json {
    let repeats = &connector.actions[trigger.repeats];
    let mut entry = Map::new();
    let mut put = |key: &str, value: Json| put(&mut entry, key, value);
    put("name", json!(trigger.name));
    put("title", json!(trigger.title));
    put("description", json!(trigger.doc));
    put("note", json!(super::words::trigger_note(connector, trigger)));
    put("effect", json!(repeats.effect.text()));
    put("repeats", json!(repeats.name));
    let document = trigger.document_permissions.as_ref().unwrap_or(&repeats.permissions);
    put("permissions", permissions(document));
    if *document != repeats.permissions {
        put("needs", permissions(&repeats.permissions));
    }
    put("inputs", fields(&trigger.input));
    put("outputs", fields(&repeats.output));
    put("further_outputs", further(&repeats.output));
    examples(&mut entry, trigger.example.as_ref());
    Json::Object(entry)
}

fn record(record: &Record) -> Json {
    let mut entry = Map::new();
    let mut put = |key: &str, value: Json| put(&mut entry, key, value);
    put("name", json!(record.name));
    put("description", json!(record.doc));
    put("fields", record.fields.iter().filter(|field| !field.document.absent).map(|it| field(it, true)).collect());
    put(
        "further_fields",
        record.fields.iter().filter(|field| field.document.absent).map(|it| field(it, true)).collect(),
    );
    Json::Object(entry)
}
