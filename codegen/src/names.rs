//! Names: from specs to wires, to Rust, to people.

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

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The words of any text, split at what is neither letter nor digit and before capitals.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut fresh = true;
    let mut small = false;
    for letter in text.chars() {
        if !letter.is_alphanumeric() {
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
    words
}

/// A Rust type or variant: `True Positive` is `TruePositive`.
pub fn rust_type(text: &str) -> String {
    let joined: String = words(text).iter().map(|word| capital(&word.to_lowercase())).collect();
    let joined = if joined.is_empty() { "Empty".to_owned() } else { joined };
    let joined = if joined.starts_with(|c: char| c.is_numeric()) { format!("N{joined}") } else { joined };
    if matches!(joined.as_str(), "Self" | "Other") { format!("{joined}_") } else { joined }
}

/// A Rust field or function: `type` is `type_`.
pub fn rust_field(text: &str) -> String {
    let joined = words(text).join("_").to_lowercase();
    let joined = if joined.is_empty() { "empty".to_owned() } else { joined };
    let joined = if joined.starts_with(|c: char| c.is_numeric()) { format!("n{joined}") } else { joined };
    if is_keyword(&joined) { format!("{joined}_") } else { joined }
}

/// A Rust constant: `isolate_endpoint` is `ISOLATE_ENDPOINT`.
pub fn rust_constant(text: &str) -> String {
    let joined = words(text).join("_").to_uppercase();
    let joined = if joined.is_empty() { "EMPTY".to_owned() } else { joined };
    if joined.starts_with(|c: char| c.is_numeric()) { format!("N{joined}") } else { joined }
}

/// A Rust module: `trend-vision-one` is `trend_vision_one`.
pub fn rust_module(text: &str) -> String {
    rust_field(text)
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "as" | "async" | "await" | "box" | "break" | "const" | "continue" | "crate" | "do" | "dyn" | "else" | "enum" | "extern" | "false" | "final" | "fn" | "for" | "gen"
            | "if" | "impl" | "in" | "let" | "loop" | "macro" | "match" | "mod" | "move" | "mut" | "override" | "priv" | "pub" | "ref" | "return" | "self" | "static"
            | "struct" | "super" | "trait" | "true" | "try" | "type" | "typeof" | "unsafe" | "unsized" | "use" | "virtual" | "where" | "while" | "yield" | "abstract" | "become"
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
        assert_eq!(rust_type("True Positive"), "TruePositive");
        assert_eq!(rust_type("4th"), "N4th");
        assert_eq!(rust_type(""), "Empty");
        assert_eq!(rust_type("macOSX"), "MacOsx");
        assert_eq!(rust_field("type"), "type_");
        assert_eq!(rust_constant("isolate_endpoint"), "ISOLATE_ENDPOINT");
        assert_eq!(rust_module("trend-vision-one"), "trend_vision_one");
        assert_eq!(title("last_used_date_time"), "Last Used Date Time");
    }
}
