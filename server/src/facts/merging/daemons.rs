//! Commands that leave a process running when they have ended.

use crate::shell::Call;

/// Programs that go to the background by themselves, or serve until they are stopped.
const SERVERS: &[&str] = &[
    "Xvfb",
    "Xvnc",
    "apache2",
    "atd",
    "avahi-daemon",
    "catalina.sh",
    "clamd",
    "consul",
    "containerd",
    "couchdb",
    "cron",
    "crond",
    "cupsd",
    "daemonize",
    "dbus-daemon",
    "dirmngr",
    "dockerd",
    "elasticsearch",
    "etcd",
    "gpg-agent",
    "haproxy",
    "httpd",
    "influxd",
    "mariadbd",
    "mariadbd-safe",
    "memcached",
    "mongod",
    "mongos",
    "mysqld",
    "mysqld_safe",
    "named",
    "nginx",
    "nohup",
    "php-fpm",
    "postgres",
    "postmaster",
    "proftpd",
    "rabbitmq-server",
    "redis-sentinel",
    "redis-server",
    "rsyslogd",
    "runsvdir",
    "setsid",
    "slapd",
    "smbd",
    "squid",
    "ssh-agent",
    "sshd",
    "start-stop-daemon",
    "startup.sh",
    "supervisord",
    "syslogd",
    "tailscaled",
    "vsftpd",
    "zookeeper-server-start.sh",
];

/// Programs that start others when they are asked to: the words that ask.
const STARTERS: &[(&str, &[&str])] = &[
    ("apache2ctl", &["start", "restart", "graceful", "-k"]),
    ("apachectl", &["start", "restart", "graceful", "-k"]),
    ("couchbase-server", &["start", "--start"]),
    ("forever", &["start"]),
    ("gpgconf", &["--launch"]),
    ("initctl", &["start", "restart"]),
    ("invoke-rc.d", &["start", "restart"]),
    ("minikube", &["start"]),
    ("neo4j", &["start", "restart", "console"]),
    ("pg_ctl", &["start", "restart"]),
    ("pg_ctlcluster", &["start", "restart"]),
    ("pm2", &["start", "restart", "resurrect"]),
    ("postfix", &["start"]),
    ("rc-service", &["start", "restart"]),
    ("screen", &["-d", "-dm", "-dmS"]),
    ("service", &["start", "restart", "reload", "--full-restart"]),
    ("supervisorctl", &["start", "restart"]),
    ("systemctl", &["start", "restart", "reload-or-restart", "--now", "isolate"]),
    ("tmux", &["new", "new-session", "start-server"]),
    ("unitd", &["--control"]),
];

/// Words with which a server says something about itself, or prepares its files, and ends.
const ENDS: &[&str] = &[
    "--check",
    "--configtest",
    "--help",
    "--initialize",
    "--initialize-insecure",
    "--kill",
    "--test",
    "--test-config",
    "--version",
    "-T",
    "-V",
    "-h",
    "-help",
    "-t",
    "-v",
    "-version",
    "configtest",
    "stop",
    "version",
];

/// Whether a call leaves a process behind. `text` is the instruction's text.
pub(super) fn starts(call: &Call, text: &str) -> bool {
    let wrappers = text.get(call.whole.start as usize..call.program_range.start as usize).unwrap_or("");
    if wrappers.split_whitespace().any(|word| matches!(word, "nohup" | "setsid")) {
        return true;
    }
    let has =
        |words: &[&str]| call.arguments.iter().filter_map(|it| it.literal()).any(|it| words.contains(&it.as_str()));
    let path = call.program_range.of(text);
    if path.starts_with("/etc/init.d/") || path.starts_with("/etc/rc.d/") {
        return has(&["start", "restart", "reload"]) || call.arguments.is_empty();
    }
    if let Some((_, words)) = STARTERS.iter().find(|(program, _)| *program == call.program) {
        return has(words);
    }
    SERVERS.contains(&call.program.as_str()) && !has(ENDS)
}
