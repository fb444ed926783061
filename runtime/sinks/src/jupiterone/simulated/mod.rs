//! A simulated platform: accounts, their graphs, jobs, and what goes wrong on request.

mod graph;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connectome_sim::Respond;
use connectome_sim::http::{Manner, Reply, Request};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use graph::{Part, Partition, Uploaded};

/// What the platform is called where one is asked for by its name.
pub const DESTINATION: &str = "jupiterone";

/// The one account of a platform that is served by itself.
pub const ACCOUNT: &str = "simulated";

/// The integration instance of that account.
pub const INSTANCE: &str = "6d0c2f6e-1111-4222-8333-0000000000a1";

/// The largest upload, decompressed.
const LARGEST: usize = 6_000_000;

/// The most objects of a page.
const PAGE: usize = 4000;

const JOBS: &str = "/persister/synchronization/jobs";

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An error of this status and code; nothing is done.
    Error(u16, &'static str),
    /// 429 with so many seconds to wait.
    RateLimit(u64),
    /// The connection is reset; nothing is done.
    Reset,
    /// The request is carried out, and the connection is reset before the answer.
    Lost,
    /// The answer comes late.
    Slow(Duration),
    /// Before the request the job comes to this end.
    Ended(&'static str),
    /// A job that is finalized comes to this state and changes nothing.
    EndsAs(&'static str),
}

/// A request, as the platform saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What it was: `create`, `status`, or the last word of its path.
    pub call: String,
    /// Path and query parameters.
    pub path: String,
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Bytes of its body, decompressed.
    pub size: usize,
    /// Its body.
    pub body: Value,
}

impl Seen {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
struct Account {
    key: String,
    instances: BTreeMap<String, Partition>,
}

#[derive(Debug, Default)]
struct Job {
    account: String,
    instance: String,
    status: String,
    started: i64,
    counters: BTreeMap<String, u64>,
    uploaded: Uploaded,
    partial: BTreeSet<String>,
    events: Vec<Value>,
    reason: Option<String>,
    ends_as: Option<&'static str>,
}

impl Job {
    fn json(&self, id: &str) -> Value {
        let mut job = json!({
            "id": id, "source": "integration-external", "integrationInstanceId": self.instance,
            "integrationJobId": id, "status": self.status, "startTimestamp": self.started,
        });
        for kind in ["Entities", "Relationships"] {
            for what in ["Uploaded", "Created", "Updated", "Deleted"] {
                job[format!("num{kind}{what}")] = json!(0);
            }
        }
        for (name, count) in &self.counters {
            job[name] = json!(count);
        }
        json!({ "job": job })
    }
}

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<String, Account>,
    jobs: BTreeMap<String, Job>,
    faults: Vec<(Fault, String, u32)>,
    seen: Vec<Seen>,
    ids: u64,
    now: i64,
}

/// A simulated platform.
#[derive(Debug, Default)]
pub struct Platform(Mutex<State>);

type Refusal = (u16, &'static str, String);

impl Platform {
    /// A platform with an account, the key that opens it, and an integration instance.
    pub fn new(account: &str, key: &str, instance: &str) -> Self {
        Self::default().with(account, key, instance)
    }

    /// Adds an account, or another instance to one.
    #[must_use]
    pub fn with(self, account: &str, key: &str, instance: &str) -> Self {
        let mut state = self.state();
        let entry = state.accounts.entry(account.to_owned()).or_default();
        entry.key = key.to_owned();
        entry.instances.entry(instance.to_owned()).or_default();
        drop(state);
        self
    }

    /// Lets the next so many requests of a call meet a fault.
    pub fn fail(&self, call: &str, times: u32, fault: Fault) {
        self.state().faults.push((fault, call.to_owned(), times));
    }

    /// Everything that was asked, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// How many requests there were.
    pub fn asked(&self) -> usize {
        self.state().seen.len()
    }

    /// The requests of one call.
    pub fn calls(&self, call: &str) -> Vec<Seen> {
        self.state().seen.iter().filter(|seen| seen.call == call).cloned().collect()
    }

    /// Everything of an account, with what was deleted.
    pub fn objects(&self, account: &str) -> Vec<Value> {
        let state = self.state();
        let parts = state.accounts.get(account).into_iter().flat_map(|it| &it.instances);
        parts.flat_map(|(instance, part)| part.objects(account, instance).map(|(_, object)| object)).collect()
    }

    /// An object by its key, also when it was deleted.
    pub fn object(&self, account: &str, key: &str) -> Option<Value> {
        self.objects(account).into_iter().find(|object| object["_key"] == key)
    }

    /// Earlier versions of an object.
    pub fn past(&self, account: &str, key: &str) -> Vec<Value> {
        let state = self.state();
        state
            .accounts
            .get(account)
            .into_iter()
            .flat_map(|it| it.instances.values())
            .flat_map(|it| it.past(key))
            .collect()
    }

    /// The jobs in order: state, reason of an abort, log.
    pub fn jobs(&self) -> Vec<(String, Option<String>, Vec<Value>)> {
        let state = self.state();
        state.jobs.values().map(|job| (job.status.clone(), job.reason.clone(), job.events.clone())).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Respond for Platform {
    fn respond(&self, request: &Request) -> Reply {
        let mut state = self.state();
        let call = call(request);
        let (text, too_large) = match unpacked(request) {
            Ok(text) => (text, false),
            Err(large) => (Vec::new(), large),
        };
        let body: Value = serde_json::from_slice(&text).unwrap_or_default();
        state.seen.push(Seen {
            call: call.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            size: text.len(),
            body: body.clone(),
        });
        let met = state.faults.iter_mut().find(|(_, on, times)| *on == call && *times > 0);
        let fault = met.map(|(fault, _, times)| {
            *times -= 1;
            *fault
        });
        match fault {
            Some(Fault::Error(status, code)) => return refusal(&(status, code, "as asked for".to_owned())),
            Some(Fault::RateLimit(seconds)) => {
                return refusal(&(429, "TooManyRequests", "slow down".to_owned()))
                    .header("Retry-After", seconds.to_string());
            }
            Some(Fault::Reset) => return Reply { manner: Manner::Reset, ..Reply::empty(200) },
            _ => {}
        }
        let answer = if too_large {
            Err((413, "RequestEntityTooLargeException", "request entity too large".to_owned()))
        } else {
            state.answer(request, &call, body, fault)
        };
        let mut reply = answer.map_or_else(|why| refusal(&why), |body| Reply::json(200, &body));
        match fault {
            Some(Fault::Lost) => reply.manner = Manner::Reset,
            Some(Fault::Slow(time)) => reply.manner = Manner::Late(time),
            _ => {}
        }
        reply
    }
}

fn call(request: &Request) -> String {
    let last = request.path.rsplit('/').next().unwrap_or_default();
    match (request.method.as_str(), request.path.strip_prefix(JOBS)) {
        ("POST", Some("" | "/")) => "create".to_owned(),
        ("GET", Some(_)) => "status".to_owned(),
        ("GET", None) => format!("read {last}"),
        _ => last.to_owned(),
    }
}

/// The body, decompressed; whether it is too large when there is none.
fn unpacked(request: &Request) -> Result<Vec<u8>, bool> {
    let mut text = Vec::new();
    let most = LARGEST as u64 + 1;
    match request.header("content-encoding") {
        Some("gzip") => {
            flate2::read::GzDecoder::new(&request.body[..]).take(most).read_to_end(&mut text).map_err(|_| false)?
        }
        Some(_) => return Err(false),
        None => (&request.body[..]).take(most).read_to_end(&mut text).map_err(|_| false)?,
    };
    if text.len() > LARGEST { Err(true) } else { Ok(text) }
}

fn refusal((status, code, message): &Refusal) -> Reply {
    Reply::json(*status, &json!({ "error": { "code": code, "message": message } }))
}

fn bad(code: &'static str, message: impl Into<String>) -> Refusal {
    (400, code, message.into())
}

impl State {
    fn answer(&mut self, request: &Request, call: &str, body: Value, fault: Option<Fault>) -> Result<Value, Refusal> {
        let account = self.authorize(request)?;
        if let Some(what) = call.strip_prefix("read ") {
            return self.read(request, &account, what);
        }
        if request.method == "POST" && request.header("content-type") != Some("application/json") {
            return Err((415, "UNSUPPORTED_MEDIA_TYPE", "send application/json".to_owned()));
        }
        if call == "create" {
            return self.create(&account, &body);
        }
        let id = request.path.strip_prefix(JOBS).and_then(|rest| rest.split('/').nth(1)).unwrap_or_default().to_owned();
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.account == account) else {
            return Err((404, "NOT_FOUND", format!("there is no job {id}")));
        };
        if let Some(Fault::Ended(status)) = fault {
            job.status = status.to_owned();
        }
        if let Some(Fault::EndsAs(status)) = fault {
            job.ends_as = Some(status);
        }
        if call == "status" {
            self.turn(&id);
        } else if call == "events" {
            let events = body["events"].as_array().ok_or_else(|| bad("EVENTS_IS_NOT_ARRAY", "events is no list"))?;
            job.events.extend(events.iter().cloned());
        } else if job.status != "AWAITING_UPLOADS" {
            return Err(bad("JOB_NOT_AWAITING_UPLOADS", format!("the job is {}", job.status)));
        } else {
            match call {
                "entities" | "relationships" => job.upload(request, call == "entities", &body)?,
                "finalize" => {
                    let types = body["partialDatasets"]["types"].as_array();
                    let types = types.ok_or_else(|| bad("BAD_REQUEST", "partialDatasets.types is no list"))?;
                    job.partial = types.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                    job.status = "FINALIZE_PENDING".to_owned();
                }
                "abort" => {
                    job.status = "ABORTED".to_owned();
                    job.reason = body["reason"].as_str().map(str::to_owned);
                    job.uploaded.clear();
                }
                _ => return Err((404, "NOT_FOUND", "there is nothing here".to_owned())),
            }
        }
        Ok(self.jobs[&id].json(&id))
    }

    fn authorize(&self, request: &Request) -> Result<String, Refusal> {
        let named = request.header("jupiterone-account").or(request.header("lifeomic-account"));
        let named = named.ok_or((401, "UNAUTHORIZED", "no account is named".to_owned()))?;
        let key = request.header("authorization").and_then(|it| it.strip_prefix("Bearer ")).unwrap_or_default();
        match self.accounts.get(named) {
            Some(account) if account.key == key => Ok(named.to_owned()),
            // A service may say what it was sent.
            _ => Err((401, "UNAUTHORIZED", format!("the key {key:?} does not open {named:?}"))),
        }
    }

    fn create(&mut self, account: &str, body: &Value) -> Result<Value, Refusal> {
        if body["source"] != "integration-external" {
            return Err(bad("BAD_REQUEST", "this platform takes the source integration-external only"));
        }
        if body.get("scope").is_some() || body.get("syncMode").is_some_and(|mode| mode != "DIFF") {
            return Err(bad("BAD_REQUEST", "an integration has no scope, and the mode DIFF"));
        }
        let instance = body["integrationInstanceId"].as_str().unwrap_or_default();
        if !self.accounts.get(account).is_some_and(|it| it.instances.contains_key(instance)) {
            return Err((404, "NOT_FOUND", format!("there is no integration instance {instance:?}")));
        }
        let id = self.id();
        let job = Job {
            account: account.to_owned(),
            instance: instance.to_owned(),
            status: "AWAITING_UPLOADS".to_owned(),
            started: self.tick(),
            ..Job::default()
        };
        let shown = job.json(&id);
        self.jobs.insert(id, job);
        Ok(shown)
    }

    /// Every look at a job that is being finalized finds it a state further.
    fn turn(&mut self, id: &str) {
        let now = self.tick();
        let Some(job) = self.jobs.get_mut(id) else { return };
        let next = match job.status.as_str() {
            "FINALIZE_PENDING" => "FINALIZING_ENTITIES",
            "FINALIZING_ENTITIES" => "FINALIZING_RELATIONSHIPS",
            "FINALIZING_RELATIONSHIPS" => job.ends_as.unwrap_or("FINISHED"),
            _ => return,
        };
        job.status = next.to_owned();
        if next != "FINISHED" {
            return;
        }
        let uploaded = std::mem::take(&mut job.uploaded);
        let partition = self.accounts.get_mut(&job.account).and_then(|it| it.instances.get_mut(&job.instance));
        if let Some(partition) = partition {
            let ids = &mut self.ids;
            job.counters.extend(partition.apply(uploaded, &job.partial, now, || next_id(ids)));
        }
    }

    fn read(&self, request: &Request, account: &str, what: &str) -> Result<Value, Refusal> {
        let entities = match what {
            "entities" => true,
            "relationships" => false,
            _ => return Err((404, "NOT_FOUND", "there is nothing here".to_owned())),
        };
        let number = |name: &str, otherwise: usize| {
            request.parameter(name).map_or(Some(otherwise), |text| text.parse().ok()).filter(|it| *it <= 1 << 40)
        };
        let limit = number("limit", 200).filter(|limit| (1..=PAGE).contains(limit));
        let Some((limit, start)) = limit.zip(number("cursor", 0)) else {
            return Err((422, "UNPROCESSABLE", format!("limit is 1 to {PAGE}, and cursor what the last page said")));
        };
        let with_deleted = request.parameter("includeDeleted") == Some("true");
        let instances = self.accounts.get(account).into_iter().flat_map(|it| &it.instances);
        let mut items: Vec<Value> = instances
            .flat_map(|(instance, partition)| partition.objects(account, instance))
            .filter(|(part, object)| {
                (*part == Part::Entity) == entities
                    && *part != Part::Mapped
                    && (with_deleted || object["_deleted"] == false)
            })
            .map(|(_, object)| object)
            .skip(start)
            .take(limit + 1)
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let mut page = json!({ "items": items });
        if more {
            page["endCursor"] = json!((start + limit).to_string());
        }
        Ok(page)
    }

    fn id(&mut self) -> String {
        next_id(&mut self.ids)
    }

    /// The time, which never stands still.
    fn tick(&mut self) -> i64 {
        self.now = Timestamp::now().as_millisecond().max(self.now + 1);
        self.now
    }
}

fn next_id(ids: &mut u64) -> String {
    *ids += 1;
    format!("0f0f0f0f-1111-4222-8333-{ids:012x}")
}

impl Job {
    /// Takes a batch, whole or not at all.
    fn upload(&mut self, request: &Request, entities: bool, body: &Value) -> Result<(), Refusal> {
        let (name, code) =
            if entities { ("entities", "ENTITY_IS_NOT_ARRAY") } else { ("relationships", "RELATIONSHIP_IS_NOT_ARRAY") };
        let objects = body[name].as_array().ok_or_else(|| bad(code, format!("{name} is no list")))?;
        let asked = |name: &str| request.parameter(name) == Some("true");
        let mut batch: BTreeMap<String, (Part, Map<String, Value>)> = BTreeMap::new();
        for object in objects {
            let mut object =
                object.as_object().cloned().ok_or_else(|| bad("BAD_REQUEST", "an element is no object"))?;
            rules::check(&mut object, entities, asked("ignoreIllegalProperties"))
                .map_err(|(code, why)| bad(code, why))?;
            let key = object["_key"].as_str().unwrap_or_default().to_owned();
            let known = self.uploaded.contains_key(&key) || batch.contains_key(&key);
            if known && !asked("ignoreDuplicates") {
                return Err(bad("DUPLICATE_KEY_DETECTED", format!("{key:?} was uploaded already")));
            }
            let part = Part::of(&object, entities);
            batch.insert(key, (part, object));
        }
        let counter = if entities { "numEntitiesUploaded" } else { "numRelationshipsUploaded" };
        *self.counters.entry(counter.to_owned()).or_default() += objects.len() as u64;
        self.uploaded.extend(batch);
        Ok(())
    }
}
