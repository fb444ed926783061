//! An account as data: what its service answers, and its graph after a run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connectome_core::clock::ManualClock;
use connectome_core::connector::Connector;
use connectome_core::{Connection, Error, Settings};
use connectome_graph::Graph;
use connectome_graph::map::{Instance, Mapper};
use connectome_graph::store::Store;
use connectome_graph::sync::gather;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::script::{Asked, Prepared, Script};
use crate::simulated::TOKEN;

/// The data of a test, from a file below `cases`.
pub fn cases(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Texts of a list.
pub fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|it| it.as_str().expect("a text")).collect()
}

/// A service that holds these lists, by call and root key, but for the calls that are changed: to other `records`, to so
/// many (`count`) `of` a kind, to these `answers` first (after so many usual ones), or to one answer `always`.
pub async fn service(served: Value, changed: Value) -> Script {
    let times: Mutex<HashMap<String, usize>> = Mutex::default();
    Script::answering(move |asked| {
        let route = route(asked);
        let mut times = times.lock().expect("no panic");
        let before = times.entry(route.clone()).or_default();
        let change = &changed[&route];
        let number = before.checked_sub(change["after"].as_u64().unwrap_or(0) as usize);
        *before += 1;
        if let Some(answer) = change.get("always").or_else(|| change["answers"].get(number?)) {
            return prepared(answer);
        }
        listed(asked, &served[&route], change)
    })
    .await
}

/// Method and path of a request.
pub fn route(asked: &Asked) -> String {
    format!("{} {}", asked.method, asked.target.split('?').next().unwrap_or_default())
}

fn prepared(answer: &Value) -> Prepared {
    let status = answer["status"].as_u64().map_or(200, |status| status as u16);
    let mut prepared = match (&answer["body"], answer["html"].as_str()) {
        (_, Some(html)) => {
            Prepared { body: html.to_owned().into(), ..Prepared::empty(status) }.header("Content-Type", "text/html")
        }
        (Value::Null, None) => Prepared::empty(status),
        (body, None) => Prepared::json(status, body),
    };
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        prepared = prepared.header(name, value.as_str().expect("a text"));
    }
    prepared
}

/// A page of a list: by offset and limit, by the id that comes before and a number, or the whole.
fn listed(asked: &Asked, served: &Value, change: &Value) -> Prepared {
    let Some((root, usual)) = served.as_object().and_then(|it| it.iter().next()) else { return Prepared::empty(599) };
    let records = change["records"].as_array().or(usual.as_array()).expect("a list");
    let count = change["count"].as_u64().map_or(records.len(), |count| count as usize);
    let record = |at: usize| match change.get("of") {
        Some(of) => numbered(of, at as u64 + 1),
        None => records[at].clone(),
    };
    if asked.method == "POST" {
        let body = asked.json();
        let last = body["searchCriteria"][0]["idValue"].as_i64().unwrap_or(0);
        let most = body["maxItems"].as_u64().expect("a number") as usize;
        let page: Vec<Value> =
            (0..count).map(record).filter(|record| record["ID"].as_i64() > Some(last)).take(most).collect();
        return Prepared::json(200, &json!({ root: page }));
    }
    let number = |name: &str| {
        let query = asked.target.split_once('?')?.1;
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok())
    };
    let (Some(limit), Some(offset)) = (number("limit"), number("offset")) else {
        return Prepared::json(200, &json!({ root: records }));
    };
    let page: Vec<Value> = (offset..count.min(offset + limit)).map(record).collect();
    let more = offset + limit < count;
    Prepared::json(200, &json!({ root: page, "limit": limit, "offset": offset, "total": null, "more": more }))
}

/// A record with its number in place of `{n}`. A text that is nothing else becomes the number.
fn numbered(value: &Value, number: u64) -> Value {
    match value {
        Value::String(text) if text == "{n}" => Value::from(number),
        Value::String(text) => Value::from(text.replace("{n}", &number.to_string())),
        Value::Array(items) => items.iter().map(|item| numbered(item, number)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), numbered(value, number))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// An account's graph in a file of its own.
#[derive(Debug)]
pub struct Kept {
    graph: &'static Graph,
    connector: &'static Connector,
    folder: tempfile::TempDir,
}

/// A run that ended.
#[derive(Debug)]
pub struct Run {
    /// Its report.
    pub report: Value,
    /// How long it waited in all.
    pub waited: Duration,
}

impl Kept {
    /// An empty graph.
    pub fn new(connector: &'static Connector, graph: &'static Graph) -> Self {
        Self { graph, connector, folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("graph.sqlite")
    }

    /// Reads the account of this service, and makes the graph what was read.
    pub async fn sync(&self, service: &Script, dialect: &str) -> Result<Run, Error> {
        let clock = Arc::new(ManualClock::at(Timestamp::now()));
        let parameters = json!({ "api_key": TOKEN, "api_url": service.url() });
        let mut settings = Settings::new(parameters.as_object().expect("an object").clone());
        settings.clock = clock.clone();
        let connection = Connection::new(self.connector, settings)?;
        let dialect = self.graph.dialect(dialect).expect("a dialect");
        let instance = Instance { redactor: connection.redactor().clone(), ..Instance::default() };
        let mapper = Mapper { graph: self.graph, dialect, instance };
        let gathered = gather(&connection, mapper, Store::open(&self.path())?, "account").await?;
        let (_, report, _) = gathered.apply("account").await?;
        Ok(Run { report: report.json(), waited: clock.waits().iter().sum() })
    }

    /// Everything that is in the graph, by key.
    pub fn objects(&self) -> Map<String, Value> {
        let mut objects = Map::new();
        let store = Store::open(&self.path()).expect("a graph");
        store
            .each(None, true, |_, object| {
                let twice = objects.insert(object.key.clone(), Value::Object(object.json(true)));
                assert!(twice.is_none(), "{} twice", object.key);
                Ok(())
            })
            .expect("objects");
        objects
    }
}
