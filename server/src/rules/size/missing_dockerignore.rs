//! `missing-dockerignore`: the whole context is copied, and nothing keeps out what the image does not need.

use crate::facts::whole_context::{self, beside};
use crate::rules::let_through::finding;
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "missing-dockerignore",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The whole context is copied, and no `.dockerignore` keeps out what the image does not need.

`COPY . .` takes everything that lies beside the Dockerfile: the history in `.git`, modules that were installed for another
system, caches, files with secrets. They are sent to the builder and stored in a layer, and each change of one of them makes
the layers that follow be built again. The figures are counted in the context.

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
CMD ["node", "server.js"]
#- plimsoll.toml
size.minimum-saving = 1
#- server.js
run()
#- .git/HEAD
ref: refs/heads/main
#- node_modules/a/index.js
module.exports = 1
```

With a `.dockerignore`:

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY . .
CMD ["node", "server.js"]
#- .dockerignore
.git
node_modules
#- server.js
run()
#- .git/HEAD
ref: refs/heads/main
#- node_modules/a/index.js
module.exports = 1
```

The action `write-dockerignore` writes the file with what is there. `Dockerfile.dockerignore` beside a Dockerfile holds for
that one alone.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let context = ctx.context;
    if !context.known || context.ignore_file.is_some() || beside(context).is_some() {
        return;
    }
    let copies = whole_context::copies(ctx.file, ctx.facts);
    let found = whole_context::let_through(ctx.file, ctx.facts, context, &copies);
    let told = |names: &str, weight: &str| format!("no .dockerignore keeps {names} out ({weight})");
    acc.extend(finding(ctx, &RULE, &copies, &found, &told));
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};
    use crate::rules::Severity;

    const FILES: &str = "#- plimsoll.toml\nsize.minimum-saving = 10\n#- a.js\nx\n#- .git/HEAD\nref: refs/heads/main\n";

    fn check_silent(body: &str, files: &str) {
        check(&RULE, &format!("FROM node:22\nWORKDIR /w\n{body}\nCMD [\"a\"]\n{files}"));
    }

    #[test]
    fn what_comes_along_is_named_and_counted() {
        let files = "#- node_modules/a.js\nmodule.exports = 1\n#- .env\nKEY=hG7s0pQ2kLm\n";
        check(
            &RULE,
            &format!(
                "FROM node:22\n\
                 WORKDIR /w\n\
                 COPY package.json .\n\
                 COPY . .\n\
                 #    ^ no .dockerignore keeps `.env`, `.git` and `node_modules` out (56 B)\n\
                 CMD [\"a\"]\n{FILES}{files}"
            ),
        );
    }

    #[test]
    fn a_mount_of_the_context_sends_it_all() {
        let text = format!(
            "FROM node:22 AS b\nRUN --mount=type=bind,target=/src cp -r /src/dist /dist\nFROM node:22-slim\nCOPY --from=b /dist /dist\nCMD [\"a\"]\n{FILES}"
        );
        let analysis = analyse(&parse(&text));
        let found = findings(&analysis, &RULE);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].severity, &found[0].saves), (Severity::Information, &None));
        assert!(found[0].message.contains("sent to the builder"), "{}", found[0].message);
        assert_eq!(found[0].assists, ["write-dockerignore"]);
    }

    #[test]
    fn an_unknown_context_says_nothing() {
        check_silent("COPY . .", "");
    }

    #[test]
    fn a_context_without_anything_heavy_needs_no_ignore_file() {
        check_silent("COPY . .", "#- a.js\nx\n");
        check_silent("COPY . .", "#- a.js\nx\n#- .git/HEAD\nsmall\n");
    }

    #[test]
    fn an_ignore_file_of_either_kind_is_one() {
        check_silent("COPY . .", &format!("{FILES}#- .dockerignore\n.git\n"));
        check_silent("COPY . .", &format!("{FILES}#- Dockerfile.dockerignore\n.git\n"));
    }

    #[test]
    fn what_is_copied_by_name_is_wanted() {
        check_silent("COPY . .\nCOPY .git .git", FILES);
    }

    #[test]
    fn exclude_keeps_out_too() {
        check_silent("COPY --exclude=.git . .", FILES);
    }

    #[test]
    fn a_part_of_the_context_is_not_all_of_it() {
        check_silent("COPY src .", FILES);
        check_silent("COPY --from=x . .", FILES);
    }

    #[test]
    fn a_build_that_reads_the_history_needs_it() {
        check_silent("COPY . .\nRUN git describe > version", FILES);
        check_silent("COPY . .\nRUN make", FILES);
        check_silent("COPY . .\nRUN make", &format!("{FILES}#- Makefile\nV := $(shell git rev-parse HEAD)\n"));
        let text = format!("FROM node:22\nCOPY . .\n#    ^ `.git`\nRUN make\nCMD [\"a\"]\n{FILES}#- Makefile\nall:\n");
        check(&RULE, &text);
    }

    #[test]
    fn what_the_repository_holds_on_purpose_is_wanted() {
        let env = "#- a.js\nx\n#- .env\nAPI_KEY=hG7s0pQ2kLm\n";
        check_silent("COPY . .", &format!("{env}#- .gitignore\ndist\n"));
        check(&RULE, &format!("FROM node:22\nCOPY . .\n#    ^ `.env`\nCMD [\"a\"]\n{env}#- .gitignore\n.env*\n"));
    }
}
