//! `package.json` as data: what a start command, a prune and the table of modules ask of it.
//!
//! A broken file is no manifest; nothing in it is carried out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The parts of a `package.json` that matter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// `scripts`, by name.
    pub scripts: BTreeMap<String, String>,
    /// Names under `dependencies` and `optionalDependencies`.
    pub dependencies: BTreeSet<String>,
    /// Names under `devDependencies` that are not dependencies too.
    pub dev_dependencies: BTreeSet<String>,
    /// Names under `peerDependencies`.
    pub peer_dependencies: BTreeSet<String>,
    /// Whether it is the root of several packages.
    pub workspaces: bool,
    /// `packageManager`, as written (`pnpm@9.1.0`).
    pub package_manager: Option<String>,
    /// Whether a dependency of any kind lies in a folder of its own (`file:`, `link:`, `portal:`, `workspace:`).
    pub local_packages: bool,
}

impl Manifest {
    /// Reads the text of a `package.json`; `None` where it is no JSON object.
    pub fn parse(text: &str) -> Option<Manifest> {
        let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
        let object = value.as_object()?;
        let names = |key: &str| -> BTreeSet<String> {
            object.get(key).and_then(Value::as_object).map(|it| it.keys().cloned().collect()).unwrap_or_default()
        };
        let mut dependencies = names("dependencies");
        dependencies.extend(names("optionalDependencies"));
        let dev_dependencies = names("devDependencies").difference(&dependencies).cloned().collect();
        let scripts = object.get("scripts").and_then(Value::as_object).into_iter().flatten();
        let local = |key: &str| {
            let values = object.get(key).and_then(Value::as_object).into_iter().flatten();
            values.filter_map(|(_, value)| value.as_str()).any(|value| {
                ["file:", "link:", "portal:", "workspace:", "./", "../"].iter().any(|it| value.starts_with(it))
            })
        };
        Some(Manifest {
            scripts: scripts.filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned()))).collect(),
            local_packages: ["dependencies", "optionalDependencies", "devDependencies"].into_iter().any(local),
            dependencies,
            dev_dependencies,
            peer_dependencies: names("peerDependencies"),
            workspaces: object.contains_key("workspaces"),
            package_manager: object.get("packageManager").and_then(Value::as_str).map(str::to_owned),
        })
    }

    /// Whether the package is listed, for development or not.
    pub fn lists(&self, name: &str) -> bool {
        self.dependencies.contains(name) || self.dev_dependencies.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[test]
    fn what_is_a_dependency_too_is_none_for_development() {
        let text =
            r#"{"dependencies":{"a":"1"},"devDependencies":{"a":"1","b":"file:../b"},"scripts":{"x":"y","z":1}}"#;
        let manifest = Manifest::parse(text).expect("JSON");
        assert_eq!(manifest.dev_dependencies.into_iter().collect::<Vec<_>>(), ["b"]);
        assert_eq!(manifest.scripts.into_iter().collect::<Vec<_>>(), [("x".to_owned(), "y".to_owned())]);
        assert!(manifest.local_packages);
    }

    #[test]
    fn a_broken_file_is_no_manifest() {
        assert_eq!(Manifest::parse("{\"scripts\": "), None);
        assert_eq!(Manifest::parse("[]"), None);
    }
}
