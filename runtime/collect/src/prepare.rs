//! An event as it is delivered: the record's own bytes, and spliced into them what a stream's transforms change.
//!
//! Nothing here can fail. What a transform does not fit stays as it was, and the event says so.

use std::borrow::Cow;

use connectome_core::stream::{Stream, Transform};
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::change::{Change, Node, Outcome};
use crate::key::Identity;
use crate::raw::{self, Members, Span};

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
        Self { steps, names, time, marks, draft: Draft::default() }
    }

    /// Appends an event as one line, without the line's end. `true` when a transform did not fit.
    pub fn write(&mut self, record: &RawValue, facts: &Facts, out: &mut Vec<u8>) -> bool {
        let mut text = one_line(record.get());
        let Some(steps) = &self.steps else {
            out.extend_from_slice(text.as_bytes());
            return false;
        };
        let no_object = !text.starts_with('{');
        if no_object {
            text = Cow::Owned(format!("{{\"{RECORD}\":{text}}}"));
        }
        let draft = &mut self.draft;
        draft.read(&text, &self.names);
        let mut untransformed = false;
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
    /// The names, and as they begin a member.
    all: Vec<(&'static str, String)>,
    /// Places of names, by what tells most of them apart at a glance.
    hashed: Vec<Vec<usize>>,
}

impl Names {
    const HASHES: usize = 256;

    fn hash(name: &[u8]) -> usize {
        let at = |place: usize| name.get(place).map_or(0, |byte| usize::from(*byte));
        (name.len() * 5 + at(0) * 3 + at(name.len() / 2) * 7 + at(name.len().saturating_sub(1)) * 11) % Self::HASHES
    }

    fn find(&self, name: &str) -> Option<usize> {
        let places = self.hashed.get(Self::hash(name.as_bytes()))?;
        places.iter().copied().find(|place| self.all[*place].0 == name)
    }

    fn place(&mut self, name: &'static str) -> usize {
        self.find(name).unwrap_or_else(|| {
            self.hashed.resize(Self::HASHES, Vec::new());
            self.hashed[Self::hash(name.as_bytes())].push(self.all.len());
            self.all.push((name, format!("{}:", serde_json::Value::from(name))));
            self.all.len() - 1
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
    spare: String,
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
    fn read(&mut self, text: &str, names: &Names) {
        self.fields.clear();
        self.made.clear();
        self.held.clear();
        self.held.resize(names.all.len(), None);
        let mut members = Members::of(text);
        while let Some(member) = members.next() {
            let name = if member.escaped { names.find(&member.name(text)) } else { names.find(member.name.of(text)) };
            if let Some(name) = name {
                self.held[name].get_or_insert(self.fields.len());
                let place = Some((member.start(), member.value, members.rest()));
                self.fields.push(Field { name, place, value: Value::Raw(member.value) });
            }
        }
    }

    fn change(&mut self, text: &str, name: usize, node: &Node, untransformed: &mut bool) {
        let Some(first) = self.held[name] else { return };
        for place in first..self.fields.len() {
            if self.fields[place].name != name {
                continue;
            }
            let Some(value) = self.fields[place].value.of(text, &self.made) else { continue };
            self.spare.clear();
            match node.change(value, &mut self.spare, untransformed) {
                Outcome::Same => {}
                Outcome::Made => {
                    let spare = std::mem::take(&mut self.spare);
                    self.fields[place].value = self.make(&spare);
                    self.spare = spare;
                }
                Outcome::Gone => {
                    self.fields[place].value = Value::Gone;
                    self.held[name] = None;
                }
            }
        }
        if self.held[name].is_none() {
            let stays = |field: &Field| field.name == name && !matches!(field.value, Value::Gone);
            self.held[name] = self.fields.iter().position(stays);
        }
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
            if !std::mem::take(&mut empty) {
                out.push(b',');
            }
            out.extend_from_slice(names.all[field.name].1.as_bytes());
            out.extend_from_slice(value.as_bytes());
        }
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests;
