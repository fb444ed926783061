//! The simulated Trend Vision One is stateful and strict. Requests are written by hand here, byte by byte, so that a
//! mistake of our own client cannot hide a mistake of the simulator.

mod access;
mod faults;
mod forms;
mod pages;
mod seeds;
mod tasks;
mod things;

use std::collections::BTreeSet;

use connectome_sim::Running;
use connectome_tests::simulated::TOKEN;
use connectome_tests::wire::{Got, ask_with};
use serde_json::Value;

const ENDPOINT: &str = "ledger-pc-07";
const GUID: &str = "7c0b2f1e-5b0d-4a55-9a3e-2f6d1e9a4c10";
const OTHER_ENDPOINT: &str = "build-srv-02";
const ALERT: &str = "WB-31007-20240610-00900";
const PUBLIC: &str = "https://api.xdr.trendmicro.com";
const SCRIPT: &str = "name=\"file\"; filename=\"hello.sh\"\r\nContent-Type: text/plain";

fn bearer() -> String {
    format!("Bearer {TOKEN}")
}

async fn get(service: &Running, path: &str) -> Got {
    get_with(service, path, &[]).await
}

async fn get_with(service: &Running, path: &str, headers: &[(&str, &str)]) -> Got {
    let bearer = bearer();
    let headers: Vec<(&str, &str)> =
        [("Authorization", bearer.as_str())].into_iter().chain(headers.iter().copied()).collect();
    ask_with(service, "GET", &format!("/v3.0{path}"), &headers, b"").await
}

async fn send(service: &Running, method: &str, path: &str, body: &Value) -> Got {
    send_with(service, method, path, &[], body).await
}

async fn send_with(service: &Running, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Got {
    let bearer = bearer();
    let own = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let headers: Vec<(&str, &str)> = own.into_iter().chain(headers.iter().copied()).collect();
    ask_with(service, method, &format!("/v3.0{path}"), &headers, body.to_string().as_bytes()).await
}

async fn post(service: &Running, path: &str, body: &Value) -> Got {
    send(service, "POST", path, body).await
}

/// A part of a form: its head's lines and its bytes.
struct Part<'a>(&'a str, &'a [u8]);

async fn form(service: &Running, path: &str, parts: &[Part<'_>]) -> Got {
    let mut body = Vec::new();
    for Part(head, content) in parts {
        body.extend_from_slice(format!("--bOuNdArY\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--bOuNdArY--\r\n");
    let bearer = bearer();
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "multipart/form-data; boundary=bOuNdArY")];
    ask_with(service, "POST", &format!("/v3.0{path}"), &headers, &body).await
}

/// The statuses of a multi-status answer's elements.
fn statuses(got: &Got) -> Vec<u64> {
    assert_eq!(got.status, 207, "{got:?}");
    got.json().as_array().expect("a list").iter().map(|item| item["status"].as_u64().expect("a status")).collect()
}

/// The task that an element of a multi-status answer names.
fn task(item: &Value) -> String {
    let header = &item["headers"][0];
    assert_eq!(header["name"], "Operation-Location", "{item}");
    let location = header["value"].as_str().expect("a URL");
    let id =
        location.strip_prefix(&format!("{PUBLIC}/v3.0/xdr/response/tasks/")).unwrap_or_else(|| panic!("{location}"));
    assert!(id.len() == 8 && id.bytes().all(|b| b.is_ascii_digit()), "{id}");
    id.to_owned()
}

async fn state(service: &Running, task: &str) -> Value {
    let got = get(service, &format!("/response/tasks/{task}")).await;
    assert_eq!(got.status, 200, "{got:?}");
    got.json()
}

/// Looks at a task until it has succeeded.
async fn finish(service: &Running, task: &str) -> Value {
    for _ in 0..5 {
        let seen = state(service, task).await;
        if seen["status"] == "succeeded" {
            return seen;
        }
    }
    panic!("the task {task} does not end");
}

fn isolated(service: &Running) -> Value {
    service.simulator.record("endpoints", "endpointName", ENDPOINT).expect("the endpoint")["_isolated"].clone()
}

/// Every record of a list, page by page, and the number of pages. Links are followed on this address, as they are.
async fn all(service: &Running, path: &str, headers: &[(&str, &str)]) -> (Vec<Value>, usize) {
    let (mut records, mut pages, mut path) = (Vec::new(), 0, path.to_owned());
    loop {
        let got = get_with(service, &path, headers).await;
        assert_eq!(got.status, 200, "{got:?}");
        let body = got.json();
        records.extend(body["items"].as_array().expect("a list").iter().cloned());
        pages += 1;
        let Some(link) = body["nextLink"].as_str() else { return (records, pages) };
        let rest =
            link.strip_prefix(&format!("{PUBLIC}/v3.0")).unwrap_or_else(|| panic!("{link} is not the public address"));
        assert!(rest.contains("skipToken=") || rest.contains("nextBatchToken="), "{rest}");
        path = rest.to_owned();
    }
}

fn ids(records: &[Value], field: &str) -> BTreeSet<String> {
    records.iter().map(|it| it[field].as_str().unwrap_or_else(|| panic!("no {field} in {it}")).to_owned()).collect()
}
