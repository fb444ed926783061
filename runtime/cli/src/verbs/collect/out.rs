//! The sink as the streams of one command see it.

use std::sync::Arc;

use connectome_collect::sink::{Chunk, Extent, Sink, Taken};
use connectome_core::Error;
use connectome_sinks::outlet::Outlet;
use tokio::sync::Mutex;

/// Where a stream's events go.
#[derive(Debug, Clone)]
pub enum Out {
    /// To a sink that several streams write to.
    Shared(Arc<Mutex<Outlet>>, Extent),
    /// Into the database that also remembers how far the collection has come.
    Kept,
    /// The first few to another.
    Few(Box<Out>, usize),
}

/// What is kept in a database goes there in one transaction.
const KEPT: Extent = Extent { events: 2000, bytes: 1 << 20 };

impl Out {
    /// A sink for several streams.
    pub fn shared(outlet: Outlet) -> Self {
        let extent = outlet.extent();
        Out::Shared(Arc::new(Mutex::new(outlet)), extent)
    }

    async fn give(&self, chunk: &Chunk) -> Result<Taken, Error> {
        match self {
            Out::Shared(outlet, _) => outlet.lock().await.deliver(chunk).await,
            Out::Kept | Out::Few(..) => Ok(Taken::default()),
        }
    }
}

impl Sink for Out {
    fn extent(&self) -> Extent {
        match self {
            Out::Shared(_, extent) => *extent,
            Out::Kept => KEPT,
            Out::Few(out, left) => {
                let extent = out.extent();
                Extent { events: extent.events.min((*left).max(1)), ..extent }
            }
        }
    }

    async fn deliver(&mut self, chunk: &Chunk) -> Result<Taken, Error> {
        let Out::Few(out, left) = self else { return self.give(chunk).await };
        let mut few = Chunk::new(chunk.stream());
        for event in chunk.events().take(*left) {
            few.push(event.key, event.second, |line| line.extend_from_slice(event.body));
        }
        *left -= few.len();
        if few.is_empty() { Ok(Taken::default()) } else { out.give(&few).await }
    }
}
