//! Reading mappings key by key: one list of keys that reads a spec, finds its mistakes, and describes the language.
//!
//! A [`Word`] asks its [`Map`] for each key it knows. When a spec is read, the map notes what is missing, mistyped or
//! unknown and reading goes on with a stand-in, so that one run finds every mistake. When the language is described,
//! the same calls note key, form and meaning, and the JSON Schema for editors falls out.

mod choice;
mod forms;
mod language;

use std::cell::{Cell, RefCell};

use crate::diagnostic::{Diagnostic, nearest};
use crate::source::{Span, Spanned};
use crate::yaml::{Node, Value};

pub use forms::{Literal, Names, OneOrMore, Seconds, wrong_kind};
pub use language::{Key, Language, Shape};

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
}
