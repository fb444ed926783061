//! What went wrong: to which request, what the service said, and what to do next.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::validate::Violation;

/// Why something did not work. Boxed inside, so that results stay small.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

/// The parts of an [`Error`].
#[derive(Clone)]
pub struct Inner {
    /// The kind, which decides the exit code.
    pub kind: ErrorKind,
    /// The operation, if one was being run.
    pub operation: Option<&'static str>,
    /// Method and URL of the request, if one was sent.
    pub request: Option<String>,
    /// What happened.
    pub message: String,
    /// What the service said.
    pub service: Option<ServiceError>,
    /// What to do next.
    pub advice: Option<String>,
    /// What was wrong with the input.
    pub violations: Vec<Violation>,
    /// Every element of a multi-status answer, so that no started task is lost.
    pub items: Vec<Item>,
    /// What the operation gave before it failed: a half-done write still has a result.
    pub output: Option<Value>,
    /// Whether the reader of the output has seen enough, as `head` has.
    pub is_closed_pipe: bool,
    /// Whether something may have been done although nobody told of it: whoever repeats a change may make it twice.
    pub may_have_acted: bool,
    /// Whether the advice is to do the same again.
    pub advises_repeating: bool,
}

/// What is said when the reader of an output has gone.
pub const CLOSED_PIPE: &str = "the reader of the output has gone";

/// The kind of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The input breaks its rules. Nothing was sent.
    Input,
    /// Settings, files or this machine's clock are wrong. Nothing was asked for but, at most, whether the connection works.
    Configuration,
    /// The search matches more than is fetched.
    TooMany,
    /// The service could not be reached.
    Connect,
    /// There is no secure connection: the service's certificate is not trusted, or it speaks no TLS.
    Tls,
    /// The service does not know the caller.
    Auth,
    /// The caller may not do this.
    Permission,
    /// There is no such thing.
    NotFound,
    /// It changed since it was read.
    Conflict,
    /// The request is larger than the service takes.
    TooLarge,
    /// Too many requests.
    RateLimited,
    /// The service refused the request as wrong.
    Invalid,
    /// No answer in time.
    Timeout,
    /// The service failed.
    Server,
    /// Some of it worked and some did not.
    Partial,
    /// The answer makes no sense.
    Protocol,
    /// The task that was waited for failed.
    TaskFailed,
    /// The task that was waited for did not end in time.
    TaskTimeout,
    /// A file or database could not be read or written.
    Storage,
    /// Somebody stopped it.
    Interrupted,
}

impl ErrorKind {
    /// The exit code of a command that ends this way.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::Input | ErrorKind::Configuration => 2,
            ErrorKind::Partial => 3,
            ErrorKind::Interrupted => 130,
            _ => 1,
        }
    }

    /// Whether trouble of this kind passes by itself, whatever was asked: the same may work later.
    pub fn is_passing(self) -> bool {
        matches!(self, ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Server | ErrorKind::RateLimited)
    }

    /// As in JSON.
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(name)) => name,
            _ => String::new(),
        }
    }
}

/// What a service says when it refuses.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ServiceError {
    /// The status.
    pub status: u16,
    /// Its short name, if it has one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// Its text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Its number, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
}

/// One element of a multi-status answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// Its place in the request's list, from 0.
    pub index: usize,
    /// Its status.
    pub status: u16,
    /// The task that it started, or the one already running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ServiceError>,
}

/// All but the output, which may hold secrets: a half-done write can have made a key.
impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, operation, request, message, service, advice, violations, items, output, .. } = self;
        f.debug_struct("Inner")
            .field("kind", kind)
            .field("operation", operation)
            .field("request", request)
            .field("message", message)
            .field("service", service)
            .field("advice", advice)
            .field("violations", violations)
            .field("items", items)
            .field("output", &output.as_ref().map(|_| "not shown"))
            .field("is_closed_pipe", &self.is_closed_pipe)
            .field("may_have_acted", &self.may_have_acted)
            .field("advises_repeating", &self.advises_repeating)
            .finish()
    }
}

