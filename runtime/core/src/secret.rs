//! Values that must never be shown, and the removal of such values from texts that others wrote.

use std::fmt;
use std::sync::{Arc, Mutex};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serializer};

/// A text that does not print: `{}` and `{:?}` show `[secret]`. Its memory is cleared when it goes.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself. Where this is called is where a secret could leak.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Writes a secret into a request's input. Generated inputs name this function; nothing else should.
pub fn into_request<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_str(secret.expose()),
        None => serializer.serialize_none(),
    }
}

/// Knows the secrets of a connection and takes them out of any text: a service may send back what it was sent.
#[derive(Clone, Default)]
pub struct Redactor(Arc<Mutex<Vec<Secret>>>);

/// What stands where a secret stood.
pub const MASK: &str = "[secret]";

/// Shorter texts are not searched for: they would tear up ordinary words.
const SHORTEST: usize = 6;

impl Redactor {
    /// Adds a secret to look for.
    pub fn learn(&self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        let mut known = self.lock();
        if !known.iter().any(|it| it.expose() == secret) {
            known.push(Secret::new(secret));
        }
    }

    /// The text without any secret that is known.
    pub fn clean(&self, text: &str) -> String {
        self.lock().iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose(), MASK))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Secret>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("eyJ0eXAi")), "[secret]");
    }

    #[test]
    fn a_known_secret_is_taken_out_of_any_text() {
        let redactor = Redactor::default();
        redactor.learn("eyJ0eXAi");
        assert_eq!(redactor.clean("token eyJ0eXAi is wrong"), "token [secret] is wrong");
    }
}
