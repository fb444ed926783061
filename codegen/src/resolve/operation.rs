//! Actions and triggers.

use super::{Scope, field, page, text};
use crate::diagnostic::Diagnostic;
use crate::model::{self, Cap, Field, Operation, Place, Poll, Source, Trigger, Type, Window};
use crate::read::{Literal, Names};
use crate::source::Span;
use crate::spec::exchange::{BodyForm, Exchange};
use crate::spec::field::{Document, Input, Output};
use crate::spec::{self, Name};

/// An action.
pub fn action(scope: &mut Scope<'_>, name: &Name, word: &spec::operation::Operation) -> Operation {
    let exchange = &word.exchange;
    let names: Vec<&str> = word.input.names().collect();
    let input: Vec<Field> =
        word.input.iter().map(|(field, input)| self::input(scope, name, &names, field, input)).collect();
    let output: Vec<Field> = word
        .output
        .iter()
        .map(|(field, output)| self::output(scope, name, field, output, exchange, word.span))
        .collect();
    let (sources, problems) = (scope.sources, scope.problems);
    let permissions = permissions(&word.permissions);
    let document_permissions = word
        .document
        .as_ref()
        .and_then(|document| document_permissions(scope, document))
        .unwrap_or_else(|| permissions.clone());
    Operation {
        name: name.value.clone(),
        title: word.title.clone(),
        doc: word.doc.clone(),
        note: word.note.clone(),
        effect: word.effect.value,
        repeat: word.repeat,
        undo: word.undo.as_ref().map(|undo| known_action(scope, undo)),
        permissions,
        document_permissions,
        call: text::call(&exchange.call, sources, problems),
        query: literals(&exchange.query),
        headers: exchange.headers.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect(),
        success: if exchange.success.0.is_empty() { vec![200] } else { exchange.success.0.clone() },
        array_of_one: exchange.body_form == Some(BodyForm::ArrayOfOne),
        multi_status: exchange.multi_status.as_ref().map(|it| it.success.0.clone()).unwrap_or_default(),
        multi_status_task: exchange.multi_status.as_ref().and_then(|it| it.task.as_ref()).map(|it| it.value.clone()),
        keep_unlisted: exchange.keep_unlisted,
        page: exchange.page.as_ref().map(|page| page::page(page, scope.problems)),
        cap: exchange.cap.as_ref().map(|cap| Cap {
            count: text::checked_path(&cap.count, problems),
            at_most: cap.at_most,
            ask: literals(&cap.ask),
        }),
        poll: exchange.poll.as_ref().map(|poll| self::poll(scope, poll, &input)),
        ordered: exchange.ordered.iter().filter_map(|pair| ordered(scope, pair, &names)).collect(),
        send_first: exchange
            .send_first
            .iter()
            .map(|said| {
                let choice = text::conditional(said, sources, problems);
                known_input(scope, &Name::new(choice.name.clone(), said.span.narrow(sources, &choice.name)), &names);
                choice
            })
            .collect(),
        example: word.example.as_ref().map(example),
        span: name.span,
        file: sources[name.span.file as usize].path.clone(),
        input,
        output,
    }
}

fn known_action(scope: &Scope<'_>, name: &Name) -> String {
    if scope.spec.file.actions.get(&name.value).is_none() && !scope.problems.misread(name.span) {
        scope.problem(text::unknown(
            "unknown-action",
            "action",
            &name.value,
            name.span,
            scope.spec.file.actions.names(),
        ));
    }
    name.value.clone()
}

/// Tells of the name of an input that an operation with these inputs does not take.
fn known_input(scope: &Scope<'_>, name: &Name, inputs: &[&str]) {
    if !inputs.contains(&name.value.as_str()) && !scope.problems.misread(name.span) {
        let known = inputs.iter().copied();
        scope.problem(text::unknown("unknown-input", "input", &name.value, name.span, known));
    }
}

fn names(inputs: &[Field]) -> Vec<&str> {
    inputs.iter().map(|input| input.name.as_str()).collect()
}

