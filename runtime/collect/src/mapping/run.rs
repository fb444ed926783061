//! The stages at work on one record.

use connectome_core::mapping::{Change, Keys, Kind, Precision};
use connectome_core::stream::TimeForm;
use jiff::Timestamp;

use super::convert::{Converted, convert};
use super::program::{Field, Origin, Program, Stage, Test, Verb, Way};
use super::tree::{Id, ROOT, Tree, Value};
use super::url::Url;
use crate::moment::{self, Moment};
use crate::raw::{self, Span};

/// As much of a value as a message holds.
const SAID: usize = 200;

/// Maps a record into an empty document; gives how many failures there were.
pub fn run(program: &Program, tree: &mut Tree, record: &str, now: &Now) -> usize {
    let record = tree.write(record);
    let mut run = Run { program, tree, record, now, failures: 0 };
    // What ended early has said why.
    let _ = run.stages(&program.stages);
    run.failures
}

/// The present time as JSON.
#[derive(Debug)]
pub struct Now {
    /// The time.
    pub time: Timestamp,
    seconds: String,
    milliseconds: String,
}

impl From<Timestamp> for Now {
    fn from(time: Timestamp) -> Self {
        Self { time, seconds: format!("\"{time:.0}\""), milliseconds: format!("\"{time:.3}\"") }
    }
}

struct Run<'a> {
    program: &'a Program,
    tree: &'a mut Tree,
    record: Span,
    now: &'a Now,
    failures: usize,
}

/// A stage failed as a whole, and those behind it are left out.
struct Ended;

