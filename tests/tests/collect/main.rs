//! `connectome collect` as a process of its own, against a simulated service whose every event is known.

mod kills;
mod look;
mod refused;
mod trouble;
mod usage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use connectome_sim::{Options, Running};
use connectome_sinks::elasticsearch::API_KEY;
use connectome_sinks::elasticsearch::simulated::Search;
use connectome_sinks::xsiam::TOKEN_VARIABLE;
use connectome_sinks::xsiam::simulated::Tenant;
use connectome_tests::command::{binary, connectome, told};
use connectome_tests::simulated::{TOKEN, held, quiet, serve, vision_one};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const NAME: &str = "trend-vision-one";

/// The token of the tenant that events are sent to.
const TENANT: &str = "MARKER-tenant-c0ffee";

/// The key of the Elasticsearch that events are sent to.
const SEARCH: &str = "MARKER-search-c0ffee==";

/// Each stream, and what the simulation calls its records.
const STREAMS: [(&str, &str); 4] = [
    ("workbench", "alerts"),
    ("observed_attack_technique", "detections"),
    ("search_detection", "search_detections"),
    ("audit", "audit_logs"),
];

/// Options with which a range is complete after seconds rather than minutes.
const BRISK: [&str; 6] = ["--late-by", "2s", "--close-every", "1s", "--every", "1s"];

/// The events of each stream, as text, sorted; equal ones as often as they are there.
type Events = BTreeMap<String, Vec<String>>;

/// A simulated service, and the home of the user who collects from it.
struct World {
    home: TempDir,
    service: Running,
    runtime: Runtime,
}

impl World {
    fn new(change: impl FnOnce(&mut Options)) -> Self {
        // Built before anything is timed.
        binary();
        let runtime = Runtime::new().expect("a runtime");
        let service = runtime.block_on(vision_one(change));
        Self { home: tempfile::tempdir().expect("a folder"), service, runtime }
    }

    /// A simulated tenant of XSIAM, and what `--to` takes for it.
    fn tenant(&self) -> (Running<Tenant>, String) {
        let tenant = self.runtime.block_on(serve(Tenant::new(TENANT)));
        let to = format!("xsiam+{}", tenant.url());
        (tenant, to)
    }

    /// A simulated Elasticsearch, and what `--to` takes for it.
    fn search(&self) -> (Running<Search>, String) {
        let search = self.runtime.block_on(serve(Search::new(Some(&format!("ApiKey {SEARCH}")))));
        let to = format!("elasticsearch+{}?index=vision-one", search.url());
        (search, to)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// `connectome collect` with these arguments, not started yet.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = connectome(self.home.path());
        command.args(["collect", NAME]).args(arguments).envs([
            ("CONNECTOME_TREND_VISION_ONE_API_URL", self.service.url().as_str()),
            ("CONNECTOME_TREND_VISION_ONE_API_KEY", TOKEN),
            (TOKEN_VARIABLE, TENANT),
            (API_KEY, SEARCH),
        ]);
        command
    }

    /// Runs it to its end: exit code, standard output, standard error.
    fn collect(&self, arguments: &[&str]) -> (i32, String, String) {
        told(&self.command(arguments).output().expect("the command runs"))
    }

    /// The same, which must end well.
    fn well(&self, arguments: &[&str]) -> String {
        let (code, shown, said) = self.collect(arguments);
        assert_eq!(code, 0, "{arguments:?}: {shown}{said}");
        shown
    }

