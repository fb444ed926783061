//! Fields: of a connection, an input, an output, a record. They share what a value may be and differ in where it goes.

use crate::choice;
use crate::diagnostic::Diagnostic;
use crate::read::{Form, Language, Literal, Map, Names, OneOrMore, Problems, Seconds, Shape, Word};
use crate::source::{Span, Spanned};
use crate::spec::Name;
use crate::yaml::{Node, Value};

/// A type as written: `string`, `alert`, or `[alert]` for a list.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeName {
    /// A built-in type or a record.
    One(Name),
    /// A list.
    List(Box<TypeName>, Span),
}

impl TypeName {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            TypeName::One(name) => name.span,
            TypeName::List(_, span) => *span,
        }
    }
}

impl Form for TypeName {
    fn describe(language: &Language) -> Shape {
        OneOrMore::<Name>::describe(language)
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            Value::List(items) => match items.as_slice() {
                [item] => Some(TypeName::List(Box::new(TypeName::take(item, problems)?), node.span)),
                _ => {
                    problems.push(
                        Diagnostic::new("wrong-kind", node.span, "a list type names one element type")
                            .label(format!("this names {}", items.len()))
                            .help("write `[string]` for a list of texts"),
                    );
                    None
                }
            },
            _ => Name::take(node, problems).map(TypeName::One),
        }
    }

    fn absent(span: Span) -> Self {
        TypeName::One(Name::absent(span))
    }
}

choice! {
    /// What a text must look like, or how a value is recognised. A closed list; each is a tested function of the runtime.
    Format, "a format" {
        Timestamp = "timestamp" = "A date and time in ISO 8601; sent in UTC with whole seconds, as `2024-06-11T07:12:44Z`.",
        Guid = "guid" = "Eight, four, four, four and twelve hexadecimal digits.",
        Ip = "ip" = "An IPv4 or IPv6 address, nothing around it.",
        Domain = "domain" = "A domain name.",
        DomainPattern = "domain_pattern" = "A domain name that may begin with `*.`.",
        Url = "url" = "A URL with a scheme, or a host and path without one.",
        UrlPattern = "url_pattern" = "A URL that may begin and end with `*` and hold one in its host.",
        BaseUrl = "base_url" = "The root of a service: `https://`, host and perhaps a port. Plain `http` for loopback only.",
        Email = "email" = "A full e-mail address.",
        Sha1 = "sha1" = "40 hexadecimal digits.",
        Sha256 = "sha256" = "64 hexadecimal digits.",
        Identifier = "identifier" = "An id that is safe in a path: no `/`, `?`, `#`, blank or control character.",
        Token = "token" = "An API token: ASCII without blanks or control characters.",
        HeaderValue = "header_value" = "Text without control characters.",
        CamelCase = "camel_case" = "A name in camel case, as `createdDateTime`.",
        Angled = "angled" = "Text that begins with `<` and ends with `>`, as Internet message ids do.",
        Script = "script" = "Bytes that begin with `#!`.",
    }
}

choice! {
    /// How a value is changed on its way. A closed list; each is a tested function of the runtime.
    Converter, "a converter" {
        QuotedEtag = "quoted_etag" = "An entity tag in double quotes, whatever form it came in.",
        BareEtag = "bare_etag" = "An entity tag without quotes and without `W/`.",
        Base64Once = "base64_once" = "Base64 of the text, unless the text is Base64 of something readable already.",
        LastSegment = "last_segment" = "The last path segment of a URL.",
        Integer = "integer" = "The text as a whole number.",
        Lowercase = "lowercase" = "The text in lower case.",
        EpochMs = "epoch_ms" = "A date as milliseconds since 1970.",
        Text = "text" = "Any scalar as text.",
        MacAddress = "mac_address" = "A hardware address in small letters with colons, as `02:00:5e:10:4a:7b`.",
        HostLabel = "host_label" = "The part of a host name before its domain, in small letters; absent when it has no domain or is an address.",
    }
}

/// What a value must be like.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// The only values.
    pub one_of: Option<OneOf>,
    /// What a text looks like.
    pub format: Option<Spanned<Format>>,
    /// Fewest characters.
    pub min_length: Option<u64>,
    /// Most characters.
    pub max_length: Option<u64>,
    /// Most bytes before any encoding.
    pub max_bytes: Option<u64>,
    /// Least number.
    pub min: Option<f64>,
    /// Greatest number.
    pub max: Option<f64>,
    /// Fewest elements.
    pub min_items: Option<u64>,
    /// Most elements.
    pub max_items: Option<u64>,
    /// Values that are refused although they have the right form.
    pub refuse: Vec<Literal>,
    /// How far back a timestamp may lie.
    pub max_age: Option<Seconds>,
    /// Whether a fraction of a second is rounded up rather than down.
    pub round_up: bool,
    /// Where `min_length`, `min_items` and `min` stand.
    pub limits: [Span; 3],
    /// Where the rules stand.
    pub span: Span,
}

