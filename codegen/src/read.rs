//! Reading mappings key by key: one list of keys that reads a spec, finds its mistakes, and describes the language.
//!
//! A [`Word`] asks its [`Map`] for each key it knows. When a spec is read, the map notes what is missing, mistyped or
//! unknown and reading goes on with a stand-in, so that one run finds every mistake. When the language is described,
//! the same calls note key, form and meaning, and the JSON Schema for editors falls out.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, nearest};
use crate::source::{Span, Spanned};
use crate::yaml::{Node, Value};

/// A mapping of the spec language with known keys.
pub trait Word: Sized {
    /// Its name in the language's reference and schema.
    const NAME: &'static str;
    /// Asks for every key.
    fn read(map: &Map<'_>) -> Self;
}

/// Anything a key can hold.
pub trait Form: Sized {
    /// What it looks like, for the schema.
    fn describe(language: &Language) -> Shape;
    /// Reads it, or notes why not.
    fn take(node: &Node, problems: &Problems) -> Option<Self>;
    /// What stands in for it after a mistake was noted.
    fn absent(span: Span) -> Self;
}

/// What is told where a mapping from names should stand.
const NAMES: &str = "expected a mapping from names";

/// The mistakes found so far.
#[derive(Default)]
pub struct Problems {
    told: RefCell<Vec<Diagnostic>>,
    read: Cell<usize>,
}

impl Problems {
    /// Notes one.
    pub fn push(&self, diagnostic: Diagnostic) {
        self.told.borrow_mut().push(diagnostic);
    }

    /// Adds what a key means to the mistake that was made just there, where names stand that the author chooses: its
    /// form alone says too little about them.
    fn explain(&self, span: Span, doc: &str) {
        if let Some(told) = self.told.borrow_mut().last_mut().filter(|told| told.span == span && told.message == NAMES)
            && let Some(help) = &mut told.help
        {
            help.push_str(&format!(" ({})", lower_first(doc.trim_end_matches('.'))));
        }
    }

    /// Marks the end of reading: what is told from here on is about what the words mean.
    pub fn all_read(&self) {
        self.read.set(self.told.borrow().len());
    }

    /// Whether reading found a mistake in there. What was made of it is then a stand-in, and nothing follows from that.
    pub fn misread(&self, span: Span) -> bool {
        self.told.borrow()[..self.read.get()].iter().any(|told| span.holds(told.span))
    }

    /// Whether a key in there is unknown, leaving these parts of it aside: what it was meant to say seems to be missing.
    pub fn misspelt(&self, span: Span, but: &[Span]) -> bool {
        let counts = |told: &Diagnostic| {
            told.code == "unknown-key" && span.holds(told.span) && !but.iter().any(|part| part.holds(told.span))
        };
        self.told.borrow()[..self.read.get()].iter().any(counts)
    }

    /// Whether anything was told of that place.
    pub fn told(&self, span: Span) -> bool {
        self.told.borrow().iter().any(|told| span.holds(told.span))
    }

    /// Whether a mistake of this code was told of just this place.
    pub fn told_as(&self, code: &str, span: Span) -> bool {
        self.told.borrow().iter().any(|told| told.code == code && told.span == span)
    }

    /// Whether reading found a mistake in any of these files.
    pub fn misread_any(&self, files: &[crate::source::FileId]) -> bool {
        self.told.borrow()[..self.read.get()].iter().any(|told| files.contains(&told.span.file))
    }

    /// All of them.
    pub fn into_inner(self) -> Vec<Diagnostic> {
        self.told.into_inner()
    }
}

/// The words described so far: each one's keys in the order it asks for them.
#[derive(Default)]
pub struct Language(RefCell<BTreeMap<&'static str, Vec<Key>>>);

impl Language {
    /// Describes a word and every word it uses.
    pub fn of<T: Word>() -> BTreeMap<&'static str, Vec<Key>> {
        let language = Self::default();
        language.word::<T>();
        language.0.into_inner()
    }

    fn word<T: Word>(&self) -> Shape {
        if !self.0.borrow().contains_key(T::NAME) {
            self.0.borrow_mut().insert(T::NAME, Vec::new());
            let map = Map { way: Way::Describe(self), word: T::NAME, keys: RefCell::default() };
            T::read(&map);
            self.0.borrow_mut().insert(T::NAME, map.keys.into_inner());
        }
        Shape::Word(T::NAME)
    }
}

/// One key of a word.
#[derive(Debug, Clone)]
pub struct Key {
    /// As written in a spec.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub doc: &'static str,
}

/// What a value looks like, for the JSON Schema.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Text that matches nothing in particular.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Any JSON value.
    Any,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A list.
    List(Box<Shape>),
    /// A mapping from names the author chooses.
    Names(Box<Shape>),
    /// Any of these.
    Either(Vec<Shape>),
    /// A word of the language.
    Word(&'static str),
}

enum Way<'a> {
    Read { entries: &'a [(Spanned<String>, Node)], place: Place, problems: &'a Problems },
    Describe(&'a Language),
}

/// Where a mapping stands.
#[derive(Clone, Copy)]
struct Place {
    /// What a message about the whole of it underlines.
    named: Span,
    /// All that was written for it.
    whole: Span,
}

/// A mapping that is being read, or described.
pub struct Map<'a> {
    way: Way<'a>,
    word: &'static str,
    keys: RefCell<Vec<Key>>,
}

