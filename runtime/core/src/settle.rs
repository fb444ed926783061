//! From answers to an outcome: success or not, the outputs, the elements of a multi-status list. Pure.

use base64::Engine;
use serde_json::{Map, Value};

use crate::answer::{Answer, at, read_error};
use crate::connector::Connector;
use crate::convert::last_segment;
use crate::decode::{converted, decode};
use crate::error::{Error, ErrorKind, Item};
use crate::operation::Operation;
use crate::place::{Place, Source, Wire};
use crate::request::wire_name;
use crate::shape::{Record, Shape};
use crate::validate::base_name;

/// Whether an answer means success; if not, why not and what to do.
pub fn refuse(connector: &Connector, operation: &Operation, answer: &Answer) -> Result<(), Error> {
    if operation.success.contains(&answer.status) {
        return Ok(());
    }
    let said = answer.service_error(&connector.errors);
    let (kind, message, advice) = match answer.status {
        401 => (
            ErrorKind::Auth,
            "the service does not accept the key".to_owned(),
            "check that the key is complete, not expired, and made for this region".to_owned(),
        ),
        403 => (ErrorKind::Permission, permission_message(operation), permission_advice(operation)),
        404 => (
            ErrorKind::NotFound,
            "the service answered that there is no such thing".to_owned(),
            "check the id, or the URL if every request ends so".to_owned(),
        ),
        409 => (
            ErrorKind::Conflict,
            "the request does not go with how things are".to_owned(),
            "see what the service says: it may be there already, or have changed since it was read".to_owned(),
        ),
        412 => (
            ErrorKind::Conflict,
            "it changed since it was read".to_owned(),
            "read it again and use the new entity tag".to_owned(),
        ),
        413 => (
            ErrorKind::TooLarge,
            "the request is larger than the service takes".to_owned(),
            "send fewer or smaller elements".to_owned(),
        ),
        429 => (
            ErrorKind::RateLimited,
            "the service takes no more requests for now".to_owned(),
            "try again later, or less often".to_owned(),
        ),
        408 | 504 => (
            ErrorKind::Timeout,
            "the service did not finish in time".to_owned(),
            "narrow the search, or try again later".to_owned(),
        ),
        status @ 500..=599 => {
            (ErrorKind::Server, format!("the service failed ({status})"), "try again later".to_owned())
        }
        status @ 300..=399 => (
            ErrorKind::Protocol,
            format!("the service answered with a redirect ({status}), which is not followed"),
            "check the URL; the token goes to the configured origin only".to_owned(),
        ),
        status @ 200..=299 => (
            ErrorKind::Protocol,
            format!("the service answered {status}, which this operation does not know"),
            "a proxy or another server may be in between: check the URL".to_owned(),
        ),
        _ => (
            ErrorKind::Invalid,
            "the service refused the request as wrong".to_owned(),
            "see what it answered, and mend the input".to_owned(),
        ),
    };
    let error = Error::new(kind, message).operation(operation.name).service(said);
    Err(match kind.is_passing() {
        true => error.advice_to_repeat(advice),
        false => error.advice(advice),
    })
}

fn permission_message(operation: &Operation) -> String {
    if operation.permissions.is_empty() {
        "the key may not do this".to_owned()
    } else {
        format!("the key may not do this; {} needs {}", operation.name, operation.permission_text())
    }
}

fn permission_advice(operation: &Operation) -> String {
    if operation.permissions.is_empty() {
        "check what the key may do, and that its licence and scope cover the target".to_owned()
    } else {
        "give these permissions to the key's role, or check that its licence and scope cover the target".to_owned()
    }
}

/// What was found out before the outputs are put together.
pub struct Findings<'a> {
    /// The operation's own answer.
    pub answer: &'a Answer,
    /// Its body, if it is JSON.
    pub body: Option<Value>,
    /// How many records there were.
    pub count: usize,
    /// The records, under the user's names.
    pub items: Vec<Value>,
    /// What was asked.
    pub input: &'a Map<String, Value>,
}

