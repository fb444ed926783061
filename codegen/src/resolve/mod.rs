//! From the language as written to the model: names become the things they name, defaults are filled in, places are read.

pub mod data_stream;
pub mod field;
pub mod graph;
mod join;
pub mod mapping;
pub mod modelling;
pub mod operation;
pub mod page;
pub mod snapshot;
pub mod stream;
pub mod text;

use crate::diagnostic::Diagnostic;
use crate::model::{
    Connection, Connector, Enum, EnumId, ErrorBody, Model, Record, RecordId, Role, VariantId, VariantSet,
};
use crate::names::plain;
use crate::read::Problems;
use crate::source::{FileId, Source};
use crate::spec::{File, Spec};

pub use join::join;

/// Resolves every connector. Gives the specs that became one beside the model, in the same order.
///
/// A spec of which a file could not be read is left out: whatever it lacks may stand there.
pub fn resolve(specs: Vec<Spec>, sources: &[Source], problems: &Problems) -> (Vec<Spec>, Model) {
    let resolved = specs
        .into_iter()
        .filter(|spec| spec.whole)
        .filter_map(|spec| Some((connector(&spec, sources, problems)?, spec)));
    let (connectors, specs) = resolved.unzip();
    (specs, Model { connectors })
}

/// What names mean within one connector.
pub struct Scope<'a> {
    /// Its spec.
    pub spec: &'a Spec,
    /// All files.
    pub sources: &'a [Source],
    /// Where mistakes go.
    pub problems: &'a Problems,
    /// Its closed sets of values; sets written in place are added as they are met.
    pub enums: Vec<Enum>,
    /// Its records; refinements are added as they are met.
    pub records: Vec<Record>,
}

impl Scope<'_> {
    /// The record of this name.
    pub fn record(&self, name: &str) -> Option<RecordId> {
        self.spec.file.types.names().position(|known| known == name).map(RecordId)
    }

    /// The named set of values.
    pub fn enumeration(&self, name: &str) -> Option<EnumId> {
        self.spec.file.enums.names().position(|known| known == name).map(EnumId)
    }

    /// The named set of variants.
    pub fn variants(&self, name: &str) -> Option<VariantId> {
        self.spec.file.variants.names().position(|known| known == name).map(VariantId)
    }

    /// Notes a mistake.
    pub fn problem(&self, diagnostic: Diagnostic) {
        self.problems.push(diagnostic);
    }
}

fn connector(spec: &Spec, sources: &[Source], problems: &Problems) -> Option<Connector> {
    let file: &File = &spec.file;
    let first_file: FileId = *spec.files.first()?;
    let whole = crate::source::Span { file: first_file, start: 0, end: 0 };
    let Some(about) = &file.connector else {
        // It may be there under a misspelt name, which was told.
        if problems.misread_any(&spec.files) {
            return None;
        }
        problems.push(
            Diagnostic::new("no-connector", whole, format!("no file of `{}` says `connector:`", spec.folder))
                .help("say in one of them what the connector is: its name, title, version and doc"),
        );
        return None;
    };
    if !problems.misread(about.name.span) {
        fitting(about, spec, problems);
    }
    let mut scope = Scope { spec, sources, problems, enums: Vec::new(), records: Vec::new() };
    scope.enums = file.enums.iter().map(|(name, word)| field::enumeration(name, word, problems)).collect();
    for (name, ty) in file.types.iter() {
        let record = field::record(&mut scope, about.names, name, ty);
        scope.records.push(record);
    }
    let variants = variants(&mut scope);
    let connection = connection(&mut scope, whole);
    let actions: Vec<_> = file.actions.iter().map(|(name, word)| operation::action(&mut scope, name, word)).collect();
    let triggers: Vec<_> =
        file.triggers.iter().filter_map(|(name, word)| operation::trigger(&mut scope, &actions, name, word)).collect();
    let streams = stream::streams(&scope);
    let modelling = modelling::modellings(&scope);
    let graph = graph::graph(&scope);
    let mappings = mapping::mappings(&scope);
    let snapshots = snapshot::snapshots(&scope);
    let data_streams = data_stream::data_streams(&scope);
    let roles = file
        .roles
        .iter()
        .map(|(name, role)| Role {
            name: name.value.clone(),
            doc: role.doc.clone(),
            grants: role.grants,
            permissions: role
                .permissions
                .iter()
                .map(|(app, names)| (app.value.clone(), names.iter().map(|name| name.value.clone()).collect()))
                .collect(),
        })
        .collect();
    let pairs = |names: &crate::read::Names<String>| {
        names.iter().map(|(title, text)| (title.value.clone(), text.clone())).collect()
    };
    let mut made = Connector {
        name: about.name.value.clone(),
        title: about.title.clone(),
        version: about.version.clone(),
        doc: about.doc.clone(),
        source: about.source.clone(),
        benefits: about.benefits.clone(),
        requirements: about.requirements.clone(),
        set_up: about.set_up.clone(),
        remove: about.remove.clone(),
        supports: about.supports.clone(),
        names: about.names,
        troubleshooting: about.troubleshooting.clone(),
        history: pairs(&about.history),
        links: pairs(&about.links),
        references: pairs(&about.references),
        folder: folder_of(sources, first_file),
        connection: connection?,
        enums: scope.enums,
        variants,
        records: scope.records,
        actions,
        triggers,
        streams,
        collection: file.collection.clone(),
        modelling,
        roles,
        graph,
        mappings,
        snapshots,
        data_streams,
        simulator: file.simulator.clone(),
        demo: file.demo.clone(),
    };
    mark_use(&mut made);
    Some(made)
}

