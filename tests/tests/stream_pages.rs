//! What pages and commands say of streams: the example that is shown is what is delivered, and any name of a stream is
//! understood.

use connectome::trend_vision_one::CONNECTOR;
use connectome_collect::key::Identity;
use connectome_collect::prepare::{Facts, Mode, Preparation};
use connectome_core::stream::Stream;
use connectome_tests::command::run;
use serde_json::Value;
use serde_json::value::RawValue;

/// The catalog's entries, those of the vendor's document first.
fn entries() -> Vec<Value> {
    let catalog: Value = serde_json::from_str(CONNECTOR.catalog).expect("a catalog");
    let all = ["streams", "further_streams"].into_iter().flat_map(|kind| catalog[kind].as_array().cloned());
    all.flatten().collect()
}

fn named(entry: &Value) -> &'static Stream {
    CONNECTOR.stream(entry["name"].as_str().expect("a name")).expect("a stream")
}

fn delivered(stream: &Stream, record: &Value) -> Value {
    let record = RawValue::from_string(record.to_string()).expect("JSON");
    let facts = Facts { window: 0, undated: false, displaced: false, identity: Identity::Named };
    let mut line = Vec::new();
    assert!(!Preparation::new(stream, Mode::Declared).write(&record, &facts, &mut line), "a transform did not fit");
    serde_json::from_slice(&line).expect("JSON")
}

#[test]
fn the_example_of_a_stream_becomes_what_its_page_shows() {
    let page = include_str!("../../generated/docs/trend-vision-one.md");
    let mut shown = Vec::new();
    for entry in entries() {
        let Some(example) = entry.get("example") else { continue };
        assert_eq!(delivered(named(&entry), &example["raw"]), example["delivered"], "{}", entry["name"]);
        for event in [&example["raw"], &example["delivered"]] {
            assert!(page.contains(&format!("```json\n{event:#}\n```")), "{}", entry["name"]);
        }
        shown.push(named(&entry).name);
    }
    assert_eq!(shown, ["workbench", "observed_attack_technique", "search_detection", "audit"]);
}

#[test]
fn only_the_streams_of_the_document_are_collected_unasked() {
    for entry in entries() {
        let stream = named(&entry);
        assert_eq!(entry["on_request"] == true, stream.on_request, "{}", stream.name);
        assert_eq!(entry["permission"], stream.permission);
    }
    let unasked: Vec<&str> = CONNECTOR.streams.iter().filter(|it| !it.on_request).map(|it| it.name).collect();
    assert_eq!(unasked, ["workbench", "observed_attack_technique", "search_detection", "audit"]);
}

#[test]
fn a_stream_is_found_by_any_of_its_names() {
    for (name, wanted) in [
        ("workbench", Some("workbench")),
        ("Workbench", Some("workbench")),
        ("WORKBENCH LOGS", Some("workbench")),
        ("observed_attack_technique", Some("observed_attack_technique")),
        ("observed_attack_techniques", Some("observed_attack_technique")),
        ("Observed Attack Techniques", Some("observed_attack_technique")),
        ("observed-attack-techniques", Some("observed_attack_technique")),
        ("search_detections", Some("search_detection")),
        ("Search Detections", Some("search_detection")),
        ("Audit", Some("audit")),
        ("audit_by_ingestion", Some("audit_by_ingestion")),
        ("audits", None),
        ("", None),
    ] {
        assert_eq!(CONNECTOR.stream(name).map(|stream| stream.name), wanted, "{name:?}");
    }
}

#[test]
fn a_stream_is_described_and_its_permission_is_counted() {
    let home = tempfile::tempdir().expect("a folder");
    for (arguments, all) in [
        (&["describe", CONNECTOR.name][..], &["audit always Who did what", "audit_by_ingestion when named"][..]),
        (
            &["describe", CONNECTOR.name, "audit"],
            &[
                "Audit Logs (stream audit)",
                "remembers 180 days",
                "a hash of its content",
                "Late by 15 minutes",
                "event_type is added: audit",
            ],
        ),
        (
            &["describe", CONNECTOR.name, "search detections"],
            &["TMV1-Query: *", "1000 events, of 50, 100, 500, 1000, 5000", "at most 1 hour"],
        ),
        (
            &["permissions", CONNECTOR.name, "audit", "get_alert_list"],
            &["Audit Logs audit", "View, filter, and search get_alert_list"],
        ),
    ] {
        let (code, text, said) = run(home.path(), arguments, &[]);
        assert_eq!(code, 0, "{said}");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for wanted in all {
            assert!(text.contains(wanted), "{arguments:?} lacks {wanted:?}:\n{text}");
        }
    }
}
