//! The simulated Trend Vision One is stateful and strict. Requests are written by hand here, byte by byte, so that a
//! mistake of our own client cannot hide a mistake of the simulator.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use connectome::trend_vision_one::simulator::SERVICE;
use connectome_core::time::whole_seconds;
use connectome_sim::{FAULT_KINDS, Fault, Grants, Options, Running, Simulator, Token, serve};
use connectome_tests::simulated::{TOKEN, vision_one};
use connectome_tests::wire::{Got, ask_with, exchange, read, written};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ENDPOINT: &str = "ledger-pc-07";
const GUID: &str = "7c0b2f1e-5b0d-4a55-9a3e-2f6d1e9a4c10";
const OTHER_ENDPOINT: &str = "build-srv-02";
const ALERT: &str = "WB-31007-20240610-00900";
const PUBLIC: &str = "https://api.xdr.trendmicro.com";

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

// Tasks.

#[tokio::test]
async fn a_task_is_queued_then_runs_then_succeeds_and_the_endpoint_is_isolated_only_at_its_end() {
    let service = vision_one(|_| {}).await;
    assert_eq!(isolated(&service), false);
    let got =
        post(&service, "/response/endpoints/isolate", &json!([{ "endpointName": ENDPOINT, "description": "case 1" }]))
            .await;
    assert_eq!(statuses(&got), [202]);
    let id = task(&got.json()[0]);
    let first = state(&service, &id).await;
    assert_eq!((&first["status"], isolated(&service)), (&json!("queued"), json!(false)));
    assert_eq!(state(&service, &id).await["status"], "running");
    let last = state(&service, &id).await;
    assert_eq!((&last["status"], isolated(&service)), (&json!("succeeded"), json!(true)));
    for (field, value) in [
        ("id", id.as_str()),
        ("action", "isolate"),
        ("endpointName", ENDPOINT),
        ("agentGuid", GUID),
        ("description", "case 1"),
    ] {
        assert_eq!(last[field], value, "{last}");
    }
    assert!(last["createdDateTime"].as_str().is_some_and(|it| it.len() == 20), "{last}");
    assert!(
        last.as_object().is_some_and(|it| it.keys().all(|key| !key.starts_with('_'))),
        "{last} shows what only the simulator knows"
    );
    let back = post(&service, "/response/endpoints/restore", &json!([{ "agentGuid": GUID }])).await;
    let back = finish(&service, &task(&back.json()[0])).await;
    assert_eq!((&back["action"], isolated(&service)), (&json!("restoreIsolate"), json!(false)));
}

#[tokio::test]
async fn a_task_shows_what_it_collected_only_once_it_has_succeeded() {
    let service = vision_one(|_| {}).await;
    let got =
        post(&service, "/response/endpoints/collectFile", &json!([{ "endpointName": ENDPOINT, "filePath": "C:/x" }]))
            .await;
    let id = task(&got.json()[0]);
    let early = state(&service, &id).await;
    let late = finish(&service, &id).await;
    for field in ["resourceLocation", "password", "fileSha256", "fileSize", "expiredDateTime"] {
        assert!(early.get(field).is_none() && late.get(field).is_some(), "{field}: {early} {late}");
    }
    assert_eq!((&early["filePath"], &late["filePath"]), (&json!("C:/x"), &json!("C:/x")));
}

#[tokio::test]
async fn a_task_on_an_account_tells_the_state_of_its_target_beside_its_own() {
    let service = vision_one(|_| {}).await;
    let user = "amelie.roy@northfjord.example";
    let got = post(&service, "/response/domainAccounts/disable", &json!([{ "accountName": user }])).await;
    let id = task(&got.json()[0]);
    for wanted in ["queued", "running", "succeeded"] {
        let seen = state(&service, &id).await;
        let target = &seen["tasks"][0];
        assert_eq!(
            (&seen["status"], &target["status"], &target["accountName"]),
            (&json!(wanted), &json!(wanted), &json!(user)),
            "{seen}"
        );
    }
    let kept = service.simulator.record("accounts", "accountName", user).expect("the account");
    assert_eq!(kept["_state"], "disabled");
}

