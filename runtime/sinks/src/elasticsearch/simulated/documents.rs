//! Documents in bulk.

use connectome_sim::http::Request;
use serde_json::{Map, Value, json};

use super::fields::{Fields, template};
use super::{Fault, Refusal, Search, State};

impl Search {
    /// The answer to a bulk request.
    pub(super) fn bulk(
        &self,
        state: &mut State,
        request: &Request,
        fault: Option<&Fault>,
    ) -> Result<(Value, usize), Refusal> {
        let bad = |why: &str| Err((400, "illegal_argument_exception", why.to_owned()));
        let media = request.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        if !matches!(media, "application/x-ndjson" | "application/vnd.elasticsearch+x-ndjson") {
            return bad("the content is not application/x-ndjson");
        }
        let text = self.text(request)?;
        let Some(text) = text.strip_suffix('\n') else {
            return bad("The bulk request must be terminated by a newline [\\n]");
        };
        let strict = request.query.iter().any(|(name, value)| name == "require_data_stream" && value == "true");
        let named = request.path.trim_start_matches('/').strip_suffix("/_bulk").filter(|it| !it.contains('/'));
        let mut lines = text.split('\n');
        let (mut items, mut errors) = (Vec::new(), false);
        while let Some(action) = lines.next() {
            let action: Map<String, Value> = serde_json::from_str(action)
                .map_err(|error| (400, "parse_exception", format!("an action is no JSON object: {error}")))?;
            let Some((verb, about)) =
                action.iter().next().filter(|(verb, _)| matches!(verb.as_str(), "create" | "index"))
            else {
                return bad("the action is neither create nor index");
            };
            let index = about["_index"].as_str().or(named).unwrap_or_default().to_owned();
            let Some(document) = lines.next() else { return bad("an action has no document") };
            let refused = match fault {
                Some(Fault::EverySecond(status)) if items.len() % 2 == 1 => {
                    Err((*status, "es_rejected_execution_exception", "as asked for".to_owned()))
                }
                _ => store(state, verb, &index, about["_id"].as_str(), document, strict),
            };
            let mut item = match refused {
                Ok((status, id)) => {
                    let result = if status == 201 { "created" } else { "updated" };
                    json!({ "_index": index, "_id": id, "result": result, "status": status })
                }
                Err((status, ty, reason)) => {
                    errors = true;
                    let error = json!({ "type": ty, "reason": reason });
                    json!({ "_index": index, "_id": about["_id"], "status": status, "error": error })
                }
            };
            if let (Some(item), Some(_)) = (item.as_object_mut(), request.parameter("filter_path")) {
                item.retain(|name, _| matches!(name.as_str(), "status" | "error"));
            }
            items.push(json!({ verb: item }));
        }
        let count = items.len();
        Ok((json!({ "took": 1, "errors": errors, "items": items }), count))
    }
}

/// Stores a document; gives the status and its id.
fn store(
    state: &mut State,
    verb: &str,
    index: &str,
    id: Option<&str>,
    document: &str,
    strict: bool,
) -> Result<(u16, String), Refusal> {
    let template = template(state, index);
    let stream = template.is_some_and(|template| template["data_stream"].is_object());
    if index.is_empty() || strict && !stream {
        return Err((
            404,
            "index_not_found_exception",
            format!("no such index [{index}] and [require_data_stream] is true"),
        ));
    }
    let document: Value = serde_json::from_str(document)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| (400, "document_parsing_exception", "the document is no object".to_owned()))?;
    if stream && verb != "create" {
        return Err((
            400,
            "illegal_argument_exception",
            "only write ops with an op_type of create are allowed in data streams".to_owned(),
        ));
    }
    if stream && document.get("@timestamp").is_none() {
        return Err((
            400,
            "document_parsing_exception",
            "data stream timestamp field [@timestamp] is missing".to_owned(),
        ));
    }
    Fields::of(state, index).check(&document).map_err(|why| (400, "document_parsing_exception", why))?;
    let id = id.map_or_else(|| format!("made-{}", state.documents.len()), str::to_owned);
    if id.len() > 512 {
        return Err((400, "illegal_argument_exception", "id is too long, must be no longer than 512 bytes".to_owned()));
    }
    let place = (index.to_owned(), id.clone());
    match state.ids.get(&place) {
        Some(_) if verb == "create" => Err((
            409,
            "version_conflict_engine_exception",
            format!("[{id}]: version conflict, document already exists"),
        )),
        Some(at) => {
            state.documents[*at].2 = document;
            Ok((200, id))
        }
        None => {
            state.ids.insert(place, state.documents.len());
            state.documents.push((index.to_owned(), id.clone(), document));
            Ok((201, id))
        }
    }
}
