//! Streams for readers: what the catalog and the documents say of them.

use serde_json::{Map, Value as Json, json};

use crate::emit::example;
use crate::model::Connector;
use crate::model::modelling::{Modelling, Row, To};
use crate::model::stream::{Stream, Transform};
use crate::names::plain;
use crate::spec::collection::{Collection, Counterpart};

const DAY: u64 = 86_400;

/// Everything about a stream.
pub fn stream(stream: &Stream) -> Map<String, Json> {
    let window = &stream.window;
    let object = |pairs: Vec<(&String, Json)>| {
        Json::Object(pairs.into_iter().map(|(name, value)| (name.clone(), value)).collect())
    };
    let example =
        stream.example.as_ref().map(|raw| json!({ "raw": raw, "delivered": example::delivered(stream, raw) }));
    let size = stream.page.size.as_ref().map(|(_, ask)| json!({ "asked_for": ask, "taken": stream.page_sizes }));
    let mut entry = Map::new();
    for (key, value) in [
        ("name", json!(stream.name)),
        ("title", json!(stream.title)),
        ("aliases", json!(stream.aliases)),
        ("description", json!(stream.doc)),
        ("note", json!(stream.note)),
        ("link", json!(stream.link)),
        ("permission", json!(stream.permission)),
        ("on_request", if stream.on_request { json!(true) } else { Json::Null }),
        ("max_lookback_days", json!(window.look_back.map(|it| it / DAY))),
        ("call", json!(stream.call.text())),
        ("query", object(stream.query.iter().map(|(name, value)| (name, value.clone())).collect())),
        ("headers", object(stream.headers.iter().map(|(name, value)| (name, json!(value))).collect())),
        ("from", json!(window.from)),
        ("to", json!(window.to)),
        ("clock", json!(window.clock.join("."))),
        ("clock_form", json!(window.form.text())),
        ("end", json!(window.end.text())),
        ("order", json!(stream.order.text())),
        ("widest_seconds", json!(window.widest)),
        ("step_seconds", json!(window.step)),
        ("late_by_seconds", json!(stream.late_by)),
        ("slack_seconds", if window.slack > 0 { json!(window.slack) } else { Json::Null }),
        ("halved_above", json!(window.cap)),
        ("counted_at", json!(window.count.as_ref().map(|it| it.join(".")))),
        ("page_size", json!(size)),
        ("requests_per_minute", json!(stream.requests_per_minute)),
        ("key", stream.id.iter().map(|path| json!(path.join("."))).collect()),
        ("time", json!(stream.time.join("."))),
        ("deliver_time_as", json!(stream.deliver_time_as)),
        ("changes", stream.transforms.iter().map(|it| json!(change(it))).collect()),
        ("example", json!(example)),
    ] {
        entry.insert(key.to_owned(), value);
    }
    entry
}

/// A path as specs write it.
fn written(path: &[String]) -> String {
    path.join(".").replace(".[]", "[]")
}

/// A change in words.
fn change(transform: &Transform) -> String {
    match transform {
        Transform::Add(name, value) => format!("`{name}` is added: `{}`", plain(value)),
        Transform::Copy(name, from) => format!("`{name}` is added: a copy of `{}`", written(from)),
        Transform::Join(path) => format!("`{}`, a list, becomes one text with commas", written(path)),
        Transform::EpochToText(path) => {
            format!("`{}`, milliseconds since 1970, becomes text with whole seconds", written(path))
        }
        Transform::FillNull(names) => format!("null when absent: `{}`", names.join("`, `")),
        Transform::Drop(path) => format!("`{}` is left out", written(path)),
    }
}

/// Set-up, limits, and what another collector's words are called here.
pub fn collection(collection: &Collection) -> Json {
    let words = |words: &crate::read::Names<Counterpart>| -> Json {
        words
            .iter()
            .map(|(name, it)| {
                json!({
                    "name": name.value, "title": it.title, "default": it.default.as_ref().map(|it| it.value.clone()),
                    "here": it.here, "description": it.doc,
                })
            })
            .collect()
    };
    json!({
        "description": collection.doc,
        "source": collection.source,
        "set_up": collection.set_up.as_ref().map(|it| json!({ "title": it.title, "steps": it.steps })),
        "limits": collection.limits,
        "parameters": words(&collection.parameters),
        "commands": words(&collection.commands),
    })
}

/// What a data model makes of events.
pub fn modelling(connector: &Connector, modelling: &Modelling) -> Json {
    let row = |row: &Row| {
        let to = match &row.to {
            To::Always(names) => json!(names),
            To::By(generations) => {
                Json::Object(generations.iter().map(|(name, names)| (name.clone(), json!(names))).collect())
            }
        };
        json!({ "from": row.from, "to": to, "note": row.note })
    };
    let streams = modelling.streams.iter().map(|(stream, rows)| {
        let stream = &connector.streams[*stream];
        let fields: Vec<Json> = rows.iter().map(row).collect();
        json!({ "name": stream.name, "title": stream.title, "fields": fields })
    });
    let pairs = |pairs: &[(String, String)], key: &str| -> Vec<Json> {
        pairs.iter().map(|(name, text)| json!({ "name": name, key: text })).collect()
    };
    let constants =
        modelling.constants.iter().map(|(theme, names)| json!({ "name": theme, "values": pairs(names, "constant") }));
    json!({
        "name": modelling.name,
        "title": modelling.title,
        "description": modelling.doc,
        "dataset": modelling.dataset,
        "generations": pairs(&modelling.generations, "description"),
        "streams": streams.collect::<Vec<_>>(),
        "constants": constants.collect::<Vec<_>>(),
    })
}
