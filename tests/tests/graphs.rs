//! The connectors that see an account as a graph: what a recorded account becomes, in every dialect, and what becomes of
//! an account that misbehaves. `cases/NAME/account.json` and `cases/NAME/edges.json` hold both.

use std::collections::BTreeSet;

use connectome::{pagerduty, trend_micro};
use connectome_core::connector::Connector;
use connectome_core::{Connection, ErrorKind, Settings};
use connectome_graph::Graph;
use connectome_tests::account::{Kept, cases, route, service, texts};
use connectome_tests::script::Asked;
use serde_json::{Map, Value, json};

const CONNECTORS: [(&Connector, &Graph); 2] =
    [(&pagerduty::CONNECTOR, &pagerduty::graph::GRAPH), (&trend_micro::CONNECTOR, &trend_micro::graph::GRAPH)];

/// Objects by key, of which none may be there twice.
fn keyed(objects: &Value) -> Map<String, Value> {
    let mut keyed = Map::new();
    for object in objects.as_array().expect("a list") {
        let key = object["_key"].as_str().expect("a key");
        assert!(keyed.insert(key.to_owned(), object.clone()).is_none(), "{key} twice");
    }
    keyed
}

/// What is there and what should be, object by object.
fn same(found: &Map<String, Value>, wanted: &Map<String, Value>, what: &str) {
    for (key, wanted) in wanted {
        assert_eq!(found.get(key), Some(wanted), "{what}: {key}");
    }
    let more: Vec<&String> = found.keys().filter(|key| !wanted.contains_key(*key)).collect();
    assert!(more.is_empty(), "{what}: nobody expects {more:?}");
}

/// The entity with the record that it was made from.
fn with_record(mut entity: Value, account: &Value) -> Value {
    let source = account["sources"][entity["_type"].as_str().expect("a type")].as_str().expect("a call");
    let id = entity["_key"].as_str().and_then(|key| key.rsplit(':').next()).expect("an id");
    let (_, records) = account["served"][source].as_object().and_then(|it| it.iter().next()).expect("a list");
    let of = |record: &&Value| record["id"] == id || record["ID"].as_i64().is_some_and(|it| it.to_string() == id);
    let record = records.as_array().and_then(|all| all.iter().find(of)).expect("a record");
    entity["_rawData"] = json!([{ "name": "default", "rawData": record }]);
    entity
}

/// The keys of an edge's ends, which its own key holds.
fn ends(key: &str) -> (&str, &str) {
    let parts: Vec<&str> = key.split('|').collect();
    (parts[0], parts[2])
}

#[tokio::test]
async fn an_account_becomes_the_graph_that_is_documented() {
    for (connector, graph) in CONNECTORS {
        let account = cases(&format!("{}/account.json", connector.name));
        let peer = service(account["served"].clone(), Value::Null).await;
        let kept = Kept::new(connector, graph);
        let run = kept.sync(&peer, "documented").await.unwrap();

        let mut wanted = keyed(&account["entities"]);
        wanted.values_mut().for_each(|entity| *entity = with_record(entity.take(), &account));
        wanted.extend(keyed(&account["relationships"]));
        for (key, properties) in account["beyond"]["properties"].as_object().unwrap() {
            let relationship = wanted[key].as_object_mut().unwrap();
            relationship.extend(properties.as_object().unwrap().clone());
        }
        wanted.extend(keyed(&account["beyond"]["mapped"]));
        same(&kept.objects(), &wanted, connector.name);

        let report = &run.report;
        assert_eq!(report["dangling"], account["dangling"]);
        for nothing in ["warnings", "violations", "partial"] {
            assert!([json!([]), json!({})].contains(&report[nothing]), "{nothing}: {report}");
        }
        // A second run finds nothing else.
        let again = kept.sync(&peer, "documented").await.unwrap();
        let counted = again.report["types"].as_object().unwrap().values();
        assert!(counted.clone().all(|it| it["created"] == 0 && it["updated"] == 0 && it["deleted"] == 0), "{report}");
        assert_eq!(counted.map(|it| it["unchanged"].as_u64().unwrap()).sum::<u64>(), wanted.len() as u64);
    }
}

