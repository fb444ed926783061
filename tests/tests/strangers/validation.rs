//! Validation: any input passes or is refused with a reason.

use connectome::trend_vision_one::CONNECTOR;
use connectome_core::ErrorKind;
use connectome_core::shape::{Record, Shape};
use connectome_core::validate::validate;
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::{cases, connection, name, text};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        text().prop_map(Value::from),
        select(vec![
            "2024-06-11T07:12:44Z",
            "7c0b2f1e-5b0d-4a55-9a3e-2f6d1e9a4c10",
            "ip",
            "url",
            "<a@b.example>",
            "high",
            "bash",
            "dGVzdA==",
            "1",
            "-1",
            "None",
            "1e400",
            "[",
            "::",
            "*",
            "a.sh"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((any::<String>(), inner), 0..6).prop_map(|entries| Value::Object(entries.into_iter().collect()))
        ]
    })
}

/// A value of this form, or anything else.
fn like(shape: &'static Shape, depth: usize) -> BoxedStrategy<Value> {
    let formed = match shape {
        Shape::List(element) if depth > 0 => vec(like(element, depth - 1), 0..4).prop_map(Value::from).boxed(),
        Shape::Record(record) if depth > 0 => object(record, depth - 1),
        Shape::File => (any_json(), any_json())
            .prop_map(|(content, filename)| json!({ "content": content, "filename": filename }))
            .boxed(),
        Shape::Object => {
            vec((name(), any_json()), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect())).boxed()
        }
        _ => any_json().boxed(),
    };
    prop_oneof![4 => formed, 1 => any_json()].boxed()
}

/// An object with some of a record's fields, and perhaps one more.
fn object(record: &'static Record, depth: usize) -> BoxedStrategy<Value> {
    let fields: Vec<BoxedStrategy<Option<(String, Value)>>> = record
        .fields
        .iter()
        .flat_map(|field| {
            std::iter::once(field.name).chain(field.aliases.iter().copied()).map(move |name| (name, field))
        })
        .map(|(name, field)| {
            prop::option::weighted(0.8, like(&field.shape, depth).prop_map(move |value| (name.to_owned(), value)))
                .boxed()
        })
        .collect();
    (fields, prop::option::weighted(0.1, (any::<String>(), any_json())))
        .prop_map(|(fields, more)| Value::Object(fields.into_iter().flatten().chain(more).collect()))
        .boxed()
}

/// Every input of the connector.
fn records() -> Vec<&'static Record> {
    let actions = CONNECTOR.operations.iter().map(|operation| operation.input);
    actions.chain(CONNECTOR.triggers.iter().map(|trigger| trigger.input)).chain([CONNECTOR.parameters]).collect()
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn validation_settles_any_input_of_any_operation((which, input) in (0..records().len()).prop_flat_map(|which| (Just(which), prop_oneof![4 => object(records()[which], 3), 1 => any_json().boxed()]))) {
        let record = records()[which];
        match validate(record, &input, Timestamp::UNIX_EPOCH) {
            // What passed is in the one form, which passes again and stays as it is.
            Ok(formed) => prop_assert_eq!(validate(record, &Value::Object(formed.clone()), Timestamp::UNIX_EPOCH), Ok(formed)),
            Err(violations) => {
                prop_assert!(!violations.is_empty());
                for violation in violations {
                    prop_assert!(violation.pointer.is_empty() || violation.pointer.starts_with('/'), "{}", violation);
                    prop_assert!(!violation.expected.is_empty() && !violation.found.is_empty(), "{:?}", violation);
                }
            }
        }
        if let Some(operation) = CONNECTOR.operations.get(which) {
            let connection = connection();
            if let Err(error) = connection.validate(operation, &input).and_then(|input| connection.request(operation, &input)) {
                prop_assert_eq!(error.kind(), ErrorKind::Input);
            }
        }
    }
}
