//! A look at a range, how far a collection has come, and a clock that is wrong.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::{BRISK, STREAMS, World, assert_same, by_stream, normal};

/// Every file below a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { BTreeSet::from([path.display().to_string()]) })
        .collect()
}

#[test]
fn a_look_prints_the_events_of_its_range_and_leaves_nothing_behind() {
    let world = World::new(|options| options.history = Duration::from_secs(6 * 3600));
    let events = world.quiet();
    let look = ["--transforms", "none", "--to", "stdout:?key=key", "--from", "1d"];
    let shown = world.well(&look);
    let told = |line: &str| {
        let mut event: serde_json::Map<String, Value> = serde_json::from_str(line).expect("JSON");
        let key = event.remove("key").expect("a key").as_str().expect("a text").to_owned();
        (key.split(':').next().unwrap_or_default().to_owned(), Value::Object(event))
    };
    let given = shown.lines().map(told).map(|(stream, event)| (stream, event.to_string()));
    let wanted = normal(&events);
    assert_same("a look", &by_stream(given), &wanted);
    // The first few of each stream, and of those that give the oldest first, the oldest.
    let (code, shown, said) = world.collect(&[&look[..], &["--limit", "5"]].concat());
    assert_eq!(code, 0, "{said}");
    for (stream, clock) in [
        ("workbench", "createdDateTime"),
        ("observed_attack_technique", "detectedDateTime"),
        ("search_detection", "eventTime"),
        ("audit", "loggedDateTime"),
    ] {
        assert!(said.contains(&format!("{stream}: the first 5 events; there are more")), "{said}");
        let of_it = shown.lines().map(told).filter(|it| it.0 == stream).map(|it| it.1);
        let times: Vec<String> = of_it.map(|event| event[clock].to_string()).collect();
        assert_eq!(times.len(), 5, "{stream}");
        if ["workbench", "audit"].contains(&stream) {
            let all = wanted[stream].iter().map(|event| serde_json::from_str::<Value>(event).expect("JSON"));
            let mut all: Vec<String> = all.map(|event| event[clock].to_string()).collect();
            all.sort();
            assert_eq!(times, all[..5], "{stream}");
        }
    }
    // A range is its start, but not its end.
    let mut times: Vec<i64> = wanted["audit"].iter().map(|event| second(event)).collect();
    times.sort_unstable();
    let (from, until) = (times[10], times[30]);
    let count = times.iter().filter(|time| (from..until).contains(time)).count();
    let text = |second| jiff::Timestamp::from_second(second).expect("a time").to_string();
    let (from, until) = (text(from), text(until));
    let range = ["--stream", "audit", "--from", &from, "--until", &until];
    assert_eq!(world.well(&range).lines().count(), count);
    // Neither state, nor locks, nor anything else.
    assert_eq!(files(world.home.path()), BTreeSet::new());
    // Beside a collection it changes nothing of it.
    let to = format!("sqlite:{}", world.path("events.db").display());
    world.well(&["--to", &to, "--once"]);
    let before = (files(world.home.path()), world.status(&to));
    world.well(&look);
    assert_eq!((files(world.home.path()), world.status(&to)), before);
}

fn second(event: &str) -> i64 {
    let event: Value = serde_json::from_str(event).expect("JSON");
    event["loggedDateTime"].as_str().expect("a text").parse::<jiff::Timestamp>().expect("a time").as_second()
}

#[test]
fn the_status_says_how_far_a_collection_has_come_and_what_it_held() {
    let world = World::new(|options| options.history = Duration::from_secs(3600));
    let nothing = world.well(&["--status"]);
    assert_eq!(nothing, "nothing of trend-vision-one was collected yet\n");
    let events = world.quiet();
    let to = format!("file:{}", world.path("events.jsonl").display());
    world.well(&[&["--to", &to, "--once", "--first-fetch", "2h"][..], &BRISK].concat());
    let status = world.status(&to);
    let now = world.service.simulator.now();
    for (stream, _) in STREAMS {
        let shown = &status[stream];
        let count = events[stream].len() as u64;
        assert_eq!((&shown["counts"]["delivered"], &shown["gaps"]), (&json!(count), &json!([])), "{shown}");
        let time = |name: &str| shown[name].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
        assert!(time("first") < time("complete_before") && time("complete_before") <= time("read_before"), "{shown}");
        assert!(time("read_before") < now && shown["lag_seconds"].as_i64().expect("a number") >= 2, "{shown}");
        // Receipts follow one another without a hole, from the first second to where it is complete.
        let receipts = shown["receipts"].as_array().expect("a list");
        assert_eq!(receipts[0]["from"], shown["first"], "{shown}");
        assert!(receipts.windows(2).all(|two| two[0]["to"] == two[1]["from"]), "{shown}");
        assert_eq!(receipts.last().expect("one")["to"], shown["complete_before"], "{shown}");
        let sum: u64 = receipts.iter().map(|it| it["events"].as_u64().expect("a number")).sum();
        assert_eq!(sum, count, "{shown}");
    }
    let text = world.well(&["--status"]);
    let heads = ["STREAM", "COMPLETE BEFORE", "LAG", "EVENTS", "GAPS", "HEALTH"];
    assert!(heads.iter().all(|head| text.lines().next().expect("a line").contains(head)), "{text}");
    for (stream, _) in STREAMS {
        let row = text.lines().find(|line| line.split(' ').next() == Some(stream)).expect("a row");
        let words: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(words[1], status[stream]["complete_before"].as_str().expect("a time"));
        assert!(words.contains(&events[stream].len().to_string().as_str()) && row.ends_with("healthy"), "{text}");
    }
    let one = world.well(&["--status", "--stream", "audit", "--output", "jsonl"]);
    assert_eq!(one.lines().count(), 1);
    assert_eq!(serde_json::from_str::<Value>(&one).expect("JSON")["stream"], "audit");
}