#[tokio::test]
async fn ending_a_process_goes_by_the_service_s_misspelt_name() {
    let service = vision_one(|_| {}).await;
    let sha1 = "c88878f98c7c2b5d9c551a0e99496d0dc7d0367c";
    let got = post(
        &service,
        "/response/endpoints/terminateProcess",
        &json!([{ "endpointName": ENDPOINT, "fileSha1": sha1 }]),
    )
    .await;
    let seen = state(&service, &task(&got.json()[0])).await;
    assert_eq!((&seen["action"], &seen["fileSha1"]), (&json!("teminateProcess"), &json!(sha1)));
}

#[tokio::test]
async fn a_target_with_a_task_that_has_not_ended_takes_no_second_of_the_kind() {
    let service = vision_one(|_| {}).await;
    let isolate = "/response/endpoints/isolate";
    let first = task(&post(&service, isolate, &json!([{ "endpointName": ENDPOINT }])).await.json()[0]);
    // The same endpoint by its other name, and for another reason.
    let again = post(
        &service,
        isolate,
        &json!([{ "agentGuid": GUID, "description": "again" }, { "endpointName": OTHER_ENDPOINT }]),
    )
    .await;
    assert_eq!(statuses(&again), [400, 202], "another endpoint is not meant");
    let again = again.json();
    assert_eq!(again[0]["body"]["error"]["code"], "TaskError");
    assert_eq!(task(&again[0]), first, "a duplicate names the task that runs");
    let other_kind = post(&service, "/response/endpoints/restore", &json!([{ "endpointName": ENDPOINT }])).await;
    assert_eq!(statuses(&other_kind), [202], "another kind is not meant");
    finish(&service, &first).await;
    let later = post(&service, isolate, &json!([{ "endpointName": ENDPOINT }])).await;
    assert_ne!(task(&later.json()[0]), first);
}

#[tokio::test]
async fn the_answers_of_many_elements_keep_the_order_of_the_request() {
    let service = vision_one(|_| {}).await;
    let body = json!([{ "endpointName": "nobody" }, { "endpointName": ENDPOINT }, { "endpointName": "" }, { "endpointName": OTHER_ENDPOINT }]);
    let got = post(&service, "/response/endpoints/isolate", &body).await;
    assert_eq!(statuses(&got), [400, 202, 400, 202]);
    assert_eq!(state(&service, &task(&got.json()[3])).await["endpointName"], OTHER_ENDPOINT);
    assert_eq!(got.json()[0]["body"]["error"]["message"], "Target not found.");
}

// Things that are made, listed and removed.

#[tokio::test]
async fn what_is_put_on_a_list_is_on_it_once_until_it_is_removed() {
    let service = vision_one(|_| {}).await;
    for path in ["/threatintel/suspiciousObjectExceptions", "/threatintel/suspiciousObjects"] {
        let (before, _) = all(&service, path, &[]).await;
        let thing = json!([{ "domain": "new.example", "description": "one" }]);
        for _ in 0..2 {
            assert_eq!(statuses(&post(&service, path, &thing).await), [201]);
        }
        let (after, _) = all(&service, path, &[]).await;
        let found: Vec<&Value> = after.iter().filter(|it| it["domain"] == "new.example").collect();
        assert_eq!((after.len(), found.len()), (before.len() + 1, 1), "{path}");
        assert_eq!((&found[0]["type"], &found[0]["description"]), (&json!("domain"), &json!("one")));
        let remove = format!("{path}/delete");
        let gone = json!([{ "domain": "new.example" }]);
        assert_eq!(
            statuses(
                &post(&service, &remove, &json!([{ "url": "http://new.example" }, { "domain": "new.example" }])).await
            ),
            [404, 204]
        );
        assert_eq!(statuses(&post(&service, &remove, &gone).await), [404], "it is gone");
        assert_eq!(all(&service, path, &[]).await.0.len(), before.len(), "{path}");
    }
}

