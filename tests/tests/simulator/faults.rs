//! Faults: what a client sees of each, how often, and where.

use std::collections::HashMap;
use std::sync::Arc;

use connectome::trend_vision_one::simulator::SERVICE;
use connectome_sim::{FAULT_KINDS, Fault, Options, Running, Simulator};
use connectome_tests::simulated::{TOKEN, serve, vision_one};
use connectome_tests::wire::{Got, exchange, read, written};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{bearer, get, post, statuses};

async fn faulty(fault: &str) -> Running {
    let mut options = Options::new(TOKEN);
    options.faults = vec![fault.parse::<Fault>().expect("a fault")];
    serve(Simulator::new(&SERVICE, options)).await
}

/// What a client sees of a fault, in the order in which it is looked at.
#[tokio::test]
async fn every_fault_does_what_it_says() {
    let path = "/workbench/alerts";
    let well = vision_one(|_| {}).await;
    let usual = get(&well, path).await;
    let records = usual.json()["items"].as_array().map(Vec::len);
    for (kind, says) in FAULT_KINDS {
        let service = faulty(kind).await;
        let request = written("GET", &format!("/v3.0{path}"), &[("Authorization", &bearer())], b"");
        let told = async || get(&service, path).await;
        let html = |got: &Got| got.header("Content-Type") == Some("text/html") && got.body.starts_with(b"<html>");
        let holds = match *kind {
            "rate-limit" => {
                let got = told().await;
                (got.status, got.header("Retry-After"), got.code().as_str()) == (429, Some("1"), "TooManyRequests")
            }
            "rate-limit-bare" => {
                let got = told().await;
                (got.status, got.header("Retry-After"), got.header("Content-Type")) == (429, None, Some("text/plain"))
            }
            "rate-limit-reset" => {
                let got = told().await;
                (got.status, got.header("Retry-After"), got.header("RateLimit-Reset")) == (429, None, Some("1"))
            }
            "rate-spent" => {
                let got = told().await;
                got.status == 200
                    && got.header("RateLimit-Remaining") == Some("0")
                    && got.header("RateLimit-Reset") == Some("1")
            }
            "server-error" => {
                let got = told().await;
                (got.status, got.code().as_str()) == (500, "InternalServerError")
            }
            "unavailable" => {
                let got = told().await;
                got.status == 503 && html(&got)
            }
            "bad-gateway" => {
                let got = told().await;
                got.status == 502 && got.body.is_empty()
            }
            "gateway-timeout" => {
                let got = told().await;
                (got.status, got.header("Content-Type")) == (504, Some("text/plain"))
            }
            "slow" => slow_answers_come_after_others().await,
            "slow-body" => dripping_answers_come_in_pieces().await,
            "torn" => {
                let got = read(&partly(&service, &request).await);
                got.status == 200
                    && got.promised().is_some_and(|promised| !got.body.is_empty() && got.body.len() < promised)
            }
            "reset" => match exchange(&service, &request).await {
                Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
                Ok(answer) => panic!("an answer of {} bytes came", answer.len()),
            },
            "expired-token" => {
                let got = told().await;
                (got.status, got.code().as_str()) == (401, "InvalidCredentials")
            }
            "partial" => {
                let body: Vec<Value> = (0..4).map(|n| json!({ "ip": format!("203.0.113.{n}") })).collect();
                statuses(&post(&service, "/response/suspiciousObjects", &json!(body)).await) == [202, 400, 202, 400]
            }
            "all-fail" | "mixed" | "one-missing" => {
                let body: Vec<Value> = (0..5).map(|n| json!({ "ip": format!("203.0.113.{n}") })).collect();
                let wanted: &[u64] = match *kind {
                    "all-fail" => &[400; 5],
                    "mixed" => &[202, 403, 404, 400, 401],
                    _ => &[202; 4],
                };
                statuses(&post(&service, "/response/suspiciousObjects", &json!(body)).await) == wanted
            }
            "foreign-link" => {
                let link = told().await.json()["nextLink"].as_str().expect("a link").to_owned();
                link.starts_with("https://evil.example/v3.0/workbench/alerts?") && link.contains("skipToken=")
            }
            "repeated-link" => {
                let first = told().await.json()["nextLink"].as_str().expect("a link").to_owned();
                let rest = first.split_once("/v3.0").expect("a path").1;
                get(&service, rest).await.json()["nextLink"] == first
            }
            "null-items" => {
                let got = told().await;
                got.status == 200 && got.json().get("items") == Some(&Value::Null)
            }
            "text-label" => {
                let got = told().await;
                got.header("Content-Type") == Some("text/plain")
                    && got.json()["items"].as_array().map(Vec::len) == records
            }
            "misspelt-error" => {
                let got = told().await;
                got.status == 400 && got.json()["errror"]["code"].is_string() && got.json().get("error").is_none()
            }
            "bare-error" => {
                let got = told().await;
                got.status == 400 && got.json()["code"].is_string() && got.json()["message"].is_string()
            }
            "error-in-success" => {
                let got = told().await;
                got.status == 200 && got.code() == "InternalServerError"
            }
            "error-list" | "error-texts" | "error-text" => {
                let got = told().await;
                let error = &got.json()["error"];
                let formed = match *kind {
                    "error-list" => error[0]["message"].is_string() && got.json()["data"].is_null(),
                    "error-texts" => error[0].is_string(),
                    _ => error.is_string(),
                };
                got.status == 200 && formed && got.json().get("items").is_none()
            }
            "error-beside-data" => {
                let got = told().await.json();
                got["error"].is_array() && got["items"].as_array().map(Vec::len) == records
            }
            // This service gives no answer later; tests of lists that are do so.
            "deferred-fails" => told().await.json()["items"].as_array().map(Vec::len) == records,
            "empty-body" => {
                let got = told().await;
                got.status == 200 && got.body.is_empty()
            }
            "not-json" => {
                let got = told().await;
                got.status == 200 && html(&got)
            }
            "deep-json" => {
                let got = told().await;
                got.status == 200 && got.body.iter().filter(|byte| **byte == b'[').count() == 100_000
            }
            "huge-body" => {
                let got = told().await;
                got.status == 200 && got.body.len() > 100 << 20
            }
            "compression-bomb" => {
                let got = told().await;
                got.header("Content-Encoding") == Some("gzip")
                    && got.body.starts_with(&[0x1f, 0x8b])
                    && got.body.len() < 1 << 20
            }
            "redirect-away" | "moved-away" => {
                let got = told().await;
                got.status == if *kind == "moved-away" { 307 } else { 302 }
                    && got.header("Location").is_some_and(|it| it.starts_with("https://elsewhere.example/"))
            }
            "clock-skew" => {
                let got = told().await;
                let date = got.header("Date").and_then(|it| jiff::fmt::rfc2822::parse(it).ok()).expect("a date");
                got.status == 200 && (Timestamp::now().as_second() - date.timestamp().as_second()).abs() > 80_000
            }
            // What is wrong with lists by time has tests of its own, in `simulator_logs.rs`.
            "expired-page" | "empty-page" | "null-when-empty" | "empty-link" | "blank-link" | "live-pages"
            | "other-end" | "other-order" | "no-count" | "poison" => true,
            other => panic!("the fault {other:?} has no test here"),
        };
        assert!(holds, "{kind} does not do what it says: {says}");
    }
}

