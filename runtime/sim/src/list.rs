//! Lists: bounded, filtered, sorted, and in pages of the kind that the connector reads.

use connectome_core::operation::Method;
use connectome_core::page::{Next, Page, PagePlace};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::behave::{Turn, parsed, shown};
use crate::http::Reply;
use crate::simulator::failure;
use crate::store::{Snapshot, Store};

impl Turn<'_> {
    pub fn list(&self, store: &mut Store) -> Reply {
        match self.operation.and_then(|operation| operation.page) {
            Some(page @ Page { next: Next::Offset { .. }, .. }) => return self.by_offset(store, page),
            Some(page @ Page { next: Next::After { .. }, .. }) => return self.by_last(store, page),
            _ => {}
        }
        self.windowed(store).unwrap_or_else(|refused| refused)
    }

    fn windowed(&self, store: &mut Store) -> Result<Reply, Reply> {
        self.well_formed()?;
        if let Some(token) = self.request.parameter(self.behaviour.token) {
            return self.further(store, token);
        }
        let records = self.select(store)?;
        let only_count = !self.behaviour.count_only.is_empty()
            && self
                .behaviour
                .count_only
                .iter()
                .all(|(name, value)| self.request.parameter(name) == Some(&value.text()));
        if only_count {
            let key = self.behaviour.counts.first().copied().unwrap_or("totalCount");
            return Ok(Reply::json(200, &json!({ key: records.len() })));
        }
        let page = self.behaviour.size.and_then(|name| self.request.parameter(name)).and_then(|text| text.parse().ok());
        let page = page.or(self.behaviour.page).unwrap_or(usize::MAX).max(1);
        let snapshot = Snapshot { path: self.request.path.clone(), records, page, born: store.now() };
        let further = ["empty-page", "repeated-link"].iter().any(|kind| self.active.contains(kind));
        if snapshot.records.len() <= page && !further {
            return Ok(self.page(store, "", &snapshot, 0, false));
        }
        let token = store.keep(snapshot);
        store
            .snapshot(&token)
            .map(|snapshot| self.page(store, &token, snapshot, 0, false))
            .ok_or_else(|| self.missing())
    }

    /// A page that the link of another one names: the token, the place in the list, and whether it was announced by an
    /// empty page.
    fn further(&self, store: &mut Store, text: &str) -> Result<Reply, Reply> {
        let expired = || failure(self.service, "invalid", Some("The request token expired."));
        let mut parts = text.split(['.', ' ']);
        let token = parts.next().unwrap_or_default();
        let at = parts.next().and_then(|at| at.parse().ok()).unwrap_or(0);
        let announced = parts.next().is_some();
        let life = self.page_life.map_or(i64::MAX, |life| i64::try_from(life.as_millis()).unwrap_or(i64::MAX));
        let old = |snapshot: &&Snapshot| store.now() - snapshot.born >= life || self.active.contains(&"expired-page");
        let Some(snapshot) =
            store.snapshot(token).filter(|it| it.path == self.request.path).filter(|snapshot| !old(snapshot))
        else {
            return Err(expired());
        };
        if !self.active.contains(&"live-pages") {
            return Ok(self.page(store, token, snapshot, at, announced));
        }
        let (path, page, born) = (snapshot.path.clone(), snapshot.page, snapshot.born);
        let snapshot = Snapshot { path, page, born, records: self.select(store)? };
        Ok(self.page(store, token, &snapshot, at, announced))
    }

    fn page(&self, store: &Store, token: &str, snapshot: &Snapshot, at: usize, announced: bool) -> Reply {
        let empty = self.active.contains(&"empty-page") && !announced && !snapshot.records.is_empty();
        let numbers = snapshot.records.get(at..).unwrap_or_default();
        let here = if empty { &[] } else { &numbers[..numbers.len().min(snapshot.page)] };
        let mut records = Vec::with_capacity(here.len() * 1024);
        let mut count = 0;
        for number in here {
            let start = records.len();
            if count > 0 {
                records.push(b',');
            }
            if self.record(store, *number, &mut records) {
                count += 1;
            } else {
                records.truncate(start);
            }
        }
        let mut body = match parsed(self.behaviour.answer) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        if !self.active.contains(&"no-count") {
            for (key, count) in self.behaviour.counts.iter().zip([snapshot.records.len(), count]) {
                body.insert((*key).to_owned(), json!(count));
            }
        }
        let page = self.operation.and_then(|operation| operation.page);
        let next = match page.map(|page| page.next) {
            Some(Next::Link([key, ..])) => Some(*key),
            Some(_) => None,
            None => Some("nextLink"),
        };
        let items = page.and_then(|page| page.items.last().copied()).unwrap_or("items");
        let all = if count == 0 && self.active.contains(&"null-when-empty") {
            b"null".to_vec()
        } else {
            [b"[", records.as_slice(), b"]"].concat()
        };
        let following = Some(at + here.len()).filter(|next| *next < snapshot.records.len());
        let place = if empty {
            Some(format!("{at}.announced"))
        } else if self.active.contains(&"repeated-link") {
            Some(at.to_string())
        } else {
            following.map(|next| next.to_string())
        };
        let link = place.map(|place| self.link(token, &place));
        let link = link.or_else(|| self.active.contains(&"empty-link").then(String::new));
        let mut bytes = Value::Object(body).to_string().into_bytes();
        bytes.pop();
        let mut member = |name: &str, value: &[u8]| {
            if bytes.len() > 1 {
                bytes.push(b',');
            }
            bytes.extend_from_slice(json!(name).to_string().as_bytes());
            bytes.push(b':');
            bytes.extend_from_slice(value);
        };
        member(items, &all);
        if let (Some(key), Some(link)) = (next, link) {
            member(key, json!(link).to_string().as_bytes());
        }
        bytes.push(b'}');
        Reply::bytes(200, "application/json", bytes)
    }

    /// Writes a record as this request is shown it.
    fn record(&self, store: &Store, number: usize, out: &mut Vec<u8>) -> bool {
        let picks = self.behaviour.select.is_some_and(|name| self.request.parameter(name).is_some());
        if !picks {
            return store.write(self.collection(), number, self.active.contains(&"poison"), out);
        }
        let Some(record) = store.get(self.collection(), number) else { return false };
        // Writing to a vector cannot fail.
        let _ = serde_json::to_writer(out, &self.picked(shown(&record)));
        true
    }

    /// The link of a further page: what was asked at first, and the token. A client follows it as it is.
    fn link(&self, token: &str, place: &str) -> String {
        let asked = self.request.query.iter().filter(|(name, _)| name != self.behaviour.token);
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let mut pairs: Vec<String> = asked.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let mark = if self.active.contains(&"blank-link") { ' ' } else { '.' };
        pairs.push(format!("{}={token}{mark}{place}", self.behaviour.token));
        format!("{}{}?{}", self.service.public_origin, self.request.path, pairs.join("&"))
    }

    fn picked(&self, record: Value) -> Value {
        let Some(wanted) = self.behaviour.select.and_then(|name| self.request.parameter(name)) else { return record };
        let wanted: Vec<&str> = wanted.split(',').collect();
        match record {
            Value::Object(fields) => {
                Value::Object(fields.into_iter().filter(|(name, _)| wanted.contains(&name.as_str())).collect())
            }
            other => other,
        }
    }

    /// A page that begins after so many records.
    fn by_offset(&self, store: &Store, page: Page) -> Reply {
        let Next::Offset { query, more, at_most } = page.next else { return self.missing() };
        let size_name = match page.size.map(|size| size.place) {
            Some(PagePlace::Query(name)) => name,
            _ => "limit",
        };
        let number = |name: &str, usual: usize| self.request.parameter(name).map_or(Ok(usual), str::parse::<usize>);
        let usual = self.behaviour.page.unwrap_or(usize::MAX);
        let (Ok(offset), Ok(asked)) = (number(query, 0), number(size_name, usual)) else {
            return failure(self.service, "invalid", Some(&format!("{query} and {size_name} must be numbers.")));
        };
        let most = page.size.map_or(usize::MAX, |size| usize::try_from(size.ask).unwrap_or(usize::MAX));
        let size = asked.clamp(1, most);
        if at_most.is_some_and(|most| (offset + size) as u64 > most) {
            return failure(self.service, "invalid", Some(&format!("{query} is too great.")));
        }
        let collection = self.collection();
        let mut live = (0..store.length(collection)).filter(|number| store.has(collection, *number)).skip(offset);
        let records: Vec<Value> = live.by_ref().take(size).filter_map(|number| store.get(collection, number)).collect();
        let mut body = self.body(records, page);
        body[query] = json!(offset);
        body[size_name] = json!(size);
        if let Some(more) = more.last() {
            body[*more] = json!(live.next().is_some());
        }
        Reply::json(200, &body)
    }

    /// A page of the records whose id is greater than the one that the request names.
    fn by_last(&self, store: &Store, page: Page) -> Reply {
        let Next::After { field, place, .. } = page.next else { return self.missing() };
        let body: Value = match self.operation.map(|operation| operation.call.method) {
            Some(Method::Get) | None => Value::Null,
            Some(_) => match serde_json::from_slice(&self.request.body) {
                Ok(body @ Value::Object(_)) => body,
                _ => return failure(self.service, "invalid", Some("The body is not a JSON object.")),
            },
        };
        let given = |place: PagePlace| match place {
            PagePlace::Query(name) => self.request.parameter(name).map(Value::from),
            PagePlace::Body(path) => path
                .iter()
                .try_fold(&body, |value, key| match value {
                    Value::Array(items) => items.get(key.parse::<usize>().ok()?),
                    value => value.get(*key),
                })
                .cloned(),
        };
        let last = given(place).as_ref().and_then(Value::as_i64).unwrap_or(i64::MIN);
        let size = page.size.and_then(|size| given(size.place)).as_ref().and_then(Value::as_u64);
        let size = size.map_or(self.behaviour.page.unwrap_or(5000), |size| usize::try_from(size).unwrap_or(5000));
        let collection = self.collection();
        let id = |record: &Value| field.iter().try_fold(record, |value, key| value.get(*key)).and_then(Value::as_i64);
        // Records stand in the order of their ids, so most of them need not be made.
        let (mut low, mut high) = (0, store.length(collection));
        while low < high {
            let middle = low + (high - low) / 2;
            match store.any(collection, middle).as_ref().and_then(id) {
                Some(id) if id <= last => low = middle + 1,
                _ => high = middle,
            }
        }
        let live = (low..store.length(collection)).filter(|number| store.has(collection, *number));
        let records: Vec<Value> = live.filter_map(|number| store.get(collection, number)).take(size).collect();
        Reply::json(200, &self.body(records, page))
    }

    fn body(&self, records: Vec<Value>, page: Page) -> Value {
        let mut body = match parsed(self.behaviour.answer) {
            Value::Object(fields) => Value::Object(fields),
            _ => json!({}),
        };
        let items = page.items.last().copied().unwrap_or("items");
        body[items] = records.iter().map(shown).collect();
        body
    }
}
