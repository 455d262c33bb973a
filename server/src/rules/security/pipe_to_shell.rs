//! `pipe-to-shell`: what a server sends is run at once, unchecked.

use crate::facts::fetches::{addresses, checks, host, is_check, is_fetch, is_local, names_content};
use crate::facts::made;
use crate::facts::removes::homely;
use crate::facts::run::Command;
use crate::facts::stage::join;
use crate::rules::{Context, Finding, Group, Related, Rule, RunAt, Severity};
use crate::shell::{self, Call, Part, Pipeline, Script, Word};
use crate::text::Local;

/// The rule.
pub static RULE: Rule = Rule {
    name: "pipe-to-shell",
    group: Group::Security,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
A script is fetched and run at once: the build runs whatever the server sends.

Nobody sees what was run, the next build may run something else, and a download that breaks off is run as far as it came.
Over plain `http://` anybody on the way can change it.

```dockerfile
FROM debian:bookworm-slim
RUN curl -fsSL https://example.com/install.sh | sh
CMD ["app"]
```

Checked before it is run:

```dockerfile
FROM debian:bookworm-slim
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/install.sh /tmp/
RUN sh /tmp/install.sh
CMD ["app"]
```

Nothing is said where a checksum or a signature is compared first, where the address names a commit, and where what is fetched
is data of a program (`| python -m json.tool`).
"##,
    check,
};

/// What the vendors of often used scripts offer instead.
static VENDORS: &[(&str, &str)] = &[
    ("get.docker.com", "Docker has repositories for apt and dnf: https://docs.docker.com/engine/install"),
    ("deb.nodesource.com", "the image `node` brings Node.js; NodeSource has a repository for apt"),
    ("rpm.nodesource.com", "the image `node` brings Node.js; NodeSource has a repository for dnf"),
    ("sh.rustup.rs", "the image `rust` brings Rust; `rustup-init` has checksums"),
    ("astral.sh", "uv can be copied: `COPY --from=ghcr.io/astral-sh/uv`"),
    ("install.python-poetry.org", "Poetry is a package: `pip install poetry`"),
    ("bootstrap.pypa.io", "the images `python` bring pip; Debian has `python3-pip`"),
    ("getcomposer.org", "Composer can be copied: `COPY --from=composer`"),
    ("bun.sh", "the image `oven/bun` brings Bun"),
    ("deno.land", "the image `denoland/deno` brings Deno"),
];

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, _) in ctx.reaching() {
        for at in ctx.runs_and_onbuild(stage_idx) {
            let Some(script) = at.run.script().filter(|script| !script.broken) else { continue };
            if at.facts.commands.iter().any(is_fetch) {
                check_run(&at, script, acc);
            }
        }
    }
}

fn check_run(at: &RunAt, script: &Script, acc: &mut Vec<Finding>) {
    for (item, _) in script.items() {
        for pipeline in item.and_or.pipelines().filter(|it| it.commands.len() > 1) {
            acc.extend(piped(at, script, pipeline));
        }
    }
    for (idx, command) in at.facts.commands.iter().enumerate() {
        let Some(call) = script.calls.get(command.call) else { continue };
        if let Some(fetch) = substituted(at, script, call) {
            acc.extend(finding(at, fetch, call.range, &call.program));
        }
        if is_fetch(command) && !checks(at.facts) {
            acc.extend(run_later(at, script, idx, command, call));
        }
    }
}

/// `curl … | sh`
fn piped(at: &RunAt, script: &Script, pipeline: &Pipeline) -> Option<Finding> {
    let command = |it: &shell::Command| {
        let call = script.calls.iter().position(|call| call.whole == it.range)?;
        at.facts.commands.get(call)
    };
    let mut parts = pipeline.commands.iter();
    let fetch = parts.by_ref().find_map(|it| command(it).filter(|it| is_fetch(it)))?;
    let mut reader = None;
    for part in parts {
        let Some(command) = command(part) else { continue };
        if is_check(command) {
            return None;
        }
        if reads_script(command) {
            reader = Some(command);
            break;
        }
    }
    let reader = reader?;
    finding(at, fetch, fetch.range.cover(reader.range), &reader.program)
}

const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "zsh", "ksh"];

