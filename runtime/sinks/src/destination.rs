//! What takes events, as a URL says it.

use std::path::PathBuf;

use connectome_core::{Error, ErrorKind};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::xsiam::Address;
use crate::{elasticsearch, file};

/// The environment of a name that is so alike that it was meant.
const MEANT: f64 = 0.75;

const FORMS: [(&str, &str); 7] = [
    ("stdout", "stdout:"),
    ("file", "file:PATH"),
    ("sqlite", "sqlite:PATH"),
    ("xsiam+https", "xsiam+https://HOST"),
    ("xsiam+http", "xsiam+http://HOST"),
    ("elasticsearch+https", "elasticsearch+https://HOST"),
    ("elasticsearch+http", "elasticsearch+http://HOST"),
];

/// A destination of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    Stdout {
        /// The field that holds an event's key.
        key: Option<String>,
    },
    /// A file.
    File(file::Plan),
    /// A database.
    Sqlite(PathBuf),
    /// A tenant of XSIAM.
    Xsiam(Address),
    /// Elasticsearch.
    Elasticsearch(elasticsearch::Address),
}

impl Destination {
    /// Reads a URL. Nothing is opened.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let Some((scheme, rest)) = text.trim().split_once(':') else {
            let near = near(text.trim(), FORMS.map(|(scheme, _)| scheme));
            let near = near.map(|scheme| format!("did you mean `{scheme}:`? ")).unwrap_or_default();
            return Err(wrong("it has no scheme").advice(format!("{near}{}", all())));
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        match scheme.to_ascii_lowercase().as_str() {
            "stdout" => {
                let mut options = Options::read("stdout:", query, &["key"])?;
                if !matches!(place, "" | "//") {
                    return Err(wrong("standard output has no path").advice("write stdout:, or file:PATH for a file"));
                }
                Ok(Destination::Stdout { key: options.field("key")? })
            }
            "file" => file::Plan::parse(path("file", place)?, query).map(Destination::File),
            "sqlite" => {
                Options::read("sqlite:", query, &[])?;
                path("sqlite", place).map(Destination::Sqlite)
            }
            "xsiam+https" => Address::parse("https", place, query).map(Destination::Xsiam),
            "xsiam+http" => Address::parse("http", place, query).map(Destination::Xsiam),
            "elasticsearch+https" => {
                elasticsearch::Address::parse("https", place, query).map(Destination::Elasticsearch)
            }
            "elasticsearch+http" => elasticsearch::Address::parse("http", place, query).map(Destination::Elasticsearch),
            other => {
                // What comes behind the scheme is not shown: somebody may have put a key there.
                let meant = match other {
                    "xsiam" => Some("xsiam+https"),
                    "elasticsearch" | "elastic" => Some("elasticsearch+https"),
                    other => near(other, FORMS.map(|(scheme, _)| scheme)),
                };
                let meant = meant.map(|scheme| format!("did you mean `{scheme}:`? ")).unwrap_or_default();
                Err(wrong(&format!("there is no scheme {other:?}")).advice(format!("{meant}{}", all())))
            }
        }
    }

    /// What tells it from others, as a URL without secrets, nor what may change while it stays the same place.
    pub fn name(&self) -> String {
        match self {
            Destination::Stdout { .. } => "stdout:".to_owned(),
            Destination::File(plan) => format!("file:{}", plan.path.display()),
            Destination::Sqlite(path) => format!("sqlite:{}", path.display()),
            Destination::Xsiam(address) => address.name(),
            Destination::Elasticsearch(address) => address.name(),
        }
    }
}

