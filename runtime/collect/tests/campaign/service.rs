//! A service that answers with pages of its history, in every way that services are known to.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use connectome_collect::plan::Ask;
use connectome_collect::source::{Source, Trouble};
use connectome_core::{Error, ErrorKind};
use serde_json::{Value, json};

use super::trial::{Flaw, World};

/// How the service behaves.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    pub newest_first: bool,
    pub end_inclusive: bool,
    /// Pages are of what there was when the first was asked for, not of what there is.
    pub snapshot: bool,
    /// How many seconds a cursor is good for.
    pub cursor_life: i64,
    pub page_size: usize,
    pub counts: bool,
    /// One page in this many is empty and has another behind it; none when 0.
    pub empty_pages: i64,
    /// The longest that an answer takes, in milliseconds.
    pub slowness: i64,
}

/// What a cursor stands for.
#[derive(Debug, Clone)]
pub struct Cursor {
    from: i64,
    to: i64,
    offset: usize,
    born: i64,
    /// The events, when they were chosen once and for all.
    chosen: Option<Vec<usize>>,
}

/// The service as one process sees it.
#[derive(Debug)]
pub struct Peer {
    pub world: Arc<Mutex<World>>,
}

fn failed() -> Error {
    Error::new(ErrorKind::Server, "the service has trouble")
}

impl Source for Peer {
    fn now(&self) -> i64 {
        self.world.lock().expect("the world").now.div_euclid(1000)
    }

    async fn page(&self, ask: &Ask) -> Result<Bytes, Trouble> {
        let mut world = self.world.lock().expect("the world");
        let world = &mut *world;
        world.requests += 1;
        world.calm();
        if let (Some(look_back), None) = (world.limits.look_back, &ask.cursor) {
            let oldest = world.now.div_euclid(1000) - look_back as i64;
            world.demand(ask.from >= oldest, "a range that the service has forgotten");
        }
        world.now += world.random.between(0, world.habits.slowness);
        if world.errs() {
            return Err(if world.random.once_in(3) { Trouble::Slow(failed()) } else { Trouble::Failed(failed()) });
        }
        let cursor = match &ask.cursor {
            None => {
                let now = world.now.div_euclid(1000);
                world.demand(ask.from < ask.to && ask.to <= now, "a range that is empty, or of the future");
                let to = if world.flaw == Flaw::EndOneSecondEarly { ask.to - 1 } else { ask.to };
                let mut cursor = Cursor { from: ask.from, to, offset: 0, born: world.now, chosen: None };
                cursor.chosen = world.habits.snapshot.then(|| chosen(world, &cursor));
                cursor
            }
            Some(link) => {
                let number: usize = link.rsplit('=').next().and_then(|it| it.parse().ok()).expect("a link of ours");
                let cursor = world.cursors[number].clone();
                if world.now - cursor.born > world.habits.cursor_life * 1000 {
                    return Err(Trouble::Stale(failed()));
                }
                cursor
            }
        };
        Ok(Bytes::from(answer(world, cursor)))
    }

    fn refusal(&self, _: &Ask, _: &Bytes) -> Option<Error> {
        None
    }

    fn wrong(&self, _: &Ask, why: String) -> Error {
        self.world.lock().expect("the world").demand(false, &why);
        Error::new(ErrorKind::Protocol, why)
    }
}

fn chosen(world: &World, cursor: &Cursor) -> Vec<usize> {
    let ends = |time: i64| match world.habits.end_inclusive {
        true => time <= cursor.to * 1000,
        false => time < cursor.to * 1000,
    };
    let shows = |number: &usize| {
        let event = &world.events[*number];
        let remembered = world.limits.look_back.is_none_or(|it| event.time >= world.now - it as i64 * 1000);
        remembered && event.time >= cursor.from * 1000 && ends(event.time) && event.visible <= world.now
    };
    let mut all: Vec<usize> = (0..world.events.len()).filter(shows).collect();
    if world.habits.newest_first {
        all.reverse();
    }
    all
}

fn answer(world: &mut World, cursor: Cursor) -> String {
    let all = cursor.chosen.clone().unwrap_or_else(|| chosen(world, &cursor));
    let empty = world.habits.empty_pages > 0 && world.random.once_in(world.habits.empty_pages);
    let size = if empty { 0 } else { world.habits.page_size };
    let end = (cursor.offset + size).min(all.len());
    let mut records: Vec<Value> = all[cursor.offset.min(end)..end]
        .iter()
        .map(|number| serde_json::from_str(&world.events[*number].record).expect("a record"))
        .collect();
    let mut more = end < all.len();
    if world.flaw == Flaw::CutAtLimit && !more && world.random.once_in(4) {
        // The system that this replaces cuts the list to its limit, and calls the window complete.
        records.truncate(records.len() / 2);
        more = false;
    }
    let mut body = json!({ "items": records });
    if world.habits.counts {
        body["total"] = json!(all.len());
    }
    if more {
        world.cursors.push(Cursor { offset: end, ..cursor });
        body["next"] = json!(format!("https://api.example/v1/events?page={}", world.cursors.len() - 1));
    } else if world.random.once_in(2) {
        body["next"] = json!("");
    }
    body.to_string()
}
