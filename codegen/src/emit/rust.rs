//! Rust as text: items laid out by prettyplease, a blank line between them, a header that names the spec.

use proc_macro2::TokenStream;
use quote::quote;

/// A Rust file. `docs` becomes the module's documentation.
pub fn file(header: &str, docs: &str, items: Vec<TokenStream>) -> String {
    let mut text = format!("{header}\n\n");
    for line in docs.lines() {
        text.push_str(format!("//! {line}").trim_end());
        text.push('\n');
    }
    for item in items {
        let printed = print(item);
        if !printed.trim().is_empty() {
            text.push('\n');
            text.push_str(printed.trim_end());
            text.push('\n');
        }
    }
    text
}

/// One or more items, with air between the methods of an `impl`.
fn print(item: TokenStream) -> String {
    // A stream that is shared would be copied as it is read, so nothing is kept of it.
    let printed = match syn::parse2::<syn::File>(item) {
        Ok(file) => prettyplease::unparse(&file),
        // What an emitter builds with `quote` parses; if it ever did not, the compiler would say so.
        Err(error) => error.to_compile_error().to_string(),
    };
    let mut airy = String::with_capacity(printed.len() + printed.len() / 16);
    let mut previous = "";
    for line in printed.lines() {
        let starts = |line: &str| {
            line.starts_with("    ///") || line.starts_with("    pub fn") || line.starts_with("    pub async fn")
        };
        if previous == "}" && !line.is_empty() {
            airy.push('\n');
        }
        if previous == "    }" && (starts(line) || line.starts_with("    #[")) {
            airy.push('\n');
        }
        airy.push_str(line);
        airy.push('\n');
        previous = line;
    }
    airy
}

/// A doc comment: each paragraph's lines wrapped, so that no line runs off the screen.
pub fn doc(text: &str) -> TokenStream {
    let lines = text
        .trim()
        .lines()
        .flat_map(|line| if line.trim().is_empty() { vec![String::new()] } else { wrap(line.trim(), 100) });
    let lines = lines.map(|line| if line.is_empty() { line } else { format!(" {line}") });
    quote! { #(#[doc = #lines])* }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// An identifier.
pub fn ident(name: &str) -> proc_macro2::Ident {
    proc_macro2::Ident::new(name, proc_macro2::Span::call_site())
}
