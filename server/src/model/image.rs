//! Image references and platforms as Docker writes them.

use std::fmt;

/// A platform: `linux/amd64`, `linux/arm64/v8`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    /// `linux`, `windows`
    pub os: String,
    /// `amd64`, `arm64`
    pub arch: String,
    /// `v7`
    pub variant: Option<String>,
}

impl Default for Platform {
    fn default() -> Platform {
        Platform { os: "linux".to_owned(), arch: "amd64".to_owned(), variant: None }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl Platform {
    /// Reads `os/arch[/variant]`, with the other names that containerd's platform package accepts (`x86_64`,
    /// `aarch64`, `armhf`); a word alone is an operating system or an architecture. `None` for anything else.
    pub fn parse(text: &str) -> Option<Platform> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, arch, variant) = match parts[..] {
            [word] if matches!(word, "linux" | "windows" | "darwin" | "freebsd") => (word, "amd64", None),
            [word] => ("linux", word, None),
            [os, arch] => (os, arch, None),
            [os, arch, variant] => (os, arch, Some(variant)),
            _ => return None,
        };
        let (arch, variant) = match (arch.to_ascii_lowercase().as_str(), variant) {
            ("x86_64" | "x86-64" | "amd64", variant) => ("amd64".to_owned(), variant),
            ("aarch64" | "arm64", None | Some("v8" | "8")) => ("arm64".to_owned(), None),
            ("armhf", None) => ("arm".to_owned(), Some("v7")),
            ("armel", None) => ("arm".to_owned(), Some("v6")),
            ("i386", variant) => ("386".to_owned(), variant),
            (arch, variant) => (arch.to_owned(), variant),
        };
        let plain = |word: &str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
        if !plain(os) || !plain(&arch) {
            return None;
        }
        Some(Platform { os: os.to_ascii_lowercase(), arch, variant: variant.map(str::to_owned) })
    }
}

/// A reference to an image in a registry: `docker.io/library/node:20@sha256:…`.
///
/// Normalised as distribution/reference does: a name without a host is Docker Hub's, one without a slash there lies
/// in `library`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageRef {
    /// The text as it stands after resolving variables (`node:20`).
    pub text: String,
    /// `docker.io`, `gcr.io`, `localhost:5000`
    pub registry: String,
    /// `library/node`
    pub path: String,
    /// The tag, if one is written.
    pub tag: Option<String>,
    /// `sha256:…`, if one is written.
    pub digest: Option<String>,
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl ImageRef {
    /// Reads a reference; `None` where it is not one (capital letters in the path, empty parts, a variable left in it).
    pub fn parse(text: &str) -> Option<ImageRef> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let last_slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match rest[last_slash..].find(':') {
            Some(colon) => (&rest[..last_slash + colon], Some(&rest[last_slash + colon + 1..])),
            None => (rest, None),
        };
        let (registry, path) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" || host != host.to_lowercase() => {
                (host, path)
            }
            _ => ("docker.io", name),
        };
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        let component = |part: &str| {
            let inner =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
            part.bytes().all(inner)
                && part.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
                && part.bytes().last().is_some_and(|byte| byte.is_ascii_alphanumeric())
        };
        let tag_char = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let tag_sound = |tag: &str| {
            tag.len() <= 128
                && tag.bytes().all(tag_char)
                && tag.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if !path.split('/').all(component) || !tag.is_none_or(tag_sound) {
            return None;
        }
        if digest.is_some_and(|digest| !digest.contains(':') || digest.contains(char::is_whitespace)) {
            return None;
        }
        let path =
            if registry == "docker.io" && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
        Some(ImageRef {
            text: text.to_owned(),
            registry: registry.to_owned(),
            path,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// `docker.io/library/node`: the key of the tables.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.registry, self.path)
    }

    /// The tag, or `latest` where neither tag nor digest is written.
    pub fn tag_or_latest(&self) -> Option<&str> {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => Some(tag),
            (None, None) => Some("latest"),
            (None, Some(_)) => None,
        }
    }

    /// The reference as written, with another tag and without a digest.
    pub fn with_tag(&self, tag: &str) -> String {
        let bare = self.text.split('@').next().unwrap_or_default();
        let last_slash = bare.rfind('/').map_or(0, |at| at + 1);
        let name_end = bare[last_slash..].find(':').map_or(bare.len(), |colon| last_slash + colon);
        format!("{}:{tag}", &bare[..name_end])
    }
}

#[cfg(test)]
mod tests {
    use super::{ImageRef, Platform};

    fn shown(text: &str) -> Option<(String, Option<String>)> {
        let image = ImageRef::parse(text)?;
        Some((image.repository(), image.tag))
    }

    #[test]
    fn short_names_are_docker_hubs() {
        assert_eq!(shown("node"), Some(("docker.io/library/node".to_owned(), None)));
        assert_eq!(shown("bitnami/node:20"), Some(("docker.io/bitnami/node".to_owned(), Some("20".to_owned()))));
        assert_eq!(shown("localhost:5000/a/b:1"), Some(("localhost:5000/a/b".to_owned(), Some("1".to_owned()))));
        assert_eq!(shown("index.docker.io/library/node"), shown("node"));
    }

    #[test]
    fn what_is_no_reference_is_none() {
        for text in ["", "Node", "a:", "a/", "$BASE", "a b", ":1", "a:b:c d", "a@nodigest"] {
            assert_eq!(ImageRef::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_tag_is_replaced_where_it_stands() {
        let with_tag = |text: &str| ImageRef::parse(text).expect("a reference").with_tag("20-slim");
        assert_eq!(with_tag("node"), "node:20-slim");
        assert_eq!(with_tag("localhost:5000/node:20@sha256:aa"), "localhost:5000/node:20-slim");
    }

    #[test]
    fn platforms_have_other_names() {
        assert_eq!(Platform::parse("linux/arm64/v8"), Platform::parse("aarch64"));
        assert_eq!(Platform::parse("linux/arm/v7").expect("a platform").to_string(), "linux/arm/v7");
        assert_eq!(Platform::parse("$BUILDPLATFORM"), None);
    }
}
