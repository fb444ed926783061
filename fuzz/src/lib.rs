//! What a fuzz target is made of: how long it searches, and what it tries.
//!
//! `cargo test` tries the same inputs each time, up to a few thousand; `cargo xtask fuzz` tries others for as long as one
//! likes. What fails is made as small as it can be, and shown.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Map, Value};

/// How long `cargo xtask fuzz` searches, in seconds.
pub const SECONDS: &str = "CONNECTOME_FUZZ_SECONDS";

/// What became of one input.
pub type Tried = Result<(), TestCaseError>;

/// Tries inputs: `few` that are always the same, or others until the time is over that [`SECONDS`] says.
pub fn search<S: Strategy>(few: u32, inputs: &S, target: impl Fn(S::Value) -> Tried) {
    let tried = search_among(1, few, inputs, target);
    println!("{tried} inputs");
}

/// The same for one of several things that a target looks at one after another: they share the time. Returns how
/// many inputs there were.
pub fn search_among<S: Strategy>(several: usize, few: u32, inputs: &S, target: impl Fn(S::Value) -> Tried) -> u64 {
    let seconds = std::env::var(SECONDS).ok().and_then(|text| text.parse().ok());
    let seconds = seconds.map(|seconds: f64| Duration::from_secs_f64(seconds / several.max(1) as f64));
    let config = |cases| Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let mut runner = match seconds {
        None => TestRunner::new_with_rng(config(few), TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
        Some(_) => TestRunner::new(config(256)),
    };
    let (begin, mut tried) = (Instant::now(), 0_u64);
    loop {
        if let Err(found) = runner.run(inputs, &target) {
            panic!("{found}");
        }
        tried += u64::from(runner.config().cases);
        if seconds.is_none_or(|seconds| begin.elapsed() >= seconds) {
            return tried;
        }
        // A runner counts what it has tried, and would try nothing more.
        runner = TestRunner::new_with_rng(config(256), runner.new_rng());
    }
}

/// What is done to bytes that mean something.
#[derive(Debug, Clone)]
enum Edit {
    Put(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index, usize),
    Repeat(Index, usize, usize),
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        match self {
            Edit::Put(at, byte) if length > 0 => bytes[at.index(length)] = *byte,
            Edit::Insert(at, piece) => {
                let at = at.index(length + 1);
                bytes.splice(at..at, piece.iter().copied());
            }
            Edit::Cut(at, count) => {
                let at = at.index(length + 1);
                bytes.drain(at..length.min(at + count));
            }
            Edit::Repeat(at, count, times) => {
                let at = at.index(length + 1);
                let piece = bytes[at..length.min(at + count)].repeat(*times);
                bytes.splice(at..at, piece);
            }
            Edit::Put(..) => {}
        }
    }
}

/// Bytes near one of these, and some that are near nothing.
pub fn near(seeds: Vec<Vec<u8>>, pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        select(pieces).prop_map(|piece| piece.as_bytes().to_vec()),
        any::<char>().prop_map(|letter| letter.to_string().into_bytes()),
        vec(any::<u8>(), 1..4),
    ];
    let edit = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Put(at, byte)),
        (any::<Index>(), piece).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        (any::<Index>(), 1..40_usize).prop_map(|(at, count)| Edit::Cut(at, count)),
        (any::<Index>(), 1..20_usize, 1..4_usize).prop_map(|(at, count, times)| Edit::Repeat(at, count, times)),
    ];
    let edited = (select(seeds), vec(edit, 0..6)).prop_map(|(mut bytes, edits)| {
        edits.iter().for_each(|edit| edit.apply(&mut bytes));
        bytes
    });
    prop_oneof![8 => edited, 1 => vec(any::<u8>(), 0..100)]
}

/// The same as text; what is no text is replaced.
pub fn near_text(seeds: &[&str], pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let seeds = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    near(seeds, pieces).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// JSON whose names are often these, and whose texts are often of a kind that somebody reads.
pub fn json(names: Vec<String>) -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        3 => select(TEXTS).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        select(&[1_700_000_000_i64, 1_700_000_000_123, -1, 253_402_300_800][..]).prop_map(Value::from),
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => number,
        4 => text.prop_map(Value::from),
    ];
    let name = prop_oneof![6 => select(names), 1 => any::<String>(), 1 => select(TEXTS).prop_map(str::to_owned)];
    leaf.prop_recursive(5, 60, 10, move |inner| {
        let members = vec((name.clone(), inner.clone()), 0..10);
        prop_oneof![
            vec(inner, 0..5).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Texts that mean something to somebody.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "é",
    "😀",
    "\u{0}",
    "\"",
    "\\",
    "\n",
    ".",
    "a.b",
    "a..b",
    "[]",
    "true",
    "TRUE",
    "false",
    "null",
    "0",
    "-0",
    "1e400",
    "007",
    "1.5",
    "9223372036854775808",
    "192.0.2.7",
    "2001:db8::1",
    "::ffff:192.0.2.7",
    "256.0.0.1",
    "2024-06-11T07:12:44Z",
    "2024-06-11 07:12:44",
    "2024-02-30T00:00:00Z",
    "2024-06-11T07:12:44.123456789123Z",
    "2024-06-11T23:59:60Z",
    "-009999-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "2024-06-11T07:12:44+0530",
    "1700000000",
    "1700000000123",
    "https://u:p@host.example:8080/a/b.c?d=e#f",
    "http://[::1",
    "//",
    ":",
    "@",
    "%zz",
    "mailto:a@b",
    "https://é.example/",
    "a:b@c:d",
    "W/\"x\"",
    "02-00-5E-10-4A-7B",
];
