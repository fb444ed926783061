//! Alerts, findings and vulnerabilities of JupiterOne as documents of the Elastic Common Schema: whole documents, and the
//! proof that no line of the mapping is without a test.

use std::fs;
use std::path::Path;

use connectome::jupiterone::CONNECTOR;
use connectome_collect::mapping::Mapper;
use connectome_core::mapping::{Mapping, Source, Stage, Verb};
use connectome_tests::defaults::defaults;
use serde_json::{Map, Value, json};

/// A record, and the document that becomes of it when the mapping is strict.
struct Example {
    name: String,
    given: Value,
    becomes: Value,
}

fn examples() -> Vec<Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("risks");
    let mut files: Vec<_> = fs::read_dir(folder).expect("risks").map(|file| file.expect("a file").path()).collect();
    files.sort();
    let read = |path: &Path| -> Example {
        let mut example: Value = serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        Example { name, given: example["given"].take(), becomes: example["becomes"].take() }
    };
    files.iter().map(|path| read(path)).collect()
}

fn mapping() -> &'static Mapping {
    CONNECTOR.mappings.iter().find(|mapping| mapping.name == "risks_and_alerts").expect("the mapping")
}

/// What the user may set, as it is when nobody sets it, but strict.
fn parameters(set: &[(&str, Value)]) -> Map<String, Value> {
    let mut parameters = defaults(&CONNECTOR);
    parameters.insert("strict".to_owned(), json!(true));
    parameters.extend(set.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    parameters
}

fn document(mapping: &Mapping, set: &[(&str, Value)], record: &Value) -> Value {
    let now = "2026-02-05T08:00:00.123Z".parse().expect("a time");
    let mut out = Vec::new();
    Mapper::new(mapping, &parameters(set)).write(&record.to_string(), now, &mut out);
    serde_json::from_slice(&out).expect("JSON")
}

/// Whole numbers are written as such, `7.0` as 7.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => match number.as_f64() {
            Some(float) if float.fract() == 0.0 => json!(float as i64),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_example_becomes_its_document() {
    for example in examples() {
        let mut found = document(mapping(), &[], &example.given);
        let members = found.as_object_mut().expect("an object");
        assert_eq!(members.remove("@timestamp"), Some(json!("2026-02-05T08:00:00.123Z")));
        assert_eq!(
            found["event"].as_object_mut().expect("event").remove("ingested"),
            Some(json!("2026-02-05T08:00:00Z"))
        );
        let mut wanted = example.becomes;
        if let Some(original) = wanted["event"].get_mut("original") {
            let kept = found["event"]["original"].as_str().expect("the record's text");
            assert_eq!(serde_json::from_str::<Value>(kept).expect("JSON"), example.given);
            *original = json!(kept);
        }
        assert_eq!(plain(&found), plain(&wanted), "{}", example.name);
    }
}

#[test]
fn what_is_kept_is_a_setting() {
    let examples = examples();
    let record = &examples.iter().find(|it| it.name == "5-detection").expect("the example").given;
    let plain = document(mapping(), &[], record);
    let both = document(mapping(), &[("preserve_duplicate_custom_fields", json!(true))], record);
    let mut more = Vec::new();
    differences(&plain, &both, String::new(), &mut more);
    let wanted = json!({
        "jupiter_one.asset.entity._begin_on": "2026-02-03T07:00:56.000Z",
        "jupiter_one.asset.entity._created_on": "2026-02-03T07:00:56.000Z",
        "jupiter_one.asset.id": "1c0a5e0e-8a58-5a51-9a36-0c5d1a3f0005",
        "jupiter_one.asset.properties.device_hostname": "WS-0005",
        "jupiter_one.asset.properties.device_id": "dev-0005",
        "jupiter_one.asset.properties.device_mac_address": "00-00-5E-00-53-05",
        "jupiter_one.asset.properties.device_os_version": "Windows 11",
        "jupiter_one.asset.properties.device_platform_name": "Windows",
        "jupiter_one.asset.properties.user_id": "S-1-5-21-1000",
        "jupiter_one.asset.properties.user_name": "ACME\\bob",
        "tags": ["preserve_duplicate_custom_fields", "forwarded", "jupiter_one-asset"],
    });
    assert_eq!(Value::Object(more.into_iter().collect()), wanted);

    let own = [("preserve_original_event", json!(true)), ("tags", json!(["own"])), ("namespace", json!("eu"))];
    let kept = document(mapping(), &own, record);
    assert_eq!(kept["tags"], json!(["preserve_original_event", "own"]));
    assert_eq!(kept["data_stream"]["namespace"], "eu");
    assert_eq!(
        serde_json::from_str::<Value>(kept["event"]["original"].as_str().expect("text")).expect("JSON"),
        *record
    );
}

/// What the second document has more, or else, by path.
fn differences(one: &Value, other: &Value, path: String, found: &mut Vec<(String, Value)>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            assert!(one.keys().all(|name| other.contains_key(name)), "nothing is lost: {path}");
            for (name, value) in other {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                differences(one.get(name).unwrap_or(&Value::Null), value, path, found);
            }
        }
        (one, other) if one == other => {}
        (_, other) => found.push((path, other.clone())),
    }
}

