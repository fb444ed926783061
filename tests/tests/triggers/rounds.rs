//! Rounds: what each asks for and gives, while events appear late, clocks differ and requests fail.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connectome::trend_vision_one::CONNECTOR;
use connectome_collect::rounds::Rounds;
use connectome_core::clock::ManualClock;
use connectome_core::connector::Trigger;
use connectome_core::{Connection, ErrorKind};
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::{connect_with, vision_one};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{SAMPLE, START, ids, named, triggers};

fn trigger(name: &str) -> &'static Trigger {
    CONNECTOR.trigger(name).expect("a trigger")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[tokio::test]
async fn every_event_of_a_tenant_is_given_once() {
    for (name, input, list, by, count) in triggers() {
        let service = vision_one(|options| options.skew = 60).await;
        let later = Timestamp::now().checked_add(Duration::from_secs(60)).expect("a time");
        let (connection, _) =
            connect_with(&service.url(), |settings| settings.clock = Arc::new(ManualClock::at(later)));
        let mut rounds = Rounds::new(connection, trigger(name), &input, None).expect("rounds");
        let mut given = Vec::new();
        for _ in 0..4 {
            let round = rounds.next().await.expect("a round");
            given.extend(named(&round.event, list, by));
            if let Some(total) = round.event.get("total_count") {
                assert_eq!(*total, json!(round.event[list].as_array().unwrap().len()), "{name}");
            }
            rounds.accept(round);
        }
        assert_eq!(given.len(), count, "{name}");
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), count, "{name} gives an event twice");
    }
}

/// A service whose alerts appear over time; it answers a range as asked.
#[derive(Default)]
struct Tenant(Mutex<Vec<(Timestamp, &'static str)>>);

impl Tenant {
    /// An alert that says it was created then, whenever it is added.
    fn add(&self, created: &str, id: &'static str) {
        self.0.lock().unwrap().push((at(created), id));
    }

    /// The answer to the range that a round asks for.
    fn answer(&self, asked: &str) -> Prepared {
        let bound = |name: &str| {
            let text =
                asked.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)).expect(name).replace("%3A", ":");
            at(&text)
        };
        let (start, end) = (bound("startDateTime="), bound("endDateTime="));
        let alerts = self.0.lock().unwrap();
        let items: Vec<Value> = alerts
            .iter()
            .filter(|(created, _)| start <= *created && *created <= end)
            .map(|(created, id)| json!({ "id": id, "createdDateTime": created.to_string() }))
            .collect();
        Prepared::json(200, &json!({ "items": items, "totalCount": items.len(), "count": items.len() }))
    }

    /// What a round gives. The request is learned from a first, failing try: progress must not move by that.
    async fn round(&self, clock: &Arc<ManualClock>, saved: &mut Option<String>) -> Vec<String> {
        let input = json!({ "start_date_time": "2024-06-11T00:00:00Z", "interval": 300 });
        let asked = Script::start(vec![Prepared::empty(400)]).await;
        let open = |url: &str| {
            let own = clock.clone();
            let (connection, _) = connect_with(url, |settings| settings.clock = own);
            Rounds::new(connection, trigger("poll_alert_list"), &input, saved.as_deref()).expect("rounds")
        };
        open(&asked.url()).next().await.expect_err("refused");
        let answered = Script::start(vec![self.answer(&asked.asked()[0].target)]).await;
        let mut rounds = open(&answered.url());
        let round = rounds.next().await.expect("a round");
        let given = ids(&round.event);
        *saved = Some(rounds.accept(round));
        clock.advance(rounds.interval());
        given
    }
}

#[tokio::test]
async fn an_event_that_appears_late_is_found_within_the_overlap_and_given_once() {
    let (tenant, mut saved) = (Tenant::default(), None);
    let clock = Arc::new(ManualClock::at(at("2024-06-11T01:00:00Z")));
    tenant.add("2024-06-11T00:59:00Z", "first");
    assert_eq!(tenant.round(&clock, &mut saved).await, ["first"]);
    // Now it is 01:05, and rounds read back to ten minutes before the end of the last one.
    tenant.add("2024-06-11T00:50:00Z", "late");
    tenant.add("2024-06-11T00:49:59Z", "too late");
    assert_eq!(tenant.round(&clock, &mut saved).await, ["late"]);
    tenant.add("2024-06-11T01:05:00Z", "at the very end of a range");
    tenant.add("2024-06-11T01:10:00Z", "now");
    assert_eq!(tenant.round(&clock, &mut saved).await, ["at the very end of a range", "now"]);
    for _ in 0..5 {
        assert_eq!(tenant.round(&clock, &mut saved).await, [""; 0]);
    }
    // The command was off for a day: nothing of that day is missing.
    tenant.add("2024-06-11T02:00:00Z", "while it was off");
    clock.advance(Duration::from_secs(86_400));
    tenant.add("2024-06-12T01:00:00Z", "of the next day");
    assert_eq!(tenant.round(&clock, &mut saved).await, ["while it was off", "of the next day"]);
}