/// A connector's name is its folder's, a feature of the crate, a module and a word of commands.
fn fitting(about: &crate::spec::connection::Connector, spec: &Spec, problems: &Problems) {
    const TAKEN: [&str; 7] = ["cli", "core", "default", "graph", "lib", "main", "simulator"];
    let name = about.name.value.as_str();
    let wrong =
        |message: String, help: &str| problems.push(Diagnostic::new("wrong-name", about.name.span, message).help(help));
    if name != spec.folder {
        wrong(format!("the connector is called `{name}` and its folder `{}`", spec.folder), "give both the same name");
    } else if !name.starts_with(|it: char| it.is_ascii_lowercase())
        || !name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
    {
        wrong(
            format!("`{name}` cannot be the name of a connector"),
            "use small letters, digits and `-`, and begin with a letter",
        );
    } else if TAKEN.contains(&name) {
        wrong(
            format!("`{name}` is the name of a part of every crate"),
            "give the connector and its folder another name",
        );
    }
}

fn folder_of(sources: &[Source], file: FileId) -> String {
    let path = &sources[file as usize].path;
    path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"))
}

fn variants(scope: &mut Scope<'_>) -> Vec<VariantSet> {
    let file = &scope.spec.file;
    file.variants
        .iter()
        .map(|(name, keys)| VariantSet {
            name: name.value.clone(),
            keys: keys.iter().map(|(key, rules)| (key.value.clone(), field::rules(scope, rules, false).0)).collect(),
        })
        .collect()
}