#[tokio::test]
async fn a_removal_wants_the_kind_of_the_object_too() {
    let service = vision_one(|_| {}).await;
    let listed = &all(&service, "/threatintel/suspiciousObjects", &[]).await.0;
    let address = listed.iter().find_map(|it| it["ip"].as_str()).expect("an address");
    let got =
        post(&service, "/threatintel/suspiciousObjects/delete", &json!([{ "domain": address }, { "ip": address }]))
            .await;
    assert_eq!(statuses(&got), [404, 204]);
}

const SCRIPT: &str = "name=\"file\"; filename=\"hello.sh\"\r\nContent-Type: text/plain";

#[tokio::test]
async fn scripts_are_made_found_read_changed_and_deleted() {
    let service = vision_one(|_| {}).await;
    let text = "#!/bin/sh\necho h\u{e9}\n".as_bytes();
    let parts = [Part("name=\"fileType\"", b"bash"), Part("name=\"description\"", b"says hello"), Part(SCRIPT, text)];
    let made = form(&service, "/response/customScripts", &parts).await;
    assert_eq!((made.status, made.body.len()), (201, 0));
    let id = made
        .header("Location")
        .and_then(|it| it.strip_prefix(&format!("{PUBLIC}/v3.0/response/customScripts/")))
        .expect("a location")
        .to_owned();
    let (found, _) = all(&service, "/response/customScripts?filter=fileName%20eq%20%27hello.sh%27", &[]).await;
    assert_eq!(found, [json!({ "id": id, "fileName": "hello.sh", "fileType": "bash", "description": "says hello" })]);
    let path = format!("/response/customScripts/{id}");
    let read = get(&service, &path).await;
    assert_eq!((read.body.as_slice(), read.header("Content-Type")), (text, Some("text/plain")));
    let changed =
        form(&service, &format!("{path}/update"), &[Part("name=\"fileType\"", b"bash"), Part(SCRIPT, b"echo two")])
            .await;
    assert_eq!((changed.status, get(&service, &path).await.body), (204, b"echo two".to_vec()));
    let gone = send(&service, "DELETE", &path, &Value::Null).await;
    assert_eq!((gone.status, gone.header("Content-Length"), gone.body.len()), (204, None, 0));
    for again in [get(&service, &path).await, send(&service, "DELETE", &path, &Value::Null).await] {
        assert_eq!((again.status, again.code().as_str()), (404, "NotFound"));
    }
    assert!(!ids(&all(&service, "/response/customScripts", &[]).await.0, "id").contains(&id));
}

#[tokio::test]
async fn api_keys_are_made_found_and_deleted_and_their_secret_is_shown_once() {
    let service = vision_one(|_| {}).await;
    let keys = json!([
        { "name": "one", "role": "Auditor", "monthsToExpiration": 1, "description": "first", "status": "disabled" },
        { "name": "two", "role": "Nobody" },
    ]);
    let got = post(&service, "/iam/apiKeys", &keys).await;
    assert_eq!(statuses(&got), [201, 400]);
    let made = got.json()[0]["body"].clone();
    assert_eq!(got.json()[1]["body"]["code"], "BadRequest", "an error of this list stands at the top of its body");
    let (id, secret) = (made["id"].as_str().expect("an id"), made["value"].as_str().expect("a secret"));
    let (found, _) = all(&service, "/iam/apiKeys", &[("TMV1-Filter", "name eq 'one'")]).await;
    assert_eq!((found.len(), &found[0]["id"], &found[0]["status"]), (1, &json!(id), &json!("disabled")));
    let details = get(&service, &format!("/iam/apiKeys/{id}")).await;
    assert_eq!(details.json()["role"], "Auditor");
    for told in [found[0].to_string(), details.json().to_string()] {
        assert!(!told.contains(secret), "{told}");
    }
    assert_eq!(
        statuses(&post(&service, "/iam/apiKeys/delete", &json!([{ "id": id }, { "id": "nobody" }])).await),
        [204, 404]
    );
    let gone = get(&service, &format!("/iam/apiKeys/{id}")).await;
    assert_eq!((gone.status, gone.code().as_str()), (404, "Notfound"));
}