#[tokio::test]
async fn an_account_becomes_the_same_graph_in_the_words_of_others() {
    for (connector, graph) in CONNECTORS {
        let account = cases(&format!("{}/account.json", connector.name));
        let dialects = account["dialects"].as_object().unwrap();
        let known: Vec<&str> = graph.dialects.iter().map(|dialect| dialect.name).collect();
        let told: Vec<&str> = std::iter::once("documented").chain(dialects.keys().map(String::as_str)).collect();
        assert_eq!(known, told, "{}", connector.name);
        for (dialect, differs) in dialects {
            let peer = service(account["served"].clone(), Value::Null).await;
            let kept = Kept::new(connector, graph);
            kept.sync(&peer, dialect).await.unwrap();
            let (entities, edges): (Map<_, _>, Map<_, _>) =
                kept.objects().into_iter().partition(|(_, object)| object.get("_rawData").is_some());

            let mut differing = differs["differ"].as_object().unwrap().clone();
            let mut wanted = Map::new();
            for (key, mut entity) in keyed(&account["entities"]) {
                if let Some(Value::Object(other)) = differing.remove(&key) {
                    entity.as_object_mut().unwrap().extend(other);
                }
                wanted.insert(entity["_key"].as_str().unwrap().to_owned(), with_record(entity, &account));
            }
            assert!(differing.is_empty(), "{dialect}: {differing:?}");
            same(&entities, &wanted, dialect);

            let mut wanted = Map::new();
            for (what, keys) in differs["relationships"].as_object().unwrap() {
                let (ty, class) = what.split_once(' ').unwrap();
                for key in texts(keys) {
                    let (from, to) = ends(key);
                    let edge = json!({
                        "_key": key, "_type": ty, "_class": class, "displayName": class, "_fromEntityKey": from,
                        "_toEntityKey": to,
                    });
                    wanted.insert(key.to_owned(), edge);
                }
            }
            let bare = |(key, mut edge): (String, Value)| {
                let fields = edge.as_object_mut().unwrap();
                fields.retain(|name, _| name.starts_with('_') || name == "displayName");
                (key, edge)
            };
            same(&edges.into_iter().map(bare).collect(), &wanted, dialect);
        }
    }
}

/// What a request asked for: its query, or the id after which it wants records.
fn wish(asked: &Asked) -> String {
    if asked.method == "POST" {
        return asked.json()["searchCriteria"][0]["idValue"].to_string();
    }
    asked.target.split_once('?').map_or("", |(_, query)| query).to_owned()
}

fn says(text: &str, wanted: &Value, what: &str) {
    for wanted in texts(wanted) {
        assert!(text.contains(wanted), "{what}: {wanted:?} is not in {text:?}");
    }
}

