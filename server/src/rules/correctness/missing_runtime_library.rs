//! `missing-runtime-library`: packages were compiled against a library that is in the builder alone.

use crate::ecosystems::packages;
use crate::facts::ground::{self, Ground};
use crate::facts::history;
use crate::facts::installs::{Manager, Verb, deed, requirements};
use crate::facts::landing::{self, Landed};
use crate::facts::stage;
use crate::facts::stage::join;
use crate::facts::walk;
use crate::model::{InstructionKind, Source};
use crate::packages::apt_closure;
use crate::rules::{Context, Finding, Group, Related, Rule, RunAt, Severity};
use crate::text::TextRange;

/// The rule.
pub static RULE: Rule = Rule {
    name: "missing-runtime-library",
    group: Group::Correctness,
    severity: Severity::Error,
    on: true,
    also: &[],
    doc: r##"
Packages that were compiled in a builder are copied without the library that they were compiled against.

The builder has it by its `-dev` package. The slim image that they are copied to does not, and the program ends with "cannot
open shared object file".

```dockerfile
FROM python:3.12 AS build
RUN apt-get update && apt-get install -y libpq-dev && rm -rf /var/lib/apt/lists/*
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir psycopg2
FROM python:3.12-slim
COPY --from=build /venv /venv
CMD ["/venv/bin/python", "-m", "app"]
```

With the library:

```dockerfile
FROM python:3.12 AS build
RUN apt-get update && apt-get install -y libpq-dev && rm -rf /var/lib/apt/lists/*
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir psycopg2
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*
COPY --from=build /venv /venv
CMD ["/venv/bin/python", "-m", "app"]
```
"##,
    check,
};

/// A library, and what is always compiled against it.
struct Library {
    /// The packages with its headers.
    headers: &'static [&'static str],
    /// What the package with the library itself begins with, on Debian and on Alpine.
    runtime: [&'static str; 2],
    /// Packages of PyPI that come without wheels.
    python: &'static [&'static str],
    /// Gems.
    ruby: &'static [&'static str],
}

static LIBRARIES: &[Library] = &[
    Library {
        headers: &["libpq-dev", "postgresql-dev"],
        runtime: ["libpq5", "libpq"],
        python: &["psycopg2", "psycopg-c", "psycopg[c]"],
        ruby: &["pg"],
    },
    Library {
        headers: &[
            "default-libmysqlclient-dev",
            "libmariadb-dev",
            "libmysqlclient-dev",
            "mariadb-dev",
            "mariadb-connector-c-dev",
        ],
        runtime: ["libmariadb3", "mariadb-connector-c"],
        python: &["mysqlclient"],
        ruby: &["mysql2"],
    },
    Library {
        headers: &["libldap2-dev", "openldap-dev"],
        runtime: ["libldap", "libldap"],
        python: &["python-ldap"],
        ruby: &[],
    },
    Library {
        headers: &["libxmlsec1-dev", "xmlsec-dev"],
        runtime: ["libxmlsec1-openssl", "xmlsec"],
        python: &["xmlsec"],
        ruby: &[],
    },
    Library {
        headers: &["libcurl4-openssl-dev", "libcurl4-gnutls-dev", "curl-dev"],
        runtime: ["libcurl4", "libcurl"],
        python: &["pycurl"],
        ruby: &["curb"],
    },
    Library {
        headers: &["libmagickwand-dev", "libmagickcore-dev", "imagemagick-dev"],
        runtime: ["libmagick", "imagemagick"],
        python: &[],
        ruby: &["rmagick"],
    },
    Library {
        headers: &["libicu-dev", "icu-dev"],
        runtime: ["libicu", "icu-libs"],
        python: &["pyicu"],
        ruby: &["charlock_holmes"],
    },
    Library {
        headers: &["libcairo2-dev", "cairo-dev"],
        runtime: ["libcairo2", "cairo"],
        python: &["pycairo"],
        ruby: &["cairo"],
    },
    Library { headers: &["libgdal-dev", "gdal-dev"], runtime: ["libgdal", "gdal"], python: &["gdal"], ruby: &[] },
    Library {
        headers: &["libsnappy-dev", "snappy-dev"],
        runtime: ["libsnappy", "snappy"],
        python: &["python-snappy"],
        ruby: &[],
    },
];

