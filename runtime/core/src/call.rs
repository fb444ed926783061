//! Running an operation: check, wait for a task, count, ask, read the pages, put the outputs together.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::answer::{Answer, at, read_error};
use crate::connection::Connection;
use crate::decode::{Reader, decode};
use crate::error::{Error, ErrorKind};
use crate::operation::{Cap, Effect, Operation, Poll, Repeat};
use crate::page::{Following, Next, Page};
use crate::place::Source;
use crate::request::{Body, Request, fill, with_query};
use crate::settle::{Findings, outputs};
use crate::shape::Shape;

impl Connection {
    /// Checks the input, runs the operation and reads all of its pages. Input and output are JSON objects under the names of
    /// the spec. An error of [`ErrorKind::Input`] comes before anything is sent; one of [`ErrorKind::Partial`] or
    /// [`ErrorKind::TooMany`] has what there was in its parts.
    pub async fn call(&self, operation: &'static Operation, input: Value) -> Result<Value, Error> {
        let mut reading = self.open(operation, &input).await?;
        let mut items = Vec::new();
        while let Some(page) = reading.next_page().await? {
            items.extend(page);
        }
        let cut = reading.cut().map(str::to_owned);
        let output = reading.finish(items)?;
        match cut {
            None => Ok(output),
            Some(why) => Err(Error::new(ErrorKind::TooMany, why)
                .operation(operation.name)
                .advice("narrow the search; what could be read is attached")
                .output(output)),
        }
    }

    /// Runs an operation up to its first answer. Pages are read as the caller asks for them.
    pub async fn open(&self, operation: &'static Operation, input: &Value) -> Result<Reading, Error> {
        self.open_with(operation, input, operation.cap).await
    }

    /// As [`open`](Self::open), with another bound on the number of results than the operation's own, or none.
    pub async fn open_with(
        &self,
        operation: &'static Operation,
        input: &Value,
        cap: Option<Cap>,
    ) -> Result<Reading, Error> {
        let input = self.validate(operation, input)?;
        let mut request = self.request(operation, &input)?;
        if let Some(page) = operation.page {
            request = page.first(request);
        }
        let mut waited = Waited::Ended;
        let mut first = None;
        if let Some(poll) = &operation.poll {
            match poll.call {
                Some(path) => waited = self.wait(operation, poll, path, &input).await?,
                None => first = Some(self.repeat(operation, poll, &request, &input).await?),
            }
        }
        if let Some(cap) = cap.filter(|cap| !cap.ask.is_empty()) {
            let counting = with_query(&request, cap.ask);
            let answer = self.ask(operation, &counting, Repeat::Safe).await?;
            let body = answer.json().map_err(|error| self.told(operation, &counting, error))?;
            self.refuse_bare_error(operation, &counting, answer.status, &body)?;
            check_cap(&cap, &body).map_err(|error| self.told(operation, &counting, error))?;
        }
        let first = match first {
            Some(answer) => answer,
            None => {
                let answer = self.ask(operation, &request, operation.repeat).await;
                answer.map_err(|error| in_doubt(operation, waited.explain(operation, error)))?
            }
        };
        Ok(Reading {
            connection: self.clone(),
            operation,
            input,
            request,
            cap,
            state: State::First,
            answer: first,
            page: None,
            pages: HashSet::new(),
            read: 0,
            cut: None,
            listless: false,
            body: None,
        })
    }

    /// Waits until a task's own call says that it has ended.
    async fn wait(
        &self,
        operation: &'static Operation,
        poll: &Poll,
        path: &str,
        input: &Map<String, Value>,
    ) -> Result<Waited, Error> {
        if !wanted(poll, input) {
            return Ok(Waited::Ended);
        }
        let target = format!("{}{}", self.base_path(), fill(path, input));
        let request = Request { method: crate::operation::Method::Get, target, headers: Vec::new(), body: Body::Empty };
        let answer = self.repeat(operation, poll, &request, input).await?;
        let body = answer.json().map_err(|error| self.told(operation, &request, error))?;
        let state = at(&body, poll.status).and_then(Value::as_str).unwrap_or_default();
        if poll.failed.contains(&state) {
            let error = Error::new(ErrorKind::TaskFailed, format!("the task ended as {state}"))
                .service(read_error(answer.status, &body, &self.connector().errors))
                .advice("see the task's own error; submitting it again may help");
            return Err(self.told(operation, &request, error));
        }
        Ok(if poll.pending.contains(&state) { Waited::InVain(state.to_owned()) } else { Waited::Ended })
    }

