//! `types.rs`: what people who write Rust work with. A struct for each input, output and record, an enum for each
//! closed set of values.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::rust::{self, ident};
use crate::model::{Connector, Enum, Field, Record, Type};
use crate::names::{rust_field, rust_type, rust_variant};
use crate::output::File;

/// The file.
pub fn file(connector: &Connector, module: &str) -> File {
    let mut items = vec![quote! {
        #[allow(unused_imports)]
        use connectome_core::{Secret, file::File};
        #[allow(unused_imports)]
        use serde::{Deserialize, Serialize};
        #[allow(unused_imports)]
        use serde_json::{Map, Value};
    }];
    for action in &connector.actions {
        let name = rust_type(&action.name);
        let input = format!("What [`{}`](super::Client::{}) takes.", action.title, rust_field(&action.name));
        items.push(structure(connector, &format!("{name}Input"), &input, &action.input, Use::Sent));
        let output = format!("What [`{}`](super::Client::{}) gives.", action.title, rust_field(&action.name));
        items.push(structure(connector, &format!("{name}Output"), &output, &action.output, Use::Received));
        items.extend(action.output.iter().filter_map(|field| wrapper(connector, &action.name, field)));
    }
    for trigger in &connector.triggers {
        let name = rust_type(&trigger.name);
        items.push(structure(
            connector,
            &format!("{name}Input"),
            &format!("What the trigger {} takes.", trigger.title),
            &trigger.input,
            Use::Sent,
        ));
    }
    items.extend(
        connector.records.iter().filter(|record| record.refines.is_none()).filter_map(|it| record(connector, it)),
    );
    let mut seen = HashSet::new();
    items.extend(
        connector.enums.iter().filter(|it| (it.sent || it.open) && seen.insert(enum_name(it))).map(enumeration),
    );
    let docs = format!("What [`Client`](super::Client) takes and gives: the types of {}.", connector.title);
    File::rust(format!("src/{module}/types.rs"), rust::file(&super::crate_root::header(connector), &docs, items))
}

/// The connection's parameters: a struct like an input's.
pub fn parameters(connector: &Connector) -> TokenStream {
    let doc = format!("What a connection to {} needs.", connector.title);
    structure(connector, "Parameters", &doc, &connector.connection.parameters, Use::Sent)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Sent,
    Received,
    Both,
}

fn record(connector: &Connector, record: &Record) -> Option<TokenStream> {
    let way = match (record.sent, record.received) {
        (true, true) => Use::Both,
        (true, false) => Use::Sent,
        (false, true) => Use::Received,
        (false, false) => return None,
    };
    Some(structure(connector, &rust_type(&record.name), &record.doc, &record.fields, way))
}

/// An output that is nested under a key gets a struct of that one field.
fn wrapper(connector: &Connector, action: &str, field: &Field) -> Option<TokenStream> {
    let key = field.wrap.as_ref()?;
    let name = ident(&wrapper_name(action, field));
    let inner = ident(&rust_field(key));
    let ty = value_type(connector, field);
    let doc = rust::doc(&field.doc);
    Some(quote! {
        #doc
        #[derive(Debug, Clone, Deserialize)]
        pub struct #name {
            #doc
            #[serde(rename = #key)]
            pub #inner: #ty,
        }
    })
}

fn wrapper_name(action: &str, field: &Field) -> String {
    format!("{}{}", rust_type(action), rust_type(&field.name))
}

