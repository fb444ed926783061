//! Objects on their way: compressed as they come, closed before they are too many, made smaller when they are refused.

use std::collections::{BTreeSet, BinaryHeap};
use std::io::{Read, Write};

use bytes::Bytes;
use connectome_core::operation::Operation;
use connectome_core::{Error, ErrorKind};
use connectome_graph::object::Kind;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::calls::{ENTITIES, RELATIONSHIPS};

/// What a batch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Entities,
    /// Mapped ones among them.
    Relationships,
}

impl Part {
    pub fn of(kind: &Kind) -> Self {
        if matches!(kind, Kind::Entity(_)) { Part::Entities } else { Part::Relationships }
    }

    pub fn name(self) -> &'static str {
        match self {
            Part::Entities => "entities",
            Part::Relationships => "relationships",
        }
    }

    pub fn operation(self) -> &'static Operation {
        match self {
            Part::Entities => &ENTITIES,
            Part::Relationships => &RELATIONSHIPS,
        }
    }
}

/// A batch that is being filled.
#[derive(Debug)]
pub(super) struct Batch {
    part: Part,
    encoder: GzEncoder<Vec<u8>>,
    /// Bytes of JSON, closed as it is.
    size: usize,
    count: u64,
    types: BTreeSet<String>,
}

/// A batch as it is sent.
#[derive(Debug)]
pub(super) struct Packed {
    pub part: Part,
    pub body: Bytes,
    pub count: u64,
    pub types: BTreeSet<String>,
}

impl Batch {
    pub fn new(part: Part) -> Result<Self, Error> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let start = format!("{{\"{}\":[", part.name());
        encoder.write_all(start.as_bytes()).map_err(broken)?;
        Ok(Self { part, encoder, size: Self::empty_size(part), count: 0, types: BTreeSet::new() })
    }

    /// The length of a batch without objects.
    fn empty_size(part: Part) -> usize {
        part.name().len() + r#"{"":[]}"#.len()
    }

    /// Whether an object of this length stays below the limit when it is alone.
    pub fn fits_alone(part: Part, length: usize, limit: usize) -> bool {
        Self::empty_size(part) + length < limit
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether it stays below the limit with another object of this length.
    pub fn has_room(&self, length: usize, limit: usize) -> bool {
        self.size + usize::from(self.count > 0) + length < limit
    }

    pub fn push(&mut self, text: &str, ty: &str) -> Result<(), Error> {
        if self.count > 0 {
            self.encoder.write_all(b",").map_err(broken)?;
            self.size += 1;
        }
        self.encoder.write_all(text.as_bytes()).map_err(broken)?;
        self.size += text.len();
        self.count += 1;
        if !self.types.contains(ty) {
            self.types.insert(ty.to_owned());
        }
        Ok(())
    }

    pub fn pack(mut self) -> Result<Packed, Error> {
        self.encoder.write_all(b"]}").map_err(broken)?;
        let body = Bytes::from(self.encoder.finish().map_err(broken)?);
        Ok(Packed { part: self.part, body, count: self.count, types: self.types })
    }
}

fn broken(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, format!("a batch cannot be compressed: {error}"))
}

/// What stands where a value was that was too large.
const TRUNCATED: &str = "TRUNCATED";

/// A batch's body with its largest records cut: below the limit, and well below what was refused. `None` when there is
/// nothing left to cut.
pub(super) fn shrink(part: Part, body: &Bytes, limit: usize) -> Result<Option<Bytes>, Error> {
    let mut text = Vec::new();
    GzDecoder::new(&body[..]).read_to_end(&mut text).map_err(broken)?;
    let mut value: Value = serde_json::from_slice(&text).map_err(|error| broken(error.into()))?;
    // A batch is below the limit already, so what refuses it takes less: each time a quarter less is tried.
    let target = limit.min(text.len() - text.len() / 4);
    let mut size = text.len();
    drop(text);
    let Some(Value::Array(objects)) = value.get_mut(part.name()) else { return Ok(None) };
    let mut records: Vec<Record> = objects.iter().map(Record::of).collect();
    let mut largest: BinaryHeap<(usize, usize)> =
        records.iter().enumerate().map(|(number, record)| (record.size(), number)).collect();
    let mut cut = false;
    while size >= target {
        let Some((_, number)) = largest.pop() else { break };
        let Some((entry, name, length)) = records[number].take_largest() else { continue };
        if let Some(member) = objects[number]["_rawData"][entry]["rawData"].get_mut(name) {
            *member = Value::from(TRUNCATED);
            size -= length - (TRUNCATED.len() + 2);
            cut = true;
        }
        largest.push((records[number].size(), number));
    }
    if !cut {
        return Ok(None);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut encoder, &value).map_err(|error| broken(error.into()))?;
    encoder.finish().map(|body| Some(Bytes::from(body))).map_err(broken)
}

