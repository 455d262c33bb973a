//! `removable-files-kept`: debug data, documentation and source maps that a running program never reads.

use crate::context::EntryKind;
use crate::facts::run::Command;
use crate::facts::whole_context;
use crate::model::{InstructionKind, Placed};
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::text::TextEdit;
use crate::weight::{Basis, Estimate};

/// The rule.
pub static RULE: Rule = Rule {
    name: "removable-files-kept",
    group: Group::Size,
    severity: Severity::Information,
    on: false,
    also: &[],
    doc: r##"
Debug data, documentation or source maps are stored that a running program does not read.

A Go program without `-ldflags="-s -w"` carries symbols and debug data, typically a quarter to a third of its size (a guess:
it depends on the program). `gem install` writes documentation of every gem. Source maps of a bundle are for the developer.
Which of them may go is a choice, so the rule is off; `removable-files-kept.kinds` names those that are looked for:
`documentation`, `debug-data`, `source-maps`.

```dockerfile
FROM golang:1.24 AS build
WORKDIR /src
COPY . .
RUN go build -o /app .
FROM gcr.io/distroless/static
COPY --from=build /app /app
CMD ["/app"]
#- plimsoll.toml
[rules]
removable-files-kept = "information"
#- main.go
package main
```

Without symbols and paths of the builder:

```dockerfile
FROM golang:1.24 AS build
WORKDIR /src
COPY . .
RUN go build -trimpath -ldflags="-s -w" -o /app .
FROM gcr.io/distroless/static
COPY --from=build /app /app
CMD ["/app"]
#- plimsoll.toml
[rules]
removable-files-kept = "information"
#- main.go
package main
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let kinds = ctx.config.options.removable_kinds.as_deref();
    let wants = |kind: &str| kinds.is_none_or(|kinds| kinds.iter().any(|it| it == kind));
    if wants("debug-data") {
        let needs_symbols = ["pprof", "sentry", "delve", "dlv", "perf"].iter().any(|word| ctx.file.text.contains(word));
        for (stage_idx, _) in ctx.reaching().filter(|_| !needs_symbols) {
            acc.extend(ctx.runs(stage_idx).flat_map(|at| symbols(&at)));
        }
    }
    if wants("documentation") {
        acc.extend(ctx.final_runs().flat_map(|at| documentation(ctx, &at)));
    }
    if wants("source-maps") && ctx.context.known {
        let stages = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
        acc.extend(stages.flat_map(|stage| &stage.instructions).filter_map(|placed| source_maps(ctx, placed)));
    }
}

fn review(title: &str, at: crate::text::TextSize, insert: &str) -> Fix {
    Fix { title: title.to_owned(), safety: Safety::Review, edit: TextEdit::insert(at, insert) }
}

/// `go build` without flags for the linker. Flags in a variable may hold anything.
fn symbols(at: &RunAt) -> Vec<Finding> {
    let is_bare = |command: &&Command| {
        let goal = command.arguments.first().filter(|it| it.value.as_deref() == Some("build"));
        let unknown = command.arguments.iter().any(|it| it.value.is_none());
        command.program == "go"
            && goal.is_some()
            && !unknown
            && !command.has(&["-ldflags", "--ldflags", "-gcflags", "-race"])
    };
    if at.facts.commands.iter().any(|it| matches!(it.program.as_str(), "strip" | "upx")) {
        return Vec::new();
    }
    let found = at.facts.commands.iter().filter(is_bare).filter(|it| {
        let call = at.call(it);
        !call.is_some_and(|call| call.environment.iter().any(|it| it.name == "GOFLAGS"))
            && at.stage.scope.get_at("GOFLAGS", at.placed.at).is_none()
    });
    found
        .filter_map(|command| {
            let goal = command.arguments.first()?.range;
            let message = "symbols and debug data stay in the program, about a quarter of it";
            let mut res = Finding::new(&RULE, at.range(command), message);
            let flags =
                if command.has(&["-trimpath"]) { " -ldflags=\"-s -w\"" } else { " -trimpath -ldflags=\"-s -w\"" };
            res.fix = Some(review("Leave them out", at.placed.range(goal).end(), flags));
            Some(res)
        })
        .collect()
}

/// `gem install` with documentation; the official images of Ruby have it switched off.
fn documentation(ctx: &Context, at: &RunAt) -> Vec<Finding> {
    let traits = ctx.base_image().and_then(|image| ctx.images.traits(image));
    if traits.is_none_or(|traits| traits.runtime.as_deref() == Some("ruby")) || ctx.file.text.contains("gemrc") {
        return Vec::new();
    }
    let is_bare = |command: &&Command| {
        command.program == "gem"
            && command.subcommand() == Some("install")
            && !command.has(&["--no-document", "-N", "--no-doc", "--no-ri", "--no-rdoc"])
    };
    let found = at.facts.commands.iter().filter(is_bare);
    found
        .filter_map(|command| {
            let goal = command.operands().next()?.range;
            let mut res = Finding::new(&RULE, at.range(command), "documentation of the gems stays in this layer");
            res.fix = Some(review("Install without documentation", at.placed.range(goal).end(), " --no-document"));
            Some(res)
        })
        .collect()
}

/// A COPY of the context that brings source maps along.
fn source_maps(ctx: &Context, placed: &Placed) -> Option<Finding> {
    let InstructionKind::Copy(copy) = &placed.instruction.kind else { return None };
    if placed.instruction.flag("from").is_some() || placed.instruction.flag("exclude").is_some() {
        return None;
    }
    let manifest = ctx.context.texts.values().any(|text| text.contains("productionBrowserSourceMaps"));
    let whole = whole_context::copies(ctx.file, ctx.facts).iter().any(|it| it.placed.at == placed.at);
    let source = copy.sources.first().filter(|_| !manifest && !whole)?;
    let maps = ctx.context.below(&source.text).filter(|(path, entry)| {
        let is_map = [".js.map", ".css.map", ".mjs.map"].iter().any(|end| path.ends_with(end));
        is_map && entry.kind == EntryKind::File && !path.contains("node_modules/")
    });
    let bytes = maps.fold(0u64, |sum, (_, entry)| sum.saturating_add(entry.bytes));
    let saves = Estimate::exact(bytes, Basis::Context, "build context");
    let message = format!("source maps are copied along ({})", saves.words());
    let mut res = Finding::new(&RULE, placed.range(source.range), message);
    res.saves = Some(saves);
    (bytes > 0).then_some(res)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix};
    use crate::rules::Safety;

    const ON: &str = "#- plimsoll.toml\nsize.minimum-saving = 1\n[rules]\nremovable-files-kept = \"information\"\n";

    fn check_silent(text: &str) {
        check(&RULE, &format!("{text}CMD [\"a\"]\n{ON}"));
    }

    #[test]
    fn it_is_off() {
        check(&RULE, "FROM golang:1.24\nRUN go build .\nCMD [\"a\"]\n");
    }

    #[test]
    fn flags_of_the_linker_leave_symbols_out() {
        check_silent("FROM golang:1.24\nRUN go build -ldflags=\"-s -w\" .\n");
        check_silent("FROM golang:1.24\nRUN go build -ldflags \"$X\" .\n");
        check_silent("FROM golang:1.24\nENV GOFLAGS=-ldflags=-s\nRUN go build .\n");
        check_silent("FROM golang:1.24\nRUN go build -o /a . && strip /a\n");
        check_silent("FROM golang:1.24\nRUN go build $FLAGS -o /a .\n");
    }

    #[test]
    fn who_profiles_needs_symbols() {
        check_silent("FROM golang:1.24\nRUN go build .\nEXPOSE 6060\n# pprof\n");
    }

    #[test]
    fn the_fixes_are_flags() {
        check_fix(
            &RULE,
            Safety::Review,
            &format!("FROM golang:1.24\nRUN go build -trimpath -o /a .\nCMD [\"/a\"]\n{ON}"),
            "FROM golang:1.24\nRUN go build -ldflags=\"-s -w\" -trimpath -o /a .\nCMD [\"/a\"]\n",
        );
        check_fix(
            &RULE,
            Safety::Review,
            &format!("FROM debian:12\nRUN gem install rails\nCMD [\"a\"]\n{ON}"),
            "FROM debian:12\nRUN gem install --no-document rails\nCMD [\"a\"]\n",
        );
    }

    #[test]
    fn official_images_of_ruby_write_no_documentation() {
        check_silent("FROM ruby:3.4\nRUN gem install rails\n");
        check_silent("FROM debian:12\nRUN gem install -N rails\n");
    }

    #[test]
    fn source_maps_are_counted() {
        check(
            &RULE,
            &format!(
                "FROM nginx\nCOPY dist /srv\n#    ^^^^ source maps are copied along (3 B)\nCMD [\"a\"]\n{ON}#- dist/a.js\nx\n#- dist/a.js.map\nxx\n"
            ),
        );
    }

    #[test]
    fn kinds_can_be_chosen() {
        let text = "FROM golang:1.24\nRUN go build .\nCMD [\"a\"]\n";
        check(&RULE, &format!("{text}{ON}[removable-files-kept]\nkinds = [\"documentation\"]\n"));
    }
}
