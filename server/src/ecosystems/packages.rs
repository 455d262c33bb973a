//! Debian packages by what they are for, and the programs they bring (SPEC-multi-stage §8).

/// What a package is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Compilers and what belongs to them.
    Build,
    /// Headers; the libraries they are for may be needed at run time.
    Headers,
    /// Fetches or unpacks.
    Fetch,
    /// Everything else: the author wanted it in the image.
    Run,
}

/// What a package is for, by its name without version.
pub fn purpose(name: &str) -> Purpose {
    const BUILD: &[&str] = &[
        "autoconf",
        "automake",
        "bison",
        "build-essential",
        "clang",
        "cmake",
        "cpp",
        "dpkg-dev",
        "flex",
        "g++",
        "gcc",
        "git",
        "libc6-dev",
        "libtool",
        "linux-headers",
        "make",
        "mercurial",
        "meson",
        "musl-dev",
        "nasm",
        "ninja-build",
        "node-gyp",
        "npm",
        "patch",
        "pkg-config",
        "pkgconf",
        "python",
        "python-is-python3",
        "python2",
        "python2.7",
        "python3",
        "python3-dev",
        "python3-pip",
        "python3-setuptools",
        "python3-venv",
        "subversion",
    ];
    const FETCH: &[&str] = &[
        "apt-transport-https",
        "bzip2",
        "curl",
        "dirmngr",
        "gnupg",
        "gnupg2",
        "lsb-release",
        "software-properties-common",
        "unzip",
        "wget",
        "xz-utils",
    ];
    if BUILD.contains(&name) || ["g++-", "gcc-", "linux-headers-"].iter().any(|it| name.starts_with(it)) {
        return Purpose::Build;
    }
    if FETCH.contains(&name) {
        return Purpose::Fetch;
    }
    if name.ends_with("-dev") { Purpose::Headers } else { Purpose::Run }
}

/// Whether no build of an application calls for a package: inits, editors, tools to look around with, fonts.
pub fn is_inert(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "cron",
        "dumb-init",
        "gosu",
        "htop",
        "iputils-ping",
        "less",
        "nano",
        "net-tools",
        "nginx",
        "openssh-server",
        "procps",
        "strace",
        "supervisor",
        "telnet",
        "tini",
        "vim",
        "vim-tiny",
    ];
    NAMES.contains(&name) || name.starts_with("fonts-")
}

/// The name of a package as `apt-get install` is given it: without `=version`, `/suite` and `:arch`.
pub fn bare(word: &str) -> &str {
    word.split(['=', '/', ':']).next().unwrap_or(word)
}

/// The programs that matter here and that a package brings; a package that is not listed brings one of its own name.
pub fn programs(package: &str) -> Vec<&str> {
    const TABLE: &[(&str, &[&str])] = &[
        ("adduser", &["adduser", "addgroup", "deluser", "delgroup"]),
        ("build-essential", &["gcc", "g++", "cc", "c++", "make"]),
        ("ca-certificates", &["update-ca-certificates"]),
        ("chromium", &["chromium", "chromium-browser"]),
        ("cron", &["cron", "crontab"]),
        ("default-mysql-client", &["mysql", "mysqldump", "mysqladmin"]),
        ("ffmpeg", &["ffmpeg", "ffprobe"]),
        ("ghostscript", &["gs"]),
        ("gnupg", &["gpg"]),
        ("gnupg2", &["gpg"]),
        ("graphicsmagick", &["gm"]),
        ("imagemagick", &["convert", "identify", "mogrify", "magick", "composite", "montage"]),
        ("iproute2", &["ip", "ss"]),
        ("iputils-ping", &["ping"]),
        ("libcap2-bin", &["setcap", "getcap"]),
        ("locales", &["locale-gen", "update-locale"]),
        ("lsb-release", &["lsb_release"]),
        ("mariadb-client", &["mysql", "mysqldump", "mariadb", "mysqladmin"]),
        ("net-tools", &["netstat", "ifconfig"]),
        ("netcat", &["nc", "netcat"]),
        ("netcat-openbsd", &["nc", "netcat"]),
        ("netcat-traditional", &["nc", "netcat"]),
        ("openssh-client", &["ssh", "scp", "ssh-keygen", "ssh-keyscan"]),
        ("openssh-server", &["sshd"]),
        ("poppler-utils", &["pdftotext", "pdftoppm", "pdfinfo"]),
        ("postgresql-client", &["psql", "pg_dump", "pg_isready", "pg_restore"]),
        ("procps", &["ps", "top", "free", "pgrep", "pkill", "uptime", "watch"]),
        ("redis-tools", &["redis-cli"]),
        ("software-properties-common", &["add-apt-repository"]),
        ("supervisor", &["supervisord", "supervisorctl"]),
        ("tesseract-ocr", &["tesseract"]),
        ("xvfb", &["Xvfb", "xvfb-run"]),
    ];
    match TABLE.iter().find(|(name, _)| *name == package) {
        Some((_, programs)) => programs.to_vec(),
        None => vec![package],
    }
}
