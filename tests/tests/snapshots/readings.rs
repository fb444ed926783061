//! Readings by the whole command: what each sends, what it says of itself, and what gets in its way.

use std::fs;
use std::time::{Duration, Instant};

use connectome_sinks::elasticsearch::simulated::Fault;
use connectome_tests::command::told;
use connectome_tests::simulated::TOKEN;
use serde_json::{Map, Value, json};

use crate::{KEY, World, is_gone};

fn count(reading: &Value, of: &str) -> u64 {
    reading["reading"][of].as_u64().unwrap_or_else(|| panic!("{of} of {reading}"))
}

fn sent(reading: &Value) -> [u64; 4] {
    ["new", "changed", "sent_again", "gone"].map(|of| count(reading, of))
}

#[test]
fn only_what_changed_is_sent_and_what_has_disappeared_is_marked() {
    let world = World::new(|_| {});
    let all = world.there().len() as u64;
    assert_eq!(sent(&world.reading(&[])), [all, 0, 0, 0]);
    assert_eq!(sent(&world.reading(&[])), [0, 0, 0, 0]);
    let changed = "f1d00000-0000-4000-8000-000000000003";
    let properties = json!({ "name": "Another name", "open": true }).as_object().expect("an object").clone();
    let set = Map::from_iter([("properties".to_owned(), Value::Object(properties))]);
    assert!(world.account.simulator.change("findings", "id", changed, &set));
    let removed = "a1e70000-0000-4000-8000-000000000005";
    assert!(world.account.simulator.remove("alerts", "id", removed));
    assert_eq!(sent(&world.reading(&[])), [0, 1, 0, 1]);
    let latest = world.latest();
    assert_eq!(latest[changed]["jupiter_one"]["asset"]["properties"]["name"], "Another name");
    let gone = &latest[removed];
    assert!(is_gone(gone), "{gone}");
    // It is found, and filtered out, by what identifies it and by nothing that was true of it once.
    assert_eq!(gone["jupiter_one"]["asset"]["entity"]["_class"], json!(["Alert"]));
    assert_eq!(gone["data_stream"]["dataset"], "jupiter_one.risks_and_alerts");
    assert_eq!(gone["jupiter_one"]["asset"]["properties"], Value::Null);
    assert_eq!(world.alive(), world.there());
    assert_eq!(sent(&world.reading(&[])), [0, 0, 0, 0]);
    // Everything again, marking nothing, as long as that is asked for.
    world.account.simulator.remove("alerts", "id", "a1e70000-0000-4000-8000-000000000006");
    assert_eq!(sent(&world.reading(&["--full"])), [0, 0, all - 2, 0]);
    assert_eq!(sent(&world.reading(&["--full"])), [0, 0, all - 2, 0]);
    assert_eq!(sent(&world.reading(&[])), [0, 0, 0, 1]);
    assert_eq!(world.alive(), world.there());
}

#[test]
fn a_parameter_of_the_mapping_that_changes_has_everything_sent_once_more() {
    let world = World::new(|_| {});
    let all = world.there().len() as u64;
    world.reading(&[]);
    assert_eq!(sent(&world.reading(&["--param", "preserve_original_event=true"])), [0, all, 0, 0]);
    assert_eq!(sent(&world.reading(&["--param", "preserve_original_event=true"])), [0, 0, 0, 0]);
    assert!(world.latest().values().all(|document| document["event"]["original"].is_string()));
    // Which way pages come says nothing of what is in them.
    assert_eq!(
        sent(&world.reading(&["--param", "preserve_original_event=true", "--param", "deferred=true"])),
        [0, 0, 0, 0]
    );
}

#[test]
fn a_parameter_that_is_a_list_is_given_in_either_form() {
    for given in ["tags=one, two", r#"tags=["one", "two"]"#] {
        let world = World::new(|_| {});
        world.reading(&["--param", given]);
        assert!(world.latest().values().all(|document| document["tags"] == json!(["one", "two"])), "{given}");
    }
}

