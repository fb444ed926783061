//! A demonstration: a few calls against the simulated service, in the order in which somebody would make them.

use crate::choice;
use crate::read::{Literal, Map, Names, Word};
use crate::source::Span;
use crate::spec::Name;

/// One scene: a call, what it is for, and what to show of its result.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What happens, in a sentence.
    pub say: String,
    /// The action.
    pub action: Option<Name>,
    /// The trigger.
    pub trigger: Option<Name>,
    /// Whether the account is read as a graph.
    pub sync: bool,
    /// Whether its streams are collected.
    pub collect: bool,
    /// What somebody changes in the service meanwhile.
    pub change: Option<Change>,
    /// Its input.
    pub input: Option<Literal>,
    /// Values of the result that later scenes name.
    pub keep: Names<Name>,
    /// What to show of the result.
    pub show: Vec<Name>,
    /// How it ends.
    pub ends: Ending,
    /// Where it stands.
    pub span: Span,
}

impl Word for Scene {
    const NAME: &'static str = "scene";

    fn read(map: &Map<'_>) -> Self {
        Scene {
            say: map.required("say", "What happens, in a sentence."),
            action: map.optional("action", "The action that is run."),
            trigger: map.optional("trigger", "The trigger of which a round is run."),
            sync: map.flag("sync", "The account is read as a graph; from the second time on, what changed is shown."),
            collect: map.flag("collect", "Its streams are collected by a process that is killed on the way and started again; what came is compared with what happened."),
            change: map.optional("change", "What somebody changes in the service meanwhile."),
            input: map.optional("input", "Its input; `{name}` stands for a value that an earlier scene kept, `{day_ago}` for the time a day ago."),
            keep: map.many("keep", "Values of the result that later scenes name, by path: `{ task: multi_response.0.task_id }`."),
            show: map.many("show", "What to show of the result: paths such as `status`, or `alerts[3]: id, severity` for three rows of a list."),
            ends: map.optional("ends", "How the scene ends; `well` when left out.").unwrap_or(Ending::Well),
            span: map.span(),
        }
    }
}

/// What somebody changes in the simulated service.
#[derive(Debug, Clone)]
pub struct Change {
    /// The collection.
    pub of: Name,
    /// The key of the record.
    pub record: String,
    /// Fields and their new values; without any, the record goes.
    pub set: Names<Literal>,
}

impl Word for Change {
    const NAME: &'static str = "change";

    fn read(map: &Map<'_>) -> Self {
        Change {
            of: map.required("of", "The collection of the simulated service."),
            record: map.required("record", "The key of the record."),
            set: map.many("set", "Fields of the record and their new values; without any, the record is removed."),
        }
    }
}

choice! {
    /// How a scene ends.
    Ending, "an ending" {
        Well = "well" = "With a result.",
        Partly = "partly" = "With some elements done and some not.",
    }
}
