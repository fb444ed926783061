//! Streams of events, resolved: defaults are filled in, and what is done to an event is one list.

use serde_json::Value as Json;

use super::{Call, Page};
use crate::spec::stream::{End, Order, TimeForm};

/// A stream of events.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Stream {
    pub name: String,
    pub title: String,
    pub doc: String,
    pub note: Option<String>,
    /// Whether the vendor's document lists it.
    pub documented: bool,
    pub link: Option<String>,
    pub aliases: Vec<String>,
    pub on_request: bool,
    pub permission: String,
    pub call: Call,
    pub query: Vec<(String, Json)>,
    pub headers: Vec<(String, String)>,
    pub page: Page,
    /// Sizes of pages that the service takes, in ascending order.
    pub page_sizes: Vec<u64>,
    pub window: Window,
    pub order: Order,
    /// The fields that name an event; none when its content does.
    pub id: Vec<Vec<String>>,
    /// The field that says when an event happened.
    pub time: Vec<String>,
    /// The name under which that is delivered as well.
    pub deliver_time_as: String,
    pub late_by: u64,
    pub requests_per_minute: Option<u64>,
    pub expired: Option<Expired>,
    /// Statuses that pass, besides those that always do.
    pub passing: Vec<u64>,
    /// Everything that is done to an event, in this order.
    pub transforms: Vec<Transform>,
    /// An event as the service gives it.
    pub example: Option<Json>,
}

/// How a range of time is asked for.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Window {
    pub from: String,
    pub to: String,
    pub clock: Vec<String>,
    pub form: TimeForm,
    pub end: End,
    pub widest: Option<u64>,
    pub look_back: Option<u64>,
    pub step: u64,
    pub cap: u64,
    pub count: Option<Vec<String>>,
    pub slack: u64,
}

/// How the service says that a cursor is too old.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Expired {
    pub message: Option<String>,
    pub status: Vec<u64>,
}

/// A change to an event. In a path, the key `[]` stands for every element of a list.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Transform {
    Add(String, Json),
    Copy(String, Vec<String>),
    Join(Vec<String>),
    EpochToText(Vec<String>),
    FillNull(Vec<String>),
    Drop(Vec<String>),
}
