//! Running a cell: a simulated service with the fault, a connection whose waiting is skipped, and what comes of it.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use connectome_collect::collector::{Budget, Collector, Range};
use connectome_collect::ledger::{Database, Forgetful};
use connectome_collect::plan::Limits;
use connectome_collect::prepare::{Mode, Preparation};
use connectome_collect::rounds::Rounds;
use connectome_collect::sink::{Chunk, Extent, Sink, Taken};
use connectome_collect::snapshot::{Endpoint, Poller, Rules};
use connectome_collect::source::Service as Pages;
use connectome_core::clock::ManualClock;
use connectome_core::connector::Connector;
use connectome_core::format::Format;
use connectome_core::{Connection, Error, Settings};
use connectome_graph::map::{Instance, Mapper};
use connectome_graph::report::Status;
use connectome_graph::store::Store;
use connectome_graph::sync::gather;
use connectome_sim::{Fault, Options, Running, Simulator};
use connectome_tests::simulated::{TOKEN, serve};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::input;
use crate::rule::TRIES;
use crate::subject::{Subject, What};

/// Events lie within this many seconds before the start.
const HISTORY: u64 = 600;

/// A longer answer is never read to its end.
const MAX_ANSWER: usize = 4 << 20;

/// What came of a cell.
#[derive(Debug)]
pub struct Seen {
    /// What it gave.
    pub result: Result<Value, Error>,
    /// How many requests the service saw until then.
    pub requests: u64,
    /// What there is in all once the fault is gone and it was run again, for what goes on.
    pub later: Option<Result<Value, Error>>,
    /// How long it took.
    pub took: Duration,
}

/// The time at which everything happens: a day after the one that a skewed clock tells.
pub fn now() -> Timestamp {
    "2024-06-12T07:00:00Z".parse().expect("a time")
}

/// A connection to a service at this root, with what its connector needs.
pub fn connection_to(url: &str, connector: &'static Connector) -> Connection {
    connection(url, connector, Arc::new(ManualClock::at(now())), Duration::from_secs(30), false)
}

fn connection(
    url: &str,
    connector: &'static Connector,
    clock: Arc<ManualClock>,
    timeout: Duration,
    deferred: bool,
) -> Connection {
    let mut parameters = Map::new();
    for field in connector.parameters.fields {
        let value = match field.rules.format {
            Some(Format::BaseUrl) => json!(url),
            _ if field.secret => json!(TOKEN),
            _ if field.required && field.default.is_none() => json!("simulated"),
            _ => continue,
        };
        parameters.insert(field.name.to_owned(), value);
    }
    for later in connector.snapshots.iter().filter_map(|snapshot| snapshot.deferred) {
        parameters.insert(later.asked.to_owned(), json!(deferred));
    }
    let mut settings = Settings::new(parameters);
    settings.clock = clock;
    settings.tries = u32::try_from(TRIES).expect("a few");
    settings.network.request_timeout = timeout;
    // There is no certificate on the way, and reading those of the system takes longer than most cells.
    settings.network.verify_tls = false;
    settings.network.max_answer = MAX_ANSWER;
    Connection::new(connector, settings).expect("a connection")
}

/// A host that nobody has a reason to talk to, and how often somebody did.
pub fn elsewhere() -> (&'static str, u64) {
    static HOST: OnceLock<String> = OnceLock::new();
    static MET: AtomicU64 = AtomicU64::new(0);
    let host = HOST.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            while listener.accept().is_ok() {
                MET.fetch_add(1, Ordering::Relaxed);
            }
        });
        format!("http://{address}")
    });
    (host, MET.load(Ordering::Relaxed))
}

/// Runs a subject with a fault, or without any.
pub async fn run(subject: &Subject, fault: Option<(&'static str, Option<u64>)>) -> Seen {
    let clock = Arc::new(ManualClock::at(now()));
    let mut options = Options::new(TOKEN);
    options.start = now();
    options.clock = Some(clock.clone());
    options.history = Duration::from_secs(HISTORY);
    options.elsewhere = Some(elsewhere().0.to_owned());
    let (path, mut timeout) = (subject.path(), Duration::from_secs(30));
    if let Some((kind, times)) = fault {
        options.faults =
            vec![Fault { kind, times: times.map(|it| u32::try_from(it).expect("a few")), path: path.into() }];
        if kind.starts_with("slow") {
            // Where a later try must come in time, it has more of it.
            timeout = Duration::from_millis(if times.is_some() { 1500 } else { 500 });
        }
    }
    let service = serve(Simulator::new(subject.service, options)).await;
    let deferred = matches!(subject.what, What::Snapshot(_, true));
    let connection = connection(&service.url(), subject.connector(), clock.clone(), timeout, deferred);
    let started = Instant::now();
    let (result, requests, later) = match &subject.what {
        What::Action(operation, given) => {
            let checked = connection.validate(operation, given).expect("an input");
            let request = connection.request(operation, &checked).expect("a request");
            input::prepare(&service.simulator, subject.service, &request, operation);
            let result = connection.call(operation, given.clone()).await;
            (result, service.simulator.requests(), None)
        }
        What::Trigger(..) => trigger(subject, &connection, &service, &clock).await,
        What::Stream(..) => stream(subject, &connection, &service, &clock).await,
        What::Snapshot(..) => list(subject, &connection, &service, &clock).await,
        What::Step(..) => step(subject, &connection, &service).await,
    };
    Seen { result, requests, later, took: started.elapsed() }
}

type Told = (Result<Value, Error>, u64, Option<Result<Value, Error>>);

/// From now on nothing goes wrong, and some time has passed.
fn mend(service: &Running, clock: &ManualClock) -> u64 {
    let requests = service.simulator.requests();
    service.simulator.mend();
    clock.advance(Duration::from_secs(3600));
    requests
}

async fn trigger(subject: &Subject, connection: &Connection, service: &Running, clock: &ManualClock) -> Told {
    let What::Trigger(trigger, given) = &subject.what else { unreachable!("a trigger") };
    let operation = trigger.operation;
    let asked: Map<String, Value> = given
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| operation.input.field(name).is_some())
        .map(|(name, value)| (name.clone(), value.clone()))
        .chain(
            trigger
                .windows
                .iter()
                .flat_map(|window| [window.start, window.end].map(|name| (name.to_owned(), json!(now().to_string())))),
        )
        .collect();
    let checked = connection.validate(operation, &Value::Object(asked)).expect("an input");
    let request = connection.request(operation, &checked).expect("a request");
    input::prepare(&service.simulator, subject.service, &request, operation);
    let mut rounds = Rounds::new(connection.clone(), trigger, given, None).expect("rounds");
    let mut all = Vec::new();
    let mut round = async || {
        let round = rounds.next().await?;
        let event = round.event.clone();
        rounds.accept(round);
        let items = trigger.seen.and_then(|(items, _)| event[items].as_array().cloned());
        all.extend(items.unwrap_or_else(|| vec![event.clone()]));
        Ok((event, Value::from(all.clone())))
    };
    let first = round().await.map(|(event, _)| event);
    let requests = mend(service, clock);
    let later = round().await.map(|(_, all)| all);
    (first, requests, Some(later))
}

