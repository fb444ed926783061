//! GraphML, which Gephi, yEd, igraph and networkx read.

use std::collections::BTreeMap;
use std::io::Write;

use connectome_core::Error;
use serde_json::Value;

use super::{EDGES, Element, FOUND, NODES, elements};
use crate::store::Store;

/// The type of a property, as narrow as all its values allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Boolean,
    /// Whole numbers that a double holds exactly as well.
    Small,
    Long,
    Double,
    Text,
}

impl Type {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(_) => Some(Type::Boolean),
            Value::Number(number) if number.as_i64().is_some_and(|it| it.unsigned_abs() <= 1 << 53) => {
                Some(Type::Small)
            }
            Value::Number(number) if number.is_i64() => Some(Type::Long),
            Value::Number(number) if number.is_f64() => Some(Type::Double),
            _ => Some(Type::Text),
        }
    }

    fn with(self, other: Self) -> Self {
        match (self, other) {
            (Type::Small, wider @ (Type::Long | Type::Double)) | (wider @ (Type::Long | Type::Double), Type::Small) => {
                wider
            }
            _ if self == other => self,
            _ => Type::Text,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Type::Boolean => "boolean",
            Type::Small | Type::Long => "long",
            Type::Double => "double",
            Type::Text => "string",
        }
    }
}

/// The number and type of every property of nodes or edges.
type Keys = BTreeMap<String, (usize, Type)>;

/// Writes the graph as GraphML: entities are nodes; relationships are edges, and so are those with other instances'
/// entities, one for each that was found. Lists are JSON text. A null is left out. A character that XML cannot hold is
/// `_xHHHH_`, as in other formats of office programs.
pub fn graphml(store: &Store, instance: Option<&str>, out: &mut dyn Write) -> Result<(), Error> {
    store.reading(|| {
        let (nodes, edges) = (keys(store, instance, &[NODES])?, keys(store, instance, &[EDGES, FOUND])?);
        let mut put = |text: &str| out.write_all(text.as_bytes()).map_err(Error::unwritten);
        put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n")?;
        for (keys, of) in [(&nodes, "node"), (&edges, "edge")] {
            for (name, (number, ty)) in keys {
                let (letter, ty) = (&of[..1], ty.name());
                let name = attribute(name);
                put(&format!("<key id=\"{letter}{number}\" for=\"{of}\" attr.name=\"{name}\" attr.type=\"{ty}\"/>\n"))?;
            }
        }
        put("<graph edgedefault=\"directed\">\n")?;
        elements(store, NODES, instance, |it| put(&node(&it, &nodes)))?;
        for select in [EDGES, FOUND] {
            elements(store, select, instance, |it| put(&edge(&it, &edges)))?;
        }
        put("</graph>\n</graphml>\n")?;
        out.flush().map_err(Error::unwritten)
    })
}

fn keys(store: &Store, instance: Option<&str>, selects: &[&str]) -> Result<Keys, Error> {
    let mut keys = Keys::new();
    for select in selects {
        elements(store, select, instance, |it| {
            for (name, value) in it.fields() {
                if let Some(ty) = Type::of(&value) {
                    let known = keys.entry(name).or_insert((0, ty));
                    known.1 = known.1.with(ty);
                }
            }
            Ok(())
        })?;
    }
    keys.values_mut().enumerate().for_each(|(number, key)| key.0 = number);
    Ok(keys)
}

fn node(it: &Element, keys: &Keys) -> String {
    let id = attribute(&name(&it.instance, &it.object.key));
    format!("<node id=\"{id}\">{}</node>\n", data(it, 'n', keys))
}

fn edge(it: &Element, keys: &Keys) -> String {
    let Some([from, to]) = &it.ends else { return String::new() };
    let [source, target] = [from, to].map(|(instance, key)| attribute(&name(instance, key)));
    // Of a relationship that found several ends, each has a name of its own.
    let other = if from.0 == it.instance { to } else { from };
    let id = match it.found {
        true => format!("{}#{}/{}", plain(&it.instance), plain(&it.object.key), name(&other.0, &other.1)),
        false => name(&it.instance, &it.object.key),
    };
    let id = attribute(&id);
    format!("<edge id=\"{id}\" source=\"{source}\" target=\"{target}\">{}</edge>\n", data(it, 'e', keys))
}

fn data(it: &Element, letter: char, keys: &Keys) -> String {
    let one = |(name, value): (String, Value)| {
        let number = keys.get(&name).filter(|_| !value.is_null())?.0;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(format!("<data key=\"{letter}{number}\">{}</data>", content(&text)))
    };
    it.fields().into_iter().filter_map(one).collect()
}

/// What names an object of any instance: the first `/` ends the instance's name.
fn name(instance: &str, key: &str) -> String {
    format!("{}/{key}", plain(instance))
}

fn plain(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F").replace('#', "%23")
}

/// Text between tags.
fn content(text: &str) -> String {
    escape(text, &[])
}

/// Text between quotes, of which a reader would make blanks of tabs and ends of lines.
fn attribute(text: &str) -> String {
    escape(text, &['\t', '\n', '"'])
}

fn escape(text: &str, further: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\r' => escaped.push_str("&#13;"),
            _ if further.contains(&c) => escaped.push_str(&format!("&#{};", u32::from(c))),
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                escaped.push_str(&format!("_x{:04X}_", u32::from(c)));
            }
            // What reads as if something had been escaped.
            '_' if is_escape(&text[at..]) => escaped.push_str("_x005F_"),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn is_escape(text: &str) -> bool {
    matches!(text.as_bytes(), [b'_', b'x', a, b, c, d, b'_', ..] if [a, b, c, d].iter().all(|it| it.is_ascii_hexdigit()))
}
