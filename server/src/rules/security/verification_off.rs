//! `verification-off`: certificates or signatures are not checked.

use crate::facts::fetches::{addresses, checks, curl_insecure, is_fetch, is_local};
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::made;
use crate::facts::run::{Argument, Command};
use crate::model::{InstructionKind, Pair, Placed};
use crate::rules::{Context, Finding, Fix, Group, Rule, RunAt, Safety, Severity};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "verification-off",
    group: Group::Security,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The check of a certificate or a signature is switched off: anybody on the way can replace what is installed.

Most often it was meant to get by a missing `ca-certificates`, or a key that nobody had imported.

```dockerfile
FROM debian:bookworm
RUN wget --no-check-certificate https://example.com/a
CMD ["app"]
```

With the check:

```dockerfile
FROM debian:bookworm
RUN wget https://example.com/a
CMD ["app"]
```

Nothing is said of the machine itself, of packages that were copied from the context, of private modules, and where a checksum
is compared in the same `RUN`.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for (stage_idx, stage) in ctx.reaching() {
        for placed in &stage.instructions {
            let kind = match &placed.instruction.kind {
                InstructionKind::Onbuild(inner) => &inner.kind,
                kind => kind,
            };
            if let InstructionKind::Env(pairs) = kind {
                pairs.iter().for_each(|pair| check_variable(placed, pair, acc));
            }
        }
        for at in ctx.runs_and_onbuild(stage_idx) {
            let checked = checks(at.facts);
            for (idx, command) in at.facts.commands.iter().enumerate() {
                if let Some(found) = switch(&at, idx, command).filter(|found| !(checked && found.of_file)) {
                    acc.push(finding(&at, &found));
                }
            }
        }
    }
}

fn check_variable(placed: &Placed, pair: &Pair, acc: &mut Vec<Finding>) {
    let Some(word) = &pair.value else { return };
    let value = word.text.trim_matches(['"', '\'']);
    if let Some(message) = variable(&pair.name.text, value) {
        acc.push(Finding::new(&RULE, placed.range(pair.range), message));
    }
}

/// What a variable switches off for all that follows.
fn variable(name: &str, value: &str) -> Option<&'static str> {
    let is_on = !value.is_empty() && !matches!(value, "0" | "false");
    match name {
        "GIT_SSL_NO_VERIFY" if is_on && !value.contains('$') => Some("git checks no certificates"),
        "NODE_TLS_REJECT_UNAUTHORIZED" if value == "0" => {
            Some("Node.js checks no certificates, neither now nor at run time")
        }
        "PYTHONHTTPSVERIFY" if value == "0" => Some("Python checks no certificates"),
        // For private modules alone, it says where no public list of checksums can help.
        "GOINSECURE" | "GONOSUMDB" | "GONOSUMCHECK"
            if value.split(',').any(|it| it == "*") || name == "GONOSUMCHECK" && value == "1" =>
        {
            Some("go checks nothing of what it fetches")
        }
        "GOSUMDB" if value == "off" => Some("go compares no checksums"),
        "GOFLAGS" if value.split_whitespace().any(|it| it == "-insecure") => Some("go checks no certificates"),
        _ => None,
    }
}

/// A switch among the arguments of a command.
struct Switch<'a> {
    argument: &'a Argument,
    message: &'static str,
    /// Whether the word can be deleted.
    deletes: bool,
    /// Whether it is about one file, which a checksum may vouch for.
    of_file: bool,
}

const CERTIFICATE: &str = "the server's certificate is not checked";
const SIGNATURE: &str = "the signature of what is installed is not checked";

