//! Several calls that belong together.

use connectome_core::ErrorKind;
use serde_json::json;

use crate::exchange::exchange;
use crate::{assert_asked, assert_says, connect, refused, run, seconds, serve};

#[tokio::test]
async fn the_fields_that_a_search_selects_go_with_the_count_as_well() {
    let (counted, selected) =
        (exchange("email-activity-count").and_asks("select=mailMsgSubject,msgUuid"), exchange("email-activity-select"));
    let script = serve(&[&counted, &selected]).await;
    let input = json!({
        "fields": { "mailMsgSubject": "invoice", "mailSenderIp": "198.51.100.24" }, "query_op": "and", "select": ["mailMsgSubject", "msgUuid"],
        "start_date_time": "2024-06-11T00:00:00Z", "end_date_time": "2024-06-12T00:00:00Z", "top": 500,
    });
    let output = run(connect(&script).0, "action", "get_email_activity_data", input).await.expect("events");
    assert_asked(&script, &[&counted, &selected]);
    let event = json!({ "mail_msg_subject": "Outstanding invoice 7731", "msg_uuid": "AAMkADhkZTc3ZmY1LWQ4NzctNDc2Zi1hNmI0LTkyZTk1ZjA2MjA1NgBGAAAAAADo" });
    assert_eq!(output, json!({ "email_activity_data_resp": [event] }));
}

#[tokio::test]
async fn an_analysis_that_does_not_exist_is_told_as_not_found() {
    let missing = exchange("sandbox-result-missing");
    let input = json!({ "report_id": "00000000-0000-4000-8000-000000000000", "poll": false });
    let error = refused("get_sandbox_analysis_result", input, &[&missing]).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_says(&error, &["404 NotFound: No analysis result."]);
}

#[tokio::test]
async fn an_analysis_that_still_runs_when_the_time_is_up_is_told_as_that() {
    let (running, mut missing) = (exchange("sandbox-task-running"), exchange("sandbox-result-missing"));
    let id = "c2b7e9d4-1f3a-4d6c-8b5e-9a0f7c6d5e41";
    missing.request["target"] = json!(format!("/v3.0/sandbox/analysisResults/{id}"));
    // 2, 3 and the last second of six.
    let exchanges = [&running, &running, &running, &running, &missing];
    let script = serve(&exchanges).await;
    let (connection, clock) = connect(&script);
    let error =
        run(connection, "action", "get_sandbox_analysis_result", json!({ "report_id": id, "poll_time_sec": 6 }))
            .await
            .expect_err("a refusal");
    assert_asked(&script, &exchanges);
    assert_eq!(seconds(&clock), [2, 3, 1]);
    assert_eq!(error.kind(), ErrorKind::TaskTimeout);
    assert_says(&error, &["still running", "No analysis result.", "with poll_time_sec"]);
}

#[tokio::test]
async fn an_analysis_that_failed_ends_the_wait_with_its_own_reason() {
    let failed = exchange("sandbox-task-failed");
    let error = refused(
        "get_sandbox_analysis_result",
        json!({ "report_id": "4f0c6b2e-8d7a-49e1-a3c5-0b9d8e7f6a12" }),
        &[&failed],
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::TaskFailed);
    assert_says(&error, &["the task ended as failed", "Unsupported: Sample type is not supported."]);
}
