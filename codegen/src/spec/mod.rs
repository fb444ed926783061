//! The language as written: a struct a word, a file a theme. Reading only; what the words mean is decided in `resolve`.
//!
//! The text beside each key is its entry in the language's schema, so it is written for a person with a vendor's
//! documentation open.

pub mod collection;
pub mod connection;
pub mod dashboard;
pub mod data_stream;
pub mod demo;
pub mod exchange;
pub mod field;
pub mod graph;
pub mod mapping;
pub mod modelling;
pub mod operation;
pub mod role;
pub mod simulator;
pub mod snapshot;
pub mod stream;
pub mod trigger;
pub mod types;

use crate::read::{Map, Names, Word};
use crate::source::Spanned;

/// One spec file: any of these sections. The files of a connector's folder are read as one.
#[derive(Debug, Clone, Default)]
pub struct File {
    /// What the connector is.
    pub connector: Option<connection::Connector>,
    /// How its service is reached.
    pub connection: Option<connection::Connection>,
    /// Closed sets of values.
    pub enums: Names<types::Enum>,
    /// Sets of keys of which a record carries one.
    pub variants: Names<Names<field::Rules>>,
    /// Records.
    pub types: Names<types::Type>,
    /// Actions.
    pub actions: Names<operation::Operation>,
    /// Triggers.
    pub triggers: Names<trigger::Trigger>,
    /// Built-in roles of the vendor.
    pub roles: Names<role::Role>,
    /// Event streams.
    pub streams: Names<stream::Stream>,
    /// What a person should know before collecting them.
    pub collection: Option<collection::Collection>,
    /// What data models of others make of their events.
    pub modelling: Names<modelling::Modelling>,
    /// Other graphs of the same account.
    pub dialects: Names<String>,
    /// Classes of the data model and the properties that each demands.
    pub classes: Names<Vec<Name>>,
    /// Tables that the operator may supply.
    pub lookups: Names<String>,
    /// What is read to build the graph.
    pub steps: Names<graph::Step>,
    /// Vertices.
    pub entities: Names<graph::Entity>,
    /// Edges.
    pub relationships: Vec<graph::Relationship>,
    /// Mappings to other schemas.
    pub mappings: Names<mapping::Mapping>,
    /// Lists that are read as a whole each time.
    pub snapshots: Names<snapshot::Snapshot>,
    /// Where documents live in a search engine.
    pub data_streams: Names<data_stream::DataStream>,
    /// The simulated service.
    pub simulator: Option<simulator::Simulator>,
    /// Calls that show what the connector does.
    pub demo: Vec<demo::Scene>,
}

impl Word for File {
    const NAME: &'static str = "file";

    fn read(map: &Map<'_>) -> Self {
        File {
            connector: map.optional("connector", "What the connector is; in exactly one file of its folder."),
            connection: map.optional("connection", "How its service is reached; in exactly one file of its folder."),
            enums: map.many("enums", "Closed sets of values, by name."),
            variants: map.many(
                "variants",
                "Sets of keys of which a record carries exactly one, with the rules for each key's value.",
            ),
            types: map.many("types", "Records, by name."),
            actions: map.many("actions", "What can be asked of the service, by name."),
            triggers: map.many("triggers", "Actions repeated at an interval, by name."),
            roles: map.many("roles", "Roles the vendor ships, by name."),
            streams: map.many("streams", "Events that are collected continuously, by name."),
            collection: map.optional(
                "collection",
                "What a person should know before collecting: set-up, limits, and what another collector's words are called here.",
            ),
            modelling: map.many("modelling", "What data models of others make of the events of streams, by name."),
            dialects: map.many("dialects", "Dialects of the graph, by name: whose graph each one is like."),
            classes: map
                .many("classes", "Classes of the data model, and the properties that each demands of its entities."),
            lookups: map.many("lookups", "Tables that the operator may supply, by name: what each holds."),
            steps: map.many("steps", "What is read to build the graph, by name."),
            entities: map.many("entities", "Vertices of the graph, by `_type`."),
            relationships: map.many("relationships", "Edges of the graph."),
            mappings: map.many("mappings", "How records become documents of another schema, by name."),
            snapshots: map.many(
                "snapshots",
                "Lists that are read as a whole each time, of which only what changed is sent on, by name.",
            ),
            data_streams: map.many(
                "data_streams",
                "Where documents live in a search engine, by data set: a stream of them, the index of the latest, and dashboards.",
            ),
            simulator: map.optional("simulator", "What the simulated service holds and does."),
            demo: map.many("demo", "A few calls against the simulated service that show what the connector does."),
        }
    }
}

/// A connector's files, joined.
#[derive(Debug, Clone, Default)]
pub struct Spec {
    /// The folder's name.
    pub folder: String,
    /// Everything its files say.
    pub file: File,
    /// The files it was read from.
    pub files: Vec<crate::source::FileId>,
    /// Whether every one of them could be read.
    pub whole: bool,
}

/// A name and where it stands.
pub type Name = Spanned<String>;