/// Reads what comes, also when the connection breaks after it.
async fn partly(service: &Running, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(service.address).await.expect("a connection");
    stream.write_all(request).await.expect("a request");
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece).await {
        answer.extend_from_slice(&piece[..count]);
    }
    answer
}

async fn slow_answers_come_after_others() -> bool {
    let service = Arc::new(faulty("slow*1@/workbench").await);
    let slow = tokio::spawn({
        let service = service.clone();
        async move { get(&service, "/workbench/alerts").await.status }
    });
    while service.simulator.requests() == 0 {
        tokio::task::yield_now().await;
    }
    let quick = get(&service, "/workbench/alerts").await.status;
    quick == 200 && !slow.is_finished() && slow.await.expect("no panic") == 200
}

async fn dripping_answers_come_in_pieces() -> bool {
    let service = faulty("slow-body").await;
    let mut stream = TcpStream::connect(service.address).await.expect("a connection");
    stream
        .write_all(&written("GET", "/v3.0/healthcheck/connectivity", &[("Authorization", &bearer())], b""))
        .await
        .expect("a request");
    let (mut answer, mut pieces) = (Vec::new(), 0);
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece).await {
        answer.extend_from_slice(&piece[..count]);
        pieces += 1;
    }
    pieces > 3 && read(&answer).json() == json!({ "status": "available" })
}

#[tokio::test]
async fn a_fault_happens_as_often_and_where_it_is_told_to() {
    let service = faulty("server-error*2@/workbench").await;
    let mut seen = Vec::new();
    for path in
        ["/healthcheck/connectivity", "/workbench/alerts", "/iam/apiKeys", "/workbench/alerts", "/workbench/alerts"]
    {
        seen.push(get(&service, path).await.status);
    }
    assert_eq!(seen, [200, 500, 200, 500, 200]);
}

#[test]
fn a_fault_that_there_is_not_is_told_with_those_there_are() {
    for text in ["made-up", "slow*often", "", "*2", "@/x"] {
        assert!(text.parse::<Fault>().is_err(), "{text:?}");
    }
    let said = "made-up".parse::<Fault>().unwrap_err();
    assert!(FAULT_KINDS.iter().all(|(kind, _)| said.contains(kind)), "{said}");
    let names: HashMap<_, _> = FAULT_KINDS.iter().copied().collect();
    assert_eq!(names.len(), FAULT_KINDS.len(), "a kind is there twice");
}
