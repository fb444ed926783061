//! The engine: who asks, what for, whether it is well formed; then what the call does.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use connectome_core::clock::Clock;
use connectome_core::operation::Operation;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::admin::{self, Pieces};
use crate::behave::Turn;
use crate::check::check;
use crate::fault::{self, Fault};
use crate::http::{Manner, Reply, Request, object};
use crate::query::Looks;
use crate::route::{Parameters, Route};
use crate::server::Respond;
use crate::store::Store;
use crate::timeline::Timeline;
use crate::token::{Grants, Token};
use crate::{Behaviour, Service, Verb};

/// How a simulation is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The same seed makes the same records.
    pub seed: u64,
    /// Multiplies the number of records.
    pub scale: usize,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// The root of the host that redirects and links lead to when they lead elsewhere; one that there is not, if absent.
    pub elsewhere: Option<String>,
    /// Who may ask.
    pub tokens: Vec<Token>,
    /// When the simulation starts; records lie before it.
    pub start: Timestamp,
    /// How long each answer takes.
    pub latency: Duration,
    /// Over how long a time before the start records are spread.
    pub history: Duration,
    /// How long after its time a record that happens may first be seen.
    pub late: Duration,
    /// How many records a minute appear in each collection whose records happen.
    pub rate: u64,
    /// How long the tokens of further pages are good.
    pub page_life: Option<Duration>,
    /// How many seconds the service's clock is ahead of time, or behind it.
    pub skew: i64,
    /// The service's clock; when absent, it starts at `start` and goes on as time does.
    pub clock: Option<Arc<dyn Clock>>,
}

impl Options {
    /// One token that may do everything, nothing wrong, now.
    pub fn new(token: &str) -> Self {
        Self {
            seed: 1,
            scale: 1,
            faults: Vec::new(),
            elsewhere: None,
            tokens: vec![Token::master(token)],
            start: Timestamp::now(),
            latency: Duration::ZERO,
            history: Duration::from_secs(86_400),
            late: Duration::ZERO,
            rate: 0,
            page_life: None,
            skew: 0,
            clock: None,
        }
    }
}

/// A simulated service with its state.
pub struct Simulator {
    service: &'static Service,
    base_path: &'static str,
    calls: Vec<Route<&'static Behaviour>>,
    /// What makes calls: actions, reads of a graph, streams, lists.
    operations: Vec<Route<&'static Operation>>,
    options: Options,
    store: Mutex<Store>,
    met: Vec<AtomicU32>,
    mended: AtomicBool,
    looks: Mutex<Looks>,
    requests: AtomicU64,
    began: Instant,
}

/// What a request is by its method and its path.
struct Asked {
    /// What the service does, and the path's parameters.
    call: Option<(&'static Behaviour, Parameters)>,
    /// Every operation that makes such a request.
    operations: Vec<&'static Operation>,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Simulator({})", self.service.connector.name)
    }
}

impl Respond for Simulator {
    fn respond(&self, request: &Request) -> Reply {
        self.respond(request)
    }

    fn stream(self: Arc<Self>, request: &Request) -> Option<Pieces> {
        admin::records(self, request)
    }

    fn resets(&self) -> bool {
        self.options.faults.iter().any(|fault| fault.kind == "reset")
    }
}

