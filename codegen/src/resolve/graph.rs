//! The graph: dialects are written out, steps and entities become numbers, paths are held against the records' types.
//!
//! What hangs together badly is told by a rule of its own; here it is left out.

use serde_json::Value as Json;

use super::{Scope, page, text};
use crate::diagnostic::Diagnostic;
use crate::model::graph::{
    Dialect, End, Entity, From, Graph, How, OnlyIf, Part, Path, Property, Relationship, Side, Step, Template,
    relationship_type,
};
use crate::model::{Place, RecordId, Type};
use crate::read::{Literal, Names};
use crate::spec::Name;
use crate::spec::graph as word;

/// The name of the dialect that the spec states first and foremost.
pub const DOCUMENTED: &str = "documented";

/// The graph of a connector, if its spec states one.
pub fn graph(scope: &Scope<'_>) -> Option<Graph> {
    let file = &scope.spec.file;
    if file.steps.0.is_empty() {
        return None;
    }
    let steps: Vec<Step> = file.steps.iter().map(|(name, word)| step(scope, name, word)).collect();
    let mut dialects = vec![dialect(scope, &steps, None, "The words of the vendor's document.")];
    dialects.extend(file.dialects.iter().map(|(name, doc)| dialect(scope, &steps, Some(&name.value), doc)));
    let classes = file
        .classes
        .iter()
        .map(|(name, demands)| (name.value.clone(), demands.iter().map(|it| it.value.clone()).collect()))
        .collect();
    let lookups = file.lookups.iter().map(|(name, doc)| (name.value.clone(), doc.clone())).collect();
    Some(Graph { steps, dialects, classes, lookups })
}

/// Fixed parts of a body as one JSON object.
pub fn fixed_body(parts: &Names<Literal>) -> Option<Json> {
    let object: serde_json::Map<String, Json> =
        parts.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect();
    (!object.is_empty()).then_some(Json::Object(object))
}

fn step(scope: &Scope<'_>, name: &Name, word: &word::Step) -> Step {
    let file = &scope.spec.file;
    let record = word.of.as_ref().and_then(|of| {
        let record = scope.record(&of.value);
        if record.is_none() && !scope.problems.misread(of.span) {
            scope.problem(text::unknown("unknown-type", "type", &of.value, of.span, file.types.names()));
        }
        record
    });
    Step {
        name: name.value.clone(),
        title: word.title.clone(),
        call: text::call(&word.read, scope.sources, scope.problems),
        query: word.query.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect(),
        body: fixed_body(&word.body),
        page: page::page(&word.page, scope.problems),
        after: word
            .after
            .iter()
            .filter_map(|before| file.steps.names().position(|name| name == before.value))
            .collect(),
        absent_on: word.absent_on.0.clone(),
        only_if: word.only_if.as_ref().map(|it| OnlyIf {
            call: text::call(&it.read, scope.sources, scope.problems),
            list: text::checked_path(&it.list, scope.problems),
            holds: it.holds.clone(),
        }),
        permission: word.permission.clone(),
        record,
    }
}

/// What one dialect is made of.
struct Words<'a> {
    scope: &'a Scope<'a>,
    steps: &'a [Step],
    /// Its name, unless it is the first.
    name: Option<&'a str>,
}

fn dialect(scope: &Scope<'_>, steps: &[Step], name: Option<&str>, doc: &str) -> Dialect {
    let words = Words { scope, steps, name };
    let file = &scope.spec.file;
    let entities: Vec<Entity> = file.entities.iter().filter_map(|(name, word)| words.entity(name, word)).collect();
    let relationships = file.relationships.iter().enumerate();
    let relationships =
        relationships.filter_map(|(number, word)| words.relationship(&entities, number, word)).collect();
    Dialect { name: name.unwrap_or(DOCUMENTED).to_owned(), doc: doc.to_owned(), entities, relationships }
}

