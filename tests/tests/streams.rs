//! Streams as their tables say, on events as the services give them.

use connectome::trend_vision_one::CONNECTOR;
use connectome_collect::key::{Identity, Keys};
use connectome_collect::prepare::{Facts, Mode, Preparation};
use connectome_collect::view::Record;
use connectome_core::stream::Stream;
use serde_json::value::RawValue;

fn stream(name: &str) -> (&'static Stream, Box<RawValue>) {
    let stream = CONNECTOR.streams.iter().find(|stream| stream.name == name).expect("a stream");
    let path = format!("{}/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let event = std::fs::read_to_string(path).expect("an event");
    (stream, RawValue::from_string(event.trim().to_owned()).expect("JSON"))
}

/// The event's key, time, and line.
fn delivered(stream: &'static Stream, event: &RawValue, mode: Mode) -> (String, Option<i64>, String) {
    let record = Record::read(event, &stream.event);
    let moment = record.moment(&stream.event);
    let mut key = String::new();
    let identity = Keys::new(stream).identify(&record, &mut key);
    assert_ne!(identity, Identity::Unkeyed);
    let facts = Facts { window: 0, undated: moment.is_none(), displaced: false, identity };
    let mut line = Vec::new();
    assert!(!Preparation::new(stream, mode).write(event, &facts, &mut line));
    (key, moment.map(|moment| moment.second), String::from_utf8(line).expect("UTF-8"))
}

#[test]
fn an_event_of_each_stream_is_named_timed_and_changed_as_its_table_says() {
    type Changes = &'static [(&'static str, &'static str)];
    let workbench: Changes = &[
        (r#""ips": ["192.0.2.17", "2001:db8::17"] }"#, r#""ips": "192.0.2.17,2001:db8::17" }"#),
        (r#""relatedEntities": ["lab\\mara.k"]"#, r#""relatedEntities": "lab\\mara.k""#),
        (r#""provenance": ["Alert"] },      { "entityType""#, r#""provenance": "Alert" },      { "entityType""#),
        (
            r#""relatedEntities": ["0b6d3b1e-2a44-4c9c-8f3d-5d1e7c20a911"], "relatedIndicatorIds": [], "provenance": ["Alert"]"#,
            r#""relatedEntities": "0b6d3b1e-2a44-4c9c-8f3d-5d1e7c20a911", "relatedIndicatorIds": [], "provenance": "Alert""#,
        ),
    ];
    let techniques: Changes =
        &[(r#"["TA0002", "TA0005"]"#, r#""TA0002,TA0005""#), (r#"["T1059.001", "T1027"]"#, r#""T1059.001,T1027""#)];
    let search: Changes = &[(r#""eventTime": 1772440003417"#, r#""eventTime": "2026-03-02T08:26:43Z""#)];
    let nulls: String = [
        "component",
        "deviceProcessName",
        "deviceMacAddress",
        "endpointMacAddress",
        "interestedMacAddress",
        "hostName",
        "filePath",
        "httpReferer",
        "malType",
        "objectCmd",
        "processCmd",
        "objectFileName",
        "objectName",
        "processSigner",
        "mDevice",
    ]
    .map(|name| format!("\"{name}\":null,"))
    .concat();
    let cases = [
        ("workbench", "workbench:WB-40117-20260302-00007", 1_772_439_249, workbench, "", "2026-03-02T08:14:09Z"),
        (
            "observed_attack_technique",
            "observed_attack_technique:7f3d2b64-1c1c-4e0e-b3a1-64f0a5f2c0d9",
            1_772_439_631,
            techniques,
            "",
            "2026-03-02T08:20:31Z",
        ),
        (
            "search_detection",
            "search_detection:5c2b8f1e-9a0d-4b67-8f8a-0f4f7c1d9b33",
            1_772_440_003,
            search,
            nulls.as_str(),
            "2026-03-02T08:26:43Z",
        ),
        (
            "audit",
            "audit:c3316a9adc3bd913a776f78e9868d9c44784e16cec042163c3db41b8924388f1",
            1_772_440_272,
            &[],
            "",
            "2026-03-02T08:31:12Z",
        ),
    ];
    for (name, key, second, changes, nulls, time) in cases {
        let (stream, event) = stream(name);
        let raw = event.get().replace('\n', "");
        assert_eq!(delivered(stream, &event, Mode::Raw), (key.to_owned(), Some(second), raw.clone()));
        let added = |event: String, nulls: &str| {
            let open = event.strip_suffix('}').expect("an object");
            format!("{open},{nulls}\"_time\":\"{time}\",\"event_type\":\"{name}\"}}")
        };
        let changed = changes.iter().fold(raw.clone(), |event, (from, to)| {
            assert_eq!(event.matches(from).count(), 1, "{from}");
            event.replace(from, to)
        });
        assert_eq!(delivered(stream, &event, Mode::Declared).2, added(changed, nulls));
        if name != "search_detection" {
            assert_eq!(delivered(stream, &event, Mode::Lists).2, added(raw, nulls));
        }
    }
}
