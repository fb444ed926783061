//! Inputs that a simulated service can answer: the examples of the spec, and what they name put into the simulation.

use connectome_core::Connection;
use connectome_core::connector::{Connector, Trigger};
use connectome_core::format::Format;
use connectome_core::operation::Operation;
use connectome_core::place::{Place, Source};
use connectome_core::request::{Body, Request};
use connectome_core::shape::Record;
use connectome_sim::{Behaviour, Service, Simulator, Verb};
use serde_json::{Map, Value, json};

use crate::run::{connection_to, now};

/// An action's input.
pub fn action(service: &Service, operation: &'static Operation) -> Value {
    let connector = service.connector;
    let example = example(connector, "actions", operation.name);
    let connection = connection_to("http://127.0.0.1:9", connector);
    let fits = |input: &Value| {
        connection.validate(operation, input).and_then(|input| connection.request(operation, &input)).is_ok()
    };
    let input = suited(operation.input, operation.ordered, &example, operation.page.is_some(), fits);
    several(&connection, operation, input)
}

/// A trigger's input.
pub fn trigger(service: &Service, trigger: &'static Trigger) -> Value {
    let example = example(service.connector, "triggers", trigger.name);
    let fits = |input: &Value| connectome_core::validate::validate(trigger.input, input, now()).is_ok();
    suited(trigger.input, &[], &example, true, fits)
}

fn example(connector: &Connector, kind: &str, name: &str) -> Value {
    let catalog: Value = serde_json::from_str(connector.catalog).expect("a catalog");
    let entry = catalog[kind].as_array().into_iter().flatten().find(|entry| entry["name"] == name).expect("an entry");
    entry.get("example_input").cloned().unwrap_or_else(|| json!({}))
}

/// The example at the time of the simulation, without entity tags, which are others there. A search finds all there is.
fn suited(
    record: &Record,
    ordered: &[(&str, &str)],
    example: &Value,
    searches: bool,
    fits: impl Fn(&Value) -> bool,
) -> Value {
    let mut input = example.clone();
    let fields = input.as_object_mut().expect("an object");
    for field in record.fields {
        let moment = field.rules.format == Some(Format::Timestamp);
        let ends = ordered.iter().any(|(_, last)| *last == field.name) || field.name.contains("end_");
        if moment && fields.contains_key(field.name) {
            let ago = if ends { 0 } else { 86_400 };
            let time = now().as_second() - ago;
            fields
                .insert(field.name.to_owned(), json!(jiff::Timestamp::from_second(time).expect("a time").to_string()));
        }
        if matches!(field.place, Place::Header("If-Match")) {
            fields.remove(field.name);
        }
    }
    if searches {
        for field in record.fields.iter().filter(|field| field.rules.format != Some(Format::Timestamp)) {
            let mut wider = input.clone();
            let all = match field.place {
                Place::Filter(_) => Some(json!({})),
                _ => None,
            };
            if matches!(field.place, Place::Path) || field.rules.format == Some(Format::Timestamp) {
                continue;
            }
            match (wider.as_object_mut().expect("an object"), all) {
                (fields, Some(all)) => drop(fields.insert(field.name.to_owned(), all)),
                (fields, None) => drop(fields.remove(field.name)),
            }
            if fits(&wider) {
                input = wider;
            }
        }
    }
    assert!(fits(&input), "{input} does not fit");
    input
}

/// The same with two elements where there is a list of them: the second is like the first, and another one.
fn several(connection: &Connection, operation: &'static Operation, input: Value) -> Value {
    let field = operation.input.fields.iter().find(|field| matches!(field.place, Place::BodyItems(_)));
    let Some(first) = field.and_then(|field| input[field.name].get(0)).cloned() else { return input };
    let name = field.map(|field| field.name).unwrap_or_default();
    let with = |second: &Value| {
        let mut input = input.clone();
        input[name] = json!([first, second]);
        input
    };
    let mut second = first.clone();
    match &first {
        Value::String(text) => second = json!(next(text)),
        Value::Object(fields) => {
            for (key, value) in fields {
                let Some(text) = value.as_str() else { continue };
                let mut changed = second.clone();
                changed[key] = json!(next(text));
                if connection.validate(operation, &with(&changed)).is_ok() {
                    second = changed;
                }
            }
        }
        _ => {}
    }
    let two = with(&second);
    if second != first && connection.validate(operation, &two).is_ok() { two } else { input }
}

/// A text of the same form: its last letter or digit is another.
fn next(text: &str) -> String {
    let Some((at, letter)) = text.char_indices().rev().find(|(_, it)| it.is_ascii_alphanumeric()) else {
        return text.to_owned();
    };
    let other = match letter {
        '9' => '8',
        'f' | 'F' | 'z' | 'Z' => char::from(letter as u8 - 1),
        letter => char::from(letter as u8 + 1),
    };
    format!("{}{other}{}", &text[..at], &text[at + letter.len_utf8()..])
}

