//! How collections fare: how far they have come, what they delivered, what is missing.

use std::path::{Path, PathBuf};

use connectome_collect::checkpoint::{Gap, Goal, Receipt};
use connectome_collect::ledger::{Database, Entry};
use connectome_collect::snapshot::{Progress, Reading};
use connectome_collect::state::State;
use connectome_core::Error;
use connectome_sinks::destination::Destination;
use jiff::{Timestamp, Unit};
use serde_json::{Value, json};

use super::Chosen;
use crate::World;
use crate::arguments::{Collect as Verb, Form};
use crate::configuration::state_path;
use crate::exit::Outcome;
use crate::print;
use crate::subject::Subject;

/// How many of the last receipts are shown in JSON.
const RECEIPTS: u32 = 100;

pub fn run(world: &World, verb: &Verb, subject: &Subject, chosen: &Chosen) -> Outcome {
    let mut shown = Vec::new();
    let now = Timestamp::now();
    let wanted = verb.to.as_deref().map(Destination::parse).transpose()?.map(|to| to.name());
    for database in databases(world, verb)? {
        for entry in database.entries(&format!("collect/{}/", subject.name))? {
            let mut parts = entry.name.splitn(4, '/').skip(2);
            let (stream, destination) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            if wanted.as_ref().is_some_and(|wanted| wanted != destination) {
                continue;
            }
            let plain = stream.trim_end_matches("#history");
            if !verb.streams.is_empty() && !chosen.names().any(|known| known == plain) {
                continue;
            }
            let receipts = database.receipts(&entry.name, RECEIPTS)?;
            shown.push(Shown {
                stream: stream.to_owned(),
                destination: destination.to_owned(),
                receipts: receipts.iter().map(receipt).collect(),
                entry,
            });
        }
    }
    match world.arguments.output {
        Form::Text if shown.is_empty() => print::line(&format!("nothing of {} was collected yet", subject.name)),
        Form::Text => text(&shown, now),
        Form::Json => print::json(&shown.iter().map(|it| it.json(now)).collect()),
        Form::Jsonl => shown.iter().try_for_each(|it| print::json_line(&it.json(now))),
    }
}

/// The local state, and every database that events were collected into.
pub fn places(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut paths = vec![path.to_path_buf()];
    let entries = State::open(path)?.entries()?;
    let known = entries.iter().filter_map(|entry| entry.key.strip_prefix(super::run::KEPT_IN)).map(PathBuf::from);
    paths.extend(known.filter(|path| path.exists()));
    Ok(paths)
}

fn databases(world: &World, verb: &Verb) -> Result<Vec<Database>, Error> {
    let mut paths = places(&state_path(world)?)?;
    if let Some(to) = &verb.to
        && let Destination::Sqlite(kept) = Destination::parse(to)?
        && kept.exists()
        && !paths.contains(&kept)
    {
        paths.push(kept);
    }
    paths.iter().map(|path| Database::open(path, false)).collect()
}

struct Shown {
    stream: String,
    destination: String,
    receipts: Value,
    entry: Entry,
}

impl Shown {
    fn state(&self) -> String {
        let health = &self.entry.health;
        match (&health.lacks, &health.error) {
            (Some(permission), _) => format!("refused: the key lacks {permission:?}"),
            (None, Some(_)) => format!("failing, {} in a row", plural(health.failures, "round")),
            (None, None) if health.well.is_some() => "healthy".to_owned(),
            (None, None) => "not finished a round yet".to_owned(),
        }
    }

    /// A row of the table of snapshots.
    fn row(&self, now: Timestamp) -> Vec<String> {
        let progress = self.entry.progress.as_ref();
        let whole = progress.and_then(|it| it.whole);
        let last = progress.and_then(|it| it.last);
        let number = |read: fn(&Reading) -> u64| last.as_ref().map_or_else(String::new, |it| read(it).to_string());
        let cut = last.is_some_and(|it| it.cut);
        vec![
            self.stream.clone(),
            whole.map_or_else(|| "never".to_owned(), time),
            whole.map_or_else(String::new, |whole| lag(now.as_second() - whole)),
            format!("{}{}", number(|it| it.records), if cut { " (cut)" } else { "" }),
            number(|it| it.new),
            number(|it| it.changed),
            number(|it| it.again),
            number(|it| it.gone),
            self.state(),
        ]
    }

