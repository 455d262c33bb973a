//! `secret-in-run`: a secret stands in a command, a heredoc or a label, or is written to a file that stays.

use crate::facts::removes::{Removal, homely, removal};
use crate::facts::run::{Command, is_below};
use crate::facts::secrets::{self, Value};
use crate::facts::stage::join;
use crate::model::{Instruction, InstructionKind, Placed};
use crate::rules::{Context, Finding, Group, Rule, RunAt, Severity};
use crate::shell::{Call, CommandKind, Part, Word};
use crate::text::Local;

/// The rule.
pub static RULE: Rule = Rule {
    name: "secret-in-run",
    group: Group::Security,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
A secret stands in a command, a heredoc or a label, or a command writes it to a file that stays in the layer.

The text of each instruction is in the image's history, and what a `RUN` writes is in its layer. Both are read by everybody
who can pull the image.

```dockerfile
FROM debian:bookworm-slim
RUN git clone https://ci:s3cretT0ken@example.com/x.git
CMD ["app"]
```

As a secret of that one `RUN`:

```dockerfile
FROM debian:bookworm-slim
RUN --mount=type=secret,id=git,target=/root/.netrc git clone https://example.com/x.git
CMD ["app"]
```

Found are tokens with a known shape, passwords in addresses, and options that pass one (`curl -u`, `--password`, `sshpass -p`).
Nothing is said of variables, placeholders, checksums, fingerprints and public keys.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, stage) in ctx.reaching() {
        for placed in &stage.instructions {
            if speaks(&placed.instruction) {
                check_text(placed, acc);
            }
        }
        for at in ctx.runs_and_onbuild(stage_idx) {
            let Some(script) = at.run.script().filter(|script| !script.broken) else { continue };
            let text = &*at.placed.instruction.text;
            let passes = ["--password", "-p", "-u", "-U", "--user", "--proxy-user"].iter().any(|it| text.contains(it));
            for (idx, command) in at.facts.commands.iter().enumerate() {
                let Some(call) = script.calls.get(command.call) else { continue };
                if passes && let Some(range) = password(call, command) {
                    add(
                        at.placed,
                        range,
                        call.range,
                        format!("a password of `{}` stands in the image's history", call.program),
                        acc,
                    );
                }
                if let Some((name, file)) = kept_in_file(&at, idx, command, call) {
                    let message = format!("the value of `{name}` is written to `{file}`, which stays in this layer");
                    add(at.placed, call.whole, call.range, message, acc);
                }
            }
        }
    }
}

/// Whether the text of an instruction is looked through for tokens. ENV and ARG have a rule of their own.
fn speaks(instruction: &Instruction) -> bool {
    match &instruction.kind {
        InstructionKind::Onbuild(inner) => speaks(inner),
        InstructionKind::Run(_)
        | InstructionKind::Cmd(_)
        | InstructionKind::Entrypoint(_)
        | InstructionKind::Label(_)
        | InstructionKind::Healthcheck(_)
        | InstructionKind::Copy(_)
        | InstructionKind::Add(_) => true,
        InstructionKind::From(_)
        | InstructionKind::Shell(_)
        | InstructionKind::Env(_)
        | InstructionKind::Arg(_)
        | InstructionKind::Expose(_)
        | InstructionKind::Volume(_)
        | InstructionKind::User(_)
        | InstructionKind::Workdir(_)
        | InstructionKind::Stopsignal(_)
        | InstructionKind::Maintainer(_)
        | InstructionKind::Unknown => false,
    }
}

fn check_text(placed: &Placed, acc: &mut Vec<Finding>) {
    let instruction = &placed.instruction;
    for token in secrets::tokens(&instruction.text) {
        if instruction.comments.iter().any(|comment| comment.contains_range(token.range)) {
            continue;
        }
        add(placed, token.range, token.range, format!("{} stands in the image's history", token.what), acc);
    }
}

fn add(placed: &Placed, range: Local, cause: Local, message: String, acc: &mut Vec<Finding>) {
    let range = placed.range(range);
    if acc.iter().any(|it| it.range.contains_range(range) && it.source == crate::rules::Source::Rule(&RULE)) {
        return;
    }
    let mut finding = Finding::new(&RULE, range, message);
    finding.cause = placed.range(cause);
    // Who starts the program must give it: no mount helps there.
    if matches!(placed.instruction.kind, InstructionKind::Run(_)) {
        finding.assists.push("secret-mount");
    }
    acc.push(finding);
}

