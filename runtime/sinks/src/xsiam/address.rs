//! Which tenant takes events, and how.

use std::path::PathBuf;

use connectome_core::Error;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::destination::{Options, host, wrong};

/// The environment variable that holds the token.
pub const TOKEN_VARIABLE: &str = "CONNECTOME_XSIAM_TOKEN";

const FORM: &str = "write xsiam+https://HOST";

/// The field that holds an event's key where none is named.
const KEY_FIELD: &str = "collector_event_key";

const IN_NAME: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'&').add(b'#').add(b'+');

/// How events come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A log collector, which knows itself whose events it takes.
    Collector,
    /// As integrations of the platform send them: whose events they are is told with them.
    Events {
        /// Whose product it is.
        vendor: String,
        /// The product.
        product: String,
        /// The instance that sends.
        instance: String,
    },
}

/// A tenant of XSIAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Scheme, host and port.
    pub root: String,
    /// The path that takes events.
    pub path: String,
    /// How they come in.
    pub route: Route,
    /// Whether they are compressed.
    pub gzip: bool,
    /// The field that holds an event's key.
    pub key: Option<String>,
    /// The file of what the tenant cannot hold.
    pub dead_letter: Option<PathBuf>,
}

impl Address {
    /// Reads what stands behind `xsiam+https:`, without and with what stands behind the question mark.
    pub(crate) fn parse(scheme: &str, place: &str, query: &str) -> Result<Self, Error> {
        let secret = format!("the token goes into {TOKEN_VARIABLE}");
        let url = host(scheme, place, query, FORM, &secret)?;
        let known = ["route", "compress", "vendor", "product", "instance", "dead_letter", "key"];
        let mut options = Options::read("xsiam", query, &known).map_err(|error| advised(error, &secret))?;
        let events = options.parsed("route", "collector or events", |text| match text {
            "collector" => Some(false),
            "events" => Some(true),
            _ => None,
        })?;
        let gzip = options.or_none("compress", "gzip")?;
        let [vendor, product, instance] = ["vendor", "product", "instance"].map(|name| {
            let plain = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~')).then(|| text.to_owned());
            options.parsed(name, "plain text of ASCII letters", plain).map(|value| (name, value))
        });
        let [vendor, product, instance] = [vendor?, product?, instance?];
        let route = if events.unwrap_or(false) {
            if gzip == Some(false) {
                return Err(wrong("`route=events` is always compressed").advice("leave compress=none out"));
            }
            let given = |(name, value): (&str, Option<String>)| {
                let missing = || wrong(&format!("`{name}` is missing")).advice(format!("add {name}=NAME"));
                value.ok_or_else(missing)
            };
            let instance = instance.1.unwrap_or_else(|| "connectome".to_owned());
            Route::Events { vendor: given(vendor)?, product: given(product)?, instance }
        } else {
            if let Some((name, _)) = [vendor, product, instance].into_iter().find(|(_, value)| value.is_some()) {
                let advice = format!("leave {name} out, since a collector knows it, or write route=events");
                return Err(wrong(&format!("`{name}` goes with `route=events`")).advice(advice));
            }
            Route::Collector
        };
        let path = match (url.path().trim_end_matches('/'), &route) {
            ("", Route::Collector) => "/logs/v1/event",
            ("", Route::Events { .. }) => "/logs/v1/xsiam",
            (given, _) => given,
        };
        Ok(Self {
            root: url.origin().ascii_serialization(),
            path: path.to_owned(),
            route,
            gzip: gzip.unwrap_or(true),
            key: Some(options.field("key")?.unwrap_or_else(|| KEY_FIELD.to_owned())).filter(|key| key != "none"),
            dead_letter: options.parsed("dead_letter", "the path of a file", |text| {
                std::path::absolute(text).ok().filter(|_| !text.ends_with('/'))
            })?,
        })
    }

    /// What tells it from others.
    pub(crate) fn name(&self) -> String {
        let dataset = match &self.route {
            Route::Collector => String::new(),
            Route::Events { vendor, product, .. } => {
                let [vendor, product] = [vendor, product].map(|it| utf8_percent_encode(it, IN_NAME));
                format!("?vendor={vendor}&product={product}")
            }
        };
        format!("xsiam+{}{}{dataset}", self.root, self.path)
    }
}

fn advised(error: Error, more: &str) -> Error {
    let advice = format!("{}; {more}", error.parts().advice.as_deref().unwrap_or_default());
    error.advice(advice)
}
