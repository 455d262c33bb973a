//! What a secret looks like: names of variables that say it, values that are tokens, and values that only stand in for one.
//!
//! **Invariant:** a value is called a token only by a shape that nothing else has; what may be an example is none.

#[cfg(test)]
mod tests;

use crate::text::Local;

/// Parts of a name, between `_`, that say secret (BuildKit's `secretsRegexp`).
const WORDS: [&str; 10] =
    ["apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token"];

/// Parts of a name with which it is none (BuildKit's `secretsAllowRegexp`).
const OPEN_PARTS: [&str; 3] = ["public", "file", "version"];

/// Parts of the names of keys that open nothing: of captchas and payments on a page, of databases and caches.
const OPEN_KEYS: [&str; 9] =
    ["cache", "foreign", "idempotency", "partition", "primary", "publishable", "site", "sort", "warn"];

/// Beginnings of the names that bundlers write into the page that everybody is sent.
const SHOWN: [&str; 7] = ["EXPO_PUBLIC_", "GATSBY_", "NEXT_PUBLIC_", "NUXT_PUBLIC_", "REACT_APP_", "VITE_", "VUE_APP_"];

/// Last parts of names that speak about a secret and do not hold one.
#[rustfmt::skip]
const ABOUT: [&str; 55] = [
    "alg", "algorithm", "alias", "audience", "backend", "bits", "checksum", "count", "dir", "directory", "disabled",
    "domain", "driver", "enable", "enabled", "endpoint", "expiration", "expiry", "fingerprint", "folder", "format",
    "hash", "header", "host", "hostname", "id", "interval", "issuer", "layout", "len", "length", "lifetime", "method",
    "mode", "name", "options", "opts", "path", "plugin", "policy", "port", "prefix", "provider", "realm", "required",
    "server", "sha256", "sha512", "size", "suffix", "timeout", "ttl", "type", "url", "username",
];

/// Whether the name of a variable says that it holds a secret.
pub fn says_secret(name: &str) -> bool {
    let is_one_of = |part: &str, words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(part));
    let mut parts = name.split('_');
    if !parts.clone().any(|part| is_one_of(part, &WORDS)) || parts.clone().any(|part| is_one_of(part, &OPEN_PARTS)) {
        return false;
    }
    let about = parts.next_back().is_some_and(|part| is_one_of(part, &ABOUT));
    let open = name.split('_').any(|part| is_one_of(part, &OPEN_KEYS));
    let shown = SHOWN.iter().any(|prefix| name.starts_with(prefix));
    !about
        && !open
        && !shown
        && !["KEY_LAYOUT", "SSH_AUTH_SOCK"].iter().any(|it| it.eq_ignore_ascii_case(name))
        && !names_public_key(name)
}

/// `GPG_KEY`, `APT_KEYS`: keys that check signatures are public.
fn names_public_key(name: &str) -> bool {
    let mut parts = name.split('_').map(str::to_ascii_lowercase);
    let is_key = parts.clone().next_back().is_some_and(|part| part == "key");
    is_key
        && parts
            .any(|part| matches!(part.as_str(), "gpg" | "pgp" | "apt" | "rpm" | "repo" | "signing" | "ssh" | "host"))
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Empty, a switch, a number, a path, an address without a password, a fingerprint: nothing that must be kept.
    Plain,
    /// Something that stands in for a secret, or that everybody tries first: `changeme`, `postgres`.
    Placeholder,
    /// Anything else.
    Literal,
}

/// What a value without variables is, by its look.
pub fn value(text: &str) -> Value {
    let text = text.trim();
    let switch =
        ["true", "false", "yes", "no", "on", "off", "null", "none", "nil", "undefined", "auto", "basic", "enabled"];
    let files = [
        ".asc",
        ".cer",
        ".cfg",
        ".conf",
        ".crt",
        ".env",
        ".gpg",
        ".ini",
        ".jks",
        ".js",
        ".json",
        ".key",
        ".p12",
        ".pem",
        ".properties",
        ".pub",
        ".py",
        ".sh",
        ".txt",
        ".xml",
        ".yaml",
        ".yml",
    ];
    let is_plain = text.is_empty()
        || switch.iter().any(|it| it.eq_ignore_ascii_case(text))
        || text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b',' | b':'))
        || text.starts_with(['/', '.', '~', '$', '%', '@'])
        || text.contains("://")
        || text.get(1..3) == Some(":\\")
        || text.contains(char::is_whitespace) && !text.contains("-----BEGIN")
        || is_fingerprint(text)
        || files.iter().any(|end| text.ends_with(end))
        || text.starts_with("ssh-rsa ")
        || text.starts_with("file:");
    match (is_plain, is_placeholder(text)) {
        (true, _) => Value::Plain,
        (false, true) => Value::Placeholder,
        (false, false) => Value::Literal,
    }
}

