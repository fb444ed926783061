//! `--input`: a file, standard input, or the JSON itself.

use std::io::Read;

use connectome_core::{Error, ErrorKind};
use serde_json::{Value, json};

/// Reads an input. Nothing given is an empty object.
pub fn read(given: Option<&str>) -> Result<Value, Error> {
    let wrong = |message: String| Error::new(ErrorKind::Input, message);
    let (text, whence, advice) = match given {
        None => return Ok(json!({})),
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| {
                wrong(format!("standard input cannot be read: {error}")).advice("pipe a JSON object in UTF-8 into it")
            })?;
            (text, "standard input", "pipe one JSON object into it, or name a file")
        }
        Some(given) if given.trim_start().starts_with(['{', '[']) => (
            given.to_owned(),
            "--input",
            "in a shell, put single quotes around it, and double ones around keys and texts",
        ),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                wrong(format!("the input file {path} cannot be read: {error}"))
                    .advice("give a file of JSON, `-` for standard input, or the JSON itself in quotes")
            })?;
            (text, path, "write one JSON object into the file")
        }
    };
    // Some editors begin a file with a mark of its encoding.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if text.trim().is_empty() {
        return Err(wrong(format!("{whence} is empty")).advice(advice));
    }
    serde_json::from_str(text).map_err(|error| wrong(format!("{whence} is not JSON: {error}")).advice(advice))
}
