//! The live graph in forms that other programs read. Everything streams, and the same graph gives the same bytes.

use std::io::{self, Write};

use connectome_core::Error;
use serde_json::{Map, Value};

use crate::object::Object;
use crate::store::{Store, failed, object};

mod cypher;
mod graphml;

pub use cypher::{INDEXES, cypher};
pub use graphml::graphml;

/// One object a line, in the platform's form and with its `_instance`; with the records as well, if they are wanted.
/// Entities come first.
pub fn jsonl(store: &Store, instance: Option<&str>, with_raw: bool, out: &mut dyn Write) -> Result<(), Error> {
    store.each(instance, with_raw, |owner, object| {
        serde_json::to_writer(&mut *out, &owned(owner, &object, with_raw))
            .map_err(io::Error::from)
            .map_err(Error::unwritten)?;
        out.write_all(b"\n").map_err(Error::unwritten)
    })?;
    out.flush().map_err(Error::unwritten)
}

fn owned(instance: &str, object: &Object, with_raw: bool) -> Map<String, Value> {
    let mut json = Map::from_iter([("_instance".to_owned(), Value::from(instance))]);
    json.extend(object.json(with_raw));
    json
}

/// A node or an edge. A relationship with another instance's entity is an edge for each entity that was found.
struct Element {
    /// The instance it belongs to.
    instance: String,
    /// The instances and keys of an edge's ends.
    ends: Option<[(String, String); 2]>,
    /// Whether the other end was found in another instance.
    found: bool,
    object: Object,
}

/// In this order, elements of the same labels follow one another.
const NODES: &str = "SELECT key, kind, type, class, from_key, to_key, mapping, properties, NULL, instance,
        NULL, NULL, NULL, NULL FROM graph_object WHERE kind = 0 AND (?1 IS NULL OR instance = ?1)
    ORDER BY type, class, instance, key";
const EDGES: &str = "SELECT key, kind, type, class, from_key, to_key, mapping, properties, NULL, instance,
        instance, from_key, instance, to_key
    FROM graph_object WHERE kind = 1 AND (?1 IS NULL OR instance = ?1) ORDER BY class, type, instance, key";
const FOUND: &str =
    "SELECT m.key, m.kind, m.type, m.class, m.from_key, m.to_key, m.mapping, m.properties, NULL, m.instance,
        m.instance, s.key, t.instance, t.key
    FROM graph_found f
    JOIN graph_object m ON m.instance = f.instance AND m.key = f.key AND m.kind = 2
    JOIN graph_object s ON s.instance = m.instance AND s.key = m.from_key AND s.kind = 0
    JOIN graph_object t ON t.instance = f.target_instance AND t.key = f.target_key AND t.kind = 0
    WHERE ?1 IS NULL OR m.instance = ?1 AND t.instance = ?1
    ORDER BY m.class, m.type, m.instance, m.key, t.instance, t.key";

fn elements(
    store: &Store,
    select: &str,
    instance: Option<&str>,
    mut see: impl FnMut(Element) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut select = store.db.prepare(select).map_err(failed)?;
    let mut rows = select.query([instance]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        see(element(row).map_err(failed)?)?;
    }
    Ok(())
}

fn element(row: &rusqlite::Row<'_>) -> Result<Element, rusqlite::Error> {
    let object = object(row, 0)?;
    let ends = match row.get(10)? {
        Some(instance) => Some([(instance, row.get(11)?), (row.get(12)?, row.get(13)?)]),
        None => None,
    };
    let crate::object::Kind::Mapped { mapping, .. } = &object.kind else {
        return Ok(Element { instance: row.get(9)?, ends, found: false, object });
    };
    let backward = mapping["relationshipDirection"] == "REVERSE";
    let ends = ends.map(|[own, other]| if backward { [other, own] } else { [own, other] });
    Ok(Element { instance: row.get(9)?, ends, found: true, object })
}

impl Element {
    /// All that it has, flat.
    fn fields(&self) -> Map<String, Value> {
        let mut fields = owned(&self.instance, &self.object, false);
        if let (true, Some([from, to])) = (self.found, &self.ends) {
            fields.shift_remove("_mapping");
            fields.insert("_fromEntityKey".to_owned(), Value::from(from.1.clone()));
            fields.insert("_toEntityKey".to_owned(), Value::from(to.1.clone()));
        }
        fields
    }
}
