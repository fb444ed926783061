//! A simulated service answers calls that the connector makes, about things that it holds.

use super::Subject;
use crate::diagnostic::{Diagnostic, nearest};
use crate::model::{Call, Connector};
use crate::resolve::text::{braces, unknown};
use crate::source::Span;
use crate::spec::simulator::{Simulator, Verb};
use crate::spec::{Name, Spec};
use crate::yaml::{Node, Value};

pub fn check(subject: &Subject<'_>) {
    for (file, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        let Some(spec) = &connector.simulator else { continue };
        if spec.public_origin.is_none() && !subject.problems.misread_any(&file.files) {
            subject.problems.push(
                Diagnostic::new("missing-key", spec.span, "`public_origin` is missing")
                    .help("add `public_origin: …` (the root that its links name, as `https://api.example.com`)"),
            );
        }
        for (_, collection) in spec.collections.iter() {
            for record in collection.record.iter().chain(&collection.also) {
                generators(subject, spec, &record.node);
            }
        }
        let places = calls(file, connector);
        let calls: Vec<&String> = places.iter().map(|(call, _)| call).collect();
        // With a call that could not be read, any of these may be meant.
        let misread = places.iter().any(|(_, span)| subject.problems.misread(*span));
        for (call, behaviour) in spec.calls.iter() {
            let told = |near: &str| places.iter().any(|(call, span)| call == near && subject.problems.told(*span));
            if !calls.contains(&&call.value) && !misread {
                let open: Vec<&str> = calls
                    .iter()
                    .map(|it| it.as_str())
                    .filter(|it| !spec.calls.names().any(|known| known == *it))
                    .collect();
                let diagnostic =
                    Diagnostic::new("unknown-call", call.span, format!("the connector does not call `{}`", call.value));
                let near = nearest(&call.value, open);
                if near.is_some_and(told) {
                    continue;
                }
                subject.problems.push(match near {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help("leave it out, or write the call as an action does"),
                });
            }
            let collection = |name: &Name| {
                if spec.collections.get(&name.value).is_none() && !subject.problems.misread(name.span) {
                    subject.problems.push(unknown(
                        "unknown-collection",
                        "collection",
                        &name.value,
                        name.span,
                        spec.collections.names(),
                    ));
                }
            };
            for name in [&behaviour.of, &behaviour.after, &behaviour.within]
                .into_iter()
                .flatten()
                .chain(&behaviour.and_of)
                .chain(behaviour.refers.iter().map(|(_, name)| name))
                .chain(behaviour.task.iter().map(|task| &task.into))
            {
                collection(name);
            }
            let alone = matches!(behaviour.does, Verb::List | Verb::Get | Verb::Update | Verb::Delete | Verb::Progress);
            if alone && behaviour.of.is_none() && !subject.problems.misread(behaviour.span) {
                let what = behaviour.does.text();
                subject.problems.push(
                    Diagnostic::new("missing-key", call.span, format!("`of` is missing beside `does: {what}`"))
                        .help("add `of: …` (the collection it is about)"),
                );
            }
            for name in [&behaviour.missing, &behaviour.duplicate, &behaviour.stale].into_iter().flatten() {
                if spec.errors.get(&name.value).is_none() {
                    subject.problems.push(unknown(
                        "unknown-failure",
                        "error",
                        &name.value,
                        name.span,
                        spec.errors.names(),
                    ));
                }
            }
        }
        for (call, span) in &places {
            // A call that was meant is told as an unknown one.
            let meant = spec.calls.names().any(|known| {
                known == call || (!calls.iter().any(|it| *it == known) && nearest(known, [call.as_str()]).is_some())
            });
            if !meant && !subject.problems.told(*span) {
                let diagnostic =
                    Diagnostic::new("unanswered-call", *span, format!("the simulator does not answer `{call}`"))
                        .help(format!("add `{call}:` to its `calls:`"));
                subject.problems.push(if spec.calls.0.is_empty() { diagnostic.lost() } else { diagnostic });
            }
        }
    }
}

/// What makes the values of a record. A misspelt one would stand in the record as it is.
const GENERATORS: [&str; 13] =
    ["n", "id", "guid", "hex", "ip", "mac", "name", "int", "pick", "time", "seen", "millis", "from"];

fn generators(subject: &Subject<'_>, spec: &Simulator, node: &Node) {
    match &node.value {
        Value::Text(text) => {
            for name in braces(text).0 {
                let (word, about) = name.split_once(':').unwrap_or((&name, ""));
                let span = node.span.narrow(subject.sources, &name);
                if !GENERATORS.contains(&word) {
                    if word.bytes().all(|it| it.is_ascii_lowercase()) {
                        subject.problems.push(unknown("unknown-generator", "generator", word, span, GENERATORS));
                    }
                } else if word == "from" {
                    let of = about.split('.').next().unwrap_or_default();
                    if spec.collections.get(of).is_none() {
                        let known = spec.collections.names();
                        subject.problems.push(unknown("unknown-collection", "collection", of, span, known));
                    }
                }
            }
        }
        Value::List(items) => items.iter().for_each(|item| generators(subject, spec, item)),
        Value::Map(entries) => entries.iter().for_each(|(_, item)| generators(subject, spec, item)),
        _ => {}
    }
}

/// Every call that the connector makes, once, and where it is said first.
fn calls(spec: &Spec, connector: &Connector) -> Vec<(String, Span)> {
    let mut said: Vec<(&Call, Span)> = Vec::new();
    for action in &connector.actions {
        let Some(exchange) = spec.file.actions.get(&action.name).map(|word| &word.exchange) else { continue };
        said.push((&action.call, exchange.call.span));
        let poll = action.poll.as_ref().and_then(|poll| poll.call.as_ref());
        said.extend(
            poll.zip(exchange.poll.as_ref().and_then(|poll| poll.call.as_ref())).map(|(call, name)| (call, name.span)),
        );
    }
    said.extend(spec.file.connection.as_ref().map(|word| (&connector.connection.test, word.test.call.span)));
    for step in connector.graph.iter().flat_map(|graph| &graph.steps) {
        let Some(word) = spec.file.steps.get(&step.name) else { continue };
        said.push((&step.call, word.read.span));
        said.extend(step.only_if.as_ref().zip(word.only_if.as_ref()).map(|(it, word)| (&it.call, word.read.span)));
    }
    let streams = connector.streams.iter();
    said.extend(streams.filter_map(|it| Some((&it.call, spec.file.streams.get(&it.name)?.read.span))));
    let snapshots = connector.snapshots.iter();
    said.extend(snapshots.filter_map(|it| Some((&it.call, spec.file.snapshots.get(&it.name)?.read.span))));
    let mut calls: Vec<(String, Span)> = Vec::new();
    for (call, span) in said {
        let shape = shape(&call.path);
        if !calls.iter().any(|(known, _)| {
            known.split_once(' ').is_some_and(|(method, path)| method == call.method && self::shape(path) == shape)
        }) {
            calls.push((call.text(), span));
        }
    }
    calls
}

/// A path without the names of its parameters: two actions may call one thing by two names.
fn shape(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}
