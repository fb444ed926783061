//! Filters: what is built can be read again and means what was meant; what is read is anything.

use connectome_core::filter::{Filter, FilterPlace, Syntax};
use connectome_fuzz::{near_text, search};
use connectome_sim::filter::parse;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const PIECES: &[&str] = &[
    "'",
    "''",
    "\"",
    "\\",
    "\\\"",
    " or ",
    " and ",
    "not ",
    "(",
    ")",
    "*",
    ":",
    " eq ",
    "contains(",
    ",",
    " ",
    "é",
    "\u{0}",
];

const SEEDS: &[&str] = &[
    "endpointName eq 'a' or ip eq 'b'",
    "not (contains(name, 'x')) and (a eq 'b''c')",
    "hostName:\"a\" AND ip:\"b\\\"c\"",
    "a:b* or not c:\"d\"",
];

fn syntax() -> impl Strategy<Value = Syntax> {
    any::<bool>().prop_map(|odata| if odata { Syntax::Odata } else { Syntax::Lucene })
}

#[test]
fn any_text_is_read_or_refused() {
    search(2000, &(syntax(), near_text(SEEDS, PIECES)), |(syntax, text)| {
        if let Ok(filter) = parse(syntax, &text) {
            let _ = (filter.names().len(), filter.holds(&json!({ "a": ["b"], "name": { "value": "x" } })));
        }
        Ok(())
    });
}

#[test]
fn no_value_changes_the_form_of_a_filter() {
    let entry = (near_text(&["a", "name", "and", "x_1"], PIECES), near_text(&["", "b", "a' or 'b", "\\\""], PIECES));
    search(1500, &(syntax(), vec(entry, 1..4), any::<bool>()), |(syntax, entries, or)| {
        let filter = Filter {
            syntax,
            place: FilterPlace::Query("filter"),
            operator: "operator",
            max_length: None,
            required: false,
            names: &[],
            rename: &[],
        };
        let entries: Map<String, Value> = entries.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        if let Ok(text) = filter.expression(&entries, if or { "or" } else { "and" }) {
            let read = parse(syntax, &text).map_err(|why| TestCaseError::fail(format!("{text}: {why}")))?;
            let names: Vec<&str> = entries.keys().map(String::as_str).collect();
            prop_assert_eq!(read.names(), names, "{}", text);
            prop_assert!(read.holds(&Value::Object(entries.clone())), "{} does not find what it was made of", text);
        }
        Ok(())
    });
}
