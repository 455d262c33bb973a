//! Tests of what a secret looks like.

use crate::facts::secrets::{ABOUT, Value, WEAK, says_secret, tokens, value, value_of};

fn found(text: &str) -> Vec<&'static str> {
    tokens(text).into_iter().map(|token| token.what).collect()
}

#[test]
fn tables_are_in_order() {
    assert!(WEAK.is_sorted());
    assert!(ABOUT.is_sorted());
}

#[test]
fn names_say_secret_by_a_whole_part() {
    for name in ["NPM_TOKEN", "DB_PASSWORD", "db_passwd", "AWS_SECRET_ACCESS_KEY", "API_KEY", "SECRET_KEY_BASE", "AUTH"]
    {
        assert!(says_secret(name), "{name}");
    }
}

#[test]
fn names_that_only_sound_secret_are_none() {
    for name in [
        "PUBLIC_KEY",
        "KEY_FILE",
        "TOKEN_VERSION",
        "SSH_KEY_PATH",
        "TOKEN_URL",
        "KEY_DIR",
        "KEY_NAME",
        "AWS_ACCESS_KEY_ID",
        "AUTH_HEADER",
        "KEY_ALGORITHM",
        "TOKEN_EXPIRY",
        "TOKEN_TTL",
        "AUTH_ENABLED",
        "KEYSERVER",
        "APT_KEYRING",
        "GPG_KEY",
        "GPG_KEYS",
        "KEY_FINGERPRINT",
        "SSH_AUTH_SOCK",
        "TOKENIZERS_PARALLELISM",
        "AUTHOR",
        "AUTHORS",
        "MAX_TOKENS",
        "SITE_KEY",
        "CACHE_KEY",
        "VITE_API_KEY",
        "KEY_LAYOUT",
        "MONKEY",
        "PATH",
    ] {
        assert!(!says_secret(name), "{name}");
    }
}

#[test]
fn values_are_told_apart() {
    for text in [
        "",
        "true",
        "False",
        "1",
        "8080",
        "/run/secrets/key",
        "./key",
        "https://example.com/a",
        "0xA1B2C3D4",
        "A1B2C3D4E5F60718",
    ] {
        assert_eq!(value(text), Value::Plain, "{text}");
    }
    for text in [
        "changeme",
        "CHANGE_ME",
        "dummy",
        "xxx",
        "<token>",
        "example-key",
        "**DefineMe**",
        "pleaseChooseASecret",
        "postgres",
        "password",
        "test123",
        "my-secret",
    ] {
        assert_eq!(value(text), Value::Placeholder, "{text}");
    }
    for text in ["hG7s0pQ2", "correcthorsebattery", "f3b1c0d9e8a7"] {
        assert_eq!(value(text), Value::Literal, "{text}");
    }
}

#[test]
fn a_name_that_only_hints_is_believed_when_the_value_looks_random() {
    for (name, text) in [
        ("Filters__0__Key", "ProcessId"),
        ("APT_KEY_DONT_WARN_ON_DANGEROUS_USAGE", "DontWarn"),
        ("GLUU_SECRET_ADAPTER", "vaultAdapter"),
        ("RESET_OS_PASSWORD", "resetOSPassword.sh"),
        ("AUTH_ACCOUNTID_CLAIM", "vo_id"),
    ] {
        assert_eq!(value_of(name, text), Value::Plain, "{name}");
    }
    for (name, text) in
        [("MAIL_PASSWORD", "MAIL_PASSWORD"), ("DB_PASSWORD", "xwiki"), ("SECRET_KEY", "stripe_secret_key")]
    {
        assert_eq!(value_of(name, text), Value::Placeholder, "{name}");
    }
    for (name, text) in
        [("PREMIUM_KEY", "pee6ecei5ef8ahZu2xiF"), ("DB_PASSWORD", "Tigrou007"), ("SECRET_KEY_BASE", "hG7s0pQ2")]
    {
        assert_eq!(value_of(name, text), Value::Literal, "{name}");
    }
}

#[test]
fn tokens_have_shapes() {
    assert_eq!(found("a AKIAQWERTZUIOPAS2DFG b"), ["an AWS access key"]);
    assert_eq!(found("x=ghp_a8Bc7De6Fg5Hi4Jk3Lm2No1Pq0Rs9Tu8Vw7X"), ["a GitHub token"]);
    assert_eq!(found("echo '-----BEGIN RSA PRIVATE KEY-----'"), ["a private key"]);
    assert_eq!(found("git clone https://ci:s3cretT0ken@example.com/x.git"), ["the password of an address"]);
    assert_eq!(found("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.abcdefghijklmnop"), ["a JSON web token"]);
}

#[test]
fn examples_variables_and_hashes_are_none() {
    for text in [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "https://$USER:$TOKEN@example.com/x.git",
        "https://x-access-token:${TOKEN}@github.com/a/b",
        "postgres://postgres:postgres@db:5432/app",
        "postgres://user:pass@localhost/app",
        "https://user:password@example.com",
        "https://deb.debian.org:80/debian",
        "sha256:3f1c8e2d9b7a6054f1e2d3c4b5a697887766554433221100ffeeddccbbaa9988",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "sk-learn-and-a-long-name-without-any-secret-in-it-at-all",
        "git@github.com:a/b.git",
        "ÄÖ://ü:ß@é",
    ] {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
    }
}
