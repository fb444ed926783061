//! A document under construction: values are pieces of one text, so that what nobody changes is never taken apart.

use connectome_core::mapping::Keys;

use super::names::{Name, Names};
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
    names: Names,
    nodes: Vec<Node>,
    /// Members by their object and name, each in the first free place behind its hash.
    index: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    name: Name,
    parent: u32,
    next: u32,
    value: Value,
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
    /// An empty document.
    pub fn new() -> Self {
        let mut tree =
            Self { constants: 0, text: String::new(), names: Names::new(), nodes: Vec::new(), index: vec![0; 512] };
        tree.clear();
        tree
    }

    /// The same, with everything written so far for its constants.
    pub fn with_constants(mut self) -> Self {
        self.constants = self.text.len();
        self.names.keep();
        self.clear();
        self
    }

    /// Empties it; the constants stay.
    pub fn clear(&mut self) {
        self.text.truncate(self.constants);
        self.names.tidy();
        self.nodes.clear();
        self.nodes.push(Node { name: Name::NONE, parent: 0, next: 0, value: Value::Object(0, 0) });
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
        let plain = |byte: u8| byte >= b' ' && !matches!(byte, b'"' | b'\\');
        if !said.bytes().all(plain) {
            return self.write(&serde_json::Value::from(said).to_string());
        }
        let start = self.text.len();
        self.text.push('"');
        self.text.push_str(said);
        self.text.push('"');
        Span { start, end: self.text.len() }
    }

    /// A name that says this.
    pub fn name(&mut self, said: &str) -> Name {
        let json = serde_json::Value::from(said).to_string();
        self.names.name(&json[1..json.len() - 1])
    }

    /// A name that is written like this within quotes.
    pub fn written(&mut self, text: &str) -> Name {
        self.names.name(text)
    }

    /// A name as it stands within quotes.
    pub fn text_of(&self, name: Name) -> &str {
        self.names.text(name)
    }

    /// What is there.
    pub fn value(&self, id: Id) -> Value {
        self.nodes[id].value
    }

    /// The name of a member, as it stands within quotes.
    pub fn name_of(&self, id: Id) -> &str {
        self.names.text(self.nodes[id].name)
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
        self.nodes.push(Node { name: Name::NONE, parent: u32::MAX, next: 0, value: Value::Gone });
        self.nodes.len() - 1
    }

    /// Adds an element to a list.
    pub fn push(&mut self, list: Id, value: Value) -> Id {
        self.add(list, Name::NONE, value)
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
            Value::Scalar(span) => {
                matches!(span.end - span.start, 2 | 4) && matches!(self.piece(span), "null" | "\"\"")
            }
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

    /// Removes what is empty, and what is empty without it; says whether nothing is left.
    pub fn remove_empty(&mut self, id: Id) -> bool {
        if !matches!(self.nodes[id].value, Value::Object(..) | Value::List(..)) {
            return self.is_empty(id);
        }
        let (mut child, mut empty) = (self.first(id), true);
        while let Some(at) = child {
            if self.remove_empty(at) {
                self.set(at, Value::Gone);
            } else {
                empty = false;
            }
            child = self.next(at);
        }
        empty
    }

    /// Reads JSON that stands in the text into a place, its keys renamed. The text is known to be JSON.
    pub fn read(&mut self, at: Span, into: Id, keys: Keys) {
        // Nothing is written meanwhile, so the text can be lent.
        let text = std::mem::take(&mut self.text);
        self.take(&text, at.start, into, keys, 0);
        self.text = text;
    }

    /// Reads the value that starts here; gives where it ends.
    fn take(&mut self, text: &str, start: usize, into: Id, keys: Keys, depth: usize) -> usize {
        let bytes = text.as_bytes();
        let (first, mut parts) = (bytes.get(start), Parts::of(text, start));
        if depth < DEEPEST && first == Some(&b'{') {
            self.set(into, Value::Object(0, 0));
            while let Some(member) = parts.name() {
                let name = self.names.renamed(member.span.of(text), keys);
                let child = self.put(into, name, Value::Gone);
                parts.pass(self.take(text, member.value, child, keys, depth + 1));
            }
            return parts.rest() + 1;
        }
        if depth < DEEPEST && first == Some(&b'[') {
            self.set(into, Value::List(0, 0));
            while let Some(element) = parts.element() {
                let child = self.push(into, Value::Gone);
                parts.pass(self.take(text, element, child, keys, depth + 1));
            }
            return parts.rest() + 1;
        }
        let end = raw::value_end(bytes, start);
        self.set(into, Value::Scalar(Span { start, end }));
        end
    }

    /// Where a member stands in the index, or would.
    #[inline]
    fn place(&self, object: Id, name: Name) -> usize {
        let mask = self.index.len() - 1;
        let mut place = mixed(name, object as u32) & mask;
        loop {
            let id = self.index[place] as usize;
            let node = &self.nodes[id];
            if id == 0 || node.name == name && node.parent as usize == object {
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
            let mut place = mixed(node.name, node.parent) & mask;
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
                    let name = self.names.before_value(self.nodes[child].name);
                    out.extend_from_slice(&name.as_bytes()[usize::from(place == 0)..]);
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

fn mixed(name: Name, object: u32) -> usize {
    let both = u64::from(name.number()) << 32 | u64::from(object);
    (both.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize
}