fn structure(connector: &Connector, name: &str, doc: &str, fields: &[Field], way: Use) -> TokenStream {
    let struct_name = ident(name);
    let doc = rust::doc(doc);
    let owner = name.strip_suffix("Output").unwrap_or(name);
    let members = fields.iter().map(|field| member(connector, owner, field, way));
    let more = (way != Use::Sent).then(|| {
        quote! {
            /// Fields that the spec does not know yet.
            #[serde(flatten)]
            pub more: Map<String, Value>,
        }
    });
    let derives = match way {
        Use::Sent => quote!(#[derive(Debug, Clone, Serialize)]),
        Use::Received => quote!(#[derive(Debug, Clone, Deserialize)]),
        Use::Both => quote!(#[derive(Debug, Clone, Serialize, Deserialize)]),
    };
    let methods = (way == Use::Sent).then(|| methods(connector, &struct_name, fields));
    quote! {
        #doc
        #derives
        pub struct #struct_name {
            #(#members)*
            #more
        }
        #methods
    }
}

fn is_needed(field: &Field) -> bool {
    field.required && field.default.is_none()
}

fn member(connector: &Connector, owner: &str, field: &Field, way: Use) -> TokenStream {
    let name = ident(&rust_field(&field.name));
    let key = &field.name;
    let doc = rust::doc(&super::words::sentences(field));
    let rename = (name != key.as_str()).then(|| quote!(#[serde(rename = #key)]));
    let ty = match (&field.wrap, way) {
        (Some(_), Use::Received) => {
            let wrapper = ident(&format!("{owner}{}", rust_type(&field.name)));
            quote!(#wrapper)
        }
        _ => value_type(connector, field),
    };
    let needed = if way == Use::Sent { is_needed(field) } else { field.required };
    let secret = way == Use::Sent && field.secret;
    let ty = if needed && !secret { ty } else { quote!(Option<#ty>) };
    let skip = match (way, needed, secret) {
        (Use::Received, true, _) => quote!(),
        (Use::Received, false, _) => quote!(#[serde(default)]),
        (_, _, true) => {
            quote!(#[serde(skip_serializing_if = "Option::is_none", serialize_with = "connectome_core::secret::into_request")])
        }
        (_, true, false) => quote!(),
        (_, false, false) => quote!(#[serde(skip_serializing_if = "Option::is_none")]),
    };
    quote! {
        #doc
        #rename
        #skip
        pub #name: #ty,
    }
}

fn value_type(connector: &Connector, field: &Field) -> TokenStream {
    rust_of(connector, &field.ty, field)
}

fn rust_of(connector: &Connector, ty: &Type, field: &Field) -> TokenStream {
    match ty {
        Type::Text if field.secret => quote!(Secret),
        Type::Text => match field.enumeration {
            Some(id) => {
                let name = ident(&enum_name(&connector.enums[id.0]));
                quote!(#name)
            }
            None => quote!(String),
        },
        Type::Integer => quote!(i64),
        Type::Float => quote!(f64),
        Type::Boolean => quote!(bool),
        Type::Object => quote!(Map<String, Value>),
        Type::Any => quote!(Value),
        Type::File => quote!(File),
        Type::List(element) => {
            let element = rust_of(connector, element, field);
            quote!(Vec<#element>)
        }
        Type::Record(id) => {
            let name = ident(&rust_type(&connector.base(*id).name));
            quote!(#name)
        }
    }
}

/// `new` takes what is required; `with_…` sets the rest. Texts and lists are taken in any form that becomes one.
fn methods(connector: &Connector, name: &proc_macro2::Ident, fields: &[Field]) -> TokenStream {
    let needed: Vec<&Field> = fields.iter().filter(|field| is_needed(field)).collect();
    let arguments = needed.iter().map(|field| {
        let (argument, taken) = (ident(&rust_field(&field.name)), taken_type(connector, field));
        quote!(#argument: #taken)
    });
    let values = fields.iter().map(|field| {
        let member = ident(&rust_field(&field.name));
        match (is_needed(field), field.secret) {
            (true, true) => {
                let value = converted(field, &member);
                quote!(#member: Some(#value))
            }
            (true, false) => {
                let value = converted(field, &member);
                if member == value.to_string() { quote!(#member) } else { quote!(#member: #value) }
            }
            (false, _) => quote!(#member: None),
        }
    });
    let setters = fields.iter().filter(|field| !is_needed(field)).map(|field| {
        let member = ident(&rust_field(&field.name));
        let setter = ident(&format!("with_{}", rust_field(&field.name).trim_end_matches('_')));
        let (taken, value) = (taken_type(connector, field), converted(field, &member));
        let doc = rust::doc(&format!("Sets `{}`: {}", field.name, field.doc));
        quote! {
            #doc
            #[must_use]
            pub fn #setter(mut self, #member: #taken) -> Self {
                self.#member = Some(#value);
                self
            }
        }
    });
    let default = needed.is_empty().then(|| {
        quote! {
            impl Default for #name {
                fn default() -> Self {
                    Self::new()
                }
            }
        }
    });
    let doc = rust::doc(if needed.is_empty() { "Nothing is required." } else { "Takes what is required." });
    quote! {
        impl #name {
            #doc
            pub fn new(#(#arguments),*) -> Self {
                Self { #(#values),* }
            }

            #(#setters)*
        }
        #default
    }
}

fn taken_type(connector: &Connector, field: &Field) -> TokenStream {
    let ty = value_type(connector, field);
    if takes_into(field) { quote!(impl Into<#ty>) } else { ty }
}

fn converted(field: &Field, member: &proc_macro2::Ident) -> TokenStream {
    if takes_into(field) { quote!(#member.into()) } else { quote!(#member) }
}

fn takes_into(field: &Field) -> bool {
    match field.ty {
        Type::Text => field.enumeration.is_none(),
        Type::List(_) => true,
        _ => false,
    }
}

fn enum_name(it: &Enum) -> String {
    rust_type(&it.name)
}

fn enumeration(it: &Enum) -> TokenStream {
    let name = ident(&enum_name(it));
    let doc = rust::doc(&it.doc);
    let variants = it.values.iter().map(|value| {
        let variant = ident(&rust_variant(value));
        let doc = rust::doc(&format!("`{value}`"));
        quote! {
            #doc
            #[serde(rename = #value)]
            #variant,
        }
    });
    let other = it.open.then(|| {
        quote! {
            /// A value that the spec does not know yet.
            #[serde(untagged)]
            Other(String),
        }
    });
    let derives = match (it.sent, it.open) {
        (true, false) => quote!(#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]),
        (false, _) => quote!(#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]),
        (true, true) => quote!(#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]),
    };
    quote! {
        #doc
        #derives
        pub enum #name {
            #(#variants)*
            #other
        }
    }
}
