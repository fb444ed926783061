//! Properties of what strangers' text goes through: filters, links to further pages, dates and validation. None of it may
//! panic, and no text may change the form of what is sent.

mod dates;
mod filters;
mod links;
mod validation;

use connectome_core::Connection;
use connectome_tests::simulated::connect;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What means something in one of the two syntaxes, and what often goes wrong.
const PIECES: &[&str] = &[
    "'",
    "''",
    "\"",
    "\\",
    "\\\"",
    "\\\\",
    " or ",
    " and ",
    "not ",
    " not (",
    "(",
    ")",
    "*",
    ":",
    " eq ",
    "contains(",
    ",",
    "a",
    "Zz",
    " ",
    "  ",
    "é",
    "ß",
    "Ω",
    "漢字",
    "😀",
    "\u{200d}",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "%27",
    "&",
    "#",
    "?",
    "=",
    "+",
    "/",
    "<",
    "{",
    "$",
    "\u{1f468}\u{200d}\u{1f469}",
];

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => vec(select(PIECES), 0..24).prop_map(|pieces| pieces.concat()),
        3 => vec(any::<char>(), 0..40).prop_map(|letters| letters.into_iter().filter(|letter| !letter.is_control()).collect()),
        1 => vec(select(PIECES), 300..400).prop_map(|pieces| pieces.concat()),
    ]
}

fn is_operator(name: &str) -> bool {
    ["and", "or", "not"].contains(&name.to_ascii_lowercase().as_str())
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[A-Za-z][A-Za-z0-9_]{0,15}".prop_filter("an operator", |name| !is_operator(name)),
        1 => select(vec!["eq", "contains", "notes", "order", "android", "orId", "not_it", "null", "true"]).prop_map(str::to_owned),
    ]
}

fn connection() -> Connection {
    connect("http://127.0.0.1:9").0
}
