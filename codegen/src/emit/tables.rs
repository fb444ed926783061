//! Pieces of the static tables: literals, rules, shapes, places.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value as Json;

use super::rust::ident;
use crate::model::{Conditional, Connector, Field, Next, Page, PagePlace, Place, Rules, Source, Type};
use crate::names::rust_constant;
use crate::spec::field::{Converter, FilterSyntax, Format};

/// A constant.
pub fn literal(value: &Json) -> TokenStream {
    match value {
        Json::String(text) => quote!(Literal::Text(#text)),
        Json::Bool(flag) => quote!(Literal::Boolean(#flag)),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => {
                let whole = proc_macro2::Literal::i64_unsuffixed(whole);
                quote!(Literal::Integer(#whole))
            }
            None => {
                let float = proc_macro2::Literal::f64_unsuffixed(number.as_f64().unwrap_or(0.0));
                quote!(Literal::Float(#float))
            }
        },
        other => {
            let text = other.to_string();
            quote!(Literal::Json(#text))
        }
    }
}

/// `5`.
pub fn number(number: u64) -> proc_macro2::Literal {
    proc_macro2::Literal::u64_unsuffixed(number)
}

/// `&["a", "b"]`.
pub fn texts(texts: &[String]) -> TokenStream {
    quote!(&[#(#texts),*])
}

/// `&[("app", &["permission"])]`.
pub fn permissions(permissions: &[(String, Vec<String>)]) -> TokenStream {
    let apps = permissions.iter().map(|(app, names)| {
        let names = texts(names);
        quote!((#app, #names))
    });
    quote!(&[#(#apps),*])
}

/// `&[("name", Literal)]`.
pub fn literals(pairs: &[(String, Json)]) -> TokenStream {
    let pairs = pairs.iter().map(|(name, value)| {
        let value = literal(value);
        quote!((#name, #value))
    });
    quote!(&[#(#pairs),*])
}

/// How pages are found.
pub fn page(page: &Page) -> TokenStream {
    let items = texts(&page.items);
    let next = match &page.next {
        Next::None => quote!(Next::None),
        Next::Link(path) => {
            let path = texts(path);
            quote!(Next::Link(#path))
        }
        Next::Offset { query, more, at_most } => {
            let (more, at_most) = (texts(more), option_number(*at_most));
            quote!(Next::Offset { query: #query, more: #more, at_most: #at_most })
        }
        Next::After { field, place, start } => {
            let (field, place) = (texts(field), page_place(place));
            let start = start.as_ref().map_or_else(
                || quote!(None),
                |start| {
                    let start = literal(start);
                    quote!(Some(#start))
                },
            );
            quote!(Next::After { field: #field, place: #place, start: #start })
        }
        Next::Cursor { from, place } => {
            let (from, place) = (texts(from), page_place(place));
            quote!(Next::Cursor { from: #from, place: #place })
        }
    };
    let size = page.size.as_ref().map_or_else(
        || quote!(None),
        |(place, ask)| {
            let (place, ask) = (page_place(place), number(*ask));
            quote!(Some(PageSize { place: #place, ask: #ask }))
        },
    );
    quote!(Page { items: #items, next: #next, size: #size })
}

fn page_place(place: &PagePlace) -> TokenStream {
    match place {
        PagePlace::Query(name) => quote!(PagePlace::Query(#name)),
        PagePlace::Body(path) => {
            let path = texts(path);
            quote!(PagePlace::Body(#path))
        }
    }
}

/// A type.
pub fn shape(connector: &Connector, ty: &Type) -> TokenStream {
    match ty {
        Type::Text => quote!(Shape::Text),
        Type::Integer => quote!(Shape::Integer),
        Type::Float => quote!(Shape::Float),
        Type::Boolean => quote!(Shape::Boolean),
        Type::Object => quote!(Shape::Object),
        Type::Any => quote!(Shape::Any),
        Type::File => quote!(Shape::File),
        Type::List(element) => {
            let element = shape(connector, element);
            quote!(Shape::List(&#element))
        }
        Type::Record(id) => {
            let table = ident(&rust_constant(&connector.record(*id).table));
            quote!(Shape::Record(&#table))
        }
    }
}

/// A format.
pub fn format(format: Format) -> TokenStream {
    let name = ident(&std::format!("{format:?}"));
    quote!(Format::#name)
}

/// A converter.
pub fn convert(converter: Converter) -> TokenStream {
    let name = ident(&std::format!("{converter:?}"));
    quote!(Convert::#name)
}

/// Rules, or nothing when they demand nothing.
pub fn rules(rules: &Rules) -> Option<TokenStream> {
    if *rules == Rules::default() {
        return None;
    }
    let mut set: Vec<TokenStream> = Vec::new();
    if !rules.one_of.is_empty() {
        let values = rules.one_of.iter().map(literal);
        set.push(quote!(one_of: &[#(#values),*]));
    }
    if rules.any_case {
        set.push(quote!(any_case: true));
    }
    if let Some(it) = rules.format {
        let it = format(it);
        set.push(quote!(format: Some(#it)));
    }
    let counts = [
        ("min_length", rules.min_length),
        ("max_length", rules.max_length),
        ("max_bytes", rules.max_bytes),
        ("min_items", rules.min_items),
        ("max_items", rules.max_items),
        ("max_age", rules.max_age),
    ];
    for (name, value) in counts {
        if let Some(value) = value {
            let (name, value) = (ident(name), number(value));
            set.push(quote!(#name: Some(#value)));
        }
    }
    for (name, value) in [("min", rules.min), ("max", rules.max)] {
        if let Some(value) = value {
            let (name, value) = (ident(name), proc_macro2::Literal::f64_unsuffixed(value));
            set.push(quote!(#name: Some(#value)));
        }
    }
    if !rules.refuse.is_empty() {
        let values = rules.refuse.iter().map(literal);
        set.push(quote!(refuse: &[#(#values),*]));
    }
    for (name, flag) in [("round_up", rules.round_up), ("utf8", rules.utf8)] {
        if flag {
            let name = ident(name);
            set.push(quote!(#name: true));
        }
    }
    if let Some((other, endings)) = &rules.extension_by {
        let endings = endings.iter().map(|(value, ending)| quote!((#value, #ending)));
        set.push(quote!(extension_by: Some((#other, &[#(#endings),*]))));
    }
    Some(quote!(Rules { #(#set,)* ..Rules::NONE }))
}

fn wires(names: &[Conditional]) -> TokenStream {
    let names = names.iter().map(|it| {
        let name = &it.name;
        match it.when {
            None => quote!(Wire::key(#name)),
            Some(when) => {
                let when = format(when);
                quote!(Wire { name: #name, when: Some(#when) })
            }
        }
    });
    quote!(&[#(#names),*])
}

fn place(place: &Place) -> TokenStream {
    match place {
        Place::Control => quote!(Place::Control),
        Place::Path => quote!(Place::Path),
        Place::Query { name, join } => quote!(Place::Query(#name, #join)),
        Place::Header(name) => quote!(Place::Header(#name)),
        Place::Body(name) => quote!(Place::Body(#name)),
        Place::BodyItems(None) => quote!(Place::BodyItems(None)),
        Place::BodyItems(Some(key)) => quote!(Place::BodyItems(Some(#key))),
        Place::Part { name, content_type } => quote!(Place::Part(#name, #content_type)),
        Place::Unsent => quote!(Place::Unsent),
        Place::Key { names, beside } => {
            let names = wires(names);
            let beside = option_text(beside.as_deref());
            quote!(Place::Key(#names, #beside))
        }
        Place::Filter(filter) => {
            let syntax = match filter.syntax {
                FilterSyntax::Odata => quote!(Syntax::Odata),
                FilterSyntax::Lucene => quote!(Syntax::Lucene),
            };
            let goes = match (&filter.header, &filter.query) {
                (Some(name), _) => quote!(FilterPlace::Header(#name)),
                (None, name) => {
                    let name = name.as_deref().unwrap_or_default();
                    quote!(FilterPlace::Query(#name))
                }
            };
            let operator = &filter.operator;
            let max_length = option_number(filter.max_length);
            let required = filter.required;
            let names = texts(&filter.names);
            let rename = filter.rename.iter().map(|(from, to)| quote!((#from, #to)));
            quote!(Place::Filter(&Filter {
                syntax: #syntax,
                place: #goes,
                operator: #operator,
                max_length: #max_length,
                required: #required,
                names: #names,
                rename: &[#(#rename),*],
            }))
        }
    }
}

fn source(source: &Source) -> TokenStream {
    match source {
        Source::Key => quote!(Source::Key),
        Source::Body(path) => {
            let path = texts(path);
            quote!(Source::Body(#path))
        }
        Source::Header(name) => quote!(Source::Header(#name)),
        Source::Status => quote!(Source::Status),
        Source::Items => quote!(Source::Items),
        Source::CountOfItems => quote!(Source::CountOfItems),
        Source::EachAnswer => quote!(Source::EachAnswer),
        Source::Constant(value) => {
            let value = literal(value);
            quote!(Source::Constant(#value))
        }
        Source::File(names) => {
            let names = wires(names);
            quote!(Source::File(#names))
        }
    }
}

/// `None` or `Some("text")`.
pub fn option_text(text: Option<&str>) -> TokenStream {
    text.map_or_else(|| quote!(None), |text| quote!(Some(#text)))
}

/// `None` or `Some(5)`.
pub fn option_number(number: Option<u64>) -> TokenStream {
    number.map_or_else(
        || quote!(None),
        |number| {
            let number = self::number(number);
            quote!(Some(#number))
        },
    )
}

/// A field, on as few lines as its facts need.
pub fn field(connector: &Connector, field: &Field) -> TokenStream {
    let name = &field.name;
    let shape = shape(connector, &field.ty);
    let place = place(&field.place);
    let mut made = quote!(Field::new(#name, #shape, #place));
    if field.required {
        made = quote!(#made.required());
    }
    if let Some(default) = &field.default {
        let default = literal(default);
        made = quote!(#made.default(#default));
    }
    if !field.aliases.is_empty() {
        let aliases = texts(&field.aliases);
        made = quote!(#made.aliases(#aliases));
    }
    if let Some(rules) = rules(&field.rules) {
        made = quote!(#made.rules(#rules));
    }
    if field.secret {
        made = quote!(#made.secret());
    }
    if field.source != Source::Key {
        let source = source(&field.source);
        made = quote!(#made.source(#source));
    }
    if let Some(send) = field.send {
        let send = convert(send);
        made = quote!(#made.send(#send));
    }
    if let Some(with) = field.with {
        let with = convert(with);
        made = quote!(#made.with(#with));
    }
    made
}

/// A record as an expression.
pub fn record(
    connector: &Connector,
    name: &str,
    fields: &[Field],
    send_first: &[Conditional],
    variant: Option<TokenStream>,
) -> TokenStream {
    let mut set = Vec::new();
    if !fields.is_empty() {
        let fields = fields.iter().map(|it| field(connector, it));
        set.push(quote!(fields: &[#(#fields),*]));
    }
    if !send_first.is_empty() {
        let choices = send_first.iter().map(|choice| {
            let name = &choice.name;
            let when = choice.when.map_or_else(
                || quote!(None),
                |it| {
                    let it = format(it);
                    quote!(Some(#it))
                },
            );
            quote!(Choice { field: #name, when: #when })
        });
        set.push(quote!(send_first: &[#(#choices),*]));
    }
    if let Some(variant) = variant {
        set.push(quote!(variant: Some(#variant)));
    }
    if set.is_empty() { quote!(Record::named(#name)) } else { quote!(Record { #(#set,)* ..Record::named(#name) }) }
}