/// What asking for a key came to.
enum Asked<T> {
    Found(T),
    Misread(Span),
    Absent,
}

impl<'a> Map<'a> {
    /// A key that must be there.
    pub fn required<T: Form>(&self, name: &'static str, doc: &'static str) -> T {
        match self.ask(name, true, doc) {
            Asked::Found(found) => found,
            Asked::Misread(span) => T::absent(span),
            Asked::Absent => T::absent(self.span()),
        }
    }

    /// A key that may be left out.
    pub fn optional<T: Form>(&self, name: &'static str, doc: &'static str) -> Option<T> {
        match self.ask(name, false, doc) {
            Asked::Found(found) => Some(found),
            Asked::Misread(_) | Asked::Absent => None,
        }
    }

    /// A key whose absence means `false`.
    pub fn flag(&self, name: &'static str, doc: &'static str) -> bool {
        self.optional(name, doc).unwrap_or(false)
    }

    /// A list or names whose absence means none.
    pub fn many<T: Form + Default>(&self, name: &'static str, doc: &'static str) -> T {
        self.optional(name, doc).unwrap_or_default()
    }

    /// Whether the spec says this key.
    pub fn says(&self, name: &str) -> bool {
        match &self.way {
            Way::Read { entries, .. } => entries.iter().any(|(key, _)| key.value == name),
            Way::Describe(_) => false,
        }
    }

    /// Everything that was written for the mapping, with the key it is the value of.
    pub fn span(&self) -> Span {
        match &self.way {
            Way::Read { place, .. } => place.whole,
            Way::Describe(_) => Span::default(),
        }
    }

    /// What a message about the whole mapping underlines: its key, or itself.
    pub fn named(&self) -> Span {
        match &self.way {
            Way::Read { place, .. } => place.named,
            Way::Describe(_) => Span::default(),
        }
    }

    /// Where a key of this mapping stands.
    pub fn span_of(&self, name: &str) -> Span {
        match &self.way {
            Way::Read { entries, place, .. } => {
                entries.iter().find(|(key, _)| key.value == name).map_or(place.named, |(key, _)| key.span)
            }
            Way::Describe(_) => Span::default(),
        }
    }

    /// Notes a mistake.
    pub fn problem(&self, diagnostic: Diagnostic) {
        if let Way::Read { problems, .. } = &self.way {
            problems.push(diagnostic);
        }
    }

    fn ask<T: Form>(&self, name: &'static str, required: bool, doc: &'static str) -> Asked<T> {
        match &self.way {
            Way::Describe(language) => {
                let shape = T::describe(language);
                self.keys.borrow_mut().push(Key { name, shape, required, doc });
                Asked::Absent
            }
            Way::Read { entries, problems, .. } => {
                self.keys.borrow_mut().push(Key { name, shape: Shape::Any, required, doc });
                match entries.iter().find(|(key, _)| key.value == name) {
                    Some((_, node)) => T::take(node, problems).map_or_else(
                        || {
                            problems.explain(node.span, doc);
                            Asked::Misread(node.whole())
                        },
                        Asked::Found,
                    ),
                    None => {
                        if let (true, Some(key)) = (required, self.keys.borrow_mut().last_mut()) {
                            key.shape = T::describe(&Language::default());
                        }
                        Asked::Absent
                    }
                }
            }
        }
    }

