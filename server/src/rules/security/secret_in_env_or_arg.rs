//! `secret-in-env-or-arg`: a secret stands in an ENV or ARG, where everybody who has the image reads it.

use crate::facts::secrets::{self, Value};
use crate::facts::stage::value;
use crate::model::{InstructionKind, Pair, Placed, Stage};
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "secret-in-env-or-arg",
    group: Group::Security,
    severity: Severity::Error,
    on: true,
    also: &["DL3064", "SecretsUsedInArgOrEnv"],
    doc: r##"
A secret is given by `ENV` or `ARG`, where everybody who can pull the image can read it.

`docker history` and the image's configuration show the values of both; those of build arguments stand in the provenance
as well. A secret that only the build needs comes by `RUN --mount=type=secret` and is in no layer; one that the program
needs is passed when the container starts.

```dockerfile
FROM node:22-slim
ARG NPM_TOKEN
COPY package*.json .npmrc ./
RUN npm ci
CMD ["node", "server.js"]
```

As a secret of that one `RUN`:

```dockerfile
FROM node:22-slim
COPY package*.json .npmrc ./
RUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci
CMD ["node", "server.js"]
```

A value that is surely a token is an error, and so is a literal value of a name that says secret; a name alone is a warning.
Nothing is said of names that only sound so (`KEY_FILE`, `TOKEN_URL`, `GPG_KEY`), of paths, numbers and placeholders; a
placeholder that is shipped as the default password is information. `secret-in-env-or-arg.names` and `.allow-names` in the
settings add to both lists.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for placed in &ctx.file.preamble {
        let InstructionKind::Arg(pairs) = &placed.instruction.kind else { continue };
        for pair in pairs {
            // A global argument is in an image only where a stage declares it once more.
            let declared = ctx.reaching().any(|(_, stage)| declares(stage, &pair.name.text));
            let text = pair.value.as_ref().map(|word| word.text.trim_matches(['"', '\'']).to_owned());
            check_literal(ctx, placed, pair, text.as_deref(), declared, false, acc);
        }
    }
    for (stage_idx, stage) in ctx.reaching() {
        let last_run = stage.runs().last().map(|(idx, _, _)| idx);
        for (idx, placed) in stage.instructions.iter().enumerate() {
            let kind = match &placed.instruction.kind {
                InstructionKind::Onbuild(inner) => &inner.kind,
                kind => kind,
            };
            match kind {
                InstructionKind::Env(pairs) => {
                    for pair in pairs {
                        let text = literal(ctx, stage, placed, pair);
                        let shipped = ctx.facts.is_final(stage_idx);
                        check_literal(ctx, placed, pair, text.as_deref(), true, shipped, acc);
                    }
                }
                InstructionKind::Arg(pairs) => {
                    for pair in pairs {
                        let text = literal(ctx, stage, placed, pair);
                        check_literal(ctx, placed, pair, text.as_deref(), true, false, acc);
                        let is_empty = text.as_deref().is_none_or(|text| text.trim().is_empty());
                        let is_given = pair.value.is_none() || is_empty && text.is_some();
                        if is_given && last_run.is_some_and(|run| run > idx) && says_secret(ctx, &pair.name.text) {
                            let kept = ctx.facts.is_final(stage_idx) && is_kept(stage, idx, &pair.name.text);
                            acc.push(by_name(placed, pair, kept));
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether a stage takes over the global argument of this name.
fn declares(stage: &Stage, name: &str) -> bool {
    stage.instructions.iter().any(|placed| match &placed.instruction.kind {
        InstructionKind::Arg(pairs) => pairs.iter().any(|pair| pair.name.text == name && pair.value.is_none()),
        _ => false,
    })
}

/// The value as far as it stands in the text: without quotes, the default of `${NAME:-default}`; `None` where it is another
/// variable's.
fn literal(ctx: &Context, stage: &Stage, placed: &Placed, pair: &Pair) -> Option<String> {
    let word = pair.value.as_ref()?;
    if !word.text.contains('$') {
        return value(stage, placed, &word.text, ctx.file.directives.escape);
    }
    let inner = word.text.trim_matches(['"', '\'']).strip_prefix("${")?.strip_suffix('}')?;
    let (name, default) = inner.split_once(":-").or_else(|| inner.split_once('-'))?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && !default.contains('$')).then(|| default.to_owned())
}

fn is_in(names: &[String], name: &str) -> bool {
    names.iter().any(|it| it.eq_ignore_ascii_case(name))
}

fn says_secret(ctx: &Context, name: &str) -> bool {
    let options = &ctx.config.options;
    !is_in(&options.secret_allow_names, name) && (is_in(&options.secret_names, name) || secrets::says_secret(name))
}

/// Finds a value that is a token by its shape, and one of a name that says secret. `counts`: whether the name alone is
/// reason enough; `shipped`: whether a default password would be in the image.
fn check_literal(
    ctx: &Context,
    placed: &Placed,
    pair: &Pair,
    text: Option<&str>,
    counts: bool,
    shipped: bool,
    acc: &mut Vec<Finding>,
) {
    let Some(word) = &pair.value else { return };
    let name = &pair.name.text;
    let mut add = |severity: Severity, message: String| {
        let mut finding = Finding::new(&RULE, placed.range(word.range), message);
        finding.severity = severity;
        finding.cause = placed.range(pair.range);
        finding.assists.push("secret-mount");
        acc.push(finding);
    };
    if let Some(token) = secrets::tokens(&word.text).first() {
        let message = format!("{} stands in `{name}`, where everybody who has the image reads it", token.what);
        return add(Severity::Error, message);
    }
    let Some(text) = text.filter(|_| counts && says_secret(ctx, name)) else { return };
    let named = is_in(&ctx.config.options.secret_names, name);
    match if named { secrets::value(text) } else { secrets::value_of(name, text) } {
        Value::Plain => {}
        Value::Literal => {
            add(Severity::Error, format!("`{name}` has its value in the image, where everybody who has it reads it"));
        }
        Value::Placeholder if shipped && is_password(name) && !is_dummy(name) => {
            add(Severity::Information, format!("a default password ships in the image: `{name}`"));
        }
        Value::Placeholder => {}
    }
}

/// Whether a name says password, and not key or token: those have no default that anybody would use.
fn is_password(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["password", "passwd", "pword"].iter().any(|word| lower.contains(word))
}

/// `SECRET_KEY_BASE_DUMMY`
fn is_dummy(name: &str) -> bool {
    name.to_ascii_lowercase().contains("dummy")
}

/// Whether an ENV behind the ARG keeps its value for the container, and no RUN names it: the program wants it.
fn is_kept(stage: &Stage, arg_idx: usize, name: &str) -> bool {
    let reads = |text: &str| {
        let text = text.trim_matches(['"', '\'']);
        text.strip_prefix('$').is_some_and(|it| it.trim_start_matches('{').trim_end_matches('}') == name)
    };
    let mut later = stage.instructions.iter().skip(arg_idx + 1);
    let is_named = stage.runs().any(|(_, placed, _)| placed.instruction.text.contains(name));
    !is_named
        && later.any(|placed| match &placed.instruction.kind {
            InstructionKind::Env(pairs) => {
                pairs.iter().any(|pair| pair.value.as_ref().is_some_and(|word| reads(&word.text)))
            }
            _ => false,
        })
}

/// The finding of an ARG that is given a secret; `kept`: an ENV gives it to the container.
fn by_name(placed: &Placed, pair: &Pair, kept: bool) -> Finding {
    let name = &pair.name.text;
    let message = if kept {
        format!("the value of `{name}` stays in the image as an ENV; pass it when the container starts")
    } else {
        format!("the value of `{name}` stays in the image's history")
    };
    let mut finding = Finding::new(&RULE, placed.range(pair.name.range), message);
    finding.severity = Severity::Warning;
    finding.cause = placed.range(pair.range);
    if !kept {
        finding.assists.push("secret-mount");
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_no_fix, findings, parse};
    use crate::rules::Severity;

    fn check_silent(lines: &str) {
        check(&RULE, &format!("FROM debian:12\n{lines}\nRUN a\nCMD [\"a\"]\n"));
    }

    fn severities(text: &str) -> Vec<Severity> {
        findings(&analyse(&parse(text)), &RULE).iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn a_token_is_found_whatever_the_name_is() {
        let text = "FROM debian:12\n\
                    ENV HOMEBREW=ghp_a8Bc7De6Fg5Hi4Jk3Lm2No1Pq0Rs9Tu8Vw7X\n\
                    #            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a GitHub token stands in `HOMEBREW`\n\
                    CMD [\"a\"]\n";
        check(&RULE, text);
        check_no_fix(&RULE, text);
        assert_eq!(severities("FROM a\nENV DATABASE=\"mysql://app:hG7s0pQ2@db.example.com/x\"\n"), [Severity::Error]);
        assert_eq!(severities("ARG T=glpat-a8Bc7De6Fg5Hi4Jk3Lm2\nFROM a\n"), [Severity::Error]);
    }

    #[test]
    fn a_literal_value_of_a_secret_name_is_an_error() {
        check(
            &RULE,
            "FROM debian:12\n\
             ENV A=b API_KEY=hG7s0pQ2kLm\n\
             #               ^^^^^^^^^^^ `API_KEY` has its value in the image\n\
             ENV DB_PASSWORD ${DB_PASSWORD:-hG7s0pQ2}\n\
             #               ^^^^^^^^^^^^^^^^^^^^^^^^ `DB_PASSWORD`\n\
             CMD [\"a\"]\n",
        );
        assert_eq!(severities("FROM a\nENV API_KEY=hG7s0pQ2kLm\n"), [Severity::Error]);
    }

    #[test]
    fn an_argument_without_a_value_is_in_the_history_of_every_run() {
        let text = "FROM debian:12\n\
                    ARG NPM_TOKEN\n\
                    #   ^^^^^^^^^ the value of `NPM_TOKEN` stays in the image's history\n\
                    RUN npm ci\n\
                    CMD [\"a\"]\n";
        check(&RULE, text);
        assert_eq!(severities(text), [Severity::Warning]);
        assert_eq!(severities("FROM a\nARG NPM_TOKEN=\"\"\nRUN b\n"), [Severity::Warning]);
    }

    #[test]
    fn what_an_env_keeps_is_for_the_program() {
        check(
            &RULE,
            "FROM debian:12\n\
             ARG API_KEY=\"\"\n\
             #   ^^^^^^^ stays in the image as an ENV; pass it when the container starts\n\
             ENV API_KEY=\"$API_KEY\"\n\
             RUN a\n\
             CMD [\"a\"]\n",
        );
        check(
            &RULE,
            "FROM debian:12\n\
             ARG API_KEY\n\
             #   ^^^^^^^ stays in the image's history\n\
             ENV API_KEY=$API_KEY\n\
             RUN a --key $API_KEY\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn an_argument_that_no_run_sees_is_in_no_history() {
        check(&RULE, "FROM debian:12\nRUN a\nARG NPM_TOKEN\nCMD [\"a\"]\n");
        check(&RULE, "ARG NPM_TOKEN\nFROM debian:12\nRUN a\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_global_argument_counts_where_a_stage_takes_it_over() {
        check(&RULE, "ARG API_KEY=hG7s0pQ2kLm\nFROM debian:12\nCMD [\"a\"]\n");
        assert_eq!(severities("ARG API_KEY=hG7s0pQ2kLm\nFROM a\nARG API_KEY\n"), [Severity::Error]);
    }

    #[test]
    fn names_that_only_sound_secret_hold_none() {
        check_silent("ENV KEY_FILE=a8b7c6 TOKEN_URL=a8b7c6 GPG_KEY=a8b7c6 PUBLIC_KEY=a8b7c6 TOKEN_VERSION=a8b7c6");
        check_silent("ARG KEY_PATH\nARG SSH_AUTH_SOCK\nARG TOKEN_TTL");
    }

    #[test]
    fn a_fingerprint_of_a_public_key_is_public() {
        check_silent("ENV NGINX_KEY=573BFD6B3D8FBC641079A6ABABF5BD827BD9BF62 KEY=0xA1B2C3D4");
    }

    #[test]
    fn values_that_hide_nothing_are_no_secrets() {
        check_silent("ENV A_TOKEN= B_KEY=true C_SECRET=42 D_KEY=/etc/key.pem E_AUTH=https://example.com");
        check_silent("ENV A_TOKEN=changeme B_KEY=dummy C_SECRET=xxx D_KEY=\"<your key>\" SECRET_KEY_BASE=example");
        check_silent("ENV SECRET_KEY_BASE_DUMMY=1");
    }

    #[test]
    fn another_variable_has_its_own_place() {
        check_silent("ENV A_TOKEN=$B A_KEY=${C}");
    }

    #[test]
    fn a_default_password_that_is_shipped_is_information() {
        let text = "FROM debian:12\nENV POSTGRES_PASSWORD=postgres\nCMD [\"a\"]\n";
        assert_eq!(severities(text), [Severity::Information]);
        check(&RULE, "FROM debian:12\nARG DB_PASSWORD=postgres\nRUN a\nCMD [\"a\"]\n");
        check(&RULE, "FROM a AS b\nENV DB_PASSWORD=postgres\nFROM a\nCOPY --from=b /a /a\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_stage_that_nobody_needs_is_not_built() {
        check(&RULE, "FROM a AS b\nENV API_KEY=hG7s0pQ2kLm\nFROM a\nCMD [\"a\"]\n");
    }

    #[test]
    fn an_onbuild_is_looked_at() {
        assert_eq!(severities("FROM a\nONBUILD ENV API_KEY=hG7s0pQ2kLm\n"), [Severity::Error]);
    }

    #[test]
    fn the_settings_know_more_names() {
        let settings = "#- plimsoll.toml\n[secret-in-env-or-arg]\nnames = [\"PIN\"]\nallow-names = [\"API_KEY\"]\n";
        assert_eq!(severities(&format!("FROM a\nENV PIN=hG7s0pQ2kLm API_KEY=hG7s0pQ2kLm\n{settings}")).len(), 1);
    }
}
