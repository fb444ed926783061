//! Statements that load the graph into Neo4j or Memgraph.

use std::io::Write;

use connectome_core::Error;
use serde_json::{Map, Value};

use super::{EDGES, Element, FOUND, NODES, elements};
use crate::store::Store;

/// What makes loading of large graphs quick, which each database says in its own words.
pub const INDEXES: [(&str, &str); 2] = [
    ("Neo4j", "CREATE INDEX connectome IF NOT EXISTS FOR (n:`Entity`) ON (n.`_instance`, n.`_key`);"),
    ("Memgraph", "CREATE INDEX ON :`Entity`(`_key`);"),
];

/// How many objects a statement loads, and how many bytes of them: longer statements are hard on a parser.
const BATCH: usize = 500;
const BYTES: usize = 256 * 1024;

/// Writes statements that load the graph. Entities are nodes with the label `Entity`, their classes and their type;
/// relationships are named by their class. Loading twice does nothing twice. Lists of unlike values, which these
/// databases do not keep, are JSON text, and so are whole numbers of more than 64 bits.
pub fn cypher(store: &Store, instance: Option<&str>, out: &mut dyn Write) -> Result<(), Error> {
    store.reading(|| {
        for select in [NODES, EDGES, FOUND] {
            let mut batch = Batch::default();
            elements(store, select, instance, |it| {
                let (end, row) = (end(&it), row(&it));
                if batch.end != end || batch.count == BATCH || batch.rows.len() + row.len() > BYTES {
                    batch.write(out)?;
                    batch.end = end;
                }
                batch.add(&row);
                Ok(())
            })?;
            batch.write(out)?;
        }
        out.flush().map_err(Error::unwritten)
    })
}

/// Rows that the same words load.
#[derive(Default)]
struct Batch {
    rows: String,
    count: usize,
    end: String,
}

impl Batch {
    fn add(&mut self, row: &str) {
        self.rows += if self.count == 0 { "\n" } else { ",\n" };
        self.rows += row;
        self.count += 1;
    }

    fn write(&mut self, out: &mut dyn Write) -> Result<(), Error> {
        if self.count > 0 {
            write!(out, "UNWIND [{}\n] AS row\n{};\n", self.rows, self.end).map_err(Error::unwritten)?;
        }
        self.rows.clear();
        self.count = 0;
        Ok(())
    }
}

fn row(it: &Element) -> String {
    let fields = map(&it.fields());
    let Some([from, to]) = &it.ends else { return fields };
    let ends = [("a", &from.0), ("b", &from.1), ("c", &to.0), ("d", &to.1)];
    let ends: String = ends.iter().map(|(name, text)| format!("{name}: {}, ", quoted(text))).collect();
    format!("{{{ends}fields: {fields}}}")
}

fn end(it: &Element) -> String {
    let class = it.object.kind.class();
    if it.ends.is_some() {
        return format!(
            "MATCH (a:`Entity` {{`_instance`: row.a, `_key`: row.b}})\n\
             MATCH (b:`Entity` {{`_instance`: row.c, `_key`: row.d}})\n\
             MERGE (a)-[r:{} {{`_instance`: row.fields.`_instance`, `_key`: row.fields.`_key`}}]->(b)\nSET r = row.fields",
            named(&class)
        );
    }
    let labels: String = class
        .split(' ')
        .filter(|class| !class.is_empty())
        .chain([&*it.object.ty])
        .map(|it| format!(":{}", named(it)))
        .collect();
    format!("MERGE (n:`Entity` {{`_instance`: row.`_instance`, `_key`: row.`_key`}})\nSET n = row\nSET n{labels}")
}

fn map(fields: &Map<String, Value>) -> String {
    let fields: Vec<String> = fields
        .iter()
        .filter(|(name, value)| !name.is_empty() && !value.is_null())
        .map(|(name, value)| format!("{}: {}", named(name), literal(value)))
        .collect();
    format!("{{{}}}", fields.join(", "))
}

fn literal(value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        // The number without its sign has no place in 64 bits, and the sign is read later.
        Value::Number(number) if number.as_i64() == Some(i64::MIN) => format!("({} - 1)", i64::MIN + 1),
        Value::Number(number) if number.is_i64() || number.is_f64() => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) if alike(items) => {
            format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        other => quoted(&other.to_string()),
    }
}

/// Whether a list can be kept as one.
fn alike(items: &[Value]) -> bool {
    let all = |is: fn(&Value) -> bool| items.iter().all(is);
    all(Value::is_string) || all(Value::is_boolean) || all(Value::is_i64) || all(Value::is_f64)
}

/// A text. Some versions of Neo4j read `\u` before anything else, even after a backslash that was meant to be one: so
/// that no text can be taken for more than text, a `u` that follows a backslash is written by its number.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    let mut last = ' ';
    for c in text.chars() {
        match c {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() || c == 'u' && last == '\\' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
        last = c;
    }
    quoted.push('\'');
    quoted
}

/// A name. Between backticks nothing can be escaped but a backtick; a backslash before a `u`, which some versions of
/// Neo4j read as a character's number, gives way to one that only looks like it.
fn named(name: &str) -> String {
    format!("`{}`", name.replace("\\u", "\u{ff3c}u").replace('`', "``"))
}
