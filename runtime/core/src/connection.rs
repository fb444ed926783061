//! A connection to one service: its settings checked, its client ready, its limits learned.

mod exchange;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::clock::{Clock, SystemClock};
use crate::connector::Connector;
use crate::error::{Error, ErrorKind};
use crate::operation::Operation;
use crate::origin::Origin;
use crate::pace::{Pace, Rate};
use crate::rate::Limiter;
use crate::request::{Request, build};
use crate::retry::Budget;
use crate::secret::Redactor;
use crate::template;
use crate::transport::{Network, Transport};
use crate::validate::{examine, validate};

pub use exchange::Sent;

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
