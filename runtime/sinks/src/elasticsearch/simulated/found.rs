//! What is asked of documents: all of them, those with a value, one by its id, and how many.

use connectome_sim::http::Request;
use serde_json::{Value, json};

use super::fields::{Fields, template};
use super::{Refusal, State};

/// What a request for documents is answered, if it is one.
pub fn answer(state: &State, request: &Request) -> Option<Result<(u16, Value), Refusal>> {
    let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
    let reads = matches!(request.method.as_str(), "GET" | "POST");
    Some(match parts.as_slice() {
        [target, "_search"] if reads => search(state, target, request),
        [target, "_count"] if reads => count(state, target, request),
        [index, "_doc", id] if request.method == "GET" => get(state, index, id),
        [index, "_refresh"] if request.method == "POST" => {
            indices(state, index).map(|_| (200, json!({ "_shards": { "total": 1, "successful": 1, "failed": 0 } })))
        }
        _ => return None,
    })
}

fn search(state: &State, target: &str, request: &Request) -> Result<(u16, Value), Refusal> {
    let body = body(request)?;
    let known = ["query", "size", "track_total_hits"];
    if let Some(unknown) =
        body.as_object().into_iter().flatten().map(|(name, _)| name).find(|it| !known.contains(&it.as_str()))
    {
        return Err((400, "parsing_exception", format!("unknown key for a search: [{unknown}]")));
    }
    let found = matching(state, target, &body["query"])?;
    let size = body["size"].as_u64().unwrap_or(10);
    let hits: Vec<Value> = found
        .iter()
        .take(usize::try_from(size).unwrap_or(usize::MAX))
        .map(|(index, id, document)| json!({ "_index": index, "_id": id, "_score": 1.0, "_source": document }))
        .collect();
    let total = json!({ "value": found.len(), "relation": "eq" });
    Ok((
        200,
        json!({
            "took": 1, "timed_out": false, "_shards": { "total": 1, "successful": 1, "skipped": 0, "failed": 0 },
            "hits": { "total": total, "max_score": 1.0, "hits": hits },
        }),
    ))
}

fn count(state: &State, target: &str, request: &Request) -> Result<(u16, Value), Refusal> {
    let found = matching(state, target, &body(request)?["query"])?.len();
    Ok((200, json!({ "count": found, "_shards": { "total": 1, "successful": 1, "skipped": 0, "failed": 0 } })))
}

fn get(state: &State, index: &str, id: &str) -> Result<(u16, Value), Refusal> {
    if template(state, index).is_some_and(|template| template["data_stream"].is_object()) {
        // Its documents are in indices behind it, and only a search finds out in which.
        return Err((400, "illegal_argument_exception", format!("[{index}] is a data stream: search it")));
    }
    indices(state, index)?;
    Ok(match state.ids.get(&(index.to_owned(), id.to_owned())) {
        Some(at) => {
            let document = &state.documents[*at].2;
            (
                200,
                json!({ "_index": index, "_id": id, "_version": 1, "_seq_no": at, "_primary_term": 1, "found": true, "_source": document }),
            )
        }
        None => (404, json!({ "_index": index, "_id": id, "found": false })),
    })
}

fn body(request: &Request) -> Result<Value, Refusal> {
    if request.body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(&request.body).map_err(|error| (400, "parse_exception", error.to_string()))
}

/// The names that are meant: names with stars need not be there, others must.
fn indices(state: &State, target: &str) -> Result<Vec<String>, Refusal> {
    let mut found = Vec::new();
    for part in target.split(',') {
        let fits = |index: &str| match part.strip_suffix('*') {
            Some(start) => index.starts_with(start),
            None => index == part,
        };
        let before = found.len();
        for (index, ..) in &state.documents {
            if fits(index) && !found.contains(index) {
                found.push(index.clone());
            }
        }
        if found.len() == before && !part.ends_with('*') {
            return Err((404, "index_not_found_exception", format!("no such index [{part}]")));
        }
    }
    Ok(found)
}

type Document = (String, String, Value);

fn matching<'a>(state: &'a State, target: &str, query: &Value) -> Result<Vec<&'a Document>, Refusal> {
    let wrong = |why: String| (400, "parsing_exception", why);
    let indices = indices(state, target)?;
    let documents = state.documents.iter().filter(|(index, ..)| indices.contains(index));
    let Some((kind, about)) = query.as_object().and_then(|query| query.iter().next()) else {
        return Ok(documents.collect());
    };
    match kind.as_str() {
        "match_all" => Ok(documents.collect()),
        "term" => {
            let (field, value) = about
                .as_object()
                .and_then(|it| it.iter().next())
                .ok_or_else(|| wrong("[term] has no field".to_owned()))?;
            let value = if value.is_object() { &value["value"] } else { value };
            Ok(documents
                .filter(|(index, _, document)| Fields::of(state, index).holds(document, field, value))
                .collect())
        }
        "ids" => {
            let ids = about["values"].as_array().ok_or_else(|| wrong("[ids] has no values".to_owned()))?;
            Ok(documents.filter(|(_, id, _)| ids.iter().any(|it| it == id)).collect())
        }
        other => Err(wrong(format!("unknown query [{other}]"))),
    }
}
