//! One text for equal content.

use std::cmp::Ordering;
use std::ops::Range;

use crate::raw::{text_end, word_end};

/// Writes JSON such that equal content is equal text: names in their order, no blanks, no escape that need not be,
/// numbers as they are written. Where a name stands twice, the last is kept.
///
/// Depth costs no stack, and one text after another is written into the same memory. What is canonical as it stands is
/// copied in one go.
#[derive(Debug, Default)]
pub struct Canonical {
    text: Vec<u8>,
    /// Where what is not copied yet starts in what is read.
    copied: usize,
    /// The members of all objects that are open.
    members: Vec<Member>,
    open: Vec<Open>,
    /// The members of an object in their order, each with the start of its name.
    order: Vec<(Option<u64>, usize)>,
    ordered: Vec<u8>,
}

/// A member where it stands in the canonical text.
#[derive(Debug, Clone)]
struct Member {
    /// How the name begins, as a number of the same order; none when it holds escapes that it cannot do without.
    start: Option<u64>,
    name: Range<usize>,
    end: usize,
}

/// A list or an object that is being written.
#[derive(Debug)]
struct Open {
    /// Whether it is an object.
    object: bool,
    /// Where it starts in the canonical text.
    start: usize,
    /// Its first member among all.
    first: usize,
    /// Whether its members so far came in order, as far as the starts of their names tell.
    ordered: bool,
}

impl Canonical {
    /// The canonical form of a JSON text.
    pub fn of(&mut self, json: &str) -> &[u8] {
        self.text.clear();
        self.copied = 0;
        self.members.clear();
        self.open.clear();
        self.write(json.as_bytes());
        &self.text
    }

    fn write(&mut self, json: &[u8]) {
        let (mut at, mut naming) = (0, false);
        while let Some(&byte) = json.get(at) {
            // Most of what there is in JSON is text, and a colon follows a name at once.
            if byte == b'"' {
                let (end, escaped) = text_end(json, at + 1);
                if escaped {
                    self.escaped(json, at..end, naming);
                } else if naming {
                    self.name(self.place(at) + 1..self.place(end) - 1, json.get(at + 1..end - 1).map(start));
                }
                at = end + usize::from(naming && json.get(end) == Some(&b':'));
                naming = false;
                continue;
            }
            if byte == b',' {
                naming = self.end_member(at);
                at += 1;
                continue;
            }
            match byte {
                b'{' | b'[' => {
                    naming = byte == b'{';
                    let (start, first) = (self.place(at), self.members.len());
                    self.open.push(Open { object: naming, start, first, ordered: true });
                }
                b'}' => {
                    naming = false;
                    self.end_member(at);
                    self.end_object(json, at);
                }
                b']' => _ = self.open.pop(),
                b':' => {}
                b' ' | b'\n' | b'\t' | b'\r' => {
                    self.copy(json, at);
                    self.copied = at + 1;
                }
                _ => at = word_end(json, at).max(at + 1) - 1,
            }
            at += 1;
        }
        self.copy(json, json.len());
    }

    /// Where in the canonical text stands what is read here.
    fn place(&self, at: usize) -> usize {
        self.text.len() + at - self.copied
    }

    #[cold]
    fn escaped(&mut self, json: &[u8], text: Range<usize>, naming: bool) {
        self.copy(json, text.start);
        let start = self.text.len() + 1;
        plain(&json[text.clone()], &mut self.text);
        self.copied = text.end;
        if naming {
            let name = start..self.text.len() - 1;
            let said = self.text.get(name.clone()).filter(|name| !name.contains(&b'\\'));
            self.name(name, said.map(self::start));
        }
    }

    /// Copies what is read up to here.
    #[inline(never)]
    fn copy(&mut self, json: &[u8], at: usize) {
        self.text.extend_from_slice(&json[self.copied..at]);
        self.copied = at;
    }

    fn name(&mut self, name: Range<usize>, start: Option<u64>) {
        if let Some(open) = self.open.last_mut()
            && let Some(before) = self.members[open.first..].last()
        {
            open.ordered &= before.start.is_some() && start.is_some() && before.start < start;
        }
        self.members.push(Member { start, name, end: 0 });
    }

    /// The value of the latest member of the innermost object is complete, if it is an object.
    fn end_member(&mut self, at: usize) -> bool {
        let end = self.place(at);
        let Some(open) = self.open.last().filter(|open| open.object) else { return false };
        if let Some(member) = self.members[open.first..].last_mut() {
            member.end = end;
        }
        true
    }

    fn end_object(&mut self, json: &[u8], at: usize) {
        let Some(open) = self.open.pop() else { return };
        if !open.ordered {
            self.put_in_order(json, at, &open);
        }
        self.members.truncate(open.first);
    }

    /// Writes an object that ends here, but for its end.
    #[inline(never)]
    fn put_in_order(&mut self, json: &[u8], at: usize, open: &Open) {
        // Until anything is written, what is read is what would be.
        let unchanged = self.copied == 0 && self.text.is_empty();
        if !unchanged {
            self.copy(json, at);
        }
        let (text, members) = (if unchanged { json } else { &self.text }, &self.members[open.first..]);
        self.order.clear();
        self.order.extend(members.iter().enumerate().map(|(place, member)| (member.start, place)));
        // Most names differ where they start. Of equal ones the last comes first, and the others are left out.
        self.order.sort_unstable_by(|(a, first), (b, second)| {
            let starts = if a.is_some() && b.is_some() { a.cmp(b) } else { Ordering::Equal };
            let compared = starts.then_with(|| compare(text, &members[*first].name, &members[*second].name));
            compared.then(second.cmp(first))
        });
        self.ordered.clear();
        let mut before: Option<&Member> = None;
        for (_, place) in &self.order {
            let member = &members[*place];
            if before.is_some_and(|it| it.start == member.start && text[it.name.clone()] == text[member.name.clone()]) {
                continue;
            }
            self.ordered.push(if before.is_none() { b'{' } else { b',' });
            self.ordered.extend_from_slice(&text[member.name.start - 1..member.end]);
            before = Some(member);
        }
        if open.start == 0 {
            std::mem::swap(&mut self.text, &mut self.ordered);
        } else {
            if unchanged {
                self.text.extend_from_slice(&json[..open.start]);
            }
            self.text.truncate(open.start);
            self.text.extend_from_slice(&self.ordered);
        }
        self.copied = at;
    }
}