impl Words<'_> {
    fn step(&self, name: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.name == name)
    }

    /// A path held against the type of a step's records. Every dialect reads it, and a mistake is told once.
    fn path(&self, path: &Name, record: Option<RecordId>) -> Path {
        let keys = text::path(&path.value);
        let mut through = Vec::new();
        let mut here = record;
        for key in &keys {
            // A list's element has the type that the list has.
            if key.parse::<usize>().is_ok() {
                through.push(None);
                continue;
            }
            let Some(id) = here else {
                through.push(None);
                continue;
            };
            let fields = &self.scope.records[id.0].fields;
            let wire = |field: &crate::model::Field| match &field.place {
                Place::Key { names, .. } => names.first().map_or(field.name.clone(), |name| name.name.clone()),
                _ => field.name.clone(),
            };
            match fields.iter().position(|field| wire(field) == *key) {
                Some(at) => {
                    through.push(Some((id, at)));
                    here = match fields[at].ty.innermost() {
                        Type::Record(inner) => Some(*inner),
                        _ => None,
                    };
                }
                None => {
                    if !self.scope.problems.told(path.span) {
                        let span = path.span.narrow(self.scope.sources, key);
                        let names: Vec<String> = fields.iter().map(wire).collect();
                        let record = &self.scope.records[id.0].name;
                        let told = Diagnostic::new("unknown-field", span, format!("`{record}` has no field `{key}`"));
                        self.scope.problem(match names.as_slice() {
                            [] => told.help(format!("declare the fields of `{record}`")),
                            _ => told.suggest(key, names.iter().map(String::as_str)),
                        });
                    }
                    through.push(None);
                    here = None;
                }
            }
        }
        Path { keys, through }
    }

    fn template(&self, template: &Name, record: Option<RecordId>) -> Template {
        let mut parts = Vec::new();
        let mut rest = template.value.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let Some((inner, after)) = after.split_once('}') else { break };
            let span = template.span.narrow(self.scope.sources, inner);
            parts.push(Part::Path(self.path(&Name::new(inner.to_owned(), span), record)));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Template(parts)
    }

    fn property(&self, name: &Name, source: &word::Source, record: Option<RecordId>) -> Property {
        let mut property = Property {
            name: name.value.clone(),
            from: From::Constant(Json::Null),
            copied: false,
            unless: None,
            with: None,
            lookup: None,
            equals: None,
            find: Vec::new(),
            otherwise: None,
            list: false,
        };
        match source {
            word::Source::Path(path) => property.from = From::Paths(vec![self.path(path, record)]),
            word::Source::Made(made) => {
                property.from = if let Some(constant) = &made.is {
                    From::Constant(constant.value.clone())
                } else if let Some(template) = &made.template {
                    From::Template(self.template(template, record))
                } else {
                    From::Paths(made.from.0.iter().map(|path| self.path(path, record)).collect())
                };
                let value = |literal: &Option<Literal>| literal.as_ref().map(|literal| literal.value.clone());
                property.unless = value(&made.unless);
                property.with = made.with.as_ref().map(|with| with.value);
                property.equals = value(&made.equals);
                property.find.clone_from(&made.find);
                property.otherwise = value(&made.otherwise);
                property.list = made.list;
                property.lookup = made.lookup.as_ref().map(|name| name.value.clone());
                let known = &self.scope.spec.file.lookups;
                if let Some(name) = made.lookup.as_ref().filter(|name| known.get(&name.value).is_none())
                    && !self.scope.problems.told(name.span)
                {
                    self.scope.problem(text::unknown(
                        "unknown-lookup",
                        "lookup",
                        &name.value,
                        name.span,
                        known.names(),
                    ));
                }
            }
        }
        property
    }

    fn properties(&self, sources: &Names<word::Source>, record: Option<RecordId>) -> Vec<Property> {
        sources.iter().map(|(name, source)| self.property(name, source, record)).collect()
    }

    fn entity(&self, name: &Name, word: &word::Entity) -> Option<Entity> {
        let step = self.step(&word.from.value)?;
        let record = self.steps[step].record;
        let other = self.name.and_then(|dialect| word.dialects.get(dialect));
        let class = other.and_then(|other| other.class.as_ref()).unwrap_or(&word.class);
        let key = other.and_then(|other| other.key.as_ref()).unwrap_or(&word.key);
        let mut properties: Vec<Property> = word
            .copy
            .iter()
            .map(|path| Property { copied: true, ..self.property(path, &word::Source::Path(path.clone()), record) })
            .collect();
        let further = other.map(|other| self.properties(&other.properties, record)).unwrap_or_default();
        for property in self.properties(&word.properties, record).into_iter().chain(further) {
            match properties.iter_mut().find(|it| it.name == property.name) {
                Some(before) => *before = property,
                None => properties.push(property),
            }
        }
        Some(Entity {
            name: name.value.clone(),
            resource: word.resource.clone(),
            ty: other.and_then(|other| other.ty.as_ref()).unwrap_or(name).value.clone(),
            class: class.0.iter().map(|name| name.value.clone()).collect(),
            step,
            key: self.template(key, record),
            properties,
            secrets: word.secrets.iter().map(|path| self.path(path, record)).collect(),
        })
    }

    fn relationship(&self, entities: &[Entity], number: usize, word: &word::Relationship) -> Option<Relationship> {
        let other = self.name.and_then(|dialect| word.dialects.get(dialect));
        if other.is_some_and(|other| other.absent) {
            return None;
        }
        let verb = other.and_then(|other| other.verb.as_ref()).unwrap_or(&word.verb).value.clone();
        let reversed = other.and_then(|other| other.direction) == Some(word::Direction::Reversed);
        let index = |name: &Name| entities.iter().position(|entity| entity.name == name.value);
        // With a target, the end that is an entity here may stand on either side.
        let turned = word.target.is_some() && index(&word.from).is_none();
        let from = index(if turned { &word.to } else { &word.from })?;
        let forward = reversed == turned;
        let mut told = None;
        let (how, properties, to) = if let Some(target) = &word.target {
            let record = self.steps[entities[from].step].record;
            let has = self.properties(&target.has, record);
            let match_by =
                target.match_by.iter().map(|set| set.iter().map(|name| name.value.clone()).collect()).collect();
            let filter = if turned { word.from.value.clone() } else { word.to.value.clone() };
            let how = How::Target { entity: from, forward, filter: filter.clone(), has, match_by };
            (how, self.properties(&word.properties, record), filter)
        } else {
            let to = index(&word.to)?;
            let ends = [(from, forward), (to, !forward)];
            let (how, record) = match &word.each {
                Some(each) => self.each(word, each, entities, ends)?,
                None => self.join(word, entities, ends)?,
            };
            told = record;
            (how, self.properties(&word.properties, record), entities[to].ty.clone())
        };
        let collect = word.collect.iter().map(|(name, path)| (name.value.clone(), self.path(path, told))).collect();
        let least = word.keep.as_ref().and_then(|keep| {
            let path = keep.value.strip_prefix("least ")?.trim();
            Some(self.path(&Name::new(path.to_owned(), keep.span.narrow_last(self.scope.sources, path)), told))
        });
        let (mut leaves, mut reaches) = (entities[from].ty.clone(), to);
        if reversed != turned {
            std::mem::swap(&mut leaves, &mut reaches);
        }
        let ty = match other.and_then(|other| other.ty.as_ref()) {
            Some(ty) => ty.value.clone(),
            None => relationship_type(&leaves, &verb, &reaches),
        };
        Some(Relationship { number, ty, verb, from: leaves, to: reaches, how, properties, collect, least })
    }

    /// The key of an entity, filled by one value at another path.
    fn key_by(&self, entity: &Entity, path: &Path) -> Template {
        let fill = |part: &Part| match part {
            Part::Text(text) => Part::Text(text.clone()),
            Part::Path(_) => Part::Path(path.clone()),
        };
        Template(entity.key.0.iter().map(fill).collect())
    }

    /// A path of a relationship: the step it begins with, and the rest.
    fn of_step(&self, path: &Name) -> Option<(usize, Path)> {
        let (name, rest) = path.value.split_once('.')?;
        let step = self.step(name)?;
        let rest = Name::new(rest.to_owned(), path.span.narrow_last(self.scope.sources, rest));
        Some((step, self.path(&rest, self.steps[step].record)))
    }

    fn each(
        &self,
        word: &word::Relationship,
        each: &Name,
        entities: &[Entity],
        ends: [(usize, bool); 2],
    ) -> Option<(How, Option<RecordId>)> {
        let (step, list) = self.of_step(each)?;
        let own = ends.iter().position(|(entity, _)| entities[*entity].step == step)?;
        let (own, other) = (ends[own], ends[1 - own]);
        // The type of the list's elements.
        let element = match list.through.last().copied().flatten() {
            Some((id, field)) => self.scope.records[id.0].fields[field].ty.record(),
            None => None,
        };
        let id = match &word.matching {
            Some(matching) => self.path(matching, element),
            None => Path { keys: vec![String::new()], through: vec![None] },
        };
        let how = How::Each {
            step,
            list,
            own: End { leaves: own.1, key: entities[own.0].key.clone() },
            other: End { leaves: other.1, key: self.key_by(&entities[other.0], &id) },
        };
        Some((how, element))
    }

    fn join(
        &self,
        word: &word::Relationship,
        entities: &[Entity],
        ends: [(usize, bool); 2],
    ) -> Option<(How, Option<RecordId>)> {
        let [first, second] = word.join.as_slice() else { return None };
        let sides = [self.of_step(first)?, self.of_step(second)?];
        let end_of = |step: usize| ends.iter().position(|(entity, _)| entities[*entity].step == step);
        let own = |end: (usize, bool)| End { leaves: end.1, key: entities[end.0].key.clone() };
        let [(a, a_path), (b, b_path)] = sides;
        let side = |step, value, end, tells| Side { step, value, end, tells };
        let (how, tells) = match (end_of(a), end_of(b)) {
            (Some(at), Some(_)) => {
                (How::Join(side(a, a_path, own(ends[at]), true), side(b, b_path, own(ends[1 - at]), false)), a)
            }
            (at, other) => {
                let (_, who) = self.of_step(word.who.as_ref()?)?;
                let named = at.or(other)?;
                let between = ends[1 - named];
                let end = End { leaves: between.1, key: self.key_by(&entities[between.0], &who) };
                if at.is_none() {
                    (How::Join(side(a, a_path, end, true), side(b, b_path, own(ends[named]), false)), a)
                } else {
                    (How::Join(side(a, a_path, own(ends[named]), false), side(b, b_path, end, true)), b)
                }
            }
        };
        Some((how, self.steps[tells].record))
    }
}