fn check(ctx: &Context, acc: &mut Vec<Finding>) {
    for stage_idx in &ctx.facts.final_chain {
        let Some(stage) = ctx.file.stages.get(*stage_idx).filter(|stage| !stage.sources.is_empty()) else { continue };
        let ground = ground::of(ctx.file, ctx.images, *stage_idx);
        if !is_slim(&ground) {
            continue;
        }
        for (idx, source) in &stage.sources {
            let Source::Stage(builder) = source else { continue };
            let Some(placed) = stage.instructions.get(*idx) else { continue };
            let InstructionKind::Copy(copy) = &placed.instruction.kind else { continue };
            let from = ground::of(ctx.file, ctx.images, *builder);
            // The other C library is another fault.
            if from.libc() != ground.libc() || from.image() == ground.image() && from.image().is_none() {
                continue;
            }
            for word in &copy.sources {
                let Some(path) = walk::value(ctx.file, stage, placed, &word.text) else { continue };
                let path = stage::clean(&format!("/{path}"));
                let Some((library, header, range, package)) = compiled(ctx, *builder, &path) else { continue };
                if may_have(ctx, *stage_idx, library) {
                    continue;
                }
                let name = library.runtime[usize::from(ground.distro() == Some("alpine"))];
                let message =
                    format!("`{package}` was compiled against `{header}`, and `{}` has no `{name}`", ground.name());
                let mut finding = Finding::new(&RULE, placed.range(word.range), message);
                finding.related.push(Related { range, message: "the library is here".to_owned() });
                acc.push(finding);
                break;
            }
        }
    }
}

/// Images without the libraries of buildpack-deps.
fn is_slim(ground: &Ground) -> bool {
    let Some((repository, tag)) = ground.repository() else { return false };
    match repository.strip_prefix("docker.io/library/") {
        Some("debian" | "ubuntu" | "alpine") => true,
        Some("python" | "ruby") => tag.contains("slim") || tag.contains("alpine"),
        _ => false,
    }
}

/// The library that packages below this path of the builder were compiled against: with its `-dev` package, where that was
/// installed, and the package that was compiled.
fn compiled(
    ctx: &Context,
    builder: usize,
    path: &str,
) -> Option<(&'static Library, &'static str, TextRange, &'static str)> {
    let of_python = ["site-packages", "dist-packages", "venv", "/.local", "/install", "/usr/local/lib/python"];
    let of_ruby = ["/usr/local/bundle", "vendor", "/gems"];
    let is_python = of_python.iter().any(|it| path.contains(it)) || path == "/usr/local";
    let is_ruby = of_ruby.iter().any(|it| path.contains(it)) || path == "/usr/local";
    if !is_python && !is_ruby {
        return None;
    }
    let stages = crate::facts::chain(ctx.file, builder);
    let headers = stages.iter().find_map(|idx| {
        ctx.runs(*idx).find_map(|at| {
            at.facts.commands.iter().find_map(|command| {
                let deed = deed(command).filter(|it| it.verb == Verb::Install)?;
                let system = matches!(deed.manager, Manager::Apt | Manager::Apk);
                let named = |name: &str| {
                    LIBRARIES.iter().find_map(|library| {
                        Some((library, *library.headers.iter().find(|it| **it == packages::bare(name))?))
                    })
                };
                let (library, header) = deed.packages().filter(|_| system).find_map(named)?;
                Some((library, header, at.range(command)))
            })
        })
    });
    let (library, header, range) = headers?;
    let package = stages.iter().find_map(|idx| {
        ctx.runs(*idx).find_map(|at| {
            at.facts.commands.iter().zip(&at.facts.directories).find_map(|(command, directory)| {
                let deed = deed(command).filter(|it| it.verb == Verb::Install)?;
                match deed.manager {
                    Manager::Pip if is_python => {
                        let known = |line: &str| library.python.iter().find(|name| is_requirement(line, name)).copied();
                        deed.packages().find_map(known).or_else(|| {
                            requirements(command).into_iter().flatten().find_map(|file| {
                                text(ctx, &at, &join(directory.as_deref(), file)?)?.lines().find_map(known)
                            })
                        })
                    }
                    Manager::Bundler if is_ruby => {
                        let gemfile = join(directory.as_deref(), "Gemfile").and_then(|path| text(ctx, &at, &path));
                        match gemfile {
                            Some(text) => library.ruby.iter().copied().find(|name| {
                                text.contains(&format!("gem \"{name}\"")) || text.contains(&format!("gem '{name}'"))
                            }),
                            None => library.ruby.first().copied(),
                        }
                    }
                    _ => None,
                }
            })
        })
    })?;
    Some((library, header, range, package))
}

/// Whether a line of requirements asks for this package.
fn is_requirement(line: &str, name: &str) -> bool {
    let line = line.trim().to_ascii_lowercase().replace('_', "-");
    let rest = line.strip_prefix(name);
    rest.is_some_and(|rest| !rest.starts_with(|it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '[' | '.')))
}

/// The text of a file of the context that lies at a path of the builder.
fn text<'a>(ctx: &Context<'a>, at: &RunAt, path: &str) -> Option<&'a str> {
    let states = walk::states(ctx.file, at.stage_idx, "/");
    match landing::landed(ctx.file, at.stage, states.get(..at.idx)?, ctx.context, path) {
        Landed::File(found) => ctx.context.text(&found),
        Landed::Hidden | Landed::Nothing => None,
    }
}