impl Run<'_> {
    fn stages(&mut self, stages: &[Stage]) -> Result<(), Ended> {
        for stage in stages {
            if stage.when.iter().all(|(way, test)| self.holds(way, test)) {
                self.stage(stage)?;
            }
        }
        Ok(())
    }

    fn stage(&mut self, stage: &Stage) -> Result<(), Ended> {
        let within = self.tree.find(ROOT, &stage.within);
        match &stage.verb {
            Verb::Original(target) => self.give(target, Value::Quoted(self.record)),
            Verb::Set(constants) => constants.iter().try_for_each(|(target, json)| self.constant(target, *json)),
            Verb::CopyAll(into, keys) => self.copy_all(into, *keys),
            Verb::Require(fields) => fields.iter().try_for_each(|field| {
                match self.field(within, &field.way).filter(|it| self.tree.scalar(*it) != Some("null")) {
                    Some(_) => Ok(()),
                    None => self.fails(&format!("{}: it is not there", field.told)),
                }
            }),
            Verb::Convert(kinds) => {
                for (kind, fields) in kinds {
                    for field in fields {
                        self.convert(within, *kind, field);
                    }
                }
                Ok(())
            }
            Verb::Copy(copies) => copies.iter().try_for_each(|(target, from, change)| {
                let Some(found) = self.found(within, from) else { return Ok(()) };
                self.copy(found, target, *change)
            }),
            Verb::Append(lists) => lists.iter().try_for_each(|(target, sources)| {
                sources.iter().try_for_each(|from| self.append(within, from, target))
            }),
            Verb::Duration(spans) => spans.iter().try_for_each(|(target, start, end)| {
                let moment = |way: &Way| {
                    let id = self.field(within, way)?;
                    moment::time(self.tree.scalar(id)?, TimeForm::Rfc3339)
                };
                let (Some(start), Some(end)) = (moment(start), moment(end)) else { return Ok(()) };
                let span = self.tree.write(&(nanoseconds(end) - nanoseconds(start)).to_string());
                self.give(target, Value::Scalar(span))
            }),
            Verb::UrlParts(field) => {
                self.url_parts(field);
                Ok(())
            }
            Verb::ExpandDots(field) => self.expand_dots(field),
            Verb::Now(targets) => targets.iter().try_for_each(|(target, precision)| {
                let span = self.tree.write(match precision {
                    Precision::Seconds => &self.now.seconds,
                    Precision::Milliseconds => &self.now.milliseconds,
                });
                self.give(target, Value::Scalar(span))
            }),
            Verb::Remove(fields) => {
                for way in fields {
                    if let Some(id) = self.field(within, way) {
                        self.tree.set(id, Value::Gone);
                    }
                }
                Ok(())
            }
            Verb::RemoveEmpty => {
                let _ = self.tree.remove_empty(ROOT);
                Ok(())
            }
            Verb::Stages(stages) => {
                // What fails in there ends what is in there.
                let _ = self.stages(stages);
                Ok(())
            }
        }
    }

    fn field(&self, within: Option<Id>, way: &Way) -> Option<Id> {
        self.tree.find(within?, way)
    }

    fn holds(&self, way: &Way, test: &Test) -> bool {
        let found = self.tree.find(ROOT, way).filter(|it| self.tree.scalar(*it) != Some("null"));
        let is = |id: Id, json: &Span| self.tree.scalar(id) == Some(self.tree.piece(*json));
        let any = |words: &[Span]| {
            found.is_some_and(|id| match self.tree.value(id) {
                Value::List(..) => self.tree.children(id).any(|it| words.iter().any(|word| is(it, word))),
                _ => words.iter().any(|word| is(id, word)),
            })
        };
        match test {
            Test::Contains(words) => any(words),
            Test::Lacks(words) => !any(words),
            Test::Equals(word) => found.is_some_and(|id| is(id, word)),
            Test::Exists(exists) => found.is_some() == *exists,
        }
    }

    /// Notes a failure.
    fn note(&mut self, message: &str) {
        self.failures += 1;
        let Some(target) = &self.program.failures else { return };
        let Some(list) = self.list(target) else { return };
        let said = self.tree.quote(message);
        self.tree.push(list, Value::Scalar(said));
    }

    /// Notes that a stage fails as a whole.
    fn fails(&mut self, message: &str) -> Result<(), Ended> {
        self.note(message);
        if self.program.strict { Err(Ended) } else { Ok(()) }
    }

    /// A path as people write it.
    fn told(&self, way: &Way) -> String {
        way.iter().map(|name| self.tree.text_of(*name)).collect::<Vec<_>>().join(".")
    }

    /// The place at a path, unless something is in its way.
    fn target(&mut self, way: &Way) -> Result<Option<Id>, Ended> {
        let made = self.tree.make(way);
        if made.is_none() {
            self.in_its_way(way)?;
        }
        Ok(made)
    }

    fn in_its_way(&mut self, way: &Way) -> Result<(), Ended> {
        let told = self.told(way);
        self.fails(&format!("{told}: something else is in its way"))
    }

    /// Gives a field its value.
    fn give(&mut self, target: &Way, value: Value) -> Result<(), Ended> {
        if let Some(id) = self.target(target)? {
            self.tree.set(id, value);
        }
        Ok(())
    }

    fn constant(&mut self, target: &Way, json: Span) -> Result<(), Ended> {
        if let Some(id) = self.target(target)? {
            self.tree.read(json, id, Keys::Same);
        }
        Ok(())
    }

    fn copy_all(&mut self, into: &Way, keys: Keys) -> Result<(), Ended> {
        if !self.tree.piece(self.record).starts_with('{') {
            return self.fails("the record is no object");
        }
        if let Some(id) = self.target(into)? {
            self.tree.read(self.record, id, keys);
        }
        Ok(())
    }

    /// What a message says of a value.
    fn said(&self, id: Id) -> String {
        let mut json = Vec::new();
        self.tree.print(id, &mut json);
        let json = String::from_utf8_lossy(&json);
        let said = raw::text(&json).unwrap_or(json.clone());
        match said.char_indices().nth(SAID) {
            Some((end, _)) => format!("{}…", &said[..end]),
            None => said.into_owned(),
        }
    }

    fn convert(&mut self, within: Option<Id>, kind: Kind, field: &Field) {
        let Some(id) = self.field(within, &field.way) else { return };
        let done = match self.tree.value(id) {
            Value::Scalar(_) => self.convert_all(kind, &[id]),
            Value::List(..) if kind != Kind::Date => {
                let elements: Vec<Id> = self.tree.children(id).collect();
                self.convert_all(kind, &elements)
            }
            _ => false,
        };
        if done {
            return;
        }
        let (told, said, noun) = (&field.told, self.said(id), kind.noun());
        let message = match self.tree.value(id) {
            Value::List(..) => format!("{told}: {said} is no list of such values: {noun}"),
            _ => format!("{told}: {said} is not {noun}"),
        };
        if self.program.remove {
            self.tree.set(id, Value::Gone);
        }
        self.note(&message);
    }

    /// Whether all of these are now of the kind; otherwise all are as they were.
    fn convert_all(&mut self, kind: Kind, places: &[Id]) -> bool {
        let mut changes = Vec::new();
        for &id in places {
            let Some(value) = self.tree.scalar(id) else { return false };
            match convert(kind, self.program.strict, value) {
                Converted::Same => {}
                Converted::To(json) => changes.push((id, json)),
                Converted::Failed => return false,
            }
        }
        for (id, json) in changes {
            let span = self.tree.write(&json);
            self.tree.set(id, Value::Scalar(span));
        }
        true
    }

    /// The place that a source gives, if it holds something.
    fn found(&mut self, within: Option<Id>, from: &Origin) -> Option<Id> {
        match from {
            Origin::First(ways) => {
                ways.iter().filter_map(|way| self.field(within, way)).find(|it| !self.tree.is_empty(*it))
            }
            Origin::Each(way) => self.field(within, way).filter(|it| matches!(self.tree.value(*it), Value::List(..))),
            Origin::Constant(json) => {
                // It hangs under nothing, and is gone with the document.
                let id = self.tree.loose();
                self.tree.read((*json)?, id, Keys::Same);
                Some(id).filter(|it| !self.tree.is_empty(*it))
            }
        }
    }

    fn copy(&mut self, from: Id, target: &Way, change: Option<Change>) -> Result<(), Ended> {
        match change {
            None => {
                if let Some(to) = self.target(target)? {
                    self.tree.copy(from, to);
                }
                Ok(())
            }
            Some(Change::Lowercase) => match self.tree.scalar(from).and_then(raw::text).map(|text| text.to_lowercase())
            {
                Some(text) => {
                    let span = self.tree.quote(&text);
                    self.give(target, Value::Scalar(span))
                }
                None => {
                    let (told, said) = (self.told(target), self.said(from));
                    self.fails(&format!("{told}: {said} is no text"))
                }
            },
        }
    }

    /// The list at a path; a scalar that stands there becomes its first element, and an object stays what it is.
    fn list(&mut self, target: &Way) -> Option<Id> {
        let id = self.tree.make(target)?;
        match self.tree.value(id) {
            Value::List(..) => {}
            Value::Gone => self.tree.set(id, Value::List(0, 0)),
            Value::Object(..) => return None,
            scalar @ (Value::Scalar(_) | Value::Quoted(_)) => {
                self.tree.set(id, Value::List(0, 0));
                self.tree.push(id, scalar);
            }
        }
        Some(id)
    }

    fn append(&mut self, within: Option<Id>, from: &Origin, target: &Way) -> Result<(), Ended> {
        let Some(found) = self.found(within, from) else { return Ok(()) };
        let Some(list) = self.list(target) else { return self.in_its_way(target) };
        let elements: Vec<Id> = match self.tree.value(found) {
            Value::List(..) => self.tree.children(found).collect(),
            _ => vec![found],
        };
        for element in elements {
            if self.tree.is_empty(element) {
                continue;
            }
            let made = self.tree.push(list, Value::Gone);
            self.tree.copy(element, made);
            self.convert_all(Kind::Text, &[made]);
            let twice = self.tree.scalar(made).is_some_and(|said| {
                self.tree.children(list).any(|it| it != made && self.tree.scalar(it) == Some(said))
            });
            if twice {
                self.tree.set(made, Value::Gone);
            }
        }
        Ok(())
    }

    fn url_parts(&mut self, field: &Field) {
        let names = &self.program.url;
        let Some(object) = self.tree.find(ROOT, &field.way) else { return };
        let Some(original) = self.tree.member(object, names.original) else { return };
        let text = self.tree.scalar(original).and_then(raw::text).map(std::borrow::Cow::into_owned);
        let Some(text) = text.as_deref().filter(|_| !self.tree.is_empty(original)) else {
            if !self.tree.is_empty(original) {
                self.no_url(original, field);
            }
            return;
        };
        let Some(url) = Url::parse(text) else { return self.no_url(original, field) };
        let parts = [
            (names.scheme, url.scheme),
            (names.domain, url.domain),
            (names.path, url.path.as_deref()),
            (names.query, url.query.as_deref()),
            (names.fragment, url.fragment.as_deref()),
            (names.extension, url.extension()),
            (names.user_info, url.user_info),
            (names.username, url.username()),
            (names.password, url.password()),
        ];
        for (name, part) in parts {
            if let Some(part) = part.filter(|it| !it.is_empty()) {
                let span = self.tree.quote(part);
                self.tree.put(object, name, Value::Scalar(span));
            }
        }
        if let Some(port) = url.port {
            let span = self.tree.write(&port.to_string());
            self.tree.put(object, names.port, Value::Scalar(span));
        }
    }

    fn no_url(&mut self, original: Id, field: &Field) {
        let said = self.said(original);
        self.tree.set(original, Value::Gone);
        self.note(&format!("{}.original: {said} is not a URL", field.told));
    }

    fn expand_dots(&mut self, field: &Field) -> Result<(), Ended> {
        let Some(object) = self.tree.find(ROOT, &field.way) else { return Ok(()) };
        let mut child = self.tree.first(object);
        while let Some(id) = child {
            child = self.tree.next(id);
            let gone = matches!(self.tree.value(id), Value::Gone);
            if !gone && self.tree.name_of(id).bytes().skip(1).any(|byte| byte == b'.') {
                self.expand(object, id, field)?;
            }
        }
        Ok(())
    }

    /// Moves a member to where the dots of its name lead.
    fn expand(&mut self, object: Id, id: Id, field: &Field) -> Result<(), Ended> {
        let name = self.tree.name_of(id).to_owned();
        let parts: Vec<&str> = name.split('.').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Ok(());
        }
        let Some((last, way)) = parts.split_last() else { return Ok(()) };
        let mut at = object;
        for (depth, part) in way.iter().enumerate() {
            let part = self.tree.written(part);
            at = match self.tree.member(at, part) {
                Some(id) if matches!(self.tree.value(id), Value::Object(..)) => id,
                found => {
                    if found.is_some() {
                        let plain = way[..=depth].join(".");
                        // The object stays, and the plain value goes.
                        self.fails(&format!("{}: key {name} clashes with the plain value of {plain}", field.told))?;
                    }
                    self.tree.put(at, part, Value::Object(0, 0))
                }
            };
        }
        let last = self.tree.written(last);
        match self.tree.member(at, last) {
            None => {
                let made = self.tree.put(at, last, Value::Gone);
                self.tree.copy(id, made);
            }
            Some(there) => {
                // Both are kept, in one list.
                let before = self.tree.loose();
                self.tree.copy(there, before);
                self.tree.set(there, Value::List(0, 0));
                for from in [before, id] {
                    let elements: Vec<Id> = match self.tree.value(from) {
                        Value::List(..) => self.tree.children(from).collect(),
                        _ => vec![from],
                    };
                    for element in elements {
                        let made = self.tree.push(there, Value::Gone);
                        self.tree.copy(element, made);
                    }
                }
            }
        }
        self.tree.set(id, Value::Gone);
        Ok(())
    }
}

fn nanoseconds(moment: Moment) -> i128 {
    i128::from(moment.second) * 1_000_000_000 + i128::from(moment.nanosecond)
}
