//! What can be written on the command line. Examples that name a connector are added by `examples`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Connectors for security operations, generated from specs.
#[derive(Debug, Parser)]
#[command(name = "connectome", version, arg_required_else_help = true, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub verb: Verb,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value = "text", value_name = "FORM")]
    pub output: Form,
    /// How much is logged to standard error
    #[arg(long, global = true, value_enum, default_value = "warn", value_name = "LEVEL")]
    pub log: Level,
    /// Log requests and answers too, without secrets; goes with --log trace
    #[arg(long, global = true)]
    pub log_bodies: bool,
    /// Where instances are configured [default: connectome.toml here, or in the XDG configuration folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where local state is kept [default: connectome/state.sqlite in the XDG state folder]
    #[arg(long, global = true, value_name = "FILE", env = "CONNECTOME_STATE")]
    pub state: Option<PathBuf>,
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people; results of actions are JSON all the same
    Text,
    /// One JSON document
    Json,
    /// A JSON line for each record, as it comes
    Jsonl,
}

/// A level of logging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// What to do.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one of it, once")]
pub enum Verb {
    /// Shows what the connectors do, on simulated services; needs no key and no network
    Demo(Demo),
    /// Everything every connector can do
    Catalog(Catalog),
    /// One connector, action, trigger, stream or type, for people
    Describe(Describe),
    /// Tests a connection: address, certificate, key
    Check(Check),
    /// Runs an action and prints its result as JSON
    Action(Action),
    /// Runs a trigger and prints a JSON line a round
    Trigger(Trigger),
    /// Reads accounts as graphs: fetch, map, compare, keep, upload
    Sync(Sync),
    /// The local graph: what is in it, what changed, export
    Graph(Graph),
    /// Collects events continuously; what the service no longer had is reported as a gap
    Collect(Collect),
    /// Installs what a destination needs before documents arrive
    Setup(Setup),
    /// The role with the least privileges that can run these actions
    Permissions(Permissions),
    /// Serves simulated services on a loopback address
    Simulate(Simulate),
    /// Local state: checkpoints of triggers, collections, and graphs
    State(State),
    /// Completions for a shell
    Completions(Completions),
    /// Manual pages
    Man(Man),
}

impl Verb {
    /// Whether the verb is cut off by an interruption. Others end in good order by themselves, or wait for nobody but
    /// their user, whom a signal lets go.
    pub fn is_cut_off(&self) -> bool {
        matches!(self, Verb::Demo(_) | Verb::Check(_))
    }
}

/// A number of requests in a second.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate >= 0.001);
    rate.ok_or_else(|| "write a number of requests in a second, 0.001 or more".to_owned())
}

/// How a service is reached.
#[derive(Debug, Clone, Args)]
pub struct Access {
    /// A parameter of the connection; never for secrets
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// An instance of the configuration
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// Certificates to trust besides the system's, in PEM
    #[arg(long, value_name = "FILE", env = "CONNECTOME_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// A proxy for all requests [default: HTTPS_PROXY or HTTP_PROXY]
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Send the token over plain http to another machine
    #[arg(long)]
    pub allow_http: bool,
    /// Seconds one request may take in all
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub timeout: u64,
    /// How often a request is tried where that is safe
    #[arg(long, value_name = "TIMES", default_value_t = 5)]
    pub tries: u32,
    /// No more requests than this to the service, as 2 or 0.1
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub requests_per_second: Option<f64>,
    /// How many requests may go at once after a rest; goes with --requests-per-second
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "requests_per_second", value_parser = clap::value_parser!(u32).range(1..))]
    pub burst: u32,
}

/// `setup`
#[derive(Debug, Args)]
pub struct Setup {
    /// The kind of destination
    #[arg(value_enum)]
    pub kind: Kind,
    /// The connector whose documents it is for
    pub connector: String,
    /// The destination: `elasticsearch+https://HOST`
    #[arg(long, value_name = "DEST")]
    pub to: String,
    /// Kibana, or a space of it, for the dashboards as well: `https://HOST` or `https://HOST/s/SPACE`
    #[arg(long, value_name = "URL")]
    pub kibana: Option<String>,
    /// Show what is there and what would be done; change nothing
    #[arg(long, conflicts_with_all = ["remove", "replace"])]
    pub plan: bool,
    /// Remove what was installed; documents stay
    #[arg(long, conflicts_with = "replace")]
    pub remove: bool,
    /// Install in the place of what somebody else put there
    #[arg(long)]
    pub replace: bool,
    #[command(flatten)]
    pub access: Access,
}

/// A kind of destination that can be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Lifecycle policy, templates and transform, and with --kibana dashboards
    Elasticsearch,
}

/// `demo`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  connectome demo")]
pub struct Demo {}

/// `catalog`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  connectome catalog --json | jq '.connectors[].name'")]
pub struct Catalog {
    /// The whole catalog as JSON, as --output json
    #[arg(long)]
    pub json: bool,
}

