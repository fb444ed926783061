//! What texts must look like. A closed list, the same as the spec language's.

use std::net::IpAddr;

/// A form of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A date and time in ISO 8601.
    Timestamp,
    /// Eight, four, four, four and twelve hexadecimal digits.
    Guid,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A domain name.
    Domain,
    /// A domain name that may begin with `*.`.
    DomainPattern,
    /// A URL with a scheme, or a host and path without one.
    Url,
    /// A URL with `*` at its ends or in its host.
    UrlPattern,
    /// The root of a service.
    BaseUrl,
    /// A full e-mail address.
    Email,
    /// 40 hexadecimal digits.
    Sha1,
    /// 64 hexadecimal digits.
    Sha256,
    /// An id that is safe in a path.
    Identifier,
    /// ASCII without blanks or control characters.
    Token,
    /// Text without control characters.
    HeaderValue,
    /// A name such as `createdDateTime`.
    CamelCase,
    /// Text in angle brackets.
    Angled,
    /// Begins with `#!`.
    Script,
}

impl Format {
    /// Whether a text has this form.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Format::Timestamp => crate::time::parse(text).is_ok(),
            Format::Guid => guid(text),
            Format::Ip => text.parse::<IpAddr>().is_ok(),
            Format::Domain => domain(text),
            Format::DomainPattern => domain(text.strip_prefix("*.").unwrap_or(text)),
            Format::Url => url(text, false),
            Format::UrlPattern => url(text, true),
            Format::BaseUrl => {
                crate::origin::Origin::parse(text, false).is_ok() || crate::origin::Origin::parse(text, true).is_ok()
            }
            Format::Email => email(text),
            Format::Sha1 => hex(text, 40),
            Format::Sha256 => hex(text, 64),
            Format::Identifier => {
                !text.is_empty()
                    && !text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '/' | '?' | '#' | '\\'))
                    && text != "."
                    && text != ".."
            }
            Format::Token => !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()),
            Format::HeaderValue => !text.chars().any(char::is_control),
            Format::CamelCase => {
                text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
            }
            Format::Angled => text.len() > 2 && text.starts_with('<') && text.ends_with('>'),
            Format::Script => text.starts_with("#!"),
        }
    }

    /// The form in the words of a person.
    pub fn describe(self) -> &'static str {
        match self {
            Format::Timestamp => "a date and time such as 2024-06-11T07:12:44Z",
            Format::Guid => "a GUID such as 7c0b2f1e-5b0d-4a55-9a3e-2f6d1e9a4c10",
            Format::Ip => "an IPv4 or IPv6 address",
            Format::Domain => "a domain name",
            Format::DomainPattern => "a domain name, perhaps beginning with `*.`",
            Format::Url => "a URL",
            Format::UrlPattern => "a URL, perhaps with `*` at its ends",
            Format::BaseUrl => "a URL of scheme and host such as https://api.example.com",
            Format::Email => "a full e-mail address",
            Format::Sha1 => "40 hexadecimal digits",
            Format::Sha256 => "64 hexadecimal digits",
            Format::Identifier => "an id without `/`, `?`, `#`, `\\`, blanks or control characters",
            Format::Token => "a token without blanks or control characters",
            Format::HeaderValue => "text without control characters",
            Format::CamelCase => "a name in camel case such as createdDateTime",
            Format::Angled => "text in angle brackets",
            Format::Script => "a text that begins with `#!`",
        }
    }
}

fn hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.len() == 5 && groups.iter().zip([8, 4, 4, 4, 12]).all(|(group, length)| hex(group, length))
}

/// How long a name may be is for the spec to say: services draw the line here and there around the 253 of DNS.
fn domain(text: &str) -> bool {
    !text.is_empty()
        && text.strip_suffix('.').unwrap_or(text).split('.').all(|label| {
            (1..=63).contains(&label.chars().count())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
        })
}

fn email(text: &str) -> bool {
    match text.rsplit_once('@') {
        Some((local, host)) => {
            !local.is_empty()
                && !local.chars().any(|c| c.is_control() || c.is_whitespace())
                && host.contains('.')
                && domain(host)
        }
        None => false,
    }
}

/// Lists of URLs hold scheme-less ones and wildcards; what is refused is what cannot name a resource at all.
fn url(text: &str, pattern: bool) -> bool {
    if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return false;
    }
    let bare = if pattern { text.trim_start_matches('*').trim_end_matches('*') } else { text };
    let rest = match bare.split_once("://") {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c)) =>
        {
            rest
        }
        Some((scheme, rest)) if pattern && scheme.is_empty() => rest,
        Some(_) => return false,
        None => bare,
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if host.starts_with('[') {
        return host.contains(']');
    }
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let host = if pattern { host.trim_start_matches("*.").replace('*', "x") } else { host.to_owned() };
    (pattern && host.is_empty() && text.starts_with('*')) || domain(host.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn forms_take_what_they_name_and_refuse_the_rest() {
        let cases: &[(Format, &[&str], &[&str])] = &[
            (
                Format::Guid,
                &["7c0b2f1e-5b0d-4a55-9a3e-2f6d1e9a4c10"],
                &["2839eu2983e23e", "7c0b2f1e5b0d4a559a3e2f6d1e9a4c10", ""],
            ),
            (
                Format::Ip,
                &["203.0.113.77", "fe80::1c2d:3e4f:5a6b:7c8d"],
                &["999.1.1.1", "203.0.113.77:80", "203.0.113.0/24"],
            ),
            (Format::Domain, &["cdn.bad-parcel.example"], &["*.example.com", "a..b", "-a.example", ""]),
            (Format::DomainPattern, &["*.northfjord.example", "a.example"], &["*northfjord", "a.*.example"]),
            (
                Format::Url,
                &["http://cdn.bad-parcel.example/pay", "www.urlurl.com", "https://[::1]/x"],
                &["not a url", "", "ht tp://x"],
            ),
            (Format::UrlPattern, &["https://*.northfjord.example/portal/*", "*.example.com/*"], &["a b", "://"]),
            (Format::Email, &["amelie.roy@northfjord.example"], &["amelie.roy", "@example.com", "a b@example.com"]),
            (
                Format::Sha1,
                &["5f2b6d3a9c1e4780b4d2f6a1c3e59078d4b6a2f1"],
                &["5f2b", "zf2b6d3a9c1e4780b4d2f6a1c3e59078d4b6a2f1"],
            ),
            (Format::Identifier, &["WB-31007-20240611-00004"], &["a/b", "a?b", "..", "", "a\nb"]),
            (Format::CamelCase, &["eventTimeDT", "uuid"], &["event_time", "EventTime", "a,b", "a b", ""]),
            (Format::Angled, &["<b1@mail.example>"], &["<>", "b1@mail.example", "<b1"]),
        ];
        for (format, good, bad) in cases {
            for text in *good {
                assert!(format.fits(text), "{format:?} refuses {text:?}");
            }
            for text in *bad {
                assert!(!format.fits(text), "{format:?} takes {text:?}");
            }
        }
    }
}
