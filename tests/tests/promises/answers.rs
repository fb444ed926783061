//! What an answer may claim.

use connectome::trend_vision_one::{Client, GetAlertDetailsInput, GetAlertListInput, Parameters};
use connectome_core::ErrorKind;
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::{TOKEN, connect, vision_one};
use serde_json::{Value, json};

use crate::{ALL_TIME, alerts, call, faulty, isolate, page};

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

#[tokio::test]
async fn a_record_of_another_form_is_told_with_its_json_and_the_next_ones_follow() {
    let first = json!({ "items": [{ "id": "WB-1" }, { "id": "WB-2", "score": "high" }], "nextLink": "/v3.0/workbench/alerts?skipToken=2" });
    let second = json!({ "items": [{ "id": "WB-3", "score": { "newForm": 7 } }, { "id": "WB-4", "score": 4 }] });
    let script = Script::start(vec![Prepared::json(200, &first), Prepared::json(200, &second)]).await;
    let client = Client::connect(Parameters::new(TOKEN).with_api_url(script.url())).unwrap();
    let mut items = client.get_alert_list_items(&GetAlertListInput::new(ALL_TIME.1, ALL_TIME.0)).unwrap();
    let mut read = Vec::new();
    while let Some(alert) = items.next().await {
        read.push(match alert {
            Ok(alert) => json!(alert.id),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Protocol);
                assert!(error.to_string().contains("attached to this error"), "{error}");
                error.parts().output.clone().unwrap()
            }
        });
    }
    let wanted =
        json!(["WB-1", { "id": "WB-2", "score": "high" }, { "id": "WB-3", "score": { "new_form": 7 } }, "WB-4"]);
    assert_eq!(Value::from(read), wanted);
}