    /// Asks again until the answer's state is final or the time is up; the last answer counts either way.
    async fn repeat(
        &self,
        operation: &'static Operation,
        poll: &Poll,
        request: &Request,
        input: &Map<String, Value>,
    ) -> Result<Answer, Error> {
        let seconds = if wanted(poll, input) {
            poll.seconds.and_then(|name| input.get(name)).and_then(Value::as_f64).unwrap_or(f64::MAX)
        } else {
            0.0
        };
        let started = self.clock().now();
        let mut pause = poll.every as f64;
        loop {
            let answer = self.ask(operation, request, Repeat::Safe).await?;
            let body = answer.json().map_err(|error| self.told(operation, request, error))?;
            self.refuse_bare_error(operation, request, answer.status, &body)?;
            let state = at(&body, poll.status).and_then(Value::as_str).unwrap_or_default();
            let elapsed = self.clock().now().duration_since(started).as_secs_f64();
            if !poll.pending.contains(&state) || elapsed >= seconds {
                return Ok(answer);
            }
            let wait = pause.min(seconds - elapsed);
            self.clock().sleep(Duration::from_secs_f64(wait.clamp(0.0, 3600.0))).await;
            pause = (pause * 1.5).min(poll.slowest as f64);
        }
    }
}

fn wanted(poll: &Poll, input: &Map<String, Value>) -> bool {
    poll.when.and_then(|name| input.get(name)).and_then(Value::as_bool).unwrap_or(true)
}

fn check_cap(cap: &Cap, body: &Value) -> Result<(), Error> {
    match at(body, cap.count).and_then(Value::as_u64) {
        Some(count) if count > cap.at_most => Err(Error::new(
            ErrorKind::TooMany,
            format!("{count} results match, and at most {} are fetched", cap.at_most),
        )
        .advice("narrow the search")),
        _ => Ok(()),
    }
}

/// How waiting for a task ended.
enum Waited {
    Ended,
    InVain(String),
}

impl Waited {
    /// A missing result is no surprise when its task has not ended.
    fn explain(&self, operation: &Operation, error: Error) -> Error {
        let seconds = operation.poll.and_then(|poll| poll.seconds);
        let longer = seconds.map_or(String::new(), |name| format!("wait longer, with {name}, or "));
        match self {
            Waited::InVain(state) if error.kind() == ErrorKind::NotFound => error
                .with_kind(ErrorKind::TaskTimeout, format!("the task is still {state}, so there is no result yet"))
                .advice(format!("{longer}ask again later")),
            _ => error,
        }
    }
}

/// An operation whose pages are being read.
pub struct Reading {
    connection: Connection,
    operation: &'static Operation,
    input: Map<String, Value>,
    request: Request,
    state: State,
    answer: Answer,
    /// The answer with the page at hand, after the first.
    page: Option<Answer>,
    /// What led to each page so far: the same again would never end.
    pages: HashSet<String>,
    /// How many records went before the page at hand, counted as the service counts.
    read: u64,
    cut: Option<String>,
    listless: bool,
    cap: Option<Cap>,
    body: Option<Value>,
}

enum State {
    /// The first answer is at hand and unread.
    First,
    /// The request of the next page has been made ready.
    Next,
    /// There is no more.
    Done,
}

impl fmt::Debug for Reading {
    /// The input and the answer may hold secrets, and are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reading({})", self.operation.name)
    }
}

