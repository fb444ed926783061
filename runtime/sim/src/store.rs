//! What a simulated service holds. Records are made when they are looked at; only changes are kept, so that a million
//! records cost nothing until they are read.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::ops::RangeBounds;

use connectome_core::time;
use serde_json::{Map, Value};

use crate::Collection;
use crate::behave::shown;
use crate::fault;
use crate::record::{Maker, hex, mix};
use crate::template::Template;
use crate::timeline::{LIVE, Series, Timeline};

/// How many numbers of records all kept lists may hold together.
const KEPT: usize = 4_000_000;

/// Every collection of a service.
pub struct Store {
    shelves: HashMap<&'static str, Shelf>,
    snapshots: HashMap<String, Snapshot>,
    /// Their tokens, the oldest first.
    kept: VecDeque<String>,
    held: usize,
    timeline: Timeline,
    /// The service's time.
    now: i64,
    /// When records ceased to appear.
    quiet: Option<i64>,
    /// Fields of records that other records name.
    named: RefCell<HashMap<String, Vec<Option<Value>>>>,
    seed: u64,
    turn: u64,
}

struct Shelf {
    table: &'static Collection,
    series: Series,
    also: Vec<(Value, Template)>,
    template: Option<(Value, Template)>,
    made: usize,
    length: usize,
    /// How many appeared while the simulation ran.
    live: usize,
    changed: HashMap<usize, Value>,
    removed: HashSet<usize>,
    /// For each field that was looked up: which record holds a value.
    index: HashMap<String, HashMap<String, usize>>,
    /// For each field of time that was looked up: the records by their moment.
    times: HashMap<String, BTreeSet<(i64, usize)>>,
}

/// The records of a list, as they were when its first page was asked for.
pub struct Snapshot {
    /// The path that was asked: the token is good for no other.
    pub path: String,
    /// Their numbers.
    pub records: Vec<usize>,
    /// How many are on a page.
    pub page: usize,
    /// When it was made.
    pub born: i64,
}

impl Snapshot {
    fn weight(&self) -> usize {
        self.records.len() + 100
    }
}

impl Store {
    /// Collections as the spec says them.
    pub fn new(tables: &'static [Collection], seed: u64, scale: usize, timeline: Timeline) -> Self {
        let shelves = tables
            .iter()
            .enumerate()
            .map(|(at, table)| {
                // The generator printed these texts from values, so they parse.
                let read = |text: &str| {
                    let value: Value = serde_json::from_str(text).unwrap_or_default();
                    let template = Template::new(&value);
                    (value, template)
                };
                let also: Vec<_> = table.also.iter().map(|text| read(text)).collect();
                let template = table.record.map(read);
                let made = also.len() + if template.is_some() { table.count * scale } else { 0 };
                let series = Series {
                    seed: mix(seed ^ mix(at as u64 + 1)),
                    made,
                    happens: table.clock.is_some(),
                    twin_every: table.twin_every,
                };
                let shelf = Shelf {
                    table,
                    series,
                    also,
                    template,
                    made,
                    length: made,
                    live: 0,
                    changed: HashMap::new(),
                    removed: HashSet::new(),
                    index: HashMap::new(),
                    times: HashMap::new(),
                };
                (table.name, shelf)
            })
            .collect();
        Self {
            shelves,
            snapshots: HashMap::new(),
            kept: VecDeque::new(),
            held: 0,
            timeline,
            now: timeline.start,
            quiet: None,
            named: RefCell::default(),
            seed,
            turn: 0,
        }
    }

    /// Moves the service's time on: what should have appeared by now does.
    pub fn advance(&mut self, now: i64) {
        self.now = now;
        let appeared = self.timeline.appeared(self.quiet.unwrap_or(now));
        let grown: Vec<&'static str> = self
            .shelves
            .iter()
            .filter(|(_, shelf)| shelf.series.happens && shelf.template.is_some() && shelf.live < appeared)
            .map(|(name, _)| *name)
            .collect();
        for name in grown {
            let Some(shelf) = self.shelves.get_mut(name) else { continue };
            let first = std::mem::replace(&mut shelf.live, appeared);
            let mut times = std::mem::take(&mut shelf.times);
            for (field, index) in &mut times {
                let dated = (LIVE + first..LIVE + appeared).filter_map(|at| Some((self.moment(name, at, field)?, at)));
                index.extend(dated);
            }
            let found = self.shelves.get(name).filter(|shelf| !shelf.index.is_empty());
            let records = found.map(|shelf| (LIVE + first..LIVE + appeared).map(|at| (at, self.made(shelf, at))));
            let records: Vec<_> = records.into_iter().flatten().collect();
            let Some(shelf) = self.shelves.get_mut(name) else { continue };
            shelf.times = times;
            for (number, record) in records {
                for (field, index) in &mut shelf.index {
                    index.extend(indexed(record.get(field)).into_iter().map(|text| (text, number)));
                }
            }
        }
    }