/// A sink that keeps the keys of what it took.
#[derive(Debug, Clone, Default)]
struct Keys(Arc<Mutex<Vec<String>>>);

impl Keys {
    fn all(&self) -> Value {
        json!(*self.0.lock().expect("no panic"))
    }
}

impl Sink for Keys {
    fn extent(&self) -> Extent {
        Extent { events: 50, bytes: 1 << 20 }
    }

    async fn deliver(&mut self, chunk: &Chunk) -> Result<Taken, Error> {
        self.0.lock().expect("no panic").extend(chunk.events().map(|event| event.key.to_owned()));
        Ok(Taken::default())
    }
}

async fn stream(subject: &Subject, connection: &Connection, service: &Running, clock: &ManualClock) -> Told {
    let What::Stream(stream) = &subject.what else { unreachable!("a stream") };
    let keys = Keys::default();
    let limits = Limits::of(stream);
    let source = Pages::new(connection.clone(), stream, None, limits.margin).expect("requests");
    let first = now().as_second() - i64::try_from(HISTORY).expect("minutes");
    let parts = (source, keys.clone(), Forgetful::default());
    let preparation = Preparation::new(stream, Mode::Declared);
    let mut collector =
        Collector::open(stream, limits, Range { first, until: None }, preparation, parts).expect("a collector");
    let result = collector.round(Budget::default()).await.map(|_| keys.all());
    let requests = mend(service, clock);
    let later = collector.round(Budget::default()).await.map(|_| keys.all());
    (result, requests, Some(later))
}

async fn list(subject: &Subject, connection: &Connection, service: &Running, clock: &ManualClock) -> Told {
    let What::Snapshot(snapshot, _) = &subject.what else { unreachable!("a list") };
    let (home, keys) = (tempfile::tempdir().expect("a folder"), Keys::default());
    let database = Database::open(&home.path().join("state.sqlite"), false).expect("a database");
    let ledger = database.ledger("list").expect("a ledger");
    let source = Endpoint::new(connection.clone(), snapshot).expect("requests");
    let parts = (source, keys.clone(), ledger);
    let mut poller = Poller::open(snapshot, Rules::of(snapshot), connection.parameters(), parts).expect("a poller");
    let records = |keys: &Keys| {
        // The name of a document is its list, the run, the record and its content.
        let all = keys.all();
        let record = |key: &Value| json!(key.as_str().and_then(|key| key.split(':').nth(2)));
        Value::from(all.as_array().into_iter().flatten().map(record).collect::<Vec<_>>())
    };
    let result = poller.round().await.map(|_| records(&keys));
    let requests = mend(service, clock);
    let later = poller.round().await.map(|_| records(&keys));
    (result, requests, Some(later))
}

async fn step(subject: &Subject, connection: &Connection, service: &Running) -> Told {
    let What::Step(graph, number) = &subject.what else { unreachable!("a step") };
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("graph.sqlite");
    let sync = async || {
        let mapper = Mapper { graph, dialect: &graph.dialects[0], instance: Instance::default() };
        let gathered = gather(connection, mapper, Store::open(&path)?, "account").await?;
        let (_, report, _) = gathered.apply("account").await?;
        let deleted: u64 = report.types.values().map(|counts| counts.deleted).sum();
        assert_eq!(deleted, 0, "something was deleted");
        match &report.steps[*number].status {
            Status::Failed(error) => Err(error.clone()),
            _ => Ok(Store::open(&path)?.counts("account")?),
        }
    };
    let told = |counts: Vec<(String, _, u64)>| {
        Value::from(counts.into_iter().map(|(ty, _, count)| json!([ty, count])).collect::<Vec<_>>())
    };
    let result = sync().await.map(told);
    let requests = service.simulator.requests();
    service.simulator.mend();
    (result, requests, Some(sync().await.map(told)))
}
