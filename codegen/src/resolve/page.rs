//! How pages are found.

use super::text;
use crate::model::{Next, Page, PagePlace};
use crate::read::Problems;
use crate::spec::Name;
use crate::spec::exchange;

/// The pages of an action, a stream or a step. That they are found in one way only is checked elsewhere.
pub fn page(word: &exchange::Page, problems: &Problems) -> Page {
    let path = |name: &Name| text::checked_path(name, problems);
    let next = if let Some(next) = &word.next {
        Next::Link(path(next))
    } else if let Some(offset) = &word.offset {
        Next::Offset {
            query: offset.query.value.clone(),
            more: offset.more.as_ref().map(path).unwrap_or_default(),
            at_most: offset.at_most,
        }
    } else if let Some(after) = &word.after {
        Next::After {
            field: path(&after.field),
            place: PagePlace::Body(path(&after.body)),
            start: after.start.as_ref().map(|start| start.value.clone()),
        }
    } else if let Some(cursor) = &word.cursor {
        Next::Cursor { from: path(&cursor.from), place: place(cursor.query.as_ref(), cursor.body.as_ref(), problems) }
    } else {
        Next::None
    };
    let size =
        word.size.as_ref().map(|size| (place(size.query.as_ref(), size.body.as_ref(), problems), size.ask.value));
    Page { items: path(&word.items), next, size }
}

fn place(query: Option<&Name>, body: Option<&Name>, problems: &Problems) -> PagePlace {
    match (query, body) {
        (None, Some(body)) => PagePlace::Body(text::checked_path(body, problems)),
        (query, _) => PagePlace::Query(query.map(|name| name.value.clone()).unwrap_or_default()),
    }
}
