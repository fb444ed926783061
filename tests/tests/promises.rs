//! What the runtime promises, each promise by a test that fails without it: where the token goes, what is tried again and
//! what never is, how long anything may take, how large anything may get, and what an answer may claim.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connectome::trend_vision_one::{CONNECTOR, Client, GetAlertDetailsInput, GetAlertListInput, Parameters, simulator};
use connectome_core::clock::{Clock, ManualClock};
use connectome_core::{Connection, Error, ErrorKind, Settings};
use connectome_sim::{Fault, Options, Running, Simulator, Tls, serve};
use connectome_tests::command::connectome;
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::{TOKEN, connect, connect_with, settings, vision_one};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const ALL_TIME: (&str, &str) = ("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z");

async fn call(connection: &Connection, action: &str, input: Value) -> Result<Value, Error> {
    connection.call(CONNECTOR.operation(action).expect("an action"), input).await
}

async fn alerts(connection: &Connection) -> Result<Value, Error> {
    call(connection, "get_alert_list", json!({ "start_date_time": ALL_TIME.0, "end_date_time": ALL_TIME.1 })).await
}

async fn isolate(connection: &Connection) -> Result<Value, Error> {
    call(connection, "isolate_endpoint", json!({ "endpoint_identifiers": [{ "endpoint_name": "ledger-pc-07" }] })).await
}

/// A simulated service with a fault.
async fn faulty(fault: &str) -> Running {
    vision_one(|options| options.faults = vec![fault.parse::<Fault>().expect("a fault")]).await
}

fn available() -> Prepared {
    Prepared::json(200, &json!({ "status": "available" }))
}

fn page(ids: &[&str], next: Option<&str>) -> Prepared {
    let items: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    Prepared::json(200, &json!({ "items": items, "nextLink": next }))
}

/// What a bare server does once it has read a request.
#[derive(Debug, Clone)]
enum Act {
    /// Says this and ends the connection.
    Say(String),
    /// Says half of this and ends the connection.
    SayHalf(String),
    /// Ends the connection without a word.
    HangUp,
    /// Says nothing and keeps the connection.
    KeepSilent,
}

/// A server below HTTP, for what no proper server does. After its last act it keeps silent.
#[derive(Debug)]
struct Bare {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Bare {
    async fn start(acts: Vec<Act>) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), acts).await
    }

    async fn at(address: SocketAddr, acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = heard.clone();
        let task = tokio::spawn(async move {
            let (mut acts, mut silent) = (acts.into_iter(), Vec::new());
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = hear(&mut stream).await;
                if request.is_empty() {
                    continue;
                }
                kept.lock().expect("no panic").push(request);
                // A client that has gone is no error of this server.
                match acts.next().unwrap_or(Act::KeepSilent) {
                    Act::Say(text) => drop(stream.write_all(text.as_bytes()).await),
                    Act::SayHalf(text) => drop(stream.write_all(&text.as_bytes()[..text.len() - text.len() / 4]).await),
                    Act::HangUp => {}
                    Act::KeepSilent => silent.push(stream),
                }
            }
        });
        Self { address, heard, task }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic").clone()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An address of this machine where nobody listens.
fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address")
}

/// A whole request, as text.
async fn hear(stream: &mut TcpStream) -> String {
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_ascii_lowercase()
                .split_once("content-length:")
                .and_then(|(_, rest)| rest.lines().next()?.trim().parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return text,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
        }
    }
}

