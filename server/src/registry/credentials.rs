//! What Docker's `config.json` holds for a registry, its credential helpers included.
//!
//! **Invariant:** a helper is run only for a registry that the file names, and nothing here is printed.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use docker_credential::DockerCredential;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// A larger file is none of Docker's.
const LARGEST: u64 = 1 << 20;

/// The name under which Docker keeps what is for Docker Hub.
const HUB: &str = "https://index.docker.io/v1/";

/// What a registry is told of the user.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credential {
    /// Name and password.
    Password(String, String),
    /// What is traded for a token of the registry.
    Refresh(String),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Named {
    auths: BTreeMap<String, IgnoredAny>,
    cred_helpers: BTreeMap<String, IgnoredAny>,
}

/// The credential for a registry (`docker.io`, `localhost:5000`), read from the folder of Docker's settings. It may run a
/// helper: call it where that may take long.
pub(super) fn of(folder: &Path, registry: &str) -> Option<Credential> {
    let mut bytes = Vec::new();
    File::open(folder.join("config.json")).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    let named: Named = serde_json::from_slice(&bytes).ok()?;
    let keys = || named.cred_helpers.keys().chain(named.auths.keys());
    let key = keys().find(|key| host(key).eq_ignore_ascii_case(registry))?;
    match docker_credential::get_credential_from_reader(bytes.as_slice(), key) {
        Ok(DockerCredential::UsernamePassword(name, password)) => Some(Credential::Password(name, password)),
        Ok(DockerCredential::IdentityToken(token)) => Some(Credential::Refresh(token)),
        Err(_) => {
            // The error may hold what a helper wrote.
            tracing::debug!(registry, "config.json names the registry and has no credential for it");
            None
        }
    }
}

/// The registry that a key of the file is for.
fn host(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let host = bare.split('/').next().unwrap_or(bare);
    match host {
        _ if key == HUB => "docker.io",
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::{Credential, of};

    #[test]
    fn a_registry_that_the_file_does_not_name_gets_nothing_and_no_helper_is_run() {
        let folder = tempfile::tempdir().expect("a folder");
        // bmFtZTp3b3Jk is name:word.
        let text = r#"{"auths": {"https://index.docker.io/v1/": {"auth": "bmFtZTp3b3Jk"}, "a.example": {}},
                       "credsStore": "no-such-helper"}"#;
        std::fs::write(folder.path().join("config.json"), text).expect("a file");
        let password = Credential::Password("name".to_owned(), "word".to_owned());
        assert_eq!(of(folder.path(), "docker.io"), Some(password.clone()));
        assert_eq!(of(folder.path(), "a.example"), None);
        assert_eq!(of(folder.path(), "b.example"), None);
        assert_eq!(of(&folder.path().join("nowhere"), "docker.io"), None);
        assert!(!format!("{password:?}").contains("word"));
    }
}