/// `describe`
#[derive(Debug, Args)]
pub struct Describe {
    /// The connector
    pub connector: String,
    /// An action, a trigger, a stream, a snapshot, a type, an entity or a relationship
    pub name: Option<String>,
}

/// `check`
#[derive(Debug, Args)]
pub struct Check {
    /// An instance of connectome.toml, or a connector
    pub name: String,
    /// Try this stream; all that are collected unless they are named, when left out
    #[arg(long = "stream", value_name = "STREAM")]
    pub streams: Vec<String>,
    /// Try no stream: only the address, the certificate and the key
    #[arg(long, conflicts_with = "streams")]
    pub connection_only: bool,
    #[command(flatten)]
    pub access: Access,
}

/// `action`
#[derive(Debug, Args)]
pub struct Action {
    /// The connector
    pub connector: String,
    /// The action
    pub action: String,
    /// The input: a file of JSON, `-` for standard input, or the JSON itself
    #[arg(long, value_name = "FILE|-|JSON")]
    pub input: Option<String>,
    /// Print the request, with secrets masked, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub access: Access,
}

/// `trigger`
#[derive(Debug, Args)]
pub struct Trigger {
    /// The connector
    pub connector: String,
    /// The trigger
    pub trigger: String,
    /// The input: a file of JSON, `-` for standard input, or the JSON itself
    #[arg(long, value_name = "FILE|-|JSON")]
    pub input: Option<String>,
    /// One round, then stop
    #[arg(long)]
    pub once: bool,
    /// Print nothing for a round without events
    #[arg(long)]
    pub skip_empty: bool,
    #[command(flatten)]
    pub access: Access,
}

/// `sync`
#[derive(Debug, Args)]
pub struct Sync {
    /// An instance of connectome.toml, or a connector
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub name: Option<String>,
    /// Every instance whose connector has a graph
    #[arg(long, conflicts_with = "instance")]
    pub all: bool,
    /// Go on as the polling intervals say, until stopped
    #[arg(long, conflicts_with_all = ["plan", "apply"])]
    pub watch: bool,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with = "apply")]
    pub plan: bool,
    /// Do what a saved plan says, if the account is still as it was
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    pub apply: Option<PathBuf>,
    /// Where the graph goes besides: `jupiterone+https://…`
    #[arg(long = "to", value_name = "DEST")]
    pub to: Vec<String>,
    #[command(flatten)]
    pub access: Access,
}

/// `graph`
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  connectome graph changes --since 2026-06-11T00:00:00Z\n  connectome graph export --format graphml > graph.graphml"
)]
pub struct Graph {
    #[command(subcommand)]
    pub verb: GraphVerb,
}

/// What to do with the local graph.
#[derive(Debug, Subcommand)]
pub enum GraphVerb {
    /// What is in it, by instance and type
    #[command(after_help = "Example:\n  connectome graph show")]
    Show,
    /// What changed, property by property
    Changes {
        /// An instance; all when none is named
        instance: Option<String>,
        /// Since this time; the last run that changed something when left out
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
    },
    /// The whole graph in a form that other programs read
    #[command(after_help = "Example:\n  connectome graph export --format cypher | cypher-shell")]
    Export {
        /// An instance; all when none is named
        instance: Option<String>,
        /// The form
        #[arg(long, value_enum, default_value = "jsonl", value_name = "FORM")]
        format: ExportForm,
        /// Include the records that entities were made from (JSON lines only)
        #[arg(long)]
        raw: bool,
    },
}

/// A form of export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    /// A JSON line for each entity and relationship
    Jsonl,
    /// GraphML, for Gephi, yEd, networkx and others
    Graphml,
    /// Statements for Neo4j, Memgraph and others
    Cypher,
}

