//! The specs, resolved: nothing in here must be looked up again, and emitters only print it.

pub mod data_stream;
pub mod graph;
pub mod mapping;
pub mod modelling;
pub mod snapshot;
pub mod stream;

use serde_json::Value as Json;

use crate::source::Span;
use crate::spec::connection::{Known, NameRule};
use crate::spec::field::{Converter, FilterSyntax, Format};
use crate::spec::operation::{Effect, Repeat};

/// Every connector, in the order of their names.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The connectors.
    pub connectors: Vec<Connector>,
}

/// One connector.
#[derive(Debug, Clone)]
pub struct Connector {
    /// The folder's and the connector's name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Its version.
    pub version: String,
    /// What it is.
    pub doc: String,
    /// What its spec was transcribed from.
    pub source: Option<String>,
    /// What the user gains.
    pub benefits: Vec<String>,
    /// What the user needs.
    pub requirements: Vec<String>,
    /// What is done at the vendor before the first call.
    pub set_up: Option<crate::spec::connection::SetUp>,
    /// What is undone at the vendor afterwards.
    pub remove: Vec<String>,
    /// Versions it speaks to.
    pub supports: Vec<String>,
    /// The rule for names on the wire.
    pub names: NameRule,
    /// Advice.
    pub troubleshooting: Vec<String>,
    /// Versions and what changed.
    pub history: Vec<(String, String)>,
    /// Titles and addresses.
    pub links: Vec<(String, String)>,
    /// Titles and addresses.
    pub references: Vec<(String, String)>,
    /// The folder it was read from.
    pub folder: String,
    /// How its service is reached.
    pub connection: Connection,
    /// Closed sets of values.
    pub enums: Vec<Enum>,
    /// Sets of keys of which a record carries one.
    pub variants: Vec<VariantSet>,
    /// Records: those of the spec, then refinements of them.
    pub records: Vec<Record>,
    /// Actions.
    pub actions: Vec<Operation>,
    /// Triggers.
    pub triggers: Vec<Trigger>,
    /// Streams of events.
    pub streams: Vec<stream::Stream>,
    /// What a person should know before collecting them.
    pub collection: Option<crate::spec::collection::Collection>,
    /// What data models of others make of their events.
    pub modelling: Vec<modelling::Modelling>,
    /// Roles.
    pub roles: Vec<Role>,
    /// The simulated service, as the spec says it: names in it were checked.
    pub simulator: Option<crate::spec::simulator::Simulator>,
    /// The account as a graph.
    pub graph: Option<graph::Graph>,
    /// Mappings of its records to other schemas.
    pub mappings: Vec<mapping::Mapping>,
    /// Lists that are read as a whole each time.
    pub snapshots: Vec<snapshot::Snapshot>,
    /// Where its documents live in a search engine.
    pub data_streams: Vec<data_stream::DataStream>,
    /// Calls that show what the connector does, as the spec says them: names in it were checked.
    pub demo: Vec<crate::spec::demo::Scene>,
}

/// Which record of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(pub usize);

/// Which enum of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumId(pub usize);

/// Which set of variants of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariantId(pub usize);

/// A resolved type.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Type {
    Text,
    Integer,
    Float,
    Boolean,
    Object,
    Any,
    File,
    List(Box<Type>),
    Record(RecordId),
}

impl Type {
    /// The type of what is in the list, or of the value itself.
    pub fn innermost(&self) -> &Type {
        match self {
            Type::List(element) => element.innermost(),
            other => other,
        }
    }

    /// The record in it, if there is one.
    pub fn record(&self) -> Option<RecordId> {
        match self.innermost() {
            Type::Record(id) => Some(*id),
            _ => None,
        }
    }
}

/// A closed set of values that has a name.
#[derive(Debug, Clone)]
pub struct Enum {
    /// Its name in the spec.
    pub name: String,
    /// What the values say.
    pub doc: String,
    /// The values, all texts.
    pub values: Vec<String>,
    /// Whether answers hold it, so that it must keep values nobody has seen.
    pub open: bool,
    /// Whether inputs hold it.
    pub sent: bool,
}

/// Keys of which a record carries one, and the rules for each one's value.
#[derive(Debug, Clone)]
pub struct VariantSet {
    /// Its name in the spec.
    pub name: String,
    /// The keys.
    pub keys: Vec<(String, Rules)>,
}

/// A record.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its name in the spec.
    pub name: String,
    /// The name of its table.
    pub table: String,
    /// The record it refines, whose Rust type it shares.
    pub refines: Option<RecordId>,
    /// What it is.
    pub doc: String,
    /// Whether the vendor's document lists it.
    pub documented: bool,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Fields of which exactly one is sent.
    pub send_first: Vec<Conditional>,
    /// Two fields that are one on the wire.
    pub variant: Option<(String, String, VariantId)>,
    /// Whether inputs hold it.
    pub sent: bool,
    /// Whether answers hold it.
    pub received: bool,
    /// Whether inputs or answers hold it as it is: a record of which only refinements are used needs no table.
    pub tabled: bool,
    /// Where it stands.
    pub span: Span,
}