    /// From now on nothing appears by itself.
    pub fn quiet(&mut self) {
        self.quiet.get_or_insert(self.now);
    }

    /// The service's time, in milliseconds.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// How many records a collection ever had: one past the last number of those that did not appear by themselves.
    pub fn length(&self, collection: &str) -> usize {
        self.shelves.get(collection).map_or(0, |shelf| shelf.length)
    }

    /// The numbers of a collection's records, also of those that were removed.
    pub fn numbers(&self, collection: &str) -> impl Iterator<Item = usize> + use<> {
        let live = self.shelves.get(collection).map_or(0, |shelf| shelf.live);
        (0..self.length(collection)).chain(LIVE..LIVE + live)
    }

    /// A record, unless it was removed.
    pub fn get(&self, collection: &str, number: usize) -> Option<Value> {
        self.any(collection, number).filter(|_| self.has(collection, number))
    }

    /// Whether there is a record of this number that was not removed.
    pub fn has(&self, collection: &str, number: usize) -> bool {
        self.shelves.get(collection).is_some_and(|shelf| shelf.holds(number) && !shelf.removed.contains(&number))
    }

    /// Whether somebody who asks now is shown the record.
    pub fn seen(&self, collection: &str, number: usize) -> bool {
        self.shelves.get(collection).is_some_and(|shelf| {
            !shelf.series.happens
                || !shelf.series.makes(number)
                || self.timeline.seen(&shelf.series, number) <= self.now
        })
    }

    /// A record, even if it was removed.
    pub fn any(&self, collection: &str, number: usize) -> Option<Value> {
        let shelf = self.shelves.get(collection).filter(|shelf| shelf.holds(number))?;
        Some(shelf.changed.get(&number).cloned().unwrap_or_else(|| self.made(shelf, number)))
    }

    /// Writes a record as the service shows it, spoilt if it is one of those that poison takes. Says whether there is
    /// one.
    pub fn write(&self, collection: &str, number: usize, poison: bool, out: &mut Vec<u8>) -> bool {
        let Some(shelf) = self.shelves.get(collection).filter(|_| self.has(collection, number)) else { return false };
        let chance = shelf.series.chance(number, 3);
        // Writing to a vector cannot fail.
        if poison && chance % 16 == 0 {
            let record = self.any(collection, number).as_ref().map(shown).unwrap_or_default();
            let poisoned = fault::poisoned(chance / 16, record, shelf.table.key, shelf.table.clock.unwrap_or_default());
            drop(serde_json::to_writer(out, &poisoned));
        } else if let Some(record) = shelf.changed.get(&number) {
            drop(serde_json::to_writer(out, &shown(record)));
        } else if let Some((_, template)) = shelf.template(number) {
            self.making(shelf, number, &Map::new(), |maker| template.write(maker, out));
        }
        true
    }

    /// One field of a record, unless it was removed. Of a record that is as it was made, nothing else is made.
    pub fn get_field(&self, collection: &str, number: usize, field: &str) -> Option<Value> {
        let shelf = self.shelves.get(collection).filter(|_| self.has(collection, number))?;
        match shelf.changed.get(&number) {
            Some(record) => record.get(field).cloned(),
            None => Some(self.made_field(shelf, number, field)).filter(|value| !value.is_null()),
        }
    }

    fn made_field(&self, shelf: &Shelf, number: usize, field: &str) -> Value {
        let known = shelf.template(number).and_then(|(value, template)| value.get(field).zip(template.start(field)));
        let Some((value, start)) = known else { return Value::Null };
        self.making(shelf, number, &Map::new(), |maker| maker.make_from(value, start))
    }

    fn made(&self, shelf: &Shelf, number: usize) -> Value {
        let Some((template, _)) = shelf.template(number) else { return Value::Null };
        self.making(shelf, number, &Map::new(), |maker| maker.make(template))
    }

