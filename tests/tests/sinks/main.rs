//! Sinks of events, against real files, pipes and simulated services: what counts as delivered, what is sent again, and
//! what goes wrong.

mod elasticsearch;
mod files;
mod xsiam;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connectome_collect::sink::Chunk;
use connectome_core::Settings;
use connectome_core::clock::ManualClock;
use jiff::Timestamp;
use serde_json::{Map, Value};

fn settings() -> (Settings, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::now()));
    let mut settings = Settings::new(Map::new());
    settings.clock = clock.clone();
    (settings, clock)
}

fn letters(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("dead.jsonl")
}

fn chunk_of<'a>(bodies: impl IntoIterator<Item = &'a str>) -> Chunk {
    let mut chunk = Chunk::new("audit");
    for (number, body) in bodies.into_iter().enumerate() {
        chunk.push(&format!("audit:{number}"), 0, |line| line.extend_from_slice(body.as_bytes()));
    }
    chunk
}

/// Events of which each is about this long.
fn chunk(count: usize, length: usize) -> Chunk {
    let bodies: Vec<String> =
        (0..count).map(|number| format!("{{\"n\":{number},\"x\":\"{}\"}}", "x".repeat(length))).collect();
    chunk_of(bodies.iter().map(String::as_str))
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}
