//! One stream or snapshot at work, round after round, until there is no reason for another.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connectome_collect::collector::{Budget, Collector, Ended, Meter, Range};
use connectome_collect::ledger::{Database, Health, SqliteLedger};
use connectome_collect::prepare::Preparation;
use connectome_collect::snapshot::{Endpoint, Poller};
use connectome_collect::source::Service;
use connectome_core::retry::pause;
use connectome_core::snapshot::Snapshot;
use connectome_core::stream::Stream;
use connectome_core::{Connection, Error, ErrorKind};
use jiff::Timestamp;
use tokio::sync::Notify;

use super::status::lag;
use super::{Out, collection, limits, mode, page_size, rules};
use crate::arguments::Collect as Verb;
use crate::exit::{Outcome, is_passing};
use crate::print;
use crate::subject::Subject;

/// How long a stream rests when there is nothing to read.
const REST: Duration = Duration::from_secs(60);

/// How long a snapshot waits at most before it is tried again: it is read from its beginning.
const LONGEST: Duration = Duration::from_secs(900);

/// One stream, the history of one, or a snapshot, at work.
pub struct Lane {
    /// Under which its progress is remembered.
    pub collection: String,
    /// The stream or the snapshot.
    pub name: &'static str,
    /// What reads it.
    pub work: Work,
    permission: Option<&'static str>,
    health: Health,
}

/// What reads a stream or a snapshot.
pub enum Work {
    /// A stream.
    Stream(Box<Collector<Service, Out, SqliteLedger>>),
    /// A snapshot.
    Snapshot(Box<Poller<Endpoint, Out>>),
}

impl Work {
    async fn round(&mut self, budget: Budget) -> Result<Ended, Error> {
        match self {
            Work::Stream(collector) => collector.round(budget).await,
            Work::Snapshot(poller) => poller.round().await,
        }
    }

    /// What shows how it is getting on, and stops it.
    pub fn meter(&self) -> Arc<Meter> {
        match self {
            Work::Stream(collector) => collector.meter(),
            Work::Snapshot(poller) => poller.meter(),
        }
    }

    fn ledger(&mut self) -> &mut SqliteLedger {
        match self {
            Work::Stream(collector) => collector.ledger(),
            Work::Snapshot(poller) => poller.ledger(),
        }
    }

    /// How long it rests when there is nothing to read.
    fn rest(&self, every: Option<Duration>) -> Duration {
        match self {
            Work::Stream(_) => every.unwrap_or(REST),
            Work::Snapshot(poller) => Duration::from_secs(poller.rest()),
        }
    }

    /// How long it waits after so many failures in a row.
    fn patience(&self, failures: u64, every: Option<Duration>) -> Duration {
        let failures = u32::try_from(failures).unwrap_or(u32::MAX);
        match self {
            Work::Stream(_) => pause(failures, 0.0).min(every.unwrap_or(REST)),
            Work::Snapshot(_) => {
                Duration::from_secs(1 << failures.clamp(1, 12)).min(every.unwrap_or(LONGEST)).min(LONGEST)
            }
        }
    }
}

/// How lanes go on.
#[derive(Debug, Clone)]
pub struct Manner {
    /// Whether one round is enough.
    pub once: bool,
    /// How long to rest, if the user says.
    pub every: Option<Duration>,
    /// What a round may use up.
    pub budget: Budget,
    /// Wakes those that rest.
    pub stop: Arc<Notify>,
}

/// Where lanes begin and end.
pub struct Place<'a> {
    /// What is collected from.
    pub subject: &'a Subject,
    /// How it is reached.
    pub connection: &'a Connection,
    /// Where progress is remembered.
    pub path: PathBuf,
    /// Whether what is collected goes there as well.
    pub keeps: bool,
    /// Where it goes otherwise.
    pub out: Out,
    /// What that is called.
    pub to: String,
}

