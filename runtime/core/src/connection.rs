//! A connection to one service: its settings checked, its client ready, its limits learned.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::answer::{Answer, at};
use crate::clock::{Clock, SystemClock};
use crate::connector::Connector;
use crate::error::{Error, ErrorKind};
use crate::operation::{Method, Operation, Repeat};
use crate::origin::Origin;
use crate::pace::{Pace, Rate};
use crate::rate::Limiter;
use crate::request::{Body, Request, build};
use crate::retry::{Budget, Trouble, chance, pause_from};
use crate::secret::Redactor;
use crate::settle::refuse;
use crate::template;
use crate::transport::{Network, Transport};
use crate::validate::{examine, validate};

/// What the user decides about a connection.
#[derive(Clone)]
pub struct Settings {
    /// The connector's parameters.
    pub parameters: Map<String, Value>,
    /// How the network is used.
    pub network: Network,
    /// Whether plain `http` to another machine is allowed.
    pub allow_http: bool,
    /// How often a request is tried in all.
    pub tries: u32,
    /// A rate of one's own, whatever the service allows.
    pub rate: Option<Rate>,
    /// The most pages that one call reads; one that needs more fails.
    pub max_pages: usize,
    /// Whether bodies are logged, without secrets.
    pub log_bodies: bool,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Settings {
    /// Some parameters are secrets, so their names are all that shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("parameters", &self.parameters.keys().collect::<Vec<_>>())
            .field("network", &self.network)
            .field("allow_http", &self.allow_http)
            .field("tries", &self.tries)
            .field("rate", &self.rate)
            .field("max_pages", &self.max_pages)
            .field("log_bodies", &self.log_bodies)
            .field("clock", &self.clock)
            .finish()
    }
}

impl Settings {
    /// These parameters, and otherwise: https only, 5 tries, no rate of one's own, 100,000 pages, bodies not logged, the time
    /// limits of [`Network`].
    pub fn new(parameters: Map<String, Value>) -> Self {
        Self {
            parameters,
            network: Network::default(),
            allow_http: false,
            tries: 5,
            rate: None,
            max_pages: 100_000,
            log_bodies: false,
            clock: Arc::new(SystemClock),
        }
    }
}

/// A connection. Cheap to clone; clones share limits and budget.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connector: &'static Connector,
    transport: Transport,
    base_path: String,
    settings: Settings,
    limiter: Limiter,
    pace: Option<Pace>,
    budget: Budget,
    redactor: Redactor,
    /// The parameters, but for secrets.
    parameters: Map<String, Value>,
    warnings: Vec<String>,
    /// How many seconds our clock is ahead of the service's, as its last answer told.
    ahead: AtomicI64,
    /// The same, however large or small; [`UNTOLD`] before any answer told.
    skew: AtomicI64,
}

/// No answer has told the time yet.
const UNTOLD: i64 = i64::MIN;

/// A clock that differs by more than this tells nothing about ours, in seconds.
const FARTHEST: i64 = 3600;

