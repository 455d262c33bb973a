//! What keeps the repository in order: the walls between the layers, the lists that are written from the folders, and
//! the small rules of style that no linter knows.
//!
//! A list that is not up to date is written, and the test fails once: run it again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use plimsoll::config::names::kebab;
use plimsoll::rules;

/// The layers from the bottom to the top, as in `server/src/lib.rs`. A module uses those of earlier rows, its own
/// submodules, and of its own row only what is named in `NEIGHBOURS`.
const LAYERS: &[&[&str]] = &[
    &["date", "memo", "text", "weight", "table"],
    &["expand"],
    &["segment", "syntax"],
    &["document"],
    &["shell"],
    &["model", "lower"],
    &["config", "context", "images", "measured", "packages"],
    &["facts"],
    &["size", "ecosystems"],
    &["rules"],
    &["assists", "features"],
    &["analysis"],
    &["disk", "registry", "engine"],
    &["lsp", "cli"],
];

/// Arrows inside a row: from, to.
const NEIGHBOURS: &[(&str, &str)] =
    &[("context", "packages"), ("images", "packages"), ("lower", "model"), ("weight", "text")];

/// Files that may be longer than `LONGEST` lines, and why. A file of nothing but tests may too.
const LONG: &[(&str, &str)] = &[
    ("server/src/config/read.rs", "one reader for TOML and JSON, with the tests of its reports"),
    ("server/src/lower/instruction.rs", "one function an instruction, in BuildKit's order"),
    ("server/src/rules.rs", "holds the list of all rules"),
    ("server/src/shell/tree.rs", "one function a node of the grammar"),
];

const LONGEST: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder, with its path from the root.
fn sources(folder: &str) -> BTreeMap<String, String> {
    let mut res = BTreeMap::new();
    let mut waiting: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(path) = waiting.pop() {
        for entry in fs::read_dir(&path).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).expect("it lies below the root").to_string_lossy().into_owned();
                res.insert(name.replace('\\', "/"), fs::read_to_string(&path).expect("it is text"));
            }
        }
    }
    assert!(!res.is_empty(), "there are no sources below {folder}");
    res
}

/// Fails once with "written, run again" when a file of the repository is not what it should be.
fn written(path: &str, text: &str) {
    let whole = root().join(path);
    let old = fs::read_to_string(&whole).unwrap_or_default().replace("\r\n", "\n");
    if old == text {
        return;
    }
    fs::create_dir_all(whole.parent().expect("it lies in a folder")).expect("the folder can be made");
    fs::write(&whole, text).expect("it can be written");
    panic!("{path} written, run again");
}

/// Whether a file holds nothing but tests.
fn is_tests(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("_tests.rs")
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

/// The module at the top of the library that a file belongs to.
fn module_of(path: &str) -> &str {
    let below = path.strip_prefix("server/src/").unwrap_or(path);
    below.split(['/', '.']).next().unwrap_or(below)
}

/// The modules named behind `crate::` in a file, without those of its tests.
fn used(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut res = Vec::new();
    for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for behind in line.split("crate::").skip(1) {
            let name: String = behind.chars().take_while(|it| it.is_ascii_lowercase() || *it == '_').collect();
            // `use crate::{a, b}` hides the arrows; it is not used here.
            assert!(!behind.starts_with('{'), "write one `use crate::` line a module: {line}");
            res.push(name);
        }
    }
    res
}

