//! A simulated Kibana: its saved objects, by space. It is stricter about what it imports than Kibana, which finds out only when
//! somebody opens a dashboard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use connectome_sim::http::{Reply, Request};
use connectome_sim::{Respond, form};
use serde_json::{Value, json};

/// What a request is refused with: a status and why.
type Refusal = (u16, String);

#[derive(Debug, Default)]
struct State {
    /// By space, type and id.
    objects: BTreeMap<[String; 3], Value>,
    calls: Vec<String>,
}

/// A simulated service.
#[derive(Debug)]
pub struct Kibana {
    authorization: Option<String>,
    reads_only: bool,
    state: Mutex<State>,
}

impl Kibana {
    /// A service that this value of the header opens; without one it is open to anybody.
    pub fn new(authorization: Option<&str>) -> Self {
        Self { authorization: authorization.map(str::to_owned), reads_only: false, state: Mutex::default() }
    }

    /// Answers 403 to whoever changes something.
    #[must_use]
    pub fn reads_only(mut self) -> Self {
        self.reads_only = true;
        self
    }

    /// Every call, with its path, in order.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    /// The objects of a space, by type and id.
    pub fn objects(&self, space: &str) -> Vec<(String, String, Value)> {
        let state = self.state();
        let of_space = state.objects.iter().filter(|([of, ..], _)| of == space);
        of_space.map(|([_, ty, id], object)| (ty.clone(), id.clone(), object.clone())).collect()
    }

    /// Puts an object there, as somebody does who saves it.
    pub fn save(&self, space: &str, object: &Value) {
        let part = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
        self.state().objects.insert([space.to_owned(), part("type"), part("id")], object.clone());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, state: &mut State, request: &Request) -> Result<Value, Refusal> {
        let (space, path) = match request.path.strip_prefix("/s/").and_then(|rest| rest.split_once('/')) {
            Some((space, path)) => (space, path),
            None => ("default", request.path.trim_start_matches('/')),
        };
        let changes = request.method != "GET";
        if changes && request.header("kbn-xsrf").is_none() {
            return Err((400, "Request must contain a kbn-xsrf header.".to_owned()));
        }
        if changes && self.reads_only {
            return Err((403, "Unable to bulk_create dashboard,index-pattern".to_owned()));
        }
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["api", "saved_objects", "_import"]) => import(state, space, request),
            ("GET" | "DELETE", ["api", "saved_objects", ty, id]) => {
                let key = [space.to_owned(), (*ty).to_owned(), (*id).to_owned()];
                let found = if changes {
                    state.objects.remove(&key).map(|_| json!({}))
                } else {
                    state.objects.get(&key).cloned()
                };
                found.ok_or_else(|| (404, format!("Saved object [{ty}/{id}] not found")))
            }
            _ => Err((404, "Not Found".to_owned())),
        }
    }
}

