//! A page of records and a record, seen without a tree: where the parts stand that collecting needs, and no more.

use std::borrow::Cow;
use std::fmt;

use connectome_core::page::{Next, Page as Paging};
use connectome_core::stream::{Event, TimeForm};
use jiff::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

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

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Whole seconds since 1970; before 1970 the second in which it lies, as at any other time.
    pub second: i64,
    /// What lies behind the second.
    pub nanosecond: u32,
}

/// The time that a value, as it is written in JSON, says.
pub fn time(value: &str, form: TimeForm) -> Option<Moment> {
    let nanoseconds = match form {
        TimeForm::Rfc3339 => {
            if let Some(second) = whole_second(value) {
                return Some(Moment { second, nanosecond: 0 });
            }
            let text = raw::text(value)?;
            let time: Timestamp = match text.parse() {
                Ok(time) => time,
                Err(_) => shortened(&text)?.parse().ok()?,
            };
            time.as_nanosecond()
        }
        TimeForm::EpochMs => decimal(&raw::scalar(value)?, 6)?,
        TimeForm::EpochS => decimal(&raw::scalar(value)?, 9)?,
    };
    let second = i64::try_from(nanoseconds.div_euclid(1_000_000_000)).ok()?;
    Timestamp::from_second(second).ok()?;
    Some(Moment { second, nanosecond: nanoseconds.rem_euclid(1_000_000_000) as u32 })
}

/// The time that a text as `"2024-06-11T07:12:44Z"` says, as most of them are; nothing for any other.
fn whole_second(value: &str) -> Option<i64> {
    let text: &[u8; 22] = value.as_bytes().try_into().ok()?;
    let marks = [(0, b'"'), (5, b'-'), (8, b'-'), (11, b'T'), (14, b':'), (17, b':'), (20, b'Z'), (21, b'"')];
    if marks.iter().any(|(at, mark)| text[*at] != *mark) {
        return None;
    }
    let number = |digits: &[u8]| {
        let digit =
            |number: i64, byte: &u8| Some(number * 10 + i64::from(byte.checked_sub(b'0').filter(|it| *it < 10)?));
        digits.iter().try_fold(0, digit)
    };
    let (year, month, day) = (number(&text[1..5])?, number(&text[6..8])?, number(&text[9..11])?);
    let (hour, minute, second) = (number(&text[12..14])?, number(&text[15..17])?, number(&text[18..20])?);
    // The days that every month has: what else there is need not be fast.
    if year < 1 || !(1..=12).contains(&month) || !(1..=28).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // A year here begins with March, so that its last day is the one that not every year has.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// A time with no more than nine digits of a fraction.
fn shortened(text: &str) -> Option<String> {
    let (whole, rest) = text.split_once('.')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 9).then(|| format!("{whole}.{}{}", &rest[..9], &rest[digits..]))
}

/// A decimal number, its point moved this far to the right, what is then behind the point left out towards the past.
fn decimal(text: &str, shift: u32) -> Option<i128> {
    if let (Ok(number), false) = (text.parse::<i64>(), text.starts_with('+')) {
        return Some(i128::from(number) * 10_i128.pow(shift));
    }
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (text, exponent) = text.split_once(['e', 'E']).map_or((text, "0"), |(text, exponent)| (text, exponent));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if whole.is_empty() || fraction.is_empty() {
        return None;
    }
    let shift = i32::try_from(shift).ok()?.checked_add(exponent.parse().ok()?)?;
    // Forty digits are more than there are times.
    let point = usize::try_from(shift.checked_add(whole.len().try_into().ok()?)?.max(0)).ok().filter(|it| *it < 40)?;
    let (mut moved, mut beyond) = (0_i128, false);
    for (place, digit) in whole.bytes().chain(fraction.bytes()).enumerate() {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        if place < point {
            moved = moved.checked_mul(10)?.checked_add(digit.into())?;
        } else {
            beyond |= digit > 0;
        }
    }
    for _ in whole.len() + fraction.len()..point {
        moved = moved.checked_mul(10)?;
    }
    Some(if negative { -moved - i128::from(beyond) } else { moved })
}

#[cfg(test)]
mod tests {
    use connectome_core::page::PagePlace;
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

