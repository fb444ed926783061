//! Properties of what strangers' text goes through: filters, links to further pages, dates and validation. None of it may
//! panic, and no text may change the form of what is sent.

use connectome::trend_vision_one::CONNECTOR;
use connectome_core::filter::{Filter, FilterPlace, Syntax};
use connectome_core::origin::Origin;
use connectome_core::shape::{Record, Shape};
use connectome_core::time::{parse, whole_seconds};
use connectome_core::validate::validate;
use connectome_core::{Connection, ErrorKind};
use connectome_sim::filter as reader;
use connectome_tests::simulated::{connect, vision_one};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// What means something in one of the two syntaxes, and what often goes wrong.
const PIECES: &[&str] = &[
    "'",
    "''",
    "\"",
    "\\",
    "\\\"",
    "\\\\",
    " or ",
    " and ",
    "not ",
    " not (",
    "(",
    ")",
    "*",
    ":",
    " eq ",
    "contains(",
    ",",
    "a",
    "Zz",
    " ",
    "  ",
    "é",
    "ß",
    "Ω",
    "漢字",
    "😀",
    "\u{200d}",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "%27",
    "&",
    "#",
    "?",
    "=",
    "+",
    "/",
    "<",
    "{",
    "$",
    "\u{1f468}\u{200d}\u{1f469}",
];

/// Words that a filter reads as operators and no service knows as fields.
const OPERATORS: [&str; 6] = ["and", "or", "not", "AND", "Or", "nOT"];

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn syntax() -> impl Strategy<Value = Syntax> {
    select(vec![Syntax::Odata, Syntax::Lucene])
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => vec(select(PIECES), 0..24).prop_map(|pieces| pieces.concat()),
        3 => vec(any::<char>(), 0..40).prop_map(|letters| letters.into_iter().filter(|letter| !letter.is_control()).collect()),
        1 => vec(select(PIECES), 300..400).prop_map(|pieces| pieces.concat()),
    ]
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

fn is_operator(name: &str) -> bool {
    ["and", "or", "not"].contains(&name.to_ascii_lowercase().as_str())
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[A-Za-z][A-Za-z0-9_]{0,15}".prop_filter("an operator", |name| !is_operator(name)),
        1 => select(vec!["eq", "contains", "notes", "order", "android", "orId", "not_it", "null", "true"]).prop_map(str::to_owned),
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

fn connection() -> Connection {
    connect("http://127.0.0.1:9").0
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

/// Parts of which links are made, good and bad.
const LINK_PIECES: &[&str] = &[
    "https://",
    "http://",
    "HTTPS://",
    "ftp://",
    "//",
    "://",
    "/",
    "\\",
    "\\\\",
    "/v3.0/",
    "v3.0",
    "/v3.0",
    "..",
    "/../",
    "%2e%2e",
    "/.%2E/",
    ".",
    "%2f",
    "%5c",
    "@",
    ":",
    "?",
    "#",
    "evil.example",
    "api.example",
    "user:pass@",
    ":8443",
    "127.0.0.1",
    "[::1]",
    "alerts",
    "skipToken=MTA%3D",
    "&",
    " ",
    "\t",
    "\n",
    "\r",
    "\0",
    "é",
    "%00",
    ";",
    "javascript:",
];

const ROOT: &str = "https://api.example:8443";

fn link() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => vec(select(LINK_PIECES), 0..10).prop_map(|pieces| pieces.concat()),
        3 => vec(select(LINK_PIECES), 0..6).prop_map(|pieces| format!("/v3.0/{}", pieces.concat())),
        2 => vec(select(LINK_PIECES), 0..6).prop_map(|pieces| format!("https://evil.example/v3.0/{}", pieces.concat())),
        1 => any::<String>(),
        1 => any::<String>().prop_map(|text| format!("/v3.0/{text}")),
    ]
}

