//! Where documents live in a search engine, resolved.

use crate::spec::data_stream as word;

/// A stream of documents.
#[derive(Debug, Clone)]
pub struct DataStream {
    /// Its data set.
    pub dataset: String,
    /// Which of the connector's mappings makes its documents.
    pub mapping: usize,
    /// What it is like, in the spec's own words: it is printed as it was written.
    pub word: word::DataStream,
}