#[test]
fn what_the_service_has_forgotten_is_told_and_shown_as_a_gap() {
    let world = World::new(|options| options.history = Duration::from_secs(3600));
    let to = format!("sqlite:{}", world.path("events.db").display());
    let collect = ["--to", &to, "--once", "--first-fetch", "200 days", "--stream", "audit,oat"];
    let (code, shown, said) = world.collect(&collect);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("WARN") && said.contains("events are missing: the service has forgotten that range"),
        "{said}"
    );
    assert!(shown.lines().any(|line| line.starts_with("audit: ") && line.ends_with("1 gap")), "{shown}");
    let status = world.status(&to);
    assert_eq!(status["observed_attack_technique"]["gaps"], json!([]));
    let gap = &status["audit"]["gaps"][0];
    assert_eq!((&gap["from"], &gap["missing"]), (&status["audit"]["first"], &json!("events")));
    let time = |name: &str| gap[name].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
    let days = time("found").duration_since(time("to")).as_secs();
    assert!((180 * 86_400 - 120..=180 * 86_400).contains(&days), "{gap}");
    let text = world.well(&["--status"]);
    let (from, until) = (gap["from"].as_str().expect("a time"), gap["to"].as_str().expect("a time"));
    assert!(text.contains(&format!("events are missing from {from} to {until}")), "{text}");
    // It is told once, and stays.
    let (_, _, said) = world.collect(&collect);
    assert!(!said.contains("forgotten"), "{said}");
    assert_eq!(world.status(&to)["audit"]["gaps"], json!([gap]));
}

#[test]
fn a_clock_that_is_far_from_the_service_s_is_refused_and_one_that_is_near_is_obeyed() {
    for (skew, most, ours) in [
        (400, None, "400 seconds behind"),
        (-400, None, "400 seconds ahead of"),
        (-40, Some("30s"), "40 seconds ahead of"),
    ] {
        let world = World::new(|options| options.skew = skew);
        let to = format!("file:{}", world.path("events.jsonl").display());
        let most = most.map_or(vec![], |most| vec!["--max-skew", most]);
        for arguments in [vec!["--to", &to, "--once"], vec!["--to", "stdout:", "--from", "1d"]] {
            let (code, shown, said) = world.collect(&[&arguments[..], &most].concat());
            assert_eq!((code, shown.as_str()), (2, ""), "{said}");
            let number: String = ours.chars().take_while(char::is_ascii_digit).collect();
            let number: i64 = number.parse().expect("a number");
            // The header has whole seconds.
            let told = (number - 1..=number + 1).map(|it| ours.replace(&number.to_string(), &it.to_string()));
            assert!(told.into_iter().any(|told| said.contains(&format!("clock is {told} the service's"))), "{said}");
            assert!(said.contains("--max-skew"), "{said}");
        }
        assert_eq!(world.requests(), 2, "nothing but the service's time is asked for");
        assert!(world.status(&to).is_empty());
    }
    // What is later than either clock is not asked for: a service that is ahead is read so much later.
    for skew in [-200, 4] {
        let world = World::new(|options| {
            options.skew = skew;
            options.history = Duration::from_secs(600);
            options.rate = 600;
        });
        let path = world.path("events.db");
        let to = format!("sqlite:{}", path.display());
        world.well(&[&["--to", &to, "--once", "--transforms", "none"][..], &BRISK].concat());
        let events = world.quiet();
        world.finish(&["--to", &to, "--transforms", "none"]);
        assert_same("a clock that is off", &crate::kept(&path), &events);
        let now = world.service.simulator.now().to_string();
        assert!(world.status(&to).values().all(|it| it["read_before"].as_str().expect("a time") < now.as_str()));
    }
}
