//! A simulated tenant: what it takes on either route, all that it was sent, and what goes wrong on request.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use connectome_sim::Respond;
use connectome_sim::http::{Manner, Reply, Request};
use serde_json::{Map, Value, json};

/// What the tenant is called where one is asked for by its name.
pub const DESTINATION: &str = "xsiam";

/// Where what it holds can be read, as JSON lines. No real tenant has this.
pub const HELD: &str = "/simulated/events";

/// The largest request, decompressed, where nothing smaller is set.
const LARGEST: usize = 25_000_000;

/// The headers that go with events of an integration, and what they must say; anything where that is empty.
const OF_INTEGRATIONS: [(&str, &str); 7] = [
    ("format", "json"),
    ("collector-type", "events"),
    ("vendor", ""),
    ("product", ""),
    ("collector-name", ""),
    ("instance-name", ""),
    ("final-reporting-device", ""),
];

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Nothing: what is set behind it has to wait.
    None,
    /// An error of this status; nothing is taken.
    Error(u16),
    /// 429, perhaps with so many seconds to wait.
    RateLimit(Option<u64>),
    /// 200 with this body; nothing is taken.
    Says(String),
    /// The connection is reset; nothing is taken.
    Reset,
    /// The events are taken, and the connection is reset before the answer.
    Lost,
    /// The events are taken, and the answer comes late.
    Slow(Duration),
}

/// A request, as the tenant saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its path.
    pub path: String,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, as it came.
    pub body: Bytes,
    /// Its body, decompressed.
    pub text: String,
    /// Whether its events were taken, whatever was answered.
    pub taken: bool,
}

impl Seen {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
struct State {
    faults: Vec<(Fault, u32)>,
    seen: Vec<Seen>,
    /// Key and line of each event, in the order in which they came.
    events: Vec<(Option<String>, String)>,
    /// Where the last event of each key stands among them.
    held: HashMap<String, usize>,
}

impl State {
    fn hold(&mut self, key: Option<String>, line: String, once: bool) {
        let held = key.as_ref().filter(|_| once).and_then(|key| self.held.get(key));
        match held {
            Some(at) => self.events[*at].1 = line,
            None => {
                if let Some(key) = &key {
                    self.held.insert(key.clone(), self.events.len());
                }
                self.events.push((key, line));
            }
        }
    }
}

/// A simulated tenant.
#[derive(Debug)]
pub struct Tenant {
    token: String,
    key: String,
    largest: usize,
    once: bool,
    state: Mutex<State>,
}

impl Tenant {
    /// A tenant that this token opens.
    pub fn new(token: &str) -> Self {
        Self {
            token: token.to_owned(),
            key: "collector_event_key".to_owned(),
            largest: LARGEST,
            once: false,
            state: Mutex::default(),
        }
    }

    /// Answers 413 to more bytes than this, decompressed.
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// Holds an event once, however often it comes: the last one with its key.
    #[must_use]
    pub fn once_a_key(mut self) -> Self {
        self.once = true;
        self
    }

    /// Lets the next so many requests meet a fault, after those that were set before.
    pub fn fail(&self, times: u32, fault: Fault) {
        self.state().faults.push((fault, times));
    }