impl Rules {
    fn of(map: &Map<'_>) -> Self {
        Rules {
            one_of: map.optional("one_of", "The only values there are: a list, or the name of one of `enums`."),
            format: map.optional("format", "What a text must look like."),
            min_length: map.optional("min_length", "Fewest characters of a text."),
            max_length: map.optional("max_length", "Most characters of a text."),
            max_bytes: map.optional("max_bytes", "Most bytes of a text before it is encoded."),
            min: map.optional("min", "The least number."),
            max: map.optional("max", "The greatest number."),
            min_items: map.optional("min_items", "Fewest elements of a list."),
            max_items: map.optional("max_items", "Most elements of a list."),
            refuse: map.many("refuse", "Values that are refused although they look right."),
            max_age: map.optional("max_age", "How far back a timestamp may lie, as `365d`."),
            round_up: map.flag(
                "round_up",
                "Whether a fraction of a second is rounded up, as the end of a range is; otherwise down.",
            ),
            limits: ["min_length", "min_items", "min"].map(|name| map.span_of(name)),
            span: map.span(),
        }
    }
}

impl Word for Rules {
    const NAME: &'static str = "rules";

    fn read(map: &Map<'_>) -> Self {
        Self::of(map)
    }
}

/// A closed set of values, written out or named.
#[derive(Debug, Clone, PartialEq)]
pub enum OneOf {
    /// The values themselves.
    Values(Vec<Literal>, Span),
    /// One of `enums`.
    Named(Name),
}

impl Form for OneOf {
    fn describe(_: &Language) -> Shape {
        Shape::Either(vec![Shape::Text, Shape::List(Box::new(Shape::Any))])
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            Value::List(_) => Some(OneOf::Values(Vec::take(node, problems)?, node.span)),
            _ => Name::take(node, problems).map(OneOf::Named),
        }
    }

    fn absent(span: Span) -> Self {
        OneOf::Values(Vec::new(), span)
    }
}

/// What the vendor's document says where it differs from the truth that the field itself states.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    /// The document does not list the field.
    Absent(Span),
    /// The document's cells that differ. `null` stands for a cell the document leaves empty.
    Cells(Names<Literal>, Span),
}

impl Document {
    /// The document's own cell, where it was written down.
    pub fn cell(&self, name: &str) -> Option<&Literal> {
        match self {
            Document::Absent(_) => None,
            Document::Cells(cells, _) => cells.get(name),
        }
    }
}

impl Form for Document {
    fn describe(_: &Language) -> Shape {
        Shape::Either(vec![Shape::OneOf(&["absent"]), Shape::Names(Box::new(Shape::Any))])
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        const CELLS: [&str; 6] = ["type", "required", "default", "one_of", "example", "permissions"];
        match &node.value {
            Value::Text(text) if text == "absent" => Some(Document::Absent(node.span)),
            Value::Map(entries) => {
                for (key, _) in entries {
                    if !CELLS.contains(&key.value.as_str()) {
                        problems.push(
                            Diagnostic::new("unknown-key", key.span, format!("unknown key `{}`", key.value))
                                .suggest(&key.value, CELLS),
                        );
                    }
                }
                Some(Document::Cells(Names::take(node, problems)?, node.span))
            }
            _ => {
                problems.push(
                    Diagnostic::new("wrong-kind", node.span, "expected `absent` or the cells that differ")
                        .label(format!("this is {}", node.kind()))
                        .help("write what the document says, for example `document: { required: false }`"),
                );
                None
            }
        }
    }

    fn absent(span: Span) -> Self {
        Document::Absent(span)
    }
}

