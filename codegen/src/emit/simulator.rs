//! `simulator.rs`: what the simulated service holds and does, as data.

use crate::model::Connector;
use crate::output::File;

/// The file, if the spec describes a simulated service.
pub fn file(_connector: &Connector, _module: &str) -> Option<File> {
    None
}
