//! The platform's calls, as tables, and how one is made: again after passing trouble, a set number of times.

use std::sync::Arc;
use std::time::Duration;

use connectome_core::answer::read_error;
use connectome_core::connector::{Connector, Test};
use connectome_core::operation::{Call, Effect, Operation, Repeat};
use connectome_core::place::Place;
use connectome_core::request::{Body, Request, fill};
use connectome_core::retry::Budget;
use connectome_core::shape::{Field, Literal, Record, Shape};
use connectome_core::{Connection, Error, ErrorKind};
use serde_json::{Map, Value};

use crate::wire::DESTINATION;

/// The root that is used where the destination names none.
pub(super) const ROOT: &str = "https://api.us.jupiterone.io";

/// The header that names the account, today and in older releases.
pub(super) const ACCOUNT_HEADERS: [&str; 2] = ["JupiterOne-Account", "LifeOmic-Account"];

macro_rules! call {
    ($name:ident, $word:literal, $path:literal) => {
        pub(super) const $name: Operation = Operation {
            effect: Effect::Write,
            repeat: Repeat::Safe,
            call: Call::post($path),
            success: &[200, 201, 202],
            ..Operation::named($word)
        };
    };
}

call!(CREATE, "create_job", "/persister/synchronization/jobs");
call!(EVENTS, "post_events", "/persister/synchronization/jobs/{id}/events");
call!(ENTITIES, "upload_entities", "/persister/synchronization/jobs/{id}/entities");
call!(RELATIONSHIPS, "upload_relationships", "/persister/synchronization/jobs/{id}/relationships");
call!(FINALIZE, "finalize_job", "/persister/synchronization/jobs/{id}/finalize");
call!(ABORT, "abort_job", "/persister/synchronization/jobs/{id}/abort");
pub(super) const STATUS: Operation =
    Operation { call: Call::get("/persister/synchronization/jobs/{id}"), ..Operation::named("job_status") };
const READ: Operation = Operation {
    call: Call::get("/entities"),
    query: &[("limit", Literal::Integer(1))],
    ..Operation::named("read_entities")
};

const PARAMETERS: Record = Record {
    fields: &[
        Field::new("api_url", Shape::Text, Place::Control).default(Literal::Text(ROOT)),
        Field::new("account", Shape::Text, Place::Control).required(),
        Field::new("api_key", Shape::Text, Place::Control).required().secret(),
    ],
    ..Record::named("jupiterone")
};

const PLATFORM: Connector = Connector {
    name: "jupiterone",
    title: "JupiterOne",
    parameters: &PARAMETERS,
    auth: ("Authorization", "Bearer {api_key}"),
    headers: &[(ACCOUNT_HEADERS[0], "{account}")],
    test: Test { operation: &READ, expect: &[], refused: None },
    ..DESTINATION
};

static CURRENT: Connector = PLATFORM;
static OLDER: Connector = Connector { headers: &[(ACCOUNT_HEADERS[1], "{account}")], ..PLATFORM };

/// The platform, told the account in this header.
pub(super) fn platform(account_header: &str) -> &'static Connector {
    if account_header == ACCOUNT_HEADERS[1] { &OLDER } else { &CURRENT }
}

/// The code of an upload that came after the job's end.
pub(super) const ENDED: &str = "JOB_NOT_AWAITING_UPLOADS";

/// How often a call is tried, the first pause, and what each pause is to the one before.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);
const FACTOR: f64 = 1.05;

/// Makes calls. Cheap to clone; clones share the budget of repeats.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub connection: Connection,
    budget: Arc<Budget>,
}

/// What is said of a call that failed.
#[derive(Debug)]
pub(super) struct Failed {
    /// The last error.
    pub error: Error,
    /// Whether one of the tries may have been carried out.
    pub unsure: bool,
}

impl Caller {
    pub fn new(connection: Connection) -> Self {
        Self { connection, budget: Arc::default() }
    }

    /// The request of a call about a job.
    pub fn request(&self, operation: &'static Operation, job: &str, body: Body) -> Request {
        let input = Map::from_iter([("id".to_owned(), Value::from(job))]);
        let target = format!("{}{}", self.connection.base_path(), fill(operation.call.path, &input));
        Request { method: operation.call.method, target, headers: Vec::new(), body }
    }

    /// Asks once. An empty answer is null.
    pub async fn once(&self, operation: &'static Operation, request: &Request) -> Result<Value, Error> {
        let answer = self.connection.ask(operation, request, Repeat::Unsafe).await?;
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        let body = answer.json().and_then(|body| match body.get("error") {
            Some(error) if !error.is_null() => {
                let said = read_error(answer.status, &body, &self.connection.connector().errors);
                let message = "the platform answered with an error that it called a success";
                Err(Error::new(ErrorKind::Server, message).service(said))
            }
            _ => Ok(body),
        });
        body.map_err(|error| self.connection.told(operation, request, error))
    }

    /// Asks until there is an answer, five times at most. `mend` may change the request after an error and say that it
    /// is worth another try: it is told whether the service may have acted.
    pub async fn ask(
        &self,
        operation: &'static Operation,
        mut request: Request,
        mut mend: impl FnMut(&mut Request, &Error, bool) -> Result<bool, Error>,
    ) -> Result<Value, Failed> {
        let mut pause = PAUSE;
        let mut unsure = false;
        let mut tries = 1;
        loop {
            let error = match self.once(operation, &request).await {
                Ok(answer) => {
                    self.budget.earn();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            unsure |= may_have_acted(&error);
            let again = match mend(&mut request, &error, unsure) {
                Ok(mended) => mended || is_passing(&error),
                Err(error) => return Err(Failed { error, unsure }),
            };
            if !again || tries == TRIES || !self.budget.take() {
                return Err(Failed { error, unsure });
            }
            tracing::debug!(operation = operation.name, tries, error = error.kind().name(), "tries again");
            self.connection.clock().sleep(pause).await;
            pause = pause.mul_f64(FACTOR);
            tries += 1;
        }
    }
}

/// Nothing is mended between two tries.
pub(super) fn as_it_is(_: &mut Request, _: &Error, _: bool) -> Result<bool, Error> {
    Ok(false)
}

/// Whether it may work when it is tried again. A job that has ended stays so, though the service calls that trouble of its
/// own. What makes no sense is from something in between, which answered for once; a redirect stays where it is.
pub(super) fn is_passing(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Protocol => !(300..400).contains(&error.status()),
        kind => kind.is_passing() && code(error) != ENDED,
    }
}

fn may_have_acted(error: &Error) -> bool {
    is_passing(error) && error.kind() != ErrorKind::RateLimited
}

/// The platform's short name for what went wrong.
pub(super) fn code(error: &Error) -> &str {
    error.parts().service.as_ref().map_or("", |service| service.code.as_str())
}
