//! What is well formed, and what is refused.

use std::collections::BTreeSet;

use connectome_tests::simulated::vision_one;
use connectome_tests::wire::ask_with;
use serde_json::{Value, json};

use crate::{ALERT, ENDPOINT, GUID, Part, SCRIPT, bearer, form, get_with, ids, isolated, post, send, statuses};

/// Bodies whose one element is refused, and the word that says why.
#[tokio::test]
async fn an_element_that_breaks_a_rule_is_refused_and_says_which() {
    let service = vision_one(|_| {}).await;
    let sha1 = "c88878f98c7c2b5d9c551a0e99496d0dc7d0367c";
    for (path, element, word) in [
        ("/response/endpoints/isolate", json!({ "endpointName": ENDPOINT, "agentGuid": GUID }), "Exactly one"),
        ("/response/endpoints/isolate", json!({ "description": "none" }), "Exactly one"),
        (
            "/response/endpoints/isolate",
            json!({ "endpointName": ENDPOINT, "endpoint_name": ENDPOINT }),
            "endpoint_name",
        ),
        ("/response/endpoints/isolate", json!({ "agentGuid": format!("{GUID}0") }), "agentGuid"),
        ("/response/endpoints/isolate", json!({ "endpointName": 7 }), "endpointName"),
        ("/response/endpoints/isolate", json!("text"), "object"),
        ("/response/endpoints/collectFile", json!({ "endpointName": ENDPOINT }), "filePath"),
        (
            "/response/endpoints/terminateProcess",
            json!({ "endpointName": ENDPOINT, "fileSha1": &sha1[..39] }),
            "fileSha1",
        ),
        ("/response/suspiciousObjects", json!({ "ip": "203.0.113.9", "domain": "a.example" }), "Exactly one"),
        ("/response/suspiciousObjects", json!({ "object_type": "ip", "object_value": "203.0.113.9" }), "Unknown field"),
        ("/response/suspiciousObjects", json!({ "ip": "203.0.113.999" }), "ip"),
        ("/response/suspiciousObjects", json!({ "fileSha1": format!("{sha1}0") }), "fileSha1"),
        ("/response/suspiciousObjects", json!({ "fileSha256": sha1 }), "fileSha256"),
        ("/response/suspiciousObjects", json!({ "url": "x".repeat(256) }), "url"),
        (
            "/response/suspiciousObjects",
            json!({ "ip": "203.0.113.9", "description": "x".repeat(20_481) }),
            "description",
        ),
        (
            "/threatintel/suspiciousObjectExceptions",
            json!({ "ip": "203.0.113.9", "description": "x".repeat(1001) }),
            "description",
        ),
        (
            "/threatintel/suspiciousObjectExceptions/delete",
            json!({ "ip": "203.0.113.9", "description": "x" }),
            "description",
        ),
        ("/threatintel/suspiciousObjects", json!({ "ip": "203.0.113.9", "daysToExpiration": 366 }), "daysToExpiration"),
        (
            "/threatintel/suspiciousObjects",
            json!({ "ip": "203.0.113.9", "daysToExpiration": "30" }),
            "daysToExpiration",
        ),
        ("/threatintel/suspiciousObjects", json!({ "ip": "203.0.113.9", "riskLevel": "High" }), "riskLevel"),
        ("/response/emails/delete", json!({ "messageId": "b1@mail.example" }), "messageId"),
        ("/response/emails/delete", json!({ "uniqueId": "AAMk", "mailBox": "a@b.example" }), "mailBox"),
        (
            "/response/emails/delete",
            json!({ "messageId": "<b1@mail.example>", "uniqueId": "AAMk" }),
            "messageId or uniqueId",
        ),
        ("/response/domainAccounts/disable", json!({ "accountName": "" }), "accountName"),
        ("/iam/apiKeys", json!({ "name": "x", "role": "Auditor", "monthsToExpiration": "1" }), "monthsToExpiration"),
        ("/iam/apiKeys", json!({ "name": "x", "role": "Auditor", "monthsToExpiration": 2 }), "monthsToExpiration"),
        ("/iam/apiKeys", json!({ "name": "x" }), "role"),
        ("/sandbox/urls/analyze", json!({ "url": "" }), "url"),
        ("/sandbox/urls/analyze", json!({ "url": "http://a.example", "id": "x" }), "url"),
    ] {
        let got = post(&service, path, &json!([element])).await;
        assert_eq!(statuses(&got), [400], "{path} {element}");
        let body = &got.json()[0]["body"];
        // The list of API keys leaves the wrapping out.
        let message = body["error"]["message"].as_str().or(body["message"].as_str()).unwrap_or_default();
        assert!(message.contains(word), "{path} {element}: {message}");
    }
    let run = post(
        &service,
        "/response/endpoints/runScript",
        &json!([{ "endpointName": ENDPOINT, "agentGuid": GUID, "fileName": "triage.sh" }]),
    )
    .await;
    assert_eq!(statuses(&run), [400], "{run:?}");
}

