//! Requests and answers over a connection: sent at the service's pace, again where that is safe, and judged.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http::HeaderMap;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Connection, FARTHEST};
use crate::answer::{Answer, at};
use crate::error::{Error, ErrorKind};
use crate::operation::{Method, Operation, Repeat};
use crate::origin::Origin;
use crate::request::{Body, Request};
use crate::retry::{Trouble, chance, pause_from};
use crate::settle::refuse;
use crate::transport::Transport;

/// An answer, and whether an earlier try may have reached the service.
#[derive(Debug)]
pub struct Sent {
    /// The answer.
    pub answer: Answer,
    /// Whether an earlier try may have been carried out.
    pub unsure: bool,
}

impl Connection {
    /// What an answer's body says went wrong, if that is all it says: some services call such an answer a success.
    pub fn disguised_error(
        &self,
        operation: &'static Operation,
        request: &Request,
        status: u16,
        body: &Value,
    ) -> Option<Error> {
        let form = &self.connector().errors;
        let says = |it: &Value| it.is_object() || it.is_array() || it.as_str().is_some_and(|text| !text.is_empty());
        form.under.iter().find(|key| body.get(**key).is_some_and(says))?;
        let error = Error::new(ErrorKind::Server, "the service answered with an error that it called a success")
            .advice_to_repeat("see what the service said; try again later");
        Some(self.told(operation, request, error.service(crate::answer::read_error(status, body, form))))
    }

    /// Refuses an answer that holds nothing but an error, whatever its status: what is null is nothing.
    pub(crate) fn refuse_bare_error(
        &self,
        operation: &'static Operation,
        request: &Request,
        status: u16,
        body: &Value,
    ) -> Result<(), Error> {
        let under = self.connector().errors.under;
        let bare = body.as_object().is_some_and(|body| {
            body.iter().filter(|(_, value)| !value.is_null()).all(|(key, _)| under.contains(&key.as_str()))
        });
        self.disguised_error(operation, request, status, body).filter(|_| bare).map_or(Ok(()), Err)
    }

