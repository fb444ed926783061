//! `connectome describe`

mod snapshot;

use connectome_core::{Error, ErrorKind};
use serde_json::Value;

use crate::World;
use crate::arguments::{Describe, Form};
use crate::exit::Outcome;
use crate::instances::INSTANCE_KEYS;
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
    // What is called so goes before what may also be called so.
    let stream = connector.stream(name).map(|stream| stream.name);
    let snapshot = connector.snapshot(name).map(|snapshot| snapshot.name);
    let parts = || KINDS.iter().flat_map(|(kind, one)| list(&entry, kind).iter().map(move |it| (*one, it)));
    let named = |(_, it): &(&str, &Value)| text(it, "name") == *name;
    let also = |(one, it): &(&str, &Value)| match *one {
        "stream" => stream == Some(text(it, "name")),
        "snapshot" => snapshot == Some(text(it, "name")),
        _ => text(it, "title").eq_ignore_ascii_case(name),
    };
    if let Some((one, found)) = parts().find(named).or_else(|| parts().find(also)) {
        return if world.arguments.output == Form::Text {
            print::text(&part(&entry, one, found))
        } else {
            print::document(world.arguments.output, found)
        };
    }
    // A relationship may be found in several ways, and an entity may be asked for by its type in another dialect.
    let ty = documented(&entry, name).unwrap_or(name);
    let found: Vec<&Value> = GRAPH
        .iter()
        .flat_map(|kind| list(&entry, kind))
        .filter(|it| text(it, "_type") == ty || text(it, "resource").eq_ignore_ascii_case(name))
        .collect();
    match (world.arguments.output, found.as_slice()) {
        (_, []) => {}
        (Form::Text, all) => {
            let pages: Vec<String> = all.iter().map(|found| vertex_or_edge(&entry, found)).collect();
            return print::text(&pages.join("\n"));
        }
        (form, [one]) => return print::document(form, one),
        (form, all) => return print::document(form, &Value::from_iter(all.iter().map(|it| (*it).clone()))),
    }
    let there = |key: &str| !list(&entry, key).is_empty();
    let mut kinds: Vec<&str> = KINDS.iter().filter(|(key, _)| there(key)).map(|(_, kind)| *kind).collect();
    kinds.dedup();
    if there("entities") {
        kinds.extend(["entity", "relationship"]);
    }
    let kinds = match kinds.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => kinds.concat(),
    };
    Err(Error::new(ErrorKind::Input, format!("{} has no {kinds} {name:?}", connector.title)).advice(near::advice(
        name,
        KINDS
            .iter()
            .flat_map(|(kind, _)| list(&entry, kind))
            .map(|it| text(it, "name"))
            .chain(GRAPH.iter().flat_map(|kind| list(&entry, kind)).map(|it| text(it, "_type"))),
        format!("`connectome describe {}` lists them", connector.name),
    )))
}

/// Where the catalog keeps what has a name, and what one of it is called.
const KINDS: [(&str, &str); 6] = [
    ("actions", "action"),
    ("triggers", "trigger"),
    ("streams", "stream"),
    ("further_streams", "stream"),
    ("snapshots", "snapshot"),
    ("types", "type"),
];

/// Where the catalog keeps the graph.
const GRAPH: [&str; 3] = ["entities", "relationships", "mapped_relationships"];

/// The documented type that a type of some dialect stands for.
fn documented<'a>(entry: &'a Value, name: &str) -> Option<&'a str> {
    let words =
        list(entry, "dialects").iter().flat_map(|it| list(it, "entities").iter().chain(list(it, "relationships")));
    words.filter(|word| text(word, "_type") == name).map(|word| text(word, "documented")).next()
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
    page.push_str(&fields(list(entry, "further_connection")));
    for (kind, head) in [("actions", "Actions"), ("triggers", "Triggers")] {
        let row = |it| vec![format!("  {}", text(it, "name")), text(it, "effect").to_owned(), short(it)];
        let rows: Vec<Vec<String>> = list(entry, kind).iter().map(row).collect();
        if !rows.is_empty() {
            page.push_str(&format!("\n{head}\n"));
            page.push_str(&print::table(&["  name", "effect", "what it does"], rows));
        }
    }
    let streams: Vec<&Value> = ["streams", "further_streams"].iter().flat_map(|kind| list(entry, kind)).collect();
    if !streams.is_empty() {
        let row = |it: &Value| {
            let when = if it.get("on_request").is_some() { "when named" } else { "always" };
            vec![format!("  {}", text(it, "name")), when.to_owned(), short(it)]
        };
        page.push_str("\nStreams\n");
        page.push_str(&print::table(&["  name", "collected", "what it holds"], streams.into_iter().map(row)));
    }
    let snapshots = list(entry, "snapshots");
    if !snapshots.is_empty() {
        let every = |it: &Value| span(it.get("every_seconds").and_then(Value::as_u64).unwrap_or_default());
        let row = |it: &Value| vec![format!("  {}", text(it, "name")), every(it), short(it)];
        page.push_str("\nSnapshots\n");
        page.push_str(&print::table(&["  name", "read every", "what it holds"], snapshots.iter().map(row)));
    }
    page.push_str(&graph(entry));
    page.push_str(&format!("\n`connectome describe {} NAME` tells all about one of them.\n", text(entry, "name")));
    page
}

