//! `healthcheck-tool-missing`: the health check calls a program that the image does not have.

use crate::ecosystems::packages;
use crate::facts::ground::{self, Ground};
use crate::facts::history;
use crate::facts::installs::{Manager, Verb, deed};
use crate::facts::node_release;
use crate::facts::quiet;
use crate::facts::started;
use crate::model::{Form, InstructionKind};
use crate::packages::apt_closure;
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::shell::{self, Reach};
use crate::text::{Local, TextEdit};

/// The rule.
pub static RULE: Rule = Rule {
    name: "healthcheck-tool-missing",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
The health check calls a program that is not in the image, so the container is unhealthy from the first check on.

Slim images of Debian have neither `curl` nor `wget`; Alpine has the `wget` and `nc` of BusyBox, no `curl` and no `bash`;
distroless images have none of them. Orchestrators restart such a container for ever. Installing `curl` for it costs
about 12 MB on Debian; what the image has already does as well.

```dockerfile
FROM node:22-alpine
COPY server.js /app/
HEALTHCHECK CMD curl -f http://localhost:3000/
CMD ["node", "/app/server.js"]
```

With the `wget` that is there:

```dockerfile
FROM node:22-alpine
COPY server.js /app/
HEALTHCHECK CMD wget -q --spider http://localhost:3000/
CMD ["node", "/app/server.js"]
```
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    let Some(target) = ctx.facts.target else { return };
    let Some(placed) = started::of(ctx.file, ctx.facts).healthcheck else { return };
    let Some(form) = started::form(placed) else { return };
    let text = &*placed.instruction.text;
    if ["command -v", "which ", "type ", "hash "].iter().any(|it| text.contains(it)) {
        return;
    }
    let Some(call) = call(form, text) else { return };
    let ground = ground::of(ctx.file, ctx.images, target);
    // Without a shell the shell form cannot run at all.
    let shell_less = ground.has_shell() == Some(false) && matches!(form, Form::Shell(_));
    if shell_less || !lacks(&ground, &call.program) || may_have(ctx, target, &ground, &call.program) {
        return;
    }
    let message = format!("`{}` has no `{}`: the container is unhealthy for ever", ground.name(), call.program);
    let mut finding = Finding::new(&RULE, placed.range(call.program_range), message);
    finding.cause = placed.whole();
    finding.fix = instead(&ground, &call, text).map(|insert| Fix {
        title: "Ask with a program that is there".to_owned(),
        safety: Safety::Review,
        edit: TextEdit::replace(placed.range(call.range), insert),
    });
    acc.push(finding);
}

/// A program that the check surely calls.
struct Called {
    program: String,
    program_range: Local,
    /// From the program to its last argument.
    range: Local,
    /// The arguments where they are known: value and place.
    arguments: Vec<(Option<String>, Local)>,
    /// Whether it is written as a JSON array.
    json: bool,
}

/// The first program of a table that the check surely calls, with nothing that would stand in for it.
fn call(form: &Form, text: &str) -> Option<Called> {
    match form {
        Form::Shell(shell) => {
            let script = shell.script.as_ref().filter(|script| !script.broken)?;
            of_script(script, text)
        }
        Form::Exec(words) => {
            let (first, rest) = words.split_first()?;
            let name = first.text.rsplit('/').next()?;
            if matches!(name, "sh" | "ash" | "bash") && rest.first().is_some_and(|it| it.text.starts_with('-')) {
                let inner = rest.iter().find(|word| !word.text.starts_with('-'))?;
                let script = shell::parse(&inner.text, Local::new(0, inner.text.len()));
                let called = of_script(&script, &inner.text).filter(|_| !script.broken)?;
                return Some(Called {
                    program_range: inner.range,
                    range: inner.range,
                    arguments: Vec::new(),
                    ..called
                });
            }
            let arguments = rest.iter().map(|word| (Some(word.text.clone()), word.range)).collect();
            let range = first.range.cover(words.last()?.range);
            Some(Called { program: name.to_owned(), program_range: first.range, range, arguments, json: true })
        }
        Form::Heredoc { .. } | Form::Empty => None,
    }
}

