//! Records and hand-made tables.

use connectome_core::secret::Redactor;
use connectome_core::shape::Literal;

use super::*;
use crate::map::{Instance, Mapped, Mapper};
use crate::source::Lookups;
use crate::table::{
    Dialect, End, Entity, From, Graph, How, Keep, Part, Property, Relationship, Side, Target, Template,
};

const USER: Template = Template(&[Part::Text("user:"), Part::Path(&["id"])]);
const TEAM: Template = Template(&[Part::Text("team:"), Part::Path(&["team", "id"])]);
const ITSELF: Template = Template(&[Part::Text("user:"), Part::Path(&[""])]);

const NOTHING: Relationship = Relationship {
    ty: "team_has_user",
    verb: "HAS",
    from: "team",
    to: "user",
    how: How::Target(WHO),
    properties: &[],
    collect: &[],
    keep: Keep::First,
};
const WHO: Target = Target {
    entity: 0,
    forward: true,
    filter: "Person",
    has: &[
        Property::of("email", From::Paths(&[&["email"]])),
        Property::of("firstName", From::Paths(&[&["first"]])),
        Property::of("lastName", From::Paths(&[&["last"]])),
    ],
    match_by: &[&["email"], &["firstName", "lastName"]],
};

const GRAPH: Graph = Graph {
    steps: &[],
    dialects: &[Dialect {
        name: "test",
        entities: &[Entity {
            ty: "user",
            class: &["User", "Person"],
            step: 0,
            key: USER,
            properties: &[
                Property::copied("name", &[&["name"]]),
                Property::of("summary", From::Paths(&[&["summary"]])),
                Property::of("role", From::Constant(Literal::Text("member"))),
            ],
            secrets: &[&["password"], &["contacts", "token"], &["keys"], &["deep", "0", "one"]],
        }],
        relationships: &[
            Relationship {
                how: How::Each {
                    step: 0,
                    list: &["in", "teams"],
                    own: End { leaves: false, key: USER },
                    other: End { leaves: true, key: TEAM },
                },
                properties: &[
                    Property::of("role", From::Paths(&[&["role"]])),
                    Property::of("lists", From::Paths(&[&["lists"]])),
                ],
                keep: Keep::Least(&["level"]),
                ..NOTHING
            },
            Relationship {
                ty: "user_manages_user",
                verb: "MANAGES",
                how: How::Each {
                    step: 0,
                    list: &["reports"],
                    own: End { leaves: true, key: USER },
                    other: End { leaves: false, key: ITSELF },
                },
                ..NOTHING
            },
            Relationship { ty: "user_is_person", verb: "IS", ..NOTHING },
            Relationship {
                ty: "device_owned",
                verb: "OWNS",
                how: How::Target(Target {
                    forward: false,
                    filter: "acme_device",
                    has: &[Property::of("hostname", From::Paths(&[&["hosts"]]))],
                    match_by: &[&["hostname"]],
                    ..WHO
                }),
                properties: &[Property::of("why", From::Constant(Literal::Text("host")))],
                ..NOTHING
            },
            Relationship {
                ty: "user_uses_device",
                verb: "USES",
                how: How::Join(
                    Side { step: 0, value: &["login"], end: End { leaves: false, key: USER }, tells: false },
                    Side { step: 1, value: &["user"], end: End { leaves: true, key: DEVICE }, tells: true },
                ),
                properties: &[Property::of("since", From::Paths(&[&["since"]]))],
                keep: Keep::Least(&["rank"]),
                ..NOTHING
            },
        ],
    }],
    classes: &[("User", &["name", "active"]), ("Device", &["make"])],
    lookups: &[],
};
const DEVICE: Template = Template(&[Part::Text("device:"), Part::Path(&["id"])]);
static TABLES: Graph = GRAPH;

fn mapper(tags: Value, secrets: &[&str]) -> Mapper {
    let redactor = Redactor::default();
    secrets.iter().for_each(|secret| redactor.learn(secret));
    let instance = Instance { tags: fields(tags), lookups: Lookups::default(), redactor };
    Mapper { graph: &TABLES, dialect: &TABLES.dialects[0], instance }
}

fn mapped(step: usize, record: Value) -> Mapped {
    mapper(json!({}), &[]).record(step, &record)
}