/// What the value of a variable of this name is, without variables in it. A name that only hints at a secret (`key` or `auth`
/// alone, or a secret word in its middle) is believed when the value looks random.
pub fn value_of(name: &str, text: &str) -> Value {
    let text = text.trim();
    let found = value(text);
    let plain = |text: &str| {
        text.bytes().filter(u8::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect::<Vec<u8>>()
    };
    let has = |test: fn(&u8) -> bool| text.as_bytes().iter().any(test);
    let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let last = name.rsplit('_').find(|part| !part.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or_default();
    let strong = |part: &str| {
        let lower = part.to_ascii_lowercase();
        WORDS.contains(&lower.as_str()) && !matches!(lower.as_str(), "key" | "auth")
    };
    let least = if WORDS.iter().any(|word| word.eq_ignore_ascii_case(last)) { 8 } else { 12 };
    let believed = mixed && text.len() >= least
        || strong(last)
        || name.split('_').any(strong) && matches!(last, "BASE" | "base" | "KEY" | "key");
    let ends = ["_key", "_token", "_secret", "_password", "-key", "-token", "-secret", "-password", "_here"];
    // A word of a few small letters is what everybody tries first.
    let is_word = text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_lowercase());
    match found {
        Value::Literal if !believed => Value::Plain,
        Value::Literal
            if is_word
                || plain(text) == plain(name)
                || ends.iter().any(|end| text.to_ascii_lowercase().ends_with(end)) =>
        {
            Value::Placeholder
        }
        found => found,
    }
}

/// Whether a file of `name=value` lines holds a secret: a token, or a value of a name that says so.
pub fn has_secret(text: &str) -> bool {
    let line_has = |line: &str| {
        let Some((name, value)) = line.trim().split_once('=').filter(|_| !line.trim_start().starts_with(['#', ';']))
        else {
            return false;
        };
        let name = name.trim().rsplit([':', ' ']).next().unwrap_or_default();
        // In a file of settings `DB_PASS` is plain enough.
        let passes = |part: &str| ["pass", "pwd"].iter().any(|word| word.eq_ignore_ascii_case(part));
        let says =
            matches!(name, "_auth" | "_password" | "_authToken") || says_secret(name) || name.split('_').any(passes);
        let text = value.trim().trim_matches(['"', '\'']);
        says && !text.contains('$') && self::value(text) == Value::Literal
    };
    text.lines().any(line_has) || !tokens(text).is_empty()
}

/// The fingerprint or short number of a public key: hexadecimal digits in upper case, 8, 16 or 40 of them.
fn is_fingerprint(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    matches!(digits.len(), 8 | 16 | 40) && digits.bytes().all(is_hex)
}

/// Pieces of values that are none: who writes them says that the real value comes later.
#[rustfmt::skip]
const PLACEHOLDERS: [&str; 42] = [
    "change", "dummy", "xxx", "example", "placeholder", "your", "<", "{", "***", "...", "todo", "fake", "sample",
    "replace", "insert", "invalid", "not-real", "notreal", "not_real", "not-a-", "not_a_", "default", "redacted",
    "foobar", "mock", "unused", "ignored", "temporary", "precompile", "envvar", "define", "please", "choose", "**", "tmp_", "temp_", "buildtime", "build-time", "build_time", "for-build",
    "set-me", "override",
];

/// Whole values that everybody tries first.
#[rustfmt::skip]
const WEAK: [&str; 52] = [
    "admin", "administrator", "ansible", "app", "application", "apppassword", "auth", "bar", "build", "changeit",
    "credentials", "demo", "dev", "development", "django", "docker", "foo", "guest", "hello", "hunter2", "key", "laravel",
    "letmein", "local", "mongo", "mysql", "neo4j", "none", "oracle", "p4ssw0rd", "pass", "passw0rd", "password", "postgres",
    "postgresql", "prod", "production", "pwd", "qwerty", "rabbitmq", "redis", "root", "s3cr3t", "secret", "secretkey",
    "sentry", "staging", "symfony", "test", "tester", "token", "user",
];

/// Whether a value stands in for a secret, or is one that everybody tries first.
pub fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if PLACEHOLDERS.iter().any(|piece| lower.contains(piece)) {
        return true;
    }
    // `test123`, `test_password`, `my-secret`, `minio123`: nothing but such words and a few digits.
    let letters = |it: char| it.is_ascii_alphabetic();
    let digits = lower.bytes().filter(u8::is_ascii_digit).count();
    let own = [
        "my",
        "the",
        "a",
        "some",
        "very",
        "super",
        "supersecret",
        "mypassword",
        "minio",
        "minioadmin",
        "testing",
        "insecure",
        "unsafe",
        "p",
        "ssw",
        "w",
        "rd",
        "rootpassword",
        "rootroot",
        "adminpassword",
        "db",
        "database",
        "testpass",
        "jwt",
        "api",
        "access",
        "value",
        "string",
        "here",
        "only",
        "for",
        "in",
        "at",
        "time",
        "not",
        "no",
        "nope",
        "empty",
        "abc",
        "abcd",
        "abcdef",
        "asdf",
        "wordpress",
        "grafana",
        "jenkins",
        "elastic",
        "keycloak",
        "vagrant",
        "ubuntu",
        "alpine",
        "centos",
        "debian",
        "sa",
        "strong",
        "sql",
        "server",
        "key",
        "keys",
        "passwd",
        "tests",
        "env",
    ];
    let mut words = lower.split(|it: char| !letters(it)).filter(|word| !word.is_empty()).peekable();
    words.peek().is_none()
        || digits <= 6 && words.all(|word| WEAK.binary_search(&word).is_ok() || own.contains(&word))
        || lower.bytes().collect::<std::collections::BTreeSet<u8>>().len() < 4
}

