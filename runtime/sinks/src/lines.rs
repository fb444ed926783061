//! Events as lines of JSON, and the key that one of their fields may hold.

use std::borrow::Cow;

use connectome_collect::sink::{Chunk, Event};

/// The events of a chunk as lines, each with its key in this field.
pub(crate) fn lines<'a>(chunk: &'a Chunk, field: Option<&str>) -> Cow<'a, [u8]> {
    let Some(field) = field else { return Cow::Borrowed(chunk.lines()) };
    let mut lines = Vec::with_capacity(chunk.lines().len() + chunk.len() * (field.len() + 64));
    for event in chunk.events() {
        keyed(&event, Some(field), &mut lines);
        lines.push(b'\n');
    }
    Cow::Owned(lines)
}

/// Adds an event, with its key in this field. The field comes last, so that it counts where a name stands twice.
pub(crate) fn keyed(event: &Event<'_>, field: Option<&str>, into: &mut Vec<u8>) {
    let body = event.body.trim_ascii();
    let (Some(field), Some(members)) = (field, body.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"))) else {
        into.extend_from_slice(event.body);
        return;
    };
    into.extend_from_slice(&body[..body.len() - 1]);
    if !members.trim_ascii().is_empty() {
        into.push(b',');
    }
    for (text, end) in [(field, b':'), (event.key, b'}')] {
        into.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
        into.push(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_last_field_and_nothing_else_changes() {
        let mut chunk = Chunk::new("audit");
        for (body, _) in CASES {
            chunk.push("audit:a\"\\é", 0, |line| line.extend_from_slice(body.as_bytes()));
        }
        let lines = lines(&chunk, Some("k"));
        let found: Vec<&str> = std::str::from_utf8(&lines).unwrap().lines().collect();
        assert_eq!(found, CASES.map(|(_, keyed)| keyed));
        assert_eq!(super::lines(&chunk, None), chunk.lines());
    }

    const CASES: [(&str, &str); 5] = [
        ("{\"a\": 1.50,  \"b\":[{}]}", r#"{"a": 1.50,  "b":[{}],"k":"audit:a\"\\é"}"#),
        ("{}", r#"{"k":"audit:a\"\\é"}"#),
        (" { } ", r#"{ "k":"audit:a\"\\é"}"#),
        (r#"{"k":"theirs","t":"{"}"#, r#"{"k":"theirs","t":"{","k":"audit:a\"\\é"}"#),
        ("[1]", "[1]"),
    ];
}
