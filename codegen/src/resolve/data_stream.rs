//! Data streams: their mappings are found.

use super::Scope;
use crate::model::data_stream::DataStream;

/// The data streams of a connector. Rules tell of a mapping that is not there.
pub fn data_streams(scope: &Scope<'_>) -> Vec<DataStream> {
    let file = &scope.spec.file;
    let mapping = |name: &str| file.mappings.names().position(|known| known == name);
    let streams = file.data_streams.iter().filter_map(|(dataset, word)| {
        let mapping = mapping(&word.mapping.value)?;
        Some(DataStream { dataset: dataset.value.clone(), mapping, word: word.clone() })
    });
    streams.collect()
}
