//! The sink that a destination names.

use std::path::Path;

use connectome_collect::sink::{Chunk, Extent, Sink, Taken};
use connectome_core::{Error, ErrorKind, Settings};

use crate::destination::Destination;
use crate::elasticsearch::Elasticsearch;
use crate::file::File;
use crate::stdout::Stdout;
use crate::xsiam::Xsiam;

/// Any of the sinks.
#[derive(Debug)]
pub enum Outlet {
    /// Standard output.
    Stdout(Stdout),
    /// A file.
    File(File),
    /// A tenant of XSIAM.
    Xsiam(Xsiam),
    /// Elasticsearch.
    Elasticsearch(Elasticsearch),
}

impl Outlet {
    /// Opens a destination, but for a database: that keeps events itself. Of the settings, the network and the clock are
    /// used. Events that a destination cannot hold go to `dead_letters`, unless it names a file of its own.
    pub fn open(destination: &Destination, settings: Settings, dead_letters: &Path) -> Result<Self, Error> {
        Ok(match destination {
            Destination::Stdout { key } => Outlet::Stdout(Stdout::new(std::io::stdout(), key.clone())),
            Destination::File(plan) => Outlet::File(File::open(plan.clone(), settings.clock)?),
            Destination::Xsiam(address) => Outlet::Xsiam(Xsiam::open(address, None, settings, dead_letters)?),
            Destination::Elasticsearch(address) => {
                Outlet::Elasticsearch(Elasticsearch::open(address, None, settings, dead_letters)?)
            }
            Destination::Sqlite(_) => {
                return Err(Error::new(ErrorKind::Configuration, "a database keeps its events beside the checkpoint")
                    .advice("this destination is not written to as the others are"));
            }
        })
    }

    /// What the user should know about the settings.
    pub fn warnings(&self) -> &[String] {
        match self {
            Outlet::Stdout(_) | Outlet::File(_) => &[],
            Outlet::Xsiam(sink) => sink.warnings(),
            Outlet::Elasticsearch(sink) => sink.warnings(),
        }
    }
}

impl Sink for Outlet {
    fn extent(&self) -> Extent {
        match self {
            Outlet::Stdout(sink) => sink.extent(),
            Outlet::File(sink) => sink.extent(),
            Outlet::Xsiam(sink) => sink.extent(),
            Outlet::Elasticsearch(sink) => sink.extent(),
        }
    }

    async fn deliver(&mut self, chunk: &Chunk) -> Result<Taken, Error> {
        match self {
            Outlet::Stdout(sink) => sink.deliver(chunk).await,
            Outlet::File(sink) => sink.deliver(chunk).await,
            Outlet::Xsiam(sink) => sink.deliver(chunk).await,
            Outlet::Elasticsearch(sink) => sink.deliver(chunk).await,
        }
    }
}
