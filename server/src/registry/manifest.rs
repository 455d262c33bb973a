//! What manifests say: an index, which image is for which platform; an image, how much its layers weigh.

use oci_client::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE,
    OciImageIndex, OciImageManifest,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};

use crate::model::Platform;
use crate::registry::Trouble;
use crate::registry::names::is_digest;

/// Larger manifests are not read: registries need not take larger ones either
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests>).
pub(super) const LARGEST: usize = 4 << 20;

/// The kinds of manifests that are understood, as the header `Accept` has them.
pub(super) fn accepted() -> String {
    [OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE, IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE]
        .join(", ")
}

/// What is kept of a manifest. It belongs to its digest for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Manifest {
    /// Platforms with the digests of their images, in order.
    Index(Vec<(String, String)>),
    /// An image.
    Image(Weight),
}

/// What an image weighs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Weight {
    /// The sum of its compressed layers.
    pub(super) bytes: u64,
    /// How many layers.
    pub(super) layers: u32,
    /// The platform that the index or its configuration names.
    pub(super) platform: Option<String>,
}

/// A manifest as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) manifest: Manifest,
    /// The digest of an image's configuration.
    pub(super) config: Option<String>,
}

/// Reads a manifest.
pub(super) fn read(body: &[u8]) -> Result<Read, Trouble> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head {
        schema_version: u8,
        manifests: Option<serde::de::IgnoredAny>,
    }
    let wrong =
        |error: serde_json::Error| Trouble::image(format!("it answers with something that is no manifest: {error}"));
    let head: Head = serde_json::from_slice(body).map_err(wrong)?;
    if head.schema_version != 2 {
        return Err(Trouble::image(format!("a manifest of version {}, which is not read", head.schema_version)));
    }
    if head.manifests.is_some() {
        let index: OciImageIndex = serde_json::from_slice(body).map_err(wrong)?;
        let entries = index.manifests.into_iter().filter_map(|entry| {
            let platform = entry.platform?;
            let variant = platform.variant.map(|variant| format!("/{variant}")).unwrap_or_default();
            let platform = Platform::parse(&format!("{}/{}{variant}", platform.os, platform.architecture))?;
            // Attestations stand in the index as images of no platform.
            (platform.os != "unknown" && is_digest(&entry.digest)).then(|| (platform.to_string(), entry.digest))
        });
        return Ok(Read { manifest: Manifest::Index(entries.collect()), config: None });
    }
    let image: OciImageManifest = serde_json::from_slice(body).map_err(wrong)?;
    let mut bytes = 0_u64;
    for layer in &image.layers {
        let size = u64::try_from(layer.size).map_err(|_| Trouble::image("a layer of less than no bytes"))?;
        bytes = bytes.saturating_add(size);
    }
    let layers = u32::try_from(image.layers.len()).unwrap_or(u32::MAX);
    let config = Some(image.config.digest).filter(|digest| is_digest(digest));
    Ok(Read { manifest: Manifest::Image(Weight { bytes, layers, platform: None }), config })
}

/// The platform that the configuration of an image names.
pub(super) fn platform_of(config: &[u8]) -> Option<Platform> {
    #[derive(Deserialize)]
    struct Config {
        os: String,
        architecture: String,
        variant: Option<String>,
    }
    let config: Config = serde_json::from_slice(config).ok()?;
    let variant = config.variant.filter(|it| !it.is_empty()).map(|it| format!("/{it}")).unwrap_or_default();
    Platform::parse(&format!("{}/{}{variant}", config.os, config.architecture))
}

/// The digest of the image for a platform; else the platforms there are.
pub(super) fn choose<'a>(entries: &'a [(String, String)], platform: &Platform) -> Result<&'a str, Trouble> {
    let matching = |exact: bool| {
        entries.iter().find(|(text, _)| Platform::parse(text).is_some_and(|it| fits(&it, platform, exact)))
    };
    match matching(true).or_else(|| matching(false)) {
        Some((_, digest)) => Ok(digest),
        None => Err(other_platforms(platform, entries.iter().map(|(platform, _)| platform.as_str()))),
    }
}

