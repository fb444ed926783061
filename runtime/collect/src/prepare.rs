//! An event as it is delivered: the record's own bytes, and spliced into them what a stream's transforms change.
//!
//! Nothing here can fail. What a transform does not fit stays as it was, and the event says so.

use std::borrow::Cow;

use connectome_core::stream::{Stream, Transform};
use jiff::Timestamp;
use memchr::memmem::Finder;
use serde_json::value::RawValue;

use crate::change::{Change, Node, Outcome};
use crate::key::Identity;
use crate::raw::{self, Parts, Span};

/// Where a record goes that is no object.
const RECORD: &str = "collector_record";
/// What is odd about an event, in words.
const MARKS: &str = "collector_marks";

/// What of a stream's transforms is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All of them.
    Declared,
    /// All but those that make a text of a list.
    Lists,
    /// None: the bytes of the record, on one line.
    Raw,
}

/// What is known about an event besides what it says.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Where its window starts, in seconds since 1970: its time, when it has none.
    pub window: i64,
    /// Whether it has no time that can be read.
    pub undated: bool,
    /// Whether it came with a window that it is not of.
    pub displaced: bool,
    /// What its key is made of.
    pub identity: Identity,
}

/// Writes the events of a stream.
#[derive(Debug)]
pub struct Preparation {
    steps: Option<Vec<Step>>,
    added: Option<Added>,
    names: Names,
    time: usize,
    marks: usize,
    draft: Draft,
}

/// A transform; names at the top are places in [`Names`].
#[derive(Debug)]
enum Step {
    Change(Vec<(usize, Node)>),
    Set(usize, String),
    Copy(usize, usize, &'static [&'static str]),
    FillNull(Vec<usize>),
}

impl Preparation {
    /// For this stream.
    pub fn new(stream: &Stream, mode: Mode) -> Self {
        let mut names = Names::default();
        let (time, marks) = (names.place(stream.event.time), names.place(MARKS));
        let steps = (mode != Mode::Raw).then(|| steps(stream.transforms, mode, &mut names));
        let added = steps.as_deref().and_then(|steps| Added::of(steps, &names));
        Self { steps, added, names, time, marks, draft: Draft::default() }
    }

    /// Appends an event as one line, without the line's end. `true` when a transform did not fit.
    pub fn write(&mut self, record: &RawValue, facts: &Facts, out: &mut Vec<u8>) -> bool {
        let mut text = one_line(record.get());
        let Some(steps) = &self.steps else {
            out.extend_from_slice(text.as_bytes());
            return false;
        };
        let usual = !facts.undated && !facts.displaced && facts.identity != Identity::Unkeyed;
        if usual && self.added.as_ref().is_some_and(|added| added.write(&text, out)) {
            return false;
        }
        let no_object = !text.starts_with('{');
        if no_object {
            text = Cow::Owned(format!("{{\"{RECORD}\":{text}}}"));
        }
        let draft = &mut self.draft;
        let mut untransformed = false;
        let (changes, steps) = match steps.split_first() {
            Some((Step::Change(changes), rest)) => (&changes[..], rest),
            _ => (&[][..], &steps[..]),
        };
        draft.read(&text, &self.names, changes, &mut untransformed);
        for step in steps {
            match step {
                Step::Change(nodes) => {
                    for (name, node) in nodes {
                        draft.change(&text, *name, node, &mut untransformed);
                    }
                }
                Step::Set(name, value) => draft.set(*name, value),
                Step::Copy(name, from, path) => draft.copy(&text, *name, *from, path),
                Step::FillNull(names) => names.iter().for_each(|name| draft.fill(*name)),
            }
        }
        if facts.undated {
            let time = Timestamp::from_second(facts.window).unwrap_or_default();
            draft.set(self.time, &format!("\"{time}\""));
        }
        let marks = [
            ("\"undated\"", facts.undated),
            ("\"displaced\"", facts.displaced),
            ("\"unkeyed\"", facts.identity == Identity::Unkeyed),
            ("\"untransformed\"", untransformed),
            ("\"no_object\"", no_object),
        ];
        if marks.iter().any(|(_, holds)| *holds) {
            let words: Vec<&str> = marks.iter().filter(|(_, holds)| *holds).map(|(word, _)| *word).collect();
            draft.set(self.marks, &format!("[{}]", words.join(",")));
        }
        draft.write(&text, &self.names, out);
        untransformed
    }
}

