//! `mappings.rs`: how records become documents of another schema, as data.

use proc_macro2::TokenStream;
use quote::quote;

use super::rust::{self, ident};
use super::tables;
use crate::model::Connector;
use crate::model::mapping::{Condition, Field, Mapping, Path, Source, Stage, Verb};
use crate::names::{plain, rust_constant};
use crate::output::File;

/// The name of a mapping's table.
pub fn constant(mapping: &Mapping) -> proc_macro2::Ident {
    ident(&rust_constant(&mapping.name))
}

/// The file, if the spec states mappings.
pub fn file(connector: &Connector, module: &str) -> Option<File> {
    if connector.mappings.is_empty() {
        return None;
    }
    let mut items = vec![quote! {
        #[allow(unused_imports)]
        use connectome_core::{
            mapping::{Change, Condition, Field, Keys, Kind, Mapping, Precision, Source, Stage, Verb},
            shape::Literal,
        };
    }];
    items.extend(connector.mappings.iter().map(mapping));
    let docs = format!("What becomes of records of {} in other schemas, as data.", connector.title);
    Some(File::rust(
        format!("src/{module}/mappings.rs"),
        rust::file(&super::crate_root::header(connector), &docs, items),
    ))
}

fn mapping(mapping: &Mapping) -> TokenStream {
    let (constant, name) = (constant(mapping), &mapping.name);
    let doc = rust::doc(mapping.doc.as_deref().unwrap_or("Records as documents."));
    let strict = tables::option_text(mapping.strict.as_deref());
    let remove = mapping.remove;
    let failures = mapping.failures.as_ref().map_or_else(
        || quote!(None),
        |path| {
            let path = tables::texts(path);
            quote!(Some(#path))
        },
    );
    let (stages, fields) = (stages(&mapping.stages), mapping.fields.iter().map(field));
    quote! {
        #doc
        pub static #constant: Mapping = Mapping {
            name: #name,
            strict: #strict,
            remove: #remove,
            failures: #failures,
            stages: #stages,
            fields: &[#(#fields),*],
        };
    }
}

fn field(field: &Field) -> TokenStream {
    let (path, ty) = (tables::texts(&field.path), field.ty.text());
    let constant = tables::option_text(field.constant.as_ref().map(plain).as_deref());
    quote!(Field { path: #path, ty: #ty, constant: #constant })
}

fn paths(paths: &[Path]) -> TokenStream {
    let paths = paths.iter().map(|path| tables::texts(path));
    quote!(&[#(#paths),*])
}

fn stages(stages: &[Stage]) -> TokenStream {
    let stages = stages.iter().map(stage);
    quote!(&[#(#stages),*])
}

fn stage(stage: &Stage) -> TokenStream {
    let asked = stage.asked.as_ref().map_or_else(|| quote!(None), |(name, wanted)| quote!(Some((#name, #wanted))));
    let when = stage.when.iter().map(|(path, condition)| {
        let (path, condition) = (tables::texts(path), self::condition(condition));
        quote!((#path, #condition))
    });
    let (within, verb) = (tables::texts(&stage.within), verb(&stage.verb));
    quote!(Stage { asked: #asked, when: &[#(#when),*], within: #within, verb: #verb })
}

fn condition(condition: &Condition) -> TokenStream {
    let words = |words: &[serde_json::Value]| {
        let words = words.iter().map(tables::literal);
        quote!(&[#(#words),*])
    };
    match condition {
        Condition::Contains(any) => {
            let any = words(any);
            quote!(Condition::Contains(#any))
        }
        Condition::Lacks(any) => {
            let any = words(any);
            quote!(Condition::Lacks(#any))
        }
        Condition::Equals(word) => {
            let word = tables::literal(word);
            quote!(Condition::Equals(#word))
        }
        Condition::Exists(exists) => quote!(Condition::Exists(#exists)),
    }
}

fn verb(verb: &Verb) -> TokenStream {
    match verb {
        Verb::Original(path) => {
            let path = tables::texts(path);
            quote!(Verb::Original(#path))
        }
        Verb::Set(constants) => {
            let constants = constants.iter().map(|(target, value)| {
                let (target, value) = (tables::texts(target), tables::literal(value));
                quote!((#target, #value))
            });
            quote!(Verb::Set(&[#(#constants),*]))
        }
        Verb::CopyAll(into, keys) => {
            let (into, keys) = (tables::texts(into), ident(&format!("{keys:?}")));
            quote!(Verb::CopyAll { into: #into, keys: Keys::#keys })
        }
        Verb::Require(fields) => {
            let fields = paths(fields);
            quote!(Verb::Require(#fields))
        }
        Verb::Convert(kinds) => {
            let kinds = kinds.iter().map(|(kind, fields)| {
                let (kind, fields) = (ident(&format!("{kind:?}")), paths(fields));
                quote!((Kind::#kind, #fields))
            });
            quote!(Verb::Convert(&[#(#kinds),*]))
        }
        Verb::Copy(copies) => {
            let copies = copies.iter().map(|(target, from, change)| {
                let (target, from) = (tables::texts(target), source(from));
                let change = change.map_or_else(
                    || quote!(None),
                    |change| {
                        let change = ident(&format!("{change:?}"));
                        quote!(Some(Change::#change))
                    },
                );
                quote!((#target, #from, #change))
            });
            quote!(Verb::Copy(&[#(#copies),*]))
        }
        Verb::Append(lists) => {
            let lists = lists.iter().map(|(target, from)| {
                let (target, from) = (tables::texts(target), from.iter().map(source));
                quote!((#target, &[#(#from),*]))
            });
            quote!(Verb::Append(&[#(#lists),*]))
        }
        Verb::Duration(spans) => {
            let spans = spans.iter().map(|(target, start, end)| {
                let [target, start, end] = [target, start, end].map(|path| tables::texts(path));
                quote!((#target, #start, #end))
            });
            quote!(Verb::Duration(&[#(#spans),*]))
        }
        Verb::UrlParts(path) => {
            let path = tables::texts(path);
            quote!(Verb::UrlParts(#path))
        }
        Verb::ExpandDots(path) => {
            let path = tables::texts(path);
            quote!(Verb::ExpandDots(#path))
        }
        Verb::Now(targets) => {
            let targets = targets.iter().map(|(target, precision)| {
                let (target, precision) = (tables::texts(target), ident(&format!("{precision:?}")));
                quote!((#target, Precision::#precision))
            });
            quote!(Verb::Now(&[#(#targets),*]))
        }
        Verb::Remove(fields) => {
            let fields = paths(fields);
            quote!(Verb::Remove(#fields))
        }
        Verb::RemoveEmpty => quote!(Verb::RemoveEmpty),
        Verb::Stages(inner) => {
            let inner = stages(inner);
            quote!(Verb::Stages(#inner))
        }
    }
}

fn source(source: &Source) -> TokenStream {
    match source {
        Source::First(fields) => {
            let fields = paths(fields);
            quote!(Source::First(#fields))
        }
        Source::Each(field) => {
            let field = tables::texts(field);
            quote!(Source::Each(#field))
        }
        Source::Constant(value) => {
            let value = tables::literal(value);
            quote!(Source::Constant(#value))
        }
        Source::Parameter(name) => quote!(Source::Parameter(#name)),
    }
}