/// Options that pass a password, by program.
static OPTIONS: &[(&[&str], &[&str])] = &[
    (&["curl"], &["-u", "--user", "-U", "--proxy-user"]),
    (&["wget"], &["--password", "--http-password", "--ftp-password", "--proxy-password"]),
    (&["sshpass"], &["-p"]),
    (&["docker", "podman", "buildah", "skopeo", "oras", "helm", "nerdctl"], &["-p", "--password"]),
    (&["mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "mariadb-admin"], &["-p", "--password"]),
];

/// Programs for which `--password` makes a local account or a text, or is no password of anything that others could use.
const OWN: [&str; 14] = [
    "useradd",
    "adduser",
    "usermod",
    "echo",
    "printf",
    "sed",
    "grep",
    "awk",
    "psql",
    "createuser",
    "htpasswd",
    "jupyter",
    "expect",
    "test",
];

/// Where a literal password stands among the arguments.
fn password(call: &Call, command: &Command) -> Option<Local> {
    let program = call.program.as_str();
    let row = OPTIONS.iter().find(|(programs, _)| programs.contains(&program));
    let flags: &[&str] = match row {
        Some((_, flags)) => flags,
        None if OWN.contains(&program) || program.is_empty() => return None,
        None => &["--password"],
    };
    if !call.arguments.iter().any(|word| flags.iter().any(|flag| word.starts_with(flag))) {
        return None;
    }
    let is_login = !matches!(program, "docker" | "podman" | "buildah" | "skopeo" | "oras" | "helm" | "nerdctl")
        || command.values().any(|it| it == "login");
    if !is_login || command.values().any(|it| it.contains("localhost") || it.contains("127.0.0.1")) {
        return None;
    }
    // Without a host it is the server in this very container.
    let is_database = program.starts_with("mysql") || program.starts_with("mariadb");
    if is_database
        && !command.values().any(|it| it == "-h" || it.starts_with("--host") || it.starts_with("-h") && it.len() > 2)
    {
        return None;
    }
    let (word, text) = value_of(call, flags, !is_database)?;
    let is_pair = program == "curl";
    let (user, secret) = if is_pair { text.split_once(':')? } else { ("", text.as_str()) };
    let is_secret = secret.len() >= 3 && secret != user && secrets::value_of("PASSWORD", secret) == Value::Literal;
    is_secret.then_some(word.range)
}

/// The literal value of one of these options: the next word, where `spaced`, or what is attached to it.
fn value_of<'a>(call: &'a Call, flags: &[&str], spaced: bool) -> Option<(&'a Word, String)> {
    let mut arguments = call.arguments.iter();
    while let Some(word) = arguments.next() {
        let Some(text) = word.literal() else { continue };
        for flag in flags {
            match text.strip_prefix(flag) {
                Some("") if spaced => {
                    let next = arguments.next()?;
                    return Some((next, next.literal()?));
                }
                Some(rest) if flag.starts_with("--") => {
                    if let Some(value) = rest.strip_prefix('=') {
                        return Some((word, value.to_owned()));
                    }
                }
                Some(rest) if !rest.is_empty() && !text.starts_with("--") => return Some((word, rest.to_owned())),
                Some(_) | None => {}
            }
        }
    }
    None
}

/// The secret variable that an `echo` writes to a file that is kept, and the file.
fn kept_in_file<'a>(at: &RunAt<'a>, idx: usize, command: &Command, call: &'a Call) -> Option<(&'a str, String)> {
    if !matches!(call.program.as_str(), "echo" | "printf") || !command.certain {
        return None;
    }
    let redirect = call.redirects.iter().find(|it| matches!(it.operator.as_str(), ">" | ">>" | "&>" | ">|"))?;
    let parts = call.arguments.iter().flat_map(|word| &word.parts);
    let name = { parts }.find_map(|part| match part {
        Part::Variable { name, .. } if secrets::says_secret(name) && is_given(at, name) => Some(name.as_str()),
        _ => None,
    })?;
    let file = redirect.target.literal().filter(|it| !it.starts_with("/dev/") && !it.starts_with("/run/"))?;
    let directory = at.facts.directories.get(idx).and_then(Option::as_deref);
    let path = match file.strip_prefix("~/") {
        Some(rest) => format!("~/{rest}"),
        None => homely(&join(directory.or(Some("/")), &file)?),
    };
    let mounted = at.facts.mounted.iter().any(|target| is_below(&path, target) || is_below(&path, &homely(target)));
    let gone = mounted || removal(at.facts, &at.facts.directories, &path, idx) != Removal::No;
    (!gone).then_some((name, file))
}

