//! YAML with places. The only module that names the YAML parser, and the only one that decides what a scalar means.
//!
//! Anchors, tags and several documents in one file are refused: a spec says a thing once, where it belongs.

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span, Spanned};

/// How deep a spec may nest. Real ones stay below twenty.
const MAX_DEPTH: usize = 64;

/// A YAML value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// The key whose value it is.
    pub key: Option<Span>,
    /// What it is.
    pub value: Value,
}

/// What a node is. Mappings keep their order.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number that fits 64 bits.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Everything else that is one scalar.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping; a key occurs once.
    Map(Vec<(Spanned<String>, Node)>),
}

impl Node {
    /// What a message about the whole of it underlines: its key, or itself.
    pub fn named(&self) -> Span {
        self.key.unwrap_or(self.span)
    }

    /// Everything that was written for it, from its key to its end.
    pub fn whole(&self) -> Span {
        Span { start: self.named().start, ..self.span }
    }

    /// The value as JSON, for defaults and examples.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Boolean(it) => Json::from(*it),
            Value::Integer(it) => Json::from(*it),
            Value::Float(it) => Json::from(*it),
            Value::Text(it) => Json::from(it.as_str()),
            Value::List(it) => it.iter().map(Node::to_json).collect(),
            Value::Map(it) => Json::Object(it.iter().map(|(key, node)| (key.value.clone(), node.to_json())).collect()),
        }
    }

    /// What kind of value this is, in a word a person uses.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Boolean(_) => "true or false",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// A text that is not YAML; what is wrong with it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// Reads one document, if there is any. A syntax error hides the rest of its file; keys said twice do not.