    fn compare_clocks(&self, answer: &Answer) {
        let Some(date) = answer.header("Date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else { return };
        // The header has whole seconds, and the answer was on its way.
        let ahead = self.clock().now().as_second() - date.timestamp().as_second() - 1;
        self.0.skew.store(ahead + 1, Ordering::Relaxed);
        let known = if (1..=FARTHEST).contains(&ahead) { ahead } else { 0 };
        self.0.ahead.store(known, Ordering::Relaxed);
    }

    /// Sends a request, again if that is safe, and returns whatever the service answers in the end.
    pub async fn send(&self, operation: &'static Operation, request: &Request, repeat: Repeat) -> Result<Sent, Error> {
        self.send_by(&self.0.transport, operation, request, repeat).await
    }

    async fn send_by(
        &self,
        transport: &Transport,
        operation: &'static Operation,
        request: &Request,
        repeat: Repeat,
    ) -> Result<Sent, Error> {
        let inner = &*self.0;
        let class = self.class(&request.target);
        let mut tries = 1;
        let mut unsure = false;
        loop {
            let now = self.clock().now();
            let pace = inner.pace.as_ref().map_or(Duration::ZERO, |pace| pace.reserve(now));
            let wait = inner.limiter.reserve(class, now).max(pace);
            if !wait.is_zero() {
                tracing::debug!(
                    operation = operation.name,
                    class,
                    seconds = wait.as_secs(),
                    "waits for the rate limit"
                );
                self.clock().sleep(wait).await;
            }
            let started = Instant::now();
            let result = transport.send(request).await;
            self.log(operation, request, &result, started.elapsed());
            let (trouble, outcome, asked) = match result {
                Ok(answer) => {
                    let asked = inner.limiter.learn(class, &answer, self.clock().now());
                    self.compare_clocks(&answer);
                    let passing = operation.passing.contains(&answer.status).then_some(Trouble::Gateway);
                    match Trouble::of_status(answer.status).or(passing) {
                        Some(trouble) if !self.exhausted(&answer) => (trouble, Ok(answer), asked),
                        _ => {
                            inner.budget.earn();
                            return Ok(Sent { answer, unsure });
                        }
                    }
                }
                Err((trouble, error)) => (trouble, Err(error), None),
            };
            let lasting = outcome
                .as_ref()
                .is_err_and(|error| matches!(error.kind(), ErrorKind::Tls | ErrorKind::Input | ErrorKind::Protocol));
            if tries >= inner.settings.tries || lasting || !trouble.may_repeat(repeat) || !inner.budget.take() {
                return match outcome {
                    Ok(answer) => Ok(Sent { answer, unsure }),
                    Err(error) => Err(self.told(operation, request, error)),
                };
            }
            unsure |= matches!(trouble, Trouble::Unknown | Trouble::Gateway);
            // A wait that the service asked for is the limiter's business on the next turn.
            if asked.is_none() {
                self.clock().sleep(pause_from(self.connector().first_pause, tries, chance())).await;
            }
            tries += 1;
        }
    }

    /// Sends a request and refuses any answer that does not mean success.
    pub async fn ask(&self, operation: &'static Operation, request: &Request, repeat: Repeat) -> Result<Answer, Error> {
        let sent = self.send(operation, request, repeat).await?;
        // A removal that was repeated finds nothing left: it worked the first time.
        if sent.unsure && sent.answer.status == 404 && request.method == crate::operation::Method::Delete {
            return Ok(Answer { status: operation.success[0], headers: Vec::new(), body: bytes::Bytes::new() });
        }
        refuse(self.connector(), operation, &sent.answer).map_err(|error| {
            let exhausted = self.exhausted(&sent.answer);
            let error = if exhausted {
                error.advice("the quota is used up; waiting a few minutes will not help")
            } else {
                error
            };
            self.told(operation, request, error)
        })?;
        if self.connector().errors.in_success {
            self.refuse_error_in_success(operation, request, &sent.answer)?;
        }
        Ok(sent.answer)
    }

    /// Some services answer 200 whatever happened, and say in the body that it went wrong: all of it, or a part.
    fn refuse_error_in_success(
        &self,
        operation: &'static Operation,
        request: &Request,
        answer: &Answer,
    ) -> Result<(), Error> {
        let form = &self.connector().errors;
        let Ok(parts) = serde_json::from_slice::<HashMap<Cow<'_, str>, &RawValue>>(&answer.body) else {
            let body = answer.json().map_err(|error| {
                let start = String::from_utf8_lossy(&answer.body[..answer.body.len().min(500)]);
                tracing::warn!(operation = operation.name, start = self.0.redactor.clean(&start), "no JSON");
                self.told(operation, request, error)
            })?;
            let error = Error::new(ErrorKind::Protocol, "the service answered with JSON that is no object")
                .advice("a proxy or another server may be in between: check the URL");
            return if body.is_object() { Ok(()) } else { Err(self.told(operation, request, error)) };
        };
        let says = |key: &str| parts.get(key).is_some_and(|raw| !matches!(raw.get(), "null" | "[]" | "{}" | "\"\""));
        let Some(key) = form.under.iter().find(|key| says(key)) else { return Ok(()) };
        let said: Value = parts.get(*key).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        let body = Value::Object(Map::from_iter([((*key).to_owned(), said)]));
        let error = Error::new(ErrorKind::Server, "the service answered with an error that it called a success");
        let error = error.service(crate::answer::read_error(answer.status, &body, form));
        Err(self.told(
            operation,
            request,
            error.advice("what else the answer holds is not taken: it may be a part only"),
        ))
    }

