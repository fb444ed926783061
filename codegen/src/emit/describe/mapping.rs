//! Mappings in words, for pages and the catalog: what each stage does, and where each field comes from.

use serde_json::{Value as Json, json};

use crate::model::data_stream::DataStream;
use crate::model::mapping::{Condition, Kind, Mapping, Path, Source, Stage, Verb};
use crate::names::{capital, plain};
use crate::spec::mapping::{Change, Keys};

/// Everything about a mapping.
pub fn mapping(mapping: &Mapping) -> Json {
    let mut steps = Vec::new();
    told(&mapping.stages, 0, &mut steps);
    let fields = mapping.fields.iter().map(|field| {
        json!({
            "name": field.path.join("."),
            "type": kind_of(field),
            "description": field.doc,
            "note": field.note,
            "constant": field.constant.as_ref().map(plain),
            "from": from(mapping, &field.path),
        })
    });
    json!({
        "name": mapping.name,
        "description": mapping.doc,
        "strict": mapping.strict,
        "failures": mapping.failures.as_ref().map(|path| path.join(".")),
        "steps": steps,
        "fields": fields.collect::<Vec<_>>(),
    })
}

/// Everything about a data stream, but for the look of its dashboards.
pub fn stream(stream: &DataStream) -> Json {
    let DataStream { dataset, word: stream, .. } = stream;
    let latest = stream.latest.as_ref().map(|latest| {
        json!({
            "index": latest.index, "alias": latest.alias, "transform": latest.transform,
            "unique_key": latest.unique_key.iter().map(|it| it.value.as_str()).collect::<Vec<_>>(),
            "max_age_seconds": latest.max_age.value.0,
        })
    });
    let dashboards = stream.dashboards.iter().map(|(id, dashboard)| {
        let panels = dashboard.panels.iter().filter_map(|panel| panel.title.as_ref().or(panel.metric.as_ref()));
        json!({ "id": id.value, "title": dashboard.title, "description": dashboard.doc, "panels": panels.collect::<Vec<_>>() })
    });
    json!({
        "name": dataset, "title": stream.title, "description": stream.doc, "stream": stream.name,
        "failures": stream.failed().map(|(name, _)| name),
        "namespace": stream.namespace.value, "every_seconds": stream.every.0, "policy": stream.retention.policy,
        "roll_over_seconds": stream.retention.roll_over.0, "roll_over_size": stream.retention.roll_over_size,
        "delete_after_seconds": stream.retention.delete_after.0,
        "latest": latest, "dashboards": dashboards.collect::<Vec<_>>(),
    })
}

fn kind_of(field: &crate::model::mapping::Field) -> String {
    let mut text = field.ty.text().to_owned();
    if let Some(also) = field.also {
        text.push_str(&format!(", and {} under `.text`", also.text()));
    }
    if field.unsearched {
        text.push_str(", not searched");
    }
    text
}

fn name(path: &Path) -> String {
    format!("`{}`", path.join("."))
}

fn listed<'a>(paths: impl IntoIterator<Item = &'a Path>) -> String {
    paths.into_iter().map(name).collect::<Vec<_>>().join(", ")
}

/// The stages as the lines of a list, each with its depth.
fn told(stages: &[Stage], depth: usize, steps: &mut Vec<Json>) {
    for stage in stages {
        let mut conditions: Vec<String> = stage.asked.iter().map(asked).collect();
        conditions.extend(stage.when.iter().map(|(path, it)| condition(path, it)));
        let within = match stage.within.as_slice() {
            [] => String::new(),
            _ => format!("In {}: ", name(&stage.within)),
        };
        let said = verb(&stage.verb);
        let when = match conditions.as_slice() {
            [] => String::new(),
            conditions => format!(" *{}.*", capital(&conditions.join(", and "))),
        };
        let text = if within.is_empty() { capital(&said) } else { format!("{within}{said}") };
        steps.push(json!({ "depth": "  ".repeat(depth), "text": format!("{text}.{when}") }));
        if let Verb::Stages(inner) = &stage.verb {
            told(inner, depth + 1, steps);
        }
    }
}

fn asked((parameter, wanted): &(String, bool)) -> String {
    format!("if `{parameter}` is {}", if *wanted { "set" } else { "not set" })
}

fn condition(path: &Path, condition: &Condition) -> String {
    let field = name(path);
    let words = |words: &[Json]| words.iter().map(|it| format!("`{}`", plain(it))).collect::<Vec<_>>().join(" or ");
    match condition {
        Condition::Contains(any) => format!("if {field} holds {}", words(any)),
        Condition::Lacks(any) => format!("unless {field} holds {}", words(any)),
        Condition::Equals(word) => format!("if {field} is `{}`", plain(word)),
        Condition::Exists(true) => format!("if there is {field}"),
        Condition::Exists(false) => format!("if there is no {field}"),
    }
}

