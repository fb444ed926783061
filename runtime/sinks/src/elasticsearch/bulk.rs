//! The body of a bulk request, and what its answer says of each document.

use connectome_core::{Error, ErrorKind};
use serde_json::{Value, json};

use super::address::Operation;
use super::shown;

/// How much of a reason is shown.
const SHOWN: usize = 500;

/// What a document adds to a request: what is to be done with it, and the document.
#[derive(Debug)]
pub struct Part(Vec<u8>);

impl Part {
    /// Two lines, each with its end.
    pub fn new(operation: Operation, index: &str, id: Option<String>, document: &[u8]) -> Self {
        let mut action = json!({ "_index": index });
        if let Some(id) = id {
            action["_id"] = json!(id);
        }
        let action = match operation {
            Operation::Create => json!({ "create": action }),
            Operation::Index => json!({ "index": action }),
        };
        let mut lines = action.to_string().into_bytes();
        lines.push(b'\n');
        lines.extend_from_slice(document);
        lines.push(b'\n');
        Self(lines)
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The lines.
    pub fn lines(&self) -> &[u8] {
        &self.0
    }
}

/// What became of a document.
#[derive(Debug)]
pub enum Fate {
    /// It is stored, by this request or by one before.
    Stored,
    /// It can never be stored, and why.
    Never(String),
    /// It may be stored later: the status with which it was not, and why.
    Later { status: u64, why: String },
    /// Nothing can be stored until somebody mends something.
    Fatal(Error),
}

/// What an answer says of each of so many documents.
pub fn fates(body: &[u8], count: usize) -> Result<Vec<Fate>, Error> {
    let wrong = |why: String| Error::new(ErrorKind::Protocol, why);
    let body: Value =
        serde_json::from_slice(body).map_err(|error| wrong(format!("the answer is broken JSON ({error})")))?;
    let items = body["items"]
        .as_array()
        .filter(|_| body["errors"].is_boolean())
        .ok_or_else(|| wrong("the answer does not say what became of the documents".to_owned()))?;
    if items.len() != count {
        return Err(wrong(format!("the answer speaks of {} documents, and {count} were sent", items.len())));
    }
    items
        .iter()
        .map(|item| fate(item).ok_or_else(|| wrong("the answer leaves out what became of a document".to_owned())))
        .collect()
}

fn fate(item: &Value) -> Option<Fate> {
    let (_, said) = item.as_object()?.iter().next()?;
    let status = said["status"].as_u64()?;
    let why = || {
        let error = &said["error"];
        let [ty, reason] = ["type", "reason"].map(|name| error[name].as_str().unwrap_or_default());
        let caused = error["caused_by"]["reason"].as_str().map(|it| format!(": {it}")).unwrap_or_default();
        format!("{status} {ty}: {}", shown(&format!("{reason}{caused}"), SHOWN))
    };
    Some(match status {
        200 | 201 => {
            if said["failure_store"] == "used" {
                Fate::Never("the service put it into its failure store, where it is found".to_owned())
            } else {
                Fate::Stored
            }
        }
        // Its id follows from its key: it is the same document.
        409 => Fate::Stored,
        429 | 500 | 502 | 503 | 504 => Fate::Later { status, why: why() },
        401 => Fate::Fatal(Error::new(ErrorKind::Auth, why())),
        403 => Fate::Fatal(Error::new(ErrorKind::Permission, why())),
        404 => Fate::Fatal(Error::new(ErrorKind::NotFound, why())),
        _ => Fate::Never(why()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter a document: stored, never, later, fatal.
    fn told(body: &Value, count: usize) -> String {
        match fates(body.to_string().as_bytes(), count) {
            Ok(fates) => fates
                .iter()
                .map(|fate| match fate {
                    Fate::Stored => 'S',
                    Fate::Never(_) => 'N',
                    Fate::Later { .. } => 'L',
                    Fate::Fatal(_) => 'F',
                })
                .collect(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_status_has_its_meaning() {
        let item = |status: u64| json!({ "create": { "status": status, "error": { "type": "t", "reason": "r" } } });
        let statuses = [201, 200, 409, 400, 413, 429, 500, 503, 403, 401, 404];
        let items: Vec<Value> = statuses.iter().map(|status| item(*status)).collect();
        assert_eq!(told(&json!({ "errors": true, "items": items }), 11), "SSSNNLLLFFF");
        let kept = json!({ "create": { "status": 201, "failure_store": "used" } });
        assert_eq!(told(&json!({ "errors": false, "items": [kept] }), 1), "N");
        for (body, said) in [
            (json!({ "errors": false, "items": [] }), "speaks of 0 documents, and 1 were sent"),
            (json!({ "errors": false }), "does not say what became"),
            (json!({ "items": [item(201)] }), "does not say what became"),
            (json!({ "errors": true, "items": [{}] }), "leaves out what became"),
            (json!([]), "does not say what became"),
        ] {
            assert!(told(&body, 1).contains(said), "{body}: {}", told(&body, 1));
        }
    }
}
