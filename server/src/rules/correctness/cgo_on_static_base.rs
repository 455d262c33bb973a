//! `cgo-on-static-base`: a Go program that needs a C library, in an image that has none.

use crate::facts::go_build;
use crate::facts::ground::{self, Ground};
use crate::facts::stage;
use crate::facts::walk;
use crate::model::{InstructionKind, Source};
use crate::rules::{Context, Finding, Fix, Group, Related, Rule, Safety, Severity};
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "cgo-on-static-base",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
A Go program that is built with cgo needs a C library at run time, and this image has none.

Where a C compiler is there, as in the Debian images of Go, `go build` links programs that import `net` or `os/user`
against the C library. In `scratch` and distroless `static` such a program ends with "no such file or directory", although
the file is there: what is missing is its loader.

```dockerfile
FROM golang:1.22 AS build
WORKDIR /src
COPY . .
RUN go build -o /app .
FROM scratch
COPY --from=build /app /app
CMD ["/app"]
```

Without cgo the program needs nothing:

```dockerfile
FROM golang:1.22 AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o /app .
FROM scratch
COPY --from=build /app /app
CMD ["/app"]
```

Go then resolves names and users by itself. A program that imports C code of its own belongs on distroless `base` or `cc`.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    // Without a start command it is a place to take files from (`docker build -o`), not an image that runs.
    if !ctx.facts.is_started() {
        return;
    }
    for stage_idx in &ctx.facts.final_chain {
        let Some(stage) = ctx.file.stages.get(*stage_idx) else { continue };
        if stage.sources.is_empty() {
            continue;
        }
        let ground = ground::of(ctx.file, ctx.images, *stage_idx);
        if ground.libc() != Some("none") || brings_libc(ctx, *stage_idx) {
            continue;
        }
        check_stage(ctx, *stage_idx, &ground, acc);
    }
}

fn check_stage(ctx: &Context, stage_idx: usize, ground: &Ground, acc: &mut Vec<Finding>) {
    let Some(stage) = ctx.file.stages.get(stage_idx) else { return };
    for (idx, source) in &stage.sources {
        let Source::Stage(builder) = source else { continue };
        let Some(placed) = stage.instructions.get(*idx) else { continue };
        let InstructionKind::Copy(copy) = &placed.instruction.kind else { continue };
        let builds = go_build::builds(ctx.file, ctx.facts, ctx.images, *builder, &ctx.config.platform.arch);
        for word in &copy.sources {
            let Some(path) = walk::value(ctx.file, stage, placed, &word.text) else { continue };
            let path = stage::clean(&format!("/{path}"));
            let Some(build) = go_build::built(&builds, &path).filter(|build| build.dynamic == Some(true)) else {
                continue;
            };
            let Some(call) = build.run.script().and_then(|script| script.calls.get(build.command.call)) else {
                continue;
            };
            let message = format!("this is linked against a C library, and `{}` has none", ground.name());
            let range = build.placed.range(build.command.range);
            if acc.iter().any(|it| it.id() == RULE.name && it.range == range) {
                continue;
            }
            let mut finding = Finding::new(&RULE, range, message);
            if uses_network(ctx) {
                finding.severity = Severity::Error;
            }
            let related = Related { range: placed.range(word.range), message: "it is copied here".to_owned() };
            finding.related.push(related);
            // In text that is given to another shell nothing is put in.
            let is_plain = call.program_range.of(&build.placed.instruction.text) == "go";
            finding.fix = is_plain.then(|| Fix {
                title: "Build without cgo".to_owned(),
                safety: Safety::Review,
                edit: TextEdit::insert(build.placed.range(call.whole).start(), "CGO_ENABLED=0 "),
            });
            acc.push(finding);
        }
    }
}

/// Whether a loader or a C library is copied along.
fn brings_libc(ctx: &Context, stage_idx: usize) -> bool {
    let stages = crate::facts::chain(ctx.file, stage_idx);
    let stages = stages.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    { stages }.flat_map(|stage| &stage.instructions).any(|placed| match &placed.instruction.kind {
        InstructionKind::Copy(copy) | InstructionKind::Add(copy) => {
            let is_library = |text: &str| {
                ["/lib", "ld-linux", "ld-musl", "libc.", "rootfs", ".tar"].iter().any(|it| text.contains(it))
                    || text == "/"
            };
            copy.sources.iter().any(|word| is_library(&word.text))
        }
        _ => false,
    })
}

