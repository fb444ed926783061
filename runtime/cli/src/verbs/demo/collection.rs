//! A scene of the demonstration: a burst of events is collected by a process that is killed on the way, and by another
//! that goes on. What the service has and what was kept are compared, byte by byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use connectome_collect::ledger::Database;
use connectome_core::connection::environment_prefix;
use connectome_core::stream::Stream;
use connectome_core::{Error, ErrorKind};
use connectome_sim::{Options, Running, Service, Simulator, serve};

use super::{TOKEN, WIDTH};
use crate::exit::Outcome;
use crate::print;
use crate::verbs::simulate::simulated_parameters;

/// Times as many records as there are otherwise.
const BURST: usize = 100;

/// So that there is time to be killed in.
const LATENCY: Duration = Duration::from_millis(4);

/// A process is killed when it has kept more than this share of all events.
const SHARES: [usize; 2] = [20, 60];

pub async fn show(service: &'static Service, folder: &Path) -> Outcome {
    let mut options = Options::new(TOKEN);
    (options.scale, options.latency) = (BURST, LATENCY);
    let served = serve(Simulator::new(service, options), ([127, 0, 0, 1], 0).into(), None)
        .await
        .map_err(|error| Error::new(ErrorKind::Connect, format!("no loopback port could be opened: {error}")))?;
    let happened = happened(service, &served);
    let all: usize = happened.iter().map(|(_, events)| events.len()).sum();
    let events = folder.join("demo-events.sqlite");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("demo-events.sqlite{end}")));
    }
    let run = Run { service, url: served.url(), events, state: folder.join("demo-collect.sqlite") };
    let _ = std::fs::remove_file(&run.state);
    let name = service.connector.name;
    print::line(&format!("    {all} events happened within a day"))?;
    print::line(&format!("  $ connectome collect {name} --to sqlite:demo-events.sqlite --once"))?;
    for share in SHARES {
        let mut child = run.start()?;
        let kept = run.wait(&mut child, all * share / 100).await?;
        match kept {
            Some(kept) => print::line(&format!("    killed with SIGKILL after {kept} events; started again"))?,
            None => print::line("    it ended before it could be killed; started again")?,
        }
    }
    let child = run.start()?;
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await;
    let output = output.map_err(std::io::Error::other).flatten().map_err(|error| run.cannot(&error))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::new(ErrorKind::Partial, format!("the collection ended with {}: {why}", output.status)));
    }
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        print::text(&format!("    {}\n", print::wrap(line, "      ", WIDTH - 6).trim()))?;
    }
    compare(&run, &happened)
}

type Happened = Vec<(&'static Stream, Vec<String>)>;

/// Every event of each stream that is collected, as the service writes it.
fn happened(service: &'static Service, served: &Running) -> Happened {
    let streams = service.connector.streams.iter().copied().filter(|stream| !stream.on_request);
    let of = |stream: &Stream| {
        let call = stream.read.call;
        let found = service.calls.iter().find(|it| it.method == call.method && it.path == call.path);
        found.and_then(|behaviour| behaviour.of).map_or_else(Vec::new, |of| served.simulator.records(of))
    };
    streams.map(|stream| (stream, of(stream))).collect()
}

/// Says what is missing and what came twice; neither may be.
fn compare(run: &Run, happened: &Happened) -> Outcome {
    let database = Database::open(&run.events, true)?;
    let mut rows = Vec::new();
    let mut wrong = 0;
    for (stream, events) in happened {
        let kept = database.events(stream.name)?;
        let mut balance: BTreeMap<&str, i64> = BTreeMap::new();
        events.iter().for_each(|event| *balance.entry(event).or_default() += 1);
        kept.iter().for_each(|event| *balance.entry(event).or_default() -= 1);
        let lost: i64 = balance.values().filter(|left| **left > 0).sum();
        let twice: i64 = -balance.values().filter(|left| **left < 0).sum::<i64>();
        wrong += lost + twice;
        let numbers = [events.len() as i64, kept.len() as i64, lost, twice];
        rows.push(std::iter::once(stream.name.to_owned()).chain(numbers.map(|it| it.to_string())).collect());
    }
    print::line("  What the service has, and what was kept, compared byte by byte:")?;
    for line in print::table(&["stream", "happened", "kept", "lost", "twice"], rows).lines() {
        print::line(&format!("    {line}"))?;
    }
    match wrong {
        0 => Ok(()),
        _ => Err(Error::new(ErrorKind::Partial, "events were lost or came twice")),
    }
}

/// How the processes are run.
struct Run {
    service: &'static Service,
    url: String,
    events: PathBuf,
    state: PathBuf,
}

impl Run {
    fn start(&self) -> Result<Child, Error> {
        let connector = self.service.connector;
        let program = std::env::current_exe().map_err(|error| self.cannot(&error))?;
        let mut command = Command::new(program);
        let to = format!("sqlite:{}", self.events.display());
        command.args(["collect", connector.name, "--once", "--transforms", "none", "--to", &to, "--state"]);
        command.arg(&self.state);
        for (name, value) in simulated_parameters(connector, &self.url, TOKEN) {
            let variable = format!("{}{}", environment_prefix(connector.name), name.to_uppercase());
            command.env(variable, value);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(|error| self.cannot(&error))
    }

    /// Waits until so many events are kept, and kills the process; says how many there were.
    async fn wait(&self, child: &mut Child, enough: usize) -> Result<Option<u64>, Error> {
        loop {
            if child.try_wait().map_err(|error| self.cannot(&error))?.is_some() {
                return Ok(None);
            }
            let kept = self.kept();
            if kept >= enough as u64 {
                child.kill().and_then(|()| child.wait()).map_err(|error| self.cannot(&error))?;
                return Ok(Some(self.kept()));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn kept(&self) -> u64 {
        let entries = || Database::open(&self.events, true).and_then(|database| database.entries("collect/"));
        let known = if self.events.exists() { entries().unwrap_or_default() } else { Vec::new() };
        known.iter().filter_map(|entry| entry.checkpoint.as_ref()).map(|point| point.counts.delivered).sum()
    }

    fn cannot(&self, error: &std::io::Error) -> Error {
        Error::new(ErrorKind::Configuration, format!("the command cannot be run in a process of its own: {error}"))
    }
}
