//! Which files of a builder hold machine code: interpreters, modules with native parts, compiled programs.
//!
//! Names and lock files decide; where neither says so, nothing is native.

use crate::facts::builds::is_compiler;
use crate::facts::ground::Ground;
use crate::facts::installs::{Manager, Verb, deed, requirements};
use crate::facts::landing::{self, Landed};
use crate::facts::run::{Command, is_below};
use crate::facts::stage::join;
use crate::facts::walk;
use crate::rules::{Context, RunAt};

/// An interpreter of an official image, which is linked against the library of that image.
pub(super) fn runtime(from: &Ground, path: &str) -> Option<String> {
    let (repository, _) = from.repository()?;
    let name = repository.strip_prefix("docker.io/library/")?;
    let programs: &[&str] = match name {
        "node" => &["/usr/local/bin/node"],
        "python" => &["/usr/local/bin/python", "/usr/local/bin/python3", "/usr/local/bin"],
        "ruby" => &["/usr/local/bin/ruby", "/usr/local/bin"],
        "php" => &["/usr/local/bin/php"],
        "nginx" => &["/usr/sbin/nginx"],
        "redis" => &["/usr/local/bin/redis-server", "/usr/local/bin/redis-cli"],
        _ => return None,
    };
    let program = programs.first()?.rsplit('/').next()?;
    let is_it = programs.contains(&path) || name == "python" && path.starts_with("/usr/local/bin/python3.");
    is_it.then(|| format!("`{program}` is built"))
}

/// `node_modules` with native packages, by the lock file, or, where that is not known, by a compiler that was installed.
pub(super) fn modules(ctx: &Context, builder: usize, path: &str) -> Option<String> {
    let directory = crate::facts::chain(ctx.file, builder)
        .into_iter()
        .find_map(|stage_idx| ctx.runs(stage_idx).find_map(|at| install_below(&at, path)))?;
    let lock = ["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"].iter().find_map(|name| {
        let lock = join(Some(&directory), name)?;
        Some((*name, text(ctx, builder, &lock)?))
    });
    let shown = "`node_modules` was installed";
    match lock {
        Some((name, text)) => native_package(name, text).map(|package| format!("{shown} with `{package}`")),
        None => installs_compiler(ctx, builder).then(|| format!("{shown} with a compiler")),
    }
}

/// Where an install of Node modules in this RUN puts them, if that lies at the path or below it.
fn install_below(at: &RunAt, path: &str) -> Option<String> {
    at.facts.commands.iter().zip(&at.facts.directories).find_map(|(command, directory)| {
        let deed = deed(command)?;
        let node = matches!(deed.manager, Manager::Npm | Manager::Yarn | Manager::Pnpm);
        if !node || !deed.is_from_manifest(command) || command.has(&["--libc", "--os", "--cpu", "--ignore-scripts"]) {
            return None;
        }
        let directory = directory.as_deref()?;
        is_below(&join(Some(directory), "node_modules")?, path).then(|| directory.to_owned())
    })
}

/// The text of a file of the context that lies at a path of the builder.
fn text<'a>(ctx: &Context<'a>, builder: usize, path: &str) -> Option<&'a str> {
    crate::facts::chain(ctx.file, builder).into_iter().find_map(|stage_idx| {
        let stage = ctx.file.stages.get(stage_idx)?;
        let states = walk::states(ctx.file, stage_idx, "/");
        match landing::landed(ctx.file, stage, &states, ctx.context, path) {
            Landed::File(found) => ctx.context.text(&found),
            Landed::Hidden | Landed::Nothing => None,
        }
    })
}

/// Packages whose machine code fits the library they were installed beside; those that bring both kinds from a version on.
const PACKAGES: &[(&str, Option<(u32, u32)>)] = &[
    ("@prisma/client", None),
    ("argon2", Some((0, 40))),
    ("bcrypt", Some((6, 0))),
    ("better-sqlite3", None),
    ("canvas", None),
    ("couchbase", None),
    ("deasync", None),
    ("farmhash", None),
    ("grpc", None),
    ("isolated-vm", None),
    ("kerberos", None),
    ("leveldown", None),
    ("libpq", None),
    ("libxmljs", None),
    ("libxmljs2", None),
    ("node-pty", None),
    ("node-rdkafka", None),
    ("node-sass", None),
    ("pg-native", None),
    ("re2", None),
    ("sharp", None),
    ("snappy", None),
    ("sqlite3", None),
    ("zeromq", None),
];

