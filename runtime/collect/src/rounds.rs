//! Rounds of a trigger: read a range of time, leave out what was given before, remember where to go on.
//!
//! [`Plan`] decides what a round reads and what it gives; it touches neither network nor disk. [`Rounds`] runs it.

use std::collections::HashMap;
use std::time::Duration;

use connectome_core::connection::Connection;
use connectome_core::connector::Trigger;
use connectome_core::place::Source;
use connectome_core::time::{parse, whole_seconds};
use connectome_core::{Error, ErrorKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An event is remembered for this many rounds after the last in which it was seen.
const REMEMBERED: u32 = 2;

/// What rounds leave behind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Where the last round ended, by the input that says where the first starts.
    ends: HashMap<String, String>,
    /// Events that were given, and how many rounds ago they were last seen.
    seen: HashMap<String, u32>,
}

/// What a trigger reads, from its input and its progress.
#[derive(Debug, Clone)]
pub struct Plan {
    trigger: &'static Trigger,
    input: Map<String, Value>,
    progress: Progress,
}

impl Plan {
    /// A plan that goes on from `progress`.
    pub fn new(trigger: &'static Trigger, input: Map<String, Value>, progress: Progress) -> Self {
        Self { trigger, input, progress }
    }

    /// What rounds so far have left behind.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The action's input for a round at this time.
    pub fn ask(&self, now: Timestamp) -> Map<String, Value> {
        let action = self.trigger.operation.input;
        let mut asked: Map<String, Value> = self
            .input
            .iter()
            .filter(|(name, _)| action.field(name).is_some())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for window in self.trigger.windows {
            let first = self.input.get(window.first).and_then(Value::as_str).and_then(|text| parse(text).ok());
            let last = self
                .progress
                .ends
                .get(window.first)
                .and_then(|text| parse(text).ok())
                .map(|end| earlier(end, window.overlap));
            let start = match (window.fixed, first, last) {
                (true, Some(first), _) => first,
                (_, first, Some(last)) => first.map_or(last, |first| first.max(last)),
                (_, Some(first), None) => first,
                (_, None, None) => now,
            };
            let start = window.at_most.map_or(start, |at_most| start.max(earlier(now, at_most)));
            asked.insert(window.start.to_owned(), json!(whole_seconds(start.min(now), false)));
            asked.insert(window.end.to_owned(), json!(whole_seconds(now, false)));
        }
        asked
    }

    /// The records of a round that were not given before, and the progress once they are.
    pub fn settle(&self, now: Timestamp, records: Vec<Value>) -> (Vec<Value>, Progress) {
        let mut seen: HashMap<String, u32> = self
            .progress
            .seen
            .iter()
            .filter(|(_, age)| **age < REMEMBERED)
            .map(|(id, age)| (id.clone(), age + 1))
            .collect();
        let fresh = match self.trigger.seen {
            None => records,
            Some((_, by)) => records
                .into_iter()
                .filter(|record| {
                    let id = by
                        .iter()
                        .map(|field| record.get(*field).map(Value::to_string).unwrap_or_default())
                        .collect::<Vec<_>>()
                        .join(" ");
                    seen.insert(id, 0).is_none()
                })
                .collect(),
        };
        let ends = self
            .trigger
            .windows
            .iter()
            .filter(|window| !window.fixed)
            .map(|window| (window.first.to_owned(), whole_seconds(now, false)))
            .collect();
        (fresh, Progress { ends, seen })
    }

    /// Takes over the progress of a round that was given.
    pub fn accept(&mut self, progress: Progress) {
        self.progress = progress;
    }

    /// The pause between two rounds.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.input.get(self.trigger.interval).and_then(Value::as_u64).unwrap_or(1))
    }
}

