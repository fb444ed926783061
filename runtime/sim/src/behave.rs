//! What a call does to the service, verb by verb.

use std::time::Duration;

use bytes::Bytes;
use connectome_core::operation::Operation;
use connectome_core::place::Place;
use connectome_core::shape::Shape;
use serde_json::{Map, Value, json};

use crate::check::Checked;
use crate::fault;
use crate::http::{Reply, Request, object};
use crate::record::hex;
use crate::route::Parameters;
use crate::simulator::{failure, failure_body};
use crate::store::Store;
use crate::{Behaviour, Service, Task, Verb};

/// One request that passed, on its way to an answer.
pub struct Turn<'a> {
    pub service: &'static Service,
    pub base_path: &'static str,
    pub behaviour: &'static Behaviour,
    pub operation: Option<&'static Operation>,
    pub request: &'a Request,
    pub parameters: Parameters,
    pub checked: Checked,
    pub active: &'a [&'static str],
    /// How long the tokens of further pages are good.
    pub page_life: Option<Duration>,
}

impl Turn<'_> {
    /// The answer.
    pub fn answer(self, store: &mut Store) -> Reply {
        if let Some(reply) = self.too_early(store) {
            return reply;
        }
        if let Some(parent) = self.behaviour.within
            && self.target(store, parent).is_none()
        {
            return self.missing();
        }
        let mut reply = self.act(store);
        for (name, value) in self.behaviour.headers {
            reply = reply.header(name, *value);
        }
        reply
    }

    fn act(&self, store: &mut Store) -> Reply {
        match self.behaviour.does {
            Verb::Answer => Reply::json(self.success(), &parsed(self.behaviour.answer)),
            Verb::List => self.list(store),
            Verb::Get => self.get(store),
            Verb::Progress => self.progress(store),
            Verb::Create => self.create(store),
            Verb::Update => self.update(store),
            Verb::Delete => self.delete(store),
            Verb::Download => self.download(store),
            Verb::EachTask | Verb::EachCreate | Verb::EachDelete => self.each(store),
        }
    }

    fn success(&self) -> u16 {
        self.operation.and_then(|operation| operation.success.first().copied()).unwrap_or(200)
    }

    pub fn collection(&self) -> &'static str {
        self.behaviour.of.unwrap_or_default()
    }

    pub fn missing(&self) -> Reply {
        failure(self.service, self.behaviour.missing.unwrap_or("no_such_path"), None)
    }

    /// The record that the path names.
    fn target(&self, store: &mut Store, collection: &str) -> Option<usize> {
        let (_, value) = self
            .parameters
            .iter()
            .find(|(name, _)| self.behaviour.by.is_empty() || self.behaviour.by.contains(name))?;
        let key = store.key(collection);
        store.find(collection, key, value)
    }

    /// What comes after a task is not there before it has succeeded.
    fn too_early(&self, store: &mut Store) -> Option<Reply> {
        let collection = self.behaviour.after?;
        let ready =
            self.target(store, collection).and_then(|number| store.get(collection, number)).is_some_and(|record| {
                record.get("status").and_then(Value::as_str) == Some("succeeded")
                    && self
                        .behaviour
                        .only_if
                        .iter()
                        .all(|(field, value)| hidden_or_shown(&record, field) == Some(&value.value()))
            });
        (!ready).then(|| self.missing())
    }

    fn get(&self, store: &mut Store) -> Reply {
        let collection = self.collection();
        match self.target(store, collection).and_then(|number| Some((number, store.get(collection, number)?))) {
            Some((number, record)) => {
                let body = match (parsed(self.behaviour.answer), &record) {
                    (Value::Null, record) => shown(record),
                    (template, Value::Object(fields)) => {
                        without_null(store.view(collection, number, &template, fields))
                    }
                    (template, _) => template,
                };
                let reply = Reply::json(self.success(), &body);
                if self.behaviour.etag { reply.header("ETag", format!("\"{}\"", etag(&record))) } else { reply }
            }
            None => self.missing(),
        }
    }

    /// A task goes one step further each time somebody looks.
    fn progress(&self, store: &mut Store) -> Reply {
        let collection = self.collection();
        let Some(number) = self.target(store, collection) else { return self.missing() };
        let Some(task) = store.get(collection, number) else { return self.missing() };
        let answer = Reply::json(self.success(), &shown(&task));
        let next = match task.get("status").and_then(Value::as_str) {
            Some("queued") => "running",
            Some("running") => "succeeded",
            _ => return answer,
        };
        let Value::Object(mut fields) = task else { return answer };
        let now = store.fresh(&json!("{time}"), &Map::new());
        let stamp = |state: &mut Map<String, Value>| {
            state.insert("status".to_owned(), json!(next));
            state.insert("lastActionDateTime".to_owned(), now.clone());
        };
        stamp(&mut fields);
        // A task with several targets tells the state of each.
        let nested = fields.get("_nest").and_then(Value::as_str).map(str::to_owned);
        if let Some(Value::Array(targets)) = nested.and_then(|key| fields.get_mut(&key)) {
            targets.iter_mut().filter_map(Value::as_object_mut).for_each(stamp);
        }
        if next == "succeeded" {
            if let Some(Value::Object(result)) = fields.remove("_result") {
                fields.extend(result);
            }
            self.carry_out(store, &mut fields);
        }
        store.put(collection, number, Value::Object(fields));
        answer
    }

    /// What the task was for happens when it succeeds.
    fn carry_out(&self, store: &mut Store, task: &mut Map<String, Value>) {
        let Some(Value::Object(effect)) = task.remove("_effect") else { return };
        let (Some(Value::String(collection)), Some(number), Some(Value::Object(set))) =
            (effect.get("of"), effect.get("number").and_then(Value::as_u64), effect.get("set"))
        else {
            return;
        };
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(Value::Object(mut record)) = store.get(collection, number) {
            record.extend(set.clone());
            store.put(collection, number, Value::Object(record));
        }
    }

    fn create(&self, store: &mut Store) -> Reply {
        let mut fields = self.checked.object.clone();
        for file in &self.checked.files {
            fields.insert("fileName".to_owned(), json!(file.filename));
            fields.insert("_content".to_owned(), json!(String::from_utf8_lossy(&file.content)));
        }
        let record = self.with_set(store, fields);
        self.added(store, record)
    }

    fn with_set(&self, store: &mut Store, mut fields: Map<String, Value>) -> Map<String, Value> {
        fields.extend(self.parameters.iter().map(|(name, value)| (format!("_{name}"), json!(value))));
        if let Value::Object(set) = parsed(self.behaviour.set) {
            for (name, template) in set {
                let made = store.fresh(&template, &fields);
                fields.insert(name, made);
            }
        }
        fields
    }

    fn added(&self, store: &mut Store, record: Map<String, Value>) -> Reply {
        let collection = self.collection();
        if !collection.is_empty() {
            store.add(collection, Value::Object(record.clone()));
        }
        let mut reply = match parsed(self.behaviour.answer) {
            Value::Null => Reply::empty(self.success()),
            template => Reply::json(self.success(), &without_null(store.fresh(&template, &record))),
        };
        if let Some(location) = self.location(store, &record) {
            reply = reply.header(self.behaviour.header, location);
        }
        reply
    }

    fn location(&self, store: &mut Store, record: &Map<String, Value>) -> Option<String> {
        let path = store.fresh(&json!(self.behaviour.location?), record);
        Some(format!("{}{}{}", self.service.public_origin, self.base_path, path.as_str().unwrap_or_default()))
    }

    fn update(&self, store: &mut Store) -> Reply {
        let collection = self.collection();
        let Some((number, Value::Object(mut record))) =
            self.target(store, collection).and_then(|number| Some((number, store.get(collection, number)?)))
        else {
            return self.missing();
        };
        if let Some(wanted) = self.request.header("If-Match")
            && wanted.trim_matches('"') != etag(&Value::Object(record.clone()))
        {
            return failure(self.service, self.behaviour.stale.unwrap_or("invalid"), None);
        }
        let mut fields = self.checked.object.clone();
        for file in &self.checked.files {
            fields.insert("fileName".to_owned(), json!(file.filename));
            fields.insert("_content".to_owned(), json!(String::from_utf8_lossy(&file.content)));
        }
        record.extend(
            self.with_set(store, fields).into_iter().filter(|(name, _)| !name.starts_with('_') || name == "_content"),
        );
        // An entity tag changes with every write, also with one that changes nothing.
        let version = record.get("_version").and_then(Value::as_u64).unwrap_or(0) + 1;
        record.insert("_version".to_owned(), json!(version));
        store.put(collection, number, Value::Object(record));
        Reply::empty(self.success())
    }

    fn delete(&self, store: &mut Store) -> Reply {
        let collection = self.collection();
        match self.target(store, collection) {
            Some(number) => {
                store.remove(collection, number);
                Reply::empty(self.success())
            }
            None => self.missing(),
        }
    }

    fn download(&self, store: &mut Store) -> Reply {
        let collection = self.collection();
        let record = match self.behaviour.of {
            Some(_) => match self.target(store, collection).and_then(|number| store.get(collection, number)) {
                Some(Value::Object(record)) => record,
                _ => return self.missing(),
            },
            None => Map::new(),
        };
        let content = store.fresh(&json!(self.behaviour.content.unwrap_or_default()), &record);
        let bytes = Bytes::from(content.as_str().unwrap_or_default().to_owned());
        Reply::bytes(self.success(), self.behaviour.content_type.unwrap_or("application/octet-stream"), bytes)
    }

    /// An answer for each element of the request, in its order.
    fn each(&self, store: &mut Store) -> Reply {
        let mut answers = Vec::new();
        for (at, element) in self.checked.elements.iter().enumerate() {
            let answer = match (element, fault::of_element(self.active, at)) {
                (Err(why), _) => self.refused("invalid", Some(why)),
                (_, Some((name, why))) => self.refused(name, Some(why)),
                (Ok(element), _) => match self.behaviour.does {
                    Verb::EachTask => self.each_task(store, element),
                    Verb::EachCreate => self.each_create(store, element),
                    _ => self.each_delete(store, element),
                },
            };
            answers.push(answer);
        }
        if self.active.contains(&"one-missing") {
            answers.pop();
        }
        Reply::json(self.success(), &Value::Array(answers))
    }

    fn refused(&self, name: &str, message: Option<&str>) -> Value {
        let (status, body) = failure_body(self.service, name, message);
        object([("status", status.into()), ("body", body)])
    }

    fn item_success(&self) -> u16 {
        self.operation.and_then(|operation| operation.multi_status.first().copied()).unwrap_or(200)
    }

    /// The record that an element names by any of the fields.
    fn named(&self, store: &mut Store, collection: &str, element: &Map<String, Value>) -> Option<usize> {
        self.behaviour.by.iter().find_map(|field| {
            let value = element.get(*field).and_then(Value::as_str)?;
            store.find(collection, field, value)
        })
    }

    fn each_task(&self, store: &mut Store, element: &Map<String, Value>) -> Value {
        let Some(task) = &self.behaviour.task else { return Value::Null };
        let target = match self.behaviour.of {
            Some(collection) => match self.named(store, collection, element) {
                Some(number) => Some((collection, number)),
                None => return self.refused(self.behaviour.missing.unwrap_or("invalid"), None),
            },
            None => None,
        };
        if let (Some(name), Some(running)) =
            (self.behaviour.duplicate, self.running(store, &self.aim(task, element, target)))
        {
            let mut refused = self.refused(name, None);
            refused["headers"] = self.item_headers(store, &running);
            return refused;
        }
        let made = self.new_task(store, task, element, target);
        store.add(task.into, Value::Object(made.clone()));
        object([("status", self.item_success().into()), ("headers", self.item_headers(store, &made))])
    }

    /// What a task is for, in words: its kind and its target, whatever names that, or else what the element says of it.
    fn aim(&self, task: &Task, element: &Map<String, Value>, target: Option<(&'static str, usize)>) -> String {
        match target {
            Some((collection, number)) => format!("{} {collection} {number}", task.action),
            None => {
                let mut named = element.clone();
                named.remove("description");
                format!("{} {}", task.action, Value::Object(named))
            }
        }
    }

    /// A task of the same kind for the same target that has not ended.
    fn running(&self, store: &mut Store, aim: &str) -> Option<Map<String, Value>> {
        let into = self.behaviour.task.as_ref()?.into;
        let number = store.find(into, "_aim", aim)?;
        match store.get(into, number) {
            Some(Value::Object(record))
                if matches!(record.get("status").and_then(Value::as_str), Some("queued" | "running")) =>
            {
                Some(record)
            }
            _ => None,
        }
    }

    fn new_task(
        &self,
        store: &mut Store,
        task: &Task,
        element: &Map<String, Value>,
        target: Option<(&'static str, usize)>,
    ) -> Map<String, Value> {
        let id = format!("{:08}", 4000 + store.next_number());
        let mut fields = Map::from_iter([
            ("id".to_owned(), json!(id)),
            ("status".to_owned(), json!("queued")),
            ("action".to_owned(), json!(task.action)),
            ("_aim".to_owned(), json!(self.aim(task, element, target))),
        ]);
        let mut told = Map::new();
        for name in task.copy {
            let own = target.and_then(|(collection, number)| store.get_field(collection, number, name));
            let own = own.map(|value| value.get("value").cloned().unwrap_or(value));
            if let Some(value) = own.or_else(|| element.get(*name).cloned()) {
                told.insert((*name).to_owned(), value);
            }
        }
        let now = store.fresh(&json!("{time}"), &Map::new());
        fields.insert("createdDateTime".to_owned(), now.clone());
        fields.insert("lastActionDateTime".to_owned(), now.clone());
        if let Some(description) = element.get("description") {
            fields.insert("description".to_owned(), description.clone());
        }
        match task.nest {
            Some(key) => {
                told.insert("status".to_owned(), json!("queued"));
                told.insert("lastActionDateTime".to_owned(), now);
                fields.insert(key.to_owned(), Value::Array(vec![Value::Object(told)]));
                fields.insert("_nest".to_owned(), json!(key));
            }
            None => fields.extend(told),
        }
        if let Some(result) = task.result {
            let made = store.fresh(&parsed(Some(result)), &fields);
            fields.insert("_result".to_owned(), made);
        }
        if let (Some((collection, number)), Value::Object(set)) = (target, parsed(self.behaviour.set)) {
            let effect = [("of", collection.into()), ("number", number.into()), ("set", Value::Object(set))];
            fields.insert("_effect".to_owned(), object(effect));
        }
        fields
    }

    fn item_headers(&self, store: &mut Store, record: &Map<String, Value>) -> Value {
        match self.location(store, record) {
            Some(location) => {
                Value::Array(vec![object([("name", self.behaviour.header.into()), ("value", location.into())])])
            }
            None => Value::Null,
        }
    }

    fn each_create(&self, store: &mut Store, element: &Map<String, Value>) -> Value {
        let collection = self.collection();
        if let (Some(name), Some(_)) = (self.behaviour.duplicate, self.named(store, collection, element)) {
            return self.refused(name, None);
        }
        for (field, other) in self.behaviour.refers {
            let key = store.key(other);
            if let Some(value) = element.get(*field).and_then(Value::as_str)
                && store.find(other, key, value).is_none()
            {
                return self.refused(self.behaviour.missing.unwrap_or("invalid"), None);
            }
        }
        let mut fields = element.clone();
        if let Some((key, value)) = self.variant(element) {
            fields.insert("type".to_owned(), json!(key));
            fields.insert("_value".to_owned(), value);
        }
        let record = self.with_set(store, fields);
        let key = store.key(collection);
        let old = record.get(key).and_then(Value::as_str).and_then(|name| store.find(collection, key, name));
        match old {
            // A list holds a thing once.
            Some(number) => store.put(collection, number, Value::Object(record.clone())),
            None if collection.is_empty() => {}
            None => {
                store.add(collection, Value::Object(record.clone()));
            }
        }
        let mut answer = json!({ "status": self.item_success() });
        if self.behaviour.location.is_some() {
            answer["headers"] = self.item_headers(store, &record);
        }
        let body = parsed(self.behaviour.answer);
        if !body.is_null() {
            answer["body"] = without_null(store.fresh(&body, &record));
        }
        answer
    }

    /// The one key of an element that says its kind, and its value.
    fn variant(&self, element: &Map<String, Value>) -> Option<(&'static str, Value)> {
        let record = self.operation?.input.fields.iter().find_map(|field| match (field.place, field.shape) {
            (Place::BodyItems(_), Shape::List(Shape::Record(record))) => Some(record),
            _ => None,
        })?;
        record.variant?.of.iter().find_map(|(key, _)| Some((*key, element.get(*key)?.clone())))
    }

    fn each_delete(&self, store: &mut Store, element: &Map<String, Value>) -> Value {
        let collection = self.collection();
        match self.named(store, collection, element) {
            Some(number) => {
                store.remove(collection, number);
                json!({ "status": self.item_success() })
            }
            None => self.refused(self.behaviour.missing.unwrap_or("invalid"), None),
        }
    }
}

pub fn parsed(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// A record as the service shows it: without what only the simulator knows.
pub fn shown(record: &Value) -> Value {
    match record {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(name, _)| !name.starts_with('_'))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn hidden_or_shown<'a>(record: &'a Value, field: &str) -> Option<&'a Value> {
    record.get(field).or_else(|| record.get(format!("_{field}")))
}

/// A template names fields that a record may lack: those are left out.
fn without_null(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, value)| {
                    !value.is_null() && !value.as_str().is_some_and(|it| it.starts_with('{') && it.ends_with('}'))
                })
                .collect(),
        ),
        other => other,
    }
}

fn etag(record: &Value) -> String {
    use std::hash::{Hash, Hasher};
    let mut hasher = std::hash::DefaultHasher::new();
    record.to_string().hash(&mut hasher);
    hex(hasher.finish(), 32)
}
