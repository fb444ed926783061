//! `connectome action`

use std::pin::{Pin, pin};

use connectome_core::operation::{Effect, Operation};
use connectome_core::place::{Place, Source};
use connectome_core::request::{Body, Content, Request, fill};
use connectome_core::secret::MASK;
use connectome_core::{Connection, Error, ErrorKind};
use serde_json::{Value, json};

use crate::World;
use crate::arguments::{Action, Form};
use crate::configuration::{connect, settings};
use crate::exit::{Outcome, interrupted};
use crate::{input, near, print};

pub async fn run(world: &World, verb: &Action) -> Outcome {
    let connector = world.connector(&verb.connector)?;
    let operation = connector.operation(&verb.action).ok_or_else(|| unknown(connector, &verb.action))?;
    let input = input::read(verb.input.as_deref())?;
    if verb.dry_run {
        return dry_run(world, verb, connector, operation, &input);
    }
    let connection = connect(world, connector, &verb.access)?;
    let stop = pin!(interrupted());
    if let Some(list) = streamed(operation) {
        return match world.arguments.output {
            Form::Jsonl => lines(&connection, operation, &input, stop).await,
            Form::Text | Form::Json => document(&connection, operation, &input, list, stop).await,
        };
    }
    let form = world.arguments.output;
    match unless(stop, operation, connection.call(operation, input)).await {
        Ok(output) => print::document(form, &output).map_err(|error| match operation.effect {
            Effect::Read => error,
            _ => error.advice(
                "the action was carried out, but its result is lost; look at the service before running it again",
            ),
        }),
        Err(error) => {
            // The error names the tasks that were started, so it is told even if the result cannot be.
            if let Err(unprinted) = partial(form, &error) {
                print::tell(&format!("warning: {}", unprinted.parts().message));
            }
            Err(error)
        }
    }
}

fn stopped(operation: &Operation) -> Error {
    let error = Error::new(ErrorKind::Interrupted, "interrupted").operation(operation.name);
    match operation.effect {
        Effect::Read => error,
        _ => error.advice("a request may have been carried out; look at the service before running it again"),
    }
}

/// Work that ends in good order when somebody interrupts.
async fn unless<T>(
    stop: Pin<&mut impl Future<Output = ()>>,
    operation: &Operation,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::select! {
        biased;
        done = work => done,
        () = stop => Err(stopped(operation)),
    }
}

/// What worked is a result even when the rest failed: a new key, say, is shown once and never again.
fn partial(form: Form, error: &Error) -> Outcome {
    let parts = error.parts();
    match (error.kind(), &parts.output) {
        (ErrorKind::Partial, output) => {
            print::document(form, &json!({ "partial": true, "items": parts.items, "output": output }))
        }
        (ErrorKind::Protocol, Some(output)) => print::document(form, output),
        _ => Ok(()),
    }
}

fn unknown(connector: &connectome_core::connector::Connector, name: &str) -> Error {
    let error = Error::new(ErrorKind::Input, format!("{} has no action {name:?}", connector.title));
    if connector.trigger(name).is_some() {
        return error.advice(format!("it is a trigger: `connectome trigger {} {name}`", connector.name));
    }
    let all = format!("`connectome describe {}` lists them", connector.name);
    error.advice(near::advice(name, connector.operations.iter().map(|it| it.name), all))
}

/// The output that lists the records of all pages.
fn streamed(operation: &Operation) -> Option<&'static str> {
    operation.output.iter().find(|output| matches!(output.field.source, Source::Items)).map(|output| output.field.name)
}

