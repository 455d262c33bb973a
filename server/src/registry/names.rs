//! Where an image's registry is on the network.

use std::net::IpAddr;

use reqwest::Url;

use crate::model::ImageRef;
use crate::registry::Trouble;

/// The registry of an image, as it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Host and port (`registry-1.docker.io`, `127.0.0.1:5000`).
    pub(super) host: String,
    /// Whether it is this machine: then it is spoken to without encryption, as Docker does.
    pub(super) local: bool,
    /// `library/node`
    pub(super) path: String,
}

impl Place {
    /// Where an image is asked for. Fails where the name cannot be part of an address.
    pub(super) fn of(image: &ImageRef) -> Result<Place, Trouble> {
        let host = match image.registry.as_str() {
            "docker.io" => "registry-1.docker.io",
            other => other,
        };
        let url = Url::parse(&format!("https://{host}/")).ok();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        let is_host = host.bytes().all(plain) && url.is_some_and(|url| url.has_host() && url.path() == "/");
        if !is_host {
            return Err(Trouble::image(format!("{host} is no host")));
        }
        Ok(Place { host: host.to_owned(), local: is_local(host), path: image.path.clone() })
    }

    /// The address of a manifest or a blob.
    pub(super) fn url(&self, kind: &str, reference: &str) -> Result<Url, Trouble> {
        let scheme = if self.local { "http" } else { "https" };
        let text = format!("{scheme}://{}/v2/{}/{kind}/{reference}", self.host, self.path);
        Url::parse(&text).map_err(|error| Trouble::image(format!("{text} is no address: {error}")))
    }
}

/// Whether a host, with or without a port, is this machine.
pub(super) fn is_local(host: &str) -> bool {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a digest is one that can be checked: `sha256:` or `sha512:` and so many hexadecimal digits.
pub(super) fn is_digest(text: &str) -> bool {
    let n_digits = match text.split_once(':') {
        Some(("sha256", digits)) if digits.len() == 64 => 64,
        Some(("sha512", digits)) if digits.len() == 128 => 128,
        _ => return false,
    };
    let digits = &text.as_bytes()[text.len() - n_digits..];
    digits.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
}

#[cfg(test)]
mod tests {
    use super::{Place, is_digest, is_local};
    use crate::model::ImageRef;

    fn url(text: &str) -> Result<String, String> {
        let image = ImageRef::parse(text).expect("a reference");
        let place = Place::of(&image).map_err(|trouble| trouble.words)?;
        place.url("manifests", "x").map(|url| url.to_string()).map_err(|trouble| trouble.words)
    }

    #[test]
    fn an_image_without_a_host_is_on_docker_hub_and_this_machine_needs_no_encryption() {
        assert_eq!(url("node").as_deref(), Ok("https://registry-1.docker.io/v2/library/node/manifests/x"));
        assert_eq!(url("ghcr.io/a/b:1").as_deref(), Ok("https://ghcr.io/v2/a/b/manifests/x"));
        assert_eq!(url("localhost:5000/a").as_deref(), Ok("http://localhost:5000/v2/a/manifests/x"));
        assert_eq!(url("127.0.0.1:5000/a").as_deref(), Ok("http://127.0.0.1:5000/v2/a/manifests/x"));
        assert!(is_local("[::1]:5000") && is_local("127.8.0.1") && !is_local("127.evil.example"));
    }

    #[test]
    fn a_host_that_would_change_the_address_is_refused() {
        for text in ["evil.example?x/a", "evil.example#x/a", "a.b:99999/a", "a.b:c/a"] {
            assert!(url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn digests_are_checked_before_they_become_part_of_an_address() {
        assert!(is_digest(&format!("sha256:{}", "0a".repeat(32))));
        for text in ["sha256:", "sha256:../../x", "md5:00", &format!("sha256:{}", "0A".repeat(32))] {
            assert!(!is_digest(text), "{text}");
        }
    }
}
