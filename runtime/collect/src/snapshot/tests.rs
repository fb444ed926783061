//! Readings of a list that changes between them, by a process that ends anywhere: what a search engine would hold in the end
//! is what the list holds, and nothing is sent that need not be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use connectome_core::mapping::{Keys, Mapping, Stage, Verb};
use connectome_core::operation::Operation;
use connectome_core::page::{Next, Page as Paging, PagePlace};
use connectome_core::shape::Literal;
use connectome_core::snapshot::{Gone, Snapshot};
use connectome_core::{Error, ErrorKind};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Pages, Poller, Rules};
use crate::collector::Ended;
use crate::ledger::Database;
use crate::sink::{Chunk, Extent, Sink, Taken};

const DAY: u64 = 86_400;
const SIZE: usize = 7;

static READ: Operation = Operation { page: Some(PAGING), ..Operation::named("things") };
const PAGING: Paging = Paging {
    items: &["rows"],
    next: Next::Cursor { from: &["cursor"], place: PagePlace::Body(&["cursor"]) },
    size: None,
};
static MAPPING: Mapping = Mapping {
    name: "things",
    strict: None,
    remove: true,
    failures: None,
    stages: &[Stage { asked: None, when: &[], within: &[], verb: Verb::CopyAll { into: &["row"], keys: Keys::Same } }],
    fields: &[],
};
static THINGS: Snapshot = Snapshot {
    name: "things",
    title: "Things",
    aliases: &[],
    on_request: false,
    read: &READ,
    pages: 100,
    id: &["id"],
    every: DAY,
    mapping: &MAPPING,
    lasts: Some(150 * DAY),
    gone: Some(Gone { keep: &[&["id"]], set: &[(&["deleted"], Literal::Boolean(true))] }),
    deferred: None,
};

/// The list, the time, and what goes wrong.
#[derive(Debug, Default)]
struct World {
    now: i64,
    rows: BTreeMap<u32, u32>,
    /// The page at which the service fails.
    breaks: Option<usize>,
    /// How many chunks the sink takes; of the next it keeps all and says nothing.
    takes: Option<usize>,
    /// What was delivered: keys and documents.
    delivered: Vec<(String, Value)>,
}

#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<World>>);

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

impl Pages for Shared {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.world().now).unwrap()
    }

    async fn page(&self, next: Option<&str>) -> Result<(Bytes, Paging), Error> {
        let world = self.world();
        let at: usize = next.map_or(0, |text| text.parse().unwrap());
        if world.breaks == Some(at / SIZE) {
            return Err(Error::new(ErrorKind::Server, "broken"));
        }
        // The order of names in a record says nothing.
        let row = |(place, (id, content)): (usize, (&u32, &u32))| match (place + at) % 2 {
            0 => json!({ "id": format!("t{id}"), "content": content }),
            _ => json!({ "content": content, "id": format!("t{id}") }),
        };
        let rows: Vec<Value> = world.rows.iter().skip(at).take(SIZE).enumerate().map(row).collect();
        let cursor = (at + SIZE < world.rows.len()).then(|| (at + SIZE).to_string());
        Ok((Bytes::from(json!({ "rows": rows, "cursor": cursor }).to_string()), PAGING))
    }

    fn wrong(&self, why: String) -> Error {
        Error::new(ErrorKind::Protocol, why)
    }
}

impl Sink for Shared {
    fn extent(&self) -> Extent {
        Extent { events: 5, bytes: 1 << 20 }
    }

    async fn deliver(&mut self, chunk: &Chunk) -> Result<Taken, Error> {
        let mut world = self.world();
        for event in chunk.events() {
            let known = world.delivered.iter().any(|(key, _)| key == event.key);
            // A search engine stores what bears one id once.
            if !known {
                world.delivered.push((event.key.to_owned(), serde_json::from_slice(event.body).unwrap()));
            }
        }
        match &mut world.takes {
            None => {}
            Some(0) => return Err(Error::new(ErrorKind::Connect, "no answer")),
            Some(left) => *left -= 1,
        }
        Ok(Taken::default())
    }
}

/// A reading by a process of its own.
fn read(world: &Shared, path: &std::path::Path, full: bool) -> Result<(Ended, super::Reading), Error> {
    let ledger = Database::open(path, false)?.ledger("collect/a/things/to")?;
    let rules = Rules { full, ..Rules::of(&THINGS) };
    let mut poller = Poller::open(&THINGS, rules, &Map::new(), (world.clone(), world.clone(), ledger))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ended = runtime.block_on(poller.round())?;
    Ok((ended, poller.progress().last.unwrap()))
}

/// The latest document of each record, as an index of the latest holds it.
fn latest(world: &Shared) -> BTreeMap<String, Value> {
    let rows =
        |(_, document): &(String, Value)| (document["row"]["id"].as_str().unwrap().to_owned(), document["row"].clone());
    world.world().delivered.iter().map(rows).collect()
}

/// What is there, by id, without what is marked as gone.
fn alive(world: &Shared) -> BTreeMap<String, u64> {
    let alive = latest(world).into_iter().filter(|(_, row)| row["deleted"] != json!(true));
    alive.map(|(id, row)| (id, row["content"].as_u64().unwrap())).collect()
}

fn there(world: &Shared) -> BTreeMap<String, u64> {
    world.world().rows.iter().map(|(id, content)| (format!("t{id}"), u64::from(*content))).collect()
}

