//! Which entities of other instances a mapped relationship means.

use super::*;

/// Instances and keys that a relationship of instance `one` found.
fn found(store: &Store) -> Vec<(String, String)> {
    let mut select = store
        .db
        .prepare("SELECT target_instance, target_key FROM graph_found WHERE instance = 'one' ORDER BY 1, 2")
        .unwrap();
    select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().collect::<Result<_, _>>().unwrap()
}

fn own() -> Object {
    entity("user:1", "user", &["User"], json!({ "email": "i@x" }))
}

#[test]
fn the_other_end_is_what_agrees_in_any_case_and_in_any_element_of_a_list() {
    let by = |names: &[&str]| {
        let mut set = vec!["_class"];
        set.extend(names);
        json!([set])
    };
    let either = json!([["_class", "email"], ["_class", "first", "last"]]);
    let email = |email: Value| json!({ "_class": "Person", "email": email });
    let full = json!({ "_class": "Person", "email": "i@x", "first": "Ines", "last": "Varga" });
    let table = [
        ("case", email(json!("Ines@X")), by(&["email"]), json!({ "email": "iNES@x" }), true),
        ("case beyond ASCII", email(json!("ÉVA@x")), by(&["email"]), json!({ "email": "éva@X" }), true),
        ("no part", email(json!("i@x")), by(&["email"]), json!({ "email": "i@x.org" }), false),
        ("a list there", email(json!("i@x")), by(&["email"]), json!({ "email": ["a@x", "I@x"] }), true),
        ("a list here", email(json!(["a@x", "i@x"])), by(&["email"]), json!({ "email": "i@x" }), true),
        ("two lists", email(json!(["a@x", "i@x"])), by(&["email"]), json!({ "email": ["b@x", "i@x"] }), true),
        ("two lists apart", email(json!(["a@x", "i@x"])), by(&["email"]), json!({ "email": ["b@x"] }), false),
        ("nothing on both sides", email(json!(null)), by(&["email"]), json!({ "email": null }), false),
        ("empty texts", email(json!("")), by(&["email"]), json!({ "email": "" }), false),
        ("absent", json!({ "_class": "Person" }), by(&["email"]), json!({}), false),
        ("a number and its text", email(json!(7)), by(&["email"]), json!({ "email": "7" }), true),
        ("the first alternative", full.clone(), either.clone(), json!({ "email": "i@x", "first": "other" }), true),
        ("the second", full.clone(), either.clone(), json!({ "first": "ines", "last": "varga" }), true),
        ("half of the second", full.clone(), either.clone(), json!({ "first": "ines", "last": "other" }), false),
        ("the values of two swapped", full, either, json!({ "first": "varga", "last": "ines" }), false),
        ("the key", json!({ "_class": "Person", "_key": "P1" }), by(&["_key"]), json!({}), true),
        ("another key", json!({ "_class": "Person", "_key": "P2" }), by(&["_key"]), json!({}), false),
        (
            "the second class",
            json!({ "_class": "Human", "email": "i@x" }),
            by(&["email"]),
            json!({ "email": "i@x" }),
            true,
        ),
        (
            "another class",
            json!({ "_class": "Device", "email": "i@x" }),
            by(&["email"]),
            json!({ "email": "i@x" }),
            false,
        ),
        (
            "the type",
            json!({ "_type": "employee", "email": "i@x" }),
            json!([["_type", "email"]]),
            json!({ "email": "i@x" }),
            true,
        ),
        (
            "another type",
            json!({ "_type": "Person", "email": "i@x" }),
            json!([["_type", "email"]]),
            json!({ "email": "i@x" }),
            false,
        ),
        ("the class named last", email(json!("i@x")), json!([["email", "_class"]]), json!({ "email": "i@x" }), true),
    ];
    for (what, target, sets, other, agrees) in table {
        let store = runs(&[
            ("one", &[own(), is("user:1", "user_is_person", "FORWARD", target, sets)]),
            ("two", &[entity("P1", "employee", &["Person", "Human"], other)]),
        ]);
        let wanted: &[_] = if agrees { &[("two".to_owned(), "P1".to_owned())] } else { &[] };
        assert_eq!(found(&store), wanted, "{what}");
    }
}

#[test]
fn every_match_of_other_instances_is_found_and_none_of_its_own() {
    let target = json!({ "_class": "User", "email": "i@x" });
    let other = |key: &str, ty: &str| entity(key, ty, &["User"], json!({ "email": "I@x" }));
    let store = runs(&[
        ("three", &[other("user:1", "user")]),
        (
            "one",
            &[
                own(),
                other("user:2", "user"),
                is("user:1", "user_is_user", "FORWARD", target, json!([["_class", "email"]])),
            ],
        ),
        ("two", &[other("user:1", "okta_user"), other("user:9", "okta_user")]),
    ]);
    let wanted = [("three", "user:1"), ("two", "user:1"), ("two", "user:9")];
    assert_eq!(found(&store), wanted.map(|(instance, key)| (instance.to_owned(), key.to_owned())));
    assert_eq!(resolve::resolve(&store, "one").unwrap(), 1, "one relationship found something");
    assert_eq!(resolve::resolve(&store, "two").unwrap(), 0);
}

#[test]
fn what_was_found_goes_with_either_side() {
    let mapped = is(
        "user:1",
        "user_is_person",
        "FORWARD",
        json!({ "_class": "Person", "email": "i@x" }),
        json!([["_class", "email"]]),
    );
    let person = |email: &str| entity("P1", "employee", &["Person"], json!({ "email": email }));
    let mut store = runs(&[("one", &[own(), mapped.clone()]), ("two", &[person("i@x")])]);
    let nothing = set(&[]);
    let both: (&[Object], &[Object]) = (&[own(), mapped], &[person("i@x")]);
    let changed = [person("other@x")];
    for (instance, objects, count) in [
        ("two", &changed[..], 0),
        ("two", both.1, 1),
        ("two", &[], 0),
        ("two", both.1, 1),
        ("one", &both.0[..1], 0),
        ("one", both.0, 1),
        ("one", &[], 0),
    ] {
        (store, _) = run(store, instance, 9, objects, &nothing);
        assert_eq!(found(&store).len(), count, "{instance}: {objects:?}");
    }
}