pub fn parse(file: FileId, text: &str, problems: &mut Vec<Diagnostic>) -> Result<Option<Node>, Unreadable> {
    let mut reader = Reader {
        file,
        text,
        offsets: Offsets::of(text),
        parser: Parser::new_from_str(text),
        open: Vec::new(),
        problems,
    };
    reader.document().map_err(|diagnostic| {
        reader.problems.push(diagnostic);
        Unreadable
    })
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    offsets: Offsets,
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    /// Brackets that were opened and not closed yet.
    open: Vec<Span>,
    problems: &'a mut Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Diagnostic> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let span = self.span(span.start.index(), span.end.index());
                Ok((event, span))
            }
            Some(Err(error)) => {
                let at = error.marker().index();
                Err(self.syntax(self.span(at, at + 1), error.info()))
            }
            None => Ok((Event::StreamEnd, self.span(usize::MAX, usize::MAX))),
        }
    }

    /// The parser's complaint in words that say what to do. A bracket that stays open is shown where it was opened.
    fn syntax(&self, at: Span, complaint: &str) -> Diagnostic {
        let told = |span: Span, label: &str, help: &str| {
            Diagnostic::new("syntax", span, "this is not YAML").label(label).help(help)
        };
        if complaint.contains("unknown anchor") {
            return anchors(at);
        }
        let line = self.text[..at.start as usize].rfind('\n').map_or(0, |end| end + 1);
        let tab = self.text[line..]
            .char_indices()
            .take_while(|(_, letter)| matches!(letter, ' ' | '\t'))
            .find(|(_, letter)| *letter == '\t');
        if let Some((tab, _)) = tab {
            let start = (line + tab) as u32;
            return told(Span { start, end: start + 1, ..at }, "this is a tab", "indent with spaces");
        }
        if let Some(bracket) = self.open.last().filter(|open| (open.start as usize) < line) {
            return told(
                *bracket,
                "this is not closed where it should be",
                "close it, or put the text that holds it in quotes",
            );
        }
        let letter = self.text[at.start as usize..].chars().next();
        match (letter, complaint) {
            (Some(':'), _) => match self.bare_line_above(line) {
                Some(above) => {
                    told(above, "a key is followed by `:`", "write `key: value`, or put a text of two lines in quotes")
                }
                None => told(at, "this colon would begin a value", "put a text that holds `: ` in quotes"),
            },
            (Some('{' | '}' | '[' | ']'), _) => {
                told(at, "this bracket belongs to nothing", "put a text that holds a bracket in quotes")
            }
            (_, it) if it.contains("unexpected character") => {
                told(at, "a text cannot begin like this", "put it in quotes")
            }
            (_, it) if it.contains("flow") => told(
                at,
                "there is no comma before this",
                "put a comma between two entries, or the whole text in quotes",
            ),
            (_, it) if it.contains("simple key") => told(at, "a key is followed by `:`", "write `key: value`"),
            (_, it) if it.contains("quoted scalar") && it.contains("end of stream") => {
                told(at, "a quote that is opened is never closed", "close it where the text ends")
            }
            (_, it) if it.contains("trailing content") => {
                told(at, "this comes after the closing quote", "put all of the text inside the quotes")
            }
            (_, it) if it.contains("expected key") || it.contains("indent") || it.contains("block collection") => {
                told(at, "this line is not indented like its neighbours", "begin all keys of a mapping in one column")
            }
            (_, it) => Diagnostic::new("syntax", at, "this is not YAML")
                .label(it.to_lowercase())
                .help("put a text in quotes if it holds anything but words"),
        }
    }

    /// The line above, if it is indented like this one and has no colon: its key lacks one, and the parser reads on.
    fn bare_line_above(&self, line: usize) -> Option<Span> {
        let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let above = self.text[..line.checked_sub(1)?].rfind('\n').map_or(0, |end| end + 1);
        let (bare, this) = (self.text[above..line].trim_end(), &self.text[line..]);
        let plain = !bare.contains(':') && !bare.trim_start().starts_with(['#', '-']) && !bare.trim().is_empty();
        let (start, end) = ((above + indent(bare)) as u32, (above + bare.len()) as u32);
        (plain && indent(bare) == indent(this)).then_some(Span { file: self.file, start, end })
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let (start, end) = (self.offsets.byte(start, self.text), self.offsets.byte(end, self.text));
        Span { file: self.file, start: start as u32, end: end.max(start) as u32 }
    }

    fn document(&mut self) -> Result<Option<Node>, Diagnostic> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(Diagnostic::new("second-document", span, "a spec file holds one document")
                        .help("put the rest into a file of its own"));
                }
                Event::DocumentStart(_) => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Diagnostic> {
        if depth > MAX_DEPTH {
            return Err(Diagnostic::new("too-deep", span, format!("nested more than {MAX_DEPTH} levels deep"))
                .help("no word of the language nests like this"));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.plain_yaml(span, anchor, tag.is_some())?;
                Ok(Node { span: self.trimmed(span), key: None, value: scalar(&text, style) })
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain_yaml(span, anchor, tag.is_some())?;
                let flow = self.opened(span);
                let mut items = Vec::new();
                loop {
                    let (event, at) = self.next()?;
                    if let Event::SequenceEnd = event {
                        self.open.truncate(self.open.len() - usize::from(flow));
                        return Ok(Node {
                            span: self.trimmed(Span { end: at.end.max(span.end), ..span }),
                            key: None,
                            value: Value::List(items),
                        });
                    }
                    items.push(self.node(event, at, depth + 1)?);
                }
            }
            Event::MappingStart(anchor, tag) => {
                self.plain_yaml(span, anchor, tag.is_some())?;
                let flow = self.opened(span);
                let mut entries: Vec<(Spanned<String>, Node)> = Vec::new();
                let mut in_text = false;
                let mut placeholder = None;
                loop {
                    let (event, at) = self.next()?;
                    if let Event::MappingEnd = event {
                        self.open.truncate(self.open.len() - usize::from(flow));
                        let span = self.trimmed(Span { end: at.end.max(span.end), ..span });
                        let value = placeholder.map_or(Value::Map(entries), Value::Text);
                        return Ok(Node { span, key: None, value });
                    }
                    let key = self.key(event, at, depth)?;
                    let (event, at) = self.next()?;
                    let node = Node { key: Some(key.span), ..self.node(event, at, depth + 1)? };
                    // `{ doc: one, two }`: the rest of a text, which the parser takes for a key.
                    let rest = flow
                        && node.value == Value::Null
                        && !self.text[key.span.end as usize..].trim_start().starts_with(':');
                    if let Some(text) = self.placeholder(&key).filter(|_| rest) {
                        let told = Diagnostic::new(
                            "unquoted-placeholder",
                            Span { end: span.start + text.len() as u32, ..span },
                            "a text that begins with a brace needs quotes",
                        )
                        .label("this is read as a mapping")
                        .help(format!("write `\"{text}\"`"));
                        // What follows the brace is not YAML; without it, reading goes on with the text that was meant.
                        if !text.ends_with('}') {
                            return Err(told);
                        }
                        self.problems.push(told);
                        placeholder = Some(text);
                    } else if rest && !in_text {
                        self.problems.push(
                            Diagnostic::new(
                                "unquoted-comma",
                                key.span,
                                format!("`{}` is read as a key of its own", key.value),
                            )
                            .label("a comma ends a text inside `{…}`")
                            .help("put the whole text in quotes"),
                        );
                    } else if let Some((other, _)) = entries.iter().find(|(other, _)| !rest && other.value == key.value)
                    {
                        let line = self.text[..other.span.start as usize].matches('\n').count() + 1;
                        self.problems.push(
                            Diagnostic::new("said-twice", key.span, format!("`{}` is said twice", key.value))
                                .label(format!("it is also in line {line}"))
                                .help("keep one of the two, or give this one another name"),
                        );
                    } else if !rest {
                        entries.push((key, node));
                    }
                    in_text = rest;
                }
            }
            Event::Alias(_) => Err(anchors(span)),
            _ => Err(Diagnostic::new("syntax", span, "this is not YAML")),
        }
    }

    /// Keys are names: whatever stands there is taken as its text, so that `on:` or `404:` need no quotes.
    fn key(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Spanned<String>, Diagnostic> {
        match event {
            Event::Scalar(text, _, anchor, tag) => {
                self.plain_yaml(span, anchor, tag.is_some())?;
                Ok(Spanned::new(text.into_owned(), self.trimmed(span)))
            }
            event => {
                self.node(event, span, depth + 1)?;
                Err(Diagnostic::new("syntax", span, "a key is one word or one text")
                    .label("this is a list or a mapping")
                    .help("write a name, and what it names behind `:`"))
            }
        }
    }

    /// `{api_url}/v1`, where a text was meant: a key alone in braces, and what follows them up to the end of the text.
    fn placeholder(&self, key: &Spanned<String>) -> Option<String> {
        let (start, end) = (key.span.start as usize, key.span.end as usize);
        let open = start.checked_sub(1).filter(|_| self.text[..start].ends_with('{'))?;
        let rest = self.text[end..].strip_prefix('}')?;
        let follows = rest.find([' ', ',', ']', '\r', '\n']).map_or(rest, |at| &rest[..at]);
        // In `{ base: {api_url}}` the last brace is not part of the text.
        let follows = if follows.contains('{') { follows } else { follows.trim_end_matches('}') };
        Some(self.text[open..self.text.len() - rest.len() + follows.len()].to_owned())
    }

    /// Notes a bracket. Whether there is one.
    fn opened(&mut self, span: Span) -> bool {
        let bracket = self.text[span.start as usize..].starts_with(['[', '{']);
        if bracket {
            self.open.push(Span { end: span.start + 1, ..span });
        }
        bracket
    }

    fn plain_yaml(&self, span: Span, anchor: usize, tagged: bool) -> Result<(), Diagnostic> {
        if anchor != 0 {
            return Err(anchors(span));
        }
        if tagged {
            let end = self.text[span.start as usize..span.end as usize]
                .find(char::is_whitespace)
                .map_or(span.end, |at| span.start + at as u32);
            return Err(Diagnostic::new("tag", Span { end, ..span }, "tags are not part of the spec language")
                .help("write the value itself; put text that looks like a number in quotes"));
        }
        Ok(())
    }

    /// The parser's ends reach over trailing blanks and comments; a caret should not.
    fn trimmed(&self, span: Span) -> Span {
        let text = &self.text[span.start as usize..span.end as usize];
        Span { end: span.start + text.trim_end().len() as u32, ..span }
    }
}

