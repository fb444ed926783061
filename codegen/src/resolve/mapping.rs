//! Mappings: paths are taken apart, and each stage becomes its one verb.
//!
//! What is wrong with a stage is told by rules; here it is left out.

use serde_json::Value as Json;

use super::{Scope, text};
use crate::model::mapping::{Condition, Field, Kind, Mapping, Path, Source, Stage, Verb};
use crate::read::Literal;
use crate::spec::Name;
use crate::spec::mapping as word;

/// The mappings of a connector.
pub fn mappings(scope: &Scope<'_>) -> Vec<Mapping> {
    scope.spec.file.mappings.iter().map(|(name, word)| mapping(name, word)).collect()
}

fn mapping(name: &Name, word: &word::Mapping) -> Mapping {
    Mapping {
        name: name.value.clone(),
        doc: word.doc.clone(),
        strict: word.strict.as_ref().map(|name| name.value.clone()),
        remove: word.on_failure.remove,
        failures: word.on_failure.append.as_ref().map(path),
        stages: stages(&word.stages),
        fields: word.fields.iter().map(|(name, word)| field(name, word)).collect(),
    }
}

fn path(name: &Name) -> Path {
    text::path(&name.value)
}

fn paths(names: &[Name]) -> Vec<Path> {
    names.iter().map(path).collect()
}

fn field(name: &Name, word: &word::Field) -> Field {
    Field {
        path: path(name),
        ty: word.ty,
        doc: word.doc.clone(),
        constant: word.constant.as_ref().map(|it| it.value.clone()),
        also: word.also,
        unsearched: word.unsearched,
        note: word.note.clone(),
    }
}

fn stages(words: &[word::Stage]) -> Vec<Stage> {
    words.iter().filter_map(stage).collect()
}

fn stage(word: &word::Stage) -> Option<Stage> {
    let asked = word.asked.as_ref().map(|name| (name, true));
    let asked = asked.or(word.unless_asked.as_ref().map(|name| (name, false)));
    Some(Stage {
        asked: asked.map(|(name, wanted)| (name.value.clone(), wanted)),
        when: word.when.iter().filter_map(|(name, word)| Some((path(name), condition(word)?))).collect(),
        within: word.within.as_ref().map(path).unwrap_or_default(),
        verb: verb(word)?,
    })
}

fn condition(word: &word::Condition) -> Option<Condition> {
    let several = |literal: &Literal| match &literal.value {
        Json::Array(words) => words.clone(),
        one => vec![one.clone()],
    };
    let contains = word.contains.as_ref().map(|it| Condition::Contains(several(it)));
    let lacks = || word.lacks.as_ref().map(|it| Condition::Lacks(several(it)));
    let equals = || word.equals.as_ref().map(|it| Condition::Equals(it.value.clone()));
    contains.or_else(lacks).or_else(equals).or(word.exists.map(Condition::Exists))
}

fn verb(word: &word::Stage) -> Option<Verb> {
    let [(verb, _)] = word.verbs.as_slice() else { return None };
    Some(match *verb {
        "original" => Verb::Original(path(word.original.as_ref()?)),
        "set" => Verb::Set(word.set.iter().map(|(target, value)| (path(target), value.value.clone())).collect()),
        "copy_all" => {
            let all = word.copy_all.as_ref()?;
            Verb::CopyAll(path(&all.into), all.keys)
        }
        "require" => Verb::Require(paths(&word.require)),
        "convert" => {
            Verb::Convert(word.convert.iter().filter_map(|(name, fields)| Some((kind(name)?, paths(fields)))).collect())
        }
        "copy" => Verb::Copy(
            word.copy
                .iter()
                .map(|(target, from)| {
                    let change = if let word::Source::Taken(taken) = from { taken.with } else { None };
                    (path(target), source(from), change)
                })
                .collect(),
        ),
        "append" => Verb::Append(
            word.append.iter().map(|(target, from)| (path(target), from.0.iter().map(source).collect())).collect(),
        ),
        "duration" => Verb::Duration(
            word.duration
                .iter()
                .filter_map(|(target, ends)| match ends.as_slice() {
                    [start, end] => Some((path(target), path(start), path(end))),
                    _ => None,
                })
                .collect(),
        ),
        "url_parts" => Verb::UrlParts(path(word.url_parts.as_ref()?)),
        "expand_dots" => Verb::ExpandDots(path(word.expand_dots.as_ref()?)),
        "now" => Verb::Now(word.now.iter().map(|(target, precision)| (path(target), precision.value)).collect()),
        "remove" => Verb::Remove(paths(&word.remove)),
        "stages" => Verb::Stages(stages(&word.stages)),
        _ => Verb::RemoveEmpty,
    })
}

/// The kind of this name.
pub fn kind(name: &Name) -> Option<Kind> {
    Kind::ALL.into_iter().find(|(known, _)| *known == name.value).map(|(_, kind)| kind)
}

fn source(word: &word::Source) -> Source {
    match word {
        word::Source::Path(name) => match name.value.strip_suffix("[]") {
            Some(list) => Source::Each(text::path(list)),
            None => Source::First(vec![path(name)]),
        },
        word::Source::Taken(taken) => match (&taken.is, &taken.parameter) {
            (Some(constant), _) => Source::Constant(constant.value.clone()),
            (None, Some(parameter)) => Source::Parameter(parameter.value.clone()),
            (None, None) => Source::First(paths(&taken.from.0)),
        },
    }
}
