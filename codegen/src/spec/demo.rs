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
            input: map.optional("input", "Its input; `{name}` stands for a value that an earlier scene kept, `{day_ago}` for the time a day ago."),
            keep: map.many("keep", "Values of the result that later scenes name, by path: `{ task: multi_response.0.task_id }`."),
            show: map.many("show", "What to show of the result: paths such as `status`, or `alerts[3]: id, severity` for three rows of a list."),
            ends: map.optional("ends", "How the scene ends; `well` when left out.").unwrap_or(Ending::Well),
            span: map.span(),
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