impl Simulator {
    /// A service as its spec describes it.
    pub fn new(service: &'static Service, options: Options) -> Self {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let timeline = Timeline {
            start: options.start.as_millisecond() + options.skew * 1000,
            history: seconds(options.history),
            late: seconds(options.late) * 1000,
            rate: options.rate,
        };
        let store = Store::new(service.collections, options.seed, options.scale.max(1), timeline);
        let base = service.connector.base;
        let base_path = base.rsplit_once('}').map_or("", |(_, path)| path);
        let met = options.faults.iter().map(|_| AtomicU32::new(0)).collect();
        let connector = service.connector;
        let read = connector.streams.iter().map(|it| it.read).chain(connector.snapshots.iter().map(|it| it.read));
        let operations = connector.operations.iter().chain(service.reads).copied().chain(read);
        Self {
            service,
            base_path,
            calls: service.calls.iter().map(|it| Route::new(it.method.text(), it.path, it)).collect(),
            operations: operations.map(|it| Route::new(it.call.method.text(), it.call.path, it)).collect(),
            options,
            store: Mutex::new(store),
            met,
            mended: AtomicBool::new(false),
            looks: Mutex::default(),
            requests: AtomicU64::new(0),
            began: Instant::now(),
        }
    }

    /// The service.
    pub fn service(&self) -> &'static Service {
        self.service
    }

    /// How many requests it has answered.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// From now on nothing goes wrong.
    pub fn mend(&self) {
        self.mended.store(true, Ordering::Relaxed);
    }

    /// A record as the service holds it, for tests.
    pub fn record(&self, collection: &str, field: &str, value: &str) -> Option<Value> {
        let mut store = self.store();
        let number = store.find(collection, field, value)?;
        store.get(collection, number)
    }

    /// Changes fields of a record, as somebody at work in the service would. Says whether there is such a record.
    pub fn change(&self, collection: &str, field: &str, value: &str, set: &Map<String, Value>) -> bool {
        let mut store = self.store();
        let Some(number) = store.find(collection, field, value) else { return false };
        let Some(Value::Object(mut record)) = store.get(collection, number) else { return false };
        record.extend(set.clone());
        store.put(collection, number, Value::Object(record));
        true
    }

    /// Removes a record, as somebody at work in the service would. Says whether there was such a record.
    pub fn remove(&self, collection: &str, field: &str, value: &str) -> bool {
        let mut store = self.store();
        let found = store.find(collection, field, value);
        found.inspect(|number| store.remove(collection, *number)).is_some()
    }

    /// Every record of a collection that somebody who asks now is shown, as the service writes it.
    pub fn records(&self, collection: &str) -> Vec<String> {
        let store = self.store();
        let numbers = store.numbers(collection).filter(|number| store.seen(collection, *number));
        let mut written = Vec::new();
        for number in numbers {
            let mut record = Vec::new();
            if store.write(collection, number, false, &mut record) {
                written.push(String::from_utf8_lossy(&record).into_owned());
            }
        }
        written
    }

    /// Adds a record, as somebody at work in the service would.
    pub fn add(&self, collection: &str, record: Value) {
        self.store().add(collection, record);
    }

    /// The service's time.
    pub fn now(&self) -> Timestamp {
        let elapsed = || self.options.start.checked_add(self.began.elapsed()).unwrap_or(self.options.start);
        let now = self.options.clock.as_ref().map_or_else(elapsed, |clock| clock.now());
        now.checked_add(SignedDuration::from_secs(self.options.skew)).unwrap_or(now)
    }

    /// The state as it is now.
    pub(crate) fn store(&self) -> std::sync::MutexGuard<'_, Store> {
        let mut store = self.store.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        store.advance(self.now().as_millisecond());
        store
    }

    /// How often somebody has looked at each answer that is given later.
    pub(crate) fn looks(&self) -> std::sync::MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// How long the tokens of further pages are good, in milliseconds.
    pub(crate) fn page_life(&self) -> i64 {
        self.options.page_life.map_or(i64::MAX, |life| i64::try_from(life.as_millis()).unwrap_or(i64::MAX))
    }

    /// Answers a request.
    pub fn respond(&self, request: &Request) -> Reply {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut reply = self.answer(request);
        if self.options.skew != 0 || self.options.clock.is_some() {
            let date = self.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            if !reply.headers.iter().any(|(name, _)| name == "Date") {
                reply = reply.header("Date", date);
            }
        }
        reply
    }

    fn answer(&self, request: &Request) -> Reply {
        if let Some(wanted) = admin::wanted(request) {
            return match self.knows(request) {
                true => admin::answer(self, request, wanted),
                false => self.said("unauthorized", "Authentication failed."),
            };
        }
        let Some(path) = request.path.strip_prefix(self.base_path).filter(|path| path.starts_with('/')) else {
            return self.said("no_such_path", "There is nothing here.");
        };
        let asked = self.asked_for(request, path);
        let token = asked.call.as_ref().and_then(|(call, _)| request.parameter(call.token));
        let further_page = || token.is_some() || self.names_cursor(request);
        let active = self.active(path, further_page);
        let under = self.service.connector.errors.under.first().copied().unwrap_or("error");
        let elsewhere = self.options.elsewhere.as_deref();
        if let Some(reply) = active.iter().find_map(|kind| fault::before(kind, under, elsewhere)) {
            return reply;
        }
        let page = asked.operations.first().and_then(|operation| operation.page);
        let mut reply = self.decide(request, path, asked, &active);
        let items = page.map_or(&[][..], |page| page.items);
        let next = page.map_or(&[][..], |page| match page.next {
            connectome_core::page::Next::Link(path) => path,
            _ => &[],
        });
        for kind in &active {
            fault::after(kind, &mut reply, (items, next), under, elsewhere);
        }
        if matches!(reply.manner, Manner::Well) && !self.options.latency.is_zero() {
            reply.manner = Manner::Late(self.options.latency);
        }
        reply
    }

    /// The faults that this request meets.
    fn active(&self, path: &str, further_page: impl Fn() -> bool) -> Vec<&'static str> {
        if self.mended.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let faults = self.options.faults.iter().zip(&self.met);
        faults
            .filter(|(fault, met)| {
                path.starts_with(&fault.path)
                    && fault::concerns(fault.kind, &further_page)
                    && fault.times.is_none_or(|times| met.fetch_add(1, Ordering::Relaxed) < times)
            })
            .map(|(fault, _)| fault.kind)
            .collect()
    }

    fn decide(&self, request: &Request, path: &str, asked: Asked, active: &[&'static str]) -> Reply {
        let Some(token) =
            self.token(request).filter(|token| token.grants != Grants::Expired && !active.contains(&"expired-token"))
        else {
            return self.said("unauthorized", "Authentication failed.");
        };
        if let Some(reply) = self.query(request, path, active) {
            return reply;
        }
        let Some((behaviour, parameters)) = asked.call else {
            return self.said("no_such_path", "There is nothing here.");
        };
        let operation = asked.operations.first().copied();
        if let Some(operation) = operation
            && let Some((app, name)) =
                lacking(operation, token).or_else(|| asked.operations.iter().find_map(|other| denied(other, token)))
        {
            return self.said("forbidden", &format!("The role lacks {app}: {name}."));
        }
        let checked = match operation.map(|operation| check(operation, request)) {
            Some(Err(why)) => return self.said("invalid", &why),
            Some(Ok(checked)) => checked,
            None => crate::check::Checked::default(),
        };
        let mut store = self.store();
        let turn = Turn {
            service: self.service,
            base_path: self.base_path,
            behaviour,
            operation,
            request,
            parameters,
            checked,
            active,
            page_life: self.options.page_life,
        };
        turn.answer(&mut store)
    }

    /// Whether the request bears a token that has not expired.
    pub(crate) fn knows(&self, request: &Request) -> bool {
        self.token(request).is_some_and(|token| token.grants != Grants::Expired)
    }

    /// Whether some records of a collection are spoilt wherever they are listed.
    pub(crate) fn poisons(&self, collection: &str) -> bool {
        let lists = self.service.calls.iter().filter(|call| call.of == Some(collection) && call.does == Verb::List);
        let paths: Vec<&str> = lists.map(|call| call.path).collect();
        let poison = self.options.faults.iter().filter(|fault| fault.kind == "poison");
        poison.into_iter().any(|fault| paths.iter().any(|path| path.starts_with(&fault.path)))
    }

    fn token(&self, request: &Request) -> Option<&Token> {
        let (name, template) = self.service.connector.auth;
        let given = request.header(name)?;
        let (before, after) = template
            .split_once('{')
            .map(|(before, rest)| (before, rest.split_once('}').map_or("", |(_, after)| after)))?;
        let secret = given.strip_prefix(before)?.strip_suffix(after)?;
        self.options.tokens.iter().find(|token| token.secret == secret)
    }

    fn asked_for(&self, request: &Request, path: &str) -> Asked {
        let call = self.calls.iter().find_map(|route| Some((route.to, route.fits(request, path)?)));
        let operations = self.operations.iter().filter(|route| route.fits(request, path).is_some());
        Asked { call, operations: operations.map(|route| route.to).collect() }
    }

    fn said(&self, name: &str, otherwise: &str) -> Reply {
        failure(self.service, name, Some(otherwise))
    }
}