    fn making<T>(
        &self,
        shelf: &Shelf,
        number: usize,
        fields: &Map<String, Value>,
        make: impl FnOnce(&Maker<'_>) -> T,
    ) -> T {
        let other = |collection: &str, number: usize, field: &str| self.field(collection, number, field);
        let series = &shelf.series;
        make(&Maker {
            seed: series.seed,
            number: series.place(number),
            moment: self.timeline.moment(series, number),
            seen: self.timeline.seen(series, series.original(number)),
            other: &other,
            fields,
        })
    }

    /// A value with its generators run, for a record that is being added.
    pub fn fresh(&mut self, template: &Value, fields: &Map<String, Value>) -> Value {
        self.turn += 1;
        let seed = mix(self.seed ^ mix(self.turn << 8));
        let other = |collection: &str, number: usize, field: &str| self.field(collection, number, field);
        Maker { seed, number: 0, moment: self.now, seen: self.now, other: &other, fields }.make(template)
    }

    /// What is told of a record: the same at every look.
    pub fn view(&self, collection: &str, number: usize, template: &Value, fields: &Map<String, Value>) -> Value {
        let Some(shelf) = self.shelves.get(collection) else { return Value::Null };
        self.making(shelf, number, fields, |maker| Maker { seed: mix(maker.seed), ..*maker }.make(template))
    }

    /// A field of another collection's record; numbers go round.
    fn field(&self, collection: &str, number: usize, field: &str) -> Value {
        let Some(shelf) = self.shelves.get(collection).filter(|shelf| shelf.made > 0) else { return Value::Null };
        let number = number % shelf.made;
        let key = format!("{collection}.{field}");
        if let Some(Some(known)) = self.named.borrow().get(&key).and_then(|known| known.get(number)) {
            return known.clone();
        }
        let mut keys = field.split('.');
        let value = self.made_field(shelf, number, keys.next().unwrap_or_default());
        let value = keys.fold(value, |value, key| value.get(key).cloned().unwrap_or_default());
        let mut named = self.named.borrow_mut();
        let known = named.entry(key).or_insert_with(|| vec![None; shelf.made]);
        known[number] = Some(value.clone());
        value
    }

    /// The moment that a field of a record says.
    pub fn moment(&self, collection: &str, number: usize, field: &str) -> Option<i64> {
        self.get_field(collection, number, field).as_ref().and_then(moment_of)
    }

    /// The records of a collection by the moment that a field says, the earliest first.
    pub fn between(&mut self, collection: &str, field: &str, range: impl RangeBounds<i64>) -> Vec<usize> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let known = self.shelves.get(collection).is_some_and(|shelf| shelf.times.contains_key(field));
        if !known {
            let times =
                self.numbers(collection).filter_map(|at| Some((self.moment(collection, at, field)?, at))).collect();
            if let Some(shelf) = self.shelves.get_mut(collection) {
                shelf.times.insert(field.to_owned(), times);
            }
        }
        let low = match range.start_bound() {
            Included(time) => Included((*time, 0)),
            Excluded(time) => Excluded((*time, usize::MAX)),
            Unbounded => Unbounded,
        };
        let high = match range.end_bound() {
            Included(time) => Included((*time, usize::MAX)),
            Excluded(time) => Excluded((*time, 0)),
            Unbounded => Unbounded,
        };
        let times = self.shelves.get(collection).and_then(|shelf| shelf.times.get(field));
        // A range that ends before it begins is empty, and no mistake.
        let empty = matches!((low, high), (Included(a) | Excluded(a), Included(b) | Excluded(b)) if a >= b);
        let found = times.filter(|_| !empty).map(|times| times.range((low, high)));
        found.into_iter().flatten().map(|(_, number)| *number).collect()
    }

    /// The number of the record whose field has this text.
    pub fn find(&mut self, collection: &str, field: &str, value: &str) -> Option<usize> {
        if !self.shelves.get(collection)?.index.contains_key(field) {
            let index = self.build_index(collection, field);
            self.shelves.get_mut(collection)?.index.insert(field.to_owned(), index);
        }
        let shelf = self.shelves.get(collection)?;
        shelf.index.get(field)?.get(value).copied().filter(|number| !shelf.removed.contains(number))
    }

