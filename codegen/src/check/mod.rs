//! Rules that a good spec keeps. A file each; a rule's name is a sentence that is true of a good spec.
//!
//! A rule says nothing about a name that `resolve` has already reported.

mod calls_are_complete;
mod connections_keep_secrets;
mod data_streams_hold_together;
mod defaults_fit;
mod demos_make_calls;
mod effects_are_honest;
mod entities_fit_their_classes;
mod examples_fit;
mod graphs_hang_together;
mod inputs_go_somewhere;
mod mapped_fields_have_a_type;
mod mappings_are_stages;
mod modellings_know_their_streams;
mod names_are_distinct;
mod pages_are_found;
mod simulators_know_their_calls;
mod snapshots_are_read_whole;
mod streams_have_a_clock;
mod types_have_no_cycle;
mod value;

use crate::diagnostic::Diagnostic;
use crate::model::Model;
use crate::read::{OneOrMore, Problems};
use crate::source::{Source, Span, Spanned};
use crate::spec::Spec;
use crate::spec::operation::Operation;

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
    connections_keep_secrets::check(subject);
    calls_are_complete::check(subject);
    inputs_go_somewhere::check(subject);
    types_have_no_cycle::check(subject);
    names_are_distinct::check(subject);
    effects_are_honest::check(subject);
    defaults_fit::check(subject);
    examples_fit::check(subject);
    pages_are_found::check(subject);
    streams_have_a_clock::check(subject);
    modellings_know_their_streams::check(subject);
    graphs_hang_together::check(subject);
    entities_fit_their_classes::check(subject);
    mappings_are_stages::check(subject);
    mapped_fields_have_a_type::check(subject);
    data_streams_hold_together::check(subject);
    snapshots_are_read_whole::check(subject);
    simulators_know_their_calls::check(subject);
    demos_make_calls::check(subject);
}

/// Stages and transforms run in order, so each says one verb.
fn one_verb(subject: &Subject<'_>, what: &str, verbs: &[(&'static str, Span)], whole: Span, known: &[&str]) {
    let known: Vec<String> = known.iter().map(|verb| format!("`{verb}`")).collect();
    match verbs {
        [_] => {}
        [] if subject.problems.misread(whole) => {}
        [] => subject.problems.push(
            Diagnostic::new("wrong-verb", whole, format!("this {what} does nothing"))
                .help(format!("say one of {}", known.join(", "))),
        ),
        [(first, _), (second, span), ..] => {
            subject.problems.push(
                Diagnostic::new("wrong-verb", *span, format!("this {what} says `{first}` and `{second}`"))
                    .help(format!("make it two, in the order that is meant: a {what} says one verb")),
            );
        }
    }
}

/// What a service refuses with is 400 or more.
fn refusals(subject: &Subject<'_>, statuses: &OneOrMore<Spanned<u64>>) {
    for status in statuses.0.iter().filter(|status| !(400..600).contains(&status.value)) {
        let message = format!("{} is not the status of a refusal", status.value);
        let told = Diagnostic::new("bad-limit", status.span, message);
        subject.problems.push(told.help("write statuses from 400 to 599"));
    }
}

/// Whether a key of the action itself is unknown: `inputs:` for `input:` leaves it without any.
fn misspelt(subject: &Subject<'_>, word: &Operation) -> bool {
    let fields: Vec<Span> = word
        .input
        .iter()
        .map(|(_, it)| &it.common)
        .chain(word.output.iter().map(|(_, it)| &it.common))
        .map(|it| it.rules.span)
        .collect();
    subject.problems.misspelt(word.span, &fields)
}
