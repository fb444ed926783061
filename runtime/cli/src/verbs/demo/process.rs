//! Processes that collect, in scenes of the demonstration: one that is killed on the way, and others that go on.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use connectome_core::connection::environment_prefix;
use connectome_core::connector::Connector;
use connectome_core::{Error, ErrorKind};

use super::{TOKEN, WIDTH};
use crate::exit::Outcome;
use crate::print;
use crate::verbs::simulate::simulated_parameters;

/// How long a request to a service takes, so that there is time to be killed in.
pub const LATENCY: Duration = Duration::from_millis(4);

/// How the processes are run.
pub struct Collecting {
    pub connector: &'static Connector,
    /// Where the simulated service is.
    pub url: String,
    /// The destination.
    pub to: String,
    pub state: PathBuf,
    /// Options besides.
    pub further: &'static [&'static str],
}

impl Collecting {
    fn start(&self) -> Result<Child, Error> {
        let program = std::env::current_exe().map_err(cannot)?;
        let mut command = Command::new(program);
        command.args(["collect", self.connector.name, "--once", "--to", &self.to, "--state"]).arg(&self.state);
        command.args(self.further);
        for (name, value) in simulated_parameters(self.connector, &self.url, TOKEN) {
            let variable = format!("{}{}", environment_prefix(self.connector.name), name.to_uppercase());
            command.env(variable, value);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(cannot)
    }

    /// Starts a process, kills it once so many of `what` are kept, and says how many there were.
    pub async fn killed(&self, enough: u64, what: &str, kept: impl Fn() -> u64) -> Outcome {
        let mut child = self.start()?;
        loop {
            if child.try_wait().map_err(cannot)?.is_some() {
                return print::line("    it ended before it could be killed; started again");
            }
            if kept() >= enough {
                child.kill().and_then(|()| child.wait()).map_err(cannot)?;
                return print::line(&format!("    killed with SIGKILL after {} {what}; started again", kept()));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Starts a process, and shows what it says in the end.
    pub async fn to_its_end(&self, what: &str) -> Outcome {
        let child = self.start()?;
        let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await;
        let output = output.map_err(std::io::Error::other).flatten().map_err(cannot)?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Error::new(ErrorKind::Partial, format!("{what} ended with {}: {why}", output.status)));
        }
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            print::text(&format!("    {}\n", print::wrap(line, "      ", WIDTH - 6).trim()))?;
        }
        Ok(())
    }
}

fn cannot(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Configuration, format!("the command cannot be run in a process of its own: {error}"))
}

/// Removes a database and what SQLite keeps beside it.
pub fn forget(database: &Path) {
    for end in ["", "-wal", "-shm"] {
        let mut name = database.as_os_str().to_owned();
        name.push(end);
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
}
