//! Filters: one term for each entry, whatever it holds.

use connectome::trend_vision_one::CONNECTOR;
use connectome_core::filter::{Filter, FilterPlace, Syntax};
use connectome_sim::filter as reader;
use connectome_tests::simulated::{connect, vision_one};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::{PIECES, cases, connection, is_operator, name, text};

/// Words that a filter reads as operators and no service knows as fields.
const OPERATORS: [&str; 6] = ["and", "or", "not", "AND", "Or", "nOT"];

fn syntax() -> impl Strategy<Value = Syntax> {
    select(vec![Syntax::Odata, Syntax::Lucene])
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => (-1e12..1e12).prop_map(|number: f64| Value::from(number)),
        1 => any::<bool>().prop_map(Value::from),
    ]
}

/// Entries with names of their own, in this order.
fn entries(most: usize) -> impl Strategy<Value = Map<String, Value>> {
    vec((name(), value()), 1..most).prop_map(|entries| entries.into_iter().collect())
}

fn filter(syntax: Syntax) -> Filter {
    Filter {
        syntax,
        place: FilterPlace::Header("X-Filter"),
        operator: "query_op",
        max_length: None,
        required: false,
        names: &[],
        rename: &[],
    }
}

/// The text that stands for a value in a filter.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn wanted(entries: &Map<String, Value>) -> Vec<(String, String)> {
    entries.iter().map(|(name, value)| (name.clone(), shown(value))).collect()
}

/// The terms of an expression as a service reads them, and the operators between. Anything but terms side by side is an
/// error.
fn terms(read: &reader::Filter, operators: &mut Vec<&'static str>) -> Result<Vec<(String, String)>, String> {
    let (left, right, operator) = match read {
        reader::Filter::Equals(name, value) | reader::Filter::Contains(name, value) => {
            return Ok(vec![(name.clone(), value.clone())]);
        }
        reader::Filter::And(left, right) => (left, right, "and"),
        reader::Filter::Or(left, right) => (left, right, "or"),
        other => return Err(format!("{other:?} is no term that anybody asked for")),
    };
    let mut all = terms(left, operators)?;
    operators.push(operator);
    all.extend(terms(right, operators)?);
    Ok(all)
}

