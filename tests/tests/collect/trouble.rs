//! A service, a destination or a user that gets in the way: progress stops, and nothing is lost.

use std::fs;
use std::time::Duration;

use connectome_sim::Fault as Wrong;
use connectome_sinks::xsiam::simulated::Fault;
use connectome_tests::simulated::{TOKEN, free_address};
use serde_json::Value;

use crate::{BRISK, Events, STREAMS, TENANT, World, assert_same, by_stream, kept, normal, wait};

fn small() -> World {
    World::new(|options| options.history = Duration::from_secs(600))
}

/// Events as lines with a key, each once.
fn keyed(lines: impl IntoIterator<Item = String>, field: &str) -> Events {
    let events = lines.into_iter().map(|line| {
        let mut event: serde_json::Map<String, Value> = serde_json::from_str(&line).expect("JSON");
        let key = event.remove(field).expect("a key");
        let stream = key.as_str().and_then(|key| key.split(':').next()).expect("a stream").to_owned();
        (stream, Value::Object(event).to_string())
    });
    by_stream(events)
}

/// Nothing counts as delivered, read or complete.
fn assert_unmoved(world: &World, to: &str) {
    for (stream, shown) in world.status(to) {
        assert_eq!(shown["counts"]["delivered"], 0, "{stream}: {shown}");
        assert_eq!(shown["read_before"], shown["first"], "{stream}: {shown}");
        assert_eq!(shown["receipts"].as_array().map(Vec::len), Some(0), "{stream}: {shown}");
    }
}

