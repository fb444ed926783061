//! A data stream has a mapping and forgets nothing too early; its dashboards show fields that its documents have.

use std::collections::BTreeSet;

use super::Subject;
use crate::diagnostic::{Diagnostic, nearest};
use crate::resolve::text::unknown;
use crate::spec::dashboard::{Dashboard, Panel};
use crate::spec::data_stream::{DataStream, Latest};
use crate::spec::mapping::{Mapping, Stage};
use crate::spec::{Name, Spec};

/// How much longer than the time between two polls a latest document is kept: what a poll and the transform may take.
const MARGIN: u64 = 2 * 3600;
/// How many columns a dashboard has.
const COLUMNS: u64 = 48;

pub fn check(subject: &Subject<'_>) {
    for spec in subject.specs {
        for (_, stream) in spec.file.data_streams.iter() {
            data_stream(subject, spec, stream);
        }
    }
}

fn data_stream(subject: &Subject<'_>, spec: &Spec, stream: &DataStream) {
    let problems = subject.problems;
    if let Some(connection) = &spec.file.connection
        && connection.parameters.get(&stream.namespace.value).is_none()
        && !problems.misread(stream.namespace.span)
    {
        let known = connection.parameters.names();
        problems.push(unknown("unknown-parameter", "parameter", &stream.namespace.value, stream.namespace.span, known));
    }
    if let Some(name) = &stream.failures {
        failures(subject, stream, name);
    }
    let Some(mapping) = spec.file.mappings.get(&stream.mapping.value) else {
        if !problems.misread(stream.mapping.span) {
            let known = spec.file.mappings.names();
            problems.push(unknown("unknown-mapping", "mapping", &stream.mapping.value, stream.mapping.span, known));
        }
        return;
    };
    let fields = Fields::of(mapping);
    if let Some(latest) = &stream.latest {
        self::latest(subject, &fields, stream, latest);
    }
    for (_, dashboard) in stream.dashboards.iter() {
        self::dashboard(subject, &fields, stream, dashboard);
    }
}

/// The fields that documents of a mapping have.
struct Fields<'a> {
    typed: Vec<&'a str>,
    /// Fields that are removed whatever the user sets.
    removed: BTreeSet<String>,
}

impl<'a> Fields<'a> {
    fn of(mapping: &'a Mapping) -> Self {
        let mut removed = BTreeSet::new();
        gone(&mapping.stages, &mut removed);
        Self { typed: mapping.fields.names().collect(), removed }
    }

    fn hold(&self, subject: &Subject<'_>, name: &Name) {
        if subject.problems.misread(name.span) {
            return;
        }
        if !self.typed.contains(&name.value.as_str()) {
            let near = nearest(&name.value, self.typed.iter().copied());
            let help = near.map_or_else(
                || "name a field that the mapping's `fields` gives a type".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("`{}` has no type", name.value);
            subject.problems.push(Diagnostic::new("field-without-type", name.span, message).help(help));
        } else if self.removed.contains(&name.value) {
            subject.problems.push(
                Diagnostic::new("removed-field", name.span, format!("no document has `{}`", name.value))
                    .label("the mapping removes it")
                    .help("show a field to which the mapping copies it, or leave it where it is"),
            );
        }
    }
}

fn gone(stages: &[Stage], removed: &mut BTreeSet<String>) {
    for stage in stages.iter().filter(|stage| stage.asked.is_none()) {
        let within = stage.within.as_ref().map(|name| format!("{}.", name.value)).unwrap_or_default();
        removed.extend(stage.remove.iter().map(|name| format!("{within}{}", name.value)));
        gone(&stage.stages, removed);
    }
}

fn latest(subject: &Subject<'_>, fields: &Fields<'_>, stream: &DataStream, latest: &Latest) {
    for name in latest.unique_key.iter().chain([&latest.sort, &latest.sync]).chain(&latest.mark) {
        fields.hold(subject, name);
    }
    let least = stream.every.0 + MARGIN;
    if latest.max_age.value.0 < least && !subject.problems.misread(latest.span) {
        let message = "the index of the latest documents is empty before the next poll fills it again";
        subject.problems.push(
            Diagnostic::new("short-retention", latest.max_age.span, message)
                .label(format!("polls are {} hours apart", stream.every.0.div_ceil(3600)))
                .help(format!("keep documents for {}h or more: two hours longer than `every`", least.div_ceil(3600))),
        );
    }
}

fn failures(subject: &Subject<'_>, stream: &DataStream, name: &Name) {
    let problem = if subject.problems.misread(name.span) {
        return;
    } else if stream.failed().is_none() {
        Diagnostic::new("wrong-kind", name.span, format!("`{}` is not the name of a data stream", name.value))
            .help("write a type and a data set with one hyphen between them, as `logs-acme.failed`")
    } else if name.value == stream.name {
        Diagnostic::new("name-clash", name.span, format!("`{}` is where the documents are", name.value))
            .help("name another data stream: what could not be mapped has other fields")
    } else {
        return;
    };
    subject.problems.push(problem);
}

fn dashboard(subject: &Subject<'_>, fields: &Fields<'_>, stream: &DataStream, dashboard: &Dashboard) {
    let filters = dashboard.filters.iter().chain(dashboard.without.iter()).map(|(field, _)| field);
    for field in filters.chain(dashboard.controls.iter().map(|(_, field)| field)) {
        fields.hold(subject, field);
    }
    for panel in &dashboard.panels {
        super::one_verb(subject, "panel", &panel.verbs, panel.span, &Panel::VERBS);
        let shown = [&panel.pie, &panel.bar, &panel.table, &panel.line, &panel.sum, &panel.split];
        for field in shown.into_iter().flatten().chain(panel.filters.iter().map(|(field, _)| field)) {
            fields.hold(subject, field);
        }
        for link in panel.links.iter().filter(|link| stream.dashboards.get(&link.value).is_none()) {
            let known = stream.dashboards.names();
            subject.problems.push(unknown("unknown-dashboard", "dashboard", &link.value, link.span, known));
        }
        place(subject, panel);
    }
}

fn place(subject: &Subject<'_>, panel: &Panel) {
    let fits = match panel.at.as_slice() {
        [column, _, width, height] => *width > 0 && *height > 0 && column + width <= COLUMNS,
        _ => false,
    };
    if !fits && !subject.problems.misread(panel.span) {
        subject.problems.push(
            Diagnostic::new("wrong-kind", panel.span, "the panel does not say where it is on the dashboard")
                .help("write `at: [COLUMN, ROW, WIDTH, HEIGHT]`, within 48 columns"),
        );
    }
}