/// Whether the image could have the library all the same.
fn may_have(ctx: &Context, stage_idx: usize, library: &Library) -> bool {
    let stems: Vec<&str> = library.runtime.into_iter().chain(library.headers.iter().copied()).collect();
    let words = ["postgresql", "mysql", "mariadb", "psql", "openldap", "imagemagick"];
    history::steps(ctx.file, stage_idx, usize::MAX).iter().any(|step| match &step.placed.instruction.kind {
        InstructionKind::Copy(_) | InstructionKind::Add(_) => {
            let text = &*step.placed.instruction.text;
            [".so", "/usr/lib", "/lib/", ".tar", " / "].iter().any(|it| text.contains(it))
        }
        InstructionKind::Run(run) => {
            let text = &*step.placed.instruction.text;
            if run.script().is_none_or(|it| it.broken) || stems.iter().chain(&words).any(|it| text.contains(it)) {
                return true;
            }
            let Some(known) = step.run(ctx.facts) else { return true };
            known.commands.iter().any(|command| {
                let Some(deed) = deed(command) else {
                    return command.program.contains('.')
                        || matches!(command.program.as_str(), "sh" | "bash" | "xargs" | "make" | "");
                };
                if deed.verb != Verb::Install {
                    return false;
                }
                if deed.is_open() {
                    return true;
                }
                if deed.manager != Manager::Apt {
                    return false;
                }
                let names: Vec<&str> = deed.packages().map(packages::bare).collect();
                let closure = apt_closure(&names, !command.has(&["--no-install-recommends"]));
                !closure.unknown.is_empty() || closure.names().any(|name| stems.iter().any(|it| name.starts_with(it)))
            })
        }
        InstructionKind::Onbuild(_) => true,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixture::check;

    fn python(builder: &str, package: &str, runtime: &str) -> String {
        format!(
            "FROM {builder} AS b\nRUN apt-get update && apt-get install -y gcc libpq-dev\n\
             RUN python -m venv /venv && /venv/bin/pip install {package}\n{runtime}\n"
        )
    }

    fn check_silent(text: &str) {
        check(&RULE, text);
    }

    const COPY: &str = "COPY --from=b /venv /venv";

    #[test]
    fn the_library_is_in_the_builder_alone() {
        let found =
            "#             ^^^^^ `psycopg2` was compiled against `libpq-dev`, and `python:3.12-slim` has no `libpq5`";
        check(&RULE, &python("python:3.12", "psycopg2==2.9", &format!("FROM python:3.12-slim\n{COPY}\n{found}")));
        check(
            &RULE,
            "FROM ruby:3.3 AS b\nRUN apt-get install -y libpq-dev\nCOPY Gemfile /\nRUN bundle install\n\
             FROM ruby:3.3-slim\nCOPY --from=b /usr/local/bundle /usr/local/bundle\n\
             #             ^^^^^^^^^^^^^^^^^ `pg` was compiled against `libpq-dev`\n",
        );
        check(
            &RULE,
            "FROM python:3.12-alpine AS b\nWORKDIR /a\nCOPY requirements.txt .\nRUN apk add mariadb-dev\n\
             RUN pip install --user -r requirements.txt\n\
             FROM python:3.12-alpine\nCOPY --from=b /root/.local /root/.local\n\
             #             ^^^^^^^^^^^^ `mysqlclient` was compiled against `mariadb-dev`, and `python:3.12-alpine` has no `mariadb-connector-c`\n\
             #- requirements.txt\nflask\nmysqlclient==2.2\n",
        );
    }

    #[test]
    fn a_wheel_brings_its_library() {
        check_silent(&python("python:3.12", "psycopg2-binary", &format!("FROM python:3.12-slim\n{COPY}")));
        check_silent(&python("python:3.12", "'psycopg[binary]'", &format!("FROM python:3.12-slim\n{COPY}")));
        check_silent(&python("python:3.12", "-r requirements.txt", &format!("FROM python:3.12-slim\n{COPY}")));
    }

    #[test]
    fn the_library_may_be_installed() {
        for line in [
            "RUN apt-get install -y libpq5",
            "RUN apt-get install -y postgresql-client",
            "RUN apt-get install -y $PACKAGES",
            "RUN apt-get install -y python3-psycopg2",
            "RUN ./install.sh",
            "COPY --from=b /usr/lib/x86_64-linux-gnu/libpq.so.5 /usr/lib/x86_64-linux-gnu/",
        ] {
            check_silent(&python("python:3.12", "psycopg2", &format!("FROM python:3.12-slim\n{line}\n{COPY}")));
        }
    }

    #[test]
    fn a_full_image_has_the_libraries() {
        check_silent(&python("python:3.12", "psycopg2", &format!("FROM python:3.12\n{COPY}")));
        check_silent(&python("python:3.12", "psycopg2", &format!("FROM example.com/a\n{COPY}")));
    }

    #[test]
    fn an_image_with_another_c_library_is_another_fault() {
        check_silent(&python("python:3.12", "psycopg2", &format!("FROM python:3.12-alpine\n{COPY}")));
    }

    #[test]
    fn other_files_are_another_matter() {
        check_silent(&python("python:3.12", "psycopg2", "FROM python:3.12-slim\nCOPY --from=b /app/static /static"));
    }
}
