//! Whole processes: what is printed and kept when they are run again, interrupted, killed, or two at a time.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use connectome_collect::state::State;
use connectome_tests::command::{Simulation, connectome, run, simulated};
use serde_json::{Value, json};

use crate::{START, ids, named, triggers};

const NAME: &str = "trend-vision-one";

/// One round of a trigger: exit code, its events by name, standard error.
fn once(home: &Path, simulation: &Simulation, which: usize, more: &[&str]) -> (i32, Vec<String>, String) {
    let (name, input, list, by, _) = triggers()[which].clone();
    let input = input.to_string();
    let arguments = [&["trigger", NAME, name, "--once", "--input", &input][..], more].concat();
    let (code, shown, said) = run(home, &arguments, &simulation.variables());
    assert!(shown.lines().count() <= 1, "{shown}");
    let given = shown.lines().flat_map(|line| named(&serde_json::from_str(line).expect("JSON"), list, by)).collect();
    (code, given, said)
}

/// An endless trigger as a process; it is killed with this value.
struct Endless {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Endless {
    fn start(home: &Path, variables: &[(&str, &str)], interval: u64, more: &[&str]) -> Self {
        let input = json!({ "start_date_time": START, "interval": interval }).to_string();
        let mut command = connectome(home);
        command
            .args(["trigger", NAME, "poll_alert_list", "--input", &input])
            .args(more)
            .envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines }
    }

    /// The events of the next line, or nothing if the output has ended.
    fn round(&mut self) -> Option<Vec<String>> {
        self.lines.next().map(|line| ids(&serde_json::from_str(&line.expect("text")).expect("JSON")))
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill runs").success());
    }

    /// Exit code, events that were still printed, and standard error.
    fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let mut rest = Vec::new();
        while let Some(round) = self.round() {
            rest.extend(round);
        }
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.child.stderr.take().expect("its errors"), &mut said).expect("text");
        (self.child.wait().expect("an end").code(), rest, said)
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn rounds_of_one_process_each_give_every_event_once() {
    let (home, simulation) = simulated(&[]);
    for (which, (name, _, _, _, count)) in triggers().into_iter().enumerate() {
        let (code, given, said) = once(home.path(), &simulation, which, &[]);
        assert_eq!((code, said.as_str()), (0, ""), "{name}");
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), count, "{name}");
        for more in [&[][..], &["--skip-empty"]] {
            assert_eq!(once(home.path(), &simulation, which, more), (0, vec![], String::new()), "{name}");
        }
    }
    let (code, shown, _) = run(home.path(), &["state", "show", "--output", "json"], &[]);
    let names: Vec<String> = serde_json::from_str::<Vec<Value>>(&shown)
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((code, names.len()), (0, 3), "{shown}");
    assert!(
        names
            .iter()
            .zip(triggers())
            .all(|(name, (trigger, ..))| name.starts_with(&format!("trigger/{NAME}/{trigger}/"))),
        "{names:?}"
    );
    // Nobody is there to be asked, so nothing is forgotten.
    let (code, _, said) = run(home.path(), &["state", "reset", &names[0]], &[]);
    assert!(code == 2 && said.contains("--yes"), "{said}");
    assert!(once(home.path(), &simulation, 0, &[]).1.is_empty());
    let (code, shown, _) = run(home.path(), &["state", "reset", "--yes", &names[0]], &[]);
    assert_eq!((code, shown), (0, format!("forgot {}\n", names[0])));
    assert_eq!(once(home.path(), &simulation, 0, &[]).1.len(), 25);
    assert!(once(home.path(), &simulation, 1, &[]).1.is_empty(), "another checkpoint was forgotten");
}

#[test]
fn a_series_goes_on_with_another_pause_or_order_of_its_input_and_begins_with_another_start() {
    let (home, simulation) = simulated(&[]);
    let count = |input: &str| {
        let (code, shown, said) =
            run(home.path(), &["trigger", NAME, "poll_oat_list", "--once", "--input", input], &simulation.variables());
        assert_eq!(code, 0, "{said}");
        serde_json::from_str::<Value>(&shown).unwrap()["oats"].as_array().unwrap().len()
    };
    let (detected, ingested) = (
        "\"detected_start_date_time\": \"2020-01-01T00:00:00Z\"",
        "\"ingested_start_date_time\": \"2020-01-01T00:00:00Z\"",
    );
    assert_eq!(count(&format!("{{{detected}, {ingested}, \"fields\": {{}}}}")), 30);
    assert_eq!(count(&format!("{{\"fields\": {{}}, {ingested}, {detected}, \"interval\": 60}}")), 0);
    assert_eq!(
        count(&format!("{{{detected}, \"ingested_start_date_time\": \"2020-01-02T00:00:00Z\", \"fields\": {{}}}}")),
        30
    );
}

