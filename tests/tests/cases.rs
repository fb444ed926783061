//! What the service is asked and what comes out, case by case.
//!
//! `cases/trend-vision-one/exchanges.json` holds requests and the service's answers to them; `cases.json` beside it
//! says which of them an action or a trigger makes of an input, and what it gives in the end. Refusals, which have no
//! output, are tests of their own below.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use connectome::trend_vision_one::CONNECTOR;
use connectome_collect::rounds::{Plan, Progress, Rounds};
use connectome_core::clock::ManualClock;
use connectome_core::file::File;
use connectome_core::validate::validate;
use connectome_core::{Connection, Error, ErrorKind};
use connectome_tests::script::{Asked, Prepared, Script};
use connectome_tests::simulated::{TOKEN, settings};
use jiff::Timestamp;
use serde_json::{Value, json};

static EXCHANGES: LazyLock<Value> = LazyLock::new(|| read(include_str!("../cases/trend-vision-one/exchanges.json")));
static CASES: LazyLock<Value> = LazyLock::new(|| read(include_str!("../cases/trend-vision-one/cases.json")));

/// Headers that some requests have and others must not have.
const TELLING: [&str; 4] = ["Authorization", "If-Match", "TMV1-Filter", "TMV1-Query"];

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A request and the service's answer to it.
#[derive(Clone)]
struct Exchange {
    request: Value,
    response: Value,
}

fn exchange(name: &str) -> Exchange {
    let found = EXCHANGES.get(name).unwrap_or_else(|| panic!("there is no exchange {name}"));
    Exchange { request: found["request"].clone(), response: found["response"].clone() }
}

impl Exchange {
    /// The answer, for a server to give.
    fn prepared(&self) -> Prepared {
        let status = self.response["status"].as_u64().and_then(|it| u16::try_from(it).ok()).expect("a status");
        let mut prepared = match (self.response.get("body"), self.response.get("text")) {
            (Some(json), _) => Prepared::json(status, json),
            (None, Some(body)) => Prepared { body: text(body).to_owned().into(), ..Prepared::empty(status) },
            (None, None) => Prepared::empty(status),
        };
        for (name, value) in self.response["headers"].as_object().into_iter().flatten() {
            prepared = prepared.header(name, text(value));
        }
        prepared
    }

    /// The same with further query parameters.
    fn and_asks(mut self, query: &str) -> Self {
        let target = text(&self.request["target"]);
        let joint = if target.contains('?') { '&' } else { '?' };
        self.request["target"] = json!(format!("{target}{joint}{query}"));
        self
    }