proptest! {
    #![proptest_config(cases(4000))]

    #[test]
    fn a_next_link_never_leads_to_another_host_or_out_of_the_base(link in link()) {
        let origin = Origin::parse(&format!("{ROOT}/v3.0"), false).expect("an origin");
        if let Ok(target) = origin.rebase(&link, "/v3.0") {
            let sent = url::Url::parse(&format!("{}{target}", origin.root())).map_err(|why| TestCaseError::fail(format!("{why}: {target}")))?;
            prop_assert_eq!(sent.origin().ascii_serialization(), ROOT, "{} became {}", link, sent);
            prop_assert!(sent.username().is_empty() && sent.password().is_none(), "{} became {}", link, sent);
            prop_assert!(sent.path().starts_with("/v3.0/"), "{} became {}", link, sent);
        }
    }

    #[test]
    fn a_next_link_keeps_path_and_query_as_they_are(host in "[a-z0-9.-]{1,20}(:[0-9]{1,4})?", path in "/v3\\.0/[A-Za-z0-9]{1,10}(/[A-Za-z0-9]{1,10}){0,3}", query in "(\\?[A-Za-z0-9%=&:/.,'()*+_~;@$!-]{0,40})?") {
        let origin = Origin::parse(ROOT, false).expect("an origin");
        let link = format!("{path}{query}");
        prop_assert_eq!(origin.rebase(&link, "/v3.0"), Ok(link.clone()));
        prop_assert_eq!(origin.rebase(&format!("https://{host}{link}"), "/v3.0"), Ok(link));
    }
}

/// A time in the forms that people and services write.
fn written(time: Timestamp, form: usize) -> String {
    let minutes: i64 = [0, 0, 0, 0, 0, 120, -330, 570, -60][form];
    let local =
        Timestamp::from_nanosecond(time.as_nanosecond() + i128::from(minutes) * 60_000_000_000).expect("a time");
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    let fraction = match time.as_nanosecond().rem_euclid(1_000_000_000) {
        0 => String::new(),
        nanoseconds => format!(".{nanoseconds:09}"),
    };
    let (separator, zone) = match form {
        0 => ('T', "Z".to_owned()),
        1 => (' ', String::new()),
        2 => ('t', "z".to_owned()),
        3 => (' ', "+00:00".to_owned()),
        4 => ('T', "-0000".to_owned()),
        5 | 6 => ('T', format!("{sign}{hours:02}:{rest:02}")),
        _ => (' ', format!("{sign}{hours:02}{rest:02}")),
    };
    format!("{}{separator}{}{fraction}{zone}", local.strftime("%Y-%m-%d"), local.strftime("%H:%M:%S"))
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_time_is_the_same_in_every_form(second in -62_135_510_400_i64..253_402_000_000, nanosecond in prop_oneof![Just(0_i32), 1..1_000_000_000_i32], form in 0..9_usize) {
        let time = Timestamp::new(second, nanosecond).expect("a time");
        let text = written(time, form);
        prop_assert_eq!(parse(&text), Ok(time), "{}", &text);
        let down = whole_seconds(time, false);
        prop_assert_eq!(down.len(), 20);
        let floor = i64::try_from(time.as_nanosecond().div_euclid(1_000_000_000)).expect("seconds");
        prop_assert_eq!(parse(&down).map(|it| it.as_second()), Ok(floor), "{}", &text);
        let up = parse(&whole_seconds(time, true)).expect("a time");
        prop_assert!(up >= time && up.duration_since(time).as_nanos() < 1_000_000_000, "{} up to {}", &text, up);
    }

    #[test]
    fn no_text_upsets_the_reading_of_times(text in prop_oneof![any::<String>(), "[0-9T:. Zz+-]{15,32}", "20[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ][0-9:.]{8,16}[Zz+ -]?[0-9:]{0,6}"]) {
        if let Ok(time) = parse(&text) {
            prop_assert_eq!(parse(&whole_seconds(time, false)).map(|it| it.as_second()), Ok(time.as_nanosecond().div_euclid(1_000_000_000) as i64));
        }
    }
}

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