/// Whether the modules of the project are such that open connections: then `net` is imported for sure.
fn uses_network(ctx: &Context) -> bool {
    const MODULES: [&str; 12] = [
        "github.com/gin-gonic/gin",
        "github.com/gofiber/fiber",
        "github.com/gorilla/mux",
        "github.com/gorilla/websocket",
        "github.com/labstack/echo",
        "github.com/go-chi/chi",
        "github.com/valyala/fasthttp",
        "github.com/redis/go-redis",
        "github.com/go-redis/redis",
        "github.com/jackc/pgx",
        "github.com/lib/pq",
        "google.golang.org/grpc",
    ];
    let text = ctx.context.text("go.mod").unwrap_or_default();
    let direct = text.lines().filter(|line| !line.contains("// indirect"));
    { direct }.any(|line| MODULES.iter().any(|it| line.contains(it)))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, findings, parse};
    use crate::rules::{Safety, Severity};

    fn file(build: &str) -> String {
        format!(
            "FROM golang:1.22 AS b\nWORKDIR /src\nCOPY . .\n{build}\nFROM scratch\nCOPY --from=b /app /app\nCMD [\"/app\"]\n"
        )
    }

    #[test]
    fn a_compiler_and_no_word_about_cgo() {
        check(
            &RULE,
            &file(
                "RUN go build -o /app .\n#   ^^^^^^^^^^^^^^^^^^ this is linked against a C library, and `scratch` has none",
            ),
        );
        check(
            &RULE,
            &file(
                "RUN GOOS=linux go build -ldflags '-s -w' -o /app\n#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `scratch`",
            ),
        );
        check(
            &RULE,
            "FROM golang:1.22-alpine AS b\nRUN apk add build-base\nWORKDIR /src\nRUN go build -o bin/ ./...\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^ `gcr.io/distroless/static-debian12` has none\n\
             FROM gcr.io/distroless/static-debian12\nCOPY --from=b /src/bin/a /a\nCMD [\"/a\"]\n",
        );
        check(
            &RULE,
            "FROM golang AS b\nRUN go install ./cmd/a\n#   ^^^^^^^^^^^^^^^^^^ has none\n\
             FROM scratch\nCOPY --from=b /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/\nCOPY --from=b /go/bin/a /a\nCMD [\"/a\"]\n",
        );
    }

    #[test]
    fn cgo_may_be_off() {
        for build in [
            "RUN CGO_ENABLED=0 go build -o /app",
            "ENV CGO_ENABLED=0\nRUN go build -o /app",
            "ENV CGO_ENABLED 0\nRUN go build -o /app",
            "ARG CGO_ENABLED=0\nRUN go build -o /app",
            "ARG CGO_ENABLED\nRUN go build -o /app",
            "RUN export CGO_ENABLED=0 && go build -o /app",
            "RUN go env -w CGO_ENABLED=0 && go build -o /app",
            "RUN env CGO_ENABLED=0 go build -o /app",
        ] {
            check(&RULE, &file(build));
        }
    }

    #[test]
    fn a_static_link_needs_no_library() {
        check(&RULE, &file("RUN go build -ldflags '-linkmode external -extldflags \"-static\"' -o /app"));
        check(&RULE, &file("RUN go build -tags netgo,osusergo -o /app"));
        check(&RULE, &file("ARG LDFLAGS\nRUN go build -ldflags \"$LDFLAGS\" -o /app"));
    }

    #[test]
    fn without_a_compiler_cgo_is_off() {
        check(
            &RULE,
            "FROM golang:1.22-alpine AS b\nRUN go build -o /app\nFROM scratch\nCOPY --from=b /app /app\nCMD [\"/app\"]\n",
        );
    }

    #[test]
    fn a_build_for_another_machine_has_cgo_off() {
        check(&RULE, &file("RUN GOARCH=arm64 go build -o /app"));
        check(&RULE, &file("ARG TARGETARCH\nRUN GOARCH=$TARGETARCH go build -o /app"));
        check(&RULE, &file("RUN GOOS=darwin go build -o /app"));
    }

    #[test]
    fn an_image_with_a_c_library_is_fine() {
        check(&RULE, &file("RUN go build -o /app").replace("FROM scratch", "FROM gcr.io/distroless/base-debian12"));
        check(&RULE, &file("RUN go build -o /app").replace("FROM scratch", "FROM debian:12-slim"));
        check(&RULE, &file("RUN go build -o /app").replace("FROM scratch", "FROM example.com/base"));
        check(
            &RULE,
            &format!("{}COPY --from=b /lib/x86_64-linux-gnu /lib/x86_64-linux-gnu\n", file("RUN go build -o /app")),
        );
    }

    #[test]
    fn an_unknown_builder_may_do_otherwise() {
        check(&RULE, &file("RUN go build -o /app").replace("golang:1.22", "example.com/go"));
        check(&RULE, &file("RUN make"));
    }

    #[test]
    fn an_image_that_starts_nothing_is_a_place_to_take_files_from() {
        check(&RULE, &file("RUN go build -o /app").replace("CMD [\"/app\"]\n", ""));
    }

    #[test]
    fn another_file_is_another_matter() {
        let text = file("RUN go install github.com/google/go-licenses@v1.6.0 && go-licenses save --save_path /app");
        check(&RULE, &text);
        check(&RULE, &file("RUN go build -o /tool ./tool && CGO_ENABLED=0 go build -o /app"));
    }

    #[test]
    fn a_server_imports_net_for_sure() {
        let severity = |text: &str| findings(&analyse(&parse(text)), &RULE).first().map(|it| it.severity);
        let text = file("RUN go build -o /app");
        assert_eq!(severity(&text), Some(Severity::Warning));
        let text = format!("{text}#- go.mod\nmodule a\nrequire github.com/gin-gonic/gin v1.9.1\n");
        assert_eq!(severity(&text), Some(Severity::Error));
    }

    #[test]
    fn the_build_is_told_to_do_without() {
        check_fix(
            &RULE,
            Safety::Review,
            &file("RUN go vet && GOOS=linux go build -o /app"),
            &file("RUN go vet && CGO_ENABLED=0 GOOS=linux go build -o /app"),
        );
    }
}
