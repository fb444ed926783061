//! A document under construction: values are pieces of one text, so that what nobody changes is never taken apart.

use std::borrow::Cow;

use crate::raw::{self, Parts, Span};

/// Where a value stands among all of a document.
pub type Id = usize;

/// The document itself.
pub const ROOT: Id = 0;

/// Deeper than this a value stays as it was written, its keys included.
const DEEPEST: usize = 100;

/// A document.
#[derive(Debug)]
pub struct Tree {
    /// Constants, then the record, then what was made.
    text: String,
    /// Where the constants end.
    constants: usize,
    nodes: Vec<Node>,
    /// Members by their object and name, each in the first free place behind its hash.
    index: Vec<u32>,
    /// A secret that keeps others from choosing names that share a hash.
    seed: u64,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    name: Name,
    parent: u32,
    next: u32,
    value: Value,
}

/// A name within quotes, and what tells it from most others.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    span: Span,
    hash: u64,
}

/// What a place of the document holds.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// Nothing: what was there is gone.
    Gone,
    /// A text, a number, true, false or null, as JSON; or anything too deep to look at.
    Scalar(Span),
    /// This piece of JSON as a text.
    Quoted(Span),
    /// Members, from the first to the last; 0 for none.
    Object(u32, u32),
    /// Elements, from the first to the last; 0 for none.
    List(u32, u32),
}

impl Tree {
    /// An empty document whose text begins with constants.
    pub fn new(constants: String) -> Self {
        use std::hash::{BuildHasher, RandomState};
        let seed = RandomState::new().hash_one(0_u64) | 1;
        let mut tree =
            Self { constants: constants.len(), text: constants, nodes: Vec::new(), index: vec![0; 512], seed };
        tree.clear();
        tree
    }

    /// The same, with everything written so far for its constants.
    pub fn with_constants(mut self) -> Self {
        self.constants = self.text.len();
        self.clear();
        self
    }

    /// Empties it; the constants stay.
    pub fn clear(&mut self) {
        self.text.truncate(self.constants);
        self.nodes.clear();
        let none = Name { span: Span { start: 0, end: 0 }, hash: 0 };
        self.nodes.push(Node { name: none, parent: 0, next: 0, value: Value::Object(0, 0) });
        self.index.fill(0);
    }

    /// A piece of the text.
    pub fn piece(&self, span: Span) -> &str {
        span.of(&self.text)
    }

    /// Adds to the text.
    pub fn write(&mut self, piece: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(piece);
        Span { start, end: self.text.len() }
    }

    /// Adds JSON of a text to the text.
    pub fn quote(&mut self, said: &str) -> Span {
        self.write(&serde_json::Value::from(said).to_string())
    }

    /// A name that stands in the text, without its quotes.
    pub fn name(&self, span: Span) -> Name {
        Name { span, hash: hash(self.piece(span).as_bytes(), self.seed) }
    }

    /// What is there.
    pub fn value(&self, id: Id) -> Value {
        self.nodes[id].value
    }

    /// What the name of a member says.
    pub fn name_of(&self, id: Id) -> &str {
        self.piece(self.nodes[id].name.span)
    }

    /// The JSON of a scalar.
    pub fn scalar(&self, id: Id) -> Option<&str> {
        match self.nodes[id].value {
            Value::Scalar(span) => Some(self.piece(span)),
            _ => None,
        }
    }

    /// The member of this name, unless it is gone.
    pub fn member(&self, object: Id, name: Name) -> Option<Id> {
        let id = self.index[self.place(object, name)] as usize;
        (id != 0 && !matches!(self.nodes[id].value, Value::Gone)).then_some(id)
    }

    /// The place at a path.
    pub fn find(&self, from: Id, path: &[Name]) -> Option<Id> {
        path.iter().try_fold(from, |object, name| self.member(object, *name))
    }

    /// The place at a path, made when it is not there. Nothing when something other than an object is in the way.
    pub fn make(&mut self, path: &[Name]) -> Option<Id> {
        let (last, way) = path.split_last()?;
        let mut object = ROOT;
        for name in way {
            object = match self.member(object, *name) {
                Some(id) if matches!(self.nodes[id].value, Value::Object(..)) => id,
                Some(_) => return None,
                None => self.put(object, *name, Value::Object(0, 0)),
            };
        }
        Some(self.member(object, *last).unwrap_or_else(|| self.put(object, *last, Value::Gone)))
    }

    /// Gives a member its value, whether it is there or not.
    pub fn put(&mut self, object: Id, name: Name, value: Value) -> Id {
        if self.nodes.len() * 2 > self.index.len() {
            self.grow();
        }
        let place = self.place(object, name);
        match self.index[place] as usize {
            0 => {
                let id = self.add(object, name, value);
                self.index[place] = id as u32;
                id
            }
            id => {
                self.set(id, value);
                id
            }
        }
    }

