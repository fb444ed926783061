//! What one stream or a second process must not do to the others.

use connectome_sim::{Grants, Token};
use connectome_tests::simulated::TOKEN;
use serde_json::{Value, json};

use crate::{BRISK, World, assert_same, kept, wait};

/// A service whose token lacks the permission for audit logs.
fn denied() -> World {
    World::new(|options| {
        let lacks = vec![("Trend Vision One".to_owned(), "Audit Logs".to_owned())];
        options.tokens =
            vec![Token { secret: TOKEN.to_owned(), grants: Grants::AllBut(lacks) }, Token::master("another")];
        options.history = std::time::Duration::from_secs(600);
    })
}

#[test]
fn a_stream_that_is_refused_is_shown_with_the_permission_it_lacks_and_the_others_go_on() {
    let world = denied();
    let path = world.path("events.db");
    let to = format!("sqlite:{}", path.display());
    let mut wanted = world.quiet();
    wanted.remove("audit");
    let collect = [&["--transforms", "none", "--to", &to, "--once"][..], &BRISK].concat();
    for failures in 1..=2 {
        let (code, shown, said) = world.collect(&collect);
        assert_eq!(code, 3, "{said}");
        assert!(said.contains("error: audit: ") && said.contains("error: not collected: audit"), "{said}");
        assert_eq!(shown.lines().count(), 3, "only what was collected is shown as collected: {shown}");
        let status = world.status(&to);
        assert_eq!(status.len(), 4);
        for (stream, shown) in &status {
            let lacks = (stream == "audit").then_some("Audit Logs");
            assert_eq!(shown["healthy"], json!(lacks.is_none()), "{shown}");
            assert_eq!(shown["lacks_permission"], json!(lacks), "{shown}");
            assert_eq!(shown["failures"], json!(if lacks.is_some() { failures } else { 0 }), "{shown}");
            assert_eq!(shown["well"].is_null(), lacks.is_some(), "{shown}");
        }
        let error = status["audit"]["error"].as_str().expect("an error");
        assert!(error.contains("403") && error.contains("\"Audit Logs\""), "{error}");
        let text = world.well(&["--status"]);
        let row = text.lines().find(|line| line.starts_with("audit ")).expect("a row");
        assert!(row.contains("refused: the key lacks \"Audit Logs\""), "{text}");
        assert_eq!(text.lines().filter(|line| line.ends_with("healthy")).count(), 3, "{text}");
    }
    assert_same("the other streams", &kept(&path), &wanted);
    // Alone, it is no part of anything that went well.
    let (code, shown, said) = world.collect(&[&collect[..], &["--stream", "audit"]].concat());
    assert_eq!((code, shown.as_str()), (1, ""), "{said}");
    assert!(said.contains("Audit Logs"), "{said}");
    // With a key that may, it goes on, and is healthy again.
    let mut other = world.command(&collect);
    other.env("CONNECTOME_TREND_VISION_ONE_API_KEY", "another");
    assert!(other.output().expect("the command runs").status.success());
    let audit = &world.status(&to)["audit"];
    assert_eq!(
        (&audit["healthy"], &audit["lacks_permission"], &audit["failures"]),
        (&json!(true), &Value::Null, &json!(0))
    );
    assert_same("all streams", &kept(&path), &world.quiet());
}

#[test]
fn while_one_stream_is_refused_the_others_are_collected_on_and_on() {
    let world = World::new(|options| {
        let lacks = vec![("Trend Vision One".to_owned(), "Audit Logs".to_owned())];
        options.tokens[0].grants = Grants::AllBut(lacks);
        options.rate = 600;
    });
    let to = format!("sqlite:{}", world.path("events.db").display());
    let mut process = world.start(&[&["--to", &to][..], &BRISK].concat());
    wait("the refusal is seen", || {
        world.status(&to).get("audit").is_some_and(|audit| audit["lacks_permission"] == "Audit Logs")
    });
    for _ in 0..2 {
        let before = world.delivered(&to, "workbench");
        wait("more events come", || world.delivered(&to, "workbench") > before);
    }
    assert!(process.is_running());
    process.signal("-INT");
    let (code, shown, said) = process.end();
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("error: audit: ") && shown.lines().count() == 3, "{shown}{said}");
}

#[test]
fn a_second_process_for_the_same_events_stops_and_says_why_and_the_first_goes_on() {
    let world = World::new(|options| options.rate = 600);
    let (db, file, state) = (world.path("events.db"), world.path("events.jsonl"), world.path("other.sqlite"));
    let (db, file) = (format!("sqlite:{}", db.display()), format!("file:{}", file.display()));
    let elsewhere = ["--state", state.to_str().expect("text")];
    for (to, more, told) in [
        (&db, &[][..], "another connectome is at work on collect/trend-vision-one/workbench/"),
        // The events' own file says it, whatever the state.
        (&db, &elsewhere[..], "another connectome is at work on collect/trend-vision-one/workbench/"),
        (&file, &[], "another process writes to "),
        (&file, &elsewhere, "another process writes to "),
    ] {
        let mut first = world.start(&[&["--to", to][..], &BRISK].concat());
        let delivered = || world.delivered(to, "workbench");
        let start = delivered();
        wait("the first is at work", || delivered() > start);
        for once in [&["--once"][..], &[]] {
            let (code, shown, said) = world.collect(&[&["--to", to][..], once, more].concat());
            assert_eq!((code, shown.as_str()), (1, ""), "{said}");
            assert!(said.starts_with(&format!("error: {told}")) && said.contains("wait until it has ended"), "{said}");
        }
        let before = delivered();
        wait("the first goes on", || delivered() > before);
        assert!(first.is_running());
        first.signal("-TERM");
        let (code, _, said) = first.end();
        assert_eq!(code, 130, "{said}");
        world.well(&[&["--to", to, "--once"], more].concat());
    }
}

#[test]
fn two_processes_may_collect_different_streams_into_one_database() {
    let world = World::new(|options| options.history = std::time::Duration::from_secs(600));
    let path = world.path("events.db");
    let to = format!("sqlite:{}", path.display());
    let arguments = |streams: &'static str| {
        [&["--transforms", "none", "--to", &to, "--once", "--stream", streams][..], &BRISK].concat()
    };
    let both = [arguments("workbench,audit"), arguments("oat,search")].map(|it| world.start(&it));
    for process in both {
        let (code, _, said) = process.end();
        assert_eq!((code, said.as_str()), (0, ""));
    }
    assert_same("both", &kept(&path), &world.quiet());
}