/// The first sentence of a description, or its beginning.
fn short(it: &Value) -> String {
    let doc = text(it, "description");
    let first = doc.split_once(". ").map_or(doc, |(first, _)| first).trim_end_matches('.');
    let short: String = first.chars().take(60).collect();
    if short.len() < first.len() { format!("{short}…") } else { short }
}

/// One class, or several with a blank between.
fn classes(value: &Value) -> String {
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        one => one.as_str().unwrap_or_default().to_owned(),
    }
}

/// What the account becomes, and what an instance may say about it.
fn graph(entry: &Value) -> String {
    if list(entry, "entities").is_empty() {
        return String::new();
    }
    let row = |cells: &[&str]| {
        let mut row: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
        row[0].insert_str(0, "  ");
        row
    };
    let mut page = String::from("\nEntities\n");
    let rows = list(entry, "entities")
        .iter()
        .map(|it| row(&[text(it, "_type"), &classes(&it["_class"]), text(it, "resource"), text(it, "made_from")]));
    page.push_str(&print::table(&["  type", "class", "resource", "made from"], rows));
    for (kind, head) in [("relationships", "Relationships"), ("mapped_relationships", "Mapped relationships")] {
        let mut rows: Vec<Vec<String>> =
            list(entry, kind).iter().map(|it| row(&[text(it, "from"), text(it, "verb"), text(it, "to")])).collect();
        // One that is found in several ways is still one.
        rows.dedup();
        if !rows.is_empty() {
            page.push_str(&format!("\n{head}\n"));
            page.push_str(&print::table(&["  from", "edge", "to"], rows));
        }
    }
    let named = |page: &mut String, head: &str, rows: &[(&str, &str)]| {
        if !rows.is_empty() {
            page.push_str(&format!("\n{head}\n"));
        }
        for (name, doc) in rows {
            page.push_str(&format!("  {name}\n"));
            page.push_str(&wrap(doc, "      ", WIDTH - 6));
        }
    };
    let words = |key: &str| -> Vec<_> {
        list(entry, key).iter().map(|it| (text(it, "name"), text(it, "description"))).collect()
    };
    named(&mut page, "Dialects", &words("dialects"));
    named(&mut page, "Lookups", &words("lookups"));
    page.push_str("\nAn instance of connectome.toml may say\n");
    page.push_str(&print::table(&["  setting", "what it says"], INSTANCE_KEYS.map(|(key, doc)| row(&[key, doc]))));
    page
}

/// An entity or a relationship with its properties, and what other dialects call it.
fn vertex_or_edge(entry: &Value, found: &Value) -> String {
    let ty = text(found, "_type");
    let mut page = match text(found, "resource") {
        "" => format!("{} {} {} ({ty})\n\n", text(found, "from"), text(found, "verb"), text(found, "to")),
        resource => format!("{resource} (entity {ty})\n\n"),
    };
    let class = classes(&found["_class"]);
    let step = match text(found, "call") {
        "" => String::new(),
        call => format!("{}, {call}", text(found, "made_from")),
    };
    for (head, said) in [
        ("Class", class.as_str()),
        ("Key", text(found, "_key")),
        ("Made from", &step),
        ("There when", if text(found, "matched_by").is_empty() { text(found, "found") } else { "" }),
        ("Matched by", text(found, "matched_by")),
    ] {
        if !said.is_empty() {
            let lines = wrap(said, "               ", WIDTH - 15);
            page.push_str(&format!("{head:14} {}", lines.trim_start()));
        }
    }
    for dialect in list(entry, "dialects") {
        let words = list(dialect, "entities").iter().chain(list(dialect, "relationships"));
        for word in words.filter(|word| text(word, "documented") == ty) {
            let said = match (text(word, "verb"), classes(&word["_class"])) {
                _ if word.get("absent").is_some() => "absent".to_owned(),
                ("", class) => format!("{} ({class})", text(word, "_type")),
                (verb, _) => {
                    format!("{} {verb} {} ({})", text(word, "from"), text(word, "to"), text(word, "_type"))
                }
            };
            page.push_str(&format!("{:14} {said}\n", text(dialect, "name")));
        }
    }
    page.push_str(&properties("Properties", found));
    for dialect in list(entry, "dialects") {
        for word in list(dialect, "entities").iter().filter(|word| text(word, "documented") == ty) {
            page.push_str(&properties(&format!("Other properties in {}", text(dialect, "name")), word));
        }
    }
    let kept_out: Vec<&str> = list(found, "never_kept").iter().filter_map(Value::as_str).collect();
    if !kept_out.is_empty() {
        page.push_str(&format!("\nNever kept: {}\n", kept_out.join(", ")));
    }
    page
}

