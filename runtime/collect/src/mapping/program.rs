//! A mapping made ready: parameters are in their places, names have their hashes, constants stand in the document's text.

use connectome_core::mapping::{
    Change, Condition, Keys, Kind, Mapping, Path, Precision, Source, Stage as Written, Verb as Word,
};
use serde_json::{Map, Value};

use super::names::Name;
use super::tree::Tree;
use crate::raw::Span;

/// A path with the hashes of its names.
pub type Way = Vec<Name>;

/// A mapping made ready.
#[derive(Debug)]
pub struct Program {
    /// Whether a stage that fails as a whole ends the stages beside it.
    pub strict: bool,
    /// Whether a value that cannot be converted is removed.
    pub remove: bool,
    /// Where failures are told.
    pub failures: Option<Way>,
    /// The name of the field beside the parts of a URL, and their names.
    pub url: Parts,
    /// What is done.
    pub stages: Vec<Stage>,
}

/// Names of the parts of a URL.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Parts {
    pub original: Name,
    pub scheme: Name,
    pub domain: Name,
    pub port: Name,
    pub path: Name,
    pub query: Name,
    pub fragment: Name,
    pub extension: Name,
    pub user_info: Name,
    pub username: Name,
    pub password: Name,
}

/// A stage that is not left out for a parameter.
#[derive(Debug)]
pub struct Stage {
    /// What must be true.
    pub when: Vec<(Way, Test)>,
    /// Where its fields stand.
    pub within: Way,
    /// What it does.
    pub verb: Verb,
}

/// What must be true of a field. Constants are JSON.
#[derive(Debug)]
pub enum Test {
    /// It is, or holds, one of these.
    Contains(Vec<Span>),
    /// It is none of these and holds none.
    Lacks(Vec<Span>),
    /// It is this.
    Equals(Span),
    /// It is there, or is not.
    Exists(bool),
}

/// A field below the one that the stage is about, and its whole path for messages.
#[derive(Debug)]
pub struct Field {
    /// From there on.
    pub way: Way,
    /// As people write it.
    pub told: String,
}

/// What a stage does.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum Verb {
    Original(Way),
    Set(Vec<(Way, Span)>),
    CopyAll(Way, Keys),
    Require(Vec<Field>),
    Convert(Vec<(Kind, Vec<Field>)>),
    Copy(Vec<(Way, Origin, Option<Change>)>),
    Append(Vec<(Way, Vec<Origin>)>),
    Duration(Vec<(Way, Way, Way)>),
    UrlParts(Field),
    ExpandDots(Field),
    Now(Vec<(Way, Precision)>),
    Remove(Vec<Way>),
    RemoveEmpty,
    Stages(Vec<Stage>),
}

/// Where a value comes from.
#[derive(Debug)]
pub enum Origin {
    /// The first of these fields that holds something.
    First(Vec<Way>),
    /// Every element of a list.
    Each(Way),
    /// A constant, as JSON; nothing for a parameter that is not set.
    Constant(Option<Span>),
}

impl Program {
    /// Makes a mapping ready, and the document that it works on.
    pub fn new(mapping: &Mapping, parameters: &Map<String, Value>) -> (Self, Tree) {
        let mut maker = Maker { text: Tree::new(), parameters };
        let strict = mapping.strict.is_some_and(|name| maker.asked(name));
        let mut name = |name: &str| maker.name(name);
        let url = Parts {
            original: name("original"),
            scheme: name("scheme"),
            domain: name("domain"),
            port: name("port"),
            path: name("path"),
            query: name("query"),
            fragment: name("fragment"),
            extension: name("extension"),
            user_info: name("user_info"),
            username: name("username"),
            password: name("password"),
        };
        let failures = mapping.failures.map(|path| maker.way(path));
        let stages = maker.stages(mapping.stages);
        let tree = maker.text.with_constants();
        (Self { strict, remove: mapping.remove, failures, url, stages }, tree)
    }
}

struct Maker<'a> {
    text: Tree,
    parameters: &'a Map<String, Value>,
}

