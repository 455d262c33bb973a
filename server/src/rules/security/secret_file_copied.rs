//! `secret-file-copied`: a file with credentials is copied into a layer.

use crate::facts::secrets;
use crate::model::{Copy, InstructionKind, Placed, Stage, Word};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{TextEdit, TextRange, TextSize};

/// The rule.
pub static RULE: Rule = Rule {
    name: "secret-file-copied",
    group: Group::Security,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
A file with credentials is copied into the image.

Whoever can pull the image can read it, even if a later layer deletes it: the layer below keeps it. What only the build needs
comes by `RUN --mount=type=secret` and is in no layer; what the program needs is mounted when the container starts.

```dockerfile
FROM node:22-slim
COPY .npmrc package*.json ./
RUN npm ci && rm .npmrc
CMD ["node", "server.js"]
```

As a secret of that one `RUN`:

```dockerfile
FROM node:22-slim
COPY package*.json ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci
CMD ["node", "server.js"]
```

Known by their names: `.env`, private keys, `.npmrc`, `.netrc`, `.aws/credentials`, key stores. Certificates, public keys and
`.env.example` are none, and a file that can be read and holds no secret is none either.
"##,
    check,
};

/// What a file of credentials is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `.env`
    Environment,
    /// `.npmrc`: as often a registry's address as a token.
    Npmrc,
    /// A private key, or a store of keys.
    Key,
    /// Logins.
    Credentials,
}

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, stage) in ctx.reaching() {
        for placed in &stage.instructions {
            let instruction = &placed.instruction;
            let kind = match &instruction.kind {
                InstructionKind::Onbuild(inner) => &inner.kind,
                kind => kind,
            };
            let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = kind else { continue };
            if instruction.flag("from").is_some() {
                continue;
            }
            for source in &copy.sources {
                let Some(kind) = kind_of(&source.text) else { continue };
                if holds_nothing(ctx, &source.text, kind) || is_public(stage, copy, &source.text, kind) {
                    continue;
                }
                let shipped = ctx.facts.is_final(stage_idx);
                let place = if shipped { "the image" } else { "the build cache" };
                let message = match kind {
                    Kind::Environment => format!("`{}` and the secrets in it are copied into {place}", source.text),
                    Kind::Npmrc => format!("`{}` and the tokens in it are copied into {place}", source.text),
                    Kind::Key => format!("the private key `{}` is copied into {place}", source.text),
                    Kind::Credentials => format!("the credentials in `{}` are copied into {place}", source.text),
                };
                let mut finding = Finding::new(&RULE, placed.range(source.range), message);
                if !shipped || kind == Kind::Npmrc && !has_secret(ctx, &source.text) {
                    finding.severity = Severity::Warning;
                }
                finding.assists.push("secret-mount");
                if kind == Kind::Environment && instruction.name != "ONBUILD" {
                    finding.fix = fix(ctx, placed, copy, source);
                }
                acc.push(finding);
            }
        }
    }
}

/// The files of the context whose texts tell whether they hold a secret.
pub(in crate::rules) fn files(ctx: &Context) -> Vec<String> {
    let mut res = Vec::new();
    for (_, stage) in ctx.reaching() {
        for placed in &stage.instructions {
            let (InstructionKind::Copy(copy) | InstructionKind::Add(copy)) = &placed.instruction.kind else { continue };
            let sources = copy.sources.iter().filter(|source| kind_of(&source.text).is_some());
            let named = { sources }.filter(|source| ctx.context.has_file(&source.text));
            res.extend(named.map(|source| crate::context::cleaned(&source.text)));
        }
    }
    res
}

