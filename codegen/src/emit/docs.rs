//! `docs/`: a page a connector, in the order of the vendor's own document. Markdown comes from a template.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};
use serde_json::{Value as Json, json};

use crate::emit::words::{effect_sentence, limits, note, operation_note, rule_parts, trigger_note};
use crate::emit::{describe, example};
use crate::model::graph::{Graph, How, Relationship};
use crate::model::{Connector, Example, Field, Model, Operation, Record, Rules, Trigger};
use crate::names::{plain, rust_module};
use crate::output::File;

/// A connector's page.
pub fn page(connector: &Connector) -> File {
    let mut context = connector_context(connector);
    if let Some(graph) = &connector.graph {
        graph_context(connector, graph, &mut context);
        context["graph"] = json!(render("graph.md", include_str!("../../templates/graph.md"), &context));
    }
    context["chapter"] = match connector.streams.as_slice() {
        [] => Json::Null,
        _ => json!(render("streams.md", include_str!("../../templates/streams.md"), &context)),
    };
    context["reading"] = match connector.snapshots.as_slice() {
        [] => Json::Null,
        _ => json!(render("snapshots.md", include_str!("../../templates/snapshots.md"), &context)),
    };
    context["documents"] = match connector.mappings.as_slice() {
        [] => Json::Null,
        _ => json!(render("mappings.md", include_str!("../../templates/mappings.md"), &context)),
    };
    let text = render("connector.md", include_str!("../../templates/connector.md"), &context);
    File::new(format!("docs/{}.md", connector.name), text)
}

/// The page that lists all.
pub fn index(model: &Model) -> File {
    let connectors: Vec<Json> = model
        .connectors
        .iter()
        .map(|connector| json!({ "name": connector.name, "title": connector.title, "doc": connector.doc, "actions": connector.actions.len(), "triggers": connector.triggers.len(), "streams": connector.streams.len() + connector.snapshots.len(), "mappings": connector.mappings.len(), "entities": connector.graph.iter().flat_map(|graph| graph.dialects.first()).map(|dialect| dialect.entities.len()).sum::<usize>() }))
        .collect();
    File::new(
        "docs/README.md".to_owned(),
        render("index.md", include_str!("../../templates/index.md"), &json!({ "connectors": connectors })),
    )
}

fn render(name: &str, template: &str, values: &Json) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Building fails only for delimiters that clash, and these are the usual ones.
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.add_filter("span", |seconds: u64| span(seconds));
    environment
        .add_filter("cell", |text: String| text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" "));
    let made = environment
        .template_from_named_str(name, template)
        .and_then(|template| template.render(context! { it => minijinja::Value::from(Serde(values)) }));
    match made {
        Ok(text) => tidy(&text),
        // A template is part of this program: a mistake in one is shown where it would be read, and a test renders all.
        Err(error) => format!("This page could not be made: {error:#}\n"),
    }
}

/// A number of seconds as people say it.
fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        s if s > 0 && s % 86_400 == 0 => (s / 86_400, "day"),
        s if s > 0 && s % 3600 == 0 => (s / 3600, "hour"),
        s if s > 0 && s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// One blank line around headings, tables and fences, and never two: templates need not count theirs.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let (mut fenced, mut blank, mut table, mut after_head) = (false, true, false, false);
    for line in text.lines().map(str::trim_end) {
        let fence = line.starts_with("```");
        let row = line.starts_with('|');
        let head = line.starts_with('#');
        if !fenced && line.is_empty() {
            blank = true;
            continue;
        }
        let apart = head || after_head || (fence && !fenced) || row != table;
        if !fenced && (blank || apart) && !tidied.is_empty() {
            tidied.push('\n');
        }
        tidied.push_str(line);
        tidied.push('\n');
        fenced ^= fence;
        (blank, table, after_head) = (false, row, head);
        if fence && !fenced {
            blank = true;
        }
    }
    tidied
}