impl Connection {
    /// Checks the settings and prepares a client. Nothing is sent.
    pub fn new(connector: &'static Connector, mut settings: Settings) -> Result<Self, Error> {
        unwrap_secrets(connector, &mut settings.parameters);
        let now = settings.clock.now();
        let given = Value::Object(std::mem::take(&mut settings.parameters));
        let parameters = validate(connector.parameters, &given, now).map_err(|violations| {
            Error::new(ErrorKind::Configuration, format!("the connection to {} is not set up", connector.title))
                .violations(violations)
                .advice(set_up_advice(connector))
        })?;
        let redactor = Redactor::default();
        for field in connector.parameters.fields.iter().filter(|field| field.secret) {
            if let Some(Value::String(secret)) = parameters.get(field.name) {
                redactor.learn(secret);
            }
        }
        let base = template::fill(connector.base, &trimmed(&parameters));
        let wrong = |why: String| {
            Error::new(ErrorKind::Configuration, why).advice("write scheme and host, as https://api.example.com")
        };
        let origin = Origin::parse(&undoubled(connector.base, &base), settings.allow_http).map_err(wrong)?;
        let base_path = origin.base()[origin.root().len()..].to_owned();
        let verify =
            connector.verify_tls.and_then(|name| parameters.get(name)).and_then(Value::as_bool).unwrap_or(true);
        settings.network.verify_tls &= verify;
        settings.network.read_timeout = settings.network.read_timeout.max(Duration::from_secs(connector.read_timeout));
        let transport = Transport::new(origin, headers(connector, &parameters)?, settings.network.clone())?;
        let mut warnings = Vec::new();
        if !settings.network.verify_tls {
            warnings.push(format!(
                "certificates of {} are not checked: anybody in between can read the token",
                transport.origin().root()
            ));
        }
        settings.parameters = Map::new();
        let is_open = |name: &str| connector.parameters.field(name).is_some_and(|field| !field.secret);
        let parameters = parameters.into_iter().filter(|(name, _)| is_open(name)).collect();
        let pace = settings.rate.map(Pace::new);
        let inner = Inner {
            connector,
            transport,
            base_path,
            settings,
            limiter: Limiter::default(),
            pace,
            budget: Budget::default(),
            redactor,
            parameters,
            warnings,
            ahead: AtomicI64::new(0),
            skew: AtomicI64::new(UNTOLD),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The connector.
    pub fn connector(&self) -> &'static Connector {
        self.0.connector
    }

    /// What the user should know about the settings.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// The origin that requests go to.
    pub fn origin(&self) -> &Origin {
        self.0.transport.origin()
    }

    /// What knows this connection's secrets.
    pub fn redactor(&self) -> &Redactor {
        &self.0.redactor
    }

    /// Where time comes from.
    pub fn clock(&self) -> &dyn Clock {
        self.0.settings.clock.as_ref()
    }

    /// The settings, without the parameters.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The connection's parameters, without its secrets.
    pub fn parameters(&self) -> &Map<String, Value> {
        &self.0.parameters
    }

    /// The path before every operation's own.
    pub fn base_path(&self) -> &str {
        &self.0.base_path
    }

    /// Checks an input against its operation and brings it into the one form.
    pub fn validate(&self, operation: &'static Operation, input: &Value) -> Result<Map<String, Value>, Error> {
        let (input, mut violations) = examine(operation.input, input, self.clock().now());
        if !violations.is_empty() {
            // What only shows when the rest is put together is told in the same breath.
            violations.extend(build(self.connector(), operation, self.base_path(), &input).err().unwrap_or_default());
            return Err(self.input_error(operation, violations));
        }
        for field in operation.input.fields.iter().filter(|field| field.secret) {
            if let Some(Value::String(secret)) = input.get(field.name) {
                self.0.redactor.learn(secret);
                if let Some(Value::String(sent)) = field.send.map(|convert| convert.apply(Value::from(secret.as_str())))
                {
                    self.0.redactor.learn(&sent);
                }
            }
        }
        Ok(input)
    }

    /// The request that an input becomes. Nothing is sent.
    pub fn request(&self, operation: &'static Operation, input: &Map<String, Value>) -> Result<Request, Error> {
        build(self.connector(), operation, self.base_path(), input)
            .map_err(|violations| self.input_error(operation, violations))
    }

    fn input_error(&self, operation: &'static Operation, violations: Vec<crate::validate::Violation>) -> Error {
        let count = violations.len();
        Error::new(
            ErrorKind::Input,
            format!("the input breaks {count} {}; nothing was sent", if count == 1 { "rule" } else { "rules" }),
        )
        .operation(operation.name)
        .violations(violations)
        .advice(format!("see `connectome describe {} {}`", self.connector().name, operation.name))
        .clean(|text| self.0.redactor.clean(text))
    }

    /// A time of our clock as the service's clock has it, when ours is ahead. What happens there from then on is not told
    /// yet by any answer, however far ahead we asked.
    pub fn service_time(&self, time: Timestamp) -> Timestamp {
        let ahead = self.0.ahead.load(Ordering::Relaxed);
        time.checked_sub(Duration::from_secs(u64::try_from(ahead).unwrap_or(0))).unwrap_or(time)
    }

    /// How many seconds our clock is ahead of the service's, as its last answer told; below zero when it is behind,
    /// and `None` as long as no answer has told the time.
    pub fn clock_skew(&self) -> Option<i64> {
        Some(self.0.skew.load(Ordering::Relaxed)).filter(|skew| *skew != UNTOLD)
    }

    /// Keeps the class of requests that this path belongs to below a rate, whatever the service says of it.
    pub fn limit_rate(&self, target: &str, per_minute: u64) {
        self.0.limiter.bound(self.class(target), per_minute);
    }

    /// A link of an answer as a target on this origin, below the base of every operation.
    pub fn rebase(&self, link: &str) -> Result<String, String> {
        self.origin().rebase(link, self.base_path())
    }

    /// What an answer's body says went wrong, if that is all it says: some services call such an answer a success.
    pub fn disguised_error(
        &self,
        operation: &'static Operation,
        request: &Request,
        status: u16,
        body: &Value,
    ) -> Option<Error> {
        let form = &self.connector().errors;
        let says = |it: &Value| it.is_object() || it.is_array() || it.as_str().is_some_and(|text| !text.is_empty());
        form.under.iter().find(|key| body.get(**key).is_some_and(says))?;
        let error = Error::new(ErrorKind::Server, "the service answered with an error that it called a success")
            .advice("see what the service said; try again later");
        Some(self.told(operation, request, error.service(crate::answer::read_error(status, body, form))))
    }

    /// Refuses an answer that holds nothing but an error, whatever its status: what is null is nothing.
    pub(crate) fn refuse_bare_error(
        &self,
        operation: &'static Operation,
        request: &Request,
        status: u16,
        body: &Value,
    ) -> Result<(), Error> {
        let under = self.connector().errors.under;
        let bare = body.as_object().is_some_and(|body| {
            body.iter().filter(|(_, value)| !value.is_null()).all(|(key, _)| under.contains(&key.as_str()))
        });
        self.disguised_error(operation, request, status, body).filter(|_| bare).map_or(Ok(()), Err)
    }

    fn compare_clocks(&self, answer: &Answer) {
        let Some(date) = answer.header("Date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else { return };
        // The header has whole seconds, and the answer was on its way.
        let ahead = self.clock().now().as_second() - date.timestamp().as_second() - 1;
        self.0.skew.store(ahead + 1, Ordering::Relaxed);
        let known = if (1..=FARTHEST).contains(&ahead) { ahead } else { 0 };
        self.0.ahead.store(known, Ordering::Relaxed);
    }

    /// Sends a request, again if that is safe, and returns whatever the service answers in the end.
    pub async fn send(&self, operation: &'static Operation, request: &Request, repeat: Repeat) -> Result<Sent, Error> {
        self.send_by(&self.0.transport, operation, request, repeat).await
    }

    async fn send_by(
        &self,
        transport: &Transport,
        operation: &'static Operation,
        request: &Request,
        repeat: Repeat,
    ) -> Result<Sent, Error> {
        let inner = &*self.0;
        let class = self.class(&request.target);
        let mut tries = 1;
        let mut unsure = false;
        loop {
            let now = self.clock().now();
            let pace = inner.pace.as_ref().map_or(Duration::ZERO, |pace| pace.reserve(now));
            let wait = inner.limiter.reserve(class, now).max(pace);
            if !wait.is_zero() {
                tracing::debug!(
                    operation = operation.name,
                    class,
                    seconds = wait.as_secs(),
                    "waits for the rate limit"
                );
                self.clock().sleep(wait).await;
            }
            let started = Instant::now();
            let result = transport.send(request).await;
            self.log(operation, request, &result, started.elapsed());
            let (trouble, outcome, asked) = match result {
                Ok(answer) => {
                    let asked = inner.limiter.learn(class, &answer, self.clock().now());
                    self.compare_clocks(&answer);
                    let passing = operation.passing.contains(&answer.status).then_some(Trouble::Gateway);
                    match Trouble::of_status(answer.status).or(passing) {
                        Some(trouble) if !self.exhausted(&answer) => (trouble, Ok(answer), asked),
                        _ => {
                            inner.budget.earn();
                            return Ok(Sent { answer, unsure });
                        }
                    }
                }
                Err((trouble, error)) => (trouble, Err(error), None),
            };
            let lasting = outcome
                .as_ref()
                .is_err_and(|error| matches!(error.kind(), ErrorKind::Tls | ErrorKind::Input | ErrorKind::Protocol));
            if tries >= inner.settings.tries || lasting || !trouble.may_repeat(repeat) || !inner.budget.take() {
                return match outcome {
                    Ok(answer) => Ok(Sent { answer, unsure }),
                    Err(error) => Err(self.told(operation, request, error)),
                };
            }
            unsure |= matches!(trouble, Trouble::Unknown | Trouble::Gateway);
            // A wait that the service asked for is the limiter's business on the next turn.
            if asked.is_none() {
                self.clock().sleep(pause_from(self.connector().first_pause, tries, chance())).await;
            }
            tries += 1;
        }
    }

    /// Sends a request and refuses any answer that does not mean success.
    pub async fn ask(&self, operation: &'static Operation, request: &Request, repeat: Repeat) -> Result<Answer, Error> {
        let sent = self.send(operation, request, repeat).await?;
        // A removal that was repeated finds nothing left: it worked the first time.
        if sent.unsure && sent.answer.status == 404 && request.method == crate::operation::Method::Delete {
            return Ok(Answer { status: operation.success[0], headers: Vec::new(), body: bytes::Bytes::new() });
        }
        refuse(self.connector(), operation, &sent.answer).map_err(|error| {
            let exhausted = self.exhausted(&sent.answer);
            let error = if exhausted {
                error.advice("the quota is used up; waiting a few minutes will not help")
            } else {
                error
            };
            self.told(operation, request, error)
        })?;
        if self.connector().errors.in_success {
            self.refuse_error_in_success(operation, request, &sent.answer)?;
        }
        Ok(sent.answer)
    }

    /// Some services answer 200 whatever happened, and say in the body that it went wrong: all of it, or a part.
    fn refuse_error_in_success(
        &self,
        operation: &'static Operation,
        request: &Request,
        answer: &Answer,
    ) -> Result<(), Error> {
        let form = &self.connector().errors;
        let Ok(parts) = serde_json::from_slice::<HashMap<Cow<'_, str>, &RawValue>>(&answer.body) else {
            let body = answer.json().map_err(|error| {
                let start = String::from_utf8_lossy(&answer.body[..answer.body.len().min(500)]);
                tracing::warn!(operation = operation.name, start = self.0.redactor.clean(&start), "no JSON");
                self.told(operation, request, error)
            })?;
            let error = Error::new(ErrorKind::Protocol, "the service answered with JSON that is no object")
                .advice("a proxy or another server may be in between: check the URL");
            return if body.is_object() { Ok(()) } else { Err(self.told(operation, request, error)) };
        };
        let says = |key: &str| parts.get(key).is_some_and(|raw| !matches!(raw.get(), "null" | "[]" | "{}" | "\"\""));
        let Some(key) = form.under.iter().find(|key| says(key)) else { return Ok(()) };
        let said: Value = parts.get(*key).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        let body = Value::Object(Map::from_iter([((*key).to_owned(), said)]));
        let error = Error::new(ErrorKind::Server, "the service answered with an error that it called a success");
        let error = error.service(crate::answer::read_error(answer.status, &body, form));
        Err(self.told(
            operation,
            request,
            error.advice("what else the answer holds is not taken: it may be a part only"),
        ))
    }

    /// What a link of an answer leads to. On this origin it is asked for like anything else; elsewhere nothing is sent that
    /// proves who we are, and what is secret in the link is shown to nobody.
    pub async fn follow(&self, operation: &'static Operation, link: &str) -> Result<Answer, Error> {
        let refused = |why: String| {
            let error = Error::new(ErrorKind::Protocol, why).operation(operation.name);
            error.advice("try again; if it stays so, the service answers in a way that is not known here: report it")
        };
        let url = url::Url::parse(link).map_err(|_| refused("the service gives a link that is no URL".to_owned()))?;
        if let Some(query) = url.query() {
            self.0.redactor.learn(query);
        }
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let request =
            Request { method: Method::Get, target: target.to_owned(), headers: Vec::new(), body: Body::Empty };
        let root = url.origin().ascii_serialization();
        if root == self.origin().root() {
            return self.ask(operation, &request, Repeat::Safe).await;
        }
        let origin = Origin::parse(&root, self.0.settings.allow_http)
            .map_err(|why| refused(format!("the service gives a link that is not followed: {why}")))?;
        let elsewhere = Transport::new(origin, HeaderMap::new(), self.0.settings.network.clone())?;
        let at = |error: Error| error.request(format!("GET {root}{}", url.path()));
        let sent = self.send_by(&elsewhere, operation, &request, Repeat::Safe).await.map_err(at)?;
        refuse(self.connector(), operation, &sent.answer).map_err(at)?;
        Ok(sent.answer)
    }

    /// Tests the connection: address, certificate, key.
    pub async fn check(&self) -> Result<(), Error> {
        let test = self.connector().test;
        let request = self.request(test.operation, &Map::new())?;
        let answer = self.ask(test.operation, &request, Repeat::Safe).await.map_err(|error| self.unknown(error))?;
        let body = answer.json().map_err(|error| self.told(test.operation, &request, error))?;
        for (path, expected) in test.expect {
            if at(&body, path) != Some(&expected.value()) {
                let message = format!("the service answered, but {} is not {}", path.join("."), expected.value());
                return Err(self.told(
                    test.operation,
                    &request,
                    Error::new(ErrorKind::Protocol, message).advice("check that the URL is the service's"),
                ));
            }
        }
        Ok(())
    }

    /// A refusal of the very first request: the key is not the one that this address takes.
    fn unknown(&self, error: Error) -> Error {
        match (error.status(), self.connector().test.refused) {
            (401 | 403, Some(refused)) => error.advice(refused),
            (404, Some(refused)) => error.with_kind(ErrorKind::Auth, "the address or the key is wrong").advice(refused),
            _ => error,
        }
    }

    /// Adds the request to an error and takes secrets out.
    pub fn told(&self, operation: &'static Operation, request: &Request, error: Error) -> Error {
        let sent = format!("{} {}{}", request.method.text(), self.origin().root(), request.target);
        error.operation(operation.name).request(sent).clean(|text| self.0.redactor.clean(text))
    }

    fn exhausted(&self, answer: &Answer) -> bool {
        answer.status == 429
            && self.connector().exhausted.is_some_and(|(name, value)| answer.header(name) == Some(value))
    }

    fn class(&self, target: &str) -> &'static str {
        let path = target.strip_prefix(self.base_path()).unwrap_or(target);
        self.connector()
            .rate_classes
            .iter()
            .find(|(_, start)| path.starts_with(start))
            .map_or("other", |(name, _)| name)
    }