/// What a source names, by its last part; `None` for anything that is no file of credentials, or not surely one.
fn kind_of(source: &str) -> Option<Kind> {
    let lower = source.to_ascii_lowercase();
    let mut parts = lower.trim_start_matches("./").split('/').rev();
    let name = parts.next()?;
    let folder = parts.next().unwrap_or_default();
    let tested = |part: &str| {
        matches!(
            part,
            "test" | "tests" | "testdata" | "fixtures" | "example" | "examples" | "sample" | "samples" | "spec"
        )
    };
    if tested(folder) || parts.any(tested) || lower.contains("://") || lower.contains('$') {
        return None;
    }
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if let Some(rest) = name.strip_prefix(".env") {
        let harmless =
            has(&["example", "sample", "template", "dist", "default", "test", "tpl", "ci", "schema", "docker"]);
        return ((rest.is_empty() || rest.starts_with('.')) && !harmless && !rest.contains('*'))
            .then_some(Kind::Environment);
    }
    match name {
        ".npmrc" => return Some(Kind::Npmrc),
        "id_rsa" | "id_dsa" | "id_ed25519" | "id_ecdsa" | "master.key" => return Some(Kind::Key),
        ".pypirc" | ".netrc" | "_netrc" | ".git-credentials" | ".htpasswd" | "kubeconfig" => {
            return Some(Kind::Credentials);
        }
        "credentials" if folder == ".aws" => return Some(Kind::Credentials),
        "config.json" if folder == ".docker" => return Some(Kind::Credentials),
        _ if ends(&[".tfstate"]) => return Some(Kind::Credentials),
        _ if ends(&[".json"]) && (has(&["service-account", "service_account", "serviceaccount"])) => {
            return Some(Kind::Credentials);
        }
        _ => {}
    }
    // Any certificate may be meant.
    if name == "*.pem" {
        return None;
    }
    let store = ends(&[".p12", ".pfx", ".jks", ".keystore"]);
    let key = ends(&[".pem", ".key"]);
    // Certificates, public keys, stores of those who are trusted, licences.
    let public = [
        "ca", "cert", "chain", "crt", "dhparam", "bundle", "pub", "trust", "gpg", "pgp", "sign", "apt", "repo",
        "release", "licen", "root", "rpm", "deb", "archive", "rds-", "dh", "debug", "dummy", "snakeoil", "self",
    ];
    let is_ca = |word: &str| match word {
        "ca" => name.split(|it: char| !it.is_ascii_alphanumeric()).any(|it| it == "ca") || name.starts_with("ca"),
        "dh" => name.starts_with("dh"),
        word => name.contains(word),
    };
    ((store || key) && !public.iter().any(|word| is_ca(word))).then_some(Kind::Key)
}

/// Whether the file is there to be read and is empty, or holds no secret.
fn holds_nothing(ctx: &Context, source: &str, kind: Kind) -> bool {
    let entry = ctx.context.known.then(|| ctx.context.entry(source)).flatten();
    if entry.is_some_and(|entry| entry.bytes == 0) {
        return true;
    }
    match (ctx.context.text(source), kind) {
        (Some(text), Kind::Environment | Kind::Npmrc) => !secrets::has_secret(text),
        (Some(text), Kind::Key) => text.contains("-----BEGIN") && !text.contains("PRIVATE KEY-----"),
        (Some(_) | None, _) => false,
    }
}

fn has_secret(ctx: &Context, source: &str) -> bool {
    ctx.context.text(source).is_some_and(secrets::has_secret)
}

/// Whether a key of no telling name is one to check signatures with: it goes where such keys lie, or is given to the program
/// that takes them.
fn is_public(stage: &Stage, copy: &Copy, source: &str, kind: Kind) -> bool {
    let name = source.rsplit('/').next().unwrap_or(source);
    let destination = copy.destination.as_ref().map_or("", |word| word.text.as_str());
    let places = ["/etc/apt", "keyring", "/etc/pki", "trusted", "ca-certificates", "/etc/apk", "authorized"];
    let imported = || {
        stage.runs().any(|(_, placed, _)| {
            let text = &*placed.instruction.text;
            let takes = ["apt-key", "gpg ", "--import", "rpm ", "update-ca", "keytool"];
            text.contains(name) && takes.iter().any(|word| text.contains(word))
        })
    };
    kind == Kind::Key && (places.iter().any(|it| destination.contains(it)) || imported())
}

/// Takes the source out of the COPY, or the whole COPY where it is its only one.
fn fix(ctx: &Context, placed: &Placed, copy: &Copy, source: &Word) -> Option<Fix> {
    let title = format!("Do not copy `{}`", source.text);
    if copy.json || !placed.instruction.heredocs.is_empty() {
        return None;
    }
    let range = if copy.sources.len() == 1 {
        whole_lines(&ctx.file.text, placed.whole())
    } else {
        // Up to the next word.
        let next = copy.sources.iter().chain(&copy.destination).find(|word| word.range.start >= source.range.end)?;
        TextRange::new(placed.range(source.range).start(), placed.range(next.range).start())
    };
    Some(Fix { title, safety: Safety::Review, edit: TextEdit::replace(range, "") })
}