/// Whether a shell or an interpreter runs what comes by its standard input.
fn reads_script(command: &Command) -> bool {
    let mut arguments = command.arguments.iter().map(|it| it.value.as_deref());
    if !SHELLS.contains(&command.program.as_str()) {
        let stem = command.program.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.');
        let first = arguments.next();
        return matches!(stem, "python" | "perl" | "ruby" | "node" | "php") && matches!(first, None | Some(Some("-")));
    }
    while let Some(argument) = arguments.next() {
        match argument {
            Some("-" | "/dev/stdin" | "--") => return true,
            Some(word) if word.starts_with("--") => {}
            Some(word) if word.starts_with(['-', '+']) => {
                if word.contains('s') {
                    return true;
                }
                if word.contains('c') {
                    return false;
                }
                if word.ends_with('o') {
                    arguments.next();
                }
            }
            // A file, or a word that may be one.
            Some(_) | None => return false,
        }
    }
    true
}

/// `sh -c "$(curl …)"`, `eval "$(curl …)"`, `bash <(curl …)`: the command that fetches.
fn substituted<'a>(at: &RunAt<'a>, script: &Script, call: &Call) -> Option<&'a Command> {
    let is_shell = SHELLS.contains(&call.program.as_str());
    let sources = matches!(call.program.as_str(), "." | "source" | "eval");
    if !is_shell && !sources {
        return None;
    }
    let text_of = |word: &Word| word.range.of(&at.placed.instruction.text);
    let word = call.arguments.iter().find(|word| match &word.parts[..] {
        [Part::Substitution(_)] => call.program == "eval" || is_shell && call.has_letter('c'),
        [Part::Other] => text_of(word).starts_with("<(") && call.program != "eval",
        _ => false,
    })?;
    let mut inside = script.calls.iter().enumerate().filter(|(_, it)| word.range.contains_range(it.range));
    let (idx, _) = inside.next()?;
    // More than one command makes something else of what was fetched.
    if inside.next().is_some() {
        return None;
    }
    at.facts.commands.get(idx).filter(|it| is_fetch(it))
}

/// `curl -o x.sh … && sh x.sh`
fn run_later(at: &RunAt, script: &Script, idx: usize, fetch: &Command, call: &Call) -> Option<Finding> {
    let directory = |idx: usize| at.facts.directories.get(idx).and_then(Option::as_deref).or(Some("/"));
    let mut paths = made::fetched(fetch, directory(idx));
    let output = call.redirects.iter().find(|it| it.operator == ">" && it.descriptor.as_deref() != Some("2"));
    let output = output.and_then(|it| join(directory(idx), &it.target.literal()?));
    paths.extend(output.map(|path| homely(&path)));
    if paths.is_empty() {
        return None;
    }
    for (later, command) in at.facts.commands.iter().enumerate().skip(idx + 1) {
        let Some(call) = script.calls.get(command.call) else { continue };
        let file = match command.program.as_str() {
            "." | "source" => command.subcommand(),
            name if SHELLS.contains(&name) && !call.has_letter('c') => command.subcommand(),
            name if name.starts_with("python") && !command.has(&["-m", "-c"]) => command.subcommand(),
            _ => Some(call.program_range.of(&at.placed.instruction.text))
                .filter(|it| it.contains('/') && !it.contains("bin/")),
        };
        let path = file.and_then(|file| join(directory(later), file)).map(|path| homely(&path));
        if path.is_some_and(|path| paths.contains(&path)) {
            let name = if command.program.contains(['/', '.']) { "the shell" } else { command.program.as_str() };
            let mut res = finding(at, fetch, command.range, name)?;
            let message = "fetched here".to_owned();
            res.related.push(Related { range: at.range(fetch), message });
            return Some(res);
        }
    }
    None
}