    /// A place that is not part of the document.
    pub fn loose(&mut self) -> Id {
        let none = Name { span: Span { start: 0, end: 0 }, hash: 0 };
        self.nodes.push(Node { name: none, parent: u32::MAX, next: 0, value: Value::Gone });
        self.nodes.len() - 1
    }

    /// Adds an element to a list.
    pub fn push(&mut self, list: Id, value: Value) -> Id {
        let none = Name { span: Span { start: 0, end: 0 }, hash: 0 };
        self.add(list, none, value)
    }

    fn add(&mut self, parent: Id, name: Name, value: Value) -> Id {
        let id = self.nodes.len();
        self.nodes.push(Node { name, parent: parent as u32, next: 0, value });
        let before = match &mut self.nodes[parent].value {
            Value::Object(first, last) | Value::List(first, last) => {
                let before = *last as usize;
                if before == 0 {
                    *first = id as u32;
                }
                *last = id as u32;
                before
            }
            _ => 0,
        };
        if before != 0 {
            self.nodes[before].next = id as u32;
        }
        id
    }

    /// Changes what is there. What was in it is no longer found.
    pub fn set(&mut self, id: Id, value: Value) {
        let mut child = self.first(id);
        while let Some(at) = child {
            self.nodes[at].parent = u32::MAX;
            child = self.next(at);
        }
        self.nodes[id].value = value;
    }

    /// The first child of a list or an object.
    pub fn first(&self, id: Id) -> Option<Id> {
        match self.nodes[id].value {
            Value::Object(first, _) | Value::List(first, _) => Some(first as usize).filter(|it| *it != 0),
            _ => None,
        }
    }

    /// The child behind this one.
    pub fn next(&self, id: Id) -> Option<Id> {
        Some(self.nodes[id].next as usize).filter(|it| *it != 0)
    }

    /// The children that are there.
    pub fn children(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        std::iter::successors(self.first(id), |it| self.next(*it))
            .filter(|it| !matches!(self.nodes[*it].value, Value::Gone))
    }

    /// Whether there is nothing in it: null, an empty text, list or object.
    pub fn is_empty(&self, id: Id) -> bool {
        match self.nodes[id].value {
            Value::Gone => true,
            Value::Scalar(span) => matches!(self.piece(span), "null" | "\"\""),
            Value::Quoted(_) => false,
            Value::Object(..) | Value::List(..) => self.children(id).next().is_none(),
        }
    }

    /// Gives a place what another holds.
    pub fn copy(&mut self, from: Id, to: Id) {
        match self.nodes[from].value {
            value @ (Value::Object(..) | Value::List(..)) => {
                let object = matches!(value, Value::Object(..));
                self.set(to, if object { Value::Object(0, 0) } else { Value::List(0, 0) });
                let children: Vec<Id> = self.children(from).collect();
                for child in children {
                    let name = self.nodes[child].name;
                    let made = if object { self.put(to, name, Value::Gone) } else { self.push(to, Value::Gone) };
                    self.copy(child, made);
                }
            }
            value => self.set(to, value),
        }
    }

    /// Removes what is empty, and what is empty without it.
    pub fn remove_empty(&mut self, id: Id) {
        let mut child = self.first(id);
        while let Some(at) = child {
            self.remove_empty(at);
            if self.is_empty(at) {
                self.set(at, Value::Gone);
            }
            child = self.next(at);
        }
    }

    /// Reads JSON that stands in the text into a place, its keys renamed. The text is known to be JSON.
    pub fn read(&mut self, at: Span, into: Id, rename: fn(&str) -> Cow<'_, str>) {
        // The text is read while it grows, so it is moved out; what renaming makes is kept apart until then.
        let text = std::mem::take(&mut self.text);
        let mut made = String::new();
        self.take(&text, at.start, into, rename, &mut made, 0);
        self.text = text;
        self.text.push_str(&made);
    }

