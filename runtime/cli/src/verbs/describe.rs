//! `connectome describe`

use connectome_core::{Error, ErrorKind};
use serde_json::Value;

use crate::World;
use crate::arguments::{Describe, Form};
use crate::exit::Outcome;
use crate::near;
use crate::print::{self, wrap};
use crate::verbs::catalog::entry;

/// Lines are no longer than this.
const WIDTH: usize = 96;

pub fn run(world: &World, verb: &Describe) -> Outcome {
    let connector = world.connector(&verb.connector)?;
    let entry = entry(connector.catalog);
    let Some(name) = &verb.name else {
        return if world.arguments.output == Form::Text {
            print::text(&whole(&entry))
        } else {
            print::document(world.arguments.output, &entry)
        };
    };
    for (kind, one) in [("actions", "action"), ("triggers", "trigger"), ("types", "type")] {
        let found = list(&entry, kind)
            .iter()
            .find(|it| text(it, "name") == *name || text(it, "title").eq_ignore_ascii_case(name));
        if let Some(found) = found {
            return if world.arguments.output == Form::Text {
                print::text(&part(&entry, one, found))
            } else {
                print::document(world.arguments.output, found)
            };
        }
    }
    Err(Error::new(ErrorKind::Input, format!("{} has no action, trigger or type {name:?}", connector.title)).advice(
        near::advice(
            name,
            ["actions", "triggers", "types"].iter().flat_map(|kind| list(&entry, kind)).map(|it| text(it, "name")),
            format!("`connectome describe {}` lists them", connector.name),
        ),
    ))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn whole(entry: &Value) -> String {
    let mut page =
        format!("{} ({}, version {})\n\n", text(entry, "title"), text(entry, "name"), text(entry, "version"));
    page.push_str(&wrap(text(entry, "description"), "", WIDTH));
    page.push_str("\nConnection\n");
    page.push_str(&fields(list(entry, "connection")));
    for (kind, head) in [("actions", "Actions"), ("triggers", "Triggers")] {
        let rows: Vec<Vec<String>> = list(entry, kind)
            .iter()
            .map(|it| {
                let doc = text(it, "description");
                let first = doc.split_once(". ").map_or(doc, |(first, _)| first).trim_end_matches('.');
                let short: String = first.chars().take(60).collect();
                vec![
                    format!("  {}", text(it, "name")),
                    text(it, "effect").to_owned(),
                    if short.len() < first.len() { format!("{short}…") } else { short },
                ]
            })
            .collect();
        if !rows.is_empty() {
            page.push_str(&format!("\n{head}\n"));
            page.push_str(&print::table(&["  name", "effect", "what it does"], rows));
        }
    }
    page.push_str(&format!("\n`connectome describe {} NAME` tells all about one of them.\n", text(entry, "name")));
    page
}

fn part(entry: &Value, kind: &str, found: &Value) -> String {
    let mut page = match text(found, "title") {
        "" => format!("{} (a {kind})\n\n", text(found, "name")),
        title => format!("{title} ({kind} {})\n\n", text(found, "name")),
    };
    page.push_str(&wrap(text(found, "description"), "", WIDTH));
    if let Some(note) = found.get("note").and_then(Value::as_str) {
        page.push('\n');
        page.push_str(&wrap(&format!("Note: {note}"), "", WIDTH));
    }
    page.push('\n');
    for (key, head) in [
        ("call", "Sends"),
        ("effect", "Effect"),
        ("repeat", "Repeating it"),
        ("undo", "Taken back by"),
        ("repeats", "Repeats"),
    ] {
        if !text(found, key).is_empty() {
            page.push_str(&format!("{head:14} {}\n", text(found, key)));
        }
    }
    let needs = found.get("needs").or(found.get("permissions")).and_then(Value::as_object);
    for (app, names) in needs.into_iter().flatten() {
        let names: Vec<&str> = names.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        page.push_str(&format!("{:14} {app}: {}\n", "Needs", names.join("; ")));
    }
    for (keys, head) in [
        (["inputs", "further_inputs"], "Input"),
        (["outputs", "further_outputs"], "Output"),
        (["fields", "further_fields"], "Fields"),
    ] {
        let all: Vec<Value> = keys.iter().flat_map(|key| list(found, key)).cloned().collect();
        if !all.is_empty() {
            page.push_str(&format!("\n{head}\n{}", fields(&all)));
        }
    }
    if let Some(example) = found.get("example_input") {
        let verb = if kind == "trigger" { "trigger" } else { "action" };
        page.push_str(&format!(
            "\nExample\n  connectome {verb} {} {} --input '{example}'\n",
            text(entry, "name"),
            text(found, "name")
        ));
    }
    page
}

fn fields(fields: &[Value]) -> String {
    let mut page = String::new();
    for field in fields {
        let required = if field.get("required").and_then(Value::as_bool) == Some(true) { ", required" } else { "" };
        let default = field
            .get("default")
            .map(|it| format!(", default {}", it.as_str().map_or_else(|| it.to_string(), str::to_owned)))
            .unwrap_or_default();
        let secret = if field.get("secret").is_some() { ", secret" } else { "" };
        page.push_str(&format!("  {} ({}{required}{default}{secret})\n", text(field, "name"), text(field, "type")));
        let whole = [text(field, "description"), text(field, "limits"), text(field, "note")].join(" ");
        page.push_str(&wrap(&whole, "      ", WIDTH - 6));
    }
    page
}
