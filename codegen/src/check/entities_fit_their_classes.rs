//! An entity has what its classes demand, under names that the platform takes.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::resolve::text::unknown;
use crate::spec::Name;

pub fn check(subject: &Subject<'_>) {
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        let Some(graph) = &connector.graph else { continue };
        for (_, entity) in spec.file.entities.iter() {
            let further = entity.dialects.iter().flat_map(|(_, dialect)| dialect.properties.iter());
            let named = entity.properties.iter().chain(further).map(|(name, _)| name);
            named.chain(&entity.copy).for_each(|name| well_named(subject, name));
            if !spec.file.classes.0.is_empty() {
                let others = entity.dialects.iter().filter_map(|(_, dialect)| dialect.class.as_ref());
                for class in others.chain([&entity.class]).flat_map(|classes| &classes.0) {
                    if spec.file.classes.get(&class.value).is_none() && !subject.problems.misread(class.span) {
                        let known = spec.file.classes.names();
                        subject.problems.push(unknown("unknown-class", "class", &class.value, class.span, known));
                    }
                }
            }
        }
        for (at, dialect) in graph.dialects.iter().enumerate() {
            for entity in &dialect.entities {
                let demands = graph.classes.iter().filter(|(class, _)| entity.class.contains(class));
                for (class, name) in demands.flat_map(|(class, names)| names.iter().map(move |name| (class, name))) {
                    let has = |it: &crate::model::graph::Entity| it.properties.iter().any(|it| it.name == *name);
                    // What the first dialect lacks is told there.
                    let told = at > 0
                        && graph.dialects[0]
                            .entities
                            .iter()
                            .any(|it| it.name == entity.name && it.class.contains(class) && !has(it));
                    if has(entity) || told {
                        continue;
                    }
                    let Some((place, _)) = spec.file.entities.iter().find(|(name, _)| name.value == entity.name) else {
                        continue;
                    };
                    let dialect = if at == 0 { String::new() } else { format!(" in the dialect `{}`", dialect.name) };
                    subject.problems.push(
                        Diagnostic::new(
                            "unmet-class",
                            place.span,
                            format!("`{}` lacks `{name}`, which `{class}` demands{dialect}", entity.name),
                        )
                        .help(format!("say where it comes from: `properties: {{ {name}: … }}`")),
                    );
                }
            }
        }
    }
}

/// Letters, digits, dots, blanks and hyphens; an underscore in front is the platform's own.
fn well_named(subject: &Subject<'_>, name: &Name) {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | ' ' | '-');
    if !name.value.is_empty() && !name.value.chars().all(fits) && !subject.problems.told(name.span) {
        subject.problems.push(
            Diagnostic::new(
                "wrong-property-name",
                name.span,
                format!("`{}` cannot be the name of a property", name.value),
            )
            .help(format!("write `{}`: letters, digits, `.`, `-` and blanks", crate::names::camel_case(&name.value))),
        );
    }
}