    /// What is different about a request that was made.
    fn differences(&self, asked: &Asked) -> Vec<String> {
        let mut found = Vec::new();
        let mut differ = |what: &str, expected: String, made: String| {
            if expected != made {
                found.push(format!("{what}: expected {expected}\n{:>pad$}: made     {made}", "", pad = what.len()));
            }
        };
        differ("method", text(&self.request["method"]).to_owned(), asked.method.clone());
        let (path, query) = parted(text(&self.request["target"]));
        let (made_path, made_query) = parted(&asked.target);
        differ("path", path.to_owned(), made_path.to_owned());
        differ("query", format!("{:?}", pairs(query, str::to_owned)), format!("{:?}", pairs(made_query, decoded)));
        let listed = self.request["headers"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        for name in TELLING.into_iter().chain(listed) {
            let usual = (name == "Authorization").then(|| format!("Bearer {TOKEN}"));
            let expected = self.request["headers"].get(name).map(|value| text(value).to_owned()).or(usual);
            differ(name, format!("{expected:?}"), format!("{:?}", asked.header(name).map(str::to_owned)));
        }
        let media_type = asked.header("Content-Type").map(|it| it.split(';').next().unwrap_or_default().to_owned());
        match (self.request.get("body"), self.request.get("form")) {
            (Some(body), _) => {
                differ("media type", r#"Some("application/json")"#.to_owned(), format!("{media_type:?}"));
                let made: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
                if *body != made {
                    differ("body", body.to_string(), made.to_string());
                }
            }
            (None, Some(form)) => {
                differ("media type", r#"Some("multipart/form-data")"#.to_owned(), format!("{media_type:?}"));
                let mut expected: Vec<Part> = list(form).iter().map(Part::written).collect();
                let mut made = parts(asked);
                differ(
                    "last part",
                    format!("{:?}", expected.last().map(|part| &part.name)),
                    format!("{:?}", made.last().map(|part| &part.name)),
                );
                expected.sort();
                made.sort();
                differ("form", format!("{expected:?}"), format!("{made:?}"));
            }
            (None, None) => differ("body", String::new(), String::from_utf8_lossy(&asked.body).into_owned()),
        }
        found
    }
}

/// Path and query of a target.
fn parted(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// The parameters of a query, in an order that says nothing.
fn pairs(query: &str, read: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut pairs: Vec<(String, String)> = pairs.map(|(name, value)| (read(name), read(value))).collect();
    pairs.sort();
    pairs
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: String = [rest.next(), rest.next()].into_iter().flatten().map(char::from).collect();
                u8::from_str_radix(&digits, 16).expect("two hexadecimal digits")
            }
            other => other,
        });
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// A part of a form.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    name: String,
    filename: Option<String>,
    media_type: Option<String>,
    content: Vec<u8>,
}

impl Part {
    fn written(part: &Value) -> Self {
        let own = |key: &str| part.get(key).map(|value| text(value).to_owned());
        let content = match own("text") {
            Some(text) => text.into_bytes(),
            None => {
                serde_json::from_value::<File>(json!({ "content": part["content"], "filename": part["filename"] }))
                    .expect("a file")
                    .content
            }
        };
        Self {
            name: text(&part["name"]).to_owned(),
            filename: own("filename"),
            media_type: own("content_type"),
            content,
        }
    }
}

/// The parts of a form as they came.
fn parts(asked: &Asked) -> Vec<Part> {
    let Some((_, boundary)) = asked.header("Content-Type").and_then(|it| it.split_once("boundary=")) else {
        return Vec::new();
    };
    // Latin-1, so that every byte is one character and comes back as it was.
    let body: String = asked.body.iter().copied().map(char::from).collect();
    let delimiter = format!("--{}\r\n", boundary.trim_matches('"'));
    let end = format!("--{}--", boundary.trim_matches('"'));
    let (body, _) = body.split_once(&end).expect("an end of the form");
    let quoted = |head: &str, name: &str| {
        head.split_once(&format!("{name}=\""))
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(value, _)| value.to_owned())
    };
    body.split(&delimiter)
        .skip(1)
        .map(|part| {
            let (head, content) = part.split_once("\r\n\r\n").expect("a head");
            let line = |name: &str| {
                head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:"))).unwrap_or_default()
            };
            let disposition = line("content-disposition");
            Part {
                name: quoted(disposition, " name").expect("a name"),
                filename: quoted(disposition, "filename"),
                media_type: line("content-type").split_once(": ").map(|(_, value)| value.to_owned()),
                content: content
                    .strip_suffix("\r\n")
                    .unwrap_or(content)
                    .chars()
                    .map(|c| u8::try_from(u32::from(c)).expect("a byte"))
                    .collect(),
            }
        })
        .collect()
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
    let named = include_str!("cases.rs").split("exchange(\"").skip(1).filter_map(|rest| rest.split('"').next());
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

// The connection itself.

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

// Whole requests that are refused.

#[tokio::test]
async fn a_note_on_an_alert_that_does_not_exist_is_told_as_not_found() {
    let unknown = exchange("note-add-unknown-alert");
    let error =
        refused("add_alert_note", json!({ "alert_id": "WB-31007-20240611-09999", "content": "x" }), &[&unknown]).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_says(
        &error,
        &["add_alert_note: ", "404 NotFound (3090007): No such alert.", "/alerts/WB-31007-20240611-09999/notes"],
    );
}

#[tokio::test]
async fn an_alert_that_changed_since_it_was_read_is_left_alone_and_told_as_a_conflict() {
    let stale = exchange("alert-edit-stale");
    let input = json!({ "id": "WB-31007-20240611-00004", "if_match": "00000000000000000000000000000000", "status": "In Progress" });
    let error = refused("edit_alert_status", input, &[&stale]).await;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_says(&error, &["it changed since it was read", "412 ConditionNotMet (3090018)", "read it again"]);
}

#[tokio::test]
async fn a_search_that_the_service_gives_up_is_told_as_a_timeout_and_not_sent_again() {
    let given_up = exchange("search-timeout").and_asks("top=500&mode=countOnly");
    let input = json!({ "fields": { "processCmd": "a" }, "start_date_time": "2024-06-11T00:00:00Z", "end_date_time": "2024-06-12T00:00:00Z" });
    let error = refused("get_endpoint_activity_data", input, &[&given_up]).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_says(&error, &["408 RequestTimeout: Search took too long.", "narrow the search"]);
}

#[tokio::test]
async fn a_field_that_only_the_service_can_judge_is_sent_and_its_refusal_told() {
    let unknown = exchange("endpoint-data-bad-query");
    let error = refused("get_endpoint_data", json!({ "fields": { "colour": "red" } }), &[&unknown]).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_says(&error, &["the service found the request wrong", "400 BadRequest: Query is not valid."]);
}

#[tokio::test]
async fn a_range_that_ends_before_it_starts_is_refused_here_and_told_if_the_service_refuses_it() {
    let day = |start: &str, end: &str| {
        json!({
            "detected_start_date_time": start, "detected_end_date_time": end, "ingested_start_date_time": "2024-06-11T00:00:00Z",
            "ingested_end_date_time": "2024-06-12T00:00:00Z", "fields": {},
        })
    };
    assert_eq!(
        unsent("get_oat_list", day("2024-06-12T00:00:00Z", "2024-06-11T00:00:00Z")).await,
        ["/detected_end_date_time"]
    );

    let mut wrong = exchange("oat-range-error")
        .and_asks("ingestedStartDateTime=2024-06-11T00:00:00Z&ingestedEndDateTime=2024-06-12T00:00:00Z");
    let turned =
        text(&wrong.request["target"]).replace("detectedEndDateTime=2024-06-11", "detectedEndDateTime=2024-06-12");
    wrong.request["target"] = json!(turned);
    let error = refused("get_oat_list", day("2024-06-12T00:00:00Z", "2024-06-12T00:00:00Z"), &[&wrong]).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_says(&error, &["400 BadRequest (1010406): Time range is not valid."]);
}

#[tokio::test]
async fn a_sample_that_is_too_large_is_told_as_such() {
    let large = exchange("sandbox-file-too-big");
    let file = json!({ "content": large.request["form"][0]["content"], "filename": "huge.bin" });
    let error = refused("submit_file_to_sandbox", json!({ "file": file }), &[&large]).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_says(&error, &["413 RequestEntityTooLarge: Sample exceeds the size limit."]);
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_not_waited_for() {
    let used_up = exchange("sandbox-file-quota");
    let script = serve(&[&used_up]).await;
    let (connection, clock) = connect(&script);
    let file = json!({ "content": used_up.request["form"][0]["content"], "filename": "a.exe" });
    let error =
        run(connection, "action", "submit_file_to_sandbox", json!({ "file": file })).await.expect_err("a refusal");
    assert_asked(&script, &[&used_up]);
    assert!(clock.waits().is_empty(), "{:?}", clock.waits());
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_says(
        &error,
        &[
            "429 TooManyRequests: Daily reserve is used up.",
            "the quota is used up; waiting a few minutes will not help",
        ],
    );
}

#[tokio::test]
async fn a_service_that_asks_for_a_pause_gets_exactly_that_pause() {
    let (throttled, first, second) =
        (exchange("suspicious-throttled"), exchange("suspicious-list-p1"), exchange("suspicious-list-p2"));
    let script = serve(&[&throttled, &first, &second]).await;
    let (connection, clock) = connect(&script);
    let output = run(connection, "action", "get_suspicious_list", json!({})).await.expect("a list");
    assert_asked(&script, &[&throttled, &first, &second]);
    assert_eq!(seconds(&clock), [17]);
    let values: Vec<&Value> = list(&output["suspicious_objects"]).iter().map(|object| &object["value"]).collect();
    assert_eq!(values, ["203.0.113.77", "5f2b6d3a9c1e4780b4d2f6a1c3e59078d4b6a2f1"]);
}

#[tokio::test]
async fn a_service_that_keeps_refusing_is_asked_five_times_in_all() {
    let throttled = exchange("suspicious-throttled");
    let script = serve(&[&throttled; 8]).await;
    let (connection, clock) = connect(&script);
    let error = run(connection, "action", "get_suspicious_list", json!({})).await.expect_err("a refusal");
    assert_eq!((script.asked().len(), clock.waits().len()), (5, 4));
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_says(&error, &["429 TooManyRequests (4290102): Slow down."]);
}

#[tokio::test]
async fn a_task_that_does_not_exist_is_told_as_not_found() {
    let unknown = exchange("task-missing");
    let error = refused("get_task_result", json!({ "task_id": "99999999" }), &[&unknown]).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_says(&error, &["404 NotFound: No such task."]);
}

// Requests of which a part is refused: what was started is never lost.

/// Index, status, task, code, message and number of each element.
fn elements(error: &Error) -> Vec<Value> {
    let told = |item: &connectome_core::error::Item| {
        let said = item.error.clone().unwrap_or_default();
        json!([item.index, item.status, item.task_id, said.code, said.message, said.number])
    };
    error.parts().items.iter().map(told).collect()
}

#[tokio::test]
async fn a_block_that_fails_in_part_tells_each_element_with_its_task() {
    let mut partial = exchange("block-add-partial");
    let object = |value: &str| json!({ "object_type": "ip", "object_value": value, "description": "c2" });
    let input = |last: &str| json!({ "block_objects": [object("203.0.113.78"), object("203.0.113.78"), object(last)] });
    assert_eq!(unsent("add_to_block_list", input("not-an-ip")).await, ["/block_objects/2/object_value"]);

    partial.request["body"][2]["ip"] = json!("203.0.113.79");
    let error = refused("add_to_block_list", input("203.0.113.79"), &[&partial]).await;
    assert_eq!(error.kind(), ErrorKind::Partial);
    assert_eq!(error.kind().exit_code(), 3);
    assert_eq!(
        elements(&error),
        [
            json!([0, 202, "00004003", "", "", null]),
            json!([1, 400, "00004003", "TaskError", "Task duplication.", null]),
            json!([2, 400, null, "BadRequest", "Invalid field format: ip.", null]),
        ]
    );
    let output = json!({ "multi_response": [{ "status": 202, "task_id": "00004003" }, { "status": 400, "task_id": "00004003" }, { "status": 400 }] });
    assert_eq!(error.parts().output.as_ref(), Some(&output));
    assert_says(
        &error,
        &[
            "2 of 3 did not work",
            "item 1: 400, task 00004003, TaskError: Task duplication.",
            "the tasks of the others have started",
        ],
    );
}

#[tokio::test]
async fn an_exception_that_fails_in_part_tells_which_element_and_why() {
    let mut partial = exchange("exception-add-bad-item");
    let input = |last: &str| json!({ "block_objects": [{ "object_type": "ip", "object_value": "198.51.100.9" }, { "object_type": "ip", "object_value": last }] });
    assert_eq!(unsent("add_to_exception_list", input("999.1.1.1")).await, ["/block_objects/1/object_value"]);

    partial.request["body"][1]["ip"] = json!("198.51.100.10");
    let error = refused("add_to_exception_list", input("198.51.100.10"), &[&partial]).await;
    assert_eq!(error.kind(), ErrorKind::Partial);
    assert_eq!(
        elements(&error),
        [json!([0, 201, null, "", "", null]), json!([1, 400, null, "BadRequest", "Bad object value.", 4_000_102])]
    );
    assert_says(&error, &["1 of 2 did not work", "the others are done"]);
}

#[tokio::test]
async fn an_endpoint_that_does_not_exist_is_told_though_the_whole_answer_says_207() {
    let unknown = exchange("isolate-unknown-host");
    let error = refused(
        "isolate_endpoint",
        json!({ "endpoint_identifiers": [{ "endpoint_name": "no-such-host" }] }),
        &[&unknown],
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::Partial);
    assert_eq!(elements(&error), [json!([0, 400, null, "BadRequest", "Target not found.", null])]);
    assert_says(&error, &["1 of 1 did not work"]);
}

#[tokio::test]
async fn a_key_that_could_not_be_made_is_told_though_its_error_is_not_wrapped() {
    let mut refusal = exchange("apikey-create-bad");
    // Which state a new key is in is always said.
    refusal.request["body"][0]["status"] = json!("enabled");
    let error = refused(
        "create_api_keys",
        json!({ "api_keys_objects": [{ "name": "x", "role": "No Such Role" }] }),
        &[&refusal],
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::Partial);
    assert_eq!(elements(&error), [json!([0, 400, null, "BadRequest", "Role does not exist.", null])]);
}

#[tokio::test]
async fn urls_that_fail_in_part_keep_the_submission_of_the_others() {
    // What is a URL is for the service to say: malicious ones are often odd.
    let input = json!({ "urls": ["http://cdn.bad-parcel.example/pay", "not a url"] });
    let error = refused("submit_urls_to_sandbox", input, &[&exchange("sandbox-urls-partial")]).await;
    assert_eq!(error.kind(), ErrorKind::Partial);
    let task = "1e8d5c3b-7a90-4f26-9d1b-3c5e7f9a0b2d";
    assert_eq!(
        elements(&error),
        [json!([0, 202, task, "", "", null]), json!([1, 400, null, "BadRequest", "Malformed URL.", null])]
    );
    let output = error.parts().output.clone().expect("an output");
    assert_eq!(output["submit_urls_resp"][0]["id"], task);
    assert_eq!(output["submit_urls_resp"][1], json!({ "url": "not a url", "status": 400 }));
}

// Several calls that belong together.

#[tokio::test]
async fn the_fields_that_a_search_selects_go_with_the_count_as_well() {
    let (counted, selected) =
        (exchange("email-activity-count").and_asks("select=mailMsgSubject,msgUuid"), exchange("email-activity-select"));
    let script = serve(&[&counted, &selected]).await;
    let input = json!({
        "fields": { "mailMsgSubject": "invoice", "mailSenderIp": "198.51.100.24" }, "query_op": "and", "select": ["mailMsgSubject", "msgUuid"],
        "start_date_time": "2024-06-11T00:00:00Z", "end_date_time": "2024-06-12T00:00:00Z", "top": 500,
    });
    let output = run(connect(&script).0, "action", "get_email_activity_data", input).await.expect("events");
    assert_asked(&script, &[&counted, &selected]);
    let event = json!({ "mail_msg_subject": "Outstanding invoice 7731", "msg_uuid": "AAMkADhkZTc3ZmY1LWQ4NzctNDc2Zi1hNmI0LTkyZTk1ZjA2MjA1NgBGAAAAAADo" });
    assert_eq!(output, json!({ "email_activity_data_resp": [event] }));
}

#[tokio::test]
async fn an_analysis_that_does_not_exist_is_told_as_not_found() {
    let missing = exchange("sandbox-result-missing");
    let input = json!({ "report_id": "00000000-0000-4000-8000-000000000000", "poll": false });
    let error = refused("get_sandbox_analysis_result", input, &[&missing]).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_says(&error, &["404 NotFound: No analysis result."]);
}

#[tokio::test]
async fn an_analysis_that_still_runs_when_the_time_is_up_is_told_as_that() {
    let (running, mut missing) = (exchange("sandbox-task-running"), exchange("sandbox-result-missing"));
    let id = "c2b7e9d4-1f3a-4d6c-8b5e-9a0f7c6d5e41";
    missing.request["target"] = json!(format!("/v3.0/sandbox/analysisResults/{id}"));
    // 2, 3 and the last second of six.
    let exchanges = [&running, &running, &running, &running, &missing];
    let script = serve(&exchanges).await;
    let (connection, clock) = connect(&script);
    let error =
        run(connection, "action", "get_sandbox_analysis_result", json!({ "report_id": id, "poll_time_sec": 6 }))
            .await
            .expect_err("a refusal");
    assert_asked(&script, &exchanges);
    assert_eq!(seconds(&clock), [2, 3, 1]);
    assert_eq!(error.kind(), ErrorKind::TaskTimeout);
    assert_says(&error, &["still running", "No analysis result.", "raise poll_time_sec"]);
}

#[tokio::test]
async fn an_analysis_that_failed_ends_the_wait_with_its_own_reason() {
    let failed = exchange("sandbox-task-failed");
    let error = refused(
        "get_sandbox_analysis_result",
        json!({ "report_id": "4f0c6b2e-8d7a-49e1-a3c5-0b9d8e7f6a12" }),
        &[&failed],
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::TaskFailed);
    assert_says(&error, &["the task ended as failed", "Unsupported: Sample type is not supported."]);
}
