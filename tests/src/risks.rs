//! Records of JupiterOne and the documents that become of them, and what those need in a search engine.

use std::fs;
use std::path::Path;

use connectome::jupiterone::CONNECTOR;
use connectome_collect::mapping::Mapper;
use connectome_collect::sink::Chunk;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::defaults::defaults;

/// The worked examples, by name, in order.
pub fn examples() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("risks");
    let files = fs::read_dir(folder).expect("risks").map(|file| file.expect("a file").path());
    let mut examples: Vec<(u32, String, Value)> = files
        .map(|file| {
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            let number = name.split('-').next().and_then(|number| number.parse().ok()).expect("a number");
            let mut example: Value = serde_json::from_slice(&fs::read(&file).expect("a file")).expect("JSON");
            (number, name, example["given"].take())
        })
        .collect();
    examples.sort_by_key(|(number, ..)| *number);
    examples.into_iter().map(|(_, name, record)| (name, record)).collect()
}

/// The documents of records, made now. `set` is what the user sets.
pub fn chunk<'a>(records: impl IntoIterator<Item = &'a Value>, set: &[(&str, Value)]) -> Chunk {
    let mut parameters = defaults(&CONNECTOR);
    parameters.extend(set.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let mut mapper = Mapper::new(CONNECTOR.mappings[0], &parameters);
    let mut chunk = Chunk::new("risks_and_alerts");
    for (number, record) in records.into_iter().enumerate() {
        let key = record.get("id").map_or_else(|| json!(number).to_string(), Value::to_string);
        let record = record.to_string();
        chunk.push(&key, 0, |line| _ = mapper.write(&record, Timestamp::now(), line));
    }
    chunk
}

/// The requests that install what the documents need.
pub fn requests() -> Vec<Value> {
    serde_json::from_str(CONNECTOR.search[0].requests).expect("JSON")
}
