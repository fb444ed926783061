//! Links to further pages: where they lead.

use connectome_core::origin::Origin;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::cases;

/// Parts of which links are made, good and bad.
const LINK_PIECES: &[&str] = &[
    "https://",
    "http://",
    "HTTPS://",
    "ftp://",
    "//",
    "://",
    "/",
    "\\",
    "\\\\",
    "/v3.0/",
    "v3.0",
    "/v3.0",
    "..",
    "/../",
    "%2e%2e",
    "/.%2E/",
    ".",
    "%2f",
    "%5c",
    "@",
    ":",
    "?",
    "#",
    "evil.example",
    "api.example",
    "user:pass@",
    ":8443",
    "127.0.0.1",
    "[::1]",
    "alerts",
    "skipToken=MTA%3D",
    "&",
    " ",
    "\t",
    "\n",
    "\r",
    "\0",
    "é",
    "%00",
    ";",
    "javascript:",
];

const ROOT: &str = "https://api.example:8443";

fn link() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => vec(select(LINK_PIECES), 0..10).prop_map(|pieces| pieces.concat()),
        3 => vec(select(LINK_PIECES), 0..6).prop_map(|pieces| format!("/v3.0/{}", pieces.concat())),
        2 => vec(select(LINK_PIECES), 0..6).prop_map(|pieces| format!("https://evil.example/v3.0/{}", pieces.concat())),
        1 => any::<String>(),
        1 => any::<String>().prop_map(|text| format!("/v3.0/{text}")),
    ]
}

proptest! {
    #![proptest_config(cases(4000))]

    #[test]
    fn a_next_link_never_leads_to_another_host_or_out_of_the_base(link in link()) {
        let origin = Origin::parse(&format!("{ROOT}/v3.0"), false).expect("an origin");
        if let Ok(target) = origin.rebase(&link, "/v3.0") {
            let sent = url::Url::parse(&format!("{}{target}", origin.root())).map_err(|why| TestCaseError::fail(format!("{why}: {target}")))?;
            prop_assert_eq!(sent.origin().ascii_serialization(), ROOT, "{} became {}", link, sent);
            prop_assert!(sent.username().is_empty() && sent.password().is_none(), "{} became {}", link, sent);
            prop_assert!(sent.path().starts_with("/v3.0/"), "{} became {}", link, sent);
        }
    }

    #[test]
    fn a_next_link_keeps_path_and_query_as_they_are(host in "[a-z0-9.-]{1,20}(:[0-9]{1,4})?", path in "/v3\\.0/[A-Za-z0-9]{1,10}(/[A-Za-z0-9]{1,10}){0,3}", query in "(\\?[A-Za-z0-9%=&:/.,'()*+_~;@$!-]{0,40})?") {
        let origin = Origin::parse(ROOT, false).expect("an origin");
        let link = format!("{path}{query}");
        prop_assert_eq!(origin.rebase(&link, "/v3.0"), Ok(link.clone()));
        prop_assert_eq!(origin.rebase(&format!("https://{host}{link}"), "/v3.0"), Ok(link));
    }
}
