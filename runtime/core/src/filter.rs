//! Filter expressions. Whatever a value holds, the expression keeps its shape: one term an entry, one operator between.

use serde_json::{Map, Value};

use crate::validate::{Violation, join, show};

/// Where a filter goes, and what it may hold.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// The grammar.
    pub syntax: Syntax,
    /// Where it goes.
    pub place: FilterPlace,
    /// The input that says how terms are joined.
    pub operator: &'static str,
    /// Most characters of the finished expression.
    pub max_length: Option<usize>,
    /// Whether the service refuses a request without it.
    pub required: bool,
    /// Field names the service is known to take.
    pub names: &'static [&'static str],
    /// Field names that are sent under another.
    pub rename: &'static [(&'static str, &'static str)],
}

/// Where a filter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterPlace {
    /// Into a header.
    Header(&'static str),
    /// Into a query parameter.
    Query(&'static str),
}

/// A grammar of filter expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// `name eq 'value'`.
    Odata,
    /// `name:"value"`.
    Lucene,
}

impl Filter {
    /// The expression for these entries, or why there is none, by pointers from the entries. Entries with a null value are
    /// passed over.
    pub fn expression(&self, entries: &Map<String, Value>, operator: &str) -> Result<String, Vec<Violation>> {
        let mut problems = Vec::new();
        let mut terms = Vec::new();
        for (given, value) in entries {
            let mut wrong = |expected: &str, found: &Value| {
                problems.push(Violation {
                    pointer: join("", given),
                    expected: expected.to_owned(),
                    found: show(found),
                });
            };
            let name = self.rename.iter().find(|(from, _)| from == given).map_or(given.as_str(), |(_, to)| to);
            if !is_name(name) {
                wrong(
                    "a field name: a letter followed by letters, digits and `_`, and none of `and`, `or`, `not`",
                    &Value::from(name),
                );
                continue;
            }
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    wrong("text, a number, true or false", value);
                    continue;
                }
            };
            if text.chars().any(char::is_control) {
                wrong("text without line breaks or other control characters", value);
                continue;
            }
            terms.push(self.syntax.term(name, &text));
        }
        if problems.is_empty() { Ok(terms.join(&format!(" {operator} "))) } else { Err(problems) }
    }
}

impl Syntax {
    fn term(self, name: &str, value: &str) -> String {
        match self {
            Syntax::Odata => format!("{name} eq '{}'", value.replace('\'', "''")),
            Syntax::Lucene => format!("{name}:\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    }
}

fn is_name(name: &str) -> bool {
    // An operator in the place of a name is no name to the service that reads it.
    let operator = ["and", "or", "not"].iter().any(|it| it.eq_ignore_ascii_case(name));
    !operator
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
