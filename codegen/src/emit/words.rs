//! What is said of actions, triggers and fields, the same wherever it stands: in types, in the client, in the catalog and
//! on pages.

use crate::model::{Connector, Example, Field, Operation, Rules, Trigger};
use crate::names::{capital, plain};
use crate::spec::field::Format;
use crate::spec::operation::{Effect, Repeat};

/// A field's rustdoc: what it holds, its limits, what is true where the document errs.
pub fn sentences(field: &Field) -> String {
    let mut text = field.doc.trim().to_owned();
    if let Some(limits) = limits(field) {
        text.push_str(&format!(" {limits}"));
    }
    if let Some(default) = field.default.as_ref().filter(|default| *default != "") {
        text.push_str(&format!(" Default: `{}`.", plain(default)));
    }
    if let Some(note) = &field.note {
        text.push_str(&format!("\n\n{note}"));
    }
    text
}

/// The facts of an action that a caller must know, for its rustdoc.
pub fn facts(action: &Operation) -> String {
    let mut facts = vec![format!("Sends `{}`.", action.call.text()), effect_sentence(action)];
    if !action.permissions.is_empty() {
        let apps: Vec<String> =
            action.permissions.iter().map(|(app, names)| format!("{app} ({})", names.join("; "))).collect();
        facts.push(format!("Needs {}.", apps.join(", ")));
    }
    if let Some(note) = &action.note {
        facts.push(format!("\n\n{note}"));
    }
    facts.join(" ")
}

pub fn effect_sentence(action: &Operation) -> String {
    let effect = match action.effect {
        Effect::Read => "Changes nothing.".to_owned(),
        Effect::Write => "Changes something that is easily put back.".to_owned(),
        Effect::Destructive => "Changes something that people notice or that cannot be put back.".to_owned(),
    };
    let undo = action.undo.as_ref().map(|undo| format!(" `{undo}` takes it back.")).unwrap_or_default();
    let repeat = match (action.effect, action.repeat) {
        (Effect::Read, _) => "",
        (_, Repeat::Safe) => " Doing it twice is the same as doing it once.",
        (_, Repeat::Unsafe) => " It is not sent again unless the service surely did not act.",
    };
    format!("{effect}{undo}{repeat}")
}

/// A field's limits in one sentence.
pub fn limits(field: &Field) -> Option<String> {
    let parts = rule_parts(&field.rules);
    let list = matches!(field.ty, crate::model::Type::List(_));
    let joined = list && matches!(field.place, crate::model::Place::Query { .. });
    let mut text = parts.join(", ");
    if let Some((other, endings)) = &field.rules.extension_by {
        let endings: Vec<String> = endings.iter().map(|(value, ending)| format!("`.{ending}` for {value}")).collect();
        text = [text, format!("named {} as `{other}` says", endings.join(" or "))]
            .iter()
            .filter(|it| !it.is_empty())
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
    }
    let counted = match (field.rules.min_items, field.rules.max_items) {
        (Some(min), Some(max)) => Some(format!("{min} to {max} elements")),
        (Some(min), None) => Some(format!("at least {min} {}", if min == 1 { "element" } else { "elements" })),
        (None, Some(max)) => Some(format!("at most {max} elements")),
        (None, None) => None,
    };
    let whole: Vec<String> = match (list, counted) {
        (true, Some(counted)) if text.is_empty() => vec![counted],
        (true, Some(counted)) => vec![format!("{counted}, each {text}")],
        (true, None) if joined && !text.is_empty() => {
            let each = if field.rules.format.is_some() || !field.rules.one_of.is_empty() { "each " } else { "" };
            vec![format!("{each}{text} when joined")]
        }
        (true, None) if !text.is_empty() => vec![format!("each {text}")],
        _ if text.is_empty() => return None,
        _ => vec![text],
    };
    Some(capital(&whole.join(", ")) + ".")
}