    /// Reads the value that starts here; gives where it ends.
    fn take(
        &mut self,
        text: &str,
        start: usize,
        into: Id,
        rename: fn(&str) -> Cow<'_, str>,
        made: &mut String,
        depth: usize,
    ) -> usize {
        let bytes = text.as_bytes();
        let (first, mut parts) = (bytes.get(start), Parts::of(text, start));
        if depth < DEEPEST && first == Some(&b'{') {
            self.set(into, Value::Object(0, 0));
            while let Some(member) = parts.name() {
                let written = member.span.of(text);
                let name = if member.escaped { renamed(&member.said(text), rename) } else { rename(written) };
                let span = match name {
                    Cow::Borrowed(_) if !member.escaped => member.span,
                    name => {
                        let start = text.len() + made.len();
                        made.push_str(&name);
                        Span { start, end: start + name.len() }
                    }
                };
                let bytes = if span.start < text.len() { span.of(text) } else { &made[span.start - text.len()..] };
                let name = Name { span, hash: hash(bytes.as_bytes(), self.seed) };
                let child = self.put_read(text, made, into, name);
                parts.pass(self.take(text, member.value, child, rename, made, depth + 1));
            }
            return parts.rest() + 1;
        }
        if depth < DEEPEST && first == Some(&b'[') {
            self.set(into, Value::List(0, 0));
            while let Some(element) = parts.element() {
                let child = self.push(into, Value::Gone);
                parts.pass(self.take(text, element, child, rename, made, depth + 1));
            }
            return parts.rest() + 1;
        }
        let end = raw::value_end(bytes, start);
        self.set(into, Value::Scalar(Span { start, end }));
        end
    }

    /// As `put`, while the text is not in its place.
    fn put_read(&mut self, text: &str, made: &str, object: Id, name: Name) -> Id {
        if self.nodes.len() * 2 > self.index.len() {
            self.grow();
        }
        let piece = |span: Span| match span.start.checked_sub(text.len()) {
            None => span.of(text),
            Some(start) => &made[start..span.end - text.len()],
        };
        let place = self.place_by(object, name, |span| piece(span) == piece(name.span));
        match self.index[place] as usize {
            0 => {
                let id = self.add(object, name, Value::Gone);
                self.index[place] = id as u32;
                id
            }
            id => id,
        }
    }

    fn place(&self, object: Id, name: Name) -> usize {
        self.place_by(object, name, |span| self.piece(span) == self.piece(name.span))
    }

    /// Where a member stands in the index, or would.
    #[inline]
    fn place_by(&self, object: Id, name: Name, same: impl Fn(Span) -> bool) -> usize {
        let mask = self.index.len() - 1;
        let mut place = mixed(name.hash, object) & mask;
        loop {
            let id = self.index[place] as usize;
            let node = &self.nodes[id];
            if id == 0 || node.name.hash == name.hash && node.parent as usize == object && same(node.name.span) {
                return place;
            }
            place = (place + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let mask = self.index.len() * 4 - 1;
        let members: Vec<u32> = self.index.drain(..).filter(|id| *id != 0).collect();
        self.index.resize(mask + 1, 0);
        for id in members {
            let node = &self.nodes[id as usize];
            let mut place = mixed(node.name.hash, node.parent as usize) & mask;
            while self.index[place] != 0 {
                place = (place + 1) & mask;
            }
            self.index[place] = id;
        }
    }

    /// Appends it as JSON.
    pub fn print(&self, id: Id, out: &mut Vec<u8>) {
        match self.nodes[id].value {
            Value::Gone => out.extend_from_slice(b"null"),
            Value::Scalar(span) => out.extend_from_slice(self.piece(span).as_bytes()),
            Value::Quoted(span) => quoted(self.piece(span), out),
            Value::Object(..) => {
                out.push(b'{');
                for (place, child) in self.children(id).enumerate() {
                    out.extend_from_slice(if place > 0 { b",\"" } else { b"\"" });
                    out.extend_from_slice(self.name_of(child).as_bytes());
                    out.extend_from_slice(b"\":");
                    self.print(child, out);
                }
                out.push(b'}');
            }
            Value::List(..) => {
                out.push(b'[');
                for (place, child) in self.children(id).enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    self.print(child, out);
                }
                out.push(b']');
            }
        }
    }
}

/// Appends JSON as a text, without blanks between its parts.
fn quoted(json: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut within = false;
    let mut escaped = false;
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'"' => within = !within,
            b'\\' => escaped = true,
            b' ' | b'\n' | b'\t' | b'\r' if !within => continue,
            _ => {}
        }
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// The JSON, without quotes, of what becomes of a name with escapes.
fn renamed(said: &str, rename: fn(&str) -> Cow<'_, str>) -> Cow<'static, str> {
    let json = serde_json::Value::from(rename(said)).to_string();
    Cow::Owned(json[1..json.len() - 1].to_owned())
}

fn mixed(hash: u64, object: Id) -> usize {
    ((hash ^ (object as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 32) as usize
}

fn hash(name: &[u8], seed: u64) -> u64 {
    let step = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(seed.wrapping_mul(2) | 1);
    let (words, rest) = name.as_chunks::<8>();
    let hash = words.iter().fold(seed ^ name.len() as u64, |hash, word| step(hash, u64::from_le_bytes(*word)));
    let rest = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    step(hash, rest)
}
