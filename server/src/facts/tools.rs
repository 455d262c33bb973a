//! Packages that only a build needs, and packages that only a person at a keyboard needs.
//!
//! Tables of names in Debian, Alpine and the RPM family. A name that stands in neither is for running.

use crate::facts::builds::is_compiler;
use crate::facts::installs::Manager;

/// How much a package weighs, where no table of weights has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bulk {
    /// Less than a megabyte or two.
    Light,
    /// Several megabytes at least.
    Heavy,
}

/// Build systems and what goes with them; compilers have a list of their own.
const LIGHT: [&str; 33] = [
    "autoconf",
    "autoconf2.13",
    "automake",
    "autopoint",
    "bison",
    "byacc",
    "ccache",
    "cpp",
    "debhelper",
    "dh-make",
    "dpkg-dev",
    "fakeroot",
    "flex",
    "gettext-dev",
    "intltool",
    "libc-dev",
    "libtool",
    "linux-headers",
    "m4",
    "make",
    "meson",
    "musl-dev",
    "nasm",
    "ninja",
    "ninja-build",
    "patchelf",
    "rpm-build",
    "rpmdevtools",
    "samurai",
    "scons",
    "texinfo",
    "yasm",
    "zlib1g-dev",
];

/// Those that weigh several megabytes without what they need.
const HEAVY: [&str; 21] = [
    "ant",
    "cabal-install",
    "cmake",
    "cmake3",
    "default-jdk",
    "default-jdk-headless",
    "devscripts",
    "gdc",
    "gfortran",
    "gcc-gfortran",
    "gnat",
    "go",
    "gradle",
    "lld",
    "llvm",
    "maven",
    "nasm-dev",
    "openjdk-dev",
    "opam",
    "sbt",
    "swig",
];

/// Whether only a build needs the package of this name (without its version), and how much it weighs where that is not
/// known better.
///
/// `libc6-dev`, `python3-dev` and the like are such: what runs needs the library, which is a package of its own.
pub fn build_tool(manager: Manager, name: &str) -> Option<Bulk> {
    if !matches!(manager, Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper) {
        return None;
    }
    // A group of dnf and yum.
    let group = name.trim_start_matches('@').to_ascii_lowercase();
    if matches!(group.as_str(), "development tools" | "development-tools" | "c development tools and libraries") {
        return Some(Bulk::Heavy);
    }
    if is_runtime(name) {
        return None;
    }
    let jdk = name.ends_with("-jdk") || name.ends_with("-jdk-headless") || is_versioned(name, "openjdk");
    let jdk = jdk && !name.contains("-jre");
    if is_compiler(name) || HEAVY.contains(&name) || jdk || is_versioned(name, "llvm-") {
        return Some(Bulk::Heavy);
    }
    if name.ends_with("-dev") || name.ends_with("-devel") || name.ends_with("-headers") || LIGHT.contains(&name) {
        return Some(Bulk::Light);
    }
    None
}

fn is_versioned(name: &str, stem: &str) -> bool {
    name.strip_prefix(stem).is_some_and(|rest| rest.starts_with(|it: char| it.is_ascii_digit()))
}

/// Packages that run something despite their names.
fn is_runtime(name: &str) -> bool {
    // Perl modules and programs that are split this way, and what dlopen looks for under the name without a version.
    let names =
        ["libgdiplus-dev", "gettext-devel", "perl-devel", "lua-dev", "elinks-dev", "libc6-i386", "openjdk8-jre"];
    names.contains(&name) || name.ends_with("-jre") || name.ends_with("-jre-headless") || name.ends_with("-jre-base")
}

/// Editors, debuggers, tracers, tools to look at a network, manuals.
const PERSONAL: [&str; 58] = [
    "bind-tools",
    "bind-utils",
    "bind9-dnsutils",
    "byobu",
    "dnsutils",
    "emacs",
    "emacs-nox",
    "emacs24-nox",
    "fish",
    "gdb",
    "gdbserver",
    "htop",
    "iftop",
    "inetutils-ping",
    "inetutils-telnet",
    "iotop",
    "iperf",
    "iperf3",
    "iputils",
    "iputils-ping",
    "iputils-tracepath",
    "jed",
    "joe",
    "less",
    "lldb",
    "lsof",
    "ltrace",
    "man",
    "man-db",
    "man-pages",
    "mandoc",
    "manpages",
    "manpages-dev",
    "mc",
    "mtr",
    "mtr-tiny",
    "nano",
    "ncdu",
    "neovim",
    "net-tools",
    "nmap",
    "screen",
    "silversearcher-ag",
    "strace",
    "sysstat",
    "tcpdump",
    "telnet",
    "tmux",
    "traceroute",
    "tree",
    "valgrind",
    "vim",
    "vim-common",
    "vim-enhanced",
    "vim-gtk",
    "vim-nox",
    "vim-tiny",
    "zile",
];

