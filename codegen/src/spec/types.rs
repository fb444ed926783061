//! Records and closed sets of values.

use crate::read::{Literal, Map, Names, Word};
use crate::spec::Name;
use crate::spec::field::{Document, Member};

/// A record.
#[derive(Debug, Clone)]
pub struct Type {
    /// What it is.
    pub doc: String,
    /// Whether the vendor's document lists it.
    pub document: Option<Document>,
    /// Its fields, in the document's order.
    pub fields: Names<Member>,
    /// Fields of which exactly one is sent.
    pub send_first: Vec<Name>,
    /// A pair of fields that are one key and its value on the wire.
    pub variant: Option<Variant>,
    /// Where the word stands.
    pub span: crate::source::Span,
}

impl Word for Type {
    const NAME: &'static str = "type";

    fn read(map: &Map<'_>) -> Self {
        Type {
            doc: map.required("doc", "What one of these is."),
            document: map.optional("document", "`absent` when the vendor's document has no such type."),
            fields: map.many("fields", "Its fields, by name, in the document's order."),
            send_first: map.many("send_first", "Of these fields the first that is given is sent, and one is needed; `NAME if FORMAT` is taken only when its value looks so."),
            variant: map.optional("variant", "Two fields that are one on the wire: the first names the key, the second is its value."),
            span: map.span(),
        }
    }
}

/// `{ type: ip, value: 203.0.113.7 }` here is `{ "ip": "203.0.113.7" }` on the wire.
#[derive(Debug, Clone)]
pub struct Variant {
    /// The field that names the key.
    pub name: Name,
    /// The field that holds the value.
    pub value: Name,
    /// The keys there are.
    pub of: Name,
}

impl Word for Variant {
    const NAME: &'static str = "variant";

    fn read(map: &Map<'_>) -> Self {
        Variant {
            name: map.required("name", "The field that names the key."),
            value: map.required("value", "The field that holds the value."),
            of: map.required("of", "The set of `variants` that lists the keys."),
        }
    }
}

/// A closed set of values that several fields share.
#[derive(Debug, Clone)]
pub struct Enum {
    /// What the values say.
    pub doc: String,
    /// The values.
    pub values: Vec<Literal>,
    /// Where it stands.
    pub span: crate::source::Span,
}

impl Word for Enum {
    const NAME: &'static str = "enum";

    fn read(map: &Map<'_>) -> Self {
        Enum {
            doc: map.required("doc", "What the values say."),
            values: map.required("values", "Every value, in the document's order."),
            span: map.span(),
        }
    }
}
