//! Who stores documents: an API key, a user with a password, or a bearer's token, from the environment.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connectome_core::{Error, ErrorKind, Secret};

/// The environment variable that holds an API key, as it is shown once: the base64 of its id and itself.
pub const API_KEY: &str = "CONNECTOME_ELASTICSEARCH_API_KEY";
/// The environment variable that holds a user's name.
pub const USER: &str = "CONNECTOME_ELASTICSEARCH_USER";
/// The environment variable that holds his password.
pub const PASSWORD: &str = "CONNECTOME_ELASTICSEARCH_PASSWORD";
/// The environment variable that holds a bearer's token.
pub const TOKEN: &str = "CONNECTOME_ELASTICSEARCH_TOKEN";

/// What may be set, for messages.
pub(super) fn variables() -> String {
    format!("{API_KEY}, or {USER} and {PASSWORD}, or {TOKEN}")
}

/// Who stores documents.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// An API key.
    ApiKey(Secret),
    /// A user and a password.
    Basic(String, Secret),
    /// A bearer's token.
    Bearer(Secret),
    /// Anybody: the service asks for nothing.
    None,
}

impl Credentials {
    /// What the environment says; where the service is open, it may say nothing.
    pub fn from_environment(open: bool) -> Result<Self, Error> {
        let variable = |name| std::env::var(name).ok().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
        let wrong = |why: &str| Error::new(ErrorKind::Configuration, why.to_owned());
        let advice = format!("set {}", variables());
        let user = match (variable(USER), variable(PASSWORD)) {
            (Some(user), Some(password)) => Some(Self::Basic(user, Secret::new(password))),
            (None, None) => None,
            _ => {
                return Err(wrong("the destination has half of a user and a password")
                    .advice(format!("set both {USER} and {PASSWORD}, or neither")));
            }
        };
        let key = variable(API_KEY).map(|it| Self::ApiKey(Secret::new(it)));
        let token = variable(TOKEN).map(|it| Self::Bearer(Secret::new(it)));
        let given: Vec<Self> = [key, user, token].into_iter().flatten().collect();
        match (<[Self; 1]>::try_from(given), open) {
            (Ok([one]), _) => Ok(one),
            (Err(none), true) if none.is_empty() => Ok(Self::None),
            (Err(none), false) if none.is_empty() => Err(wrong("there are no credentials for the destination")
                .advice(format!("{advice}; a service that asks for none is named with ?auth=none behind its address"))),
            (Err(_), _) => {
                Err(wrong("there are several credentials for the destination").advice(format!("keep one: {advice}")))
            }
        }
    }

    /// The value of the header, and every secret in it.
    pub(super) fn header(&self) -> Option<(String, Vec<String>)> {
        match self {
            Self::ApiKey(key) => Some((format!("ApiKey {}", key.expose()), vec![key.expose().to_owned()])),
            Self::Bearer(token) => Some((format!("Bearer {}", token.expose()), vec![token.expose().to_owned()])),
            Self::Basic(user, password) => {
                let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
                Some((format!("Basic {pair}"), vec![pair, password.expose().to_owned()]))
            }
            Self::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_password_are_one_text() {
        for (user, password, wanted) in [
            ("elastic", "changeme", "Basic ZWxhc3RpYzpjaGFuZ2VtZQ=="),
            ("a", "b", "Basic YTpi"),
            ("ä", "ßx", "Basic w6Q6w594"),
            ("ab", "", "Basic YWI6"),
            ("a", "", "Basic YTo="),
        ] {
            let header = Credentials::Basic(user.to_owned(), Secret::new(password)).header();
            assert_eq!(header.map(|(header, _)| header).as_deref(), Some(wanted));
        }
    }
}
