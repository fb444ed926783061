//! Lists: bounded, filtered, sorted, and in pages of the kind that the connector reads.

use connectome_core::operation::Method;
use connectome_core::page::{Next, Page, PagePlace};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::behave::{Turn, parsed, shown};
use crate::http::Reply;
use crate::simulator::failure;
use crate::store::{Snapshot, Store};

/// The query parameter of a further page's token, and of the place in its list.
const TOKEN: &str = "skipToken";

impl Turn<'_> {
    pub fn list(&self, store: &mut Store) -> Reply {
        match self.operation.and_then(|operation| operation.page) {
            Some(page @ Page { next: Next::Offset { .. }, .. }) => return self.by_offset(store, page),
            Some(page @ Page { next: Next::After { .. }, .. }) => return self.by_last(store, page),
            _ => {}
        }
        if let Some(token) = self.request.parameter(TOKEN) {
            let (token, at) = token.split_once('.').unwrap_or((token, "0"));
            let at = at.parse().unwrap_or(0);
            return match store.snapshot(token).filter(|snapshot| snapshot.path == self.request.path) {
                Some(snapshot) => self.page(store, token, snapshot, at),
                None => failure(self.service, "invalid", Some("The request token expired.")),
            };
        }
        let records = self.select(store);
        let only_count = !self.behaviour.count_only.is_empty()
            && self
                .behaviour
                .count_only
                .iter()
                .all(|(name, value)| self.request.parameter(name) == Some(&value.text()));
        if only_count {
            let key = self.behaviour.counts.first().copied().unwrap_or("totalCount");
            return Reply::json(200, &json!({ key: records.len() }));
        }
        let page = self.behaviour.size.and_then(|name| self.request.parameter(name)).and_then(|text| text.parse().ok());
        let page = page.or(self.behaviour.page).unwrap_or(usize::MAX).max(1);
        let snapshot = Snapshot { path: self.request.path.clone(), records, page };
        if snapshot.records.len() <= page {
            return self.page(store, "", &snapshot, 0);
        }
        let token = store.keep(snapshot);
        match store.snapshot(&token) {
            Some(snapshot) => self.page(store, &token, snapshot, 0),
            None => self.missing(),
        }
    }

    /// The numbers of the records that the request asks for, in its order.
    fn select(&self, store: &Store) -> Vec<usize> {
        let collection = self.collection();
        let bounds = |pairs: &'static [(&'static str, &'static str)]| {
            pairs
                .iter()
                .filter_map(|(parameter, field)| Some((*field, self.request.parameter(parameter)?)))
                .collect::<Vec<_>>()
        };
        let (since, until) = (bounds(self.behaviour.since), bounds(self.behaviour.until));
        let order = self
            .behaviour
            .order
            .and_then(|name| self.request.parameter(name))
            .and_then(|text| text.split_once(' ').or(Some((text, "asc"))));
        let text = |record: &Value, field: &str| {
            record.get(field).map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned)).unwrap_or_default()
        };
        let key = |record: &Value| order.map(|(field, _)| text(record, field)).unwrap_or_default();
        let owner = self.owner();
        let mut kept: Vec<(String, usize)> = (0..store.length(collection))
            .filter_map(|number| {
                let record = store.get(collection, number)?;
                let inside = since.iter().all(|(field, bound)| *text(&record, field) >= **bound)
                    && until.iter().all(|(field, bound)| *text(&record, field) <= **bound);
                let mine = owner.as_ref().is_none_or(|(field, value)| text(&record, field) == *value);
                let passes = self.checked.filter.as_ref().is_none_or(|filter| filter.holds(&record));
                (inside && mine && passes).then(|| (key(&record), number))
            })
            .collect();
        match order {
            Some((_, "desc")) => kept.sort_by(|a, b| b.0.cmp(&a.0)),
            Some(_) => kept.sort_by(|a, b| a.0.cmp(&b.0)),
            None => {}
        }
        kept.into_iter().map(|(_, number)| number).collect()
    }

    /// A list below a path parameter holds the records of that parent: `by` names the field that points to it.
    fn owner(&self) -> Option<(&'static str, String)> {
        let field = self.behaviour.by.first()?;
        let (_, value) = self.parameters.first()?;
        Some((field, value.clone()))
    }

    fn page(&self, store: &Store, token: &str, snapshot: &Snapshot, at: usize) -> Reply {
        let numbers = snapshot.records.get(at..).unwrap_or_default();
        let here = &numbers[..numbers.len().min(snapshot.page)];
        let records: Vec<Value> = here
            .iter()
            .filter_map(|number| store.get(self.collection(), *number))
            .map(|record| self.picked(shown(&record)))
            .collect();
        let mut body = match parsed(self.behaviour.answer) {
            Value::Object(fields) => Value::Object(fields),
            _ => json!({}),
        };
        for (key, count) in self.behaviour.counts.iter().zip([snapshot.records.len(), records.len()]) {
            body[*key] = json!(count);
        }
        let page = self.operation.and_then(|operation| operation.page);
        let items = page.and_then(|page| page.items.last().copied()).unwrap_or("items");
        body[items] = Value::Array(records);
        let repeated = self.active.contains(&"repeated-link");
        let next =
            if repeated { Some(at) } else { Some(at + here.len()).filter(|next| *next < snapshot.records.len()) };
        if let (Some(next), Some(Next::Link([key, ..]))) = (next, page.map(|page| page.next)) {
            body[*key] =
                json!(format!("{}{}?{}", self.service.public_origin, self.request.path, self.further(token, next)));
        }
        Reply::json(200, &body)
    }

    /// The query of a further page: what was asked at first, and the token. A client follows it as it is.
    fn further(&self, token: &str, next: usize) -> String {
        let asked = self.request.query.iter().filter(|(name, _)| name != TOKEN);
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let mut pairs: Vec<String> = asked.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        pairs.push(format!("{TOKEN}={token}.{next}"));
        pairs.join("&")
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
