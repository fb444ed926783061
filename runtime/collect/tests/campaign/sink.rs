//! A sink that notes every event it is given, and can fail before or after it has taken them.

use std::sync::{Arc, Mutex};

use connectome_collect::sink::{Chunk, Extent, Sink, Taken};
use connectome_core::{Error, ErrorKind};

use super::trial::{World, killed};

#[derive(Debug)]
pub struct Notes {
    pub world: Arc<Mutex<World>>,
}

impl Sink for Notes {
    fn extent(&self) -> Extent {
        let world = self.world.lock().expect("the world");
        Extent { events: world.chunk, bytes: 1 << 20 }
    }

    async fn deliver(&mut self, chunk: &Chunk) -> Result<Taken, Error> {
        let mut world = self.world.lock().expect("the world");
        let world = &mut *world;
        if world.strikes() {
            return Err(killed());
        }
        if world.errs() {
            return Err(Error::new(ErrorKind::Connect, "the sink is not there"));
        }
        for event in chunk.events() {
            *world.delivered.entry(event.key.to_owned()).or_default() += 1;
        }
        if world.strikes() { Err(killed()) } else { Ok(Taken::default()) }
    }
}