fn filled(count: u32) -> Shared {
    let world = Shared::default();
    world.world().now = 1_770_000_000;
    world.world().rows = (0..count).map(|id| (id, 0)).collect();
    world
}

#[test]
fn of_one_percent_that_changed_no_more_is_sent_than_that_and_what_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let world = filled(10_000);
    let mut rules = Rules::of(&THINGS);
    rules.pages = 10_000;
    let read = || {
        let ledger = Database::open(&path, false).unwrap().ledger("collect/a/things/to").unwrap();
        let mut poller = Poller::open(&THINGS, rules, &Map::new(), (world.clone(), world.clone(), ledger)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(poller.round()).unwrap();
        poller.progress().last.unwrap()
    };
    let first = read();
    assert_eq!((first.new, first.sent(), first.records), (10_000, 10_000, 10_000));
    for day in 1..=3 {
        world.world().now += 86_400;
        (0..100).for_each(|id| _ = world.world().rows.insert(day * 1000 + id, day));
        let next = read();
        assert_eq!((next.new, next.changed, next.gone), (0, 100, 0));
        assert!(next.sent() <= 200 && next.again > 30, "{next:?}");
    }
    assert_eq!(alive(&world), there(&world));
}

#[test]
fn what_has_disappeared_is_marked_once_and_what_comes_back_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let world = filled(20);
    read(&world, &path, false).unwrap();
    world.world().rows.remove(&3);
    world.world().now += 60;
    let (_, second) = read(&world, &path, false).unwrap();
    assert_eq!((second.gone, second.sent()), (1, 1));
    assert_eq!(latest(&world)["t3"], json!({ "id": "t3", "deleted": true }));
    world.world().now += 60;
    assert_eq!(read(&world, &path, false).unwrap().1.sent(), 0);
    // The same content as before, and yet another document.
    world.world().rows.insert(3, 0);
    world.world().now += 60;
    assert_eq!(read(&world, &path, false).unwrap().1.new, 1);
    assert_eq!(alive(&world), there(&world));
}

#[test]
fn nothing_is_marked_by_a_reading_that_did_not_see_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let world = filled(20);
    read(&world, &path, false).unwrap();
    world.world().rows.insert(0, 1);
    world.world().breaks = Some(2);
    assert_eq!(read(&world, &path, false).unwrap_err().kind(), ErrorKind::Server);
    let ledger = Database::open(&path, false).unwrap().ledger("collect/a/things/to").unwrap();
    let rules = Rules { pages: 2, ..Rules::of(&THINGS) };
    world.world().breaks = None;
    let mut poller = Poller::open(&THINGS, rules, &Map::new(), (world.clone(), world.clone(), ledger)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let cut = runtime.block_on(poller.round()).unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::Partial);
    assert!(cut.to_string().contains("only 14 records were read, in 2 pages"), "{cut}");
    assert_eq!(alive(&world), there(&world));
}

#[test]
fn a_full_reading_sends_everything_and_marks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let world = filled(20);
    read(&world, &path, true).unwrap();
    world.world().rows.remove(&3);
    let (_, second) = read(&world, &path, true).unwrap();
    assert_eq!((second.again, second.gone, second.sent()), (19, 0, 19));
    // Killed in the middle, it does not begin to send again.
    world.world().takes = Some(2);
    read(&world, &path, true).unwrap_err();
    world.world().takes = None;
    let (_, third) = read(&world, &path, true).unwrap();
    assert_eq!(third.sent(), 9);
    let (_, marking) = read(&world, &path, false).unwrap();
    assert_eq!((marking.gone, marking.sent()), (1, 1));
}

/// What happens to the list, and how its reading ends.
#[derive(Debug, Clone)]
enum Act {
    Put(u32, u32),
    Remove(u32),
    Read { breaks: Option<usize>, takes: Option<usize>, later: i64 },
}

fn act() -> impl Strategy<Value = Act> {
    let trouble = prop_oneof![3 => Just(None), 2 => (0..6usize).prop_map(Some)];
    prop_oneof![
        4 => (0..12u32, 0..2u32).prop_map(|(id, content)| Act::Put(id, content)),
        2 => (0..12u32).prop_map(Act::Remove),
        3 => (trouble.clone(), trouble, 1..86_400 * 40i64)
            .prop_map(|(breaks, takes, later)| Act::Read { breaks, takes, later }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_latest_documents_are_the_list(acts in prop::collection::vec(act(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let world = filled(10);
        for act in acts {
            match act {
                Act::Put(id, content) => _ = world.world().rows.insert(id, content),
                Act::Remove(id) => _ = world.world().rows.remove(&id),
                Act::Read { breaks, takes, later } => {
                    world.world().now += later;
                    (world.world().breaks, world.world().takes) = (breaks, takes);
                    if read(&world, &path, false).is_ok() {
                        prop_assert_eq!(alive(&world), there(&world));
                    }
                }
            }
        }
        (world.world().breaks, world.world().takes) = (None, None);
        read(&world, &path, false).unwrap();
        prop_assert_eq!(alive(&world), there(&world));
        let sent = world.world().delivered.len();
        prop_assert_eq!(read(&world, &path, false).unwrap().1.sent(), 0);
        prop_assert_eq!(world.world().delivered.len(), sent);
    }
}
