//! What is delivered of the example of a stream, for pages and the catalog to show.
//!
//! The runtime carries out the same transforms over the text of a record, and the generator knows nothing of the runtime:
//! this says a second time what they do. `the_example_of_a_stream_becomes_what_its_page_shows` in
//! `tests/tests/stream_pages.rs` holds the two against each other by the examples of a page.

use serde_json::{Value as Json, json};

use crate::model::stream::{Stream, Transform};
use crate::names::plain;

/// What is delivered of an event.
pub fn delivered(stream: &Stream, raw: &Json) -> Json {
    let mut event = raw.clone();
    for transform in &stream.transforms {
        apply(transform, &mut event);
    }
    event
}

fn apply(transform: &Transform, event: &mut Json) {
    match transform {
        Transform::Join(path) => at(event, path, &mut |value| {
            if let Some(texts) = value.as_array().and_then(|items| texts(items)) {
                *value = json!(texts.join(","));
            }
        }),
        Transform::EpochToText(path) => at(event, path, &mut |value| {
            if let Some(text) = value.as_i64().map(|milliseconds| rfc3339(milliseconds.div_euclid(1000))) {
                *value = json!(text);
            }
        }),
        Transform::Drop(path) => {
            if let Some((last, way)) = path.split_last() {
                at(event, way, &mut |value| {
                    if let Json::Object(fields) = value {
                        fields.shift_remove(last);
                    }
                });
            }
        }
        Transform::Add(..) | Transform::Copy(..) | Transform::FillNull(_) => {
            let from = |path: &[String]| path.iter().try_fold(&*event, |value, key| value.get(key)).cloned();
            let found = if let Transform::Copy(_, path) = transform { from(path) } else { None };
            let Json::Object(fields) = event else { return };
            match transform {
                Transform::Add(name, value) => drop(fields.insert(name.clone(), value.clone())),
                Transform::Copy(name, _) => drop(found.and_then(|value| fields.insert(name.clone(), value))),
                Transform::FillNull(names) => names.iter().for_each(|name| {
                    fields.entry(name.clone()).or_insert(Json::Null);
                }),
                _ => {}
            }
        }
    }
}

/// Changes every value at a path.
fn at(value: &mut Json, path: &[String], change: &mut dyn FnMut(&mut Json)) {
    let Some((key, rest)) = path.split_first() else { return change(value) };
    match value {
        Json::Array(items) if key == "[]" => items.iter_mut().for_each(|item| at(item, rest, change)),
        Json::Object(fields) => fields.get_mut(key).into_iter().for_each(|value| at(value, rest, change)),
        _ => {}
    }
}

/// The texts in a list and in lists in it, unless there are objects.
fn texts(items: &[Json]) -> Option<Vec<String>> {
    let text = |item: &Json| match item {
        Json::Array(inner) => texts(inner),
        Json::Object(_) => None,
        Json::Null => Some(Vec::new()),
        item => Some(vec![plain(item)]),
    };
    Some(items.iter().map(text).collect::<Option<Vec<_>>>()?.concat())
}

/// A number of seconds since 1970 as `2026-03-02T08:26:43Z`.
fn rfc3339(seconds: i64) -> String {
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // The year is taken to begin in March, so that a leap day comes last.
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates() {
        for (seconds, wanted) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_772_440_003, "2026-03-02T08:26:43Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds), wanted);
        }
    }

    #[test]
    fn what_a_change_does_not_fit_stays() {
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        for (transform, before, after) in [
            (
                Transform::Join(path("a.[].b")),
                json!({ "a": [{ "b": [1, [2, null, "x"]] }, { "b": "y" }, 3] }),
                json!({ "a": [{ "b": "1,2,x" }, { "b": "y" }, 3] }),
            ),
            (Transform::Join(path("a.b")), json!({ "a": "text" }), json!({ "a": "text" })),
            (Transform::Join(path("a")), json!({ "a": ["x", {}] }), json!({ "a": ["x", {}] })),
            (Transform::EpochToText(path("t")), json!({ "t": 1500 }), json!({ "t": "1970-01-01T00:00:01Z" })),
            (Transform::EpochToText(path("t")), json!({ "t": "soon" }), json!({ "t": "soon" })),
            (
                Transform::Copy("c".to_owned(), path("a.b")),
                json!({ "a": { "b": 1 } }),
                json!({ "a": { "b": 1 }, "c": 1 }),
            ),
            (Transform::Copy("c".to_owned(), path("a.b")), json!({}), json!({})),
            (Transform::FillNull(path("a.b")), json!({ "a": 1 }), json!({ "a": 1, "b": null })),
            (Transform::Drop(path("a.b")), json!({ "a": { "b": 1, "c": 2 } }), json!({ "a": { "c": 2 } })),
            (Transform::Add("k".to_owned(), json!("v")), json!({}), json!({ "k": "v" })),
        ] {
            let mut event = before.clone();
            apply(&transform, &mut event);
            assert_eq!(event, after, "{transform:?} of {before}");
        }
    }
}