/// Edges as they are staged: key, type and properties.
fn edges(records: &[(usize, Value)]) -> Vec<(String, String, Value)> {
    let stage = Stage::begin(Store::in_memory().unwrap(), "one").unwrap();
    for (step, record) in records {
        let mapped = mapped(*step, record.clone());
        mapped.edges.iter().for_each(|(_, edge, order)| stage.add_edge(edge, *order).unwrap());
        mapped.sides.iter().for_each(|side| stage.add_side(side).unwrap());
    }
    stage.join(&TABLES.dialects[0]).unwrap();
    let mut all = Vec::new();
    stage
        .each(|it| {
            all.push((it.key, it.ty, Value::Object(it.properties)));
            Ok(())
        })
        .unwrap();
    all
}

fn edge(key: &str, ty: &str, properties: Value) -> (String, String, Value) {
    (key.to_owned(), ty.to_owned(), properties)
}

#[test]
fn an_entity_has_its_properties_its_tags_and_its_record_without_secrets() {
    let mapper = mapper(json!({ "tag.AccountName": "Harbor", "role": "tagged" }), &["hunter2hunter2"]);
    let record = json!({
        "id": 7, "name": "Ines hunter2hunter2", "summary": null, "password": "x",
        "contacts": [{ "token": "x", "kind": "phone" }, { "token": "y" }, "none"], "keys": ["k"],
        "deep": [{ "one": 1 }], "said": ["hunter2hunter2"],
    });
    let mapped = mapper.record(0, &record);
    let [object] = &mapped.objects[..] else { panic!("{mapped:?}") };
    assert_eq!((&*object.key, &*object.ty), ("user:7", "user"));
    assert_eq!(object.kind, Kind::Entity(vec!["User".into(), "Person".into()]));
    let wanted = json!({
        "name": "Ines [secret]", "summary": null, "role": "tagged", "displayName": "Ines [secret]",
        "tag.AccountName": "Harbor",
    });
    assert_eq!(Value::Object(object.properties.clone()), wanted);
    let raw = json!({
        "id": 7, "name": "Ines [secret]", "summary": null, "contacts": [{ "kind": "phone" }, {}, "none"],
        "deep": [{ "one": 1 }], "said": ["[secret]"],
    });
    assert_eq!(object.raw.as_ref(), Some(&raw), "a path's number is no list's index where secrets are removed");
    assert_eq!(mapped.violations, [format!("user:7 lacks active, which User demands; made from {raw}")]);
}

#[test]
fn a_record_without_a_key_is_told_and_makes_nothing() {
    for record in [json!({ "name": "x", "teams": [] }), json!({ "id": null }), json!({ "id": "" }), json!({ "id": {} })]
    {
        let mapped = mapped(0, record.clone());
        assert_eq!(mapped.violations, ["a record of \"user\" has no key"], "{record}");
        assert!(mapped.objects.is_empty() && mapped.edges.is_empty() && mapped.sides.is_empty(), "{record}");
    }
    assert!(mapped(1, json!({})).violations.is_empty(), "the step makes no entity");
}

#[test]
fn each_element_of_a_list_names_an_end_and_the_least_stays() {
    let team = |id: Value, role: &str, level: Value| json!({ "team": { "id": id }, "role": role, "level": level });
    let record = json!({ "id": 1, "in": { "teams": [
        team(json!("T1"), "b", json!(2)), team(json!("T1"), "a", json!(1)), team(json!("T1"), "c", json!(3)),
        team(json!("T2"), "only", json!(null)), team(json!(null), "lost", json!(0)), { "role": "lost" }, "T3", null,
        { "team": { "id": "T4" }, "lists": ["no", "lists"] },
    ] } });
    let wanted = [
        edge("team:T1|has|user:1", "team_has_user", json!({ "displayName": "HAS", "role": "a" })),
        edge("team:T2|has|user:1", "team_has_user", json!({ "displayName": "HAS", "role": "only" })),
        edge("team:T4|has|user:1", "team_has_user", json!({ "displayName": "HAS" })),
    ];
    assert_eq!(edges(&[(0, record)]), wanted);
    for none in [json!({ "id": 1, "in": { "teams": {} } }), json!({ "id": 1, "in": [] }), json!({ "id": 1 })] {
        assert_eq!(edges(&[(0, none.clone())]), [], "{none}");
    }
}

