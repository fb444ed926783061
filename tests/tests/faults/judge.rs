//! Whether a cell ended as it must, and what every error must be like.

use connectome_core::{Error, ErrorKind};
use connectome_tests::simulated::TOKEN;
use serde_json::Value;

use crate::rule::{self, Ending};
use crate::run::Seen;
use crate::subject::{Subject, What};

/// What was found out about a cell.
#[derive(Debug)]
pub struct Verdict {
    /// How it ended, in a word.
    pub word: String,
    /// What is wrong with that; nothing, if all is well.
    pub wrong: Vec<String>,
}

/// Judges what was seen of a cell by its rule. `usual` is what is seen without a fault.
pub fn judge(subject: &Subject, kind: &str, times: Option<u64>, usual: &Seen, seen: &Seen) -> Verdict {
    let preliminary = u64::from(subject.operation().cap.is_some());
    let wanted = rule::ending(subject, kind, times, usual.requests > 1 + preliminary);
    let mut wrong = Vec::new();
    match (&wanted, &seen.result) {
        (Ending::Same | Ending::SameAfter(_), Ok(value)) => {
            let expected = usual.result.as_ref().map(sorted).unwrap_or_default();
            // A stream may be a moment further when somebody waited.
            let same = matches!(subject.what, What::Stream(_)) || undated(&sorted(value)) == undated(&expected);
            check(&mut wrong, same, || format!("gave {}, not {expected}", sorted(value)));
            if let Ending::SameAfter(more) = wanted {
                requests(&mut wrong, subject, usual.requests + more, seen.requests);
            }
        }
        (Ending::Fine | Ending::Either(_), Ok(_)) => {}
        (Ending::Fails(kinds, count), Err(error)) => {
            check(&mut wrong, kinds.contains(&error.kind()), || format!("{:?} is none of {kinds:?}", error.kind()));
            if let Some(count) = count {
                // One that nobody waited for may not have arrived yet.
                let count = if kind.starts_with("slow") { seen.requests.min(*count) } else { *count };
                requests(&mut wrong, subject, count, seen.requests);
            }
        }
        (Ending::Either(kinds), Err(error)) => {
            check(&mut wrong, kinds.contains(&error.kind()), || format!("{:?} is none of {kinds:?}", error.kind()));
        }
        (Ending::Partly, Err(error)) => partly(&mut wrong, subject, error),
        (wanted, result) => wrong.push(format!("ended as {}, not as {wanted:?}", told(result))),
    }
    if let Err(error) = &seen.result {
        good_error(&mut wrong, subject, kind, error);
    }
    // Of records that were poisoned, or a list that claimed to be empty, something else was given before.
    let other = kind == "poison" || (kind == "null-items" && wanted == Ending::Fine);
    if let Some(later) = seen.later.as_ref().filter(|_| !other) {
        let expected = usual.later.as_ref().and_then(|it| it.as_ref().ok()).map(sorted).unwrap_or_default();
        match later {
            Ok(value) if sorted(value) == expected => {}
            Ok(value) => wrong.push(format!("once the fault is gone there is {}, not {expected}", sorted(value))),
            Err(error) => wrong.push(format!("fails although the fault is gone: {error}")),
        }
    }
    Verdict { word: word(&seen.result, &wanted), wrong }
}

fn check(wrong: &mut Vec<String>, holds: bool, otherwise: impl FnOnce() -> String) {
    if !holds {
        wrong.push(otherwise());
    }
}

fn requests(wrong: &mut Vec<String>, subject: &Subject, wanted: u64, seen: u64) {
    // A graph's other steps ask as well.
    let counted = !matches!(subject.what, What::Step(..));
    check(wrong, !counted || wanted == seen, || format!("{seen} requests were made, not {wanted}"));
}

fn partly(wrong: &mut Vec<String>, subject: &Subject, error: &Error) {
    let items = &error.parts().items;
    check(wrong, error.kind() == ErrorKind::Partial, || format!("{:?} is not Partial", error.kind()));
    check(wrong, items.len() == subject.elements(), || {
        format!("{} elements are told of {}", items.len(), subject.elements())
    });
    for item in items.iter().filter(|item| item.status >= 300) {
        let said = item.error.as_ref().is_some_and(|error| !error.message.is_empty());
        check(wrong, said, || format!("element {} does not say why it failed", item.index));
    }
    check(wrong, items.iter().any(|item| item.error.is_some()), || "no element has failed".to_owned());
}

/// What holds for an error of any kind.
fn good_error(wrong: &mut Vec<String>, subject: &Subject, kind: &str, error: &Error) {
    let text = error.to_string();
    let code = match error.kind() {
        ErrorKind::Partial => 3,
        ErrorKind::Input | ErrorKind::Configuration | ErrorKind::Interrupted => 0,
        _ => 1,
    };
    check(wrong, error.kind().exit_code() == code, || format!("the exit code is {}", error.kind().exit_code()));
    check(wrong, error.parts().advice.as_ref().is_some_and(|it| !it.is_empty()), || format!("no advice: {text}"));
    check(wrong, error.parts().request.is_some(), || format!("no request: {text}"));
    for secret in secrets(subject) {
        let shown = text.contains(&secret)
            || format!("{error:?}").contains(&secret)
            || error.to_json().to_string().contains(&secret);
        check(wrong, !shown, || "a secret is in the error".to_owned());
    }
    if subject.is_risky() && rule::leaves_doubt(kind) {
        let doubt = error.to_json()["error"]["may_have_acted"] == true && text.contains("the service may have acted");
        check(wrong, doubt, || format!("the error does not say that the service may have acted: {text}"));
    }
}

fn secrets(subject: &Subject) -> Vec<String> {
    let mut all = vec![TOKEN.to_owned()];
    if let What::Action(operation, input) = &subject.what {
        let fields = operation.input.fields.iter().filter(|field| field.secret);
        all.extend(fields.filter_map(|field| input[field.name].as_str().map(str::to_owned)));
    }
    all
}

/// The order in which lists come is not looked at.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_cached_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), sorted(value))).collect(),
        other => other.clone(),
    }
}

/// The same without times: what is made after a wait is made later.
fn undated(value: &Value) -> Value {
    match value {
        Value::String(text) if connectome_core::time::parse(text).is_ok() => Value::Null,
        Value::Array(items) => items.iter().map(undated).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), undated(value))).collect(),
        other => other.clone(),
    }
}

fn told(result: &Result<Value, Error>) -> String {
    match result {
        Ok(value) => format!("a success: {value}"),
        Err(error) => format!("{:?}: {error}", error.kind()),
    }
}

fn word(result: &Result<Value, Error>, wanted: &Ending) -> String {
    match result {
        Ok(_) if matches!(wanted, Ending::SameAfter(_)) => "again".to_owned(),
        Ok(_) => "ok".to_owned(),
        Err(error) => match error.kind() {
            ErrorKind::RateLimited => "limit".to_owned(),
            ErrorKind::Protocol => "refused".to_owned(),
            kind => kind.name(),
        },
    }
}
