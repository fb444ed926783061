//! What is tried again, and what never is.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use connectome_core::clock::{Clock, ManualClock};
use connectome_core::{Connection, ErrorKind};
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::{connect, connect_with, free_address};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{Act, Bare, call, faulty, isolate, say};

#[tokio::test]
async fn a_read_is_tried_again_after_passing_trouble() {
    for fault in ["rate-limit", "rate-limit-bare", "bad-gateway", "unavailable", "gateway-timeout", "reset", "torn"] {
        let running = faulty(&format!("{fault}*2")).await;
        let (connection, _) = connect(&running.url());
        assert_eq!(connection.check().await.map_err(|error| format!("{fault}: {error}")), Ok(()));
        assert_eq!(running.simulator.requests(), 3, "{fault}");
    }
    let bare = Bare::start(vec![
        Act::HangUp,
        Act::SayHalf(say("200 OK", r#"{"status":"available"}"#)),
        Act::Say(say("200 OK", r#"{"status":"available"}"#)),
    ])
    .await;
    connect(&bare.url()).0.check().await.unwrap();
    assert_eq!(bare.heard().len(), 3);
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    let kinds = [
        (400, ErrorKind::Invalid),
        (401, ErrorKind::Auth),
        (403, ErrorKind::Permission),
        (404, ErrorKind::NotFound),
        (408, ErrorKind::Timeout),
        (409, ErrorKind::Conflict),
        (412, ErrorKind::Conflict),
        (413, ErrorKind::TooLarge),
        (418, ErrorKind::Invalid),
        (500, ErrorKind::Server),
        (501, ErrorKind::Server),
        (299, ErrorKind::Protocol),
    ];
    for (status, kind) in kinds {
        let script = Script::start(vec![Prepared::empty(status)]).await;
        let (connection, clock) = connect(&script.url());
        let error = connection.check().await.unwrap_err();
        assert_eq!((error.kind(), script.asked().len(), clock.waits().len()), (kind, 1, 0), "{status}: {error}");
    }
}

#[tokio::test]
async fn trouble_that_lasts_ends_after_a_few_tries_with_longer_and_longer_pauses() {
    for (fault, kind) in [
        ("rate-limit-bare", ErrorKind::RateLimited),
        ("unavailable", ErrorKind::Server),
        ("gateway-timeout", ErrorKind::Timeout),
        ("reset", ErrorKind::Connect),
    ] {
        let running = faulty(fault).await;
        let (connection, clock) = connect(&running.url());
        let error = connection.check().await.unwrap_err();
        assert_eq!((error.kind(), running.simulator.requests()), (kind, 5), "{fault}: {error}");
        let waits: Vec<f64> = clock.waits().iter().map(Duration::as_secs_f64).collect();
        assert_eq!(waits.len(), 4, "{fault}");
        for (wait, most) in waits.iter().zip([2.0, 4.0, 8.0, 16.0]) {
            assert!((most * 0.75..=most).contains(wait), "{fault}: {waits:?}");
        }
    }
}

#[tokio::test]
async fn pauses_differ_so_that_callers_do_not_come_back_together() {
    let running = faulty("unavailable").await;
    let mut first = Vec::new();
    for _ in 0..8 {
        let (connection, clock) = connect(&running.url());
        assert!(connection.check().await.is_err());
        first.push(clock.waits()[0]);
    }
    assert!(first.iter().any(|wait| *wait != first[0]), "{first:?}");
}

/// Every way to change something, with an input.
const WRITES: &[(&str, &str, &str)] = &[
    ("POST", "isolate_endpoint", r#"{"endpoint_identifiers":[{"endpoint_name":"ledger-pc-07"}]}"#),
    ("POST", "create_api_keys", r#"{"api_keys_objects":[{"name":"a","role":"Analyst"}]}"#),
    ("POST", "submit_file_to_sandbox", r#"{"file":{"content":"dGVzdA==","filename":"a.bat"}}"#),
    (
        "POST",
        "update_custom_script",
        r##"{"script_id":"1","file_type":"bash","file":{"content":"IyEvYmluL2Jhc2g=","filename":"a.sh"}}"##,
    ),
    ("PATCH", "edit_alert_status", r#"{"id":"WB-1","status":"Closed"}"#),
    ("PATCH", "update_api_key", r#"{"id":"1","name":"a","role":"Analyst","status":"enabled"}"#),
];

#[tokio::test]
async fn a_write_that_was_refused_for_now_is_sent_again_as_it_was() {
    for (method, action, input) in WRITES {
        let script = Script::start(vec![Prepared::empty(429), Prepared::empty(429), Prepared::empty(400)]).await;
        let (connection, _) = connect(&script.url());
        let error = call(&connection, action, serde_json::from_str(input).unwrap()).await.unwrap_err();
        let asked = script.asked();
        assert_eq!(
            (error.kind(), asked.len(), asked[2].method.as_str()),
            (ErrorKind::Invalid, 3, *method),
            "{action}: {error}"
        );
        // A form's boundary is new each time; all else is the same.
        let body = |at: usize| {
            let boundary = asked[at]
                .header("content-type")
                .and_then(|it| it.split_once("boundary="))
                .map(|(_, boundary)| boundary.to_owned());
            let text = String::from_utf8_lossy(&asked[at].body).into_owned();
            boundary.map_or(text.clone(), |boundary| text.replace(&boundary, "BOUNDARY"))
        };
        assert!(!body(0).is_empty());
        assert_eq!((&asked[0].target, body(0)), (&asked[2].target, body(2)), "{action}");
    }
}

#[tokio::test]
async fn a_write_that_may_have_been_carried_out_is_never_sent_again() {
    for (_, action, input) in WRITES {
        let input: Value = serde_json::from_str(input).unwrap();
        for status in [500, 502, 503, 504] {
            let script = Script::start(vec![Prepared::empty(status).header("Retry-After", "1")]).await;
            let (connection, clock) = connect(&script.url());
            assert!(call(&connection, action, input.clone()).await.is_err());
            assert_eq!((script.asked().len(), clock.waits().len()), (1, 0), "{action} after {status}");
        }
        for act in [Act::HangUp, Act::SayHalf(say("207 Multi-Status", &"[]".repeat(200)))] {
            let bare = Bare::start(vec![act, Act::HangUp]).await;
            let (connection, clock) = connect(&bare.url());
            let error = call(&connection, action, input.clone()).await.unwrap_err();
            assert_eq!(
                (error.kind(), bare.heard().len(), clock.waits().len()),
                (ErrorKind::Connect, 1, 0),
                "{action}: {error}"
            );
            assert!(error.to_string().contains("may have acted"), "{error}");
        }
    }
    for fault in ["reset", "torn"] {
        let running = faulty(fault).await;
        let (connection, clock) = connect(&running.url());
        assert_eq!(isolate(&connection).await.unwrap_err().kind(), ErrorKind::Connect);
        assert_eq!((running.simulator.requests(), clock.waits().len()), (1, 0), "{fault}");
    }
}

/// A clock that opens a server when somebody waits.
#[derive(Debug)]
struct Opening {
    clock: ManualClock,
    address: SocketAddr,
    answer: String,
    server: tokio::sync::Mutex<Option<Bare>>,
}

impl Clock for Opening {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            self.clock.sleep(time).await;
            let mut server = self.server.lock().await;
            if server.is_none() {
                *server = Some(Bare::at(self.address, vec![Act::Say(self.answer.clone())]).await);
            }
        })
    }
}

#[tokio::test]
async fn a_write_that_never_left_is_sent_again() {
    let task = json!([{ "status": 202, "headers": [{ "name": "Operation-Location", "value": "https://api.example/v3.0/xdr/response/tasks/00004001" }] }]);
    let address = free_address();
    let answer = say("207 Multi-Status", &task.to_string());
    let clock = Arc::new(Opening {
        clock: ManualClock::at(Timestamp::now()),
        address,
        answer,
        server: tokio::sync::Mutex::default(),
    });
    let (connection, _) = connect_with(&format!("http://{address}"), |settings| settings.clock = clock.clone());
    let output = isolate(&connection).await.unwrap();
    assert_eq!(output["multi_response"][0]["task_id"], "00004001");
    assert_eq!(clock.clock.waits().len(), 1);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named_and_tried_a_few_times() {
    let gone = format!("http://{}", free_address());
    let (connection, clock) = connect(&gone);
    let error = isolate(&connection).await.unwrap_err();
    assert_eq!((error.kind(), clock.waits().len()), (ErrorKind::Connect, 4), "{error}");
    assert!(error.to_string().contains(&gone), "{error}");
}

#[tokio::test]
async fn a_removal_whose_answer_was_lost_is_done_when_nothing_is_left() {
    let delete = |connection: Connection| async move {
        call(&connection, "delete_custom_script", json!({ "script_id": "44c99cb0" })).await
    };
    let gone = say("404 Not Found", r#"{"error":{"code":"NotFound","message":"No such script."}}"#);
    for first in [
        Act::HangUp,
        Act::SayHalf(say("204 No Content", "x")),
        Act::Say(say("502 Bad Gateway", "")),
        Act::Say(say("504 Gateway Timeout", "")),
    ] {
        let bare = Bare::start(vec![first, Act::Say(gone.clone())]).await;
        let output = delete(connect(&bare.url()).0).await.unwrap();
        assert_eq!((output, bare.heard().len()), (json!({ "result_code": "SUCCESS" }), 2));
    }
    // Without a try that may have done it, it is simply not there.
    for acts in [vec![Act::Say(gone.clone())], vec![Act::Say(say("429 Too Many Requests", "")), Act::Say(gone.clone())]]
    {
        let bare = Bare::start(acts).await;
        assert_eq!(delete(connect(&bare.url()).0).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
    // And a read that finds nothing after trouble has found nothing.
    let bare = Bare::start(vec![Act::HangUp, Act::Say(gone)]).await;
    let error =
        call(&connect(&bare.url()).0, "download_custom_script", json!({ "script_id": "44c99cb0" })).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
