//! Runs over accounts that change at random, beside a model that is a map.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::changes::planned;
use crate::map::Joining;
use crate::report::Counts;
use crate::stage::What;
use crate::table::{Dialect, End, How, Keep, Relationship, Side, Template};

/// An account: entities by number with what they and their records say, edges, and mapped relationships.
#[derive(Debug, Clone)]
struct Account {
    entities: BTreeMap<usize, (usize, usize)>,
    edges: BTreeMap<(usize, usize), usize>,
    mapped: BTreeMap<usize, usize>,
    /// The types that are partial, and which objects of those are not seen, bit by bit.
    partial: u8,
    unseen: u64,
}

const TYPES: [&str; 8] = ["a", "b", "a_has_a", "a_has_b", "b_has_a", "b_has_b", "a_is", "b_is"];

fn account() -> impl Strategy<Value = Account> {
    let entities = btree_map(0..8_usize, (0..4_usize, 0..3_usize), 0..8);
    let edges = btree_map((0..8_usize, 0..8_usize), 0..4_usize, 0..8);
    let mapped = btree_map(0..8_usize, 0..4_usize, 0..4);
    let some = prop_oneof![Just(0_u8), any::<u8>()];
    (entities, edges, mapped, some, any::<u64>()).prop_map(|(entities, edges, mapped, partial, unseen)| Account {
        entities,
        edges,
        mapped,
        partial,
        unseen,
    })
}

fn content(number: usize) -> Value {
    match number {
        0 => json!({ "name": "one", "active": true }),
        1 => json!({ "name": "o'ne\n\u{1}😀", "active": null, "lists": ["x", "y"] }),
        2 => json!({ "active": true, "count": 9_007_199_254_740_993_i64 }),
        _ => json!({ "name": "one", "active": "true", "score": 0.5 }),
    }
}

fn ty(number: usize) -> &'static str {
    TYPES[number % 2]
}

impl Account {
    /// What the account holds, whether or not it is seen.
    fn all(&self) -> Vec<Object> {
        let key = |number: &usize| format!("e{number}");
        let mut all: Vec<Object> = Vec::new();
        for (number, (says, raw)) in &self.entities {
            let mut object = entity(&key(number), ty(*number), &["User"], content(*says));
            object.raw = Some(json!({ "id": number, "raw": raw }));
            all.push(object);
        }
        let there = |number: &usize| self.entities.contains_key(number);
        for ((from, to), says) in self.edges.iter().filter(|((from, to), _)| there(from) && there(to)) {
            all.push(has(&key(from), &key(to), &format!("{}_has_{}", ty(*from), ty(*to)), content(*says)));
        }
        for (own, says) in self.mapped.iter().filter(|(own, _)| there(own)) {
            let target = json!({ "_class": "Person", "email": format!("{says}@x") });
            all.push(is(&key(own), &format!("{}_is", ty(*own)), "FORWARD", target, json!([["_class", "email"]])));
        }
        all
    }

    fn partial(&self) -> BTreeSet<String> {
        (0..8).filter(|bit| self.partial >> bit & 1 == 1).map(|bit| TYPES[bit].to_owned()).collect()
    }

    /// What a run reads.
    fn seen(&self) -> Vec<Object> {
        let partial = self.partial();
        let unseen =
            |number: usize, object: &Object| self.unseen >> (number % 64) & 1 == 1 && partial.contains(&object.ty);
        self.all().into_iter().enumerate().filter(|(at, it)| !unseen(*at, it)).map(|(_, it)| it).collect()
    }
}

type Live = BTreeMap<String, Object>;

fn needs(object: &Object) -> Vec<&str> {
    match &object.kind {
        Kind::Entity(_) => Vec::new(),
        Kind::Relationship { from, to, .. } => vec![from, to],
        Kind::Mapped { mapping, .. } => mapping["sourceEntityKey"].as_str().into_iter().collect(),
    }
}

