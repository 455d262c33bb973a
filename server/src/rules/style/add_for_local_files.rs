//! `add-for-local-files`: ADD, where COPY says what is meant.

use crate::context::{BuildContext, EntryKind};
use crate::facts::stage::value;
use crate::model::{Copy, InstructionKind, Placed, Stage};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "add-for-local-files",
    group: Group::Style,
    severity: Severity::Hint,
    on: true,
    also: &["DL3020"],
    doc: r##"
`ADD` copies plain local files, which `COPY` does without surprises.

`ADD` also fetches addresses and unpacks tar archives: a file that happens to be one does not arrive as it is.

```dockerfile
FROM node:22-slim
ADD package.json /app/
CMD ["node", "/app/server.js"]
```

What only copies:

```dockerfile
FROM node:22-slim
COPY package.json /app/
CMD ["node", "/app/server.js"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (_, stage) in ctx.reaching() {
        for placed in &stage.instructions {
            let InstructionKind::Add(copy) = &placed.instruction.kind else { continue };
            let Some(sources) = local(ctx, stage, placed, copy) else { continue };
            let keyword = placed.range(placed.instruction.keyword);
            let mut finding = Finding::new(&RULE, keyword, "ADD of local files does what COPY does");
            finding.cause = placed.whole();
            let surely = sources.iter().all(|source| is_surely_no_archive(ctx.context, source));
            finding.fix = Some(Fix {
                title: "Copy with COPY".to_owned(),
                safety: if surely { ctx.safety() } else { Safety::Review },
                edit: TextEdit::replace(keyword, in_case_of(placed.instruction.keyword.of(&placed.instruction.text))),
            });
            acc.push(finding);
        }
    }
}

/// The sources, if all of them are local and none is or may be an archive by its name.
fn local(ctx: &Context, stage: &Stage, placed: &Placed, copy: &Copy) -> Option<Vec<String>> {
    let special = ["checksum", "unpack", "keep-git-dir"];
    if placed.instruction.flags.iter().any(|flag| special.contains(&flag.name.as_str()))
        || !placed.instruction.heredocs.is_empty()
        || copy.sources.is_empty()
    {
        return None;
    }
    let mut res = Vec::with_capacity(copy.sources.len());
    for source in &copy.sources {
        let source = value(stage, placed, &source.text, ctx.file.directives.escape)?;
        let remote = source.contains("://") || source.starts_with("git@") || source.starts_with("github.com/");
        if remote || source.ends_with(".git") || may_be_archive(&source) {
            return None;
        }
        res.push(source);
    }
    Some(res)
}

/// Whether a name is that of an archive, or a pattern that may match one.
fn may_be_archive(source: &str) -> bool {
    const ENDS: [&str; 14] =
        ["tar", "tgz", "tbz", "tbz2", "tb2", "txz", "tlz", "tzst", "gz", "bz2", "xz", "zst", "lzma", "z"];
    let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if source.ends_with('/') || matches!(name, "" | "." | "..") {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    if lower.contains(".tar.") || lower.contains(".tar-") {
        return true;
    }
    let wildcard = lower.rfind(['*', '?', ']']);
    let tail = wildcard.map_or(lower.as_str(), |at| lower.get(at + 1..).unwrap_or_default());
    match tail.rsplit_once('.') {
        Some((_, end)) => ENDS.contains(&end),
        // A pattern without an ending may match anything.
        None => wildcard.is_some(),
    }
}

/// Whether a source is a directory, which ADD never unpacks, or a file whose text is known.
fn is_surely_no_archive(context: &BuildContext, source: &str) -> bool {
    if source.ends_with('/') || matches!(source, "." | "..") {
        return true;
    }
    let matching = context.matching(source);
    let is_plain = |path: &&str| {
        let directory = context.entry(path).is_some_and(|entry| entry.kind == EntryKind::Directory);
        directory || context.text(path).is_some_and(|text| !text.contains('\0'))
    };
    context.known && !context.truncated && !matching.is_empty() && matching.iter().all(is_plain)
}

/// `COPY` in the letter case of the word that it stands for.
fn in_case_of(keyword: &str) -> &'static str {
    let mut chars = keyword.chars();
    let first_upper = chars.next().is_some_and(char::is_uppercase);
    match (first_upper, chars.next().is_some_and(char::is_uppercase)) {
        (_, true) => "COPY",
        (true, false) => "Copy",
        (false, false) => "copy",
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix};
    use crate::rules::Safety;

    fn check_silent(add: &str) {
        check(&RULE, &format!("FROM a\n{add}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn local_files_are_copied() {
        // Carets cannot stand under the first column, so the instructions are indented.
        let text = "FROM a\nARG V=1\n  ADD a.json b.zip c-$V.jar *.py /x/\n# ^^^ does what COPY does\n";
        check(&RULE, text);
        check(&RULE, "FROM a\n  ADD --chown=a . /x\n# ^^^ does what COPY does\n");
    }

    #[test]
    fn an_address_is_fetched() {
        check_silent("ADD https://example.com/a /x");
        check_silent("ADD a git@example.com:a/b.git /x/");
        check_silent("ADD git://example.com/a /x");
    }

    #[test]
    fn an_archive_is_unpacked() {
        for source in ["a.tar", "a.tgz", "a.tar.gz", "a/b.TAR.XZ", "a.bz2", "app-*", "*.gz", "a*", "[ab]", "$UNKNOWN"] {
            check_silent(&format!("ADD {source} /x/"));
        }
    }

    #[test]
    fn what_only_add_can_is_left_to_it() {
        check_silent("ADD --checksum=sha256:abc a /x");
        check_silent("ADD --unpack=true a /x");
        check_silent("ADD --keep-git-dir=true a /x");
        check_silent("ADD <<EOF /x\na\nEOF");
        check_silent("ONBUILD ADD a /x");
    }

    #[test]
    fn the_context_shows_what_is_no_archive() {
        check_fix(&RULE, Safety::Safe, "FROM a\nadd . /x\nCMD b\n", "FROM a\ncopy . /x\nCMD b\n");
        check_fix(&RULE, Safety::Review, "FROM a\nADD x /y\nCMD b\n", "FROM a\nCOPY x /y\nCMD b\n");
        check_fix(
            &RULE,
            Safety::Safe,
            "FROM a\nADD x package.json /y/\nCMD b\n#- x/z\n\n#- package.json\n{}\n",
            "FROM a\nCOPY x package.json /y/\nCMD b\n",
        );
        check_fix(&RULE, Safety::Review, "FROM a\nADD . /x\n", "FROM a\nCOPY . /x\n");
    }
}
