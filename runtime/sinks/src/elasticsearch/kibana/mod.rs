//! Dashboards into Kibana. Each is looked at before it is imported, so that doing it twice changes nothing, and what somebody
//! else put there is left alone. The data view that they read is shared with others: it is imported where there is none, and
//! never changed nor removed.

mod address;
mod object;
#[cfg(feature = "simulator")]
pub mod simulated;

use connectome_core::connector::{Connector, ErrorBody};
use connectome_core::operation::{Effect, Method, Operation, Repeat};
use connectome_core::request::{Body, Content, Part, Request};
use connectome_core::{Connection, Error, ErrorKind, Settings};
use serde_json::Value;

pub use address::Address;
pub use object::{Object, objects};

use super::calls::connect;
use super::credentials::{Credentials, variables};
use super::setup::Found;
use crate::wire::DESTINATION;

const LOOK: Operation = Operation { repeat: Repeat::Safe, ..Operation::named("look_at_a_saved_object") };
const IMPORT: Operation =
    Operation { effect: Effect::Write, repeat: Repeat::Safe, ..Operation::named("import_saved_objects") };
const REMOVE: Operation =
    Operation { effect: Effect::Destructive, repeat: Repeat::Safe, ..Operation::named("remove_a_saved_object") };

static CLOSED: Connector = Connector {
    name: "kibana",
    title: "Kibana",
    parameters: &super::calls::PARAMETERS,
    auth: ("Authorization", "{credentials}"),
    errors: ErrorBody { under: &[], code: "error", message: "message", number: None, in_success: false },
    ..DESTINATION
};

/// The same for one that asks nobody who he is.
static OPEN: Connector = Connector { auth: ("Accept", "application/json"), ..CLOSED };

/// What is to be done with a saved object.
#[derive(Debug, Clone)]
pub struct Step {
    /// The saved object.
    pub object: Object,
    /// What is there.
    pub found: Found,
}

/// A Kibana into which saved objects are imported.
#[derive(Debug)]
pub struct Importer {
    connection: Connection,
    /// What comes before every path.
    prefix: String,
}

impl Importer {
    /// A connection; nothing is sent.
    pub fn open(address: &Address, credentials: &Credentials, settings: Settings) -> Result<Self, Error> {
        let connection = connect([&CLOSED, &OPEN], &address.root, credentials, settings)?;
        Ok(Self { connection, prefix: address.path.clone() })
    }

    /// What the user should know about the settings.
    pub fn warnings(&self) -> &[String] {
        self.connection.warnings()
    }

    /// What is there of these; nothing is changed.
    pub async fn plan(&self, objects: Vec<Object>) -> Result<Vec<Step>, Error> {
        let mut steps = Vec::with_capacity(objects.len());
        for object in objects {
            let found = match self.ask(&LOOK, Method::Get, &object.path(), Body::Empty).await {
                Ok(answer) => object.found(&answer),
                Err(error) if error.kind() == ErrorKind::NotFound => Found::Missing,
                Err(error) => return Err(error),
            };
            steps.push(Step { object, found });
        }
        Ok(steps)
    }

    /// Imports what is missing and what is old. With `replace`, also in the place of what somebody else put there.
    pub async fn import(&self, steps: &[Step], replace: bool) -> Result<(), Error> {
        leaves_alone(steps, replace)?;
        let wanted: Vec<&Object> =
            steps.iter().filter(|step| step.found != Found::Same).map(|step| &step.object).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let lines: String = wanted.iter().map(|object| format!("{}\n", object.line())).collect();
        let file = Content::File("connectome.ndjson".to_owned(), "application/ndjson", lines.into_bytes());
        let body = Body::Form(vec![Part { name: "file", content: file }]);
        let answer = self.ask(&IMPORT, Method::Post, "/api/saved_objects/_import?overwrite=true", body).await?;
        imported(&answer, wanted.len()).map_err(|error| error.clean(|text| self.connection.redactor().clean(text)))
    }