pub fn rule_parts(rules: &Rules) -> Vec<String> {
    let mut parts = Vec::new();
    if !rules.one_of.is_empty() {
        let values: Vec<String> = rules.one_of.iter().map(|it| format!("`{}`", plain(it))).collect();
        parts.push(format!("one of {}{}", values.join(", "), if rules.any_case { " in any case" } else { "" }));
    }
    if let Some(format) = rules.format.filter(|format| !matches!(format, Format::HeaderValue)) {
        parts.push(format_words(format).to_owned());
    }
    match (rules.min_length, rules.max_length) {
        (Some(1), Some(max)) => parts.push(format!("1 to {max} characters")),
        (Some(min), Some(max)) => parts.push(format!("{min} to {max} characters")),
        (Some(1), None) => parts.push("not empty".to_owned()),
        (Some(min), None) => parts.push(format!("at least {min} characters")),
        (None, Some(max)) => parts.push(format!("at most {max} characters")),
        (None, None) => {}
    }
    if let Some(max) = rules.max_bytes {
        parts.push(format!("at most {max} bytes before encoding"));
    }
    match (rules.min, rules.max) {
        (Some(min), Some(max)) => parts.push(format!("{min} to {max}")),
        (Some(min), None) => parts.push(format!("{min} or more")),
        (None, Some(max)) => parts.push(format!("{max} or less")),
        (None, None) => {}
    }
    if let Some(age) = rules.max_age {
        parts.push(format!("within the last {} days", age / 86_400));
    }
    if rules.utf8 {
        parts.push("text in UTF-8".to_owned());
    }
    for refused in &rules.refuse {
        parts.push(format!("not `{}`", plain(refused)));
    }
    parts
}

fn format_words(format: Format) -> &'static str {
    match format {
        Format::Timestamp => "a date and time in ISO 8601",
        Format::Guid => "a GUID",
        Format::Ip => "an IPv4 or IPv6 address",
        Format::Domain => "a domain name",
        Format::DomainPattern => "a domain name, perhaps beginning with `*.`",
        Format::Url => "a URL",
        Format::UrlPattern => "a URL, perhaps with `*` at its ends",
        Format::BaseUrl => "scheme and host of a service",
        Format::Email => "an e-mail address",
        Format::Sha1 => "40 hexadecimal digits",
        Format::Sha256 => "64 hexadecimal digits",
        Format::Identifier => "an id without `/`, `?`, `#` or blanks",
        Format::Token => "a token without blanks",
        Format::HeaderValue => "text in one line",
        Format::CamelCase => "a name in camel case",
        Format::Angled => "text in angle brackets",
        Format::Script => "text that begins with `#!`",
    }
}

/// What a reader of the vendor's document should know of a field.
pub fn note(field: &Field) -> Option<String> {
    let cells = &field.document;
    let mut said = Vec::new();
    if cells.absent {
        said.push("not in the vendor's document".to_owned());
    } else if cells.differs {
        if cells.ty != field.written {
            said.push(format!("the vendor's document calls its type `{}`", cells.ty));
        }
        if cells.required != field.required {
            said.push(format!(
                "the vendor's document calls it {}",
                if cells.required { "required" } else { "optional" }
            ));
        }
        if cells.default != field.default {
            said.push(match &cells.default {
                Some(default) => {
                    format!("the vendor's document states the default `{}`, which is not used", plain(default))
                }
                None => "the vendor's document states no default".to_owned(),
            });
        }
        if cells.one_of != field.rules.one_of && !cells.one_of.is_empty() {
            let values: Vec<String> = cells.one_of.iter().map(|it| format!("`{}`", plain(it))).collect();
            said.push(format!("the vendor's document lists only {}", values.join(", ")));
        }
    }
    let mut text = said.join("; ");
    if let Some(first) = text.get(..1).map(str::to_uppercase) {
        text.replace_range(..1, &first);
        text.push('.');
    }
    let whole = [text, field.note.clone().unwrap_or_default()]
        .into_iter()
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    Some(whole).filter(|it| !it.is_empty())
}

/// What a reader of the vendor's document should know of an action.
pub fn operation_note(action: &Operation) -> Option<String> {
    let listed = Some(&action.document_permissions).filter(|listed| **listed != action.permissions);
    told_beside(listed, action.note.as_deref(), action.example.as_ref())
}

/// What a reader of the vendor's document should know of a trigger.
pub fn trigger_note(connector: &Connector, trigger: &Trigger) -> Option<String> {
    let needs = &connector.actions[trigger.repeats].permissions;
    let listed = trigger.document_permissions.as_ref().filter(|listed| *listed != needs);
    told_beside(listed, trigger.note.as_deref(), trigger.example.as_ref())
}

/// What the vendor's document lists that is not so, the spec's own note, and how the example departs.
fn told_beside(
    listed: Option<&Vec<(String, Vec<String>)>>,
    note: Option<&str>,
    example: Option<&Example>,
) -> Option<String> {
    let listed = listed.map(|listed| match listed.is_empty() {
        true => "The vendor's document lists no permissions; the service needs those stated here.".to_owned(),
        false => "The vendor's document lists other permissions.".to_owned(),
    });
    let departs = example.and_then(|example| example.departs.as_ref()).map(|it| format!("About the example: {it}"));
    let said: Vec<String> = [listed, note.map(str::to_owned), departs].into_iter().flatten().collect();
    Some(said.join(" ")).filter(|it| !it.is_empty())
}