#[tokio::test]
async fn a_body_of_the_wrong_form_is_refused_whole() {
    let service = vision_one(|_| {}).await;
    let isolate = "/response/endpoints/isolate";
    let urls: Vec<Value> = (0..11).map(|n| json!({ "url": format!("http://a.example/{n}") })).collect();
    let keys: Vec<Value> = (0..11).map(|n| json!({ "id": format!("{n}") })).collect();
    for (method, path, body) in [
        ("POST", isolate, json!([])),
        ("POST", isolate, json!({ "endpointName": ENDPOINT })),
        ("POST", "/sandbox/urls/analyze", json!(urls)),
        ("POST", "/iam/apiKeys/delete", json!(keys)),
        (
            "POST",
            "/response/endpoints/runScript",
            json!([{ "endpointName": ENDPOINT, "fileName": "a.sh" }, { "endpointName": ENDPOINT, "fileName": "a.sh" }]),
        ),
        ("PATCH", &format!("/workbench/alerts/{ALERT}"), json!([{ "investigationStatus": "New" }])),
        ("PATCH", &format!("/workbench/alerts/{ALERT}"), json!({ "investigationStatus": "Done" })),
        ("PATCH", &format!("/workbench/alerts/{ALERT}"), json!({ "investigationStatus": "New", "id": ALERT })),
        ("PATCH", &format!("/workbench/alerts/{ALERT}"), json!({})),
        ("POST", &format!("/workbench/alerts/{ALERT}/notes"), json!({ "content": "" })),
        ("POST", &format!("/workbench/alerts/{ALERT}/notes"), json!({ "content": "x".repeat(500_001) })),
    ] {
        let got = send(&service, method, path, &body).await;
        assert_eq!(
            (got.status, got.code().as_str()),
            (400, "BadRequest"),
            "{path} {}",
            &body.to_string()[..60.min(body.to_string().len())]
        );
    }
    let bearer = bearer();
    for (media_type, body) in
        [(Some("text/plain"), "[]"), (None, "[]"), (Some("application/json"), "[{"), (Some("application/json"), "")]
    {
        let headers: Vec<(&str, &str)> =
            [("Authorization", bearer.as_str())].into_iter().chain(media_type.map(|it| ("Content-Type", it))).collect();
        let got = ask_with(&service, "POST", &format!("/v3.0{isolate}"), &headers, body.as_bytes()).await;
        assert_eq!(got.status, 400, "{media_type:?} {body:?}");
    }
    assert_eq!(isolated(&service), false);
}

#[tokio::test]
async fn a_query_or_filter_that_the_service_does_not_take_is_refused() {
    let service = vision_one(|_| {}).await;
    let query = ("TMV1-Query", "dpt:\"443\"");
    for (path, headers) in [
        ("/search/endpointActivities", &[][..]),
        ("/search/emailActivities", &[("TMV1-Query", "")]),
        ("/eiqs/endpoints", &[]),
        ("/search/endpointActivities", &[("TMV1-Query", "dpt eq '443'")]),
        ("/search/endpointActivities", &[("TMV1-Query", "dpt:\"443\" or")]),
        ("/search/endpointActivities", &[("TMV1-Query", "made_up:\"443\"")]),
        ("/search/endpointActivities?top=51", &[query]),
        ("/search/endpointActivities?top=all", &[query]),
        ("/search/endpointActivities?startDateTime=2024-06-11+07:00:00Z", &[query]),
        ("/search/endpointActivities?startDateTime=2024-06-11T07:00:00%2B00:00", &[query]),
        ("/search/endpointActivities?startDateTime=2024-13-11T07:00:00Z", &[query]),
        ("/search/endpointActivities?select=uuid,,dpt", &[query]),
        ("/workbench/alerts?startDateTime=2024-06-11%2007:00:00Z", &[]),
        ("/workbench/alerts?endDateTime=2024-06-11T07:00:00.000Z", &[]),
        ("/iam/apiKeys?top=10", &[]),
        ("/iam/apiKeys", &[("TMV1-Filter", "name:\"x\"")]),
        ("/iam/apiKeys", &[("TMV1-Filter", "name eq 'o'brien'")]),
        ("/iam/apiKeys", &[("TMV1-Filter", "colour eq 'red'")]),
        ("/oat/detections", &[("TMV1-Filter", "uuid eq 'x' xor uuid eq 'y'")]),
        ("/response/customScripts?filter=fileName%20eq%20hello", &[]),
        ("/eiqs/endpoints", &[("TMV1-Query", "endpointName:\"x\"")]),
    ] {
        let got = get_with(&service, path, headers).await;
        assert_eq!((got.status, got.code().as_str()), (400, "BadRequest"), "{path} {headers:?}");
    }
    let long = format!("endpointName eq '{}'", "x".repeat(1024));
    assert_eq!(get_with(&service, "/eiqs/endpoints", &[("TMV1-Query", &long)]).await.status, 400);
}

