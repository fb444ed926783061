//! Filter expressions: a grammar of their own, read and applied to records.
//!
//! Both syntaxes know `and`, `or`, `not` and parentheses. A term is `name eq 'value'` or `contains(name,'text')` in
//! OData, and `name:"value"`, `name:value` or `*` in Lucene.

use connectome_core::filter::Syntax;
use serde_json::Value;

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Everything.
    All,
    /// A field equals this.
    Equals(String, String),
    /// A field contains this.
    Contains(String, String),
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One of the two holds.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
}

/// Reads an expression. The whole text must be one.
pub fn parse(syntax: Syntax, text: &str) -> Result<Filter, String> {
    let mut reader = Reader { syntax, rest: text, depth: 0 };
    let filter = reader.either()?;
    reader.blanks();
    if reader.rest.is_empty() { Ok(filter) } else { Err(format!("unexpected {:?}", reader.rest)) }
}

struct Reader<'a> {
    syntax: Syntax,
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn word(&mut self, word: &str) -> bool {
        self.blanks();
        match self.rest.strip_prefix(word) {
            Some(rest) if !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn mark(&mut self, mark: char) -> bool {
        self.blanks();
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn either(&mut self) -> Result<Filter, String> {
        let mut filter = self.both()?;
        while self.word("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.both()?));
        }
        Ok(filter)
    }

    fn both(&mut self) -> Result<Filter, String> {
        let mut filter = self.single()?;
        while self.word("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.single()?));
        }
        Ok(filter)
    }

    fn single(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > 64 {
            return Err("nested too deeply".to_owned());
        }
        let filter = if self.word("not") {
            Filter::Not(Box::new(self.single()?))
        } else if self.mark('(') {
            let filter = self.either()?;
            if !self.mark(')') {
                return Err("a `)` is missing".to_owned());
            }
            filter
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn term(&mut self) -> Result<Filter, String> {
        if self.syntax == Syntax::Lucene && self.mark('*') {
            return Ok(Filter::All);
        }
        let (name, syntax) = (self.name()?, self.syntax);
        match syntax {
            Syntax::Odata if name == "contains" && self.mark('(') => {
                let field = self.name()?;
                if !self.mark(',') {
                    return Err("`contains` takes a field and a text".to_owned());
                }
                let text = self.quoted('\'')?;
                if !self.mark(')') {
                    return Err("a `)` is missing".to_owned());
                }
                Ok(Filter::Contains(field, text))
            }
            Syntax::Odata => {
                if !self.word("eq") {
                    return Err(format!("`eq` is missing after {name:?}"));
                }
                Ok(Filter::Equals(name, self.quoted('\'')?))
            }
            Syntax::Lucene => {
                let Some(rest) = self.rest.strip_prefix(':') else {
                    return Err(format!("`:` is missing after {name:?}"));
                };
                self.rest = rest;
                if self.rest.starts_with('"') { Ok(Filter::Contains(name, self.quoted('"')?)) } else { self.bare(name) }
            }
        }
    }

    fn bare(&mut self, name: String) -> Result<Filter, String> {
        let end = self.rest.find([' ', '(', ')', '"']).unwrap_or(self.rest.len());
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest;
        match value {
            "" => Err(format!("{name:?} has no value")),
            "*" => Ok(Filter::All),
            value => Ok(Filter::Contains(name, value.to_owned())),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        self.blanks();
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(format!("a field name is missing at {:?}", self.rest));
        }
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        self.blanks();
        let mut letters = self.rest.char_indices();
        if letters.next().map(|(_, letter)| letter) != Some(quote) {
            return Err(format!("a quoted value is missing at {:?}", self.rest));
        }
        let mut value = String::new();
        while let Some((at, letter)) = letters.next() {
            let next = self.rest[at + letter.len_utf8()..].chars().next();
            match (self.syntax, letter) {
                (Syntax::Odata, letter) if letter == quote && next == Some(quote) => {
                    letters.next();
                    value.push(quote);
                }
                (Syntax::Lucene, '\\') => match letters.next() {
                    Some((_, escaped)) => value.push(escaped),
                    None => break,
                },
                (_, letter) if letter == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(value);
                }
                (_, letter) => value.push(letter),
            }
        }
        Err("a quote is not closed".to_owned())
    }
}

impl Filter {
    /// Whether a record passes.
    pub fn holds(&self, record: &Value) -> bool {
        match self {
            Filter::All => true,
            Filter::Equals(name, value) => values(record, name).iter().any(|it| it.eq_ignore_ascii_case(value)),
            Filter::Contains(name, value) => {
                values(record, name).iter().any(|it| it.to_lowercase().contains(&value.to_lowercase()))
            }
            Filter::And(a, b) => a.holds(record) && b.holds(record),
            Filter::Or(a, b) => a.holds(record) || b.holds(record),
            Filter::Not(it) => !it.holds(record),
        }
    }

    /// The fields that it names.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Filter::All => Vec::new(),
            Filter::Equals(name, _) | Filter::Contains(name, _) => vec![name],
            Filter::And(a, b) | Filter::Or(a, b) => [a.names(), b.names()].concat(),
            Filter::Not(it) => it.names(),
        }
    }
}

/// Every text under a field's name: scalars, elements of lists, and what is under `value` of an object; of a field that
/// the record has not at its top, those one list or object below.
fn values(record: &Value, name: &str) -> Vec<String> {
    match record.get(name) {
        Some(value) => texts(value),
        None => match record {
            Value::Object(fields) => fields.values().flat_map(|value| below(value, name)).collect(),
            _ => Vec::new(),
        },
    }
}

fn below(value: &Value, name: &str) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(|item| item.get(name)).flat_map(texts).collect(),
        Value::Object(fields) => fields.get(name).map(texts).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Bool(flag) => vec![flag.to_string()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.get("value").map(texts).unwrap_or_default(),
        Value::Null => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_syntaxes_are_read_and_applied() {
        let record = serde_json::json!({ "endpointName": { "value": "o'brien" }, "ip": { "value": ["10.0.0.1", "10.0.0.2"] }, "dpt": 443, "path": "C:\\x" });
        for (syntax, text, holds) in [
            (Syntax::Odata, "endpointName eq 'o''brien' and ip eq '10.0.0.2'", true),
            (Syntax::Odata, "not (ip eq '10.0.0.3')", true),
            (Syntax::Odata, "contains(endpointName,'bri')", true),
            (Syntax::Lucene, "dpt:\"443\" or path:\"nothing\"", true),
            (Syntax::Lucene, "path:\"c:\\\\X\"", true),
            (Syntax::Lucene, "*", true),
            (Syntax::Lucene, "dpt:80", false),
        ] {
            assert_eq!(parse(syntax, text).map(|filter| filter.holds(&record)), Ok(holds), "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for (syntax, text) in [
            (Syntax::Odata, ""),
            (Syntax::Odata, "a eq b"),
            (Syntax::Odata, "a eq 'b"),
            (Syntax::Odata, "a eq 'o'brien'"),
            (Syntax::Odata, "(a eq 'b'"),
            (Syntax::Lucene, "a:\"b"),
            (Syntax::Lucene, "a:\"a\"b\""),
            (Syntax::Lucene, "1a:\"b\""),
        ] {
            assert!(parse(syntax, text).is_err(), "{text}");
        }
    }
}