/// Prints each record as a line as it comes: one page is held at a time.
async fn lines(
    connection: &Connection,
    operation: &'static Operation,
    input: &Value,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> Outcome {
    let mut reading = unless(stop.as_mut(), operation, connection.open(operation, input)).await?;
    while let Some(page) = unless(stop.as_mut(), operation, reading.next_page()).await? {
        print::text(&page.iter().map(|record| format!("{record}\n")).collect::<String>())?;
    }
    Ok(())
}

/// Prints one document, its list as it comes: one page is held at a time. If reading ends early, the document is closed
/// and says that it is incomplete.
async fn document(
    connection: &Connection,
    operation: &'static Operation,
    input: &Value,
    list: &str,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> Outcome {
    let mut reading = unless(stop.as_mut(), operation, connection.open(operation, input)).await?;
    let mut count = 0;
    let mut page = unless(stop.as_mut(), operation, reading.next_page()).await?;
    print::text(&format!("{{\n  {}: [", Value::from(list)))?;
    let failure = loop {
        let Some(records) = page else { break None };
        let mut text = String::new();
        for record in records {
            text.push_str(if count == 0 { "\n" } else { ",\n" });
            text.push_str(&print::indented(&record, 4));
            count += 1;
        }
        print::text(&text)?;
        match unless(stop.as_mut(), operation, reading.next_page()).await {
            Ok(next) => page = next,
            Err(error) => break Some(error),
        }
    };
    print::text(if count == 0 { "]" } else { "\n  ]" })?;
    if let Some(error) = failure {
        print::text(",\n  \"incomplete\": true\n}\n")?;
        return Err(error);
    }
    let rest = reading.finish_streamed(count)?;
    let others = rest.as_object().into_iter().flatten().filter(|(name, _)| *name != list);
    let others: String = others
        .map(|(name, value)| format!(",\n  {}: {}", Value::from(name.as_str()), print::indented(value, 2).trim_start()))
        .collect();
    print::text(&format!("{others}\n}}\n"))
}

fn dry_run(
    world: &World,
    verb: &Action,
    connector: &'static connectome_core::connector::Connector,
    operation: &'static Operation,
    input: &Value,
) -> Outcome {
    let mut settings = settings(world, connector, &verb.access)?;
    // Nothing is sent, so a secret that is not there yet is not missed.
    for field in connector.parameters.fields.iter().filter(|field| field.secret) {
        settings.parameters.entry(field.name).or_insert_with(|| json!("not-set"));
    }
    let connection = Connection::new(connector, settings)?;
    let input = connection.validate(operation, input)?;
    let mut request = connection.request(operation, &input)?;
    mask(operation, &mut request);
    let clean = |text: &str| connection.redactor().clean(text);
    if world.arguments.output != Form::Text {
        return print::document(
            world.arguments.output,
            &serde_json::from_str(&clean(&as_json(&connection, &request).to_string())).unwrap_or_default(),
        );
    }
    let mut page = String::new();
    if let Some(path) = operation.poll.as_ref().and_then(|poll| poll.call) {
        page.push_str(&format!(
            "# first, until the task has ended:\nGET {}{}\n\n",
            connection.origin().base(),
            fill(path, &input)
        ));
    }
    if operation.cap.is_some_and(|cap| !cap.ask.is_empty()) {
        page.push_str("# first, the same request is sent to count the results\n");
    }
    page.push_str(&format!("{} {}{}\n", request.method.text(), connection.origin().root(), request.target));
    page.push_str(&format!("{}: {MASK}\n", connector.auth.0));
    for (name, value) in &request.headers {
        page.push_str(&format!("{name}: {value}\n"));
    }
    match &request.body {
        Body::Empty => {}
        Body::Json(json) => page.push_str(&format!(
            "Content-Type: application/json\n\n{}\n",
            serde_json::to_string_pretty(json).unwrap_or_default()
        )),
        Body::Bytes(media_type, bytes) => {
            page.push_str(&format!("Content-Type: {media_type}\n\n({} bytes)\n", bytes.len()));
        }
        Body::Form(parts) => {
            page.push_str("Content-Type: multipart/form-data\n\n");
            for part in parts {
                match &part.content {
                    Content::Text(text) => page.push_str(&format!("{} = {text}\n", part.name)),
                    Content::File(name, media_type, bytes) => {
                        page.push_str(&format!("{} = file {name} ({media_type}, {} bytes)\n", part.name, bytes.len()))
                    }
                }
            }
        }
    }
    print::text(&clean(&page))?;
    print::tell("nothing was sent");
    Ok(())
}

/// Hides secret inputs, however short: the redactor looks for longer ones only.
fn mask(operation: &Operation, request: &mut Request) {
    for field in operation.input.fields.iter().filter(|field| field.secret) {
        match (field.place, &mut request.body) {
            (Place::Part(name, _), Body::Form(parts)) => {
                for part in parts.iter_mut().filter(|part| part.name == name) {
                    part.content = Content::Text(MASK.to_owned());
                }
            }
            (Place::Body(name), Body::Json(Value::Object(object))) => {
                object.entry(name).and_modify(|value| *value = json!(MASK));
            }
            (Place::Header(name), _) => request
                .headers
                .iter_mut()
                .filter(|(key, _)| *key == name)
                .for_each(|(_, value)| *value = MASK.to_owned()),
            _ => {}
        }
    }
}

fn as_json(connection: &Connection, request: &Request) -> Value {
    let headers: serde_json::Map<String, Value> =
        std::iter::once((connection.connector().auth.0.to_owned(), json!(MASK)))
            .chain(request.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))))
            .collect();
    let body = match &request.body {
        Body::Empty => Value::Null,
        Body::Json(json) => json.clone(),
        Body::Bytes(media_type, bytes) => json!({ "media_type": media_type, "bytes": bytes.len() }),
        Body::Form(parts) => parts
            .iter()
            .map(|part| match &part.content {
                Content::Text(text) => json!({ "part": part.name, "text": text }),
                Content::File(name, media_type, bytes) => {
                    json!({ "part": part.name, "file": name, "media_type": media_type, "bytes": bytes.len() })
                }
            })
            .collect(),
    };
    json!({ "method": request.method.text(), "url": format!("{}{}", connection.origin().root(), request.target), "headers": headers, "body": body })
}
