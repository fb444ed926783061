//! `connectome catalog`

use serde_json::{Value, json};

use crate::World;
use crate::arguments::{Catalog, Form};
use crate::exit::Outcome;
use crate::print;

pub fn run(world: &World, verb: &Catalog) -> Outcome {
    let entries: Vec<Value> = world.connectors.iter().map(|connector| entry(connector.catalog)).collect();
    if verb.json || world.arguments.output != Form::Text {
        return print::document(world.arguments.output, &json!({ "connectors": entries }));
    }
    let list = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_array).map_or(0, Vec::len);
    let count = |entry: &Value, key: &str| list(entry, key).to_string();
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let streams = |entry: &Value| list(entry, "streams") + list(entry, "further_streams") + list(entry, "snapshots");
    let rows = entries.iter().map(|entry| {
        vec![
            text(entry, "name"),
            text(entry, "title"),
            count(entry, "actions"),
            count(entry, "triggers"),
            streams(entry).to_string(),
            count(entry, "types"),
        ]
    });
    print::text(&print::table(&["connector", "title", "actions", "triggers", "streams", "types"], rows))?;
    print::line("\n`connectome describe CONNECTOR` lists what one can do.")
}

/// The catalog's entry of a connector. The generator printed it, so it parses.
pub fn entry(catalog: &str) -> Value {
    serde_json::from_str(catalog).unwrap_or_default()
}
