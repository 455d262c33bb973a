//! `CopyIgnoredFile`: COPY or ADD names what `.dockerignore` keeps out.

use crate::context::BuildContext;
use crate::facts::stage::value;
use crate::model::{Copy, InstructionKind, Placed, Stage};
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "CopyIgnoredFile",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &["copy-ignored-file"],
    doc: r##"
COPY or ADD names a file that `.dockerignore` keeps out of the build.

The build cannot find it, though it lies there: what is ignored is never sent to the builder.

```dockerfile
FROM nginx:1.29-alpine
COPY dist /usr/share/nginx/html
#- .dockerignore
node_modules
dist
#- dist/index.html
<p>
```

With a file that comes through:

```dockerfile
FROM nginx:1.29-alpine
COPY dist /usr/share/nginx/html
#- .dockerignore
node_modules
#- dist/index.html
<p>
```

Silent where the ignore file has a line that begins with `!`: whether anything below an ignored folder comes through then hangs
on what lies there. The context as a whole (`.`) is only ignored by `*`, `**` and `**/*`.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let context = ctx.context;
    let ignore = &context.ignore;
    if !context.known || ignore.patterns.is_empty() || !ignore.rejected.is_empty() {
        return;
    }
    if ignore.patterns.iter().any(|pattern| pattern.exception) {
        return;
    }
    for stage in &ctx.file.stages {
        for placed in &stage.instructions {
            match &placed.instruction.kind {
                InstructionKind::Copy(copy) if placed.instruction.flag("from").is_none() => {
                    add(context, stage, placed, copy, "copy", acc);
                }
                InstructionKind::Add(copy) => add(context, stage, placed, copy, "add", acc),
                _ => {}
            }
        }
    }
}

fn add(context: &BuildContext, stage: &Stage, placed: &Placed, copy: &Copy, verb: &str, acc: &mut Vec<Finding>) {
    for source in &copy.sources {
        let Some(path) = value(stage, placed, &source.text, placed.instruction.frame.escape) else { continue };
        if verb == "add" && is_fetched(&path) {
            continue;
        }
        let path = clean(&path);
        if !is_ignored(context, &path) {
            continue;
        }
        let message = format!("attempting to {verb} file \"{path}\" that is excluded by .dockerignore");
        let mut finding = Finding::new(&RULE, placed.range(source.range), message);
        finding.assists.push("write-dockerignore");
        acc.push(finding);
    }
}

fn is_ignored(context: &BuildContext, path: &str) -> bool {
    if path == "." || path == "/" {
        return context.ignore.patterns.iter().any(|pattern| matches!(pattern.text.as_str(), "*" | "**" | "**/*"));
    }
    context.ignore.ignores(path)
}

/// Whether ADD fetches it.
fn is_fetched(path: &str) -> bool {
    let remote = ["http://", "https://", "git://", "ssh://", "git@"];
    remote.iter().any(|start| path.starts_with(start)) || path.ends_with(".git")
}

/// Go's `filepath.Clean`: a slash at the beginning stays, since BuildKit compares the path with it.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let rooted = path.starts_with('/');
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (parts.join("/"), rooted) {
        (path, true) => format!("/{path}"),
        (path, false) if path.is_empty() => ".".to_owned(),
        (path, false) => path,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_no_fix};

    #[test]
    fn the_source_is_to_blame() {
        check(
            &RULE,
            "FROM a\nCOPY a.txt ./b/c d/\n\
             #          ^^^^^ attempting to copy file \"b/c\" that is excluded by .dockerignore\n\
             #- .dockerignore\nb\n#- a.txt\n",
        );
        check(&RULE, "FROM a\nADD x.log /\n#   ^^^^^ attempting to add file \"x.log\"\n#- .dockerignore\n*.log\n");
        check_no_fix(&RULE, "FROM a\nADD x.log /\n#- .dockerignore\n*.log\n");
    }

    #[test]
    fn a_line_with_an_exclamation_mark_silences_all() {
        check(&RULE, "FROM a\nCOPY b c\n#- .dockerignore\nb\n!b/d\n");
    }

    #[test]
    fn without_an_ignore_file_or_a_context_nothing_is_said() {
        check(&RULE, "FROM a\nCOPY b c\n#- d\n");
        check(&RULE, "FROM a\nCOPY b c\n");
    }

    #[test]
    fn the_whole_context_is_ignored_by_a_pattern_for_all() {
        check(&RULE, "FROM a\nCOPY . c\n#- .dockerignore\n*.log\n.*\n");
        check(&RULE, "FROM a\nCOPY . c\n#    ^ file \".\"\n#- .dockerignore\n*\n");
    }

    #[test]
    fn other_stages_heredocs_and_addresses_are_not_in_the_context() {
        let ignore = "#- .dockerignore\n*\n";
        check(&RULE, &format!("FROM a\nCOPY --from=x b c\nADD https://example.org/b git@x:y.git c\n{ignore}"));
        check(&RULE, &format!("FROM a\nCOPY <<EOF /c\nb\nEOF\n{ignore}"));
    }

    #[test]
    fn what_an_unknown_variable_names_is_not_known() {
        check(&RULE, "FROM a\nARG B\nCOPY $B c\n#- .dockerignore\n*\n");
    }
}
