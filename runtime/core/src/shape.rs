//! What values look like, as data: the part of the tables that validation, requests, answers, the simulator and the
//! documents all read.

use serde_json::Value;

use crate::convert::Convert;
use crate::format::Format;
use crate::place::{Place, Source};

/// A constant of a spec.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Literal {
    /// Text.
    Text(&'static str),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A list or an object, as JSON text.
    Json(&'static str),
}

impl Literal {
    /// The constant as a JSON value.
    pub fn value(&self) -> Value {
        match self {
            Literal::Text(it) => Value::from(*it),
            Literal::Integer(it) => Value::from(*it),
            Literal::Float(it) => Value::from(*it),
            Literal::Boolean(it) => Value::from(*it),
            // The generator printed this text from a value, so it parses.
            Literal::Json(it) => serde_json::from_str(it).unwrap_or(Value::Null),
        }
    }

    /// The constant as it stands in a query or a header.
    pub fn text(&self) -> String {
        match self {
            Literal::Text(it) | Literal::Json(it) => (*it).to_owned(),
            Literal::Integer(it) => it.to_string(),
            Literal::Float(it) => it.to_string(),
            Literal::Boolean(it) => it.to_string(),
        }
    }
}

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Text. A whole number is taken as its decimal text.
    Text,
    /// A whole number. Its decimal text is taken as well.
    Integer,
    /// A number.
    Float,
    /// `true` or `false`.
    Boolean,
    /// A JSON object with keys of its own.
    Object,
    /// Any JSON value.
    Any,
    /// A file: `{ "content": Base64, "filename": … }`.
    File,
    /// A list.
    List(&'static Shape),
    /// A record.
    Record(&'static Record),
}

impl Shape {
    /// The type in the words of a person.
    pub fn name(&self) -> String {
        match self {
            Shape::Text => "text".to_owned(),
            Shape::Integer => "a whole number".to_owned(),
            Shape::Float => "a number".to_owned(),
            Shape::Boolean => "true or false".to_owned(),
            Shape::Object => "an object".to_owned(),
            Shape::Any => "any value".to_owned(),
            Shape::File => "a file: {\"content\": BASE64, \"filename\": NAME}".to_owned(),
            Shape::List(_) => "a list".to_owned(),
            Shape::Record(record) => format!("an object of type {}", record.name),
        }
    }
}

/// An object with known fields.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Its type's name.
    pub name: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
    /// Fields of which the first that is given, and fits, is sent. One is needed.
    pub send_first: &'static [Choice],
    /// Two fields that are one key and its value on the wire.
    pub variant: Option<&'static Variant>,
}

impl Record {
    /// A record without fields; fill in the rest with `..Record::named("…")`.
    pub const fn named(name: &'static str) -> Self {
        Self { name, fields: &[], send_first: &[], variant: None }
    }

    /// The field of this name or alias.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name || field.aliases.contains(&name))
    }
}

/// A field that is sent when it is the first that is given and fits.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// The field.
    pub field: &'static str,
    /// What its value must look like.
    pub when: Option<Format>,
}

/// Two fields that are one on the wire: `{ type: ip, value: X }` is `{ "ip": X }`.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// The field that names the key.
    pub name: &'static str,
    /// The field that holds the value.
    pub value: &'static str,
    /// The keys there are, and what each one's value must be like.
    pub of: &'static [(&'static str, Rules)],
}

/// A field: what it may be, and where it goes or comes from.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name for the user.
    pub name: &'static str,
    /// Its type.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What stands in when it is not.
    pub default: Option<Literal>,
    /// Other names it goes by.
    pub aliases: &'static [&'static str],
    /// What its value must be like.
    pub rules: Rules,
    /// Whether it must never be shown.
    pub secret: bool,
    /// Where it goes.
    pub place: Place,
    /// Where it comes from.
    pub source: Source,
    /// How it is changed before it is sent.
    pub send: Option<Convert>,
    /// How it is changed before it is shown.
    pub with: Option<Convert>,
}

impl Field {
    /// An optional field that goes nowhere.
    pub const fn new(name: &'static str, shape: Shape, place: Place) -> Self {
        Self {
            name,
            shape,
            required: false,
            default: None,
            aliases: &[],
            rules: Rules::NONE,
            secret: false,
            place,
            source: Source::Key,
            send: None,
            with: None,
        }
    }

    /// It must be there.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What stands in when it is not given.
    pub const fn default(mut self, value: Literal) -> Self {
        self.default = Some(value);
        self
    }

    /// Other names it goes by.
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// What its value must be like.
    pub const fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// It must never be shown.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Where it comes from.
    pub const fn source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// How it is changed before it is sent.
    pub const fn send(mut self, convert: Convert) -> Self {
        self.send = Some(convert);
        self
    }

    /// How it is changed before it is shown.
    pub const fn with(mut self, convert: Convert) -> Self {
        self.with = Some(convert);
        self
    }
}

/// What a value must be like. `None` and empty lists demand nothing.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The only values.
    pub one_of: &'static [Literal],
    /// Whether letters may come in any case.
    pub any_case: bool,
    /// What a text must look like.
    pub format: Option<Format>,
    /// Fewest characters.
    pub min_length: Option<usize>,
    /// Most characters.
    pub max_length: Option<usize>,
    /// Most bytes before any encoding.
    pub max_bytes: Option<usize>,
    /// The least number.
    pub min: Option<f64>,
    /// The greatest number.
    pub max: Option<f64>,
    /// Fewest elements.
    pub min_items: Option<usize>,
    /// Most elements.
    pub max_items: Option<usize>,
    /// Values that are refused although they look right.
    pub refuse: &'static [Literal],
    /// How far back a timestamp may lie, in seconds.
    pub max_age: Option<u64>,
    /// Whether a fraction of a second is rounded up.
    pub round_up: bool,
    /// Whether a file must be UTF-8 text.
    pub utf8: bool,
    /// The ending a file's name must have: another field, and the ending for each of its values.
    pub extension_by: Option<(&'static str, &'static [(&'static str, &'static str)])>,
}

impl Rules {
    /// Demands nothing.
    pub const NONE: Rules = Rules {
        one_of: &[],
        any_case: false,
        format: None,
        min_length: None,
        max_length: None,
        max_bytes: None,
        min: None,
        max: None,
        min_items: None,
        max_items: None,
        refuse: &[],
        max_age: None,
        round_up: false,
        utf8: false,
        extension_by: None,
    };
}
