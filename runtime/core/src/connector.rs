//! A connector as data: how its service is reached, and what can be asked of it.

use crate::mapping::Mapping;
use crate::names::NameRule;
use crate::operation::Operation;
use crate::shape::{Literal, Record};
use crate::snapshot::Snapshot;
use crate::stream::Stream;

/// Everything known of one service.
#[derive(Debug, Clone, Copy)]
pub struct Connector {
    /// Its name in commands.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The connector's version.
    pub version: &'static str,
    /// What the user sets.
    pub parameters: &'static Record,
    /// What comes before every path: a template over the parameters.
    pub base: &'static str,
    /// The header that proves who the caller is, and its template.
    pub auth: (&'static str, &'static str),
    /// Headers on every request: names and templates.
    pub headers: &'static [(&'static str, &'static str)],
    /// The parameter that turns certificate checks off when false.
    pub verify_tls: Option<&'static str>,
    /// The request that shows whether a connection works.
    pub test: Test,
    /// How an error body is read.
    pub errors: ErrorBody,
    /// Classes of requests that share a limit on their rate: the name of each, and how the paths in it begin.
    pub rate_classes: &'static [(&'static str, &'static str)],
    /// The header and value of a 429 that waiting will not mend.
    pub exhausted: Option<(&'static str, &'static str)>,
    /// The largest request body in bytes.
    pub max_body: Option<usize>,
    /// How long the service may take to answer, in seconds.
    pub read_timeout: u64,
    /// The pause before a request is tried again, in seconds. It doubles each time, up to a minute.
    pub first_pause: u64,
    /// The rule between keys on the wire and names for the user.
    pub names: NameRule,
    /// Its actions.
    pub operations: &'static [&'static Operation],
    /// Its triggers.
    pub triggers: &'static [&'static Trigger],
    /// Its streams of events.
    pub streams: &'static [&'static Stream],
    /// Lists that are read as a whole each time.
    pub snapshots: &'static [&'static Snapshot],
    /// What its records become in other schemas.
    pub mappings: &'static [&'static Mapping],
    /// What its documents need in a search engine.
    pub search: &'static [Search],
    /// Roles that the vendor ships.
    pub roles: &'static [Role],
    /// The catalog's entry, as JSON.
    pub catalog: &'static str,
}

impl Connector {
    /// The action of this name.
    pub fn operation(&self, name: &str) -> Option<&'static Operation> {
        self.operations.iter().find(|operation| operation.name == name).copied()
    }

    /// The trigger of this name.
    pub fn trigger(&self, name: &str) -> Option<&'static Trigger> {
        self.triggers.iter().find(|trigger| trigger.name == name).copied()
    }

    /// Whether anything of it is collected.
    pub fn is_collected(&self) -> bool {
        !self.streams.is_empty() || !self.snapshots.is_empty()
    }

    /// The stream of this name, in any case and with blanks or hyphens between its words.
    pub fn stream(&self, name: &str) -> Option<&'static Stream> {
        self.streams.iter().find(|it| is_called(name, it.name, it.title, it.aliases)).copied()
    }

    /// The snapshot of this name, in the same way.
    pub fn snapshot(&self, name: &str) -> Option<&'static Snapshot> {
        self.snapshots.iter().find(|it| is_called(name, it.name, it.title, it.aliases)).copied()
    }
}

/// Whether this is one of the names of something that is collected.
fn is_called(asked: &str, name: &str, title: &str, aliases: &[&str]) -> bool {
    let plain = |name: &str| name.to_lowercase().replace([' ', '-'], "_");
    aliases.iter().copied().chain([name, title]).any(|it| plain(it) == plain(asked))
}

/// What documents need in a search engine before they arrive.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// The requests that put it there, in order, as a JSON list.
    pub requests: &'static str,
    /// What is shown of them, as saved objects of Kibana, one on a line.
    pub dashboards: &'static str,
}

/// The request that shows whether a connection works.
#[derive(Debug, Clone, Copy)]
pub struct Test {
    /// The call.
    pub operation: &'static Operation,
    /// Values that the answer must hold.
    pub expect: &'static [(&'static [&'static str], Literal)],
    /// What to do when the service refuses it.
    pub refused: Option<&'static str>,
}

/// How an error body is read. A body that holds the keys itself is understood as well.
#[derive(Debug, Clone, Copy)]
pub struct ErrorBody {
    /// Keys that may hold the error.
    pub under: &'static [&'static str],
    /// The key of its short name.
    pub code: &'static str,
    /// The key of its text.
    pub message: &'static str,
    /// The key of its number.
    pub number: Option<&'static str>,
    /// Whether an answer that calls itself a success and holds an error is none, whatever else it holds.
    pub in_success: bool,
}

/// An action that is repeated.
#[derive(Debug, Clone, Copy)]
pub struct Trigger {
    /// Its name in commands.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it repeats.
    pub operation: &'static Operation,
    /// What it takes.
    pub input: &'static Record,
    /// The input that says how many seconds lie between two rounds.
    pub interval: &'static str,
    /// The ranges of time that rounds read.
    pub windows: &'static [Window],
    /// The output that lists events, and the fields that name one.
    pub seen: Option<(&'static str, &'static [&'static str])>,
    /// Statuses that mean an empty round.
    pub empty_on: &'static [u16],
    /// Whether the action's bound on the number of results does not hold here.
    pub uncapped: bool,
}

/// A range of time that a round reads.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The trigger's input that says where the first round starts.
    pub first: &'static str,
    /// The action's input that takes the start.
    pub start: &'static str,
    /// The action's input that takes the end.
    pub end: &'static str,
    /// Whether the start stays.
    pub fixed: bool,
    /// How far each round reads back into the last, in seconds.
    pub overlap: u64,
    /// How far back the service answers, in seconds.
    pub at_most: Option<u64>,
}

/// A role that the vendor ships.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    /// Its name.
    pub name: &'static str,
    /// What is known of its permissions.
    pub grants: Grants,
}

/// What is known of a role's permissions.
#[derive(Debug, Clone, Copy)]
pub enum Grants {
    /// Nothing.
    Unknown,
    /// It has all.
    Everything,
    /// It has these.
    Listed(&'static [(&'static str, &'static [&'static str])]),
}