    /// Reports keys that are missing and keys that nobody asked for. A misspelt key near a missing one is one mistake.
    fn finish(&self) {
        let Way::Read { entries, place, problems } = &self.way else { return };
        let keys = self.keys.borrow();
        let mut missing: Vec<&str> = keys
            .iter()
            .filter(|key| key.required && !entries.iter().any(|(said, _)| said.value == key.name))
            .map(|key| key.name)
            .collect();
        for (said, _) in entries.iter() {
            if keys.iter().any(|key| key.name == said.value) {
                continue;
            }
            // A key that is there already is not what was meant.
            let open: Vec<&str> = keys
                .iter()
                .map(|key| key.name)
                .filter(|name| !entries.iter().any(|(said, _)| said.value == *name))
                .collect();
            let near = nearest(&said.value, open.iter().copied());
            missing.retain(|name| Some(*name) != near);
            let everywhere = format!("generated/schemas/spec.schema.json lists the keys of {}", article(self.word));
            problems.push(
                Diagnostic::new("unknown-key", said.span, format!("unknown key `{}`", said.value))
                    .help(everywhere)
                    .suggest(&said.value, open.iter().copied()),
            );
        }
        for name in missing {
            let Some(key) = keys.iter().find(|key| key.name == name) else { continue };
            let meaning = lower_first(key.doc.trim_end_matches('.'));
            let choices = match key.shape {
                Shape::OneOf(texts) => format!(": {}", or(texts)),
                _ => String::new(),
            };
            problems.push(
                Diagnostic::new("missing-key", place.named, format!("`{name}` is missing"))
                    .help(format!("add `{name}: …` ({meaning}{choices})")),
            );
        }
    }
}

/// `a`, `b` or `c`.
fn or(texts: &[&str]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("`{text}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// A value of another kind than the one that belongs there.
pub fn wrong_kind(node: &Node, expected: &str) -> Diagnostic {
    match node.value {
        Value::Null => {
            Diagnostic::new("wrong-kind", node.named(), format!("expected {expected}")).label("nothing is said here")
        }
        _ => Diagnostic::new("wrong-kind", node.span, format!("expected {expected}"))
            .label(format!("this is {}", node.kind())),
    }
}

/// A number that is not one, and what to do about it.
fn wrong_number(node: &Node, expected: &str) -> Diagnostic {
    match &node.value {
        Value::Text(text) if text.parse::<f64>().is_ok() => {
            wrong_kind(node, expected).help(format!("write `{text}`, without quotes"))
        }
        Value::Integer(it) if *it < 0 => wrong_kind(node, expected).label("this is less").help("write `0` or more"),
        _ => wrong_kind(node, expected).help("write it in digits"),
    }
}

impl<T: Word> Form for T {
    fn describe(language: &Language) -> Shape {
        language.word::<T>()
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            Value::Map(entries) => {
                Some(read_word(entries, Place { named: node.named(), whole: node.whole() }, problems))
            }
            _ => {
                problems.push(wrong_kind(node, &format!("the keys of {}", article(T::NAME))).help(keys_of::<T>()));
                None
            }
        }
    }

    fn absent(span: Span) -> Self {
        let place = Place { named: span, whole: span };
        T::read(&Map {
            way: Way::Read { entries: &[], place, problems: &Problems::default() },
            word: T::NAME,
            keys: RefCell::default(),
        })
    }
}

fn article(word: &str) -> String {
    format!("{} {}", if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }, word.replace('_', " "))
}

/// What to write where a word's keys should stand.
fn keys_of<T: Word>() -> String {
    let words = Language::of::<T>();
    let keys = words.get(T::NAME).map(Vec::as_slice).unwrap_or_default();
    let required: Vec<String> = keys.iter().filter(|key| key.required).map(|key| format!("`{}:`", key.name)).collect();
    let some: Vec<String> = keys.iter().take(3).map(|key| format!("`{}:`", key.name)).collect();
    match required.len() {
        0 => format!("write keys such as {}", some.join(", ")),
        1 => format!("it needs {}", required[0]),
        _ => format!("it needs at least {}", required.join(", ")),
    }
}

fn read_word<T: Word>(entries: &[(Spanned<String>, Node)], place: Place, problems: &Problems) -> T {
    let map = Map { way: Way::Read { entries, place, problems }, word: T::NAME, keys: RefCell::default() };
    let word = T::read(&map);
    map.finish();
    word
}