#[test]
fn a_file_and_standard_output_take_documents_as_lines() {
    let world = World::new(|_| {});
    let all = world.there().len();
    let path = world.path("documents.ndjson");
    world.read_into(&format!("file:{}", path.display()), &[]);
    let kept = fs::read_to_string(&path).expect("a file");
    let (code, shown, said) = world.collect(&["--once", "--to", "stdout:"]);
    assert_eq!(code, 0, "{said}");
    for lines in [&kept, &shown] {
        let documents: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(documents.len(), all);
        assert!(documents.iter().all(|document| document["ecs"]["version"] == "9.2.0"));
    }
    assert!(said.contains(&format!("{all} documents of {all} records in 3 pages")), "{said}");
    let database = world.path("documents.db");
    world.read_into(&format!("sqlite:{}", database.display()), &[]);
    let database = rusqlite::Connection::open(&database).expect("a database");
    let count = database.query_row("SELECT count(*) FROM event", [], |row| row.get::<_, usize>(0)).expect("a count");
    assert_eq!(count, all);
}

#[test]
fn pages_come_in_every_way_that_the_service_has() {
    for faults in [&[][..], &["empty-page"], &["empty-link"], &["text-label"], &["rate-limit*2"], &["server-error*2"]] {
        let world = World::new(|options| {
            options.faults = faults.iter().map(|text| text.parse().expect("a fault")).collect();
        });
        for deferred in ["false", "true"] {
            let reading = world.reading(&["--param", &format!("deferred={deferred}")]);
            assert_eq!(count(&reading, "records"), world.there().len() as u64, "{faults:?} {reading}");
        }
        assert_eq!(world.alive(), world.there(), "{faults:?}");
    }
}

#[test]
fn an_error_marks_nothing_says_what_the_service_said_and_the_next_reading_mends_it() {
    for (fault, says) in [
        ("error-in-success", "Something broke."),
        ("error-list", "The query timed out.; Some shards did not answer."),
        ("error-texts", "The query timed out.; Nothing was read."),
        ("error-text", "The query timed out."),
        ("error-beside-data", "The query timed out."),
        ("null-items", "no list of records"),
        ("not-json", "not JSON"),
        ("empty-body", "empty body"),
        ("torn", "broke"),
        ("repeated-link", "the same page again"),
        ("expired-page", "The cursor has expired."),
        ("redirect-away", "redirect"),
        ("deep-json", "JSON"),
    ] {
        let world = World::new(|options| {
            options.faults = vec![fault.parse().expect("a fault")];
            options.page_life = None;
        });
        let (code, shown, said) = world.collect(&["--once", "--tries", "1", "--to", &world.to()]);
        assert_eq!(code, 1, "{fault}: {shown}{said}");
        assert!(said.contains(says), "{fault}: {said}");
        assert!(said.contains("what to do"), "{fault}: {said}");
        assert!(!said.contains(TOKEN) && !said.contains(KEY), "{fault}: {said}");
        assert!(world.latest().values().all(|document| !is_gone(document)), "{fault}");
    }
}

#[test]
fn a_prepared_answer_that_never_comes_is_an_error() {
    let world = World::new(|options| options.faults = vec!["deferred-fails".parse().expect("a fault")]);
    let (code, shown, said) =
        world.collect(&["--once", "--tries", "1", "--param", "deferred=true", "--to", &world.to()]);
    assert_eq!(code, 1, "{shown}{said}");
    assert!(said.contains("\"FAILED\"") && world.documents().is_empty(), "{said}");
}

#[test]
fn more_pages_than_may_be_read_are_told_and_not_taken_for_the_end() {
    let world = World::new(|_| {});
    world.reading(&[]);
    world.account.simulator.remove("alerts", "id", "a1e70000-0000-4000-8000-000000000005");
    let (code, _, said) = world.collect(&["--once", "--max-pages", "2", "--to", &world.to()]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("only 50 records were read, in 2 pages; there are more"), "{said}");
    assert!(world.latest().values().all(|document| !is_gone(document)));
    let status = world.status();
    assert_eq!((&status["last_reading"]["cut"], &status["healthy"]), (&json!(true), &json!(false)));
    assert_eq!(sent(&world.reading(&[])), [0, 0, 0, 1]);
}

#[test]
fn a_search_engine_that_refuses_stops_progress_and_gets_everything_once_it_takes_again() {
    let world = World::new(|_| {});
    world.search.simulator.fail(1, Fault::Error(503));
    let (code, _, said) = world.collect(&["--once", "--tries", "1", "--to", &world.to()]);
    assert_eq!(code, 1, "{said}");
    assert_eq!(world.status()["counts"]["delivered"], 0);
    let all = world.there().len() as u64;
    assert_eq!(sent(&world.reading(&[])), [all, 0, 0, 0]);
    assert_eq!(world.alive(), world.there());
}

