//! A URL taken apart as RFC 3986 says, so that nothing in it is normalised.

use std::borrow::Cow;

/// Schemes of which a URL is taken apart even when it holds what no URL may, as a blank.
const KNOWN: [&str; 5] = ["http", "https", "ftp", "file", "jar"];

/// The parts of a URL. What is not there is nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Url<'a> {
    /// Before the colon.
    pub scheme: Option<&'a str>,
    /// Before the `@`.
    pub user_info: Option<&'a str>,
    /// The host alone.
    pub domain: Option<&'a str>,
    /// As it is written.
    pub port: Option<u16>,
    /// Percent signs are decoded, here and below.
    pub path: Option<Cow<'a, str>>,
    /// Behind the `?`.
    pub query: Option<Cow<'a, str>>,
    /// Behind the `#`.
    pub fragment: Option<Cow<'a, str>>,
}

impl<'a> Url<'a> {
    /// Takes a text apart; nothing when it is no URL and no relative reference.
    pub fn parse(text: &'a str) -> Option<Self> {
        let sound = is_sound(text);
        let (scheme, rest) = match text.find([':', '/', '?', '#']) {
            Some(at) if text[at..].starts_with(':') => (Some(&text[..at]), &text[at + 1..]),
            _ => (None, text),
        };
        let is_scheme = |it: &str| {
            it.starts_with(|letter: char| letter.is_ascii_alphabetic())
                && it.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        };
        if scheme.is_some_and(|it| !is_scheme(it)) {
            return None;
        }
        let known = scheme.is_some_and(|it| KNOWN.iter().any(|known| it.eq_ignore_ascii_case(known)));
        if !sound && !known {
            return None;
        }
        let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(rest, it)| (rest, Some(it)));
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, it)| (rest, Some(it)));
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            None => (None, rest),
        };
        let decoded = |part: &'a str| if sound { decode(part) } else { Cow::Borrowed(part) };
        // Without a slash behind its scheme a URL has no path: `mailto:someone@example.com`.
        let opaque = scheme.is_some() && authority.is_none() && !path.starts_with('/');
        let mut url = Self {
            scheme,
            path: (!opaque).then(|| decoded(path)),
            query: query.map(decoded),
            fragment: fragment.map(decoded),
            ..Self::default()
        };
        if let Some(authority) = authority {
            let (user_info, host) =
                authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
            let port = host.rfind(':').filter(|at| !host[*at..].contains(']'));
            let (domain, port) = port.map_or((host, ""), |at| (&host[..at], &host[at + 1..]));
            url.user_info = user_info;
            url.domain = Some(domain).filter(|it| !it.is_empty());
            url.port = if port.is_empty() { None } else { Some(port.parse().ok()?) };
        }
        Some(url)
    }

    /// What stands before the first colon of the user's part.
    pub fn username(&self) -> Option<&'a str> {
        self.user_info.map(|it| it.split_once(':').map_or(it, |(name, _)| name))
    }

    /// What stands behind it.
    pub fn password(&self) -> Option<&'a str> {
        self.user_info?.split_once(':').map(|(_, password)| password)
    }

    /// What stands behind the last dot of the last part of the path.
    pub fn extension(&self) -> Option<&str> {
        let last = self.path.as_deref()?.rsplit('/').next()?;
        last.rsplit_once('.').map(|(_, extension)| extension)
    }
}

/// Whether it holds nothing that must not stand in a URL as it is.
fn is_sound(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
        byte => byte.is_ascii_graphic() || !byte.is_ascii(),
    })
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut made = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                made.push(code);
                at += 3;
            }
            None => {
                made.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&made).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scheme user@domain:port path ?query #fragment .extension`, what is not there left out.
    fn told(text: &str) -> String {
        let Some(url) = Url::parse(text) else { return "no URL".to_owned() };
        let part = |mark: &str, it: Option<&str>| it.map(|it| format!("{mark}{it}")).unwrap_or_default();
        [
            part("", url.scheme),
            part(" name=", url.username()),
            part(" word=", url.password()),
            part(" //", url.domain),
            url.port.map(|port| format!(" :{port}")).unwrap_or_default(),
            part(" path=", url.path.as_deref()),
            part(" ?", url.query.as_deref()),
            part(" #", url.fragment.as_deref()),
            part(" .", url.extension()),
        ]
        .concat()
    }

    #[test]
    fn a_url_has_the_parts_that_are_written() {
        for (text, wanted) in [
            (
                "https://apps.us.example.io:8443/alerts/9d20/report.html?view=full%20page#summary",
                "https //apps.us.example.io :8443 path=/alerts/9d20/report.html ?view=full page #summary .html",
            ),
            ("https://example.com", "https //example.com path="),
            ("https://me:pa:ss@example.com/a.b/c", "https name=me word=pa:ss //example.com path=/a.b/c"),
            ("https://me@[2001:db8::1]:80/", "https name=me //[2001:db8::1] :80 path=/"),
            ("HTTP://Example.COM/%7Ea", "HTTP //Example.COM path=/~a"),
            ("word", " path=word"),
            ("/a/b?c", " path=/a/b ?c"),
            ("mailto:me@example.com", "mailto"),
            ("https://example.com/a b%20c", "https //example.com path=/a b%20c"),
            ("see ticket 12", "no URL"),
            ("urn:a b", "no URL"),
            ("https://example.com:port/", "no URL"),
            ("1a:b", "no URL"),
            ("a%zz", "no URL"),
            ("", " path="),
        ] {
            assert_eq!(told(text), wanted, "{text}");
        }
    }
}
