//! What was saved may be anything: another version wrote it, or a disk lost half of it.

use std::fs;

use connectome::trend_vision_one::CONNECTOR;
use connectome_collect::checkpoint::Checkpoint;
use connectome_collect::ledger::Database;
use connectome_collect::rounds::{Plan, Progress};
use connectome_collect::state::State;
use connectome_fuzz::{near, near_text, search};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

const PIECES: &[&str] =
    &["{", "}", "[", "]", ",", ":", "\"", "null", "-1", "1e99", "9223372036854775808", "\\u0000", "Z"];

#[test]
fn any_saved_progress_of_a_trigger_is_gone_on_with_or_refused() {
    let trigger = CONNECTOR.trigger("poll_alert_list").expect("a trigger");
    let input = json!({ "start_date_time": "2024-06-11T07:12:44Z", "interval": 1800 });
    let plan = |progress| Plan::new(trigger, input.as_object().expect("an object").clone(), progress);
    let now: Timestamp = "2024-06-11T08:00:00Z".parse().expect("a time");
    let records = || vec![json!({ "id": "a" }), json!({ "id": 7 }), json!({}), json!(null)];
    let (_, first) = plan(Progress::default()).settle(now, records());
    let saved = serde_json::to_string(&first).expect("JSON");
    let seeds = [saved.as_str(), r#"{"ends":{"start_date_time":"2024-06-11T07:12:44Z"},"seen":{"a":4294967295}}"#];
    search(1000, &near_text(&seeds, PIECES), |text| {
        if let Ok(progress) = serde_json::from_str::<Progress>(&text) {
            let plan = plan(progress);
            let asked = plan.ask(now);
            prop_assert!(asked.values().all(|value| value.as_str().is_none_or(|it| !it.is_empty())), "{:?}", asked);
            let _ = plan.settle(now, records());
        }
        Ok(())
    });
}

#[test]
fn any_checkpoint_is_one_or_refused() {
    let saved = serde_json::to_string(&Checkpoint::new("a".to_owned(), 1_700_000_000, 3600)).expect("JSON");
    search(2000, &near_text(&[&saved], PIECES), |text| {
        if let Ok(checkpoint) = serde_json::from_str::<Checkpoint>(&text) {
            let again = serde_json::to_string(&checkpoint).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Checkpoint>(&again).ok(), Some(checkpoint.clone()));
            let _ = (checkpoint.forget_below(), checkpoint.is_done());
        }
        Ok(())
    });
}

#[test]
fn any_file_is_a_state_or_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("good.sqlite");
    let state = State::open(&path).expect("a state");
    state.save("a", "{}").expect("saved");
    drop(state);
    let good = fs::read(&path).expect("a file");
    let path = folder.path().join("state.sqlite");
    search(60, &near(vec![good], PIECES), |bytes| {
        for name in ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"] {
            let _ = fs::remove_file(path.with_file_name(name));
        }
        fs::write(&path, &bytes).expect("a file");
        if let Ok(state) = State::open(&path) {
            let _ = (state.load("a"), state.entries(), state.save("b", "{}"), state.load("b"));
        }
        if let Ok(database) = Database::open(&path, false) {
            let _ = database.entries("");
        }
        Ok(())
    });
}
