//! What comes out of an answer.

use connectome::trend_vision_one::{Client, GetSandboxSubmissionStatusInput, GetTaskResultInput};
use connectome_tests::script::{Prepared, Script};
use serde_json::{Value, json};

use crate::{answered, body, connect, detections, entry, header, output, request, task, wrong};

// 3
#[tokio::test]
pub async fn list_entries_come_as_type_and_value_whatever_their_kind() {
    let kinds = ["url", "domain", "ip", "senderMailAddress", "fileSha1", "fileSha256"];
    let entry = |kind: &str| json!({ kind: "x", "type": kind, "lastModifiedDateTime": "2024-06-11T08:05:00Z" });
    let answer = json!({ "items": kinds.iter().map(|kind| entry(kind)).collect::<Vec<_>>() });
    let expected: Vec<Value> =
        kinds.iter().map(|kind| json!({ "type": kind, "value": "x", "last_modified_date_time": "2024-06-11T08:05:00Z", "description": "" })).collect();
    assert_eq!(
        output("get_suspicious_list", json!({}), 200, answer.clone()).await,
        json!({ "suspicious_objects": expected })
    );
    assert_eq!(output("get_exception_list", json!({}), 200, answer).await, json!({ "exception_objects": expected }));
    // A kind that nobody has seen yet loses nothing.
    let new = json!({ "items": [{ "type": "fileMd5", "fileMd5": "x", "description": "d" }] });
    assert_eq!(
        output("get_exception_list", json!({}), 200, new).await,
        json!({ "exception_objects": [{ "type": "fileMd5", "file_md5": "x", "description": "d" }] })
    );
}

// 8
#[tokio::test]
pub async fn whole_numbers_are_taken_for_texts_and_texts_come_out() {
    assert_eq!(request("get_task_result", json!({ "task_id": 3_456_346 })).target, "/v3.0/response/tasks/3456346");
    assert_eq!(
        request("download_sandbox_analysis_result", json!({ "id": 6_345_645 })).target,
        "/v3.0/sandbox/analysisResults/6345645/report"
    );
    assert_eq!(body("add_alert_note", json!({ "alert_id": 7, "content": 7731 })), json!({ "content": "7731" }));
    for given in [json!(1.5), json!(true), json!(["1"]), json!({})] {
        assert_eq!(wrong("get_task_result", json!({ "task_id": given })), ["/task_id"], "{given}");
    }
    for (action, input, status, expected) in [
        (
            "add_alert_note",
            json!({ "alert_id": "WB-1", "content": "x" }),
            201,
            json!({ "note_id": "345", "result_code": "SUCCESS" }),
        ),
        ("edit_alert_status", json!({ "id": "WB-1", "status": "New" }), 204, json!({ "result_code": "SUCCESS" })),
        ("delete_custom_script", json!({ "script_id": 1 }), 204, json!({ "result_code": "SUCCESS" })),
        (
            "update_custom_script",
            json!({ "script_id": "1", "file": { "content": "bHM=", "filename": "a.sh" } }),
            204,
            json!({ "result_code": "SUCCESS" }),
        ),
    ] {
        let answer =
            Prepared::empty(status).header("Location", "https://api.example.com/v3.0/workbench/alerts/WB-1/notes/345");
        assert_eq!(answered(action, input, vec![answer]).await.0.expect("an output"), expected, "{action}");
    }
}

