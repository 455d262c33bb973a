//! `missing-ca-certificates`: connections with TLS, and no certificates to check the other side by.

use crate::ecosystems::packages;
use crate::facts::ground::{self, Ground};
use crate::facts::history::{self, Step};
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::node_release;
use crate::facts::plain;
use crate::facts::quiet;
use crate::facts::run::Command;
use crate::model::{InstructionKind, Source};
use crate::packages::apt_closure;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::text::TextEdit;

/// The rule.
pub static RULE: Rule = Rule {
    name: "missing-ca-certificates",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
A program connects with TLS, and the image has no CA certificates by which it could trust anyone.

`scratch`, BusyBox, Debian and Ubuntu come without the bundle. A program of Go then ends its first request with "x509:
certificate signed by unknown authority", and `curl` with exit code 77 where it was installed without recommended packages.
The bundle weighs 0.2 MB when it is copied; the package is about 9 MB on Debian.

```dockerfile
FROM golang:1.22-alpine AS build
RUN apk add --no-cache ca-certificates
COPY . .
RUN go build -o /app .
FROM scratch
COPY --from=build /app /app
CMD ["/app"]
```

The builder has it:

```dockerfile
FROM golang:1.22-alpine AS build
RUN apk add --no-cache ca-certificates
COPY . .
RUN go build -o /app .
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /app /app
CMD ["/app"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target else { return };
    let ground = ground::of(ctx.file, ctx.images, target);
    let alone = ["--no-install-recommends", "https://"].iter().all(|it| ctx.file.text.contains(it));
    if alone && lacks_in_debian(&ground) {
        check_downloads(ctx, target, &ground, acc);
    }
    let empty = ground == Ground::Scratch || ground.distro() == Some("busybox");
    if empty && ctx.facts.is_started() {
        check_copied(ctx, target, &ground, acc);
    }
}

/// Images of Debian and Ubuntu without the bundle.
fn lacks_in_debian(ground: &Ground) -> bool {
    let Some((repository, tag)) = ground.repository() else { return false };
    match repository.as_str() {
        "docker.io/library/debian" | "docker.io/library/ubuntu" => true,
        // Older ones had what they were made with.
        "docker.io/library/node" => {
            tag.contains("slim") && ground.image().and_then(node_release::of).is_some_and(|it| it.major >= 12)
        }
        _ => false,
    }
}

/// `curl https://…` in the target, with a `curl` that came alone.
fn check_downloads(ctx: &Context, target: usize, ground: &Ground, acc: &mut Vec<Finding>) {
    let steps = history::steps(ctx.file, target, usize::MAX);
    let mut installed: Vec<String> = Vec::new();
    let mut has_tool = false;
    for step in &steps {
        match &step.placed.instruction.kind {
            InstructionKind::Copy(_) | InstructionKind::Add(_) if brings_bundle(ctx, step) => return,
            InstructionKind::Run(run) => {
                let Some(script) = run.script().filter(|it| !it.broken) else { return };
                let Some(known) = step.run(ctx.facts) else { return };
                let text = &*step.placed.instruction.text;
                if text.contains("ca-certificates") || text.contains("/etc/ssl") || known.commands.is_empty() {
                    return;
                }
                for command in &known.commands {
                    let Some(call) = script.calls.get(command.call) else { return };
                    if let Some(deed) =
                        deed(command).filter(|it| it.manager == Manager::Apt && it.verb == Verb::Install)
                    {
                        // A recommended package of `curl`, `git` and `wget` is the bundle.
                        if deed.is_open() || !command.has(&["--no-install-recommends"]) {
                            return;
                        }
                        let names: Vec<&str> = deed.packages().map(packages::bare).collect();
                        let closure = apt_closure(&names, false);
                        if !closure.unknown.is_empty() || closure.names().any(|it| it == "ca-certificates") {
                            return;
                        }
                        has_tool |= names.iter().any(|it| matches!(*it, "curl" | "wget" | "git"));
                        installed.extend(names.into_iter().map(str::to_owned));
                        continue;
                    }
                    if quiet::is_local(call, text) || command.program.ends_with(".sh") {
                        return;
                    }
                    let tool = installed.contains(&command.program);
                    if has_tool && tool && command.certain && is_checked(command) && !plain::is_foreseen(call, text) {
                        let at = RunAt {
                            stage_idx: step.stage_idx,
                            stage: step.stage,
                            idx: step.idx,
                            placed: step.placed,
                            run,
                            facts: known,
                        };
                        let message = format!(
                            "`{}` cannot check who answers: `{}` has no CA certificates",
                            command.program,
                            ground.name()
                        );
                        acc.push(Finding::new(&RULE, at.range(command), message));
                        return;
                    }
                }
            }
            InstructionKind::Onbuild(_) => return,
            _ => {}
        }
    }
}

/// Whether a command fetches over TLS and checks who answers.
fn is_checked(command: &Command) -> bool {
    let options =
        ["-k", "--insecure", "--no-check-certificate", "--cacert", "--capath", "--ca-certificate", "-c", "--config"];
    let short = |it: &str| it.starts_with('-') && !it.starts_with("--") && it.contains('k');
    let fetches = match command.program.as_str() {
        "git" => command.subcommand() == Some("clone"),
        "curl" | "wget" => true,
        _ => false,
    };
    fetches
        && command.values().any(|it| it.starts_with("https://"))
        && !command.has(&options)
        && !(command.program == "curl" && command.values().any(short))
}

/// A program that is copied to where nothing is, with evidence that it connects.
fn check_copied(ctx: &Context, target: usize, ground: &Ground, acc: &mut Vec<Finding>) {
    let steps = history::steps(ctx.file, target, usize::MAX);
    let has_open_run =
        |step: &Step| matches!(step.placed.instruction.kind, InstructionKind::Run(_) | InstructionKind::Onbuild(_));
    if steps.iter().any(|step| brings_bundle(ctx, step) || has_open_run(step)) {
        return;
    }
    let set = |name: &str| ctx.file.stages.get(target).is_some_and(|stage| stage.scope.get(name).is_some());
    if set("SSL_CERT_FILE") || set("SSL_CERT_DIR") {
        return;
    }
    let copy = steps.iter().find_map(|step| {
        let InstructionKind::Copy(copy) = &step.placed.instruction.kind else { return None };
        let source = step.stage.sources.iter().find(|(idx, _)| *idx == step.idx)?;
        let Source::Stage(builder) = source.1 else { return None };
        let word = copy.sources.first()?;
        Some((step, builder, word))
    });
    let Some((step, builder, word)) = copy else { return };
    let from = ground::of(ctx.file, ctx.images, builder);
    if from.repository().is_none_or(|(name, _)| name != "docker.io/library/golang") {
        return;
    }
    let go_mod = ctx.context.text("go.mod").unwrap_or_default();
    if go_mod.contains("x509roots/fallback")
        || go_mod.contains("breml/rootcerts")
        || go_mod.contains("gwatts/rootcerts")
    {
        return;
    }
    let client = client(go_mod);
    let why = match client {
        Some(client) => format!("it uses `{client}`"),
        None if installs_bundle(ctx, builder) => "its builder installs them".to_owned(),
        None => return,
    };
    let message = format!("`{}` has no CA certificates for this program: {why}", ground.name());
    let mut finding = Finding::new(&RULE, step.placed.range(word.range), message);
    let name = step.placed.instruction.flag("from").and_then(|flag| flag.value.as_ref());
    // The images of Go have the bundle.
    finding.fix = name.map(|name| Fix {
        title: "Copy the certificates of the builder".to_owned(),
        safety: Safety::Review,
        edit: TextEdit::insert(
            step.placed.whole().start(),
            format!("COPY --from={} /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/\n", name.text),
        ),
    });
    acc.push(finding);
}

/// Whether a step could bring the bundle.
fn brings_bundle(ctx: &Context, step: &Step) -> bool {
    let text = &*step.placed.instruction.text;
    let named = ["cert", "/ssl", "/pki", ".crt", ".pem"].iter().any(|it| text.contains(it));
    let folders = ["/etc/ssl/certs", "/etc/pki"];
    named || folders.iter().any(|path| step.may_bring(ctx.file, ctx.context, path, &programs(ctx)))
}

/// The paths of the programs that are started: those are files.
fn programs<'a>(ctx: &'a Context) -> Vec<&'a str> {
    ctx.start().programs.iter().map(|it| it.word.as_str()).filter(|it| it.starts_with('/')).collect()
}