#[tokio::test]
async fn a_clock_ahead_of_the_service_s_loses_nothing() {
    let page = |id: &str, date: &str| {
        Prepared::json(200, &json!({ "items": [{ "id": id }], "nextLink": null })).header("Date", date)
    };
    // Our clock says 01:00 and the service's 00:40: what happens in between is asked for again.
    let script = Script::start(vec![
        page("a", "Tue, 11 Jun 2024 00:40:00 GMT"),
        page("b", "Tue, 11 Jun 2024 00:45:00 GMT"),
        // Four months are no clock that is ahead.
        page("c", "Sun, 11 Feb 2024 00:45:00 GMT"),
        page("d", "Tue, 11 Jun 2024 01:15:00 GMT"),
    ])
    .await;
    let clock = Arc::new(ManualClock::at(at("2024-06-11T01:00:00Z")));
    let own = clock.clone();
    let (connection, _) = connect_with(&script.url(), |settings| settings.clock = own);
    let input = json!({ "start_date_time": "2024-06-11T00:00:00Z", "interval": 300 });
    let mut rounds = Rounds::new(connection, trigger("poll_alert_list"), &input, None).expect("rounds");
    for _ in 0..4 {
        let round = rounds.next().await.expect("a round");
        rounds.accept(round);
        clock.advance(Duration::from_secs(300));
    }
    let start =
        |asked: &str| asked.split(['?', '&']).find_map(|it| it.strip_prefix("startDateTime=")).map(str::to_owned);
    let starts: Vec<Option<String>> = script.asked().iter().map(|asked| start(&asked.target)).collect();
    let wanted = ["2024-06-11T00:00:00Z", "2024-06-11T00:30:01Z", "2024-06-11T00:35:01Z", "2024-06-11T01:00:00Z"];
    assert_eq!(starts, wanted.map(|it| Some(it.to_owned())));
}

#[tokio::test]
async fn a_round_that_fails_or_is_not_given_is_read_again_as_a_whole() {
    let page = |ids: &[&str], next: Option<&str>| {
        let items: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        Prepared::json(200, &json!({ "items": items, "nextLink": next }))
    };
    let link = Some("https://x/v3.0/workbench/alerts?skipToken=a");
    // The second page fails; then the whole round works.
    let script = Script::start(vec![
        page(&["a"], link),
        Prepared::empty(400),
        page(&["a"], link),
        page(&["b"], None),
        page(&["a", "b", "c"], None),
    ])
    .await;
    let (connection, _) = connect_with(&script.url(), |_| {});
    let mut rounds = Rounds::new(connection, trigger("poll_alert_list"), &json!({ "start_date_time": START }), None)
        .expect("rounds");
    rounds.next().await.expect_err("half a round is none");
    let unprinted = rounds.next().await.expect("a round");
    assert_eq!(ids(&unprinted.event), ["a", "b"]);
    drop(unprinted);
    let round = rounds.next().await.expect("a round");
    assert_eq!((ids(&round.event), round.repeated), (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], 0));
    rounds.accept(round);
}

#[tokio::test]
async fn an_analysis_without_a_list_is_an_empty_round_and_a_list_that_comes_later_is_given() {
    let none = || Prepared::json(404, &json!({ "error": { "code": "NotFound", "message": "No analysis result." } }));
    let list = Prepared::json(200, &json!({ "items": [{ "riskLevel": "high", "ip": "203.0.113.77" }] }));
    let script = Script::start(vec![none(), list.clone(), list]).await;
    let (connection, _) = connect_with(&script.url(), |_| {});
    let mut rounds =
        Rounds::new(connection, trigger("poll_sandbox_suspicious_list"), &json!({ "id": SAMPLE, "poll": false }), None)
            .expect("rounds");
    for count in [0, 1, 0] {
        let round = rounds.next().await.expect("a round");
        assert_eq!(round.event["sandbox_suspicious_list_resp"].as_array().map(Vec::len), Some(count));
        rounds.accept(round);
    }
}

#[tokio::test]
async fn saved_progress_that_makes_no_sense_is_told() {
    let (connection, _): (Connection, _) = connect_with("http://127.0.0.1:1", |_| {});
    for saved in ["", "{", "[]", r#"{"ends": 1}"#, "\u{0}"] {
        let error = Rounds::new(
            connection.clone(),
            trigger("poll_alert_list"),
            &json!({ "start_date_time": START }),
            Some(saved),
        )
        .expect_err(saved);
        assert_eq!(error.kind(), ErrorKind::Storage, "{saved}");
        assert!(error.to_string().contains("the saved progress of poll_alert_list cannot be read"), "{error}");
    }
}
