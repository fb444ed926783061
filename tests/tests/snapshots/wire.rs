//! What goes over the wire for a list: the query, its pages, what the service says of its limits, and answers that come later.

use std::sync::Arc;
use std::time::Duration;

use connectome::jupiterone::CONNECTOR;
use connectome::jupiterone::snapshots::RISKS_AND_ALERTS;
use connectome_collect::snapshot::{Endpoint, Pages};
use connectome_collect::view::Page;
use connectome_core::clock::ManualClock;
use connectome_core::pace::Rate;
use connectome_core::{Connection, Error, ErrorKind, Settings};
use connectome_tests::defaults::defaults;
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::TOKEN;
use jiff::Timestamp;
use serde_json::{Value, json};

fn connect(url: &str, change: impl FnOnce(&mut Settings)) -> (Endpoint, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::now()));
    let mut parameters = defaults(&CONNECTOR);
    for (name, value) in [("url", url), ("api_token", TOKEN), ("account_id", "j1dev")] {
        parameters.insert(name.to_owned(), Value::from(value));
    }
    let mut settings = Settings::new(parameters);
    settings.clock = clock.clone();
    change(&mut settings);
    let connection = Connection::new(&CONNECTOR, settings).expect("a connection");
    (Endpoint::new(connection, &RISKS_AND_ALERTS).expect("an endpoint"), clock)
}

fn deferred(settings: &mut Settings) {
    settings.parameters.insert("deferred".to_owned(), json!(true));
}

fn page(ids: &[&str], cursor: Value) -> Prepared {
    let rows: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "entity": {}, "properties": {} })).collect();
    Prepared::json(200, &json!({ "data": { "queryV1": { "data": rows, "cursor": cursor } } }))
}

/// How many records a page holds, and what leads to the next one.
async fn read(endpoint: &Endpoint, next: Option<&str>) -> Result<(usize, Option<String>), Error> {
    let (body, paging) = endpoint.page(next).await?;
    let page = Page::read(&body, &paging, None).map_err(|why| endpoint.wrong(why))?;
    assert!(!page.listless);
    Ok((page.records.len(), page.next.map(std::borrow::Cow::into_owned)))
}

