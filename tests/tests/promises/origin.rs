//! The token goes to the configured origin and nowhere else.

use connectome::trend_vision_one::CONNECTOR;
use connectome_core::{Connection, ErrorKind};
use connectome_sim::Running;
use connectome_tests::command::connectome;
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::{TOKEN, connect, free_address, settings, vision_one};
use jiff::Timestamp;

use crate::{Act, Bare, alerts, available, faulty, isolate, page, say};

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
        command.args(["check", "trend-vision-one", "--connection-only"]).env(variable, proxy.url());
        command
            .env("CONNECTOME_TREND_VISION_ONE_API_URL", script.url())
            .env("CONNECTOME_TREND_VISION_ONE_API_KEY", TOKEN);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(proxy.asked().is_empty(), "the token went through the proxy in plain: {:?}", proxy.asked());
    assert_eq!(script.asked().len(), 2);
}
