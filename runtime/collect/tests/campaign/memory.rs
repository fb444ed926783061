//! A memory that keeps what was written, as text, and can be cut off before or after it writes.

use std::sync::{Arc, Mutex};

use connectome_collect::checkpoint::{Checkpoint, Goal};
use connectome_collect::ledger::{Change, Ledger, Seen};
use connectome_core::Error;

use super::trial::{World, killed};

/// What outlives the process.
#[derive(Debug, Default)]
pub struct Disk {
    checkpoint: Option<String>,
    seen: Vec<Seen>,
    /// Ends of the windows that receipts tell of.
    pub closed: Vec<(i64, i64)>,
}

/// The memory of one process.
#[derive(Debug)]
pub struct Memory {
    pub world: Arc<Mutex<World>>,
}

impl Ledger for Memory {
    fn load(&mut self) -> Result<Option<Checkpoint>, Error> {
        let world = self.world.lock().expect("the world");
        Ok(world.disk.checkpoint.as_deref().map(|text| serde_json::from_str(text).expect("what was written is read")))
    }

    fn seen(&mut self, from: i64, to: i64, each: &mut dyn FnMut(Seen)) -> Result<(), Error> {
        let world = self.world.lock().expect("the world");
        let near = |seen: &&Seen| seen.loose || (from..to).contains(&seen.second);
        world.disk.seen.iter().filter(near).for_each(|seen| each(*seen));
        Ok(())
    }

    fn save(&mut self, change: &Change<'_>) -> Result<(), Error> {
        let mut world = self.world.lock().expect("the world");
        let world = &mut *world;
        if world.strikes() {
            return Err(killed());
        }
        let new = change.checkpoint;
        let limits = world.limits;
        if let Some(old) = &world.disk.checkpoint {
            let old: Checkpoint = serde_json::from_str(old).expect("what was written is read");
            world.demand(old.closed <= new.closed && old.fresh <= new.fresh, "a pass went back");
        }
        let settled = world.now / 1000 - (limits.margin + limits.late_by) as i64;
        world.demand(new.closed <= settled.max(new.first), "a window was closed before its lateness had passed");
        world.demand(new.forget_below() <= new.closed && new.closed <= new.fresh, "the passes are out of order");
        world.disk.seen.extend_from_slice(change.seen);
        world.disk.seen.retain(|seen| seen.second >= new.forget_below());
        world.disk.closed.extend(change.receipts.iter().filter(|it| it.goal == Goal::Close).map(|it| (it.from, it.to)));
        world.disk.checkpoint = Some(serde_json::to_string(new).expect("a checkpoint prints"));
        if world.strikes() { Err(killed()) } else { Ok(()) }
    }
}
