//! `rpm-cache-left`: what `dnf`, `yum` or `zypper` fetched of its repositories stays in a shipped layer.

use crate::facts::append::append;
use crate::facts::caches::{Cache, asks_anew};
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::run::Command;
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    name: "rpm-cache-left",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &["DL3032", "DL3036", "DL3040"],
    doc: r##"
The cache of `dnf`, `yum` or `zypper` stays in the layer.

It holds the lists of every repository that is switched on, and is only needed while packages are installed: usually tens of
megabytes, on Fedora more (not measured).
`keepcache=0` drops the packages alone, not the lists.

```dockerfile
FROM fedora:42
RUN dnf install -y httpd
CMD ["httpd", "-DFOREGROUND"]
```

Emptied in the same layer:

```dockerfile
FROM fedora:42
RUN dnf install -y httpd && dnf clean all
CMD ["httpd", "-DFOREGROUND"]
```

A cache mount on `/var/cache/dnf` (`/var/cache/libdnf5` of dnf 5) keeps it out of the layer as well.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let mut is_there = false;
    for at in ctx.final_runs() {
        // One finding a RUN: cleaning once empties it.
        let is_ours = |cache: Cache| matches!(cache, Cache::Rpm | Cache::Zypper);
        let Some(left) = at.facts.left.iter().find(|left| is_ours(left.cache)) else { continue };
        let Some(command) = at.facts.commands.get(left.command) else { continue };
        // What an earlier layer holds is taken while it is fresh; only what is new comes on top.
        let how_much = if is_there && !asks_anew(command) { "" } else { ", usually tens of MB" };
        is_there = true;
        let message = format!("{} in this layer{how_much}", left.cache.stays());
        let mut finding = Finding::new(&RULE, at.range(command), message);
        finding.fix = fix(ctx, &at, command);
        acc.push(finding);
    }
}

fn fix(ctx: &Context, at: &RunAt, command: &Command) -> Option<Fix> {
    let sudo = match at.call(command)?.wrapper.as_deref() {
        None => "",
        Some("sudo") => "sudo ",
        Some(_) => return None,
    };
    if at.facts.commands.iter().any(takes_it_away) {
        return None;
    }
    let program = &command.program;
    let manager = ctx.base_image().and_then(|image| ctx.images.traits(image)).map(|it| it.package_manager.clone());
    let clean = match program.as_str() {
        "zypper" => "zypper clean --all".to_owned(),
        // The yum that is no link to dnf leaves its folders.
        "yum" if manager.as_deref() == Some("yum") => format!("yum clean all && {sudo}rm -rf /var/cache/yum"),
        program => format!("{program} clean all"),
    };
    let edit = append(&ctx.file.text, at.placed, at.run, at.facts, &format!("{sudo}{clean}"))?;
    Some(Fix { title: format!("Empty the cache of {program} in the same layer"), safety: ctx.safety(), edit })
}

/// Whether the package manager itself is taken away.
fn takes_it_away(command: &Command) -> bool {
    let is_manager = |word: &str| matches!(word, "dnf" | "yum" | "microdnf" | "tdnf" | "zypper" | "dnf5");
    match deed(command) {
        Some(deed) => {
            matches!(deed.manager, Manager::Rpm | Manager::Zypper)
                && deed.verb == Verb::Remove
                && deed.packages().any(is_manager)
        }
        None => command.program == "rpm" && command.values().any(is_manager),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(run: &str) {
        check(&RULE, &format!("FROM fedora:42\n{run}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn the_first_install_is_to_blame() {
        check(
            &RULE,
            "FROM fedora:42\n\
             RUN dnf -y update && dnf install -y httpd\n\
             #   ^^^^^^^^^^^^^ the package manager's cache stays in this layer\n\
             RUN microdnf install httpd\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^ cache stays\n\
             RUN yum groupinstall -y 'Development Tools'\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ cache stays\n\
             CMD [\"a\"]\n",
        );
        check(
            &RULE,
            "FROM opensuse/leap:15\n\
             RUN zypper -n install httpd\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^ cache stays\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn a_cache_that_is_cleaned_in_the_same_layer_is_not_in_it() {
        check_silent("RUN dnf install -y a && dnf clean all");
        check_silent("RUN dnf install -y a && dnf clean metadata");
        check_silent("RUN microdnf install a; microdnf clean all");
        check_silent("RUN zypper -n in a && zypper clean -a");
        check_silent("RUN zypper -n in a && zypper cc");
    }

    #[test]
    fn the_programs_of_one_family_clean_for_each_other() {
        check_silent("RUN dnf install -y a && yum clean all");
        check_silent("RUN yum install -y a && dnf -y clean all");
        check_silent("RUN yum install -y a && rm -rf /var/cache/dnf");
    }

    #[test]
    fn the_packages_alone_are_not_the_cache() {
        check(
            &RULE,
            "FROM fedora:42\n\
             RUN dnf install -y a && dnf clean packages\n\
             #   ^^^^^^^^^^^^^^^^ cache stays\n\
             RUN dnf install -y --setopt=keepcache=0 a\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ cache stays\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn what_is_removed_in_the_same_layer_is_not_in_it() {
        check_silent("RUN yum install -y a && rm -rf /var/cache/yum/*");
        check_silent("RUN dnf install -y a && rm -rf /var/cache/*");
        check_silent("RUN zypper -n in a && rm -rf /var/cache/zypp");
    }

    #[test]
    fn a_mount_keeps_it_out_of_the_layer() {
        check_silent("RUN --mount=type=cache,target=/var/cache/dnf dnf install -y a");
        check_silent("RUN --mount=type=cache,target=/var/cache/libdnf5 dnf install -y a");
        check_silent("RUN --mount=type=tmpfs,target=/var/cache yum install -y a");
    }

    #[test]
    fn another_root_has_another_cache() {
        check_silent("RUN dnf install -y --installroot /out a");
        check_silent("RUN dnf --installroot=/out install -y a");
    }

    #[test]
    fn who_only_looks_or_removes_fetches_nothing_that_counts() {
        check_silent("RUN dnf remove -y a");
        check_silent("RUN rpm -i a.rpm");
    }

    #[test]
    fn a_builder_is_not_shipped() {
        check(&RULE, "FROM fedora:42 AS b\nRUN dnf install -y gcc\nFROM fedora:42\nCOPY --from=b /a /a\nCMD [\"a\"]\n");
    }

    #[test]
    fn the_same_program_cleans_at_the_end() {
        let image = |from: &str, run: &str| format!("FROM {from}\nRUN {run}\nCMD [\"a\"]\n");
        check_fix(
            &RULE,
            Safety::Safe,
            &image("fedora:42", "microdnf install a \\\n && b"),
            &image("fedora:42", "microdnf install a \\\n && b \\\n && microdnf clean all"),
        );
        check_fix(
            &RULE,
            Safety::Safe,
            &image("centos:7", "yum install -y a"),
            &image("centos:7", "yum install -y a && yum clean all && rm -rf /var/cache/yum"),
        );
        check_fix(
            &RULE,
            Safety::Safe,
            &image("opensuse/leap:15", "sudo zypper -n in a"),
            &image("opensuse/leap:15", "sudo zypper -n in a && sudo zypper clean --all"),
        );
        check_no_fix(&RULE, &image("fedora:42", "dnf install -y a && dnf remove -y dnf"));
    }

    #[test]
    fn an_image_that_starts_nothing_is_looked_at_by_a_person() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM fedora:42\nRUN dnf install -y a\n",
            "FROM fedora:42\nRUN dnf install -y a && dnf clean all\n",
        );
    }
}