    fn log(&self, operation: &Operation, request: &Request, result: &Result<Answer, (Trouble, Error)>, time: Duration) {
        let outcome = match result {
            Ok(answer) => answer.status.to_string(),
            Err((_, error)) => error.kind().name(),
        };
        let target = self.0.redactor.clean(&request.target);
        tracing::debug!(
            operation = operation.name,
            method = request.method.text(),
            target,
            outcome,
            milliseconds = time.as_millis() as u64,
            "request"
        );
        if self.0.settings.log_bodies && tracing::enabled!(tracing::Level::TRACE) {
            if let crate::request::Body::Json(json) = &request.body {
                tracing::trace!(
                    operation = operation.name,
                    body = self.0.redactor.clean(&json.to_string()),
                    "request body"
                );
            }
            if let Ok(answer) = result {
                let body = self.redactor().loggable(self.connector(), operation, answer);
                tracing::trace!(operation = operation.name, body, "answer body");
            }
        }
    }
}

/// An answer, and whether an earlier try may have reached the service.
#[derive(Debug)]
pub struct Sent {
    /// The answer.
    pub answer: Answer,
    /// Whether an earlier try may have been carried out.
    pub unsure: bool,
}

/// A secret may come wrapped as `{"secretKey": …}`, as automation platforms store it.
fn unwrap_secrets(connector: &Connector, parameters: &mut Map<String, Value>) {
    for field in connector.parameters.fields.iter().filter(|field| field.secret) {
        if let Some(Value::Object(wrapped)) = parameters.get(field.name)
            && let Some(Value::String(secret)) = wrapped.get("secretKey")
        {
            let secret = Value::from(secret.as_str());
            parameters.insert(field.name.to_owned(), secret);
        }
    }
}

