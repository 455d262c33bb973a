//! `fat-base-image`: a slim variant of the same version would do.

use crate::facts::installs::{Manager, deed, requirements};
use crate::facts::run::Command;
use crate::facts::start;
use crate::images::{Counterpart, Traits};
use crate::model::{Base, ImageRef, InstructionKind, Stage};
use crate::rules::{Context, Finding, Fix, Group, Rule, Safety, Severity};
use crate::text::{Local, TextEdit, TextRange};
use crate::weight::Size;

/// The rule.
pub static RULE: Rule = Rule {
    name: "fat-base-image",
    group: Group::Size,
    severity: Severity::Warning,
    on: true,
    also: &[],
    doc: r##"
The base image brings compilers and tools that nothing here uses; a slim variant of the same version exists.

The full image of a language is made for building: compilers, headers, version control.
What only runs needs none of them.

```dockerfile
FROM node:22
WORKDIR /app
COPY server.js .
CMD ["node", "server.js"]
```

The same version, slim:

```dockerfile
FROM node:22-slim
WORKDIR /app
COPY server.js .
CMD ["node", "server.js"]
```

Nothing is said where the image compiles something or calls a tool that only the full image has (`git`, `curl`, `make`),
nor where it installs Java or PostgreSQL, which fail to install on slim images that lack `/usr/share/man/man1`.
Alpine is smaller still, but has another libc: compiled modules must be made anew for it.
"##,
    check,
};

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    if !ctx.facts.is_started() {
        return;
    }
    let Some(bottom) = ctx.facts.final_chain.last().and_then(|idx| ctx.file.stages.get(*idx)) else { return };
    let Base::Image(image) = &bottom.base else { return };
    let Some(traits) = ctx.images.traits(image) else { return };
    if image.digest.is_some() && image.tag.is_none() {
        return;
    }
    let platform = bottom.platform.as_ref().unwrap_or(&ctx.config.platform);
    let Some(slim) = ctx.images.counterparts(image, platform).into_iter().find(|it| is_same(it, &traits)) else {
        return;
    };
    let Some(facts) = ctx.images.look_up(image, platform) else { return };
    if needs_the_full_image(ctx, &traits) {
        return;
    }
    let Some((range, cause, fix)) = places(bottom, image, &slim.image) else { return };
    let shown = |pull: Option<Size>, unpacked: Option<Size>| match (pull, unpacked) {
        (Some(pull), _) => format!(" is pulled as {pull}"),
        (None, Some(unpacked)) => format!(" weighs {unpacked}"),
        (None, None) => String::new(),
    };
    let size = |it: &Option<crate::weight::Estimate>| it.as_ref().map(|it| it.likely);
    let both_pulled = facts.pull.is_some() && slim.facts.pull.is_some();
    let pull = |it: &Option<crate::weight::Estimate>| size(it).filter(|_| both_pulled);
    let saves = facts.unpacked.as_ref().zip(slim.facts.unpacked.as_ref()).map(|(full, slim)| full.minus(slim));
    let less = saves.as_ref().map(|saves| format!("; unpacked {} less", saves.words())).unwrap_or_default();
    let message = format!(
        "`{image}`{}, `{}`{}{less}",
        shown(pull(&facts.pull), size(&facts.unpacked)),
        slim.image,
        shown(pull(&slim.facts.pull), size(&slim.facts.unpacked))
            .replace(" is pulled as", " as")
            .replace(" weighs", ""),
    );
    let mut finding = Finding::new(&RULE, range, message);
    finding.cause = cause;
    finding.saves = saves;
    finding.fix = fix.map(|edit| Fix { title: format!("Use `{}`", slim.image), safety: Safety::Review, edit });
    finding.assists.push("swap-base");
    acc.push(finding);
}

/// Whether it is a smaller tag of the same repository with the same libc.
fn is_same(slim: &Counterpart, traits: &Traits) -> bool {
    let is_slim = slim.image.tag.as_deref().is_some_and(|tag| tag.split('-').any(|part| part == "slim"));
    slim.same_repository && is_slim && slim.traits.as_ref().is_some_and(|it| it.libc == traits.libc && it.has_shell)
}

