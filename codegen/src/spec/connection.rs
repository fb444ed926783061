//! The connector itself, and how its service is reached.

use crate::choice;
use crate::read::{Literal, Map, Names, OneOrMore, Seconds, Word};
use crate::source::Span;
use crate::spec::Name;
use crate::spec::field::Parameter;

/// What the connector is.
#[derive(Debug, Clone)]
pub struct Connector {
    /// As in commands.
    pub name: Name,
    /// As people say it.
    pub title: String,
    /// The connector's own version.
    pub version: String,
    /// What the service is and what the connector does with it.
    pub doc: String,
    /// What the spec was transcribed from.
    pub source: Option<String>,
    /// What the user gains.
    pub benefits: Vec<String>,
    /// What the user needs.
    pub requirements: Vec<String>,
    /// What is done at the vendor before the first call.
    pub set_up: Option<SetUp>,
    /// What is undone at the vendor afterwards.
    pub remove: Vec<String>,
    /// Versions of the product it speaks to.
    pub supports: Vec<String>,
    /// The rule that gives wire names.
    pub names: NameRule,
    /// Advice for when it fails.
    pub troubleshooting: Vec<String>,
    /// What changed, by version.
    pub history: Names<String>,
    /// Where to read on.
    pub links: Names<String>,
    /// Further reading, under its own heading.
    pub references: Names<String>,
    /// The key of the section.
    pub span: Span,
}

impl Word for Connector {
    const NAME: &'static str = "connector";

    fn read(map: &Map<'_>) -> Self {
        Connector {
            name: map.required("name", "Its name in commands; the folder has the same."),
            title: map.required("title", "Its name as people say it."),
            version: map.required("version", "The connector's own version."),
            doc: map.required("doc", "What the service is, and what the connector does with it."),
            source: map.optional("source", "The documents that the spec was transcribed from."),
            benefits: map.many("benefits", "What the user gains by it, a sentence each."),
            requirements: map.many("requirements", "What the user needs before the first call."),
            set_up: map.optional("set_up", "What is done at the vendor before the first call."),
            remove: map
                .many("remove", "What is undone at the vendor when the connector is not used any more, step by step."),
            supports: map.many("supports", "Versions of the product or API that it speaks to."),
            names: map.optional("names", "The rule that gives a field's name on the wire.").unwrap_or(NameRule::Same),
            troubleshooting: map.many("troubleshooting", "What to look at when it fails."),
            history: map.many("history", "What changed, by version, newest first."),
            links: map.many("links", "Where to read on, by title."),
            references: map.many("references", "Further reading, by title."),
            span: map.named(),
        }
    }
}

/// What is done at the vendor before the first call.
#[derive(Debug, Clone)]
pub struct SetUp {
    /// Its heading.
    pub title: String,
    /// What to do, in order.
    pub steps: Vec<String>,
}

impl Word for SetUp {
    const NAME: &'static str = "set_up";

    fn read(map: &Map<'_>) -> Self {
        SetUp {
            title: map.required("title", "What is done there, as a heading: `Make a key in Acme Defence`."),
            steps: map.required("steps", "What to do, in order."),
        }
    }
}

choice! {
    /// The rule that gives a field's name on the wire.
    NameRule, "a rule for names" {
        Same = "same" = "As in the spec.",
        CamelCase = "camelCase" = "`created_date_time` is `createdDateTime` on the wire; keys of answers come back the other way.",
    }
}

/// How the service is reached.
#[derive(Debug, Clone)]
pub struct Connection {
    /// What the user sets.
    pub parameters: Names<Parameter>,
    /// What comes before every path.
    pub base: Name,
    /// Where the service runs.
    pub regions: Names<Region>,
    /// How the caller proves who he is.
    pub auth: Auth,
    /// Headers on every request.
    pub headers: Names<Name>,
    /// The parameter that turns certificate checks off.
    pub verify_tls: Option<Name>,
    /// How a connection is tested.
    pub test: Test,
    /// How an error body is read.
    pub errors: ErrorBody,
    /// Paths that share a limit on the rate of requests.
    pub rate_classes: Names<Name>,
    /// The answer that says no request will work for long.
    pub exhausted: Option<Exhausted>,
    /// The largest request body in bytes.
    pub max_body: Option<u64>,
    /// How long the service may take.
    pub read_timeout: Option<Seconds>,
    /// The pause before a request is tried again.
    pub first_pause: Option<Seconds>,
    /// The key of the section.
    pub span: Span,
}

impl Word for Connection {
    const NAME: &'static str = "connection";