/// Puts the outputs together.
pub fn outputs(connector: &Connector, operation: &Operation, mut findings: Findings<'_>) -> Result<Value, Error> {
    let mut shown = Map::new();
    if !operation.multi_status.is_empty() && !matches!(findings.body, Some(Value::Array(_))) {
        let body = findings.body.as_ref().unwrap_or(&Value::Null);
        return Err(Error::new(ErrorKind::Protocol, "the service did not answer for each element")
            .operation(operation.name)
            .service(read_error(findings.answer.status, body, &connector.errors))
            .may_have_acted(true));
    }
    let multi = multi_answers(operation, &findings);
    for output in operation.output {
        let field = &output.field;
        let value = match field.source {
            Source::Items => Some(Value::Array(std::mem::take(&mut findings.items))),
            Source::CountOfItems => Some(Value::from(findings.count)),
            Source::EachAnswer => {
                let Shape::List(Shape::Record(record)) = field.shape else { continue };
                Some(multi.iter().map(|item| each(connector, record, item)).collect())
            }
            Source::File(names) => Some(file(findings.answer, names, findings.input)),
            Source::Key => find(
                connector,
                &field.shape,
                Source::Body(&[]),
                findings.answer,
                findings.body.as_ref().and_then(|body| under(body, field)),
            ),
            source => find(connector, &field.shape, source, findings.answer, findings.body.as_ref()),
        };
        let value = value.map(|value| converted(field, value));
        match value.filter(|value| !value.is_null() && !says_nothing(value)) {
            Some(value) => {
                let value = match output.wrap {
                    Some(key) => Value::Object(Map::from_iter([(key.to_owned(), value)])),
                    None => value,
                };
                shown.insert(field.name.to_owned(), value);
            }
            None if field.required => {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    format!("the answer lacks what {:?} is made from", field.name),
                )
                .advice_to_repeat(
                    "try again; if it stays so, the service answers in a way that is not known here: report it",
                )
                .operation(operation.name)
                .output(Value::Object(shown)));
            }
            None => {}
        }
    }
    if operation.keep_unlisted
        && let Some(Value::Object(body)) = &findings.body
    {
        unlisted(connector, operation, body, &mut shown);
    }
    let items: Vec<Item> =
        multi.iter().enumerate().map(|(index, item)| item.item(connector, operation, index)).collect();
    let failed = items.iter().filter(|item| item.error.is_some()).count();
    let shown = Value::Object(shown);
    if let Some(sent) = elements_sent(operation, findings.input).filter(|sent| *sent != items.len()) {
        return Err(Error::new(
            ErrorKind::Protocol,
            format!("{sent} elements were sent, and the service answered for {}", items.len()),
        )
        .operation(operation.name)
        .may_have_acted(true)
        .items(items)
        .output(shown));
    }
    if failed > 0 {
        return Err(Error::new(ErrorKind::Partial, format!("{failed} of {} did not work", items.len()))
            .operation(operation.name)
            .advice(match operation.multi_status_task {
                _ if failed == items.len() => "none of them worked; see what the service said of each",
                Some(_) => "the tasks of the others have started; repeat the failed ones only",
                None => "the others are done; repeat the failed ones only",
            })
            .items(items)
            .output(shown));
    }
    Ok(shown)
}

/// Keys that no output takes, under their own names.
fn unlisted(connector: &Connector, operation: &Operation, body: &Map<String, Value>, shown: &mut Map<String, Value>) {
    let taken = |key: &str| {
        operation.output.iter().any(|output| matches!(output.field.source, Source::Body([first, ..]) if *first == key))
    };
    for (key, value) in body.iter().filter(|(key, value)| !value.is_null() && !taken(key)) {
        shown.entry(connector.names.shown(key)).or_insert_with(|| connector.names.show(value.clone()));
    }
}

/// How many answers a multi-status list must hold.
fn elements_sent(operation: &Operation, input: &Map<String, Value>) -> Option<usize> {
    if operation.multi_status.is_empty() {
        return None;
    }
    let listed = operation.input.fields.iter().find(|field| matches!(field.place, Place::BodyItems(_)));
    match listed.and_then(|field| input.get(field.name)) {
        Some(Value::Array(items)) => Some(items.len()),
        _ => operation.array_of_one.then_some(1),
    }
}

/// An object without fields, or with texts only and none of them filled, is how some services say that there is none.
fn says_nothing(value: &Value) -> bool {
    matches!(value, Value::Object(fields) if fields.values().all(|value| value.as_str().is_some_and(str::is_empty)))
}

fn under<'a>(body: &'a Value, field: &crate::shape::Field) -> Option<&'a Value> {
    match field.place {
        Place::Key(names, _) => names.iter().find_map(|wire| body.get(wire.name)).filter(|value| !value.is_null()),
        _ => None,
    }
}