fn switch<'a>(at: &RunAt<'a>, idx: usize, command: &'a Command) -> Option<Switch<'a>> {
    let flag = |flags: &[&str]| {
        command.arguments.iter().find(|it| it.value.as_deref().is_some_and(|value| flags.contains(&value)))
    };
    let with = |test: &dyn Fn(&str) -> bool| command.arguments.iter().find(|it| it.value.as_deref().is_some_and(test));
    let has = |word: &str| command.values().any(|it| it == word);
    let found = |argument: &'a Argument, message: &'static str, deletes: bool, of_file: bool| {
        Some(Switch { argument, message, deletes, of_file })
    };
    if is_fetch(command)
        && (command.arguments.iter().any(|it| it.value.is_none()) && addresses(command).next().is_none())
    {
        return None;
    }
    if is_fetch(command) && addresses(command).any(is_local) {
        return None;
    }
    match command.program.as_str() {
        "curl" => {
            let argument = command.arguments.get(curl_insecure(command)?)?;
            found(argument, CERTIFICATE, true, true)
        }
        "wget" => found(flag(&["--no-check-certificate"])?, CERTIFICATE, true, true),
        "git" => {
            let one = with(&|it| {
                it.eq_ignore_ascii_case("http.sslVerify=false") || it.eq_ignore_ascii_case("http.sslVerify=0")
            });
            let set = || {
                with(&|it| it.eq_ignore_ascii_case("http.sslVerify"))
                    .filter(|_| has("config") && (has("false") || has("0")))
            };
            found(one.or_else(set)?, "git checks no certificates", false, false)
        }
        "npm" | "yarn" | "pnpm" => {
            let set =
                with(&|it| matches!(it, "strict-ssl" | "strict-ssl=false")).filter(|_| has("set") || has("config"));
            let off = set.filter(|it| has("false") || it.value.as_deref() == Some("strict-ssl=false"));
            found(off.or_else(|| flag(&["--strict-ssl=false", "--no-strict-ssl"]))?, CERTIFICATE, false, false)
        }
        "conda" | "mamba" => {
            found(with(&|it| it == "ssl_verify").filter(|_| has("false") || has("False"))?, CERTIFICATE, false, false)
        }
        "echo" | "printf" | "sed" => {
            let local = |it: &str| {
                ["file:", "localhost", "127.0.0.1", "cdrom:", "copy:"].iter().any(|place| it.contains(place))
            };
            let line = with(&|it| it.contains("trusted=yes") && !local(it));
            if let Some(argument) = line {
                return found(argument, "apt checks no signatures of this repository", false, false);
            }
            let rpm =
                with(&|it| it.replace(' ', "").contains("gpgcheck=0") && !it.contains("repo_gpgcheck=0") && !local(it));
            found(
                rpm.filter(|_| command.program != "sed")?,
                "yum checks no signatures of this repository",
                false,
                false,
            )
        }
        "export" => {
            let set = |it: &str| it.split_once('=').is_some_and(|(name, value)| variable(name, value).is_some());
            let argument = with(&set)?;
            let (name, value) = argument.value.as_deref()?.split_once('=')?;
            found(argument, variable(name, value)?, false, false)
        }
        _ => of_manager(at, idx, command),
    }
}

/// A switch of a package manager.
fn of_manager<'a>(at: &RunAt<'a>, idx: usize, command: &'a Command) -> Option<Switch<'a>> {
    let manager = deed(command)?.manager;
    let flag = |flags: &[&str]| {
        command.arguments.iter().find(|it| it.value.as_deref().is_some_and(|value| flags.contains(&value)))
    };
    let with = |test: &dyn Fn(&str) -> bool| command.arguments.iter().find(|it| it.value.as_deref().is_some_and(test));
    let found = |argument: &'a Argument, message: &'static str, deletes: bool| {
        Some(Switch { argument, message, deletes, of_file: deletes && !matches!(manager, Manager::Apt) })
    };
    match manager {
        Manager::Apt => {
            if let Some(argument) = flag(&["--allow-unauthenticated", "--force-yes"]) {
                return found(argument, SIGNATURE, true);
            }
            let option = |it: &str| {
                let lower = it.to_ascii_lowercase();
                let off = lower.ends_with("=false") || lower.ends_with("=0") || lower.ends_with("=\"false\"");
                let on = lower.ends_with("=true") || lower.ends_with("=1");
                (lower.contains("verify-peer") || lower.contains("verify-host")) && off
                    || (lower.contains("allowinsecure") || lower.contains("allowunauthenticated")) && on
            };
            found(with(&option)?, "apt checks neither certificates nor signatures here", false)
        }
        Manager::Apk => {
            let argument = flag(&["--allow-untrusted"])?;
            let remote = command.has(&["-X", "--repository"]) && command.values().any(|it| it.starts_with("http"));
            (remote || installs_fetched(at, idx, command)).then_some(())?;
            found(argument, SIGNATURE, true)
        }
        Manager::Rpm => {
            let argument = flag(&["--nogpgcheck", "--no-gpgchecks", "--no-gpg-checks"])?;
            let local = deed(command)?.packages().all(|it| it.ends_with(".rpm") && !it.contains("://"));
            (!local || installs_fetched(at, idx, command)).then_some(())?;
            found(argument, SIGNATURE, true)
        }
        Manager::Zypper => found(flag(&["--no-gpg-checks"])?, SIGNATURE, true),
        Manager::Pip => {
            let mut arguments = command.arguments.iter();
            while let Some(argument) = arguments.next() {
                let Some(text) = argument.value.as_deref() else { continue };
                let Some(rest) = text.strip_prefix("--trusted-host") else { continue };
                let host = match rest.strip_prefix('=') {
                    Some(host) => host,
                    None => arguments.next()?.value.as_deref()?,
                };
                let local = is_local(host) || host.starts_with("host.") || !host.contains('.');
                return if local { None } else { found(argument, CERTIFICATE, false) };
            }
            None
        }
        _ => None,
    }
}

/// Whether a file that the command installs was fetched by an earlier one of the same RUN.
fn installs_fetched(at: &RunAt, idx: usize, command: &Command) -> bool {
    let fetched: Vec<String> = at.facts.commands.iter().take(idx).flat_map(|it| made::fetched(it, Some("/"))).collect();
    let names: Vec<&str> = fetched.iter().filter_map(|path| path.rsplit('/').next()).collect();
    let Some(deed) = deed(command).filter(|deed| deed.verb == Verb::Install) else { return false };
    deed.packages().any(|word| {
        let name = word.rsplit('/').next().unwrap_or(word);
        word.contains("://") || names.contains(&name) || name.contains('*') && !names.is_empty()
    })
}