/// The tag (the image's word where it has none, or it is not written out), the word, and the edit where there is one.
fn places(stage: &Stage, image: &ImageRef, slim: &ImageRef) -> Option<(TextRange, TextRange, Option<TextEdit>)> {
    let InstructionKind::From(from) = &stage.from.instruction.kind else { return None };
    let word = &from.image;
    let whole = stage.from.range(word.range);
    let is_plain = word.range.len() == word.text.len() && word.text == image.text;
    let Some(tag) = slim.tag.as_deref().filter(|_| is_plain && image.digest.is_none()) else {
        return Some((whole, whole, None));
    };
    match &image.tag {
        Some(old) => {
            let end = word.range.end as usize;
            let range = stage.from.range(Local::new(end - old.len(), end));
            Some((range, whole, Some(TextEdit::replace(range, tag))))
        }
        None => Some((whole, whole, Some(TextEdit::insert(whole.end(), format!(":{tag}"))))),
    }
}

/// Programs that the full image has (that of `buildpack-deps`) and the slim one has not.
const FULL: [&str; 47] = [
    "autoconf",
    "automake",
    "autoreconf",
    "bzip2",
    "bzr",
    "c++",
    "cc",
    "cmake",
    "convert",
    "cpp",
    "curl",
    "file",
    "g++",
    "gcc",
    "git",
    "gpg",
    "hg",
    "identify",
    "imagemagick",
    "ld",
    "libtool",
    "magick",
    "make",
    "mogrify",
    "mysql_config",
    "node-gyp",
    "patch",
    "pg_config",
    "pkg-config",
    "ps",
    "python",
    "python2",
    "python3",
    "scp",
    "ssh",
    "ssh-add",
    "ssh-agent",
    "ssh-keygen",
    "ssh-keyscan",
    "strip",
    "svn",
    "top",
    "unzip",
    "wget",
    "xml2-config",
    "xz",
    "zip",
];

/// Python packages that are compiled against libraries of the full image where no wheel is taken.
const COMPILED: [&str; 14] = [
    "dlib",
    "gevent",
    "mysqlclient",
    "psycopg2",
    "pycairo",
    "pycurl",
    "pygobject",
    "pygraphviz",
    "pylibmc",
    "pymssql",
    "python-ldap",
    "python-snappy",
    "uwsgi",
    "xmlsec",
];

/// Whether something in the shipped stages, or the start command, needs more than the slim image has.
fn needs_the_full_image(ctx: &Context, traits: &Traits) -> bool {
    if needs_manual_directories(ctx) {
        return true;
    }
    // A distribution's slim image lacks manuals and translations alone.
    let Some(runtime) = traits.runtime.as_deref() else { return false };
    let full = |name: &str| {
        FULL.contains(&name) && !(runtime == "python" && name.starts_with("python"))
            || name == "npm" && runtime != "node"
    };
    let mut installed = String::new();
    for at in ctx.final_runs() {
        if at.run.script().is_none_or(|script| script.broken) {
            return true;
        }
        for command in &at.facts.commands {
            if let Some(deed) = deed(command) {
                if is_native(command, &deed) {
                    return true;
                }
                deed.packages().for_each(|word| {
                    installed.push_str(word);
                    installed.push(' ');
                });
            }
            if builds(command) || full(&command.program) && !installed.contains(command.program.as_str()) {
                return true;
            }
            // A script of the project may call anything.
            if command.program.ends_with(".sh") || command.program.starts_with("./") {
                return true;
            }
            if command.values().any(|it| it.starts_with("git+") || it.starts_with("git@") || it.ends_with(".sh")) {
                return true;
            }
        }
    }
    let chain = ctx.start();
    let in_start = chain.programs.iter().any(|it| full(&it.name) && !installed.contains(it.name.as_str()));
    let hidden = chain.open.iter().any(|it| matches!(it, start::Open::Script(_) | start::Open::Shell));
    in_start || hidden || needs_known_library(ctx)
}

