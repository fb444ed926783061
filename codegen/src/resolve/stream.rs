//! Streams: defaults are filled in, and transforms become one list that ends with the time and the constants.

use super::{Scope, page, text};
use crate::model::stream::{Expired, Stream, Transform, Window};
use crate::read::{OneOrMore, Seconds};
use crate::source::Spanned;
use crate::spec::Name;
use crate::spec::field::Document;
use crate::spec::stream as word;

/// The name under which an event's time is delivered when a spec says no other.
pub const TIME: &str = "_time";
/// How wide a range is, in the ordinary run of things: six hours.
const STEP: u64 = 6 * 3600;
/// The number of events that makes a range narrower.
const CAP: u64 = 5000;

/// The streams of a connector.
pub fn streams(scope: &Scope<'_>) -> Vec<Stream> {
    scope.spec.file.streams.iter().map(|(name, word)| stream(scope, name, word)).collect()
}

fn stream(scope: &Scope<'_>, name: &Name, word: &word::Stream) -> Stream {
    let path = |name: &Name| text::checked_path(name, scope.problems);
    let time = path(word.event.time.as_ref().unwrap_or(&word.window.clock));
    let deliver_time_as =
        word.event.deliver_time_as.as_ref().map_or_else(|| TIME.to_owned(), |name| name.value.clone());
    let mut transforms: Vec<Transform> = word.transforms.iter().flat_map(|it| transform(scope, it)).collect();
    transforms.push(Transform::Copy(deliver_time_as.clone(), time.clone()));
    transforms
        .extend(word.event.add.iter().map(|(name, value)| Transform::Add(name.value.clone(), value.value.clone())));
    let mut page_sizes = word.page.size.as_ref().map(|size| size.one_of.clone()).unwrap_or_default();
    page_sizes.sort_unstable();
    Stream {
        name: name.value.clone(),
        title: word.title.clone(),
        doc: word.doc.clone(),
        note: word.note.clone(),
        documented: !matches!(word.document, Some(Document::Absent(_))),
        link: word.link.clone(),
        aliases: word.aliases.iter().map(|alias| alias.value.clone()).collect(),
        on_request: word.on_request,
        permission: word.permission.clone(),
        call: text::call(&word.read, scope.sources, scope.problems),
        query: word.query.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect(),
        headers: word.headers.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect(),
        page: page::page(&word.page, scope.problems),
        page_sizes,
        window: window(&word.window, &path),
        order: word.order,
        id: word.event.id.0.iter().map(path).collect(),
        time,
        deliver_time_as,
        late_by: word.late_by.0,
        requests_per_minute: word.requests_per_minute,
        passing: statuses(&word.passing),
        expired: word
            .expired_cursor
            .as_ref()
            .map(|it| Expired { message: it.message_contains.clone(), status: statuses(&it.status) }),
        transforms,
        example: word.example.as_ref().map(|example| example.value.clone()),
    }
}

/// The statuses that are named.
pub fn statuses(words: &OneOrMore<Spanned<u64>>) -> Vec<u64> {
    words.0.iter().map(|status| status.value).collect()
}

fn window(word: &word::Window, path: &impl Fn(&Name) -> Vec<String>) -> Window {
    let seconds = |time: Option<Seconds>| time.map(|time| time.0);
    let widest = seconds(word.widest);
    Window {
        from: word.from.value.clone(),
        to: word.to.value.clone(),
        clock: path(&word.clock),
        form: word.clock_form,
        end: word.end,
        widest,
        look_back: seconds(word.look_back),
        step: seconds(word.step).unwrap_or_else(|| widest.map_or(STEP, |widest| widest.min(STEP))),
        cap: word.cap.unwrap_or(CAP),
        count: word.count.as_ref().map(path),
        slack: seconds(word.slack).unwrap_or(0),
    }
}

fn transform(scope: &Scope<'_>, word: &word::Transform) -> Vec<Transform> {
    let path = |name: &Name| elements(&text::checked_path(name, scope.problems));
    let mut made: Vec<Transform> = word.join.iter().map(|it| Transform::Join(path(it))).collect();
    made.extend(word.epoch_to_text.iter().map(|it| Transform::EpochToText(path(it))));
    if !word.fill_null.is_empty() {
        made.push(Transform::FillNull(word.fill_null.iter().map(|it| it.value.clone()).collect()));
    }
    made.extend(word.drop.iter().map(|it| Transform::Drop(path(it))));
    made.extend(word.copy.iter().map(|(name, from)| Transform::Copy(name.value.clone(), path(from))));
    made
}

/// `filters[]` as the key and its elements.
fn elements(path: &[String]) -> Vec<String> {
    let keys = path.iter().flat_map(|part| match part.strip_suffix("[]") {
        Some(key) => vec![key.to_owned(), "[]".to_owned()],
        None => vec![part.clone()],
    });
    keys.filter(|key| !key.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_become_a_key_of_their_own() {
        let path = |text| elements(&text::path(text));
        assert_eq!(path("a.b[].c"), ["a", "b", "[]", "c"]);
        assert_eq!(path("a[].b[]"), ["a", "[]", "b", "[]"]);
        assert_eq!(path("a"), ["a"]);
    }
}