fn finding(at: &RunAt, found: &Switch) -> Finding {
    let range = found.argument.range;
    let mut res = Finding::new(&RULE, at.placed.range(range), found.message);
    let text = &*at.placed.instruction.text;
    let word = range.of(text);
    let is_plain = found.argument.value.as_deref() == Some(word);
    if found.deletes && is_plain && at.placed.instruction.name != "ONBUILD" {
        let edit = match word.strip_prefix('-').filter(|letters| !letters.starts_with('-') && letters.len() > 1) {
            // One letter among others.
            Some(_) => word.find('k').map(|at| Local::new(range.start as usize + at, range.start as usize + at + 1)),
            // With the blanks before it, if they are nothing but that.
            None => {
                let before = text.get(..range.start as usize).unwrap_or_default();
                let start = before.trim_end_matches([' ', '\t']).len();
                (start < before.len()).then(|| Local::new(start, range.end as usize))
            }
        };
        res.fix = edit.map(|local| Fix {
            title: "Check again".to_owned(),
            safety: Safety::Review,
            edit: TextEdit::replace(at.placed.range(local), ""),
        });
    }
    res
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{analyse, check, check_fix, findings, parse};
    use crate::rules::Safety;

    fn check_silent(lines: &str) {
        check(&RULE, &format!("FROM debian:12\n{lines}\nCMD [\"a\"]\n"));
    }

    #[test]
    fn the_switch_is_to_blame() {
        check(
            &RULE,
            "FROM debian:12\n\
             ENV NODE_TLS_REJECT_UNAUTHORIZED=0\n\
             #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Node.js checks no certificates\n\
             RUN curl -fsSLk https://example.com/a -o a\n\
             #        ^^^^^^ the server's certificate is not checked\n\
             CMD [\"a\"]\n",
        );
        for line in [
            "RUN wget -q --no-check-certificate https://example.com/a",
            "RUN git -c http.sslVerify=false clone https://example.com/a",
            "RUN git config --global http.sslVerify false",
            "RUN npm config set strict-ssl false",
            "RUN pip install --trusted-host pypi.org flask",
            "RUN apt-get install -y --allow-unauthenticated a",
            "RUN apt-get install -y --force-yes a",
            "RUN apt-get -o Acquire::https::Verify-Peer=false update",
            "RUN echo 'deb [trusted=yes] https://example.com/debian stable main' > /etc/apt/sources.list.d/a.list",
            "RUN wget https://example.com/a.apk && apk add --allow-untrusted a.apk",
            "RUN yum install -y --nogpgcheck a",
            "RUN zypper --no-gpg-checks install -y a",
            "RUN conda config --set ssl_verify false",
            "RUN export GIT_SSL_NO_VERIFY=1 && git clone https://example.com/a",
            "ENV GIT_SSL_NO_VERIFY=true",
            "ENV PYTHONHTTPSVERIFY 0",
            "ENV GONOSUMDB=*",
        ] {
            let analysis = analyse(&parse(&format!("FROM debian:12\n{line}\nCMD [\"a\"]\n")));
            assert_eq!(findings(&analysis, &RULE).len(), 1, "{line}");
        }
    }

    #[test]
    fn the_machine_itself_has_no_certificate() {
        check_silent("RUN curl -k https://localhost:8443/a && wget --no-check-certificate https://127.0.0.1/a");
        check_silent("HEALTHCHECK CMD curl -kf https://localhost/ || exit 1");
        check_silent("RUN pip install --trusted-host localhost flask");
    }

    #[test]
    fn a_checksum_vouches_for_the_file() {
        check_silent("RUN curl -kO https://example.com/a && echo 'x  a' | sha256sum -c -");
    }

    #[test]
    fn a_package_from_the_context_has_no_signature_of_ours() {
        check_silent("COPY a.apk /\nRUN apk add --allow-untrusted /a.apk");
        check_silent("COPY a.rpm /\nRUN yum install -y --nogpgcheck /a.rpm");
    }

    #[test]
    fn private_modules_are_in_no_public_list() {
        check_silent("ENV GOPRIVATE=example.com/* GONOSUMDB=example.com/*");
    }

    #[test]
    fn a_snapshot_is_old_and_signed() {
        check_silent("RUN apt-get -o Acquire::Check-Valid-Until=false update");
        check_silent("RUN echo 'deb [check-valid-until=no] http://snapshot.debian.org/a b c' > /etc/apt/sources.list");
    }

    #[test]
    fn a_person_takes_the_switch_away() {
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nRUN curl -fkL https://example.com/a && wget --no-check-certificate https://example.com/b\nCMD a\n",
            "FROM debian:12\nRUN curl -fL https://example.com/a && wget https://example.com/b\nCMD a\n",
        );
        check_fix(
            &RULE,
            Safety::Review,
            "FROM debian:12\nRUN curl -k https://example.com/a\nCMD a\n",
            "FROM debian:12\nRUN curl https://example.com/a\nCMD a\n",
        );
    }
}
