//! Where the vendor's document and the service disagree, or either is odd: what is taken, what is sent, what comes out.
//!
//! The peculiarities are numbered; [`register`] names the tests of each.

mod answers;
mod dates;
mod document;
mod forms;
mod lists;
mod parts;
mod register;
mod sandbox;
mod tasks;

use std::sync::Arc;

use connectome::trend_vision_one::CONNECTOR;
use connectome_core::clock::ManualClock;
use connectome_core::operation::Operation;
use connectome_core::request::{Body, Request};
use connectome_core::{Connection, Error, ErrorKind};
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::settings;
use jiff::Timestamp;
use serde_json::{Value, json};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn operation(name: &str) -> &'static Operation {
    CONNECTOR.operation(name).expect("an action")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn connect(url: &str, now: &str) -> (Connection, Arc<ManualClock>) {
    let (settings, clock) = settings(url, at(now));
    (Connection::new(&CONNECTOR, settings).expect("a connection"), clock)
}

/// The request that an input becomes.
fn built(action: &str, input: Value) -> Result<Request, Error> {
    let (connection, _) = connect("https://api.example.com", "2024-06-12T00:00:00Z");
    let input = connection.validate(operation(action), &input)?;
    connection.request(operation(action), &input)
}

#[track_caller]
fn request(action: &str, input: Value) -> Request {
    built(action, input).unwrap_or_else(|error| panic!("{error}"))
}

/// The JSON that an input becomes.
#[track_caller]
fn body(action: &str, input: Value) -> Value {
    match request(action, input).body {
        Body::Json(body) => body,
        other => panic!("{other:?} is not JSON"),
    }
}

/// Where an input is wrong.
#[track_caller]
fn wrong(action: &str, input: Value) -> Vec<String> {
    let error = built(action, input).expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Input);
    error.parts().violations.iter().map(|violation| violation.pointer.clone()).collect()
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
}

/// The value of a query parameter, as sent.
fn parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let (_, query) = request.target.split_once('?')?;
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// What an action gives when the service answers so, and how often it asked.
async fn answered(action: &str, input: Value, answers: Vec<Prepared>) -> (Result<Value, Error>, usize) {
    let script = Script::start(answers).await;
    let (connection, clock) = connect(&script.url(), "2024-06-12T00:00:00Z");
    let output = connection.call(operation(action), input).await;
    assert!(clock.waits().is_empty(), "{:?}", clock.waits());
    (output, script.asked().len())
}

/// What an action gives when the service answers so.
async fn output(action: &str, input: Value, status: u16, answer: Value) -> Value {
    let (output, _) = answered(action, input, vec![Prepared::json(status, &answer)]).await;
    output.unwrap_or_else(|error| panic!("{error}"))
}

fn objects(value: &str) -> Value {
    json!({ "block_objects": [{ "object_type": "ip", "object_value": value }] })
}

fn catalog() -> Value {
    serde_json::from_str(CONNECTOR.catalog).expect("JSON")
}

/// An action, trigger or type of the catalog.
fn entry(kind: &str, name: &str) -> Value {
    list(&catalog()[kind]).iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
}

// 12
fn detections() -> Value {
    json!({
        "detected_start_date_time": "2024-06-11T00:00:00Z", "detected_end_date_time": "2024-06-12T00:00:00Z",
        "ingested_start_date_time": "2024-06-11T00:00:00Z", "ingested_end_date_time": "2024-06-12T00:00:00Z", "fields": {},
    })
}

// 14, 15, 16
/// A task with these further fields.
fn task(more: Value) -> Value {
    let mut task = json!({ "id": "00000001", "status": "succeeded", "action": "block", "createdDateTime": "x", "lastActionDateTime": "y" });
    task.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    task
}