    /// What a link of an answer leads to. On this origin it is asked for like anything else; elsewhere nothing is sent that
    /// proves who we are, and what is secret in the link is shown to nobody.
    pub async fn follow(&self, operation: &'static Operation, link: &str) -> Result<Answer, Error> {
        let refused = |why: String| {
            let error = Error::new(ErrorKind::Protocol, why).operation(operation.name);
            error.advice_to_repeat(
                "try again; if it stays so, the service answers in a way that is not known here: report it",
            )
        };
        let url = url::Url::parse(link).map_err(|_| refused("the service gives a link that is no URL".to_owned()))?;
        if let Some(query) = url.query() {
            self.0.redactor.learn(query);
        }
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let request =
            Request { method: Method::Get, target: target.to_owned(), headers: Vec::new(), body: Body::Empty };
        let root = url.origin().ascii_serialization();
        if root == self.origin().root() {
            return self.ask(operation, &request, Repeat::Safe).await;
        }
        let origin = Origin::parse(&root, self.0.settings.allow_http)
            .map_err(|why| refused(format!("the service gives a link that is not followed: {why}")))?;
        let elsewhere = Transport::new(origin, HeaderMap::new(), self.0.settings.network.clone())?;
        let at = |error: Error| error.request(format!("GET {root}{}", url.path()));
        let sent = self.send_by(&elsewhere, operation, &request, Repeat::Safe).await.map_err(at)?;
        refuse(self.connector(), operation, &sent.answer).map_err(at)?;
        Ok(sent.answer)
    }

    /// Tests the connection: address, certificate, key.
    pub async fn check(&self) -> Result<(), Error> {
        let test = self.connector().test;
        let request = self.request(test.operation, &Map::new())?;
        let answer = self.ask(test.operation, &request, Repeat::Safe).await.map_err(|error| self.unknown(error))?;
        let body = answer.json().map_err(|error| self.told(test.operation, &request, error))?;
        for (path, expected) in test.expect {
            if at(&body, path) != Some(&expected.value()) {
                let message = format!("the service answered, but {} is not {}", path.join("."), expected.value());
                return Err(self.told(
                    test.operation,
                    &request,
                    Error::new(ErrorKind::Protocol, message).advice("check that the URL is the service's"),
                ));
            }
        }
        Ok(())
    }

    /// A refusal of the very first request: the key is not the one that this address takes.
    fn unknown(&self, error: Error) -> Error {
        match (error.status(), self.connector().test.refused) {
            (401 | 403, Some(refused)) => error.advice(refused),
            (404, Some(refused)) => error.with_kind(ErrorKind::Auth, "the address or the key is wrong").advice(refused),
            _ => error,
        }
    }

    /// Adds the request to an error and takes secrets out.
    pub fn told(&self, operation: &'static Operation, request: &Request, error: Error) -> Error {
        let sent = format!("{} {}{}", request.method.text(), self.origin().root(), request.target);
        error.operation(operation.name).request(sent).clean(|text| self.0.redactor.clean(text))
    }

    fn exhausted(&self, answer: &Answer) -> bool {
        answer.status == 429
            && self.connector().exhausted.is_some_and(|(name, value)| answer.header(name) == Some(value))
    }

    pub(super) fn class(&self, target: &str) -> &'static str {
        let path = target.strip_prefix(self.base_path()).unwrap_or(target);
        self.connector()
            .rate_classes
            .iter()
            .find(|(_, start)| path.starts_with(start))
            .map_or("other", |(name, _)| name)
    }

    fn log(&self, operation: &Operation, request: &Request, result: &Result<Answer, (Trouble, Error)>, time: Duration) {
        // What nobody reads need not be cleaned.
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let outcome = match result {
            Ok(answer) => answer.status.to_string(),
            Err((_, error)) => error.kind().name(),
        };
        let target = self.0.redactor.clean(&request.target);
        tracing::debug!(
            operation = operation.name,
            method = request.method.text(),
            target,
            outcome,
            milliseconds = time.as_millis() as u64,
            "request"
        );
        if self.0.settings.log_bodies && tracing::enabled!(tracing::Level::TRACE) {
            if let crate::request::Body::Json(json) = &request.body {
                tracing::trace!(
                    operation = operation.name,
                    body = self.0.redactor.clean(&json.to_string()),
                    "request body"
                );
            }
            if let Ok(answer) = result {
                let body = self.redactor().loggable(self.connector(), operation, answer);
                tracing::trace!(operation = operation.name, body, "answer body");
            }
        }
    }
}
