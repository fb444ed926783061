//! Streams into a destination, each on its own, until somebody stops it or there is nothing to read for now.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connectome_collect::collector::{Budget, Collector, Ended, Meter, Range};
use connectome_collect::ledger::{Database, Health, SqliteLedger};
use connectome_collect::prepare::Preparation;
use connectome_collect::source::Service;
use connectome_collect::state::State;
use connectome_core::retry::pause;
use connectome_core::stream::Stream;
use connectome_core::{Connection, Error, ErrorKind};
use connectome_sinks::destination::Destination;
use connectome_sinks::outlet::Outlet;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::status::{lag, plural, time};
use super::{Out, Subject, collection, limits, mode, page_size, progress, synchronise};
use crate::World;
use crate::arguments::{Collect as Verb, Form};
use crate::configuration::{bare_settings, connect, state_path};
use crate::exit::{Outcome, interrupted, is_passing};
use crate::{print, when};

/// The beginning of the notes that say which databases events were collected into.
pub const KEPT_IN: &str = "collect-into/";

/// How long streams get to end in good order.
const GRACE: Duration = Duration::from_secs(30);

type Stretch = Collector<Service, Out, SqliteLedger>;

/// One stream, or the history of one, at work.
struct Lane {
    name: String,
    stream: &'static Stream,
    collector: Stretch,
    health: Health,
}

/// How lanes go on.
#[derive(Debug, Clone)]
struct Manner {
    once: bool,
    every: Duration,
    budget: Budget,
    stop: Arc<Notify>,
}

