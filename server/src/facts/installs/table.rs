//! The package managers: their programs, the options that take a word with them, and their verbs.
//!
//! From the manuals; what is not listed is no verb that matters here. A row a manager, in the order of [`Manager`].

use crate::facts::installs::Manager;

/// A manager.
pub(super) struct Row {
    /// Its names.
    pub(super) programs: &'static [&'static str],
    /// Which it is.
    pub(super) manager: Manager,
    /// Options whose value is the next word.
    pub(super) values: &'static [&'static str],
    /// Verbs; a word alone, or two with a blank between them (`cache clean`).
    pub(super) update: &'static [&'static str],
    /// See `update`.
    pub(super) install: &'static [&'static str],
    /// See `update`.
    pub(super) remove: &'static [&'static str],
    /// See `update`.
    pub(super) clean: &'static [&'static str],
}

const EMPTY: Row =
    Row { programs: &[], manager: Manager::Apt, values: &[], update: &[], install: &[], remove: &[], clean: &[] };

#[rustfmt::skip]
pub(super) static TABLE: &[Row] = &[
    Row {
        programs: &["apt-get", "apt", "aptitude"],
        manager: Manager::Apt,
        values: &["-o", "-t", "-c", "--option", "--target-release", "--default-release", "--config-file"],
        update: &["update"],
        install: &["install", "build-dep"],
        remove: &["remove", "purge", "autoremove", "autopurge"],
        clean: &["clean", "autoclean", "distclean", "dist-clean"],
    },
    Row {
        programs: &["apk"],
        manager: Manager::Apk,
        values: &[
            "-X", "--repository", "-p", "--root", "-t", "--virtual", "--arch", "--cache-dir", "--keys-dir",
            "--repositories-file", "--wait",
        ],
        update: &["update"],
        install: &["add"],
        remove: &["del"],
        clean: &["cache clean", "cache purge"],
    },
    Row {
        programs: &["dnf", "dnf5", "yum", "microdnf", "tdnf"],
        manager: Manager::Rpm,
        values: &[
            "-c", "-x", "--exclude", "--enablerepo", "--disablerepo", "--setopt", "--releasever", "--installroot",
        ],
        update: &["makecache", "check-update"],
        install: &["install", "groupinstall", "localinstall", "reinstall", "update", "upgrade", "builddep"],
        remove: &["remove", "erase", "autoremove"],
        clean: &["clean"],
    },
    Row {
        programs: &["zypper"],
        manager: Manager::Zypper,
        values: &["--root", "-R", "--repo", "-r", "--from"],
        update: &["refresh", "ref"],
        install: &["install", "in", "update", "up"],
        remove: &["remove", "rm"],
        clean: &["clean", "cc"],
    },
    Row {
        programs: &["npm"],
        manager: Manager::Npm,
        values: &[
            "--prefix", "-C", "--cache", "--registry", "--loglevel", "--workspace", "-w", "--omit", "--include",
            "--only", "--also", "--userconfig", "--tag", "--network-timeout", "--fetch-timeout", "--fetch-retries",
            "--maxsockets", "--audit-level", "--install-strategy", "--lockfile-version",
        ],
        install: &[
            "install", "i", "in", "ins", "inst", "insta", "instal", "isnt", "isnta", "isntal", "isntall", "add",
            "ci", "clean-install", "ic", "install-clean", "isntall-clean", "install-test", "it", "install-ci-test",
            "cit", "update", "up", "upgrade",
        ],
        remove: &["uninstall", "un", "remove", "rm", "r", "unlink", "prune"],
        clean: &["cache clean", "cache clear", "cache rm"],
        ..EMPTY
    },
    Row {
        programs: &["yarn", "yarnpkg"],
        manager: Manager::Yarn,
        values: &[
            "--cwd", "--network-timeout", "--network-concurrency", "--mutex", "--registry", "--cache-folder",
            "--modules-folder",
        ],
        install: &["", "install", "add", "global add", "upgrade", "up"],
        remove: &["remove"],
        clean: &["cache clean"],
        ..EMPTY
    },
    Row {
        programs: &["pnpm"],
        manager: Manager::Pnpm,
        values: &["--filter", "-F", "--dir", "-C", "--store-dir", "--reporter", "--registry"],
        install: &["install", "i", "ci", "add", "update", "up", "fetch"],
        remove: &["remove", "rm", "uninstall", "un", "prune"],
        clean: &["store prune"],
        ..EMPTY
    },
    Row {
        programs: &["bun"],
        manager: Manager::Bun,
        values: &["--cwd", "--cache-dir", "--registry"],
        install: &["install", "i", "add", "a"],
        remove: &["remove", "rm"],
        ..EMPTY
    },
    Row {
        programs: &["pip"],
        manager: Manager::Pip,
        values: &[
            "-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f",
            "--find-links", "-t", "--target", "--prefix", "--root", "--src", "--proxy", "--timeout",
            "--default-timeout", "--retries", "--trusted-host", "--cache-dir", "-d", "--dest", "-w", "--wheel-dir",
            "--platform", "--python-version", "--implementation", "--abi", "--no-binary", "--only-binary",
            "--config-settings", "--global-option", "--install-option", "--log", "--upgrade-strategy", "--python",
            "-e", "--editable", "--progress-bar", "--group", "--cert", "--use-feature", "--use-deprecated",
        ],
        install: &["install", "wheel", "download"],
        remove: &["uninstall"],
        clean: &["cache purge", "cache remove"],
        ..EMPTY
    },
    Row {
        programs: &["poetry"],
        manager: Manager::Poetry,
        values: &["--without", "--with", "--only", "-E", "--extras", "-C", "--directory", "-P", "--project"],
        install: &["install", "sync", "add"],
        clean: &["cache clear"],
        ..EMPTY
    },
    Row {
        programs: &["uv"],
        manager: Manager::Uv,
        values: &["--group", "--extra", "--python", "-p", "--directory", "--project", "--no-group", "--only-group"],
        install: &["sync", "pip install", "pip sync", "add", "tool install"],
        clean: &["cache clean", "cache prune"],
        ..EMPTY
    },
    Row {
        programs: &["pipenv"],
        manager: Manager::Pipenv,
        values: &["--python", "--extra-pip-args", "--pypi-mirror"],
        install: &["install", "sync"],
        clean: &["--clear"],
        ..EMPTY
    },
    Row {
        programs: &["conda", "mamba", "micromamba"],
        manager: Manager::Conda,
        values: &["-n", "--name", "-p", "--prefix", "-c", "--channel", "-f", "--file"],
        install: &["install", "create", "update", "env create", "env update"],
        remove: &["remove", "uninstall"],
        clean: &["clean"],
        ..EMPTY
    },
    Row {
        programs: &["bundle", "bundler"],
        manager: Manager::Bundler,
        values: &["--jobs", "-j", "--retry", "--without", "--with", "--path", "--gemfile"],
        install: &["", "install"],
        ..EMPTY
    },
    Row {
        programs: &["composer"],
        manager: Manager::Composer,
        values: &["-d", "--working-dir"],
        install: &["install", "i", "update", "require", "global require", "create-project"],
        remove: &["remove"],
        clean: &["clear-cache", "clearcache", "cc"],
        ..EMPTY
    },
    Row { programs: &["go"], manager: Manager::Go, install: &["mod download"], clean: &["clean"], ..EMPTY },
    Row { programs: &["cargo"], manager: Manager::Cargo, install: &["fetch"], ..EMPTY },
    Row {
        programs: &["mvn", "mvnw"],
        manager: Manager::Maven,
        values: &["-f", "--file", "-s", "--settings", "-pl", "--projects", "-P", "-T"],
        ..EMPTY
    },
    Row {
        programs: &["gradle", "gradlew"],
        manager: Manager::Gradle,
        values: &["-b", "-p", "--project-dir", "-x", "-g"],
        install: &["dependencies"],
        ..EMPTY
    },
    Row {
        programs: &["dotnet"],
        manager: Manager::Dotnet,
        values: &["-r", "--runtime", "-s", "--source", "-v", "--verbosity"],
        install: &["restore"],
        clean: &["nuget locals"],
        ..EMPTY
    },
];