/// Whether the builder installs the bundle by name, although its image has it, and fetches nothing by itself: for another
/// image, then.
fn installs_bundle(ctx: &Context, builder: usize) -> bool {
    let mut installs = false;
    for stage_idx in crate::facts::chain(ctx.file, builder) {
        for command in ctx.runs(stage_idx).flat_map(|at| &at.facts.commands) {
            let fetches = matches!(command.program.as_str(), "curl" | "wget" | "git")
                || command.program == "go" && command.subcommand() == Some("get");
            let deed = deed(command)
                .filter(|it| it.verb == Verb::Install && matches!(it.manager, Manager::Apt | Manager::Apk));
            let names = || deed.iter().flat_map(|it| it.packages()).map(packages::bare);
            if fetches || names().any(|it| matches!(it, "curl" | "wget" | "git")) {
                return false;
            }
            installs |= names().any(|it| it == "ca-certificates");
        }
    }
    installs
}

/// A module of Go that talks to services over TLS.
fn client(go_mod: &str) -> Option<&'static str> {
    const MODULES: [&str; 16] = [
        "cloud.google.com/go",
        "github.com/Azure/azure-sdk-for-go",
        "github.com/aws/aws-sdk-go",
        "github.com/coreos/go-oidc",
        "github.com/go-telegram-bot-api/telegram-bot-api",
        "github.com/google/go-github",
        "github.com/mailgun/mailgun-go",
        "github.com/sashabaranov/go-openai",
        "github.com/sendgrid/sendgrid-go",
        "github.com/slack-go/slack",
        "github.com/stripe/stripe-go",
        "github.com/twilio/twilio-go",
        "golang.org/x/oauth2",
        "google.golang.org/api",
        "firebase.google.com/go",
        "gopkg.in/telebot",
    ];
    let mut direct = go_mod.lines().filter(|line| !line.contains("// indirect"));
    direct.find_map(|line| MODULES.into_iter().find(|it| line.contains(it)))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix};
    use crate::rules::Safety;

    fn go(image: &str, copies: &str, beside: &str) -> String {
        format!(
            "FROM golang:1.22 AS b\nRUN CGO_ENABLED=0 go build -o /app .\nFROM {image}\n{copies}COPY --from=b /app /app\n\
             CMD [\"/app\"]\n{beside}"
        )
    }

    const AWS: &str = "#- go.mod\nmodule a\nrequire github.com/aws/aws-sdk-go v1\n";

    #[test]
    fn a_client_of_a_service_needs_certificates() {
        check(
            &RULE,
            "FROM golang:1.22 AS b\nRUN go build -o /app .\nFROM scratch\nCOPY --from=b /app /app\n\
             #             ^^^^ `scratch` has no CA certificates for this program: it uses `github.com/aws/aws-sdk-go`\n\
             CMD [\"/app\"]\n#- go.mod\nmodule a\nrequire github.com/aws/aws-sdk-go v1\n",
        );
        check_fix(
            &RULE,
            Safety::Review,
            &go("scratch", "", AWS),
            &go("scratch", "COPY --from=b /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/\n", AWS),
        );
    }

    #[test]
    fn the_bundle_may_be_copied() {
        for copies in [
            "COPY --from=b /etc/ssl/certs /etc/ssl/certs\n",
            "COPY --from=certs /ca-certificates.crt /etc/ssl/\n",
            "COPY --from=b /etc/ /etc/\n",
            "ADD rootfs.tar.gz /\n",
            "ENV SSL_CERT_FILE=/a\n",
        ] {
            check(&RULE, &go("scratch", copies, AWS));
        }
    }

    #[test]
    fn images_with_certificates_are_fine() {
        for image in ["alpine:3.20", "gcr.io/distroless/static-debian12", "node:22", "example.com/a"] {
            check(&RULE, &go(image, "", AWS));
        }
    }

    #[test]
    fn without_evidence_nothing_is_said() {
        check(&RULE, &go("scratch", "", ""));
        check(&RULE, &go("scratch", "", &AWS.replace(" v1\n", " v1 // indirect\n")));
    }

    #[test]
    fn a_builder_that_fetches_needs_them_itself() {
        let file =
            |packages: &str| go("scratch", "", "").replace("RUN CGO", &format!("RUN apk add {packages}\nRUN CGO"));
        check(&RULE, &file("ca-certificates git"));
        check(&RULE, &file("ca-certificates curl"));
    }

    #[test]
    fn roots_may_be_compiled_in() {
        check(&RULE, &go("scratch", "", &format!("{AWS}require golang.org/x/crypto/x509roots/fallback v0\n")));
    }

    fn curl(install: &str, fetch: &str) -> String {
        format!("FROM debian:12-slim\nRUN apt-get update && apt-get install -y {install} && {fetch}\n")
    }

    #[test]
    fn a_curl_that_came_alone_cannot_check() {
        check(
            &RULE,
            "FROM debian:12-slim\n\
             RUN apt-get install -y --no-install-recommends curl && curl -fsSLO https://example.com/a\n\
             #                                                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `curl` cannot check who answers\n",
        );
    }

    #[test]
    fn recommended_packages_are_the_certificates() {
        check(&RULE, &curl("curl", "curl -O https://example.com/a"));
        check(&RULE, &curl("--no-install-recommends curl ca-certificates", "curl -O https://example.com/a"));
        check(&RULE, &curl("--no-install-recommends curl $MORE", "curl -O https://example.com/a"));
    }

    #[test]
    fn who_does_not_check_needs_none() {
        check(&RULE, &curl("--no-install-recommends curl", "curl -sk https://example.com/a"));
        check(&RULE, &curl("--no-install-recommends curl", "curl -O http://example.com/a"));
        check(&RULE, &curl("--no-install-recommends wget", "wget --no-check-certificate https://example.com/a"));
    }

    #[test]
    fn language_images_have_them() {
        check(
            &RULE,
            &curl("--no-install-recommends curl", "curl https://example.com/a")
                .replace("debian:12-slim", "python:3.12-slim"),
        );
    }
}
