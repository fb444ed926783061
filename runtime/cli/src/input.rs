//! `--input`: a file, standard input, or the JSON itself.

use std::io::Read;

use connectome_core::{Error, ErrorKind};
use serde_json::{Value, json};

/// Reads an input. Nothing given is an empty object.
pub fn read(given: Option<&str>) -> Result<Value, Error> {
    let (text, whence) = match given {
        None => return Ok(json!({})),
        Some("-") => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| Error::new(ErrorKind::Input, format!("standard input cannot be read: {error}")))?;
            (text, "standard input".to_owned())
        }
        Some(given) if given.trim_start().starts_with(['{', '[']) => (given.to_owned(), "--input".to_owned()),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Error::new(ErrorKind::Input, format!("the input file {path} cannot be read: {error}"))
                    .advice("give a file of JSON, `-` for standard input, or the JSON itself in quotes")
            })?;
            (text, path.to_owned())
        }
    };
    serde_json::from_str(&text).map_err(|error| {
        Error::new(ErrorKind::Input, format!("{whence} is not JSON: {error}"))
            .advice("in a shell, put single quotes around it")
    })
}
