//! What a destination cannot hold: a file of JSON lines that says of each event why, and holds it as it came.

use std::path::Path;

use connectome_collect::sink::Event;
use connectome_core::Error;
use serde_json::Value;

use crate::append::Appender;

/// Puts an event aside. It is on the disk when this returns.
pub fn add(path: &Path, stream: &str, event: &Event<'_>, why: &str) -> Result<(), Error> {
    let mut line = Vec::with_capacity(event.body.len() + 256);
    for (start, text) in [("{\"key\":", event.key), (",\"stream\":", stream), (",\"reason\":", why)] {
        line.extend_from_slice(start.as_bytes());
        line.extend_from_slice(Value::from(text).to_string().as_bytes());
    }
    line.extend_from_slice(b",\"event\":");
    line.extend_from_slice(event.body);
    line.extend_from_slice(b"}\n");
    // Few are ever added, so nobody is kept from the file in between.
    Appender::open(path)?.append(&line)
}
