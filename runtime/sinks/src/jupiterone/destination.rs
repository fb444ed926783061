//! Which part of which account's graph an upload is for.

use std::time::Duration;

use connectome_core::{Connection, Error, ErrorKind, Secret, Settings};
use serde_json::{Map, Value};

use super::calls::{ACCOUNT_HEADERS, ROOT, platform};

/// The environment variable that holds the key.
pub const KEY_VARIABLE: &str = "CONNECTOME_JUPITERONE_API_KEY";

const SCHEME: &str = "jupiterone+";
const FORM: &str = "jupiterone+https://HOST?account=ACCOUNT&integration_instance=ID";

/// How much at once, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of JSON that a batch stays below.
    pub batch: usize,
    /// Batches on their way at once.
    pub parallel: usize,
    /// How long the platform may take to finalize.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { batch: 5_000_000, parallel: 6, patience: Duration::from_secs(30 * 60) }
    }
}

/// An integration instance of an account, and a connection to its platform.
#[derive(Debug, Clone)]
pub struct Destination {
    pub(super) connection: Connection,
    pub(super) instance: String,
    /// How much at once, and how long.
    pub limits: Limits,
    name: String,
}

impl Destination {
    /// Reads `jupiterone+https://HOST?account=…&integration_instance=…`. Without a key, the environment is asked for it.
    /// The settings' parameters are not looked at.
    pub fn parse(text: &str, key: Option<Secret>, settings: Settings) -> Result<Self, Error> {
        let rest = text.trim().strip_prefix(SCHEME).ok_or_else(|| wrong("it does not begin with `jupiterone+`"))?;
        let (root, query) = rest.split_once('?').unwrap_or((rest, ""));
        let root = if matches!(root.trim_end_matches('/'), "https:" | "https") { ROOT } else { root };
        let (mut account, mut instance, mut header) = (None, None, ACCOUNT_HEADERS[0].to_owned());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim().to_owned();
            match &*name {
                "account" => account = Some(value),
                "integration_instance" => instance = Some(value),
                "account_header" => header = value,
                // Values of unknown parameters are not shown: somebody may have put the key there.
                other => {
                    return Err(wrong(&format!(
                        "{other:?} is not one of account, integration_instance and account_header"
                    ))
                    .advice(format!("write {FORM}; the key goes into {KEY_VARIABLE}")));
                }
            }
        }
        let given = |name: &str, value: Option<String>| {
            value.filter(|value| !value.is_empty()).ok_or_else(|| wrong(&format!("{name} is missing")))
        };
        let account = given("account", account)?;
        let instance = given("integration_instance", instance)?;
        if !ACCOUNT_HEADERS.contains(&header.as_str()) {
            return Err(wrong(&format!("account_header is neither {}", ACCOUNT_HEADERS.join(" nor "))));
        }
        let key = match key {
            Some(key) => key,
            None => from_environment()?,
        };
        Self::new(root, &account, &instance, &key, &header, settings)
    }

    fn new(
        root: &str,
        account: &str,
        instance: &str,
        key: &Secret,
        header: &str,
        mut settings: Settings,
    ) -> Result<Self, Error> {
        settings.parameters = Map::from_iter(
            [("api_url", root), ("account", account), ("api_key", key.expose())]
                .map(|(name, value)| (name.to_owned(), Value::from(value))),
        );
        // Repeats are counted by call, since what is sent again may be changed before.
        settings.tries = 1;
        let connection = Connection::new(platform(header), settings)?;
        let name = format!("{SCHEME}{}?account={account}&integration_instance={instance}", connection.origin().base());
        Ok(Self { connection, instance: instance.to_owned(), limits: Limits::default(), name })
    }

    /// The destination as a URL, without a key: what tells it from others.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the user should know about the settings.
    pub fn warnings(&self) -> &[String] {
        self.connection.warnings()
    }

    /// Takes the key out of a text.
    pub(super) fn clean(&self, text: &str) -> String {
        self.connection.redactor().clean(text)
    }
}

fn from_environment() -> Result<Secret, Error> {
    match std::env::var(KEY_VARIABLE) {
        Ok(key) if !key.trim().is_empty() => Ok(Secret::new(key.trim())),
        _ => Err(Error::new(ErrorKind::Configuration, "there is no key for the destination").advice(format!(
            "set {KEY_VARIABLE} in the environment; the key needs the permission persister:Synchronize"
        ))),
    }
}

fn wrong(why: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("the destination cannot be used: {why}"))
        .advice(format!("write {FORM}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "MARKERkey-c0ffee";

    fn parse(text: &str) -> Result<Destination, Error> {
        Destination::parse(text, Some(Secret::new(KEY)), Settings::new(Map::new()))
    }

    #[test]
    fn a_destination_is_a_url() {
        for (text, name) in [
            (
                "jupiterone+https://?account=harbor&integration_instance=a1",
                "jupiterone+https://api.us.jupiterone.io?account=harbor&integration_instance=a1",
            ),
            (
                "jupiterone+https://api.dev.jupiterone.io/?integration_instance=a1&account=harbor%20two",
                "jupiterone+https://api.dev.jupiterone.io?account=harbor two&integration_instance=a1",
            ),
            (
                "jupiterone+http://127.0.0.1:8080?account=x&integration_instance=y&account_header=LifeOmic-Account",
                "jupiterone+http://127.0.0.1:8080?account=x&integration_instance=y",
            ),
        ] {
            assert_eq!(parse(text).unwrap().name(), name);
        }
    }

    #[test]
    fn what_is_wrong_with_a_destination_is_said_without_its_secrets() {
        for (text, said) in [
            ("https://api.us.jupiterone.io?account=a", "does not begin with `jupiterone+`"),
            ("jupiterone+https://h?integration_instance=b", "account is missing"),
            ("jupiterone+https://h?account=a", "integration_instance is missing"),
            ("jupiterone+https://h?account=a&integration_instance=", "integration_instance is missing"),
            (
                "jupiterone+https://h?account=a&integration_instance=b&api_key=MARKERkey-c0ffee",
                "\"api_key\" is not one",
            ),
            ("jupiterone+https://h?account=a&integration_instance=b&account_header=Host", "account_header is neither"),
            ("jupiterone+http://h.example?account=a&integration_instance=b", "unencrypted"),
            (
                "jupiterone+https://me:MARKERkey-c0ffee@h.example?account=a&integration_instance=b",
                "user name or password",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{text}");
            assert!(error.to_string().contains(said), "{error}");
            assert!(!format!("{error} {error:?}").contains("MARKER"), "{error}");
        }
        assert!(!format!("{:?}", parse("jupiterone+https://?account=a&integration_instance=b")).contains("MARKER"));
    }
}