fn anchors(span: Span) -> Diagnostic {
    Diagnostic::new("anchor", span, "anchors and aliases are not part of the spec language")
        .help("name the thing once in `types`, `enums` or `variants`, and use its name")
}

/// YAML's core schema: what is not a null, a boolean or a number is text, and quotes make anything text.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Boolean(true),
        "false" | "False" | "FALSE" => Value::Boolean(false),
        _ => number(text).unwrap_or_else(|| Value::Text(text.to_owned())),
    }
}

/// A decimal number as JSON writes it. Leading zeros make a text: `00002126` is an id.
fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut bytes = digits.bytes();
    let first = bytes.next()?;
    if !first.is_ascii_digit() || (first == b'0' && bytes.next().is_some_and(|byte| byte.is_ascii_digit())) {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Value::Integer(whole));
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    text.parse::<f64>().ok().filter(|it| it.is_finite()).map(Value::Float)
}

/// Turns the parser's character positions into bytes.
enum Offsets {
    /// Every character is one byte.
    Ascii,
    /// The byte at which each character starts.
    Table(Vec<u32>),
}

impl Offsets {
    fn of(text: &str) -> Self {
        if text.is_ascii() { Self::Ascii } else { Self::Table(text.char_indices().map(|(at, _)| at as u32).collect()) }
    }

    fn byte(&self, character: usize, text: &str) -> usize {
        match self {
            Self::Ascii => character.min(text.len()),
            Self::Table(starts) => starts.get(character).map_or(text.len(), |start| *start as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Node {
        let mut problems = Vec::new();
        let node = parse(0, text, &mut problems).expect("YAML");
        assert_eq!(problems, []);
        node.expect("a document")
    }

    #[test]
    fn scalars_are_what_they_look_like_and_quotes_make_text() {
        let node = read("[1, -2, 1.5, true, null, 00002126, '7', 2024-06-11, 4.0e3, +5, 0x1f]");
        assert_eq!(
            node.to_json(),
            serde_json::json!([1, -2, 1.5, true, null, "00002126", "7", "2024-06-11", 4000.0, "+5", "0x1f"])
        );
    }

    #[test]
    fn places_are_bytes_even_after_letters_of_two_bytes() {
        let text = "é: {ü: value}";
        let node = read(text);
        let Value::Map(outer) = &node.value else { panic!("not a mapping") };
        let Value::Map(inner) = &outer[0].1.value else { panic!("not a mapping") };
        let span = inner[0].1.span;
        assert_eq!(&text[span.start as usize..span.end as usize], "value");
    }

    #[test]
    fn a_key_said_twice_is_reported_at_the_second() {
        let mut problems = Vec::new();
        parse(0, "a: 1\nb: 2\na: 3\n", &mut problems).expect("YAML");
        assert_eq!(problems.len(), 1);
        assert_eq!((problems[0].code, problems[0].span.start), ("said-twice", 10));
    }
}