fn permissions(words: &Names<Vec<Name>>) -> Vec<(String, Vec<String>)> {
    words
        .iter()
        .map(|(app, names)| (app.value.clone(), names.iter().map(|name| name.value.clone()).collect()))
        .collect()
}

/// The permissions as the vendor's document has them, where it is wrong.
fn document_permissions(scope: &Scope<'_>, document: &Document) -> Option<Vec<(String, Vec<String>)>> {
    let said = document.cell("permissions")?;
    match serde_json::from_value::<Option<serde_json::Map<String, serde_json::Value>>>(said.value.clone()) {
        Ok(apps) => Some(
            apps.unwrap_or_default()
                .into_iter()
                .map(|(app, names)| {
                    (
                        app,
                        names
                            .as_array()
                            .into_iter()
                            .flatten()
                            .filter_map(|it| it.as_str().map(str::to_owned))
                            .collect(),
                    )
                })
                .collect(),
        ),
        Err(_) => {
            scope.problem(
                Diagnostic::new("wrong-kind", said.span(), "expected permissions by app, or `null` for none")
                    .label(format!("this is {}", said.node.kind()))
                    .help("write `permissions: null` when the document lists none"),
            );
            None
        }
    }
}

fn literals(words: &Names<Literal>) -> Vec<(String, serde_json::Value)> {
    words.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect()
}

fn example(word: &spec::operation::Example) -> model::Example {
    model::Example {
        input: Some(word.input.value.clone()).filter(|value| !value.is_null()),
        output: word.output.as_ref().map(|it| it.value.clone()),
        departs: word.departs.clone(),
    }
}

fn poll(scope: &Scope<'_>, word: &spec::exchange::Poll, inputs: &[Field]) -> Poll {
    for (key, name, expected, what) in
        [("when", &word.when, Type::Boolean, "boolean"), ("seconds", &word.seconds, Type::Float, "float")]
    {
        let Some(name) = name else { continue };
        known_input(scope, name, &names(inputs));
        if let Some(input) = inputs.iter().find(|input| input.name == name.value)
            && input.ty != expected
            && !field::is_unknown(input)
        {
            scope.problem(wrong_type(key, what, name, input));
        }
    }
    let state_names = |names: &[Name]| names.iter().map(|name| name.value.clone()).collect::<Vec<_>>();
    Poll {
        call: word.call.as_ref().map(|call| text::call(call, scope.sources, scope.problems)),
        status: text::checked_path(&word.status, scope.problems),
        pending: state_names(&word.pending),
        failed: state_names(&word.failed),
        when: word.when.as_ref().map(|name| name.value.clone()),
        seconds: word.seconds.as_ref().map(|name| name.value.clone()),
        every: word.every.0.max(1),
        slowest: word.slowest.0.max(word.every.0).max(1),
    }
}

fn wrong_type(key: &str, expected: &str, name: &Name, input: &Field) -> Diagnostic {
    Diagnostic::new(
        "wrong-input-type",
        name.span,
        format!(
            "`{key}` takes an input of type `{expected}`, and `{}` is of type `{}`",
            name.value,
            field::spelt(input)
        ),
    )
    .help(format!("give `{}` `type: {expected}`", name.value))
}

fn ordered(scope: &Scope<'_>, pair: &[Name], inputs: &[&str]) -> Option<(String, String)> {
    let [first, last] = pair else {
        if let Some(name) = pair.first() {
            scope.problem(
                Diagnostic::new("wrong-kind", name.span, "`ordered` holds pairs of inputs")
                    .help("write `ordered: [[start, end]]`"),
            );
        }
        return None;
    };
    known_input(scope, first, inputs);
    known_input(scope, last, inputs);
    Some((first.value.clone(), last.value.clone()))
}

