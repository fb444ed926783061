//! What the user may set, as it is when nobody sets it.

use connectome_core::connector::Connector;
use serde_json::{Map, Value};

/// The parameters of a connector that have a default.
pub fn defaults(connector: &Connector) -> Map<String, Value> {
    let fields = connector.parameters.fields.iter();
    fields.filter_map(|field| Some((field.name.to_owned(), field.default?.value()))).collect()
}
