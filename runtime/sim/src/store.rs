//! What a simulated service holds. Records are made when they are looked at; only changes are kept, so that a million
//! records cost nothing until they are read.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::Collection;
use crate::record::{Maker, hex, mix};

/// Every collection of a service.
pub struct Store {
    shelves: HashMap<&'static str, Shelf>,
    snapshots: HashMap<String, Snapshot>,
    start: Timestamp,
    seed: u64,
    turn: u64,
}

struct Shelf {
    table: &'static Collection,
    seed: u64,
    also: Vec<Value>,
    template: Option<Value>,
    made: usize,
    length: usize,
    changed: HashMap<usize, Value>,
    removed: HashSet<usize>,
    /// For each field that was looked up: which record holds a value.
    index: HashMap<String, HashMap<String, usize>>,
}

/// The records of a list, as they were when its first page was asked for.
pub struct Snapshot {
    /// The path that was asked: the token is good for no other.
    pub path: String,
    /// Their numbers.
    pub records: Vec<usize>,
    /// How many are on a page.
    pub page: usize,
}

impl Store {
    /// Collections as the spec says them.
    pub fn new(tables: &'static [Collection], seed: u64, scale: usize, start: Timestamp) -> Self {
        let shelves = tables
            .iter()
            .enumerate()
            .map(|(at, table)| {
                // The generator printed these texts from values, so they parse.
                let also: Vec<Value> =
                    table.also.iter().map(|text| serde_json::from_str(text).unwrap_or_default()).collect();
                let template = table.record.map(|text| serde_json::from_str(text).unwrap_or_default());
                let made = also.len() + if template.is_some() { table.count * scale } else { 0 };
                let shelf = Shelf {
                    table,
                    seed: mix(seed ^ mix(at as u64 + 1)),
                    also,
                    template,
                    made,
                    length: made,
                    changed: HashMap::new(),
                    removed: HashSet::new(),
                    index: HashMap::new(),
                };
                (table.name, shelf)
            })
            .collect();
        Self { shelves, snapshots: HashMap::new(), start, seed, turn: 0 }
    }

    /// How many records a collection ever had: one past the last number.
    pub fn length(&self, collection: &str) -> usize {
        self.shelves.get(collection).map_or(0, |shelf| shelf.length)
    }

    /// A record, unless it was removed.
    pub fn get(&self, collection: &str, number: usize) -> Option<Value> {
        let shelf = self.shelves.get(collection)?;
        if number >= shelf.length || shelf.removed.contains(&number) {
            return None;
        }
        match shelf.changed.get(&number) {
            Some(record) => Some(record.clone()),
            None => Some(self.made(shelf, number)),
        }
    }

    /// Whether there is a record of this number that was not removed.
    pub fn has(&self, collection: &str, number: usize) -> bool {
        self.shelves.get(collection).is_some_and(|shelf| number < shelf.length && !shelf.removed.contains(&number))
    }

    /// A record, even if it was removed.
    pub fn any(&self, collection: &str, number: usize) -> Option<Value> {
        let shelf = self.shelves.get(collection).filter(|shelf| number < shelf.length)?;
        Some(shelf.changed.get(&number).cloned().unwrap_or_else(|| self.made(shelf, number)))
    }

    fn made(&self, shelf: &Shelf, number: usize) -> Value {
        let Some(template) = shelf.also.get(number).or(shelf.template.as_ref()) else { return Value::Null };
        let other = |collection: &str, number: usize, field: &str| self.field(collection, number, field);
        Maker { seed: shelf.seed, number, count: shelf.made, start: self.start, other: &other, fields: &Map::new() }
            .make(template)
    }

    /// A value with its generators run, for a record that is being added.
    pub fn fresh(&mut self, template: &Value, fields: &Map<String, Value>) -> Value {
        self.turn += 1;
        let seed = mix(self.seed ^ mix(self.turn << 8));
        let other = |collection: &str, number: usize, field: &str| self.field(collection, number, field);
        // With so many records before it the time of this one is now.
        Maker { seed, number: 0, count: 1 << 40, start: Timestamp::now(), other: &other, fields }.make(template)
    }

    /// What is told of a record: the same at every look.
    pub fn view(&self, collection: &str, number: usize, template: &Value, fields: &Map<String, Value>) -> Value {
        let Some(shelf) = self.shelves.get(collection) else { return Value::Null };
        let other = |collection: &str, number: usize, field: &str| self.field(collection, number, field);
        Maker { seed: mix(shelf.seed), number, count: shelf.made, start: self.start, other: &other, fields }
            .make(template)
    }

    /// A field of another collection's record; numbers go round.
    fn field(&self, collection: &str, number: usize, field: &str) -> Value {
        let Some(shelf) = self.shelves.get(collection).filter(|shelf| shelf.made > 0) else { return Value::Null };
        let record = self.made(shelf, number % shelf.made);
        field.split('.').fold(record, |value, key| value.get(key).cloned().unwrap_or_default())
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
        for number in 0..self.length(collection) {
            if let Some(record) = self.get(collection, number) {
                for text in indexed(&record, field) {
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
        for (field, index) in &mut shelf.index {
            for text in indexed(&record, field) {
                index.insert(text, number);
            }
        }
        shelf.changed.insert(number, record);
        number
    }

    /// Replaces a record.
    pub fn put(&mut self, collection: &str, number: usize, record: Value) {
        if let Some(shelf) = self.shelves.get_mut(collection) {
            for (field, index) in &mut shelf.index {
                index.retain(|_, at| *at != number);
                index.extend(indexed(&record, field).into_iter().map(|text| (text, number)));
            }
            shelf.changed.insert(number, record);
        }
    }

    /// Removes a record.
    pub fn remove(&mut self, collection: &str, number: usize) {
        if let Some(shelf) = self.shelves.get_mut(collection) {
            shelf.removed.insert(number);
            for index in shelf.index.values_mut() {
                index.retain(|_, at| *at != number);
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
        self.snapshots.insert(token.clone(), snapshot);
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

/// The texts by which a record is found: the field's own, each element of a list, and what is under `value`.
fn indexed(record: &Value, field: &str) -> Vec<String> {
    match record.get(field) {
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
