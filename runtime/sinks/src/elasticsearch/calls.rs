//! The one call, as tables, and how it is made: again after passing trouble, a set number of times.

use bytes::Bytes;
use connectome_core::connector::{Connector, ErrorBody, Test};
use connectome_core::operation::{Call, Effect, Method, Operation, Repeat};
use connectome_core::place::Place;
use connectome_core::request::{Body, Request};
use connectome_core::retry::{Budget, chance, pause_from};
use connectome_core::shape::{Field, Record, Shape};
use connectome_core::{Connection, Error, ErrorKind, Settings};
use serde_json::{Map, Value};

use super::address::Address;
use super::bulk::{Fate, Part, fates};
use super::credentials::{Credentials, variables};
use crate::wire::{DESTINATION, packed};

const STORE: Operation = Operation {
    effect: Effect::Write,
    repeat: Repeat::Safe,
    call: Call::post("/_bulk"),
    ..Operation::named("store_documents")
};

pub(super) const PARAMETERS: Record = Record {
    fields: &[
        Field::new("api_url", Shape::Text, Place::Control).required(),
        Field::new("credentials", Shape::Text, Place::Control).secret(),
    ],
    ..Record::named("elasticsearch")
};

static CLOSED: Connector = Connector {
    name: "elasticsearch",
    title: "Elasticsearch",
    parameters: &PARAMETERS,
    auth: ("Authorization", "{credentials}"),
    test: Test { operation: &STORE, expect: &[], refused: None },
    errors: ErrorBody { under: &["error"], code: "type", message: "reason", number: None, in_success: false },
    ..DESTINATION
};

/// The same for a service that asks nobody who he is.
static OPEN: Connector = Connector { auth: ("Accept", "application/json"), ..CLOSED };

/// A connection with these credentials, or to one that asks for none; nothing is sent.
pub(super) fn connect(
    [closed, open]: [&'static Connector; 2],
    root: &str,
    credentials: &Credentials,
    mut settings: Settings,
) -> Result<Connection, Error> {
    let header = credentials.header();
    let mut parameters = Map::new();
    parameters.insert("api_url".to_owned(), Value::from(root));
    if let Some((header, _)) = &header {
        parameters.insert("credentials".to_owned(), Value::from(header.as_str()));
    }
    settings.parameters = parameters;
    let connection = Connection::new(if header.is_some() { closed } else { open }, settings)?;
    for secret in header.into_iter().flat_map(|(_, secrets)| secrets) {
        connection.redactor().learn(&secret);
    }
    Ok(connection)
}

/// Sends to a service.
#[derive(Debug)]
pub(super) struct Caller {
    pub connection: Connection,
    target: String,
    gzip: bool,
    pub tries: u32,
    budget: Budget,
}

impl Caller {
    /// A connection; nothing is sent.
    pub fn new(address: &Address, credentials: &Credentials, mut settings: Settings) -> Result<Self, Error> {
        // Repeats are counted here, since what is sent again is only what was not stored.
        let tries = std::mem::replace(&mut settings.tries, 1).max(1);
        let connection = connect([&CLOSED, &OPEN], &address.root, credentials, settings)?;
        // Where a template is missing, no index is made in the place of a data stream.
        let strict = if address.index.is_none() { "&require_data_stream=true" } else { "" };
        let target = format!(
            "{}/_bulk?filter_path=took,errors,items.*.status,items.*.error,items.*.failure_store{strict}",
            address.path
        );
        Ok(Self { connection, target, gzip: address.gzip, tries, budget: Budget::default() })
    }

    /// Sends documents until the service says what became of each.
    pub async fn send(&self, parts: &[&Part]) -> Result<Vec<Fate>, Error> {
        let mut body = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| body.extend_from_slice(part.lines()));
        let mut headers = Vec::new();
        let body = if self.gzip {
            headers.push(("Content-Encoding", "gzip".to_owned()));
            packed(&body)?
        } else {
            Bytes::from(body)
        };
        let request = Request {
            method: Method::Post,
            target: self.target.clone(),
            headers,
            body: Body::Bytes("application/x-ndjson", body),
        };
        let mut tries = 1;
        loop {
            let error = match self.once(&request, parts.len()).await {
                Ok(fates) => {
                    self.budget.earn();
                    return Ok(fates);
                }
                Err(error) => error,
            };
            if !error.kind().is_passing() || tries == self.tries || !self.budget.take() {
                return Err(self.advised(error));
            }
            tracing::debug!(operation = STORE.name, tries, error = error.kind().name(), "sends the same again");
            self.pause(tries).await;
            tries += 1;
        }
    }

    async fn once(&self, request: &Request, count: usize) -> Result<Vec<Fate>, Error> {
        let answer = self.connection.ask(&STORE, request, Repeat::Unsafe).await?;
        fates(&answer.body, count).map_err(|error| self.connection.told(&STORE, request, error))
    }

    /// Waits: a second, then twice as long each time, and a little less by chance.
    pub async fn pause(&self, tries: u32) {
        self.connection.clock().sleep(pause_from(1, tries, chance())).await;
    }

    /// What the service says of one document, and that is true of all.
    pub fn of_item(&self, error: Error) -> Error {
        self.advised(error.operation(STORE.name).clean(|text| self.connection.redactor().clean(text)))
    }

    /// So many documents were not stored in all tries; one of them with this status, and why.
    pub fn gave_up(&self, count: usize, status: u64, why: &str) -> Error {
        let documents = if count == 1 { "a document was".to_owned() } else { format!("{count} documents were") };
        let kind = if status == 429 { ErrorKind::RateLimited } else { ErrorKind::Server };
        self.of_item(Error::new(kind, format!("{documents} not stored in {} tries: {why}", self.tries)))
    }

    fn advised(&self, error: Error) -> Error {
        let root = self.connection.origin().root();
        let advice = match error.kind() {
            ErrorKind::Auth => format!("check the credentials in the environment: {}", variables()),
            ErrorKind::Permission => {
                "give the credentials the privileges auto_configure and create_doc (with op=index: index) on what is written".to_owned()
            }
            ErrorKind::NotFound => {
                "there is no such index or data stream: run `connectome setup elasticsearch CONNECTOR --to DEST` first, or make its template yourself"
                    .to_owned()
            }
            ErrorKind::Invalid | ErrorKind::Protocol => {
                format!("check that {root} is where Elasticsearch takes requests, and not Kibana or a proxy")
            }
            ErrorKind::RateLimited | ErrorKind::Server | ErrorKind::Timeout | ErrorKind::Connect => {
                "what was not stored does not count as delivered, and is sent again; check the service and the network"
                    .to_owned()
            }
            _ => return error,
        };
        error.advice(advice)
    }
}