/// What the part of a page about a graph says.
fn graph_context(connector: &Connector, graph: &Graph, context: &mut Json) {
    let Some(documented) = graph.dialects.first() else { return };
    let secret = connector.connection.parameters.iter().find(|field| field.secret).map(|field| field.name.as_str());
    let edge = |edge: &Relationship| describe::graph::relationship(graph, documented, edge);
    let (mapped, direct): (Vec<&Relationship>, Vec<&Relationship>) =
        documented.relationships.iter().partition(|edge| matches!(edge.how, How::Target { .. }));
    let titles: Vec<String> = graph.steps.iter().map(|step| lower_first(&step.title)).collect();
    let name = connector.name.replace('-', "_");
    context["titles"] = json!(enumerated(&titles));
    context["secret_name"] = json!(secret);
    context["variable"] = json!(format!("{name}_{}", secret.unwrap_or("key")).to_uppercase());
    context["steps"] = graph.steps.iter().map(|step| describe::graph::step(graph, step)).collect();
    context["entities"] = documented.entities.iter().map(|entity| describe::graph::entity(graph, entity)).collect();
    context["edges"] = direct.into_iter().map(edge).collect();
    context["mapped"] = mapped.into_iter().map(edge).collect();
    context["dialects"] =
        graph.dialects.iter().map(|dialect| json!({ "name": dialect.name, "doc": dialect.doc })).collect();
    context["lookups"] = json!(graph.lookups);
    context["migration"] = describe::graph::migration(graph);
}

/// A title inside a sentence: small letters, unless it begins with an abbreviation.
fn lower_first(title: &str) -> String {
    let mut letters = title.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => title.to_owned(),
    }
}