    fn read(map: &Map<'_>) -> Self {
        Connection {
            parameters: map.required("parameters", "What the user sets, by name, in the document's order."),
            base: map.required("base", "What comes before every path, as `{api_url}/v3.0`."),
            regions: map.many("regions", "Where the service runs, by name."),
            auth: map.required("auth", "How the caller proves who he is."),
            headers: map.many("headers", "Headers on every request."),
            verify_tls: map.optional("verify_tls", "The parameter that, when false, turns certificate checks off."),
            test: map.required("test", "The request that shows whether a connection works."),
            errors: map.optional("errors", "How an error body is read.").unwrap_or_default(),
            rate_classes: map
                .many("rate_classes", "Beginnings of paths that share a limit on requests, by the limit's name."),
            exhausted: map.optional("exhausted", "The header of a 429 that says waiting will not help."),
            max_body: map.optional("max_body", "The largest request body in bytes."),
            read_timeout: map.optional("read_timeout", "How long the service may take to answer."),
            first_pause: map.optional(
                "first_pause",
                "The pause before a request is tried again; 2 seconds when left out. It doubles each time, up to a minute.",
            ),
            span: map.named(),
        }
    }
}

/// A place where the service runs.
#[derive(Debug, Clone)]
pub struct Region {
    /// Its root.
    pub url: String,
    /// How well it is known.
    pub known: Known,
}

impl Word for Region {
    const NAME: &'static str = "region";

    fn read(map: &Map<'_>) -> Self {
        Region {
            url: map.required("url", "The root of the service there."),
            known: map.required("known", "How well it is known."),
        }
    }
}

choice! {
    /// How well a fact is known.
    Known, "a word for how well it is known" {
        Published = "published" = "The vendor publishes it.",
        Reported = "reported" = "Others report it.",
        Unverified = "unverified" = "Nobody has confirmed it.",
    }
}

/// How the caller proves who he is.
#[derive(Debug, Clone)]
pub struct Auth {
    /// The header.
    pub header: Option<Name>,
    /// Its value.
    pub value: Name,
    /// Where it stands.
    pub span: Span,
}

impl Word for Auth {
    const NAME: &'static str = "auth";

    fn read(map: &Map<'_>) -> Self {
        Auth {
            header: map.optional("header", "The header; `Authorization` when left out."),
            value: map.required("value", "Its value with the parameters in braces, as `Bearer {api_key}`."),
            span: map.span(),
        }
    }
}

/// The request that shows whether a connection works.
#[derive(Debug, Clone)]
pub struct Test {
    /// Method and path.
    pub call: Name,
    /// What the answer must hold.
    pub expect: Names<Literal>,
    /// Fixed parts of the body.
    pub body: Names<Literal>,
    /// Statuses that pass, besides those that always do.
    pub passing: OneOrMore<u64>,
    /// What to do when it is refused.
    pub refused: Option<String>,
}

impl Word for Test {
    const NAME: &'static str = "test";

    fn read(map: &Map<'_>) -> Self {
        Test {
            call: map.required(
                "call",
                "Method and path; it changes nothing, and needs as little permission as the service allows.",
            ),
            expect: map.many("expect", "Values the answer must hold, by path."),
            body: map.many("body", "Parts of the JSON body that are always sent."),
            passing: map
                .many("passing", "Statuses after which the request is tried again, besides 429, 502, 503 and 504."),
            refused: map.optional("refused", "What to do when the service refuses it: which key it takes, and where."),
        }
    }
}

/// How an error body is read.
#[derive(Debug, Clone, Default)]
pub struct ErrorBody {
    /// The keys that may hold the error.
    pub under: OneOrMore<Name>,
    /// The short name.
    pub code: Option<Name>,
    /// The text.
    pub message: Option<Name>,
    /// The number.
    pub number: Option<Name>,
    /// Whether a success that holds an error is none.
    pub in_success: bool,
}

impl Word for ErrorBody {
    const NAME: &'static str = "errors";

    fn read(map: &Map<'_>) -> Self {
        ErrorBody {
            under: map.many(
                "under",
                "The keys that may hold the error; a body that holds its keys itself is always understood.",
            ),
            code: map.optional("code", "The key of its short name; `code` when left out."),
            message: map.optional("message", "The key of its text; `message` when left out."),
            number: map.optional("number", "The key of its number."),
            in_success: map.flag(
                "in_success",
                "An answer that calls itself a success and holds an error under one of these keys is a failure, whatever else it holds.",
            ),
        }
    }
}

/// A refusal that waiting does not mend.
#[derive(Debug, Clone)]
pub struct Exhausted {
    /// The header.
    pub header: Name,
    /// Its value.
    pub is: Literal,
}

impl Word for Exhausted {
    const NAME: &'static str = "exhausted";

    fn read(map: &Map<'_>) -> Self {
        Exhausted {
            header: map.required("header", "The header of the refusal."),
            is: map.required("is", "Its value when waiting will not help."),
        }
    }
}
