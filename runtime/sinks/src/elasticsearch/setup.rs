//! What must be there before documents arrive: templates, a lifecycle policy, a transform. Each is looked at before it is put
//! there, so that doing it twice changes nothing, and what somebody else put there is left alone.

use connectome_collect::canonical::Canonical;
use connectome_collect::key::{hex, short};
use connectome_core::operation::{Effect, Method, Operation, Repeat};
use connectome_core::request::{Body, Request};
use connectome_core::{Error, ErrorKind, Settings};
use serde_json::{Value, json};

use super::{Address, Credentials, calls::Caller};

/// Who put something there, as it says of itself.
pub(super) const OWNER: &str = "connectome";

const LOOK: Operation = Operation { repeat: Repeat::Safe, ..Operation::named("look_at_what_is_installed") };
const INSTALL: Operation =
    Operation { effect: Effect::Write, repeat: Repeat::Safe, success: &[200, 201], ..Operation::named("install") };
const REMOVE: Operation =
    Operation { effect: Effect::Destructive, repeat: Repeat::Safe, success: &[200], ..Operation::named("remove") };

/// What is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Missing,
    /// What should be there.
    Same,
    /// What an earlier version put there.
    Old,
    /// What somebody else put there.
    Foreign,
}

/// One thing that must be there.
#[derive(Debug, Clone)]
pub struct Asset {
    /// What it is, for people.
    pub what: String,
    /// Where it is.
    pub path: String,
    query: String,
    body: Option<Value>,
}

/// What is to be done with an asset.
#[derive(Debug, Clone)]
pub struct Step {
    /// The asset.
    pub asset: Asset,
    /// What is there.
    pub found: Found,
}

/// Reads the list of requests that a connector comes with.
pub fn assets(requests: &str) -> Result<Vec<Asset>, Error> {
    let wrong = || Error::new(ErrorKind::Protocol, "the list of what is installed cannot be read");
    let requests: Vec<Value> = serde_json::from_str(requests).map_err(|_| wrong())?;
    requests
        .into_iter()
        .map(|mut request| {
            let path = request["path"].as_str().ok_or_else(wrong)?.to_owned();
            let (path, query) = path
                .split_once('?')
                .map_or((path.clone(), String::new()), |(path, query)| (path.to_owned(), format!("?{query}")));
            let what = request["what"].as_str().unwrap_or_default().to_owned();
            let mut body = Some(request["body"].take()).filter(Value::is_object);
            if let Some(body) = &mut body {
                sign(&path, body);
            }
            Ok(Asset { what, path, query, body })
        })
        .collect()
}

/// Notes in an asset whose it is and what is in it, by which it is known again.
fn sign(path: &str, body: &mut Value) {
    let digest = short(&String::from_utf8_lossy(Canonical::default().of(&body.to_string())));
    let place = if path.starts_with("/_ilm/") { &mut body["policy"] } else { body };
    place["_meta"]["managed_by"] = json!(OWNER);
    place["_meta"]["digest"] = json!(hex(&digest));
}

impl Asset {
    /// Whether it is a transform's start rather than a thing.
    fn is_start(&self) -> bool {
        self.path.ends_with("/_start")
    }

    fn is_transform(&self) -> bool {
        self.path.starts_with("/_transform/") && !self.is_start()
    }

    /// The name at the end of its path.
    pub fn name(&self) -> &str {
        self.path.trim_end_matches("/_start").rsplit('/').next().unwrap_or_default()
    }

    /// What an answer says of the asset: the part that holds `_meta`.
    fn within<'a>(&self, answer: &'a Value) -> &'a Value {
        if self.path.starts_with("/_ilm/") {
            &answer[self.name()]["policy"]
        } else if self.path.starts_with("/_component_template/") {
            &answer["component_templates"][0]["component_template"]
        } else if self.path.starts_with("/_index_template/") {
            &answer["index_templates"][0]["index_template"]
        } else {
            &answer["transforms"][0]
        }
    }

    fn found(&self, answer: &Value) -> Found {
        let there = &self.within(answer)["_meta"];
        let wanted = self.body.as_ref().map(|body| {
            let place = if self.path.starts_with("/_ilm/") { &body["policy"] } else { body };
            &place["_meta"]["digest"]
        });
        match there["managed_by"].as_str() {
            Some(OWNER) if wanted == Some(&there["digest"]) => Found::Same,
            Some(OWNER) => Found::Old,
            _ => Found::Foreign,
        }
    }
}

/// Something of somebody else stands in the way.
pub(super) fn foreign(path: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("{path} is there, and somebody else put it there"))
        .advice("nothing was changed; --replace puts ours in its place, and --plan shows everything that is there")
}

