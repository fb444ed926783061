//! What the service is asked and what comes out, case by case.
//!
//! `cases/trend-vision-one/exchanges.json` holds requests and the service's answers to them; `cases.json` beside it
//! says which of them an action or a trigger makes of an input, and what it gives in the end. Refusals, which have no
//! output, are tests of their own in the other modules.

mod exchange;
mod parts;
mod refusals;
mod several;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use connectome::trend_vision_one::CONNECTOR;
use connectome_collect::rounds::{Plan, Progress, Rounds};
use connectome_core::clock::ManualClock;
use connectome_core::validate::validate;
use connectome_core::{Connection, Error, ErrorKind};
use connectome_tests::script::Script;
use connectome_tests::simulated::settings;
use jiff::Timestamp;
use serde_json::{Value, json};

use exchange::{EXCHANGES, Exchange, exchange};

static CASES: LazyLock<Value> = LazyLock::new(|| read(include_str!("../../cases/trend-vision-one/cases.json")));

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A connection to a server with a script, at midnight of the day on which all of this happens.
fn connect(script: &Script) -> (Connection, Arc<ManualClock>) {
    let (settings, clock) = settings(&script.url(), now());
    (Connection::new(&CONNECTOR, settings).expect("a connection"), clock)
}

fn now() -> Timestamp {
    "2024-06-12T00:00:00Z".parse().expect("a time")
}

/// How long each wait was.
fn seconds(clock: &ManualClock) -> Vec<u64> {
    clock.waits().iter().map(std::time::Duration::as_secs).collect()
}

async fn serve(exchanges: &[&Exchange]) -> Script {
    Script::start(exchanges.iter().map(|it| it.prepared()).collect()).await
}

/// One action, or the first round of a trigger.
async fn run(connection: Connection, kind: &str, name: &str, input: Value) -> Result<Value, Error> {
    match kind {
        "action" => connection.call(CONNECTOR.operation(name).expect("an action"), input).await,
        "trigger" => {
            let rounds = Rounds::new(connection, CONNECTOR.trigger(name).expect("a trigger"), &input, None)?;
            rounds.next().await.map(|round| round.event)
        }
        other => panic!("{other} is neither action nor trigger"),
    }
}

/// What went otherwise than a case says.
async fn wrong_with(case: &Value) -> Vec<String> {
    let exchanges: Vec<Exchange> = list(&case["exchanges"]).iter().map(|name| exchange(text(name))).collect();
    let script = serve(&exchanges.iter().collect::<Vec<_>>()).await;
    let (connection, clock) = connect(&script);
    let result = run(connection, text(&case["kind"]), text(&case["name"]), case["input"].clone()).await;
    let mut wrong = wrong_requests(&script, &exchanges.iter().collect::<Vec<_>>());
    match result {
        Ok(output) if output == case["output"] => {}
        Ok(output) => wrong.push(format!("output: expected {}\n        made     {output}", case["output"])),
        Err(error) => wrong.push(format!("error: {error}")),
    }
    let waits = json!(seconds(&clock));
    if list(&waits) != list(&case["waits"]) {
        wrong.push(format!("waits: expected {:?}, made {waits}", list(&case["waits"])));
    }
    wrong
}

fn wrong_requests(script: &Script, expected: &[&Exchange]) -> Vec<String> {
    let asked = script.asked();
    let mut wrong: Vec<String> = expected
        .iter()
        .zip(&asked)
        .enumerate()
        .flat_map(|(at, (exchange, asked))| {
            exchange.differences(asked).into_iter().map(move |it| format!("request {at}: {it}"))
        })
        .collect();
    if expected.len() != asked.len() {
        wrong.push(format!("{} requests were expected and {} made", expected.len(), asked.len()));
    }
    wrong
}

#[track_caller]
fn assert_asked(script: &Script, expected: &[&Exchange]) {
    let wrong = wrong_requests(script, expected);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs an action that fails on these exchanges, which it must make.
async fn refused(action: &str, input: Value, exchanges: &[&Exchange]) -> Error {
    let script = serve(exchanges).await;
    let (connection, _) = connect(&script);
    let error = run(connection, "action", action, input).await.expect_err("a refusal");
    assert_asked(&script, exchanges);
    error
}

/// Runs an action whose input is wrong, and returns where.
async fn unsent(action: &str, input: Value) -> Vec<String> {
    let script = Script::start(Vec::new()).await;
    let (connection, _) = connect(&script);
    let error = run(connection, "action", action, input).await.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Input, "{error}");
    assert_eq!(script.asked().len(), 0, "something was sent");
    error.parts().violations.iter().map(|violation| violation.pointer.clone()).collect()
}

/// What an error prints holds all of these.
#[track_caller]
fn assert_says(error: &Error, parts: &[&str]) {
    let said = error.to_string();
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in:\n{said}");
    }
}

