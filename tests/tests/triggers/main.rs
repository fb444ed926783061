//! The triggers of Trend Vision One: every event once, over rounds, restarts, signals and crashes.

mod processes;
mod rounds;

use serde_json::{Value, json};

/// A submission of the simulated sandbox that was found to be dangerous.
const SAMPLE: &str = "c2b7e9d4-1f3a-4d6c-8b5e-9a0f7c6d5e41";
const START: &str = "2020-01-01T00:00:00Z";

/// Each trigger: its input for everything there is, the list of its events, what names one, and how many there are.
fn triggers() -> [(&'static str, Value, &'static str, &'static [&'static str], usize); 3] {
    let oats = json!({ "detected_start_date_time": START, "ingested_start_date_time": START, "fields": {} });
    [
        ("poll_alert_list", json!({ "start_date_time": START }), "alerts", &["id"], 25),
        ("poll_oat_list", oats, "oats", &["uuid"], 30),
        (
            "poll_sandbox_suspicious_list",
            json!({ "id": SAMPLE }),
            "sandbox_suspicious_list_resp",
            &["type", "value"],
            2,
        ),
    ]
}

/// What names the events of a round. Every one has a name.
fn named(round: &Value, list: &str, by: &[&str]) -> Vec<String> {
    let events = round[list].as_array().unwrap_or_else(|| panic!("no {list}: {round}"));
    events
        .iter()
        .map(|event| by.iter().map(|key| event[*key].as_str().expect("a name")).collect::<Vec<_>>().join(" "))
        .collect()
}

fn ids(round: &Value) -> Vec<String> {
    named(round, "alerts", &["id"])
}
