//! Names and values: from specs to wires, to Rust, to people.

/// `created_date_time` is `createdDateTime`.
pub fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |joined, word| joined + &capital(word))
}

/// `created_date_time` is `Created Date Time`.
pub fn title(name: &str) -> String {
    name.split('_').filter(|word| !word.is_empty()).map(capital).collect::<Vec<_>>().join(" ")
}

/// A text with a capital at its beginning.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A value as people, headers and queries write it: text without quotes, anything else as JSON.
pub fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The words of any text, split at what no identifier may hold and before capitals.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut fresh = true;
    let mut small = false;
    for letter in text.chars() {
        if !fits(letter) {
            fresh = true;
            small = false;
            continue;
        }
        if fresh || (small && letter.is_uppercase()) {
            words.push(String::new());
        }
        fresh = false;
        small = letter.is_lowercase() || letter.is_ascii_digit();
        if let Some(word) = words.last_mut() {
            word.push(letter);
        }
    }
    if words.is_empty() {
        // Signs alone, as `<=`: their numbers tell them apart.
        words.extend(text.chars().map(|sign| format!("u{:x}", u32::from(sign))));
    }
    words
}

/// Whether a letter may stand in an identifier: `²` and `½` count as letters or digits elsewhere, and may not.
fn fits(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || (letter.is_alphanumeric() && syn::parse_str::<syn::Ident>(&format!("x{letter}")).is_ok())
}

/// An identifier of words, which needs another letter in front when it would begin with a digit.
fn identifier(joined: String, empty: &str, prefix: &str) -> String {
    let joined = if joined.is_empty() { empty.to_owned() } else { joined };
    // A keyword may begin an identifier, so its first letter is looked at alone.
    let first = joined
        .chars()
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || syn::parse_str::<syn::Ident>(&format!("{first}x")).is_ok());
    if first { joined } else { format!("{prefix}{joined}") }
}

/// A Rust type: `endpoint_data` is `EndpointData`. A name that the generated code uses itself gets a `_`.
pub fn rust_type(text: &str) -> String {
    const TAKEN: [&str; 21] = [
        "Client",
        "Connection",
        "Default",
        "Deserialize",
        "Error",
        "FnOnce",
        "From",
        "Into",
        "Items",
        "Map",
        "Option",
        "Other",
        "Parameters",
        "Result",
        "Secret",
        "Self",
        "Serialize",
        "Settings",
        "String",
        "Value",
        "Vec",
    ];
    let joined = camel(text);
    if TAKEN.contains(&joined.as_str()) { format!("{joined}_") } else { joined }
}

/// A variant of a Rust enum: `True Positive` is `TruePositive`.
pub fn rust_variant(text: &str) -> String {
    let joined = camel(text);
    if matches!(joined.as_str(), "Self" | "Other") { format!("{joined}_") } else { joined }
}

fn camel(text: &str) -> String {
    identifier(words(text).iter().map(|word| capital(&word.to_lowercase())).collect(), "Empty", "N")
}

/// A Rust field or function: `type` is `type_`. Every record keeps what it does not know in `more`.
pub fn rust_field(text: &str) -> String {
    let joined = identifier(words(text).join("_").to_lowercase(), "empty", "n");
    if is_keyword(&joined) || joined == "more" { format!("{joined}_") } else { joined }
}

/// A Rust constant: `isolate_endpoint` is `ISOLATE_ENDPOINT`.
pub fn rust_constant(text: &str) -> String {
    identifier(words(text).join("_").to_uppercase(), "EMPTY", "N")
}

/// A Rust module: `trend-vision-one` is `trend_vision_one`.
pub fn rust_module(text: &str) -> String {
    rust_field(text)
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "as" | "async"
            | "await"
            | "box"
            | "break"
            | "const"
            | "continue"
            | "crate"
            | "do"
            | "dyn"
            | "else"
            | "enum"
            | "extern"
            | "false"
            | "final"
            | "fn"
            | "for"
            | "gen"
            | "if"
            | "impl"
            | "in"
            | "let"
            | "loop"
            | "macro"
            | "match"
            | "mod"
            | "move"
            | "mut"
            | "override"
            | "priv"
            | "pub"
            | "ref"
            | "return"
            | "self"
            | "static"
            | "struct"
            | "super"
            | "trait"
            | "true"
            | "try"
            | "type"
            | "typeof"
            | "unsafe"
            | "unsized"
            | "use"
            | "virtual"
            | "where"
            | "while"
            | "yield"
            | "abstract"
            | "become"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_what_each_place_wants() {
        assert_eq!(camel_case("search_d_l"), "searchDL");
        assert_eq!(camel_case("org"), "org");
        assert_eq!(rust_type("fileSha256"), "FileSha256");
        assert_eq!(rust_variant("True Positive"), "TruePositive");
        assert_eq!(rust_variant("option"), "Option");
        assert_eq!(rust_type("option"), "Option_");
        assert_eq!(rust_type("4th"), "N4th");
        assert_eq!(rust_field("x²_½"), "x");
        assert_eq!(rust_field("größe"), "größe");
        assert_eq!(rust_constant("größe"), "GRÖSSE");
        assert_eq!(rust_field("more"), "more_");
        assert_eq!(rust_variant("<="), "U3cU3d");
        assert_eq!(rust_field("_"), "u5f");
        assert_eq!(rust_type(""), "Empty");
        assert_eq!(rust_type("macOSX"), "MacOsx");
        assert_eq!(rust_field("type"), "type_");
        assert_eq!(rust_constant("isolate_endpoint"), "ISOLATE_ENDPOINT");
        assert_eq!(rust_module("trend-vision-one"), "trend_vision_one");
        assert_eq!(title("last_used_date_time"), "Last Used Date Time");
    }
}