/// What is live after a run, and what of it was staged.
fn after(live: &Live, seen: &[Object], partial: &BTreeSet<String>) -> (Live, usize) {
    let mut next = Live::new();
    let mut staged = 0;
    for entities in [true, false] {
        let this = |object: &&Object| matches!(object.kind, Kind::Entity(_)) == entities;
        let whole = |next: &Live, object: &Object| needs(object).iter().all(|key| next.contains_key(*key));
        for object in live.values().filter(this) {
            let read = seen.iter().any(|it| it.key == object.key);
            if !read && partial.contains(&object.ty) && whole(&next, object) {
                next.insert(object.key.clone(), object.clone());
            }
        }
        for object in seen.iter().filter(this) {
            if whole(&next, object) {
                next.insert(object.key.clone(), object.clone());
                staged += 1;
            }
        }
    }
    (next, staged)
}

fn live(store: &Store) -> Live {
    let mut live = Live::new();
    let see = |_: &str, object: Object| {
        live.insert(object.key.clone(), object);
        Ok(())
    };
    store.each(Some("one"), true, see).unwrap();
    live
}

/// Every version that the store has: of each key in order, with whether it was deleted, and when it began and ended.
type Versions = BTreeMap<String, Vec<(i64, Object, Option<(i64, bool)>)>>;

fn versions(store: &Store) -> Versions {
    let mut versions = Versions::new();
    let columns = "key, kind, type, class, from_key, to_key, mapping, properties, NULL, version";
    for (table, last) in [("graph_past", "ended, deleted"), ("graph_object", "NULL, NULL")] {
        let text = format!("SELECT {columns}, {last} FROM {table} WHERE instance = 'one' ORDER BY key, version");
        let mut select = store.db.prepare(&text).unwrap();
        let mut found = select.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let it = crate::store::object(row, 0).unwrap();
            let end = row.get::<_, Option<i64>>(10).unwrap().map(|ended| (ended / 1000, row.get(11).unwrap()));
            versions.entry(it.key.clone()).or_default().push((row.get(9).unwrap(), it, end));
        }
    }
    versions
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_graph_follows_the_account_and_keeps_its_history(accounts in vec(account(), 1..6)) {
        let mut store = Store::in_memory().unwrap();
        // Another instance with the same keys, which nothing below may touch.
        (store, _) = run(store, "two", 1, &[entity("e0", "a", &["User"], json!({}))], &set(&[]));
        let other = |store: &Store| -> Vec<String> {
            TABLES[1..3].iter().flat_map(|table| rows(store, table)).filter(|row| row.starts_with("Text(\"two\")")).collect()
        };
        let of_other = other(&store);
        prop_assert_eq!(of_other.len(), 1);
        let mut model = Live::new();
        let mut past = Versions::new();
        for (second, account) in (10..).zip(&accounts) {
            let (seen, partial) = (account.seen(), account.partial());
            let (next, staged) = after(&model, &seen, &partial);

            // A look changes nothing, and tells what would be.
            let before = all_rows(&store);
            let stage = Stage::begin(store, "one").unwrap();
            stage_all(&stage, &seen);
            stage.drop_dangling(&partial).unwrap();
            let plan = stage.difference(&partial).unwrap();
            let mut planned_changes = Vec::new();
            stage.changes(|change| { planned_changes.push(planned("one", &change)); Ok(()) }).unwrap();
            store = stage.end().unwrap();
            prop_assert_eq!(&before, &all_rows(&store));

            let difference;
            (store, difference) = run(store, "one", second, &seen, &partial);
            prop_assert_eq!(&plan, &difference);
            prop_assert_eq!(&live(&store), &next);
            for object in account.all().iter().filter(|it| partial.contains(&it.ty) && model.contains_key(&it.key)) {
                // An edge may lose its end to an older account, and come back when it is seen again.
                if needs(object).iter().all(|key| next.contains_key(*key)) {
                    prop_assert!(next.contains_key(&object.key), "{} was deleted", object.key);
                }
            }

            // The counts agree with what was there and with what was read.
            let sum = |of: fn(&Counts) -> u64| difference.types.values().map(of).sum::<u64>() as usize;
            prop_assert_eq!(sum(|it| it.created + it.updated + it.unchanged), staged);
            prop_assert_eq!(sum(|it| it.deleted + it.updated + it.unchanged + it.kept), model.len());
            let mut what = Vec::new();
            for (key, object) in &next {
                let is = |it: &Object| (it.ty.clone(), it.kind.clone(), it.properties.clone());
                let versions = past.entry(key.clone()).or_default();
                match model.get(key) {
                    Some(known) if is(known) == is(object) => continue,
                    Some(_) => versions.last_mut().unwrap().2 = Some((second, false)),
                    None => {}
                }
                what.push((if model.contains_key(key) { What::Updated } else { What::Created }, key.clone()));
                versions.push((versions.len() as i64 + 1, Object { raw: None, ..object.clone() }, None));
            }
            for key in model.keys().filter(|key| !next.contains_key(*key)) {
                past.get_mut(key).unwrap().last_mut().unwrap().2 = Some((second, true));
                what.push((What::Deleted, key.clone()));
            }
            prop_assert_eq!(&versions(&store), &past);

            // What is told afterwards is what was planned.
            let changes = told(&store, Some("one"), Since::Runs(1));
            let mut told_changes: Vec<_> = changes.iter().map(|it| (it.what, it.key.clone())).collect();
            told_changes.sort_by_key(|(what, key)| (what.word(), key.clone()));
            what.sort_by_key(|(what, key)| (what.word(), key.clone()));
            prop_assert_eq!(told_changes, what);
            let bare = |it: &Change| Change { run: None, time: None, ..it.clone() };
            prop_assert_eq!(changes.iter().map(bare).collect::<Vec<_>>(), planned_changes);

            // The same again is no change, and writes nothing but that there was a run.
            let before = all_rows(&store);
            (store, _) = run(store, "one", second, &seen, &partial);
            let again = all_rows(&store);
            prop_assert_eq!(&before[1..], &again[1..]);
            prop_assert_eq!(before[0].len() + 1, again[0].len());
            prop_assert_eq!(told(&store, Some("one"), Since::Runs(1)), Vec::<Change>::new());
            prop_assert_eq!(told(&store, Some("one"), Since::LastChange).is_empty(), store.state("one").unwrap() == 0);
            model = next;
        }
        // Every change of every run is told once.
        let all = told(&store, Some("one"), Since::Runs(u64::MAX));
        let made = all.iter().filter(|it| it.what != What::Deleted).count();
        prop_assert_eq!(made, past.values().map(Vec::len).sum::<usize>());
        prop_assert_eq!(of_other, other(&store));
    }
}

