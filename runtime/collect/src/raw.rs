//! JSON text taken apart by where its parts stand: no tree, no copy, no recursion however deep the text is nested.
//!
//! The text is known to be JSON, since it comes out of a `RawValue`. Any other text gives parts that mean nothing, and
//! no panic.

use std::borrow::Cow;

/// Where a part of a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub start: usize,
    /// Behind its last byte.
    pub end: usize,
}

impl Span {
    /// The part.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// A name and its value in an object.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// The name, without its quotes.
    pub name: Span,
    /// Whether the name holds escapes.
    pub escaped: bool,
    /// The value.
    pub value: Span,
}

impl Member {
    /// Where the member starts: at the quote of its name.
    pub fn start(&self) -> usize {
        self.name.start - 1
    }

    /// Its name.
    pub fn name<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let name = self.name.of(text);
        if self.escaped { unescaped(name).map_or(Cow::Borrowed(name), Cow::Owned) } else { Cow::Borrowed(name) }
    }

    /// Whether this is its name.
    pub fn is(&self, text: &str, name: &str) -> bool {
        if self.escaped { self.name(text) == name } else { self.name.of(text) == name }
    }
}

/// The members of an object, in their order; none for any other value.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Members<'a> {
    /// The members of the object that this text is.
    pub fn of(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let at = if bytes.first() == Some(&b'{') { 1 } else { bytes.len() };
        Self { bytes, at }
    }

    /// Where the next member starts, or the closing brace stands.
    pub fn rest(&self) -> usize {
        gap(self.bytes, self.at)
    }
}

impl Iterator for Members<'_> {
    type Item = Member;

    #[inline]
    fn next(&mut self) -> Option<Member> {
        let start = gap(self.bytes, self.at);
        if self.bytes.get(start) != Some(&b'"') {
            return None;
        }
        let (end, escaped) = text_end(self.bytes, start + 1);
        let name = Span { start: start + 1, end: end - 1 };
        let value = gap(self.bytes, end);
        self.at = value_end(self.bytes, value);
        Some(Member { name, escaped, value: Span { start: value, end: self.at } })
    }
}

/// The elements of a list, in their order; none for any other value.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Elements<'a> {
    /// The elements of the list that this text is.
    pub fn of(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let at = if bytes.first() == Some(&b'[') { 1 } else { bytes.len() };
        Self { bytes, at }
    }

    /// Where the next element starts, or the closing bracket stands.
    pub fn rest(&self) -> usize {
        gap(self.bytes, self.at)
    }
}

impl Iterator for Elements<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let start = gap(self.bytes, self.at);
        if matches!(self.bytes.get(start), None | Some(b']')) {
            self.at = self.bytes.len();
            return None;
        }
        self.at = value_end(self.bytes, start);
        (self.at > start).then_some(Span { start, end: self.at })
    }
}

/// The first value at a path of names.
pub fn at<'a>(text: &'a str, path: &[&str]) -> Option<&'a str> {
    let Some((name, rest)) = path.split_first() else { return Some(text) };
    Members::of(text).filter(|member| member.is(text, name)).find_map(|member| at(member.value.of(text), rest))
}

/// The text that a value is: a text without its quotes and escapes, a number as it is written, `true` or `false`.
/// Nothing for null, lists and objects, and for a text that is no Unicode.
pub fn scalar(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first()? {
        b'"' => text(value),
        b'n' | b'[' | b'{' => None,
        _ => Some(Cow::Borrowed(value)),
    }
}

/// What a text says; nothing for any other value, and for a text that is no Unicode.
pub fn text(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    unescaped(inner).map(Cow::Owned)
}

/// What a text without its quotes says.
fn unescaped(inner: &str) -> Option<String> {
    serde_json::from_str(&format!("\"{inner}\"")).ok()
}

/// The first byte that is no blank, comma or colon. In JSON such a byte starts a value or ends the list or object.
#[inline]
fn gap(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b',' | b':' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Behind the last byte of the value that starts here.
#[inline]
pub fn value_end(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => text_end(bytes, at + 1).0,
        Some(b'{' | b'[') => nested_end(bytes, at + 1),
        _ => word_end(bytes, at),
    }
}

/// Behind the last byte of the number, `true`, `false` or `null` that starts here.
#[inline]
pub fn word_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'+' | b'.') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Behind the bracket that closes the list or object whose first byte behind the bracket is here.
fn nested_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 1_usize;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = text_end(bytes, at).0,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    at
}

/// Behind the closing quote of the text whose first byte behind the opening quote is here, and whether it has escapes.
#[inline]
pub fn text_end(bytes: &[u8], mut at: usize) -> (usize, bool) {
    let mut escaped = false;
    loop {
        at = quote_or_escape(bytes, at);
        match bytes.get(at) {
            Some(b'\\') => {
                escaped = true;
                at += 2;
            }
            Some(_) => return (at + 1, escaped),
            None => return (bytes.len().max(1), escaped),
        }
    }
}

/// The next quote or backslash. Eight bytes at a time: most texts are short, and a call of `memchr` costs more than it
/// saves.
#[inline]
fn quote_or_escape(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & (ONES << 7)
    }
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let found = zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\')) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary::{Json, blanks, json};

    /// The value without blanks around it, as it must be found.
    fn parts(written: &str) -> Vec<String> {
        let values = Members::of(written).flat_map(|member| [member.name, member.value]);
        values.chain(Elements::of(written)).map(|span| span.of(written).to_owned()).collect()
    }

    proptest! {
        #[test]
        fn the_parts_of_a_value_are_those_that_it_was_written_with(json in json(&["a", "b"]), blanks in blanks()) {
            // With the same blanks everywhere a part looks the same wherever it stands.
            let blank = [blanks.first().copied().unwrap_or_default()];
            let wanted: Vec<String> = match &json {
                Json::Object(members) => {
                    members.iter().flat_map(|(name, value)| [name.clone(), value.write(&blank)]).collect()
                }
                Json::List(items) => items.iter().map(|item| item.write(&blank)).collect(),
                _ => Vec::new(),
            };
            prop_assert_eq!(parts(&json.write(&blank)), wanted);
        }

        #[test]
        fn what_is_no_json_gives_parts_without_meaning_and_no_panic(text in r#"[\[\]{}:,"\\ a1é]{0,24}"#) {
            let _ = (parts(&text), text_end(text.as_bytes(), 1), scalar(&text), at(&text, &["a"]));
        }
    }

    #[test]
    fn a_scalar_is_what_it_says() {
        let cases = [
            (r#""a\u00e9\"/\/""#, Some("aé\"//")),
            (r#""""#, Some("")),
            ("1.0", Some("1.0")),
            ("1e400", Some("1e400")),
            ("true", Some("true")),
            ("null", None),
            ("[1]", None),
            ("{}", None),
            (r#""\ud800""#, None),
        ];
        for (value, wanted) in cases {
            assert_eq!(scalar(value).as_deref(), wanted, "{value}");
        }
    }
}
