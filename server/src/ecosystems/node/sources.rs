//! The sources of an application as far as they are read: which packages they name, which programs they call.
//!
//! At most 64 files of at most 1 MiB, tests and build configurations left out.

use std::collections::BTreeSet;

use crate::context::{BuildContext, EntryKind};
use crate::ecosystems::Evidence;

/// How many files are read.
const MOST: usize = 64;

/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// The texts that were read.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Path and text.
    pub(super) texts: Vec<(String, String)>,
    /// Sources that were left out: too many, too large, or not at hand.
    pub(super) left_out: usize,
}

impl Sources {
    pub(super) fn of(evidence: &Evidence<'_>) -> Sources {
        let mut res = Sources::default();
        for path in all(evidence.context) {
            match evidence.context.text(&path) {
                Some(text) if res.texts.len() < MOST => res.texts.push((path, text.to_owned())),
                Some(_) | None => res.left_out += 1,
            }
        }
        res
    }

    /// A source that loads the package when it runs.
    pub(super) fn loads(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|(_, text)| names(text, name)).map(|(path, _)| path.as_str())
    }

    /// Programs that the sources are seen to start: the first word of a literal given to `spawn`, `exec` and the like.
    pub(super) fn children(&self) -> BTreeSet<String> {
        const CALLS: [&str; 7] = ["spawn(", "spawnSync(", "exec(", "execSync(", "execFile(", "execFileSync(", "execa("];
        let mut res = BTreeSet::new();
        for (_, text) in self.texts.iter().filter(|(_, text)| text.contains("child_process") || text.contains("execa"))
        {
            for call in CALLS {
                for (at, _) in text.match_indices(call) {
                    let rest = text.get(at + call.len()..).unwrap_or_default().trim_start();
                    let Some(rest) = rest.strip_prefix(['"', '\'', '`']) else { continue };
                    let word: String =
                        rest.chars().take_while(|it| it.is_ascii_alphanumeric() || "-_./".contains(*it)).collect();
                    if !word.is_empty() {
                        res.insert(word.rsplit('/').next().unwrap_or_default().to_owned());
                    }
                }
            }
        }
        res
    }
}

/// Whether a string literal of the text is the name of the package or begins with it and `/`, type imports apart.
fn names(text: &str, name: &str) -> bool {
    ['"', '\'', '`'].iter().any(|quote| {
        let start = format!("{quote}{name}");
        text.match_indices(&start).any(|(at, _)| {
            let behind = text.get(at + start.len()..).unwrap_or_default();
            behind.starts_with([*quote, '/']) && !is_type_import(text.get(..at).unwrap_or_default())
        })
    })
}

/// Whether the statement that ends here begins with `import type` or `export type`.
fn is_type_import(before: &str) -> bool {
    let at = before.rfind("import").max(before.rfind("export"));
    let Some(statement) = at.and_then(|at| before.get(at..)) else { return false };
    let rest = statement.get("import".len()..).unwrap_or_default().trim_start();
    rest.starts_with("type ") && !statement.contains([';', '"', '\'', '`'])
}

/// Sources that are read, in the order of their worth.
pub(super) fn wanted(context: &BuildContext) -> Vec<String> {
    all(context).into_iter().take(MOST).collect()
}

fn all(context: &BuildContext) -> Vec<String> {
    if !context.known {
        return Vec::new();
    }
    let files =
        context.entries.iter().filter(|(_, it)| it.kind == EntryKind::File && !it.ignored && it.bytes <= LARGEST);
    let mut res: Vec<String> = files.filter(|(path, _)| is_source(path)).map(|(path, _)| path.clone()).collect();
    res.sort_by_key(|path| (path.matches('/').count(), path.clone()));
    res
}

/// Whether a file may run in production: JavaScript or TypeScript, no test, no build configuration.
fn is_source(path: &str) -> bool {
    const ENDS: [&str; 9] = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx", ".vue"];
    const FOLDERS: [&str; 16] = [
        "node_modules",
        "test",
        "tests",
        "__tests__",
        "__mocks__",
        "spec",
        "e2e",
        "cypress",
        "docs",
        "coverage",
        ".git",
        "stories",
        "examples",
        ".storybook",
        ".github",
        ".husky",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_config = name.contains(".config.") && !name.starts_with("next.config.") && !name.starts_with("nuxt.config.");
    let is_tool = ["gulpfile.", "Gruntfile.", ".eslintrc", ".prettierrc", ".babelrc", "karma.", "jest.", "vitest."]
        .iter()
        .any(|it| name.starts_with(it));
    let is_test = [".test.", ".spec.", ".stories.", ".d.ts", ".min.js"].iter().any(|it| name.contains(it));
    ENDS.iter().any(|it| name.ends_with(it))
        && !is_config
        && !is_tool
        && !is_test
        && !path.split('/').any(|part| FOLDERS.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn type_imports_load_nothing() {
        assert!(names("import m from 'morgan';", "morgan"));
        assert!(names("require(\"morgan/lib\")", "morgan"));
        assert!(!names("import type {\n A } from 'morgan';", "morgan"));
        assert!(!names("import a from 'morgana';", "morgan"));
        assert!(names("import type { A } from 'b';\nimport m from 'morgan'", "morgan"));
    }
}