fn earlier(time: Timestamp, seconds: u64) -> Timestamp {
    time.checked_sub(Duration::from_secs(seconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A trigger at work.
#[derive(Debug)]
pub struct Rounds {
    connection: Connection,
    plan: Plan,
}

/// What a round gave.
#[derive(Debug)]
pub struct Round {
    /// The action's output, without what was given before.
    pub event: Value,
    /// How many records were left out because they had been given.
    pub repeated: usize,
    progress: Progress,
}

impl Rounds {
    /// Checks the input and goes on from a saved progress.
    pub fn new(
        connection: Connection,
        trigger: &'static Trigger,
        input: &Value,
        saved: Option<&str>,
    ) -> Result<Self, Error> {
        let input = connectome_core::validate::validate(trigger.input, input, connection.clock().now()).map_err(
            |violations| {
                let count = violations.len();
                Error::new(
                    ErrorKind::Input,
                    format!("the input breaks {count} {}; nothing was sent", if count == 1 { "rule" } else { "rules" }),
                )
                .operation(trigger.name)
                .violations(violations)
                .advice(format!(
                    "see `connectome describe {} {}`",
                    connection.connector().name,
                    trigger.name
                ))
            },
        )?;
        let progress = match saved {
            None => Progress::default(),
            Some(text) => serde_json::from_str(text).map_err(|error| {
                Error::new(
                    ErrorKind::Storage,
                    format!("the saved progress of {} cannot be read: {error}", trigger.name),
                )
                .advice("nothing was changed; without it the trigger starts again where its input says")
            })?,
        };
        Ok(Self { connection, plan: Plan::new(trigger, input, progress) })
    }

    /// Reads one round. Its progress counts only once it is [`accept`](Self::accept)ed.
    pub async fn next(&self) -> Result<Round, Error> {
        let now = self.connection.clock().now();
        let trigger = self.plan.trigger;
        let operation = trigger.operation;
        let asked = Value::Object(self.plan.ask(now));
        let cap = if trigger.uncapped { None } else { operation.cap };
        let mut reading = match self.connection.open_with(operation, &asked, cap).await {
            Ok(reading) => reading,
            Err(error) if self.is_empty(&asked, &error) => {
                let (records, progress) = self.plan.settle(self.connection.service_time(now), Vec::new());
                return Ok(Round { event: nothing(trigger, records), repeated: 0, progress });
            }
            Err(error) => return Err(error.operation(trigger.name)),
        };
        let mut records = Vec::new();
        while let Some(page) = reading.next_page().await? {
            records.extend(page);
        }
        let read = records.len();
        // With a clock ahead of the service's, what it has not seen yet is asked for again.
        let (fresh, progress) = self.plan.settle(self.connection.service_time(now), records);
        let repeated = read - fresh.len();
        Ok(Round { event: reading.finish(fresh)?, repeated, progress })
    }

    /// A status that means an empty round. It counts when the action's own call has it: a task that is waited for and
    /// does not exist is a mistake.
    fn is_empty(&self, asked: &Value, error: &Error) -> bool {
        let (trigger, parts) = (self.plan.trigger, error.parts());
        if !parts.service.as_ref().is_some_and(|service| trigger.empty_on.contains(&service.status)) {
            return false;
        }
        let own = self
            .connection
            .validate(trigger.operation, asked)
            .and_then(|input| self.connection.request(trigger.operation, &input));
        // Of two calls of one action the paths differ.
        own.is_ok_and(|own| parts.request.as_deref().is_some_and(|sent| sent.ends_with(&own.target)))
    }

    /// The round was given: the next goes on after it. Returns the progress to save.
    pub fn accept(&mut self, round: Round) -> String {
        self.plan.accept(round.progress);
        serde_json::to_string(self.plan.progress()).unwrap_or_default()
    }

    /// The pause between two rounds.
    pub fn interval(&self) -> Duration {
        self.plan.interval()
    }
}

/// The output of a round without records.
fn nothing(trigger: &Trigger, records: Vec<Value>) -> Value {
    let mut event = Map::new();
    for output in trigger.operation.output {
        match output.field.source {
            Source::Items => event.insert(output.field.name.to_owned(), Value::Array(records.clone())),
            Source::CountOfItems => event.insert(output.field.name.to_owned(), json!(0)),
            _ => None,
        };
    }
    Value::Object(event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use connectome_core::connector::Window;
    use connectome_core::operation::Operation;
    use connectome_core::place::Place;
    use connectome_core::shape::{Field, Record, Shape};

    static READ: Operation = Operation {
        input: &Record {
            fields: &[
                Field::new("from", Shape::Text, Place::Query("from", ",")),
                Field::new("to", Shape::Text, Place::Query("to", ",")),
            ],
            ..Record::named("read")
        },
        ..Operation::named("read")
    };
    static POLL: Trigger = Trigger {
        name: "poll",
        title: "Poll",
        operation: &READ,
        input: &Record::named("poll"),
        interval: "interval",
        windows: &[Window {
            first: "start",
            start: "from",
            end: "to",
            fixed: false,
            overlap: 60,
            at_most: Some(86_400),
        }],
        seen: Some(("items", &["id"])),
        empty_on: &[],
        uncapped: false,
    };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn plan() -> Plan {
        let input = json!({ "start": "2024-06-11T00:00:00Z", "interval": 1800 });
        Plan::new(&POLL, input.as_object().unwrap().clone(), Progress::default())
    }

    #[test]
    fn windows_overlap_and_nothing_is_given_twice() {
        let mut plan = plan();
        let first = at("2024-06-11T01:00:00Z");
        assert_eq!(
            Value::Object(plan.ask(first)),
            json!({ "from": "2024-06-11T00:00:00Z", "to": "2024-06-11T01:00:00Z" })
        );
        let (fresh, progress) = plan.settle(first, vec![json!({ "id": 1 }), json!({ "id": 2 }), json!({ "id": 1 })]);
        assert_eq!(fresh.len(), 2);
        plan.accept(progress);
        let second = at("2024-06-11T01:30:00Z");
        assert_eq!(
            Value::Object(plan.ask(second)),
            json!({ "from": "2024-06-11T00:59:00Z", "to": "2024-06-11T01:30:00Z" })
        );
        let (fresh, _) = plan.settle(second, vec![json!({ "id": 2 }), json!({ "id": 3 })]);
        assert_eq!(fresh, [json!({ "id": 3 })]);
    }

    #[test]
    fn a_round_that_is_not_accepted_is_read_again() {
        let plan = plan();
        let (_, _) = plan.settle(at("2024-06-11T01:00:00Z"), vec![json!({ "id": 1 })]);
        assert_eq!(plan.ask(at("2024-06-11T01:30:00Z"))["from"], "2024-06-11T00:00:00Z");
    }

    #[test]
    fn a_start_beyond_what_the_service_answers_moves_up() {
        assert_eq!(plan().ask(at("2024-06-20T00:00:00Z"))["from"], "2024-06-19T00:00:00Z");
    }

    #[test]
    fn what_is_remembered_stays_bounded() {
        let mut plan = plan();
        for round in 0..100_u32 {
            let now = Timestamp::from_second(at("2024-06-11T01:00:00Z").as_second() + i64::from(round) * 60).unwrap();
            let (_, progress) = plan.settle(now, (0..10).map(|n| json!({ "id": round * 10 + n })).collect());
            plan.accept(progress);
        }
        assert!(plan.progress().seen.len() <= 30, "{}", plan.progress().seen.len());
    }
}
