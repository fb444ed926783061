//! Where documents are stored, and how they are sent.

use std::path::PathBuf;

use connectome_core::Error;

use super::{API_KEY, TOKEN};
use crate::destination::{Options, host, wrong};

const FORM: &str = "write elasticsearch+https://HOST";

/// As many documents a request where no other number is given.
const DOCUMENTS: usize = 1000;
/// As many bytes a request.
const BYTES: usize = 8 << 20;

/// What is done with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It is stored unless it is there. A data stream takes nothing else.
    Create,
    /// It takes the place of the one with its id.
    Index,
}

/// A place that takes documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Scheme, host and port.
    pub root: String,
    /// What comes before every path.
    pub path: String,
    /// The index or data stream; otherwise each document says to which data stream it belongs.
    pub index: Option<String>,
    /// What is done with a document.
    pub operation: Operation,
    /// Whether a document's id follows from its key.
    pub ids: bool,
    /// Whether requests are compressed.
    pub gzip: bool,
    /// The most documents of a request.
    pub documents: usize,
    /// The most bytes of a request, unless one document alone has more.
    pub bytes: usize,
    /// Whether the service asks for no credentials.
    pub open: bool,
    /// The file of what cannot be stored.
    pub dead_letter: Option<PathBuf>,
}

impl Address {
    /// Reads what stands behind `elasticsearch+https:`, without and with what stands behind the question mark.
    pub(crate) fn parse(scheme: &str, place: &str, query: &str) -> Result<Self, Error> {
        let secret = format!("credentials go into the environment, as {API_KEY} or {TOKEN}");
        let url = host(scheme, place, query, FORM, &secret)?;
        let known = ["index", "op", "id", "compress", "documents", "bytes", "auth", "dead_letter"];
        let mut options = Options::read("elasticsearch", query, &known).map_err(|error| {
            let advice = error.parts().advice.clone().unwrap_or_default();
            error.advice(format!("{advice}; {secret}"))
        })?;
        let index = options.parsed("index", "the name of an index or a data stream", |text| {
            let fits =
                |letter: char| !letter.is_uppercase() && !letter.is_control() && !r#"\/*?"<>| ,#:"#.contains(letter);
            let good = text.len() <= 255 && !text.starts_with(['-', '_', '+', '.']) && text.chars().all(fits);
            good.then(|| text.to_owned())
        })?;
        let operation = options.parsed("op", "create or index", |text| match text {
            "create" => Some(Operation::Create),
            "index" => Some(Operation::Index),
            _ => None,
        })?;
        if operation == Some(Operation::Index) && index.is_none() {
            return Err(wrong("`op=index` goes with `index`")
                .advice("name the index with index=NAME: a data stream takes op=create only"));
        }
        let ids = options.or_none("id", "key")?;
        let gzip = options.or_none("compress", "gzip")?;
        let open = options.parsed("auth", "none", |text| (text == "none").then_some(true))?;
        let documents = options.parsed("documents", "a number from 1 to 10000", |text| {
            text.parse().ok().filter(|it| (1..=10_000).contains(it))
        })?;
        let bytes = options.parsed("bytes", "a number of bytes from 1000 to 90000000", |text| {
            text.parse().ok().filter(|it| (1000..=90_000_000).contains(it))
        })?;
        Ok(Self {
            root: url.origin().ascii_serialization(),
            path: url.path().trim_end_matches('/').to_owned(),
            index,
            operation: operation.unwrap_or(Operation::Create),
            ids: ids.unwrap_or(true),
            gzip: gzip.unwrap_or(true),
            documents: documents.unwrap_or(DOCUMENTS),
            bytes: bytes.unwrap_or(BYTES),
            open: open.unwrap_or(false),
            dead_letter: options.parsed("dead_letter", "the path of a file", |text| {
                std::path::absolute(text).ok().filter(|_| !text.ends_with('/'))
            })?,
        })
    }

    /// What tells it from others.
    pub(crate) fn name(&self) -> String {
        let index = self.index.as_ref().map(|index| format!("?index={index}")).unwrap_or_default();
        format!("elasticsearch+{}{}{index}", self.root, self.path)
    }
}