#[test]
fn a_module_uses_only_the_layers_below_it() {
    let mut wrong = Vec::new();
    for (path, text) in sources("server/src") {
        let from = module_of(&path).to_owned();
        // The root, the program itself and the test texts see everything.
        if matches!(from.as_str(), "lib" | "main" | "fixture") || is_tests(&path) {
            continue;
        }
        let Some(from_layer) = layer(&from) else {
            wrong.push(format!("{path}: the layer of `{from}` is not known (LAYERS in tests/tidy.rs)"));
            continue;
        };
        for to in used(&text) {
            let allowed = to == from
                || layer(&to).is_some_and(|it| it < from_layer)
                || NEIGHBOURS.contains(&(from.as_str(), to.as_str()));
            if !allowed {
                wrong.push(format!("{path}: `{from}` may not use `{to}`"));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_and_is_not_too_long() {
    let mut wrong = Vec::new();
    for (path, text) in sources("server/src") {
        let n_lines = text.lines().count();
        if !text.starts_with("//!") {
            wrong.push(format!("{path}: begins with `//!` and what it is"));
        }
        if n_lines > LONGEST && !is_tests(&path) && !LONG.iter().any(|(long, _)| *long == path) {
            wrong.push(format!("{path}: {n_lines} lines, {LONGEST} at most"));
        }
        for (number, line) in text.lines().enumerate() {
            let number = number + 1;
            if line.contains("TODO") && !line.contains("TODO(#") {
                wrong.push(format!("{path}:{number}: a TODO names its issue, TODO(#12)"));
            }
            if line.contains("println!") {
                wrong.push(format!("{path}:{number}: standard output and standard error have one place each"));
            }
            if line.trim_start().starts_with("use super::*") {
                wrong.push(format!("{path}:{number}: the import list says what the file depends on"));
            }
        }
    }
    for (path, _) in LONG {
        assert!(root().join(path).exists(), "{path} is gone, take it out of LONG");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The folders of rules: one a group, and one for BuildKit's checks, which have a group each.
const RULES: &[&str] = &["buildkit", "cache", "correctness", "security", "size", "style"];

/// The rules in a folder of `server/src/rules`: files with a `RULE` of their own.
fn rule_modules(folder: &str) -> Vec<String> {
    let is_rule = |(path, text): (&String, &String)| {
        let name = path.strip_prefix(&format!("server/src/rules/{folder}/"))?.strip_suffix(".rs")?;
        (!name.contains('/') && text.contains("pub static RULE: Rule")).then(|| name.to_owned())
    };
    sources("server/src/rules").iter().filter_map(is_rule).collect()
}

/// A rule's name as the name of its file: `apt-lists-left` and `StageNameCasing` in words with `_` between.
fn file_name(rule: &str) -> String {
    kebab(rule).replace('-', "_")
}

/// What stands between two marker comments replaced.
fn between(text: &str, name: &str, lines: &[String]) -> String {
    let begin = format!("// {name}: written by tests/tidy.rs from the folder.\n");
    let end = format!("// End of {name}.\n");
    let (head, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("the marker `{}` is there", begin.trim()));
    let (_, tail) = rest.split_once(&end).unwrap_or_else(|| panic!("the marker `{}` is there", end.trim()));
    format!("{head}{begin}{}{end}{tail}", lines.concat())
}

#[test]
fn the_list_of_rules_is_the_folder() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("it is there").replace("\r\n", "\n");
    let mut all: Vec<(String, &str)> = Vec::new();
    for folder in RULES {
        let modules = rule_modules(folder);
        let mods: Vec<String> = modules.iter().map(|name| format!("pub mod {name};\n")).collect();
        let path = format!("server/src/rules/{folder}.rs");
        written(&path, &between(&read(&path), "Modules of the rules", &mods));
        all.extend(modules.into_iter().map(|name| (name, *folder)));
    }
    all.sort();
    let lines: Vec<String> = std::iter::once("#[rustfmt::skip]\npub static ALL: &[&Rule] = &[\n".to_owned())
        .chain(all.iter().map(|(name, folder)| format!("    &{folder}::{name}::RULE,\n")))
        .chain(std::iter::once("];\n".to_owned()))
        .collect();
    let path = "server/src/rules.rs";
    written(path, &between(&read(path), "List of the rules", &lines));
    let names: Vec<String> = rules::ALL.iter().map(|rule| file_name(rule.name)).collect();
    assert_eq!(names, all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), "a rule's file has its name");
    for (rule, (name, folder)) in rules::ALL.iter().zip(&all) {
        assert!(*folder == "buildkit" || rule.group.name() == *folder, "{name} lies in the folder of its group");
    }
}

#[test]
fn the_page_of_the_rules_is_what_the_rules_say() {
    let mut res = String::from(
        "# Rules\n\n<!-- Written by tests/tidy.rs from server/src/rules. -->\n\n\
         `plimsoll explain NAME` shows the same text.\n\
         *safe* and *review* say whether a fix may be applied unasked.\n\
         A comment `# plimsoll: allow NAME — reason` directly above an instruction allows what is found in it.\n\n\
         | rule | group | severity | default | other names |\n|---|---|---|---|---|\n",
    );
    for rule in rules::ALL {
        let name = rule.name;
        let default = if rule.on { "on" } else { "off" };
        let (group, severity, also) = (rule.group.name(), rule.severity.name(), rule.also.join(", "));
        let anchor = name.to_ascii_lowercase();
        res.push_str(&format!("| [{name}](#{anchor}) | {group} | {severity} | {default} | {also} |\n"));
    }
    for rule in rules::ALL {
        let other = match rule.also {
            [] => String::new(),
            names => format!(", also {}", names.join(", ")),
        };
        let default = if rule.on { "" } else { ", off by default" };
        let (group, severity, doc) = (rule.group.name(), rule.severity.name(), rule.doc.trim());
        res.push_str(&format!("\n## {}\n\n*{group}, {severity}{default}{other}*\n\n{doc}\n", rule.name));
    }
    res.push_str("\n## Notes on comments\n\nThese are about `allow` comments themselves; they have no group.\n");
    for note in rules::Note::ALL {
        res.push_str(&format!("\n**{}** ({}). {}\n", note.id(), note.severity().name(), note.doc()));
    }
    written("docs/rules.md", &res);
}