impl Place<'_> {
    /// A stream's lane, and that of its history where that is collected apart so that what is new need not wait.
    pub fn lanes(&self, verb: &Verb, stream: &'static Stream, first: i64, now: i64) -> Result<Vec<Lane>, Error> {
        let name = collection(&self.subject.name, stream.name, &self.to);
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
        Ok(Lane {
            collection: name,
            name: stream.name,
            work: Work::Stream(Box::new(collector)),
            permission: Some(stream.permission),
            health,
        })
    }

    /// The lane of a snapshot.
    pub fn snapshot(&self, verb: &Verb, snapshot: &'static Snapshot) -> Result<Lane, Error> {
        let name = collection(&self.subject.name, snapshot.name, &self.to);
        let ledger = Database::open(&self.path, self.keeps)?.ledger(&name)?;
        let health = ledger.health()?;
        let endpoint = Endpoint::new(self.connection.clone(), snapshot)?;
        let parts = (endpoint, self.out.clone(), ledger);
        let poller = Poller::open(snapshot, rules(verb, snapshot)?, self.connection.parameters(), parts)?;
        Ok(Lane {
            collection: name,
            name: snapshot.name,
            work: Work::Snapshot(Box::new(poller)),
            permission: None,
            health,
        })
    }
}

impl Lane {
    /// Rounds until there is no reason for another.
    pub async fn follow(mut self, manner: Manner) -> (Self, Outcome) {
        if let (Work::Snapshot(poller), false) = (&self.work, manner.once)
            && poller.rest() > 0
            && self.health.error.is_none()
        {
            // A list that was read not long ago is not read again because a process was begun.
            let wait = Duration::from_secs(poller.rest());
            print::tell(&format!("{}: the next reading is in {}", self.name, lag(poller.rest().cast_signed())));
            if rested(&manner, self.work.meter(), wait).await {
                return (self, Ok(()));
            }
        }
        loop {
            let result = self.work.round(manner.budget).await;
            if let Err(error) = self.note(&result) {
                return (self, Err(error));
            }
            let wait = match result {
                Ok(Ended::Done | Ended::Stopped) => return (self, Ok(())),
                Ok(Ended::Rested | Ended::Paused) if manner.once => return (self, Ok(())),
                Ok(Ended::Paused) => Duration::ZERO,
                Ok(Ended::Rested) => self.work.rest(manner.every),
                Err(error) if !manner.once && error.kind() == ErrorKind::Partial => {
                    print::tell(&format!("warning: {error}"));
                    self.work.rest(manner.every)
                }
                Err(error) if manner.once || !is_passing(&error) => return (self, Err(error)),
                Err(error) => {
                    let wait = self.work.patience(self.health.failures, manner.every);
                    let (name, seconds) = (self.name, wait.as_secs());
                    print::tell(&format!(
                        "warning: {name}: {error}\n  it is tried again in {seconds} seconds; nothing is lost"
                    ));
                    wait
                }
            };
            if rested(&manner, self.work.meter(), wait).await {
                return (self, Ok(()));
            }
        }
    }

    fn note(&mut self, result: &Result<Ended, Error>) -> Outcome {
        self.health = match result {
            Ok(_) => Health { well: Some(Timestamp::now().as_second()), ..Health::default() },
            Err(error) => Health {
                well: self.health.well,
                error: Some(error.to_string()),
                lacks: self.permission.filter(|_| error.kind() == ErrorKind::Permission).map(str::to_owned),
                failures: self.health.failures + 1,
            },
        };
        let health = self.health.clone();
        self.work.ledger().set_health(&health)
    }
}

/// Waits; says whether to stop.
async fn rested(manner: &Manner, meter: Arc<Meter>, time: Duration) -> bool {
    let told = manner.stop.notified();
    if meter.stop.load(Ordering::Relaxed) {
        return true;
    }
    tokio::select! {
        biased;
        () = told => true,
        () = tokio::time::sleep(time) => false,
    }
}
