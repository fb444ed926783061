//! What a list gives, and what a trigger gives of it.

use connectome::trend_vision_one::CONNECTOR;
use connectome_collect::rounds::Rounds;
use connectome_core::ErrorKind;
use connectome_tests::script::{Prepared, Script};
use serde_json::{Value, json};

use crate::{answered, connect, detections, list, parameter, request};

/// Detections with these numbers, and where there are more.
fn page(numbers: std::ops::Range<u32>, total: u32, next: Option<&str>) -> Prepared {
    let items: Vec<Value> = numbers.map(|number| json!({ "uuid": format!("u{number}"), "source": "detections", "filters": [], "entityType": "endpoint", "detectedDateTime": "x", "detail": {} })).collect();
    Prepared::json(200, &json!({ "totalCount": total, "count": items.len(), "items": items, "nextLink": next }))
}

#[tokio::test]
pub async fn detections_are_asked_for_once_and_more_than_fifty_are_an_error() {
    assert_eq!(parameter(&request("get_oat_list", detections()), "top"), Some("50"));
    let (output, asked) = answered("get_oat_list", detections(), vec![page(0..50, 50, None)]).await;
    assert_eq!((output.expect("an output")["total_count"].clone(), asked), (json!(50), 1));
    let (output, asked) = answered(
        "get_oat_list",
        detections(),
        vec![page(0..50, 51, Some("https://api.example.com/v3.0/oat/detections?x=1"))],
    )
    .await;
    let error = output.expect_err("too many");
    assert_eq!((error.kind(), asked), (ErrorKind::TooMany, 1));
    assert!(error.to_string().contains("51 results match, and at most 50 are fetched"), "{error}");
}

#[tokio::test]
pub async fn a_trigger_reads_all_detections() {
    let script = Script::start(vec![
        page(0..50, 51, Some("https://api.example.com/v3.0/oat/detections?nextBatchToken=b")),
        page(50..51, 51, None),
    ])
    .await;
    let (connection, _) = connect(&script.url(), "2024-06-12T00:00:00Z");
    let input = json!({ "detected_start_date_time": "2024-06-11T00:00:00Z", "ingested_start_date_time": "2024-06-11T00:00:00Z", "fields": {} });
    let round = Rounds::new(connection, CONNECTOR.trigger("poll_oat_list").expect("a trigger"), &input, None)
        .expect("rounds")
        .next()
        .await
        .expect("a round");
    assert_eq!((round.event["total_count"].clone(), list(&round.event["oats"]).len()), (json!(51), 51));
    assert_eq!(script.asked()[1].target, "/v3.0/oat/detections?nextBatchToken=b");
}

// 34
/// Alerts with these ids.
fn alerts(ids: &[&str]) -> Prepared {
    Prepared::json(200, &json!({ "items": ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>() }))
}

fn ids(event: &Value) -> Vec<&str> {
    list(&event["alerts"]).iter().filter_map(|alert| alert["id"].as_str()).collect()
}

#[tokio::test]
pub async fn what_a_round_gave_is_not_given_again() {
    let script = Script::start(vec![alerts(&["a", "b"]), alerts(&["b", "c"]), alerts(&["c", "d"])]).await;
    let (connection, clock) = connect(&script.url(), "2024-06-12T00:00:00Z");
    let trigger = CONNECTOR.trigger("poll_alert_list").expect("a trigger");
    let mut rounds =
        Rounds::new(connection, trigger, &json!({ "start_date_time": "2024-06-11T00:00:00Z" }), None).expect("rounds");
    let mut given = Vec::new();
    for _ in 0..3 {
        let round = rounds.next().await.expect("a round");
        given.push((ids(&round.event).join(" "), round.event["total_count"].clone(), round.repeated));
        rounds.accept(round);
        clock.advance(rounds.interval());
    }
    assert_eq!(given, [("a b".to_owned(), json!(2), 0), ("c".to_owned(), json!(1), 1), ("d".to_owned(), json!(1), 1)]);
    let windows: Vec<String> = script.asked().iter().map(|asked| asked.target.replace("%3A", ":")).collect();
    for (target, window) in windows.iter().zip([
        "startDateTime=2024-06-11T00:00:00Z&endDateTime=2024-06-12T00:00:00Z",
        "startDateTime=2024-06-11T23:50:00Z&endDateTime=2024-06-12T00:30:00Z",
        "startDateTime=2024-06-12T00:20:00Z&endDateTime=2024-06-12T01:00:00Z",
    ]) {
        assert!(window.split('&').all(|pair| target.contains(pair)), "{target} {window}");
    }
}

#[tokio::test]
pub async fn what_a_round_gave_is_remembered_between_runs() {
    let script = Script::start(vec![page(0..2, 2, None), page(1..3, 2, None)]).await;
    let trigger = CONNECTOR.trigger("poll_oat_list").expect("a trigger");
    let input = json!({ "detected_start_date_time": "2024-06-01T00:00:00Z", "ingested_start_date_time": "2024-06-11T00:00:00Z", "fields": {} });
    let mut first =
        Rounds::new(connect(&script.url(), "2024-06-12T00:00:00Z").0, trigger, &input, None).expect("rounds");
    let round = first.next().await.expect("a round");
    let saved = first.accept(round);
    let second =
        Rounds::new(connect(&script.url(), "2024-06-12T00:30:00Z").0, trigger, &input, Some(&saved)).expect("rounds");
    let round = second.next().await.expect("a round");
    let uuids: Vec<&Value> = list(&round.event["oats"]).iter().map(|oat| &oat["uuid"]).collect();
    assert_eq!((uuids, round.repeated), (vec![&json!("u2")], 1));
    // The range of detection keeps its start; only the range of arrival moves on.
    let target = script.asked()[1].target.clone();
    for pair in [
        "detectedStartDateTime=2024-06-01T00:00:00Z",
        "detectedEndDateTime=2024-06-12T00:30:00Z",
        "ingestedStartDateTime=2024-06-11T23:30:00Z",
    ] {
        assert!(target.contains(pair), "{target}");
    }
}