impl Reading {
    /// The records of the next page, under the user's names; `None` after the last. A page may be empty.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Value>>, Error> {
        let shape = self.item_shape();
        let names = self.connection.connector().names;
        match self.operation.page {
            // What leads to the next page stands in the last record, under the service's name.
            Some(Page { next: Next::After { .. }, .. }) => {
                let records = self.next_records().await?;
                Ok(records.map(|records| records.into_iter().map(|record| decode(names, &shape, record)).collect()))
            }
            Some(page) => self.read_page(Reader::around(names, page.items, &shape)).await,
            None => Ok(None),
        }
    }

    /// The records of the next page as the service wrote them; `None` after the last. A page may be empty.
    pub async fn next_records(&mut self) -> Result<Option<Vec<Value>>, Error> {
        self.read_page(Reader::wire()).await
    }

    async fn read_page(&mut self, reader: Reader<'_>) -> Result<Option<Vec<Value>>, Error> {
        let Some(page) = self.operation.page else { return Ok(None) };
        let body = match std::mem::replace(&mut self.state, State::Done) {
            State::Done => return Ok(None),
            State::First => {
                let body = self.json(&self.answer, reader)?;
                if let Some(cap) = self.cap.filter(|cap| cap.ask.is_empty()) {
                    check_cap(&cap, &body)
                        .map_err(|error| self.connection.told(self.operation, &self.request, error))?;
                }
                body
            }
            State::Next => {
                let answer = self.connection.ask(self.operation, &self.request, Repeat::Safe).await?;
                let body = self.json(&answer, reader)?;
                self.page = Some(answer);
                body
            }
        };
        match page.following(&self.request, &body, self.read) {
            Following::End => {}
            Following::Link(link) => {
                self.request.target = self.follow(&link)?;
                self.state = State::Next;
            }
            Following::Request(request) => {
                self.request = *request;
                self.read += page.size.map_or(0, |size| size.ask);
                self.turn(self.pages.len().to_string())?;
                self.state = State::Next;
            }
            Following::Cut(why) => self.cut = Some(why),
            Following::Wrong(why) => return Err(self.wrong(why)),
        }
        match take(body, page.items) {
            Value::Array(records) => Ok(Some(records)),
            Value::Null => {
                self.listless = true;
                Ok(Some(Vec::new()))
            }
            _ => Err(self.wrong(format!("{} is not a list", page.items.join(".")))),
        }
    }

    /// A record of the page at hand once more, under the user's names.
    pub(crate) fn again(&self, index: usize) -> Option<Value> {
        let body = self.page.as_ref().unwrap_or(&self.answer).json().ok()?;
        let record = at(&body, self.operation.page?.items)?.get(index)?.clone();
        Some(decode(self.connection.connector().names, &self.item_shape(), record))
    }

    /// Whether an answer held no list of records, not even an empty one.
    pub fn is_listless(&self) -> bool {
        self.listless
    }

    /// Why there are records that cannot be reached, once the last page has been read.
    pub fn cut(&self) -> Option<&str> {
        self.cut.as_deref()
    }

    /// Puts the outputs together, with these records as the items.
    pub fn finish(self, items: Vec<Value>) -> Result<Value, Error> {
        let count = items.len();
        self.settle(items, count)
    }

    /// Puts the outputs together when the records went elsewhere as they came: the list is empty, the count is this.
    pub fn finish_streamed(self, count: usize) -> Result<Value, Error> {
        self.settle(Vec::new(), count)
    }

    fn settle(mut self, items: Vec<Value>, count: usize) -> Result<Value, Error> {
        let operation = self.operation;
        // A page that was read has been judged.
        let unread = operation.page.is_none() || matches!(self.state, State::First);
        if operation.page.is_none() && needs_body(operation) {
            self.body = Some(self.json(&self.answer, Reader::wire()).map_err(|error| in_doubt(operation, error))?);
        } else if unread
            && self.answer.header("Content-Type").is_some_and(|label| label.contains("json"))
            && let Ok(body) = serde_json::from_slice(&self.answer.body)
        {
            self.refuse_disguised(&body, self.answer.status).map_err(|error| in_doubt(operation, error))?;
        }
        let findings = Findings { answer: &self.answer, body: self.body.take(), count, items, input: &self.input };
        let result = outputs(self.connection.connector(), operation, findings);
        if let Some(output) = result.as_ref().map_or_else(|error| error.parts().output.as_ref(), Some) {
            self.learn(output);
        }
        result.map_err(|error| in_doubt(operation, self.connection.told(operation, &self.request, error)))
    }

    /// The operation.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    fn learn(&self, output: &Value) {
        for field in self.operation.output.iter().map(|output| &output.field) {
            self.connection.redactor().learn_output(field, output);
        }
    }

    fn item_shape(&self) -> Shape {
        let items = self.operation.output.iter().find(|output| matches!(output.field.source, Source::Items));
        match items.map(|output| output.field.shape) {
            Some(Shape::List(element)) => *element,
            _ => Shape::Any,
        }
    }

    fn follow(&mut self, link: &str) -> Result<String, Error> {
        let target = self.connection.rebase(link).map_err(|why| self.wrong(why))?;
        self.turn(target.clone())?;
        Ok(target)
    }

    /// Notes that another page follows.
    fn turn(&mut self, page: String) -> Result<(), Error> {
        if !self.pages.insert(page) {
            return Err(self.wrong("the service gives the same next page twice".to_owned()));
        }
        if self.pages.len() >= self.connection.settings().max_pages {
            return Err(self.wrong(format!("more than {} pages", self.connection.settings().max_pages)));
        }
        Ok(())
    }

    fn json(&self, answer: &Answer, reader: Reader<'_>) -> Result<Value, Error> {
        let told = |error| self.connection.told(self.operation, &self.request, error);
        let body = answer.read(reader).map_err(told)?;
        self.refuse_disguised(&body, answer.status)?;
        if self.operation.page.is_some() && !body.is_object() {
            return Err(self.wrong("the answer is not an object".to_owned()));
        }
        Ok(body)
    }

    /// Some services say in a 200 that it was none.
    fn refuse_disguised(&self, body: &Value, status: u16) -> Result<(), Error> {
        match self.operation.page {
            Some(page) if at(body, page.items).is_some() => Ok(()),
            Some(_) => {
                let error = self.connection.disguised_error(self.operation, &self.request, status, body);
                error.map_or(Ok(()), Err)
            }
            // A record may tell of an error among other things.
            None => self.connection.refuse_bare_error(self.operation, &self.request, status, body),
        }
    }

    fn wrong(&self, message: String) -> Error {
        let error = Error::new(ErrorKind::Protocol, message).advice_to_repeat(
            "try again; if it stays so, the service answers in a way that is not known here: report it",
        );
        self.connection.told(self.operation, &self.request, error)
    }
}

