//! The graph in words, for pages, the catalog and `connectome describe`: what is read, what it becomes, and what the same
//! thing is called in each dialect.

use serde_json::{Map, Value as Json, json};

use crate::model::graph::{
    Dialect, End, Entity, From, Graph, How, Part, Path, Property, Relationship, Side, Step, Template,
};
use crate::model::{Next, Page};
use crate::names::plain;
use crate::spec::field::Converter;

/// A step: what it asks, how its pages are found, what it needs.
pub fn step(graph: &Graph, step: &Step) -> Json {
    let before: Vec<&str> = step.after.iter().map(|at| graph.steps[*at].name.as_str()).collect();
    let mut absent = Vec::new();
    if let Some(only_if) = &step.only_if {
        absent.push(format!("`{}` does not list `{}`", only_if.call.text(), only_if.holds));
    }
    absent.extend(step.absent_on.iter().map(|status| format!("the answer is {status}")));
    json!({
        "name": step.name,
        "title": step.title,
        "call": step.call.text(),
        "pages": pages(&step.page),
        "at_most": at_most(&step.page),
        "permission": step.permission,
        "after": before,
        "absent_if": absent.join(", or "),
    })
}

fn at_most(page: &Page) -> Option<u64> {
    match &page.next {
        Next::Offset { at_most, .. } => *at_most,
        _ => None,
    }
}

fn pages(page: &Page) -> String {
    let size = page.size.as_ref().map(|(_, ask)| format!("{ask} at a time")).unwrap_or_default();
    let way = match &page.next {
        Next::None => return [size, "one page".to_owned()].into_iter().find(|it| !it.is_empty()).unwrap_or_default(),
        Next::Link(_) => "each page names the next".to_owned(),
        Next::Offset { at_most: Some(most), .. } => format!("by number, the first {most} and no more"),
        Next::Offset { .. } => "by number".to_owned(),
        Next::After { field, .. } => format!("each begins behind the last `{}`", field.join(".")),
        Next::Cursor { .. } => "by a cursor".to_owned(),
    };
    if size.is_empty() { way } else { format!("{size}, {way}") }
}

/// An entity with its properties.
pub fn entity(graph: &Graph, entity: &Entity) -> Map<String, Json> {
    let step = &graph.steps[entity.step];
    let class = match entity.class.as_slice() {
        [class] => json!(class),
        classes => json!(classes),
    };
    let json = json!({
        "resource": entity.resource,
        "_type": entity.ty,
        "_class": class,
        "_key": template(&entity.key),
        "step": step.name,
        "made_from": step.title,
        "call": step.call.text(),
        "properties": properties(&entity.properties),
        "never_kept": entity.secrets.iter().map(path).collect::<Vec<_>>(),
    });
    object(json)
}

/// A relationship between two entities of the account, or with one of another integration.
pub fn relationship(graph: &Graph, dialect: &Dialect, edge: &Relationship) -> Map<String, Json> {
    let collected = edge.collect.iter().map(|(name, path)| {
        json!({ "name": name, "from": format!("`{}`", self::path(path)), "rule": "of all such relationships between the two, with commas" })
    });
    let json = json!({
        "from": edge.from,
        "verb": edge.verb,
        "to": edge.to,
        "_type": edge.ty,
        "found": found(graph, dialect, edge),
        "properties": properties(&edge.properties).into_iter().chain(collected).collect::<Vec<_>>(),
    });
    let mut json = object(json);
    if let How::Target { entity, forward, has, match_by, filter } = &edge.how {
        let by = |name: &String| {
            let property = has.iter().find(|property| property.name == *name);
            let (from, rule) = property.map(said).unwrap_or_default();
            let rule = if rule.is_empty() { rule } else { format!(" ({rule})") };
            format!("its `{name}` is {from}{rule}")
        };
        let sets: Vec<String> =
            match_by.iter().map(|set| set.iter().map(by).collect::<Vec<_>>().join(" and ")).collect();
        json.insert("matched_by".to_owned(), json!(sets.join("; or ")));
        json.insert("direction".to_owned(), json!(if *forward { "forward" } else { "reverse" }));
        json.insert("entity".to_owned(), json!(dialect.entities[*entity].ty));
        json.insert("target".to_owned(), json!(filter));
    }
    json
}

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(object) => object,
        _ => Map::new(),
    }
}