impl Maker<'_> {
    fn asked(&self, name: &str) -> bool {
        self.parameters.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    fn name(&mut self, name: &str) -> Name {
        self.text.name(name)
    }

    fn way(&mut self, path: Path) -> Way {
        path.iter().map(|name| self.name(name)).collect()
    }

    fn constant(&mut self, value: &Value) -> Span {
        let constant = self.text.write(&value.to_string());
        // Where a number ends must be seen when it is read again.
        self.text.write("\n");
        constant
    }

    fn field(&mut self, within: Path, path: Path) -> Field {
        Field { way: self.way(path), told: [within, path].concat().join(".") }
    }

    fn stages(&mut self, stages: &[Written]) -> Vec<Stage> {
        let asked: Vec<&Written> =
            stages.iter().filter(|it| it.asked.is_none_or(|(name, wanted)| self.asked(name) == wanted)).collect();
        asked.into_iter().map(|stage| self.stage(stage)).collect()
    }

    fn stage(&mut self, stage: &Written) -> Stage {
        let when = stage.when.iter().map(|(path, condition)| (self.way(path), self.test(condition))).collect();
        Stage { when, within: self.way(stage.within), verb: self.verb(stage) }
    }

    fn test(&mut self, condition: &Condition) -> Test {
        match condition {
            Condition::Contains(words) => Test::Contains(words.iter().map(|it| self.constant(&it.value())).collect()),
            Condition::Lacks(words) => Test::Lacks(words.iter().map(|it| self.constant(&it.value())).collect()),
            Condition::Equals(word) => Test::Equals(self.constant(&word.value())),
            Condition::Exists(exists) => Test::Exists(*exists),
        }
    }

    fn verb(&mut self, stage: &Written) -> Verb {
        let within = stage.within;
        match stage.verb {
            Word::Original(path) => Verb::Original(self.way(path)),
            Word::Set(constants) => Verb::Set(
                constants.iter().map(|(target, value)| (self.way(target), self.constant(&value.value()))).collect(),
            ),
            Word::CopyAll { into, keys } => Verb::CopyAll(self.way(into), keys),
            Word::Require(fields) => Verb::Require(fields.iter().map(|path| self.field(within, path)).collect()),
            Word::Convert(kinds) => Verb::Convert(
                kinds
                    .iter()
                    .map(|(kind, fields)| (*kind, fields.iter().map(|path| self.field(within, path)).collect()))
                    .collect(),
            ),
            Word::Copy(copies) => Verb::Copy(
                copies.iter().map(|(target, from, change)| (self.way(target), self.from(from), *change)).collect(),
            ),
            Word::Append(lists) => Verb::Append(
                lists
                    .iter()
                    .map(|(target, sources)| (self.way(target), sources.iter().map(|it| self.from(it)).collect()))
                    .collect(),
            ),
            Word::Duration(spans) => Verb::Duration(
                spans.iter().map(|(target, start, end)| (self.way(target), self.way(start), self.way(end))).collect(),
            ),
            Word::UrlParts(path) => Verb::UrlParts(self.field(&[], path)),
            Word::ExpandDots(path) => Verb::ExpandDots(self.field(&[], path)),
            Word::Now(targets) => {
                Verb::Now(targets.iter().map(|(target, precision)| (self.way(target), *precision)).collect())
            }
            Word::Remove(fields) => Verb::Remove(fields.iter().map(|path| self.way(path)).collect()),
            Word::RemoveEmpty => Verb::RemoveEmpty,
            Word::Stages(stages) => Verb::Stages(self.stages(stages)),
        }
    }

    fn from(&mut self, source: &Source) -> Origin {
        match source {
            Source::First(paths) => Origin::First(paths.iter().map(|path| self.way(path)).collect()),
            Source::Each(path) => Origin::Each(self.way(path)),
            Source::Constant(value) => Origin::Constant(Some(self.constant(&value.value()))),
            Source::Parameter(name) => {
                let value = self.parameters.get(*name).cloned();
                Origin::Constant(value.map(|value| self.constant(&value)))
            }
        }
    }
}