        #[test]
        fn a_time_is_read_as_it_was_written(
            nanosecond in -62_135_596_800_000_000_000_i128..253_402_200_000_000_000_000, digits in 0..10_u8,
            offset in -86_000..86_000_i32, form in 0..4_u8,
        ) {
            let time = Timestamp::from_nanosecond(nanosecond).expect("within range");
            let offset = jiff::tz::Offset::from_seconds(offset / 60 * 60).expect("an offset");
            let printer = jiff::fmt::temporal::DateTimePrinter::new()
                .precision(Some(digits)).lowercase(form & 1 > 0).separator(if form & 2 > 0 { b' ' } else { b'T' });
            let text = printer.timestamp_with_offset_to_string(&time, offset);
            let kept = text.parse::<Timestamp>().expect("a time").as_nanosecond();
            let wanted = Moment {
                second: kept.div_euclid(1_000_000_000) as i64,
                nanosecond: kept.rem_euclid(1_000_000_000) as u32,
            };
            prop_assert_eq!(super::time(&format!("\"{text}\""), TimeForm::Rfc3339), Some(wanted));
            let whole = Timestamp::from_second(wanted.second).expect("within range");
            let moment = Moment { second: wanted.second, nanosecond: 0 };
            prop_assert_eq!(super::time(&format!("\"{whole}\""), TimeForm::Rfc3339), Some(moment));
            let ms = kept.div_euclid(1_000_000);
            let wanted = Moment { nanosecond: wanted.nanosecond / 1_000_000 * 1_000_000, ..wanted };
            prop_assert_eq!(super::time(&ms.to_string(), TimeForm::EpochMs), Some(wanted));
            prop_assert_eq!(super::time(&format!("\"{ms}\""), TimeForm::EpochMs), Some(wanted));
        }
    }

    #[test]
    fn a_time_has_its_second_and_what_lies_behind_it() {
        use TimeForm::{EpochMs, EpochS, Rfc3339};
        let cases = [
            (r#""2024-06-11T07:12:44Z""#, Rfc3339, Some((1_718_089_964, 0))),
            (r#""2024-06-11t07:12:44.5z""#, Rfc3339, Some((1_718_089_964, 500_000_000))),
            (r#""2024-06-11T07:12:44.1234567899999Z""#, Rfc3339, Some((1_718_089_964, 123_456_789))),
            (r#""2024-06-11T09:12:44.000000001999+02:00""#, Rfc3339, Some((1_718_089_964, 1))),
            (r#""2024-06-11T02:42:44-0430""#, Rfc3339, Some((1_718_089_964, 0))),
            (r#""2024-06-11T07:12:44\u005a""#, Rfc3339, Some((1_718_089_964, 0))),
            (r#""1969-12-31T23:59:59.25Z""#, Rfc3339, Some((-1, 250_000_000))),
            (r#""2024-06-11T07:12:44""#, Rfc3339, None),
            (r#""2024-06-11""#, Rfc3339, None),
            (r#""2023-02-29T07:12:44Z""#, Rfc3339, None),
            (r#""2024-02-29T07:12:44Z""#, Rfc3339, Some((1_709_190_764, 0))),
            (r#""2024-06-1:T07:12:44Z""#, Rfc3339, None),
            (r#""2024-13-11T07:12:44Z""#, Rfc3339, None),
            (r#""2024-06-11T24:12:44Z""#, Rfc3339, None),
            (r#""yesterday""#, Rfc3339, None),
            (r#""""#, Rfc3339, None),
            ("1718089964000", Rfc3339, None),
            ("null", Rfc3339, None),
            ("1718089964123", EpochMs, Some((1_718_089_964, 123_000_000))),
            ("1718089964123.25", EpochMs, Some((1_718_089_964, 123_250_000))),
            ("1718089964123.0000019", EpochMs, Some((1_718_089_964, 123_000_001))),
            ("1.718089964123e12", EpochMs, Some((1_718_089_964, 123_000_000))),
            ("17180899641234.5E-1", EpochMs, Some((1_718_089_964, 123_450_000))),
            ("5e-9", EpochMs, Some((0, 0))),
            ("1e99999999999", EpochMs, None),
            ("-1", EpochMs, Some((-1, 999_000_000))),
            ("-0.0000001", EpochMs, Some((-1, 999_999_999))),
            ("0", EpochMs, Some((0, 0))),
            (r#""1718089964123""#, EpochMs, Some((1_718_089_964, 123_000_000))),
            (r#""2024-06-11T07:12:44Z""#, EpochMs, None),
            (r#""nan""#, EpochMs, None),
            (r#""inf""#, EpochMs, None),
            (r#""+5""#, EpochMs, None),
            (r#""1.""#, EpochMs, None),
            (r#""""#, EpochMs, None),
            ("true", EpochMs, None),
            ("[1718089964123]", EpochMs, None),
            ("1e400", EpochMs, None),
            ("1e30", EpochMs, None),
            ("9999999999999999999999999999999999999999999", EpochMs, None),
            ("1718089964", EpochS, Some((1_718_089_964, 0))),
            ("1718089964.123456789", EpochS, Some((1_718_089_964, 123_456_789))),
            (r#""1718089964.5""#, EpochS, Some((1_718_089_964, 500_000_000))),
        ];
        for (value, form, wanted) in cases {
            let wanted = wanted.map(|(second, nanosecond)| Moment { second, nanosecond });
            assert_eq!(time(value, form), wanted, "{value}");
        }
    }
}
