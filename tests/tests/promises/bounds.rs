//! Nothing gets larger than it may.

use connectome::trend_vision_one::{CONNECTOR, Client, GetAlertListInput, Parameters};
use connectome_core::ErrorKind;
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::{TOKEN, connect, connect_with, vision_one};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{ALL_TIME, alerts, available, call, faulty, hear, page, say};

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
    command.args(["--exact", "bounds::probe", "--ignored", "--nocapture"]).env(PROBE[0], url).env(PROBE[1], what);
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
