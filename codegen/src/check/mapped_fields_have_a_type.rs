//! Every field that a mapping makes has one type, and what it is converted to is of that type.

use std::collections::BTreeMap;

use super::Subject;
use crate::diagnostic::{Diagnostic, nearest};
use crate::model::mapping::Path;
use crate::resolve::mapping::kind;
use crate::resolve::text;
use crate::spec::Name;
use crate::spec::mapping::{FieldType, Mapping, Stage};

pub fn check(subject: &Subject<'_>) {
    for (_, mapping) in subject.specs.iter().flat_map(|spec| spec.file.mappings.iter()) {
        if !mapping.fields.0.is_empty() {
            let types = types(subject, mapping);
            stages(subject, &types, &mapping.stages);
            if let Some(target) = &mapping.on_failure.append {
                typed(subject, &types, target, text::path(&target.value));
            }
        }
    }
}

type Types<'a> = BTreeMap<Path, (&'a Name, FieldType)>;

/// The types by path. A field that holds others is an object, and has no type of its own.
fn types<'a>(subject: &Subject<'_>, mapping: &'a Mapping) -> Types<'a> {
    let mut types = Types::new();
    for (name, field) in mapping.fields.iter() {
        let path = text::checked_path(name, subject.problems);
        types.insert(path, (name, field.ty));
    }
    for (path, (name, _)) in &types {
        let above = (1..path.len()).rev().find_map(|length| types.get(&path[..length]));
        if let Some((above, outer)) = above.filter(|(_, outer)| *outer != FieldType::Flattened) {
            let message =
                format!("`{}` has two types: {}, and an object that holds `{}`", above.value, outer.text(), name.value);
            subject.problems.push(
                Diagnostic::new("two-types", above.span, message)
                    .help("leave one of them out, or make the outer one `flattened`"),
            );
        }
    }
    types
}

fn stages(subject: &Subject<'_>, types: &Types<'_>, all: &[Stage]) {
    for stage in all {
        let within = stage.within.as_ref().map(|name| text::path(&name.value)).unwrap_or_default();
        let targets = stage
            .set
            .iter()
            .map(|(target, _)| target)
            .chain(stage.copy.iter().map(|(target, _)| target))
            .chain(stage.append.iter().map(|(target, _)| target))
            .chain(stage.now.iter().map(|(target, _)| target))
            .chain(stage.duration.iter().map(|(target, _)| target))
            .chain(&stage.original);
        for target in targets {
            typed(subject, types, target, text::path(&target.value));
        }
        for (kind_name, fields) in stage.convert.iter() {
            for field in fields {
                let whole = [within.clone(), text::path(&field.value)].concat();
                let Some(ty) = typed(subject, types, field, whole) else { continue };
                if kind(kind_name).is_none_or(|kind| kind.fits(ty)) {
                    continue;
                }
                let message =
                    format!("`{}` is converted to {} and has the type {}", field.value, kind_name.value, ty.text());
                subject.problems.push(
                    Diagnostic::new("two-types", field.span, message)
                        .help("convert it to what its type takes, or give it another type under `fields:`"),
                );
            }
        }
        stages(subject, types, &stage.stages);
    }
}

/// The type of a field; a mistake when it has none.
fn typed(subject: &Subject<'_>, types: &Types<'_>, name: &Name, path: Path) -> Option<FieldType> {
    let known = types.get(&path).map(|(_, ty)| *ty);
    let flattened =
        || (1..path.len()).any(|length| types.get(&path[..length]).is_some_and(|(_, ty)| *ty == FieldType::Flattened));
    if known.is_none() && !flattened() && !subject.problems.told(name.span) {
        let whole = path.join(".");
        let near = nearest(&whole, types.values().map(|(name, _)| name.value.as_str()));
        let help = near.map_or_else(
            || format!("add it to the mapping's fields, as `{whole}: keyword`"),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("`{whole}` has no type");
        subject.problems.push(Diagnostic::new("field-without-type", name.span, message).help(help));
    }
    known
}