    /// Everything that was asked, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// The events that it holds: key and line, in the order in which they came.
    pub fn events(&self) -> Vec<(Option<String>, String)> {
        self.state().events.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The events of a request, or why they are not taken.
    fn events_of(
        &self,
        request: &Request,
        text: Result<String, Refusal>,
    ) -> Result<Vec<(Option<String>, String)>, Refusal> {
        let given = request.header("authorization").unwrap_or_default();
        if given != self.token {
            // A service may say what it was sent.
            return Err((401, format!("the token {given:?} is not known here")));
        }
        let bad = |why: &str| Err((400, why.to_owned()));
        if request.method != "POST" || !request.query.is_empty() {
            return bad("events are posted, without a query");
        }
        if request.header("content-type") != Some("application/json") {
            return bad("the content is not application/json");
        }
        match request.path.as_str() {
            "/logs/v1/event" => {
                if let Some((name, _)) = OF_INTEGRATIONS.iter().find(|(name, _)| request.header(name).is_some()) {
                    return Err((403, format!("the header {name} is not for this collector")));
                }
            }
            "/logs/v1/xsiam" => {
                let fits = |(name, wanted): &(&str, &str)| {
                    request
                        .header(name)
                        .is_some_and(|it| if wanted.is_empty() { !it.is_empty() } else { it == *wanted })
                };
                if let Some((name, _)) = OF_INTEGRATIONS.iter().find(|header| !fits(header)) {
                    return Err((400, format!("the header {name} is missing or wrong")));
                }
                if request.header("content-encoding") != Some("gzip") {
                    return bad("the content is not compressed");
                }
            }
            _ => return Err((404, "there is nothing here".to_owned())),
        }
        let text = text?;
        if text.is_empty() || text.ends_with('\n') {
            return bad("a request is lines with an end between them");
        }
        text.split('\n')
            .map(|line| {
                let event: Map<String, Value> =
                    serde_json::from_str(line).map_err(|error| (400, format!("a line is no JSON object: {error}")))?;
                let key = event.get(&self.key).and_then(Value::as_str).map(str::to_owned);
                Ok((key, line.to_owned()))
            })
            .collect()
    }

    /// The body, decompressed.
    fn text(&self, request: &Request) -> Result<String, Refusal> {
        let most = self.largest as u64 + 1;
        let mut text = Vec::new();
        let body = &request.body[..];
        let read = match request.header("content-encoding") {
            Some("gzip") => flate2::read::MultiGzDecoder::new(body).take(most).read_to_end(&mut text),
            None => body.take(most).read_to_end(&mut text),
            Some(_) => return Err((400, "the encoding is unknown".to_owned())),
        };
        read.map_err(|error| (400, format!("the content cannot be decompressed: {error}")))?;
        if text.len() > self.largest {
            return Err((413, "the request is too large".to_owned()));
        }
        String::from_utf8(text).map_err(|_| (400, "the content is no text".to_owned()))
    }
}

type Refusal = (u16, String);

impl Respond for Tenant {
    fn respond(&self, request: &Request) -> Reply {
        let mut state = self.state();
        if request.path == HELD && request.method == "GET" {
            let lines: String = state.events.iter().flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
            return Reply::bytes(200, "application/x-ndjson", lines);
        }
        let text = self.text(request);
        let fault = state.faults.iter_mut().find(|(_, times)| *times > 0).map(|(fault, times)| {
            *times -= 1;
            fault.clone()
        });
        let seen = text.as_ref().cloned().unwrap_or_default();
        let answer = match &fault {
            Some(Fault::Error(status)) => Err((*status, "as asked for".to_owned())),
            Some(Fault::RateLimit(_)) => Err((429, "the limit on ingestion is reached".to_owned())),
            Some(Fault::Says(_) | Fault::Reset) => Ok(None),
            _ => self.events_of(request, text).map(Some),
        };
        let taken = matches!(answer, Ok(Some(_)));
        let (path, headers, body) = (request.path.clone(), request.headers.clone(), request.body.clone());
        state.seen.push(Seen { path, headers, body, text: seen, taken });
        let mut reply = match answer {
            Err((status, why)) => Reply::json(status, &json!({ "error": why })),
            Ok(events) => {
                for (key, line) in events.into_iter().flatten() {
                    state.hold(key, line, self.once);
                }
                let said =
                    if request.path.ends_with("xsiam") { json!({ "error": "false" }) } else { json!({ "ok": "true" }) };
                Reply::json(200, &said)
            }
        };
        match fault {
            Some(Fault::RateLimit(Some(seconds))) => reply = reply.header("Retry-After", seconds.to_string()),
            Some(Fault::Says(body)) => reply = Reply::bytes(200, "application/json", body),
            Some(Fault::Reset | Fault::Lost) => reply.manner = Manner::Reset,
            Some(Fault::Slow(time)) => reply.manner = Manner::Late(time),
            _ => {}
        }
        reply
    }
}