/// Whether a package is installed whose scripts link its manuals into `/usr/share/man`: they fail where the directories are
/// missing, as in slim images, unless a command makes them first.
fn needs_manual_directories(ctx: &Context) -> bool {
    for at in ctx.final_runs() {
        for command in &at.facts.commands {
            if command.program == "mkdir" && command.values().any(|it| it.starts_with("/usr/share/man/")) {
                return false;
            }
            let apt = deed(command).filter(|it| it.manager == Manager::Apt);
            if apt.is_some_and(|it| it.packages().any(links_manuals)) {
                return true;
            }
        }
    }
    false
}

/// Java and PostgreSQL keep their manuals outside of what slim images leave out, and link them; so does what needs Java.
fn links_manuals(package: &str) -> bool {
    let families = ["openjdk-", "default-j", "oracle-java", "temurin-", "postgresql", "tomcat", "ca-certificates-java"];
    families.iter().any(|it| package.starts_with(it)) || matches!(package, "ant" | "gradle" | "maven" | "jenkins")
}

/// Whether a RUN builds native code.
fn builds(command: &Command) -> bool {
    let is = |words: &[&str]| command.values().any(|value| words.contains(&value));
    match command.program.as_str() {
        // A gem with native parts is compiled where it is installed.
        "gem" => is(&["install"]),
        "configure" | "./configure" | "cargo" | "rustup" | "meson" | "ninja" | "scons" | "bazel" => true,
        "python" | "python3" => is(&["setup.py"]) || command.values().any(|it| it.ends_with("setup.py")),
        "npm" => is(&["rebuild"]),
        name => name.ends_with("-config") || name.ends_with("-ext-install"),
    }
}

/// Whether an install brings compilers or headers, or compiles what it installs.
fn is_native(command: &Command, deed: &crate::facts::installs::Deed) -> bool {
    let is_tool = |word: &str| {
        let name = word.split(['=', ':']).next().unwrap_or(word);
        matches!(name, "build-essential" | "gcc" | "g++" | "make" | "cmake" | "clang" | "automake" | "autoconf")
            || name.ends_with("-dev")
    };
    match deed.manager {
        Manager::Apt => deed.packages().any(is_tool) || deed.is_open(),
        Manager::Pip => {
            let name =
                |word: &str| word.split(['=', '<', '>', '~', '[', '!']).next().unwrap_or(word).to_ascii_lowercase();
            deed.packages().any(|word| COMPILED.contains(&name(word).as_str()))
                || command.has(&["--no-binary"])
                || command.has(&["-e", "--editable"])
        }
        Manager::Bundler => true,
        _ => false,
    }
}

