//! Simulated services, from the same tables that the client runs on, and by code of their own: a mistake in building a
//! request shows here, and a mistake here shows in the client.
//!
//! A [`Service`] is data that the generator writes. [`Simulator`] holds its state and answers requests; [`serve`] puts
//! it on a loopback address.

mod admin;
mod behave;
mod check;
mod fault;
pub mod filter;
pub mod form;
pub mod http;
mod list;
mod query;
mod record;
mod route;
mod server;
mod simulator;
mod store;
mod template;
mod timeline;
mod token;
mod window;

use connectome_core::connector::Connector;
use connectome_core::operation::{Method, Operation};
use connectome_core::shape::Literal;

pub use fault::{Fault, KINDS as FAULT_KINDS};
pub use server::{Respond, Running, Tls, serve};
pub use simulator::{Options, Simulator};
pub use token::{Grants, Token};

/// A simulated service as data.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// The connector it answers.
    pub connector: &'static Connector,
    /// The root that its links name; never its own address.
    pub public_origin: &'static str,
    /// What it holds.
    pub collections: &'static [Collection],
    /// What it says when something is wrong.
    pub failures: &'static [Failure],
    /// Lists that are read to build a graph or a stream, beside the connector's actions.
    pub reads: &'static [&'static Operation],
    /// What each call does.
    pub calls: &'static [Behaviour],
    /// Calls that show what the connector does.
    pub demo: &'static [Scene],
}

/// A call of a demonstration.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    /// What happens, in a sentence.
    pub say: &'static str,
    /// What is done.
    pub act: Act,
    /// Its input, as JSON with `{name}` for kept values.
    pub input: &'static str,
    /// Values of the result that later scenes name, and their paths.
    pub keep: &'static [(&'static str, &'static str)],
    /// What to show of the result.
    pub show: &'static [&'static str],
    /// Whether some of it fails on purpose.
    pub partly: bool,
}

/// What a scene does.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// Runs this action.
    Action(&'static str),
    /// Runs a round of this trigger.
    Trigger(&'static str),
    /// Reads the account as a graph.
    Sync,
    /// Collects its streams, with a process that is killed on the way.
    Collect,
    /// Changes a record of the service, or removes it when nothing is set.
    Change {
        /// The collection.
        of: &'static str,
        /// The record's key.
        record: &'static str,
        /// A JSON object of fields.
        set: &'static str,
    },
}

/// Records that a service holds.
#[derive(Debug, Clone, Copy)]
pub struct Collection {
    /// Its name.
    pub name: &'static str,
    /// The field that names a record.
    pub key: &'static str,
    /// How many are made at first, times the scale.
    pub count: usize,
    /// A record, as JSON with generators.
    pub record: Option<&'static str>,
    /// Further records, before the made ones.
    pub also: &'static [&'static str],
    /// The field that says when a record happened; with it, records may be seen late and appear while the simulation
    /// runs.
    pub clock: Option<&'static str>,
    /// Every so many-th made record equals the one before it; 0 for none.
    pub twin_every: usize,
}

/// An error of a service.
#[derive(Debug, Clone, Copy)]
pub struct Failure {
    /// Its name in the spec.
    pub name: &'static str,
    /// The status.
    pub status: u16,
    /// The short name.
    pub code: &'static str,
    /// The text.
    pub message: &'static str,
    /// The number.
    pub number: Option<i64>,
    /// Whether the body holds the keys itself.
    pub bare: bool,
}