#[test]
fn it_goes_on_until_it_is_stopped_and_a_list_that_was_just_read_is_not_read_again() {
    let world = World::new(|_| {});
    let stop = |child: std::process::Child| {
        let ended = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(ended.expect("kill runs").success());
        told(&child.wait_with_output().expect("an end"))
    };
    let wait = |what: &str, holds: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let child = world.start(&["--every", "1s", "--to", &world.to()]);
    wait("a first reading", &|| world.alive() == world.there());
    world.account.simulator.remove("alerts", "id", "a1e70000-0000-4000-8000-000000000005");
    wait("a second reading", &|| world.alive() == world.there());
    let (code, _, said) = stop(child);
    assert_eq!(code, 130, "{said}");
    let requests = world.account.simulator.requests();
    let child = world.start(&["--every", "1h", "--to", &world.to()]);
    wait("a request", &|| world.account.simulator.requests() > requests);
    std::thread::sleep(Duration::from_millis(700));
    let (code, _, said) = stop(child);
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("risks_and_alerts: the next reading is in"), "{said}");
    // Only the connection was tried.
    assert_eq!(world.account.simulator.requests(), requests + 1);
}

#[test]
fn status_and_state_know_of_it() {
    let world = World::new(|_| {});
    let to = world.to();
    world.reading(&[]);
    let (_, shown, _) = world.collect(&["--status"]);
    assert!(shown.contains("risks_and_alerts") && shown.contains("healthy"), "{shown}");
    let state = |arguments: &[&str]| told(&world.command(&[&["state"], arguments].concat()).output().expect("it runs"));
    let (_, shown, _) = state(&["show"]);
    let name = format!("collect/jupiterone/risks_and_alerts/{to}");
    assert!(shown.contains(&name) && shown.contains("73 documents"), "{shown}");
    let (code, _, said) = state(&["reset", &name, "--yes"]);
    assert_eq!(code, 0, "{said}");
    // What is forgotten is sent again, and what was stored before stands beside it.
    assert_eq!(sent(&world.reading(&[]))[0], 73);
    assert_eq!(world.documents().len(), 146);
}

#[test]
fn check_tries_the_list_itself() {
    let world = World::new(|_| {});
    let check = |arguments: &[&str]| {
        told(&world.command(&[&["check", "jupiterone"], arguments].concat()).output().expect("it runs"))
    };
    let (code, shown, said) = check(&[]);
    assert_eq!(code, 0, "{said}");
    assert!(shown.contains("risks_and_alerts: good"), "{shown}");
    let (code, shown, _) = check(&["--param", "deferred=true"]);
    assert_eq!((code, shown.contains("risks_and_alerts: good")), (0, true));
    let broken = World::new(|options| options.faults = vec!["error-list".parse().expect("a fault")]);
    let (code, _, said) = told(&broken.command(&["check", "jupiterone", "--tries", "1"]).output().expect("it runs"));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("The query timed out."), "{said}");
}

#[test]
fn options_that_make_no_sense_are_told() {
    let world = World::new(|_| {});
    let to = world.to();
    for (arguments, says) in [
        (&["--from", "1 hour", "--to", &to][..], "--from does not go with risks_and_alerts"),
        (&["--max-events", "5", "--to", &to], "--max-events does not go with"),
        (&["--backfill", "--to", &to], "--backfill does not go with"),
        (&["--every", "200d", "--to", &to], "too long"),
        (&["--max-pages", "0", "--to", &to], "reads nothing"),
        (&["--stream", "risk_and_alerts", "--to", &to], "did you mean `risks_and_alerts`?"),
        (&["--requests-per-second", "0", "--to", &to], "write a number of requests"),
        (&["--burst", "0", "--to", &to], "burst"),
    ] {
        let (code, shown, said) = world.collect(arguments);
        assert_eq!(code, 2, "{arguments:?}: {shown}{said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    assert_eq!(world.account.simulator.requests(), 0);
    let mut stream = world.command(&["collect", "trend-vision-one", "--full", "--once", "--to", "stdout:"]);
    let (code, _, said) = told(&stream.output().expect("it runs"));
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("--full goes with snapshots"), "{said}");
}
