//! A page of records and a record, seen without a tree: where the parts stand that collecting needs, and no more.

use std::borrow::Cow;
use std::fmt;

use connectome_core::page::{Next, Page as Paging};
use connectome_core::stream::Event;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

pub use crate::moment::{Moment, time};
use crate::raw::{self, Parts, Span};

/// What an answer holds.
#[derive(Debug, Default)]
pub struct Page<'a> {
    /// The records as they came.
    pub records: Vec<&'a RawValue>,
    /// What leads to the next page: a link or a cursor.
    pub next: Option<Cow<'a, str>>,
    /// How many records the service says that the window has.
    pub total: Option<u64>,
    /// Whether the list of records is absent or null.
    pub listless: bool,
}

impl<'a> Page<'a> {
    /// Reads an answer in one pass. What is wrong with it is told without a word of what it holds.
    pub fn read(body: &'a [u8], page: &Paging, count: Option<&[&str]>) -> Result<Self, String> {
        if body.trim_ascii().is_empty() {
            return Err("the answer is empty where a page of records was expected".to_owned());
        }
        let body = std::str::from_utf8(body).map_err(|_| "the answer is no text in UTF-8".to_owned())?;
        let next = match page.next {
            Next::Link(path) | Next::Cursor { from: path, .. } => Some(path),
            Next::None | Next::Offset { .. } | Next::After { .. } => None,
        };
        let wanted = [(Part::Records, Some(page.items)), (Part::Next, next), (Part::Total, count)];
        let wanted: Vec<(Part, &[&str])> = wanted.into_iter().filter_map(|(part, path)| Some((part, path?))).collect();
        let mut found =
            Found { page: Page { listless: true, ..Page::default() }, seen: [false; 3], wrong: String::new() };
        let mut json = serde_json::Deserializer::from_str(body);
        let read =
            Walk { wanted: &wanted, found: &mut found, root: true }.deserialize(&mut json).and_then(|()| json.end());
        match read {
            Ok(()) => Ok(found.page),
            Err(error) if error.is_data() => Err(found.wrong),
            Err(error) => Err(format!("the answer is broken JSON ({error})")),
        }
    }
}

/// What is looked for in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Records,
    Next,
    Total,
}

struct Found<'a> {
    page: Page<'a>,
    /// By part.
    seen: [bool; 3],
    /// What an error about the data means.
    wrong: String,
}

/// Reads the value in which all of these paths start.
struct Walk<'w, 'a> {
    wanted: &'w [(Part, &'w [&'w str])],
    found: &'w mut Found<'a>,
    /// Whether it is the answer itself, which must not be null.
    root: bool,
}

impl<'a> DeserializeSeed<'a> for Walk<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        let Some(&(part, _)) = self.wanted.iter().find(|(_, path)| path.is_empty()) else {
            self.found.wrong = "the answer is no JSON object where one was expected".to_owned();
            return json.deserialize_any(self);
        };
        if std::mem::replace(&mut self.found.seen[part as usize], true) {
            self.found.wrong = format!("the answer has {} twice", part.name());
            return Err(D::Error::custom(""));
        }
        self.found.wrong = format!("the answer has something else in the place of {}", part.name());
        match part {
            Part::Records => json.deserialize_any(Records(self.found)),
            Part::Next => {
                let value: &RawValue = serde::Deserialize::deserialize(json)?;
                self.found.page.next = match (value.get(), raw::scalar(value.get())) {
                    ("null", _) => None,
                    ("true" | "false", _) | (_, None) => return Err(D::Error::custom("")),
                    (_, Some(text)) => Some(text).filter(|text| !text.is_empty()),
                };
                Ok(())
            }
            Part::Total => {
                let value: &RawValue = serde::Deserialize::deserialize(json)?;
                self.found.page.total = value.get().parse().ok();
                Ok(())
            }
        }
    }
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Part::Records => "its list of records",
            Part::Next => "what leads to the next page",
            Part::Total => "its number of records",
        }
    }
}