/// `collect`
#[derive(Debug, Args)]
pub struct Collect {
    /// An instance of connectome.toml, or a connector
    pub name: String,
    /// A stream or a snapshot; all but those that must be named when left out
    #[arg(long = "stream", value_name = "STREAM", value_delimiter = ',')]
    pub streams: Vec<String>,
    /// Where events go: `stdout:`, `file:PATH`, `sqlite:PATH`, `xsiam+https://…`, `elasticsearch+https://…`
    #[arg(long, value_name = "DEST", required_unless_present_any = ["status", "from"])]
    pub to: Option<String>,
    /// Stop when there is nothing to read for now
    #[arg(long)]
    pub once: bool,
    /// How long to rest when there is nothing to read; of a snapshot, the time between two readings [default: 60s, or as the
    /// snapshot's description says]
    #[arg(long, value_name = "SPAN")]
    pub every: Option<String>,
    /// Where a stream begins that was never collected: a time, or how long ago
    #[arg(long, value_name = "TIME", default_value = "3 days")]
    pub first_fetch: String,
    /// Read a stream's history beside what is new, so that new events need not wait for it
    #[arg(long)]
    pub backfill: bool,
    /// With --once: end after so many events of a stream, between two pages
    #[arg(long, value_name = "NUMBER")]
    pub max_events: Option<u64>,
    /// Read no more than so many pages of a snapshot at a time [default: as its description says]
    #[arg(long, value_name = "NUMBER")]
    pub max_pages: Option<usize>,
    /// Send every record of a snapshot each time, changed or not, and mark none that has disappeared
    #[arg(long)]
    pub full: bool,
    /// Events a page; the next smaller size that the service takes
    #[arg(long, value_name = "NUMBER")]
    pub page_size: Option<u64>,
    /// How long after its time an event may still appear [default: the stream's own]
    #[arg(long, value_name = "SPAN")]
    pub late_by: Option<String>,
    /// Look for late events in strides of this at least [default: a fifth of the stream's own lateness]
    #[arg(long, value_name = "SPAN")]
    pub close_every: Option<String>,
    /// Look once more for events that came later still, this long after their time
    #[arg(long, value_name = "SPAN")]
    pub again_after: Option<String>,
    /// What is changed in events
    #[arg(long, value_enum, default_value = "declared", value_name = "WHICH")]
    pub transforms: Transforms,
    /// How far this machine's clock may be from the service's
    #[arg(long, value_name = "SPAN", default_value = "5m")]
    pub max_skew: String,
    /// Look at a range that starts here, and leave no state behind
    #[arg(long, value_name = "TIME", conflicts_with_all = ["once", "backfill", "max_events", "status"])]
    pub from: Option<String>,
    /// Where that range ends [default: now]
    #[arg(long, value_name = "TIME", requires = "from")]
    pub until: Option<String>,
    /// No more than so many events of each stream
    #[arg(long, value_name = "NUMBER", requires = "from")]
    pub limit: Option<u64>,
    /// Show how far each stream has come, and how it fares
    #[arg(long)]
    pub status: bool,
    #[command(flatten)]
    pub access: Access,
}

/// What is changed in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transforms {
    /// What the stream's description says
    Declared,
    /// The same, but lists stay lists
    Lists,
    /// Nothing: events are as the service wrote them
    None,
}

/// `permissions`
#[derive(Debug, Args)]
pub struct Permissions {
    /// The connector
    pub connector: String,
    /// Actions, triggers and streams
    #[arg(required = true)]
    pub operations: Vec<String>,
}

/// `simulate`
#[derive(Debug, Args)]
pub struct Simulate {
    /// Connectors, or destinations (jupiterone-platform, xsiam, elasticsearch); all connectors that have a simulated service when
    /// none is named
    pub connectors: Vec<String>,
    /// A loopback address; further services get the ports that follow
    #[arg(long, default_value = "127.0.0.1:8901")]
    pub listen: SocketAddr,
    /// The same seed makes the same records
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Multiplies the number of records
    #[arg(long, default_value_t = 1)]
    pub scale: usize,
    /// What goes wrong: KIND, KIND*TIMES, KIND@/PATH; `--fault help` lists the kinds
    #[arg(long = "fault", value_name = "FAULT")]
    pub faults: Vec<String>,
    /// Milliseconds that each answer takes
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    pub latency: u64,
    /// How long a time the first events are spread over, as 90s, 10m, 6h or 3d
    #[arg(long, value_name = "SPAN", default_value = "1d")]
    pub history: String,
    /// Events a minute that appear in each stream while it runs
    #[arg(long, value_name = "EVENTS", default_value_t = 0)]
    pub rate: u64,
    /// How long after its time an event may first be seen
    #[arg(long, value_name = "SPAN", default_value = "0s")]
    pub late: String,
    /// How long the links to further pages are good [default: for ever]
    #[arg(long, value_name = "SPAN")]
    pub page_life: Option<String>,
    /// Seconds that the service's clock is ahead of this machine's
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true)]
    pub skew: i64,
    /// The token that may do everything
    #[arg(long, default_value = "simulated-master-token")]
    pub token: String,
    /// A permission that the token's role lacks, as `App: name`
    #[arg(long = "deny", value_name = "APP: NAME")]
    pub denied: Vec<String>,
    /// Serve https, and write the authority's certificate to this file
    #[arg(long, value_name = "FILE")]
    pub tls: Option<PathBuf>,
}

/// `state`
#[derive(Debug, Args)]
pub struct State {
    #[command(subcommand)]
    pub verb: StateVerb,
}

/// What to do with local state.
#[derive(Debug, Subcommand)]
pub enum StateVerb {
    /// Lists checkpoints, collections and graphs
    #[command(after_help = "Example:\n  connectome state show")]
    Show,
    /// Forgets checkpoints, collections and graphs, after asking
    Reset {
        /// How the names of checkpoints and collections begin, or the whole name of a graph, as graph/INSTANCE
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// `completions`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  connectome completions bash > /etc/bash_completion.d/connectome")]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `man`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  connectome man target/man && man target/man/connectome.1")]
pub struct Man {
    /// The folder they are written to
    pub folder: PathBuf,
}
