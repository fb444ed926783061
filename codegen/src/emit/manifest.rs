//! `Cargo.toml` of the crate.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use super::Layout;
use crate::model::Model;
use crate::output::{File, MARK};

/// The manifest, built as a document: it cannot fail to parse and so never locks anyone out of the generator.
pub fn file(model: &Model, layout: &Layout) -> File {
    let mut manifest = DocumentMut::new();
    manifest.decor_mut().set_prefix(format!("{MARK}\n"));
    let mut package = Table::new();
    package["name"] = value("connectome");
    package["description"] = value("Connectors for security operations, generated from specs.");
    package["default-run"] = value("connectome");
    if layout.standalone {
        package["version"] = value("0.1.0");
        package["edition"] = value("2024");
    } else {
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            let mut inherited = Table::new();
            inherited.set_dotted(true);
            inherited["workspace"] = value(true);
            package[key] = Item::Table(inherited);
        }
    }
    manifest["package"] = Item::Table(package);
    let mut binary = Table::new();
    binary["name"] = value("connectome");
    binary["path"] = value("src/main.rs");
    binary["required-features"] = value(texts(["cli"]));
    let mut binaries = toml_edit::ArrayOfTables::new();
    binaries.push(binary);
    manifest["bin"] = Item::ArrayOfTables(binaries);
    manifest["features"] = Item::Table(features(model));
    manifest["dependencies"] = Item::Table(dependencies(layout));
    if layout.standalone {
        let mut workspace = Table::new();
        workspace.set_implicit(false);
        manifest["workspace"] = Item::Table(workspace);
        manifest["profile"] = Item::Table(profile());
    }
    File::new("Cargo.toml".to_owned(), manifest.to_string())
}

/// What this repository builds with: a crate on its own counts as carefully, and is no larger.
fn profile() -> Table {
    let mut release = Table::new();
    release["overflow-checks"] = value(true);
    release["strip"] = value("symbols");
    release["codegen-units"] = value(16);
    let mut profile = Table::new();
    profile.set_implicit(true);
    profile["release"] = Item::Table(release);
    profile
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Array {
    texts.into_iter().collect()
}

fn features(model: &Model) -> Table {
    let mut features = Table::new();
    let all = std::iter::once("cli").chain(model.connectors.iter().map(|connector| connector.name.as_str()));
    features["default"] = value(texts(all));
    features["cli"] = value(texts(["graph", "simulator", "dep:connectome-cli"]));
    features["graph"] = value(texts(["dep:connectome-graph"]));
    features["simulator"] = value(texts(["dep:connectome-sim"]));
    for connector in &model.connectors {
        features[&connector.name] = value(Array::new());
    }
    features
}

fn dependencies(layout: &Layout) -> Table {
    let mut dependencies = Table::new();
    for (name, room, optional) in [
        ("connectome-core", "core", false),
        ("connectome-graph", "graph", true),
        ("connectome-sim", "sim", true),
        ("connectome-cli", "cli", true),
    ] {
        let mut table = InlineTable::new();
        table.insert("path", Value::from(format!("{}/{room}", layout.runtime)));
        if optional {
            table.insert("optional", Value::from(true));
        }
        dependencies[name] = value(table);
    }
    for (name, version, features) in
        [("serde", "1", vec!["derive"]), ("serde_json", "1", vec!["preserve_order", "raw_value"])]
    {
        let mut table = InlineTable::new();
        if layout.standalone {
            table.insert("version", Value::from(version));
            table.insert("features", Value::Array(texts(features)));
        } else {
            table.insert("workspace", Value::from(true));
        }
        dependencies[name] = value(table);
    }
    dependencies
}