#[test]
fn a_tenant_that_refuses_stops_progress_and_gets_everything_once_it_takes_again() {
    let world = small();
    let events = normal(&world.quiet());
    let (tenant, to) = world.tenant();
    let collect =
        [&["--transforms", "none", "--first-fetch", "15m", "--to", &to, "--once", "--tries", "1"][..], &BRISK].concat();
    for fault in [
        Fault::Error(500),
        Fault::Error(400),
        Fault::Error(401),
        Fault::RateLimit(None),
        Fault::Says(r#"{"error":"true"}"#.to_owned()),
        Fault::Says(String::new()),
        Fault::Reset,
    ] {
        // Each stream sends once and no more, as far as it comes to that.
        tenant.simulator.fail(4, fault.clone());
        let (code, shown, said) = world.collect(&collect);
        assert_eq!((code, shown.as_str()), (1, ""), "{fault:?}: {said}");
        assert!(STREAMS.iter().all(|(stream, _)| said.contains(&format!("error: {stream}: "))), "{fault:?}: {said}");
        assert!(said.contains("error: no stream could be collected"), "{said}");
        assert!(!said.contains(TENANT), "{said}");
        assert_unmoved(&world, &to);
        let unhealthy = world.status(&to).values().all(|it| it["healthy"] == false && it["error"].is_string());
        assert!(unhealthy && tenant.simulator.events().is_empty(), "{fault:?}");
    }
    // The last one takes the events and does not say so: they come again, with the same keys.
    tenant.simulator.fail(1, Fault::Lost);
    assert_eq!(world.collect(&collect).0, 3);
    world.finish(&["--transforms", "none", "--to", &to]);
    let mut lines: Vec<String> = tenant.simulator.events().into_iter().map(|(_, line)| line).collect();
    let count = lines.len();
    lines.sort();
    lines.dedup();
    assert!(lines.len() < count, "nothing came twice");
    assert_same("the tenant", &keyed(lines, "collector_event_key"), &events);
}

#[test]
fn a_tenant_that_is_away_is_waited_for() {
    let world = small();
    let events = normal(&world.quiet());
    let address = free_address();
    let gone = format!("xsiam+http://{address}");
    let collect =
        [&["--transforms", "none", "--first-fetch", "15m", "--to", &gone, "--tries", "1"][..], &BRISK].concat();
    let (code, shown, said) = world.collect(&[&collect[..], &["--once"]].concat());
    assert_eq!((code, shown.as_str()), (1, ""), "{said}");
    assert_unmoved(&world, &gone);
    let mut process = world.start(&collect);
    wait("it is tried again", || world.status(&gone).values().all(|it| it["failures"].as_u64() >= Some(3)));
    assert_unmoved(&world, &gone);
    assert!(process.is_running());
    let tenant = connectome_sinks::xsiam::simulated::Tenant::new(TENANT);
    let tenant = world.runtime.block_on(connectome_sim::serve(tenant, address, None)).expect("the port is still free");
    let sum: usize = events.values().map(Vec::len).sum();
    wait("everything is there", || tenant.simulator.events().len() >= sum);
    wait("they are well", || world.status(&gone).values().all(|it| it["healthy"] == true));
    process.signal("-TERM");
    assert_eq!(process.end().0, 130);
    let lines = tenant.simulator.events().into_iter().map(|(_, line)| line);
    assert_same("the tenant", &keyed(lines, "collector_event_key"), &events);
}

#[test]
fn a_file_that_cannot_be_written_stops_progress_and_has_everything_later() {
    let world = small();
    let events = world.quiet();
    let (folder, path) = (world.path("there"), world.path("there/events.jsonl"));
    let to = format!("file:{}?key=key", path.display());
    let collect = [&["--transforms", "none", "--first-fetch", "15m", "--to", &to][..], &BRISK].concat();
    let before = world.requests();
    let refused = |told: &str| {
        let (code, shown, said) = world.collect(&[&collect[..], &["--once"]].concat());
        assert_eq!((code, shown.as_str()), (1, ""), "{said}");
        assert!(said.contains(told), "{said}");
    };
    refused("there is no folder ");
    fs::create_dir(&folder).expect("a folder");
    fs::create_dir(&path).expect("a folder");
    refused("is not a regular file");
    assert_eq!(world.requests(), before, "nothing was asked for");
    assert!(world.status(&to).is_empty());
    fs::remove_dir(&path).expect("a folder goes");
    fs::write(&path, "somebody's notes").expect("a file");
    refused("is no event");
    assert_eq!(fs::read_to_string(&path).expect("text"), "somebody's notes");
    fs::remove_file(&path).expect("a file goes");
    // The folder goes away while a process is at work.
    let process = world.start(&collect);
    wait("it is at work", || world.delivered(&to, "audit") > 0);
    drop(process);
    world.finish(&["--transforms", "none", "--to", &to]);
    let lines = fs::read_to_string(&path).expect("text");
    let mut lines: Vec<String> = lines.lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    assert_same("the file", &keyed(lines, "key"), &normal(&events));
}

#[test]
fn a_signal_ends_it_in_good_order_and_keeps_what_was_taken() {
    for signal in ["-INT", "-TERM"] {
        let world = World::new(|options| {
            options.scale = 20;
            options.history = Duration::from_secs(3000);
            options.rate = 600;
            options.latency = Duration::from_millis(20);
        });
        let path = world.path("events.jsonl");
        let to = format!("file:{}?key=key", path.display());
        let collect =
            [&["--transforms", "none", "--first-fetch", "1h", "--page-size", "50", "--to", &to][..], &BRISK].concat();
        for pages in [0, 10, 40] {
            let enough = world.requests() + pages;
            let mut process = world.start(&collect);
            // Before it has asked for anything there is nobody to hear it.
            wait("it is at work", || world.requests() > enough);
            process.signal(signal);
            let (code, _, said) = process.end();
            assert_eq!(code, 130, "{signal}: {said}");
            assert!(said.ends_with("error: interrupted; the next run goes on where this one ended\n"), "{said}");
            let (lines, told) =
                (fs::read_to_string(&path).unwrap_or_default().lines().count() as u64, world.status(&to));
            let counted: u64 = told.values().filter_map(|it| it["counts"]["delivered"].as_u64()).sum();
            assert_eq!(lines, counted, "{signal}: what is there is remembered");
            assert!(pages < 40 || lines > 0, "{signal}: nothing of {pages} pages was kept");
        }
        let events = world.quiet();
        world.finish(&["--transforms", "none", "--to", &to]);
        let lines = fs::read_to_string(&path).expect("text");
        let lines = lines.lines().map(str::to_owned);
        assert_same(signal, &keyed(lines, "key"), &normal(&events));
    }
}

#[test]
fn a_service_that_is_away_at_the_start_is_waited_for_unless_it_is_to_end_soon() {
    let world = World::new(|options| options.faults = vec!["server-error*3".parse().expect("a fault")]);
    let to = format!("file:{}", world.path("events.jsonl").display());
    let collect = [&["--tries", "1", "--to", &to][..], &BRISK].concat();
    let (code, _, said) = world.collect(&[&collect[..], &["--once"]].concat());
    assert!(code == 1 && said.contains("500"), "{said}");
    let mut process = world.start(&collect);
    wait("it is at work", || world.delivered(&to, "audit") > 0);
    process.signal("-INT");
    let (code, _, said) = process.end();
    assert_eq!((code, said.matches("it is tried again in 1 seconds").count()), (130, 2), "{said}");
}

#[test]
fn whatever_goes_wrong_at_the_service_nothing_is_lost() {
    // What a run ends with that tries each request twice, while the fault meets so many of them.
    let cases = [
        ("rate-limit*1", 0),
        ("torn*1", 0),
        ("reset*1", 0),
        ("slow*2", 0),
        ("server-error*1@/audit", 0),
        ("rate-limit-bare*3@/audit", 3),
        ("server-error*3@/audit", 3),
        ("torn*3@/audit", 3),
        ("null-items*3@/audit", 3),
        ("repeated-link*6@/audit", 3),
        ("reset*3@/audit", 3),
        ("bad-gateway*3@/audit", 3),
        ("unavailable*3@/audit", 3),
        ("not-json*3@/audit", 3),
        ("error-in-success*3@/audit", 3),
        ("misspelt-error*3@/audit", 3),
        ("expired-token*2@/audit", 3),
        ("redirect-away*3@/audit", 3),
        ("foreign-link*3@/audit", 0),
        ("expired-page*3@/audit", 0),
        ("empty-page@/audit", 0),
    ];
    let ended = |fault: &str, code: i32| {
        // The same without the fault says what there is.
        let start = jiff::Timestamp::now();
        let [world, other] = [vec![fault.parse::<Wrong>().expect("a fault")], vec![]].map(|faults| {
            World::new(|options| {
                options.start = start;
                options.scale = 4;
                options.history = Duration::from_secs(600);
                options.faults = faults;
            })
        });
        let mut wanted = other.quiet();
        wanted.retain(|stream, _| ["audit", "workbench"].contains(&stream.as_str()));
        let path = world.path("events.db");
        let to = format!("sqlite:{}", path.display());
        let collect = ["--transforms", "none", "--page-size", "50", "--first-fetch", "15m", "--to", &to];
        let more = ["--once", "--tries", "2", "--stream", "audit,workbench"];
        let collect = [&collect[..], &more, &BRISK].concat();
        let (got, _, said) = world.collect(&collect);
        assert!(!said.contains(TOKEN), "{fault}: {said}");
        wait(fault, || world.collect(&collect).0 == 0 && kept(&path) == wanted);
        (got != code).then(|| format!("{fault}: {got} instead of {code}: {said}"))
    };
    let wrong: Vec<String> = cases
        .chunks(7)
        .flat_map(|cases| {
            std::thread::scope(|scope| {
                let runs: Vec<_> = cases.iter().map(|(fault, code)| scope.spawn(|| ended(fault, *code))).collect();
                runs.into_iter().filter_map(|run| run.join().expect("nothing is lost")).collect::<Vec<_>>()
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
