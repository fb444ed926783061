//! A saved object, whose it is, and whether it is what it should be.
//!
//! Kibana rewrites what it holds, and drops what it does not know. What it keeps are the ids of a dashboard's panels, since
//! references begin with them; so these say whose a dashboard is, and carry a digest of what it should be.

use connectome_collect::canonical::Canonical;
use connectome_collect::key::{hex, short};
use connectome_core::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::elasticsearch::setup::{Found, OWNER};

/// A saved object.
#[derive(Debug, Clone)]
pub struct Object {
    /// What it is called.
    pub title: String,
    ty: String,
    id: String,
    digest: String,
    body: Value,
}

/// Reads the saved objects that a connector comes with.
pub fn objects(lines: &str) -> Result<Vec<Object>, Error> {
    let wrong = || Error::new(ErrorKind::Protocol, "the list of what is imported cannot be read");
    let one = |line: &str| {
        let mut body: Value = serde_json::from_str(line).ok()?;
        let [ty, id] = ["type", "id"].map(|name| body[name].as_str().map(str::to_owned));
        let title = body["attributes"]["title"].as_str()?.to_owned();
        let digest = hex(&short(&String::from_utf8_lossy(Canonical::default().of(&body.to_string()))));
        sign(&mut body, &digest)?;
        Some(Object { title, ty: ty?, id: id?, digest, body })
    };
    lines.lines().map(|line| one(line).ok_or_else(wrong)).collect()
}

/// Puts the digest into the ids of panels.
fn sign(body: &mut Value, digest: &str) -> Option<()> {
    let start = format!("{OWNER}-");
    let signed = |id: &str| id.strip_prefix(&start).map(|rest| json!(format!("{start}{digest}-{rest}")));
    if body["type"] != "dashboard" {
        return Some(());
    }
    let mut panels: Value = serde_json::from_str(body["attributes"]["panelsJSON"].as_str()?).ok()?;
    for panel in panels.as_array_mut()? {
        let id = signed(panel["panelIndex"].as_str()?)?;
        panel["gridData"]["i"] = id.clone();
        panel["panelIndex"] = id;
    }
    body["attributes"]["panelsJSON"] = json!(panels.to_string());
    for reference in body["references"].as_array_mut()? {
        if let Some(name) = signed(reference["name"].as_str()?) {
            reference["name"] = name;
        }
    }
    Some(())
}

impl Object {
    /// Where it is.
    pub fn path(&self) -> String {
        format!("/api/saved_objects/{}/{}", self.ty, self.id)
    }

    /// Whether others use it as well.
    pub fn is_shared(&self) -> bool {
        self.ty != "dashboard"
    }

    pub(super) fn line(&self) -> String {
        self.body.to_string()
    }

    /// What an answer says of it.
    pub(super) fn found(&self, answer: &Value) -> Found {
        if self.is_shared() {
            return Found::Same;
        }
        let panels = answer["attributes"]["panelsJSON"].as_str().and_then(|it| serde_json::from_str::<Value>(it).ok());
        let panels = panels.as_ref().and_then(Value::as_array).into_iter().flatten();
        let mut digests = panels.filter_map(|panel| {
            let id = panel["panelIndex"].as_str()?.strip_prefix(OWNER)?.strip_prefix('-')?;
            // Who imports the file by hand, imports no digest.
            Some(id.rsplit_once('-').map_or_else(String::new, |(digest, _)| digest.to_owned()))
        });
        match digests.next() {
            Some(digest) if digest == self.digest => Found::Same,
            Some(_) => Found::Old,
            None => Found::Foreign,
        }
    }
}
