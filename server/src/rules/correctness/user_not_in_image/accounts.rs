//! The users and groups that known images have. An image whose accounts are not known may have any.

use crate::facts::ground::Ground;

/// Whether an image may have a user of this name.
pub(super) fn may_have_user(ground: &Ground, name: &str) -> bool {
    let Some(kind) = kind(ground) else { return true };
    kind.users.contains(&name) || kind.own.contains(&name)
}

/// Whether an image may have a group of this name.
pub(super) fn may_have_group(ground: &Ground, name: &str) -> bool {
    let Some(kind) = kind(ground) else { return true };
    kind.users.contains(&name) || kind.groups.contains(&name) || kind.own.contains(&name)
}

/// Whether a package of the system may make an account of this name: many servers come with one of their own.
pub(super) fn may_come(package: &str, name: &str) -> bool {
    const GENERIC: [&str; 22] = [
        "api",
        "app",
        "application",
        "appuser",
        "app-user",
        "appgroup",
        "celery",
        "container",
        "deploy",
        "developer",
        "django",
        "docker",
        "flask",
        "myuser",
        "nextjs",
        "node",
        "nodejs",
        "non-root",
        "nonroot",
        "python",
        "runner",
        "user",
    ];
    const INERT: [&str; 34] = [
        "bash",
        "build-base",
        "build-essential",
        "bzip2",
        "ca-certificates",
        "cmake",
        "curl",
        "dumb-init",
        "ffmpeg",
        "file",
        "g++",
        "gcc",
        "gettext",
        "git",
        "git-lfs",
        "gnupg",
        "imagemagick",
        "jq",
        "less",
        "locales",
        "make",
        "musl-dev",
        "nano",
        "netcat-openbsd",
        "openssl",
        "pkg-config",
        "procps",
        "tar",
        "tini",
        "tzdata",
        "unzip",
        "vim",
        "wget",
        "zip",
    ];
    let bare = package.split(['=', ':', '~', '<', '>', '@', '/']).next().unwrap_or(package);
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let (package, account) = (plain(bare), plain(name));
    if package.contains(&account) || package.len() > 2 && account.contains(&package) {
        return true;
    }
    let inert =
        INERT.contains(&bare) || bare.ends_with("-dev") || bare.starts_with("lib") || bare.starts_with("python");
    !inert && !GENERIC.contains(&name)
}

struct Kind {
    users: &'static [&'static str],
    groups: &'static [&'static str],
    own: &'static [&'static str],
}

/// What is known of the accounts of an image; `None` where nothing is.
fn kind(ground: &Ground) -> Option<Kind> {
    if *ground == Ground::Scratch {
        // What Docker makes of `root` without a file to look it up in differs from version to version.
        return Some(Kind { users: &["root"], groups: &[], own: &[] });
    }
    if ground.is_distroless() {
        return Some(Kind { users: &["root", "nobody", "nonroot"], groups: &["tty", "staff"], own: &[] });
    }
    let (repository, tag) = ground.repository()?;
    let own: &[&str] = match repository.strip_prefix("docker.io/library/")? {
        "debian" | "alpine" | "golang" | "python" | "rust" | "ruby" | "busybox" | "eclipse-temurin" | "perl"
        | "fedora" | "rockylinux" | "almalinux" | "centos" | "amazoncorretto" | "gcc" | "buildpack-deps"
        | "openjdk" | "erlang" | "elixir" => &[],
        "ubuntu" => &["ubuntu", "syslog", "libuuid", "crontab", "whoopsie"],
        "node" => &["node"],
        "nginx" => &["nginx"],
        "httpd" => &["www-data"],
        "php" => &["www-data"],
        _ => return None,
    };
    if tag.contains("windows") || tag.contains("nanoserver") || tag.contains("onbuild") {
        return None;
    }
    Some(match ground.distro()? {
        "alpine" => Kind { users: ALPINE, groups: ALPINE_GROUPS, own },
        "debian" | "ubuntu" | "debian/ubuntu" | "ubuntu/debian" => Kind { users: DEBIAN, groups: DEBIAN_GROUPS, own },
        "busybox" => Kind { users: BUSYBOX, groups: BUSYBOX, own },
        "fedora" | "rockylinux" | "almalinux" | "centos" | "amazonlinux" => {
            Kind { users: FEDORA, groups: FEDORA_GROUPS, own }
        }
        _ => return None,
    })
}