#[tokio::test]
async fn every_case_makes_its_requests_and_gives_its_output() {
    let mut wrong = Vec::new();
    for case in list(&CASES) {
        let found = wrong_with(case).await;
        if !found.is_empty() {
            wrong.push(format!(
                "{} {} {}\n  {}",
                text(&case["kind"]),
                text(&case["name"]),
                case["exchanges"],
                found.join("\n").replace('\n', "\n  ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), list(&CASES).len(), wrong.join("\n"));
}

#[test]
fn every_action_and_every_trigger_has_a_case() {
    let cased = |kind: &str| -> BTreeSet<&str> {
        list(&CASES).iter().filter(|case| case["kind"] == kind).map(|case| text(&case["name"])).collect()
    };
    let actions: BTreeSet<&str> = CONNECTOR.operations.iter().map(|operation| operation.name).collect();
    let triggers: BTreeSet<&str> = CONNECTOR.triggers.iter().map(|trigger| trigger.name).collect();
    assert_eq!((actions.len(), triggers.len()), (48, 3));
    assert_eq!(cased("action"), actions);
    assert_eq!(cased("trigger"), triggers);
}

#[test]
fn every_exchange_is_used_by_a_case_or_by_a_test_of_its_own() {
    let cased = list(&CASES).iter().flat_map(|case| list(&case["exchanges"])).map(text);
    let sources =
        [include_str!("main.rs"), include_str!("parts.rs"), include_str!("refusals.rs"), include_str!("several.rs")];
    let calls = sources.iter().flat_map(|source| source.split("exchange(\"").skip(1));
    let named = calls.filter_map(|rest| rest.split('"').next());
    let used: BTreeSet<&str> = cased.chain(named).collect();
    let unused: Vec<&String> =
        EXCHANGES.as_object().expect("an object").keys().filter(|name| !used.contains(name.as_str())).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_example_of_the_documents_passes_and_becomes_a_request() {
    let (settings, _) = settings("https://api.example.com", "2021-04-07T12:00:00Z".parse().expect("a time"));
    let connection = Connection::new(&CONNECTOR, settings).expect("a connection");
    let now = connection.clock().now();
    let catalog: Value = serde_json::from_str(CONNECTOR.catalog).expect("JSON");
    let example = |entry: &Value| entry.get("example_input").cloned().unwrap_or_else(|| json!({}));
    for action in list(&catalog["actions"]) {
        let operation = CONNECTOR.operation(text(&action["name"])).expect("an action");
        let made =
            connection.validate(operation, &example(action)).and_then(|input| connection.request(operation, &input));
        let request = made.unwrap_or_else(|error| panic!("{error}"));
        assert!(request.target.starts_with("/v3.0/"), "{}", request.target);
        assert!(!request.target.contains(['{', '}']), "{}", request.target);
    }
    for entry in list(&catalog["triggers"]) {
        let trigger = CONNECTOR.trigger(text(&entry["name"])).expect("a trigger");
        let input =
            validate(trigger.input, &example(entry), now).unwrap_or_else(|wrong| panic!("{}: {wrong:?}", trigger.name));
        let asked = Value::Object(Plan::new(trigger, input, Progress::default()).ask(now));
        let made = connection
            .validate(trigger.operation, &asked)
            .and_then(|input| connection.request(trigger.operation, &input));
        made.unwrap_or_else(|error| panic!("{}: {error}", trigger.name));
    }
    assert_eq!((list(&catalog["actions"]).len(), list(&catalog["triggers"]).len()), (48, 3));
}

#[tokio::test]
async fn a_connection_works_when_the_service_says_that_it_is_available() {
    let available = exchange("connectivity-ok");
    let script = serve(&[&available]).await;
    let (connection, _) = connect(&script);
    connection.check().await.expect("a working connection");
    assert_asked(&script, &[&available]);

    let mut starting = available.clone();
    starting.response["body"]["status"] = json!("starting");
    let script = serve(&[&starting]).await;
    let error = connect(&script).0.check().await.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_says(&error, &["status is not \"available\""]);
}

#[tokio::test]
async fn a_key_that_the_service_does_not_know_is_told_with_what_may_be_wrong_with_it() {
    let unknown = exchange("connectivity-bad-token");
    let script = serve(&[&unknown]).await;
    let (mut settings, _) = settings(&script.url(), now());
    settings.parameters.insert("api_key".to_owned(), json!("expired"));
    let error = Connection::new(&CONNECTOR, settings).expect("a connection").check().await.expect_err("a refusal");
    assert_asked(&script, &[&unknown]);
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_says(
        &error,
        &[
            "does not accept the key",
            "InvalidCredentials: Authentication failed.",
            "GET http",
            "/v3.0/healthcheck/connectivity",
            "region",
        ],
    );
}
