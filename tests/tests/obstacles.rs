//! What stands in the way of a state: no file of ours, a damaged one, one of a newer version, no room, no folder. Each
//! command says what to do and ends with 1, leaves what it found as it was, and has everything once the way is free.

use std::fs;
use std::path::{Path, PathBuf};

use connectome_tests::command::{Simulation, connectome, told};
use serde_json::json;
use tempfile::TempDir;

/// A simulated service, the home of a user, and a command that keeps a state there.
struct World {
    home: TempDir,
    simulation: Simulation,
    arguments: Vec<String>,
}

const KINDS: [&str; 5] = ["trigger", "stream", "stored stream", "list", "graph"];

impl World {
    fn new(kind: &str) -> Self {
        let connector = match kind {
            "list" => "jupiterone",
            "graph" => "pagerduty",
            _ => "trend-vision-one",
        };
        let home = tempfile::tempdir().expect("a folder");
        let simulation = Simulation::start(home.path(), connector, &[]);
        let input = json!({ "start_date_time": "1970-01-01T00:00:00Z" }).to_string();
        let stream = ["collect", connector, "--stream", "audit", "--once", "--first-fetch", "2d", "--to"];
        let arguments = match kind {
            "trigger" => vec!["trigger", connector, "poll_alert_list", "--once", "--input", &input],
            "stream" => [&stream[..], &["file:events"]].concat(),
            "stored stream" => [&stream[..], &["sqlite:state"]].concat(),
            "list" => vec!["collect", connector, "--once", "--to", "file:documents"],
            _ => vec!["sync", connector],
        };
        let mut arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        if kind != "stored stream" {
            arguments.extend(["--state".to_owned(), "state".to_owned()]);
        }
        Self { home, simulation, arguments }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs it; with `blocks`, no file may become longer than so many.
    fn run(&self, blocks: Option<u32>) -> (i32, String, String) {
        let mut command = connectome(self.home.path());
        if let Some(blocks) = blocks {
            let program = command.get_program().to_owned();
            let variables: Vec<_> =
                command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
            command = std::process::Command::new("sh");
            // That there is no room is an error and not the end, since the signal is ignored.
            command.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]).arg(program);
            for (name, value) in variables {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
            command.current_dir(self.home.path());
        }
        command.args(&self.arguments);
        for (name, url) in &self.simulation.all {
            let prefix = connectome_core::connection::environment_prefix(name);
            let (url, token) = (url.as_str(), self.simulation.token.as_str());
            for (name, value) in
                [("API_URL", url), ("URL", url), ("API_KEY", token), ("API_TOKEN", token), ("ACCOUNT_ID", "j1dev")]
            {
                command.env(format!("{prefix}{name}"), value);
            }
        }
        told(&command.output().expect("the command runs"))
    }

    /// What was given so far, wherever it went.
    fn given(&self) -> usize {
        ["events", "documents"]
            .iter()
            .map(|name| fs::read_to_string(self.path(name)).unwrap_or_default().lines().count())
            .sum()
    }
}

/// The state and what lies beside it.
fn remove_state(home: &Path) {
    for name in ["state", "state-wal", "state-shm"] {
        let path = home.join(name);
        if path.is_dir() {
            fs::remove_dir(&path).expect("a folder goes");
        } else if path.exists() {
            fs::remove_file(&path).expect("a file goes");
        }
    }
}

fn assert_refused(what: &str, (code, _, said): &(i32, String, String)) {
    assert_eq!(*code, 1, "{what}: {said}");
    assert!(said.contains("error: ") && said.contains("what to do: "), "{what}: {said}");
    assert!(!said.contains("panicked"), "{what}: {said}");
}

#[test]
fn a_state_that_is_none_is_told_and_left_as_it_is() {
    for kind in KINDS {
        let world = World::new(kind);
        let noise: Vec<u8> = (0_u32..8192).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let text = "these are somebody's notes, and no database at all\n".repeat(100).into_bytes();
        for (what, bytes) in [("noise", noise), ("notes", text)] {
            fs::write(world.path("state"), &bytes).expect("a file");
            let ended = world.run(None);
            assert_refused(&format!("{kind}, {what}"), &ended);
            assert!(ended.2.contains("state"), "{kind}: {}", ended.2);
            assert_eq!(fs::read(world.path("state")).expect("a file"), bytes, "{kind}, {what}");
            assert_eq!(world.given(), 0, "{kind}, {what}");
        }
        remove_state(world.home.path());
        fs::create_dir(world.path("state")).expect("a folder");
        assert_refused(&format!("{kind}, a folder"), &world.run(None));
        remove_state(world.home.path());
        let (code, _, said) = world.run(None);
        assert_eq!(code, 0, "{kind}: {said}");
    }
}

#[test]
fn a_state_that_was_cut_off_is_told_and_the_whole_one_goes_on() {
    for kind in KINDS {
        let world = World::new(kind);
        assert_eq!(world.run(None).0, 0, "{kind}");
        let (whole, given) = (fs::read(world.path("state")).expect("a state"), world.given());
        fs::write(world.path("state"), &whole[..whole.len() / 2]).expect("a file");
        assert_refused(&format!("{kind}, cut off"), &world.run(None));
        assert_eq!(world.given(), given, "{kind}: nothing was given again");
        remove_state(world.home.path());
        // A version that nobody knows yet: its number stands at this place of the file.
        let mut newer = whole.clone();
        newer[60..64].copy_from_slice(&7_u32.to_be_bytes());
        fs::write(world.path("state"), &newer).expect("a file");
        let ended = world.run(None);
        assert_refused(&format!("{kind}, newer"), &ended);
        assert!(ended.2.contains("newer connectome"), "{kind}: {}", ended.2);
        assert_eq!(fs::read(world.path("state")).expect("a file"), newer, "{kind}");
        remove_state(world.home.path());
        fs::write(world.path("state"), &whole).expect("a file");
        let (code, _, said) = world.run(None);
        assert_eq!((code, world.given()), (0, given), "{kind}: {said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn without_room_nothing_counts_and_with_room_there_is_everything() {
    for kind in KINDS {
        let (world, other) = (World::new(kind), World::new(kind));
        for blocks in [0, 8, 64] {
            let ended = world.run(Some(blocks));
            // What little there is may be enough for little.
            if ended.0 != 0 {
                assert!(matches!(ended.0, 1 | 3), "{kind}, {blocks}: {}", ended.2);
                assert!(ended.2.contains("what to do: ") && !ended.2.contains("panicked"), "{kind}: {}", ended.2);
            }
            assert!(blocks > 0 || ended.0 == 1, "{kind}: {}", ended.2);
        }
        assert_eq!((world.run(None).0, other.run(None).0), (0, 0), "{kind}");
        assert!(world.given() >= other.given(), "{kind}: {} of {}", world.given(), other.given());
    }
}
