//! The matrix as text: rows down, faults across, a word a cell.

use std::collections::BTreeMap;

use crate::subject::Subject;

/// Columns side by side.
const ACROSS: usize = 9;

/// The matrix. `words` are by row and column.
pub fn table(subjects: &[Subject], columns: &[String], words: &BTreeMap<(usize, usize), String>) -> String {
    let mut text = String::new();
    let left = subjects.iter().map(|subject| subject.name().len()).max().unwrap_or_default();
    for (part, names) in columns.chunks(ACROSS).enumerate() {
        let widths: Vec<usize> = names.iter().map(|name| name.len().max(8)).collect();
        let mut heading = String::new();
        let line = |first: &str, cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            format!("{}\n", format!("{first:<left$}  {}", cells.join("  ")).trim_end())
        };
        for (row, subject) in subjects.iter().enumerate() {
            let wanted = format!("{}, {}", subject.connector().name, subject.kind());
            if heading != wanted {
                text.push_str(&format!("\n{}", line(&wanted, &mut names.iter().map(String::as_str))));
                heading = wanted;
            }
            let cell = |column| words.get(&(row, column)).map_or("", String::as_str);
            let first = part * ACROSS;
            text.push_str(&line(&format!(" {}", subject.name()), &mut (first..first + names.len()).map(cell)));
        }
    }
    text
}
