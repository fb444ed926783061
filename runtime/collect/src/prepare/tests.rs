use connectome_core::shape::Literal;
use connectome_core::stream::{TimeForm, Transform};
use proptest::prelude::*;

use super::*;
use crate::arbitrary::{self, Json, blanks, json, said};
use crate::canonical::Canonical;

const FACTS: Facts = Facts { window: 1_772_440_003, undated: false, displaced: false, identity: Identity::Named };

/// The line, and whether a transform did not fit.
fn written(transforms: &'static [Transform], mode: Mode, facts: &Facts, record: &str) -> (String, bool) {
    let stream = arbitrary::stream(&[], TimeForm::Rfc3339, transforms);
    let raw = RawValue::from_string(record.to_owned()).expect("JSON");
    let mut out = b"before".to_vec();
    let mut preparation = Preparation::new(stream, mode);
    let untransformed = preparation.write(&raw, facts, &mut out);
    // Nothing of an event is left for the next.
    let mut again = b"before".to_vec();
    assert_eq!(preparation.write(&raw, facts, &mut again), untransformed);
    assert_eq!(out, again);
    let line = String::from_utf8(out).expect("UTF-8");
    (line.strip_prefix("before").expect("what was there").to_owned(), untransformed)
}

#[test]
fn a_transform_changes_what_it_is_about_and_nothing_else() {
    use Transform::{Add, Copy, Drop, EpochToText, FillNull, Join};
    const TEXT: Literal = Literal::Text("t\"");
    const MISFIT: &str = r#","collector_marks":["untransformed"]}"#;
    let cases: &[(&'static [Transform], &str, &str)] = &[
        (&[], r#" {"a" : 1e400,"b":"\u00e9\/"} "#, r#"{"a" : 1e400,"b":"\u00e9\/"}"#),
        (&[], "{\r\n\"a\":\n [ 1,\n2 ] }", r#"{"a": [ 1,2 ] }"#),
        (&[Add("a", TEXT)], r#"{}"#, r#"{"a":"t\""}"#),
        (&[Add("a", TEXT)], r#"{ "b":1 }"#, r#"{ "b":1 ,"a":"t\""}"#),
        (&[Add("a", TEXT)], r#"{"\u0061": 1,"b":1,"a":2}"#, r#"{"\u0061": "t\"","b":1}"#),
        (&[Add("a", TEXT), Add("a", Literal::Json("[ 1 ]"))], r#"{"a":{}}"#, r#"{"a":[1]}"#),
        (&[Copy("c", &["a"])], r#"{"a":1.0}"#, r#"{"a":1.0,"c":1.0}"#),
        (&[Copy("c", &["a"])], r#"{"a": null,"c":2}"#, r#"{"a": null,"c":null}"#),
        (&[Copy("c", &["a"])], r#"{"b":1,"c":2}"#, r#"{"b":1,"c":2}"#),
        (&[Copy("c", &["a", "b"])], r#"{"a":{"b":[ 1 ]}}"#, r#"{"a":{"b":[ 1 ]},"c":[ 1 ]}"#),
        (&[Copy("c", &["a", "b"])], r#"{"a":7}"#, r#"{"a":7}"#),
        (&[Copy("c", &["a"])], r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2,"c":1}"#),
        (
            &[Join(&["a"])],
            r#"{"a": [ "x\\y", 1.50, [[true], "\u00e9"],null,[ ] ] }"#,
            r#"{"a": "x\\y,1.50,true,\u00e9" }"#,
        ),
        (&[Join(&["a"])], r#"{"a":[]}"#, r#"{"a":""}"#),
        (&[Join(&["a"])], r#"{"a":["",null,""]}"#, r#"{"a":","}"#),
        (&[Join(&["a"])], r#"{"a":"x","b":["y"]}"#, r#"{"a":"x","b":["y"]}"#),
        (&[Join(&["a"])], r#"{"a":["x",{"y":1}]}"#, &format!("{}{MISFIT}", r#"{"a":["x",{"y":1}]"#)),
        (
            &[Join(&["f", "[]", "t"]), Join(&["f", "[]", "u", "v"])],
            r#"{"f":[ {"t":["a","b"], "x":1e1} ,7,{"u":{"v":[1],"w":[2]},"t" : [{}]},[],{"t":"c"} ]}"#,
            &format!(
                "{}{MISFIT}",
                r#"{"f":[ {"t":"a,b", "x":1e1} ,7,{"u":{"v":"1","w":[2]},"t" : [{}]},[],{"t":"c"} ]"#
            ),
        ),
        (&[Join(&["a", "[]", "[]"])], r#"{"a":[[["x","y"],"z"],["v"]]}"#, r#"{"a":[["x,y","z"],["v"]]}"#),
        (&[Join(&["a", "t"])], r#"{"a":{"t":["x"]},"a":{"\u0074":["y"]}}"#, r#"{"a":{"t":"x"},"a":{"\u0074":"y"}}"#),
        (
            &[EpochToText(&["e"]), Copy("_time", &["e"])],
            r#"{"e": 1772440003417 ,"f":1}"#,
            r#"{"e": "2026-03-02T08:26:43Z" ,"f":1,"_time":"2026-03-02T08:26:43Z"}"#,
        ),
        (&[EpochToText(&["e"])], r#"{"e":"1772440003417"}"#, r#"{"e":"2026-03-02T08:26:43Z"}"#),
        (&[EpochToText(&["e"])], r#"{"e":-1}"#, r#"{"e":"1969-12-31T23:59:59Z"}"#),
        (&[EpochToText(&["e"])], r#"{"e":"soon"}"#, &format!("{}{MISFIT}", r#"{"e":"soon""#)),
        (&[EpochToText(&["e"])], r#"{"e":1e99}"#, &format!("{}{MISFIT}", r#"{"e":1e99"#)),
        (&[EpochToText(&["e"])], r#"{"e":null}"#, &format!("{}{MISFIT}", r#"{"e":null"#)),
        (&[EpochToText(&["e"])], r#"{"f":1}"#, r#"{"f":1}"#),
        (&[FillNull(&["a", "b", "c"])], r#"{"b":false}"#, r#"{"b":false,"a":null,"c":null}"#),
        (&[FillNull(&["a"]), Copy("b", &["a"]), Add("a", TEXT)], "{}", r#"{"a":"t\"","b":null}"#),
        (&[Drop(&["a"])], r#"{ "a":1 , "b":2 }"#, r#"{ "b":2 }"#),
        (&[Drop(&["b"])], r#"{"a":1 , "b":2 }"#, r#"{"a":1 }"#),
        (&[Drop(&["b"]), Drop(&["c"]), Add("d", TEXT)], r#"{"a":1,"b":2,"c":3}"#, r#"{"a":1,"d":"t\""}"#),
        (&[Drop(&["a"]), Drop(&["b"])], r#"{ "a":1,"b":2,"a":3 }"#, "{}"),
        (&[Drop(&["a"]), Copy("b", &["a"]), FillNull(&["a"])], r#"{"a":1}"#, r#"{"a":null}"#),
        (
            &[Drop(&["x", "[]", "a"])],
            r#"{"x":[{"a":1},{"b":1,"a":2},{"a":3,"b":4}, {}]}"#,
            r#"{"x":[{},{"b":1},{"b":4}, {}]}"#,
        ),
        (&[Drop(&["x", "[]"])], r#"{"x":[1, 2 ]}"#, r#"{"x":[]}"#),
        (&[Copy("x", &["a"]), Drop(&["a"]), Join(&["x"])], r#"{"a":[1,2]}"#, r#"{"x":"1,2"}"#),
        (&[Join(&["x", "y"]), Drop(&["x"])], r#"{"x":{"y":[1]}}"#, "{}"),
        (&[Drop(&["x", "y"]), Join(&["x"])], r#"{"x":[1]}"#, r#"{"x":"1"}"#),
        (&[Add("a", TEXT)], "[ 1]", r#"{"collector_record":[ 1],"a":"t\"","collector_marks":["no_object"]}"#),
        (&[], "\"x\"", r#"{"collector_record":"x","collector_marks":["no_object"]}"#),
        (&[Join(&["a"])], r#"{"collector_marks":1,"a":[{}]}"#, r#"{"collector_marks":["untransformed"],"a":[{}]}"#),
    ];
    for (transforms, record, wanted) in cases {
        let (line, untransformed) = written(transforms, Mode::Declared, &FACTS, record);
        assert_eq!(line, *wanted, "{transforms:?}");
        assert_eq!(untransformed, wanted.contains("untransformed"), "{wanted}");
    }
}

#[test]
fn what_is_only_added_is_added_as_by_a_stream_that_changes_more() {
    const ADD: Transform = Transform::Add("kind", Literal::Text("audit"));
    const AGAIN: Transform = Transform::Add("kind", Literal::Text("other"));
    const COPY: Transform = Transform::Copy("time", &["a"]);
    const DEEP: Transform = Transform::Copy("deep", &["a", "b"]);
    const LATER: Transform = Transform::Copy("later", &["kind"]);
    const MORE: Transform = Transform::FillNull(&[]);
    let cases: [(&'static [Transform], &'static [Transform]); 6] = [
        (&[], &[MORE]),
        (&[ADD], &[ADD, MORE]),
        (&[ADD, AGAIN], &[ADD, AGAIN, MORE]),
        (&[COPY, ADD, DEEP], &[COPY, ADD, DEEP, MORE]),
        (&[ADD, LATER], &[ADD, LATER, MORE]),
        (&[LATER, ADD], &[LATER, ADD, MORE]),
    ];
    let records = [
        "{}",
        "{ }",
        r#"{"a":1}"#,
        r#"{ "a" : [1] , "b" : {} }"#,
        r#"{"kind":1}"#,
        r#"{"a":1,"a":{"b":2},"a":{"b":3}}"#,
        r#"{"b":1,"a":{"b":null}}"#,
        r#"{"a":"kind"}"#,
        r#"{"a":{"kind":1}}"#,
        r#"{"kin\u0064":1}"#,
        r#"{"a":"\\"}"#,
        "[]",
        "1",
    ];
    for record in records {
        for facts in [FACTS, Facts { undated: true, ..FACTS }, Facts { identity: Identity::Unkeyed, ..FACTS }] {
            for (only, more) in cases {
                let [only, more] = [only, more].map(|transforms| written(transforms, Mode::Declared, &facts, record));
                assert_eq!(only, more, "{record} {facts:?}");
            }
        }
    }
}

#[test]
fn an_event_says_what_is_odd_about_it_unless_its_bytes_are_wanted() {
    let odd = Facts { undated: true, displaced: true, identity: Identity::Unkeyed, ..FACTS };
    const CHANGES: &[Transform] = &[Transform::Join(&["a"]), Transform::EpochToText(&["_time"])];
    let marked = r#"{"a":"1","_time":"2026-03-02T08:26:43Z","collector_marks":["undated","displaced","unkeyed","untransformed"]}"#;
    let record = r#"{"a":[1],"_time":"lost"}"#;
    assert_eq!(written(CHANGES, Mode::Declared, &odd, record), (marked.to_owned(), true));
    let lists = marked.replace(r#""1""#, "[1]");
    assert_eq!(written(CHANGES, Mode::Lists, &odd, record), (lists, true));
    assert_eq!(written(CHANGES, Mode::Raw, &odd, record), (record.to_owned(), false));
    assert_eq!(written(CHANGES, Mode::Raw, &odd, "[1,\n2]"), ("[1,2]".to_owned(), false));
    let undated = Facts { undated: true, ..FACTS };
    let marked =
        r#"{"collector_record":null,"_time":"2026-03-02T08:26:43Z","collector_marks":["undated","no_object"]}"#;
    assert_eq!(written(CHANGES, Mode::Declared, &undated, "null").0, marked);
}

/// Every kind of change, several in one place, and some that undo others.
const MANY: &[Transform] = &[
    Transform::Join(&["a"]),
    Transform::Join(&["b", "[]", "a"]),
    Transform::EpochToText(&["b", "[]", "c"]),
    Transform::Drop(&["b", "d"]),
    Transform::Join(&["b"]),
    Transform::EpochToText(&["c"]),
    Transform::Copy("_time", &["c"]),
    Transform::Copy("d", &["b", "a"]),
    Transform::Drop(&["d", "[]", "a"]),
    Transform::FillNull(&["a", "f", "g"]),
    Transform::Drop(&["g"]),
    Transform::Add("e", Literal::Integer(1)),
];

/// What the changes mean, done to a tree; and whether one of them did not fit.
fn done(record: Json) -> (Json, bool) {
    let mut misfit = false;
    let Json::Object(mut fields) = record else { unreachable!("an object") };
    for transform in MANY {
        match *transform {
            Transform::Join(path) => within(&mut fields, path, &mut |json| {
                let Json::List(items) = &*json else { return true };
                let mut words = Vec::new();
                match flat(items, &mut words) {
                    true => *json = Json::Text(words.join(",")),
                    false => misfit = true,
                }
                true
            }),
            Transform::EpochToText(path) => within(&mut fields, path, &mut |json| {
                match crate::moment::time(&json.write(&[]), TimeForm::EpochMs) {
                    Some(moment) => {
                        *json = Json::Text(Timestamp::from_second(moment.second).expect("a time").to_string());
                    }
                    None => misfit = true,
                }
                true
            }),
            Transform::Drop(path) => within(&mut fields, path, &mut |_| false),
            Transform::Add(name, literal) => set(&mut fields, name, Json::Word(literal.text())),
            Transform::Copy(name, path) => {
                let event = Json::Object(fields.clone());
                if let Some(found) = event.at(path) {
                    set(&mut fields, name, found.clone());
                }
            }
            Transform::FillNull(names) => {
                for name in names {
                    if !fields.iter().any(|(key, _)| said(key) == *name) {
                        set(&mut fields, name, Json::Word("null".to_owned()));
                    }
                }
            }
        }
    }
    (Json::Object(fields), misfit)
}

/// Changes what stands at a path; what `change` says `false` to is left out.
fn within(fields: &mut Vec<(String, Json)>, path: &[&str], change: &mut dyn FnMut(&mut Json) -> bool) {
    fields.retain_mut(|(key, json)| said(key) != path[0] || each(json, &path[1..], change));
}

fn each(json: &mut Json, path: &[&str], change: &mut dyn FnMut(&mut Json) -> bool) -> bool {
    match json {
        _ if path.is_empty() => return change(json),
        Json::List(items) if path[0] == "[]" => items.retain_mut(|item| each(item, &path[1..], change)),
        Json::Object(fields) => within(fields, path, change),
        _ => {}
    }
    true
}

/// `false` when there is an object among them.
fn flat(items: &[Json], words: &mut Vec<String>) -> bool {
    items.iter().all(|item| match item {
        Json::List(items) => flat(items, words),
        Json::Object(_) => false,
        Json::Word(word) if word == "null" => true,
        Json::Word(word) | Json::Text(word) => {
            words.push(word.clone());
            true
        }
    })
}

fn set(fields: &mut Vec<(String, Json)>, name: &str, value: Json) {
    let Some(first) = fields.iter().position(|(key, _)| said(key) == name) else {
        return fields.push((name.to_owned(), value));
    };
    fields[first].1 = value;
    let mut place = 0;
    fields.retain(|(key, _)| {
        place += 1;
        place <= first + 1 || said(key) != name
    });
}

proptest! {
    #[test]
    fn an_event_is_what_its_changes_mean_and_every_other_byte_is_its_own(
        record in json(&["a", "b", "c", "d", r"\u0061", "e", "f", MARKS]), blanks in blanks(), undated: bool,
    ) {
        let no_object = !matches!(record, Json::Object(_));
        let (facts, marks) = (Facts { undated, ..FACTS }, [undated, no_object]);
        let wrapped = match &record {
            Json::Object(_) => record.clone(),
            other => Json::Object(vec![(RECORD.to_owned(), other.clone())]),
        };
        let (mut wanted, misfit) = done(wrapped);
        if let Json::Object(fields) = &mut wanted {
            if undated {
                set(fields, "_time", Json::Text("2026-03-02T08:26:43Z".to_owned()));
            }
            let words = [("undated", marks[0]), ("untransformed", misfit), ("no_object", marks[1])];
            let words: Vec<Json> = words.iter().filter(|(_, is)| *is).map(|(word, _)| Json::Text((*word).to_owned())).collect();
            if !words.is_empty() {
                set(fields, MARKS, Json::List(words));
            }
        }
        let wanted = wanted.write(&[]);
        prop_assert_eq!(written(MANY, Mode::Declared, &facts, &record.write(&[])), (wanted.clone(), misfit));
        // With blanks it is the same event, still on one line, and still JSON.
        let (line, _) = written(MANY, Mode::Declared, &facts, &record.write(&blanks));
        prop_assert!(!line.contains(['\n', '\r']));
        serde_json::from_str::<&RawValue>(&line).expect("JSON");
        let [line, wanted] = [line, wanted].map(|text| Canonical::default().of(&text).to_owned());
        prop_assert_eq!(line, wanted);
        let raw = record.write(&blanks);
        let (line, misfit) = written(MANY, Mode::Raw, &facts, &raw);
        prop_assert_eq!((line, misfit), (raw.trim().replace(['\n', '\r'], ""), false));
    }
}