/// A range with the line end behind it.
fn whole_lines(text: &str, range: TextRange) -> TextRange {
    let rest = text.get(usize::from(range.end())..).unwrap_or_default();
    let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
    TextRange::new(range.start(), range.end() + TextSize::new(end as u32))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, findings, parse};
    use crate::rules::{Safety, Severity};

    fn check_silent(lines: &str) {
        check(&RULE, &format!("FROM debian:12\n{lines}\nCMD [\"a\"]\n"));
    }

    fn severities(text: &str) -> Vec<Severity> {
        findings(&analyse(&parse(text)), &RULE).iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn files_of_credentials_are_known_by_their_names() {
        check(
            &RULE,
            "FROM debian:12\n\
             COPY package.json .env /app/\n\
             #                 ^^^^ `.env` and the secrets in it are copied into the image\n\
             COPY ssh/id_rsa /root/.ssh/\n\
             #    ^^^^^^^^^^ the private key `ssh/id_rsa` is copied into the image\n\
             ADD .aws/credentials /root/.aws/credentials\n\
             #   ^^^^^^^^^^^^^^^^ the credentials in `.aws/credentials`\n\
             RUN rm /root/.aws/credentials\n\
             CMD [\"a\"]\n",
        );
        let named = ["server.key", "tls.pem", "a.p12", "a.pfx", "app.jks", "a.keystore", ".pypirc", ".netrc"];
        let more = [".git-credentials", ".docker/config.json", "kubeconfig", "service-account-1.json", ".htpasswd"];
        for name in named.into_iter().chain(more).chain(["a.tfstate", "config/master.key", ".env.production"]) {
            assert_eq!(severities(&format!("FROM a\nCOPY {name} /x/\n")), [Severity::Error], "{name}");
        }
    }

    #[test]
    fn certificates_and_public_keys_are_no_secrets() {
        check_silent("COPY id_rsa.pub a.crt a.cer ca.pem my-ca.pem cert.pem server-cert.pem dhparam.pem /x/");
        check_silent("COPY *.pem /x/");
        check_silent("COPY cacert.pem fullchain.pem truststore.jks /x/");
    }

    #[test]
    fn a_key_to_check_signatures_with_is_public() {
        check_silent("COPY nginx_signing.key /tmp/");
        check_silent("COPY vendor.key /etc/apt/trusted.gpg.d/");
        check_silent("COPY vendor.key /tmp/\nRUN apt-key add /tmp/vendor.key");
    }

    #[test]
    fn an_example_holds_no_secret() {
        check_silent("COPY .env.example .env.sample .env.template .env.dist .env.defaults .env.test /x/");
        check_silent("COPY .env.example .env");
    }

    #[test]
    fn a_file_that_can_be_read_is_judged_by_what_it_holds() {
        check(&RULE, "FROM a\nCOPY .npmrc .env ./\n#- .npmrc\nregistry=https://example.com\n#- .env\nPORT=80\n");
        check(&RULE, "FROM a\nCOPY .env ./\n#- .env\n# API_KEY=hG7s0pQ2kLm\nAPI_KEY=\nTOKEN=${TOKEN}\n");
        let text = "FROM a\nCOPY .npmrc ./\n#- .npmrc\n//registry.npmjs.org/:_authToken=a8b7c6d5-0000\n";
        assert_eq!(severities(text), [Severity::Error]);
        assert_eq!(severities("FROM a\nCOPY .env ./\n#- .env\nAPI_KEY=hG7s0pQ2kLm\n"), [Severity::Error]);
        assert_eq!(severities("FROM a\nCOPY .env ./\n#- .env\nexport DB_PASS=hG7s0pQ2kLm\n"), [Severity::Error]);
        check(&RULE, "FROM a\nCOPY a.pem ./\n#- a.pem\n-----BEGIN CERTIFICATE-----\n");
    }

    #[test]
    fn an_npmrc_that_nobody_read_is_a_warning() {
        assert_eq!(severities("FROM a\nCOPY .npmrc ./\n"), [Severity::Warning]);
    }

    #[test]
    fn an_empty_file_holds_nothing() {
        check(&RULE, "FROM a\nCOPY .env ./\n#- .env\n#- package.json\n{}\n");
    }

    #[test]
    fn another_stage_has_its_own_files() {
        check_silent("COPY --from=nginx:1.27 /etc/ssl/a.key /x/");
    }

    #[test]
    fn files_of_tests_are_made_for_it() {
        check_silent("COPY tests/server.key testdata/id_rsa a/fixtures/b.pem /x/");
    }

    #[test]
    fn in_a_builder_it_is_still_in_the_build_cache() {
        let text = "FROM a AS b\nCOPY id_rsa /root/.ssh/\nRUN git clone x\nFROM a\nCOPY --from=b /x /x\nCMD [\"a\"]\n";
        assert_eq!(severities(text), [Severity::Warning]);
    }

    #[test]
    fn a_person_takes_it_out_of_the_copy() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM a\nCOPY package.json .env ./\nCOPY .env.local ./\nCMD [\"a\"]\n",
            "FROM a\nCOPY package.json ./\nCMD [\"a\"]\n",
        );
    }
}
