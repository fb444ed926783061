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

/// A name in an object, and where its value starts.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    /// The name, without its quotes.
    pub span: Span,
    /// Whether it holds escapes.
    pub escaped: bool,
    /// Where its value starts.
    pub value: usize,
}

impl Name {
    /// Where the member starts: at the quote of its name.
    pub fn start(&self) -> usize {
        self.span.start - 1
    }

    /// What it says.
    pub fn said<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let name = self.span.of(text);
        if self.escaped { unescaped(name).map_or(Cow::Borrowed(name), Cow::Owned) } else { Cow::Borrowed(name) }
    }

    /// Whether it says this.
    #[inline]
    pub fn is(&self, text: &str, name: &str) -> bool {
        if self.escaped {
            self.said(text) == name
        } else {
            text.as_bytes().get(self.span.start..self.span.end) == Some(name.as_bytes())
        }
    }
}

/// The parts of an object or a list, in their order. Whoever finds the end of a part in another way says so, and the
/// part is not looked through for it.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Parts<'a> {
    /// The parts of the object or list that starts here in a text.
    pub fn of(text: &'a str, start: usize) -> Self {
        Self { bytes: text.as_bytes(), at: start + 1 }
    }

    /// The next member of an object.
    #[inline]
    pub fn name(&mut self) -> Option<Name> {
        self.at = gap(self.bytes, self.at);
        if self.bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        let (end, escaped) = text_end(self.bytes, self.at + 1);
        Some(Name { span: Span { start: self.at + 1, end: end - 1 }, escaped, value: gap(self.bytes, end) })
    }

    /// Where the next element of a list starts.
    pub fn element(&mut self) -> Option<usize> {
        self.at = gap(self.bytes, self.at);
        (!matches!(self.bytes.get(self.at), None | Some(b'}' | b']'))).then_some(self.at)
    }

    /// Goes on behind a value that ends here.
    #[inline]
    pub fn pass(&mut self, end: usize) {
        self.at = end;
    }

    /// Goes on behind a value that starts here; gives where it ends.
    #[inline]
    pub fn skip(&mut self, value: usize) -> usize {
        self.at = value_end(self.bytes, value);
        self.at
    }

    /// Where the next part starts, or the closing bracket stands.
    pub fn rest(&self) -> usize {
        gap(self.bytes, self.at)
    }
}

/// The first value at a path of names.
pub fn at<'a>(text: &'a str, path: &[&str]) -> Option<&'a str> {
    let Some((name, rest)) = path.split_first() else { return Some(text) };
    let mut parts = Parts::of(text, 0);
    while let Some(member) = text.starts_with('{').then(|| parts.name()).flatten() {
        let end = parts.skip(member.value);
        if member.is(text, name)
            && let Some(found) = at(Span { start: member.value, end }.of(text), rest)
        {
            return Some(found);
        }
    }
    None
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
        let (mut found, mut parts) = (Vec::new(), Parts::of(written, 0));
        while written.starts_with('{')
            && let Some(name) = parts.name()
        {
            found.extend([name.span, Span { start: name.value, end: parts.skip(name.value) }]);
        }
        while written.starts_with('[')
            && let Some(start) = parts.element()
        {
            let end = parts.skip(start);
            if end == start {
                break;
            }
            found.push(Span { start, end });
        }
        found.into_iter().map(|span| span.of(written).to_owned()).collect()
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