    /// Removes dashboards of ours, the last first.
    pub async fn remove(&self, steps: &[Step]) -> Result<(), Error> {
        let ours = |step: &&Step| !step.object.is_shared() && matches!(step.found, Found::Same | Found::Old);
        for step in steps.iter().rev().filter(ours) {
            match self.ask(&REMOVE, Method::Delete, &step.object.path(), Body::Empty).await {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn ask(
        &self,
        operation: &'static Operation,
        method: Method,
        target: &str,
        body: Body,
    ) -> Result<Value, Error> {
        // Kibana takes no change from a page in a browser, which cannot send this header.
        let headers = vec![("kbn-xsrf", "true".to_owned())];
        let request = Request { method, target: format!("{}{target}", self.prefix), headers, body };
        let answer = self.connection.ask(operation, &request, Repeat::Safe).await;
        let answer = answer.map_err(|error| match error.kind() {
            ErrorKind::Auth => error.advice(format!("check the credentials in the environment: {}", variables())),
            ErrorKind::Permission => error
                .advice("importing needs the Kibana privilege Saved Objects Management, in the space that is meant"),
            ErrorKind::NotFound | ErrorKind::Invalid if operation.name != REMOVE.name => self.elsewhere(error),
            _ => error,
        })?;
        answer.json().map_err(|error| self.elsewhere(self.connection.told(operation, &request, error)))
    }

    fn elsewhere(&self, error: Error) -> Error {
        let place = format!("{}{}", self.connection.origin().root(), self.prefix);
        error.advice(format!("check that {place} is where Kibana takes requests, and not Elasticsearch or a proxy"))
    }
}

/// Whether nothing of somebody else stands in the way, or may be replaced.
pub fn leaves_alone(steps: &[Step], replace: bool) -> Result<(), Error> {
    match steps.iter().find(|step| step.found == Found::Foreign) {
        Some(step) if !replace => Err(super::setup::foreign(&step.object.path())),
        _ => Ok(()),
    }
}

/// What the answer says of so many objects: the status is 200 whatever became of them.
fn imported(answer: &Value, count: usize) -> Result<(), Error> {
    let errors = answer["errors"].as_array().map_or(&[][..], Vec::as_slice);
    let done = answer["successCount"].as_u64();
    match (answer["success"].as_bool(), done) {
        (Some(true), Some(done)) if errors.is_empty() && done == count as u64 => return Ok(()),
        (Some(_), Some(_)) if !errors.is_empty() => {}
        _ => return Err(Error::new(ErrorKind::Protocol, "Kibana does not say what became of the dashboards")),
    }
    let told: Vec<String> = errors.iter().map(why).collect();
    let kinds: Vec<&str> = errors.iter().filter_map(|error| error["error"]["type"].as_str()).collect();
    let advice: Vec<&str> = ADVICE.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, advice)| *advice).collect();
    let kind = if done == Some(0) { ErrorKind::Invalid } else { ErrorKind::Partial };
    let error = Error::new(kind, format!("Kibana did not import {}", told.join("; ")));
    Err(if advice.is_empty() { error } else { error.advice(advice.join("; ")) })
}

const ADVICE: [(&str, &str); 4] = [
    ("missing_references", "make what they refer to in Kibana, or import it with them"),
    ("conflict", "remove what is there under the same id, or choose another space with --kibana https://HOST/s/SPACE"),
    (
        "ambiguous_conflict",
        "several objects there were imported from the same one: remove all but one of them in Kibana",
    ),
    ("unsupported_type", "this Kibana is too old for them, or the feature is switched off in this space"),
];

/// An object that was not imported, and why.
fn why(error: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let about = &error["error"];
    let mut more = Vec::new();
    for reference in about["references"].as_array().into_iter().flatten() {
        let told = format!("{} {}", text(&reference["type"]), text(&reference["id"]));
        if !more.contains(&told) {
            more.push(told);
        }
    }
    more.extend(about["message"].as_str().map(|message| super::shown(message, 500).to_owned()));
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    format!("{} {}: {}{more}", text(&error["type"]), text(&error["id"]), text(&about["type"]))
}