/// Whether a variable is one of ARG or ENV, and neither comes from a secret mount nor is set by the script itself.
fn is_given(at: &RunAt, name: &str) -> bool {
    let is_env = |mount: &crate::model::Mount| {
        mount.kind() == "secret" && mount.value(&["env"]).is_some_and(|word| word.text == name)
    };
    let Some(script) = at.run.script() else { return false };
    let sets = |kind: &CommandKind| match kind {
        CommandKind::Simple(simple) => simple.assignments.iter().any(|it| it.name == name),
        _ => false,
    };
    // A known value that is only a default is no secret.
    let is_secret = |value: &str| secrets::value_of(name, value) == Value::Literal;
    let variable = at.stage.scope.get_at(name, at.placed.at);
    variable.is_some_and(|it| it.value.as_deref().is_none_or(is_secret))
        && !at.run.mounts.iter().any(is_env)
        && !script.commands().iter().any(|(command, _)| sets(&command.kind))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::check;

    const TOKEN: &str = "ghp_a8Bc7De6Fg5Hi4Jk3Lm2No1Pq0Rs9Tu8Vw7X";

    fn check_silent(lines: &str) {
        check(&RULE, &format!("FROM debian:12\n{lines}\nCMD [\"a\"]\n"));
    }

    fn check_found(lines: &str) {
        let analysis = crate::fixture::analyse(&crate::fixture::parse(&format!("FROM debian:12\n{lines}\n")));
        assert_eq!(crate::fixture::findings(&analysis, &RULE).len(), 1, "{lines}");
    }

    #[test]
    fn a_password_in_an_address_is_in_the_history() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN git clone https://ci:s3cretT0ken@git.example.com/x.git\n\
             #                        ^^^^^^^^^^^ the password of an address stands in the image's history\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn a_token_is_found_in_every_instruction_that_says_something() {
        check_found(&format!("RUN curl -H 'Authorization: token {TOKEN}' https://example.com"));
        check_found(&format!("LABEL t={TOKEN}"));
        check_found(&format!("CMD [\"a\", \"{TOKEN}\"]"));
        check_found(&format!("ENTRYPOINT a --x={TOKEN}"));
        check_found(&format!("HEALTHCHECK CMD curl -H {TOKEN} x"));
        check_found(&format!("COPY <<EOF /a\ntoken = {TOKEN}\nEOF"));
        check_found(&format!("ONBUILD RUN a {TOKEN}"));
    }

    #[test]
    fn a_comment_is_no_part_of_the_history() {
        check_silent(&format!("RUN a \\\n# {TOKEN}\n && b"));
    }

    #[test]
    fn options_that_pass_a_password_are_known() {
        check(
            &RULE,
            "FROM debian:12\n\
             RUN curl -fsS -u deploy:hG7s0pQ2 https://git.example.com/x\n\
             #                ^^^^^^^^^^^^^^^ a password of `curl` stands in the image's history\n\
             CMD [\"a\"]\n",
        );
        check_found("RUN sshpass -p hG7s0pQ2 scp a@b:/c .");
        check_found("RUN docker login -u a -p hG7s0pQ2 registry.example.com");
        check_found("RUN svn export --username a --password hG7s0pQ2 https://svn.example.com/x");
        check_found("RUN mysql -h db.example.com -u a -phG7s0pQ2 < x.sql");
    }

    #[test]
    fn a_server_in_the_same_container_has_nothing_to_hide_in_its_build() {
        check_silent("RUN mysql -u root -phG7s0pQ2 -e 'a'");
        check_silent("RUN curl -u deploy:hG7s0pQ2 http://localhost:8080/x");
    }

    #[test]
    fn an_account_of_the_image_is_no_password_of_another_machine() {
        check_silent("RUN useradd --password hG7s0pQ2 app");
    }

    #[test]
    fn variables_and_placeholders_are_no_secrets() {
        check_silent("ARG USER\nRUN curl -u $USER:$PASS https://example.com && docker login -p \"$PASS\" x");
        check_silent("RUN git clone https://$A:$B@example.com/x.git https://user:pass@localhost/x");
        check_silent("RUN curl -u admin:admin https://x.example.com && a --password changeme");
        check_silent("RUN openstack user create --password fingertips swift");
    }

    #[test]
    fn hashes_and_public_keys_are_no_secrets() {
        check_silent("RUN echo '3f1c8e2d9b7a6054f1e2d3c4b5a697887766554433221100ffeeddccbbaa9988  a' | sha256sum -c");
        check_silent("RUN gpg --recv-keys 573BFD6B3D8FBC641079A6ABABF5BD827BD9BF62");
        check_silent("RUN echo 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 a@b' >> /root/.ssh/authorized_keys");
        check_silent("RUN a 6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    }

    #[test]
    fn a_secret_that_is_written_to_a_file_stays_in_the_layer() {
        check(
            &RULE,
            "FROM debian:12\n\
             ARG NPM_TOKEN\n\
             RUN echo \"//registry.npmjs.org/:_authToken=$NPM_TOKEN\" > .npmrc && npm ci\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the value of `NPM_TOKEN` is written to `.npmrc`\n\
             CMD [\"a\"]\n",
        );
    }

    #[test]
    fn a_file_that_is_removed_in_the_same_layer_does_not_stay() {
        check_silent("WORKDIR /app\nARG NPM_TOKEN\nRUN echo \"a=$NPM_TOKEN\" > .npmrc && npm ci && rm -f .npmrc");
        check_silent("ARG NPM_TOKEN\nRUN echo \"a=$NPM_TOKEN\" > ~/.npmrc && npm ci && rm ~/.npmrc");
    }

    #[test]
    fn a_variable_of_a_secret_mount_was_given_for_this_run() {
        check_silent("ARG NPM_TOKEN\nRUN --mount=type=secret,id=a,env=NPM_TOKEN echo \"a=$NPM_TOKEN\" > .npmrc");
        check_silent("ARG NPM_TOKEN\nRUN NPM_TOKEN=$(cat /run/secrets/a); echo \"a=$NPM_TOKEN\" > .npmrc");
        check_silent("RUN echo \"a=$NPM_TOKEN\" > .npmrc");
        check_silent("ENV DB_PASSWORD=xwiki\nRUN echo \"a=$DB_PASSWORD\" > /etc/a");
    }
}
