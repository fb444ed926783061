//! What is exported, and that awkward texts come back.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::export::{cypher, graphml, jsonl};

type Export = fn(&Store, Option<&str>, &mut dyn std::io::Write) -> Result<(), connectome_core::Error>;

fn exported(store: &Store, instance: Option<&str>, export: Export) -> String {
    let mut out = Vec::new();
    export(store, instance, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn two_instances() -> Store {
    let user = |key: &str, properties| entity(key, "user", &["User"], properties);
    let mut first = user("user:1", json!({ "email": "i@x", "list": ["a", "b"], "none": null }));
    first.raw = Some(json!({ "id": 1 }));
    let target = json!({ "_class": "Person", "email": "i@x" });
    runs(&[
        (
            "one",
            &[
                first,
                user("user:2", json!({ "mixed": [1, "a"], "count": u64::MAX })),
                has("user:1", "user:2", "user_has_user", json!({ "since": 5 })),
                is("user:1", "user_is_person", "REVERSE", target, json!([["_class", "email"]])),
            ],
        ),
        ("two", &[entity("user:1", "employee", &["Person", "Human"], json!({ "email": "I@X" }))]),
    ])
}

#[test]
fn lines_have_the_platform_s_form_and_their_instance() {
    let store = two_instances();
    let lines = |with_raw: bool, instance| {
        let mut out = Vec::new();
        jsonl(&store, instance, with_raw, &mut out).unwrap();
        let lines: Vec<Value> =
            String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines
    };
    let wanted = json!({
        "_instance": "one", "_key": "user:1", "_type": "user", "_class": ["User"], "email": "i@x", "list": ["a", "b"],
        "none": null,
    });
    assert_eq!(lines(false, None)[0], wanted);
    assert_eq!(lines(false, None).len(), 5);
    assert_eq!(lines(true, None)[0]["_rawData"], json!([{ "name": "default", "rawData": { "id": 1 } }]));
    assert_eq!(lines(true, Some("two")), [lines(false, None)[2].clone()]);
    let keys: Vec<_> = lines(false, None).iter().map(|it| it["_key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(keys, ["user:1", "user:2", "user:1", "user:1|has|user:2", "user:1|is|REVERSE"]);
}

#[test]
fn graphml_has_nodes_of_all_instances_and_edges_between_them() {
    let store = two_instances();
    let text = exported(&store, None, graphml);
    for wanted in [
        r#"<node id="one/user:1">"#,
        r#"<node id="two/user:1">"#,
        r#"<edge id="one/user:1|has|user:2" source="one/user:1" target="one/user:2">"#,
        r#"<edge id="one#user:1|is|REVERSE/two/user:1" source="two/user:1" target="one/user:1">"#,
        r#"attr.name="since" attr.type="long"/>"#,
        r#"attr.name="count" attr.type="string"/>"#,
    ] {
        assert!(text.contains(wanted), "no {wanted} in {text}");
    }
    assert_eq!(text.matches("<edge ").count(), 2);
    let alone = exported(&store, Some("one"), graphml);
    assert_eq!((alone.matches("<node ").count(), alone.matches("<edge ").count()), (2, 1));
}

#[test]
fn cypher_merges_nodes_and_matches_the_ends_of_edges() {
    let wanted = "\
UNWIND [
{`_instance`: 'two', `_key`: 'user:1', `_type`: 'employee', `_class`: ['Person', 'Human'], `email`: 'I@X'}
] AS row
MERGE (n:`Entity` {`_instance`: row.`_instance`, `_key`: row.`_key`})
SET n = row
SET n:`Person`:`Human`:`employee`;
UNWIND [
{`_instance`: 'one', `_key`: 'user:1', `_type`: 'user', `_class`: ['User'], `email`: 'i@x', `list`: ['a', 'b']},
{`_instance`: 'one', `_key`: 'user:2', `_type`: 'user', `_class`: ['User'], `mixed`: '[1,\"a\"]', `count`: '18446744073709551615'}
] AS row
MERGE (n:`Entity` {`_instance`: row.`_instance`, `_key`: row.`_key`})
SET n = row
SET n:`User`:`user`;
UNWIND [
{a: 'one', b: 'user:1', c: 'one', d: 'user:2', fields: {`_instance`: 'one', `_key`: 'user:1|has|user:2', `_type`: 'user_has_user', `_class`: 'HAS', `_fromEntityKey`: 'user:1', `_toEntityKey`: 'user:2', `since`: 5}}
] AS row
MATCH (a:`Entity` {`_instance`: row.a, `_key`: row.b})
MATCH (b:`Entity` {`_instance`: row.c, `_key`: row.d})
MERGE (a)-[r:`HAS` {`_instance`: row.fields.`_instance`, `_key`: row.fields.`_key`}]->(b)
SET r = row.fields;
UNWIND [
{a: 'two', b: 'user:1', c: 'one', d: 'user:1', fields: {`_instance`: 'one', `_key`: 'user:1|is|REVERSE', `_type`: 'user_is_person', `_class`: 'IS', `_fromEntityKey`: 'user:1', `_toEntityKey`: 'user:1'}}
] AS row
MATCH (a:`Entity` {`_instance`: row.a, `_key`: row.b})
MATCH (b:`Entity` {`_instance`: row.c, `_key`: row.d})
MERGE (a)-[r:`IS` {`_instance`: row.fields.`_instance`, `_key`: row.fields.`_key`}]->(b)
SET r = row.fields;
";
    assert_eq!(exported(&two_instances(), None, cypher), wanted);
}

#[test]
fn statements_are_of_bounded_length() {
    let many: Vec<Object> = (0..1001).map(|it| entity(&format!("user:{it}"), "user", &["User"], json!({}))).collect();
    let long: Vec<Object> = (0..200)
        .map(|it| entity(&format!("u:{it}"), "user", &["User"], json!({ "notes": "x".repeat(4000) })))
        .collect();
    for (objects, statements) in [(many, 3), (long, 4)] {
        let text = exported(&runs(&[("one", &objects)]), None, cypher);
        assert_eq!(text.matches("UNWIND").count(), statements);
        assert_eq!(text.matches("`_instance`: 'one'").count(), objects.len());
        assert!(text.split("UNWIND").all(|statement| statement.len() < 300_000));
    }
}

#[test]
fn numbers_have_the_narrowest_type_that_holds_them_all() {
    let table = [
        (vec![json!(1), json!(i64::MAX)], "long"),
        (vec![json!(1), json!(0.5)], "double"),
        (vec![json!(1), json!(0.5), json!(i64::MAX)], "string"),
        (vec![json!(i64::MAX), json!(0.5)], "string"),
        (vec![json!(u64::MAX), json!(1)], "string"),
        (vec![json!(true), json!(null)], "boolean"),
        (vec![json!(true), json!(1)], "string"),
        (vec![json!(["a"])], "string"),
    ];
    for (values, wanted) in table {
        let objects: Vec<Object> =
            values.iter().enumerate().map(|(at, it)| entity(&at.to_string(), "t", &[], json!({ "it": it }))).collect();
        let text = exported(&runs(&[("one", &objects)]), None, graphml);
        assert!(text.contains(&format!("attr.name=\"it\" attr.type=\"{wanted}\"")), "{values:?}: {text}");
    }
}

#[test]
fn names_are_unlike_over_instances_and_kinds() {
    let store = runs(&[
        ("a", &[entity("b/c", "t", &[], json!({})), entity("d#e", "t", &[], json!({}))]),
        ("a/b", &[entity("c", "t", &[], json!({}))]),
        ("a%2Fb", &[entity("c", "t", &[], json!({}))]),
        (
            "a#d",
            &[
                entity("e", "t", &[], json!({})),
                entity("\u{1}", "t", &[], json!({})),
                entity("_x0001_", "t", &[], json!({})),
            ],
        ),
    ]);
    let text = exported(&store, None, graphml);
    let ids: BTreeSet<&str> = text.split("<node id=\"").skip(1).map(|it| it.split('"').next().unwrap()).collect();
    assert_eq!(ids.len(), 7, "{ids:?}");
}

/// What breaks a writer of XML or Cypher, among other letters.
fn awkward() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        prop::sample::select(vec![
            "\\",
            "u",
            "'",
            "\"",
            "`",
            "``",
            "\\u0027",
            "\\\\u0060",
            "]]>",
            "<!--",
            "&amp;",
            "&#0;",
            "_x0001_",
            "_x005F_",
            "_x",
            "\0",
            "\u{1}",
            "\r",
            "\n",
            "\t",
            "\u{85}",
            "\u{2028}",
            "\u{ffff}",
            "😀",
            ";",
            "//",
            "/*",
            "$",
            "{",
            "",
            " ",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Reads as an XML reader does, and the office programs' form of what XML cannot hold.
fn from_xml(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        assert!(
            !matches!(c, '<' | '>' | '\r' | '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'),
            "{text:?}"
        );
        if let Some(entity) = rest.strip_prefix('&') {
            let (name, after) = entity.split_once(';').expect("an entity ends");
            match name {
                "amp" => plain.push('&'),
                "lt" => plain.push('<'),
                "gt" => plain.push('>'),
                number => plain.push(number.strip_prefix('#').and_then(|it| it.parse::<u8>().ok()).unwrap().into()),
            }
            rest = after;
        } else {
            plain.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    let mut text = String::new();
    let mut rest = &*plain;
    while let Some(c) = rest.chars().next() {
        let code = rest.strip_prefix("_x").and_then(|it| it.get(..4).zip(it.get(4..5)));
        match code
            .filter(|(hex, end)| *end == "_" && hex.bytes().all(|it| it.is_ascii_hexdigit()))
            .and_then(|(hex, _)| u32::from_str_radix(hex, 16).ok())
            .and_then(char::from_u32)
        {
            Some(escaped) => {
                text.push(escaped);
                rest = &rest[7..];
            }
            None => {
                text.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    text
}

/// What some versions of Neo4j do before they read anything.
fn early(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let Some((before, after)) = rest.split_once("\\u") {
        plain += before;
        plain.push(char::from_u32(u32::from_str_radix(&after[..4], 16).expect("a number")).expect("a character"));
        rest = &after[4..];
    }
    plain + rest
}

/// Reads a text in quotes at the start. Returns it and what follows.
fn from_quotes(text: &str) -> (String, &str) {
    let mut plain = String::new();
    let mut rest = text.strip_prefix('\'').expect("a quote");
    loop {
        let c = rest.chars().next().expect("a quote ends");
        rest = &rest[c.len_utf8()..];
        match c {
            '\'' => return (plain, rest),
            '\\' => {
                let escaped = rest.chars().next().expect("something is escaped");
                rest = &rest[escaped.len_utf8()..];
                plain.push(match escaped {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let code = u32::from_str_radix(&rest[..4], 16).expect("a number");
                        rest = &rest[4..];
                        char::from_u32(code).expect("a character")
                    }
                    '\\' | '\'' => escaped,
                    other => panic!("\\{other} in {text:?}"),
                });
            }
            c => plain.push(c),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn awkward_texts_come_back(name in awkward(), text in awkward(), key in awkward()) {
        prop_assume!(!name.is_empty() && !name.starts_with('_') && name != "n");
        let properties = json!({ "n": text, name.clone(): text });
        let store = runs(&[("one", &[entity(&key, "type", &["Class"], properties)])]);

        let xml = exported(&store, None, graphml);
        let between = |start: &str, end: &str| -> Vec<String> {
            xml.split(start).skip(1).map(|it| from_xml(it.split(end).next().unwrap())).collect()
        };
        prop_assert_eq!(between("<node id=\"", "\""), vec![format!("one/{key}")]);
        let ids: Vec<&str> = xml.split("<key id=\"").skip(1).map(|it| it.split('"').next().unwrap()).collect();
        let at = between("attr.name=\"", "\"").iter().position(|it| *it == name).expect("the name is there");
        prop_assert_eq!(between(&format!("<data key=\"{}\">", ids[at]), "</data>"), vec![text.clone()]);
        prop_assert_eq!(xml.matches("</data>").count(), 6);

        let statements = exported(&store, None, cypher);
        // Names are read first, where nothing can be escaped but a backtick.
        let quoted = format!("`{}`", name.replace("\\u", "\u{ff3c}u").replace('`', "``"));
        prop_assert!(!quoted.contains("\\u"));
        for read_early in [false, true] {
            let (_, rest) = statements.split_once("`n`: ").expect("a property");
            let (_, key_rest) = statements.split_once("`_key`: ").expect("a key");
            let (rest, key_rest) = if read_early { (early(rest), early(key_rest)) } else { (rest.into(), key_rest.into()) };
            // Read early, a character stands for itself, unless it is one that means more: none of those is written so.
            let (value, rest) = from_quotes(&rest);
            prop_assert_eq!(&value, &text);
            let rest = rest.strip_prefix(", ").and_then(|it| it.strip_prefix(&*quoted)).and_then(|it| it.strip_prefix(": "));
            let (value, rest) = from_quotes(rest.expect("the name follows"));
            prop_assert_eq!(&value, &text);
            prop_assert!(rest.starts_with("}\n] AS row\n"), "the row ends");
            prop_assert_eq!(from_quotes(&key_rest).0, key.clone());
        }
    }
}
