//! A scene of the demonstration: a burst of events is collected by a process that is killed on the way, and by another
//! that goes on. What the service has and what was kept are compared, byte by byte.

use std::collections::BTreeMap;
use std::path::Path;

use connectome_collect::ledger::Database;
use connectome_core::stream::Stream;
use connectome_core::{Error, ErrorKind};
use connectome_sim::{Options, Running, Service, Simulator, serve};

use super::TOKEN;
use super::process::{Collecting, LATENCY, forget};
use crate::exit::Outcome;
use crate::print;

/// Times as many records as there are otherwise.
const BURST: usize = 100;

/// A process is killed when it has kept more than this share of all events.
const SHARES: [usize; 2] = [20, 60];

pub async fn show(service: &'static Service, folder: &Path) -> Outcome {
    let mut options = Options::new(TOKEN);
    (options.scale, options.latency) = (BURST, LATENCY);
    let served = serve(Simulator::new(service, options), ([127, 0, 0, 1], 0).into(), None)
        .await
        .map_err(|error| Error::new(ErrorKind::Connect, format!("no loopback port could be opened: {error}")))?;
    let happened = happened(service, &served);
    let all: usize = happened.iter().map(|(_, events)| events.len()).sum();
    let events = folder.join("demo-events.sqlite");
    let run = Collecting {
        connector: service.connector,
        url: served.url(),
        to: format!("sqlite:{}", events.display()),
        state: folder.join("demo-collect.sqlite"),
        further: &["--transforms", "none"],
    };
    forget(&events);
    forget(&run.state);
    let name = service.connector.name;
    print::line(&format!("    {all} events happened within a day"))?;
    print::line(&format!("  $ connectome collect {name} --to sqlite:demo-events.sqlite --once"))?;
    for share in SHARES {
        run.killed((all * share / 100) as u64, "events", || kept(&events)).await?;
    }
    run.to_its_end("the collection").await?;
    compare(&events, &happened)
}

/// How many events are kept.
fn kept(events: &Path) -> u64 {
    let entries = || Database::open(events, true).and_then(|database| database.entries("collect/"));
    let known = if events.exists() { entries().unwrap_or_default() } else { Vec::new() };
    known.iter().filter_map(|entry| entry.checkpoint.as_ref()).map(|point| point.counts.delivered).sum()
}

type Happened = Vec<(&'static Stream, Vec<String>)>;

/// Every event of each stream that is collected, as the service writes it.
fn happened(service: &'static Service, served: &Running) -> Happened {
    let streams = service.connector.streams.iter().copied().filter(|stream| !stream.on_request);
    let of = |stream: &Stream| {
        let call = stream.read.call;
        let found = service.calls.iter().find(|it| it.method == call.method && it.path == call.path);
        found.and_then(|behaviour| behaviour.of).map_or_else(Vec::new, |of| served.simulator.records(of))
    };
    streams.map(|stream| (stream, of(stream))).collect()
}

/// Says what is missing and what came twice; neither may be.
fn compare(kept: &Path, happened: &Happened) -> Outcome {
    let database = Database::open(kept, true)?;
    let mut rows = Vec::new();
    let mut wrong = 0;
    for (stream, events) in happened {
        let kept = database.events(stream.name)?;
        let mut balance: BTreeMap<&str, i64> = BTreeMap::new();
        events.iter().for_each(|event| *balance.entry(event).or_default() += 1);
        kept.iter().for_each(|event| *balance.entry(event).or_default() -= 1);
        let lost: i64 = balance.values().filter(|left| **left > 0).sum();
        let twice: i64 = -balance.values().filter(|left| **left < 0).sum::<i64>();
        wrong += lost + twice;
        let numbers = [events.len() as i64, kept.len() as i64, lost, twice];
        rows.push(std::iter::once(stream.name.to_owned()).chain(numbers.map(|it| it.to_string())).collect());
    }
    print::line("  What the service has, and what was kept, compared byte by byte:")?;
    for line in print::table(&["stream", "happened", "kept", "lost", "twice"], rows).lines() {
        print::line(&format!("    {line}"))?;
    }
    match wrong {
        0 => Ok(()),
        _ => Err(Error::new(ErrorKind::Partial, "events were lost or came twice")),
    }
}