#[tokio::test]
async fn a_sample_has_an_analysis_once_its_task_has_succeeded() {
    let service = vision_one(|_| {}).await;
    let sample = Part("name=\"file\"; filename=\"a.exe\"\r\nContent-Type: application/octet-stream", b"MZ\x90\x00");
    let made = form(&service, "/sandbox/files/analyze", &[Part("name=\"arguments\"", b"LXg="), sample]).await;
    assert_eq!(made.status, 202);
    assert!(made.header("TMV1-Submission-Remaining-Count").is_some_and(|it| it.parse::<u32>().is_ok()));
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        (made.header("Operation-Location"), &made.json()["arguments"]),
        (Some(format!("{PUBLIC}/v3.0/sandbox/tasks/{id}").as_str()), &json!("LXg="))
    );
    let result = format!("/sandbox/analysisResults/{id}");
    let parts = [
        result.clone(),
        format!("{result}/report"),
        format!("{result}/investigationPackage"),
        format!("{result}/suspiciousObjects"),
    ];
    for path in &parts {
        assert_eq!(get(&service, path).await.status, 404, "{path} before the task has ended");
    }
    let mut seen = Vec::new();
    while seen.last() != Some(&json!("succeeded")) && seen.len() < 5 {
        seen.push(get(&service, &format!("/sandbox/tasks/{id}")).await.json()["status"].clone());
    }
    assert_eq!(seen, ["running", "succeeded"]);
    let kinds: Vec<Option<String>> = {
        let mut kinds = Vec::new();
        for path in &parts {
            let got = get(&service, path).await;
            assert_eq!(got.status, 200, "{path}");
            kinds.push(got.header("Content-Type").map(str::to_owned));
        }
        kinds
    };
    assert_eq!(
        kinds.iter().flatten().collect::<Vec<_>>(),
        ["application/json", "application/pdf", "application/zip", "application/json"]
    );
    assert_eq!(get(&service, &result).await.json()["digest"], made.json()["digest"]);
}

#[tokio::test]
async fn only_samples_of_high_risk_have_a_list_of_objects() {
    let service = vision_one(|_| {}).await;
    let made = post(
        &service,
        "/sandbox/urls/analyze",
        &json!([{ "url": "http://a.example" }, { "url": "http://b.example/x" }]),
    )
    .await;
    assert_eq!(statuses(&made), [202, 202]);
    let body = &made.json()[1]["body"];
    assert_eq!(body["url"], "http://b.example/x");
    let id = body["id"].as_str().expect("an id");
    for _ in 0..2 {
        get(&service, &format!("/sandbox/tasks/{id}")).await;
    }
    let result = get(&service, &format!("/sandbox/analysisResults/{id}")).await;
    assert_eq!((result.status, &result.json()["riskLevel"]), (200, &json!("noRisk")));
    assert_eq!(get(&service, &format!("/sandbox/analysisResults/{id}/suspiciousObjects")).await.status, 404);
}

#[tokio::test]
async fn a_note_belongs_to_an_alert_that_there_is() {
    let service = vision_one(|_| {}).await;
    let made = post(&service, &format!("/workbench/alerts/{ALERT}/notes"), &json!({ "content": "look" })).await;
    let location = made.header("Location").expect("a location");
    assert_eq!(made.status, 201);
    assert!(location.starts_with(&format!("{PUBLIC}/v3.0/workbench/alerts/{ALERT}/notes/")), "{location}");
    let none = post(&service, "/workbench/alerts/WB-0/notes", &json!({ "content": "look" })).await;
    assert_eq!((none.status, none.json()["error"]["number"].as_i64()), (404, Some(3_090_007)));
}

// Entity tags.

