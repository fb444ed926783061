//! Links of answers: whatever they say, the next request goes to the configured origin, below the base.

use connectome_core::origin::Origin;
use connectome_core::page::with_parameter;
use connectome_fuzz::{near_text, search};
use proptest::prelude::*;
use url::Url;

const PIECES: &[&str] = &[
    "/",
    "//",
    "\\",
    "..",
    "/..",
    "/../",
    "%2e%2e",
    "%2E.",
    ".%2e/",
    "%2f",
    "@",
    ":",
    "#",
    "?",
    "&",
    "=",
    " ",
    "\t",
    "\n",
    "\r",
    "\u{0}",
    "http:",
    "https://",
    "javascript:",
    "v3.0",
    "/v3.0/",
    "evil.example",
    "[",
    "]",
    ";",
    "%",
    "é",
    "\u{feff}",
];

#[test]
fn a_link_never_leaves_the_origin() {
    let seeds = [
        "https://api.example.com/v3.0/alerts?skipToken=MTA%3D",
        "/v3.0/alerts?x=a b",
        "//evil.example/v3.0/x",
        "https://evil.example/v3.0/../x",
        "https://u:p@evil.example:8080/v3.0/x#y",
    ];
    let base = prop_oneof![Just(""), Just("/v3.0"), Just("/a/b")];
    search(4000, &(near_text(&seeds, PIECES), base), |(link, base)| {
        let origin = Origin::parse("https://api.example.com", false).map_err(TestCaseError::fail)?;
        let Ok(target) = origin.rebase(&link, base) else { return Ok(()) };
        for target in [target.clone(), with_parameter(&target, "size", "a&b=c#d")] {
            let text = format!("{}{target}", origin.root());
            let sent = Url::parse(&text).map_err(|why| TestCaseError::fail(format!("{text}: {why}")))?;
            prop_assert_eq!(sent.origin().ascii_serialization(), "https://api.example.com", "{}", text);
            prop_assert!(sent.username().is_empty() && sent.password().is_none(), "{}", text);
            let below = format!("{base}/");
            prop_assert!(sent.path().starts_with(&below), "{} is not below {}", sent.path(), base);
        }
        Ok(())
    });
}

#[test]
fn any_text_is_an_origin_or_refused() {
    let seeds = ["https://api.example.com", "http://127.0.0.1:8080/base/", "http://[::1]:80", "https://u:p@host"];
    search(2000, &(near_text(&seeds, PIECES), any::<bool>()), |(text, allow_http)| {
        if let Ok(origin) = Origin::parse(&text, allow_http) {
            prop_assert!(
                Origin::parse(origin.base(), allow_http).is_ok_and(|again| again == origin),
                "{}",
                origin.base()
            );
            prop_assert!(allow_http || origin.root().starts_with("https://") || origin.is_loopback());
        }
        Ok(())
    });
}
