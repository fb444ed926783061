//! Records made from a template: the same seed makes the same records.
//!
//! A generator stands in braces inside a text. A text that is one generator of numbers becomes a number.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::template;

/// What a generator may look at.
pub struct Maker<'a> {
    /// The simulation's seed and the collection's own.
    pub seed: u64,
    /// Which record of the collection.
    pub number: usize,
    /// The time that it bears, in milliseconds.
    pub moment: i64,
    /// When it can first be seen.
    pub seen: i64,
    /// Finds a field of another collection's record.
    pub other: &'a dyn Fn(&str, usize, &str) -> Value,
    /// Fields that `{field}` may name.
    pub fields: &'a Map<String, Value>,
}

const NAMES: [&str; 16] = [
    "ledger",
    "build",
    "front-desk",
    "archive",
    "lab",
    "print",
    "payroll",
    "kiosk",
    "mail",
    "depot",
    "studio",
    "clinic",
    "harbor",
    "press",
    "survey",
    "field",
];

impl Maker<'_> {
    /// A value with its generators run.
    pub fn make(&self, template: &Value) -> Value {
        self.make_from(template, 0)
    }

    /// The same of a part of a template, which begins with this turn.
    pub fn make_from(&self, template: &Value, mut turn: u64) -> Value {
        self.value(template, &mut turn)
    }

    fn value(&self, template: &Value, turn: &mut u64) -> Value {
        match template {
            Value::String(text) => self.text(text, turn),
            Value::Array(items) => items.iter().map(|item| self.value(item, turn)).collect(),
            Value::Object(fields) => {
                Value::Object(fields.iter().map(|(name, value)| (name.clone(), self.value(value, turn))).collect())
            }
            other => other.clone(),
        }
    }

    fn text(&self, text: &str, turn: &mut u64) -> Value {
        let mut next = |generator: &str| {
            *turn += 1;
            self.generate(generator, *turn)
        };
        if let Some(generator) = template::whole(text) {
            return next(generator);
        }
        let mut made = String::with_capacity(text.len() + 16);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            made.push_str(before);
            match after.split_once('}') {
                Some((generator, after)) if is_generator(generator) || self.fields.contains_key(generator) => {
                    match next(generator) {
                        Value::String(text) => made.push_str(&text),
                        other => made.push_str(&other.to_string()),
                    }
                    rest = after;
                }
                _ => {
                    made.push('{');
                    rest = after;
                }
            }
        }
        made.push_str(rest);
        Value::from(made)
    }

    /// What a generator makes; each has a turn of its own in its record.
    pub fn generate(&self, generator: &str, turn: u64) -> Value {
        let (word, argument) = generator.split_once(':').unwrap_or((generator, ""));
        // A record's own field goes before a generator of the same name.
        if let Some(field) = self.fields.get(generator) {
            return field.clone();
        }
        let chance = mix(self.seed ^ mix(self.number as u64 ^ (turn << 48)));
        match word {
            "n" => Value::from(self.number + argument.parse::<usize>().unwrap_or(0)),
            "id" => Value::from(format!("{:0width$}", self.number, width = argument.parse().unwrap_or(1))),
            "guid" => Value::from(guid(chance)),
            "hex" => Value::from(hex(chance, argument.parse().unwrap_or(8))),
            "ip" => {
                Value::from(format!("10.{}.{}.{}", 40 + chance % 8, (self.number / 250) % 250, self.number % 250 + 1))
            }
            "mac" => Value::from(format!(
                "02:00:5e:{:02x}:{:02x}:{:02x}",
                chance & 0xff,
                (chance >> 8) & 0xff,
                (chance >> 16) & 0xff
            )),
            "name" => Value::from(format!("{}-{:02}", NAMES[self.number % NAMES.len()], self.number / NAMES.len() + 1)),
            "int" => {
                let (low, high) = argument.split_once('-').unwrap_or(("0", argument));
                let (low, high) = (low.parse::<u64>().unwrap_or(0), high.parse::<u64>().unwrap_or(9));
                Value::from(low + chance % (high.saturating_sub(low) + 1))
            }
            "pick" => {
                let choices: Vec<&str> = argument.split('|').collect();
                Value::from(choices[(chance as usize) % choices.len()])
            }
            "time" => Value::from(written(self.moment, argument)),
            "seen" => Value::from(written(self.seen, argument)),
            "millis" => Value::from(self.moment + 1000 * argument.parse::<i64>().unwrap_or(0)),
            "from" => {
                let (collection, field) = argument.split_once('.').unwrap_or((argument, ""));
                (self.other)(collection, self.number, field)
            }
            _ => Value::from(format!("{{{generator}}}")),
        }
    }
}

/// A time in whole seconds, so many seconds later.
fn written(moment: i64, later: &str) -> String {
    let second = moment.div_euclid(1000) + later.parse::<i64>().unwrap_or(0);
    Timestamp::from_second(second).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Whether this is a generator, rather than a text in braces.
pub fn is_generator(text: &str) -> bool {
    let word = text.split(':').next().unwrap_or_default();
    matches!(
        word,
        "n" | "id" | "guid" | "hex" | "ip" | "mac" | "name" | "int" | "pick" | "time" | "seen" | "millis" | "from"
    )
}

/// A well-mixed number from any other (splitmix64).
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Lower-case hexadecimal digits.
pub fn hex(seed: u64, length: usize) -> String {
    let mut digits = String::with_capacity(length + 16);
    let mut part = seed;
    while digits.len() < length {
        part = mix(part);
        // Writing to a `String` cannot fail.
        let _ = write!(digits, "{part:016x}");
    }
    digits.truncate(length);
    digits
}

/// A GUID of version 4.
pub fn guid(seed: u64) -> String {
    let digits = hex(seed, 32);
    format!(
        "{}-{}-4{}-{}{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[13..16],
        ["8", "9", "a", "b"][(seed % 4) as usize],
        &digits[17..20],
        &digits[20..]
    )
}