// 9
#[tokio::test]
pub async fn keys_come_out_in_snake_case_at_every_depth() {
    let made = json!([{ "status": 201, "body": { "id": "1", "value": "a-very-secret-key", "expiredDateTime": "2024-09-11T08:00:00Z" } }]);
    let input = json!({ "api_keys_objects": [{ "name": "a", "role": "Auditor" }] });
    let expected = json!({ "api_keys_resp": [{ "status": 201, "id": "1", "value": "a-very-secret-key", "expired_date_time": "2024-09-11T08:00:00Z" }] });
    assert_eq!(output("create_api_keys", input, 207, made).await, expected);

    let key = json!({ "items": [{ "id": "1", "name": "a", "role": "Auditor", "status": "enabled", "expiredDateTime": "x", "lastUsedDateTime": "y" }] });
    let listed = output("list_api_keys", json!({ "fields": {} }), 200, key).await;
    assert_eq!(
        listed["items"][0],
        json!({ "id": "1", "name": "a", "role": "Auditor", "status": "enabled", "expired_date_time": "x", "last_used_date_time": "y" })
    );

    let target = json!({ "status": "failed", "lastActionDateTime": "x", "agentGuid": "g", "error": { "code": "TaskError", "number": 4_009_999, "innerError": { "whyNot": "n" } } });
    let task = json!({ "id": "00000001", "status": "failed", "action": "isolateForMultiple", "createdDateTime": "x", "lastActionDateTime": "x", "tasks": [target] });
    let told = output("get_task_result", json!({ "task_id": "00000001" }), 200, task).await;
    let expected = json!({ "status": "failed", "last_action_date_time": "x", "agent_guid": "g", "error": { "code": "TaskError", "number": 4_009_999, "inner_error": { "why_not": "n" } } });
    assert_eq!(told["tasks"], json!([expected]));

    // The catalog keeps the document's own cells.
    assert_eq!(
        entry("actions", "create_api_keys")["example_output"]["api_keys_resp"][0]["expiredDateTime"],
        "2025-02-06T10:00:00Z"
    );
}

// 10
#[tokio::test]
pub async fn an_alert_s_details_are_under_the_key_alert() {
    let answer = Prepared::json(200, &json!({ "id": "WB-1", "schemaVersion": "1.15" })).header("ETag", "\"4b1c\"");
    let (details, _) = answered("get_alert_details", json!({ "alert_id": "WB-1" }), vec![answer]).await;
    assert_eq!(
        details.expect("an output"),
        json!({ "alert_details": { "alert": { "id": "WB-1", "schema_version": "1.15" } }, "etag": "4b1c" })
    );
    let alerts = output("get_alert_list", day(), 200, json!({ "items": [{ "id": "WB-1" }] })).await;
    assert_eq!(alerts, json!({ "alerts": [{ "id": "WB-1" }], "total_count": 1 }));
    assert_eq!(
        entry("actions", "get_alert_details")["example_output"]["alert_details"],
        json!({ "alert": "<<referenced:bigdata>>" })
    );
}

fn day() -> Value {
    json!({ "start_date_time": "2024-06-11T00:00:00Z", "end_date_time": "2024-06-12T00:00:00Z" })
}

// 11
#[tokio::test]
pub async fn an_activity_event_holds_what_the_service_gave_and_no_nulls() {
    let event = json!({
        "uuid": "u", "dpt": null, "spt": 0, "tags": null, "objectSigner": [], "objectSignerValid": null, "logonUser": null, "objectPort": null, "dst": "", "newField": { "aB": 1 },
    });
    let answers =
        vec![Prepared::json(200, &json!({ "totalCount": 1 })), Prepared::json(200, &json!({ "items": [event] }))];
    let (output, _) = answered("get_endpoint_activity_data", json!({ "fields": { "uuid": "u" } }), answers).await;
    let given = json!({ "uuid": "u", "spt": 0, "object_signer": [], "dst": "", "new_field": { "a_b": 1 } });
    assert_eq!(output.expect("an output"), json!({ "endpoint_activity_data_resp": [given] }));
}

// 24
#[tokio::test]
pub async fn counts_are_of_what_is_given_or_of_what_would_be_found() {
    for (action, input) in
        [("get_alert_list", day()), ("get_oat_list", detections()), ("list_api_keys", json!({ "fields": {} }))]
    {
        let told = output(action, input, 200, json!({ "totalCount": 7, "count": 2, "items": [{}, {}] })).await;
        assert_eq!(told["total_count"], 2, "{action}");
    }
    for action in ["get_email_activity_data_count", "get_endpoint_activity_data_count"] {
        assert_eq!(
            output(action, json!({ "fields": { "uuid": "u" } }), 200, json!({ "totalCount": 700_000 })).await,
            json!({ "total_count": 700_000 }),
            "{action}"
        );
    }
}