fn connection(scope: &mut Scope<'_>, whole: crate::source::Span) -> Option<Connection> {
    let Some(word) = &scope.spec.file.connection else {
        if scope.problems.misread_any(&scope.spec.files) {
            return None;
        }
        scope.problem(
            Diagnostic::new("no-connection", whole, format!("no file of `{}` says `connection:`", scope.spec.folder))
                .help("say in one of them how the service is reached"),
        );
        return None;
    };
    let (sources, problems) = (scope.sources, scope.problems);
    let parameters: Vec<_> =
        word.parameters.iter().map(|(name, parameter)| field::parameter(scope, name, &parameter.common)).collect();
    let names: Vec<&str> = parameters.iter().map(|field| field.name.as_str()).collect();
    let known = |name: &str| names.contains(&name);
    let templates = [&word.base, &word.auth.value];
    for template in templates.into_iter().chain(word.headers.iter().map(|(_, value)| value)) {
        let (used, problem) = text::braces(&template.value);
        if let Some((problem, part)) = problem {
            problems.push(
                Diagnostic::new("bad-template", template.span.narrow(sources, part), problem)
                    .help("a parameter stands in a pair of braces, as `{api_key}`"),
            );
        }
        for name in used.iter().filter(|name| !known(name)) {
            let span = template.span.narrow(sources, &format!("{{{name}}}"));
            problems.push(text::unknown("unknown-parameter", "parameter", name, span, names.iter().copied()));
        }
    }
    if let Some(name) = word.verify_tls.as_ref().filter(|name| !known(&name.value)) {
        problems.push(text::unknown("unknown-parameter", "parameter", &name.value, name.span, names.iter().copied()));
    }
    let name_or = |name: &Option<crate::spec::Name>, other: &str| {
        name.as_ref().map_or(other.to_owned(), |name| name.value.clone())
    };
    Some(Connection {
        base: word.base.value.clone(),
        regions: word
            .regions
            .iter()
            .map(|(name, region)| (name.value.clone(), region.url.clone(), region.known))
            .collect(),
        auth: (name_or(&word.auth.header, "Authorization"), word.auth.value.value.clone()),
        headers: word.headers.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect(),
        verify_tls: word.verify_tls.as_ref().map(|name| name.value.clone()),
        test: text::call(&word.test.call, sources, problems),
        test_body: graph::fixed_body(&word.test.body),
        test_passing: word.test.passing.0.clone(),
        expect: word
            .test
            .expect
            .iter()
            .map(|(path, value)| (text::checked_path(path, problems), value.value.clone()))
            .collect(),
        refused: word.test.refused.clone(),
        errors: ErrorBody {
            under: word.errors.under.0.iter().map(|name| name.value.clone()).collect(),
            code: name_or(&word.errors.code, "code"),
            message: name_or(&word.errors.message, "message"),
            number: word.errors.number.as_ref().map(|name| name.value.clone()),
            in_success: word.errors.in_success,
        },
        rate_classes: word.rate_classes.iter().map(|(name, start)| (name.value.clone(), start.value.clone())).collect(),
        exhausted: word.exhausted.as_ref().map(|it| (it.header.value.clone(), plain(&it.is.value))),
        max_body: word.max_body,
        read_timeout: word.read_timeout.map_or(60, |time| time.0),
        first_pause: word.first_pause.map_or(2, |time| time.0),
        parameters,
    })
}

/// Notes which records and enums are sent and which are received, since their Rust types depend on it, and which records
/// get a table.
fn mark_use(connector: &mut Connector) {
    let inputs: Vec<_> = connector
        .actions
        .iter()
        .flat_map(|action| &action.input)
        .chain(connector.triggers.iter().flat_map(|trigger| &trigger.input))
        .chain(&connector.connection.parameters)
        .map(|field| (field.ty.clone(), field.enumeration))
        .collect();
    let steps = connector.graph.iter().flat_map(|graph| &graph.steps);
    let steps: Vec<_> = steps.filter_map(|step| Some((crate::model::Type::Record(step.record?), None))).collect();
    let outputs: Vec<_> = connector
        .actions
        .iter()
        .flat_map(|action| &action.output)
        .map(|field| (field.ty.clone(), field.enumeration))
        .chain(steps)
        .collect();
    for (fields, sent) in [(inputs, true), (outputs, false)] {
        let mut open: Vec<_> = fields;
        while let Some((ty, enumeration)) = open.pop() {
            if let Some(id) = enumeration {
                let it = &mut connector.enums[id.0];
                *(if sent { &mut it.sent } else { &mut it.open }) = true;
            }
            let Some(id) = ty.record() else { continue };
            connector.records[id.0].tabled = true;
            let base = connector.records[id.0].refines;
            for id in [Some(id), base].into_iter().flatten() {
                let record = &mut connector.records[id.0];
                let flag = if sent { &mut record.sent } else { &mut record.received };
                if !std::mem::replace(flag, true) {
                    open.extend(record.fields.iter().map(|field| (field.ty.clone(), field.enumeration)));
                }
            }
        }
    }
}