impl Form for String {
    fn describe(_: &Language) -> Shape {
        Shape::Text
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            Value::Text(text) => Some(text.trim_end().to_owned()),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {
                problems.push(wrong_kind(node, "text").help("put it in quotes"));
                None
            }
            _ => {
                problems.push(wrong_kind(node, "text").help("write one text here"));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        String::new()
    }
}

impl<T: Form> Form for Spanned<T> {
    fn describe(language: &Language) -> Shape {
        T::describe(language)
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        T::take(node, problems).map(|value| Spanned::new(value, node.span))
    }

    fn absent(span: Span) -> Self {
        Spanned::new(T::absent(span), span)
    }
}

impl Form for bool {
    fn describe(_: &Language) -> Shape {
        Shape::Boolean
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match node.value {
            Value::Boolean(it) => Some(it),
            _ => {
                let meant = match &node.value {
                    Value::Text(text) if matches!(text.to_lowercase().as_str(), "yes" | "on" | "true") => {
                        "write `true`"
                    }
                    Value::Text(text) if matches!(text.to_lowercase().as_str(), "no" | "off" | "false") => {
                        "write `false`"
                    }
                    _ => "write one of the two, without quotes",
                };
                problems.push(wrong_kind(node, "`true` or `false`").help(meant));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        false
    }
}

impl Form for i64 {
    fn describe(_: &Language) -> Shape {
        Shape::Integer
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match node.value {
            Value::Integer(it) => Some(it),
            _ => {
                problems.push(wrong_number(node, "a whole number"));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        0
    }
}

impl Form for u64 {
    fn describe(_: &Language) -> Shape {
        Shape::Integer
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match node.value {
            Value::Integer(it) if it >= 0 => Some(it as u64),
            _ => {
                problems.push(wrong_number(node, "a whole number, zero or more"));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        0
    }
}

impl Form for f64 {
    fn describe(_: &Language) -> Shape {
        Shape::Number
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match node.value {
            Value::Integer(it) => Some(it as f64),
            Value::Float(it) => Some(it),
            _ => {
                problems.push(wrong_number(node, "a number"));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        0.0
    }
}

/// Any value, kept as it stands: a default, an example, a constant.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// The value.
    pub value: serde_json::Value,
    /// Its node, for places inside it.
    pub node: Node,
}

impl Literal {
    /// Where it stands.
    pub fn span(&self) -> Span {
        self.node.span
    }
}

impl Form for Literal {
    fn describe(_: &Language) -> Shape {
        Shape::Any
    }

    fn take(node: &Node, _: &Problems) -> Option<Self> {
        Some(Literal { value: node.to_json(), node: node.clone() })
    }

    fn absent(span: Span) -> Self {
        Literal { value: serde_json::Value::Null, node: Node { span, key: None, value: Value::Null } }
    }
}

impl<T: Form> Form for Vec<T> {
    fn describe(language: &Language) -> Shape {
        Shape::List(Box::new(T::describe(language)))
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            Value::List(items) => Some(items.iter().filter_map(|item| T::take(item, problems)).collect()),
            _ => {
                problems.push(wrong_kind(node, "a list").help("write it as `[…]` or as lines that begin with `-`"));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        Vec::new()
    }
}

/// One thing, or a list of them.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMore<T>(pub Vec<T>);

impl<T> Default for OneOrMore<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Form> Form for OneOrMore<T> {
    fn describe(language: &Language) -> Shape {
        let one = T::describe(language);
        Shape::Either(vec![one.clone(), Shape::List(Box::new(one))])
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            Value::List(_) => Vec::take(node, problems).map(Self),
            _ => T::take(node, problems).map(|one| Self(vec![one])),
        }
    }

    fn absent(_: Span) -> Self {
        Self(Vec::new())
    }
}

/// A mapping whose keys are names that the author chooses, in the order written.
#[derive(Debug, Clone, PartialEq)]
pub struct Names<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Names<T> {
    /// The entry with this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
    }

    /// Every entry in order.
    pub fn iter(&self) -> impl Iterator<Item = &(Spanned<String>, T)> {
        self.0.iter()
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.value.as_str())
    }
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Form> Form for Names<T> {
    fn describe(language: &Language) -> Shape {
        Shape::Names(Box::new(T::describe(language)))
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            // A value that cannot be read leaves a stand-in, so that its name stays known.
            Value::Map(entries) => Some(Self(
                entries
                    .iter()
                    .map(|(key, node)| {
                        (key.clone(), T::take(node, problems).unwrap_or_else(|| T::absent(node.whole())))
                    })
                    .collect(),
            )),
            _ => {
                let help = if matches!(node.value, Value::List(_)) {
                    "write `name: …` without `-` in front"
                } else {
                    "write `name: …`, a line for each"
                };
                problems.push(wrong_kind(node, NAMES.trim_start_matches("expected ")).help(help));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        Self::default()
    }
}

/// A span of time such as `2s`, `10m`, `6h` or `365d`, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl Form for Seconds {
    fn describe(_: &Language) -> Shape {
        Shape::Text
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        let read = match &node.value {
            Value::Text(text) => seconds(text),
            _ => None,
        };
        if read.is_none() {
            problems.push(
                wrong_kind(node, "a span of time").help("write a number and a unit: `2s`, `10m`, `6h` or `365d`"),
            );
        }
        read.map(Seconds)
    }

    fn absent(_: Span) -> Self {
        Seconds(0)
    }
}

fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// A word out of a closed list that is a Rust enum: `choice! { Effect, "an effect" { Read = "read" = "Changes nothing.", … } }`.
#[macro_export]
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($variant:ident = $text:literal = $doc:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $doc] $variant,)+
        }

        impl $name {
            /// Every value as specs write it, with its meaning.
            pub const ALL: &'static [(&'static str, &'static str, $name)] = &[$(($text, $doc, $name::$variant),)+];
            const TEXTS: &'static [&'static str] = &[$($text,)+];

            /// As specs write it.
            pub fn text(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            /// The value a text stands for.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().find(|(name, _, _)| *name == text).map(|(_, _, value)| *value)
            }
        }

        impl $crate::read::Form for $name {
            fn describe(_: &$crate::read::Language) -> $crate::read::Shape {
                $crate::read::Shape::OneOf(Self::TEXTS)
            }

            fn take(node: &$crate::yaml::Node, problems: &$crate::read::Problems) -> Option<Self> {
                let text = match &node.value {
                    $crate::yaml::Value::List(_) | $crate::yaml::Value::Map(_) | $crate::yaml::Value::Null => {
                        problems.push($crate::read::wrong_kind(node, $what).suggest("", Self::TEXTS.iter().copied()));
                        return None;
                    }
                    $crate::yaml::Value::Text(text) => text.trim_end().to_owned(),
                    _ => node.to_json().to_string(),
                };
                let found = Self::parse(&text);
                if found.is_none() {
                    problems.push(
                        $crate::diagnostic::Diagnostic::new("unknown-choice", node.span, format!("`{text}` is not {}", $what))
                            .suggest(&text, Self::TEXTS.iter().copied()),
                    );
                }
                found
            }

            fn absent(_: $crate::source::Span) -> Self {
                Self::ALL[0].2
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair {
        left: String,
        right: Option<i64>,
    }

    impl Word for Pair {
        const NAME: &'static str = "pair";

        fn read(map: &Map<'_>) -> Self {
            Pair { left: map.required("left", "The left one."), right: map.optional("right", "The right one.") }
        }
    }

    fn read(text: &str) -> (Option<Pair>, Vec<(&'static str, String)>) {
        let mut syntax = Vec::new();
        let node = crate::yaml::parse(0, text, &mut syntax).ok().flatten().expect("a document");
        let problems = Problems::default();
        let pair = Pair::take(&node, &problems);
        (pair, problems.into_inner().into_iter().map(|it| (it.code, it.message)).collect())
    }

    #[test]
    fn a_misspelt_key_near_a_missing_one_is_one_mistake() {
        assert_eq!(read("{lfet: a}").1, [("unknown-key", "unknown key `lfet`".to_owned())]);
    }

    #[test]
    fn every_mistake_of_a_mapping_is_told_in_one_run() {
        let codes: Vec<_> = read("{right: x, colour: red}").1.into_iter().map(|it| it.0).collect();
        assert_eq!(codes, ["wrong-kind", "unknown-key", "missing-key"]);
    }

    #[test]
    fn a_good_mapping_is_read() {
        let (pair, problems) = read("{left: a, right: 2}");
        let pair = pair.expect("a pair");
        assert_eq!((pair.left.as_str(), pair.right, problems.len()), ("a", Some(2), 0));
    }

    #[test]
    fn spans_of_time_have_a_unit() {
        assert_eq!(
            [seconds("2s"), seconds("10m"), seconds("6h"), seconds("365d")].map(Option::unwrap),
            [2, 600, 21_600, 31_536_000]
        );
        assert_eq!([seconds("10"), seconds("é"), seconds("s"), seconds("-1s"), seconds("")], [None; 5]);
    }
}