fn of_script(script: &shell::Script, text: &str) -> Option<Called> {
    // Behind `||` another program may do the same.
    let ends = ["exit", "false", "kill", "echo", "true", ":", "return"];
    let others = |call: &&shell::Call| call.reach == Reach::Maybe && !ends.contains(&call.program.as_str());
    if script.calls.iter().any(|call| others(&call)) {
        return None;
    }
    let call =
        script.calls.iter().find(|call| call.reach == Reach::Always && TOOLS.contains(&call.program.as_str()))?;
    let nested = script.calls.iter().any(|call| matches!(call.program.as_str(), "sh" | "ash" | "bash"));
    let arguments = call.arguments.iter().map(|word| (word.literal(), word.range));
    let place = call.program_range.of(text);
    if place.contains('/') && !place.starts_with("/bin/") && !place.starts_with("/usr/bin/") {
        return None;
    }
    Some(Called {
        program: call.program.clone(),
        program_range: call.program_range,
        range: call.range,
        // Text that is given to another shell has quotes of its own around it.
        arguments: if nested { Vec::new() } else { arguments.collect() },
        json: false,
    })
}

/// The programs that checks call and that images may lack.
const TOOLS: [&str; 18] = [
    "bash",
    "curl",
    "jq",
    "lsof",
    "mongo",
    "mongosh",
    "mysql",
    "mysqladmin",
    "nc",
    "ncat",
    "netcat",
    "nmap",
    "pg_isready",
    "psql",
    "redis-cli",
    "telnet",
    "wget",
    "http",
];

/// Whether an image of this kind surely lacks the program. Only images whose recipe is known.
fn lacks(ground: &Ground, program: &str) -> bool {
    if !TOOLS.contains(&program) {
        return false;
    }
    if *ground == Ground::Scratch || ground.is_distroless() && ground.has_shell() == Some(false) {
        return true;
    }
    let Some((repository, tag)) = ground.repository() else { return false };
    let name = repository.strip_prefix("docker.io/library/").unwrap_or(&repository);
    let alpine = tag.contains("alpine");
    let version: u32 = tag.split(['.', '-']).next().and_then(|it| it.parse().ok()).unwrap_or(u32::MAX);
    match name {
        "alpine" => !matches!(program, "wget" | "nc"),
        "node" | "python" | "ruby" if alpine => !matches!(program, "wget" | "nc" | "redis-cli" | "psql"),
        "golang" | "rust" | "openjdk" if alpine => program == "curl",
        "nginx" if tag.contains("alpine-slim") => program == "curl",
        "busybox" => !matches!(program, "wget" | "nc" | "telnet"),
        "debian" => program != "bash",
        "ubuntu" => !matches!(program, "bash" | "nc" | "netcat" | "telnet"),
        // The slim images of older releases had curl.
        "node" if tag.contains("slim") => program != "bash" && version >= 12,
        "ruby" if tag.contains("slim") => program != "bash" && version >= 3,
        "python" | "rust" if tag.contains("slim") => program != "bash",
        "mcr.microsoft.com/dotnet/aspnet" | "mcr.microsoft.com/dotnet/runtime" => match program {
            "curl" => version >= 5,
            "wget" => version >= 5 && !alpine,
            _ => false,
        },
        _ => false,
    }
}

/// Whether the layers of the image could hold the program all the same.
fn may_have(ctx: &Context, target: usize, ground: &Ground, program: &str) -> bool {
    let folders = ["/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin", "/usr/local/sbin"];
    let paths: Vec<String> = folders.iter().map(|folder| format!("{folder}/{program}")).collect();
    history::steps(ctx.file, target, usize::MAX).iter().any(|step| match &step.placed.instruction.kind {
        InstructionKind::Copy(_) | InstructionKind::Add(_) => {
            paths.iter().any(|path| step.may_bring(ctx.file, ctx.context, path, &[]))
        }
        InstructionKind::Run(run) => {
            let text = &*step.placed.instruction.text;
            // Who names it installs it, and a RUN that is not understood may do anything.
            if brought_by(program).iter().any(|word| text.contains(word)) || run.script().is_none_or(|it| it.broken) {
                return true;
            }
            let Some(known) = step.run(ctx.facts) else { return true };
            known.commands.iter().any(|command| {
                let local = |call: &shell::Call| quiet::is_local(call, text);
                let is_local = run.script().and_then(|it| it.calls.get(command.call)).is_some_and(local);
                let Some(deed) = deed(command) else { return is_local || is_script(&command.program) };
                let system = matches!(deed.manager, Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper);
                if deed.verb != Verb::Install || !system {
                    return false;
                }
                if deed.is_open() {
                    return true;
                }
                let debian = deed.manager == Manager::Apt && ground.distro().is_some_and(|it| !it.contains("ubuntu"));
                if debian {
                    let names: Vec<&str> = deed.packages().map(packages::bare).collect();
                    let closure = apt_closure(&names, !command.has(&["--no-install-recommends"]));
                    let brought = brought_by(program);
                    return !closure.unknown.is_empty()
                        || closure.names().any(|name| brought.iter().any(|it| name.starts_with(it)));
                }
                // What a package of Alpine needs nobody knows here; many need bash.
                program == "bash"
            })
        }
        InstructionKind::Onbuild(_) => true,
        _ => false,
    })
}