/// The path of a file, from where this process stands. `%3F` stands for `?`, and `%25` for `%`.
fn path(scheme: &str, text: &str) -> Result<PathBuf, Error> {
    let form = || format!("write {scheme}:PATH, as {scheme}:/var/lib/events or {scheme}:events");
    let text = match text.strip_prefix("//") {
        None => text,
        Some(rest) if rest.starts_with('/') => rest,
        Some(rest) => match rest.strip_prefix("localhost").filter(|rest| rest.starts_with('/')) {
            Some(rest) => rest,
            None => return Err(wrong("two slashes begin the name of a host").advice(form())),
        },
    };
    let Ok(decoded) = percent_decode_str(text).decode_utf8() else {
        return Err(wrong("its path is no text").advice("write %25 for a percent sign in a path"));
    };
    if decoded.trim().is_empty() {
        return Err(wrong("it names no path").advice(form()));
    }
    if decoded.ends_with('/') || decoded.contains('\0') {
        return Err(wrong("its path is no file's").advice(form()));
    }
    std::path::absolute(&*decoded)
        .map_err(|error| wrong(&format!("its path cannot be made out ({error})")).advice(form()))
}

/// The place of a service, from what stands behind the scheme. `form` is how it is written, `secret` where credentials go.
pub(crate) fn host(scheme: &str, place: &str, query: &str, form: &str, secret: &str) -> Result<Url, Error> {
    let nowhere = || wrong("it names no host").advice(form);
    let place = place.strip_prefix("//").filter(|rest| !rest.starts_with('/')).ok_or_else(nowhere)?;
    let url = Url::parse(&format!("{scheme}://{place}")).map_err(|_| nowhere())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user name or password").advice(format!("leave it out; {secret}")));
    }
    if url.fragment().is_some() || query.contains('#') {
        return Err(wrong("it holds a fragment").advice(form));
    }
    Ok(url)
}

/// What stands behind the question mark.
#[derive(Debug)]
pub(crate) struct Options {
    form: &'static str,
    given: Vec<(&'static str, String)>,
}

impl Options {
    /// Reads options of these names, each once.
    pub fn read(form: &'static str, query: &str, known: &[&'static str]) -> Result<Self, Error> {
        let mut options = Self { form, given: Vec::new() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8().map(|value| value.trim().to_owned());
            let Some(known) = known.iter().find(|it| **it == name) else {
                // Its value is not shown: somebody may have put a key there.
                let meant = near(name, known.iter().copied());
                let meant = meant.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
                let all = if known.is_empty() { "it takes none".to_owned() } else { known.join(", ") };
                let advice = format!("{meant}options of {form} are: {all}");
                return Err(wrong(&format!("there is no option {name:?}")).advice(advice));
            };
            match value {
                Ok(value) if !value.is_empty() => {
                    if options.given.iter().any(|(name, _)| name == known) {
                        return Err(wrong(&format!("`{known}` is said twice")).advice("leave one of them out"));
                    }
                    options.given.push((known, value));
                }
                _ => return Err(options.wrong(known, "a value")),
            }
        }
        Ok(options)
    }

    /// The text of an option.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let at = self.given.iter().position(|(given, _)| *given == name)?;
        Some(self.given.remove(at).1)
    }

    /// An option that this can read.
    pub fn parsed<T>(&mut self, name: &str, wanted: &str, read: fn(&str) -> Option<T>) -> Result<Option<T>, Error> {
        self.take(name).map(|text| read(&text).ok_or_else(|| self.wrong(name, wanted))).transpose()
    }

    /// Whether an option is this word rather than `none`.
    pub fn or_none(&mut self, name: &str, word: &str) -> Result<Option<bool>, Error> {
        match self.take(name).as_deref() {
            None => Ok(None),
            Some("none") => Ok(Some(false)),
            Some(given) if given == word => Ok(Some(true)),
            Some(_) => Err(self.wrong(name, &format!("{word} or none"))),
        }
    }

    /// The name of a field.
    pub fn field(&mut self, name: &str) -> Result<Option<String>, Error> {
        self.parsed(name, "the name of a field: letters, digits and underscores", |text| {
            let plain = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            plain.then(|| text.to_owned())
        })
    }

    /// An option whose value is not what it may be. The value is not shown.
    pub fn wrong(&self, name: &str, wanted: &str) -> Error {
        wrong(&format!("`{name}` of {} is not {wanted}", self.form)).advice(format!("write {name}=… with {wanted}"))
    }
}