/// The sizes of an object's raw data: each entry's own, and its members that can be cut, the largest last.
struct Record(Vec<(usize, Vec<(usize, String)>)>);

impl Record {
    fn of(object: &Value) -> Self {
        let entries = object["_rawData"].as_array().into_iter().flatten();
        let entries = entries.map(|entry| {
            let members = entry["rawData"].as_object().into_iter().flatten();
            let members: Vec<(usize, String)> =
                members.map(|(name, value)| (value.to_string().len(), name.clone())).collect();
            let size = members.iter().map(|(length, name)| length + name.len() + 4).sum();
            let mut members: Vec<_> = members.into_iter().filter(|(length, _)| *length > TRUNCATED.len() + 2).collect();
            members.sort();
            (size, members)
        });
        Self(entries.collect())
    }

    fn size(&self) -> usize {
        self.0.iter().map(|(size, _)| size).sum()
    }

    /// Takes the largest member of the largest entry: the entry's number, the member's name and its length.
    fn take_largest(&mut self) -> Option<(usize, String, usize)> {
        let entries = self.0.iter_mut().enumerate();
        let (number, (size, members)) =
            entries.filter(|(_, (_, members))| !members.is_empty()).max_by_key(|(_, (size, _))| *size)?;
        let (length, name) = members.pop()?;
        *size -= length - (TRUNCATED.len() + 2);
        Some((number, name, length))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn packed(value: &Value) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(value.to_string().as_bytes()).unwrap();
        encoder.finish().unwrap().into()
    }

    fn unpacked(body: &Bytes) -> Value {
        serde_json::from_reader(GzDecoder::new(&body[..])).unwrap()
    }

    fn entity(key: &str, raw: &[Value]) -> Value {
        let raw: Vec<Value> =
            raw.iter().enumerate().map(|(number, raw)| json!({ "name": number.to_string(), "rawData": raw })).collect();
        json!({ "_key": key, "_rawData": raw })
    }

    #[test]
    fn the_largest_member_of_the_largest_record_is_cut_first() {
        let text = |length: usize| Value::from("x".repeat(length));
        let small = entity("small", &[json!({ "a": text(50) })]);
        let two = entity("two", &[json!({ "p": text(300), "q": 1 }), json!({ "r": text(200), "s": text(450) })]);
        let body = packed(&json!({ "entities": [small, two] }));
        let cut = |limit: usize| unpacked(&shrink(Part::Entities, &body, limit).unwrap().unwrap())["entities"].clone();
        let at_once = cut(10_000);
        assert_eq!(at_once[1]["_rawData"][1]["rawData"], json!({ "r": text(200), "s": "TRUNCATED" }));
        assert_eq!(at_once[1]["_rawData"][0]["rawData"], json!({ "p": text(300), "q": 1 }));
        assert_eq!(at_once[0]["_rawData"][0]["rawData"]["a"], text(50));
        let further = cut(560);
        assert_eq!(further[1]["_rawData"][0]["rawData"], json!({ "p": "TRUNCATED", "q": 1 }));
        assert_eq!(further[1]["_rawData"][1]["rawData"]["r"], text(200));
        let all = cut(1);
        assert_eq!(all[1]["_rawData"][1]["rawData"], json!({ "r": "TRUNCATED", "s": "TRUNCATED" }));
        assert_eq!(all[0]["_rawData"][0]["rawData"]["a"], json!("TRUNCATED"));
        assert_eq!(shrink(Part::Entities, &packed(&json!({ "entities": all })), 1).unwrap(), None);
    }

    #[test]
    fn a_batch_is_json_below_its_limit() {
        let mut batch = Batch::new(Part::Relationships).unwrap();
        let mut pushed = 0;
        while batch.has_room(10, 100) {
            batch.push("\"12345678\"", "t").unwrap();
            pushed += 1;
        }
        let size = batch.size;
        let packed = batch.pack().unwrap();
        let value = unpacked(&packed.body);
        assert_eq!((value["relationships"].as_array().unwrap().len(), value.to_string().len()), (pushed, size));
        assert!(size < 100 && size + 11 >= 100, "{size}");
    }
}
