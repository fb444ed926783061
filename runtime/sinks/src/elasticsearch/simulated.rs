//! A simulated Elasticsearch: strict about what it is sent, with templates, data streams and the types of fields, and with
//! what goes wrong on request. It searches nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use connectome_sim::Respond;
use connectome_sim::http::{Manner, Reply, Request};
use serde_json::{Map, Value, json};

/// The largest request, decompressed, where nothing smaller is set.
const LARGEST: usize = 100 << 20;

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

    /// The answer to a bulk request.
    fn bulk(&self, state: &mut State, request: &Request, fault: Option<&Fault>) -> Result<(Value, usize), Refusal> {
        let bad = |why: &str| Err((400, "illegal_argument_exception", why.to_owned()));
        if request.header("content-type") != Some("application/x-ndjson") {
            return bad("the content is not application/x-ndjson");
        }
        let text = self.text(request)?;
        let Some(text) = text.strip_suffix('\n') else {
            return bad("The bulk request must be terminated by a newline [\\n]");
        };
        let strict = request.query.iter().any(|(name, value)| name == "require_data_stream" && value == "true");
        let mut lines = text.split('\n');
        let (mut items, mut errors) = (Vec::new(), false);
        while let Some(action) = lines.next() {
            let action: Map<String, Value> = serde_json::from_str(action)
                .map_err(|error| (400, "parse_exception", format!("an action is no JSON object: {error}")))?;
            let Some((verb, about)) =
                action.iter().next().filter(|(verb, _)| matches!(verb.as_str(), "create" | "index"))
            else {
                return bad("the action is neither create nor index");
            };
            let Some(document) = lines.next() else { return bad("an action has no document") };
            let refused = match fault {
                Some(Fault::EverySecond(status)) if items.len() % 2 == 1 => {
                    Err((*status, "es_rejected_execution_exception", "as asked for".to_owned()))
                }
                _ => store(state, verb, about, document, strict),
            };
            let item = match refused {
                Ok(status) => json!({ "status": status }),
                Err((status, ty, reason)) => {
                    errors = true;
                    json!({ "status": status, "error": { "type": ty, "reason": reason } })
                }
            };
            items.push(json!({ verb: item }));
        }
        let count = items.len();
        Ok((json!({ "took": 1, "errors": errors, "items": items }), count))
    }
}

/// Stores a document; gives the status.
fn store(state: &mut State, verb: &str, about: &Value, document: &str, strict: bool) -> Result<u16, Refusal> {
    let index = about["_index"].as_str().unwrap_or_default().to_owned();
    let template = template(state, &index);
    let stream = template.is_some_and(|template| template["data_stream"].is_object());
    if index.is_empty() || strict && !stream {
        return Err((
            404,
            "index_not_found_exception",
            format!("no such index [{index}] and [require_data_stream] is true"),
        ));
    }
    let document: Value = serde_json::from_str(document)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| (400, "document_parsing_exception", "the document is no object".to_owned()))?;
    if stream && verb != "create" {
        return Err((
            400,
            "illegal_argument_exception",
            "only write ops with an op_type of create are allowed in data streams".to_owned(),
        ));
    }
    if stream && document.get("@timestamp").is_none() {
        return Err((
            400,
            "document_parsing_exception",
            "data stream timestamp field [@timestamp] is missing".to_owned(),
        ));
    }
    for properties in properties(state, &index) {
        check(&properties, &document, "").map_err(|why| (400, "document_parsing_exception", why))?;
    }
    let id = about["_id"].as_str().map_or_else(|| format!("made-{}", state.documents.len()), str::to_owned);
    if id.len() > 512 {
        return Err((400, "illegal_argument_exception", "id is too long, must be no longer than 512 bytes".to_owned()));
    }
    match state.ids.get(&(index.clone(), id.clone())) {
        Some(_) if verb == "create" => Err((
            409,
            "version_conflict_engine_exception",
            format!("[{id}]: version conflict, document already exists"),
        )),
        Some(at) => {
            state.documents[*at].2 = document;
            Ok(200)
        }
        None => {
            state.ids.insert((index.clone(), id.clone()), state.documents.len());
            state.documents.push((index, id, document));
            Ok(201)
        }
    }
}