/// The first eight bytes of a name as a number. Zeros stand for what is not there: no name holds one that is not escaped.
fn start(name: &[u8]) -> u64 {
    match name.first_chunk() {
        Some(chunk) => u64::from_be_bytes(*chunk),
        None => name.iter().rev().fold(0, |start, byte| start >> 8 | u64::from(*byte) << 56),
    }
}

/// The order of two names by what they say.
#[cold]
fn compare(text: &[u8], a: &Range<usize>, b: &Range<usize>) -> Ordering {
    let [a, b] = [a, b].map(|name| &text[name.clone()]);
    if !a.contains(&b'\\') && !b.contains(&b'\\') {
        return a.cmp(b);
    }
    let said = |name: &[u8]| -> Option<String> { serde_json::from_slice(&[b"\"", name, b"\""].concat()).ok() };
    match (said(a), said(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        // What is no Unicode cannot be said; any order will do, so long as it is always the same.
        (None, None) => a.cmp(b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

/// Writes a text with its quotes, and with the escapes that it cannot do without.
fn plain(text: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &text[at..]) {
        out.extend_from_slice(&text[at..at + found]);
        at += found;
        let (end, code) = escape(text, at);
        match code {
            Some(code) => out.extend_from_slice(json_of(code).as_bytes()),
            // Half of a character of two halves.
            None => out.extend_from_slice(text[at..end].to_ascii_lowercase().as_slice()),
        }
        at = end;
    }
    out.extend_from_slice(&text[at..]);
}

/// The escape that starts here: where it ends, and the character that it means.
fn escape(text: &[u8], at: usize) -> (usize, Option<char>) {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let short = text.get(at + 1).copied().unwrap_or(b'\\');
    if short != b'u' {
        let meant = match short {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            other => char::from(other),
        };
        return ((at + 2).min(text.len()), Some(meant));
    }
    let end = (at + 6).min(text.len());
    let Some(first) = unit(at) else { return (end, None) };
    if let (0xD800..0xDC00, Some(second @ 0xDC00..0xE000)) = (first, unit(at + 6)) {
        return (at + 12, char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)));
    }
    (end, char::from_u32(first))
}

/// A character within quotes.
fn json_of(code: char) -> String {
    match code {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        ..' ' => format!("\\u{:04x}", code as u32),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary::{blanks, json};

    #[test]
    fn a_canonical_form_has_one_order_no_blanks_and_no_needless_escape() {
        let cases = [
            (r#" { "b" : 1 , "a" : [ 1.0 , { } , [ ] , "x\u00e9\/\n" ] } "#, r#"{"a":[1.0,{},[],"xé/\n"],"b":1}"#),
            (r#"{"a":1,"b":2,"a":{"z":1,"y":2}}"#, r#"{"a":{"y":2,"z":1},"b":2}"#),
            (r#"{"ab":1,"a":2,"":3,"a!":4}"#, r#"{"":3,"a":2,"a!":4,"ab":1}"#),
            // By what the names say: a quote comes before letters, though its escape does not.
            (r#"{"a":1,"\"":2,"\u0000":3}"#, r#"{"\u0000":3,"\"":2,"a":1}"#),
            (r#"{"é":1,"z":2,"\uD83E\uDD80":3,"\uffff":4}"#, "{\"z\":2,\"é\":1,\"\u{ffff}\":4,\"🦀\":3}"),
            (r#""\uD800x\uDEAD\u001F\u007f""#, "\"\\ud800x\\udead\\u001f\u{7f}\""),
            (r#"[1e400,-0,12345678901234567890,true,false,null]"#, "[1e400,-0,12345678901234567890,true,false,null]"),
            (r#""{,:[""#, r#""{,:[""#),
            (r#"{"b":"{","a":",","c":{"d":"}","c":"]"}}"#, r#"{"a":",","b":"{","c":{"c":"]","d":"}"}}"#),
        ];
        let mut canonical = Canonical::default();
        for (json, wanted) in cases {
            assert_eq!(std::str::from_utf8(canonical.of(json)), Ok(wanted), "{json}");
        }
        let deep = "[{\"b\":1,\"a\":".repeat(2_000) + "0" + &"}]".repeat(2_000);
        assert_eq!(canonical.of(&deep).len(), deep.len());
    }

    proptest! {
        #[test]
        fn equal_content_has_one_form(
            json in json(&["a", "b", "\\u0062", "ab", "B", "\\\""]), some in blanks(), other in blanks(),
        ) {
            let mut canonical = Canonical::default();
            let form = String::from_utf8(canonical.of(&json.write(&some)).to_vec()).expect("text");
            prop_assert_eq!(canonical.of(&json.reversed().write(&other)), form.as_bytes());
            prop_assert_eq!(canonical.of(&form), form.as_bytes());
            // What a tree can hold is what a tree says.
            if let Ok(tree) = serde_json::from_str::<serde_json::Value>(&json.write(&some)) {
                prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&form).expect("JSON"), tree);
            }
        }
    }
}
