//! Lists that are asked for by a query in the body: the body must be one that the connector is known to send, word for
//! word, with at most a cursor besides. An answer may be given later, by a link to its state.

use std::collections::HashMap;

use connectome_core::answer::set;
use connectome_core::page::{Next, Page, PagePlace};
use connectome_core::snapshot::{Deferred, Snapshot};
use serde_json::{Value, json};

use crate::http::{Reply, Request};
use crate::simulator::{Simulator, failure};
use crate::store::{self, Store};
use crate::{Behaviour, Verb};

/// Where links to answers that are given later lead.
const LATER: &str = "/deferred/";

/// A record's number among those of several collections.
const SHIFT: u32 = 48;

/// How often somebody has looked at each answer that is given later.
pub type Looks = HashMap<String, u32>;

/// What a body asks for.
enum Asked {
    Page(Option<String>),
    Later(Deferred, Option<String>),
    Test,
}

impl Simulator {
    /// The answer to a request for such a list, or to one that looks for an answer given later.
    pub(crate) fn query(&self, request: &Request, path: &str, active: &[&'static str]) -> Option<Reply> {
        let snapshots = self.service().connector.snapshots;
        if let Some(rest) = path.strip_prefix(LATER).filter(|_| request.method == "GET") {
            let (snapshot, deferred) = snapshots.iter().find_map(|it| Some((*it, it.deferred?)))?;
            return Some(self.later(request, snapshot, &deferred, rest, active));
        }
        let asks = |it: &&&Snapshot| it.read.call.method.text() == request.method && it.read.call.path == path;
        let snapshot = *snapshots.iter().find(asks)?;
        let behaviour = self.service().calls.iter().find(|call| call.path == path && call.does == Verb::List)?;
        let page = snapshot.read.page?;
        Some(match self.asked(request, snapshot, &page) {
            Err(why) => failure(self.service(), "invalid", Some(&why)),
            Ok(Asked::Test) => self.page(behaviour, &page, None, &[], Some(1)),
            Ok(Asked::Page(cursor)) => self.page(behaviour, &page, cursor.as_deref(), active, None),
            Ok(Asked::Later(deferred, cursor)) => {
                let place = cursor.unwrap_or_else(|| format!("first{}", self.store().next_number()));
                let mut body = json!({});
                set(&mut body, deferred.link, json!(self.link(request, &place)));
                Reply::json(200, &body)
            }
        })
    }

    /// Whether a request for such a list names the cursor of a further page.
    pub(crate) fn names_cursor(&self, request: &Request) -> bool {
        let pages = self.service().connector.snapshots.iter().filter_map(|snapshot| snapshot.read.page);
        let mut places = pages.filter_map(|page| match page.next {
            Next::Cursor { place: PagePlace::Body(path), .. } => Some(path),
            _ => None,
        });
        places.any(|path| {
            serde_json::from_slice(&request.body)
                .is_ok_and(|mut body| take(&mut body, path).is_some_and(|it| !it.is_null()))
        })
    }

    fn link(&self, request: &Request, place: &str) -> String {
        let host = request.header("host").unwrap_or_default();
        format!("http://{host}{LATER}{place}")
    }

    /// What a body asks for, or why it is none that the connector sends.
    fn asked(&self, request: &Request, snapshot: &Snapshot, page: &Page) -> Result<Asked, String> {
        let connector = self.service().connector;
        for (name, template) in connector.headers.iter().filter(|(_, template)| template.contains('{')) {
            let fixed = template.split('{').next().unwrap_or_default();
            if request.header(name).is_none_or(|value| value.strip_prefix(fixed).is_none_or(str::is_empty)) {
                return Err(format!("The header {name} is missing."));
            }
        }
        if !request.header("content-type").is_some_and(|it| it.starts_with("application/json")) {
            return Err("The content type must be application/json.".to_owned());
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(&request.body) else {
            return Err("The body is not JSON.".to_owned());
        };
        let cursor = match page.next {
            Next::Cursor { place: PagePlace::Body(path), .. } => take(&mut body, path),
            _ => None,
        };
        let cursor = match cursor {
            None => None,
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            Some(_) => return Err("A cursor is a text that was given; the first page has none.".to_owned()),
        };
        let body = plain(body);
        let is = |fixed: Option<Value>| fixed.is_some_and(|fixed| plain(fixed) == body);
        if is(snapshot.read.body.map(|it| it.value())) {
            return Ok(Asked::Page(cursor));
        }
        if let Some(deferred) = snapshot.deferred.filter(|it| is(Some(it.body.value()))) {
            return Ok(Asked::Later(deferred, cursor));
        }
        if is(connector.test.operation.body.map(|it| it.value())) && cursor.is_none() {
            return Ok(Asked::Test);
        }
        Err("The query is not known.".to_owned())
    }

    fn page(
        &self,
        behaviour: &Behaviour,
        page: &Page,
        cursor: Option<&str>,
        active: &[&'static str],
        limit: Option<usize>,
    ) -> Reply {
        match self.records_at(behaviour, cursor, active, limit) {
            Err(why) => failure(self.service(), "invalid", Some(&why)),
            Ok((records, next)) => {
                let mut body = json!({});
                set(
                    &mut body,
                    page.items,
                    if records.is_empty() && active.contains(&"null-when-empty") {
                        Value::Null
                    } else {
                        Value::Array(records)
                    },
                );
                if let Next::Cursor { from, .. } = page.next {
                    let last = if active.contains(&"empty-link") { json!("") } else { Value::Null };
                    set(&mut body, from, next.map_or(last, Value::from));
                }
                Reply::json(200, &body)
            }
        }
    }

    /// The records of a page, and the cursor of the next.
    fn records_at(
        &self,
        behaviour: &Behaviour,
        cursor: Option<&str>,
        active: &[&'static str],
        limit: Option<usize>,
    ) -> Result<(Vec<Value>, Option<String>), String> {
        let collections: Vec<&str> = behaviour.of.into_iter().chain(behaviour.and_of.iter().copied()).collect();
        let life = self.page_life();
        let mut store = self.store();
        let (token, at, announced) = match cursor {
            None => {
                let numbers = collections.iter().enumerate().flat_map(|(place, collection)| {
                    let store: &Store = &store;
                    let live = store.numbers(collection).filter(move |number| store.has(collection, *number));
                    live.map(move |number| (place << SHIFT) | number)
                });
                let records: Vec<usize> = numbers.collect();
                let born = store.now();
                let page = behaviour.page.unwrap_or(usize::MAX).max(1);
                (store.keep(store::Snapshot { path: String::new(), records, page, born }), 0, false)
            }
            Some(cursor) => {
                let mut parts = cursor.split('.');
                let token = parts.next().unwrap_or_default().to_owned();
                let at = parts.next().and_then(|at| at.parse().ok());
                (token, at.ok_or("The cursor is not known.")?, parts.next().is_some())
            }
        };
        let known = store.snapshot(&token).ok_or("The cursor is not known.")?;
        if store.now() - known.born >= life || (cursor.is_some() && active.contains(&"expired-page")) {
            return Err("The cursor has expired.".to_owned());
        }
        let left = known.records.get(at..).unwrap_or_default();
        let empty = active.contains(&"empty-page") && !announced && !left.is_empty();
        let here = if empty { &[] } else { &left[..left.len().min(limit.unwrap_or(known.page))] };
        let next = at + here.len();
        let next = if empty {
            Some(format!("{token}.{at}.announced"))
        } else if active.contains(&"repeated-link") {
            Some(format!("{token}.{at}"))
        } else {
            (next < known.records.len()).then(|| format!("{token}.{next}"))
        };
        let record = |number: &usize| {
            let (place, number) = (number >> SHIFT, number & ((1 << SHIFT) - 1));
            store.get(collections.get(place)?, number)
        };
        Ok((here.iter().filter_map(record).collect(), next))
    }

    /// The state of an answer that is given later, and the answer.
    fn later(
        &self,
        request: &Request,
        snapshot: &Snapshot,
        deferred: &Deferred,
        rest: &str,
        active: &[&'static str],
    ) -> Reply {
        let missing = || failure(self.service(), "no_such_path", None);
        let Some(behaviour) = self.service().calls.iter().find(|call| call.path == snapshot.read.call.path) else {
            return missing();
        };
        if let Some(place) = rest.strip_prefix("result/") {
            let cursor = (!place.starts_with("first")).then_some(place);
            let page = Page {
                items: deferred.items,
                next: Next::Cursor { from: deferred.cursor, place: PagePlace::Body(&[]) },
                size: None,
            };
            return self.page(behaviour, &page, cursor, active, None);
        }
        let looks = {
            let mut all = self.looks();
            let looks = all.entry(rest.to_owned()).or_default();
            *looks += 1;
            *looks
        };
        let mut body = json!({});
        if active.contains(&"deferred-fails") {
            set(&mut body, deferred.status, json!("FAILED"));
        } else if looks == 1 {
            set(&mut body, deferred.status, json!(deferred.pending.first().copied().unwrap_or_default()));
        } else {
            set(&mut body, deferred.status, json!(deferred.done));
            set(&mut body, deferred.result, json!(self.link(request, &format!("result/{rest}"))));
        }
        Reply::json(200, &body)
    }
}

/// Takes the value at a path out.
fn take(body: &mut Value, path: &[&str]) -> Option<Value> {
    let (last, before) = path.split_last()?;
    let within = before.iter().try_fold(body, |value, key| value.get_mut(*key))?;
    within.as_object_mut()?.shift_remove(*last)
}

/// The same with single blanks in texts: how a query is laid out means nothing.
fn plain(value: Value) -> Value {
    match value {
        Value::String(text) => Value::from(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, value)| (name, plain(value))).collect()),
        other => other,
    }
}
