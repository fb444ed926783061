//! Paths of calls: what each leads to, and which of them a request fits.

use percent_encoding::percent_decode_str;

use crate::http::Request;

/// The values of a path's parameters.
pub type Parameters = Vec<(&'static str, String)>;

/// Where a method and a path lead.
#[derive(Debug)]
pub struct Route<T> {
    method: &'static str,
    template: &'static str,
    /// What stands before the first parameter. Most templates differ there, and each is asked about each request.
    fixed: &'static str,
    /// What it leads to.
    pub to: T,
}

impl<T> Route<T> {
    /// A route; the template has its parameters in braces.
    pub fn new(method: &'static str, template: &'static str, to: T) -> Self {
        Self { method, template, fixed: template.split('{').next().unwrap_or_default(), to }
    }

    /// The path's parameters, if the request takes this route.
    pub fn fits(&self, request: &Request, path: &str) -> Option<Parameters> {
        if self.method != request.method || !path.starts_with(self.fixed) {
            return None;
        }
        let mut parts = path.split('/');
        let mut parameters = Vec::new();
        for wanted in self.template.split('/') {
            let given = parts.next()?;
            match wanted.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
                Some(name) if !given.is_empty() => {
                    parameters.push((name, percent_decode_str(given).decode_utf8().ok()?.into_owned()))
                }
                Some(_) => return None,
                None if wanted == given => {}
                None => return None,
            }
        }
        parts.next().is_none().then_some(parameters)
    }
}
