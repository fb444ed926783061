//! A stream of events as data: how a window of time is asked for, what an event is, what is changed in it.

use crate::operation::Operation;
use crate::shape::Literal;

/// Events that are collected continuously.
#[derive(Debug, Clone, Copy)]
pub struct Stream {
    /// Its name in commands.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Other names for it in commands.
    pub aliases: &'static [&'static str],
    /// The permission it needs, as the vendor names it.
    pub permission: &'static str,
    /// Whether it is collected only when it is named.
    pub on_request: bool,
    /// The call that reads a window; its page says where the events are and how the next page is found.
    pub read: &'static Operation,
    /// Page sizes that the service takes, in ascending order; empty when it takes any, or takes none.
    pub page_sizes: &'static [u64],
    /// How a window is asked for.
    pub window: Window,
    /// What an event is.
    pub event: Event,
    /// How long after its time an event may still appear, in seconds.
    pub late_by: u64,
    /// The greatest number of requests in a minute.
    pub requests_per_minute: Option<u64>,
    /// How the service says that a cursor is too old.
    pub expired: Option<Expired>,
    /// What is changed in each event before it is delivered, in this order.
    pub transforms: &'static [Transform],
}

/// How a window of time is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The query parameter of the start.
    pub from: &'static str,
    /// The query parameter of the end.
    pub to: &'static str,
    /// The widest range that the service answers, in seconds.
    pub widest: Option<u64>,
    /// How far back the service remembers, in seconds.
    pub look_back: Option<u64>,
    /// The widest window that is asked for, in seconds.
    pub step: u64,
    /// A window with more events than this is halved.
    pub cap: u64,
    /// The path of the number of events in the window, where the service counts.
    pub count: Option<&'static [&'static str]>,
    /// How far both ends are moved outwards, in seconds, where it is in doubt which of them belong to the window.
    pub slack: u64,
}

/// What an event is.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// The fields that name it together; empty when its content does.
    pub id: &'static [&'static [&'static str]],
    /// The field that the window is about.
    pub clock: &'static [&'static str],
    /// How that field is written.
    pub form: TimeForm,
    /// The field in which an event's time is delivered, and which an event without a time gets as well.
    pub time: &'static str,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    /// Text as `2024-06-11T07:12:44Z`.
    Rfc3339,
    /// Milliseconds since 1970.
    EpochMs,
    /// Seconds since 1970.
    EpochS,
}

/// How the service says that a cursor is too old. Each of what is said must hold.
#[derive(Debug, Clone, Copy)]
pub struct Expired {
    /// Words of the error's text, in any case.
    pub message: Option<&'static str>,
    /// The statuses; empty for any that is an error.
    pub status: &'static [u16],
}

/// A change to an event. None of them can fail: what it does not fit stays as it was.
///
/// In a path, the key `[]` stands for every element of a list.
#[derive(Debug, Clone, Copy)]
pub enum Transform {
    /// A constant at the top.
    Add(&'static str, Literal),
    /// The value at a path, under another name at the top.
    Copy(&'static str, &'static [&'static str]),
    /// A list that becomes one text with commas; lists in it are flattened.
    Join(&'static [&'static str]),
    /// A number of milliseconds that becomes text with whole seconds.
    EpochToText(&'static [&'static str]),
    /// Fields at the top that are set to null when they are absent.
    FillNull(&'static [&'static str]),
    /// A value that is left out.
    Drop(&'static [&'static str]),
}
