//! What is asked for in vain, and what is never told.

use std::fs;
use std::path::Path;

use connectome_tests::simulated::TOKEN;

use crate::{TENANT, World};

#[test]
fn bad_input_is_explained_and_nothing_is_asked_of_the_service() {
    let world = World::new(|_| {});
    let cases: &[(&[&str], &str)] = &[
        (&["--to", "stdout:", "--stream", "audits_log"], "no stream \"audits_log\""),
        (&["--to", "stdout:", "--stream", "workbenhc"], "did you mean"),
        (&["--to", "stdout:", "--every", "often"], "--every \"often\" is no span of time"),
        (&["--to", "stdout:", "--late-by", "60"], "--late-by \"60\" is no span of time"),
        (&["--to", "stdout:", "--close-every=-1s"], "--close-every \"-1s\" is no span of time"),
        (&["--to", "stdout:", "--again-after", "5m"], "not later than the lateness"),
        (&["--to", "stdout:", "--first-fetch", "soon"], "--first-fetch \"soon\" is no time"),
        (&["--to", "stdout:", "--max-skew", "wide"], "--max-skew \"wide\" is no span of time"),
        (&["--to", "stdot:"], "did you mean `stdout:`?"),
        (&["--to", "events.jsonl"], "it has no scheme"),
        (&["--to", "file:events.jsonl?rotat=1MiB"], "did you mean `rotate`?"),
        (&["--to", "sqlite:"], "it names no path"),
        (&["--to", "xsiam+https://me:MARKER@host"], "a user name or password"),
        (&["--to", "stdout:", "--transforms", "all"], "invalid value 'all'"),
        (&["--to", "stdout:", "--page-size", "many"], "invalid value 'many'"),
        (&["--to", "stdout:", "--from", "later"], "--from \"later\" is no time"),
        (&["--to", "stdout:", "--from", "1d", "--until", "2d"], "--until is not later than --from"),
        (&["--to", "stdout:", "--from", "1d", "--once"], "cannot be used with"),
        (&["--to", "stdout:", "--from", "1d", "--backfill"], "cannot be used with"),
        (&["--to", "stdout:", "--from", "1d", "--status"], "cannot be used with"),
        (&["--to", "stdout:", "--limit", "5"], "--from"),
        (&["--to", "stdout:", "--until", "1d"], "--from"),
        (&["--to", "sqlite:events.db", "--from", "1d"], "a database keeps its events beside the checkpoint"),
        (&["--once"], "--to <DEST>"),
        (&["--to", "stdout:", "--instance", "nobody"], "nobody"),
    ];
    for (arguments, told) in cases {
        let (code, shown, said) = world.collect(arguments);
        assert_eq!((code, shown.as_str()), (2, ""), "{arguments:?}: {said}");
        assert!(said.contains(told), "{arguments:?}: {said}");
        assert!(!said.contains("MARKER"), "{said}");
    }
    assert_eq!(world.requests(), 0);
    assert_eq!(fs::read_dir(world.home.path()).expect("a folder").count(), 0, "nothing was written");
    let mut other = connectome_tests::command::connectome(world.home.path());
    let output = other.args(["collect", "pagerduty", "--to", "stdout:"]).output().expect("the command runs");
    let (code, _, said) = connectome_tests::command::told(&output);
    assert!(code == 2 && said.contains("no streams of events") && said.contains("trend-vision-one"), "{said}");
}

/// Everything in the files below a folder.
fn bytes(folder: &Path) -> Vec<u8> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    entries.flat_map(|path| if path.is_dir() { bytes(&path) } else { fs::read(&path).expect("a file") }).collect()
}

#[test]
fn no_token_is_in_what_is_printed_logged_kept_or_delivered() {
    let world = World::new(|options| options.faults = vec!["server-error*2@/audit".parse().expect("a fault")]);
    let (tenant, xsiam) = world.tenant();
    tenant.simulator.fail(2, connectome_sinks::xsiam::simulated::Fault::Error(401));
    let finest = ["--log", "trace", "--log-bodies"];
    let mut told = String::new();
    for to in ["stdout:", "file:events.jsonl", "sqlite:events.db", &xsiam] {
        for output in ["text", "json"] {
            for more in [&["--once"][..], &["--once", "--tries", "1"], &["--status"]] {
                let (_, shown, said) = world.collect(&[&["--to", to, "--output", output][..], more, &finest].concat());
                told.extend([shown, said]);
            }
        }
    }
    assert!(told.contains("answer body") && told.contains("/v3.0/audit/logs"), "bodies are logged");
    let lines: String = tenant.simulator.events().into_iter().map(|(_, line)| line).collect();
    assert!(!lines.is_empty());
    let files = bytes(world.home.path());
    assert!(files.windows(7).any(|it| it == b"collect"), "something is kept");
    for secret in [TOKEN, TENANT, "MARKER"] {
        let bytes = secret.as_bytes();
        assert!(!told.contains(secret) && !lines.contains(secret), "{secret}");
        assert!(!files.windows(bytes.len()).any(|it| it == bytes), "{secret} is in a file");
    }
}
