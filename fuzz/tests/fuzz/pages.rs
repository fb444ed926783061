//! Pages of streams and lists: whatever an answer is, each record of it is a piece of it, none is lost, and what is wrong is
//! told without a word of what it holds.

use connectome::CONNECTORS;
use connectome_collect::view::{Page, Record};
use connectome_core::answer::set;
use connectome_core::page::{Next, Page as Paging};
use connectome_core::stream::Event;
use connectome_fuzz::{near, search_among};
use proptest::prelude::*;
use serde_json::{Value, json};

const PIECES: &[&str] = &[
    "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0061", "\\ud800", "null", "1e400", "-0", "{}", "[]", "\"\"", " ",
    "\n", "é", "\u{0}",
];

/// What nothing that is told may hold.
const SECRET: &str = "MARKER";

/// A list that is read in pages: how, where its length stands, and what its records are, if they are events.
type List = (Paging, Option<&'static [&'static str]>, Option<Event>);

/// Every list that is read without a tree.
fn lists() -> Vec<List> {
    let mut lists = Vec::new();
    for connector in CONNECTORS {
        lists.extend(connector.streams.iter().filter_map(|it| Some((it.read.page?, it.window.count, Some(it.event)))));
        lists.extend(connector.snapshots.iter().filter_map(|it| Some((it.read.page?, None, None))));
    }
    lists
}

/// Good answers, to begin with.
fn answers((paging, count, event): &List) -> Vec<Vec<u8>> {
    let mut record = json!({ "secret": SECRET, "nested": { "text": "a\"b\\c\n", "number": 1.5 } });
    for path in event.iter().flat_map(|event| event.id.iter().chain([&event.clock])) {
        set(&mut record, path, json!("2024-06-11T07:12:44.417Z"));
    }
    let next = match paging.next {
        Next::Link(path) | Next::Cursor { from: path, .. } => Some(path),
        _ => None,
    };
    let whole = |records: Value, link: Value| {
        let mut body = json!({ "other": [SECRET] });
        set(&mut body, paging.items, records);
        next.into_iter().for_each(|path| set(&mut body, path, link.clone()));
        count.iter().for_each(|path| set(&mut body, path, json!(2)));
        body.to_string().into_bytes()
    };
    vec![
        whole(json!([record, record]), json!("https://api.example.com/next?token=MARKER")),
        whole(json!([{}, SECRET, 7, null, [record]]), Value::Null),
        whole(json!([]), json!("")),
        whole(Value::Null, json!(SECRET)),
    ]
}

#[test]
fn records_are_pieces_of_the_answer_and_what_is_wrong_names_none() {
    let lists = lists();
    for list in &lists {
        let (paging, count, event) = list;
        search_among(lists.len(), 300, &near(answers(list), PIECES), |body| {
            let page = match Page::read(&body, paging, *count) {
                Ok(page) => page,
                Err(why) => {
                    prop_assert!(!why.is_empty() && !why.contains(SECRET), "{}", why);
                    return Ok(());
                }
            };
            let range = body.as_ptr_range();
            for record in &page.records {
                let piece = record.get().as_bytes().as_ptr_range();
                prop_assert!(
                    range.start <= piece.start && piece.end <= range.end,
                    "a record is no piece of the answer"
                );
                if let Some(event) = event {
                    let _ = Record::read(record, event).moment(event);
                }
            }
            // What a tree cannot hold, as 1e400, is no reason to lose a page; where it can, both see the same.
            let Ok(tree) = serde_json::from_slice::<Value>(&body) else { return Ok(()) };
            let at = |path: &[&str]| path.iter().try_fold(&tree, |value, key| value.get(*key));
            let wanted = at(paging.items).and_then(Value::as_array).cloned();
            prop_assert_eq!(page.listless, wanted.is_none());
            let read: Result<Vec<Value>, _> = page.records.iter().map(|it| serde_json::from_str(it.get())).collect();
            prop_assert_eq!(read.ok(), Some(wanted.unwrap_or_default()));
            if let Next::Link(path) | Next::Cursor { from: path, .. } = paging.next
                && let Some(Value::String(link)) = at(path)
            {
                prop_assert_eq!(page.next.as_deref().unwrap_or_default(), link);
            }
            Ok(())
        });
    }
}
