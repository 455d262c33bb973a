//! Which variables official images set, and where they start: what BuildKit reads from an image's configuration.
//!
//! Names of all tags together, so that a name is missing only where no tag sets it. Read from the Dockerfiles of the
//! official images as of 2026-11. An image that is not listed is not known: nothing can be said of its variables.

use crate::model::ImageRef;

/// What an official image sets.
struct Row {
    /// Below `docker.io/library/`.
    name: &'static str,
    /// The variables beside `PATH`.
    variables: &'static [&'static str],
    /// The working directory; `None` where the tags differ.
    directory: Option<&'static str>,
}

const fn row(name: &'static str, directory: Option<&'static str>, variables: &'static [&'static str]) -> Row {
    Row { name, variables, directory }
}

/// In the order of names.
static IMAGES: &[Row] = &[
    row("alpine", Some("/"), &[]),
    row("buildpack-deps", Some("/"), &[]),
    row("busybox", Some("/"), &[]),
    row("debian", Some("/"), &[]),
    row("eclipse-temurin", Some("/"), &["JAVA_HOME", "JAVA_VERSION", "LANG", "LANGUAGE", "LC_ALL"]),
    row(
        "golang",
        Some("/go"),
        &[
            "GOLANG_COMMIT",
            "GOLANG_DOWNLOAD_SHA1",
            "GOLANG_DOWNLOAD_SHA256",
            "GOLANG_DOWNLOAD_URL",
            "GOLANG_SRC_SHA256",
            "GOLANG_SRC_URL",
            "GOLANG_VERSION",
            "GOPATH",
            "GOTOOLCHAIN",
        ],
    ),
    row(
        "nginx",
        Some("/"),
        &[
            "ACME_VERSION",
            "DYNPKG_RELEASE",
            "NGINX_VERSION",
            "NJS_RELEASE",
            "NJS_VERSION",
            "OTEL_VERSION",
            "PKG_RELEASE",
        ],
    ),
    row("node", Some("/"), &["NODE_VERSION", "NPM_CONFIG_LOGLEVEL", "YARN_VERSION"]),
    row(
        "php",
        None,
        &[
            "APACHE_CONFDIR",
            "APACHE_ENVVARS",
            "GPG_KEYS",
            "PHPIZE_DEPS",
            "PHP_ASC_URL",
            "PHP_CFLAGS",
            "PHP_CPPFLAGS",
            "PHP_EXTRA_BUILD_DEPS",
            "PHP_EXTRA_CONFIGURE_ARGS",
            "PHP_FILENAME",
            "PHP_INI_DIR",
            "PHP_LDFLAGS",
            "PHP_MD5",
            "PHP_SHA256",
            "PHP_URL",
            "PHP_VERSION",
        ],
    ),
    row(
        "postgres",
        Some("/"),
        &["DOCKER_PG_LLVM_DEPS", "GOSU_VERSION", "LANG", "PGDATA", "PG_MAJOR", "PG_SHA256", "PG_VERSION"],
    ),
    row(
        "python",
        Some("/"),
        &[
            "GPG_KEY",
            "LANG",
            "PYTHONIOENCODING",
            "PYTHON_GET_PIP_SHA256",
            "PYTHON_GET_PIP_URL",
            "PYTHON_PIP_VERSION",
            "PYTHON_SETUPTOOLS_VERSION",
            "PYTHON_SHA256",
            "PYTHON_VERSION",
            "PYTHON_WHEEL_VERSION",
        ],
    ),
    row(
        "redis",
        Some("/data"),
        &["GOSU_VERSION", "REDIS_DOWNLOAD_SHA", "REDIS_DOWNLOAD_SHA1", "REDIS_DOWNLOAD_URL", "REDIS_VERSION"],
    ),
    row(
        "ruby",
        Some("/"),
        &[
            "BUNDLER_VERSION",
            "BUNDLE_APP_CONFIG",
            "BUNDLE_BIN",
            "BUNDLE_PATH",
            "BUNDLE_SILENCE_ROOT_WARNING",
            "GEM_HOME",
            "LANG",
            "RUBYGEMS_VERSION",
            "RUBY_DOWNLOAD_SHA256",
            "RUBY_DOWNLOAD_URL",
            "RUBY_MAJOR",
            "RUBY_VERSION",
        ],
    ),
    row("rust", Some("/"), &["CARGO_HOME", "RUSTUP_HOME", "RUST_VERSION"]),
    row("ubuntu", Some("/"), &[]),
];

fn of(image: &ImageRef) -> Option<&'static Row> {
    let name = image.path.strip_prefix("library/").filter(|_| image.registry == "docker.io")?;
    let at = IMAGES.binary_search_by_key(&name, |row| row.name).ok()?;
    IMAGES.get(at)
}

/// The variables beside `PATH` that an image may set; `None` where the image is not known.
pub fn variables(image: &ImageRef) -> Option<&'static [&'static str]> {
    of(image).map(|row| row.variables)
}

/// The directory in which an image starts, where it is known.
pub fn directory(image: &ImageRef) -> Option<&'static str> {
    of(image).and_then(|row| row.directory)
}

#[cfg(test)]
mod tests {
    use super::{IMAGES, directory, variables};
    use crate::model::ImageRef;

    #[test]
    fn the_images_are_in_the_order_of_names() {
        assert!(IMAGES.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn only_official_images_are_known() {
        let image = |text: &str| ImageRef::parse(text).expect("a reference");
        assert_eq!(variables(&image("debian:12")), Some(&[] as &[&str]));
        assert!(variables(&image("node:22")).is_some_and(|names| names.contains(&"NODE_VERSION")));
        assert_eq!(variables(&image("registry.example/library/node")), None);
        assert_eq!(variables(&image("acme/node")), None);
        assert_eq!(directory(&image("golang:1.25")), Some("/go"));
        assert_eq!(directory(&image("php:8")), None);
    }
}
