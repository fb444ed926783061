//! Answers: any JSON is shown under the user's names by every type of every connector, and what nobody declared survives.

use std::collections::BTreeMap;

use connectome::CONNECTORS;
use connectome_core::answer::Answer;
use connectome_core::connector::Connector;
use connectome_core::decode::{Reader, decode};
use connectome_core::place::Place;
use connectome_core::settle::{Findings, outputs, refuse};
use connectome_core::shape::{Record, Shape};
use connectome_fuzz::{json, search_among};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Every type that a shape leads to, by name.
fn records(shape: &Shape, found: &mut BTreeMap<&'static str, &'static Record>) {
    match shape {
        Shape::List(element) => records(element, found),
        Shape::Record(record) if found.insert(record.name, record).is_none() => {
            record.fields.iter().for_each(|field| records(&field.shape, found));
        }
        _ => {}
    }
}

/// The types of a connector's answers.
fn types(connector: &Connector) -> Vec<&'static Record> {
    let mut found = BTreeMap::new();
    for operation in connector.operations {
        operation.output.iter().for_each(|output| records(&output.field.shape, &mut found));
    }
    found.into_values().collect()
}

/// Its names on the wire.
fn wire(record: &Record) -> Vec<String> {
    let fields = record.fields.iter().flat_map(|field| match field.place {
        Place::Key(names, _) => names.iter().map(|wire| wire.name.to_owned()).collect(),
        _ => vec![field.name.to_owned()],
    });
    let variants = record.variant.iter().flat_map(|variant| variant.of.iter().map(|(name, _)| (*name).to_owned()));
    fields.chain(variants).chain(["id".to_owned()]).collect()
}

#[test]
fn what_nobody_declared_survives_every_type() {
    let several = CONNECTORS.iter().map(|connector| types(connector).len()).sum();
    for connector in CONNECTORS {
        for record in types(connector) {
            let shape = Shape::Record(Box::leak(Box::new(*record)));
            let members = proptest::collection::vec((proptest::sample::select(wire(record)), json(wire(record))), 0..8);
            search_among(several, 40, &(members, json(vec!["aB".to_owned()])), |(members, strange)| {
                prop_assume!(!strange.is_null());
                let mut value: Map<String, Value> = members.into_iter().collect();
                value.insert("neverSeenBefore".to_owned(), strange.clone());
                let shown = decode(connector.names, &shape, Value::Object(value));
                let name = connector.names.shown("neverSeenBefore");
                prop_assert_eq!(shown.get(&name), Some(&connector.names.show(strange)), "{}", record.name);
                Ok(())
            });
        }
    }
}

#[test]
fn records_of_a_page_are_read_as_records_at_hand_are() {
    for connector in CONNECTORS {
        for record in types(connector) {
            let shape = Shape::Record(Box::leak(Box::new(*record)));
            let members = proptest::collection::vec((proptest::sample::select(wire(record)), json(wire(record))), 0..8);
            search_among(10, 40, &(members, json(wire(record))), |(members, strange)| {
                let record: Map<String, Value> = members.into_iter().collect();
                let body =
                    json!({ "a": { "items": [record, strange], "next": strange }, "items": strange }).to_string();
                let answer = Answer { status: 200, headers: Vec::new(), body: body.into() };
                let read = answer.read(Reader::around(connector.names, &["a", "items"], &shape)).expect("JSON");
                let mut wire = answer.json().expect("JSON");
                for record in wire["a"]["items"].as_array_mut().expect("a list") {
                    *record = decode(connector.names, &shape, record.take());
                }
                prop_assert_eq!(read.to_string(), wire.to_string());
                Ok(())
            });
        }
    }
}

#[test]
fn of_two_keys_of_which_a_record_should_have_one_both_survive() {
    for connector in CONNECTORS {
        for record in types(connector) {
            let Some(variant) = record.variant else { continue };
            let keys: Vec<String> = variant.of.iter().map(|(name, _)| (*name).to_owned()).collect();
            let shape = Shape::Record(Box::leak(Box::new(*record)));
            let members = proptest::collection::vec((proptest::sample::select(keys), any::<u32>()), 0..4);
            search_among(10, 60, &members, |members| {
                let given: Map<String, Value> = members.into_iter().map(|(name, it)| (name, Value::from(it))).collect();
                let shown = decode(connector.names, &shape, Value::Object(given.clone()));
                for value in given.values() {
                    let held = shown.as_object().is_some_and(|shown| shown.values().any(|it| it == value));
                    prop_assert!(held, "{}: {} of {:?} became {}", record.name, value, given, shown);
                }
                Ok(())
            });
        }
    }
}

#[test]
fn any_answer_to_any_call_is_a_result_or_an_error() {
    let several = CONNECTORS.iter().map(|connector| connector.operations.len()).sum();
    for connector in CONNECTORS {
        for operation in connector.operations {
            let names = operation.output.iter().filter_map(|output| match output.field.shape {
                Shape::Record(record) => Some(wire(record)),
                Shape::List(Shape::Record(record)) => Some(wire(record)),
                _ => None,
            });
            let keys = ["items", "error", "code", "message", "status", "headers", "body", "name", "value", "nextLink"];
            let names: Vec<String> = names.flatten().chain(keys.map(str::to_owned)).collect();
            let body = prop_oneof![4 => json(names).prop_map(|it| it.to_string()), 1 => any::<String>()];
            let status = prop_oneof![4 => Just(200_u16), 1 => Just(207_u16), 2 => 100..600_u16];
            search_among(several, 30, &(status, body), |(status, body)| {
                let headers =
                    [("ETag", "W/\"x\""), ("Location", "https://x.example/a/b?c"), ("Operation-Location", "")];
                let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
                let answer = Answer { status, headers, body: body.clone().into_bytes().into() };
                let _ = refuse(connector, operation, &answer);
                let items = Vec::new();
                let body = serde_json::from_str(&body).ok();
                let _ = outputs(
                    connector,
                    operation,
                    Findings { answer: &answer, body, count: 0, items, input: &Map::new() },
                );
                Ok(())
            });
        }
    }
}
