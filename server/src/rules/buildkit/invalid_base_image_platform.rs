//! `InvalidBaseImagePlatform`: a base image of another platform than the build's.

use crate::model::{Base, ImageRef, InstructionKind, Platform};
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "InvalidBaseImagePlatform",
    group: Group::Correctness,
    severity: Severity::Warning,
    on: false,
    also: &["invalid-base-image-platform"],
    doc: r##"
The base image is made for another platform than the one that is built for.

Its programs run under emulation, slowly, or not at all. BuildKit sees it when it has pulled the image; without a registry it
can only be told from the repositories of Docker Hub that hold one architecture each (`arm64v8/…`, `i386/…`). Off by default:
a file that names such a repository is mostly meant for another machine than the one it is read on.

```dockerfile
FROM arm64v8/debian:12-slim
CMD ["bash"]
#- plimsoll.toml
[rules]
InvalidBaseImagePlatform = "warning"
```

The image that exists for every platform:

```dockerfile
FROM debian:12-slim
CMD ["bash"]
#- plimsoll.toml
[rules]
InvalidBaseImagePlatform = "warning"
```
"##,
    check,
};

/// The repositories of Docker Hub that hold official images of one architecture.
const NAMESPACES: &[(&str, &str)] = &[
    ("amd64", "linux/amd64"),
    ("arm32v5", "linux/arm/v5"),
    ("arm32v6", "linux/arm/v6"),
    ("arm32v7", "linux/arm/v7"),
    ("arm64v8", "linux/arm64"),
    ("i386", "linux/386"),
    ("mips64le", "linux/mips64le"),
    ("ppc64le", "linux/ppc64le"),
    ("riscv64", "linux/riscv64"),
    ("s390x", "linux/s390x"),
];

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage in &ctx.file.stages {
        let InstructionKind::From(from) = &stage.from.instruction.kind else { continue };
        let Base::Image(image) = &stage.base else { continue };
        let Some(actual) = platform(image) else { continue };
        let wanted = match (stage.from.instruction.flag("platform"), &stage.platform) {
            (None, _) => &ctx.config.platform,
            (Some(_), Some(platform)) => platform,
            (Some(_), None) => continue,
        };
        if (&actual.os, &actual.arch) != (&wanted.os, &wanted.arch) {
            let message =
                format!("base image {image} is of platform \"{actual}\", expected \"{wanted}\" for current build");
            acc.push(Finding::new(&RULE, stage.from.range(from.image.range), message));
        }
    }
}

/// The platform that a repository's name says.
fn platform(image: &ImageRef) -> Option<Platform> {
    let (namespace, _) = image.path.split_once('/').filter(|_| image.registry == "docker.io")?;
    let (_, platform) = NAMESPACES.iter().find(|(name, _)| *name == namespace)?;
    Platform::parse(platform)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::check;

    fn check_with(text: &str, settings: &str) {
        check(&RULE, &format!("{text}#- plimsoll.toml\n{settings}\n[rules]\nInvalidBaseImagePlatform = \"warning\"\n"));
    }

    #[test]
    fn the_image_is_to_blame() {
        let text = "FROM arm64v8/alpine\n#    ^^^^^^^^^^^^^^ platform \"linux/arm64\", expected \"linux/amd64\"\n";
        check_with(text, "");
    }

    #[test]
    fn an_image_of_the_builds_platform_is_fine() {
        check_with("FROM amd64/alpine\nFROM alpine\nFROM acme/arm64v8\n", "");
        check_with("FROM arm64v8/alpine\n", "platform = \"linux/arm64\"");
        check_with("FROM --platform=linux/arm64 arm64v8/alpine\nFROM --platform=$X arm64v8/alpine\n", "");
    }

    #[test]
    fn it_is_off_by_default() {
        check(&RULE, "FROM arm64v8/alpine\n");
    }
}