#[tokio::test]
async fn a_quoted_value_is_a_value_whatever_it_holds() {
    let service = vision_one(|_| {}).await;
    for filter in ["endpointName eq 'x'' or ''a'' eq ''a'", "endpointName eq 'x) or (osName eq ''Windows'''"] {
        let got = get_with(&service, "/eiqs/endpoints", &[("TMV1-Query", filter)]).await;
        assert_eq!((got.status, &got.json()["items"]), (200, &json!([])), "{filter}");
    }
    let got = get_with(
        &service,
        "/eiqs/endpoints",
        &[("TMV1-Query", "endpointName eq 'nobody' or endpointName eq 'ledger-pc-07'")],
    )
    .await;
    assert_eq!(ids(got.json()["items"].as_array().expect("a list"), "agentGuid"), BTreeSet::from([GUID.to_owned()]));
}

#[tokio::test]
async fn a_form_with_a_wrong_part_is_refused() {
    let service = vision_one(|_| {}).await;
    let (scripts, files) = ("/response/customScripts", "/sandbox/files/analyze");
    let kind = || Part("name=\"fileType\"", b"bash");
    let script = || Part(SCRIPT, b"#!/bin/sh");
    let sample = || Part("name=\"file\"; filename=\"a.exe\"\r\nContent-Type: application/octet-stream", b"MZ");
    let cases: Vec<(&str, &str, Vec<Part>)> = vec![
        ("no file", scripts, vec![kind()]),
        ("no kind", scripts, vec![script()]),
        ("an unknown kind", scripts, vec![Part("name=\"fileType\"", b"perl"), script()]),
        ("an unknown part", scripts, vec![kind(), Part("name=\"colour\"", b"red"), script()]),
        (
            "a script of the wrong media type",
            scripts,
            vec![kind(), Part("name=\"file\"; filename=\"a.sh\"\r\nContent-Type: application/octet-stream", b"x")],
        ),
        ("a script without a media type", scripts, vec![kind(), Part("name=\"file\"; filename=\"a.sh\"", b"x")]),
        ("a script without a name", scripts, vec![kind(), Part("name=\"file\"\r\nContent-Type: text/plain", b"x")]),
        (
            "a script with a folder in its name",
            scripts,
            vec![kind(), Part("name=\"file\"; filename=\"../a.sh\"\r\nContent-Type: text/plain", b"x")],
        ),
        ("a script that is no text", scripts, vec![kind(), Part(SCRIPT, b"\xff\xfe")]),
        (
            "a sample of the wrong media type",
            files,
            vec![Part("name=\"file\"; filename=\"a.exe\"\r\nContent-Type: text/plain", b"MZ")],
        ),
        ("a password that is not Base64", files, vec![Part("name=\"archivePassword\"", b"pa ss"), sample()]),
        ("a password of broken Base64", files, vec![Part("name=\"documentPassword\"", b"1234567"), sample()]),
        ("arguments that are not Base64", files, vec![Part("name=\"arguments\"", b"-y --verbose"), sample()]),
    ];
    for (what, path, parts) in cases {
        let got = form(&service, path, &parts).await;
        assert_eq!((got.status, got.code().as_str()), (400, "BadRequest"), "{what}: {got:?}");
    }
    assert_eq!(form(&service, scripts, &[kind(), script()]).await.status, 201, "a good one passes");
    assert_eq!(form(&service, files, &[Part("name=\"archivePassword\"", b"MTIzNA=="), sample()]).await.status, 202);
    let json = post(&service, scripts, &json!({ "fileType": "bash" })).await;
    assert_eq!(json.status, 400, "a form is not JSON");
}