#[tokio::test]
async fn an_account_that_misbehaves_is_read_as_far_as_it_goes() {
    let mut failed = Vec::new();
    for (connector, graph) in CONNECTORS {
        let served = cases(&format!("{}/account.json", connector.name))["served"].clone();
        for case in cases(&format!("{}/edges.json", connector.name)).as_array().unwrap() {
            let (served, case) = (served.clone(), case.clone());
            let name = case["name"].clone();
            if tokio::spawn(async move { misbehaves(connector, graph, served, &case).await }).await.is_err() {
                failed.push(name);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

async fn misbehaves(connector: &'static Connector, graph: &'static Graph, served: Value, case: &Value) {
    let name = case["name"].as_str().unwrap();
    let kept = Kept::new(connector, graph);
    if case["again"] == true {
        kept.sync(&service(served.clone(), Value::Null).await, "documented").await.unwrap();
    }
    let before = kept.objects();
    let peer = service(served, case["calls"].clone()).await;
    let outcome = kept.sync(&peer, "documented").await;
    for (call, wanted) in case["asked"].as_object().into_iter().flatten() {
        let asked: Vec<String> = peer.asked().iter().filter(|it| route(it) == *call).map(wish).collect();
        assert_eq!(asked, texts(wanted), "{name}: {call}");
    }
    match (outcome, case.get("error")) {
        (Err(error), Some(wanted)) => {
            assert_eq!(json!(error.kind()), wanted["kind"], "{name}: {error}");
            says(&error.to_string(), &wanted["says"], name);
            assert_eq!(json!(peer.asked().len()), wanted["requests"], "{name}");
            same(&kept.objects(), &before, name);
        }
        (Ok(run), None) => {
            told(case, &run.report, name);
            let [least, most] = [0, 1].map(|at| case["waits"][at].as_u64().unwrap_or(0));
            let waited = run.waited.as_millis() as u64;
            assert!((least..=most).contains(&waited), "{name}: waits {waited} ms");
            holds(case, &kept.objects(), name);
        }
        (outcome, _) => panic!("{name}: {outcome:?}"),
    }
}

/// The report says what the case wants, and no more than that.
fn told(case: &Value, report: &Value, name: &str) {
    let mut steps = case["steps"].as_object().cloned().unwrap_or_default();
    for step in report["steps"].as_array().unwrap() {
        match steps.remove(step["step"].as_str().unwrap()) {
            None => assert_eq!(step["status"], "done", "{name}: {step}"),
            Some(wanted) => {
                assert_eq!(step["status"], wanted["status"], "{name}: {step}");
                says(step["cause"].as_str().unwrap_or_default(), &wanted["cause"], name);
                says(step["remedy"].as_str().unwrap_or_default(), &wanted["remedy"], name);
            }
        }
    }
    assert!(steps.is_empty(), "{name}: {steps:?}");
    let partial: BTreeSet<&str> = report["partial"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(partial, texts(&case["partial"]).into_iter().collect(), "{name}");
    let (warnings, wanted) = (texts(&report["warnings"]), texts(&case["warnings"]));
    assert_eq!(warnings.len(), wanted.len(), "{name}: {warnings:?}");
    warnings.iter().zip(wanted).for_each(|(it, wanted)| assert!(it.contains(wanted), "{name}: {it}"));
    let counted = |what: &str| {
        let types = report["types"].as_object().unwrap();
        types.values().map(|counts| counts[what].as_u64().unwrap()).sum::<u64>()
    };
    for (what, wanted) in case["changes"].as_object().into_iter().flatten() {
        assert_eq!(json!(counted(what)), *wanted, "{name}: {what}");
    }
}

/// The graph holds what the case wants.
fn holds(case: &Value, objects: &Map<String, Value>, name: &str) {
    for (ty, count) in case["counts"].as_object().into_iter().flatten() {
        let found: Vec<&String> = objects.iter().filter(|(_, it)| it["_type"] == **ty).map(|(key, _)| key).collect();
        assert_eq!(json!(found.len()), *count, "{name}: {ty}: {found:?}");
    }
    for (key, wanted) in case["objects"].as_object().into_iter().flatten() {
        let object = objects.get(key).unwrap_or_else(|| panic!("{name}: there is no {key}"));
        for (property, value) in wanted.as_object().unwrap() {
            assert_eq!(object[property], *value, "{name}: {property} of {key}");
        }
    }
}

#[test]
fn a_key_that_is_empty_or_missing_is_told_before_anything_is_sent() {
    for (connector, _) in CONNECTORS {
        for key in [json!(""), json!("   "), Value::Null] {
            let mut parameters = json!({ "api_url": "http://127.0.0.1:9" }).as_object().unwrap().clone();
            parameters.extend([("api_key".to_owned(), key.clone())].into_iter().filter(|_| !key.is_null()));
            let error = Connection::new(connector, Settings::new(parameters)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
            let (text, name) = (error.to_string(), connector.name.to_uppercase().replace('-', "_"));
            assert!(text.contains("/api_key") && text.contains(&format!("CONNECTOME_{name}_API_KEY")), "{text}");
        }
    }
}
