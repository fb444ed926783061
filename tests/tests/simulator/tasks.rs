//! Tasks: queued, then running, then ended, and what they change at their end.

use connectome_tests::simulated::vision_one;
use serde_json::json;

use crate::{ENDPOINT, GUID, OTHER_ENDPOINT, finish, isolated, post, state, statuses, task};

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