/// When a relationship is there.
fn found(graph: &Graph, dialect: &Dialect, edge: &Relationship) -> String {
    match &edge.how {
        How::Each { step, list, other, .. } => {
            format!("each of `{}` in {} names `{}`", path(list), graph.steps[*step].title, template(&other.key))
        }
        How::Join(first, second) => {
            let side = |side: &Side| format!("`{}` in {}", path(&side.value), graph.steps[side.step].title);
            let mut text = format!("{} equals {}", side(first), side(second));
            for side in [first, second].into_iter().filter(|side| between(dialect, edge, side)) {
                let step = &graph.steps[side.step].title;
                text.push_str(&format!("; {step} names `{}`", template(&side.end.key)));
            }
            if let Some(least) = &edge.least {
                text.push_str(&format!(
                    "; of several between the same two, the one with the least `{}` stays",
                    path(least)
                ));
            }
            text
        }
        How::Target { .. } => "in the local graph".to_owned(),
    }
}

/// Whether a side's records lie between the two ends.
fn between(dialect: &Dialect, edge: &Relationship, side: &Side) -> bool {
    let End { leaves, .. } = side.end;
    let ty = if leaves { &edge.from } else { &edge.to };
    dialect.entities.iter().find(|entity| entity.ty == *ty).is_some_and(|entity| entity.step != side.step)
}

fn properties(all: &[Property]) -> Vec<Json> {
    let word = |property: &Property| {
        let (from, rule) = said(property);
        json!({ "name": property.name, "from": from, "rule": rule })
    };
    all.iter().map(word).collect()
}

/// Where a property comes from, and what is done on the way.
fn said(property: &Property) -> (String, String) {
    let from = match &property.from {
        From::Constant(value) => return ("–".to_owned(), format!("always `{}`", plain(value))),
        From::Template(template) => format!("`{}`", self::template(template)),
        From::Paths(paths) => {
            paths.iter().map(|path| format!("`{}`", self::path(path))).collect::<Vec<_>>().join(", else ")
        }
    };
    let mut rule = Vec::new();
    if matches!(property.from, From::Template(_)) {
        rule.push("filled in".to_owned());
    }
    if let Some(value) = &property.equals {
        rule.push(format!("true when it is `{}`, else false", plain(value)));
    }
    if !property.find.is_empty() {
        let words: Vec<String> = property.find.iter().map(|word| format!("`{word}`")).collect();
        rule.push(format!("the one of {} that stands first in it, in any case", words.join(", ")));
    }
    if let Some(with) = property.with {
        rule.push(converter(with));
    }
    if let Some(lookup) = &property.lookup {
        rule.push(format!("looked up in `{lookup}`"));
    }
    match &property.unless {
        Some(Json::Null) => rule.push("absent when null".to_owned()),
        Some(value) => rule.push(format!("absent when it is `{}`", plain(value))),
        None if property.copied => rule.push("absent when null".to_owned()),
        None => {}
    }
    if let Some(value) = &property.otherwise {
        rule.push(format!("`{}` when there is none", plain(value)));
    }
    if property.list {
        rule.push("as a list of one".to_owned());
    }
    (from, rule.join("; "))
}

fn converter(converter: Converter) -> String {
    let doc = Converter::ALL.iter().find(|(.., known)| *known == converter).map_or("", |(_, doc, _)| doc);
    let mut letters = doc.trim_end_matches('.').chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn path(path: &Path) -> String {
    path.keys.join(".")
}

fn template(template: &Template) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Path(path) if path.keys.iter().all(String::is_empty) => "{the element}".to_owned(),
        Part::Path(path) => format!("{{{}}}", self::path(path)),
    };
    template.0.iter().map(part).collect()
}

