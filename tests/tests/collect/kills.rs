//! Processes that are killed at any moment, again and again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::{BRISK, Events, World, assert_same, by_stream, kept, normal};

/// How long a process lives at most.
const LONGEST: Duration = Duration::from_millis(150);

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// A service at which there is much to read at once, and more as time goes by, some of it late.
fn busy() -> World {
    World::new(|options| {
        options.scale = 60;
        options.history = Duration::from_secs(3600);
        options.rate = 3000;
        options.late = Duration::from_secs(2);
    })
}

/// Starts a collection and kills it, so often: after so many requests, and then at any moment of the next milliseconds.
fn kill(world: &World, times: u64, arguments: &[&str], mut killed: impl FnMut(&str)) {
    let mut dice = Dice(0x5eed_0000_0000_0001);
    let arguments = [
        arguments,
        &BRISK,
        &["--page-size", "100", "--max-events", "200", "--first-fetch", "2h", "--transforms", "none"],
    ]
    .concat();
    for _ in 0..times {
        let enough = world.requests() + dice.below(50);
        let then = Duration::from_micros(dice.below(10_000));
        let began = Instant::now();
        let mut process = world.start(&arguments);
        while world.requests() < enough && began.elapsed() < LONGEST {
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(then);
        assert!(process.is_running(), "it ended by itself: {:?}", process.end());
        process.child().kill().expect("a signal");
        let (code, _, said) = process.end();
        assert_eq!(code, -1);
        killed(&said);
    }
}

fn finish(world: &World, to: &str) {
    world.finish(&["--transforms", "none", "--to", to]);
}

fn sum(events: &Events) -> usize {
    events.values().map(Vec::len).sum()
}

#[test]
fn a_database_holds_every_event_once_however_often_the_process_is_killed() {
    const KILLS: u64 = 220;
    let world = busy();
    let path = world.path("events.db");
    let to = format!("sqlite:{}", path.display());
    // What a process has written is in this file; nobody opens it here, since that would tidy it up.
    let written = || fs::metadata(world.path("events.db-wal")).and_then(|file| file.modified()).ok();
    let (mut lives, mut before) = (0, None);
    let began = Instant::now();
    kill(&world, KILLS, &["--to", &to], |said| {
        assert_eq!(said, "");
        let now = written();
        lives += u64::from(now != before);
        before = now;
    });
    let events = world.quiet();
    let seconds = began.elapsed().as_secs_f32();
    finish(&world, &to);
    assert_same("killed", &kept(&path), &events);
    eprintln!("{KILLS} kills in {seconds:.1} s, {lives} of them after progress; {} events", sum(&events));
    assert!(lives > KILLS / 3, "only {lives} processes lived long enough to get anywhere");
}

#[test]
fn a_file_lacks_no_event_and_copies_are_fewer_than_kills_explain() {
    const KILLS: u64 = 50;
    // What a process delivers before it remembers it, in each of four streams: a round and a page.
    const UNREMEMBERED: u64 = 4 * (200 + 100);
    let world = busy();
    let path = world.path("events.jsonl");
    let to = format!("file:{}?key=key", path.display());
    // Where the last whole line ends: the next process cuts a torn one off.
    let length =
        || fs::read(&path).map_or(0, |file| file.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
    let (mut ends, mut torn) = (Vec::new(), 0);
    kill(&world, KILLS, &["--to", &to], |said| {
        torn += usize::from(said.contains("the last line was torn"));
        assert!(said.is_empty() || said.contains("torn") && said.lines().count() == 1, "{said}");
        ends.push(length());
    });
    let events = world.quiet();
    finish(&world, &to);
    ends.push(length());
    let whole = fs::read_to_string(&path).expect("text");
    let mut all = HashMap::new();
    let (mut copies, mut end) = (0_u64, 0);
    let mut lines = whole.split_inclusive('\n');
    for until in ends {
        let mut own = HashSet::new();
        while end < until {
            let line = lines.next().expect("a line");
            end += line.len();
            let (key, stream, event) = keyed(line, "key");
            assert!(own.insert(key.clone()), "twice from one process: {key}");
            if let Some(known) = all.insert(key, (stream, event.clone())) {
                copies += 1;
                assert_eq!(known.1, event, "the same key, but not the same event");
            }
        }
    }
    assert!(copies <= KILLS * UNREMEMBERED, "{copies} copies");
    assert_same("killed", &by_stream(all.into_values()), &normal(&events));
    eprintln!("{KILLS} kills, {} events, {copies} copies, {torn} torn lines", sum(&events));
}

#[test]
fn a_tenant_that_knows_keys_holds_every_event_once_however_often_the_process_is_killed() {
    const KILLS: u64 = 25;
    let world = busy();
    let (tenant, to) = world.tenant();
    kill(&world, KILLS, &["--to", &to], |said| assert_eq!(said, ""));
    let events = world.quiet();
    finish(&world, &to);
    let taken = tenant.simulator.events();
    let mut held = HashMap::new();
    for (key, line) in &taken {
        let (known, stream, event) = keyed(line, "collector_event_key");
        assert_eq!(key.as_ref(), Some(&known));
        let before = held.insert(known, (stream, event.clone()));
        assert!(before.is_none_or(|(_, before)| before == event), "the same key, but not the same event: {line}");
    }
    eprintln!("{KILLS} kills, {} events, {} copies", sum(&events), taken.len() - held.len());
    assert_same("killed", &by_stream(held.into_values()), &normal(&events));
}

#[test]
fn a_search_engine_holds_every_event_once_however_often_the_process_is_killed() {
    const KILLS: u64 = 15;
    let world = busy();
    let (search, to) = world.search();
    kill(&world, KILLS, &["--to", &to], |said| assert_eq!(said, ""));
    let events = world.quiet();
    finish(&world, &to);
    let all = |events: Vec<String>| BTreeMap::from([("all".to_owned(), events)]);
    let mut held: Vec<String> = search.simulator.documents().into_iter().map(|(.., it)| it.to_string()).collect();
    let mut wanted: Vec<String> = normal(&events).into_values().flatten().collect();
    held.sort_unstable();
    wanted.sort_unstable();
    assert_same("killed", &all(held), &all(wanted));
    let sent: usize = search.simulator.seen().iter().map(|seen| seen.documents).sum();
    eprintln!("{KILLS} kills, {} events, {sent} sent", sum(&events));
}

/// A line's key, its stream, and the event without its key.
fn keyed(line: &str, field: &str) -> (String, String, String) {
    let mut event: Map<String, Value> = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let key = event.remove(field).and_then(|key| key.as_str().map(str::to_owned)).expect("a key");
    let stream = key.split(':').next().unwrap_or_default().to_owned();
    (key, stream, Value::Object(event).to_string())
}
