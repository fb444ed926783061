//! Who asks, and what that may be.

use connectome_sim::{Grants, Token};
use connectome_tests::simulated::{TOKEN, vision_one};
use connectome_tests::wire::ask_with;
use serde_json::json;

use crate::{ALERT, ENDPOINT, bearer, get, post, statuses};

#[tokio::test]
async fn a_request_without_a_good_token_is_refused_before_anything_else() {
    let service =
        vision_one(|options| options.tokens.push(Token { secret: "old".to_owned(), grants: Grants::Expired })).await;
    let isolate = json!([{ "endpointName": ENDPOINT }]).to_string();
    for token in [
        None,
        Some("Bearer wrong"),
        Some("Bearer "),
        Some(TOKEN),
        Some("Basic dXNlcjpwYXNz"),
        Some("Bearer old"),
        Some(&bearer()[..20]),
    ] {
        let headers: Vec<(&str, &str)> =
            token.map(|it| ("Authorization", it)).into_iter().chain([("Content-Type", "application/json")]).collect();
        for (method, path, body) in [
            ("GET", "/v3.0/healthcheck/connectivity", ""),
            ("POST", "/v3.0/response/endpoints/isolate", isolate.as_str()),
            ("GET", "/v3.0/no/such/path", ""),
        ] {
            let got = ask_with(&service, method, path, &headers, body.as_bytes()).await;
            assert_eq!((got.status, got.code().as_str()), (401, "InvalidCredentials"), "{token:?} {path}");
        }
    }
    let got = post(&service, "/response/endpoints/isolate", &json!([{ "endpointName": ENDPOINT }])).await;
    assert_eq!(statuses(&got), [202], "a refused request starts no task");
}

#[tokio::test]
async fn a_token_may_do_what_it_was_granted_and_nothing_else() {
    let grants = Grants::Listed(vec![("Workbench".to_owned(), "View, filter, and search".to_owned())]);
    let service = vision_one(|options| options.tokens.push(Token { secret: "reader".to_owned(), grants })).await;
    let reader = [("Authorization", "Bearer reader"), ("Content-Type", "application/json")];
    let path = format!("/v3.0/workbench/alerts/{ALERT}");
    assert_eq!(ask_with(&service, "GET", &path, &reader, b"").await.status, 200);
    assert_eq!(
        ask_with(&service, "GET", "/v3.0/healthcheck/connectivity", &reader, b"").await.status,
        200,
        "the test of a connection needs no permission"
    );
    let before = get(&service, &format!("/workbench/alerts/{ALERT}")).await.header("ETag").map(str::to_owned);
    let refused = ask_with(&service, "PATCH", &path, &reader, br#"{"investigationStatus":"Closed"}"#).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "AccessDenied"));
    assert_eq!(get(&service, &format!("/workbench/alerts/{ALERT}")).await.header("ETag").map(str::to_owned), before);
    assert_eq!(ask_with(&service, "GET", "/v3.0/iam/apiKeys", &reader, b"").await.status, 403);
}

#[tokio::test]
async fn a_path_that_there_is_not_is_told_as_json() {
    let service = vision_one(|_| {}).await;
    let bearer = bearer();
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/v3.0"),
        ("GET", "/v3.0x/workbench/alerts"),
        ("GET", "/v3.0/workbench"),
        ("PUT", "/v3.0/workbench/alerts"),
        ("DELETE", "/v3.0/workbench/alerts/x"),
    ] {
        let got = ask_with(&service, method, path, &[("Authorization", &bearer)], b"").await;
        assert_eq!((got.status, got.code().as_str()), (404, "NotFound"), "{method} {path}");
    }
}