/// What every field says.
#[derive(Debug, Clone)]
pub struct Common {
    /// Its type.
    pub ty: TypeName,
    /// Its heading in the vendor's document.
    pub title: Option<String>,
    /// What it holds.
    pub doc: String,
    /// What a reader of the vendor's document should know.
    pub note: Option<String>,
    /// Whether it must be there.
    pub required: bool,
    /// What stands in when it is not.
    pub default: Option<Literal>,
    /// A value as the document shows it.
    pub example: Option<Literal>,
    /// Where the document differs.
    pub document: Option<Document>,
    /// Whether it must never be shown.
    pub secret: bool,
    /// Whether letters may be in any case.
    pub any_case: bool,
    /// Other names it goes by.
    pub aliases: Vec<Name>,
    /// What its value must be like.
    pub rules: Rules,
}

impl Common {
    fn of(map: &Map<'_>) -> Self {
        Common {
            ty: map.required("type", "`string`, `integer`, `float`, `boolean`, `object`, `any`, `file`, `secret`, which is never printed, one of `types`, or any of these in brackets for a list."),
            title: map.optional("title", "Its heading in the vendor's document, where that is not its name with capitals."),
            doc: map.required("doc", "What it holds, in our own words, with units and limits."),
            note: map.optional("note", "Where the vendor's document misleads: what is true."),
            required: map.flag("required", "Whether it must be there."),
            default: map.optional("default", "What stands in when it is not given."),
            example: map.optional("example", "A value, as the vendor's document shows it."),
            document: map.optional("document", "What the vendor's document says where that is wrong: its own cells, or `absent` when it does not list the field."),
            secret: map.flag("secret", "Whether it must never be printed, logged or stored."),
            any_case: map.flag("any_case", "Whether letters may come in any case; they go out as listed."),
            aliases: map.many("aliases", "Other names under which it is accepted."),
            rules: Rules::of(map),
        }
    }
}

/// A parameter of the connection.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// What every field says.
    pub common: Common,
}

impl Word for Parameter {
    const NAME: &'static str = "parameter";

    fn read(map: &Map<'_>) -> Self {
        Parameter { common: Common::of(map) }
    }
}

/// An input of an operation: what it may be, and where it goes.
#[derive(Debug, Clone)]
pub struct Input {
    /// What every field says.
    pub common: Common,
    /// Into `{…}` of the path.
    pub path: bool,
    /// Into this query parameter.
    pub query: Option<Name>,
    /// Into this header.
    pub header: Option<Name>,
    /// Under this key of the JSON body.
    pub body: Option<Name>,
    /// As the elements of a JSON array body.
    pub body_items: Option<Name>,
    /// As this part of a form.
    pub part: Option<Name>,
    /// As a filter expression.
    pub filter: Option<Filter>,
    /// Changed on its way.
    pub send: Option<Spanned<Converter>>,
    /// A list joined into one text.
    pub join: Option<String>,
    /// The media type of a part.
    pub content_type: Option<String>,
    /// Whether the bytes of a file must be UTF-8.
    pub utf8: bool,
    /// The file name's ending for each value of another input.
    pub extension_by: Names<Names<String>>,
    /// Other rules for fields of the element type.
    pub refine: Names<Refinement>,
}

impl Word for Input {
    const NAME: &'static str = "input";

    fn read(map: &Map<'_>) -> Self {
        Input {
            common: Common::of(map),
            path: map.flag("path", "It fills `{its name}` in the path, percent-encoded as one segment."),
            query: map.optional("query", "The query parameter it goes into."),
            header: map.optional("header", "The header it goes into."),
            body: map.optional("body", "The key of the JSON body it goes under."),
            body_items: map.optional(
                "body_items",
                "Its elements are the JSON array body: `whole`, or the key under which each element goes.",
            ),
            part: map.optional("part", "The part of a multipart form it goes into."),
            filter: map.optional("filter", "Its entries become a filter expression."),
            send: map.optional("send", "How it is changed before it is sent."),
            join: map.optional("join", "A list is sent as one text, with this between its elements."),
            content_type: map.optional("content_type", "The media type of its part."),
            utf8: map.flag("utf8", "Whether a file must be UTF-8 text."),
            extension_by: map.many(
                "extension_by",
                "The ending a file's name must have, for each value of another input: `{ file_type: { bash: sh } }`.",
            ),
            refine: map.many("refine", "Rules that hold for fields of its element type in this operation only."),
        }
    }
}

/// How a mapping of names to values becomes a filter expression.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The grammar.
    pub syntax: FilterSyntax,
    /// The header it goes into.
    pub header: Option<Name>,
    /// The query parameter it goes into.
    pub query: Option<Name>,
    /// The input that chooses the operator.
    pub operator: Name,
    /// Most characters of the finished text.
    pub max_length: Option<u64>,
    /// Whether an empty filter is refused.
    pub required: bool,
    /// The names the service knows.
    pub names: Vec<Name>,
    /// Names that are accepted for others.
    pub rename: Names<Name>,
}

