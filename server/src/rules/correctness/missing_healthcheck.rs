//! `missing-healthcheck`: a server of which nobody asks whether it still works.

use crate::facts::ground;
use crate::facts::started;
use crate::model::InstructionKind;
use crate::rules::{Context, Finding, Group, Rule, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "missing-healthcheck",
    group: Group::Correctness,
    severity: Severity::Hint,
    on: false,
    also: &["DL3057"],
    doc: r##"
The image serves a port and has no HEALTHCHECK: a server that hangs counts as running.

Off by default: orchestrators bring probes of their own, and Kubernetes does not read this one.

```dockerfile
FROM nginx:1.27-alpine
EXPOSE 80
CMD ["nginx", "-g", "daemon off;"]
#- plimsoll.toml
[rules]
missing-healthcheck = "hint"
```

With one:

```dockerfile
FROM nginx:1.27-alpine
EXPOSE 80
HEALTHCHECK CMD wget -q --spider http://localhost/
CMD ["nginx", "-g", "daemon off;"]
#- plimsoll.toml
[rules]
missing-healthcheck = "hint"
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target.filter(|_| ctx.facts.is_started()) else { return };
    let started = started::of(ctx.file, ctx.facts);
    if started.healthcheck.is_some() {
        return;
    }
    let stages = ctx.facts.final_chain.iter().filter_map(|idx| ctx.file.stages.get(*idx));
    let is_expose = |kind: &InstructionKind| matches!(kind, InstructionKind::Expose(_));
    let Some(expose) = { stages }.flat_map(|stage| &stage.instructions).find(|it| is_expose(&it.instruction.kind))
    else {
        return;
    };
    // An image that nobody knows may have one.
    let ground = ground::of(ctx.file, ctx.images, target);
    let composed = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"]
        .iter()
        .filter_map(|name| ctx.context.texts.get(*name))
        .any(|text| text.contains("healthcheck:"));
    let probed =
        ctx.context.texts.values().any(|text| text.contains("livenessProbe") || text.contains("readinessProbe"));
    if ground == ground::Ground::Unknown || composed || probed {
        return;
    }
    let hint = match ground.distro() {
        Some("alpine" | "busybox") => ": `wget -q --spider URL` is in the image",
        _ if ground.repository().is_some_and(|(name, _)| name == "docker.io/library/node") => {
            ": `node -e \"fetch(…)\"` is in the image"
        }
        _ => "",
    };
    acc.push(Finding::new(&RULE, expose.whole(), format!("nothing asks whether the server works{hint}")));
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::check;

    const ON: &str = "#- plimsoll.toml\n[rules]\nmissing-healthcheck = \"hint\"\n";

    fn check_silent(text: &str) {
        check(&RULE, &format!("{text}{ON}"));
    }

    #[test]
    fn a_port_is_served_and_nobody_asks() {
        let text =
            "FROM node:22\n  EXPOSE 80\n# ^^^^^^^^^ nothing asks whether the server works: `node -e\nCMD [\"a\"]\n";
        check(&RULE, &format!("{text}{ON}"));
    }

    #[test]
    fn it_is_off_by_default() {
        check(&RULE, "FROM node:22\nEXPOSE 80\nCMD [\"a\"]\n");
    }

    #[test]
    fn one_or_none_is_meant() {
        check_silent("FROM node:22\nEXPOSE 80\nHEALTHCHECK CMD a\nCMD [\"a\"]\n");
        check_silent("FROM node:22\nEXPOSE 80\nHEALTHCHECK NONE\nCMD [\"a\"]\n");
        check_silent("FROM node:22 AS b\nHEALTHCHECK CMD a\nFROM b\nEXPOSE 80\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_tool_serves_no_port() {
        check_silent("FROM node:22\nCMD [\"a\"]\n");
    }

    #[test]
    fn an_unknown_base_may_have_one() {
        check_silent("FROM example.com/a\nEXPOSE 80\nCMD [\"a\"]\n");
    }

    #[test]
    fn a_compose_file_may_ask() {
        check_silent(
            "FROM node:22\nEXPOSE 80\nCMD [\"a\"]\n#- compose.yaml\nservices:\n  a:\n    healthcheck:\n      test: a\n",
        );
    }
}
