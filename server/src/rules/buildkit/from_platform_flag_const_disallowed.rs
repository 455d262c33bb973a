//! `FromPlatformFlagConstDisallowed`: FROM is bound to one platform.

use crate::model::Platform;
use crate::rules::buildkit::edits::without_flag;
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "FromPlatformFlagConstDisallowed",
    group: Group::Correctness,
    severity: Severity::Information,
    on: true,
    also: &["from-platform-flag-const-disallowed", "DL3029"],
    doc: r##"
FROM asks for one certain platform, whatever the build is for.

On another machine the image then runs under emulation, and `--platform` of the build no longer says what comes out. Which
platform is meant is best said outside, or by a variable.

```dockerfile
FROM --platform=linux/amd64 debian:12-slim
CMD ["bash"]
```

For whatever is built for:

```dockerfile
FROM debian:12-slim
CMD ["bash"]
```

Silent where the stage's name holds the operating system or the architecture (`AS build-amd64`): then it is one of several, and
chosen by its name.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage in &ctx.file.stages {
        let Some(flag) = stage.from.instruction.flag("platform") else { continue };
        let Some(word) = flag.value.as_ref().filter(|word| !word.text.contains('$')) else { continue };
        let Some(platform) = Platform::parse(word.text.trim_matches(['"', '\''])) else { continue };
        let name = stage.name.as_ref().map(|name| name.text.to_lowercase()).unwrap_or_default();
        if name.contains(&platform.os) || name.contains(&platform.arch) {
            continue;
        }
        let message = format!("FROM --platform flag should not use constant value \"{}\"", word.text);
        let mut finding = Finding::new(&RULE, stage.from.range(flag.range), message);
        finding.fix = Some(Fix {
            title: "Delete the flag".to_owned(),
            safety: Safety::Review,
            edit: without_flag(&stage.from, flag),
        });
        acc.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix};
    use crate::rules::Safety;

    #[test]
    fn the_flag_is_to_blame() {
        check(
            &RULE,
            "FROM --platform=linux/amd64 a AS b\n\
             #    ^^^^^^^^^^^^^^^^^^^^^^ FROM --platform flag should not use constant value \"linux/amd64\"\n",
        );
    }

    #[test]
    fn a_variable_is_no_constant() {
        check(&RULE, "ARG P=linux/amd64\nFROM --platform=$BUILDPLATFORM a\nFROM --platform=$P b\n");
    }

    #[test]
    fn a_stage_named_after_its_platform_means_it() {
        check(&RULE, "FROM --platform=linux/arm64 a AS build-ARM64\nFROM --platform=linux/amd64 a AS linux\n");
    }

    #[test]
    fn the_flag_goes_with_its_blank() {
        check_fix(&RULE, Safety::Review, "FROM --platform=linux/arm64 a\n", "FROM a\n");
    }
}