/// A name that holds only for values of a format.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditional {
    /// The name.
    pub name: String,
    /// The format.
    pub when: Option<Format>,
}

/// A field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name for the user.
    pub name: String,
    /// Its heading in the vendor's document.
    pub title: String,
    /// Its type.
    pub ty: Type,
    /// Its type as the vendor's document writes it.
    pub written: String,
    /// What it holds.
    pub doc: String,
    /// Where the document misleads.
    pub note: Option<String>,
    /// Whether it must be there.
    pub required: bool,
    /// What stands in for it.
    pub default: Option<Json>,
    /// The document's example.
    pub example: Option<Json>,
    /// Whether it must never be shown.
    pub secret: bool,
    /// Other names.
    pub aliases: Vec<String>,
    /// What its value must be like.
    pub rules: Rules,
    /// The Rust type of its values, when they are a closed set.
    pub enumeration: Option<EnumId>,
    /// Where it goes.
    pub place: Place,
    /// Where it comes from.
    pub source: Source,
    /// How it is changed before it is sent.
    pub send: Option<Converter>,
    /// How it is changed before it is shown.
    pub with: Option<Converter>,
    /// The key it is nested under.
    pub wrap: Option<String>,
    /// The document's cells.
    pub document: Cells,
    /// Where it stands.
    pub span: Span,
}

/// What the vendor's document says of a field: the truth, but for what differs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cells {
    /// The document does not list it.
    pub absent: bool,
    /// The type as written.
    pub ty: String,
    /// Whether it says required.
    pub required: bool,
    /// The default it states.
    pub default: Option<Json>,
    /// The values it lists.
    pub one_of: Vec<Json>,
    /// Whether any of these differs from the truth.
    pub differs: bool,
}

/// What a value must be like.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Rules {
    pub one_of: Vec<Json>,
    pub any_case: bool,
    pub format: Option<Format>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub max_bytes: Option<u64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub min_items: Option<u64>,
    pub max_items: Option<u64>,
    pub refuse: Vec<Json>,
    pub max_age: Option<u64>,
    pub round_up: bool,
    pub utf8: bool,
    pub extension_by: Option<(String, Vec<(String, String)>)>,
}

/// Where a value goes.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Place {
    /// It steers the call.
    Control,
    Path,
    Query {
        name: String,
        join: String,
    },
    Header(String),
    Body(String),
    BodyItems(Option<String>),
    Part {
        name: String,
        content_type: String,
    },
    Filter(Filter),
    /// Inside a record.
    Key {
        names: Vec<Conditional>,
        beside: Option<String>,
    },
    Unsent,
}

/// A filter expression.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Filter {
    pub syntax: FilterSyntax,
    pub header: Option<String>,
    pub query: Option<String>,
    pub operator: String,
    pub max_length: Option<u64>,
    pub required: bool,
    pub names: Vec<String>,
    pub rename: Vec<(String, String)>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Source {
    Key,
    Body(Vec<String>),
    Header(String),
    Status,
    Items,
    CountOfItems,
    EachAnswer,
    Constant(Json),
    File(Vec<Conditional>),
}

/// How a service is reached.
#[derive(Debug, Clone)]
pub struct Connection {
    /// What the user sets.
    pub parameters: Vec<Field>,
    /// What comes before every path.
    pub base: String,
    /// Name, address and how well it is known.
    pub regions: Vec<(String, String, Known)>,
    /// Header and template.
    pub auth: (String, String),
    /// Headers on every request.
    pub headers: Vec<(String, String)>,
    /// The parameter that turns certificate checks off.
    pub verify_tls: Option<String>,
    /// Path of the test.
    pub test: Call,
    /// What the test's body always holds.
    pub test_body: Option<Json>,
    /// Statuses of the test that pass, besides those that always do.
    pub test_passing: Vec<u64>,
    /// What the test's answer must hold.
    pub expect: Vec<(Vec<String>, Json)>,
    /// What to do when the test is refused.
    pub refused: Option<String>,
    /// How error bodies are read.
    pub errors: ErrorBody,
    /// Names and beginnings of paths.
    pub rate_classes: Vec<(String, String)>,
    /// The header and value of a hopeless refusal.
    pub exhausted: Option<(String, String)>,
    /// The largest request body.
    pub max_body: Option<u64>,
    /// How long the service may take.
    pub read_timeout: u64,
    /// The pause before a request is tried again, in seconds.
    pub first_pause: u64,
}

