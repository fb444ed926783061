//! A simulated Elasticsearch: strict about what it is sent, with templates, data streams and the types of fields, and with
//! what goes wrong on request. A search finds all documents or those with a value, and adds nothing up.

mod documents;
mod fields;
mod found;
mod things;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use connectome_sim::Respond;
use connectome_sim::http::{Manner, Reply, Request};
use serde_json::{Value, json};

/// The largest request, decompressed, where nothing smaller is set.
const LARGEST: usize = 100 << 20;

/// JSON, to the vendor's own clients.
const MEDIA: &str = "application/vnd.elasticsearch+json";

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// An error of this status; nothing is stored.
    Error(u16),
    /// 429, perhaps with so many seconds to wait.
    RateLimit(Option<u64>),
    /// Every second document has this status and is not stored.
    EverySecond(u16),
    /// 200 with this body; nothing is stored.
    Says(String),
    /// The connection is reset; nothing is stored.
    Reset,
    /// The documents are stored, and the connection is reset before the answer.
    Lost,
}

/// A request, as the service saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Method and path.
    pub call: String,
    /// The query, as it is written.
    pub query: String,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, as it came.
    pub body: Bytes,
    /// How many documents it held.
    pub documents: usize,
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
    /// What was put there, by path.
    things: BTreeMap<String, Value>,
    /// The transforms that run.
    started: BTreeSet<String>,
    /// Documents by index and id, in the order in which they came.
    documents: Vec<(String, String, Value)>,
    ids: HashMap<(String, String), usize>,
}

/// A simulated service.
#[derive(Debug)]
pub struct Search {
    authorization: Option<String>,
    largest: usize,
    state: Mutex<State>,
}

type Refusal = (u16, &'static str, String);

impl Search {
    /// A service that this value of the header opens; without one it is open to anybody.
    pub fn new(authorization: Option<&str>) -> Self {
        Self { authorization: authorization.map(str::to_owned), largest: LARGEST, state: Mutex::default() }
    }

    /// Answers 413 to more bytes than this, decompressed.
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// Lets the next so many bulk requests meet a fault, after those that were set before.
    pub fn fail(&self, times: u32, fault: Fault) {
        self.state().faults.push((fault, times));
    }

    /// Puts something there, as a `PUT` does.
    pub fn install(&self, path: &str, body: Value) {
        self.state().things.insert(plain(path).to_owned(), body);
    }

    /// What is installed, by path, and the transforms that run.
    pub fn installed(&self) -> (Vec<String>, Vec<String>) {
        let state = self.state();
        (state.things.keys().cloned().collect(), state.started.iter().cloned().collect())
    }

    /// Everything that was asked, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// Every document: its index, its id and itself, in the order in which they came.
    pub fn documents(&self) -> Vec<(String, String, Value)> {
        self.state().documents.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self, request: &Request) -> Result<String, Refusal> {
        let most = self.largest as u64 + 1;
        let mut text = Vec::new();
        let body = &request.body[..];
        let read = match request.header("content-encoding") {
            Some("gzip") => flate2::read::MultiGzDecoder::new(body).take(most).read_to_end(&mut text),
            None => body.take(most).read_to_end(&mut text),
            Some(_) => return Err((400, "illegal_argument_exception", "the encoding is unknown".to_owned())),
        };
        read.map_err(|error| (400, "illegal_argument_exception", error.to_string()))?;
        if text.len() > self.largest {
            return Err((413, "content_too_long_exception", "the request is too large".to_owned()));
        }
        String::from_utf8(text).map_err(|_| (400, "parse_exception", "the content is no text".to_owned()))
    }
}

/// A path without its query.
fn plain(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

impl Respond for Search {
    fn respond(&self, request: &Request) -> Reply {
        let mut state = self.state();
        let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut seen = Seen {
            call: format!("{} {}", request.method, request.path),
            query: query.join("&"),
            headers: request.headers.clone(),
            body: request.body.clone(),
            documents: 0,
        };
        let bulk = request.path.ends_with("/_bulk") && matches!(request.method.as_str(), "POST" | "PUT");
        let fault = if bulk {
            state.faults.iter_mut().find(|(_, times)| *times > 0).map(|(fault, times)| {
                *times -= 1;
                fault.clone()
            })
        } else {
            None
        };
        let given = request.header("authorization");
        let refused = |status: u16, ty: &str, reason: &str| {
            let cause = json!({ "type": ty, "reason": reason });
            let error = json!({ "root_cause": [cause], "type": ty, "reason": reason });
            Reply::json(status, &json!({ "error": error, "status": status }))
        };
        let mut reply = match &fault {
            _ if self.authorization.as_deref().is_some_and(|wanted| given != Some(wanted)) => {
                // A service may say what it was sent.
                refused(
                    401,
                    "security_exception",
                    &format!("unable to authenticate with {}", given.unwrap_or("nothing")),
                )
            }
            Some(Fault::Error(status)) => refused(*status, "exception", "as asked for"),
            Some(Fault::RateLimit(seconds)) => {
                let reply = refused(429, "circuit_breaking_exception", "as asked for");
                seconds.iter().fold(reply, |reply, seconds| reply.header("Retry-After", seconds.to_string()))
            }
            Some(Fault::Says(body)) => Reply::bytes(200, "application/json", body.clone()),
            Some(Fault::Reset) => Reply::json(200, &json!({})),
            _ if bulk => match self.bulk(&mut state, request, fault.as_ref()) {
                Ok((said, documents)) => {
                    seen.documents = documents;
                    Reply::json(200, &said)
                }
                Err((status, ty, reason)) => refused(status, ty, &reason),
            },
            _ if request.path == "/" => Reply::json(
                200,
                &json!({
                    "name": "simulated", "cluster_name": "simulated", "tagline": "You Know, for Search",
                    "version": { "number": "9.2.0", "build_flavor": "default" },
                }),
            ),
            _ => {
                let found = found::answer(&state, request);
                match found.unwrap_or_else(|| things::manage(&mut state, request).map(|said| (200, said))) {
                    Ok((status, said)) => Reply::json(status, &said),
                    Err((status, ty, reason)) => refused(status, ty, &reason),
                }
            }
        };
        if matches!(fault, Some(Fault::Reset | Fault::Lost)) {
            reply.manner = Manner::Reset;
        }
        if request.header("accept").is_some_and(|accept| accept.starts_with(MEDIA)) {
            reply.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            reply = reply.header("Content-Type", format!("{MEDIA};compatible-with=9"));
        }
        state.seen.push(seen);
        // By this the vendor's clients know what they talk to.
        reply.header("X-Elastic-Product", "Elasticsearch")
    }
}
