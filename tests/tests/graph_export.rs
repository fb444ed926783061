//! networkx, which knows nothing of us, reads an exported graph, and sees what was in it.

use std::collections::BTreeSet;

use connectome_graph::export::graphml;
use connectome_graph::object::{Kind, Object};
use connectome_graph::resolve::resolve;
use connectome_graph::stage::Stage;
use connectome_graph::store::Store;
use connectome_tests::command::told;
use connectome_tests::peer;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

const AWKWARD: [&str; 14] = [
    "quotes \" ' `",
    "lines\nand\r\nreturns\r and\ttabs ",
    "emoji 😀 and é, \u{85} \u{2028} \u{10ffff}",
    "control \0 \u{1} \u{8} \u{b} \u{1b}[2J \u{7f} \u{fffe} \u{ffff}",
    "<tags> &amp; &#0; ]]> <!-- --> <![CDATA[ ]]>",
    "_x0001_ _x005F_x0001_ _x_ __x0041__ _xD800_",
    "C:\\Users\\u0027",
    "a|has|b",
    "true",
    "12",
    " blanks  ",
    "",
    "%2F a/b#c",
    "{\"json\": [1]}",
];

fn entity(key: &str, properties: Value) -> Object {
    let properties = properties.as_object().expect("an object").clone();
    let kind = Kind::Entity(vec!["User".to_owned(), "Person".to_owned()]);
    Object { key: key.to_owned(), ty: "acme_user".to_owned(), kind, properties, raw: Some(json!({ "secret": "raw" })) }
}

fn related(key: &str, class: &str, properties: Value, kind: impl FnOnce(String) -> Kind) -> Object {
    let properties = properties.as_object().expect("an object").clone();
    let kind = kind(class.to_owned());
    Object { key: key.to_owned(), ty: "acme_user_has_user".to_owned(), kind, properties, raw: None }
}

/// Applies a run, as a synchronisation does.
fn run(store: Store, instance: &str, objects: &[Object]) -> Store {
    let nothing = BTreeSet::new();
    let stage = Stage::begin(store, instance).unwrap();
    for object in objects {
        stage.add(object).unwrap();
    }
    assert!(stage.drop_dangling(&nothing).unwrap().is_empty());
    stage.apply("acme", Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, &json!({}), &nothing).unwrap();
    let store = stage.end().unwrap();
    resolve(&store, instance).unwrap();
    store
}

fn fields(instance: &str, object: &Object, ends: Option<[&str; 2]>) -> Map<String, Value> {
    let mut fields = object.json(false);
    fields.remove("_mapping");
    fields.insert("_instance".to_owned(), json!(instance));
    if let Some([from, to]) = ends {
        fields.insert("_fromEntityKey".to_owned(), json!(from));
        fields.insert("_toEntityKey".to_owned(), json!(to));
    }
    fields
}

#[test]
fn networkx_reads_every_node_edge_and_value_of_an_exported_graph() {
    let Some(python) = peer::python("networkx") else { return };
    // Two instances with the same keys; every awkward text is a key, a value, an element of a list and part of a name.
    let properties = |at: usize, text: &str| {
        let longs = [i64::MAX, i64::MIN, 9_007_199_254_740_993, 0, -1];
        let doubles = [0.1, -0.0, 1e300, 5e-324, 3.0];
        let mut all = json!({
            "displayName": text, "list": [text, "x", text], "none": null, "active": at.is_multiple_of(2),
            "long": longs[at % 5], "double": doubles[at % 5], "large": u64::MAX - at as u64, "empty": [],
            "numbers": [1, 2.5, null, true],
        });
        all[format!("tag.{text}")] = json!(at);
        all
    };
    let entities: Vec<Object> =
        AWKWARD.iter().enumerate().map(|(at, text)| entity(&format!("user:{text}"), properties(at, text))).collect();
    let keys: Vec<String> = entities.iter().map(|it| it.key.clone()).collect();
    let edges: Vec<Object> = keys
        .iter()
        .zip(keys.iter().cycle().skip(1))
        .flat_map(|(from, to)| {
            let edge = |class: &str, says: Value| {
                let ends = |class| Kind::Relationship { class, from: from.clone(), to: to.clone() };
                related(&format!("{from}|{}|{to}", class.to_lowercase()), class, says, ends)
            };
            // Two edges between the same nodes, both of which must survive.
            [edge("HAS", json!({ "since": 5, "why": from })), edge("TRUSTS", json!({ "active": true, "since": -5 }))]
        })
        .collect();
    let mapping = json!({
        "relationshipDirection": "REVERSE", "sourceEntityKey": keys[0], "skipTargetCreation": true,
        "targetEntity": { "_class": "Person", "displayName": AWKWARD[2] }, "targetFilterKeys": [["_class", "displayName"]],
    });
    let mapped = related("mapped", "IS", json!({ "since": 7 }), |class| Kind::Mapped { class, mapping });
    let objects: Vec<Object> = entities.iter().chain(&edges).chain([&mapped]).cloned().collect();
    let store = run(run(Store::in_memory().unwrap(), "two", &entities), "one", &objects);

    let node = |instance: &str, it: &Object| json!({ "id": format!("{instance}/{}", it.key), "fields": fields(instance, it, None) });
    let nodes: Vec<Value> = ["one", "two"].iter().flat_map(|one| entities.iter().map(|it| node(one, it))).collect();
    let mut wanted: Vec<Value> = edges
        .iter()
        .map(|it| {
            let Kind::Relationship { from, to, .. } = &it.kind else { unreachable!() };
            json!({ "source": format!("one/{from}"), "target": format!("one/{to}"), "fields": fields("one", it, None) })
        })
        .collect();
    let found = fields("one", &mapped, Some([&keys[2], &keys[0]]));
    wanted.push(json!({ "source": format!("two/{}", keys[2]), "target": format!("one/{}", keys[0]), "fields": found }));

    let folder = tempfile::tempdir().unwrap();
    let [exported, expected] = ["graph.graphml", "expected.json"].map(|name| folder.path().join(name));
    let mut file = std::fs::File::create(&exported).unwrap();
    graphml(&store, None, &mut file).unwrap();
    std::fs::write(&expected, json!({ "nodes": nodes, "edges": wanted }).to_string()).unwrap();
    let output = peer::script(&python, "graphml.py").args([&exported, &expected]).output().expect("Python runs");
    let (code, out, error) = told(&output);
    assert_eq!(code, 0, "{out}{error}");
    let summary: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("no summary: {out}{error}"));
    assert_eq!((&summary["nodes"], &summary["edges"]), (&json!(nodes.len()), &json!(wanted.len())), "{out}");
    assert!(summary["values"].as_u64() > Some(500), "{out}");
}
