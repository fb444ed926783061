//! A rule as data, and short words for those that come often.

use serde_json::{Value, json};

pub const EMPTY: &str = "an empty text";

/// A rule: where it holds, what it lets pass and what breaks it and nothing else.
pub struct Rule {
    /// Pointers that begin with the action or trigger: `add_alert_note/content`.
    pub places: Vec<&'static str>,
    pub passes: Vec<Value>,
    pub breaks: Vec<Break>,
}

/// A value that breaks a rule, and what is said of it.
pub struct Break {
    pub value: Value,
    /// Below the rule's place.
    pub at: &'static str,
    pub expected: String,
    pub found: String,
}

pub fn rule<const P: usize, const B: usize>(places: &'static str, passes: [Value; P], breaks: [Break; B]) -> Rule {
    Rule { places: places.split_whitespace().collect(), passes: passes.into(), breaks: breaks.into_iter().collect() }
}

pub fn no(value: impl Into<Value>, expected: impl Into<String>, found: impl Into<String>) -> Break {
    Break { value: value.into(), at: "", expected: expected.into(), found: found.into() }
}

/// A text that is found as it is shown: in quotes.
pub fn not(text: &str, expected: impl Into<String>) -> Break {
    no(text, expected, Value::from(text).to_string())
}

impl Break {
    pub fn at(mut self, at: &'static str) -> Self {
        self.at = at;
        self
    }
}

pub fn long(count: usize) -> Value {
    Value::from("x".repeat(count))
}

/// One character more than there may be.
pub fn longer(most: usize) -> Break {
    let count = most + 1;
    no(long(count), format!("at most {most} characters"), format!("{count} characters"))
}

pub fn empty() -> Break {
    no("", "at least 1 character", EMPTY)
}

pub fn many(value: &Value, count: usize) -> Value {
    Value::Array(vec![value.clone(); count])
}

/// From one element to ten.
pub fn up_to_ten(places: &'static str, element: Value) -> Rule {
    let [none, eleven] =
        [0, 11].map(|count| no(many(&element, count), "1 to 10 elements", if count == 0 { "0" } else { "11" }));
    rule(places, [many(&element, 1), many(&element, 10)], [none, eleven])
}

/// `fields` that make a filter of this length; `around` is what stands around name and value.
pub fn filter(name: &str, around: usize, length: usize) -> Value {
    json!({ name: "x".repeat(length - name.len() - around) })
}

pub fn filters(places: &'static str, name: &str, around: usize, most: usize) -> Rule {
    let too_long =
        no(filter(name, around, most + 1), format!("a filter of at most {most} characters"), (most + 1).to_string());
    rule(places, [filter(name, around, most)], [too_long])
}

/// An element of an object list.
pub fn object(kind: &str, value: &str) -> Value {
    json!({ "object_type": kind, "object_value": value })
}

/// Objects of one kind in a list.
pub fn objects<const N: usize>(
    places: &'static str,
    kind: &str,
    passes: &[&str],
    breaks: [(&str, &str, Option<usize>); N],
) -> Rule {
    Rule {
        places: places.split_whitespace().collect(),
        passes: passes.iter().map(|value| object(kind, value)).collect(),
        breaks: breaks
            .into_iter()
            .map(|(value, expected, count)| {
                let found = count.map_or_else(|| Value::from(value).to_string(), |it| format!("{it} characters"));
                no(object(kind, value), expected, found).at("/object_value")
            })
            .collect(),
    }
}

/// A domain of this length.
pub fn domain(length: usize) -> String {
    let before = length - ".example".len();
    (0..before).map(|at| if at % 10 == 9 && at + 1 < before { '.' } else { 'a' }).chain(".example".chars()).collect()
}

/// A blocking of fifty addresses whose request has this many bytes.
pub fn block_of_bytes(bytes: usize) -> Value {
    // Brackets are two, and behind the last element there is no comma.
    let described = bytes - 1 - 50 * r#"{"ip":"6.6.6.6","description":""},"#.len();
    let block = |length: usize| json!({ "object_type": "ip", "object_value": "6.6.6.6", "description": long(length) });
    json!({ "block_objects": (0..50).map(|at| block(if at > 0 { 20_000 } else { described - 980_000 })).collect::<Vec<_>>() })
}
