//! What was measured: a table as it comes, the same as JSON, and a comparison with an earlier run.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// A figure.
#[derive(Debug)]
struct Row {
    name: String,
    value: f64,
    unit: String,
    limit: Option<f64>,
}

/// Every figure of a run.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
    /// What the next rows are about, where their names need to be told apart.
    about: String,
    /// Whether limits mean nothing.
    unjudged: bool,
}

impl Report {
    /// One whose figures are held to no limit.
    pub fn unjudged() -> Self {
        Self { unjudged: true, ..Self::default() }
    }

    /// Prints a figure beside the most that it may be.
    pub fn row(&mut self, name: &str, value: f64, unit: &str, limit: f64) {
        let limit = if self.unjudged { f64::INFINITY } else { limit };
        let verdict = if value <= limit { "" } else { "  OVER" };
        let shown = if limit.is_finite() { format!("(at most {limit})") } else { String::new() };
        println!("{name:62} {value:9.3} {unit:8} {shown}{verdict}");
        let name = match name.strip_prefix("  ") {
            // It is about the row before.
            Some(more) => format!("{}: {more}", self.about),
            None => name.to_owned(),
        };
        if !name.contains(": beside") {
            self.about.clone_from(&name);
        }
        let limit = Some(limit).filter(|limit| limit.is_finite());
        self.rows.push(Row { name, value, unit: unit.to_owned(), limit });
    }

    /// Whether every figure is within its limit.
    pub fn is_good(&self) -> bool {
        self.rows.iter().all(|row| row.limit.is_none_or(|limit| row.value <= limit))
    }

    /// Writes it as JSON.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| json!({ "name": row.name, "value": row.value, "unit": row.unit, "limit": row.limit }))
            .collect();
        let text = format!("{:#}\n", json!({ "figures": rows }));
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Prints what has become worse than that times what an earlier run measured; says whether nothing has.
    pub fn against(&self, path: &Path, bound: f64) -> Result<bool, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let earlier: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let earlier = earlier["figures"].as_array().ok_or_else(|| format!("{}: no figures", path.display()))?;
        println!("\nAgainst {} (at most {bound} times as much):", path.display());
        let mut good = true;
        for row in &self.rows {
            let Some(before) =
                earlier.iter().find(|it| it["name"] == row.name.as_str()).and_then(|it| it["value"].as_f64())
            else {
                println!("{:62} {:9.3} {:8} new", row.name, row.value, row.unit);
                continue;
            };
            let times = row.value / before.max(f64::MIN_POSITIVE);
            let verdict = if times > bound { "  WORSE" } else { "" };
            good &= times <= bound;
            println!("{:62} {:9.3} {:8} {before:9.3} before, {times:.2} times{verdict}", row.name, row.value, row.unit);
        }
        Ok(good)
    }
}

#[cfg(test)]
mod tests {
    use super::Report;

    #[test]
    fn what_became_worse_than_the_bound_is_told_apart_from_noise() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("figures.json");
        let report = |value: f64| {
            let mut report = Report::default();
            report.row("something", value, "s", 10.0);
            report
        };
        report(1.0).write(&path).expect("a file");
        assert_eq!(report(1.2).against(&path, 1.3), Ok(true));
        assert_eq!(report(1.4).against(&path, 1.3), Ok(false));
        assert!(report(9.0).is_good() && !report(11.0).is_good());
        assert!(report(1.0).against(&folder.path().join("none"), 1.3).is_err());
    }
}
