//! Where Kibana is, and which of its spaces is meant.

use connectome_core::Error;

use crate::destination::{host, wrong};
use crate::elasticsearch::{API_KEY, TOKEN};

const FORM: &str = "write --kibana https://HOST, or https://HOST/s/SPACE for a space";

/// A Kibana, or a space of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Scheme, host and port.
    pub root: String,
    /// What comes before every path, with the space at its end.
    pub path: String,
}

impl Address {
    /// Reads a URL. Nothing is opened.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (scheme, place) = text.trim().split_once(':').unwrap_or_default();
        if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
            return Err(wrong("it is no URL of Kibana").advice(FORM));
        }
        let secret = format!("credentials go into the environment, as {API_KEY} or {TOKEN}");
        if place.contains('?') {
            return Err(wrong("it holds a query").advice(format!("{FORM}; {secret}")));
        }
        let url = host(scheme, place, "", FORM, &secret)?;
        let path = url.path().trim_end_matches('/').to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        let space = parts.iter().position(|part| *part == "s");
        if parts.contains(&"app") {
            return Err(wrong("it is a page of Kibana").advice(FORM));
        }
        if space.is_some_and(|at| at + 2 != parts.len()) {
            return Err(wrong("it does not end with a space").advice(FORM));
        }
        Ok(Self { root: url.origin().ascii_serialization(), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kibana_is_a_url_and_a_space_is_its_end() {
        for (text, wanted) in [
            ("https://Kibana.example:443/", ("https://kibana.example", "")),
            ("https://kibana.example/s/secops", ("https://kibana.example", "/s/secops")),
            ("http://127.0.0.1:5601/base/s/a-b/", ("http://127.0.0.1:5601", "/base/s/a-b")),
        ] {
            let address = Address::parse(text).map_err(|error| error.to_string()).unwrap();
            assert_eq!((address.root.as_str(), address.path.as_str()), wanted);
        }
        for (text, said) in [
            ("kibana.example", "no URL of Kibana"),
            ("elasticsearch+https://kibana.example", "no URL of Kibana"),
            ("https:", "names no host"),
            ("https://me:MARKER@kibana.example", "user name or password"),
            ("https://kibana.example/?key=MARKER", "a query"),
            ("https://kibana.example/#MARKER", "a fragment"),
            ("https://kibana.example/s/", "end with a space"),
            ("https://kibana.example/s/a/b", "end with a space"),
            ("https://kibana.example/s/a/app/home", "a page of Kibana"),
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(error.to_string().contains(said), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("MARKER"), "{error}");
        }
    }
}
