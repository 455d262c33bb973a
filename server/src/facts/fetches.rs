//! What a RUN fetches from the net, what it checks, and what runs what came.
//!
//! Addresses are read as far as their values are known; nothing is guessed of what lies behind them.

use crate::facts::run::{Command, RunFacts};

/// The programs that fetch what an address names.
const FETCHERS: [&str; 3] = ["curl", "wget", "fetch"];

/// Whether a command fetches something by an address.
pub fn is_fetch(command: &Command) -> bool {
    FETCHERS.contains(&command.program.as_str())
}

/// The addresses that a `curl` or `wget` fetches: words with `://`, and words without an option before them that look like
/// a host (`get.docker.com`).
pub fn addresses(command: &Command) -> impl Iterator<Item = &str> {
    let looks_like_one = |word: &&str| {
        let host = word.split('/').next().unwrap_or_default();
        let file =
            [".sh", ".py", ".gz", ".tgz", ".zip", ".txt", ".json", ".deb", ".rpm"].iter().any(|it| host.ends_with(it));
        let named = host.rsplit_once('.').is_some_and(|(name, end)| {
            !name.is_empty() && end.len() >= 2 && end.bytes().all(|byte| byte.is_ascii_alphabetic())
        });
        word.contains("://") || named && !file && !word.starts_with(['-', '/', '.'])
    };
    command.values().filter(looks_like_one)
}

/// The host of an address, without its login and port.
pub fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// Whether an address leads to the machine itself.
pub fn is_local(address: &str) -> bool {
    matches!(host(address), "localhost" | "127.0.0.1" | "::1" | "0.0.0.0" | "host.docker.internal")
}

/// Whether an address names its content: it holds a whole commit or digest.
pub fn names_content(address: &str) -> bool {
    let hex = |piece: &str| matches!(piece.len(), 40 | 64) && piece.bytes().all(|byte| byte.is_ascii_hexdigit());
    address.split(|it: char| !it.is_ascii_alphanumeric()).any(hex)
}

/// Whether a command compares a checksum or a signature.
pub fn is_check(command: &Command) -> bool {
    let first = |word: &str| command.values().next() == Some(word);
    match command.program.as_str() {
        "sha1sum" | "sha224sum" | "sha256sum" | "sha384sum" | "sha512sum" | "md5sum" | "shasum" | "b2sum" | "gpgv"
        | "gpgv2" | "minisign" | "rhash" => true,
        "gpg" | "gpg2" => command.values().any(|it| matches!(it, "--verify" | "--verify-files" | "--decrypt" | "-d")),
        "cosign" => command.values().any(|it| it.starts_with("verify")),
        "openssl" => first("dgst") || first("sha256") || first("sha512") || first("sha1"),
        "signify" | "signify-openbsd" | "slsa-verifier" => true,
        _ => false,
    }
}

/// Whether a RUN compares the checksum or signature of anything.
pub fn checks(run: &RunFacts) -> bool {
    run.commands.iter().any(is_check)
}

/// The switch with which a `curl` does not look at the server's certificate: the word's index among the arguments.
pub fn curl_insecure(command: &Command) -> Option<usize> {
    /// Letters of `curl` whose value follows, in the same word or the next.
    const VALUED: &str = "AbcCdDeEFhHKmoPQrtTuUwxXyYz";
    let mut idx = 0;
    while let Some(argument) = command.arguments.get(idx) {
        let word = argument.value.as_deref().unwrap_or_default();
        if word == "--insecure" || word == "--proxy-insecure" {
            return Some(idx);
        }
        if let Some(letters) = word.strip_prefix('-').filter(|it| !it.starts_with('-') && !it.is_empty()) {
            let valued = letters.find(|letter| VALUED.contains(letter));
            let switches = letters.get(..valued.unwrap_or(letters.len())).unwrap_or_default();
            if switches.contains('k') {
                return Some(idx);
            }
            // The value is the next word where the letter is the last one.
            idx += usize::from(valued.is_some_and(|at| at + 1 == letters.len()));
        }
        idx += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{addresses, curl_insecure, host, is_local, names_content};
    use crate::config::Config;
    use crate::facts::Facts;
    use crate::facts::run::Command;
    use crate::lower;

    fn command(line: &str) -> Command {
        let file = lower::file(format!("FROM a\nRUN {line}\n").into(), &lower::Build::default(), None);
        Facts::of(&file, &Config::default()).stages[0].runs[0].commands[0].clone()
    }

    #[test]
    fn addresses_are_words_with_a_host() {
        let found = |line: &str| addresses(&command(line)).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(found("curl -fsSL https://a.b/c -o x.sh"), ["https://a.b/c"]);
        assert_eq!(found("curl -sSL get.docker.com"), ["get.docker.com"]);
        assert_eq!(host("https://u:p@a.b:80/c"), "a.b");
        assert!(is_local("http://localhost:8080/x") && is_local("http://[::1]/") && !is_local("https://a.b/localhost"));
        assert!(
            names_content("https://a.b/0123456789abcdef0123456789abcdef01234567/i.sh")
                && !names_content("https://a.b/1.2")
        );
    }

    #[test]
    fn the_letter_k_of_curl_may_stand_among_others() {
        for line in ["curl -k a", "curl -fsSLk a", "curl -o x -kL a", "curl --insecure a"] {
            assert!(curl_insecure(&command(line)).is_some(), "{line}");
        }
        for line in ["curl -okay a", "curl -o -k a", "curl -sS a/-k", "curl --keepalive-time 2 a", "curl -H -k a"] {
            assert!(curl_insecure(&command(line)).is_none(), "{line}");
        }
    }
}
