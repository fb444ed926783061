//! What stands in the way of a state: no file of ours, a damaged one, one of a newer version, no room, a folder that cannot
//! be written. Each command says what to do and ends with 1, leaves what it found as it was, and has everything once the way is free.

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
        Self::keeping(kind, "state")
    }

    /// With the state at this place.
    fn keeping(kind: &str, state: &str) -> Self {
        let connector = match kind {
            "list" => "jupiterone",
            "graph" => "pagerduty",
            _ => "trend-vision-one",
        };
        let home = tempfile::tempdir().expect("a folder");
        let simulation = Simulation::start(home.path(), connector, &[]);
        let input = json!({ "start_date_time": "1970-01-01T00:00:00Z" }).to_string();
        let stored = format!("sqlite:{state}");
        let stream = ["collect", connector, "--stream", "audit", "--once", "--first-fetch", "2d", "--to"];
        let arguments = match kind {
            "trigger" => vec!["trigger", connector, "poll_alert_list", "--once", "--input", &input],
            "stream" => [&stream[..], &["file:events"]].concat(),
            "stored stream" => [&stream[..], &[stored.as_str()]].concat(),
            "list" => vec!["collect", connector, "--once", "--to", "file:documents"],
            _ => vec!["sync", connector],
        };
        let mut arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        if kind != "stored stream" {
            arguments.extend(["--state".to_owned(), state.to_owned()]);
        }
        Self { home, simulation, arguments }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs it.
    fn run(&self) -> (i32, String, String) {
        self.run_through(&[])
    }

    /// Runs it where no file may become longer than so many blocks.
    fn run_with_room(&self, blocks: u32) -> (i32, String, String) {
        // That there is no room is an error and not the end, since the signal is ignored.
        self.run_through(&["sh", "-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")])
    }

    /// Runs it by another program that takes it as its last arguments.
    fn run_through(&self, through: &[&str]) -> (i32, String, String) {
        let mut command = connectome(self.home.path());
        if let Some((first, rest)) = through.split_first() {
            // Where another user can reach it too.
            let program = self.path("connectome");
            if !program.exists() {
                fs::copy(command.get_program(), &program).expect("the program is copied");
            }
            let variables: Vec<_> =
                command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
            command = std::process::Command::new(first);
            command.args(rest).arg(program);
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
            let ended = world.run();
            assert_refused(&format!("{kind}, {what}"), &ended);
            assert!(ended.2.contains("state"), "{kind}: {}", ended.2);
            assert_eq!(fs::read(world.path("state")).expect("a file"), bytes, "{kind}, {what}");
            assert_eq!(world.given(), 0, "{kind}, {what}");
        }
        remove_state(world.home.path());
        fs::create_dir(world.path("state")).expect("a folder");
        assert_refused(&format!("{kind}, a folder"), &world.run());
        remove_state(world.home.path());
        let (code, _, said) = world.run();
        assert_eq!(code, 0, "{kind}: {said}");
    }
}

#[test]
fn a_state_that_was_cut_off_is_told_and_the_whole_one_goes_on() {
    for kind in KINDS {
        let world = World::new(kind);
        assert_eq!(world.run().0, 0, "{kind}");
        let (whole, given) = (fs::read(world.path("state")).expect("a state"), world.given());
        fs::write(world.path("state"), &whole[..whole.len() / 2]).expect("a file");
        assert_refused(&format!("{kind}, cut off"), &world.run());
        assert_eq!(world.given(), given, "{kind}: nothing was given again");
        remove_state(world.home.path());
        // A version that nobody knows yet: its number stands at this place of the file.
        let mut newer = whole.clone();
        newer[60..64].copy_from_slice(&7_u32.to_be_bytes());
        fs::write(world.path("state"), &newer).expect("a file");
        let ended = world.run();
        assert_refused(&format!("{kind}, newer"), &ended);
        assert!(ended.2.contains("newer connectome"), "{kind}: {}", ended.2);
        assert_eq!(fs::read(world.path("state")).expect("a file"), newer, "{kind}");
        remove_state(world.home.path());
        fs::write(world.path("state"), &whole).expect("a file");
        let (code, _, said) = world.run();
        assert_eq!((code, world.given()), (0, given), "{kind}: {said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn without_room_nothing_counts_and_with_room_there_is_everything() {
    for kind in KINDS {
        let (world, other) = (World::new(kind), World::new(kind));
        for blocks in [0, 8, 64] {
            let ended = world.run_with_room(blocks);
            // What little there is may be enough for little.
            if ended.0 != 0 {
                assert!(matches!(ended.0, 1 | 3), "{kind}, {blocks}: {}", ended.2);
                assert!(ended.2.contains("what to do: ") && !ended.2.contains("panicked"), "{kind}: {}", ended.2);
            }
            assert!(blocks > 0 || ended.0 == 1, "{kind}: {}", ended.2);
        }
        assert_eq!((world.run().0, other.run().0), (0, 0), "{kind}");
        assert!(world.given() >= other.given(), "{kind}: {} of {}", world.given(), other.given());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_told_and_nothing_is_given() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    /// Nobody in particular. A folder is never closed to root, so root becomes somebody else.
    const NOBODY: u32 = 65_534;
    let is_root = fs::metadata("/proc/self").expect("this process").uid() == 0;
    let as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    for kind in KINDS {
        let world = World::keeping(kind, "kept/state");
        let folder = world.path("kept");
        let close = |closed| {
            let mode = if closed { 0o555 } else { 0o755 };
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).expect("permissions");
        };
        let refused = || {
            if !is_root {
                return world.run();
            }
            // All is theirs but the folder.
            let inside = |folder: &Path| fs::read_dir(folder).expect("a folder").flatten().map(|it| it.path());
            let all = inside(world.home.path()).chain(inside(&folder)).filter(|path| *path != folder);
            all.chain([world.home.path().to_owned()])
                .for_each(|path| chown(path, Some(NOBODY), Some(NOBODY)).expect("an owner"));
            world.run_through(&as_nobody)
        };
        fs::create_dir(&folder).expect("a folder");
        close(true);
        let ended = refused();
        assert_refused(&format!("{kind}, a closed folder"), &ended);
        assert!(ended.2.contains("kept/state") && ended.2.contains("permissions"), "{kind}: {}", ended.2);
        assert_eq!(world.given(), 0, "{kind}");
        close(false);
        assert_eq!(world.run().0, 0, "{kind}");
        let given = world.given();
        close(true);
        let ended = refused();
        assert_refused(&format!("{kind}, closed afterwards"), &ended);
        assert!(ended.2.contains("kept/state") && ended.2.contains("permissions"), "{kind}: {}", ended.2);
        assert_eq!(world.given(), given, "{kind}: nothing was given again");
        close(false);
        let (code, _, said) = world.run();
        assert_eq!((code, world.given()), (0, given), "{kind}: {said}");
    }
}