impl<'a> Visitor<'a> for Walk<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        if self.root { Err(E::custom("")) } else { Ok(()) }
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            let inner: Vec<(Part, &[&str])> = self
                .wanted
                .iter()
                .filter_map(|(part, path)| {
                    path.split_first().filter(|(first, _)| first.as_bytes() == &*name).map(|(_, rest)| (*part, rest))
                })
                .collect();
            if inner.is_empty() {
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Walk { wanted: &inner, found: self.found, root: false })?;
            }
        }
        Ok(())
    }
}

/// A name of an object: as bytes, for a name that is no Unicode is no reason to lose the page.
struct Name;

impl<'a> DeserializeSeed<'a> for Name {
    type Value = Cow<'a, [u8]>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_bytes(self)
    }
}

impl<'a> Visitor<'a> for Name {
    type Value = Cow<'a, [u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_bytes<E>(self, name: &'a [u8]) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_vec()))
    }
}

struct Records<'w, 'a>(&'w mut Found<'a>);

impl<'a> Visitor<'a> for Records<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut list: S) -> Result<(), S::Error> {
        self.0.page.listless = false;
        while let Some(record) = list.next_element()? {
            self.0.page.records.push(record);
        }
        Ok(())
    }
}

/// What a record says that is needed to collect it. Where a name stands twice, the first is meant.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// The record as it came.
    pub text: &'a str,
    /// The values that name it, in the order of the stream's paths.
    pub ids: Vec<Option<&'a str>>,
    /// When it happened, as it is written.
    pub clock: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// Looks at a record until everything is found. A record that is no object has none of it.
    pub fn read(record: &'a RawValue, event: &Event) -> Self {
        let text = record.get();
        let mut read = Self { text, ids: vec![None; event.id.len()], clock: None };
        let mut missing = event.id.len() + 1;
        let mut parts = Parts::of(text, 0);
        while missing > 0
            && text.starts_with('{')
            && let Some(name) = parts.name()
        {
            let value = Span { start: name.value, end: parts.skip(name.value) };
            let paths = event.id.iter().zip(&mut read.ids).chain([(&event.clock, &mut read.clock)]);
            for (path, place) in paths {
                if let (None, Some((first, rest))) = (&place, path.split_first())
                    && name.is(text, first)
                {
                    *place = raw::at(value.of(text), rest);
                    missing -= usize::from(place.is_some());
                }
            }
        }
        read
    }

    /// When it happened.
    pub fn moment(&self, event: &Event) -> Option<Moment> {
        time(self.clock?, event.form)
    }
}

#[cfg(test)]
mod tests {
    use connectome_core::page::PagePlace;
    use connectome_core::stream::TimeForm;
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary::{blanks, json};

    const LINKED: Paging = Paging { items: &["data", "items"], next: Next::Link(&["data", "next"]), size: None };

    /// What a page holds, as `LIST then NEXT of TOTAL`, or what is wrong with it.
    fn told(body: &[u8], page: &Paging, count: Option<&[&str]>) -> String {
        let page = match Page::read(body, page, count) {
            Ok(page) => page,
            Err(wrong) => return wrong,
        };
        let records: Vec<&str> = page.records.iter().map(|record| record.get()).collect();
        assert!(!page.listless || records.is_empty());
        let list = if page.listless { "none".to_owned() } else { format!("[{}]", records.join("; ")) };
        let next = page.next.map(|next| format!(" then {next}")).unwrap_or_default();
        format!("{list}{next}{}", page.total.map(|total| format!(" of {total}")).unwrap_or_default())
    }

