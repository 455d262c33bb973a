//! Instructions and flags in a few words of our own, with the page of Docker's manual.

const MANUAL: &str = "https://docs.docker.com/reference/dockerfile/";

struct Entry {
    /// `COPY`, or `COPY --from`.
    name: &'static str,
    /// The form it is written in.
    form: &'static str,
    words: &'static str,
    /// Where it stands on the manual's page.
    anchor: &'static str,
}

const fn entry(name: &'static str, form: &'static str, words: &'static str, anchor: &'static str) -> Entry {
    Entry { name, form, words, anchor }
}

const ENTRIES: &[Entry] = &[
    entry(
        "FROM",
        "FROM [--platform=PLATFORM] IMAGE [AS NAME]",
        "Begins a stage on a base image, an earlier stage or `scratch`. What the last stage is built on is shipped with it.",
        "from",
    ),
    entry(
        "FROM --platform",
        "--platform=os/arch[/variant]",
        "The platform of the base image. Without it, the one that is built for.",
        "from",
    ),
    entry(
        "RUN",
        "RUN [FLAGS] COMMAND",
        "Runs a command and keeps what it wrote as a layer. What a later instruction deletes still weighs in this one.",
        "run",
    ),
    entry(
        "RUN --mount",
        "--mount=type=bind|cache|tmpfs|secret|ssh[,option=value…]",
        "Makes files visible to this command alone: nothing of what is mounted gets into the layer.",
        "run---mount",
    ),
    entry("RUN --network", "--network=default|none|host", "The network this command sees.", "run---network"),
    entry(
        "RUN --security",
        "--security=sandbox|insecure",
        "`insecure` runs the command with elevated privileges, if the builder allows it.",
        "run---security",
    ),
    entry("RUN --device", "--device=NAME", "A device of the builder that this command may use.", "run---device"),
    entry(
        "CMD",
        "CMD [\"program\", \"argument\"] or CMD command",
        "What a container starts, or the arguments of ENTRYPOINT. Adds no layer. The last one counts.",
        "cmd",
    ),
    entry(
        "ENTRYPOINT",
        "ENTRYPOINT [\"program\", \"argument\"] or ENTRYPOINT command",
        "The program a container always starts; CMD are its arguments. In shell form CMD is ignored.",
        "entrypoint",
    ),
    entry(
        "COPY",
        "COPY [FLAGS] SOURCE… DESTINATION",
        "Copies files of the build context, or with `--from` of another stage or image, into a layer.",
        "copy",
    ),
    entry(
        "COPY --from",
        "--from=STAGE|IMAGE|CONTEXT",
        "Copies from an earlier stage (by name or number), an image or a named context instead of the build context.",
        "copy---from",
    ),
    entry(
        "COPY --chown",
        "--chown=USER[:GROUP]",
        "The owner of what is copied. A `RUN chown` behind the COPY would store every file a second time.",
        "copy---chown---chmod",
    ),
    entry(
        "COPY --chmod",
        "--chmod=MODE",
        "The mode of what is copied. A `RUN chmod` behind the COPY would store every file a second time.",
        "copy---chown---chmod",
    ),
    entry(
        "COPY --link",
        "--link[=true|false]",
        "Makes the layer independent of those below, so that it is reused when they change.",
        "copy---link",
    ),
    entry("COPY --parents", "--parents[=true|false]", "Keeps the folders of the source paths.", "copy---parents"),
    entry("COPY --exclude", "--exclude=PATTERN", "Leaves out what matches.", "copy---exclude"),
    entry(
        "ADD",
        "ADD [FLAGS] SOURCE… DESTINATION",
        "As COPY, and fetches URLs and Git repositories and unpacks local archives.",
        "add",
    ),
    entry("ADD --checksum", "--checksum=sha256:HASH", "Fails if what is fetched is something else.", "add---checksum"),
    entry(
        "ADD --keep-git-dir",
        "--keep-git-dir[=true|false]",
        "Keeps `.git` of a fetched repository.",
        "add---keep-git-dir",
    ),
    entry("ADD --unpack", "--unpack[=true|false]", "Whether archives are unpacked.", "add---unpack"),
    entry("ADD --chown", "--chown=USER[:GROUP]", "The owner of what is added.", "add---chown---chmod"),
    entry("ADD --chmod", "--chmod=MODE", "The mode of what is added.", "add---chown---chmod"),
    entry("ADD --link", "--link[=true|false]", "Makes the layer independent of those below.", "add---link"),
    entry("ADD --exclude", "--exclude=PATTERN", "Leaves out what matches.", "add---exclude"),
    entry(
        "ENV",
        "ENV NAME=VALUE…",
        "Sets variables for the build from here on and for the container. Adds no layer; stays in the image for all to read.",
        "env",
    ),
    entry(
        "ARG",
        "ARG NAME[=DEFAULT]…",
        "A variable of the build alone. Part of the cache key of every RUN behind it; before the first FROM it holds for FROM lines.",
        "arg",
    ),
    entry("LABEL", "LABEL NAME=VALUE…", "Metadata of the image. Adds no layer.", "label"),
    entry("EXPOSE", "EXPOSE PORT[/PROTOCOL]…", "Says which ports the program listens on. Opens none.", "expose"),
    entry("VOLUME", "VOLUME PATH…", "Marks folders whose content lies outside the container's layer.", "volume"),
    entry("USER", "USER NAME[:GROUP]", "Who runs the RUN, CMD and ENTRYPOINT that follow.", "user"),
    entry(
        "WORKDIR",
        "WORKDIR PATH",
        "The folder for what follows and for the container. Made if it does not exist.",
        "workdir",
    ),
    entry("STOPSIGNAL", "STOPSIGNAL SIGNAL", "The signal that ends the container.", "stopsignal"),
    entry(
        "HEALTHCHECK",
        "HEALTHCHECK [FLAGS] CMD command, or HEALTHCHECK NONE",
        "A command that the engine runs to see whether the container works.",
        "healthcheck",
    ),
    entry("HEALTHCHECK --interval", "--interval=DURATION", "The time between two checks (30s).", "healthcheck"),
    entry("HEALTHCHECK --timeout", "--timeout=DURATION", "How long a check may take (30s).", "healthcheck"),
    entry("HEALTHCHECK --start-period", "--start-period=DURATION", "Failures count only after it (0s).", "healthcheck"),
    entry(
        "HEALTHCHECK --start-interval",
        "--start-interval=DURATION",
        "The time between checks within the start period (5s).",
        "healthcheck",
    ),
    entry("HEALTHCHECK --retries", "--retries=N", "So many failures in a row mean unhealthy (3).", "healthcheck"),
    entry("SHELL", "SHELL [\"program\", \"argument\"]", "The shell of the shell forms that follow.", "shell"),
    entry("ONBUILD", "ONBUILD INSTRUCTION", "Is carried out when another image is built on this one.", "onbuild"),
    entry(
        "MAINTAINER",
        "MAINTAINER NAME",
        "Deprecated: say it with `LABEL org.opencontainers.image.authors=…`.",
        "maintainer-deprecated",
    ),
];

