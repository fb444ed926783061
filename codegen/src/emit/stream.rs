//! `streams.rs`: how windows of time are read and what events are, as data.

use proc_macro2::TokenStream;
use quote::quote;

use super::rust::{self, ident};
use super::tables::{self, number, option_number, option_text};
use crate::model::Connector;
use crate::model::stream::{Stream, Transform};
use crate::names::rust_constant;
use crate::output::File;

/// The name of a stream's table.
pub fn constant(stream: &Stream) -> proc_macro2::Ident {
    ident(&rust_constant(&stream.name))
}

/// The file, if the spec states streams.
pub fn file(connector: &Connector, module: &str) -> Option<File> {
    if connector.streams.is_empty() {
        return None;
    }
    let mut items = vec![quote! {
        #[allow(unused_imports)]
        use connectome_core::{
            operation::{Call, Operation, Repeat},
            page::{Next, Page, PagePlace, PageSize},
            shape::Literal,
            stream::{Event, Expired, Stream, TimeForm, Transform, Window},
        };
    }];
    items.extend(connector.streams.iter().map(|it| stream(connector, it)));
    let docs = format!("The streams of {}: how events are read and what is delivered, as data.", connector.title);
    Some(File::rust(
        format!("src/{module}/streams.rs"),
        rust::file(&super::crate_root::header(connector), &docs, items),
    ))
}

fn stream(connector: &Connector, stream: &Stream) -> TokenStream {
    let (name, title, permission, on_request) = (&stream.name, &stream.title, &stream.permission, stream.on_request);
    let aliases = tables::texts(&stream.aliases);
    let read = read(connector, stream);
    let sizes = stream.page_sizes.iter().map(|size| number(*size));
    let window = window(stream);
    let event = event(stream);
    let late_by = number(stream.late_by);
    let rate = option_number(stream.requests_per_minute);
    let expired = stream.expired.as_ref().map_or_else(
        || quote!(None),
        |expired| {
            let (message, status) =
                (option_text(expired.message.as_deref()), expired.status.iter().map(|it| number(*it)));
            quote!(Some(Expired { message: #message, status: &[#(#status),*] }))
        },
    );
    let transforms = stream.transforms.iter().map(transform);
    let constant = constant(stream);
    let doc = rust::doc(&format!("{title}: {}", stream.doc));
    quote! {
        #doc
        pub static #constant: Stream = Stream {
            name: #name,
            title: #title,
            aliases: #aliases,
            permission: #permission,
            on_request: #on_request,
            read: &#read,
            page_sizes: &[#(#sizes),*],
            window: #window,
            event: #event,
            late_by: #late_by,
            requests_per_minute: #rate,
            expired: #expired,
            transforms: &[#(#transforms),*],
        };
    }
}

fn read(connector: &Connector, stream: &Stream) -> TokenStream {
    let (name, title, app, permission) = (&stream.name, &stream.title, &connector.title, &stream.permission);
    let (call, page) = (super::operations::call(&stream.call), tables::page(&stream.page));
    let mut set = vec![
        quote!(title: #title),
        quote!(repeat: Repeat::Safe),
        quote!(permissions: &[(#app, &[#permission])]),
        quote!(call: #call),
    ];
    if !stream.query.is_empty() {
        let query = tables::literals(&stream.query);
        set.push(quote!(query: #query));
    }
    if !stream.headers.is_empty() {
        let headers = stream.headers.iter().map(|(name, value)| quote!((#name, #value)));
        set.push(quote!(headers: &[#(#headers),*]));
    }
    if !stream.passing.is_empty() {
        let passing = stream.passing.iter().map(|status| number(*status));
        set.push(quote!(passing: &[#(#passing),*]));
    }
    set.push(quote!(page: Some(#page)));
    quote!(Operation { #(#set,)* ..Operation::named(#name) })
}

fn window(stream: &Stream) -> TokenStream {
    let window = &stream.window;
    let (from, to) = (&window.from, &window.to);
    let (widest, look_back) = (option_number(window.widest), option_number(window.look_back));
    let (step, cap, slack) = (number(window.step), number(window.cap), number(window.slack));
    let count = window.count.as_ref().map_or_else(
        || quote!(None),
        |count| {
            let count = tables::texts(count);
            quote!(Some(#count))
        },
    );
    quote!(Window {
        from: #from, to: #to, widest: #widest, look_back: #look_back, step: #step, cap: #cap, count: #count, slack: #slack,
    })
}

fn event(stream: &Stream) -> TokenStream {
    let id = stream.id.iter().map(|path| tables::texts(path));
    let clock = tables::texts(&stream.window.clock);
    let form = ident(&format!("{:?}", stream.window.form));
    let time = &stream.deliver_time_as;
    quote!(Event { id: &[#(#id),*], clock: #clock, form: TimeForm::#form, time: #time })
}

fn transform(transform: &Transform) -> TokenStream {
    match transform {
        Transform::Add(name, value) => {
            let value = tables::literal(value);
            quote!(Transform::Add(#name, #value))
        }
        Transform::Copy(name, from) => {
            let from = tables::texts(from);
            quote!(Transform::Copy(#name, #from))
        }
        Transform::Join(path) => {
            let path = tables::texts(path);
            quote!(Transform::Join(#path))
        }
        Transform::EpochToText(path) => {
            let path = tables::texts(path);
            quote!(Transform::EpochToText(#path))
        }
        Transform::FillNull(names) => {
            let names = tables::texts(names);
            quote!(Transform::FillNull(#names))
        }
        Transform::Drop(path) => {
            let path = tables::texts(path);
            quote!(Transform::Drop(#path))
        }
    }
}
