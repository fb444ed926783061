//! Whole requests that are refused.

use connectome_core::ErrorKind;
use serde_json::{Value, json};

use crate::exchange::exchange;
use crate::{assert_asked, assert_says, connect, list, refused, run, seconds, serve, text, unsent};

#[tokio::test]
async fn a_note_on_an_alert_that_does_not_exist_is_told_as_not_found() {
    let unknown = exchange("note-add-unknown-alert");
    let error =
        refused("add_alert_note", json!({ "alert_id": "WB-31007-20240611-09999", "content": "x" }), &[&unknown]).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_says(
        &error,
        &["add_alert_note: ", "404 NotFound (3090007): No such alert.", "/alerts/WB-31007-20240611-09999/notes"],
    );
}

#[tokio::test]
async fn an_alert_that_changed_since_it_was_read_is_left_alone_and_told_as_a_conflict() {
    let stale = exchange("alert-edit-stale");
    let input = json!({ "id": "WB-31007-20240611-00004", "if_match": "00000000000000000000000000000000", "status": "In Progress" });
    let error = refused("edit_alert_status", input, &[&stale]).await;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_says(&error, &["it changed since it was read", "412 ConditionNotMet (3090018)", "read it again"]);
}

#[tokio::test]
async fn a_search_that_the_service_gives_up_is_told_as_a_timeout_and_not_sent_again() {
    let given_up = exchange("search-timeout").and_asks("top=500&mode=countOnly");
    let input = json!({ "fields": { "processCmd": "a" }, "start_date_time": "2024-06-11T00:00:00Z", "end_date_time": "2024-06-12T00:00:00Z" });
    let error = refused("get_endpoint_activity_data", input, &[&given_up]).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_says(&error, &["408 RequestTimeout: Search took too long.", "narrow the search"]);
}

#[tokio::test]
async fn a_field_that_only_the_service_can_judge_is_sent_and_its_refusal_told() {
    let unknown = exchange("endpoint-data-bad-query");
    let error = refused("get_endpoint_data", json!({ "fields": { "colour": "red" } }), &[&unknown]).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_says(&error, &["the service refused the request as wrong", "400 BadRequest: Query is not valid."]);
}

#[tokio::test]
async fn a_range_that_ends_before_it_starts_is_refused_here_and_told_if_the_service_refuses_it() {
    let day = |start: &str, end: &str| {
        json!({
            "detected_start_date_time": start, "detected_end_date_time": end, "ingested_start_date_time": "2024-06-11T00:00:00Z",
            "ingested_end_date_time": "2024-06-12T00:00:00Z", "fields": {},
        })
    };
    assert_eq!(
        unsent("get_oat_list", day("2024-06-12T00:00:00Z", "2024-06-11T00:00:00Z")).await,
        ["/detected_end_date_time"]
    );

    let mut wrong = exchange("oat-range-error")
        .and_asks("ingestedStartDateTime=2024-06-11T00:00:00Z&ingestedEndDateTime=2024-06-12T00:00:00Z");
    let turned =
        text(&wrong.request["target"]).replace("detectedEndDateTime=2024-06-11", "detectedEndDateTime=2024-06-12");
    wrong.request["target"] = json!(turned);
    let error = refused("get_oat_list", day("2024-06-12T00:00:00Z", "2024-06-12T00:00:00Z"), &[&wrong]).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_says(&error, &["400 BadRequest (1010406): Time range is not valid."]);
}

#[tokio::test]
async fn a_sample_that_is_too_large_is_told_as_such() {
    let large = exchange("sandbox-file-too-big");
    let file = json!({ "content": large.request["form"][0]["content"], "filename": "huge.bin" });
    let error = refused("submit_file_to_sandbox", json!({ "file": file }), &[&large]).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_says(&error, &["413 RequestEntityTooLarge: Sample exceeds the size limit."]);
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_not_waited_for() {
    let used_up = exchange("sandbox-file-quota");
    let script = serve(&[&used_up]).await;
    let (connection, clock) = connect(&script);
    let file = json!({ "content": used_up.request["form"][0]["content"], "filename": "a.exe" });
    let error =
        run(connection, "action", "submit_file_to_sandbox", json!({ "file": file })).await.expect_err("a refusal");
    assert_asked(&script, &[&used_up]);
    assert!(clock.waits().is_empty(), "{:?}", clock.waits());
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_says(
        &error,
        &[
            "429 TooManyRequests: Daily reserve is used up.",
            "the quota is used up; waiting a few minutes will not help",
        ],
    );
}

#[tokio::test]
async fn a_service_that_asks_for_a_pause_gets_exactly_that_pause() {
    let (throttled, first, second) =
        (exchange("suspicious-throttled"), exchange("suspicious-list-p1"), exchange("suspicious-list-p2"));
    let script = serve(&[&throttled, &first, &second]).await;
    let (connection, clock) = connect(&script);
    let output = run(connection, "action", "get_suspicious_list", json!({})).await.expect("a list");
    assert_asked(&script, &[&throttled, &first, &second]);
    assert_eq!(seconds(&clock), [17]);
    let values: Vec<&Value> = list(&output["suspicious_objects"]).iter().map(|object| &object["value"]).collect();
    assert_eq!(values, ["203.0.113.77", "5f2b6d3a9c1e4780b4d2f6a1c3e59078d4b6a2f1"]);
}

#[tokio::test]
async fn a_service_that_keeps_refusing_is_asked_five_times_in_all() {
    let throttled = exchange("suspicious-throttled");
    let script = serve(&[&throttled; 8]).await;
    let (connection, clock) = connect(&script);
    let error = run(connection, "action", "get_suspicious_list", json!({})).await.expect_err("a refusal");
    assert_eq!((script.asked().len(), clock.waits().len()), (5, 4));
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_says(&error, &["429 TooManyRequests (4290102): Slow down."]);
}

#[tokio::test]
async fn a_task_that_does_not_exist_is_told_as_not_found() {
    let unknown = exchange("task-missing");
    let error = refused("get_task_result", json!({ "task_id": "99999999" }), &[&unknown]).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_says(&error, &["404 NotFound: No such task."]);
}
