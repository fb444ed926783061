//! What happened at the simulated service: events, when each happened and when it shows.

use serde_json::{Value, json};

use super::random::Random;

/// An event of the simulated service. Times are milliseconds since 1970.
#[derive(Debug, Clone)]
pub struct Event {
    /// When it happened.
    pub time: i64,
    /// When it can first be read.
    pub visible: i64,
    /// The record, as JSON.
    pub record: String,
}

/// What kind of events a history has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Whether events have ids; otherwise their content names them, and some are equal.
    pub named: bool,
    /// Whether times are milliseconds since 1970.
    pub epoch: bool,
    /// Whether times have fractions of a second.
    pub fractions: bool,
    /// One record in this many is something else than an event; none when 0.
    pub poison: i64,
}

/// A history between two seconds.
pub fn history(random: &mut Random, kind: Kind, (from, to): (i64, i64), late_by: i64, beyond: i64) -> Vec<Event> {
    let mut events = Vec::new();
    let bursts = random.between(1, 6);
    for _ in 0..bursts {
        let start = random.between(from, to - 1);
        // All at once, or spread over a while.
        let spread = random.pick(&[0, 0, 1, 30, 600, (to - from).max(1)]);
        for _ in 0..random.between(1, 40) {
            let second = random.between(start, (start + spread).min(to - 1));
            let fraction = if kind.fractions { random.pick(&[0, 0, 1, 417, 999]) } else { 0 };
            let time = second * 1000 + fraction;
            let delay = match random.between(0, 3) {
                0 | 1 => 0,
                2 => random.between(0, late_by * 1000),
                _ => late_by * 1000,
            };
            let delay = if beyond > 0 && random.once_in(6) { (late_by + beyond) * 1000 } else { delay };
            let record = record(random, kind, events.len(), time);
            events.push(Event { time, visible: time + delay, record });
            // Equal records are a fact of logs without ids.
            if !kind.named && random.once_in(4) {
                let copy: &Event = &events[events.len() - 1];
                let copy = Event { visible: copy.visible, ..copy.clone() };
                events.push(copy);
            }
        }
    }
    events.sort_by_key(|event| event.time);
    events
}

fn record(random: &mut Random, kind: Kind, number: usize, time: i64) -> String {
    if kind.poison > 0 && random.once_in(kind.poison) {
        // What is no event still has to be different from the next, or it would be the same one.
        return match random.between(0, 6) {
            0 => json!({ "id": format!("p{number}"), "at": "yesterday" }),
            1 => json!({ "id": format!("p{number}") }),
            2 => json!({ "id": { "odd": number }, "at": null }),
            3 => json!({ "at": [number] }),
            4 => json!(number),
            5 => json!(format!("text {number}")),
            _ => json!([number, {}]),
        }
        .to_string();
    }
    let at: Value = if kind.epoch { json!(time) } else { json!(text(time)) };
    let mut record = json!({ "at": at, "who": random.between(1, 3) });
    if kind.named {
        record["id"] = json!(format!("e{number}"));
    }
    record.to_string()
}

fn text(time: i64) -> String {
    jiff::Timestamp::from_millisecond(time).expect("a time").to_string()
}
