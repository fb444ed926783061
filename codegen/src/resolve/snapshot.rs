//! Snapshots: paths are read, and how long documents last is found where they are searched.

use super::graph::fixed_body;
use super::{Scope, page, text};
use crate::model::snapshot::{Deferred, Gone, Snapshot};
use crate::spec::Name;
use crate::spec::snapshot as word;

/// The snapshots of a connector.
pub fn snapshots(scope: &Scope<'_>) -> Vec<Snapshot> {
    scope.spec.file.snapshots.iter().map(|(name, word)| snapshot(scope, name, word)).collect()
}

fn snapshot(scope: &Scope<'_>, name: &Name, word: &word::Snapshot) -> Snapshot {
    let path = |name: &Name| text::checked_path(name, scope.problems);
    let streams = scope.spec.file.data_streams.iter().filter(|(_, it)| it.mapping.value == word.mapping.value);
    let latest = streams.filter_map(|(_, it)| it.latest.as_ref());
    Snapshot {
        name: name.value.clone(),
        title: word.title.clone(),
        doc: word.doc.clone(),
        aliases: word.aliases.iter().map(|alias| alias.value.clone()).collect(),
        on_request: word.on_request,
        call: text::call(&word.read, scope.sources, scope.problems),
        query: word.query.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect(),
        body: fixed_body(&word.body),
        passing: super::stream::statuses(&word.passing),
        page: page::page(&word.page, scope.problems),
        pages: word.pages.value,
        id: path(&word.id),
        every: word.every.value.0,
        mapping: word.mapping.value.clone(),
        lasts: latest.map(|latest| latest.max_age.value.0).min(),
        gone: word.gone.as_ref().map(|gone| Gone {
            keep: gone.keep.iter().map(path).collect(),
            set: gone.set.iter().map(|(name, value)| (path(name), value.value.clone())).collect(),
        }),
        deferred: word.deferred.as_ref().map(|it| Deferred {
            asked: it.asked.value.clone(),
            body: fixed_body(&it.body),
            link: path(&it.link),
            status: path(&it.status),
            pending: it.pending.iter().map(|state| state.value.clone()).collect(),
            done: it.done.value.clone(),
            result: path(&it.result),
            items: path(&it.items),
            cursor: path(&it.cursor),
            every: it.every.0,
            at_most: it.at_most.0,
        }),
    }
}
