//! `connectome collect`

mod lane;
mod look;
mod out;
mod progress;
mod run;
mod status;

use connectome_collect::plan::Limits;
use connectome_collect::prepare::Mode;
use connectome_collect::snapshot::Rules;
use connectome_core::connector::Connector;
use connectome_core::snapshot::Snapshot;
use connectome_core::stream::Stream;
use connectome_core::{Connection, Error, ErrorKind};
use jiff::Timestamp;

use crate::World;
use crate::arguments::{Collect as Verb, Transforms};
use crate::exit::Outcome;
use crate::subject::Subject;
use crate::{near, when};

pub use out::Out;
pub use status::places;

pub async fn run(world: &World, verb: &Verb) -> Outcome {
    let subject = Subject::find(world, &verb.name, &verb.access)?;
    if !subject.connector.is_collected() {
        let with: Vec<&str> =
            world.connectors.iter().filter(|it| it.is_collected()).map(|connector| connector.name).collect();
        return Err(Error::new(ErrorKind::Input, format!("{} has no streams of events", subject.connector.title))
            .advice(format!("these have: {}", with.join(", "))));
    }
    let chosen = chosen(subject.connector, &verb.streams)?;
    if verb.status {
        return status::run(world, verb, &subject, &chosen);
    }
    when::seconds("--max-skew", &verb.max_skew)?;
    fitting(verb, &chosen)?;
    match verb.from {
        Some(_) => look::run(world, verb, &subject, &chosen.streams).await,
        None => run::run(world, verb, &subject, &chosen).await,
    }
}

/// What is collected.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// Streams of events.
    pub streams: Vec<&'static Stream>,
    /// Lists that are read as a whole each time.
    pub snapshots: Vec<&'static Snapshot>,
}

impl Chosen {
    /// The names of all of them.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.streams.iter().map(|it| it.name).chain(self.snapshots.iter().map(|it| it.name))
    }
}

/// What has these names, in the connector's order; without any, everything but what must be named.
pub fn chosen(connector: &'static Connector, names: &[String]) -> Result<Chosen, Error> {
    let (streams, snapshots) = (connector.streams.iter().copied(), connector.snapshots.iter().copied());
    if names.is_empty() {
        return Ok(Chosen {
            streams: streams.filter(|it| !it.on_request).collect(),
            snapshots: snapshots.filter(|it| !it.on_request).collect(),
        });
    }
    let mut wanted = Vec::new();
    for name in names {
        let found = connector.stream(name).map(|it| it.name).or_else(|| connector.snapshot(name).map(|it| it.name));
        wanted.push(found.ok_or_else(|| {
            let names: Vec<&str> =
                streams.clone().map(|it| it.name).chain(snapshots.clone().map(|it| it.name)).collect();
            let all = format!("there are: {}", names.join(", "));
            Error::new(ErrorKind::Input, format!("{} has no stream {name:?}", connector.title))
                .advice(near::advice(name, names, all))
        })?);
    }
    Ok(Chosen {
        streams: streams.filter(|it| wanted.contains(&it.name)).collect(),
        snapshots: snapshots.filter(|it| wanted.contains(&it.name)).collect(),
    })
}

/// What is said about streams goes with streams, and what is said about snapshots with those.
fn fitting(verb: &Verb, chosen: &Chosen) -> Result<(), Error> {
    let wrong = |what: String, advice: &str| Err(Error::new(ErrorKind::Input, what).advice(advice));
    if let Some(snapshot) = chosen.snapshots.first() {
        let ranged = [
            ("--from", verb.from.is_some()),
            ("--max-events", verb.max_events.is_some()),
            ("--backfill", verb.backfill),
            ("--page-size", verb.page_size.is_some()),
        ];
        if let Some((flag, _)) = ranged.iter().find(|(_, said)| *said) {
            let what = format!("{flag} does not go with {}, which is read as a whole each time", snapshot.name);
            return wrong(what, "leave it out: --once reads it one time, and --max-pages says how much of it");
        }
    } else if verb.full || verb.max_pages.is_some() {
        let flag = if verb.full { "--full" } else { "--max-pages" };
        let what = format!("{flag} goes with snapshots, and a stream is none");
        return wrong(what, "leave it out; `connectome describe` says what is a snapshot");
    }
    if verb.max_pages == Some(0) {
        return wrong("--max-pages 0 reads nothing".to_owned(), "allow one page or more");
    }
    Ok(())
}

/// The limits that a stream's description and the command line give.
pub fn limits(verb: &Verb, stream: &Stream) -> Result<Limits, Error> {
    let mut limits = Limits::of(stream);
    if let Some(text) = &verb.late_by {
        limits.late_by = when::seconds("--late-by", text)?;
    }
    if let Some(text) = &verb.close_every {
        limits.close_every = when::seconds("--close-every", text)?;
    }
    if let Some(text) = &verb.again_after {
        let after = when::seconds("--again-after", text)?;
        if after <= limits.late_by {
            return Err(Error::new(
                ErrorKind::Input,
                format!("--again-after {text:?} is not later than the lateness of {} seconds", limits.late_by),
            )
            .advice("events are looked for once more when their lateness has long passed, as after 24h"));
        }
        limits.again_after = Some(after);
    }
    Ok(limits)
}

/// The page size: the largest that the stream takes and that is not larger than what is asked for.
pub fn page_size(verb: &Verb, stream: &Stream) -> Option<u64> {
    let asked = verb.page_size?;
    let fitting = stream.page_sizes.iter().rev().find(|size| **size <= asked);
    fitting.or(stream.page_sizes.first()).copied()
}

/// What is changed in events.
pub fn mode(verb: &Verb) -> Mode {
    match verb.transforms {
        Transforms::Declared => Mode::Declared,
        Transforms::Lists => Mode::Lists,
        Transforms::None => Mode::Raw,
    }
}

/// Learns the service's time, and refuses to work with a clock that is far from it.
pub async fn synchronise(connection: &Connection, verb: &Verb) -> Result<i64, Error> {
    connection.check().await?;
    let ours = connection.clock().now().as_second();
    let Some(ahead) = connection.clock_skew() else { return Ok(ours) };
    let most = when::seconds("--max-skew", &verb.max_skew)?;
    if ahead.unsigned_abs() > most {
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        let time = Timestamp::from_second(ours - ahead).unwrap_or_default();
        return Err(Error::new(
            ErrorKind::Configuration,
            format!("this machine's clock is {} seconds {way} the service's, which says {time}", ahead.abs()),
        )
        .advice("set the clock; or, if the service's is wrong, allow more with --max-skew"));
    }
    Ok(ours - ahead.max(0))
}

/// How a snapshot is read, as its description and the command line say.
pub fn rules(verb: &Verb, snapshot: &Snapshot) -> Result<Rules, Error> {
    let mut rules = Rules { full: verb.full, ..Rules::of(snapshot) };
    if let Some(text) = &verb.every {
        rules.every = when::seconds("--every", text)?;
    }
    rules.pages = verb.max_pages.unwrap_or(rules.pages);
    rules.horizon(snapshot)?;
    Ok(rules)
}

/// The name under which the progress of a stream or a snapshot to a destination is remembered.
pub fn collection(subject: &str, name: &str, destination: &str) -> String {
    format!("collect/{subject}/{name}/{destination}")
}