    #[test]
    fn an_answer_holds_its_records_what_leads_on_and_the_count() {
        const OTHER_LIST: &str = "the answer has something else in the place of its list of records";
        const OTHER_NEXT: &str = "the answer has something else in the place of what leads to the next page";
        const NO_OBJECT: &str = "the answer is no JSON object where one was expected";
        const EMPTY: &str = "the answer is empty where a page of records was expected";
        let cases = [
            (r#"{"data":{"items":[1,{"a": 1e400} ],"next":"/b?x=1"},"n":7}"#, r#"[1; {"a": 1e400}] then /b?x=1 of 7"#),
            (r#"{"n":7,"data":{"next":"a\u0026b","x":{"items":[3]},"items":[ "z" ]}}"#, r#"["z"] then a&b of 7"#),
            (r#"{"data":{"items":[],"next":null}}"#, "[]"),
            (r#"{"data":{"items":null,"next":""},"n":null}"#, "none"),
            (r#"{"data":{"next":12}}"#, "none then 12"),
            (r#"{"data":null,"n":"7","items":[1]}"#, "none"),
            (r#"{"\ud800":1,"d\u0061ta":{"items":[1]},"n":-1}"#, "[1]"),
            ("{}", "none"),
            (r#"{"data":{"items":{}}}"#, OTHER_LIST),
            (r#"{"data":{"items":"secret"}}"#, OTHER_LIST),
            (r#"{"data":{"items":false}}"#, OTHER_LIST),
            (r#"{"data":{"items":[1],"items":[2]}}"#, "the answer has its list of records twice"),
            (r#"{"data":{"items":[1]},"data":{"items":null}}"#, "the answer has its list of records twice"),
            (r#"{"data":{"next":"a","next":null}}"#, "the answer has what leads to the next page twice"),
            (r#"{"n":1,"n":2}"#, "the answer has its number of records twice"),
            (r#"{"data":{"next":false}}"#, OTHER_NEXT),
            (r#"{"data":{"next":["a"]}}"#, OTHER_NEXT),
            (r#"{"data":{"next":"\ud800"}}"#, OTHER_NEXT),
            (r#"{"data":[1]}"#, NO_OBJECT),
            (r#"["secret"]"#, NO_OBJECT),
            ("17", NO_OBJECT),
            ("null", NO_OBJECT),
            ("", EMPTY),
            (" \n", EMPTY),
            ("<html>", "the answer is broken JSON (expected value at line 1 column 1)"),
            (r#"{"data":{"items":[1,]}}"#, "the answer is broken JSON (trailing comma at line 1 column 21)"),
            (r#"{"data":{"items":[1"#, "the answer is broken JSON (EOF while parsing a list at line 1 column 19)"),
            (r#"{"data":{"items":[1]}} {}"#, "the answer is broken JSON (trailing characters at line 1 column 24)"),
        ];
        for (body, wanted) in cases {
            assert_eq!(told(body.as_bytes(), &LINKED, Some(&["n"])), wanted, "{body}");
        }
        let broken = told(b"{\"data\":{\"items\":[\"\xff\"]}}", &LINKED, None);
        assert_eq!(broken, "the answer is no text in UTF-8");
        let cursor = Next::Cursor { from: &["c"], place: PagePlace::Query("c") };
        let bare = Paging { items: &[], next: Next::None, size: None };
        let by_cursor = Paging { items: &["items"], next: cursor, size: None };
        assert_eq!(told(b"[1]", &bare, None), "[1]");
        assert_eq!(told(b"{\"c\":\"x/y\",\"items\":[1]}", &by_cursor, None), "[1] then x/y");
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        let body = format!(r#"{{"x":{deep},"data":{{"items":[{deep}]}}}}"#);
        let page = Page::read(body.as_bytes(), &LINKED, None).expect("a page");
        assert_eq!(page.records[0].get(), deep);
        assert_eq!(Record::read(page.records[0], &EVENT).clock, None);
    }

    const EVENT: Event =
        Event { id: &[&["id"], &["in", "id"]], clock: &["in", "at"], form: TimeForm::Rfc3339, time: "_time" };

    proptest! {
        #[test]
        fn a_record_says_what_a_tree_of_it_says(json in json(&["id", "in", "at", r"i\u0064"]), blanks in blanks()) {
            let blank = [blanks.first().copied().unwrap_or_default()];
            let raw = RawValue::from_string(json.write(&blank)).expect("JSON");
            let record = Record::read(&raw, &EVENT);
            let wanted = |path: &[&str]| json.at(path).map(|value| value.write(&blank));
            let found = [record.ids[0], record.ids[1], record.clock].map(|value| value.map(str::to_owned));
            prop_assert_eq!(found, [wanted(&["id"]), wanted(&["in", "id"]), wanted(&["in", "at"])]);
        }
    }
}