/// The finding, if an address of the command is known, leads to another machine and does not name its content.
fn finding(at: &RunAt, fetch: &Command, range: Local, runner: &str) -> Option<Finding> {
    let address = addresses(fetch).next()?;
    if addresses(fetch).any(|it| is_local(it) || names_content(it)) {
        return None;
    }
    let is_plain = address.starts_with("http://");
    let how = if is_plain { "unchecked and over plain http" } else { "unchecked" };
    let host = host(address);
    let runner = if runner.contains(' ') { runner.to_owned() } else { format!("`{runner}`") };
    let mut message = format!("{runner} runs what {host} sends, {how}");
    if let Some((_, instead)) = VENDORS.iter().find(|(name, _)| *name == host) {
        message.push('\n');
        message.push_str(instead);
    }
    let mut res = Finding::new(&RULE, at.placed.range(range), message);
    if is_plain {
        res.severity = Severity::Error;
    }
    Some(res)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, findings, parse};
    use crate::rules::Severity;

    fn check_silent(run: &str) {
        check(&RULE, &format!("FROM debian:12\n{run}\nCMD [\"a\"]\n"));
    }

    fn found(run: &str) -> Vec<Severity> {
        findings(&analyse(&parse(&format!("FROM debian:12\n{run}\n"))), &RULE).iter().map(|it| it.severity).collect()
    }

    #[test]
    fn what_is_fetched_is_run() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN a && curl -fsSL https://get.docker.com | sh && b\n\
             #        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `sh` runs what get.docker.com sends, unchecked\n\
             CMD [\"a\"]\n",
        );
        for run in [
            "RUN curl -sSL https://a.example.com/i | sudo -E bash -",
            "RUN wget -qO- https://a.example.com/i | bash -s -- --yes",
            "RUN curl https://a.example.com/i.py | python3",
            "RUN curl https://a.example.com/i.py | python3 - --version 1",
            "RUN sh -c \"$(curl -fsSL https://a.example.com/i)\"",
            "SHELL [\"/bin/bash\", \"-c\"]\nRUN bash <(curl -s https://a.example.com/i)",
            "SHELL [\"/bin/bash\", \"-c\"]\nRUN source <(curl -s https://a.example.com/i)",
            "RUN eval \"$(curl -s https://a.example.com/i)\"",
            "RUN curl -sSL get.example.com | sh",
            "ONBUILD RUN curl https://a.example.com/i | sh",
        ] {
            assert_eq!(found(run), [Severity::Warning], "{run}");
        }
    }

    #[test]
    fn plain_http_is_an_error() {
        assert_eq!(found("RUN curl http://a.example.com/i | sh"), [Severity::Error]);
    }

    #[test]
    fn a_file_that_is_fetched_and_run_is_the_same() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN wget https://a.example.com/i.sh -O /tmp/i.sh && bash /tmp/i.sh -b\n\
             #                                                   ^^^^^^^^^^^^^^^^^ `bash` runs what a.example.com sends\n\
             CMD [\"a\"]\n",
        );
        assert_eq!(found("RUN curl -sO https://a.example.com/i.sh && chmod +x i.sh && ./i.sh").len(), 1);
        assert_eq!(found("RUN curl https://a.example.com/i > /i && . /i").len(), 1);
    }

    #[test]
    fn a_checksum_or_signature_that_is_compared_is_enough() {
        check_silent("RUN curl -O https://a.example.com/i.sh && echo 'x  i.sh' | sha256sum -c && sh i.sh");
        check_silent("RUN curl -O https://a.example.com/i.sh && gpg --verify i.sh.asc && sh i.sh");
        check_silent("RUN curl -O https://a.example.com/i.sh && shasum -c s && cosign verify-blob i.sh && sh i.sh");
    }

    #[test]
    fn an_address_with_a_commit_names_its_content() {
        check_silent("RUN curl https://a.example.com/0123456789abcdef0123456789abcdef01234567/i.sh | sh");
    }

    #[test]
    fn the_machine_itself_is_trusted() {
        check_silent("RUN curl http://localhost:8080/i.sh | sh");
    }

    #[test]
    fn data_of_a_program_is_not_run() {
        check_silent("RUN curl https://a.example.com/x | python -m json.tool");
        check_silent("RUN curl https://a.example.com/x | node -e 'a' && curl https://a.example.com/x | perl -ne 'a'");
        check_silent("RUN curl https://a.example.com/x | tar xz && curl https://a.example.com/k | gpg --dearmor -o /k");
        check_silent("RUN curl https://a.example.com/x | tee /etc/a && curl https://a.example.com/x | bash ./a.sh");
        check_silent("RUN cat i.sh | bash -s && V=$(curl https://a.example.com/v) && sh -c \"echo $V\"");
    }

    #[test]
    fn an_address_that_is_not_known_is_left_alone() {
        check_silent("ARG URL\nRUN curl $URL | sh");
    }
}
