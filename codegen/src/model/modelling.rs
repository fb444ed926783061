//! What data models of others make of events, resolved.

/// What a data model makes of the events of streams.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Modelling {
    pub name: String,
    pub title: String,
    pub doc: String,
    /// The data set that its rules read.
    pub dataset: Option<String>,
    /// Editions that differ, and what each is.
    pub generations: Vec<(String, String)>,
    /// Which of the connector's streams, and what becomes of the fields of its events.
    pub streams: Vec<(usize, Vec<Row>)>,
    /// Names for values, by theme.
    pub constants: Vec<(String, Vec<(String, String)>)>,
}

/// What becomes of a field.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Row {
    /// The field; of several, the first that is there.
    pub from: Vec<String>,
    pub to: To,
    pub note: Option<String>,
}

/// The names of a field in a data model.
#[derive(Debug, Clone)]
pub enum To {
    /// The model has one edition.
    Always(Vec<String>),
    /// In each generation.
    By(Vec<(String, Vec<String>)>),
}