/// Those of them that weigh tens of megabytes wherever they come from.
const PERSONAL_HEAVY: [&str; 12] = [
    "emacs",
    "emacs-nox",
    "gdb",
    "lldb",
    "man-pages",
    "neovim",
    "nmap",
    "valgrind",
    "vim",
    "vim-enhanced",
    "vim-gtk",
    "vim-nox",
];

/// Whether only a person needs the package of this name, and how much it weighs where that is not known better.
pub fn personal_tool(manager: Manager, name: &str) -> Option<Bulk> {
    let system = matches!(manager, Manager::Apt | Manager::Apk | Manager::Rpm | Manager::Zypper);
    if !system || !PERSONAL.contains(&name) {
        return None;
    }
    Some(if PERSONAL_HEAVY.contains(&name) { Bulk::Heavy } else { Bulk::Light })
}

/// The programs of a package that [`personal_tool`] knows: who calls one of them needs the package.
pub fn programs(name: &str) -> &'static [&'static str] {
    match name {
        "bind-tools" | "bind-utils" | "bind9-dnsutils" | "dnsutils" => &["dig", "host", "nslookup", "nsupdate", "delv"],
        "emacs" | "emacs-nox" | "emacs24-nox" => &["emacs", "emacsclient"],
        "gdb" => &["gdb", "gcore", "gdb-add-index"],
        "gdbserver" => &["gdbserver"],
        "inetutils-ping" | "iputils" | "iputils-ping" => &["ping", "ping6"],
        "iputils-tracepath" => &["tracepath"],
        "inetutils-telnet" | "telnet" => &["telnet"],
        "iperf" => &["iperf"],
        "iperf3" => &["iperf3"],
        "lldb" => &["lldb", "lldb-server"],
        "man" | "man-db" | "mandoc" => &["man", "mandb", "mandoc"],
        "mtr" | "mtr-tiny" => &["mtr"],
        "neovim" => &["nvim"],
        "net-tools" => &["ifconfig", "netstat", "route", "arp", "hostname"],
        "nmap" => &["nmap", "ncat", "nping", "nc"],
        "silversearcher-ag" => &["ag"],
        "sysstat" => &["iostat", "mpstat", "sar", "pidstat"],
        "vim" | "vim-common" | "vim-enhanced" | "vim-gtk" | "vim-nox" | "vim-tiny" => &["vim", "vi", "xxd", "ex"],
        "byobu" => &["byobu"],
        "fish" => &["fish"],
        "htop" => &["htop"],
        "iftop" => &["iftop"],
        "iotop" => &["iotop"],
        "jed" => &["jed"],
        "joe" => &["joe"],
        "less" => &["less"],
        "lsof" => &["lsof"],
        "ltrace" => &["ltrace"],
        "mc" => &["mc"],
        "nano" => &["nano"],
        "ncdu" => &["ncdu"],
        "screen" => &["screen"],
        "strace" => &["strace"],
        "tcpdump" => &["tcpdump"],
        "tmux" => &["tmux"],
        "traceroute" => &["traceroute"],
        "tree" => &["tree"],
        "valgrind" => &["valgrind"],
        "zile" => &["zile"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::{Bulk, build_tool, personal_tool};
    use crate::facts::installs::Manager;

    #[test]
    fn compilers_headers_and_build_systems_are_for_building() {
        for name in ["build-essential", "g++-12", "libpq-dev", "openssl-devel", "cmake", "openjdk-17-jdk", "libc6-dev"]
        {
            assert!(build_tool(Manager::Apt, name).is_some(), "{name}");
        }
        assert_eq!(build_tool(Manager::Rpm, "@Development Tools"), Some(Bulk::Heavy));
        assert_eq!(build_tool(Manager::Apk, "make"), Some(Bulk::Light));
    }

    #[test]
    fn what_runs_is_not_for_building() {
        for name in ["libnss3", "ca-certificates", "libgomp1", "libstdc++", "openjdk-17-jre-headless", "openjdk11-jre"]
        {
            assert_eq!(build_tool(Manager::Apt, name), None, "{name}");
        }
        assert_eq!(build_tool(Manager::Pip, "cmake"), None);
    }

    #[test]
    fn editors_and_debuggers_are_for_persons() {
        assert_eq!(personal_tool(Manager::Apt, "vim"), Some(Bulk::Heavy));
        assert_eq!(personal_tool(Manager::Apk, "nano"), Some(Bulk::Light));
        assert_eq!(personal_tool(Manager::Apt, "git"), None);
    }
}
