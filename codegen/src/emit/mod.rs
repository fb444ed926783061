//! From the model to files: a file here for each kind of output. Emitters print and never fail, since what
//! could be wrong was reported before. None of them decides by a name.

mod catalog;
mod client;
mod crate_root;
mod describe;
mod docs;
mod elasticsearch;
mod example;
mod graph;
mod kibana;
mod manifest;
mod mapping;
mod operations;
mod rust;
mod schema;
mod simulator;
mod snapshot;
mod stream;
mod tables;
mod types;
mod words;

use crate::model::Model;
use crate::names::rust_module;
use crate::output::File;

/// Where the crate will stand, and what it stands on.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The way from the crate to the folder of runtime crates.
    pub runtime: String,
    /// Whether it is a workspace of its own rather than a member of one.
    pub standalone: bool,
}

/// Every file of the crate.
pub fn files(model: &Model, layout: &Layout) -> Vec<File> {
    let mut files = vec![
        manifest::file(model, layout),
        crate_root::library(model),
        crate_root::binary(),
        docs::index(model),
        schema::of_specs(),
    ];
    files.extend(catalog::files(model));
    for connector in &model.connectors {
        let module = rust_module(&connector.name);
        files.extend([
            crate_root::module(connector, &module),
            types::file(connector, &module),
            client::file(connector, &module),
            operations::file(connector, &module),
            docs::page(connector),
            schema::of_connector(connector),
        ]);
        files.extend(graph::file(connector, &module));
        files.extend(stream::file(connector, &module));
        files.extend(mapping::file(connector, &module));
        files.extend(snapshot::file(connector, &module));
        files.extend(elasticsearch::files(connector));
        files.extend(simulator::file(connector, &module));
    }
    files
}