/// What the first dialect's words are in every other: a row for each thing whose word differs somewhere, with the first
/// dialect's word before the others'.
pub fn migration(graph: &Graph) -> Json {
    let Some((documented, others)) = graph.dialects.split_first() else { return Json::Null };
    let mut entities = Rows::default();
    let mut rules = Rows::default();
    let mut queries = Rows::default();
    for entity in &documented.entities {
        let twins: Vec<Option<&Entity>> = others.iter().map(|other| twin(other, &entity.name)).collect();
        let word = |entity: &Entity| format!("`{}`, {}, key `{}`", entity.ty, classes(entity), template(&entity.key));
        entities.row(word(entity), twins.iter().map(|twin| twin.map(word)));
        let query = |entity: &Entity| format!("`FIND {}`", entity.ty);
        queries.row(query(entity), twins.iter().map(|twin| twin.map(query)));
        let query = |entity: &Entity| {
            let classes: Vec<String> = entity.class.iter().map(|class| format!("`FIND {class}`")).collect();
            classes.join(" or ")
        };
        queries.row(query(entity), twins.iter().map(|twin| twin.map(query)));
        let mut names: Vec<&str> = entity.properties.iter().map(|property| property.name.as_str()).collect();
        for property in twins.iter().flatten().flat_map(|twin| &twin.properties) {
            if !names.contains(&property.name.as_str()) {
                names.push(&property.name);
            }
        }
        for name in names {
            let word = |entity: &Entity| {
                let property = entity.properties.iter().find(|property| property.name == name);
                property.map_or("absent".to_owned(), |property| {
                    let (from, rule) = said(property);
                    [from, rule].into_iter().filter(|it| !it.is_empty() && it != "–").collect::<Vec<_>>().join("; ")
                })
            };
            rules.named(format!("`{name}` of `{}`", entity.ty), word(entity), twins.iter().map(|twin| twin.map(word)));
        }
    }
    let mut edges = Rows::default();
    for edge in &documented.relationships {
        let twins: Vec<Option<&Relationship>> =
            others.iter().map(|other| other.relationships.iter().find(|it| it.number == edge.number)).collect();
        let word = |edge: &Relationship| format!("`{}` **{}** `{}`, type `{}`", edge.from, edge.verb, edge.to, edge.ty);
        edges.row(word(edge), twins.iter().map(|twin| twin.map(word)));
        let query = |edge: &Relationship| format!("`FIND {} THAT {} >> {}`", edge.from, edge.verb, edge.to);
        queries.row(query(edge), twins.iter().map(|twin| twin.map(query)));
    }
    let names: Vec<&str> = graph.dialects.iter().map(|dialect| dialect.name.as_str()).collect();
    json!({
        "dialects": names,
        "entities": entities.0,
        "relationships": edges.0,
        "properties": rules.0,
        "queries": queries.0,
    })
}

fn twin<'a>(dialect: &'a Dialect, name: &str) -> Option<&'a Entity> {
    dialect.entities.iter().find(|entity| entity.name == name)
}

fn classes(entity: &Entity) -> String {
    entity.class.iter().map(|class| format!("`{class}`")).collect::<Vec<_>>().join(" and ")
}

/// Rows of a table of migration: those in which all say the same are left out, and so are rows that are there already.
#[derive(Default)]
struct Rows(Vec<Vec<String>>);

impl Rows {
    fn row(&mut self, first: String, others: impl Iterator<Item = Option<String>>) {
        let row: Vec<String> = Self::cells(first, others);
        if row[1..].iter().any(|cell| cell != "the same") && !self.0.contains(&row) {
            self.0.push(row);
        }
    }

    fn named(&mut self, name: String, first: String, others: impl Iterator<Item = Option<String>>) {
        let row = Self::cells(first, others);
        if row[1..].iter().any(|cell| cell != "the same") {
            self.0.push([name].into_iter().chain(row).collect());
        }
    }

    fn cells(first: String, others: impl Iterator<Item = Option<String>>) -> Vec<String> {
        let others = others.map(|other| match other {
            None => "absent".to_owned(),
            Some(other) if other == first => "the same".to_owned(),
            Some(other) => other,
        });
        let others: Vec<String> = others.collect();
        [first].into_iter().chain(others).collect()
    }
}

/// What a program needs to know of a dialect beside the first: its words for the first dialect's types.
pub fn words(documented: &Dialect, dialect: &Dialect) -> Map<String, Json> {
    let entities = documented.entities.iter().filter_map(|entity| {
        let other = twin(dialect, &entity.name)?;
        let differs = |it: &&Property| !entity.properties.iter().any(|known| said(known) == said(it) && known.name == it.name);
        let differing: Vec<Property> = other.properties.iter().filter(differs).cloned().collect();
        let same = other.ty == entity.ty && other.class == entity.class && differing.is_empty();
        (!same).then(|| {
            json!({ "documented": entity.ty, "_type": other.ty, "_class": other.class, "properties": properties(&differing) })
        })
    });
    let mut edges: Vec<Json> = Vec::new();
    for edge in &documented.relationships {
        let word = match dialect.relationships.iter().find(|it| it.number == edge.number) {
            None => json!({ "documented": edge.ty, "absent": true }),
            Some(other) if (&other.ty, &other.from, &other.verb) == (&edge.ty, &edge.from, &edge.verb) => continue,
            Some(other) => {
                json!({ "documented": edge.ty, "_type": other.ty, "from": other.from, "verb": other.verb, "to": other.to })
            }
        };
        if !edges.contains(&word) {
            edges.push(word);
        }
    }
    object(json!({ "entities": entities.collect::<Vec<_>>(), "relationships": edges }))
}