/// That a service reads an expression as these entries, all joined by this operator.
fn reads_as(
    syntax: Syntax,
    expression: &str,
    entries: &Map<String, Value>,
    operator: &str,
) -> Result<(), TestCaseError> {
    let read =
        reader::parse(syntax, expression).map_err(|why| TestCaseError::fail(format!("{why} in {expression}")))?;
    let mut operators = Vec::new();
    let found = terms(&read, &mut operators).map_err(TestCaseError::fail)?;
    prop_assert_eq!(found, wanted(entries), "{}", expression);
    prop_assert!(operators.iter().all(|it| *it == operator), "{:?} in {}", operators, expression);
    prop_assert_eq!(operators.len(), entries.len() - 1);
    Ok(())
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn a_filter_has_one_term_for_each_entry_whatever_the_values_hold(syntax in syntax(), entries in entries(12), operator in select(vec!["and", "or"])) {
        let expression = filter(syntax).expression(&entries, operator).map_err(|why| TestCaseError::fail(format!("{why:?}")))?;
        reads_as(syntax, &expression, &entries, operator)?;
    }

    #[test]
    fn a_filter_keeps_its_form_on_its_way_into_a_request(entries in entries(4), operator in select(vec!["and", "or"]), which in 0..3_usize) {
        let (action, syntax) = [("list_api_keys", Syntax::Odata), ("get_endpoint_activity_data", Syntax::Lucene), ("get_custom_script_list", Syntax::Odata)][which];
        let connection = connection();
        let operation = CONNECTOR.operation(action).expect("an action");
        let input = connection.validate(operation, &json!({ "fields": entries, "query_op": operator })).map_err(|error| TestCaseError::fail(error.to_string()))?;
        match connection.request(operation, &input) {
            Err(error) => prop_assert!(error.to_string().contains("a filter of at most"), "{}", error),
            Ok(request) => {
                let header = request.headers.iter().find(|(name, _)| name.starts_with("TMV1-")).map(|(_, value)| value.clone());
                let sent = url::Url::parse(&format!("http://127.0.0.1{}", request.target)).expect("a URL");
                let parameter = sent.query_pairs().find(|(name, _)| name == "filter").map(|(_, value)| value.into_owned());
                reads_as(syntax, &header.or(parameter).expect("a filter"), &entries, operator)?;
            }
        }
    }

    #[test]
    fn a_control_character_in_a_value_is_refused_by_name(syntax in syntax(), before in text(), control in any::<char>().prop_filter("no control", |it| it.is_control()), after in text(), name in name()) {
        let entries = Map::from_iter([("fine".to_owned(), json!("x")), (name.clone(), json!(format!("{before}{control}{after}")))]);
        let problems = filter(syntax).expression(&entries, "or").expect_err("a refusal");
        prop_assert_eq!(problems.iter().map(|problem| problem.pointer.clone()).collect::<Vec<_>>(), [format!("/{name}")]);
    }

    #[test]
    fn what_is_no_field_name_is_refused(syntax in syntax(), name in prop_oneof![text(), "[0-9_][A-Za-z0-9_]{0,5}", "[A-Za-z]{1,5}[^A-Za-z0-9_][A-Za-z]{0,5}", select(&OPERATORS[..]).prop_map(str::to_owned)]) {
        let good = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !is_operator(&name);
        let entries = Map::from_iter([(name.clone(), json!("x"))]);
        prop_assert_eq!(filter(syntax).expression(&entries, "or").is_ok(), good, "{:?}", name);
    }

    #[test]
    fn nothing_is_left_out_of_a_filter_but_what_is_null(syntax in syntax(), given in entries(6), nulls in vec(name(), 1..4)) {
        let mut entries = given.clone();
        for name in nulls {
            entries.entry(name).or_insert(Value::Null);
        }
        let expression = filter(syntax).expression(&entries, "and").map_err(|why| TestCaseError::fail(format!("{why:?}")))?;
        reads_as(syntax, &expression, &given, "and")?;
    }
}

#[test]
fn a_list_or_an_object_is_no_value_of_a_filter() {
    for value in [json!([]), json!(["a"]), json!({}), json!({ "a": 1 })] {
        let problems = filter(Syntax::Odata).expression(&Map::from_iter([("ip".to_owned(), value)]), "or").unwrap_err();
        assert_eq!(problems[0].pointer, "/ip");
    }
}

#[tokio::test]
async fn a_service_takes_filters_of_every_text() {
    let running = vision_one(|_| {}).await;
    let (connection, _) = connect(&running.url());
    for action in ["get_endpoint_data", "get_custom_script_list", "get_endpoint_activity_data_count"] {
        let operation = CONNECTOR.operation(action).unwrap();
        for piece in PIECES.iter().filter(|piece| !piece.chars().any(char::is_control)) {
            let name = match action {
                "get_endpoint_data" => "endpointName",
                "get_custom_script_list" => "fileName",
                _ => "endpointHostName",
            };
            let output =
                connection.call(operation, json!({ "fields": { name: format!("no such name{piece}") } })).await;
            let found = output.unwrap_or_else(|error| panic!("{piece:?}: {error}"));
            let nothing = found.as_object().unwrap().values().all(|value| value == &json!([]) || value == &json!(0));
            assert!(nothing, "{piece:?} widened the search of {action}: {found}");
        }
    }
    // The same calls do find what is there.
    let found = connection
        .call(
            CONNECTOR.operation("get_endpoint_data").unwrap(),
            json!({ "fields": { "endpointName": "ledger-pc-07" } }),
        )
        .await
        .unwrap();
    assert_eq!(found["endpoint_data"].as_array().unwrap().len(), 1);
}
