//! Templates, policies and transforms.

use connectome_sim::http::Request;
use serde_json::{Value, json};

use super::{Refusal, State};

/// They are put there, looked at, started, stopped and removed.
pub fn manage(state: &mut State, request: &Request) -> Result<Value, Refusal> {
    let path = request.path.as_str();
    let missing = || (404, "resource_not_found_exception", format!("there is no [{path}]"));
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let name = match parts.as_slice() {
        ["_ilm", "policy", name] | ["_component_template" | "_index_template" | "_transform", name] => *name,
        ["_transform", name, verb] => return transform(state, name, verb, request),
        _ => return Err(missing()),
    };
    match request.method.as_str() {
        "GET" => state.things.get(path).map(|thing| shown(&parts, name, thing)).ok_or_else(missing),
        "PUT" => {
            let body: Value =
                serde_json::from_slice(&request.body).map_err(|error| (400, "parse_exception", error.to_string()))?;
            let uses = body["composed_of"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let lacking = uses.map(|it| format!("/_component_template/{it}")).find(|it| !state.things.contains_key(it));
            if let Some(lacking) = lacking {
                return Err((
                    400,
                    "illegal_argument_exception",
                    format!("component templates [{lacking}] do not exist"),
                ));
            }
            if parts[0] == "_transform" && state.things.contains_key(path) {
                return Err((400, "resource_already_exists_exception", format!("transform [{name}] already exists")));
            }
            state.things.insert(path.to_owned(), body);
            Ok(json!({ "acknowledged": true }))
        }
        "DELETE" => {
            if in_use(state, &parts, name) {
                return Err((400, "illegal_argument_exception", format!("[{name}] is in use")));
            }
            if state.started.contains(name) && parts[0] == "_transform" {
                return Err((409, "status_exception", format!("transform [{name}] is started")));
            }
            state.things.remove(path).map(|_| json!({ "acknowledged": true })).ok_or_else(missing)
        }
        _ => Err((405, "method_not_allowed", format!("[{path}] takes GET, PUT and DELETE"))),
    }
}

/// Whether something else needs it: a template its component, an index its policy.
fn in_use(state: &State, parts: &[&str], name: &str) -> bool {
    let templates = || state.things.iter().filter(|(path, _)| path.starts_with("/_index_template/"));
    match parts[0] {
        "_component_template" => templates()
            .any(|(_, it)| it["composed_of"].as_array().is_some_and(|parts| parts.iter().any(|part| part == name))),
        "_ilm" => !state.documents.is_empty(),
        _ => false,
    }
}

fn shown(parts: &[&str], name: &str, thing: &Value) -> Value {
    match parts[0] {
        "_ilm" => json!({ name: { "version": 1, "policy": thing["policy"] } }),
        "_component_template" => json!({ "component_templates": [{ "name": name, "component_template": thing }] }),
        "_index_template" => json!({ "index_templates": [{ "name": name, "index_template": thing }] }),
        _ => {
            let mut thing = thing.clone();
            thing["id"] = json!(name);
            json!({ "count": 1, "transforms": [thing] })
        }
    }
}

fn transform(state: &mut State, name: &str, verb: &str, request: &Request) -> Result<Value, Refusal> {
    if !state.things.contains_key(&format!("/_transform/{name}")) {
        return Err((404, "resource_not_found_exception", format!("Transform with id [{name}] could not be found")));
    }
    let is_started = state.started.contains(name);
    match (request.method.as_str(), verb) {
        ("GET", "_stats") => {
            let said = if is_started { "started" } else { "stopped" };
            Ok(json!({ "count": 1, "transforms": [{ "id": name, "state": said, "health": { "status": "green" } }] }))
        }
        ("POST", "_start") if is_started => {
            Err((409, "status_exception", format!("Cannot start transform [{name}] as it is already started.")))
        }
        ("POST", "_start") => {
            state.started.insert(name.to_owned());
            Ok(json!({ "acknowledged": true }))
        }
        ("POST", "_stop") => {
            state.started.remove(name);
            Ok(json!({ "acknowledged": true }))
        }
        _ => Err((405, "method_not_allowed", format!("a transform takes no {verb}"))),
    }
}
