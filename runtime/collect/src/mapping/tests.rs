//! Verbs one by one; whole mappings are tested with the connectors that have them.

use connectome_core::mapping::{Change, Condition, Keys, Kind, Mapping, Path, Precision, Source, Stage, Verb};
use connectome_core::shape::Literal;
use serde_json::{Map, Value, json};

use super::Mapper;

const fn stage(verb: Verb) -> Stage {
    Stage { asked: None, when: &[], within: &[], verb }
}

const ALL: Stage = stage(Verb::CopyAll { into: &["in"], keys: Keys::SnakeCase });
const FAILURES: Option<Path> = Some(&["error"]);

/// The document that becomes of a record, with these stages behind a copy of the whole record.
fn mapped(strict: bool, stages: &'static [Stage], record: &Value) -> Value {
    let mapping =
        Mapping { name: "test", strict: Some("strict"), remove: true, failures: FAILURES, stages, fields: &[] };
    let parameters: Map<String, Value> =
        [("strict".to_owned(), json!(strict)), ("words".to_owned(), json!(["a", "b"]))].into_iter().collect();
    let mut mapper = Mapper::new(&mapping, &parameters);
    let now = "2026-02-05T08:00:00.1239Z".parse().expect("a time");
    let record = record.to_string();
    let mut documents = [Vec::new(), Vec::new()];
    // The memory of one record is nothing to the next.
    for document in &mut documents {
        mapper.write(r#"{"a":{"b":[1,2,{"c":1}]},"x":"y","tag.z":{}}"#, now, &mut Vec::new());
        mapper.write(&record, now, document);
    }
    assert_eq!(documents[0], documents[1]);
    serde_json::from_slice(&documents[0]).expect("JSON")
}

#[test]
fn constants_the_time_and_parameters_stand_where_they_are_wanted() {
    const STAGES: &[Stage] = &[
        stage(Verb::Set(&[
            (&["a", "b"], Literal::Text("x")),
            (&["a", "c"], Literal::Json("[1,{\"d\":null}]")),
            (&["é\""], Literal::Integer(7)),
        ])),
        stage(Verb::Now(&[(&["t", "s"], Precision::Seconds), (&["t", "ms"], Precision::Milliseconds)])),
        stage(Verb::Append(&[(&["tags"], &[Source::Constant(Literal::Text("b")), Source::Parameter("words")])])),
        stage(Verb::Copy(&[
            (&["copied"], Source::Parameter("words"), None),
            (&["none"], Source::Parameter("no"), None),
        ])),
        Stage { asked: Some(("strict", true)), ..stage(Verb::Set(&[(&["strict"], Literal::Boolean(true))])) },
        Stage { asked: Some(("strict", false)), ..stage(Verb::Set(&[(&["lenient"], Literal::Boolean(true))])) },
        stage(Verb::RemoveEmpty),
    ];
    let wanted = json!({
        "a": { "b": "x", "c": [1] }, "é\"": 7, "t": { "s": "2026-02-05T08:00:00Z", "ms": "2026-02-05T08:00:00.123Z" },
        "tags": ["b", "a"], "copied": ["a", "b"], "lenient": true,
    });
    assert_eq!(mapped(false, STAGES, &json!({})), wanted);
}

#[test]
fn a_record_is_copied_with_its_keys_renamed_at_every_depth() {
    let deep = "[".repeat(120) + &"]".repeat(120);
    let deep: Value = serde_json::from_str(&deep).unwrap_or(Value::Null);
    let record = json!({ "aB": [{ "cD": 1, "e\"F": null }], "": { "gH": {} }, "deep": deep });
    let wanted = json!({ "in": { "a_b": [{ "c_d": 1, "e\"f": null }], "": { "g_h": {} }, "deep": deep } });
    assert_eq!(mapped(true, &[ALL], &record), wanted);
    // Of two keys that become one the later counts.
    let mapper = |text: &str| {
        let mapping =
            Mapping { name: "t", strict: None, remove: true, failures: FAILURES, stages: &[ALL], fields: &[] };
        let mut out = Vec::new();
        Mapper::new(&mapping, &Map::new()).write(text, jiff::Timestamp::UNIX_EPOCH, &mut out);
        String::from_utf8(out).expect("text")
    };
    assert_eq!(mapper(r#"{"aB":{"x":1,"y":2},"a_b":{"y":3}, "a\u0042" : 4}"#), r#"{"in":{"a_b":4}}"#);
    assert_eq!(mapper(r#"{"aB":{"x":1,"y":2},"a_b":{"y":3,"x":{}}}"#), r#"{"in":{"a_b":{"y":3,"x":{}}}}"#);
    assert_eq!(mapper("[1]"), r#"{"error":["the record is no object"]}"#);
}

#[test]
fn many_members_are_found_as_few_are() {
    let record: Map<String, Value> = (0..3000).map(|number| (format!("k{number}"), json!(number))).collect();
    let wanted: Map<String, Value> = record.clone();
    assert_eq!(mapped(true, &[ALL], &Value::Object(record)), json!({ "in": wanted }));
}

#[test]
fn a_value_that_cannot_be_converted_is_removed_and_told() {
    const STAGES: &[Stage] = &[
        ALL,
        Stage {
            within: &["in"],
            ..stage(Verb::Convert(&[
                (Kind::Long, &[&["a"], &["b"], &["c"], &["no"]]),
                (Kind::Boolean, &[&["d"], &["e"]]),
                (Kind::Date, &[&["f"], &["g"]]),
            ]))
        },
    ];
    let record = json!({ "a": "0x10", "b": 5.5, "c": { "x": 1 }, "d": ["TRUE", false], "e": [true, "no"],
        "f": ["2025-11-03"], "g": null });
    let told = [
        "in.b: 5.5 is not a whole number",
        "in.c: {\"x\":1} is not a whole number",
        "in.e: [true,\"no\"] is no list of such values: true or false",
        "in.f: [\"2025-11-03\"] is no list of such values: an ISO-8601 date",
    ];
    let wanted = json!({ "in": { "a": 16, "d": [true, false], "g": null }, "error": told });
    assert_eq!(mapped(true, STAGES, &record), wanted);
}

#[test]
fn values_are_copied_and_appended() {
    const STAGES: &[Stage] = &[
        ALL,
        Stage {
            within: &["in"],
            ..stage(Verb::Copy(&[
                (&["a", "first"], Source::First(&[&["no"], &["empty"], &["b"]]), None),
                (&["a", "whole"], Source::First(&[&["object"]]), None),
                (&["a", "low"], Source::First(&[&["b"]]), Some(Change::Lowercase)),
                (&["a", "none"], Source::First(&[&["empty"]]), None),
            ]))
        },
        Stage {
            within: &["in"],
            ..stage(Verb::Append(&[
                (&["list"], &[Source::First(&[&["b"]]), Source::Each(&["list"]), Source::Each(&["b"])]),
                (&["list"], &[Source::First(&[&["n"]]), Source::First(&[&["b"]])]),
                (&["in", "b"], &[Source::Constant(Literal::Text("more"))]),
            ]))
        },
        stage(Verb::Remove(&[&["in", "object"], &["in", "list"], &["in", "empty"], &["in", "n"], &["no", "way"]])),
    ];
    let record = json!({ "b": "Bb", "empty": "", "object": { "x": [1, { "y": null }] }, "list": ["q", "Bb", "", null, "q"],
        "n": 5 });
    let wanted = json!({
        "in": { "b": ["Bb", "more"] },
        "a": { "first": "Bb", "whole": { "x": [1, { "y": null }] }, "low": "bb" },
        "list": ["Bb", "q", "5"],
    });
    // What is left out leaves no trace but nulls.
    let mut found = mapped(true, STAGES, &record);
    assert_eq!(found["a"].as_object_mut().and_then(|it| it.remove("none")), None);
    assert_eq!(found, wanted);
}

#[test]
fn a_stage_runs_only_when_its_condition_holds() {
    const STAGES: &[Stage] = &[
        ALL,
        Stage {
            when: &[(&["in", "l"], Condition::Contains(&[Literal::Text("x"), Literal::Text("y")]))],
            ..stage(Verb::Set(&[(&["contains"], Literal::Integer(1))]))
        },
        Stage {
            when: &[(&["in", "l"], Condition::Lacks(&[Literal::Text("x")]))],
            ..stage(Verb::Set(&[(&["lacks"], Literal::Integer(1))]))
        },
        Stage {
            when: &[(&["in", "l"], Condition::Equals(Literal::Text("x")))],
            ..stage(Verb::Set(&[(&["equals"], Literal::Integer(1))]))
        },
        Stage {
            when: &[(&["in", "l"], Condition::Exists(true))],
            ..stage(Verb::Set(&[(&["exists"], Literal::Integer(1))]))
        },
        Stage {
            when: &[(&["in", "l"], Condition::Exists(false)), (&["in"], Condition::Exists(true))],
            ..stage(Verb::Set(&[(&["absent"], Literal::Integer(1))]))
        },
        stage(Verb::Remove(&[&["in"]])),
    ];
    for (record, wanted) in [
        (json!({ "l": ["x"] }), json!({ "contains": 1, "exists": 1 })),
        (json!({ "l": ["z", "y"] }), json!({ "contains": 1, "lacks": 1, "exists": 1 })),
        (json!({ "l": "x" }), json!({ "contains": 1, "equals": 1, "exists": 1 })),
        (json!({ "l": null }), json!({ "lacks": 1, "absent": 1 })),
        (json!({}), json!({ "lacks": 1, "absent": 1 })),
    ] {
        assert_eq!(mapped(true, STAGES, &record), wanted, "{record}");
    }
}

#[test]
fn dotted_keys_become_objects() {
    const STAGES: &[Stage] = &[
        ALL,
        stage(Verb::Stages(&[
            stage(Verb::ExpandDots(&["in"])),
            stage(Verb::Set(&[(&["behind"], Literal::Boolean(true))])),
        ])),
        stage(Verb::Set(&[(&["after"], Literal::Boolean(true))])),
    ];
    for (record, wanted) in [
        (json!({ "t.a": 1, "t.b.c": { "d.e": 2 } }), json!({ "t": { "a": 1, "b": { "c": { "d.e": 2 } } } })),
        (json!({ "t": { "a": 1 }, "t.a": [2, 3] }), json!({ "t": { "a": [1, 2, 3] } })),
        (json!({ ".t": 1, "t.": 2, "a..b": 3 }), json!({ ".t": 1, "t.": 2, "a..b": 3 })),
    ] {
        assert_eq!(mapped(true, STAGES, &record), json!({ "in": wanted, "behind": true, "after": true }));
    }
    let clash = json!({ "t": "misc", "t.a": 1 });
    let told = json!(["in: key t.a clashes with the plain value of t"]);
    let wanted = json!({ "in": { "t": "misc", "t.a": 1 }, "error": told, "after": true });
    assert_eq!(mapped(true, STAGES, &clash), wanted);
    let wanted = json!({ "in": { "t": { "a": 1 } }, "error": told, "behind": true, "after": true });
    assert_eq!(mapped(false, STAGES, &clash), wanted);
}

#[test]
fn what_must_be_there_ends_the_rest_when_it_is_not() {
    const STAGES: &[Stage] = &[
        ALL,
        Stage { within: &["in"], ..stage(Verb::Require(&[&["a"]])) },
        stage(Verb::Set(&[(&["behind"], Literal::Boolean(true))])),
    ];
    let told = json!(["in.a: it is not there"]);
    assert_eq!(mapped(true, STAGES, &json!({ "a": 1 })), json!({ "in": { "a": 1 }, "behind": true }));
    assert_eq!(mapped(true, STAGES, &json!({ "a": null })), json!({ "in": { "a": null }, "error": told }));
    assert_eq!(mapped(false, STAGES, &json!({})), json!({ "in": {}, "error": told, "behind": true }));
}

#[test]
fn the_original_is_a_text_without_blanks() {
    const STAGES: &[Stage] = &[stage(Verb::Original(&["o"]))];
    let mapping = Mapping { name: "t", strict: None, remove: true, failures: None, stages: STAGES, fields: &[] };
    let mut out = Vec::new();
    let record = "{ \"a b\" : [ \"c \\\" d\\\\\" , 1.50 ],\n \"é\":{} }";
    Mapper::new(&mapping, &Map::new()).write(record, jiff::Timestamp::UNIX_EPOCH, &mut out);
    let document: Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!(document, json!({ "o": "{\"a b\":[\"c \\\" d\\\\\",1.50],\"é\":{}}" }));
}

#[test]
fn durations_and_urls_are_taken_apart() {
    const STAGES: &[Stage] = &[
        ALL,
        stage(Verb::Copy(&[(&["url", "original"], Source::First(&[&["in", "link"]]), None)])),
        stage(Verb::Duration(&[(&["took"], &["in", "from"], &["in", "to"])])),
        stage(Verb::UrlParts(&["url"])),
        stage(Verb::Remove(&[&["in"]])),
    ];
    let record =
        json!({ "from": "2026-01-10T00:00:00.000Z", "to": "2026-01-10T00:00:01.500Z", "link": "http://h:8/p%20q" });
    let url = json!({ "original": "http://h:8/p%20q", "scheme": "http", "domain": "h", "port": 8, "path": "/p q" });
    assert_eq!(mapped(true, STAGES, &record), json!({ "took": 1_500_000_000, "url": url }));
    let record = json!({ "from": "2026-01-10T00:00:00.000Z", "link": 7 });
    assert_eq!(mapped(true, STAGES, &record), json!({ "url": {}, "error": ["url.original: 7 is not a URL"] }));
}

#[test]
fn what_stands_in_the_way_stays_and_is_told() {
    const STAGES: &[Stage] = &[
        ALL,
        stage(Verb::Set(&[(&["in", "plain", "x"], Literal::Integer(1))])),
        stage(Verb::Append(&[(&["in", "object"], &[Source::Constant(Literal::Text("more"))])])),
        Stage {
            within: &["in"],
            ..stage(Verb::Copy(&[(&["low"], Source::First(&[&["object"]]), Some(Change::Lowercase))]))
        },
        stage(Verb::Set(&[(&["after"], Literal::Boolean(true))])),
    ];
    let record = json!({ "plain": 7, "object": { "x": 1 } });
    let told = [
        "in.plain.x: something else is in its way",
        "in.object: something else is in its way",
        "low: {\"x\":1} is no text",
    ];
    assert_eq!(mapped(false, STAGES, &record), json!({ "in": record, "error": told, "after": true }));
    assert_eq!(mapped(true, STAGES, &record), json!({ "in": record, "error": told[..1] }));
}

#[test]
fn a_list_is_converted_as_a_whole_or_stays() {
    const STAGES: &[Stage] = &[ALL, Stage { within: &["in"], ..stage(Verb::Convert(&[(Kind::Long, &[&["l"]])])) }];
    let mapping = Mapping { name: "t", strict: None, remove: false, failures: FAILURES, stages: STAGES, fields: &[] };
    let mut out = Vec::new();
    Mapper::new(&mapping, &Map::new()).write(r#"{"l":["1","x"]}"#, jiff::Timestamp::UNIX_EPOCH, &mut out);
    let document: Value = serde_json::from_slice(&out).expect("JSON");
    let told = ["in.l: [\"1\",\"x\"] is no list of such values: a whole number"];
    assert_eq!(document, json!({ "in": { "l": ["1", "x"] }, "error": told }));
}