fn find(connector: &Connector, shape: &Shape, source: Source, answer: &Answer, body: Option<&Value>) -> Option<Value> {
    match source {
        Source::Body(path) => {
            body.and_then(|body| at(body, path)).map(|value| decode(connector.names, shape, value.clone()))
        }
        Source::Header(name) => answer.header(name).map(Value::from),
        Source::Status => Some(Value::from(answer.status)),
        Source::Constant(constant) => Some(constant.value()),
        _ => None,
    }
}

/// One element of a multi-status list: an answer of its own.
struct Element {
    answer: Answer,
    body: Option<Value>,
}

impl Element {
    fn item(&self, connector: &Connector, operation: &Operation, index: usize) -> Item {
        let worked = operation.multi_status.contains(&self.answer.status) || (200..300).contains(&self.answer.status);
        let error = (!worked)
            .then(|| read_error(self.answer.status, self.body.as_ref().unwrap_or(&Value::Null), &connector.errors));
        let location = operation.multi_status_task.and_then(|name| self.answer.header(name));
        Item { index, status: self.answer.status, task_id: location.and_then(last_segment).map(str::to_owned), error }
    }
}

fn multi_answers(operation: &Operation, findings: &Findings<'_>) -> Vec<Element> {
    let (false, Some(Value::Array(items))) = (operation.multi_status.is_empty(), &findings.body) else {
        return Vec::new();
    };
    items
        .iter()
        .map(|item| {
            let headers = item.get("headers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let text =
                |header: &Value, key: &str| header.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            Element {
                answer: Answer {
                    status: item
                        .get("status")
                        .and_then(Value::as_u64)
                        .and_then(|it| u16::try_from(it).ok())
                        .unwrap_or(0),
                    headers: headers.iter().map(|header| (text(header, "name"), text(header, "value"))).collect(),
                    body: bytes::Bytes::new(),
                },
                body: item.get("body").filter(|body| body.is_object()).cloned(),
            }
        })
        .collect()
}

fn each(connector: &Connector, record: &Record, element: &Element) -> Value {
    let mut shown = Map::new();
    for field in record.fields {
        let body = element.body.as_ref();
        let value = match field.source {
            Source::Key => body
                .and_then(|body| under(body, field))
                .map(|value| decode(connector.names, &field.shape, value.clone())),
            source => find(connector, &field.shape, source, &element.answer, body),
        };
        let value = value.map(|value| converted(field, value));
        if let Some(value) =
            value.filter(|value| !value.is_null()).or_else(|| field.default.map(|default| default.value()))
        {
            shown.insert(field.name.to_owned(), value);
        }
    }
    Value::Object(shown)
}

/// The body as a file. The service's own name for it is cut down to a base name: it never leaves the user's folder.
fn file(answer: &Answer, names: &'static [Wire], input: &Map<String, Value>) -> Value {
    let head = Value::from(String::from_utf8_lossy(&answer.body[..answer.body.len().min(64)]).into_owned());
    let named = answer.header("Content-Disposition").and_then(disposition_name);
    let name = named.unwrap_or_else(|| {
        wire_name(names, &head).map_or_else(|| "download".to_owned(), |template| crate::template::fill(template, input))
    });
    // Where a colon stands for a drive, it leads out of the folder as a slash does.
    let name = base_name(&name).replace(':', "_");
    serde_json::json!({ "content": base64::engine::general_purpose::STANDARD.encode(&answer.body), "filename": name })
}

/// The file name of a `Content-Disposition` header (RFC 6266), preferring the encoded form.
fn disposition_name(header: &str) -> Option<String> {
    let parameter = |name: &str| {
        header.split(';').skip(1).find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    let encoded = parameter("filename*").and_then(|value| {
        let text = value.rsplit_once('\'')?.1.to_owned();
        percent_encoding::percent_decode_str(&text).decode_utf8().ok().map(|text| text.into_owned())
    });
    encoded.or_else(|| parameter("filename")).map(|name| base_name(&name)).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::disposition_name;

    #[test]
    fn a_vendor_s_file_name_never_leaves_the_folder() {
        for (header, name) in [
            ("attachment; filename=\"report.pdf\"", "report.pdf"),
            ("attachment; filename=\"../../etc/passwd\"", "passwd"),
            ("attachment; filename=\"C:\\\\evil\\\\x.exe\"", "x.exe"),
            ("attachment; filename*=UTF-8''%2e%2e%2Fa%20b.pdf; filename=x", "a b.pdf"),
        ] {
            assert_eq!(disposition_name(header).as_deref(), Some(name), "{header}");
        }
        assert_eq!(disposition_name("attachment; filename=\"..\""), None);
    }
}