#[cfg(unix)]
#[test]
fn a_signal_between_rounds_ends_the_trigger_and_its_progress_is_kept() {
    for signal in ["-INT", "-TERM"] {
        let (home, simulation) = simulated(&[]);
        let mut endless = Endless::start(home.path(), &simulation.variables(), 3600, &[]);
        assert_eq!(endless.round().map(|it| it.len()), Some(25));
        endless.signal(signal);
        let (code, rest, said) = endless.end();
        assert_eq!((code, rest.len()), (Some(130), 0), "{said}");
        assert!(said.contains("interrupted; the next run goes on where this one ended"), "{said}");
        assert_eq!(once(home.path(), &simulation, 0, &[]), (0, vec![], String::new()));
    }
}

#[cfg(unix)]
#[test]
fn a_signal_during_a_round_gives_all_of_it_or_nothing() {
    // Pages of this service come byte by byte, so that the signal falls into a round.
    let (home, simulation) = simulated(&["--fault", "slow-body*1@/workbench"]);
    let endless = Endless::start(home.path(), &simulation.variables(), 3600, &["--log", "trace"]);
    let mut errors = BufReader::new(
        endless
            .child
            .stderr
            .as_ref()
            .map(|it| std::os::fd::AsFd::as_fd(it).try_clone_to_owned().expect("a copy"))
            .map(std::fs::File::from)
            .expect("its errors"),
    );
    let mut line = String::new();
    // The first line of the log tells of the request.
    errors.read_line(&mut line).expect("a line");
    endless.signal("-INT");
    let (code, first, said) = endless.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(first.is_empty() || first.len() == 25, "{first:?}");
    let (code, second, said) = once(home.path(), &simulation, 0, &[]);
    assert_eq!((code, first.len() + second.len()), (0, 25), "{said}");
}

#[cfg(unix)]
#[test]
fn a_kill_between_rounds_loses_nothing_and_repeats_nothing() {
    let (home, simulation) = simulated(&[]);
    let mut endless = Endless::start(home.path(), &simulation.variables(), 1, &[]);
    let mut given = endless.round().expect("a round");
    // Once the second line is there, the first round's progress is on the disk.
    given.extend(endless.round().expect("a round"));
    endless.signal("-KILL");
    let (code, rest, _) = endless.end();
    assert_eq!(code, None);
    given.extend(rest);
    let (code, after, said) = once(home.path(), &simulation, 0, &[]);
    assert_eq!((code, said.as_str()), (0, ""), "what a dead process claimed is free");
    given.extend(after);
    assert_eq!((given.len(), given.iter().collect::<BTreeSet<_>>().len()), (25, 25));
}

#[cfg(target_os = "linux")]
#[test]
fn a_round_that_could_not_be_printed_is_given_again() {
    let (home, simulation) = simulated(&[]);
    let input = json!({ "start_date_time": START }).to_string();
    let written = |out: Stdio| {
        let mut command = connectome(home.path());
        command.args(["trigger", NAME, "poll_alert_list", "--once", "--input", &input]).envs(simulation.variables());
        command.stdout(out).stderr(Stdio::null()).status().expect("the command runs").code()
    };
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    assert_eq!(written(full.into()), Some(1));
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    assert_eq!(written(writer.into()), Some(0));
    assert_eq!(once(home.path(), &simulation, 0, &[]).1.len(), 25);
}

