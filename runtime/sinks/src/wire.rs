//! What destinations that are reached over HTTP have in common.

use std::io::Write;

use bytes::Bytes;
use connectome_core::connector::{Connector, ErrorBody, Test};
use connectome_core::names::NameRule;
use connectome_core::operation::Operation;
use connectome_core::shape::Record;
use connectome_core::{Error, ErrorKind};
use flate2::Compression;
use flate2::write::GzEncoder;

/// A destination as a service: what its own table does not say.
pub(crate) const DESTINATION: Connector = Connector {
    name: "",
    title: "",
    version: env!("CARGO_PKG_VERSION"),
    parameters: &Record::named("destination"),
    base: "{api_url}",
    auth: ("Authorization", "{token}"),
    headers: &[],
    verify_tls: None,
    test: Test { operation: &Operation::named("test"), expect: &[], refused: None },
    errors: ErrorBody { under: &["error"], code: "code", message: "message", number: None, in_success: false },
    rate_classes: &[],
    exhausted: None,
    max_body: None,
    read_timeout: 120,
    first_pause: 2,
    names: NameRule::Same,
    operations: &[],
    triggers: &[],
    streams: &[],
    snapshots: &[],
    mappings: &[],
    search: &[],
    roles: &[],
    catalog: "{}",
};

/// Compressed, and the same for the same text: neither a time nor a name is in it.
pub(crate) fn packed(text: &[u8]) -> Result<Bytes, Error> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(text).and_then(|()| encoder.finish());
    packed
        .map(Bytes::from)
        .map_err(|error| Error::new(ErrorKind::Storage, format!("what is sent cannot be compressed: {error}")))
}