/// An input of an operation that has these.
fn input(scope: &mut Scope<'_>, operation: &Name, inputs: &[&str], name: &Name, word: &Input) -> Field {
    let mut made = field::common(scope, operation, name, &word.common, true);
    made.place = place(scope, inputs, name, word, &made);
    made.send = word.send.as_ref().map(|it| it.value);
    made.rules.utf8 = word.utf8;
    made.rules.extension_by = word.extension_by.iter().next().map(|(other, endings)| {
        (other.value.clone(), endings.iter().map(|(value, ending)| (value.value.clone(), ending.clone())).collect())
    });
    if let Some((other, _)) = word.extension_by.iter().next() {
        known_input(scope, other, inputs);
    }
    field::refine(scope, operation, &mut made, &word.refine);
    made
}

fn place(scope: &Scope<'_>, inputs: &[&str], name: &Name, word: &Input, made: &Field) -> Place {
    let mut places: Vec<(Place, &'static str)> = Vec::new();
    if word.path {
        places.push((Place::Path, "path"));
    }
    if let Some(query) = &word.query {
        places.push((
            Place::Query { name: query.value.clone(), join: word.join.clone().unwrap_or_else(|| ",".to_owned()) },
            "query",
        ));
    }
    if let Some(header) = &word.header {
        places.push((Place::Header(header.value.clone()), "header"));
    }
    if let Some(body) = &word.body {
        places.push((Place::Body(body.value.clone()), "body"));
    }
    if let Some(items) = &word.body_items {
        if crate::diagnostic::nearest(&items.value, ["whole"]).is_some_and(|near| near != items.value) {
            scope.problem(
                Diagnostic::new(
                    "unknown-choice",
                    items.span,
                    format!("`{}` is so near to `whole` that it is hardly a key", items.value),
                )
                .help("did you mean `whole`?"),
            );
        }
        if !matches!(made.ty, Type::List(_)) && !field::is_unknown(made) {
            scope.problem(
                Diagnostic::new(
                    "wrong-input-type",
                    items.span,
                    format!("`{}` is not a list, so it has no elements to send", name.value),
                )
                .help(format!("write its type in brackets: `[{}]`", made.written)),
            );
        }
        places.push((Place::BodyItems(Some(items.value.clone()).filter(|it| it != "whole")), "body_items"));
    }
    if let Some(part) = &word.part {
        places.push((
            Place::Part { name: part.value.clone(), content_type: word.content_type.clone().unwrap_or_default() },
            "part",
        ));
    }
    if let Some(filter) = &word.filter {
        known_input(scope, &filter.operator, inputs);
        if filter.header.is_some() == filter.query.is_some() && !scope.problems.misread(word.common.rules.span) {
            let (code, what) =
                if filter.header.is_some() { ("placed-twice", "two places") } else { ("unplaced-input", "no place") };
            scope.problem(
                Diagnostic::new(code, name.span, format!("the filter of `{}` goes into {what}", name.value))
                    .help("say one of `header: NAME` and `query: NAME`"),
            );
        }
        if made.ty != Type::Object && !field::is_unknown(made) {
            scope.problem(
                Diagnostic::new(
                    "wrong-input-type",
                    name.span,
                    format!("`{}` is not an object, so it is no filter", name.value),
                )
                .help("give it `type: object`"),
            );
        }
        places.push((Place::Filter(self::filter(filter)), "filter"));
    }
    if places.len() > 1 {
        let names: Vec<&str> = places.iter().map(|(_, name)| *name).collect();
        scope.problem(
            Diagnostic::new(
                "placed-twice",
                name.span,
                format!("input `{}` goes to {}", name.value, names.join(" and to ")),
            )
            .help("an input goes to one place"),
        );
    }
    places.into_iter().next().map_or(Place::Control, |(place, _)| place)
}

fn filter(word: &spec::field::Filter) -> model::Filter {
    model::Filter {
        syntax: word.syntax,
        header: word.header.as_ref().map(|it| it.value.clone()),
        query: word.query.as_ref().map(|it| it.value.clone()),
        operator: word.operator.value.clone(),
        max_length: word.max_length,
        required: word.required,
        names: word.names.iter().map(|it| it.value.clone()).collect(),
        rename: word.rename.iter().map(|(from, to)| (from.value.clone(), to.value.clone())).collect(),
    }
}

fn output(
    scope: &mut Scope<'_>,
    operation: &Name,
    name: &Name,
    word: &Output,
    exchange: &Exchange,
    whole: Span,
) -> Field {
    let owner = Name::new(operation.value.clone(), operation.span);
    let mut made = field::common(scope, &owner, name, &word.common, true);
    // The document's tables of outputs have no cell for values.
    if !matches!(&word.common.document, Some(document) if document.cell("one_of").is_some()) {
        made.document.one_of = Vec::new();
    }
    made.with = word.with.as_ref().map(|it| it.value);
    made.wrap = word.wrap.as_ref().map(|it| it.value.clone());
    made.source = match (&word.from, &word.is, &word.file_name) {
        (Some(from), None, None) => text::source(from, scope.problems),
        (None, Some(constant), None) => Source::Constant(constant.value.clone()),
        (_, None, Some(names)) => {
            Source::File(names.0.iter().map(|it| text::conditional(it, scope.sources, scope.problems)).collect())
        }
        (None, None, None) if scope.problems.misread(word.common.rules.span) => Source::Body(Vec::new()),
        (None, None, None) => {
            scope.problem(
                Diagnostic::new("unsourced-output", name.span, format!("output `{}` comes from nowhere", name.value))
                    .help(format!(
                        "say where it comes from: `from: body.{}`, or what it always is: `is: …`",
                        name.value
                    )),
            );
            Source::Body(Vec::new())
        }
        _ => {
            scope.problem(
                Diagnostic::new("sourced-twice", name.span, format!("output `{}` comes from two places", name.value))
                    .help("say one of `from` and `is`"),
            );
            Source::Body(Vec::new())
        }
    };
    let lacks = match made.source {
        Source::Items | Source::CountOfItems if exchange.page.is_none() => Some(("items", "page")),
        Source::EachAnswer if exchange.multi_status.is_none() => Some(("each answer", "multi_status")),
        _ => None,
    };
    if let Some((from, lacking)) = lacks
        && !scope.problems.misread(whole)
    {
        let place = word.from.as_ref().map_or(name.span, |from| from.span);
        scope.problem(
            Diagnostic::new(
                "unsourced-output",
                place,
                format!("output `{}` comes from `{from}`, and the action has no `{lacking}`", name.value),
            )
            .help(if lacking == "page" {
                "say where they are: `page: { items: … }`"
            } else {
                "say what an element's success is: `multi_status: { success: … }`"
            }),
        );
    }
    field::refine(scope, operation, &mut made, &word.refine);
    made
}

/// A trigger gives its action what that needs, and nothing else.
fn given(scope: &Scope<'_>, word: &spec::trigger::Trigger, action: &Operation, inputs: &[Field]) {
    let takes = scope.spec.file.actions.get(&action.name).is_some_and(|action| scope.problems.misread(action.span));
    if takes || scope.problems.misread(word.span) {
        return;
    }
    // What an unknown name in `interval` or `windows` was meant to be is not used, or not given.
    let is_input = |name: &Name| inputs.iter().any(|input| input.name == name.value);
    let is_taken = |name: &Name| action.input.iter().any(|input| input.name == name.value);
    let used = is_input(&word.interval) && word.windows.iter().all(|window| is_input(&window.first));
    let filled = word.windows.iter().all(|window| is_taken(&window.start) && is_taken(&window.end));
    let fills = |name: &str| {
        inputs.iter().any(|input| input.name == name)
            || word.windows.iter().any(|window| window.start.value == name || window.end.value == name)
    };
    let mut missing: Vec<&str> = action
        .input
        .iter()
        .filter(|it| it.required && it.default.is_none() && filled && !fills(&it.name))
        .map(|it| it.name.as_str())
        .collect();
    let uses = |name: &str| {
        name == word.interval.value
            || action.input.iter().any(|it| it.name == name)
            || word.windows.iter().any(|window| window.first.value == name)
    };
    for input in inputs.iter().filter(|input| used && !uses(&input.name)) {
        let near = crate::diagnostic::nearest(
            &input.name,
            action.input.iter().map(|it| it.name.as_str()).filter(|name| !fills(name)),
        );
        missing.retain(|name| Some(*name) != near);
        let help = near.map_or_else(
            || format!("`{}` takes no input of this name; use it as `interval` or in `windows`", action.name),
            |near| format!("did you mean `{near}`, which `{}` takes?", action.name),
        );
        scope.problem(
            Diagnostic::new("unplaced-input", input.span, format!("input `{}` is never used", input.name)).help(help),
        );
    }
    for name in missing {
        scope.problem(
            Diagnostic::new(
                "missing-input",
                word.repeats.span,
                format!("`{}` needs `{name}`, which the trigger does not give", action.name),
            )
            .help("add an input of that name, or a window that fills it"),
        );
    }
}

/// A trigger.
pub fn trigger(
    scope: &mut Scope<'_>,
    actions: &[Operation],
    name: &Name,
    word: &spec::trigger::Trigger,
) -> Option<Trigger> {
    let names: Vec<&str> = word.input.names().collect();
    let inputs: Vec<Field> =
        word.input.iter().map(|(field, input)| self::input(scope, name, &names, field, input)).collect();
    known_input(scope, &word.interval, &names);
    if let Some(input) = inputs.iter().find(|input| {
        input.name == word.interval.value
            && !matches!(input.ty, Type::Integer | Type::Float)
            && !field::is_unknown(input)
    }) {
        scope.problem(wrong_type("interval", "integer", &word.interval, input));
    }
    let Some(repeats) = actions.iter().position(|action| action.name == word.repeats.value) else {
        if !scope.problems.misread(word.repeats.span) {
            scope.problem(text::unknown(
                "unknown-action",
                "action",
                &word.repeats.value,
                word.repeats.span,
                actions.iter().map(|it| it.name.as_str()),
            ));
        }
        return None;
    };
    let action = &actions[repeats];
    let taken = self::names(&action.input);
    let windows = word
        .windows
        .iter()
        .map(|window| {
            known_input(scope, &window.first, &names);
            known_input(scope, &window.start, &taken);
            known_input(scope, &window.end, &taken);
            Window {
                first: window.first.value.clone(),
                start: window.start.value.clone(),
                end: window.end.value.clone(),
                fixed: window.fixed,
                overlap: window.overlap.map_or(0, |it| it.0),
                at_most: window.at_most.map(|it| it.0),
            }
        })
        .collect::<Vec<_>>();
    given(scope, word, action, &inputs);
    let seen = word.seen.as_ref().map(|seen| {
        match action.output.iter().find(|output| output.name == seen.list.value) {
            Some(list) => {
                if let Some(id) = list.ty.record() {
                    let record = &scope.records[id.0];
                    for by in seen.by.0.iter().filter(|by| {
                        !record.fields.iter().any(|field| by.value.split('.').next() == Some(&field.name))
                            && !scope.problems.misread(by.span)
                    }) {
                        scope.problem(text::unknown(
                            "unknown-field",
                            "field",
                            &by.value,
                            by.span,
                            record.fields.iter().map(|field| field.name.as_str()),
                        ));
                    }
                }
            }
            None if scope.problems.misread(seen.list.span) => {}
            None => scope.problem(text::unknown(
                "unknown-output",
                "output",
                &seen.list.value,
                seen.list.span,
                action.output.iter().map(|it| it.name.as_str()),
            )),
        }
        (seen.list.value.clone(), seen.by.0.iter().map(|name| name.value.clone()).collect())
    });
    Some(Trigger {
        name: name.value.clone(),
        title: word.title.clone(),
        doc: word.doc.clone(),
        note: word.note.clone(),
        repeats,
        document_permissions: word.document.as_ref().and_then(|document| document_permissions(scope, document)),
        input: inputs,
        interval: word.interval.value.clone(),
        windows,
        seen,
        empty_on: word.empty_on.0.clone(),
        uncapped: word.uncapped,
        example: word.example.as_ref().map(example),
        span: name.span,
    })
}