fn trimmed(parameters: &Map<String, Value>) -> Map<String, Value> {
    let trim = |value: &Value| match value {
        Value::String(text) => Value::from(text.trim().trim_end_matches('/')),
        other => other.clone(),
    };
    parameters.iter().map(|(name, value)| (name.clone(), trim(value))).collect()
}

/// People paste the root with the version already at its end; it is not doubled.
fn undoubled(template: &str, base: &str) -> String {
    let suffix = template.rsplit_once('}').map_or("", |(_, suffix)| suffix);
    match base.strip_suffix(suffix) {
        Some(rest) if !suffix.is_empty() && rest.ends_with(suffix) => rest.to_owned(),
        _ => base.to_owned(),
    }
}

fn headers(connector: &Connector, parameters: &Map<String, Value>) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let all = connector.headers.iter().copied().chain(std::iter::once(connector.auth));
    for (name, value) in all {
        let wrong = || {
            Error::new(ErrorKind::Configuration, format!("the header {name} cannot hold what is set for it"))
                .advice("check the key for blanks and line breaks")
        };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(&template::fill(value, parameters)).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

fn set_up_advice(connector: &Connector) -> String {
    let prefix = environment_prefix(connector.name);
    let secret = connector
        .parameters
        .fields
        .iter()
        .find(|field| field.secret)
        .map(|field| format!("set {prefix}{} in the environment; ", field.name.to_uppercase()));
    format!(
        "{}or name an instance of connectome.toml; see `connectome describe {}`",
        secret.unwrap_or_default(),
        connector.name
    )
}

/// `trend-vision-one` is `CONNECTOME_TREND_VISION_ONE_`.
pub fn environment_prefix(connector: &str) -> String {
    format!("CONNECTOME_{}_", connector.to_uppercase().replace('-', "_"))
}
