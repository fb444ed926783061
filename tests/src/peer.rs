//! Real clients and servers from public registries. `cargo xtask test` installs them below `target/peers`; plain
//! `cargo test` names those it has to skip.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::command::told;

/// The Python of the folder in which peers are installed, or a word about what is skipped.
pub fn python(what: &str) -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/venv/bin/python");
    if python.is_file() {
        return Some(python);
    }
    skipped(what);
    None
}

fn skipped(what: &str) {
    let demanded = std::env::var_os("CONNECTOME_PEERS_REQUIRED").is_some();
    assert!(!demanded, "{what} is not installed; `cargo xtask test` installs it");
    eprintln!("SKIPPED: {what} is not installed; `cargo xtask test` installs it and runs this test");
}

/// A script of `peers` that talks to this machine alone: without this user's proxy.
pub fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    for (name, _) in std::env::vars().filter(|(name, _)| name.to_lowercase().ends_with("_proxy")) {
        command.env_remove(name);
    }
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name));
    command
}

/// Runs a script of which no check may fail: the summary that its last line is.
pub fn summary(script: &mut Command) -> Value {
    let (code, out, error) = told(&script.output().expect("Python runs"));
    assert_eq!(code, 0, "{out}{error}");
    let last = out.lines().last().unwrap_or_default();
    let summary: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("no summary: {out}{error}"));
    assert_eq!(summary["failed"], 0, "{out}");
    summary
}

/// A server that takes documents, searches them and adds them up as Elasticsearch does, for as long as this value is there.
#[derive(Debug)]
pub struct Osmem {
    process: Child,
    /// Where it listens.
    pub url: String,
}

impl Osmem {
    /// Starts one on a free port of this machine, or says a word about what is skipped.
    pub fn start() -> Option<Self> {
        let python = python("osmem-server")?;
        let find = "import osmem_server; print(osmem_server.resolve_binary())";
        let found = Command::new(python).args(["-c", find]).output().expect("Python runs");
        if !found.status.success() {
            skipped("osmem-server");
            return None;
        }
        let binary = String::from_utf8(found.stdout).expect("a path");
        let mut process = Command::new(binary.trim())
            .args(["--no-stdin-watch", "--addr", "127.0.0.1:0"])
            // Should this process be killed, its value is not dropped.
            .args(["--parent-pid", &std::process::id().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("osmem-server starts");
        let mut line = String::new();
        let mut out = BufReader::new(process.stdout.take().expect("its output"));
        out.read_line(&mut line).expect("a line");
        let told: Value = serde_json::from_str(&line).expect("it tells where it listens");
        Some(Self { process, url: told["url"].as_str().expect("a URL").to_owned() })
    }
}

impl Drop for Osmem {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