#[test]
fn a_run_that_is_given_up_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("graph.db");
    let (store, _) = run(Store::open(&file).unwrap(), "one", 1, &[entity("e0", "a", &["User"], json!({}))], &set(&[]));
    drop(store);
    let before = std::fs::read(&file).unwrap();
    for give_up in [true, false] {
        let stage = Stage::begin(Store::open(&file).unwrap(), "one").unwrap();
        stage.add(&entity("e1", "a", &["User"], json!({}))).unwrap();
        assert_eq!(stage.difference(&set(&[])).unwrap().changes(), 2);
        // Others can read and write meanwhile.
        Store::open(&file).unwrap().note_upload("two", "there", 1).unwrap();
        if give_up {
            let store = stage.end().unwrap();
            assert_eq!(live(&store).into_keys().collect::<Vec<_>>(), ["e0"]);
        }
    }
    let store = Store::open(&file).unwrap();
    store.db.execute("DELETE FROM graph_upload", []).unwrap();
    assert_eq!(live(&store).into_keys().collect::<Vec<_>>(), ["e0"]);
    assert_eq!(rows(&store, "graph_sync").len(), 1);
    drop(store);
    assert_eq!(before.len(), std::fs::read(&file).unwrap().len());
}

const ONE: End = End { leaves: true, key: Template(&[]) };
const SIDE: Side = Side { step: 0, value: &["v"], end: ONE, tells: true };
const JOIN: Relationship = Relationship {
    ty: "a_has_b",
    verb: "HAS",
    from: "a",
    to: "b",
    how: How::Join(SIDE, Side { end: End { leaves: false, ..ONE }, ..SIDE }),
    properties: &[],
    collect: &[],
    keep: Keep::Least(&["level"]),
};