/// An error of the service as an answer.
pub(crate) fn failure(service: &Service, name: &str, message: Option<&str>) -> Reply {
    let (status, body) = failure_body(service, name, message);
    Reply::json(status, &body)
}

/// An error of the service as status and body.
pub(crate) fn failure_body(service: &Service, name: &str, message: Option<&str>) -> (u16, Value) {
    let known = service.failures.iter().find(|failure| failure.name == name);
    let usual = match name {
        "unauthorized" => (401, "Unauthorized"),
        "forbidden" => (403, "Forbidden"),
        "no_such_path" => (404, "NotFound"),
        _ => (400, "BadRequest"),
    };
    let form = &service.connector.errors;
    let mut error = object([(form.code, known.map_or(usual.1, |failure| failure.code).into())]);
    // What the engine found out says more than the spec's own text.
    let told = known.map(|failure| failure.message).filter(|_| message.is_none());
    error[form.message] = told.or(message).unwrap_or_default().into();
    if let (Some(key), Some(number)) = (form.number, known.and_then(|failure| failure.number)) {
        error[key] = number.into();
    }
    let body = match form.under.first().filter(|_| !known.is_some_and(|failure| failure.bare)) {
        Some(key) if form.in_success => object([(*key, Value::Array(vec![error]))]),
        Some(key) => object([(*key, error)]),
        None => error,
    };
    (known.map_or(usual.0, |failure| failure.status), body)
}

type Permission = (&'static str, &'static str);

fn permissions(operation: &Operation) -> impl Iterator<Item = Permission> + use<> {
    operation.permissions.iter().flat_map(|(app, names)| names.iter().map(|name| (*app, *name)))
}

fn lacking(operation: &Operation, token: &Token) -> Option<Permission> {
    permissions(operation).find(|(app, name)| !token.may(app, name))
}

/// What a token was expressly denied: a call goes by several names where an action and a stream both make it.
fn denied(operation: &Operation, token: &Token) -> Option<Permission> {
    let Grants::AllBut(list) = &token.grants else { return None };
    permissions(operation).find(|(app, name)| list.iter().any(|(a, n)| a == app && n == name))
}