/// Whether a command runs a script that nobody has read.
fn is_script(program: &str) -> bool {
    program.is_empty()
        || program.contains('.')
        || matches!(
            program,
            "sh" | "bash" | "ash" | "source" | "make" | "ansible-playbook" | "dpkg" | "rpm" | "conda" | "nix"
        )
        || program.contains("install") && program != "install"
}

/// Words of package names and downloads that bring a program.
fn brought_by(program: &str) -> &'static [&'static str] {
    match program {
        "bash" => &["bash"],
        "curl" => &["curl"],
        "wget" => &["wget", "busybox"],
        "nc" | "ncat" | "netcat" => &["netcat", "ncat", "nmap", "busybox"],
        "nmap" => &["nmap"],
        "mysql" | "mysqladmin" => &["mysql", "mariadb"],
        "pg_isready" | "psql" => &["postgres"],
        "redis-cli" => &["redis"],
        "mongo" | "mongosh" => &["mongo"],
        "telnet" => &["telnet", "busybox", "inetutils"],
        "jq" => &["jq"],
        "lsof" => &["lsof"],
        "http" => &["httpie"],
        _ => &[],
    }
}

/// The same question put by a program that the image has.
fn instead(ground: &Ground, call: &Called, text: &str) -> Option<String> {
    if !matches!(call.program.as_str(), "curl" | "wget") || call.arguments.is_empty() {
        return None;
    }
    let (url, range) = only_url(call)?;
    let written = range.of(text);
    let (_, tag) = ground.repository()?;
    if tag.contains("alpine") || ground.distro() == Some("alpine") {
        return Some(match call.json {
            true => format!("\"wget\", \"-q\", \"--spider\", {written}"),
            false => format!("wget -q --spider {written}"),
        });
    }
    let url = url.filter(|url| !url.contains(['"', '\'', '\\', '$', '`', '!']))?;
    let image = ground.image()?;
    let (program, option, code) = if node_release::of(image).is_some_and(|it| it.major >= 18) {
        ("node", "-e", format!("fetch('{url}').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"))
    } else if image.repository() == "docker.io/library/python" && !tag.starts_with('2') {
        ("python", "-c", format!("import urllib.request as r; r.urlopen('{url}')"))
    } else {
        return None;
    };
    Some(match call.json {
        true => format!("\"{program}\", \"{option}\", \"{code}\""),
        false => format!("{program} {option} \"{code}\""),
    })
}

/// The URL of a call that does nothing but ask for it: its value where it is literal, and its place.
fn only_url(call: &Called) -> Option<(Option<&str>, Local)> {
    let mut res = None;
    let mut arguments = call.arguments.iter();
    while let Some((value, range)) = arguments.next() {
        let Some(word) = value.as_deref() else {
            // A variable may stand in the URL; two such words are more than that.
            if res.replace((None, *range)).is_some() {
                return None;
            }
            continue;
        };
        let plain =
            word.strip_prefix('-').is_some_and(|it| !it.is_empty() && it.chars().all(|it| "fsSLq".contains(it)));
        let known = matches!(
            word,
            "--fail" | "--silent" | "--show-error" | "--location" | "--quiet" | "--spider" | "--no-verbose" | "-nv"
        );
        if plain || known {
            continue;
        }
        if matches!(word, "-o" | "-O" | "--output" | "-m" | "--max-time" | "--connect-timeout" | "-T") {
            arguments.next()?;
            continue;
        }
        let written_off = ["-O-", "-qO-", "--tries=", "--timeout=", "--output-document="];
        if written_off.iter().any(|it| word.starts_with(it)) {
            continue;
        }
        let is_url = !word.starts_with('-')
            && (word.contains("://") || word.contains("localhost") || word.contains("127.0.0.1"));
        if !is_url || res.replace((value.as_deref(), *range)).is_some() {
            return None;
        }
    }
    let (value, range) = res?;
    // `fetch` and `urlopen` want a scheme.
    Some((value.filter(|it| it.starts_with("http://")), range))
}

#[cfg(test)]
mod tests;