/// Whether a requirements file or lock file that is known asks for something that is compiled.
fn needs_known_library(ctx: &Context) -> bool {
    let requirements_named = ctx.final_runs().any(|at| {
        at.facts.commands.iter().flat_map(|command| requirements(command).into_iter().flatten()).any(|file| {
            let name = file.rsplit('/').next().unwrap_or(file);
            let text = ctx.context.texts.iter().find(|(path, _)| path.rsplit('/').next() == Some(name));
            text.is_some_and(|(_, text)| {
                text.lines().any(|line| {
                    let line = line.trim().to_ascii_lowercase();
                    let end = line.find(['=', '<', '>', '~', '[', ';', ' ', '!']).unwrap_or(line.len());
                    line.starts_with("git+") || line.get(..end).is_some_and(|name| COMPILED.contains(&name))
                })
            })
        })
    });
    let installs_modules = |command: &Command| {
        deed(command).is_some_and(|it| matches!(it.manager, Manager::Npm | Manager::Yarn | Manager::Pnpm))
    };
    let native_modules = ctx.final_runs().any(|at| at.facts.commands.iter().any(installs_modules))
        && ctx.context.text("package-lock.json").is_some_and(|text| text.contains("\"hasInstallScript\": true"));
    requirements_named || native_modules
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::{check, check_fix, check_no_fix};
    use crate::rules::Safety;

    fn check_silent(image: &str, body: &str) {
        check(&RULE, &format!("FROM {image}\n{body}\nCMD [\"node\", \"s.js\"]\n"));
    }

    #[test]
    fn the_tag_is_to_blame() {
        check(
            &RULE,
            "FROM node:22\n\
             #         ^^ `node:22` is pulled as 408 MB, `node:22-slim` as\n\
             COPY s.js .\n\
             CMD [\"node\", \"s.js\"]\n",
        );
        check(
            &RULE,
            "FROM python:3.12 AS base\n\
             #           ^^^^ `python:3.12-slim`\n\
             FROM base\n\
             RUN pip install --no-cache-dir flask\n\
             CMD [\"python\", \"s.py\"]\n",
        );
    }

    #[test]
    fn a_slim_image_is_slim() {
        check_silent("node:22-slim", "COPY s.js .");
        check_silent("node:22-alpine", "COPY s.js .");
    }

    #[test]
    fn without_a_slim_tag_there_is_nothing_to_say() {
        check_silent("php:8.3-cli", "COPY s.php .");
        check_silent("golang:1.22", "COPY s.go .");
        check_silent("buildpack-deps:bookworm", "COPY s .");
        check_silent("example.com/node:22", "COPY s.js .");
        check_silent("node@sha256:0123456789012345678901234567890123456789012345678901234567890123", "COPY s.js .");
    }

    #[test]
    fn who_compiles_needs_the_full_image() {
        check_silent("node:22", "RUN apt-get update && apt-get install -y libvips-dev && npm ci");
        check_silent("python:3.12", "RUN make");
        check_silent("python:3.12", "RUN pip install psycopg2");
        check(
            &RULE,
            "FROM python:3.12\nCOPY . .\nRUN pip install -r r.txt\nCMD [\"python\", \"a.py\"]\n#- r.txt\nmysqlclient==2.2\n",
        );
        check_silent("node:22", "RUN npm rebuild");
        check_silent("ruby:3.4", "RUN gem install nokogiri");
    }

    #[test]
    fn who_calls_its_tools_needs_the_full_image() {
        check_silent("node:22", "RUN git clone https://example.com/a");
        check_silent("node:22", "RUN curl -O https://example.com/a");
        check_silent("node:22", "RUN python3 a.py");
        check_silent("python:3.12", "RUN pip install git+https://example.com/a");
        check_silent("node:22", "HEALTHCHECK CMD curl -f http://localhost\nCOPY s.js .");
        check_silent("node:22", "COPY a.sh .\nRUN ./a.sh");
        check_silent("node:22", "COPY a.sh /\nENTRYPOINT [\"/a.sh\"]");
    }

    #[test]
    fn java_and_postgres_do_not_install_without_directories_for_manuals() {
        check_silent("debian:stretch", "RUN apt-get update && apt-get install -y openjdk-8-jre-headless");
        check_silent("python:3.12", "RUN apt-get update && apt-get install -y postgresql-client");
        check(
            &RULE,
            "FROM debian:stretch\n\
             #           ^^^^^^^ `debian:stretch-slim`\n\
             RUN mkdir -p /usr/share/man/man1\n\
             RUN apt-get update && apt-get install -y openjdk-8-jre-headless\n\
             CMD [\"java\"]\n",
        );
    }

    #[test]
    fn an_image_that_starts_nothing_may_be_built_upon() {
        check(&RULE, "FROM node:22\nCOPY s.js .\n");
    }

    #[test]
    fn the_tag_is_replaced() {
        let file = |image: &str| format!("FROM {image}\nCOPY s.js .\nCMD [\"node\", \"s.js\"]\n");
        check_fix(&RULE, Safety::Review, &file("node:22"), &file("node:22-slim"));
        let pinned = "node:22@sha256:0123456789012345678901234567890123456789012345678901234567890123";
        check_no_fix(&RULE, &file(pinned));
        check_no_fix(&RULE, "ARG V=22\nFROM node:$V\nCOPY s.js .\nCMD [\"node\", \"s.js\"]\n");
    }
}
