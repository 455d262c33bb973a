//! `dockerignore-incomplete`: the ignore file lets heavy or secret things through, or nobody reads it.

use crate::facts::whole_context::{self, beside};
use crate::rules::let_through::finding;
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "dockerignore-incomplete",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The ignore file lets something through that the image does not need, or it is not the one that is read.

Of its lines the last one that matches decides, `!` takes a path back, and `node_modules` means the one at the top alone:
`**/node_modules` means all. The figures are counted in the context by these rules. `.dockerignore` is read at the top of the
context only, and not at all where the Dockerfile has one of its own (`Dockerfile.dockerignore`).

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
CMD ["node", "server.js"]
#- plimsoll.toml
size.minimum-saving = 1
#- .dockerignore
node_modules
#- server.js
run()
#- .git/HEAD
ref: refs/heads/main
```

Completed:

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
CMD ["node", "server.js"]
#- .dockerignore
node_modules
.git
#- server.js
run()
#- .git/HEAD
ref: refs/heads/main
```

The action `write-dockerignore` appends the lines that are missing and leaves the others as they are.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let context = ctx.context;
    let unread = beside(context);
    if !context.known || context.ignore_file.is_none() && unread.is_none() {
        return;
    }
    // Some line fails the build, so nothing comes through at all.
    if !context.ignore.rejected.is_empty() {
        return;
    }
    let copies = whole_context::copies(ctx.file, ctx.facts);
    let found = whole_context::let_through(ctx.file, ctx.facts, context, &copies);
    let told = |names: &str, weight: &str| match (&unread, &context.ignore_file) {
        (Some(unread), None) => {
            format!("`{unread}` has no effect, since it is not at the top of the context: {names} ({weight})")
        }
        (_, file) => {
            let file = file.as_deref().unwrap_or(".dockerignore");
            let name = file.rsplit('/').next().unwrap_or(file);
            let shadowed = name != ".dockerignore" && context.entries.contains_key(".dockerignore");
            let more = if shadowed { "; `.dockerignore` is not read beside it" } else { "" };
            format!("`{name}` lets {names} through ({weight}){more}")
        }
    };
    acc.extend(finding(ctx, &RULE, &copies, &found, &told));
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::context::BuildContext;
    use crate::fixture::{analyse, check, findings, parse};

    const GIT: &str = "#- plimsoll.toml\nsize.minimum-saving = 10\n#- .git/HEAD\nref: refs/heads/main\n";

    fn found(ignore: &str, expected: &str) {
        let text = format!("FROM node:22\nCOPY . .\nCMD [\"a\"]\n{GIT}#- .dockerignore\n{ignore}\n");
        let analysis = analyse(&parse(&text));
        let messages: Vec<&str> = findings(&analysis, &RULE).into_iter().map(|it| it.message.as_str()).collect();
        match expected {
            "" => assert_eq!(messages, [""; 0], "{ignore}"),
            expected => assert!(matches!(messages[..], [it] if it.contains(expected)), "{ignore}: {messages:?}"),
        }
    }

    #[test]
    fn the_last_line_that_matches_decides() {
        found("node_modules", "`.dockerignore` lets `.git` through (21 B)");
        found(".git\n!.git", "`.git`");
        found("*\n!.git/HEAD", "`.git`");
        found(".git/", "");
        found("**/.git", "");
        found("*\n!src", "");
    }

    #[test]
    fn modules_below_the_top_are_not_meant_by_their_name() {
        let text = "FROM node:22\nCOPY . .\n#    ^ `.dockerignore` lets `web/node_modules` through (12 B)\nCMD [\"a\"]\n\
                    #- plimsoll.toml\nsize.minimum-saving = 10\n#- .dockerignore\nnode_modules\n\
                    #- web/node_modules/a.js\n12345678901\n";
        check(&RULE, text);
    }

    #[test]
    fn a_secret_matters_whatever_it_weighs() {
        check(
            &RULE,
            "FROM node:22\nCOPY . .\n#    ^ `.env` through (20 B)\nCMD [\"a\"]\n#- .dockerignore\n.git\n#- .env\nAPI_KEY=hG7s0pQ2kLm\n",
        );
        check(&RULE, "FROM node:22\nCOPY . .\nCMD [\"a\"]\n#- .dockerignore\n.env\n#- .env\nAPI_KEY=hG7s0pQ2kLm\n");
    }

    #[test]
    fn settings_that_can_be_read_and_hold_no_secret_are_none() {
        let image = "FROM node:22\nCOPY . .\nCMD [\"a\"]\n#- .dockerignore\n.git\n#- .env.local";
        check(&RULE, &format!("{image}\nPORT=80\nAPI_KEY=\nREDIS_URL=\nDB_PASS=\n"));
        check(&RULE, &format!("{image}\nTOKEN=${{TOKEN}}\n# API_KEY=hG7s0pQ2kLm\n"));
    }

    #[test]
    fn an_own_ignore_file_shadows_the_common_one() {
        let own = "#- Dockerfile.dockerignore\nnode_modules\n#- .dockerignore\n.git\n";
        check(
            &RULE,
            &format!(
                "FROM node:22\nCOPY . .\n#    ^ `Dockerfile.dockerignore` lets `.git` through (21 B); `.dockerignore` is not read beside it\nCMD [\"a\"]\n{GIT}{own}"
            ),
        );
    }

    #[test]
    fn an_ignore_file_that_is_not_at_the_top_has_no_effect() {
        let mut fixture = parse(&format!("FROM node:22\nCOPY . .\nCMD [\"a\"]\n{GIT}#- docker/.dockerignore\n.git\n"));
        fixture.context = BuildContext { dockerfile: Some("docker/Dockerfile".to_owned()), ..fixture.context };
        let analysis = analyse(&fixture);
        let found = findings(&analysis, &RULE);
        assert_eq!(found.len(), 1);
        assert!(found[0].message.starts_with("`docker/.dockerignore` has no effect"), "{}", found[0].message);
    }

    #[test]
    fn what_is_small_or_wanted_is_left_alone() {
        check(&RULE, "FROM node:22\nCOPY . .\nCMD [\"a\"]\n#- .dockerignore\nx\n#- .git/HEAD\na\n");
        check(&RULE, &format!("FROM node:22\nCOPY . .\nCOPY .git /g\nCMD [\"a\"]\n{GIT}#- .dockerignore\nx\n"));
        check(&RULE, &format!("FROM node:22\nCOPY . .\nRUN git log\nCMD [\"a\"]\n{GIT}#- .dockerignore\nx\n"));
    }

    #[test]
    fn a_line_that_fails_the_build_lets_nothing_through() {
        check(&RULE, &format!("FROM node:22\nCOPY . .\nCMD [\"a\"]\n{GIT}#- .dockerignore\n[\n"));
    }
}