fn say(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

// The token goes to the configured origin and nowhere else.

#[tokio::test]
async fn a_next_page_on_another_host_is_fetched_from_the_configured_one() {
    let elsewhere = Script::start(vec![]).await;
    let link = format!("{}/v3.0/workbench/alerts?skipToken=MTA%3D", elsewhere.url());
    let script = Script::start(vec![page(&["WB-1"], Some(&link)), page(&["WB-2"], None)]).await;
    let (connection, _) = connect(&script.url());
    assert_eq!(alerts(&connection).await.unwrap()["total_count"], 2);
    assert!(elsewhere.asked().is_empty(), "another host was asked: {:?}", elsewhere.asked());
    let asked = script.asked();
    assert_eq!(asked[1].target, "/v3.0/workbench/alerts?skipToken=MTA%3D");
    assert_eq!(asked[1].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
}

#[tokio::test]
async fn a_service_that_names_a_foreign_host_in_its_links_still_gives_all_pages() {
    let good = vision_one(|_| {}).await;
    let foreign = faulty("foreign-link").await;
    let count = |running: &Running| {
        let (connection, _) = connect(&running.url());
        async move { alerts(&connection).await.unwrap()["total_count"].clone() }
    };
    assert_eq!(count(&foreign).await, count(&good).await);
    assert_eq!(foreign.simulator.requests(), 3);
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed() {
    let elsewhere = Script::start(vec![]).await;
    let host = elsewhere.address;
    for location in [
        format!("http://{host}/v3.0/x"),
        format!("//{host}/v3.0/x"),
        format!("https://{host}/v3.0/x"),
        format!("http://@{host}/v3.0/x"),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let script = Script::start(vec![Prepared::empty(status).header("Location", &location)]).await;
            let (connection, _) = connect(&script.url());
            let error = connection.check().await.unwrap_err();
            assert_eq!((error.kind(), script.asked().len()), (ErrorKind::Protocol, 1), "{status} {location}: {error}");
            assert!(error.to_string().contains("redirect"), "{error}");
        }
    }
    // The origin's own name before another host is not the origin.
    let script = Script::start(vec![]).await;
    let tricked =
        Script::start(vec![Prepared::empty(302).header("Location", &format!("{}@{host}/v3.0/x", script.url()))]).await;
    assert_eq!(connect(&tricked.url()).0.check().await.unwrap_err().kind(), ErrorKind::Protocol);
    assert!(elsewhere.asked().is_empty() && script.asked().is_empty());
}

#[tokio::test]
async fn a_service_that_redirects_to_a_sign_in_page_is_an_error() {
    let running = faulty("redirect-away").await;
    let (connection, _) = connect(&running.url());
    let error = alerts(&connection).await.unwrap_err();
    assert_eq!((error.kind(), running.simulator.requests()), (ErrorKind::Protocol, 1), "{error}");
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_for_a_read() {
    for absolute in [false, true] {
        let address = free_address();
        let root = if absolute { format!("http://{address}") } else { String::new() };
        let moved = format!(
            "HTTP/1.1 307 Moved\r\nLocation: {root}/v3.0/moved?a=b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let bare = Bare::at(address, vec![Act::Say(moved), Act::Say(say("200 OK", r#"{"status":"available"}"#))]).await;
        connect(&bare.url()).0.check().await.unwrap();
        let heard = bare.heard();
        assert!(heard[1].starts_with("GET /v3.0/moved?a=b ") && heard[1].contains(TOKEN), "{heard:?}");
    }
}

#[tokio::test]
async fn a_redirect_of_a_write_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let script = Script::start(vec![Prepared::empty(status).header("Location", "/v3.0/moved")]).await;
        let (connection, _) = connect(&script.url());
        let error = isolate(&connection).await.unwrap_err();
        assert_eq!((error.kind(), script.asked().len()), (ErrorKind::Protocol, 1), "{status}: {error}");
    }
}

#[tokio::test]
async fn redirects_come_to_an_end() {
    let script = Script::start(vec![Prepared::empty(302).header("Location", "/v3.0/round"); 50]).await;
    let (connection, clock) = connect(&script.url());
    let error = connection.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(script.asked().len() <= 6 && clock.waits().is_empty(), "{} requests", script.asked().len());
}

#[test]
fn plain_http_is_refused_but_for_this_machine_or_by_an_explicit_switch() {
    let open = |url: &str, allow_http: bool| {
        let (mut settings, _) = settings(url, Timestamp::now());
        settings.allow_http = allow_http;
        Connection::new(&CONNECTOR, settings)
    };
    for url in [
        "http://api.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://[::2]",
        "HTTP://api.example.com",
        "http://128.0.0.1",
    ] {
        let error = open(url, false).expect_err(url);
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("--allow-http"), "{error}");
        assert!(open(url, true).is_ok(), "{url}");
    }
    for url in [
        "http://127.0.0.1",
        "http://127.9.9.9:8080",
        "http://localhost:8080",
        "http://[::1]:8080",
        "https://api.example.com",
    ] {
        assert!(open(url, false).is_ok(), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_of_the_environment_does_not_see_what_stays_on_this_machine() {
    let proxy = Script::start(vec![available(), available()]).await;
    let script = Script::start(vec![available(), available()]).await;
    let home = tempfile::tempdir().unwrap();
    for variable in ["HTTP_PROXY", "http_proxy"] {
        let mut command = connectome(home.path());
        command.args(["check", "trend-vision-one"]).env(variable, proxy.url());
        command
            .env("CONNECTOME_TREND_VISION_ONE_API_URL", script.url())
            .env("CONNECTOME_TREND_VISION_ONE_API_KEY", TOKEN);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(proxy.asked().is_empty(), "the token went through the proxy in plain: {:?}", proxy.asked());
    assert_eq!(script.asked().len(), 2);
}

// A proxy and certificates.

#[tokio::test]
async fn requests_go_through_a_proxy_that_was_named() {
    let proxy = Bare::start(vec![Act::Say(say("200 OK", r#"{"status":"available"}"#))]).await;
    let (connection, _) = connect_with("http://vision.example", |settings| {
        settings.allow_http = true;
        settings.network.proxy = Some(proxy.url());
    });
    connection.check().await.unwrap();
    let heard = proxy.heard();
    assert!(heard[0].starts_with("GET http://vision.example/v3.0/healthcheck/connectivity HTTP/1.1\r\n"), "{heard:?}");
}

#[tokio::test]
async fn a_proxy_of_an_https_service_sees_its_name_and_no_token() {
    let proxy = Bare::start(vec![Act::Say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned()); 5]).await;
    let (connection, _) = connect_with("https://vision.example", |settings| settings.network.proxy = Some(proxy.url()));
    let error = connection.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    let heard = proxy.heard();
    assert!(heard[0].starts_with("CONNECT vision.example:443 HTTP/1.1\r\n"), "{heard:?}");
    assert!(
        heard.iter().all(|request| !request.contains(TOKEN) && !request.to_lowercase().contains("bearer")),
        "{heard:?}"
    );
}

/// A simulated service behind TLS, with a certificate for this name, and the file of its authority.
async fn secure(name: &str) -> (Running, tempfile::NamedTempFile) {
    let tls = Tls::for_names(&[name]).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &tls.authority).unwrap();
    let running =
        serve(Simulator::new(&simulator::SERVICE, Options::new(TOKEN)), ([127, 0, 0, 1], 0).into(), Some(&tls))
            .await
            .unwrap();
    (running, file)
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_was_named_is_trusted() {
    let (running, authority) = secure("127.0.0.1").await;
    let (connection, _) =
        connect_with(&running.url(), |settings| settings.network.ca_file = Some(authority.path().to_path_buf()));
    connection.check().await.unwrap();
    assert!(connection.warnings().is_empty());
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_once() {
    let (running, _) = secure("127.0.0.1").await;
    let (_, stranger) = secure("127.0.0.1").await;
    for ca_file in [None, Some(stranger.path().to_path_buf())] {
        let (connection, clock) = connect_with(&running.url(), |settings| settings.network.ca_file = ca_file);
        let error = connection.check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert!(error.to_string().contains("certificate") && error.to_string().contains("--ca-file"), "{error}");
        assert_eq!((running.simulator.requests(), clock.waits().len()), (0, 0), "it was tried again");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_once() {
    let (running, authority) = secure("vision.example").await;
    let (connection, clock) =
        connect_with(&running.url(), |settings| settings.network.ca_file = Some(authority.path().to_path_buf()));
    let error = connection.check().await.unwrap_err();
    assert_eq!((error.kind(), running.simulator.requests(), clock.waits().len()), (ErrorKind::Tls, 0, 0), "{error}");
}

#[tokio::test]
async fn certificates_go_unchecked_only_when_asked_and_with_a_warning() {
    for name in ["127.0.0.1", "vision.example"] {
        let (running, _) = secure(name).await;
        let open = |verify: bool| {
            connect_with(&running.url(), |settings| {
                drop(settings.parameters.insert("verify_ssl".to_owned(), json!(verify)))
            })
            .0
        };
        let careless = open(false);
        careless.check().await.unwrap();
        assert!(careless.warnings()[0].contains("not checked"), "{:?}", careless.warnings());
        let careful = open(true);
        assert_eq!(careful.check().await.unwrap_err().kind(), ErrorKind::Tls);
        assert!(careful.warnings().is_empty());
    }
}

#[tokio::test]
async fn a_service_without_tls_is_not_spoken_to_in_plain() {
    let script = Script::start(vec![available()]).await;
    let (connection, clock) = connect(&script.url().replace("http://", "https://"));
    let error = connection.check().await.unwrap_err();
    assert_eq!((error.kind(), clock.waits().len()), (ErrorKind::Tls, 0), "{error}");
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn a_secure_connection_that_breaks_while_it_is_made_is_tried_again() {
    let closing = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closing.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = closing.accept().await {
            let _ = stream.read(&mut [0; 16]).await;
        }
    });
    let (connection, clock) = connect(&format!("https://{address}"));
    let error = isolate(&connection).await.unwrap_err();
    task.abort();
    assert_eq!((error.kind(), clock.waits().len()), (ErrorKind::Connect, 4), "{error}");
}

#[test]
fn a_file_that_holds_no_certificate_is_a_mistake_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let broken = folder.path().join("broken.pem");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n").unwrap();
    for path in [folder.path().join("absent.pem"), empty, broken] {
        let (mut settings, _) = settings("https://api.example.com", Timestamp::now());
        settings.network.ca_file = Some(path.clone());
        let error = Connection::new(&CONNECTOR, settings).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

// Timeouts everywhere.

fn hurried(settings: &mut Settings) {
    settings.network.request_timeout = Duration::from_millis(400);
    settings.tries = 1;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_a_timeout() {
    for fault in ["slow", "slow-body"] {
        let running = faulty(fault).await;
        let (connection, _) = connect_with(&running.url(), hurried);
        let error = connection.check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{fault}: {error}");
    }
    let silent = Bare::start(vec![]).await;
    let (connection, _) = connect_with(&silent.url(), hurried);
    assert_eq!(connection.check().await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_write_without_an_answer_in_time_is_not_sent_again() {
    let silent = Bare::start(vec![]).await;
    let (connection, clock) =
        connect_with(&silent.url(), |settings| settings.network.request_timeout = Duration::from_millis(400));
    let error = isolate(&connection).await.unwrap_err();
    assert_eq!((error.kind(), silent.heard().len(), clock.waits().len()), (ErrorKind::Timeout, 1, 0), "{error}");
    assert!(error.to_string().contains("may have acted"), "{error}");
}

// What is tried again, and what never is.

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

// Nothing gets larger than it may.

#[tokio::test]
async fn pages_end_at_their_bound() {
    let running = vision_one(|_| {}).await;
    let (connection, _) = connect_with(&running.url(), |settings| settings.max_pages = 2);
    let error = alerts(&connection).await.unwrap_err();
    assert_eq!((error.kind(), running.simulator.requests()), (ErrorKind::Protocol, 2), "{error}");
    assert!(error.to_string().contains("more than 2 pages"), "{error}");
    let (connection, _) = connect_with(&running.url(), |settings| settings.max_pages = 3);
    assert!(alerts(&connection).await.is_ok());
}

#[tokio::test]
async fn a_page_that_comes_again_and_again_is_an_error() {
    let running = faulty("repeated-link").await;
    let error = alerts(&connect(&running.url()).0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("same next page") && running.simulator.requests() <= 3, "{error}");
    // Two pages that name each other are the same thing.
    let (a, b) = ("/v3.0/workbench/alerts?skipToken=a", "/v3.0/workbench/alerts?skipToken=b");
    let script = Script::start((0..20).map(|at| page(&[], Some(if at % 2 == 0 { a } else { b }))).collect()).await;
    assert_eq!(alerts(&connect(&script.url()).0).await.unwrap_err().kind(), ErrorKind::Protocol);
    assert!(script.asked().len() <= 4);
}

#[tokio::test]
async fn a_link_that_leads_out_of_the_interface_is_an_error() {
    for link in [
        "https://evil.example",
        "/other/place",
        "//evil.example/v3.0/x",
        "/v3.0/../admin",
        "/v3.0/%2e%2e/admin",
        "javascript:alert(1)",
        "?skipToken=1",
    ] {
        let script = Script::start(vec![page(&["WB-1"], Some(link)), available()]).await;
        let error = alerts(&connect(&script.url()).0).await.unwrap_err();
        assert_eq!((error.kind(), script.asked().len()), (ErrorKind::Protocol, 1), "{link}: {error}");
    }
}

#[tokio::test]
async fn pages_are_fetched_as_they_are_asked_for() {
    let running = vision_one(|_| {}).await;
    let client = Client::connect(Parameters::new(TOKEN).with_api_url(running.url())).unwrap();
    let operation = CONNECTOR.operation("get_alert_list").unwrap();
    let input = GetAlertListInput::new(ALL_TIME.1, ALL_TIME.0);
    let mut items = client.connection().items::<_, Value>(operation, &input).unwrap();
    assert_eq!(running.simulator.requests(), 0);
    let mut count = 0;
    while let Some(item) = items.next().await {
        item.unwrap();
        count += 1;
        assert_eq!(running.simulator.requests(), [1, 2, 3][(count - 1) / 10], "after {count} records");
    }
    assert_eq!(count, 25);
}

#[tokio::test]
async fn a_vendor_s_file_name_never_leaves_the_folder() {
    let names = [
        (r#"attachment; filename="../../etc/passwd""#, "passwd"),
        (r#"attachment; filename="..\..\evil.exe""#, "evil.exe"),
        (r#"attachment; filename="/etc/cron.d/job""#, "job"),
        (r#"attachment; filename="C:\Windows\evil.dll""#, "evil.dll"),
        (r#"attachment; filename="C:evil.dll""#, "C_evil.dll"),
        (r#"attachment; filename*=UTF-8''%2e%2e%2f%2e%2e%2fpasswd"#, "passwd"),
        (r#"attachment; filename*=UTF-8''..%5C..%5Cevil.exe"#, "evil.exe"),
        (r#"attachment; filename*=UTF-8''a%00b%0a.sh"#, "ab.sh"),
        (r#"attachment; filename="..""#, "44c99cb0.sh"),
        (r#"attachment; filename=".""#, "44c99cb0.sh"),
        (r#"attachment; filename="""#, "44c99cb0.sh"),
        (r#"attachment; filename="a/..""#, "44c99cb0.sh"),
        ("inline", "44c99cb0.sh"),
        (r#"attachment; filename="triage.sh""#, "triage.sh"),
    ];
    for (header, name) in names {
        let answer =
            Prepared { status: 200, body: bytes::Bytes::from_static(b"#!/bin/sh\nls\n"), ..Prepared::default() }
                .header("Content-Disposition", header);
        let script = Script::start(vec![answer]).await;
        let output = call(&connect(&script.url()).0, "download_custom_script", json!({ "script_id": "44c99cb0" }))
            .await
            .unwrap();
        assert_eq!(output["file"], json!({ "filename": name, "content": "IyEvYmluL3NoCmxzCg==" }), "{header}");
    }
}

/// The variables by which a test has `probe` measure one run in a process of its own.
const PROBE: [&str; 2] = ["CONNECTOME_TEST_PROBE_URL", "CONNECTOME_TEST_PROBE_WHAT"];

/// The most an answer may hold in a measured run.
const MOST: usize = 4 << 20;

/// Not a test by itself: the others start it and read what it prints.
#[tokio::test]
#[ignore = "the tests of memory start it"]
async fn probe() {
    let (Ok(url), Ok(what)) = (std::env::var(PROBE[0]), std::env::var(PROBE[1])) else { return };
    let (connection, _) = connect_with(&url, |settings| settings.network.max_answer = MOST);
    let told = match what.as_str() {
        "check" => format!("{:?}", connection.check().await.map_err(|error| error.kind())),
        "stream" => {
            let operation = CONNECTOR.operation("get_exception_list").unwrap();
            let mut items = connection.items::<_, Value>(operation, &json!({})).unwrap();
            let mut count = 0;
            while let Some(item) = items.next().await {
                item.unwrap();
                count += 1;
            }
            format!("{count}")
        }
        other => panic!("{other}"),
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("PROBE {told} {}", peak.trim().trim_end_matches("kB").trim());
}

/// What a run in a process of its own told, and the most memory it held, in KiB.
async fn measured(url: &str, what: &str) -> (String, u64) {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "probe", "--ignored", "--nocapture"]).env(PROBE[0], url).env(PROBE[1], what);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words: Vec<&str> = text
        .split_once("PROBE ")
        .unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
        .1
        .split_whitespace()
        .collect();
    (words[0].to_owned(), words[1].parse().unwrap())
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn an_answer_larger_than_its_bound_ends_without_being_held() {
    let idle = vision_one(|_| {}).await;
    let (told, least) = measured(&idle.url(), "check").await;
    assert_eq!(told, "Ok(())");
    for fault in ["huge-body", "compression-bomb", "deep-json"] {
        let running = faulty(fault).await;
        let (told, peak) = measured(&running.url(), "check").await;
        assert_eq!((told.as_str(), running.simulator.requests()), ("Err(Protocol)", 1), "{fault}");
        let more = peak.saturating_sub(least) << 10;
        assert!(more < 6 * MOST as u64, "{fault}: {} MiB for a bound of {} MiB", more >> 20, MOST >> 20);
    }
}

#[tokio::test]
async fn an_answer_up_to_its_bound_is_taken() {
    let body = json!({ "status": "available", "more": "x".repeat(1000) });
    for (bound, kind) in [(body.to_string().len(), None), (body.to_string().len() - 1, Some(ErrorKind::Protocol))] {
        let script = Script::start(vec![Prepared::json(200, &body)]).await;
        let (connection, _) = connect_with(&script.url(), |settings| settings.network.max_answer = bound);
        assert_eq!(connection.check().await.err().map(|error| error.kind()), kind);
    }
}

/// Pages of a list, made as they are asked for.
async fn endless(pages: usize) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut at = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            hear(&mut stream).await;
            at += 1;
            let items: Vec<Value> = (0..500).map(|n| json!({ "type": "url", "url": format!("https://{at}.example/{n}/{}", "x".repeat(900)), "description": "", "lastModifiedDateTime": "2024-06-11T07:00:00Z" })).collect();
            let next = (at < pages).then(|| {
                format!("https://elsewhere.example/v3.0/threatintel/suspiciousObjectExceptions?skipToken={at}")
            });
            drop(
                stream
                    .write_all(say("200 OK", &json!({ "items": items, "nextLink": next }).to_string()).as_bytes())
                    .await,
            );
        }
    });
    (format!("http://{address}"), task)
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn many_pages_need_no_more_memory_than_few() {
    let (few, task) = endless(10).await;
    let (told, little) = measured(&few, "stream").await;
    task.abort();
    assert_eq!(told, "5000");
    let (many, task) = endless(200).await;
    let (told, much) = measured(&many, "stream").await;
    task.abort();
    assert_eq!(told, "100000");
    let more = much.saturating_sub(little) / 1024;
    assert!(more < 12, "twenty times the pages took {more} MiB more");
}

// The whole input is checked before anything is sent.

#[tokio::test]
async fn every_mistake_of_an_input_is_named_at_once_and_nothing_is_sent() {
    let script = Script::start(vec![]).await;
    let (connection, _) = connect(&script.url());
    let input = json!({
        "api_keys_objects": [
            { "name": "", "role": "Analyst", "status": "on" },
            { "name": "fine", "role": "Analyst", "months_to_expiration": 2, "colour": "red" },
            "not an object",
            { "name": "fine", "role": "r".repeat(129), "a/b~c": 1 },
        ],
        "extra": true,
    });
    let error = call(&connection, "create_api_keys", input).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let mut pointers: Vec<&str> = error.parts().violations.iter().map(|violation| violation.pointer.as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/api_keys_objects/0/name",
            "/api_keys_objects/0/status",
            "/api_keys_objects/1/colour",
            "/api_keys_objects/1/months_to_expiration",
            "/api_keys_objects/2",
            "/api_keys_objects/3/a~1b~0c",
            "/api_keys_objects/3/role",
            "/extra",
        ]
    );
    let months =
        error.parts().violations.iter().find(|violation| violation.pointer.ends_with("months_to_expiration")).unwrap();
    assert!(months.expected.contains("12") && months.found.contains('2'), "{months}");
    assert!(script.asked().is_empty());
    assert_eq!(error.to_json()["error"]["violations"].as_array().unwrap().len(), 8);
}

// What an answer may claim.

#[tokio::test]
async fn a_list_that_is_null_is_empty() {
    let running = faulty("null-items").await;
    let (connection, _) = connect(&running.url());
    assert_eq!(
        call(&connection, "get_custom_script_list", json!({ "fields": {} })).await.unwrap(),
        json!({ "custom_scripts_list_resp": [] })
    );
}

#[tokio::test]
async fn what_is_no_json_is_an_error_that_shows_its_beginning() {
    for (fault, shown) in [("not-json", "Sign in to the network"), ("empty-body", "empty body")] {
        let running = faulty(fault).await;
        let (connection, _) = connect(&running.url());
        for error in [
            connection.check().await.unwrap_err(),
            alerts(&connection).await.unwrap_err(),
            isolate(&connection).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Protocol, "{fault}: {error}");
        }
        assert!(connection.check().await.unwrap_err().to_string().contains(shown), "{fault}");
    }
}

#[tokio::test]
async fn json_counts_whatever_its_label_says() {
    let running = faulty("text-label").await;
    let (connection, _) = connect(&running.url());
    connection.check().await.unwrap();
    assert_eq!(alerts(&connection).await.unwrap()["total_count"], 25);
    // So do errors.
    let error = call(&connection, "get_alert_details", json!({ "alert_id": "WB-0" })).await.unwrap_err();
    assert_eq!(error.parts().service.as_ref().unwrap().number, Some(3_090_007), "{error}");
}

#[tokio::test]
async fn errors_are_understood_in_every_form() {
    for fault in ["misspelt-error", "bare-error"] {
        let running = faulty(fault).await;
        let error = alerts(&connect(&running.url()).0).await.unwrap_err();
        let said = error.parts().service.clone().unwrap();
        assert_eq!(
            (error.kind(), said.status, said.code.as_str(), said.message.as_str()),
            (ErrorKind::Invalid, 400, "BadRequest", "Wrong."),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn an_expired_token_is_told_and_not_tried_again() {
    let running = faulty("expired-token").await;
    let (connection, _) = connect(&running.url());
    let error = connection.check().await.unwrap_err();
    assert_eq!((error.kind(), running.simulator.requests()), (ErrorKind::Auth, 1));
    assert!(error.to_string().contains("expired"), "{error}");
}

#[tokio::test]
async fn an_error_that_calls_itself_a_success_is_an_error() {
    let range = json!({ "start_date_time": ALL_TIME.0, "end_date_time": ALL_TIME.1 });
    let said = json!({ "error": { "code": "InternalServerError", "message": "Something broke." } });
    let actions = [
        ("get_alert_list", range, 200),
        ("get_alert_details", json!({ "alert_id": "WB-1" }), 200),
        ("get_api_key", json!({ "id": "1" }), 200),
        ("get_endpoint_activity_data_count", json!({ "fields": { "dpt": 443 } }), 200),
        ("get_endpoint_activity_data", json!({ "fields": { "dpt": 443 } }), 200),
        ("get_sandbox_submission_status", json!({ "task_id": "1" }), 200),
        ("get_task_result", json!({ "task_id": "1", "poll": false }), 200),
        ("download_custom_script", json!({ "script_id": "1" }), 200),
        ("submit_file_to_sandbox", json!({ "file": { "content": "dGVzdA==", "filename": "a.bat" } }), 202),
        ("isolate_endpoint", json!({ "endpoint_identifiers": [{ "endpoint_name": "a" }] }), 207),
        ("delete_api_keys", json!({ "id": ["1"] }), 207),
    ];
    for (action, input, status) in actions {
        // A gateway may add an entity tag to anything.
        let script = Script::start(vec![
            Prepared::json(status, &said)
                .header("ETag", "\"a\"")
                .header("Location", "https://api.example/v3.0/x/1");
            2
        ])
        .await;
        let error = call(&connect(&script.url()).0, action, input).await.expect_err(action);
        assert_eq!(error.kind(), ErrorKind::Server, "{action}: {error}");
        assert!(error.to_string().contains("Something broke."), "{action}: {error}");
    }
    let running = faulty("error-in-success").await;
    let (connection, _) = connect(&running.url());
    assert!(connection.check().await.is_err());
    assert_eq!(alerts(&connection).await.unwrap_err().kind(), ErrorKind::Server);
}

#[tokio::test]
async fn an_empty_page_is_not_the_last() {
    let script =
        Script::start(vec![page(&[], Some("/v3.0/workbench/alerts?skipToken=1")), page(&["WB-1"], None)]).await;
    assert_eq!(alerts(&connect(&script.url()).0).await.unwrap()["total_count"], 1);
    // A failed page is not an empty one: what came before it is no result.
    let script =
        Script::start(vec![page(&["WB-1"], Some("/v3.0/workbench/alerts?skipToken=1")), Prepared::empty(500)]).await;
    assert_eq!(alerts(&connect(&script.url()).0).await.unwrap_err().kind(), ErrorKind::Server);
}

#[tokio::test]
async fn an_action_that_works_in_part_tells_every_task_and_every_failure() {
    let running = faulty("partial").await;
    let (connection, _) = connect(&running.url());
    let elements: Vec<Value> = ["ledger-pc-07", "nowhere-1", "build-srv-02", "nowhere-2"]
        .iter()
        .map(|name| json!({ "endpoint_name": name }))
        .collect();
    let error = call(&connection, "isolate_endpoint", json!({ "endpoint_identifiers": elements })).await.unwrap_err();
    assert_eq!((error.kind(), error.kind().exit_code()), (ErrorKind::Partial, 3));
    let items = &error.parts().items;
    assert_eq!(
        items.iter().map(|item| (item.index, item.status)).collect::<Vec<_>>(),
        [(0, 202), (1, 400), (2, 202), (3, 400)]
    );
    for item in items {
        assert_eq!(
            (item.task_id.is_some(), item.error.is_some()),
            (item.index % 2 == 0, item.index % 2 == 1),
            "{item:?}"
        );
    }
    // The tasks are real, and their ids are in every form of the error.
    for task in items.iter().filter_map(|item| item.task_id.as_deref()) {
        assert!(running.simulator.record("tasks", "id", task).is_some(), "{task}");
        assert!(error.to_string().contains(task) && error.to_json().to_string().contains(task), "{error}");
    }
    assert_eq!(error.parts().output.as_ref().unwrap()["multi_response"].as_array().unwrap().len(), 4);
    assert!(error.to_string().contains("Target not found."), "{error}");
}

#[tokio::test]
async fn a_task_that_is_running_already_is_named_with_the_refusal() {
    let running = vision_one(|_| {}).await;
    let (connection, _) = connect(&running.url());
    let first = isolate(&connection).await.unwrap();
    let error = isolate(&connection).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Partial);
    assert_eq!(error.parts().items[0].task_id.as_deref(), first["multi_response"][0]["task_id"].as_str());
}

#[tokio::test]
async fn an_answer_for_fewer_elements_than_were_sent_is_an_error_that_keeps_the_tasks() {
    let accepted = json!({ "status": 202, "headers": [{ "name": "operation-location", "value": "https://api.example/v3.0/xdr/response/tasks/00004001/?a=b" }] });
    let two = json!({ "endpoint_identifiers": [{ "endpoint_name": "a" }, { "endpoint_name": "b" }] });
    for (answer, tasks) in [(json!([accepted]), 1), (json!([]), 0), (json!([accepted, accepted, accepted]), 3)] {
        let script = Script::start(vec![Prepared::json(207, &answer)]).await;
        let error = call(&connect(&script.url()).0, "isolate_endpoint", two.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{answer}: {error}");
        let ids: Vec<&str> = error.parts().items.iter().filter_map(|item| item.task_id.as_deref()).collect();
        assert_eq!(ids, vec!["00004001"; tasks]);
    }
    for answer in [json!({ "anything": 1 }), json!("text"), json!(null)] {
        let script = Script::start(vec![Prepared::json(207, &answer)]).await;
        let error = call(&connect(&script.url()).0, "isolate_endpoint", two.clone()).await.unwrap_err();
        assert_eq!((error.kind(), script.asked().len()), (ErrorKind::Protocol, 1), "{answer}: {error}");
    }
    let script = Script::start(vec![Prepared::json(207, &json!([accepted, accepted]))]).await;
    assert!(call(&connect(&script.url()).0, "isolate_endpoint", two).await.is_ok());
}

#[tokio::test]
async fn what_a_service_says_that_nobody_has_seen_yet_survives() {
    let alert = json!({
        "id": "WB-1", "severity": "catastrophic", "alertProvider": "XYZ", "brandNewField": { "innerKey": [1, 2] },
        "indicators": [{ "id": 1, "type": "quantum_state", "value": { "spin": "up" }, "newKey": true }],
    });
    let script = Script::start(vec![Prepared::json(200, &alert).header("ETag", "\"a\"")]).await;
    let client = Client::connect(Parameters::new(TOKEN).with_api_url(script.url())).unwrap();
    let details = client.get_alert_details(&GetAlertDetailsInput::new("WB-1")).await.unwrap();
    let shown = format!("{details:?}");
    for word in ["catastrophic", "XYZ", "brand_new_field", "inner_key", "quantum_state", "new_key"] {
        assert!(shown.contains(word), "{word} is lost: {shown}");
    }
    let objects = json!({ "items": [{ "fileSha512": "ab", "lastModifiedDateTime": "2024-06-11T07:00:00Z" }, { "ip": "203.0.113.1", "colour": null }] });
    let script = Script::start(vec![Prepared::json(200, &objects)]).await;
    let output = call(&connect(&script.url()).0, "get_exception_list", json!({})).await.unwrap();
    assert_eq!(output["exception_objects"][0]["file_sha512"], "ab");
    assert_eq!(output["exception_objects"][1], json!({ "type": "ip", "value": "203.0.113.1", "description": "" }));
}
