//! Mappings: whatever a record holds, its document is JSON, and what is constant in every document is there.

use connectome::CONNECTORS;
use connectome_collect::mapping::Mapper;
use connectome_core::mapping::{Mapping, Source, Stage, Verb};
use connectome_fuzz::{json, search};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// The names that the stages read, as the record may write them.
fn names(stages: &[Stage], found: &mut Vec<String>) {
    let mut path = |path: &[&str]| found.extend(path.iter().map(|name| (*name).to_owned()));
    for stage in stages {
        path(stage.within);
        match stage.verb {
            Verb::Require(paths) | Verb::Remove(paths) => paths.iter().for_each(|it| path(it)),
            Verb::Convert(kinds) => kinds.iter().flat_map(|(_, paths)| *paths).for_each(|it| path(it)),
            Verb::Copy(copies) => copies.iter().for_each(|(_, source, _)| match source {
                Source::First(paths) => paths.iter().for_each(|it| path(it)),
                Source::Each(it) => path(it),
                _ => {}
            }),
            Verb::UrlParts(it) | Verb::ExpandDots(it) => path(it),
            _ => {}
        }
    }
    for stage in stages {
        if let Verb::Stages(stages) = stage.verb {
            names(stages, found);
        }
    }
}

/// Fields whose type allows one value in the whole index: a document with another is refused.
fn constants(mapping: &Mapping) -> impl Iterator<Item = (String, &'static str)> {
    mapping.fields.iter().filter_map(|field| Some((format!("/{}", field.path.join("/")), field.constant?)))
}

#[test]
fn any_record_becomes_a_document_that_the_index_takes() {
    for connector in CONNECTORS {
        for mapping in connector.mappings {
            let mut known = vec!["id".to_owned(), "a.b".to_owned(), "entity".to_owned(), "properties".to_owned()];
            names(mapping.stages, &mut known);
            known.sort();
            known.dedup();
            let fields = connector.parameters.fields.iter();
            let defaults: Map<String, Value> =
                fields.filter_map(|field| Some((field.name.to_owned(), field.default?.value()))).collect();
            let record = prop_oneof![
                1 => json(known.clone()),
                4 => proptest::collection::vec((proptest::sample::select(known.clone()), json(known)), 0..12)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ];
            search(400, &(record, any::<bool>()), |(record, strict)| {
                let mut parameters = defaults.clone();
                if let Some(name) = mapping.strict {
                    parameters.insert(name.to_owned(), Value::from(strict));
                }
                let mut mapper = Mapper::new(mapping, &parameters);
                let mut documents = [Vec::new(), Vec::new()];
                for document in &mut documents {
                    mapper.write(&record.to_string(), Timestamp::UNIX_EPOCH, document);
                }
                prop_assert_eq!(&documents[0], &documents[1], "a record is nothing to the next");
                let document: Value = serde_json::from_slice(&documents[0])
                    .map_err(|why| TestCaseError::fail(format!("{why}: {}", String::from_utf8_lossy(&documents[0]))))?;
                prop_assert!(document.is_object());
                for (pointer, constant) in constants(mapping) {
                    let found = document.pointer(&pointer);
                    prop_assert!(found.is_none_or(|it| it == constant), "{} is {:?}", pointer, found);
                }
                Ok(())
            });
        }
    }
}
