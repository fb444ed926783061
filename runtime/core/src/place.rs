//! Where a value goes in a request, and where it comes from in an answer.

use crate::filter::Filter;
use crate::format::Format;
use crate::shape::Literal;

/// Where a value goes in a request.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// It steers the call and is not sent.
    Control,
    /// Into `{its name}` of the path, as one segment.
    Path,
    /// Into a query parameter; a list is joined by the given text.
    Query(&'static str, &'static str),
    /// Into a header.
    Header(&'static str),
    /// Under a key of the JSON body.
    Body(&'static str),
    /// As the elements of a JSON array body, each under a key or as it is.
    BodyItems(Option<&'static str>),
    /// Into a part of a multipart form, with its media type if it is a file.
    Part(&'static str, &'static str),
    /// As a filter expression.
    Filter(&'static Filter),
    /// Inside a record: under the first of these keys whose condition holds, and only beside the given key.
    Key(&'static [Wire], Option<&'static str>),
    /// Inside a record: accepted and not sent.
    Unsent,
}

/// A key on the wire, perhaps only for values that look in a certain way.
#[derive(Debug, Clone, Copy)]
pub struct Wire {
    /// The key.
    pub name: &'static str,
    /// What the value must look like.
    pub when: Option<Format>,
}

impl Wire {
    /// A key for any value.
    pub const fn key(name: &'static str) -> Self {
        Self { name, when: None }
    }
}

/// Where a value comes from in an answer.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// Under the field's own key of the object at hand.
    Key,
    /// The whole body, or what is at this path of it.
    Body(&'static [&'static str]),
    /// A header.
    Header(&'static str),
    /// The status code.
    Status,
    /// The records of all pages.
    Items,
    /// How many records there were.
    CountOfItems,
    /// One entry for each answer of a multi-status list.
    EachAnswer,
    /// Always the same.
    Constant(Literal),
    /// The bytes of the body as a file, with the names it gets when the service does not name it.
    File(&'static [Wire]),
}