/// Whether an image of one platform is what is pulled for another: the variant counts where both have one.
pub(super) fn fits(found: &Platform, wanted: &Platform, exact: bool) -> bool {
    let alike = found.os == wanted.os && found.arch == wanted.arch;
    let open = !exact && (found.variant.is_none() || wanted.variant.is_none());
    alike && (found.variant == wanted.variant || open)
}

/// The trouble of an image that is not there for a platform.
pub(super) fn other_platforms<'a>(wanted: &Platform, found: impl Iterator<Item = &'a str>) -> Trouble {
    let mut found: Vec<&str> = found.collect();
    found.dedup();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    Trouble::new(super::TroubleKind::Platform, format!("there is none for {wanted}; there are: {found}"))
}

/// Whether a digest is that of these bytes.
pub(super) fn is_of(digest: &str, body: &[u8]) -> bool {
    match digest.split_once(':') {
        Some(("sha256", digits)) => hex(&Sha256::digest(body)) == digits,
        Some(("sha512", digits)) => hex(&Sha512::digest(body)) == digits,
        _ => false,
    }
}

/// The usual digest of these bytes.
pub(super) fn digest_of(body: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(body)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Manifest, choose, digest_of, fits, is_of, read};
    use crate::model::Platform;

    fn platform(text: &str) -> Platform {
        Platform::parse(text).expect("a platform")
    }

    fn index(platforms: &[&str]) -> Vec<(String, String)> {
        platforms.iter().enumerate().map(|(idx, it)| ((*it).to_owned(), idx.to_string())).collect()
    }

    #[test]
    fn the_variant_is_taken_that_is_asked_for_and_no_other_platform_ever() {
        let entries = index(&["linux/arm/v6", "linux/arm/v7", "linux/amd64", "linux/arm64"]);
        assert_eq!(choose(&entries, &platform("linux/arm/v7")), Ok("1"));
        assert_eq!(choose(&entries, &platform("linux/arm")), Ok("0"));
        assert_eq!(choose(&entries, &platform("linux/arm64/v8")), Ok("3"));
        let trouble = choose(&entries, &platform("linux/arm/v5")).expect_err("it is not there");
        assert!(trouble.words.contains("linux/arm/v5") && trouble.words.contains("linux/arm/v7"), "{trouble}");
        assert!(choose(&entries, &platform("windows/amd64")).is_err());
        assert!(!fits(&platform("linux/arm/v6"), &platform("linux/arm/v7"), false));
    }

    #[test]
    fn attestations_are_no_platform() {
        let digest = digest_of(b"x");
        let entry = |os: &str| {
            format!(
                "{{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"{digest}\",\"size\":1,\
                 \"platform\":{{\"os\":\"{os}\",\"architecture\":\"{}\"}}}}",
                if os == "linux" { "arm64" } else { "unknown" }
            )
        };
        let text = format!("{{\"schemaVersion\":2,\"manifests\":[{},{}]}}", entry("unknown"), entry("linux"));
        let Manifest::Index(entries) = read(text.as_bytes()).expect("an index").manifest else { panic!("an index") };
        assert_eq!(entries, [("linux/arm64".to_owned(), digest)]);
    }

    #[test]
    fn what_is_no_manifest_is_an_error() {
        for text in ["", "<html>", "{}", "[]", "{\"schemaVersion\":1}", "{\"schemaVersion\":2}"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        let negative = "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a\",\"digest\":\"b\",\"size\":1},\
                        \"layers\":[{\"mediaType\":\"a\",\"digest\":\"b\",\"size\":-5}]}";
        assert!(read(negative.as_bytes()).is_err());
    }

    #[test]
    fn digests_are_of_the_bytes() {
        assert!(is_of(&digest_of(b"a"), b"a") && !is_of(&digest_of(b"a"), b"b") && !is_of("md5:0", b"a"));
    }
}
