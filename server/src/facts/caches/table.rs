//! Where the managers of languages keep what they fetched: one row a cache.
//!
//! From the manuals of the managers. Of those that link files from their cache into the project (pnpm, bun, uv) only what
//! is copied stands here: a layer stores hard links once. (Measured with uv 0.13: 63 MB of packages with a cache of 64 MB
//! are 65 MB together.)

use crate::facts::caches::Cache;
use crate::facts::installs::Manager;

/// A cache.
pub(super) struct Row {
    /// Which it is.
    pub(super) cache: Cache,
    /// Whose.
    pub(super) manager: Manager,
    /// Verbs that fill it besides those that install; `*` for any.
    pub(super) fills: &'static [&'static str],
    /// Words without which nothing is copied into it, any of them; none where it always is.
    pub(super) needs: &'static [&'static str],
    /// The same as a value of a variable.
    pub(super) needs_variable: Option<(&'static str, &'static str)>,
    /// Words that switch it off, or fetch nothing.
    pub(super) off: &'static [&'static str],
    /// A variable that switches it off.
    pub(super) off_variable: Option<&'static str>,
    /// Options that say where it is.
    pub(super) options: &'static [&'static str],
    /// Variables that say where it is, and what stands behind their value.
    pub(super) variables: &'static [(&'static str, &'static str)],
    /// Where it is otherwise.
    pub(super) path: &'static str,
    /// Where it may be too: who deletes or mounts one of these means this cache.
    pub(super) others: &'static [&'static str],
    /// The last part of a path that means this cache wherever it lies; empty for none.
    pub(super) name: &'static str,
}

const EMPTY: Row = Row {
    cache: Cache::Yarn,
    manager: Manager::Yarn,
    fills: &[],
    needs: &[],
    needs_variable: None,
    off: &[],
    off_variable: None,
    options: &[],
    variables: &[],
    path: "",
    others: &[],
    name: "",
};

#[rustfmt::skip]
pub(super) static TABLE: &[Row] = &[
    Row {
        cache: Cache::Yarn,
        manager: Manager::Yarn,
        // Options of Yarn 2 and later, which keeps its cache elsewhere.
        off: &["--immutable", "--immutable-cache", "--inline-builds", "--check-cache", "--mode", "--offline", "--frozen"],
        options: &["--cache-folder"],
        variables: &[("YARN_CACHE_FOLDER", "")],
        path: "/usr/local/share/.cache/yarn",
        others: &["~/.cache/yarn", "~/.yarn"],
        ..EMPTY
    },
    Row {
        cache: Cache::Pnpm,
        manager: Manager::Pnpm,
        needs: &["--package-import-method=copy"],
        options: &["--store-dir"],
        path: "~/.local/share/pnpm/store",
        others: &["~/.pnpm-store", "/pnpm/store"],
        name: "store",
        ..EMPTY
    },
    Row {
        cache: Cache::Bun,
        manager: Manager::Bun,
        needs: &["--backend=copyfile"],
        off: &["--no-cache"],
        options: &["--cache-dir"],
        variables: &[("BUN_INSTALL_CACHE_DIR", "")],
        path: "~/.bun/install/cache",
        ..EMPTY
    },
    Row {
        cache: Cache::Conda,
        manager: Manager::Conda,
        off: &["--download-only", "--offline"],
        variables: &[("CONDA_PKGS_DIRS", "")],
        path: "/opt/conda/pkgs",
        name: "pkgs",
        ..EMPTY
    },
    Row {
        cache: Cache::Gem,
        manager: Manager::Bundler,
        off: &["--local"],
        path: "/usr/local/bundle/cache",
        others: &["~/.bundle", "/usr/local/bundle/ruby"],
        name: "cache",
        ..EMPTY
    },
    Row {
        cache: Cache::Composer,
        manager: Manager::Composer,
        off: &["--no-cache"],
        variables: &[("COMPOSER_CACHE_DIR", ""), ("COMPOSER_HOME", "/cache")],
        path: "~/.composer/cache",
        others: &["~/.cache/composer", "~/.composer", "/tmp/cache"],
        ..EMPTY
    },
    Row {
        cache: Cache::Poetry,
        manager: Manager::Poetry,
        off: &["--no-cache"],
        variables: &[("POETRY_CACHE_DIR", "")],
        path: "~/.cache/pypoetry",
        name: "pypoetry",
        ..EMPTY
    },
    Row {
        cache: Cache::Uv,
        manager: Manager::Uv,
        needs: &["--link-mode=copy"],
        needs_variable: Some(("UV_LINK_MODE", "copy")),
        off: &["--no-cache", "--no-cache-dir", "-n"],
        off_variable: Some("UV_NO_CACHE"),
        options: &["--cache-dir"],
        variables: &[("UV_CACHE_DIR", "")],
        path: "~/.cache/uv",
        ..EMPTY
    },
    Row {
        cache: Cache::Pipenv,
        manager: Manager::Pipenv,
        off: &["--clear"],
        off_variable: Some("PIP_NO_CACHE_DIR"),
        variables: &[("PIPENV_CACHE_DIR", "")],
        path: "~/.cache/pipenv",
        ..EMPTY
    },
    Row {
        cache: Cache::Cargo,
        manager: Manager::Cargo,
        fills: &["build", "b", "install", "test", "check"],
        off: &["--offline"],
        variables: &[("CARGO_HOME", "/registry")],
        path: "/usr/local/cargo/registry",
        others: &["~/.cargo/registry"],
        name: "registry",
        ..EMPTY
    },
    Row {
        cache: Cache::Go,
        manager: Manager::Go,
        fills: &["build", "get", "install", "test"],
        off: &["-mod=vendor"],
        variables: &[("GOMODCACHE", ""), ("GOPATH", "/pkg/mod")],
        path: "/go/pkg/mod",
        others: &["~/go/pkg/mod", "~/.cache/go-build", "/go/src"],
        name: "mod",
        ..EMPTY
    },
    Row {
        cache: Cache::Maven,
        manager: Manager::Maven,
        fills: &["*"],
        off: &["-v", "-o", "--offline"],
        options: &["-Dmaven.repo.local"],
        path: "~/.m2/repository",
        name: ".m2",
        ..EMPTY
    },
    Row {
        cache: Cache::Gradle,
        manager: Manager::Gradle,
        fills: &["*"],
        off: &["-v", "--offline"],
        options: &["-g", "--gradle-user-home"],
        variables: &[("GRADLE_USER_HOME", "")],
        path: "~/.gradle",
        name: ".gradle",
        ..EMPTY
    },
    Row {
        cache: Cache::Nuget,
        manager: Manager::Dotnet,
        fills: &["build", "publish", "test", "pack"],
        off: &["--no-restore", "--packages"],
        variables: &[("NUGET_PACKAGES", "")],
        path: "~/.nuget/packages",
        others: &["~/.nuget"],
        ..EMPTY
    },
];