// 25
#[tokio::test]
pub async fn statuses_that_come_out_are_the_service_s_own() {
    assert_eq!(
        output("delete_api_keys", json!({ "id": ["1", "2"] }), 207, json!([{ "status": 204 }, { "status": 204 }]))
            .await,
        json!({ "status": 207 })
    );
    let change = json!({ "id": "1", "name": "a", "role": "Auditor", "status": "enabled" });
    assert_eq!(
        answered("update_api_key", change, vec![Prepared::empty(204)]).await.0.expect("an output"),
        json!({ "status": 204 })
    );
    let made = output(
        "create_api_keys",
        json!({ "api_keys_objects": [{ "name": "a", "role": "b" }] }),
        207,
        json!([{ "status": 201, "body": { "id": "1", "value": "v" } }]),
    )
    .await;
    assert_eq!(made["api_keys_resp"][0]["status"], 201);
}

// 29
#[tokio::test]
pub async fn a_backslash_stays_one_backslash() {
    let path = r"C:\Program Files\x.exe";
    assert_eq!(
        body("collect_file", json!({ "collect_files": [{ "endpoint_name": "a", "file_path": path }] }))[0]["filePath"],
        path
    );
    // In a search it is escaped, so that it stands for itself.
    let search = request("get_endpoint_activity_data", json!({ "fields": { "processFilePath": path } }));
    assert_eq!(header(&search, "TMV1-Query"), Some(r#"processFilePath:"C:\\Program Files\\x.exe""#));
    let filter = request("get_endpoint_data", json!({ "fields": { "loginAccount": r"NORTHFJORD\o'brien" } }));
    assert_eq!(header(&filter, "TMV1-Query"), Some(r"loginAccount eq 'NORTHFJORD\o''brien'"));
    let answers = vec![
        Prepared::json(200, &json!({ "totalCount": 1 })),
        Prepared::json(200, &json!({ "items": [{ "processFilePath": path }] })),
    ];
    let (output, _) = answered("get_endpoint_activity_data", json!({ "fields": { "uuid": "u" } }), answers).await;
    assert_eq!(output.expect("an output")["endpoint_activity_data_resp"][0]["process_file_path"], path);
}

// 33
#[tokio::test]
pub async fn outputs_have_types_of_their_own() {
    let submission = json!({
        "id": "1", "action": "analyzeFile", "status": "succeeded", "createdDateTime": "x", "lastActionDateTime": "y", "isCached": true,
        "digest": { "md5": "m", "sha1": "s", "sha256": "t" },
    });
    let collected = task(json!({ "fileSize": 48213, "pid": 4312, "expiredDateTime": "2024-06-12T08:00:41Z" }));
    let script = Script::start(vec![Prepared::json(200, &submission), Prepared::json(200, &collected)]).await;
    let client = Client::from(connect(&script.url(), "2024-06-12T00:00:00Z").0);
    let submission =
        client.get_sandbox_submission_status(&GetSandboxSubmissionStatusInput::new("1")).await.expect("a submission");
    let digest = submission.digest.expect("a digest");
    assert_eq!(
        (digest.md5.as_deref(), digest.sha1.as_deref(), digest.sha256.as_deref(), submission.is_cached),
        (Some("m"), Some("s"), Some("t"), Some(true))
    );
    let task = client.get_task_result(&GetTaskResultInput::new("00000001")).await.expect("a task");
    assert_eq!(
        (task.file_size, task.pid, task.expired_date_time.as_deref()),
        (Some(48213_i64), Some(4312_i64), Some("2024-06-12T08:00:41Z"))
    );
}
