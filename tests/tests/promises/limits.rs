//! A wait that the service asks for is kept, and an outage does not become a storm.

use std::time::Duration;

use connectome::trend_vision_one::CONNECTOR;
use connectome_core::{Connection, ErrorKind};
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::{connect, settings};
use jiff::Timestamp;
use serde_json::json;

use crate::{alerts, available, call, faulty, page};

#[tokio::test]
async fn a_wait_that_the_service_asks_for_is_kept() {
    let at: Timestamp = "2024-06-11T07:00:00Z".parse().unwrap();
    type Headers = &'static [(&'static str, &'static str)];
    let cases: &[(u16, Headers, u64)] = &[
        (429, &[("Retry-After", "17")], 17),
        (429, &[("Retry-After", " 3 ")], 3),
        (429, &[("Retry-After", "Tue, 11 Jun 2024 07:00:09 GMT")], 9),
        (429, &[("Retry-After", "86400")], 60),
        (429, &[("RateLimit-Reset", "11")], 11),
        (429, &[("Retry-After", "4"), ("RateLimit-Reset", "40")], 4),
        (429, &[("Retry-After", "soon"), ("RateLimit-Reset", "12")], 12),
        (503, &[("Retry-After", "21")], 21),
    ];
    for (status, headers, seconds) in cases {
        let refusal = headers.iter().fold(Prepared::empty(*status), |answer, (name, value)| answer.header(name, value));
        let script = Script::start(vec![refusal, available()]).await;
        let (settings, clock) = settings(&script.url(), at);
        Connection::new(&CONNECTOR, settings).unwrap().check().await.unwrap();
        assert_eq!(clock.waits(), [Duration::from_secs(*seconds)], "{status} {headers:?}");
    }
}

#[tokio::test]
async fn a_wait_that_makes_no_sense_is_a_pause_of_our_own() {
    let at: Timestamp = "2024-06-11T07:00:00Z".parse().unwrap();
    for value in ["soon", "-5", "Mon, 10 Jun 2024 07:00:00 GMT", "", "99999999999999999999"] {
        let script = Script::start(vec![Prepared::empty(429).header("Retry-After", value), available()]).await;
        let (settings, clock) = settings(&script.url(), at);
        Connection::new(&CONNECTOR, settings).unwrap().check().await.unwrap();
        let waits = clock.waits();
        assert!(
            waits.len() == 1 && waits[0] >= Duration::from_millis(1500) && waits[0] <= Duration::from_secs(2),
            "{value:?}: {waits:?}"
        );
    }
}

#[tokio::test]
async fn a_limit_that_a_service_states_holds_for_its_class_of_requests_and_no_other() {
    let at: Timestamp = "2024-06-11T07:00:00Z".parse().unwrap();
    let limited = || Prepared::json(200, &json!({ "items": [] })).header("RateLimit-Limit", "2");
    let script = Script::start((0..8).map(|_| limited()).collect()).await;
    let (settings, clock) = settings(&script.url(), at);
    let connection = Connection::new(&CONNECTOR, settings).unwrap();
    for _ in 0..3 {
        call(&connection, "get_exception_list", json!({})).await.unwrap();
    }
    // The first request came before the limit was known, so two more fit.
    assert!(clock.waits().is_empty(), "{:?}", clock.waits());
    alerts(&connection).await.unwrap();
    assert!(clock.waits().is_empty(), "another class waited: {:?}", clock.waits());
    call(&connection, "get_suspicious_list", json!({})).await.unwrap();
    assert_eq!(clock.waits(), [Duration::from_secs(60)]);
}

#[tokio::test]
async fn a_window_that_is_used_up_is_waited_for_before_the_next_request() {
    let at: Timestamp = "2024-06-11T07:00:00Z".parse().unwrap();
    let last =
        Prepared::json(200, &json!({ "items": [] })).header("RateLimit-Remaining", "0").header("RateLimit-Reset", "14");
    let script = Script::start(vec![last, page(&[], None)]).await;
    let (settings, clock) = settings(&script.url(), at);
    let connection = Connection::new(&CONNECTOR, settings).unwrap();
    alerts(&connection).await.unwrap();
    assert!(clock.waits().is_empty());
    alerts(&connection).await.unwrap();
    assert_eq!(clock.waits(), [Duration::from_secs(14)]);
}

#[tokio::test]
async fn an_outage_does_not_become_a_storm() {
    for fault in ["unavailable", "rate-limit"] {
        let running = faulty(fault).await;
        let (connection, _) = connect(&running.url());
        for _ in 0..60 {
            // Clones are the same connection.
            assert!(connection.clone().check().await.is_err());
        }
        let requests = running.simulator.requests();
        assert!((60..=90).contains(&requests), "{fault}: 60 calls made {requests} requests");
    }
}

#[tokio::test]
async fn after_an_outage_good_answers_earn_tries_again() {
    let mut answers: Vec<Prepared> = (0..100).map(|_| Prepared::empty(503)).collect();
    answers.extend((0..40).map(|_| available()));
    answers.extend([Prepared::empty(503), available()]);
    let script = Script::start(answers).await;
    let (connection, _) = connect(&script.url());
    while script.asked().len() < 100 {
        let _ = connection.check().await;
    }
    while script.asked().len() < 140 {
        connection.check().await.unwrap();
    }
    connection.check().await.unwrap();
    assert_eq!(script.asked().len(), 142);
}

#[tokio::test]
async fn a_daily_quota_that_is_used_up_is_not_waited_for() {
    for (action, input) in [
        ("submit_urls_to_sandbox", json!({ "urls": ["www.example.com"] })),
        ("submit_file_to_sandbox", json!({ "file": { "content": "dGVzdA==", "filename": "a.bat" } })),
    ] {
        let refusal =
            Prepared::json(429, &json!({ "error": { "code": "TooManyRequests", "message": "No submissions left." } }))
                .header("Retry-After", "1");
        let script =
            Script::start(vec![refusal.clone().header("TMV1-Submission-Remaining-Count", "0"), available()]).await;
        let (connection, clock) = connect(&script.url());
        let error = call(&connection, action, input.clone()).await.unwrap_err();
        assert_eq!(
            (error.kind(), script.asked().len(), clock.waits().len()),
            (ErrorKind::RateLimited, 1, 0),
            "{error}"
        );
        assert!(error.to_string().contains("quota"), "{error}");
        // With some of it left, it is the usual limit.
        let script =
            Script::start(vec![refusal.header("TMV1-Submission-Remaining-Count", "7"), Prepared::empty(400)]).await;
        let (connection, _) = connect(&script.url());
        assert_eq!(call(&connection, action, input).await.unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(script.asked().len(), 2);
    }
}