pub async fn run(world: &World, verb: &Verb, subject: &Subject, streams: &[&'static Stream]) -> Outcome {
    let to = verb.to.as_deref().unwrap_or_default();
    let destination = Destination::parse(to)?;
    let manner = Manner {
        once: verb.once,
        every: Duration::from_secs(when::seconds("--every", &verb.every)?.max(1)),
        budget: Budget { events: verb.max_events, pages: None },
        stop: Arc::new(Notify::new()),
    };
    let first =
        |now: i64| when::moment("--first-fetch", &verb.first_fetch, Timestamp::from_second(now).unwrap_or_default());
    first(Timestamp::now().as_second())?;
    for stream in streams {
        limits(verb, stream)?;
    }
    let path = state_path(world)?;
    let connection = connect(world, subject.connector, &subject.access)?;
    let state = State::open(&path)?;
    let (kept, out) = match &destination {
        Destination::Sqlite(database) => {
            state.save(&format!("{KEPT_IN}{}", database.display()), "{}")?;
            (Some(database.clone()), Out::Kept)
        }
        _ => {
            let dead_letters = path.with_file_name("dead-letters.jsonl");
            let outlet = Outlet::open(&destination, bare_settings(world, &verb.access), &dead_letters)?;
            outlet.warnings().iter().for_each(|warning| print::tell(&format!("warning: {warning}")));
            (None, Out::shared(outlet))
        }
    };
    let stop = interrupted();
    tokio::pin!(stop);
    let now = tokio::select! {
        biased;
        () = &mut stop => return Err(stopped()),
        now = meet(&connection, verb, &manner) => now?,
    };
    let place = Place {
        subject,
        connection: &connection,
        path: kept.unwrap_or(path),
        keeps: matches!(out, Out::Kept),
        out,
        to: destination.name(),
    };
    let mut lanes = Vec::new();
    for &stream in streams {
        lanes.extend(place.lanes(verb, stream, first(now)?, now)?);
    }
    let meters: Vec<_> = lanes.iter().map(|lane| (lane.stream.name, lane.collector.meter())).collect();
    let count = lanes.len();
    let mut tasks = JoinSet::new();
    for lane in lanes {
        tasks.spawn(lane.follow(manner.clone()));
    }
    let (ended, was_stopped) = tokio::select! {
        biased;
        ended = attend(&mut tasks, stop.as_mut(), &meters, &manner) => ended,
        () = progress::show(meters.clone()) => (Vec::new(), false),
    };
    progress::clear();
    summary(world, &destination, &ended)?;
    if was_stopped {
        return Err(stopped());
    }
    let failed = ended.into_iter().filter_map(|(lane, outcome)| Some((lane.stream.name, outcome.err()?))).collect();
    outcome(failed, count)
}

/// The service's time, once it answers: who collects until he is stopped waits for it.
async fn meet(connection: &Connection, verb: &Verb, manner: &Manner) -> Result<i64, Error> {
    let mut tries = 1;
    loop {
        match synchronise(connection, verb).await {
            Err(error) if !manner.once && is_passing(&error) => {
                let wait = pause(tries, 0.0).min(manner.every);
                print::tell(&format!("warning: {error}\n  it is tried again in {} seconds", wait.as_secs()));
                tokio::time::sleep(wait).await;
                tries += 1;
            }
            met => return met,
        }
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Interrupted, "interrupted; the next run goes on where this one ended")
}

/// Waits for all lanes. A signal lets each finish its page.
async fn attend(
    tasks: &mut JoinSet<(Lane, Outcome)>,
    mut stop: std::pin::Pin<&mut impl Future<Output = ()>>,
    meters: &[(&'static str, Arc<Meter>)],
    manner: &Manner,
) -> (Vec<(Lane, Outcome)>, bool) {
    let mut ended = Vec::new();
    let mut was_stopped = false;
    let deadline = tokio::time::sleep(Duration::MAX / 4);
    tokio::pin!(deadline);
    loop {
        tokio::select! {
            biased;
            () = &mut stop, if !was_stopped => {
                was_stopped = true;
                meters.iter().for_each(|(_, meter)| meter.stop.store(true, Ordering::Relaxed));
                manner.stop.notify_waiters();
                deadline.as_mut().reset(tokio::time::Instant::now() + GRACE);
            }
            () = &mut deadline => {
                tasks.abort_all();
                return (ended, was_stopped);
            }
            task = tasks.join_next() => match task {
                Some(Ok(lane)) => ended.push(lane),
                Some(Err(_)) => {}
                None => return (ended, was_stopped),
            },
        }
    }
}

/// Where lanes begin and end.
struct Place<'a> {
    subject: &'a Subject,
    connection: &'a Connection,
    path: PathBuf,
    keeps: bool,
    out: Out,
    to: String,
}

impl Place<'_> {
    /// A stream's lane, and that of its history where that is collected apart so that what is new need not wait.
    fn lanes(&self, verb: &Verb, stream: &'static Stream, first: i64, now: i64) -> Result<Vec<Lane>, Error> {
        let name = collection(&self.subject.name, stream, &self.to);
        let past = name.replacen(stream.name, &format!("{}#history", stream.name), 1);
        let known = Database::open(&self.path, self.keeps)?.entries(&format!("collect/{}/", self.subject.name))?;
        let find =
            |name: &str| known.iter().find(|entry| entry.name == name).and_then(|entry| entry.checkpoint.clone());
        let new = find(&name).is_none();
        let history = match find(&past) {
            Some(history) => !history.is_done(),
            None => new && verb.backfill && first < now,
        };
        let mut lanes = Vec::new();
        let live = if new && history { now } else { first };
        lanes.push(self.lane(verb, stream, name, Range { first: live, until: None })?);
        if history {
            lanes.push(self.lane(verb, stream, past, Range { first, until: Some(now) })?);
        }
        Ok(lanes)
    }

    fn lane(&self, verb: &Verb, stream: &'static Stream, name: String, range: Range) -> Result<Lane, Error> {
        let ledger = Database::open(&self.path, self.keeps)?.ledger(&name)?;
        let health = ledger.health()?;
        let limits = limits(verb, stream)?;
        let service = Service::new(self.connection.clone(), stream, page_size(verb, stream), limits.margin)?;
        let preparation = Preparation::new(stream, mode(verb));
        let collector = Collector::open(stream, limits, range, preparation, (service, self.out.clone(), ledger))?;
        Ok(Lane { name, stream, collector, health })
    }
}

impl Lane {
    /// Rounds until there is no reason for another.
    async fn follow(mut self, manner: Manner) -> (Self, Outcome) {
        loop {
            let result = self.collector.round(manner.budget).await;
            if let Err(error) = self.note(&result) {
                return (self, Err(error));
            }
            let wait = match result {
                Ok(Ended::Done | Ended::Stopped) => return (self, Ok(())),
                Ok(Ended::Rested | Ended::Paused) if manner.once => return (self, Ok(())),
                Ok(Ended::Paused) => Duration::ZERO,
                Ok(Ended::Rested) => manner.every,
                Err(error) if manner.once || !is_passing(&error) => return (self, Err(error)),
                Err(error) => {
                    let failures = u32::try_from(self.health.failures).unwrap_or(u32::MAX);
                    let wait = pause(failures, 0.0).min(manner.every);
                    let (stream, seconds) = (self.stream.name, wait.as_secs());
                    print::tell(&format!(
                        "warning: {stream}: {error}\n  it is tried again in {seconds} seconds; nothing is lost"
                    ));
                    wait
                }
            };
            let told = manner.stop.notified();
            if self.collector.meter().stop.load(Ordering::Relaxed) {
                return (self, Ok(()));
            }
            tokio::select! {
                biased;
                () = told => return (self, Ok(())),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn note(&mut self, result: &Result<Ended, Error>) -> Outcome {
        self.health = match result {
            Ok(_) => Health { well: Some(Timestamp::now().as_second()), ..Health::default() },
            Err(error) => Health {
                well: self.health.well,
                error: Some(error.to_string()),
                lacks: (error.kind() == ErrorKind::Permission).then(|| self.stream.permission.to_owned()),
                failures: self.health.failures + 1,
            },
        };
        self.collector.ledger().set_health(&self.health)
    }
}

/// How a command ends of whose streams these failed.
pub fn outcome(failed: Vec<(&'static str, Error)>, count: usize) -> Outcome {
    let names: Vec<&str> = failed.iter().map(|(name, _)| *name).collect();
    let (all, names) = (failed.len() == count, names.join(", "));
    match failed.into_iter().map(|(_, error)| error).next() {
        None => Ok(()),
        Some(error) if count == 1 => Err(error),
        Some(error) if all => Err(Error::new(error.kind(), "no stream could be collected").advice(
            "each stream's own message says why; run it again once that is mended, and it goes on where it stopped",
        )),
        Some(_) => Err(Error::new(ErrorKind::Partial, format!("not collected: {names}"))
            .advice("the other streams are collected; `connectome collect … --status` shows each")),
    }
}

/// What was done, on standard output unless the events are there.
fn summary(world: &World, destination: &Destination, ended: &[(Lane, Outcome)]) -> Outcome {
    for (lane, outcome) in ended {
        if let (Err(error), true) = (outcome, ended.len() > 1) {
            print::tell(&format!("error: {}: {error}", lane.stream.name));
        }
    }
    let say = |line: &str| match destination {
        Destination::Stdout { .. } => {
            print::tell(line);
            Ok(())
        }
        _ => print::line(line),
    };
    if world.arguments.output != Form::Text {
        let lanes: Vec<_> = ended
            .iter()
            .map(|(lane, outcome)| {
                let it = lane.collector.checkpoint();
                json!({
                    "collection": lane.name, "stream": lane.stream.name, "ok": outcome.is_ok(),
                    "delivered": lane.collector.meter().delivered.load(Ordering::Relaxed),
                    "complete_before": time(it.closed), "read_before": time(it.fresh), "counts": it.counts,
                    "gaps": it.gaps.len(),
                })
            })
            .collect();
        return say(&json!({ "collected": lanes }).to_string());
    }
    for (lane, outcome) in ended.iter().filter(|(_, outcome)| outcome.is_ok()) {
        let _ = outcome;
        let it = lane.collector.checkpoint();
        let events = plural(lane.collector.meter().delivered.load(Ordering::Relaxed), "event");
        let behind = lag(Timestamp::now().as_second() - it.fresh);
        let gaps =
            if it.gaps.is_empty() { String::new() } else { format!(", {}", plural(it.gaps.len() as u64, "gap")) };
        say(&format!("{}: {events}, complete before {}, {behind} behind{gaps}", lane.stream.name, time(it.closed)))?;
    }
    Ok(())
}
