//! Known names that are like a misspelt one.

/// So alike that the other name is what was meant.
const MEANT: f64 = 0.75;

/// What to do about a name that nobody knows: what was probably meant, or names that share a word with it, or else `all`.
pub fn advice<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>, all: String) -> String {
    let wrong = wrong.to_lowercase();
    let words: Vec<&str> = wrong.split(['_', '-', ' ']).filter(|word| word.len() > 3).collect();
    let mut like: Vec<(f64, &str)> = known
        .into_iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&wrong, name), name))
        .filter(|(likeness, name)| *likeness >= MEANT || words.iter().any(|word| name.contains(word)))
        .collect();
    // Of those that are alike to the same degree the order stays.
    like.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let names: Vec<&str> = like.iter().take(6).map(|(_, name)| *name).collect();
    match like.first() {
        None => all,
        Some((likeness, name)) if *likeness >= MEANT => format!("did you mean `{name}`? {all}"),
        Some(_) => format!("perhaps: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn the_nearest_name_comes_first() {
        let known = ["get_endpoint_data", "restore_endpoint", "isolate_endpoint"];
        for (wrong, wanted) in [
            ("isolte_endpoint", "did you mean `isolate_endpoint`? all"),
            ("Isolate-Endpoint", "did you mean `isolate_endpoint`? all"),
            ("isolate", "perhaps: isolate_endpoint"),
            ("endpoint", "perhaps: restore_endpoint, isolate_endpoint, get_endpoint_data"),
            ("alerts", "all"),
            ("", "all"),
        ] {
            assert_eq!(advice(wrong, known, "all".to_owned()), wanted, "{wrong}");
        }
    }
}