fn import(state: &mut State, space: &str, request: &Request) -> Result<Value, Refusal> {
    let asked = |name| request.parameter(name) == Some("true");
    let overwrite = asked("overwrite");
    if overwrite && asked("createNewCopies") {
        return Err((400, "[request query]: cannot use [overwrite] with [createNewCopies]".to_owned()));
    }
    let media = request.header("content-type").unwrap_or_default();
    if !media.starts_with("multipart/form-data") {
        return Err((415, "Unsupported Media Type".to_owned()));
    }
    let parts = form::parse(media, &request.body).map_err(|why| (400, why))?;
    let [part] = parts.as_slice() else { return Err((400, format!("the form has {} parts", parts.len()))) };
    let Some(name) = part.filename.as_deref().filter(|_| part.name == "file") else {
        return Err((400, "[request body.file]: expected value of type [Stream] but got [undefined]".to_owned()));
    };
    if !name.ends_with(".ndjson") {
        return Err((400, format!("Invalid file extension {name}")));
    }
    let text = std::str::from_utf8(&part.content).map_err(|error| (400, error.to_string()))?;
    let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
    let objects = lines.map_err(|error| (400, format!("Unexpected token: {error}")))?;
    let part = |object: &Value, name: &str| object[name].as_str().unwrap_or_default().to_owned();
    let brought: BTreeSet<[String; 2]> = objects.iter().map(|it| [part(it, "type"), part(it, "id")]).collect();
    let (mut errors, mut done) = (Vec::new(), Vec::new());
    for mut object in objects {
        let (ty, id) = (part(&object, "type"), part(&object, "id"));
        let key = [space.to_owned(), ty.clone(), id.clone()];
        let lacking: Vec<Value> = object["references"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|it| it["type"] == "index-pattern")
            .filter(|it| {
                let there = [space.to_owned(), part(it, "type"), part(it, "id")];
                !brought.contains(&[there[1].clone(), there[2].clone()]) && !state.objects.contains_key(&there)
            })
            .map(|it| json!({ "type": it["type"], "id": it["id"] }))
            .collect();
        let error = if !matches!(ty.as_str(), "dashboard" | "index-pattern") {
            Some(json!({ "type": "unsupported_type" }))
        } else if !lacking.is_empty() {
            Some(json!({ "type": "missing_references", "references": lacking }))
        } else if let Err(why) = whole(&object) {
            Some(json!({ "type": "unknown", "message": why, "statusCode": 400 }))
        } else if state.objects.contains_key(&key) && !overwrite {
            Some(json!({ "type": "conflict" }))
        } else {
            None
        };
        let meta = json!({ "title": object["attributes"]["title"], "icon": "dashboardApp" });
        if let Some(error) = error {
            errors.push(json!({ "type": ty, "id": id, "title": meta["title"], "meta": meta, "error": error }));
            continue;
        }
        done.push(json!({ "type": ty, "id": id, "meta": meta, "managed": false }));
        object["namespaces"] = json!([space]);
        object["updated_at"] = json!("2026-02-05T08:00:00.000Z");
        state.objects.insert(key, object);
    }
    let mut said =
        json!({ "success": errors.is_empty(), "successCount": done.len(), "warnings": [], "successResults": done });
    if !errors.is_empty() {
        said["errors"] = json!(errors);
    }
    Ok(said)
}