#[tokio::test]
async fn the_first_request_has_no_cursor_the_second_has_one_and_both_go_to_the_very_address() {
    let script = Script::start(vec![page(&["a"], json!("c/1")), page(&[], json!("c2")), page(&["b"], json!(""))]).await;
    // As people paste it.
    let (endpoint, _) = connect(&format!("{}/graphql//", script.url()), |_| {});
    assert_eq!(read(&endpoint, None).await.expect("a page"), (1, Some("c/1".to_owned())));
    assert_eq!(read(&endpoint, Some("c/1")).await.expect("a page"), (0, Some("c2".to_owned())));
    assert_eq!(read(&endpoint, Some("c2")).await.expect("a page"), (1, None));
    let asked = script.asked();
    for request in &asked {
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/graphql"));
        assert_eq!(request.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!(request.header("jupiterone-account"), Some("j1dev"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        let body = request.json();
        assert_eq!(body.as_object().map(|body| body.len()), Some(2), "{body}");
        assert_eq!(body["variables"]["query"], "FIND (Finding | Alert | Vulnerability)");
        let query = body["query"].as_str().expect("a text");
        for part in
            ["query J1QL(", "$query: String!", "$variables: JSON", "$cursor: String", "queryV1(", "{ data cursor }"]
        {
            assert!(query.contains(part), "{query}");
        }
    }
    let variables = |at: usize| asked[at].json()["variables"].clone();
    assert_eq!(variables(0), json!({ "query": "FIND (Finding | Alert | Vulnerability)" }));
    assert_eq!(variables(1)["cursor"], "c/1");
    assert_eq!(variables(2)["cursor"], "c2");
}

#[tokio::test]
async fn a_success_that_holds_an_error_is_none_in_every_form_that_it_comes_in() {
    let rows = json!({ "queryV1": { "data": [{ "id": "a" }], "cursor": null } });
    for body in [
        json!({ "errors": [{ "message": "it broke", "extensions": { "code": "X" } }] }),
        json!({ "errors": [{ "message": "it broke" }], "data": null }),
        json!({ "errors": [{ "message": "it broke" }], "data": rows }),
        json!({ "data": rows, "errors": [{ "message": "one" }, { "message": "it broke" }] }),
        json!({ "errors": ["it broke"] }),
        json!({ "errors": "it broke" }),
        json!({ "errors": { "message": "it broke" } }),
        json!({ "error": { "message": "it broke" }, "data": rows }),
    ] {
        let script = Script::start(vec![Prepared::json(200, &body)]).await;
        let (endpoint, _) = connect(&script.url(), |_| {});
        let error = endpoint.page(None).await.expect_err(&body.to_string());
        assert_eq!(error.kind(), ErrorKind::Server, "{body}");
        assert!(error.to_string().contains("it broke"), "{body}: {error}");
    }
    for nothing in [json!(null), json!([]), json!({}), json!("")] {
        let script = Script::start(vec![Prepared::json(200, &json!({ "data": rows, "errors": nothing }))]).await;
        let (endpoint, _) = connect(&script.url(), |_| {});
        assert_eq!(read(&endpoint, None).await.expect("a page"), (1, None), "{nothing}");
    }
}

#[tokio::test]
async fn an_answer_without_a_list_is_no_empty_page() {
    for body in [
        json!({ "data": null }),
        json!({ "data": { "queryV1": null } }),
        json!({ "data": { "queryV1": {} } }),
        json!({ "data": { "queryV1": { "data": null, "cursor": "c" } } }),
        json!({}),
    ] {
        let script = Script::start(vec![Prepared::json(200, &body)]).await;
        let (endpoint, _) = connect(&script.url(), |_| {});
        let error = endpoint.probe().await.expect_err(&body.to_string());
        assert!(error.to_string().contains("no list of records"), "{body}: {error}");
    }
    for body in ["[]", "\"text\"", "<html>Sign in</html>", "", "{\"data\":{\"queryV1\":{\"data\":[{\"id\":1"] {
        let prepared = Prepared { status: 200, body: body.to_owned().into(), ..Prepared::default() };
        let script = Script::start(vec![prepared]).await;
        let (endpoint, _) = connect(&script.url(), |_| {});
        let error = endpoint.probe().await.expect_err(body);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{body}: {error}");
    }
}

#[tokio::test]
async fn a_request_is_tried_five_times_with_pauses_that_double_from_a_second() {
    for status in [429, 500, 502, 503] {
        let script = Script::start(vec![Prepared::empty(status); 6]).await;
        let (endpoint, clock) = connect(&script.url(), |_| {});
        endpoint.page(None).await.expect_err("a failure");
        assert_eq!(script.asked().len(), 5, "{status}");
        let waits: Vec<f64> = clock.waits().iter().map(Duration::as_secs_f64).collect();
        assert_eq!(waits.len(), 4, "{status}: {waits:?}");
        for (wait, most) in waits.iter().zip([1.0, 2.0, 4.0, 8.0]) {
            assert!((most * 0.75..=most).contains(wait), "{status}: {waits:?}");
        }
    }
    // A refusal of the query itself is not tried again.
    let script = Script::start(vec![Prepared::empty(400); 2]).await;
    let (endpoint, _) = connect(&script.url(), |_| {});
    endpoint.page(None).await.expect_err("a failure");
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn what_the_service_says_of_its_limits_is_obeyed() {
    let seconds = |clock: &ManualClock| clock.waits().iter().map(Duration::as_secs).collect::<Vec<_>>();
    for (header, status) in [("Retry-After", 429), ("RateLimit-Reset", 429), ("Retry-After", 503)] {
        let refusal = Prepared::empty(status).header(header, "17");
        let script = Script::start(vec![refusal, page(&["a"], Value::Null)]).await;
        let (endpoint, clock) = connect(&script.url(), |_| {});
        assert_eq!(read(&endpoint, None).await.expect("a page").0, 1);
        assert_eq!(seconds(&clock), [17], "{header} {status}");
    }
    // Nothing is left, or less than the last request took: the next one waits.
    for (left, took, waits) in [("0", None, vec![9]), ("3", Some("4"), vec![9]), ("4", Some("4"), vec![])] {
        let mut first = page(&["a"], json!("c")).header("RateLimit-Remaining", left).header("RateLimit-Reset", "9");
        if let Some(took) = took {
            first = first.header("RateLimit-Requested", took);
        }
        let script = Script::start(vec![first, page(&["b"], Value::Null)]).await;
        let (endpoint, clock) = connect(&script.url(), |_| {});
        read(&endpoint, None).await.expect("a page");
        read(&endpoint, Some("c")).await.expect("a page");
        assert_eq!(seconds(&clock), waits, "{left} {took:?}");
    }
    let script = Script::answering(|_| page(&["a"], json!("c"))).await;
    let (endpoint, clock) = connect(&script.url(), |settings| settings.rate = Some(Rate { per_second: 0.1, burst: 2 }));
    for _ in 0..4 {
        read(&endpoint, None).await.expect("a page");
    }
    // The clock goes on as it is waited.
    assert!(matches!(seconds(&clock).as_slice(), [9 | 10, 9 | 10]), "{:?}", clock.waits());
}

#[tokio::test]
async fn a_prepared_answer_is_waited_for_and_followed_without_the_token_where_it_leads_elsewhere() {
    // Where the records are is another host.
    let records = Script::start(vec![
        Prepared::json(200, &json!({ "type": "list", "data": [{ "id": "a" }, { "id": "b" }], "cursor": "c1" })),
        Prepared::json(200, &json!({ "data": [{ "id": "c" }], "cursor": null })),
    ])
    .await;
    let elsewhere = format!("http://localhost:{}/results?X-Signature=MARKER-signature", records.address.port());
    let state = Script::answering(move |asked| match asked.method.as_str() {
        "POST" => {
            let host = asked.header("host").unwrap_or_default();
            Prepared::json(200, &json!({ "data": { "queryV1": { "url": format!("http://{host}/state/1?x=y") } } }))
        }
        _ if asked.target.ends_with("again") => Prepared::empty(500),
        _ => Prepared::json(200, &json!({ "status": "COMPLETED", "url": elsewhere })),
    })
    .await;
    let (endpoint, _) = connect(&state.url(), deferred);
    assert_eq!(read(&endpoint, None).await.expect("a page"), (2, Some("c1".to_owned())));
    assert_eq!(read(&endpoint, Some("c1")).await.expect("a page"), (1, None));
    let asked = state.asked();
    assert_eq!(asked[0].json()["variables"]["deferredResponse"], "FORCE");
    assert_eq!(asked[2].json()["variables"]["cursor"], "c1");
    assert_eq!((asked[1].method.as_str(), asked[1].target.as_str()), ("GET", "/state/1?x=y"));
    assert_eq!(asked[1].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    for request in records.asked() {
        assert_eq!(request.target, "/results?X-Signature=MARKER-signature");
        for secret in ["authorization", "jupiterone-account"] {
            assert_eq!(request.header(secret), None);
        }
    }
}

#[tokio::test]
async fn a_prepared_answer_may_stand_in_its_state_be_slow_fail_or_never_come() {
    let states = |states: Vec<Value>| {
        let states = std::sync::Mutex::new(states.into_iter());
        Script::answering(move |asked| match asked.method.as_str() {
            "POST" => {
                let host = asked.header("host").unwrap_or_default();
                Prepared::json(200, &json!({ "data": { "queryV1": { "url": format!("http://{host}/state") } } }))
            }
            _ => {
                let next = states.lock().expect("no panic").next();
                Prepared::json(200, &next.unwrap_or_else(|| json!({ "status": "IN_PROGRESS" })))
            }
        })
    };
    let waiting = json!({ "status": "IN_PROGRESS" });
    let there = json!({ "status": "COMPLETED", "data": [{ "id": "a" }], "cursor": "" });
    let script = states(vec![waiting.clone(), waiting.clone(), there]).await;
    let (endpoint, clock) = connect(&script.url(), deferred);
    assert_eq!(read(&endpoint, None).await.expect("a page"), (1, None));
    assert_eq!(clock.waits(), [Duration::from_secs(1); 2]);
    for (said, kind, says) in [
        (json!({ "status": "FAILED" }), ErrorKind::Server, "\"FAILED\""),
        (json!({}), ErrorKind::Server, "\"nothing\""),
        (json!({ "status": "COMPLETED", "url": "ftp://elsewhere.example/x" }), ErrorKind::Protocol, "not followed"),
        (json!({ "status": "COMPLETED", "url": "http://elsewhere.example/x" }), ErrorKind::Protocol, "not followed"),
        (json!({ "status": "COMPLETED", "url": "no url" }), ErrorKind::Protocol, "no URL"),
    ] {
        let script = states(vec![said.clone()]).await;
        let (endpoint, _) = connect(&script.url(), deferred);
        let error = endpoint.page(None).await.expect_err(&said.to_string());
        assert_eq!(error.kind(), kind, "{said}: {error}");
        assert!(error.to_string().contains(says), "{said}: {error}");
    }
    let script = states(Vec::new()).await;
    let (endpoint, clock) = connect(&script.url(), deferred);
    let error = endpoint.page(None).await.expect_err("it never comes");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(clock.waits().len() >= 300, "{}", clock.waits().len());
}