/// Whoever repeats a change that may have been made makes it twice: an error that leaves that open says so.
fn in_doubt(operation: &Operation, error: Error) -> Error {
    let parts = error.parts();
    if operation.effect == Effect::Read || operation.repeat == Repeat::Safe {
        return match parts.may_have_acted {
            true => error.may_have_acted(false).advice_to_repeat("try again later"),
            false => error,
        };
    }
    let open =
        parts.may_have_acted || matches!(parts.kind, ErrorKind::Server | ErrorKind::Timeout | ErrorKind::Protocol);
    if !open || (300..400).contains(&error.status()) {
        return error;
    }
    let more = "the service may have acted: find out what was done before repeating anything";
    let advice = match parts.advice.as_deref().filter(|_| !parts.advises_repeating) {
        None => more.to_owned(),
        Some(told) => format!("{more}; {told}"),
    };
    error.may_have_acted(true).advice(advice)
}

fn needs_body(operation: &Operation) -> bool {
    !operation.multi_status.is_empty()
        || operation.output.iter().any(|output| matches!(output.field.source, Source::Body(_) | Source::Key))
}

/// Takes the value at a path out of a value, without copying it.
fn take(mut value: Value, path: &[&str]) -> Value {
    for key in path {
        value = match value {
            Value::Object(mut fields) => fields.swap_remove(*key).unwrap_or_default(),
            _ => return Value::Null,
        };
    }
    value
}
