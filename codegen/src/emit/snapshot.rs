//! `snapshots.rs`: lists that are read as a whole each time, as data.

use proc_macro2::TokenStream;
use quote::quote;

use super::rust::{self, ident};
use super::tables::{self, number, option_number};
use crate::model::Connector;
use crate::model::snapshot::{Deferred, Gone, Snapshot};
use crate::names::rust_constant;
use crate::output::File;

/// The name of a snapshot's table.
pub fn constant(snapshot: &Snapshot) -> proc_macro2::Ident {
    ident(&rust_constant(&snapshot.name))
}

/// The file, if the spec states snapshots.
pub fn file(connector: &Connector, module: &str) -> Option<File> {
    if connector.snapshots.is_empty() {
        return None;
    }
    let mut items = vec![quote! {
        #[allow(unused_imports)]
        use connectome_core::{
            operation::{Call, Operation, Repeat},
            page::{Next, Page, PagePlace, PageSize},
            shape::Literal,
            snapshot::{Deferred, Gone, Snapshot},
        };
    }];
    items.extend(connector.snapshots.iter().map(snapshot));
    let docs = format!("What is read as a whole of {}, as data.", connector.title);
    Some(File::rust(
        format!("src/{module}/snapshots.rs"),
        rust::file(&super::crate_root::header(connector), &docs, items),
    ))
}

fn snapshot(snapshot: &Snapshot) -> TokenStream {
    let (constant, name, title, on_request) =
        (constant(snapshot), &snapshot.name, &snapshot.title, snapshot.on_request);
    let aliases = tables::texts(&snapshot.aliases);
    let read = read(snapshot);
    let (pages, every, id) = (number(snapshot.pages), number(snapshot.every), tables::texts(&snapshot.id));
    let mapping = ident(&rust_constant(&snapshot.mapping));
    let lasts = option_number(snapshot.lasts);
    let gone = snapshot.gone.as_ref().map_or_else(|| quote!(None), gone);
    let deferred = snapshot.deferred.as_ref().map_or_else(|| quote!(None), deferred);
    let doc = rust::doc(&format!("{title}: {}", snapshot.doc));
    quote! {
        #doc
        pub static #constant: Snapshot = Snapshot {
            name: #name,
            title: #title,
            aliases: #aliases,
            on_request: #on_request,
            read: &#read,
            pages: #pages,
            id: #id,
            every: #every,
            mapping: &super::mappings::#mapping,
            lasts: #lasts,
            gone: #gone,
            deferred: #deferred,
        };
    }
}

fn read(snapshot: &Snapshot) -> TokenStream {
    let (name, title) = (&snapshot.name, &snapshot.title);
    let (call, page) = (super::operations::call(&snapshot.call), tables::page(&snapshot.page));
    let mut set = vec![quote!(title: #title), quote!(repeat: Repeat::Safe), quote!(call: #call)];
    if !snapshot.query.is_empty() {
        let query = tables::literals(&snapshot.query);
        set.push(quote!(query: #query));
    }
    if let Some(body) = &snapshot.body {
        let body = tables::literal(body);
        set.push(quote!(body: Some(#body)));
    }
    if !snapshot.passing.is_empty() {
        let passing = snapshot.passing.iter().map(|status| number(*status));
        set.push(quote!(passing: &[#(#passing),*]));
    }
    set.push(quote!(page: Some(#page)));
    quote!(Operation { #(#set,)* ..Operation::named(#name) })
}

fn gone(gone: &Gone) -> TokenStream {
    let keep = gone.keep.iter().map(|path| tables::texts(path));
    let set = gone.set.iter().map(|(path, value)| {
        let (path, value) = (tables::texts(path), tables::literal(value));
        quote!((#path, #value))
    });
    quote!(Some(Gone { keep: &[#(#keep),*], set: &[#(#set),*] }))
}

fn deferred(it: &Deferred) -> TokenStream {
    let (asked, done) = (&it.asked, &it.done);
    let body = tables::literal(it.body.as_ref().unwrap_or(&serde_json::json!({})));
    let [link, status, result, items, cursor] =
        [&it.link, &it.status, &it.result, &it.items, &it.cursor].map(|path| tables::texts(path));
    let pending = tables::texts(&it.pending);
    let (every, at_most) = (number(it.every), number(it.at_most));
    quote!(Some(Deferred {
        asked: #asked,
        body: #body,
        link: #link,
        status: #status,
        pending: #pending,
        done: #done,
        result: #result,
        items: #items,
        cursor: #cursor,
        every: #every,
        at_most: #at_most,
    }))
}