/// A service in which assets are installed.
#[derive(Debug)]
pub struct Installer {
    caller: Caller,
    prefix: String,
}

impl Installer {
    /// A connection; nothing is sent. Without credentials the environment is asked for them.
    pub fn open(address: &Address, credentials: Option<Credentials>, settings: Settings) -> Result<Self, Error> {
        let credentials = match credentials {
            Some(credentials) => credentials,
            None => Credentials::from_environment(address.open)?,
        };
        Ok(Self { caller: Caller::new(address, &credentials, settings)?, prefix: address.path.clone() })
    }

    /// What the user should know about the settings.
    pub fn warnings(&self) -> &[String] {
        self.caller.connection.warnings()
    }

    /// What is there of these; nothing is changed.
    pub async fn plan(&self, assets: Vec<Asset>) -> Result<Vec<Step>, Error> {
        let mut steps = Vec::with_capacity(assets.len());
        for asset in assets {
            let path = if asset.is_start() {
                format!("{}/_stats", asset.path.trim_end_matches("/_start"))
            } else {
                asset.path.clone()
            };
            let answer = self.ask(&LOOK, Method::Get, &path, None).await;
            let found = match answer {
                Ok(answer) if asset.is_start() => match answer["transforms"][0]["state"].as_str() {
                    None => Found::Missing,
                    Some("started" | "indexing") => Found::Same,
                    Some(_) => Found::Old,
                },
                Ok(answer) => asset.found(&answer),
                Err(error) if error.kind() == ErrorKind::NotFound => Found::Missing,
                Err(error) => return Err(error),
            };
            steps.push(Step { asset, found });
        }
        Ok(steps)
    }

    /// Puts there what is missing and what is old. With `replace`, also in the place of what somebody else put there.
    pub async fn install(&self, steps: &[Step], replace: bool) -> Result<(), Error> {
        if let (Some(step), false) = (steps.iter().find(|step| step.found == Found::Foreign), replace) {
            return Err(foreign(&step.asset.path));
        }
        let mut renewed = false;
        for Step { asset, found } in steps {
            if asset.is_start() {
                if renewed || *found != Found::Same {
                    self.ask(&INSTALL, Method::Post, &asset.path, None).await?;
                }
                continue;
            }
            if *found == Found::Same {
                continue;
            }
            if asset.is_transform() {
                // What a transform reads and makes cannot be changed while it stands.
                if *found != Found::Missing {
                    self.take_down(asset).await?;
                }
                renewed = true;
            }
            let target = format!("{}{}", asset.path, asset.query);
            self.ask(&INSTALL, Method::Put, &target, asset.body.clone()).await?;
        }
        Ok(())
    }

    /// Removes what is ours, the last first. Documents stay. Gives what could not be removed, and why.
    pub async fn remove(&self, steps: &[Step]) -> Result<Vec<(String, String)>, Error> {
        let mut kept = Vec::new();
        for Step { asset, found } in steps.iter().rev() {
            if asset.is_start() || !matches!(found, Found::Same | Found::Old) {
                continue;
            }
            let removed = if asset.is_transform() {
                self.take_down(asset).await
            } else {
                self.ask(&REMOVE, Method::Delete, &asset.path, None).await.map(drop)
            };
            match removed {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // Indices that hold documents still use it.
                Err(error) if error.kind() == ErrorKind::Invalid => kept.push((asset.path.clone(), error.to_string())),
                Err(error) => return Err(error),
            }
        }
        Ok(kept)
    }

    async fn take_down(&self, asset: &Asset) -> Result<(), Error> {
        let stop = format!("{}/_stop?force=true&wait_for_completion=true&timeout=30s", asset.path);
        self.ask(&INSTALL, Method::Post, &stop, None).await?;
        self.ask(&REMOVE, Method::Delete, &format!("{}?force=true", asset.path), None).await.map(drop)
    }

    async fn ask(
        &self,
        operation: &'static Operation,
        method: Method,
        target: &str,
        body: Option<Value>,
    ) -> Result<Value, Error> {
        let body = body.map_or(Body::Empty, Body::Json);
        let request = Request { method, target: format!("{}{target}", self.prefix), headers: Vec::new(), body };
        let answer = self.caller.connection.ask(operation, &request, Repeat::Safe).await;
        let answer = answer.map_err(|error| match error.kind() {
            ErrorKind::Auth => self.caller.of_item(error),
            ErrorKind::Permission => error.advice(
                "installing needs the cluster privileges manage_ilm, manage_index_templates and manage_transform",
            ),
            _ => error,
        })?;
        answer.json().map_err(|error| self.caller.connection.told(operation, &request, error))
    }
}
