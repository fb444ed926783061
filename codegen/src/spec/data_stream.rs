//! Where documents live in a search engine: a stream of them that ends after a while, and an index of the latest.

use crate::read::{Map, Names, Seconds, Word};
use crate::source::{Span, Spanned};
use crate::spec::Name;
use crate::spec::dashboard::Dashboard;

/// A stream of documents. Its name in the spec is its data set.
#[derive(Debug, Clone)]
pub struct DataStream {
    /// Its name for people.
    pub title: String,
    /// What is in it.
    pub doc: String,
    /// The classes of the records in it.
    pub classes: Vec<Name>,
    /// The mapping that makes its documents.
    pub mapping: Name,
    /// Its name, but for the namespace.
    pub name: String,
    /// The data stream, but for the namespace, of what could not be mapped.
    pub failures: Option<Name>,
    /// The parameter that names the namespace.
    pub namespace: Name,
    /// Which of several templates that match counts: the highest.
    pub priority: u64,
    /// How many fields an index may have.
    pub fields_limit: Option<u64>,
    /// The time between two polls.
    pub every: Seconds,
    /// How long documents are kept.
    pub retention: Retention,
    /// The index of the latest document of each record.
    pub latest: Option<Latest>,
    /// What is shown of them, by id.
    pub dashboards: Names<Dashboard>,
}

impl DataStream {
    /// The data set of what could not be mapped, if its data stream has a proper name.
    pub fn failed(&self) -> Option<(&str, &str)> {
        let name = self.failures.as_ref()?.value.as_str();
        let (kind, dataset) = name.split_once('-')?;
        (!kind.is_empty() && !dataset.is_empty() && !dataset.contains('-')).then_some((name, dataset))
    }
}

impl Word for DataStream {
    const NAME: &'static str = "data_stream";

    fn read(map: &Map<'_>) -> Self {
        DataStream {
            title: map.required("title", "Its name for people."),
            doc: map.required("doc", "What is in it."),
            classes: map.many("classes", "The classes of the records in it, as the service calls them."),
            mapping: map.required("mapping", "The mapping that makes its documents."),
            name: map.required("name", "The data stream's name, but for the namespace: `logs-acme.hosts`."),
            failures: map.optional("failures", "The data stream of records that could not be mapped, but for the namespace: `logs-acme.failed`. What stands between its hyphens is their data set."),
            namespace: map.required("namespace", "The parameter of the connection that names the namespace."),
            priority: map.required(
                "priority",
                "Of several index templates that match, the one with the highest priority counts.",
            ),
            fields_limit: map.optional("fields_limit", "How many fields an index may have."),
            every: map.required("every", "The time between two polls."),
            retention: map.required("retention", "How long documents are kept."),
            latest: map.optional("latest", "The index that holds the latest document of each record."),
            dashboards: map.many("dashboards", "What is shown of the documents, by id."),
        }
    }
}

/// How long documents are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    /// The policy's name.
    pub policy: String,
    /// The age at which a new index begins.
    pub roll_over: Seconds,
    /// The size at which a new index begins.
    pub roll_over_size: Option<String>,
    /// How long an index is kept once a new one has begun.
    pub delete_after: Seconds,
}

impl Word for Retention {
    const NAME: &'static str = "retention";

    fn read(map: &Map<'_>) -> Self {
        Retention {
            policy: map.required("policy", "The name of the lifecycle policy."),
            roll_over: map.required("roll_over", "The age at which a new index begins."),
            roll_over_size: map.optional("roll_over_size", "The size at which a new index begins, as `50gb`."),
            delete_after: map.required("delete_after", "How long an index is kept once a new one has begun."),
        }
    }
}

/// The index of the latest documents.
#[derive(Debug, Clone)]
pub struct Latest {
    /// The transform's id.
    pub transform: String,
    /// What the transform is for.
    pub doc: String,
    /// The index.
    pub index: String,
    /// The name under which it is found.
    pub alias: String,
    /// The fields that tell one record from another.
    pub unique_key: Vec<Name>,
    /// The field of which the highest is the latest.
    pub sort: Name,
    /// How often it looks.
    pub frequency: Seconds,
    /// The field that says when a document came.
    pub sync: Name,
    /// How much later a document can be found.
    pub delay: Seconds,
    /// The age at which a document is removed.
    pub max_age: Spanned<Seconds>,
    /// The field that tells the stream and the index apart: `true` in the stream, `false` in the index.
    pub mark: Option<Name>,
    /// Where it stands.
    pub span: Span,
}

impl Word for Latest {
    const NAME: &'static str = "latest";

    fn read(map: &Map<'_>) -> Self {
        Latest {
            transform: map.required("transform", "The id of the transform that fills it."),
            doc: map.required("doc", "What the transform is for."),
            index: map.required("index", "The index."),
            alias: map.required("alias", "The name under which the index is found."),
            unique_key: map.required("unique_key", "The fields that tell one record from another."),
            sort: map.required("sort", "Of the documents of a record, the one with the highest value of this field is the latest."),
            frequency: map.required("frequency", "How often the transform looks for new documents."),
            sync: map.required("sync", "The field that says when a document came."),
            delay: map.required("delay", "How long after that the transform counts on finding it."),
            max_age: map.required("max_age", "The age, by the same field, at which a document is removed from the index. At least two hours more than the time between two polls: otherwise the index is empty for a while each time."),
            mark: map.optional("mark", "The field that tells the two apart: it is always true in the stream, and false in the index."),
            span: map.span(),
        }
    }
}