/// The known name that was probably meant.
fn near<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&wrong.to_lowercase(), name);
    let best = known.into_iter().map(|name| (likeness(name), name)).max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(likeness, _)| *likeness >= MEANT).map(|(_, name)| name)
}

fn all() -> String {
    format!("there are: {}", FORMS.map(|(_, form)| form).join(", "))
}

/// A destination that cannot be used, and why.
pub(crate) fn wrong(why: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("the destination cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_url() {
        let here = std::env::current_dir().unwrap();
        let here = here.display();
        for (text, name) in [
            ("stdout:", "stdout:".to_owned()),
            ("STDOUT:?key=id", "stdout:".to_owned()),
            ("file:events.jsonl", format!("file:{here}/events.jsonl")),
            ("file:/a/./b?rotate=1MiB&keep=3", "file:/a/b".to_owned()),
            ("file:///a/b", "file:/a/b".to_owned()),
            ("file://localhost/a", "file:/a".to_owned()),
            ("file:/a%3Fb%25%20c+d 100%", "file:/a?b% c+d 100%".to_owned()),
            ("sqlite:events.db", format!("sqlite:{here}/events.db")),
            ("xsiam+https://api-x.example", "xsiam+https://api-x.example/logs/v1/event".to_owned()),
            ("xsiam+https://API-x.example:443/", "xsiam+https://api-x.example/logs/v1/event".to_owned()),
            ("xsiam+http://127.0.0.1:80/in/?compress=none", "xsiam+http://127.0.0.1/in".to_owned()),
            (
                "elasticsearch+https://Search.example:443/es/?index=logs-x&op=index",
                "elasticsearch+https://search.example/es?index=logs-x".to_owned(),
            ),
            ("elasticsearch+http://127.0.0.1:9200?auth=none", "elasticsearch+http://127.0.0.1:9200".to_owned()),
            (
                "xsiam+https://h.example:8/?route=events&vendor=acme&product=de%20f",
                "xsiam+https://h.example:8/logs/v1/xsiam?vendor=acme&product=de%20f".to_owned(),
            ),
        ] {
            assert_eq!(Destination::parse(text).map_err(|error| error.to_string()).unwrap().name(), name, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_destination_is_said_and_what_to_write_instead() {
        for (text, said, advice) in [
            ("events.jsonl", "it has no scheme", "there are: stdout:, file:PATH, sqlite:PATH, xsiam+https://HOST"),
            ("stdout", "it has no scheme", "did you mean `stdout:`?"),
            ("", "it has no scheme", "there are: "),
            ("stdot:", "no scheme \"stdot\"", "did you mean `stdout:`? there are: "),
            ("files:a", "no scheme \"files\"", "did you mean `file:`?"),
            ("xsiam://me:MARKER@h", "no scheme \"xsiam\"", "did you mean `xsiam+https:`?"),
            ("kafka://h?password=MARKER", "no scheme \"kafka\"", "there are: "),
            ("stdout:/x", "has no path", "file:PATH"),
            ("stdout:?rotate=1", "no option \"rotate\"", "options of stdout: are: key"),
            ("file:", "it names no path", "write file:PATH"),
            ("file:?rotate=1MiB", "it names no path", "write file:PATH"),
            ("file://host/a", "the name of a host", "write file:PATH"),
            ("file:a/", "no file's", "write file:PATH"),
            ("file:%00", "no file's", "write file:PATH"),
            ("file:%FF", "no text", "%25"),
            ("file:a?rotat=1MiB", "no option \"rotat\"", "did you mean `rotate`?"),
            ("file:a?token=MARKER", "no option \"token\"", "rotate, every, compress, keep, key"),
            ("file:a?rotate=", "`rotate` of file: is not a value", "rotate="),
            ("file:a?rotate=MARKER", "`rotate` of file: is not a size", "100MiB"),
            ("file:a?rotate=0", "is not a size", "100MiB"),
            ("file:a?rotate=1MiB&rotate=2MiB", "`rotate` is said twice", "leave one"),
            ("file:a?every=1fortnight", "is not a time", "1d"),
            ("file:a?every=0s", "is not a time", "1d"),
            ("file:a?rotate=1MiB&compress=zstd", "is not gzip or none", "compress="),
            ("file:a?rotate=1MiB&keep=0", "is not a number", "keep="),
            ("file:a?compress=gzip", "`compress` goes with `rotate` or `every`", "rotate=100MiB"),
            ("file:a?keep=3", "`keep` goes with `rotate` or `every`", "rotate=100MiB"),
            ("file:a?key=a%20b", "is not the name of a field", "key="),
            ("sqlite:", "it names no path", "write sqlite:PATH"),
            ("sqlite:a?mode=ro", "no option \"mode\"", "takes none"),
            ("xsiam+https:", "it names no host", "write xsiam+https://HOST"),
            ("xsiam+https:///x", "it names no host", "write xsiam+https://HOST"),
            ("xsiam+https://a b/", "it names no host", "write xsiam+https://HOST"),
            ("xsiam+https://me:MARKER@h/", "a user name or password", "CONNECTOME_XSIAM_TOKEN"),
            ("xsiam+https://MARKER@h/", "a user name or password", "CONNECTOME_XSIAM_TOKEN"),
            ("xsiam+https://h/#MARKER", "a fragment", "write xsiam+https://HOST"),
            ("xsiam+https://h/?api_key=MARKER", "no option \"api_key\"", "CONNECTOME_XSIAM_TOKEN"),
            ("xsiam+https://h/?route=MARKER", "`route` of xsiam is not collector or events", "route="),
            ("xsiam+https://h/?vendor=a", "`vendor` goes with `route=events`", "route=events"),
            ("xsiam+https://h/?route=events&vendor=a", "`product` is missing", "product="),
            ("xsiam+https://h/?route=events&vendor=a%0Ab&product=c", "is not plain text", "vendor="),
            ("xsiam+https://h/?route=events&vendor=a&product=c&compress=none", "`route=events` is", "compress"),
            ("xsiam+https://h/?compress=zstd", "is not gzip or none", "compress="),
            ("elastic://h", "no scheme \"elastic\"", "did you mean `elasticsearch+https:`?"),
            ("elasticsearch+https://", "it names no host", "write elasticsearch+https://HOST"),
            ("elasticsearch+https://me:MARKER@h", "a user name or password", "CONNECTOME_ELASTICSEARCH_API_KEY"),
            ("elasticsearch+https://h?api_key=MARKER", "no option \"api_key\"", "CONNECTOME_ELASTICSEARCH_API_KEY"),
            ("elasticsearch+https://h?index=Logs", "`index` of elasticsearch is not the name", "index="),
            ("elasticsearch+https://h?op=index", "`op=index` goes with `index`", "index=NAME"),
            ("elasticsearch+https://h?op=delete", "is not create or index", "op="),
            ("elasticsearch+https://h?documents=0", "is not a number from 1 to 10000", "documents="),
            ("elasticsearch+https://h?bytes=1GB", "is not a number of bytes", "bytes="),
            ("elasticsearch+https://h?auth=basic", "is not none", "auth="),
            ("xsiam+https://h/?dead_letter=a/", "`dead_letter` of xsiam is not", "dead_letter="),
        ] {
            let error = Destination::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{text}");
            assert!(error.to_string().contains(said), "{text}: {error}");
            assert!(error.parts().advice.as_ref().is_some_and(|it| it.contains(advice)), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("MARKER"), "{error}");
        }
    }
}
