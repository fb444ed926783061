//! `operations.rs`: what the service is asked, as data.

use proc_macro2::TokenStream;
use quote::quote;

use super::rust::{self, ident};
use super::tables;
use crate::model::data_stream::DataStream;
use crate::model::{Connector, Operation, Record, Trigger};
use crate::names::rust_constant;
use crate::output::File;
use crate::spec::operation::{Effect, Repeat};
use crate::spec::role::Grants;

/// The file.
pub fn file(connector: &Connector, module: &str) -> File {
    let mut items = vec![imports()];
    items.push(self::connector(connector));
    items.push(check_connection(connector));
    items.extend(connector.actions.iter().map(|action| operation(connector, action)));
    items.extend(super::graph::step_operations(connector));
    items.extend(connector.triggers.iter().map(|it| trigger(connector, it)));
    items.extend(connector.records.iter().filter(|record| record.tabled).map(|it| record(connector, it)));
    items.extend(connector.variants.iter().map(|set| {
        let name = ident(&format!("{}_KEYS", rust_constant(&set.name)));
        let keys = set.keys.iter().map(|(key, rules)| {
            let rules = tables::rules(rules).unwrap_or_else(|| quote!(Rules::NONE));
            quote!((#key, #rules))
        });
        quote!(static #name: &[(&str, Rules)] = &[#(#keys),*];)
    }));
    let docs = format!("What {} is asked, as data that the runtime executes.", connector.title);
    File::rust(format!("src/{module}/operations.rs"), rust::file(&super::crate_root::header(connector), &docs, items))
}

fn imports() -> TokenStream {
    quote! {
        #[allow(unused_imports)]
        use connectome_core::{
            connector::{Connector, ErrorBody, Grants, Role, Search, Test, Trigger, Window},
            convert::Convert,
            filter::{Filter, FilterPlace, Syntax},
            format::Format,
            names::NameRule,
            operation::{Call, Cap, Effect, Method, Operation, Output, Poll, Repeat},
            page::{Next, Page, PagePlace, PageSize},
            place::{Place, Source, Wire},
            shape::{Choice, Field, Literal, Record, Rules, Shape, Variant},
        };
    }
}

fn connector(connector: &Connector) -> TokenStream {
    let (name, title, version) = (&connector.name, &connector.title, &connector.version);
    let connection = &connector.connection;
    let parameters = tables::record(connector, "connection", &connection.parameters, &[], None);
    let base = &connection.base;
    let (auth, value) = &connection.auth;
    let headers = connection.headers.iter().map(|(name, value)| quote!((#name, #value)));
    let verify = tables::option_text(connection.verify_tls.as_deref());
    let refused = tables::option_text(connection.refused.as_deref());
    let expect = connection.expect.iter().map(|(path, value)| {
        let (path, value) = (tables::texts(path), tables::literal(value));
        quote!((#path, #value))
    });
    let errors = &connection.errors;
    let (under, code, message) = (tables::texts(&errors.under), &errors.code, &errors.message);
    let number = tables::option_text(errors.number.as_deref());
    let in_success = errors.in_success;
    let classes = connection.rate_classes.iter().map(|(name, start)| quote!((#name, #start)));
    let exhausted =
        connection.exhausted.as_ref().map_or_else(|| quote!(None), |(name, value)| quote!(Some((#name, #value))));
    let max_body = tables::option_number(connection.max_body);
    let timeout = tables::number(connection.read_timeout);
    let first_pause = tables::number(connection.first_pause);
    let rule = ident(&format!("{:?}", connector.names));
    let operations = connector.actions.iter().map(|it| constant(&it.name));
    let triggers = connector.triggers.iter().map(|it| constant(&it.name));
    let streams = connector.streams.iter().map(super::stream::constant);
    let search = connector.data_streams.iter().map(|DataStream { dataset, word, .. }| {
        let requests = format!("../../{}", super::elasticsearch::requests_file(connector, dataset));
        let dashboards = if word.dashboards.0.is_empty() {
            quote!("")
        } else {
            let file = format!("../../{}", super::elasticsearch::dashboards_file(connector, dataset));
            quote!(include_str!(#file))
        };
        quote!(Search { requests: include_str!(#requests), dashboards: #dashboards })
    });
    let mappings = connector.mappings.iter().map(super::mapping::constant);
    let snapshots = connector.snapshots.iter().map(super::snapshot::constant);
    let roles = connector.roles.iter().map(|role| {
        let name = &role.name;
        let grants = match role.grants {
            Grants::Unknown => quote!(Grants::Unknown),
            Grants::Everything => quote!(Grants::Everything),
            Grants::Listed => {
                let listed = tables::permissions(&role.permissions);
                quote!(Grants::Listed(#listed))
            }
        };
        quote!(Role { name: #name, grants: #grants })
    });
    let doc = rust::doc(&format!("{title}: how it is reached, and everything that can be asked of it."));
    quote! {
        #doc
        pub static CONNECTOR: Connector = Connector {
            name: #name,
            title: #title,
            version: #version,
            parameters: &#parameters,
            base: #base,
            auth: (#auth, #value),
            headers: &[#(#headers),*],
            verify_tls: #verify,
            test: Test { operation: &CHECK_CONNECTION, expect: &[#(#expect),*], refused: #refused },
            errors: ErrorBody { under: #under, code: #code, message: #message, number: #number, in_success: #in_success },
            rate_classes: &[#(#classes),*],
            exhausted: #exhausted,
            max_body: #max_body,
            read_timeout: #timeout,
            first_pause: #first_pause,
            names: NameRule::#rule,
            operations: &[#(&#operations),*],
            triggers: &[#(&#triggers),*],
            streams: &[#(&super::streams::#streams),*],
            snapshots: &[#(&super::snapshots::#snapshots),*],
            mappings: &[#(&super::mappings::#mappings),*],
            search: &[#(#search),*],
            roles: &[#(#roles),*],
            catalog: include_str!("catalog.json"),
        };
    }
}

fn check_connection(connector: &Connector) -> TokenStream {
    let call = call(&connector.connection.test);
    let body = connector.connection.test_body.as_ref().map(|body| {
        let body = tables::literal(body);
        quote!(body: Some(#body),)
    });
    let passing = connector.connection.test_passing.iter().map(|status| tables::number(*status));
    let passing = (!connector.connection.test_passing.is_empty()).then(|| quote!(passing: &[#(#passing),*],));
    let doc = rust::doc(&format!("`{}`: shows whether a connection works.", connector.connection.test.text()));
    quote! {
        #doc
        static CHECK_CONNECTION: Operation = Operation {
            title: "Check the connection",
            repeat: Repeat::Safe,
            call: #call,
            #body
            #passing
            ..Operation::named("check")
        };
    }
}

fn constant(name: &str) -> proc_macro2::Ident {
    ident(&rust_constant(name))
}

/// Method and path.
pub fn call(call: &crate::model::Call) -> TokenStream {
    let method = ident(&call.method.to_lowercase());
    let path = &call.path;
    quote!(Call::#method(#path))
}

fn operation(connector: &Connector, action: &Operation) -> TokenStream {
    let (name, constant) = (&action.name, constant(&action.name));
    let title = &action.title;
    let call = call(&action.call);
    let mut set = vec![quote!(title: #title)];
    match action.effect {
        Effect::Read => {}
        Effect::Write => set.push(quote!(effect: Effect::Write)),
        Effect::Destructive => set.push(quote!(effect: Effect::Destructive)),
    }
    if action.repeat == Repeat::Safe {
        set.push(quote!(repeat: Repeat::Safe));
    }
    if !action.permissions.is_empty() {
        let permissions = tables::permissions(&action.permissions);
        set.push(quote!(permissions: #permissions));
    }
    set.push(quote!(call: #call));
    if !action.query.is_empty() {
        let query = tables::literals(&action.query);
        set.push(quote!(query: #query));
    }
    if !action.headers.is_empty() {
        let headers = action.headers.iter().map(|(name, value)| quote!((#name, #value)));
        set.push(quote!(headers: &[#(#headers),*]));
    }
    let statuses = |statuses: &[u64]| {
        let statuses = statuses.iter().map(|it| tables::number(*it));
        quote!(&[#(#statuses),*])
    };
    if action.success != [200] {
        let success = statuses(&action.success);
        set.push(quote!(success: #success));
    }
    if action.array_of_one {
        set.push(quote!(array_of_one: true));
    }
    if !action.multi_status.is_empty() {
        let multi = statuses(&action.multi_status);
        set.push(quote!(multi_status: #multi));
    }
    if let Some(header) = &action.multi_status_task {
        set.push(quote!(multi_status_task: Some(#header)));
    }
    if action.keep_unlisted {
        set.push(quote!(keep_unlisted: true));
    }
    if let Some(page) = &action.page {
        let page = tables::page(page);
        set.push(quote!(page: Some(#page)));
    }
    if let Some(cap) = &action.cap {
        let (count, ask) = (tables::texts(&cap.count), tables::literals(&cap.ask));
        let most = tables::number(cap.at_most);
        set.push(quote!(cap: Some(Cap { count: #count, at_most: #most, ask: #ask })));
    }
    if let Some(poll) = &action.poll {
        let path = tables::option_text(poll.call.as_ref().map(|call| call.path.as_str()));
        let (status, pending, failed) =
            (tables::texts(&poll.status), tables::texts(&poll.pending), tables::texts(&poll.failed));
        let (when, seconds) = (tables::option_text(poll.when.as_deref()), tables::option_text(poll.seconds.as_deref()));
        let (every, slowest) = (tables::number(poll.every), tables::number(poll.slowest));
        set.push(quote!(poll: Some(Poll {
            call: #path, status: #status, pending: #pending, failed: #failed, when: #when, seconds: #seconds, every: #every, slowest: #slowest,
        })));
    }
    if !action.ordered.is_empty() {
        let pairs = action.ordered.iter().map(|(first, last)| quote!((#first, #last)));
        set.push(quote!(ordered: &[#(#pairs),*]));
    }
    if !action.input.is_empty() {
        let input = tables::record(connector, name, &action.input, &action.send_first, None);
        set.push(quote!(input: &#input));
    }
    let outputs = action.output.iter().map(|output| {
        let field = tables::field(connector, output);
        match &output.wrap {
            Some(key) => quote!(Output::wrapped(#field, #key)),
            None => quote!(Output::of(#field)),
        }
    });
    set.push(quote!(output: &[#(#outputs),*]));
    let doc = rust::doc(&format!("`{}`", action.call.text()));
    quote! {
        #doc
        pub static #constant: Operation = Operation { #(#set,)* ..Operation::named(#name) };
    }
}

fn trigger(connector: &Connector, trigger: &Trigger) -> TokenStream {
    let (name, title, it) = (&trigger.name, &trigger.title, constant(&trigger.name));
    let repeats = constant(&connector.actions[trigger.repeats].name);
    let input = tables::record(connector, name, &trigger.input, &[], None);
    let interval = &trigger.interval;
    let windows = trigger.windows.iter().map(|window| {
        let (first, start, end, fixed) = (&window.first, &window.start, &window.end, window.fixed);
        let overlap = tables::number(window.overlap);
        let at_most = tables::option_number(window.at_most);
        quote!(Window { first: #first, start: #start, end: #end, fixed: #fixed, overlap: #overlap, at_most: #at_most })
    });
    let seen = trigger.seen.as_ref().map_or_else(
        || quote!(None),
        |(list, by)| {
            let by = tables::texts(by);
            quote!(Some((#list, #by)))
        },
    );
    let uncapped = trigger.uncapped;
    let empty_on = trigger.empty_on.iter().map(|it| tables::number(*it));
    let doc = rust::doc(&format!("Repeats `{}`.", connector.actions[trigger.repeats].name));
    quote! {
        #doc
        pub static #it: Trigger = Trigger {
            name: #name,
            title: #title,
            operation: &#repeats,
            input: &#input,
            interval: #interval,
            windows: &[#(#windows),*],
            seen: #seen,
            empty_on: &[#(#empty_on),*],
            uncapped: #uncapped,
        };
    }
}

fn record(connector: &Connector, record: &Record) -> TokenStream {
    let table = constant(&record.table);
    let variant = record.variant.as_ref().map(|(name, value, id)| {
        let of = ident(&format!("{}_KEYS", rust_constant(&connector.variants[id.0].name)));
        quote!(&Variant { name: #name, value: #value, of: #of })
    });
    let body = tables::record(connector, &record.name, &record.fields, &record.send_first, variant);
    let doc = match record.refines {
        Some(_) => rust::doc(&format!("`{}` with the rules of one action.", record.name)),
        None => rust::doc(&record.doc),
    };
    quote! {
        #doc
        pub(crate) static #table: Record = #body;
    }
}