/// What is added to the records of a stream, where that is all that is done with them. Such a record need not be taken
/// apart, unless it seems to hold one of these names already.
#[derive(Debug, Default)]
struct Added {
    names: Vec<Finder<'static>>,
    /// Each as it begins a member behind another, and its value.
    members: Vec<(String, Addition)>,
}

#[derive(Debug)]
enum Addition {
    Text(String),
    /// The record's own, at this path.
    Copy(Vec<&'static str>),
}

impl Added {
    fn of(steps: &[Step], names: &Names) -> Option<Self> {
        let mut added = Added::default();
        for step in steps {
            let (place, from, addition) = match step {
                Step::Set(place, value) => (*place, *place, Addition::Text(value.clone())),
                Step::Copy(place, from, rest) => {
                    let path = std::iter::once(names.all[*from].0).chain(rest.iter().copied()).collect();
                    (*place, *from, Addition::Copy(path))
                }
                Step::Change(_) | Step::FillNull(_) => return None,
            };
            let [(name, member), (from, _)] = [place, from].map(|place| &names.all[place]);
            if added.names.iter().any(|it| [name.as_bytes(), from.as_bytes()].contains(&it.needle())) {
                return None;
            }
            added.names.push(Finder::new(*name));
            added.members.push((member.clone(), addition));
        }
        Some(added)
    }

    fn write(&self, text: &str, out: &mut Vec<u8>) -> bool {
        let bytes = text.as_bytes();
        let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else { return false };
        // With escapes a name may be written in other ways.
        if memchr::memchr(b'\\', bytes).is_some() || self.names.iter().any(|name| name.find(bytes).is_some()) {
            return false;
        }
        let mut empty = inner.trim_ascii_start().is_empty();
        out.extend_from_slice(&bytes[..bytes.len() - 1]);
        for (name, addition) in &self.members {
            let value = match addition {
                Addition::Text(value) => Some(value.as_str()),
                Addition::Copy(path) => raw::at(text, path),
            };
            if let Some(value) = value {
                out.extend_from_slice(&name.as_bytes()[usize::from(std::mem::take(&mut empty))..]);
                out.extend_from_slice(value.as_bytes());
            }
        }
        out.push(b'}');
        true
    }
}

fn steps(transforms: &[Transform], mode: Mode, names: &mut Names) -> Vec<Step> {
    let mut steps = Vec::new();
    for transform in transforms {
        match *transform {
            Transform::Join(path) if mode == Mode::Declared => change(&mut steps, names, path, Change::Join),
            Transform::Join(_) => {}
            Transform::EpochToText(path) => change(&mut steps, names, path, Change::EpochToText),
            Transform::Drop(path) => change(&mut steps, names, path, Change::Drop),
            Transform::Add(name, literal) => steps.push(Step::Set(names.place(name), literal.value().to_string())),
            Transform::Copy(name, path) => {
                if let Some((first, rest)) = path.split_first() {
                    steps.push(Step::Copy(names.place(name), names.place(first), rest));
                }
            }
            Transform::FillNull(fields) => {
                steps.push(Step::FillNull(fields.iter().map(|name| names.place(name)).collect()));
            }
        }
    }
    steps
}

/// Adds a change to the step before, so that a value is taken apart once for all changes in it, unless it is about what
/// that step changes already.
fn change(steps: &mut Vec<Step>, names: &mut Names, path: &'static [&'static str], change: Change) {
    let Some((first, rest)) = path.split_first() else { return };
    let name = names.place(first);
    if let Some(Step::Change(nodes)) = steps.last_mut() {
        match nodes.iter_mut().find(|(other, _)| *other == name) {
            Some((_, node)) => {
                if node.add(rest, change) {
                    return;
                }
            }
            None => return nodes.push((name, Node::of(rest, change))),
        }
    }
    steps.push(Step::Change(vec![(name, Node::of(rest, change))]));
}

