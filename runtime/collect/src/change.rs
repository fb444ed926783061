//! Changes to what lies within a value, found by paths; all that is not on a path stays as it is written.

use std::fmt::Write;

use connectome_core::stream::TimeForm;
use jiff::Timestamp;

use crate::raw::{Elements, Members, Span, text_end, word_end};
use crate::view::time;

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A list becomes one text.
    Join,
    /// A number of milliseconds becomes text.
    EpochToText,
    /// It is left out.
    Drop,
}

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing, and nothing was written.
    Same,
    /// Another one was written.
    Made,
    /// It is left out.
    Gone,
}

/// What is done with a value, or with values in it.
#[derive(Debug, Default)]
pub struct Node {
    change: Option<Change>,
    /// By name; under `[]` for each element of a list.
    within: Vec<(&'static str, Node)>,
}

impl Node {
    /// This change at this path.
    pub fn of(path: &[&'static str], change: Change) -> Self {
        match path.split_first() {
            None => Node { change: Some(change), within: Vec::new() },
            Some((name, rest)) => Node { change: None, within: vec![(name, Node::of(rest, change))] },
        }
    }

    /// Adds a change; `false` when it is about what is changed already, and must come after that.
    pub fn add(&mut self, path: &[&'static str], change: Change) -> bool {
        let Some((name, rest)) = path.split_first().filter(|_| self.change.is_none()) else { return false };
        match self.within.iter_mut().find(|(other, _)| other == name) {
            Some((_, node)) => node.add(rest, change),
            None => {
                self.within.push((name, Node::of(rest, change)));
                true
            }
        }
    }

    /// Appends what becomes of a value. `failed` is set when a change does not fit.
    pub fn change(&self, value: &str, out: &mut String, failed: &mut bool) -> Outcome {
        match self.change {
            None => self.change_within(value, out, failed),
            Some(Change::Drop) => Outcome::Gone,
            Some(Change::Join) if !value.starts_with('[') => Outcome::Same,
            Some(change) => {
                let start = out.len();
                let done = if change == Change::Join { join(value, out) } else { epoch_to_text(value, out) };
                if done.is_some() {
                    return Outcome::Made;
                }
                out.truncate(start);
                *failed = true;
                Outcome::Same
            }
        }
    }

    fn change_within(&self, value: &str, out: &mut String, failed: &mut bool) -> Outcome {
        let mut splice = Splice { text: value, copied: 0, started: out.len(), changed: false, out };
        if value.starts_with('[') {
            let Some((_, node)) = self.within.iter().find(|(name, _)| *name == "[]") else { return Outcome::Same };
            let mut elements = Elements::of(value);
            while let Some(element) = elements.next() {
                splice.part(node, element.start, element, elements.rest(), failed);
            }
        } else {
            let mut members = Members::of(value);
            while let Some(member) = members.next() {
                if let Some((_, node)) = self.within.iter().find(|(name, _)| member.is(value, name)) {
                    splice.part(node, member.start(), member.value, members.rest(), failed);
                }
            }
        }
        splice.end()
    }
}

/// A list or an object of which some parts change.
struct Splice<'a, 'o> {
    text: &'a str,
    /// What stands before this in the text is written, or left out.
    copied: usize,
    /// Where it is written.
    started: usize,
    changed: bool,
    out: &'o mut String,
}

impl Splice<'_, '_> {
    /// A part that starts here, with its name if it has one, and behind which the next one starts.
    fn part(&mut self, node: &Node, start: usize, value: Span, next: usize, failed: &mut bool) {
        self.copy(start);
        let written = self.out.len();
        self.copy(value.start);
        match node.change(value.of(self.text), self.out, failed) {
            Outcome::Same => return,
            Outcome::Made => self.copied = value.end,
            Outcome::Gone => {
                self.out.truncate(written);
                self.copied = next;
            }
        }
        self.changed = true;
    }

    fn copy(&mut self, end: usize) {
        self.out.push_str(Span { start: self.copied, end }.of(self.text));
        self.copied = end;
    }

    fn end(mut self) -> Outcome {
        if !self.changed {
            self.out.truncate(self.started);
            return Outcome::Same;
        }
        let end = self.text.len();
        if self.copied + 1 == end {
            // Where the last part was left out, the comma before it is left over.
            let kept = self.out.trim_end().trim_end_matches(',').len();
            self.out.truncate(kept);
        }
        self.copy(end);
        Outcome::Made
    }
}

/// The scalars in a list, and in the lists in it, with commas between them. Texts are taken as they are written.
fn join(list: &str, out: &mut String) -> Option<()> {
    let bytes = list.as_bytes();
    let (mut at, mut first) = (0, true);
    out.push('"');
    while let Some(byte) = bytes.get(at) {
        let (end, said) = match byte {
            b'{' => return None,
            b'"' => {
                let (end, _) = text_end(bytes, at + 1);
                (end, Span { start: at + 1, end: end - 1 })
            }
            b'0'..=b'9' | b'-' | b't' | b'f' => {
                let end = word_end(bytes, at);
                (end, Span { start: at, end })
            }
            _ => {
                at += 1;
                continue;
            }
        };
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        out.push_str(said.of(list));
        at = end;
    }
    out.push('"');
    Some(())
}

fn epoch_to_text(value: &str, out: &mut String) -> Option<()> {
    let second = time(value, TimeForm::EpochMs)?.second;
    write!(out, "\"{}\"", Timestamp::from_second(second).ok()?).ok()
}
