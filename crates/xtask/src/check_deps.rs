//! `cargo xtask check-deps`: a crate depends only on the layers below it.
//!
//! The table is the architecture. A new edge is a change of the architecture: write a decision.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::run;

/// Crate -> the crates of this workspace it may use (development dependencies aside).
const LAYERS: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("wire", &["types"]),
    ("phi", &["types"]),
    ("sql", &["types", "phi"]),
    ("grant", &["types", "phi"]),
    ("lease", &["types"]),
    ("audit", &["types"]),
    ("proto", &["types", "phi", "grant", "lease"]),
    ("pki", &["types"]),
    ("config", &["types", "phi"]),
    ("vitals", &[]),
    ("catalog", &["types", "phi", "sql"]),
    ("store", &["types", "grant", "lease"]),
    (
        "gateway",
        &[
            "types", "wire", "phi", "sql", "catalog", "lease", "audit", "proto", "pki", "vitals",
        ],
    ),
    (
        "control",
        &[
            // sql and catalog: what `phictl explain`, `catalog` and `database` ask of a database.
            "types", "wire", "phi", "sql", "grant", "catalog", "store", "lease", "audit", "proto",
            "pki", "vitals",
        ],
    ),
    ("cluster", &[]),
    ("cli", &["types", "proto", "audit", "config", "pki"]),
    (
        "phigate",
        &[
            "types", "phi", "lease", "audit", "pki", "config", "vitals", "catalog", "gateway",
            "control", "cluster", "cli",
        ],
    ),
    ("xtask", &[]),
];

/// Crates that only tests and benches use; they may use anything.
const TEST_ONLY: &[&str] = &["testkit", "tests", "benches"];

/// Crates that must stay free of I/O: no runtime, no clock, no sockets.
const PURE: &[&str] = &["types", "wire", "phi", "sql", "grant", "lease"];

/// What a pure crate may not depend on.
const IMPURE: &[&str] = &["tokio", "sqlx", "tonic", "rustix", "socket2", "getrandom"];

/// The feature that switches the SQL layer off: no crate but the tests may name it, beside the one
/// that has it, and nothing may have it by default.
pub(crate) const TEST_FEATURE: &str = "sql-off-for-tests";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
    features: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    features: Vec<String>,
}

/// Fails with every edge that the table does not have.
pub(crate) fn run() -> anyhow::Result<()> {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in metadata()?.packages {
        let name = short(&package.name);
        if switches_off(&package) {
            wrong.push(format!("{name} may not have the feature {TEST_FEATURE}"));
        }
        if TEST_ONLY.contains(&name) {
            continue;
        }
        let Some(allowed) = layers.get(name) else {
            wrong.push(format!("{name} is not in the table of layers"));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| d.kind.is_none()) {
            let target = short(&dependency.name);
            let ours = layers.contains_key(target) || TEST_ONLY.contains(&target);
            if ours && dependency.name != target && !allowed.contains(&target) {
                wrong.push(format!("{name} may not depend on {target}"));
            }
            if PURE.contains(&name) && IMPURE.contains(&dependency.name.as_str()) {
                wrong.push(format!(
                    "{name} is pure and may not depend on {}",
                    dependency.name
                ));
            }
        }
    }
    if wrong.is_empty() {
        println!("check-deps: the layers hold");
        return Ok(());
    }
    bail!("check-deps:\n  {}", wrong.join("\n  "))
}

/// Whether building a package as it is would switch the SQL layer off, or building it with another
/// feature could.
fn switches_off(package: &Package) -> bool {
    let names = |feature: &String| feature.contains(TEST_FEATURE);
    let has = |name: &str| package.features.contains_key(name);
    let by_dependency = package
        .dependencies
        .iter()
        .any(|d| d.features.iter().any(names));
    let by_feature = package
        .features
        .iter()
        .any(|(name, enabled)| name != TEST_FEATURE && enabled.iter().any(names));
    let may_have = ["gateway", "tests"].contains(&short(&package.name));
    by_dependency || by_feature || (has(TEST_FEATURE) && !may_have)
}

fn metadata() -> anyhow::Result<Metadata> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(run::root())
        .output()
        .context("cannot start cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn short(package: &str) -> &str {
    package.strip_prefix("phigate-").unwrap_or(package)
}
