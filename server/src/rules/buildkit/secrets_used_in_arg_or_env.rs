//! `SecretsUsedInArgOrEnv`: a variable whose name says secret.

use crate::model::InstructionKind;
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "SecretsUsedInArgOrEnv",
    group: Group::Security,
    severity: Severity::Warning,
    on: true,
    also: &["secrets-used-in-arg-or-env"],
    doc: r##"
An ARG or ENV has a name that says password, token or key.

The value of an ENV stands in the image's configuration, that of an ARG in its history: whoever can pull the image can read
both. A secret that a build needs comes in by `RUN --mount=type=secret`, one that the program needs when the container is
started.

```dockerfile
FROM debian:12-slim
ENV API_TOKEN=unset
CMD ["bash"]
```

Given to the container by whoever starts it:

```dockerfile
FROM debian:12-slim
ENV API_TOKEN_FILE=/run/secrets/api-token
CMD ["bash"]
```

The name alone decides: a part between `_` that is `apikey`, `auth`, `credential`, `key`, `passwd`, `password`, `pword`, `secret`
or `token`, and none that is `file`, `public` or `version`. Values are `secret-in-env-or-arg`'s matter.
"##,
    check,
};

const SECRET: &[&str] =
    &["apikey", "auth", "credential", "credentials", "key", "passwd", "password", "pword", "secret", "token"];

const HARMLESS: &[&str] = &["file", "public", "version"];

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for placed in ctx.file.stages.iter().flat_map(|stage| &stage.instructions) {
        let (InstructionKind::Env(pairs) | InstructionKind::Arg(pairs)) = &placed.instruction.kind else { continue };
        for pair in pairs {
            let name = &pair.name.text;
            if !has_part(name, SECRET) || has_part(name, HARMLESS) {
                continue;
            }
            let instruction = &placed.instruction.name;
            let message = format!("do not use ARG or ENV instructions for sensitive data ({instruction} \"{name}\")");
            let mut finding = Finding::new(&RULE, placed.range(pair.name.range), message);
            finding.cause = placed.range(pair.range);
            finding.assists.push("secret-mount");
            acc.push(finding);
        }
    }
}

/// Whether one of these words stands in a name, parted from its other words by `_`.
fn has_part(name: &str, words: &[&str]) -> bool {
    name.split('_').any(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::check;

    #[test]
    fn the_name_is_to_blame() {
        check(
            &RULE,
            "FROM a\nENV B=c DB_PASSWORD=1\n\
             #       ^^^^^^^^^^^ do not use ARG or ENV instructions for sensitive data (ENV \"DB_PASSWORD\")\n",
        );
        check(&RULE, "FROM a\nARG token\n#   ^^^^^ (ARG \"token\")\n");
    }

    #[test]
    fn the_word_stands_alone() {
        check(&RULE, "FROM a\nENV MONKEY=b KEYBOARD=c AUTHOR=d TOKENS=e\n");
    }

    #[test]
    fn public_keys_files_and_versions_are_no_secrets() {
        check(&RULE, "FROM a\nENV PUBLIC_KEY=b PASSWORD_FILE=c\nARG AUTH_VERSION=1\n");
    }

    #[test]
    fn an_argument_before_the_first_stage_is_not_in_the_image() {
        check(&RULE, "ARG TOKEN\nFROM a\n");
    }
}