/// How an error body is read.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct ErrorBody {
    pub under: Vec<String>,
    pub code: String,
    pub message: String,
    pub number: Option<String>,
    pub in_success: bool,
}

/// Method and path.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// In capitals.
    pub method: String,
    /// Below the base.
    pub path: String,
    /// Names in braces.
    pub parameters: Vec<String>,
}

impl Call {
    /// As specs write it.
    pub fn text(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// An action.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// Its heading in the document.
    pub title: String,
    /// What it does.
    pub doc: String,
    /// Where the document misleads.
    pub note: Option<String>,
    /// What it changes.
    pub effect: Effect,
    /// Whether it may be repeated.
    pub repeat: Repeat,
    /// What takes it back.
    pub undo: Option<String>,
    /// What the caller must be allowed to do.
    pub permissions: Vec<(String, Vec<String>)>,
    /// What the document says of that.
    pub document_permissions: Vec<(String, Vec<String>)>,
    /// What it takes.
    pub input: Vec<Field>,
    /// What it gives.
    pub output: Vec<Field>,
    /// The request.
    pub call: Call,
    /// Fixed query parameters.
    pub query: Vec<(String, Json)>,
    /// Fixed headers.
    pub headers: Vec<(String, String)>,
    /// Statuses of success.
    pub success: Vec<u64>,
    /// The body is a list that holds one object.
    pub array_of_one: bool,
    /// Statuses of success of the elements.
    pub multi_status: Vec<u64>,
    /// The header of an element that names its task.
    pub multi_status_task: Option<String>,
    /// Keys of the body that no output takes are given as well.
    pub keep_unlisted: bool,
    /// Pages.
    pub page: Option<Page>,
    /// How much is too much.
    pub cap: Option<Cap>,
    /// The task that is waited for.
    pub poll: Option<Poll>,
    /// Inputs in order of time.
    pub ordered: Vec<(String, String)>,
    /// Inputs of which one is sent.
    pub send_first: Vec<Conditional>,
    /// The document's example.
    pub example: Option<Example>,
    /// Where it stands.
    pub span: Span,
    /// The file it stands in.
    pub file: String,
}

/// How pages are found.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Page {
    pub items: Vec<String>,
    pub next: Next,
    pub size: Option<(PagePlace, u64)>,
}

impl Page {
    /// Whether there can be more than one.
    pub fn goes_on(&self) -> bool {
        self.next != Next::None
    }
}

/// How the next page is found.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Next {
    None,
    Link(Vec<String>),
    Offset { query: String, more: Vec<String>, at_most: Option<u64> },
    After { field: Vec<String>, place: PagePlace, start: Option<Json> },
    Cursor { from: Vec<String>, place: PagePlace },
}

/// Where a value that finds a page goes.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum PagePlace {
    Query(String),
    Body(Vec<String>),
}

/// How much is too much.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Cap {
    pub count: Vec<String>,
    pub at_most: u64,
    pub ask: Vec<(String, Json)>,
}

/// A task that is waited for.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Poll {
    pub call: Option<Call>,
    pub status: Vec<String>,
    pub pending: Vec<String>,
    pub failed: Vec<String>,
    pub when: Option<String>,
    pub seconds: Option<String>,
    pub every: u64,
    pub slowest: u64,
}

/// The document's example.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Example {
    pub input: Option<Json>,
    pub output: Option<Json>,
    pub departs: Option<String>,
}

/// A trigger.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Trigger {
    pub name: String,
    pub title: String,
    pub doc: String,
    pub note: Option<String>,
    /// Which of the connector's actions.
    pub repeats: usize,
    pub document_permissions: Option<Vec<(String, Vec<String>)>>,
    pub input: Vec<Field>,
    pub interval: String,
    pub windows: Vec<Window>,
    pub seen: Option<(String, Vec<String>)>,
    pub empty_on: Vec<u64>,
    pub uncapped: bool,
    pub example: Option<Example>,
    pub span: Span,
}

/// A range of time that a round reads.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Window {
    pub first: String,
    pub start: String,
    pub end: String,
    pub fixed: bool,
    pub overlap: u64,
    pub at_most: Option<u64>,
}

/// A built-in role.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Role {
    pub name: String,
    pub doc: String,
    pub grants: crate::spec::role::Grants,
    pub permissions: Vec<(String, Vec<String>)>,
}

impl Connector {
    /// A record by its id.
    pub fn record(&self, id: RecordId) -> &Record {
        &self.records[id.0]
    }

    /// The record whose Rust type a record has.
    pub fn base(&self, id: RecordId) -> &Record {
        self.record(self.record(id).refines.unwrap_or(id))
    }
}
