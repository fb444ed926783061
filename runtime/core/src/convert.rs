//! Named changes to a value on its way. A closed list, the same as the spec language's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A change to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convert {
    /// An entity tag in double quotes.
    QuotedEtag,
    /// An entity tag without quotes and without `W/`.
    BareEtag,
    /// Base64 of the text, unless it is Base64 of something readable already.
    Base64Once,
    /// The last path segment of a URL.
    LastSegment,
    /// The text as a whole number.
    Integer,
    /// The text in lower case.
    Lowercase,
    /// A date as milliseconds since 1970.
    EpochMs,
    /// Any scalar as text.
    Text,
    /// A hardware address in small letters with colons.
    MacAddress,
    /// The part of a host name before its domain; nothing when it has no domain or is an address.
    HostLabel,
}

impl Convert {
    /// Changes a value. What does not fit stays as it is: validation has refused it before, or a service sent it.
    pub fn apply(self, value: Value) -> Value {
        match (self, value) {
            (Convert::QuotedEtag, Value::String(tag)) => Value::from(format!("\"{}\"", bare_etag(&tag))),
            (Convert::BareEtag, Value::String(tag)) => Value::from(bare_etag(&tag)),
            (Convert::Base64Once, Value::String(text)) => Value::from(base64_once(&text)),
            (Convert::LastSegment, Value::String(url)) => last_segment(&url).map_or(Value::Null, Value::from),
            (Convert::Integer, Value::String(text)) => text.parse::<i64>().map_or(Value::String(text), Value::from),
            (Convert::Lowercase, Value::String(text)) => Value::from(text.to_lowercase()),
            (Convert::EpochMs, Value::String(text)) => {
                crate::time::parse(&text).map_or(Value::String(text), |time| Value::from(time.as_millisecond()))
            }
            (Convert::Text, Value::Number(number)) => Value::from(number.to_string()),
            (Convert::Text, Value::Bool(flag)) => Value::from(flag.to_string()),
            (Convert::MacAddress, Value::String(text)) => mac_address(&text).map_or(Value::Null, Value::from),
            (Convert::HostLabel, Value::String(text)) => host_label(&text).map_or(Value::Null, Value::from),
            (_, value) => value,
        }
    }

    /// The bytes a text stands for, where a limit counts those rather than the text's own.
    pub fn measured(self, text: &str) -> Vec<u8> {
        match self {
            Convert::Base64Once => readable_base64(text).unwrap_or_else(|| text.as_bytes().to_vec()),
            _ => text.as_bytes().to_vec(),
        }
    }
}

fn mac_address(text: &str) -> Option<String> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).map(|it| it.to_ascii_lowercase()).collect();
    let good = digits.len() == 12 && text.chars().all(|it| it.is_ascii_hexdigit() || matches!(it, ':' | '-' | '.'));
    good.then(|| digits.chunks(2).map(|pair| pair.iter().collect::<String>()).collect::<Vec<_>>().join(":"))
}

fn host_label(text: &str) -> Option<String> {
    let (label, domain) = text.trim_end_matches('.').split_once('.')?;
    let named = !label.is_empty() && !domain.is_empty() && text.parse::<std::net::IpAddr>().is_err();
    named.then(|| label.to_lowercase())
}

fn bare_etag(tag: &str) -> String {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag).to_owned()
}

/// Callers give either the text or its Base64, and cannot say which. Canonical Base64 of readable text is taken as such.
fn base64_once(text: &str) -> String {
    match readable_base64(text) {
        Some(_) => text.to_owned(),
        None => STANDARD.encode(text),
    }
}

fn readable_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok()?;
    let readable = std::str::from_utf8(&bytes).is_ok_and(|it| !it.is_empty() && !it.chars().any(char::is_control));
    (readable && STANDARD.encode(&bytes) == text).then_some(bytes)
}

/// The last segment of a URL's path: what comes after `?` or `#` and a slash at the end do not count.
pub fn last_segment(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next()?.trim_end_matches('/');
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    path.rsplit_once('/').map(|(_, last)| last).filter(|last| !last.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_never_applied_twice_to_readable_text() {
        for (given, sent) in [("1234", "MTIzNA=="), ("IFMlYztbQA==", "IFMlYztbQA=="), ("infected", "aW5mZWN0ZWQ=")] {
            assert_eq!(base64_once(given), sent, "{given}");
        }
    }

    #[test]
    fn entity_tags_come_in_three_forms() {
        for tag in ["\"abc\"", "abc", "W/\"abc\""] {
            assert_eq!(Convert::QuotedEtag.apply(Value::from(tag)), "\"abc\"");
            assert_eq!(Convert::BareEtag.apply(Value::from(tag)), "abc");
        }
    }

    #[test]
    fn the_last_segment_is_the_path_s() {
        assert_eq!(last_segment("https://api.example/v3.0/xdr/response/tasks/00004001/?a=b/c"), Some("00004001"));
        assert_eq!(last_segment("https://api.example"), None);
        assert_eq!(last_segment(""), None);
    }
}