/// Templates, policies and transforms: put there, looked at, started, stopped and removed.
fn manage(state: &mut State, request: &Request) -> Result<Value, Refusal> {
    let path = request.path.as_str();
    let missing = || (404, "resource_not_found_exception", format!("there is no [{path}]"));
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let name = match parts.as_slice() {
        ["_ilm", "policy", name] | ["_component_template" | "_index_template" | "_transform", name] => *name,
        ["_transform", name, verb] => return transform(state, name, verb, request),
        _ => return Err(missing()),
    };
    match request.method.as_str() {
        "GET" => state.things.get(path).map(|thing| shown(&parts, name, thing)).ok_or_else(missing),
        "PUT" => {
            let body: Value =
                serde_json::from_slice(&request.body).map_err(|error| (400, "parse_exception", error.to_string()))?;
            let uses = body["composed_of"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let lacking = uses.map(|it| format!("/_component_template/{it}")).find(|it| !state.things.contains_key(it));
            if let Some(lacking) = lacking {
                return Err((
                    400,
                    "illegal_argument_exception",
                    format!("component templates [{lacking}] do not exist"),
                ));
            }
            if parts[0] == "_transform" && state.things.contains_key(path) {
                return Err((400, "resource_already_exists_exception", format!("transform [{name}] already exists")));
            }
            state.things.insert(path.to_owned(), body);
            Ok(json!({ "acknowledged": true }))
        }
        "DELETE" => {
            if in_use(state, &parts, name) {
                return Err((400, "illegal_argument_exception", format!("[{name}] is in use")));
            }
            if state.started.contains(name) && parts[0] == "_transform" {
                return Err((409, "status_exception", format!("transform [{name}] is started")));
            }
            state.things.remove(path).map(|_| json!({ "acknowledged": true })).ok_or_else(missing)
        }
        _ => Err((405, "method_not_allowed", format!("[{path}] takes GET, PUT and DELETE"))),
    }
}

/// Whether something else needs it: a template its component, an index its policy.
fn in_use(state: &State, parts: &[&str], name: &str) -> bool {
    let templates = || state.things.iter().filter(|(path, _)| path.starts_with("/_index_template/"));
    match parts[0] {
        "_component_template" => templates()
            .any(|(_, it)| it["composed_of"].as_array().is_some_and(|parts| parts.iter().any(|part| part == name))),
        "_ilm" => !state.documents.is_empty(),
        _ => false,
    }
}

fn shown(parts: &[&str], name: &str, thing: &Value) -> Value {
    match parts[0] {
        "_ilm" => json!({ name: { "version": 1, "policy": thing["policy"] } }),
        "_component_template" => json!({ "component_templates": [{ "name": name, "component_template": thing }] }),
        "_index_template" => json!({ "index_templates": [{ "name": name, "index_template": thing }] }),
        _ => {
            let mut thing = thing.clone();
            thing["id"] = json!(name);
            json!({ "count": 1, "transforms": [thing] })
        }
    }
}

fn transform(state: &mut State, name: &str, verb: &str, request: &Request) -> Result<Value, Refusal> {
    if !state.things.contains_key(&format!("/_transform/{name}")) {
        return Err((404, "resource_not_found_exception", format!("Transform with id [{name}] could not be found")));
    }
    let is_started = state.started.contains(name);
    match (request.method.as_str(), verb) {
        ("GET", "_stats") => {
            let said = if is_started { "started" } else { "stopped" };
            Ok(json!({ "count": 1, "transforms": [{ "id": name, "state": said, "health": { "status": "green" } }] }))
        }
        ("POST", "_start") if is_started => {
            Err((409, "status_exception", format!("Cannot start transform [{name}] as it is already started.")))
        }
        ("POST", "_start") => {
            state.started.insert(name.to_owned());
            Ok(json!({ "acknowledged": true }))
        }
        ("POST", "_stop") => {
            state.started.remove(name);
            Ok(json!({ "acknowledged": true }))
        }
        _ => Err((405, "method_not_allowed", format!("a transform takes no {verb}"))),
    }
}

/// A path without its query.
fn plain(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// The template of an index: of those that match, the one with the highest priority.
fn template<'a>(state: &'a State, index: &str) -> Option<&'a Value> {
    let matches = |template: &Value| {
        let patterns = template["index_patterns"].as_array().into_iter().flatten().filter_map(Value::as_str);
        patterns.into_iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => index.starts_with(start),
            None => index == pattern,
        })
    };
    let templates = state.things.iter().filter(|(path, _)| path.starts_with("/_index_template/")).map(|(_, it)| it);
    templates.filter(|it| matches(it)).max_by_key(|it| it["priority"].as_u64())
}