    fn build_index(&self, collection: &str, field: &str) -> HashMap<String, usize> {
        let mut index = HashMap::new();
        for number in self.numbers(collection) {
            if let Some(value) = self.get_field(collection, number, field) {
                for text in indexed(Some(&value)) {
                    index.entry(text).or_insert(number);
                }
            }
        }
        index
    }

    /// Adds a record and returns its number.
    pub fn add(&mut self, collection: &str, record: Value) -> usize {
        let Some(shelf) = self.shelves.get_mut(collection) else { return 0 };
        let number = shelf.length;
        shelf.length += 1;
        shelf.date(number, &record);
        for (field, index) in &mut shelf.index {
            for text in indexed(record.get(field)) {
                index.insert(text, number);
            }
        }
        shelf.changed.insert(number, record);
        number
    }

    /// Replaces a record.
    pub fn put(&mut self, collection: &str, number: usize, record: Value) {
        self.forget(collection, number);
        if let Some(shelf) = self.shelves.get_mut(collection) {
            shelf.date(number, &record);
            for (field, index) in &mut shelf.index {
                index.extend(indexed(record.get(field)).into_iter().map(|text| (text, number)));
            }
            shelf.changed.insert(number, record);
        }
    }

    /// Removes a record.
    pub fn remove(&mut self, collection: &str, number: usize) {
        self.forget(collection, number);
        if let Some(shelf) = self.shelves.get_mut(collection) {
            shelf.removed.insert(number);
        }
    }

    /// Takes a record out of the indices, before it changes.
    fn forget(&mut self, collection: &str, number: usize) {
        let record = self.any(collection, number).unwrap_or_default();
        if let Some(shelf) = self.shelves.get_mut(collection) {
            for (field, index) in &mut shelf.index {
                for text in indexed(record.get(field)) {
                    if index.get(&text) == Some(&number) {
                        index.remove(&text);
                    }
                }
            }
        }
        let Some(shelf) = self.shelves.get(collection) else { return };
        let fields: Vec<String> = shelf.times.keys().cloned().collect();
        for field in fields {
            let moment = self.moment(collection, number, &field);
            let times = self.shelves.get_mut(collection).and_then(|shelf| shelf.times.get_mut(&field));
            if let (Some(moment), Some(times)) = (moment, times) {
                times.remove(&(moment, number));
            }
        }
    }

    /// The field that names a collection's records.
    pub fn key(&self, collection: &str) -> &'static str {
        self.shelves.get(collection).map_or("", |shelf| shelf.table.key)
    }

    /// Keeps a list for its further pages and returns its token.
    pub fn keep(&mut self, snapshot: Snapshot) -> String {
        self.turn += 1;
        let token = hex(mix(self.seed ^ self.turn), 16);
        self.held += snapshot.weight();
        self.snapshots.insert(token.clone(), snapshot);
        self.kept.push_back(token.clone());
        // What nobody reads on is forgotten, the oldest first.
        while self.held > KEPT && self.kept.len() > 1 {
            let oldest = self.kept.pop_front().and_then(|token| self.snapshots.remove(&token));
            self.held -= oldest.map_or(0, |snapshot| snapshot.weight());
        }
        token
    }

    /// A kept list.
    pub fn snapshot(&self, token: &str) -> Option<&Snapshot> {
        self.snapshots.get(token)
    }

    /// The next number of a series, from 1.
    pub fn next_number(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }
}

impl Shelf {
    fn holds(&self, number: usize) -> bool {
        number < self.length || (LIVE..LIVE + self.live).contains(&number)
    }

    fn template(&self, number: usize) -> Option<&(Value, Template)> {
        self.also.get(self.series.original(number)).or(self.template.as_ref())
    }

    /// Puts a record into the indices by time.
    fn date(&mut self, number: usize, record: &Value) {
        for (field, times) in &mut self.times {
            times.extend(record.get(field).and_then(moment_of).map(|moment| (moment, number)));
        }
    }
}

/// A time as services write it: text, or a number of milliseconds.
pub fn moment_of(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => time::parse(text).ok().map(|time| time.as_millisecond()),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

/// The texts by which a record is found: the field's own, each element of a list, and what is under `value`.
fn indexed(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Number(number)) => vec![number.to_string()],
        Some(Value::Object(fields)) => match fields.get("value") {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(items)) => items.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        },
        Some(Value::Array(items)) => items.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}
