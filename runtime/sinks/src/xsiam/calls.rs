//! The one call, as tables, and how it is made: again after passing trouble, a set number of times.

use bytes::Bytes;
use connectome_core::answer::Answer;
use connectome_core::connector::{Connector, Test};
use connectome_core::operation::{Call, Effect, Method, Operation, Repeat};
use connectome_core::place::Place;
use connectome_core::request::{Body, Request};
use connectome_core::retry::{Budget, chance, pause};
use connectome_core::shape::{Field, Record, Shape};
use connectome_core::{Connection, Error, ErrorKind, Secret, Settings};
use serde_json::{Map, Value};

use super::address::{Address, Route, TOKEN_VARIABLE};
use crate::wire::{DESTINATION, packed};

const SEND: Operation = Operation {
    effect: Effect::Write,
    repeat: Repeat::Safe,
    call: Call::post("/logs/v1/event"),
    ..Operation::named("send_events")
};

const PARAMETERS: Record = Record {
    fields: &[
        Field::new("api_url", Shape::Text, Place::Control).required(),
        Field::new("token", Shape::Text, Place::Control).required().secret(),
    ],
    ..Record::named("xsiam")
};

static TENANT: Connector = Connector {
    name: "xsiam",
    title: "XSIAM",
    parameters: &PARAMETERS,
    test: Test { operation: &SEND, expect: &[], refused: None },
    ..DESTINATION
};

/// How much of an answer is shown.
const SHOWN: usize = 300;

/// Sends to a tenant.
#[derive(Debug)]
pub(super) struct Caller {
    pub connection: Connection,
    path: String,
    headers: Vec<(&'static str, String)>,
    gzip: bool,
    tries: u32,
    budget: Budget,
}

impl Caller {
    /// A connection; nothing is sent.
    pub fn new(address: &Address, token: Option<Secret>, mut settings: Settings) -> Result<Self, Error> {
        let token = match token {
            Some(token) => token,
            None => from_environment()?,
        };
        let parameters = [("api_url", address.root.as_str()), ("token", token.expose())];
        settings.parameters = Map::from_iter(parameters.map(|(name, value)| (name.to_owned(), Value::from(value))));
        // Repeats are counted here, since more is passing trouble than for other services.
        let tries = std::mem::replace(&mut settings.tries, 1).max(1);
        let mut headers = Vec::new();
        if address.gzip {
            headers.push(("Content-Encoding", "gzip".to_owned()));
        }
        if let Route::Events { vendor, product, instance } = &address.route {
            headers.extend([
                ("format", "json".to_owned()),
                ("vendor", vendor.clone()),
                ("product", product.clone()),
                ("collector-name", "connectome".to_owned()),
                ("collector-type", "events".to_owned()),
                ("instance-name", instance.clone()),
                ("final-reporting-device", instance.clone()),
            ]);
        }
        Ok(Self {
            connection: Connection::new(&TENANT, settings)?,
            path: address.path.clone(),
            headers,
            gzip: address.gzip,
            tries,
            budget: Budget::default(),
        })
    }

    /// Sends events until the tenant says that it has them, or why not.
    pub async fn send(&self, events: &[u8]) -> Result<(), Error> {
        let body = if self.gzip { packed(events)? } else { Bytes::copy_from_slice(events) };
        let request = Request {
            method: Method::Post,
            target: self.path.clone(),
            headers: self.headers.clone(),
            body: Body::Bytes("application/json", body),
        };
        let mut tries = 1;
        loop {
            let error = match self.once(&request).await {
                Ok(()) => {
                    self.budget.earn();
                    return Ok(());
                }
                Err(error) => error,
            };
            if !error.kind().is_passing() || tries == self.tries || !self.budget.take() {
                return Err(self.advised(error));
            }
            tracing::debug!(operation = SEND.name, tries, error = error.kind().name(), "sends the same again");
            self.connection.clock().sleep(pause(tries, chance())).await;
            tries += 1;
        }
    }

    async fn once(&self, request: &Request) -> Result<(), Error> {
        let answer = self.connection.ask(&SEND, request, Repeat::Unsafe).await?;
        if has_taken(&answer) {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&answer.body);
        let shown: String = text.chars().filter(|it| !it.is_control()).take(SHOWN).collect();
        let shown = if shown.is_empty() { "nothing".to_owned() } else { shown };
        let message = format!("the tenant answered 200 and did not say that it has the events; it said: {shown}");
        Err(self.connection.told(&SEND, request, Error::new(ErrorKind::Protocol, message)))
    }

    fn advised(&self, error: Error) -> Error {
        let advice = match error.kind() {
            ErrorKind::Auth => {
                format!(
                    "check that {TOKEN_VARIABLE} holds the whole token of this data source, and that it still exists"
                )
            }
            ErrorKind::Permission => format!(
                "check that the token in {TOKEN_VARIABLE} is of a data source of this tenant that takes what is sent; `route` says how it is sent"
            ),
            ErrorKind::Invalid => {
                let given = if self.gzip { "gzip" } else { "none" };
                format!("the data source must take JSON with the compression {given}; `compress` says which is used")
            }
            ErrorKind::NotFound | ErrorKind::Protocol => format!(
                "check that {} is the tenant's address for its API, and that {} takes events there",
                self.connection.origin().root(),
                self.path
            ),
            ErrorKind::RateLimited | ErrorKind::Server | ErrorKind::Timeout | ErrorKind::Connect => {
                "nothing of it counts as delivered, and it is sent again as it was; check the tenant and the network"
                    .to_owned()
            }
            _ => return error,
        };
        error.advice(advice)
    }
}

/// Whether a body says that the events were taken: `{"error":"false"}` or `{"ok":"true"}`.
fn has_taken(answer: &Answer) -> bool {
    let Ok(Value::Object(body)) = serde_json::from_slice(&answer.body) else { return false };
    let says = |name: &str, wanted: bool| match body.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::Bool(value)) => Some(*value == wanted),
        Some(Value::String(text)) => Some(text.eq_ignore_ascii_case(if wanted { "true" } else { "false" })),
        Some(_) => Some(false),
    };
    match (says("error", false), says("ok", true)) {
        (None, None) => false,
        (error, ok) => error.unwrap_or(true) && ok.unwrap_or(true),
    }
}

fn from_environment() -> Result<Secret, Error> {
    match std::env::var(TOKEN_VARIABLE) {
        Ok(token) if !token.trim().is_empty() => Ok(Secret::new(token.trim())),
        _ => Err(Error::new(ErrorKind::Configuration, "there is no token for the destination")
            .advice(format!("set {TOKEN_VARIABLE} in the environment to the token of the tenant's data source"))),
    }
}
