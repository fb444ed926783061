//! `client.rs`: a method for each action.

use proc_macro2::TokenStream;
use quote::quote;

use super::rust::{self, ident};
use crate::model::{Connector, Field, Operation, Source, Type};
use crate::names::{rust_constant, rust_field, rust_type};
use crate::output::File;

/// The file.
pub fn file(connector: &Connector, module: &str) -> File {
    let methods = connector.actions.iter().map(|action| method(connector, action));
    let readers = super::graph::readers(connector);
    let title = &connector.title;
    let client = rust::doc(&format!(
        "A connection to {title}, with a method for each action. Cheap to clone.\n\nEvery method checks its input first and sends nothing if any of it is wrong."
    ));
    let connect = rust::doc(&format!("Prepares a connection to {title}. Nothing is sent; see [`check`](Self::check)."));
    let items = vec![
        quote! {
            #[allow(unused_imports)]
            use connectome_core::{Connection, Error, Items, Secret, Settings};
            use serde::Serialize;
            use super::operations;
            #[allow(unused_imports)]
            use super::types::*;
        },
        quote! {
            #client
            #[derive(Debug, Clone)]
            pub struct Client {
                connection: Connection,
            }
        },
        quote! {
            impl Client {
                #connect
                pub fn connect(parameters: Parameters) -> Result<Self, Error> {
                    Self::connect_with(parameters, |_| {})
                }

                /// Prepares a connection with other than the usual settings: proxy, authority, timeouts, limits.
                pub fn connect_with(parameters: Parameters, change: impl FnOnce(&mut Settings)) -> Result<Self, Error> {
                    let mut settings = Settings::new(connectome_core::client::parameters(&parameters)?);
                    change(&mut settings);
                    Connection::new(&operations::CONNECTOR, settings).map(Self::from)
                }

                /// The connection underneath, for calls by name and for dry runs.
                pub fn connection(&self) -> &Connection {
                    &self.connection
                }

                /// Tests address, certificate and key.
                pub async fn check(&self) -> Result<(), Error> {
                    self.connection.check().await
                }

                #(#methods)*

                #(#readers)*
            }
        },
        quote! {
            impl From<Connection> for Client {
                fn from(connection: Connection) -> Self {
                    Self { connection }
                }
            }
        },
        super::types::parameters(connector),
    ];
    let docs = format!("One method for each action of {title}.");
    File::rust(format!("src/{module}/client.rs"), rust::file(&super::crate_root::header(connector), &docs, items))
}

fn method(connector: &Connector, action: &Operation) -> TokenStream {
    let name = ident(&rust_field(&action.name));
    let table = ident(&rust_constant(&action.name));
    let (input, output) =
        (ident(&format!("{}Input", rust_type(&action.name))), ident(&format!("{}Output", rust_type(&action.name))));
    let doc = rust::doc(&format!("{}\n\n{}", action.doc, super::words::facts(action)));
    let items = action
        .output
        .iter()
        .find(|output| output.source == Source::Items && action.page.as_ref().is_some_and(|page| page.goes_on()));
    let items = items.and_then(|output| item_type(connector, output)).map(|ty| {
        let reader = ident(&format!("{}_items", rust_field(&action.name)));
        let doc = rust::doc(&format!(
            "The records of [`{0}`](Self::{0}) one by one, fetched a page at a time: for results of any size.",
            rust_field(&action.name)
        ));
        quote! {
            #doc
            pub fn #reader(&self, input: &#input) -> Result<Items<#ty>, Error> {
                self.connection.items(&operations::#table, input)
            }
        }
    });
    quote! {
        #doc
        pub async fn #name(&self, input: &#input) -> Result<#output, Error> {
            self.connection.run(&operations::#table, input).await
        }

        #items
    }
}

fn item_type(connector: &Connector, output: &Field) -> Option<TokenStream> {
    match &output.ty {
        Type::List(element) => match &**element {
            Type::Record(id) => {
                let name = ident(&rust_type(&connector.base(*id).name));
                Some(quote!(#name))
            }
            _ => Some(quote!(serde_json::Value)),
        },
        _ => None,
    }
}
