//! Data models of others: streams are found, and each row says what holds in every generation.

use super::Scope;
use crate::model::modelling::{Modelling, Row, To};
use crate::read::{Names, OneOrMore};
use crate::spec::Name;
use crate::spec::modelling as word;

/// The data models of a connector. Rules tell of a stream that is not there.
pub fn modellings(scope: &Scope<'_>) -> Vec<Modelling> {
    scope.spec.file.modelling.iter().map(|(name, word)| modelling(scope, name, word)).collect()
}

fn modelling(scope: &Scope<'_>, name: &Name, word: &word::Modelling) -> Modelling {
    let stream = |name: &Name| scope.spec.file.streams.names().position(|known| known == name.value);
    let rows = |rows: &[word::Row]| rows.iter().map(|it| row(&word.generations, it)).collect::<Vec<Row>>();
    Modelling {
        name: name.value.clone(),
        title: word.title.clone(),
        doc: word.doc.clone(),
        dataset: word.dataset.clone(),
        generations: pairs(&word.generations),
        streams: word.streams.iter().filter_map(|(name, said)| Some((stream(name)?, rows(said)))).collect(),
        constants: word.constants.iter().map(|(theme, names)| (theme.value.clone(), pairs(names))).collect(),
    }
}

fn pairs(names: &Names<String>) -> Vec<(String, String)> {
    names.iter().map(|(name, text)| (name.value.clone(), text.clone())).collect()
}

fn row(generations: &Names<String>, word: &word::Row) -> Row {
    let texts = |names: &OneOrMore<Name>| names.0.iter().map(|it| it.value.clone()).collect::<Vec<_>>();
    let within = |generation: &str| texts(word.within.get(generation).unwrap_or(&word.to));
    Row {
        from: texts(&word.from),
        to: if generations.0.is_empty() {
            To::Always(texts(&word.to))
        } else {
            To::By(generations.names().map(|generation| (generation.to_owned(), within(generation))).collect())
        },
        note: word.note.clone(),
    }
}