#[test]
fn an_element_may_be_the_id_itself_and_the_edge_may_point_either_way() {
    let mapped = mapped(0, json!({ "id": 1, "reports": [2, "3", "", null, [4], { "id": 5 }] }));
    let ends: Vec<_> = mapped.edges.iter().map(|(number, it, _)| (*number, it.kind.clone(), &*it.key)).collect();
    let manages = |to: &str| Kind::Relationship { class: "MANAGES".into(), from: "user:1".into(), to: to.into() };
    assert_eq!(
        ends,
        [(1, manages("user:2"), "user:1|manages|user:2"), (1, manages("user:3"), "user:1|manages|user:3")]
    );
}

#[test]
fn a_join_is_many_to_many_by_values_that_are_something() {
    let user = |id: u64, login: Value| (0, json!({ "id": id, "login": login }));
    let device = |id: u64, user: Value, since: u64, rank: Value| {
        (1, json!({ "id": id, "user": user, "since": since, "rank": rank }))
    };
    let records = [
        user(1, json!("ines")),
        user(2, json!("ines")),
        user(3, json!("")),
        user(4, json!(null)),
        user(5, json!(5)),
        device(8, json!("ines"), 2, json!(2)),
        device(8, json!("ines"), 1, json!(1)),
        device(8, json!("ines"), 0, json!(null)),
        device(9, json!(""), 4, json!(null)),
        device(9, json!(null), 5, json!(null)),
        device(9, json!("5"), 6, json!(null)),
    ];
    let uses = |key: &str, since: u64| edge(key, "user_uses_device", json!({ "displayName": "USES", "since": since }));
    let wanted = [uses("device:8|uses|user:1", 1), uses("device:8|uses|user:2", 1), uses("device:9|uses|user:5", 6)];
    assert_eq!(edges(&records), wanted);
    let backward: Vec<_> = records.iter().rev().cloned().collect();
    assert_eq!(edges(&backward), wanted, "the order of the steps does not matter");
}

/// Records, the key of each mapped relationship, and the sets that its other end must agree with.
#[test]
fn a_mapped_relationship_names_what_must_agree_and_leaves_out_what_is_not_known() {
    let table = [
        (json!({ "email": "i@x" }), vec![("user:1|is|FORWARD:_class=Person:email=i@x", json!([["_class", "email"]]))]),
        (
            json!({ "email": "i@x", "first": "Ines", "last": "Varga" }),
            vec![(
                "user:1|is|FORWARD:_class=Person:email=i@x:firstName=Ines:lastName=Varga",
                json!([["_class", "email"], ["_class", "firstName", "lastName"]]),
            )],
        ),
        (
            json!({ "email": "", "first": "Ines", "last": "Varga" }),
            vec![(
                "user:1|is|FORWARD:_class=Person:firstName=Ines:lastName=Varga",
                json!([["_class", "firstName", "lastName"]]),
            )],
        ),
        (json!({ "email": null, "first": "Ines", "last": "" }), vec![]),
        (json!({ "hosts": [] }), vec![]),
        (
            json!({ "hosts": ["ws-1", "ws-2"] }),
            vec![("user:1|owns|REVERSE:_type=acme_device:hostname=ws-1,ws-2", json!([["_type", "hostname"]]))],
        ),
    ];
    for (says, wanted) in table {
        let mut record = fields(json!({ "id": 1 }));
        record.extend(fields(says.clone()));
        let mapped = mapped(0, Value::Object(record));
        let found: Vec<_> = mapped
            .objects
            .iter()
            .filter_map(|it| match &it.kind {
                Kind::Mapped { mapping, .. } => Some((&*it.key, mapping["targetFilterKeys"].clone())),
                _ => None,
            })
            .collect();
        assert_eq!(found, wanted, "{says}");
    }
    let mapped = mapped(0, json!({ "id": 1, "hosts": "ws-1" }));
    let wanted = json!({
        "_key": "user:1|owns|REVERSE:_type=acme_device:hostname=ws-1", "_type": "device_owned", "_class": "OWNS",
        "_mapping": {
            "relationshipDirection": "REVERSE", "sourceEntityKey": "user:1",
            "targetEntity": { "_type": "acme_device", "hostname": "ws-1" },
            "targetFilterKeys": [["_type", "hostname"]], "skipTargetCreation": true,
        },
        "displayName": "OWNS", "why": "host",
    });
    assert_eq!(Value::Object(mapped.objects[0].json(true)), wanted);
}
