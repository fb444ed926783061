//! The one place a token may go to.

use url::{Host, Url};

/// Scheme, host and port of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Reads the root of a service. Plain `http` is for loopback, or when explicitly allowed.
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, String> {
        let given = text.trim();
        let text = &without_user(given);
        let url = Url::parse(given)
            .map_err(|_| format!("{text:?} is not a URL; write scheme and host, as https://api.example.com"))?;
        // First, since the other messages show the URL.
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the URL holds a user name or password; leave those out".to_owned());
        }
        match url.scheme() {
            "https" => {}
            "http" if allow_http || is_loopback(&url) => {}
            "http" => {
                return Err(format!(
                    "{text:?} would send the token unencrypted; use https, or pass --allow-http if that is really meant"
                ));
            }
            other => return Err(format!("{text:?} has the scheme {other:?}; use https")),
        }
        if url.host().is_none() {
            return Err(format!("{text:?} has no host"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("{text:?} holds a query or a fragment; write scheme and host only"));
        }
        let path = url.path().trim_end_matches('/');
        Ok(Self(format!("{}{path}", url.origin().ascii_serialization())))
    }

    /// The root, with the path of the base if it has one, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port only.
    pub fn root(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        self.0[after_scheme..].find('/').map_or(self.0.as_str(), |at| &self.0[..after_scheme + at])
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| is_loopback(&url))
    }

    /// A link of an answer as a target on this origin: its path and query, whatever host it names.
    ///
    /// A link without a path, or one that leaves `base_path`, is refused: it is not a page of what was asked.
    pub fn rebase(&self, link: &str, base_path: &str) -> Result<String, String> {
        let outside = || format!("the next page's link {link:?} is not below {base_path}/");
        let target = match link.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => {
                rest.find(['/', '?', '#']).map(|at| &rest[at..]).unwrap_or_default()
            }
            _ if link.starts_with("//") => return Err(format!("the next page's link {link:?} names another host")),
            _ => link,
        };
        let target = target.split('#').next().unwrap_or_default();
        let clean = target.replace(' ', "%20");
        let path = clean.split('?').next().unwrap_or_default();
        let below = |path: &str| path.starts_with(&format!("{base_path}/"));
        if !below(path)
            || path.split('/').any(|part| part == "..")
            || clean.chars().any(|c| c.is_control() || !c.is_ascii())
        {
            return Err(outside());
        }
        // What is sent is what this parser makes of it: it reads `\` as `/` and `%2e` as `.`.
        let sent = Url::parse(&format!("{}{clean}", self.root())).map_err(|_| outside())?;
        if !below(sent.path()) {
            return Err(outside());
        }
        Ok(clean)
    }
}

/// A text without the user name and password of a URL in it.
pub(crate) fn without_user(text: &str) -> String {
    let Some(at) = text.rfind('@') else { return text.to_owned() };
    let start = text[..at].rfind("//").map_or(0, |slashes| slashes + 2);
    let user = &text[start..at];
    if !user.contains(':') || user.contains(char::is_whitespace) {
        return text.to_owned();
    }
    format!("{}{}{}", &text[..start], crate::secret::MASK, &text[at..])
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_or_an_explicit_switch() {
        assert!(Origin::parse("http://127.0.0.1:8080", false).is_ok());
        assert!(Origin::parse("http://[::1]:8080", false).is_ok());
        assert!(Origin::parse("http://api.example.com", false).is_err());
        assert!(Origin::parse("http://127.0.0.1.example.com", false).is_err());
        assert!(Origin::parse("http://api.example.com", true).is_ok());
    }

    #[test]
    fn what_is_not_a_root_is_refused() {
        for text in [
            "api.example.com",
            "ftp://api.example.com",
            "https://",
            "https://u:p@api.example.com",
            "https://api.example.com?x=1",
            "https://api.example.com#x",
        ] {
            assert!(Origin::parse(text, false).is_err(), "{text}");
        }
    }

    #[test]
    fn a_link_is_taken_without_its_host() {
        let origin = Origin::parse("http://127.0.0.1:8080", false).unwrap();
        assert_eq!(
            origin.rebase("https://evil.example/v3.0/alerts?skipToken=MTA%3D&x=a b", "/v3.0"),
            Ok("/v3.0/alerts?skipToken=MTA%3D&x=a%20b".to_owned())
        );
        for link in
            ["https://evil.example", "//evil.example/v3.0/x", "/other/x", "/v3.0/../x", "/v3.0x/y", "\r\n/v3.0/x"]
        {
            assert!(origin.rebase(link, "/v3.0").is_err(), "{link}");
        }
    }
}