impl Word for Filter {
    const NAME: &'static str = "filter";

    fn read(map: &Map<'_>) -> Self {
        Filter {
            syntax: map.required("syntax", "The grammar of the expression."),
            header: map.optional("header", "The header it goes into."),
            query: map.optional("query", "The query parameter it goes into."),
            operator: map.required("operator", "The input that says how terms are joined."),
            max_length: map.optional("max_length", "Most characters of the finished expression."),
            required: map.flag("required", "Whether the service refuses a request without it."),
            names: map.many("names", "Field names the service is known to take; others pass with a warning."),
            rename: map
                .many("rename", "Field names that are accepted and sent under another: `{ hostname: endpointName }`."),
        }
    }
}

choice! {
    /// A grammar of filter expressions. No value can change the shape of one.
    FilterSyntax, "a filter syntax" {
        Odata = "odata" = "`name eq 'value'`; a quote in a value is doubled.",
        Lucene = "lucene" = "`name:\"value\"`; quotes and backslashes in a value are escaped by a backslash.",
    }
}

/// Rules for a field of an element type that hold in one operation.
#[derive(Debug, Clone)]
pub struct Refinement {
    /// Another default.
    pub default: Option<Literal>,
    /// Another limit.
    pub max_length: Option<u64>,
    /// Not sent here.
    pub unsent: bool,
    /// Other rules for the value of a variant.
    pub variants: Option<Name>,
}

impl Word for Refinement {
    const NAME: &'static str = "refinement";

    fn read(map: &Map<'_>) -> Self {
        Refinement {
            default: map.optional("default", "What stands in when it is not given."),
            max_length: map.optional("max_length", "Most characters."),
            unsent: map.flag("unsent", "It is accepted and not sent."),
            variants: map.optional("variants", "The set of `variants` that holds here."),
        }
    }
}

/// An output of an operation: what it is, and where it comes from.
#[derive(Debug, Clone)]
pub struct Output {
    /// What every field says.
    pub common: Common,
    /// Where it comes from.
    pub from: Option<Name>,
    /// A constant.
    pub is: Option<Literal>,
    /// Changed on its way.
    pub with: Option<Spanned<Converter>>,
    /// Nested under this key.
    pub wrap: Option<Name>,
    /// How a downloaded file is called.
    pub file_name: Option<OneOrMore<Name>>,
    /// Other rules for fields of the element type.
    pub refine: Names<Refinement>,
}

impl Word for Output {
    const NAME: &'static str = "output";

    fn read(map: &Map<'_>) -> Self {
        Output {
            common: Common::of(map),
            from: map.optional("from", "`body`, `body.PATH`, `header NAME`, `items`, `count of items`, `each answer` or `status`."),
            is: map.optional("is", "The value it always has when the operation succeeds."),
            with: map.optional("with", "How it is changed before it is shown."),
            wrap: map.optional("wrap", "The key it is nested under."),
            file_name: map.optional("file_name", "What a downloaded file is called when the service does not say; `NAME if FORMAT` takes the first that fits."),
            refine: map.many("refine", "Rules that hold for fields of its element type in this operation only."),
        }
    }
}

/// A field of a record.
#[derive(Debug, Clone)]
pub struct Member {
    /// What every field says.
    pub common: Common,
    /// Its names on the wire.
    pub wire: Option<OneOrMore<Name>>,
    /// Sent only beside this key.
    pub sent_with: Option<Name>,
    /// Where it comes from in an answer.
    pub from: Option<Name>,
    /// Changed before it is sent.
    pub send: Option<Spanned<Converter>>,
    /// Changed before it is shown.
    pub with: Option<Spanned<Converter>>,
}

impl Word for Member {
    const NAME: &'static str = "member";

    fn read(map: &Map<'_>) -> Self {
        Member {
            common: Common::of(map),
            wire: map.optional("wire", "Its name on the wire, where the connector's rule for names does not give it; `NAME if FORMAT` takes the first that fits."),
            sent_with: map.optional("sent_with", "It is sent only beside this key of the same object."),
            from: map.optional("from", "In an item of a multi-status answer: `body.PATH`, `header NAME` or `status`."),
            send: map.optional("send", "How it is changed before it is sent."),
            with: map.optional("with", "How it is changed before it is shown."),
        }
    }
}