/// Puts what a request names into the simulation.
pub fn prepare(simulator: &Simulator, service: &Service, request: &Request, operation: &Operation) {
    let path = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
    let base = service.connector.base.rsplit_once('}').map_or("", |(_, path)| path);
    let target = path(&request.target);
    let target = target.strip_prefix(base).unwrap_or(&target);
    for call in service.calls.iter().filter(|call| call.method == request.method) {
        if let Some(parameters) = fitting(call.path, target) {
            named(simulator, service, call, &parameters, request);
        }
    }
    // What is asked about first is there as well, and done.
    if let Some(poll) = operation.poll.and_then(|poll| poll.call) {
        let own = fitting(operation.call.path, target).unwrap_or_default();
        for call in service.calls.iter().filter(|call| fitting(call.path, &plain(poll)).is_some()) {
            named(simulator, service, call, &own, request);
        }
    }
    // Where the service holds no record like it, it has at least what the outputs are made from.
    for call in service.calls.iter().filter(|call| matches!(call.does, Verb::Get | Verb::Progress)) {
        let (Some(collection), Some(parameters)) = (call.of, fitting(call.path, target)) else { continue };
        let fields = operation.output.iter().map(|output| &output.field).filter(|field| field.required);
        let keys = fields.filter_map(|field| match field.source {
            Source::Body([key]) => Some(*key),
            _ => None,
        });
        let known = parameters.first().and_then(|value| simulator.record(collection, key(service, collection), value));
        let missing = keys.filter(|key| known.as_ref().is_some_and(|known| known.get(*key).is_none()));
        // A result may be kept under a name of its own until it is asked for.
        let names = missing.flat_map(|key| [key.to_owned(), format!("_{key}")]);
        let set: Map<String, Value> = names.map(|key| (key, json!("simulated"))).collect();
        for value in &parameters {
            simulator.change(collection, key(service, collection), value, &set);
        }
    }
}

/// A path with something in place of its parameters.
fn plain(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}

/// The values of the parameters of a path, if it has this form.
fn fitting(template: &str, path: &str) -> Option<Vec<String>> {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let fits = |(wanted, given): (&&str, &&str)| wanted.starts_with('{') || wanted == given;
    let fits = wanted.len() == given.len() && wanted.iter().zip(&given).all(fits);
    let values = wanted.iter().zip(&given).filter(|(wanted, _)| wanted.starts_with('{'));
    fits.then(|| values.map(|(_, given)| (*given).to_owned()).collect())
}

fn named(simulator: &Simulator, service: &Service, call: &Behaviour, parameters: &[String], request: &Request) {
    let makes = matches!(call.does, Verb::Create | Verb::EachCreate);
    let own = call.of.filter(|_| !makes);
    for collection in own.into_iter().chain(call.within).chain(call.after) {
        for value in parameters {
            let mut set = Map::new();
            set.insert(key(service, collection).to_owned(), json!(value));
            if call.does == Verb::Progress || call.after.is_some() {
                set.insert("status".to_owned(), json!("succeeded"));
            }
            for (field, value) in call.only_if {
                set.insert((*field).to_owned(), value.value());
            }
            add(simulator, service, collection, set);
        }
    }
    let Body::Json(Value::Array(elements)) = &request.body else { return };
    for element in elements.iter().filter_map(Value::as_object) {
        if let Some(collection) = own {
            let set: Map<String, Value> =
                call.by.iter().filter_map(|by| Some(((*by).to_owned(), element.get(*by)?.clone()))).collect();
            add(simulator, service, collection, set);
        }
        for (field, other) in call.refers {
            let Some(value) = element.get(*field) else { continue };
            add(simulator, service, other, Map::from_iter([(key(service, other).to_owned(), value.clone())]));
        }
    }
}

fn key(service: &Service, collection: &str) -> &'static str {
    service.collections.iter().find(|it| it.name == collection).expect("a collection").key
}

/// A record like those that are there, with these fields, unless there is one already.
fn add(simulator: &Simulator, service: &Service, collection: &str, set: Map<String, Value>) {
    let named = set.get(key(service, collection)).and_then(Value::as_str);
    if set.is_empty()
        || named.is_some_and(|name| simulator.record(collection, key(service, collection), name).is_some())
    {
        return;
    }
    let known = simulator.records(collection).first().and_then(|text| serde_json::from_str(text).ok());
    let mut record: Map<String, Value> = known.unwrap_or_default();
    record.extend(set);
    simulator.add(collection, Value::Object(record));
}