/// Markdown for an instruction, by its name in capitals.
pub(super) fn instruction(name: &str) -> Option<String> {
    page(name)
}

/// Markdown for a flag of an instruction.
pub(super) fn flag(instruction: &str, flag: &str) -> Option<String> {
    page(&format!("{instruction} --{flag}"))
}

fn page(name: &str) -> Option<String> {
    let entry = ENTRIES.iter().find(|entry| entry.name == name)?;
    Some(format!("```\n{}\n```\n{}\n\n[Docker's manual]({MANUAL}#{})", entry.form, entry.words, entry.anchor))
}

#[cfg(test)]
mod tests {
    use super::{flag, instruction};
    use crate::lower::flags;
    use crate::lower::instruction::KEYWORDS;

    #[test]
    fn every_instruction_and_flag_has_its_words() {
        for keyword in KEYWORDS {
            assert!(instruction(keyword).is_some(), "{keyword}");
        }
        let all = [
            ("FROM", &flags::FROM[..]),
            ("RUN", &flags::RUN),
            ("COPY", &flags::COPY),
            ("ADD", &flags::ADD),
            ("HEALTHCHECK", &flags::HEALTHCHECK),
        ];
        for (name, known) in all {
            for known in known {
                assert!(flag(name, known.name).is_some(), "{name} --{}", known.name);
            }
        }
    }
}