#[test]
fn two_processes_on_one_state_do_not_both_print() {
    let (home, simulation) = simulated(&[]);
    let mut endless = Endless::start(home.path(), &simulation.variables(), 3600, &[]);
    assert_eq!(endless.round().map(|it| it.len()), Some(25));
    let (code, given, said) = once(home.path(), &simulation, 0, &[]);
    assert_eq!((code, given.len()), (1, 0), "{said}");
    assert!(
        said.contains("another connectome is at work on trigger/trend-vision-one/poll_alert_list/")
            && said.contains("--state"),
        "{said}"
    );
    // Nor is a checkpoint forgotten under the one that uses it.
    let (code, _, said) = run(home.path(), &["state", "reset", "--yes", "trigger"], &[]);
    assert!(code == 1 && said.contains("another connectome is at work"), "{said}");
    // Other triggers, other states and other inputs are not in its way.
    assert_eq!(once(home.path(), &simulation, 1, &[]).1.len(), 30);
    assert_eq!(once(home.path(), &simulation, 0, &["--state", "other.sqlite"]).1.len(), 25);
    drop(endless);
    assert_eq!(once(home.path(), &simulation, 0, &[]), (0, vec![], String::new()));
}

#[test]
fn a_state_that_cannot_be_used_is_told_and_left_alone() {
    let (home, simulation) = simulated(&[]);
    let path = home.path().join("state.sqlite");
    let state = ["--state", path.to_str().expect("UTF-8")];
    let refused = |says: &[&str]| {
        let before = std::fs::read(&path).unwrap_or_default();
        for (code, shown, said) in [
            {
                let (code, given, said) = once(home.path(), &simulation, 0, &state);
                (code, given.concat(), said)
            },
            run(home.path(), &[&state[..], &["state", "show"]].concat(), &[]),
        ] {
            assert_eq!((code, shown.as_str()), (1, ""), "{said}");
            assert!(says.iter().all(|part| said.contains(part)) && said.contains("what to do:"), "{says:?}: {said}");
        }
        assert_eq!(std::fs::read(&path).unwrap_or_default(), before);
    };
    std::fs::write(&path, "this is no database, though it is long enough to be one".repeat(20)).unwrap();
    refused(&["state.sqlite", "move it away", "nothing was changed"]);
    std::fs::remove_file(&path).unwrap();
    // A version that nobody knows yet: its number stands at this place of the file.
    once(home.path(), &simulation, 0, &state);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&7_u32.to_be_bytes());
    std::fs::write(&path, bytes).unwrap();
    refused(&["written by a newer connectome", "its version is 7"]);
    std::fs::remove_file(&path).unwrap();
    // A checkpoint that is no progress names itself and the command that forgets it; nothing is printed.
    once(home.path(), &simulation, 0, &state);
    let database = State::open(&path).unwrap();
    let key = database.entries().unwrap()[0].key.clone();
    database.save(&key, "{ torn").unwrap();
    drop(database);
    let (code, given, said) = once(home.path(), &simulation, 0, &state);
    assert_eq!((code, given.len()), (1, 0), "{said}");
    assert!(said.contains("cannot be read") && said.contains(&format!("connectome state reset {key}")), "{said}");
    let (code, shown, _) = run(home.path(), &[&state[..], &["state", "show"]].concat(), &[]);
    assert!(code == 0 && shown.contains(&key), "{shown}");
    assert_eq!(run(home.path(), &[&state[..], &["state", "reset", "--yes", &key]].concat(), &[]).0, 0);
    assert_eq!(once(home.path(), &simulation, 0, &state).1.len(), 25);
}

#[test]
fn trouble_that_passes_does_not_end_an_endless_trigger_and_trouble_that_lasts_does() {
    let (home, simulation) = simulated(&["--fault", "server-error*1@/workbench"]);
    let mut endless = Endless::start(home.path(), &simulation.variables(), 1, &["--tries", "1"]);
    assert_eq!(endless.round().map(|it| it.len()), Some(25));
    drop(endless);
    let (home, simulation) = simulated(&["--fault", "server-error*1@/workbench"]);
    let (code, given, said) = once(home.path(), &simulation, 0, &["--tries", "1"]);
    assert!(code == 1 && given.is_empty() && said.contains("500"), "{said}");
    assert_eq!(once(home.path(), &simulation, 0, &[]).1.len(), 25);
    let (home, simulation) = simulated(&["--fault", "expired-token"]);
    let (code, _, said) = Endless::start(home.path(), &simulation.variables(), 1, &[]).end();
    assert!(code == Some(1) && said.contains("401"), "{said}");
}
