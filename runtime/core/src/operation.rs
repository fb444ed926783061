//! An operation as data: everything the runtime needs to run it, and the simulator to answer it.

use crate::page::Page;
use crate::shape::{Literal, Record};

/// One thing that can be asked of a service.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Its name in commands.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it changes.
    pub effect: Effect,
    /// Whether doing it twice is the same as doing it once.
    pub repeat: Repeat,
    /// What the caller must be allowed to do: apps and their permissions.
    pub permissions: &'static [(&'static str, &'static [&'static str])],
    /// The request.
    pub call: Call,
    /// Query parameters that are always sent.
    pub query: &'static [(&'static str, Literal)],
    /// What a JSON body always holds, as a JSON object.
    pub body: Option<Literal>,
    /// Headers that are always sent.
    pub headers: &'static [(&'static str, &'static str)],
    /// Statuses that mean success.
    pub success: &'static [u16],
    /// Whether the body is a list that holds the object of the inputs.
    pub array_of_one: bool,
    /// Statuses of a multi-status list's elements that mean success; empty when the answer is no such list.
    pub multi_status: &'static [u16],
    /// The header of such an element that names the task it started.
    pub multi_status_task: Option<&'static str>,
    /// Whether keys of the body that no output takes are given as well.
    pub keep_unlisted: bool,
    /// Statuses that pass, besides those that always do: a request that may be repeated is.
    pub passing: &'static [u16],
    /// How further pages are found.
    pub page: Option<Page>,
    /// How many results are too many.
    pub cap: Option<Cap>,
    /// A task that is waited for.
    pub poll: Option<Poll>,
    /// Pairs of inputs of which the first must not be later than the second.
    pub ordered: &'static [(&'static str, &'static str)],
    /// What it takes.
    pub input: &'static Record,
    /// What it gives.
    pub output: &'static [Output],
}

/// Method and path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path below the base, with `{input}` for path parameters.
    pub path: &'static str,
}

impl Call {
    /// A `GET`.
    pub const fn get(path: &'static str) -> Self {
        Self { method: Method::Get, path }
    }

    /// A `POST`.
    pub const fn post(path: &'static str) -> Self {
        Self { method: Method::Post, path }
    }

    /// A `PUT`.
    pub const fn put(path: &'static str) -> Self {
        Self { method: Method::Put, path }
    }

    /// A `PATCH`.
    pub const fn patch(path: &'static str) -> Self {
        Self { method: Method::Patch, path }
    }

    /// A `DELETE`.
    pub const fn delete(path: &'static str) -> Self {
        Self { method: Method::Delete, path }
    }
}

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// As on the wire.
    pub fn text(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// What an operation changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Read,
    /// Something that is easily put back.
    Write,
    /// Something that people notice, or that cannot be put back.
    Destructive,
}

/// Whether doing it twice is the same as doing it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It is: sent again after any passing trouble.
    Safe,
    /// It is not: sent again only when the service surely did not act.
    Unsafe,
}

/// How many results are too many.
#[derive(Debug, Clone, Copy)]
pub struct Cap {
    /// The path of their number.
    pub count: &'static [&'static str],
    /// The greatest number that is fetched.
    pub at_most: u64,
    /// Query parameters of a request that only counts; without them the first page's own count is read.
    pub ask: &'static [(&'static str, Literal)],
}

/// A task that is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Poll {
    /// The path of the call that tells its state; the operation's own when absent.
    pub call: Option<&'static str>,
    /// Where the state is.
    pub status: &'static [&'static str],
    /// States in which it goes on.
    pub pending: &'static [&'static str],
    /// States that end the operation with an error.
    pub failed: &'static [&'static str],
    /// The input that says whether to wait.
    pub when: Option<&'static str>,
    /// The input that says how many seconds at most.
    pub seconds: Option<&'static str>,
    /// The first pause, in seconds.
    pub every: u64,
    /// The longest pause, in seconds.
    pub slowest: u64,
}

/// What an operation gives.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// The value and where it comes from.
    pub field: crate::shape::Field,
    /// The key it is nested under.
    pub wrap: Option<&'static str>,
}

impl Output {
    /// An output that is not nested.
    pub const fn of(field: crate::shape::Field) -> Self {
        Self { field, wrap: None }
    }

    /// An output nested under a key.
    pub const fn wrapped(field: crate::shape::Field, key: &'static str) -> Self {
        Self { field, wrap: Some(key) }
    }
}

impl Operation {
    /// A read that takes and gives nothing; fill in the rest with `..Operation::named("…")`.
    pub const fn named(name: &'static str) -> Self {
        const NOTHING: Record = Record::named("input");
        Self {
            name,
            title: name,
            effect: Effect::Read,
            repeat: Repeat::Unsafe,
            permissions: &[],
            call: Call::get("/"),
            query: &[],
            body: None,
            headers: &[],
            success: &[200],
            array_of_one: false,
            multi_status: &[],
            multi_status_task: None,
            keep_unlisted: false,
            passing: &[],
            page: None,
            cap: None,
            poll: None,
            ordered: &[],
            input: &NOTHING,
            output: &[],
        }
    }

    /// What the caller must be allowed to do, in one line.
    pub fn permission_text(&self) -> String {
        let apps: Vec<String> =
            self.permissions.iter().map(|(app, names)| format!("{app}: {}", names.join("; "))).collect();
        apps.join(" · ")
    }
}
