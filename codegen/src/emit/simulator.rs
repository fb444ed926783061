//! `simulator.rs`: what the simulated service holds and does, as data.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value as Json;

use super::rust::{self, ident};
use super::tables::{self, option_number, option_text};
use crate::model::Connector;
use crate::output::File;
use crate::read::{Literal, Names};
use crate::spec::Name;
use crate::spec::simulator::{Behaviour, Collection, Failure, Simulator, Task};

/// The file, if the spec describes a simulated service.
pub fn file(connector: &Connector, module: &str) -> Option<File> {
    let simulator = connector.simulator.as_ref()?;
    let items = vec![
        quote! {
            #[allow(unused_imports)]
            use connectome_core::{operation::Method, shape::Literal};
            #[allow(unused_imports)]
            use connectome_sim::{Act, Behaviour, Collection, Failure, Scene, Service, Task, Verb};
        },
        service(connector, simulator),
        demo(connector),
        collections(simulator),
        failures(simulator),
        calls(simulator),
    ];
    let docs = format!("What the simulated {} holds and does, as data.", connector.title);
    Some(File::rust(
        format!("src/{module}/simulator.rs"),
        rust::file(&super::crate_root::header(connector), &docs, items),
    ))
}

fn service(connector: &Connector, simulator: &Simulator) -> TokenStream {
    let steps = connector.graph.iter().flat_map(|graph| &graph.steps).map(super::graph::step_constant);
    let origin = simulator.public_origin.as_ref().map_or("", |origin| origin.value.as_str());
    quote! {
        /// The simulated service.
        pub static SERVICE: Service = Service {
            connector: &super::operations::CONNECTOR,
            public_origin: #origin,
            collections: COLLECTIONS,
            failures: FAILURES,
            reads: &[#(&super::operations::#steps),*],
            calls: CALLS,
            demo: DEMO,
        };
    }
}

fn demo(connector: &Connector) -> TokenStream {
    let scenes = connector.demo.iter().map(|scene| {
        let say = &scene.say;
        let call = if let Some(action) = &scene.action {
            let name = &action.value;
            quote!(Act::Action(#name))
        } else if let Some(trigger) = &scene.trigger {
            let name = &trigger.value;
            quote!(Act::Trigger(#name))
        } else if let Some(change) = &scene.change {
            let (of, record) = (&change.of.value, &change.record);
            let set: serde_json::Map<String, Json> =
                change.set.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect();
            let set = Json::Object(set).to_string();
            quote!(Act::Change { of: #of, record: #record, set: #set })
        } else if scene.collect {
            quote!(Act::Collect)
        } else {
            quote!(Act::Sync)
        };
        let input = scene.input.as_ref().map_or_else(|| "{}".to_owned(), |literal| literal.value.to_string());
        let keep = pairs_of(&scene.keep);
        let show = scene.show.iter().map(|name| &name.value);
        let partly = scene.ends == crate::spec::demo::Ending::Partly;
        quote!(Scene { say: #say, act: #call, input: #input, keep: #keep, show: &[#(#show),*], partly: #partly })
    });
    quote!(static DEMO: &[Scene] = &[#(#scenes),*];)
}

fn collections(simulator: &Simulator) -> TokenStream {
    let all = simulator.collections.iter().map(|(name, collection)| {
        let Collection { key, count, record, also, clock, twin_every } = collection;
        let (name, key) = (&name.value, &key.value);
        let count = tables::number(*count);
        let record = json(record.as_ref());
        let also = also.iter().map(|literal| literal.value.to_string());
        let clock = option_text(clock.as_ref().map(|name| name.value.as_str()));
        let twin_every = tables::number(*twin_every);
        quote!(Collection {
            name: #name,
            key: #key,
            count: #count,
            record: #record,
            also: &[#(#also),*],
            clock: #clock,
            twin_every: #twin_every,
        })
    });
    quote!(static COLLECTIONS: &[Collection] = &[#(#all),*];)
}

fn failures(simulator: &Simulator) -> TokenStream {
    let all = simulator.errors.iter().map(|(name, failure)| {
        let Failure { status, code, message, number, bare } = failure;
        let name = &name.value;
        let status = tables::number(*status);
        let number = number.map_or_else(
            || quote!(None),
            |number| {
                let number = proc_macro2::Literal::i64_unsuffixed(number);
                quote!(Some(#number))
            },
        );
        quote!(Failure { name: #name, status: #status, code: #code, message: #message, number: #number, bare: #bare })
    });
    quote!(static FAILURES: &[Failure] = &[#(#all),*];)
}

fn calls(simulator: &Simulator) -> TokenStream {
    let all = simulator.calls.iter().map(|(call, behaviour)| self::behaviour(&call.value, behaviour));
    quote!(static CALLS: &[Behaviour] = &[#(#all),*];)
}

fn behaviour(call: &str, behaviour: &Behaviour) -> TokenStream {
    let (method, path) = call.split_once(' ').unwrap_or(("GET", call));
    let method = ident(&crate::names::rust_type(method));
    let verb = ident(&format!("{:?}", behaviour.does));
    let mut set: Vec<TokenStream> = Vec::new();
    for (key, name) in [
        ("of", &behaviour.of),
        ("order", &behaviour.order),
        ("size", &behaviour.size),
        ("select", &behaviour.select),
        ("missing", &behaviour.missing),
        ("duplicate", &behaviour.duplicate),
        ("stale", &behaviour.stale),
        ("within", &behaviour.within),
        ("location", &behaviour.location),
        ("after", &behaviour.after),
    ] {
        if let Some(name) = name {
            let (key, value) = (ident(key), option_text(Some(&name.value)));
            set.push(quote!(#key: #value));
        }
    }
    for (key, names) in [("and_of", &behaviour.and_of), ("by", &behaviour.by.0), ("counts", &behaviour.counts)] {
        if !names.is_empty() {
            let (key, names) = (ident(key), names.iter().map(|name| &name.value));
            set.push(quote!(#key: &[#(#names),*]));
        }
    }
    for (key, pairs) in [
        ("since", &behaviour.since),
        ("until", &behaviour.until),
        ("before", &behaviour.before),
        ("refers", &behaviour.refers),
        ("headers", &behaviour.headers),
    ] {
        if !pairs.0.is_empty() {
            let (key, pairs) = (ident(key), pairs_of(pairs));
            set.push(quote!(#key: #pairs));
        }
    }
    for (key, literals) in [("count_only", &behaviour.count_only), ("only_if", &behaviour.only_if)] {
        if !literals.0.is_empty() {
            let pairs: Vec<(String, Json)> =
                literals.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect();
            let (key, literals) = (ident(key), tables::literals(&pairs));
            set.push(quote!(#key: #literals));
        }
    }
    if let Some((parameter, fields)) = behaviour.target.iter().next() {
        let (parameter, fields) = (&parameter.value, fields.iter().map(|field| &field.value));
        set.push(quote!(target: Some((#parameter, &[#(#fields),*]))));
    }
    for (key, span) in
        [("usual_start", behaviour.usual_start), ("look_back", behaviour.look_back), ("widest", behaviour.widest)]
    {
        if let Some(span) = span {
            let (key, seconds) = (ident(key), option_number(Some(span.0)));
            set.push(quote!(#key: #seconds));
        }
    }
    if behaviour.up_to_now {
        set.push(quote!(up_to_now: true));
    }
    if !behaviour.sizes.is_empty() {
        let sizes = behaviour.sizes.iter().map(|size| tables::number(*size));
        set.push(quote!(sizes: &[#(#sizes),*]));
    }
    if let Some(token) = &behaviour.token {
        let token = &token.value;
        set.push(quote!(token: #token));
    }
    if behaviour.page.is_some() {
        let page = option_number(behaviour.page);
        set.push(quote!(page: #page));
    }
    if !behaviour.set.0.is_empty() {
        let fields: serde_json::Map<String, Json> =
            behaviour.set.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect();
        let text = Json::Object(fields).to_string();
        set.push(quote!(set: Some(#text)));
    }
    if let Some(task) = &behaviour.task {
        let task = self::task(task);
        set.push(quote!(task: Some(#task)));
    }
    if behaviour.answer.is_some() {
        let answer = json(behaviour.answer.as_ref());
        set.push(quote!(answer: #answer));
    }
    if let Some(header) = &behaviour.header {
        let header = &header.value;
        set.push(quote!(header: #header));
    }
    for (key, text) in [("content", &behaviour.content), ("content_type", &behaviour.content_type)] {
        if let Some(text) = text {
            let (key, value) = (ident(key), option_text(Some(text)));
            set.push(quote!(#key: #value));
        }
    }
    if behaviour.etag {
        set.push(quote!(etag: true));
    }
    quote!(Behaviour { #(#set,)* ..Behaviour::of(Method::#method, #path, Verb::#verb) })
}

fn pairs_of(pairs: &Names<Name>) -> TokenStream {
    let pairs = pairs.iter().map(|(name, value)| {
        let (name, value) = (&name.value, &value.value);
        quote!((#name, #value))
    });
    quote!(&[#(#pairs),*])
}

fn task(task: &Task) -> TokenStream {
    let (into, action) = (&task.into.value, &task.action);
    let copy = task.copy.iter().map(|name| &name.value);
    let nest = option_text(task.nest.as_ref().map(|name| name.value.as_str()));
    let result = json(task.result.as_ref());
    quote!(Task { into: #into, action: #action, copy: &[#(#copy),*], nest: #nest, result: #result })
}

/// A template as JSON text.
fn json(literal: Option<&Literal>) -> TokenStream {
    let text = literal.map(|literal| literal.value.to_string());
    option_text(text.as_deref())
}