const DEBIAN: &[&str] = &[
    "_apt",
    "backup",
    "bin",
    "daemon",
    "games",
    "gnats",
    "irc",
    "libuuid",
    "list",
    "lp",
    "mail",
    "man",
    "news",
    "nobody",
    "proxy",
    "root",
    "sync",
    "sys",
    "systemd-bus-proxy",
    "systemd-network",
    "systemd-resolve",
    "systemd-timesync",
    "uucp",
    "www-data",
];
const DEBIAN_GROUPS: &[&str] = &[
    "adm",
    "audio",
    "cdrom",
    "crontab",
    "dialout",
    "dip",
    "disk",
    "fax",
    "floppy",
    "input",
    "kmem",
    "kvm",
    "nogroup",
    "operator",
    "plugdev",
    "render",
    "sasl",
    "sgx",
    "shadow",
    "src",
    "ssh",
    "staff",
    "sudo",
    "systemd-journal",
    "tape",
    "tty",
    "users",
    "utmp",
    "video",
    "voice",
    "netdev",
];
const ALPINE: &[&str] = &[
    "adm",
    "at",
    "bin",
    "cron",
    "cyrus",
    "daemon",
    "ftp",
    "games",
    "guest",
    "halt",
    "lp",
    "mail",
    "man",
    "news",
    "nobody",
    "ntp",
    "operator",
    "postgres",
    "postmaster",
    "root",
    "shutdown",
    "smmsp",
    "squid",
    "sshd",
    "svn",
    "sync",
    "uucp",
    "vpopmail",
    "xfs",
];
const ALPINE_GROUPS: &[&str] = &[
    "abuild", "audio", "cdrom", "cdrw", "console", "dialout", "disk", "floppy", "input", "kmem", "kvm", "locate",
    "mem", "netdev", "nofiles", "nogroup", "ping", "readproc", "shadow", "sys", "tape", "tty", "usb", "users", "utmp",
    "video", "wheel", "www-data",
];
const BUSYBOX: &[&str] = &[
    "backup", "bin", "daemon", "lp", "mail", "mysql", "nobody", "nogroup", "operator", "proxy", "root", "sync", "sys",
    "users", "wheel", "www-data", "adm", "tty", "disk", "kmem", "dialout", "cdrom", "tape", "audio", "video",
    "default", "ftp", "sshd", "utmp", "plugdev", "staff", "lock", "netdev",
];
const FEDORA: &[&str] = &[
    "adm",
    "bin",
    "daemon",
    "dbus",
    "ftp",
    "games",
    "halt",
    "lp",
    "mail",
    "nfsnobody",
    "nobody",
    "operator",
    "polkitd",
    "root",
    "shutdown",
    "sshd",
    "sync",
    "systemd-bus-proxy",
    "systemd-coredump",
    "systemd-network",
    "systemd-oom",
    "systemd-resolve",
    "systemd-timesync",
    "tss",
    "unbound",
];
const FEDORA_GROUPS: &[&str] = &[
    "audio",
    "cdrom",
    "clock",
    "dialout",
    "disk",
    "floppy",
    "input",
    "kmem",
    "kvm",
    "lock",
    "man",
    "mem",
    "render",
    "sgx",
    "ssh_keys",
    "sys",
    "systemd-journal",
    "tape",
    "tty",
    "users",
    "utempter",
    "utmp",
    "video",
    "wheel",
];