/// A secret in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where it stands.
    pub range: Local,
    /// What it is, as the subject of a sentence.
    pub what: &'static str,
}

/// A shape that begins with fixed characters.
struct Shape {
    prefix: &'static str,
    /// How many characters must follow at least.
    least: usize,
    /// Characters besides letters and digits that may follow.
    others: &'static str,
    what: &'static str,
}

/// From the documentation of those who issue them.
#[rustfmt::skip]
static SHAPES: &[Shape] = &[
    Shape { prefix: "AKIA", least: 16, others: "", what: "an AWS access key" },
    Shape { prefix: "ASIA", least: 16, others: "", what: "an AWS access key" },
    Shape { prefix: "AIza", least: 35, others: "_-", what: "a Google API key" },
    Shape { prefix: "SG.", least: 60, others: "_-.", what: "a SendGrid key" },
    Shape { prefix: "dckr_pat_", least: 20, others: "_-", what: "a Docker access token" },
    Shape { prefix: "ghp_", least: 36, others: "", what: "a GitHub token" },
    Shape { prefix: "gho_", least: 36, others: "", what: "a GitHub token" },
    Shape { prefix: "ghs_", least: 36, others: "", what: "a GitHub token" },
    Shape { prefix: "ghu_", least: 36, others: "", what: "a GitHub token" },
    Shape { prefix: "ghr_", least: 36, others: "", what: "a GitHub token" },
    Shape { prefix: "github_pat_", least: 50, others: "_", what: "a GitHub token" },
    Shape { prefix: "glpat-", least: 20, others: "_-", what: "a GitLab token" },
    Shape { prefix: "hvs.", least: 24, others: "_-", what: "a Vault token" },
    Shape { prefix: "npm_", least: 36, others: "", what: "an npm token" },
    Shape { prefix: "pypi-AgE", least: 50, others: "_-", what: "a PyPI token" },
    Shape { prefix: "rk_live_", least: 20, others: "", what: "a Stripe key" },
    Shape { prefix: "sk_live_", least: 20, others: "", what: "a Stripe key" },
    Shape { prefix: "sk-ant-", least: 30, others: "_-", what: "an Anthropic key" },
    Shape { prefix: "sk-proj-", least: 30, others: "_-", what: "an OpenAI key" },
    Shape { prefix: "sk-", least: 40, others: "", what: "an API key" },
    Shape { prefix: "xoxa-", least: 20, others: "-", what: "a Slack token" },
    Shape { prefix: "xoxb-", least: 20, others: "-", what: "a Slack token" },
    Shape { prefix: "xoxp-", least: 20, others: "-", what: "a Slack token" },
    Shape { prefix: "xoxr-", least: 20, others: "-", what: "a Slack token" },
    Shape { prefix: "xoxs-", least: 20, others: "-", what: "a Slack token" },
];