fn enumerated(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

fn connector_context(connector: &Connector) -> Json {
    let connection = &connector.connection;
    let prefix = format!("CONNECTOME_{}_", connector.name.to_uppercase().replace('-', "_"));
    let titles: Vec<&str> = by_title(connector)
        .into_iter()
        .map(|it| it.title.as_str())
        .chain(connector.triggers.iter().map(|it| it.title.as_str()))
        .collect();
    let mut context = json!({
        "name": connector.name,
        "title": connector.title,
        "version": connector.version,
        "doc": connector.doc,
        "module": rust_module(&connector.name),
        "source": connector.source,
        "features": titles,
        "benefits": connector.benefits,
        "set_up": connector.set_up.as_ref().map(|set_up| json!({ "title": set_up.title, "steps": set_up.steps })),
        "remove": connector.remove,
        "graph": null,
        "steps": [],
        "undocumented": connector.records.iter().all(|record| !record.documented),
        "requirements": connector.requirements,
        "supports": connector.supports,
        "prefix": prefix,
        "regions": connection.regions.iter().map(|(name, url, known)| json!({ "name": name, "url": url, "known": known.text() })).collect::<Vec<_>>(),
        "test": connection.test.text(),
        "collection": connector.collection.as_ref().map(collection),
        "roles": connector.roles.iter().map(|role| json!({ "name": role.name, "doc": role.doc, "grants": role.grants.text() })).collect::<Vec<_>>(),
        "matrix": matrix(connector),
        "troubleshooting": connector.troubleshooting,
        "history": connector.history,
        "links": connector.links,
        "references": connector.references,
        "max_body": connection.max_body,
        "read_timeout": connection.read_timeout,
        "rate_classes": connection.rate_classes,
    });
    // What `json!` is given it copies, and these are large.
    let mut put = |name: &str, values: Vec<Json>| context[name] = Json::Array(values);
    put("parameters", fields(&connection.parameters));
    put("actions", by_title(connector).into_iter().map(|it| action(connector, it)).collect());
    put("triggers", connector.triggers.iter().map(|it| trigger(connector, it)).collect());
    put("streams", connector.streams.iter().map(stream).collect());
    put("snapshots", connector.snapshots.iter().map(snapshot).collect());
    put("modelling", connector.modelling.iter().map(|it| describe::stream::modelling(connector, it)).collect());
    put("mappings", connector.mappings.iter().map(describe::mapping::mapping).collect());
    put("data_streams", connector.data_streams.iter().map(describe::mapping::stream).collect());
    put("types", connector.records.iter().filter(|record| record.refines.is_none()).map(record).collect());
    context
}

fn trigger(connector: &Connector, it: &Trigger) -> Json {
    let repeats = &connector.actions[it.repeats];
    let mut shown = json!({
        "name": it.name,
        "title": it.title,
        "doc": it.doc,
        "note": trigger_note(connector, it),
        "repeats": repeats.name,
        "repeats_title": repeats.title,
        "permissions": permissions(&repeats.permissions),
        "example": examples(it.example.as_ref()),
        "windows": it.windows.iter().map(|window| json!({ "first": window.first, "start": window.start, "end": window.end, "fixed": window.fixed, "overlap": window.overlap })).collect::<Vec<_>>(),
        "seen": it.seen.as_ref().map(|(list, by)| json!({ "list": list, "by": by })),
        "command": command(connector, "trigger", &it.name, it.example.as_ref()),
    });
    shown["inputs"] = Json::Array(inputs(connector, &it.input));
    shown["outputs"] = Json::Array(fields(&repeats.output));
    shown
}

fn collection(collection: &crate::spec::collection::Collection) -> Json {
    let mut shown = describe::stream::collection(collection);
    for word in shown["parameters"].as_array_mut().into_iter().flatten() {
        if !word["default"].is_null() {
            word["default"] = json!(plain(&word["default"]));
        }
    }
    shown
}

fn snapshot(snapshot: &crate::model::snapshot::Snapshot) -> Json {
    let mut shown = describe::snapshot::snapshot(snapshot);
    let body = snapshot.body.as_ref().map(|body| serde_json::to_string_pretty(body).unwrap_or_default());
    shown.insert("body_text".to_owned(), json!(body));
    if let Some(Json::Object(set)) = shown.get_mut("gone").and_then(|gone| gone.get_mut("set")) {
        set.values_mut().for_each(|value| *value = json!(plain(value)));
    }
    Json::Object(shown)
}

fn stream(stream: &crate::model::stream::Stream) -> Json {
    let mut shown = describe::stream::stream(stream);
    let text = |value: &Json| serde_json::to_string_pretty(value).unwrap_or_default();
    if let Some(raw) = &stream.example {
        shown.insert(
            "example".to_owned(),
            json!({ "raw": text(raw), "delivered": text(&example::delivered(stream, raw)) }),
        );
    }
    let fixed = stream.query.iter().map(|(name, value)| format!("{name}={}", plain(value)));
    let size = match &stream.page.size {
        Some((crate::model::PagePlace::Query(name), ask)) => Some(format!("{name}={ask}")),
        _ => None,
    };
    let range = [&stream.window.from, &stream.window.to].map(|name| format!("{name}=…"));
    let query: Vec<String> = range.into_iter().chain(size).chain(fixed).collect();
    shown.insert("request".to_owned(), json!(format!("{}?{}", stream.call.text(), query.join("&"))));
    Json::Object(shown)
}

/// The vendor's document lists actions by title, and so does the page.
fn by_title(connector: &Connector) -> Vec<&Operation> {
    let mut actions: Vec<&Operation> = connector.actions.iter().collect();
    actions.sort_by_key(|action| action.title.to_lowercase());
    actions
}

/// Permissions and the actions that need each.
fn matrix(connector: &Connector) -> Vec<Json> {
    let mut rows: Vec<(String, String, Vec<String>)> = Vec::new();
    let triggers = connector.triggers.iter().map(|it| (&it.title, &connector.actions[it.repeats].permissions));
    for (title, permissions) in connector.actions.iter().map(|it| (&it.title, &it.permissions)).chain(triggers) {
        for (app, names) in permissions {
            for name in names {
                match rows.iter_mut().find(|(a, n, _)| a == app && n == name) {
                    Some((_, _, titles)) => titles.push(title.clone()),
                    None => rows.push((app.clone(), name.clone(), vec![title.clone()])),
                }
            }
        }
    }
    rows.into_iter()
        .map(|(app, name, titles)| json!({ "app": app, "name": name, "titles": titles.join(", ") }))
        .collect()
}

fn permissions(permissions: &[(String, Vec<String>)]) -> Vec<Json> {
    permissions.iter().map(|(app, names)| json!({ "app": app, "names": names })).collect()
}

fn action(connector: &Connector, action: &Operation) -> Json {
    let mut shown = json!({
        "name": action.name,
        "title": action.title,
        "doc": action.doc,
        "note": operation_note(action),
        "call": action.call.text(),
        "effect": action.effect.text(),
        "effect_sentence": effect_sentence(action),
        "undo": action.undo,
        "permissions": permissions(&action.permissions),
        "send_first": one_needed(&action.send_first),
        "paged": action.page.as_ref().is_some_and(|page| page.goes_on()),
        "cap": action.cap.as_ref().map(|cap| cap.at_most),
        "partial": !action.multi_status.is_empty(),
        "polls": action.poll.is_some(),
        "example": examples(action.example.as_ref()),
        "command": command(connector, "action", &action.name, action.example.as_ref()),
    });
    shown["inputs"] = Json::Array(inputs(connector, &action.input));
    shown["outputs"] = Json::Array(fields(&action.output));
    shown
}

fn one_needed(choices: &[crate::model::Conditional]) -> Vec<String> {
    let mut names: Vec<String> = choices.iter().map(|choice| choice.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

fn examples(example: Option<&Example>) -> Json {
    let shown = |value: &Option<Json>| value.as_ref().and_then(|value| serde_json::to_string_pretty(value).ok());
    match example {
        Some(example) => json!({ "input": shown(&example.input), "output": shown(&example.output) }),
        None => json!({ "input": null, "output": null }),
    }
}

fn command(connector: &Connector, verb: &str, name: &str, example: Option<&Example>) -> String {
    let input = example
        .and_then(|example| example.input.as_ref())
        .map(|input| format!(" --input '{}'", input.to_string().replace('\'', "'\\''")))
        .unwrap_or_default();
    let once = if verb == "trigger" { " --once" } else { "" };
    format!("connectome {verb} {} {name}{once}{input}", connector.name)
}

fn fields(fields: &[Field]) -> Vec<Json> {
    fields.iter().map(field).collect()
}

/// Inputs, with what holds for their element types here only.
fn inputs(connector: &Connector, fields: &[Field]) -> Vec<Json> {
    let refined = |it: &Field| it.ty.record().map(|id| refinements(connector, id)).unwrap_or_default();
    let with = |it: &Field| {
        let mut shown = field(it);
        shown["refined"] = json!(refined(it));
        shown
    };
    fields.iter().map(with).collect()
}

/// What a refined record says beside the record that it refines.
fn refinements(connector: &Connector, id: crate::model::RecordId) -> String {
    let (record, base) = (connector.record(id), connector.base(id));
    let mut said = Vec::new();
    for (field, other) in record.fields.iter().zip(&base.fields) {
        if field.place == crate::model::Place::Unsent && field.place != other.place {
            said.push(format!("`{}` is accepted and not sent", field.name));
            continue;
        }
        if let Some(default) = field.default.as_ref().filter(|_| field.default != other.default) {
            said.push(format!("`{}` is `{}` when not given", field.name, plain(default)));
        }
        if let Some(max) = field.rules.max_length.filter(|max| other.rules.max_length != Some(*max)) {
            said.push(format!("`{}` has at most {max} characters", field.name));
        }
    }
    if let Some((_, value, of)) = &record.variant {
        let keys = connector.variants[of.0].keys.iter().filter_map(|(key, rules)| {
            let parts = rule_parts(rules);
            (!parts.is_empty()).then(|| format!("{key}: {}", parts.join(", ")))
        });
        let keys: Vec<String> = keys.collect();
        if !keys.is_empty() {
            said.push(format!("`{value}` by kind: {}", keys.join("; ")));
        }
    }
    if said.is_empty() { String::new() } else { format!("Here {}.", said.join("; ")) }
}

fn field(field: &Field) -> Json {
    let one_of: Vec<String> = field.rules.one_of.iter().map(|it| format!("`{}`", plain(it))).collect();
    let unlisted = Field { rules: Rules { one_of: Vec::new(), ..field.rules.clone() }, ..field.clone() };
    let text = |value: &Option<Json>| {
        value.as_ref().map(|value| if value == "" { "empty text".to_owned() } else { format!("`{}`", plain(value)) })
    };
    json!({
        "name": field.name,
        "title": field.title,
        "type": field.written,
        "required": field.required,
        "default": text(&field.default),
        "one_of": one_of.join(", "),
        "example": text(&field.example),
        "doc": field.doc,
        "limits": limits(&unlisted),
        "note": note(field),
        "secret": field.secret,
        "documented": !field.document.absent,
        "refined": "",
    })
}

fn record(record: &Record) -> Json {
    let mut shown = json!({
        "name": record.name,
        "doc": record.doc,
        "documented": record.documented,
        "send_first": one_needed(&record.send_first),
    });
    shown["fields"] = Json::Array(fields(&record.fields));
    shown
}
