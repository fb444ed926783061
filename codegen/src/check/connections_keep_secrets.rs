//! What proves who asks is a secret, and a base begins with an address, which commands and simulators can set.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::resolve::text::braces;
use crate::spec::field::Format;

pub fn check(subject: &Subject<'_>) {
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        let Some(word) = &spec.file.connection else { continue };
        let parameter = |name: &str| {
            let (known, said) = word.parameters.iter().find(|(known, _)| known.value == name)?;
            let field = connector.connection.parameters.iter().find(|field| field.name == name)?;
            (!subject.problems.misread(said.common.rules.span)).then_some((field, known.span))
        };
        for name in braces(&connector.connection.auth.1).0 {
            if let Some((_, place)) = parameter(&name).filter(|(field, _)| !field.secret) {
                subject.problems.push(
                    Diagnostic::new("open-secret", place, format!("`{name}` proves who asks, and is not a secret"))
                        .label("it would be printed and logged")
                        .help("write `type: secret`"),
                );
            }
        }
        let base = &connector.connection.base;
        let first = braces(base).0.into_iter().next().filter(|name| base.starts_with(&format!("{{{name}}}")));
        let Some(first) = first else { continue };
        if let Some((_, place)) = parameter(&first).filter(|(field, _)| field.rules.format != Some(Format::BaseUrl)) {
            subject.problems.push(
                Diagnostic::new("bad-base", place, format!("`{first}` says where the service runs, and is no address"))
                    .label("the simulated service could not take its place")
                    .help("give it `format: base_url`"),
            );
        }
    }
}
