//! Dates: anything is read or refused, and who reads the same text says the same moment.

use connectome_collect::mapping::Mapper;
use connectome_collect::view;
use connectome_core::mapping::{Keys, Kind, Mapping, Stage, Verb};
use connectome_core::stream::TimeForm;
use connectome_core::time::{parse, whole_seconds};
use connectome_fuzz::{near_text, search};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const PIECES: &[&str] = &[
    "Z", "T", " ", "+", "-", ":", ".", "0", "9", "99", "60", "24", "-00", "+23:59", "+2359", "[UTC]", "e9", "1e", "é",
    "00000",
];

const SEEDS: &[&str] = &[
    "2024-06-11T07:12:44Z",
    "2024-06-11 07:12:44.123",
    "2024-02-29T23:59:59+05:30",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "-009999-01-01T00:00:00Z",
    "1700000000",
    "1700000000123",
    "-1.5",
    "1e400",
];

const STAGES: &[Stage] = &[
    Stage { asked: None, when: &[], within: &[], verb: Verb::CopyAll { into: &["in"], keys: Keys::Same } },
    Stage { asked: None, when: &[], within: &[], verb: Verb::Convert(&[(Kind::Date, &[&["in", "at"]])]) },
];
const MAPPING: Mapping =
    Mapping { name: "date", strict: Some("strict"), remove: true, failures: None, stages: STAGES, fields: &[] };

/// The date as documents write it.
fn mapped(value: &Value, strict: bool) -> Option<Value> {
    let parameters: Map<String, Value> = Map::from_iter([("strict".to_owned(), json!(strict))]);
    let mut out = Vec::new();
    Mapper::new(&MAPPING, &parameters).write(&json!({ "at": value }).to_string(), Timestamp::UNIX_EPOCH, &mut out);
    let document: Value = serde_json::from_slice(&out).expect("JSON");
    document.pointer("/in/at").cloned()
}

#[test]
fn any_text_is_a_date_or_refused() {
    search(3000, &near_text(SEEDS, PIECES), |text| {
        let quoted = json!(text).to_string();
        let read = view::time(&quoted, TimeForm::Rfc3339);
        for form in [TimeForm::EpochMs, TimeForm::EpochS] {
            let _ = (view::time(&quoted, form), view::time(&text, form));
        }
        if let Ok(time) = parse(&text) {
            for up in [false, true] {
                let whole = whole_seconds(time, up);
                let again = parse(&whole).map_err(TestCaseError::fail)?;
                prop_assert!((again.as_second() - time.as_second()).abs() <= 1, "{} became {}", text, whole);
            }
            if let Some(moment) = read {
                prop_assert_eq!(moment.second, time.as_nanosecond().div_euclid(1_000_000_000) as i64);
            }
        }
        Ok(())
    });
}

#[test]
fn a_converted_date_is_one_that_everybody_reads() {
    let number = any::<f64>().prop_map(Value::from);
    let value = prop_oneof![near_text(SEEDS, PIECES).prop_map(Value::from), any::<i64>().prop_map(Value::from), number];
    search(2000, &(value, any::<bool>()), |(value, strict)| {
        // What is empty is passed over, and goes with all that is empty.
        prop_assume!(value != "");
        if let Some(date) = mapped(&value, strict) {
            let text = date.as_str().ok_or_else(|| TestCaseError::fail(format!("{date} is no text")))?;
            let moment = view::time(&date.to_string(), TimeForm::Rfc3339);
            prop_assert!(moment.is_some(), "{} became {}", value, text);
            if let (Some(moment), Some(meant)) = (moment, view::time(&value.to_string(), TimeForm::Rfc3339)) {
                prop_assert_eq!(moment.second, meant.second, "{} became {}", value, text);
            }
            prop_assert_eq!(mapped(&date, strict), Some(date.clone()), "converted once more");
        }
        Ok(())
    });
}
