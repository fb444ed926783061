//! Secrets stay secret: a marker in every place that holds one, everything looked at that anybody may print, and no marker
//! found but in the result of the action that gives it.

mod commands;
mod every;
mod library;

use std::path::Path;

use connectome_core::Error;
use serde_json::{Value, json};

/// The connection's key, with letters that change when a text is quoted, escaped or encoded.
const KEY: &str = r#"eyJ0:x/MARKERkey+c0ffee=="q\z"#;

/// The password of an archive: besides, a blank and a letter that is not ASCII.
const ARCHIVE: &str = "p4 \"MARKERarchive\\é";

/// The password of a document.
const DOCUMENT: &str = "MARKERdocument%41";

/// Everything that somebody may read, and where it was.
#[derive(Default)]
struct Told(Vec<(String, String)>);

impl Told {
    fn hear(&mut self, place: &str, text: impl Into<String>) {
        self.0.push((place.to_owned(), text.into()));
    }

    /// An error in all its forms.
    fn error(&mut self, place: &str, error: &Error) {
        self.hear(&format!("{place}: displayed"), error.to_string());
        self.hear(&format!("{place}: debugged"), format!("{error:?} {error:#?} {:?}", error.parts()));
        self.hear(&format!("{place}: as JSON"), error.to_json().to_string());
        let panic = std::panic::catch_unwind({
            let error = error.clone();
            || failed(error).unwrap()
        });
        self.hear(
            &format!("{place}: in a panic"),
            panic.unwrap_err().downcast_ref::<String>().expect("a message").clone(),
        );
    }

    /// That no marker is anywhere.
    fn assert_silent(&self) {
        assert!(!self.0.is_empty());
        for (place, text) in &self.0 {
            for marker in ["MARKER", "c0ffee", &base64(ARCHIVE), &base64(DOCUMENT)] {
                assert!(!text.contains(marker), "{place} tells {marker:?}: {text}");
            }
        }
    }
}

fn failed(error: Error) -> Result<(), Error> {
    Err(error)
}

fn base64(text: &str) -> String {
    use connectome_core::convert::Convert;
    Convert::Base64Once.apply(json!(text)).as_str().expect("a text").to_owned()
}

fn sample() -> Value {
    json!({ "file": { "content": "dGVzdA==", "filename": "a.zip" }, "archive_password": ARCHIVE, "document_password": DOCUMENT })
}

/// Every byte of every file below a folder.
fn bytes(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(bytes(&path));
        } else {
            all.extend(path.to_string_lossy().bytes());
            all.extend(std::fs::read(&path).expect("a file"));
        }
    }
    all
}