#[test]
fn unless_strict_a_bad_value_costs_no_more_than_itself() {
    let examples = examples();
    let lenient = |name: &str| {
        let record = &examples.iter().find(|it| it.name == name).expect("the example").given;
        document(mapping(), &[("strict", json!(false))], record)
    };
    // The document is still an alert; a fraction and a number of milliseconds are no mistakes.
    let found = lenient("7-bad-values");
    assert_eq!(found["event"]["kind"], "alert");
    assert_eq!(found["tags"], json!(["forwarded", "jupiter_one-asset"]));
    assert_eq!(found["event"].get("original"), None);
    let told = found["error"]["message"].as_array().expect("messages");
    let told: Vec<&str> =
        told.iter().map(|it| it.as_str().expect("text").split(':').next().expect("a field")).collect();
    let fields = ["impact", "open", "device_local_ip"].map(|name| format!("jupiter_one.asset.properties.{name}"));
    assert_eq!(told[0], "url.original");
    assert_eq!(told[1..], fields);
    let properties = &found["jupiter_one"]["asset"]["properties"];
    assert_eq!(properties["numeric_severity"], 5.5);
    assert_eq!(properties["detected_on"], "2026-02-03T07:00:56.000Z");

    // The tag that is an object stays, the plain one goes, and everything behind it is done.
    let found = lenient("8-dotted-key");
    assert_eq!(found["jupiter_one"]["asset"]["properties"]["tag"], json!({ "jira": "SEC-8" }));
    assert_eq!(found["error"]["message"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["vulnerability"]["id"], "CVE-2026-0008");
    assert_eq!(found["event"]["kind"], "alert");
}

#[test]
fn whatever_a_record_is_there_is_a_document() {
    for (record, kept) in [
        (json!([1]), "[1]"),
        (json!("text"), "\"text\""),
        (json!(null), "null"),
        (json!({}), "{}"),
        (json!({ "id": "x", "entity": 7 }), r#"{"id":"x","entity":7}"#),
        (json!({ "entity": { "_class": null } }), r#"{"entity":{"_class":null}}"#),
    ] {
        let found = document(mapping(), &[], &record);
        assert_eq!(found["data_stream"]["dataset"], "jupiter_one.asset", "{record}");
        assert_eq!(found["error"]["message"].as_array().map(Vec::len), Some(1), "{record}");
        assert_eq!(found["event"]["original"], kept);
        // Nothing of it is lost when the mapping is not strict either.
        let found = document(mapping(), &[("strict", json!(false))], &record);
        assert!(found["error"]["message"].is_array(), "{record}");
    }
}

/// The mapping without one of its facts, for each of them, and what that fact is.
fn mutants(mapping: &Mapping) -> Vec<(String, Mapping)> {
    without(mapping.stages, String::new())
        .into_iter()
        .map(|(what, stages)| (what, Mapping { stages: Vec::leak(stages), ..*mapping }))
        .collect()
}

/// The stages without one of their facts, for each.
fn without(stages: &'static [Stage], place: String) -> Vec<(String, Vec<Stage>)> {
    let mut mutants = Vec::new();
    for (number, stage) in stages.iter().enumerate() {
        let place = format!("{place}{number}");
        let mut with = |what: String, verb: Verb, when: &'static [_]| {
            let mut changed = stages.to_vec();
            changed[number] = Stage { verb, when, ..*stage };
            mutants.push((format!("{place} {what}"), changed));
        };
        for left_out in 0..stage.when.len() {
            with(format!("when {:?}", stage.when[left_out].0), stage.verb, but(stage.when, left_out));
        }
        let mut verb = |what: String, verb: Verb| with(what, verb, stage.when);
        match stage.verb {
            Verb::Set(all) => each(all).for_each(|(it, rest)| verb(format!("set {:?}", it.0), Verb::Set(rest))),
            Verb::Copy(all) => each(all).for_each(|(it, rest)| verb(format!("copy {:?}", it.0), Verb::Copy(rest))),
            Verb::Now(all) => each(all).for_each(|(it, rest)| verb(format!("now {:?}", it.0), Verb::Now(rest))),
            Verb::Duration(all) => {
                each(all).for_each(|(it, rest)| verb(format!("duration {:?}", it.0), Verb::Duration(rest)));
            }
            Verb::Remove(all) => each(all).for_each(|(it, rest)| verb(format!("remove {it:?}"), Verb::Remove(rest))),
            Verb::Require(all) => each(all).for_each(|(it, rest)| verb(format!("require {it:?}"), Verb::Require(rest))),
            Verb::Convert(kinds) => {
                for (at, (kind, fields)) in kinds.iter().enumerate() {
                    for (field, rest) in each(fields) {
                        let mut changed = kinds.to_vec();
                        changed[at] = (*kind, rest);
                        verb(format!("convert {kind:?} {field:?}"), Verb::Convert(Vec::leak(changed)));
                    }
                }
            }
            Verb::Append(lists) => {
                for (at, (target, sources)) in lists.iter().enumerate() {
                    for (source, rest) in each::<Source>(sources) {
                        let mut changed = lists.to_vec();
                        changed[at] = (*target, rest);
                        verb(format!("append {target:?} {source:?}"), Verb::Append(Vec::leak(changed)));
                    }
                }
            }
            Verb::Stages(inner) => {
                for (what, changed) in without(inner, format!("{place}.")) {
                    verb(what, Verb::Stages(Vec::leak(changed)));
                }
            }
            Verb::Original(_) | Verb::CopyAll { .. } | Verb::UrlParts(_) | Verb::ExpandDots(_) | Verb::RemoveEmpty => {
                verb(format!("{:?}", stage.verb), Verb::Set(&[]));
            }
        }
        if let Some((name, wanted)) = stage.asked {
            let mut changed = stages.to_vec();
            changed[number].asked = None;
            mutants.push((format!("{place} asked {name} {wanted}"), changed));
        }
    }
    mutants
}

fn but<T: Copy>(all: &[T], left_out: usize) -> &'static [T] {
    Vec::leak(all.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, it)| *it).collect())
}

fn each<T: Copy>(all: &'static [T]) -> impl Iterator<Item = (T, &'static [T])> {
    all.iter().enumerate().map(|(at, it)| (*it, but(all, at)))
}

#[test]
fn no_fact_of_the_mapping_is_without_an_example() {
    let records: Vec<Value> = examples().into_iter().map(|it| it.given).chain([json!([]), json!({})]).collect();
    let settings = [
        vec![],
        vec![("strict", json!(false))],
        vec![("preserve_original_event", json!(true)), ("preserve_duplicate_custom_fields", json!(true))],
    ];
    let documents = |mapping: &Mapping| -> Vec<Value> {
        settings.iter().flat_map(|set| records.iter().map(|record| document(mapping, set, record))).collect()
    };
    let whole = documents(mapping());
    let mutants = mutants(mapping());
    let unseen: Vec<&String> =
        mutants.iter().filter(|(_, mutant)| documents(mutant) == whole).map(|(what, _)| what).collect();
    assert!(unseen.is_empty(), "{} of {} facts could be left out unseen: {unseen:#?}", unseen.len(), mutants.len());
    eprintln!("{} facts of the mapping, each left out once", mutants.len());
    assert!(mutants.len() > 110, "only {} facts", mutants.len());
}
