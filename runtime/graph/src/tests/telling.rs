//! What changed, for programs and for people.

use super::*;
use crate::stage::What;

fn user(properties: Value) -> Object {
    entity("user:PU1", "pagerduty_user", &["User"], properties)
}

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(Change::line).collect()
}

#[test]
fn a_line_says_what_was_and_what_is() {
    let table = [
        (json!({ "role": "user" }), json!({ "role": "admin" }), ": role \"user\" -> \"admin\""),
        (json!({ "role": "user" }), json!({ "role": null }), ": role \"user\" -> null"),
        (
            json!({ "a": 1, "b": [1, 2] }),
            json!({ "b": [2], "c": 0.5 }),
            ": a 1 -> nothing, b [1,2] -> [2], c nothing -> 0.5",
        ),
        (json!({ "a": "1" }), json!({ "a": 1 }), ": a \"1\" -> 1"),
        (
            json!({ "a\n": "\u{1b}[2J" }),
            json!({ "a\n": "\u{9b}\u{202e}\n" }),
            ": a\\u{a} \"\\u001b[2J\" -> \"\\u{9b}\\u{202e}\\n\"",
        ),
    ];
    for (before, after, wanted) in table {
        let named = |it: &Value| {
            let mut it = fields(it.clone());
            it.insert("displayName".into(), json!("Ines\u{7} Varga"));
            user(Value::Object(it))
        };
        let store = runs(&[("one", &[named(&before)]), ("one", &[named(&after)])]);
        let line = format!("~ pagerduty_user user:PU1 (Ines\\u{{7}} Varga){wanted}");
        assert_eq!(lines(&told(&store, None, Since::LastChange)), [line]);
    }
    let long = [user(json!({ "notes": "é".repeat(500) })), user(json!({}))];
    let store = runs(&[("one", &long[..1]), ("one", &long[1..])]);
    let line = format!("~ pagerduty_user user:PU1: notes \"{}… -> nothing", "é".repeat(79));
    assert_eq!(lines(&told(&store, None, Since::LastChange)), [line]);
}

#[test]
fn classes_types_and_ends_count_as_properties() {
    let edge = |to: &str| {
        let mut edge = has("user:PU1", "user:PU1", "t", json!({ "displayName": "HAS" }));
        edge.key = "edge".into();
        if let Kind::Relationship { to: end, .. } = &mut edge.kind {
            *end = to.into();
        }
        edge
    };
    let two = entity("user:PU2", "pagerduty_user", &["User"], json!({}));
    let other = entity("user:PU2", "pagerduty_bot", &["User", "Bot"], json!({}));
    let store = runs(&[
        ("one", &[user(json!({})), two, edge("user:PU1")]),
        ("one", &[user(json!({})), other, edge("user:PU2")]),
    ]);
    let changes = told(&store, Some("one"), Since::LastChange);
    let wanted = [
        "~ pagerduty_bot user:PU2: _type \"pagerduty_user\" -> \"pagerduty_bot\", _class [\"User\"] -> [\"User\",\"Bot\"]",
        "~ t edge: _toEntityKey \"user:PU1\" -> \"user:PU2\"",
    ];
    assert_eq!(lines(&changes), wanted);
    let wanted = json!({
        "run": 2, "time": "1970-01-01T00:00:02Z", "instance": "one", "change": "updated", "_type": "t", "_class": ["HAS"],
        "_key": "edge", "displayName": "HAS",
        "properties": [{ "name": "_toEntityKey", "before": "user:PU1", "after": "user:PU2" }],
    });
    assert_eq!(changes[1].json(), wanted);
}

#[test]
fn changes_are_told_from_a_run_or_a_time_on() {
    let one = &[user(json!({ "role": "user" }))][..];
    let two = &[user(json!({ "role": "admin" }))][..];
    let store = runs(&[
        ("one", one),
        ("two", one),
        ("one", two),
        ("one", two),
        ("one", &[]),
        ("one", one),
        ("two", one),
        ("one", &[]),
        ("one", &[]),
    ]);
    let time = |second| Since::Time(Timestamp::from_second(second).unwrap());
    let (made, changed, gone) = (What::Created, What::Updated, What::Deleted);
    let table = [
        (None, Since::LastChange, vec![(8, gone)]),
        (Some("two"), Since::LastChange, vec![(2, made)]),
        (Some("three"), Since::LastChange, vec![]),
        (None, Since::Runs(0), vec![]),
        (None, Since::Runs(1), vec![]),
        (None, Since::Runs(3), vec![(8, gone)]),
        (None, Since::Runs(4), vec![(6, made), (8, gone)]),
        (Some("one"), Since::Runs(4), vec![(5, gone), (6, made), (8, gone)]),
        (None, Since::Runs(u64::MAX), vec![(1, made), (2, made), (3, changed), (5, gone), (6, made), (8, gone)]),
        (None, time(6), vec![(6, made), (8, gone)]),
        (None, time(0), vec![(1, made), (2, made), (3, changed), (5, gone), (6, made), (8, gone)]),
        (Some("two"), time(2), vec![(2, made)]),
        (Some("two"), time(3), vec![]),
    ];
    for (instance, since, wanted) in table {
        let all = told(&store, instance, since);
        let found: Vec<_> = all.iter().map(|it| (it.run.unwrap(), it.what)).collect();
        assert_eq!(found, wanted, "{instance:?} {since:?}");
        assert!(all.iter().all(|it| it.time.map(Timestamp::as_second) == it.run));
    }
    let signs: Vec<String> =
        lines(&told(&store, Some("one"), Since::Runs(4))).iter().map(|it| it[..2].into()).collect();
    assert_eq!(signs, ["- ", "+ ", "- "]);
}

#[test]
fn who_listens_may_stop() {
    let store = runs(&[("one", &[user(json!({}))])]);
    let stop = || connectome_core::Error::new(connectome_core::ErrorKind::Interrupted, "enough");
    assert!(changes(&store, None, Since::LastChange, |_| Err(stop())).is_err());
    assert_eq!(told(&store, None, Since::LastChange).len(), 1, "and the store can be used afterwards");
}
