//! Relationships with entities of other instances: which of those in the local graph they mean. Texts are compared in any
//! case, and a list agrees when one of its elements does.

use connectome_core::Error;
use rusqlite::params;
use serde_json::Value;

use crate::source::texts;
use crate::store::{Store, failed, json};

/// Finds the other ends anew, after a run of an instance: its own relationships may have changed, and so may the entities
/// that others look for. Returns how many relationships of the instance found at least one.
pub fn resolve(store: &Store, instance: &str) -> Result<u64, Error> {
    let db = &store.db;
    let run = || -> Result<u64, rusqlite::Error> {
        db.execute_batch(
            "BEGIN; DROP TABLE IF EXISTS temp.want; DROP TABLE IF EXISTS temp.have;
             CREATE TEMP TABLE want (instance TEXT, key TEXT, filter TEXT, names TEXT, value TEXT);
             CREATE TEMP TABLE have (instance TEXT, key TEXT, filter TEXT, names TEXT, value TEXT);",
        )?;
        let mut filters: Vec<(String, Vec<String>)> = Vec::new();
        let mut select = db.prepare("SELECT instance, key, mapping FROM graph_object WHERE kind = 2")?;
        let mut insert = db.prepare("INSERT INTO want VALUES (?1, ?2, ?3, ?4, ?5)")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (owner, key): (String, String) = (row.get(0)?, row.get(1)?);
            for (filter, names, value) in wanted(&json(&row.get::<_, String>(2)?)) {
                insert.execute(params![owner, key, filter, names.join("\0"), value])?;
                if !filters.iter().any(|known| known.0 == filter && known.1 == names) {
                    filters.push((filter, names));
                }
            }
        }
        let mut select =
            db.prepare("SELECT instance, key, class, type, properties FROM graph_object WHERE kind = 0")?;
        let mut insert = db.prepare("INSERT INTO have VALUES (?1, ?2, ?3, ?4, ?5)")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (class, ty): (String, String) = (row.get(2)?, row.get(3)?);
            let fits = |filter: &str| match filter.split_once('=') {
                Some(("_type", wanted)) => ty == wanted,
                Some((_, wanted)) => class.split(' ').any(|class| class == wanted),
                None => false,
            };
            if !filters.iter().any(|(filter, _)| fits(filter)) {
                continue;
            }
            let (owner, key): (String, String) = (row.get(0)?, row.get(1)?);
            let mut properties = json(&row.get::<_, String>(4)?);
            properties["_key"] = Value::from(key.clone());
            for (filter, names) in filters.iter().filter(|(filter, _)| fits(filter)) {
                for value in values(&properties, names) {
                    insert.execute(params![owner, key, filter, names.join("\0"), value])?;
                }
            }
        }
        db.execute_batch(
            "CREATE INDEX temp.have_value ON have (value, names, filter);
             DELETE FROM graph_found;
             INSERT OR IGNORE INTO graph_found SELECT w.instance, w.key, h.instance, h.key FROM want w
                JOIN have h ON h.value = w.value AND h.names = w.names AND h.filter = w.filter
                WHERE h.instance <> w.instance;
             DROP TABLE temp.want; DROP TABLE temp.have; COMMIT;",
        )?;
        db.query_row("SELECT count(DISTINCT key) FROM graph_found WHERE instance = ?1", [instance], |row| row.get(0))
    };
    run().map_err(|error| {
        let _ = db.execute_batch("ROLLBACK");
        failed(error)
    })
}

/// What a mapping looks for: class or type, names of properties, and their values as one text.
fn wanted(mapping: &Value) -> Vec<(String, Vec<String>, String)> {
    let target = &mapping["targetEntity"];
    let sets = mapping["targetFilterKeys"].as_array().map_or(&[][..], Vec::as_slice);
    let one = |set: &Value| {
        let names: Vec<&str> = set.as_array()?.iter().filter_map(Value::as_str).collect();
        let filter = names.iter().find(|name| matches!(**name, "_class" | "_type"))?;
        let names: Vec<String> = names.iter().filter(|name| *name != filter).map(|name| (*name).to_owned()).collect();
        let filter = format!("{filter}={}", target[*filter].as_str()?);
        Some(values(target, &names).into_iter().map(move |value| (filter.clone(), names.clone(), value)))
    };
    sets.iter().filter_map(one).flatten().collect()
}

/// The values of these properties as one text each; several where a property is a list.
fn values(properties: &Value, names: &[String]) -> Vec<String> {
    names.iter().fold(vec![String::new()], |starts, name| {
        let found = texts(&properties[name.as_str()]);
        starts.iter().flat_map(|start| found.iter().map(move |it| format!("{start}{}\0", it.to_lowercase()))).collect()
    })
}
