//! Things that are made, listed, changed under their entity tags, and removed.

use std::collections::BTreeSet;

use connectome_tests::simulated::vision_one;
use serde_json::{Value, json};

use crate::{ALERT, PUBLIC, Part, SCRIPT, all, form, get, ids, post, send, send_with, statuses};

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