/// The first native package that a lock file names for production.
fn native_package(name: &str, text: &str) -> Option<&'static str> {
    let both = |found: &(&'static str, Option<(u32, u32)>), behind: &str| {
        let Some(from) = found.1 else { return false };
        let version = behind.split_once("version").map_or("", |(_, it)| it);
        let version = version.trim_start_matches(['"', ':', ' ']);
        let mut parts = version.split(['.', '"']).map(|it| it.parse::<u32>().unwrap_or(u32::MAX));
        (parts.next().unwrap_or(u32::MAX), parts.next().unwrap_or(u32::MAX)) >= from
    };
    let entry = |key: &str| PACKAGES.iter().find(|(package, _)| *package == key);
    match name {
        "yarn.lock" => text.lines().find_map(|line| {
            let key = line.trim_start_matches('"');
            let at = key.get(1..)?.find('@')? + 1;
            let found = entry(key.get(..at)?)?;
            let behind = text.get(text.find(line)?..)?;
            (!both(found, behind)).then_some(found.0)
        }),
        "pnpm-lock.yaml" => text.lines().find_map(|line| {
            let key = line.strip_prefix("  ")?.trim_start_matches(['/', '\'']);
            let at = key.get(1..)?.find('@')? + 1;
            let found = entry(key.get(..at)?)?;
            let version = format!("version: {}", key.get(at + 1..)?);
            (!both(found, &version)).then_some(found.0)
        }),
        _ => text.match_indices("\"node_modules/").find_map(|(at, mark)| {
            let behind = text.get(at + mark.len()..)?;
            let (key, behind) = behind.split_once('"')?;
            let found = entry(key)?;
            let inside = behind.split('}').next().unwrap_or(behind);
            let dev = inside.contains("\"dev\": true") || inside.contains("\"dev\":true");
            (!dev && !both(found, inside)).then_some(found.0)
        }),
    }
}

/// Directories of Python packages with native wheels.
pub(super) fn python(ctx: &Context, builder: usize, path: &str) -> Option<String> {
    let stages = crate::facts::chain(ctx.file, builder);
    let is_packages = ["site-packages", "dist-packages"].iter().any(|it| path.contains(it))
        || path.ends_with("/.local")
        || path.starts_with("/usr/local/lib/python")
        || path == "/usr/local"
        || stages.iter().any(|idx| {
            ctx.runs(*idx).any(|at| at.facts.commands.iter().any(|command| makes_environment(command, path, &at)))
        });
    if !is_packages {
        return None;
    }
    let mut known = false;
    for stage_idx in &stages {
        for at in ctx.runs(*stage_idx) {
            for (command, directory) in at.facts.commands.iter().zip(&at.facts.directories) {
                let Some(deed) = deed(command).filter(|it| it.manager == Manager::Pip && it.verb == Verb::Install)
                else {
                    continue;
                };
                if let Some(name) = deed.packages().find_map(wheel) {
                    return Some(format!("`{name}` was installed"));
                }
                for file in requirements(command).into_iter().flatten() {
                    let found = join(directory.as_deref(), file).and_then(|path| text(ctx, builder, &path));
                    known |= found.is_some();
                    if let Some(name) = found.and_then(|text| text.lines().find_map(wheel)) {
                        return Some(format!("`{name}` was installed"));
                    }
                }
            }
        }
    }
    (!known && installs_compiler(ctx, builder)).then(|| "packages of Python were installed with a compiler".to_owned())
}

