//! What a record is called and what it holds, as digests; and what is remembered of it for the day it is gone.

use connectome_core::answer::set;
use connectome_core::mapping::{Mapping, Path};
use connectome_core::snapshot::Gone;
use ring::digest::{Context, SHA256};
use serde_json::{Map, Value};

use crate::canonical::Canonical;
use crate::key::hex;
use crate::ledger::Digest;
use crate::raw;

/// Reads what tells a record from others and from what it was before.
#[derive(Debug)]
pub struct Contents {
    id: Path,
    /// What documents depend on besides their records.
    manner: Digest,
    canonical: Canonical,
}

/// What a record is called and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// What tells it from other records: its id, or its content where it has none.
    pub key: Digest,
    /// What tells it from what it was before.
    pub content: Digest,
    /// Whether it has an id.
    pub named: bool,
}

impl Contents {
    /// For records of which this field is the id.
    pub fn new(id: Path, manner: Digest) -> Self {
        Self { id, manner, canonical: Canonical::default() }
    }

    /// Reads a record.
    pub fn of(&mut self, record: &str) -> Content {
        let content = digest(&[&self.manner, self.canonical.of(record)]);
        let id = raw::at(record, self.id).filter(|raw| !matches!(*raw, "null" | "\"\""));
        let id = id.and_then(raw::scalar);
        let key = id.as_ref().map_or_else(|| digest(&[b"content", &content]), |id| digest(&[b"id", id.as_bytes()]));
        Content { key, content, named: id.is_some() }
    }
}

/// What documents depend on besides their records: the mapping, and the parameters that it names.
pub fn manner(mapping: &Mapping, parameters: &Map<String, Value>) -> Digest {
    let table = format!("{mapping:?}");
    let named = parameters.iter().filter(|(name, _)| table.contains(&format!("{name:?}")));
    let named: Vec<String> = named.map(|(name, value)| format!("{name}={value}")).collect();
    digest(&[table.as_bytes(), named.join("\n").as_bytes()])
}

/// A name that no other memory has.
pub fn run() -> String {
    let mut bytes = [0; 16];
    let random = ring::rand::SystemRandom::new();
    if ring::rand::SecureRandom::fill(&random, &mut bytes).is_err() {
        // A machine without randomness has a clock.
        bytes = jiff::Timestamp::now().as_nanosecond().to_le_bytes();
    }
    hex(&bytes)
}

/// What is remembered of a record, as JSON of the same form.
pub fn kept(record: &str, gone: &Gone) -> String {
    let mut kept = Value::Object(Map::new());
    for path in gone.keep {
        if let Some(value) = raw::at(record, path).and_then(|raw| serde_json::from_str(raw).ok()) {
            set(&mut kept, path, value);
        }
    }
    kept.to_string()
}

/// What is mapped of a record that has disappeared.
pub fn marked(kept: &str, gone: &Gone) -> String {
    let mut record = serde_json::from_str(kept).unwrap_or_else(|_| Value::Object(Map::new()));
    for (path, value) in gone.set {
        set(&mut record, path, value.value());
    }
    record.to_string()
}

fn digest(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    let mut short = Digest::default();
    short.copy_from_slice(&context.finish().as_ref()[..16]);
    short
}