/// The text without line ends. In JSON they stand between tokens only, where nothing needs them.
fn one_line(text: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split(['\n', '\r']).collect())
}

/// The names at the top of an event that matter to its stream.
#[derive(Debug, Default)]
struct Names {
    /// The names, and as they begin a member behind another.
    all: Vec<(&'static str, String)>,
    /// Places of names, by what tells most of them apart at a glance, each behind those that came before it.
    hashed: Vec<Option<u16>>,
}

impl Names {
    const HASHES: usize = 1024;

    #[inline]
    fn hash(name: &[u8]) -> usize {
        let [first, middle, last] = [0, name.len() / 2, name.len().wrapping_sub(1)].map(|at| name.get(at).copied());
        let of = |byte: Option<u8>| usize::from(byte.unwrap_or_default());
        name.len() * 5 + of(first) * 3 + of(middle) * 7 + of(last) * 11
    }

    #[inline]
    fn find(&self, name: &[u8]) -> Option<usize> {
        let mut hash = Self::hash(name);
        loop {
            let place = usize::from((*self.hashed.get(hash % Self::HASHES)?)?);
            if self.all[place].0.as_bytes() == name {
                return Some(place);
            }
            hash += 1;
        }
    }

    fn place(&mut self, name: &'static str) -> usize {
        self.find(name.as_bytes()).unwrap_or_else(|| {
            self.hashed.resize(Self::HASHES, None);
            let place = self.all.len();
            assert!(place < Self::HASHES, "a stream has fewer names than that");
            let mut hash = Self::hash(name.as_bytes());
            while self.hashed[hash % Self::HASHES].is_some() {
                hash += 1;
            }
            self.hashed[hash % Self::HASHES] = u16::try_from(place).ok();
            self.all.push((name, format!(",{}:", serde_json::Value::from(name))));
            place
        })
    }
}

/// An event on its way: the members of the record that matter to its stream, and those that are added.
#[derive(Debug, Default)]
struct Draft {
    fields: Vec<Field>,
    /// By name, the first field that is not gone.
    held: Vec<Option<usize>>,
    /// Values that were made.
    made: String,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    name: usize,
    /// Where it stands in the record: where its name starts, its value stands, and the next member starts.
    place: Option<(usize, Span, usize)>,
    value: Value,
}

#[derive(Debug, Clone, Copy)]
enum Value {
    /// The record's own.
    Raw(Span),
    /// One that was made.
    Made(Span),
    /// Null.
    Null,
    /// There is no longer any.
    Gone,
}

impl Value {
    fn of<'a>(self, text: &'a str, made: &'a str) -> Option<&'a str> {
        match self {
            Value::Raw(span) => Some(span.of(text)),
            Value::Made(span) => Some(span.of(made)),
            Value::Null => Some("null"),
            Value::Gone => None,
        }
    }
}

impl Draft {
    /// Takes a record apart, and makes the first changes while doing so.
    fn read(&mut self, text: &str, names: &Names, changes: &[(usize, Node)], untransformed: &mut bool) {
        self.fields.clear();
        self.made.clear();
        self.held.clear();
        self.held.resize(names.all.len(), None);
        let mut parts = Parts::of(text, 0);
        while let Some(member) = parts.name() {
            let found = if member.escaped {
                names.find(member.said(text).as_bytes())
            } else {
                names.find(member.span.of(text).as_bytes())
            };
            let Some(name) = found else {
                parts.skip(member.value);
                continue;
            };
            let (value, end) = match changes.iter().find(|(changed, _)| *changed == name) {
                Some((_, node)) => self.changed(text, member.value, node, untransformed),
                None => (None, parts.skip(member.value)),
            };
            parts.pass(end);
            let span = Span { start: member.value, end };
            let value = value.unwrap_or(Value::Raw(span));
            if !matches!(value, Value::Gone) {
                self.held[name].get_or_insert(self.fields.len());
            }
            self.fields.push(Field { name, place: Some((member.start(), span, parts.rest())), value });
        }
    }