/// What a call does.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour {
    /// The method.
    pub method: Method,
    /// The path below the base, with parameters in braces.
    pub path: &'static str,
    /// What it does.
    pub does: Verb,
    /// The collection it is about.
    pub of: Option<&'static str>,
    /// Further collections whose records the same list holds.
    pub and_of: &'static [&'static str],
    /// What names the record.
    pub by: &'static [&'static str],
    /// Query parameters that bound fields from below.
    pub since: &'static [(&'static str, &'static str)],
    /// Query parameters that bound fields from above, the bound included.
    pub until: &'static [(&'static str, &'static str)],
    /// Query parameters that bound fields from above, the bound excluded.
    pub before: &'static [(&'static str, &'static str)],
    /// The query parameter that says which field is bounded, and what it may say.
    pub target: Option<(&'static str, &'static [&'static str])>,
    /// How long before now a range begins that says no start, in seconds.
    pub usual_start: Option<u64>,
    /// How long before now a range may begin, in seconds.
    pub look_back: Option<u64>,
    /// The widest range, in seconds.
    pub widest: Option<u64>,
    /// Whether a range may not end after now.
    pub up_to_now: bool,
    /// The query parameter of the order.
    pub order: Option<&'static str>,
    /// The query parameter of the page's size.
    pub size: Option<&'static str>,
    /// The page's size where no parameter says.
    pub page: Option<usize>,
    /// The sizes that the parameter may say; all when empty.
    pub sizes: &'static [usize],
    /// The query parameter of a further page's token.
    pub token: &'static str,
    /// The keys under which the answer counts.
    pub counts: &'static [&'static str],
    /// Query parameters with which only the count is given.
    pub count_only: &'static [(&'static str, Literal)],
    /// The query parameter that picks fields.
    pub select: Option<&'static str>,
    /// Fields set on the record, as JSON with generators.
    pub set: Option<&'static str>,
    /// The task that it starts.
    pub task: Option<Task>,
    /// The error when there is no such record.
    pub missing: Option<&'static str>,
    /// The error when there is one already.
    pub duplicate: Option<&'static str>,
    /// The error when the entity tag is an old one.
    pub stale: Option<&'static str>,
    /// The collection of the record that the path names.
    pub within: Option<&'static str>,
    /// Fields whose value must name a record of another collection.
    pub refers: &'static [(&'static str, &'static str)],
    /// Headers of the answer.
    pub headers: &'static [(&'static str, &'static str)],
    /// Parts of the answer, as JSON.
    pub answer: Option<&'static str>,
    /// The path that a header names.
    pub location: Option<&'static str>,
    /// That header.
    pub header: &'static str,
    /// Bytes of the answer.
    pub content: Option<&'static str>,
    /// Their media type.
    pub content_type: Option<&'static str>,
    /// The collection whose record must have succeeded.
    pub after: Option<&'static str>,
    /// Fields that this record must have.
    pub only_if: &'static [(&'static str, Literal)],
    /// Whether the record has an entity tag.
    pub etag: bool,
}

impl Behaviour {
    /// A call that gives an empty answer; fill in the rest with `..Behaviour::of(…)`.
    pub const fn of(method: Method, path: &'static str, does: Verb) -> Self {
        Self {
            method,
            path,
            does,
            of: None,
            and_of: &[],
            by: &[],
            since: &[],
            until: &[],
            before: &[],
            target: None,
            usual_start: None,
            look_back: None,
            widest: None,
            up_to_now: false,
            order: None,
            size: None,
            page: None,
            sizes: &[],
            token: "skipToken",
            counts: &[],
            count_only: &[],
            select: None,
            set: None,
            task: None,
            missing: None,
            duplicate: None,
            stale: None,
            within: None,
            refers: &[],
            headers: &[],
            answer: None,
            location: None,
            header: "Location",
            content: None,
            content_type: None,
            after: None,
            only_if: &[],
            etag: false,
        }
    }
}

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verb {
    List,
    Get,
    Create,
    Update,
    Delete,
    EachTask,
    EachCreate,
    EachDelete,
    Progress,
    Download,
    Answer,
}

/// A task that a call starts.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// The collection of tasks.
    pub into: &'static str,
    /// The task's own name for what it does.
    pub action: &'static str,
    /// Fields that it shows.
    pub copy: &'static [&'static str],
    /// The key of a list under which it shows them.
    pub nest: Option<&'static str>,
    /// Fields that it gains when it succeeds, as JSON with generators.
    pub result: Option<&'static str>,
}