impl Error {
    /// An error of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            request: None,
            message: message.into(),
            service: None,
            advice: None,
            violations: Vec::new(),
            items: Vec::new(),
            output: None,
            is_closed_pipe: false,
            may_have_acted: false,
            advises_repeating: false,
        }))
    }

    /// An output that cannot be written, or whose reader has gone.
    pub fn unwritten(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            let mut closed = Self::new(ErrorKind::Storage, CLOSED_PIPE);
            closed.0.is_closed_pipe = true;
            return closed;
        }
        Self::new(ErrorKind::Storage, format!("the output cannot be written: {error}"))
            .advice("check the disk or the pipe that it goes to")
    }

    /// Says what to do next.
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self.0.advises_repeating = false;
        self
    }

    /// Says what to do next, which is to do the same again.
    pub fn advice_to_repeat(self, advice: impl Into<String>) -> Self {
        let mut error = self.advice(advice);
        error.0.advises_repeating = true;
        error
    }

    /// Says whether something may have been done although nobody told of it.
    pub fn may_have_acted(mut self, may_have_acted: bool) -> Self {
        self.0.may_have_acted = may_have_acted;
        self
    }

    /// Says which operation it was.
    pub fn operation(mut self, name: &'static str) -> Self {
        self.0.operation = Some(name);
        self
    }

    /// Says which request it was.
    pub fn request(mut self, request: impl Into<String>) -> Self {
        self.0.request.get_or_insert(request.into());
        self
    }

    /// Adds what the service said.
    pub fn service(mut self, service: ServiceError) -> Self {
        self.0.service = Some(service);
        self
    }

    /// Adds what was wrong with the input.
    pub fn violations(mut self, violations: Vec<Violation>) -> Self {
        self.0.violations = violations;
        self
    }

    /// Adds the elements of a multi-status answer.
    pub fn items(mut self, items: Vec<Item>) -> Self {
        self.0.items = items;
        self
    }

    /// Adds what the operation gave before it failed.
    pub fn output(mut self, output: Value) -> Self {
        self.0.output = Some(output);
        self
    }

    /// Changes the kind.
    pub fn with_kind(mut self, kind: ErrorKind, message: impl Into<String>) -> Self {
        self.0.kind = kind;
        self.0.message = message.into();
        self
    }

    /// The status of the service's answer; 0 when it said nothing.
    pub fn status(&self) -> u16 {
        self.0.service.as_ref().map_or(0, |service| service.status)
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The parts.
    pub fn parts(&self) -> &Inner {
        &self.0
    }

    /// Passes every text through a function, to take secrets out.
    pub fn clean(mut self, clean: impl Fn(&str) -> String) -> Self {
        let inner = &mut self.0;
        inner.message = clean(&inner.message);
        inner.request = inner.request.as_deref().map(&clean);
        inner.advice = inner.advice.as_deref().map(&clean);
        let services = inner.service.iter_mut().chain(inner.items.iter_mut().filter_map(|item| item.error.as_mut()));
        for service in services {
            service.message = clean(&service.message);
            service.code = clean(&service.code);
        }
        for violation in &mut inner.violations {
            violation.found = clean(&violation.found);
        }
        self
    }

    /// The error as JSON, for `--output json`.
    pub fn to_json(&self) -> Value {
        let inner = &self.0;
        let mut error = serde_json::json!({ "kind": inner.kind, "message": inner.message });
        let mut put = |key: &str, value: Value| {
            error[key] = value;
        };
        if let Some(operation) = inner.operation {
            put("operation", Value::from(operation));
        }
        if let Some(request) = &inner.request {
            put("request", Value::from(request.as_str()));
        }
        if let Some(service) = &inner.service {
            put("service", serde_json::to_value(service).unwrap_or_default());
        }
        if let Some(advice) = &inner.advice {
            put("advice", Value::from(advice.as_str()));
        }
        if inner.may_have_acted {
            put("may_have_acted", Value::from(true));
        }
        if !inner.violations.is_empty() {
            put("violations", serde_json::to_value(&inner.violations).unwrap_or_default());
        }
        if !inner.items.is_empty() {
            put("items", serde_json::to_value(&inner.items).unwrap_or_default());
        }
        serde_json::json!({ "error": error })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let Some(operation) = inner.operation {
            write!(f, "{operation}: ")?;
        }
        write!(f, "{}", inner.message)?;
        for violation in &inner.violations {
            write!(f, "\n  {violation}")?;
        }
        for item in &inner.items {
            write!(f, "\n  item {}: {}", item.index, item.status)?;
            if let Some(task) = &item.task_id {
                write!(f, ", task {task}")?;
            }
            if let Some(error) = &item.error {
                write!(f, ", {}", said(error))?;
            }
        }
        if let Some(request) = &inner.request {
            write!(f, "\n  request: {request}")?;
        }
        if let Some(service) = &inner.service {
            write!(f, "\n  answer: {} {}", service.status, said(service))?;
        }
        if let Some(advice) = &inner.advice {
            write!(f, "\n  what to do: {advice}")?;
        }
        Ok(())
    }
}

fn said(service: &ServiceError) -> String {
    // There are services whose short name is the number.
    let number = service.number.map(|number| number.to_string()).filter(|number| *number != service.code);
    let number = number.map(|number| format!(" ({number})")).unwrap_or_default();
    match (service.code.is_empty(), service.message.is_empty()) {
        (true, true) => "without a reason".to_owned(),
        (false, true) => format!("{}{number}", service.code),
        (true, false) => format!("{}{number}", service.message),
        (false, false) => format!("{}{number}: {}", service.code, service.message),
    }
}

impl std::error::Error for Error {}