/// An order and what the edge says of itself.
type Edges = &'static [(Option<f64>, &'static str)];
/// Edges between the same ends, and which of them stays.
const LEAST: [(Edges, &str); 6] = [
    (&[(Some(2.0), "x"), (Some(1.0), "y"), (Some(3.0), "z")], "y"),
    (&[(Some(1.0), "x"), (Some(1.0), "y")], "x"),
    (&[(None, "x"), (Some(4.0), "y")], "y"),
    (&[(Some(4.0), "x"), (None, "y")], "x"),
    (&[(None, "x"), (None, "y")], "x"),
    // The same edge again, of a lesser order than before, counts as lesser.
    (&[(Some(3.0), "x"), (Some(1.0), "x"), (Some(2.0), "y")], "x"),
];

#[test]
fn of_several_edges_the_least_stays_whether_listed_or_joined() {
    const DIALECT: Dialect = Dialect { name: "test", entities: &[], relationships: &[JOIN] };
    for (edges, wanted) in LEAST {
        let kept = |stage: &Stage| {
            let mut kept = Vec::new();
            stage
                .each(|it| {
                    kept.push(it.properties["says"].clone());
                    Ok(())
                })
                .unwrap();
            kept
        };
        let stage = Stage::begin(Store::in_memory().unwrap(), "one").unwrap();
        for (order, says) in edges {
            stage.add_edge(&has("a", "b", "a_has_b", json!({ "says": says })), *order).unwrap();
        }
        assert_eq!(kept(&stage), [json!(wanted)], "{edges:?} listed");

        let side = |second, key: &str, order, properties| Joining {
            relationship: 0,
            second,
            value: "v".into(),
            key: key.into(),
            order,
            properties,
            collected: Vec::new(),
        };
        let stage = Stage::begin(Store::in_memory().unwrap(), "one").unwrap();
        stage.add_side(&side(true, "b", None, None)).unwrap();
        for (order, says) in edges {
            stage.add_side(&side(false, "a", *order, Some(fields(json!({ "says": says }))))).unwrap();
        }
        assert_eq!(stage.join(&DIALECT).unwrap(), [(0, [edges.len() as u64, 1], edges.len() as u64)]);
        assert_eq!(kept(&stage), [json!(wanted)], "{edges:?} joined");
    }
}

#[test]
fn an_apply_that_breaks_off_leaves_the_graph_as_it_was() {
    let objects = |says: &str| {
        ["e0", "e1"].map(|key| entity(key, "a", &["User"], json!({ "says": if key == "e0" { says } else { "same" } })))
    };
    for broken in ["INSERT ON graph_past", "INSERT ON graph_object", "UPDATE ON graph_object", "DELETE ON graph_object"]
    {
        let store = runs(&[("one", &objects("before"))]);
        let before = all_rows(&store);
        let full = format!("CREATE TEMP TRIGGER full BEFORE {broken} BEGIN SELECT raise(ABORT, 'no more room'); END");
        store.db.execute_batch(&full).unwrap();
        let stage = Stage::begin(store, "one").unwrap();
        stage_all(&stage, &[objects("after")[0].clone(), entity("e2", "a", &["User"], json!({}))]);
        let now = Timestamp::UNIX_EPOCH;
        let error = stage.apply("test", now, now, &json!({}), &set(&[])).unwrap_err();
        assert!(error.to_string().contains("no more room"), "{error}");
        assert_eq!(all_rows(&stage.end().unwrap()), before, "{broken}");
    }
}

#[test]
fn a_staged_edge_needs_both_ends_staged_or_kept() {
    let (store, _) = run(
        Store::in_memory().unwrap(),
        "one",
        1,
        &[entity("a0", "a", &[], json!({})), entity("b0", "b", &[], json!({})), has("a0", "b0", "a_has_b", json!({}))],
        &set(&[]),
    );
    let stage = Stage::begin(store, "one").unwrap();
    stage.add(&entity("a0", "a", &[], json!({}))).unwrap();
    for to in ["b0", "b1", "a0"] {
        stage.add(&has("a0", to, "a_has_b", json!({}))).unwrap();
    }
    let dropped = stage.drop_dangling(&set(&["b"])).unwrap();
    assert_eq!(dropped, BTreeMap::from([("a_has_b".to_owned(), 1)]), "b1 is nowhere, b0 is kept");
    assert_eq!(stage.drop_dangling(&set(&[])).unwrap(), BTreeMap::from([("a_has_b".to_owned(), 1)]), "b0 goes");
}