/// The properties that an index has by its templates.
fn properties(state: &State, index: &str) -> Vec<Value> {
    let Some(template) = template(state, index) else { return Vec::new() };
    let parts = template["composed_of"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let parts = parts.filter_map(|name| state.things.get(&format!("/_component_template/{name}")));
    parts
        .chain([template])
        .map(|it| it["template"]["mappings"]["properties"].clone())
        .filter(Value::is_object)
        .collect()
}

/// Whether a document's values are of their fields' types.
fn check(properties: &Value, value: &Value, path: &str) -> Result<(), String> {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let field = &properties[name];
        match field["type"].as_str() {
            None if field["properties"].is_object() => match value {
                Value::Object(_) => check(&field["properties"], value, &path)?,
                Value::Null => {}
                _ => {
                    return Err(format!(
                        "object mapping for [{path}] tried to parse field [{name}] as object, but found a concrete value"
                    ));
                }
            },
            None => {}
            Some(ty) => {
                let values = if let Value::Array(all) = value { all.as_slice() } else { std::slice::from_ref(value) };
                for value in values {
                    if !value.is_null() && !fits(ty, field, value) {
                        return Err(format!("failed to parse field [{path}] of type [{ty}]"));
                    }
                }
            }
        }
    }
    Ok(())
}

fn fits(ty: &str, field: &Value, value: &Value) -> bool {
    let text = value.as_str();
    let scalar = !value.is_object() && !value.is_array();
    match ty {
        "date" => text.is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()) || value.is_i64(),
        "boolean" => value.is_boolean() || matches!(text, Some("true" | "false" | "")),
        "long" | "integer" => value.is_i64() || text.is_some_and(|text| text.parse::<i64>().is_ok()),
        "double" | "float" => value.is_number() || text.is_some_and(|text| text.parse::<f64>().is_ok()),
        "ip" => text.is_some_and(|text| text.parse::<IpAddr>().is_ok()),
        "constant_keyword" => scalar && (field["value"].is_null() || field["value"] == *value),
        "flattened" => value.is_object(),
        _ => scalar,
    }
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
        let bulk = request.path.ends_with("/_bulk") && request.method == "POST";
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
            Reply::json(status, &json!({ "error": { "type": ty, "reason": reason }, "status": status }))
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
            _ if request.path == "/" => {
                Reply::json(200, &json!({ "version": { "number": "9.2.0", "build_flavor": "default" } }))
            }
            _ => match manage(&mut state, request) {
                Ok(said) => Reply::json(200, &said),
                Err((status, ty, reason)) => refused(status, ty, &reason),
            },
        };
        if matches!(fault, Some(Fault::Reset | Fault::Lost)) {
            reply.manner = Manner::Reset;
        }
        state.seen.push(seen);
        reply
    }
}