#[tokio::test]
async fn an_entity_tag_changes_with_every_write_and_an_old_one_is_refused() {
    let service = vision_one(|_| {}).await;
    let key = "51c8a0f2-6e1b-4a7d-9c35-2b0d8f7e6a41";
    let alert = (format!("/workbench/alerts/{ALERT}"), json!({ "investigationStatus": "Closed" }), Some(3_090_018));
    let api_key = (format!("/iam/apiKeys/{key}"), json!({ "name": "x", "role": "Auditor", "status": "enabled" }), None);
    for (path, change, number) in [alert, api_key] {
        let tag = async || get(&service, &path).await.header("ETag").expect("a tag").to_owned();
        let mut tags = vec![tag().await];
        assert_eq!(tags[0], tag().await, "reading changes nothing");
        assert!(tags[0].starts_with('"') && tags[0].ends_with('"'), "{}", tags[0]);
        // The same change again and again, with the tag quoted, without quotes, and not at all.
        for form in [tags[0].clone(), String::new(), "bare".to_owned()] {
            let last = tags.last().cloned().unwrap_or_default();
            let wanted = if form == "bare" { last.trim_matches('"').to_owned() } else { last };
            let headers: &[(&str, &str)] = if form.is_empty() { &[] } else { &[("If-Match", wanted.as_str())] };
            let done = send_with(&service, "PATCH", &path, headers, &change).await;
            assert_eq!(done.status, 204, "{done:?}");
            tags.push(tag().await);
        }
        assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), tags.len(), "{tags:?}");
        for old in &tags[..tags.len() - 1] {
            let refused = send_with(
                &service,
                "PATCH",
                &path,
                &[("If-Match", old)],
                &json!({ "investigationStatus": "New", "name": "y", "role": "Auditor", "status": "enabled" }),
            )
            .await;
            assert!([400, 412].contains(&refused.status), "{refused:?}");
        }
        let refused = send_with(&service, "PATCH", &path, &[("If-Match", &tags[0])], &change).await;
        assert_eq!((refused.status, refused.code().as_str()), (412, "ConditionNotMet"));
        assert_eq!(refused.json()["error"]["number"].as_i64(), number);
        assert_eq!(&tag().await, tags.last().unwrap(), "a refusal changes nothing");
    }
}

// Pages.

#[tokio::test]
async fn lists_come_in_pages_whose_links_name_the_public_host() {
    let service = vision_one(|options| options.scale = 3).await;
    let yesterday = whole_seconds(Timestamp::now() - SignedDuration::from_hours(25), false);
    for (path, headers, field, pages) in [
        ("/workbench/alerts?orderBy=createdDateTime%20desc", &[][..], "id", 8),
        ("/iam/apiKeys?top=100", &[], "id", 2),
        (&format!("/oat/detections?top=50&detectedStartDateTime={yesterday}"), &[], "uuid", 2),
        ("/eiqs/endpoints?top=50", &[("TMV1-Query", "not (osName eq 'none')")], "agentGuid", 1),
        ("/search/endpointActivities?top=100", &[("TMV1-Query", "*")], "uuid", 4),
    ] {
        let (records, read) = all(&service, path, headers).await;
        assert_eq!(ids(&records, field).len(), records.len(), "{path}: some records came twice");
        assert_eq!(read, pages, "{path}: {} records", records.len());
    }
}

#[tokio::test]
async fn a_further_page_keeps_what_the_first_asked_for() {
    let service = vision_one(|_| {}).await;
    let query = [("TMV1-Query", "endpointHostName:\"ledger\" or dpt:\"443\"")];
    let (records, pages) = all(&service, "/search/endpointActivities?top=50&select=uuid,dpt", &query).await;
    assert!(pages > 1, "{pages}");
    for record in &records {
        assert_eq!(
            record.as_object().expect("an object").keys().collect::<BTreeSet<_>>(),
            BTreeSet::from([&"dpt".to_owned(), &"uuid".to_owned()])
        );
    }
    let link = get_with(&service, "/search/endpointActivities?top=50&select=uuid,dpt", &query).await.json()["nextLink"]
        .as_str()
        .expect("a link")
        .to_owned();
    let further = link.strip_prefix(&format!("{PUBLIC}/v3.0")).expect("the public address");
    assert_eq!(get(&service, further).await.status, 400, "a further page wants the query as well");
    let token = further.split("skipToken=").nth(1).expect("a token");
    for elsewhere in
        [format!("/workbench/alerts?skipToken={token}"), "/workbench/alerts?skipToken=made-up.0".to_owned()]
    {
        let got = get(&service, &elsewhere).await;
        assert_eq!((got.status, got.message().as_str()), (400, "The request token expired."), "{elsewhere}");
    }
}