    /// What becomes of the value that starts here, unless it stays; and where it ends.
    fn changed(&mut self, text: &str, start: usize, node: &Node, untransformed: &mut bool) -> (Option<Value>, usize) {
        let made = self.made.len();
        let (outcome, end) = node.change(text, start, &mut self.made, untransformed);
        let value = match outcome {
            Outcome::Same => None,
            Outcome::Made => Some(Value::Made(Span { start: made, end: self.made.len() })),
            Outcome::Gone => Some(Value::Gone),
        };
        (value, end)
    }

    /// Makes later changes.
    fn change(&mut self, text: &str, name: usize, node: &Node, untransformed: &mut bool) {
        let Some(first) = self.held[name] else { return };
        for place in first..self.fields.len() {
            if self.fields[place].name != name {
                continue;
            }
            let Some(value) = self.fields[place].value.of(text, &self.made).map(str::to_owned) else { continue };
            if let (Some(value), _) = self.changed(&value, 0, node, untransformed) {
                self.fields[place].value = value;
            }
        }
        let stays = |field: &Field| field.name == name && !matches!(field.value, Value::Gone);
        self.held[name] = self.fields.iter().position(stays);
    }

    fn make(&mut self, value: &str) -> Value {
        let start = self.made.len();
        self.made.push_str(value);
        Value::Made(Span { start, end: self.made.len() })
    }

    fn set(&mut self, name: usize, value: &str) {
        let value = self.make(value);
        self.put(name, value);
    }

    /// Gives the first field of this name the value, and leaves out the others.
    fn put(&mut self, name: usize, value: Value) {
        let Some(first) = self.held[name] else {
            self.held[name] = Some(self.fields.len());
            return self.fields.push(Field { name, place: None, value });
        };
        self.fields[first].value = value;
        for field in self.fields[first + 1..].iter_mut().filter(|field| field.name == name) {
            field.value = Value::Gone;
        }
    }

    fn copy(&mut self, text: &str, name: usize, from: usize, path: &[&str]) {
        let Some(first) = self.held[from] else { return };
        if path.is_empty() {
            return self.put(name, self.fields[first].value);
        }
        let fields = self.fields[first..].iter().filter(|field| field.name == from);
        let found = fields.filter_map(|field| field.value.of(text, &self.made)).find_map(|value| raw::at(value, path));
        if let Some(found) = found.map(str::to_owned) {
            self.set(name, &found);
        }
    }

    fn fill(&mut self, name: usize) {
        if self.held[name].is_none() {
            self.put(name, Value::Null);
        }
    }

    fn write(&self, text: &str, names: &Names, out: &mut Vec<u8>) {
        let line = out.len();
        let end = text.len() - 1;
        let (mut copied, mut comma) = (0, false);
        let copy = |out: &mut Vec<u8>, span: Span| out.extend_from_slice(span.of(text).as_bytes());
        for field in &self.fields {
            let Some((start, value, next)) = field.place else { continue };
            match field.value.of(text, &self.made) {
                _ if matches!(field.value, Value::Raw(span) if span == value) => {}
                Some(made) => {
                    copy(out, Span { start: copied, end: value.start });
                    out.extend_from_slice(made.as_bytes());
                    copied = value.end;
                }
                None => {
                    copy(out, Span { start: copied, end: start });
                    copied = next;
                    comma = next == end;
                }
            }
        }
        copy(out, Span { start: copied, end });
        if comma {
            let kept = out[line..].trim_ascii_end();
            let kept = kept.strip_suffix(b",").unwrap_or(kept).len();
            out.truncate(line + kept);
        }
        let mut empty = out[line..].trim_ascii_end() == b"{";
        for field in self.fields.iter().filter(|field| field.place.is_none()) {
            let Some(value) = field.value.of(text, &self.made) else { continue };
            let name = names.all[field.name].1.as_bytes();
            out.extend_from_slice(if std::mem::take(&mut empty) { &name[1..] } else { name });
            out.extend_from_slice(value.as_bytes());
        }
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests;