    /// Starts it and lets it run.
    fn start(&self, arguments: &[&str]) -> Process {
        let mut command = self.command(arguments);
        Process(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts")))
    }

    /// What `--status` shows of each stream to this destination.
    fn status(&self, to: &str) -> BTreeMap<String, Value> {
        let shown = self.well(&["--status", "--to", to, "--output", "json"]);
        let all: Vec<Value> = serde_json::from_str(&shown).expect("JSON");
        let to = to.split('?').next().unwrap_or_default();
        let of_it = all.into_iter().filter(|one| one["destination"].as_str().expect("a name").starts_with(to));
        of_it.map(|one| (one["stream"].as_str().expect("a name").to_owned(), one)).collect()
    }

    /// How many events of a stream were delivered to a destination.
    fn delivered(&self, to: &str, stream: &str) -> u64 {
        self.status(to).get(stream).map_or(0, |it| it["counts"]["delivered"].as_u64().unwrap_or(0))
    }

    fn requests(&self) -> u64 {
        self.service.simulator.requests()
    }

    /// No event appears any more. Returns all that there are once the service shows every one of them.
    fn quiet(&self) -> Events {
        self.runtime.block_on(async {
            quiet(&self.service).await;
            let mut events = Events::new();
            for (stream, collection) in STREAMS {
                let mut all = held(&self.service, collection, "").await;
                while held(&self.service, collection, "?seen").await.len() < all.len() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                all.sort();
                events.insert(stream.to_owned(), all);
            }
            events
        })
    }

    /// Runs it again and again, each time until there is nothing to read for now, until it has read everything that
    /// there is by now and its lateness has passed.
    fn finish(&self, arguments: &[&str]) {
        let now = self.service.simulator.now().to_string();
        let past = |one: &Value| one["complete_before"].as_str().is_some_and(|before| before > now.as_str());
        let to = arguments[arguments.iter().position(|it| *it == "--to").expect("a destination") + 1];
        wait("everything is complete", || {
            self.well(&[arguments, &BRISK, &["--once"]].concat());
            let status = self.status(to);
            !status.is_empty() && status.values().all(past)
        });
    }
}

/// A process that is killed with this value.
struct Process(Option<Child>);

impl Process {
    fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("it was not waited for")
    }

    fn is_running(&mut self) -> bool {
        self.child().try_wait().expect("a process").is_none()
    }

    fn signal(&mut self, name: &str) {
        let id = self.child().id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().expect("kill runs").success());
    }

    /// Waits for its end: exit code, standard output, standard error.
    fn end(mut self) -> (i32, String, String) {
        told(&self.0.take().expect("it was not waited for").wait_with_output().expect("an end"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits until something holds. A minute is forever here.
fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "it never came to pass that {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What a database holds: every event of it as the service wrote it.
fn kept(path: &Path) -> Events {
    let database = rusqlite::Connection::open(path).expect("a database");
    let mut rows = database.prepare("SELECT stream, body FROM event").expect("a table");
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    by_stream(rows.map(|row| row.expect("a row")))
}

fn by_stream(events: impl Iterator<Item = (String, String)>) -> Events {
    let mut sorted = Events::new();
    for (stream, event) in events {
        sorted.entry(stream).or_default().push(event);
    }
    sorted.values_mut().for_each(|events| events.sort());
    sorted
}

/// Events as they are written when they were read as JSON.
fn normal(events: &Events) -> Events {
    let parsed = |event: &String| serde_json::from_str::<Value>(event).expect("JSON").to_string();
    by_stream(events.iter().flat_map(|(stream, all)| all.iter().map(|event| (stream.clone(), parsed(event)))))
}

/// Says of each stream what is missing and what is too much, and fails if anything is.
fn assert_same(what: &str, given: &Events, wanted: &Events) {
    for (stream, wanted) in wanted {
        let none = Vec::new();
        let given = given.get(stream).unwrap_or(&none);
        let count = |all: &[String], one: &String| all.iter().filter(|it| *it == one).count();
        let differs = wanted.iter().chain(given).find(|one| count(given, one) != count(wanted, one));
        if let Some(one) = differs.filter(|_| given != wanted) {
            let (has, should) = (count(given, one), count(wanted, one));
            panic!("{what}: {stream} has {} events of {}; {has} instead of {should}: {one}", given.len(), wanted.len());
        }
    }
    assert_eq!(given.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{what}");
}
