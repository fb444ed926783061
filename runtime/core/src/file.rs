//! A file as inputs and outputs carry it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A file's name and bytes. In JSON the bytes are Base64: `{"content": "…", "filename": "triage.sh"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The bytes.
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub content: Vec<u8>,
    /// The name, without a folder.
    pub filename: String,
}

impl File {
    /// A file of this name with these bytes.
    pub fn new(filename: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { content: content.into(), filename: filename.into() }
    }
}

fn write<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}
