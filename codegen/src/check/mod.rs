//! Rules that a good spec keeps. A file each; a rule's name is a sentence that is true of a good spec.
//!
//! A rule says nothing about a name that `resolve` has already reported.

mod calls_are_complete;
mod defaults_fit;
mod effects_are_honest;
mod examples_fit;
mod graphs_hang_together;
mod inputs_go_somewhere;
mod mappings_are_stages;
mod names_are_distinct;
mod simulators_know_their_calls;
mod streams_have_a_clock;
mod types_have_no_cycle;
mod value;

use crate::model::Model;
use crate::read::Problems;
use crate::source::Source;
use crate::spec::Spec;

/// What rules look at.
pub struct Subject<'a> {
    /// The specs as written.
    pub specs: &'a [Spec],
    /// The specs, resolved.
    pub model: &'a Model,
    /// The files.
    pub sources: &'a [Source],
    /// Where mistakes go.
    pub problems: &'a Problems,
}

/// Applies every rule.
pub fn check(subject: &Subject<'_>) {
    calls_are_complete::check(subject);
    inputs_go_somewhere::check(subject);
    types_have_no_cycle::check(subject);
    names_are_distinct::check(subject);
    effects_are_honest::check(subject);
    defaults_fit::check(subject);
    examples_fit::check(subject);
    streams_have_a_clock::check(subject);
    graphs_hang_together::check(subject);
    mappings_are_stages::check(subject);
    simulators_know_their_calls::check(subject);
}
