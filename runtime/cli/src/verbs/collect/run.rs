//! Streams into a destination, each on its own, until somebody stops it or there is nothing to read for now.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connectome_collect::collector::{Budget, Meter};
use connectome_collect::state::State;
use connectome_core::retry::pause;
use connectome_core::{Connection, Error, ErrorKind};
use connectome_sinks::destination::Destination;
use connectome_sinks::outlet::Outlet;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::subject::Subject;

use super::lane::{Lane, Manner, Place, Work};
use super::status::{lag, plural, time};
use super::{Chosen, Out, limits, progress, rules, synchronise};
use crate::World;
use crate::arguments::{Collect as Verb, Form};
use crate::configuration::{bare_settings, connect, state_path};
use crate::exit::{Outcome, interrupted, is_passing};
use crate::{print, when};

/// The beginning of the notes that say which databases events were collected into.
pub const KEPT_IN: &str = "collect-into/";

/// How long streams get to end in good order.
const GRACE: Duration = Duration::from_secs(30);

pub async fn run(world: &World, verb: &Verb, subject: &Subject, chosen: &Chosen) -> Outcome {
    let to = verb.to.as_deref().unwrap_or_default();
    let destination = Destination::parse(to)?;
    let manner = Manner {
        once: verb.once,
        every: verb
            .every
            .as_ref()
            .map(|text| Ok::<_, Error>(Duration::from_secs(when::seconds("--every", text)?.max(1))))
            .transpose()?,
        budget: Budget { events: verb.max_events, pages: None },
        stop: Arc::new(Notify::new()),
    };
    let first =
        |now: i64| when::moment("--first-fetch", &verb.first_fetch, Timestamp::from_second(now).unwrap_or_default());
    first(Timestamp::now().as_second())?;
    for stream in &chosen.streams {
        limits(verb, stream)?;
    }
    for snapshot in &chosen.snapshots {
        rules(verb, snapshot)?;
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
    for &stream in &chosen.streams {
        lanes.extend(place.lanes(verb, stream, first(now)?, now)?);
    }
    for &snapshot in &chosen.snapshots {
        lanes.push(place.snapshot(verb, snapshot)?);
    }
    let meters: Vec<_> = lanes.iter().map(|lane| (lane.name, lane.work.meter())).collect();
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
    let failed = ended.into_iter().filter_map(|(lane, outcome)| Some((lane.name, outcome.err()?))).collect();
    outcome(failed, count)
}

/// The service's time, once it answers: who collects until he is stopped waits for it.
async fn meet(connection: &Connection, verb: &Verb, manner: &Manner) -> Result<i64, Error> {
    let mut tries = 1;
    loop {
        match synchronise(connection, verb).await {
            Err(error) if !manner.once && is_passing(&error) => {
                let wait = manner.every.map_or(pause(tries, 0.0), |every| every.min(pause(tries, 0.0)));
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
            print::tell(&format!("error: {}: {error}", lane.name));
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
        let lanes: Vec<_> = ended.iter().map(|(lane, outcome)| told(lane, outcome.is_ok())).collect();
        return say(&json!({ "collected": lanes }).to_string());
    }
    for (lane, _) in ended.iter().filter(|(_, outcome)| outcome.is_ok()) {
        say(&line(lane))?;
    }
    Ok(())
}

fn told(lane: &Lane, ok: bool) -> serde_json::Value {
    let delivered = lane.work.meter().delivered.load(Ordering::Relaxed);
    match &lane.work {
        Work::Stream(collector) => {
            let it = collector.checkpoint();
            json!({
                "collection": lane.collection, "stream": lane.name, "ok": ok, "delivered": delivered,
                "complete_before": time(it.closed), "read_before": time(it.fresh), "counts": it.counts,
                "gaps": it.gaps.len(),
            })
        }
        Work::Snapshot(poller) => {
            let it = poller.progress();
            json!({
                "collection": lane.collection, "snapshot": lane.name, "ok": ok, "delivered": delivered,
                "reading": super::status::reading(it), "counts": it.totals,
            })
        }
    }
}

fn line(lane: &Lane) -> String {
    let delivered = lane.work.meter().delivered.load(Ordering::Relaxed);
    match &lane.work {
        Work::Stream(collector) => {
            let it = collector.checkpoint();
            let behind = lag(Timestamp::now().as_second() - it.fresh);
            let gaps =
                if it.gaps.is_empty() { String::new() } else { format!(", {}", plural(it.gaps.len() as u64, "gap")) };
            let events = plural(delivered, "event");
            format!("{}: {events}, complete before {}, {behind} behind{gaps}", lane.name, time(it.closed))
        }
        Work::Snapshot(poller) => {
            let documents = plural(delivered, "document");
            match poller.progress().last.filter(|_| poller.progress().begun.is_none()) {
                Some(last) => format!(
                    "{}: {documents} of {} in {}: {} new, {} changed, {} sent again, {} gone",
                    lane.name,
                    plural(last.records, "record"),
                    plural(last.pages, "page"),
                    last.new,
                    last.changed,
                    last.again,
                    last.gone
                ),
                None => format!("{}: {documents}; the reading has not come to its end", lane.name),
            }
        }
    }
}
