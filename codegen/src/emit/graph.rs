//! `graph.rs`: what records become and how they hang together, as data.

use proc_macro2::TokenStream;
use quote::quote;

use super::rust::{self, ident};
use super::tables::{self, number, option_text};
use crate::model::graph::{
    Dialect, End, Entity, From, Graph, How, Part, Path, Property, Relationship, Side, Step, Template,
};
use crate::model::{Connector, Place, RecordId};
use crate::names::{rust_constant, rust_field, rust_module, rust_type};
use crate::output::File;

/// The name of a step's operation.
pub fn step_constant(step: &Step) -> proc_macro2::Ident {
    ident(&rust_constant(&format!("step_{}", step.name)))
}

/// The operations of the steps, for `operations.rs`.
pub fn step_operations(connector: &Connector) -> Vec<TokenStream> {
    let Some(graph) = &connector.graph else { return Vec::new() };
    graph.steps.iter().flat_map(|step| operations_of(connector, step)).collect()
}

fn operations_of(connector: &Connector, step: &Step) -> Vec<TokenStream> {
    let (name, title) = (&step.name, &step.title);
    let call = super::operations::call(&step.call);
    let page = tables::page(&step.page);
    let mut set = vec![quote!(title: #title), quote!(repeat: Repeat::Safe), quote!(call: #call)];
    if let Some(permission) = &step.permission {
        let app = &connector.title;
        set.push(quote!(permissions: &[(#app, &[#permission])]));
    }
    if !step.query.is_empty() {
        let query = tables::literals(&step.query);
        set.push(quote!(query: #query));
    }
    if let Some(body) = &step.body {
        let body = tables::literal(body);
        set.push(quote!(body: Some(#body)));
    }
    set.push(quote!(page: Some(#page)));
    if let Some(record) = step.record {
        let table = ident(&rust_constant(&connector.record(record).table));
        set.push(quote!(output: &[Output::of(
            Field::new("records", Shape::List(&Shape::Record(&#table)), Place::Control).required().source(Source::Items)
        )]));
    }
    let constant = step_constant(step);
    let doc = rust::doc(&format!("`{}`: {title}, read to build the graph.", step.call.text()));
    let mut items = vec![quote! {
        #doc
        pub static #constant: Operation = Operation { #(#set),*, ..Operation::named(#name) };
    }];
    if let Some(only_if) = &step.only_if {
        let constant = only_if_constant(step);
        let (call, list) = (super::operations::call(&only_if.call), tables::texts(&only_if.list));
        let doc = rust::doc(&format!("`{}`: whether the account has {:?}.", only_if.call.text(), only_if.holds));
        items.push(quote! {
            #doc
            pub static #constant: Operation = Operation {
                title: "What the account has",
                repeat: Repeat::Safe,
                call: #call,
                page: Some(Page { items: #list, next: Next::None, size: None }),
                ..Operation::named("only_if")
            };
        });
    }
    items
}

/// A method of the client for each step whose records have a type.
pub fn readers(connector: &Connector) -> Vec<TokenStream> {
    let Some(graph) = &connector.graph else { return Vec::new() };
    let reader = |step: &Step| {
        let record = connector.record(step.record?);
        let (name, ty) = (ident(&rust_field(&step.name)), ident(&rust_type(&record.name)));
        let constant = step_constant(step);
        let doc = rust::doc(&format!("{}, one by one, fetched a page at a time (`{}`).", step.title, step.call.text()));
        Some(quote! {
            #doc
            pub fn #name(&self) -> Result<Items<#ty>, Error> {
                self.connection.items(&operations::#constant, &serde_json::Map::new())
            }
        })
    };
    graph.steps.iter().filter_map(reader).collect()
}

fn only_if_constant(step: &Step) -> proc_macro2::Ident {
    ident(&rust_constant(&format!("step_{}_only_if", step.name)))
}

/// The file, if the spec states a graph.
pub fn file(connector: &Connector, module: &str) -> Option<File> {
    let graph = connector.graph.as_ref()?;
    let tables = Tables { connector };
    let mut items = vec![
        quote! {
            #[allow(unused_imports)]
            use connectome_core::{convert::Convert, shape::Literal};
            #[allow(unused_imports)]
            use connectome_graph::table::{
                Dialect, End, Entity, From, Graph, How, Keep, OnlyIf, Part, Path, Property, Relationship, Side, Step,
                Target, Template,
            };

            use super::operations;
        },
        tables.graph(graph),
        tables.fields(graph),
    ];
    items.extend(graph.dialects.iter().map(|dialect| tables.dialect(dialect)));
    let docs = format!("The graph of {}: what its records become, as data.", connector.title);
    Some(File::rust(format!("src/{module}/graph.rs"), rust::file(&super::crate_root::header(connector), &docs, items)))
}

struct Tables<'a> {
    connector: &'a Connector,
}

/// Where something stands in its table.
fn index(at: usize) -> proc_macro2::Literal {
    proc_macro2::Literal::usize_unsuffixed(at)
}

fn dialect_module(dialect: &Dialect) -> proc_macro2::Ident {
    ident(&rust_module(&dialect.name))
}

impl Tables<'_> {
    fn graph(&self, graph: &Graph) -> TokenStream {
        let steps = graph.steps.iter().map(|step| {
            let (name, title, operation) = (&step.name, &step.title, step_constant(step));
            let after = step.after.iter().map(|it| index(*it));
            let absent = step.absent_on.iter().map(|it| number(*it));
            let permission = option_text(step.permission.as_deref());
            let only_if = step.only_if.as_ref().map_or_else(
                || quote!(None),
                |only_if| {
                    let (constant, holds) = (only_if_constant(step), &only_if.holds);
                    quote!(Some(OnlyIf { operation: &operations::#constant, holds: #holds }))
                },
            );
            quote!(Step {
                name: #name, title: #title, operation: &operations::#operation, after: &[#(#after),*],
                absent_on: &[#(#absent),*], only_if: #only_if, permission: #permission,
            })
        });
        let dialects = graph.dialects.iter().map(|dialect| {
            let module = dialect_module(dialect);
            quote!(#module::DIALECT)
        });
        let classes = graph.classes.iter().map(|(name, demands)| {
            let demands = tables::texts(demands);
            quote!((#name, #demands))
        });
        let lookups = graph.lookups.iter().map(|(name, doc)| quote!((#name, #doc)));
        quote! {
            /// The graph.
            pub static GRAPH: Graph = Graph {
                steps: &[#(#steps),*],
                dialects: &[#(#dialects),*],
                classes: &[#(#classes),*],
                lookups: &[#(#lookups),*],
            };
        }
    }

    /// Names of the records' fields on the wire: a path that names none of them does not compile.
    fn fields(&self, graph: &Graph) -> TokenStream {
        let mut open: Vec<RecordId> = graph.steps.iter().filter_map(|step| step.record).collect();
        let mut records: Vec<RecordId> = Vec::new();
        while let Some(id) = open.pop() {
            if !records.contains(&id) {
                records.push(id);
                open.extend(self.connector.record(id).fields.iter().filter_map(|field| field.ty.record()));
            }
        }
        if records.is_empty() {
            return TokenStream::new();
        }
        records.sort();
        let modules = records.iter().map(|id| {
            let record = self.connector.record(*id);
            let module = ident(&rust_module(&record.name));
            let doc = rust::doc(&record.doc);
            let constants = record.fields.iter().map(|field| {
                let (constant, doc) = (ident(&rust_constant(&field.name)), rust::doc(&field.doc));
                let wire = match &field.place {
                    Place::Key { names, .. } => names.first().map_or(&field.name, |name| &name.name),
                    _ => &field.name,
                };
                quote! {
                    #doc
                    pub const #constant: &str = #wire;
                }
            });
            quote! {
                #doc
                pub mod #module { #(#constants)* }
            }
        });
        quote! {
            /// The names of the records' fields on the wire.
            pub mod fields { #(#modules)* }
        }
    }

    fn dialect(&self, dialect: &Dialect) -> TokenStream {
        let (name, module) = (&dialect.name, dialect_module(dialect));
        let entities = dialect.entities.iter().map(|entity| self.entity(entity));
        let relationships = dialect.relationships.iter().map(|it| self.relationship(it));
        let module_doc = rust::doc(&dialect.doc);
        quote! {
            #module_doc
            mod #module {
                #[allow(unused_imports)]
                use super::*;

                pub const DIALECT: Dialect = Dialect {
                    name: #name, entities: ENTITIES, relationships: RELATIONSHIPS,
                };

                const ENTITIES: &[Entity] = &[#(#entities),*];

                const RELATIONSHIPS: &[Relationship] = &[#(#relationships),*];
            }
        }
    }

    fn entity(&self, entity: &Entity) -> TokenStream {
        let (ty, class) = (&entity.ty, tables::texts(&entity.class));
        let (step, key) = (index(entity.step), self.template(&entity.key));
        let properties = self.properties(&entity.properties);
        let secrets = entity.secrets.iter().map(|path| self.path(path));
        quote!(Entity {
            ty: #ty, class: #class, step: #step, key: #key, properties: #properties,
            secrets: &[#(#secrets),*],
        })
    }

    fn path(&self, path: &Path) -> TokenStream {
        let keys = path.keys.iter().zip(&path.through).map(|(key, through)| match through {
            Some((record, field)) => {
                let record = self.connector.record(*record);
                let (module, constant) =
                    (ident(&rust_module(&record.name)), ident(&rust_constant(&record.fields[*field].name)));
                quote!(fields::#module::#constant)
            }
            None => quote!(#key),
        });
        quote!(&[#(#keys),*])
    }

    fn template(&self, template: &Template) -> TokenStream {
        let parts = template.0.iter().map(|part| match part {
            Part::Text(text) => quote!(Part::Text(#text)),
            Part::Path(path) => {
                let path = self.path(path);
                quote!(Part::Path(#path))
            }
        });
        quote!(Template(&[#(#parts),*]))
    }

    fn properties(&self, properties: &[Property]) -> TokenStream {
        let properties = properties.iter().map(|property| self.property(property));
        quote!(&[#(#properties),*])
    }

    fn property(&self, property: &Property) -> TokenStream {
        let name = &property.name;
        let from = match &property.from {
            From::Constant(value) => {
                let value = tables::literal(value);
                quote!(From::Constant(#value))
            }
            From::Paths(paths) => {
                let paths = paths.iter().map(|path| self.path(path));
                if property.copied {
                    return quote!(Property::copied(#name, &[#(#paths),*]));
                }
                quote!(From::Paths(&[#(#paths),*]))
            }
            From::Template(template) => {
                let template = self.template(template);
                quote!(From::Template(#template))
            }
        };
        let mut set = Vec::new();
        for (field, value) in
            [("unless", &property.unless), ("equals", &property.equals), ("otherwise", &property.otherwise)]
        {
            if let Some(value) = value {
                let (field, value) = (ident(field), tables::literal(value));
                set.push(quote!(#field: Some(#value)));
            }
        }
        if let Some(with) = property.with {
            let with = tables::convert(with);
            set.push(quote!(with: Some(#with)));
        }
        if let Some(lookup) = &property.lookup {
            set.push(quote!(lookup: Some(#lookup)));
        }
        if !property.find.is_empty() {
            let find = tables::texts(&property.find);
            set.push(quote!(find: #find));
        }
        if property.list {
            set.push(quote!(list: true));
        }
        if set.is_empty() {
            return quote!(Property::of(#name, #from));
        }
        quote!(Property { #(#set),*, ..Property::of(#name, #from) })
    }

    fn relationship(&self, it: &Relationship) -> TokenStream {
        let Relationship { ty, verb, from, to, .. } = it;
        let properties = self.properties(&it.properties);
        let keep = it.least.as_ref().map_or_else(
            || quote!(Keep::First),
            |path| {
                let path = self.path(path);
                quote!(Keep::Least(#path))
            },
        );
        let collect = it.collect.iter().map(|(name, path)| {
            let path = self.path(path);
            quote!((#name, #path))
        });
        let how = match &it.how {
            How::Each { step, list, own, other } => {
                let (step, list) = (index(*step), self.path(list));
                let (own, other) = (self.end(own), self.end(other));
                quote!(How::Each { step: #step, list: #list, own: #own, other: #other })
            }
            How::Join(first, second) => {
                let (first, second) = (self.side(first), self.side(second));
                quote!(How::Join(#first, #second))
            }
            How::Target { entity, forward, filter, has, match_by } => {
                let (entity, has) = (index(*entity), self.properties(has));
                let sets = match_by.iter().map(|set| tables::texts(set));
                quote!(How::Target(Target {
                    entity: #entity, forward: #forward, filter: #filter, has: #has, match_by: &[#(#sets),*],
                }))
            }
        };
        quote!(Relationship {
            ty: #ty, verb: #verb, from: #from, to: #to, how: #how, properties: #properties,
            collect: &[#(#collect),*], keep: #keep,
        })
    }

    fn end(&self, end: &End) -> TokenStream {
        let (leaves, key) = (end.leaves, self.template(&end.key));
        quote!(End { leaves: #leaves, key: #key })
    }

    fn side(&self, side: &Side) -> TokenStream {
        let (step, value, end, tells) = (index(side.step), self.path(&side.value), self.end(&side.end), side.tells);
        quote!(Side { step: #step, value: #value, end: #end, tells: #tells })
    }
}