    fn json(&self, now: Timestamp) -> Value {
        let health = &self.entry.health;
        let mut shown = json!({
            "stream": self.stream,
            "destination": self.destination,
            "state": self.state(),
            "healthy": health.error.is_none(),
            "updated": time(self.entry.updated.as_second()),
            "well": health.well.map(time),
            "failures": health.failures,
            "error": health.error,
            "lacks_permission": health.lacks,
        });
        if let Some(it) = &self.entry.checkpoint {
            shown["first"] = json!(time(it.first));
            shown["complete_before"] = json!(time(it.closed));
            shown["read_before"] = json!(time(it.fresh));
            shown["lag_seconds"] = json!((now.as_second() - it.fresh).max(0));
            shown["counts"] = json!(it.counts);
            let gap = |gap: &Gap| {
                json!({ "from": time(gap.from), "to": time(gap.to), "found": time(gap.found), "missing": missing(gap),
                    "reason": "the service keeps them no longer, and nobody can read them any more; collect more often than that" })
            };
            shown["gaps"] = it.gaps.iter().map(gap).collect();
        }
        if let Some(it) = &self.entry.progress {
            shown["whole_at"] = json!(it.whole.map(time));
            shown["reading_since"] = json!(it.begun.map(time));
            shown["last_reading"] = reading(it);
            shown["counts"] = json!(it.totals);
            return shown;
        }
        shown["receipts"] = self.receipts.clone();
        shown
    }
}

/// The last reading of a snapshot.
pub fn reading(progress: &Progress) -> Value {
    progress.last.as_ref().map_or(Value::Null, |it| {
        json!({
            "begun": time(it.begun), "ended": time(it.ended), "pages": it.pages, "records": it.records, "new": it.new,
            "changed": it.changed, "sent_again": it.again, "gone": it.gone, "cut": it.cut,
        })
    })
}

/// What a gap may lack: every event, what came late, or what came later still.
fn missing(gap: &Gap) -> &'static str {
    match gap.goal {
        Goal::Fresh => "events",
        Goal::Close => "late",
        Goal::Again => "later",
    }
}

fn receipt(it: &Receipt) -> Value {
    json!({
        "goal": it.goal, "from": time(it.from), "to": time(it.to), "asked": time(it.asked), "pages": it.pages,
        "events": it.events, "total": it.total, "digest": it.digest,
    })
}

const SNAPSHOT_HEADS: [&str; 9] =
    ["snapshot", "whole at", "age", "records", "new", "changed", "again", "gone", "health"];

fn text(shown: &[Shown], now: Timestamp) -> Outcome {
    let (snapshots, streams): (Vec<&Shown>, Vec<&Shown>) = shown.iter().partition(|it| it.entry.progress.is_some());
    let rows = streams.iter().map(|it| {
        let point = it.entry.checkpoint.as_ref();
        let number = |read: fn(&connectome_collect::checkpoint::Checkpoint) -> u64| {
            point.map(read).map_or_else(String::new, |number| number.to_string())
        };
        vec![
            it.stream.clone(),
            point.map_or_else(String::new, |it| time(it.closed)),
            point.map_or_else(String::new, |it| lag(now.as_second() - it.fresh)),
            number(|it| it.counts.delivered),
            number(|it| it.counts.repeated),
            number(|it| it.counts.late),
            number(|it| it.gaps.len() as u64),
            it.state(),
        ]
    });
    let heads = ["stream", "complete before", "lag", "events", "repeated", "late", "gaps", "health"];
    if !streams.is_empty() {
        print::text(&print::table(&heads, rows))?;
    }
    if !snapshots.is_empty() {
        print::text(&print::table(&SNAPSHOT_HEADS, snapshots.iter().map(|it| it.row(now))))?;
    }
    for it in shown {
        let head = || format!("{} to {}", it.stream, it.destination);
        for gap in it.entry.checkpoint.iter().flat_map(|it| &it.gaps) {
            let what = match gap.goal {
                Goal::Fresh => "events are missing",
                Goal::Close => "events that came late may be missing",
                Goal::Again => "events that came later still may be missing",
            };
            let (from, to) = (time(gap.from), time(gap.to));
            print::line(&format!(
                "\n{}: {what} from {from} to {to}: the service keeps them no longer, and nobody can read them any more; collect more often than that",
                head()
            ))?;
        }
        if let Some(error) = &it.entry.health.error {
            print::line(&format!("\n{}: {error}", head()))?;
        }
    }
    Ok(())
}

/// A span of time in the two largest units that it has.
pub fn lag(seconds: i64) -> String {
    let span = jiff::Span::new().seconds(seconds.max(0));
    let smallest = if seconds >= 86_400 {
        Unit::Hour
    } else if seconds >= 3600 {
        Unit::Minute
    } else {
        Unit::Second
    };
    let round = jiff::SpanRound::new().largest(Unit::Day).smallest(smallest).days_are_24_hours();
    span.round(round).map_or_else(|_| format!("{seconds}s"), |span| format!("{span:#}"))
}

pub fn plural(number: u64, one: &str) -> String {
    if number == 1 { format!("{number} {one}") } else { format!("{number} {one}s") }
}

pub fn time(second: i64) -> String {
    Timestamp::from_second(second).unwrap_or_default().to_string()
}