fn properties(head: &str, of: &Value) -> String {
    let bare = |it: &Value, key: &str| text(it, key).replace('`', "");
    let row = |it: &Value| vec![format!("  {}", text(it, "name")), bare(it, "from"), bare(it, "rule")];
    let rows: Vec<Vec<String>> = list(of, "properties").iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("\n{head}\n{}", print::table(&["  name", "from the record", "what is done with it"], rows))
}

/// How a stream is read and what is delivered of it.
fn stream(found: &Value) -> String {
    let strings = |key: &str| list(found, key).iter().filter_map(Value::as_str).collect::<Vec<_>>();
    let number = |key: &str| found.get(key).and_then(Value::as_u64);
    let seconds = |key: &str| number(key).map(span);
    let said = |lead: &str, value: Option<String>| value.map(|value| format!("{lead}{value}"));
    let joined = |parts: Vec<Option<String>>| parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    let pairs = |key: &str, between: &str| {
        let all = found.get(key).and_then(Value::as_object).into_iter().flatten();
        all.map(|(name, value)| {
            format!("{name}{between}{}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect::<Vec<_>>()
        .join(", ")
    };
    let range = joined(vec![
        Some(format!("{} to {}, by {}", text(found, "from"), text(found, "to"), text(found, "clock"))),
        said("at most ", seconds("step_seconds")),
        said("halved above ", number("halved_above").map(|it| format!("{it} events"))),
        said("the service answers no more than ", seconds("widest_seconds")),
        said("it remembers ", number("max_lookback_days").map(|it| format!("{it} days"))),
    ]);
    let size = found.get("page_size").map(|size| {
        let taken: Vec<String> = list(size, "taken").iter().map(Value::to_string).collect();
        let choice = if taken.is_empty() { String::new() } else { format!(", of {}", taken.join(", ")) };
        format!("{} events{choice}", size["asked_for"])
    });
    let key = match strings("key").as_slice() {
        [] => "a hash of its content".to_owned(),
        fields => fields.join(" and "),
    };
    let mut page = String::new();
    for (head, said) in [
        ("Also called", strings("aliases").join(", ")),
        (
            "Collected",
            if found.get("on_request").is_some() { "only when it is named".to_owned() } else { String::new() },
        ),
        ("Needs", text(found, "permission").to_owned()),
        ("Parameters", pairs("query", "=")),
        ("Headers", pairs("headers", ": ")),
        ("Range", range),
        ("Page", size.unwrap_or_else(|| "as the service decides".to_owned())),
        ("Order", text(found, "order").to_owned()),
        ("Key", key),
        ("Time", format!("{}, delivered as {} too", text(found, "time"), text(found, "deliver_time_as"))),
        ("Late by", seconds("late_by_seconds").unwrap_or_default()),
        ("Described at", text(found, "link").to_owned()),
    ] {
        if !said.is_empty() {
            page.push_str(&format!("{head:14} {}", wrap(&said, "               ", WIDTH - 15).trim_start()));
        }
    }
    page.push_str("\nWhat is changed in an event\n");
    for change in strings("changes") {
        page.push_str(&wrap(&change.replace('`', ""), "  ", WIDTH - 2));
    }
    if let Some(raw) = found.pointer("/example/raw") {
        page.push_str(&format!("\nAn event as the service gives it\n{raw:#}\n"));
    }
    page
}

/// A number of seconds as people say it.
fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        it if it > 0 && it % 86_400 == 0 => (it / 86_400, "day"),
        it if it > 0 && it % 3600 == 0 => (it / 3600, "hour"),
        it if it > 0 && it % 60 == 0 => (it / 60, "minute"),
        it => (it, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
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
    match kind {
        "stream" => page.push_str(&stream(found)),
        "snapshot" => page.push_str(&snapshot::snapshot(found)),
        _ => {}
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
        let secret = if field.get("secret").is_some() && text(field, "type") != "secret" { ", secret" } else { "" };
        page.push_str(&format!("  {} ({}{required}{default}{secret})\n", text(field, "name"), text(field, "type")));
        let whole = [text(field, "description"), text(field, "limits"), text(field, "note")].join(" ");
        page.push_str(&wrap(&whole, "      ", WIDTH - 6));
    }
    page
}