fn verb(verb: &Verb) -> String {
    match verb {
        Verb::Original(path) => format!("{} becomes the record's text, as it came", name(path)),
        Verb::Set(constants) => {
            let one = |(target, value): &(Path, Json)| format!("{} becomes `{}`", name(target), plain(value));
            constants.iter().map(one).collect::<Vec<_>>().join("; ")
        }
        Verb::CopyAll(into, keys) => {
            let renamed = if *keys == Keys::SnakeCase { ", its keys in snake case" } else { "" };
            format!("the whole record goes to {}{renamed}", name(into))
        }
        Verb::Require(fields) => format!("{} must be there", listed(fields)),
        Verb::Convert(kinds) => {
            let one = |(kind, fields): &(Kind, Vec<Path>)| format!("to {}: {}", plural(*kind), listed(fields));
            format!("converted {}", kinds.iter().map(one).collect::<Vec<_>>().join("; "))
        }
        Verb::Copy(copies) => {
            let one = |(target, from, change): &(Path, Source, Option<Change>)| {
                format!("{} becomes {}{}", name(target), source(from), changed(*change))
            };
            copies.iter().map(one).collect::<Vec<_>>().join("; ")
        }
        Verb::Append(lists) => {
            let one = |(target, from): &(Path, Vec<Source>)| {
                let from: Vec<String> = from.iter().map(source).collect();
                format!("{} gets {}", name(target), from.join(", "))
            };
            lists.iter().map(one).collect::<Vec<_>>().join("; ")
        }
        Verb::Duration(spans) => {
            let one = |(target, start, end): &(Path, Path, Path)| {
                format!("{} becomes the nanoseconds from {} to {}", name(target), name(start), name(end))
            };
            spans.iter().map(one).collect::<Vec<_>>().join("; ")
        }
        Verb::UrlParts(path) => format!("the parts of `{0}.original` are put into {1}", path.join("."), name(path)),
        Verb::ExpandDots(path) => format!("keys with dots in {} become objects", name(path)),
        Verb::Now(targets) => {
            let targets = targets.iter().map(|(target, precision)| format!("{} in {}", name(target), precision.text()));
            format!("the present time goes to {}", targets.collect::<Vec<_>>().join(", "))
        }
        Verb::Remove(fields) => format!("removed: {}", listed(fields)),
        Verb::RemoveEmpty => "removed: nulls and empty texts, lists and objects, at every depth".to_owned(),
        Verb::Stages(_) => "together".to_owned(),
    }
}

fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Date => "dates",
        Kind::Boolean => "true or false",
        Kind::Long => "whole numbers",
        Kind::Double => "numbers",
        Kind::Ip => "addresses",
        Kind::Text => "text",
    }
}

fn source(source: &Source) -> String {
    match source {
        Source::First(fields) => fields.iter().map(name).collect::<Vec<_>>().join(", or else "),
        Source::Each(list) => format!("each of {}", name(list)),
        Source::Constant(value) => format!("the word `{}`", plain(value)),
        Source::Parameter(parameter) => format!("the parameter `{parameter}`"),
    }
}

fn changed(change: Option<Change>) -> &'static str {
    match change {
        Some(Change::Lowercase) => " in small letters",
        None => "",
    }
}

/// Where a field's value comes from.
fn from(mapping: &Mapping, path: &Path) -> Option<String> {
    let mut found = Vec::new();
    sources(&mapping.stages, path, &mut found);
    (!found.is_empty()).then(|| found.join("; "))
}

fn sources(stages: &[Stage], path: &Path, found: &mut Vec<String>) {
    for stage in stages {
        let whole = |source: &Source| match source {
            Source::First(fields) => {
                Source::First(fields.iter().map(|field| [stage.within.clone(), field.clone()].concat()).collect())
            }
            Source::Each(field) => Source::Each([stage.within.clone(), field.clone()].concat()),
            other => other.clone(),
        };
        match &stage.verb {
            Verb::Set(constants) => {
                let of = constants.iter().filter(|(target, _)| target == path);
                found.extend(of.map(|(_, value)| format!("`{}`", plain(value))));
            }
            Verb::Copy(copies) => {
                let of = copies.iter().filter(|(target, ..)| target == path);
                found.extend(of.map(|(_, from, change)| format!("{}{}", source(&whole(from)), changed(*change))));
            }
            Verb::Append(lists) => {
                let of = lists.iter().filter(|(target, _)| target == path);
                found.extend(of.flat_map(|(_, from)| from.iter().map(|it| source(&whole(it)))));
            }
            Verb::Duration(spans) => {
                let of = spans.iter().filter(|(target, ..)| target == path);
                found.extend(of.map(|(_, start, end)| format!("from {} to {}", name(start), name(end))));
            }
            Verb::UrlParts(object) => {
                let part = path.strip_prefix(object.as_slice());
                if part.is_some_and(|part| part.len() == 1 && part[0] != "original") {
                    found.push(format!("`{}.original`", object.join(".")));
                }
            }
            Verb::Stages(inner) => sources(inner, path, found),
            _ => {}
        }
    }
}
