//! Changes to what lies within a value, found by paths; all that is not on a path stays as it is written.

use std::fmt::Write;

use connectome_core::stream::TimeForm;
use jiff::Timestamp;

use crate::moment::time;
use crate::raw::{Parts, Span, text_end, value_end, word_end};

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

    /// Appends what becomes of the value that starts here in a text; gives where it ends. It is looked through once.
    /// `failed` is set when a change does not fit.
    pub fn change(&self, text: &str, start: usize, out: &mut String, failed: &mut bool) -> (Outcome, usize) {
        let bytes = text.as_bytes();
        let change = match (self.change, bytes.get(start)) {
            (None, Some(b'[' | b'{')) => return self.change_within(text, start, out, failed),
            (None, _) => return (Outcome::Same, value_end(bytes, start)),
            (Some(Change::Drop), _) => return (Outcome::Gone, value_end(bytes, start)),
            (Some(Change::Join), first) if first != Some(&b'[') => return (Outcome::Same, value_end(bytes, start)),
            (Some(change), _) => change,
        };
        let written = out.len();
        let done = if change == Change::Join { join(text, start, out) } else { epoch_to_text(text, start, out) };
        if let Some(end) = done {
            return (Outcome::Made, end);
        }
        out.truncate(written);
        *failed = true;
        (Outcome::Same, value_end(bytes, start))
    }

    fn change_within(&self, text: &str, start: usize, out: &mut String, failed: &mut bool) -> (Outcome, usize) {
        let mut parts = Parts::of(text, start);
        let mut splice = Splice { text, copied: start, written: out.len(), changed: false, out };
        if text.as_bytes().get(start) == Some(&b'[') {
            let each = self.within.iter().find(|(name, _)| *name == "[]");
            while let Some(element) = parts.element() {
                match each {
                    Some((_, node)) => splice.part(node, element, element, &mut parts, failed),
                    None => _ = parts.skip(element),
                }
            }
        } else {
            while let Some(name) = parts.name() {
                match self.within.iter().find(|(other, _)| name.is(text, other)) {
                    Some((_, node)) => splice.part(node, name.start(), name.value, &mut parts, failed),
                    None => _ = parts.skip(name.value),
                }
            }
        }
        splice.end(parts.rest())
    }
}

/// A list or an object of which some parts change.
struct Splice<'a, 'o> {
    text: &'a str,
    /// What stands before this in the text is written, or left out.
    copied: usize,
    /// Where it is written.
    written: usize,
    changed: bool,
    out: &'o mut String,
}

impl Splice<'_, '_> {
    /// A part that starts here, with its name if it has one, and whose value starts there.
    fn part(&mut self, node: &Node, start: usize, value: usize, parts: &mut Parts<'_>, failed: &mut bool) {
        self.copy(start);
        let written = self.out.len();
        self.copy(value);
        let (outcome, end) = node.change(self.text, value, self.out, failed);
        parts.pass(end);
        match outcome {
            Outcome::Same => return,
            Outcome::Made => self.copied = end,
            Outcome::Gone => {
                self.out.truncate(written);
                self.copied = parts.rest();
            }
        }
        self.changed = true;
    }

    fn copy(&mut self, end: usize) {
        self.out.push_str(Span { start: self.copied, end }.of(self.text));
        self.copied = end;
    }

    /// The closing bracket stands here.
    fn end(mut self, closing: usize) -> (Outcome, usize) {
        if !self.changed {
            self.out.truncate(self.written);
            return (Outcome::Same, closing + 1);
        }
        if self.copied == closing {
            // Where the last part was left out, the comma before it is left over.
            let kept = self.out.trim_end().trim_end_matches(',').len();
            self.out.truncate(kept);
        }
        self.copy(closing + 1);
        (Outcome::Made, closing + 1)
    }
}

/// The scalars in a list, and in the lists in it, with commas between them. Texts are taken as they are written.
fn join(text: &str, start: usize, out: &mut String) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut first) = (start, 0_usize, true);
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
            other => {
                at += 1;
                depth += usize::from(*other == b'[');
                if *other == b']' {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                continue;
            }
        };
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        out.push_str(said.of(text));
        at = end;
    }
    out.push('"');
    Some(at)
}

fn epoch_to_text(text: &str, start: usize, out: &mut String) -> Option<usize> {
    let end = value_end(text.as_bytes(), start);
    let second = time(Span { start, end }.of(text), TimeForm::EpochMs)?.second;
    write!(out, "\"{}\"", Timestamp::from_second(second).ok()?).ok()?;
    Some(end)
}