/// Whether an object holds what it needs: parts that are JSON within a text, and an entry for each reference that it names.
fn whole(object: &Value) -> Result<(), String> {
    let attributes = &object["attributes"];
    if !attributes.is_object() || attributes["title"].as_str().is_none_or(str::is_empty) {
        return Err("the object has no title".to_owned());
    }
    if object["type"] != "dashboard" {
        return Ok(());
    }
    let within = |value: &Value, name: &str| -> Result<Value, String> {
        let text = value.as_str().ok_or_else(|| format!("[attributes.{name}]: expected value of type [string]"))?;
        serde_json::from_str(text).map_err(|error| format!("[attributes.{name}]: {error}"))
    };
    let group = &attributes["controlGroupInput"];
    let panels = within(&attributes["panelsJSON"], "panelsJSON")?;
    let search = &attributes["kibanaSavedObjectMeta"]["searchSourceJSON"];
    let search = within(search, "kibanaSavedObjectMeta.searchSourceJSON")?;
    let controls = within(&group["panelsJSON"], "controlGroupInput.panelsJSON")?;
    within(&attributes["optionsJSON"], "optionsJSON")?;
    within(&group["ignoreParentSettingsJSON"], "controlGroupInput.ignoreParentSettingsJSON")?;
    if attributes["timeRestore"] == true && !(attributes["timeFrom"].is_string() && attributes["timeTo"].is_string()) {
        return Err("[attributes.timeRestore]: there is no range to be restored".to_owned());
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut named: Vec<String> = list(&search["filter"]).iter().map(|it| text(&it["meta"]["indexRefName"])).collect();
    for id in controls.as_object().ok_or("the controls are no object")?.keys() {
        named.push(format!("controlGroup_{id}:optionsListDataView"));
    }
    let panels = panels.as_array().ok_or("the panels are no list")?;
    for panel in panels {
        let id = text(&panel["panelIndex"]);
        if id.is_empty() || panel["gridData"]["i"] != id.as_str() {
            return Err("a panel has no id, or another on the grid".to_owned());
        }
        let content = &panel["embeddableConfig"]["attributes"];
        let own = list(&content["references"]).into_iter().map(|it| text(&it["name"]));
        let filters = list(&content["state"]["filters"]).into_iter().map(|it| text(&it["meta"]["indexRefName"]));
        let links = list(&content["links"]).into_iter().map(|it| text(&it["destinationRefName"]));
        named.extend(own.chain(filters).chain(links).map(|name| format!("{id}:{name}")));
    }
    let known: BTreeSet<String> = list(&object["references"]).iter().map(|it| text(&it["name"])).collect();
    match named.iter().find(|name| !known.contains(*name)) {
        Some(name) => Err(format!("Could not find reference \"{name}\"")),
        None => Ok(()),
    }
}

impl Respond for Kibana {
    fn respond(&self, request: &Request) -> Reply {
        let mut state = self.state();
        state.calls.push(format!("{} {}", request.method, request.path));
        let given = request.header("authorization");
        let said = if self.authorization.as_deref().is_some_and(|wanted| given != Some(wanted)) {
            // A service may say what it was sent.
            Err((401, format!("unable to authenticate with {}", given.unwrap_or("nothing"))))
        } else {
            self.answer(&mut state, request)
        };
        match said {
            Ok(said) => Reply::json(200, &said),
            Err((status, message)) => {
                let error = match status {
                    400 => "Bad Request",
                    401 => "Unauthorized",
                    403 => "Forbidden",
                    404 => "Not Found",
                    _ => "Error",
                };
                Reply::json(status, &json!({ "statusCode": status, "error": error, "message": message }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn request(query: &[(&str, &str)], headers: &[(&str, &str)], body: &str) -> Request {
        let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Request {
            method: "POST".to_owned(),
            path: "/api/saved_objects/_import".to_owned(),
            query: pairs(query),
            headers: pairs(headers),
            body: Bytes::from(body.to_owned()),
        }
    }

    fn file(name: &str, file: &str, lines: &str) -> String {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\r\n{lines}\r\n--b--\r\n"
        )
    }

    const FORM: [(&str, &str); 2] = [("kbn-xsrf", "true"), ("content-type", "multipart/form-data; boundary=b")];
    const VIEW: &str = r#"{"type":"index-pattern","id":"logs-*","attributes":{"title":"logs-*"},"references":[]}"#;

    #[test]
    fn what_is_not_as_kibana_takes_it_is_refused() {
        let good = file("file", "a.ndjson", VIEW);
        for (query, headers, body, status, said) in [
            (&[][..], &FORM[1..], good.as_str(), 400, "kbn-xsrf"),
            (&[], &[("kbn-xsrf", "x"), ("content-type", "application/ndjson")], VIEW, 415, "Unsupported"),
            (&[], &FORM, &file("files", "a.ndjson", VIEW), 400, "request body.file"),
            (&[], &FORM, &file("file", "a.json", VIEW), 400, "file extension"),
            (&[], &FORM, &file("file", "a.ndjson", "{"), 400, "Unexpected token"),
            (&[("overwrite", "true"), ("createNewCopies", "true")], &FORM, &good, 400, "cannot use [overwrite]"),
        ] {
            let kibana = Kibana::new(None);
            let reply = kibana.respond(&request(query, headers, body));
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            assert!(reply.status == status && text.contains(said), "{} {text}", reply.status);
            assert!(kibana.objects("default").is_empty());
        }
    }

    #[test]
    fn what_is_there_is_kept_unless_it_may_be_overwritten() {
        let kibana = Kibana::new(None);
        let import = |query: &[(&str, &str)]| -> Value {
            let reply = kibana.respond(&request(query, &FORM, &file("file", "a.ndjson", VIEW)));
            serde_json::from_slice(&reply.body).unwrap()
        };
        assert_eq!(import(&[])["success"], true);
        let again = import(&[]);
        assert_eq!((&again["success"], &again["errors"][0]["error"]["type"]), (&json!(false), &json!("conflict")));
        assert_eq!(import(&[("overwrite", "true")])["successCount"], 1);
    }
}