#[tokio::test]
async fn a_list_that_is_being_read_keeps_its_records_in_place() {
    let service = vision_one(|_| {}).await;
    let path = "/threatintel/suspiciousObjects?top=50";
    let first = get(&service, path).await.json();
    let second = first["nextLink"]
        .as_str()
        .and_then(|it| it.strip_prefix(&format!("{PUBLIC}/v3.0")))
        .expect("a link")
        .to_owned();
    let before = get(&service, &second).await.json()["items"].clone();
    // Something of the first page goes; the second page does not move up.
    let gone = first["items"].as_array().and_then(|it| it.iter().find_map(|it| it["ip"].as_str())).expect("an address");
    assert_eq!(
        statuses(&post(&service, "/threatintel/suspiciousObjects/delete", &json!([{ "ip": gone }])).await),
        [204]
    );
    assert_eq!(get(&service, &second).await.json()["items"], before);
}

#[tokio::test]
async fn a_search_that_only_counts_gives_no_records_and_the_right_number() {
    let service = vision_one(|_| {}).await;
    for (query, some) in [("dpt:\"443\"", true), ("dpt:\"80\"", false)] {
        let headers = [("TMV1-Query", query)];
        let counted = get_with(&service, "/search/endpointActivities?mode=countOnly&top=500", &headers).await.json();
        let (records, _) = all(&service, "/search/endpointActivities?mode=default&top=500", &headers).await;
        assert_eq!(counted, json!({ "totalCount": records.len() }));
        assert_eq!(!records.is_empty(), some);
    }
}

#[tokio::test]
async fn ranges_of_time_bound_what_is_listed_and_the_order_is_the_one_asked_for() {
    let service = vision_one(|_| {}).await;
    let (every, _) = all(&service, "/workbench/alerts?orderBy=createdDateTime%20asc", &[]).await;
    let times: Vec<&str> = every.iter().filter_map(|it| it["createdDateTime"].as_str()).collect();
    assert!(times.is_sorted() && times.len() > 20, "{times:?}");
    let (from, to) = (times[5], times[9]);
    let (some, _) = all(
        &service,
        &format!("/workbench/alerts?startDateTime={from}&endDateTime={to}&orderBy=createdDateTime%20desc"),
        &[],
    )
    .await;
    let found: Vec<&str> = some.iter().filter_map(|it| it["createdDateTime"].as_str()).collect();
    assert_eq!(found, times[5..=9].iter().rev().copied().collect::<Vec<_>>(), "both ends belong to the range");
}

// Who asks.

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

// What is well formed.

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

// Records and seeds.

#[tokio::test]
async fn the_same_seed_makes_the_same_records_and_another_seed_makes_others() {
    let start: Timestamp = "2024-06-11T07:00:00Z".parse().unwrap();
    let read = async |seed: u64| {
        let service = vision_one(|options| (options.seed, options.start) = (seed, start)).await;
        let mut every = Vec::new();
        for path in [
            "/workbench/alerts",
            "/iam/apiKeys",
            "/oat/detections",
            "/threatintel/suspiciousObjects",
            "/response/customScripts",
        ] {
            every.extend(all(&service, path, &[]).await.0);
        }
        every
    };
    let (one, again, other) = (read(1).await, read(1).await, read(2).await);
    assert_eq!(one, again);
    assert_eq!(one.len(), other.len());
    assert_ne!(one, other);
}

#[tokio::test]
async fn the_scale_multiplies_the_records_that_are_made() {
    let count = async |scale: usize| {
        let service = vision_one(|options| options.scale = scale).await;
        get(&service, "/workbench/alerts").await.json()["totalCount"].as_u64().expect("a count")
    };
    let (one, two, three) = (count(1).await, count(2).await, count(3).await);
    assert_eq!(three - two, two - one);
    assert!(two > one);
}

// Faults.

async fn faulty(fault: &str) -> Running {
    let mut options = Options::new(TOKEN);
    options.faults = vec![fault.parse::<Fault>().expect("a fault")];
    serve(Simulator::new(&SERVICE, options), ([127, 0, 0, 1], 0).into(), None).await.expect("a port")
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
