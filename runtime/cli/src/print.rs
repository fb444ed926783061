//! Printing: results to standard output, everything else to standard error.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use connectome_core::Error;
use serde_json::Value;

use crate::arguments::Form;

/// Prints a text as it is.
pub fn text(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Error::unwritten)
}

/// Prints one line.
pub fn line(line: &str) -> Result<(), Error> {
    text(&format!("{line}\n"))
}

/// Prints a JSON document, indented.
pub fn json(value: &Value) -> Result<(), Error> {
    line(&serde_json::to_string_pretty(value).unwrap_or_default())
}

/// Prints a JSON document: indented, or on one line where lines are asked for.
pub fn document(form: Form, value: &Value) -> Result<(), Error> {
    if form == Form::Jsonl { json_line(value) } else { json(value) }
}

/// A JSON value over several lines, each this far from the margin.
pub fn indented(value: &Value, margin: usize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let margin = " ".repeat(margin);
    text.lines().map(|line| format!("{margin}{line}")).collect::<Vec<_>>().join("\n")
}

/// Prints a JSON line.
pub fn json_line(value: &Value) -> Result<(), Error> {
    line(&value.to_string())
}

/// Tells something on standard error. If nobody reads that either, there is nobody left to tell.
pub fn tell(text: &str) {
    ask(&format!("{text}\n"));
}

/// A question on standard error; its answer is typed on the same line.
pub fn ask(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A table for people.
pub fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heads.iter().map(|head| head.to_uppercase()));
    for row in rows {
        table.add_row(row);
    }
    let lines: Vec<String> =
        table.to_string().lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

/// A text in lines of at most this many characters, each after an indent.
pub fn wrap(text: &str, indent: &str, width: usize) -> String {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines.iter().map(|line| format!("{indent}{line}\n")).collect()
}