/// `python -m venv PATH`, `virtualenv PATH`, `pip install --target PATH` and the like.
fn makes_environment(command: &Command, path: &str, at: &RunAt) -> bool {
    let directory = at.facts.directories.get(at.facts.commands.iter().position(|it| it == command).unwrap_or(0));
    let directory = directory.and_then(Option::as_deref);
    let makes = command.values().any(|it| it == "venv")
        || command.program == "virtualenv"
        || command.has(&["--prefix", "--target", "-t"]) && command.values().any(|it| it == "install");
    makes
        && command.values().any(|value| {
            let value = value.strip_prefix("--prefix=").or_else(|| value.strip_prefix("--target=")).unwrap_or(value);
            !value.starts_with('-') && value.contains('/') && join(directory, value).as_deref() == Some(path)
        })
}

/// Packages of PyPI whose wheels hold machine code.
fn wheel(line: &str) -> Option<&'static str> {
    const NAMES: [&str; 33] = [
        "aiohttp",
        "asyncpg",
        "bcrypt",
        "cffi",
        "cryptography",
        "gevent",
        "greenlet",
        "grpcio",
        "httptools",
        "lxml",
        "matplotlib",
        "mysqlclient",
        "numpy",
        "opencv-python",
        "opencv-python-headless",
        "orjson",
        "pandas",
        "pillow",
        "psycopg2",
        "psycopg2-binary",
        "pyarrow",
        "pydantic-core",
        "pynacl",
        "pyzmq",
        "rpds-py",
        "scikit-learn",
        "scipy",
        "tensorflow",
        "tokenizers",
        "torch",
        "ujson",
        "uvloop",
        "uwsgi",
    ];
    let name = line.trim().split(['=', '<', '>', '~', '!', '[', ';', ' ', '@', '#']).next()?;
    let name = name.to_ascii_lowercase().replace('_', "-");
    NAMES.into_iter().find(|it| *it == name)
}

/// Programs that were compiled in the builder and are linked against its library.
pub(super) fn compiled(ctx: &Context, builder: usize, from: &Ground, path: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stages = crate::facts::chain(ctx.file, builder);
    for stage_idx in stages {
        let stage = ctx.file.stages.get(stage_idx)?;
        let text = ctx.file.text.get(usize::from(stage.range.start())..usize::from(stage.range.end()))?;
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if says(&["musl", "-static", "crt-static", "--target", "CARGO_BUILD_TARGET", "zigbuild", "cross "]) {
            return None;
        }
        for at in ctx.runs(stage_idx) {
            for (command, directory) in at.facts.commands.iter().zip(&at.facts.directories) {
                let is_rust = from.repository().is_some_and(|(name, _)| name == "docker.io/library/rust");
                let cargo =
                    command.program == "cargo" && matches!(command.subcommand(), Some("build" | "b" | "install"));
                // The Rust of Alpine links everything in; that of Debian links against its library.
                let built =
                    ["/release/", "/debug/", "/cargo/bin/"].iter().any(|it| path.contains(it)) && !path.contains(".so");
                if is_rust && cargo && from.libc() == Some("glibc") && built {
                    return Some(format!("`{name}` is built"));
                }
                if matches!(command.program.as_str(), "gcc" | "g++" | "cc" | "c++" | "clang" | "clang++") {
                    let mut values = command.arguments.iter().map(|it| it.value.as_deref());
                    let output = values.find(|it| *it == Some("-o")).and_then(|_| values.next().flatten());
                    let objects =
                        command.has(&["-c", "-S", "-E"]) || command.arguments.iter().any(|it| it.value.is_none());
                    if !objects && output.and_then(|it| join(directory.as_deref(), it)).as_deref() == Some(path) {
                        return Some(format!("`{name}` is built"));
                    }
                }
            }
        }
    }
    None
}

fn installs_compiler(ctx: &Context, builder: usize) -> bool {
    crate::facts::chain(ctx.file, builder).into_iter().any(|stage_idx| {
        ctx.runs(stage_idx).any(|at| {
            at.facts.commands.iter().filter_map(deed).any(|deed| {
                let system = matches!(deed.manager, Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper);
                let bare = |name: &str| name.split(['=', ':', '~', '<', '>']).next().is_some_and(is_compiler);
                system && deed.verb == Verb::Install && deed.packages().any(bare)
            })
        })
    })
}
