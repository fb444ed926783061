//! The command `connectome`, built once, and a simulated service as a process of its own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// The binary of this build.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut build = clean(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "connectome", "--bin", "connectome"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo runs").success(), "connectome does not build");
        // A test runs from `target/PROFILE/deps`.
        let test = std::env::current_exe().expect("a path");
        test.ancestors().nth(2).expect("a folder").join(format!("connectome{}", std::env::consts::EXE_SUFFIX))
    })
}

/// A program with nothing of this user's environment that ours would read, nor of what cargo says of this test: that
/// would change what the build scripts of others see, and have all built again.
pub fn clean(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars() {
        let ours = ["CONNECTOME_", "XDG_", "CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start));
        if ours || name.to_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// The command, at home in this folder.
pub fn connectome(home: &Path) -> Command {
    let mut command = clean(binary());
    command.env("HOME", home).current_dir(home);
    command
}

/// Runs the command and returns what it printed and its exit code.
pub fn run(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let output = connectome(home).args(arguments).envs(variables.iter().copied()).output().expect("the command runs");
    told(&output)
}

/// What a command printed as JSON.
pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A folder that is the user's home.
pub fn home() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A simulated Trend Vision One, and the home of its user.
pub fn simulated(options: &[&str]) -> (TempDir, Simulation) {
    let home = home();
    let simulation = Simulation::start(home.path(), "trend-vision-one", options);
    (home, simulation)
}

/// Exit code, standard output and standard error.
pub fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// `connectome simulate` as a process; it ends with this value.
#[derive(Debug)]
pub struct Simulation {
    child: Child,
    /// The root of the first connector; empty where a destination alone is simulated.
    pub url: String,
    /// Its token.
    pub token: String,
    /// Every connector that is simulated, and its root.
    pub all: Vec<(String, String)>,
    /// What `sync --to` takes, where the platform of a destination is simulated.
    pub destination: Option<String>,
}

impl Simulation {
    /// Starts one on a free port.
    pub fn start(home: &Path, connector: &str, options: &[&str]) -> Self {
        let mut command = connectome(home);
        command
            .args(["simulate", connector, "--listen", "127.0.0.1:0", "--output", "json"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the command starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let told = parsed(&line);
        let text = |one: &Value, key: &str| one[key].as_str().expect("a text").to_owned();
        let all = told["simulating"].as_array().expect("a list");
        let all: Vec<_> = all.iter().map(|one| (text(one, "connector"), text(one, "url"))).collect();
        let destination = told["destinations"][0]["destination"].as_str().map(str::to_owned);
        let first = if all.is_empty() { &told["destinations"][0] } else { &told["simulating"][0] };
        let url = all.first().map_or_else(String::new, |(_, url)| url.clone());
        Self { child, url, token: text(first, "token"), all, destination }
    }

    /// Variables that point every connector at it.
    pub fn all_variables(&self) -> Vec<(String, String)> {
        let of = |(name, url): &(String, String)| {
            let prefix = connectome_core::connection::environment_prefix(name);
            [(format!("{prefix}API_URL"), url.clone()), (format!("{prefix}API_KEY"), self.token.clone())]
        };
        self.all.iter().flat_map(of).collect()
    }

    /// Variables that point the connector at it.
    pub fn variables(&self) -> [(&str, &str); 2] {
        [("CONNECTOME_TREND_VISION_ONE_API_URL", &self.url), ("CONNECTOME_TREND_VISION_ONE_API_KEY", &self.token)]
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