/// Every secret in a text that its shape betrays, in no order.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut res = Vec::new();
    let bytes = text.as_bytes();
    let mut before = b' ';
    for (at, byte) in bytes.iter().enumerate() {
        let begins = !before.is_ascii_alphanumeric() && !matches!(before, b'_' | b'-');
        before = *byte;
        if begins && matches!(byte, b'A' | b'S' | b'd' | b'e' | b'g' | b'h' | b'n' | b'p' | b'r' | b's' | b'x') {
            res.extend(shaped(text, at));
            res.extend(web_token(text, at));
        }
    }
    for (at, _) in text.match_indices("-----BEGIN ") {
        let line = text.get(at + 11..).and_then(|rest| rest.split("-----").next()).unwrap_or_default();
        if line.len() < 40 && line.ends_with("PRIVATE KEY") {
            res.push(Token { range: Local::new(at, at + 16 + line.len()), what: "a private key" });
        }
    }
    res.extend(text.match_indices("://").filter_map(|(at, _)| password_of_address(text, at)));
    res
}

/// How many bytes from an offset on are letters, digits or one of these.
fn run_length(text: &str, at: usize, others: &str) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || others.as_bytes().contains(byte)).count()
}

fn shaped(text: &str, at: usize) -> Option<Token> {
    let rest = text.get(at..)?;
    let shape = SHAPES.iter().find(|shape| rest.starts_with(shape.prefix))?;
    let length = run_length(text, at + shape.prefix.len(), shape.others);
    let behind = rest.get(shape.prefix.len()..shape.prefix.len() + length)?;
    let mixed = behind.bytes().any(|it| it.is_ascii_digit()) && behind.bytes().any(|it| it.is_ascii_alphabetic());
    let upper =
        !shape.prefix.starts_with("A") || shape.prefix == "AIza" || behind.bytes().all(|it| !it.is_ascii_lowercase());
    let sound = length >= shape.least && mixed && upper && !is_example(behind);
    sound.then(|| Token { range: Local::new(at, at + shape.prefix.len() + length), what: shape.what })
}

/// Whether a token is one of a manual: `AKIAIOSFODNN7EXAMPLE`, `ghp_xxxxxxxx…`.
fn is_example(token: &str) -> bool {
    let lower = token.to_ascii_lowercase();
    ["example", "xxxx", "your", "dummy", "placeholder", "0000000", "1234567", "abcdefg", "fake"]
        .iter()
        .any(|it| lower.contains(it))
}

/// A JSON web token: three pieces, of which the first two begin like `{"`.
fn web_token(text: &str, at: usize) -> Option<Token> {
    let rest = text.get(at..).filter(|rest| rest.starts_with("eyJ"))?;
    let length = run_length(rest, 0, "_-.");
    let mut pieces = rest.get(..length)?.split('.');
    let (head, body, seal) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let sound =
        head.len() > 12 && body.len() > 12 && body.starts_with("eyJ") && seal.len() > 12 && pieces.next().is_none();
    sound.then(|| Token { range: Local::new(at, at + length), what: "a JSON web token" })
}

/// The `user:password` of an address, `at` being its `://`.
fn password_of_address(text: &str, at: usize) -> Option<Token> {
    let rest = text.get(at + 3..)?;
    let end = rest.find(|it: char| {
        it.is_whitespace()
            || matches!(it, '/' | '?' | '#' | '"' | '\'' | '`' | '\\' | '|' | ';' | ',' | '>' | '&' | '(')
    });
    let authority = rest.get(..end.unwrap_or(rest.len()))?;
    let (login, host) = authority.rsplit_once('@')?;
    let (user, password) = login.split_once(':')?;
    // GitHub takes a token as the user, with this for a password.
    let (start, password, user) = match password {
        "x-oauth-basic" => (at + 3, user, ""),
        password => (at + 3 + user.len() + 1, password, user),
    };
    let host_name = host.split(':').next().unwrap_or_default();
    let scheme_start = text.get(..at)?.rfind(|it: char| !it.is_ascii_alphanumeric() && !matches!(it, '+' | '-' | '.'));
    let scheme = text.get(scheme_start.map_or(0, |it| it + 1)..at)?;
    if scheme.is_empty() || host_name.is_empty() || login.contains(['$', '<', '>', '{', '}', '[', ']', '%', '*']) {
        return None;
    }
    // The password of a service that stands beside this one (`db`, `redis`) is one of a development set-up.
    let local =
        matches!(host_name, "localhost" | "127.0.0.1" | "0.0.0.0") || !host_name.contains('.') && host_name != "$";
    let usual = password.len() < 3 || password == user || is_placeholder(password) || user.eq_ignore_ascii_case("user");
    if local || usual || password.bytes().all(|it| it.is_ascii_digit()) && password.len() < 6 {
        return None;
    }
    Some(Token { range: Local::new(start, start + password.len()), what: "the password of an address" })
}
