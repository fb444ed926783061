//! What is run: everything that a connector of this build can be asked for.

use connectome_core::connector::{Connector, Trigger};
use connectome_core::operation::{Effect, Operation, Repeat};
use connectome_core::page::Next;
use connectome_core::place::{Place, Source};
use connectome_core::snapshot::Snapshot;
use connectome_core::stream::Stream;
use connectome_graph::table::Graph;
use connectome_sim::Service;
use serde_json::Value;

use crate::input;

/// A row of the matrix.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The simulated service.
    pub service: &'static Service,
    /// What is asked of it.
    pub what: What,
}

/// What is asked of a service.
#[derive(Debug, Clone)]
pub enum What {
    /// An action with an input.
    Action(&'static Operation, Value),
    /// A round of a trigger with an input.
    Trigger(&'static Trigger, Value),
    /// What a stream holds.
    Stream(&'static Stream),
    /// What a list holds; the answers may be given later.
    Snapshot(&'static Snapshot, bool),
    /// A step on the way to a graph, by its number.
    Step(&'static Graph, usize),
}

/// What the service answers to the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Nothing that anybody looks at.
    Unread,
    /// JSON.
    Json,
    /// The bytes of a file.
    File,
}

impl Subject {
    /// Every row, connector by connector.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for service in connectome::SERVICES {
            let connector = service.connector;
            let mut add = |what| all.push(Self { service, what });
            connector.operations.iter().for_each(|it| add(What::Action(it, input::action(service, it))));
            connector.triggers.iter().for_each(|it| add(What::Trigger(it, input::trigger(service, it))));
            connector.streams.iter().for_each(|it| add(What::Stream(it)));
            for snapshot in connector.snapshots {
                add(What::Snapshot(snapshot, false));
                snapshot.deferred.iter().for_each(|_| add(What::Snapshot(snapshot, true)));
            }
            let graph = connectome::GRAPHS.iter().find(|(of, _)| of.name == connector.name);
            graph.iter().for_each(|(_, graph)| (0..graph.steps.len()).for_each(|step| add(What::Step(graph, step))));
        }
        all
    }

    /// The connector.
    pub fn connector(&self) -> &'static Connector {
        self.service.connector
    }

    /// Its name in the table.
    pub fn name(&self) -> String {
        match &self.what {
            What::Action(operation, _) => operation.name.to_owned(),
            What::Trigger(trigger, _) => trigger.name.to_owned(),
            What::Stream(stream) => stream.name.to_owned(),
            What::Snapshot(snapshot, false) => snapshot.name.to_owned(),
            What::Snapshot(snapshot, true) => format!("{} (deferred)", snapshot.name),
            What::Step(graph, step) => graph.steps[*step].name.to_owned(),
        }
    }

    /// What it is, in a word for the table.
    pub fn kind(&self) -> &'static str {
        match self.what {
            What::Action(..) => "actions",
            What::Trigger(..) => "triggers",
            What::Stream(..) => "streams",
            What::Snapshot(..) => "lists",
            What::Step(..) => "steps",
        }
    }

    /// The operation whose requests are made.
    pub fn operation(&self) -> &'static Operation {
        match &self.what {
            What::Action(operation, _) => operation,
            What::Trigger(trigger, _) => trigger.operation,
            What::Stream(stream) => stream.read,
            What::Snapshot(snapshot, _) => snapshot.read,
            What::Step(graph, step) => graph.steps[*step].operation,
        }
    }

    /// The beginning of the paths that faults are for.
    pub fn path(&self) -> &'static str {
        match self.what {
            // The other steps go on.
            What::Step(..) => self.operation().call.path,
            _ => "/",
        }
    }

    /// Whether another request comes before the operation's own.
    fn asks_before(&self) -> bool {
        let operation = self.operation();
        let counts = operation.cap.is_some_and(|cap| !cap.ask.is_empty());
        let capped = match self.what {
            What::Trigger(trigger, _) => counts && !trigger.uncapped,
            _ => counts,
        };
        capped || operation.poll.is_some_and(|poll| poll.call.is_some())
    }

    /// Whether the first request may be sent again when nobody knows what became of it.
    pub fn may_repeat(&self) -> bool {
        let polled = self.operation().poll.is_some();
        polled || self.asks_before() || self.operation().repeat == Repeat::Safe
    }

    /// Whether a second try may do harm.
    pub fn is_risky(&self) -> bool {
        self.operation().effect != Effect::Read && !self.may_repeat()
    }

    /// Whether this status counts as a success of the first request.
    pub fn takes(&self, status: u16) -> bool {
        self.operation().success.contains(&status)
    }

    /// What the answer to the first request is.
    pub fn body(&self) -> Body {
        let operation = self.operation();
        let from = |source: Source| matches!(source, Source::Body(_) | Source::Key);
        let json = operation.page.is_some()
            || self.asks_before()
            || operation.poll.is_some()
            || !operation.multi_status.is_empty()
            || operation.output.iter().any(|output| from(output.field.source));
        match operation.output.iter().any(|output| matches!(output.field.source, Source::File(_))) {
            _ if json => Body::Json,
            true => Body::File,
            false => Body::Unread,
        }
    }

    /// Whether pages are found by something that the answer holds.
    pub fn is_led(&self) -> bool {
        matches!(self.operation().page.map(|page| page.next), Some(Next::Link(_) | Next::Cursor { .. }))
    }

    /// How many elements the request has that are answered one by one.
    pub fn elements(&self) -> usize {
        let What::Action(operation, input) = &self.what else { return 0 };
        if operation.multi_status.is_empty() {
            return 0;
        }
        let listed = operation.input.fields.iter().find(|field| matches!(field.place, Place::BodyItems(_)));
        listed.and_then(|field| input[field.name].as_array()).map_or(1, Vec::len)
    }
}
