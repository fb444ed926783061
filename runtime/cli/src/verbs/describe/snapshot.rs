//! A snapshot in a few lines: how it is read, and what is sent of it.

use serde_json::Value;

use super::{WIDTH, list, span, text};
use crate::print::wrap;

/// How a snapshot is read and what is sent of it.
pub fn snapshot(found: &Value) -> String {
    let number = |of: &Value, key: &str| of.get(key).and_then(Value::as_u64);
    let seconds = |of: &Value, key: &str| number(of, key).map(span).unwrap_or_default();
    let aliases: Vec<&str> = list(found, "aliases").iter().filter_map(Value::as_str).collect();
    let gone = found.get("gone").and_then(|gone| gone.get("set")).and_then(Value::as_object).map(|set| {
        let set: Vec<String> = set.iter().map(|(path, value)| format!("{path}: {value}")).collect();
        format!("a last document with {}", set.join(", "))
    });
    let again = number(found, "lasts_seconds")
        .map(|lasts| format!("before the {} are over for which documents count", span(lasts)));
    let deferred = found.get("deferred").map(|it| {
        let looks = seconds(it, "seconds_between_looks");
        format!(
            "if {} is set, looked for every {looks}, for {} at most",
            text(it, "asked_by"),
            seconds(it, "at_most_seconds")
        )
    });
    let mut page = String::new();
    for (head, said) in [
        ("Also called", aliases.join(", ")),
        (
            "Collected",
            if found.get("on_request").is_some() { "only when it is named".to_owned() } else { String::new() },
        ),
        ("Read every", seconds(found, "every_seconds")),
        ("Next page", text(found, "next_page").replace('`', "")),
        ("At most", number(found, "most_pages").map(|pages| format!("{pages} pages")).unwrap_or_default()),
        ("Key", text(found, "key").to_owned()),
        ("Becomes", format!("a document by the mapping {}", text(found, "mapping"))),
        ("Sent again", again.unwrap_or_default()),
        ("When gone", gone.unwrap_or_default()),
        ("Prepared", deferred.unwrap_or_default()),
    ] {
        if !said.is_empty() {
            page.push_str(&format!("{head:14} {}", wrap(&said, "               ", WIDTH - 15).trim_start()));
        }
    }
    if let Some(body) = found.get("body").filter(|body| !body.is_null()) {
        page.push_str(&format!("\nBody\n{body:#}\n"));
    }
    page
}
