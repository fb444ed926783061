//! What stands between the modules: runs over runs, and what is read from the store afterwards.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::changes::{Change, Since, changes};
use crate::object::{Kind, Object};
use crate::resolve;
use crate::stage::{Difference, Stage};
use crate::store::Store;

mod exporting;
mod history;
mod mapping;
mod resolving;
mod telling;

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn entity(key: &str, ty: &str, classes: &[&str], properties: Value) -> Object {
    let classes = classes.iter().map(|class| (*class).to_owned()).collect();
    Object { key: key.into(), ty: ty.into(), kind: Kind::Entity(classes), properties: fields(properties), raw: None }
}

fn has(from: &str, to: &str, ty: &str, properties: Value) -> Object {
    let kind = Kind::Relationship { class: "HAS".into(), from: from.into(), to: to.into() };
    Object { key: format!("{from}|has|{to}"), ty: ty.into(), kind, properties: fields(properties), raw: None }
}

/// A relationship with another instance's entity; `sets` name what of `target` must agree.
fn is(own: &str, ty: &str, direction: &str, target: Value, sets: Value) -> Object {
    let mapping = json!({
        "relationshipDirection": direction, "sourceEntityKey": own, "targetEntity": target, "targetFilterKeys": sets,
        "skipTargetCreation": true,
    });
    let kind = Kind::Mapped { class: "IS".into(), mapping };
    Object { key: format!("{own}|is|{direction}"), ty: ty.into(), kind, properties: Map::new(), raw: None }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn stage_all(stage: &Stage, objects: &[Object]) {
    for object in objects {
        stage.add(object).unwrap();
    }
}

/// Stages, compares, applies and resolves; the clock shows the second.
fn run(
    store: Store,
    instance: &str,
    second: i64,
    objects: &[Object],
    partial: &BTreeSet<String>,
) -> (Store, Difference) {
    let stage = Stage::begin(store, instance).unwrap();
    stage_all(&stage, objects);
    stage.drop_dangling(partial).unwrap();
    let difference = stage.difference(partial).unwrap();
    let time = Timestamp::from_second(second).unwrap();
    stage.apply("test", time, time, &json!({}), partial).unwrap();
    let store = stage.end().unwrap();
    resolve::resolve(&store, instance).unwrap();
    (store, difference)
}

/// One run after another, of which nothing is partial.
fn runs(runs: &[(&str, &[Object])]) -> Store {
    let mut store = Store::in_memory().unwrap();
    for (second, (instance, objects)) in (1..).zip(runs) {
        (store, _) = run(store, instance, second, objects, &set(&[]));
    }
    store
}

fn told(store: &Store, instance: Option<&str>, since: Since) -> Vec<Change> {
    let mut all = Vec::new();
    changes(store, instance, since, |change| {
        all.push(change);
        Ok(())
    })
    .unwrap();
    all
}

/// Every row of a table as text.
fn rows(store: &Store, table: &str) -> Vec<String> {
    let mut select = store.db.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns = select.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let cell = |at| row.get(at).map(|value: rusqlite::types::Value| format!("{value:?};"));
        (0..columns).map(cell).collect::<Result<String, _>>()
    };
    let mut rows: Vec<String> = select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap();
    rows.sort();
    rows
}

const TABLES: [&str; 6] = ["graph_sync", "graph_object", "graph_past", "graph_found", "graph_upload", "graph_format"];

fn all_rows(store: &Store) -> Vec<Vec<String>> {
    TABLES.iter().map(|table| rows(store, table)).collect()
}
