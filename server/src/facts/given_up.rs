//! Repositories of images that nobody maintains any more, and what took their place.
//!
//! It knows repositories, not versions: a version whose support has ended is in the table of `images`.

use crate::model::ImageRef;

/// Repositories of Docker Hub's official images that are deprecated there, and what took their place.
#[rustfmt::skip]
static OFFICIAL: &[(&str, &str)] = &[
    ("adoptopenjdk", "eclipse-temurin"),
    ("celery", "python"),
    ("centos", "almalinux"),
    ("consul", "hashicorp/consul"),
    ("django", "python"),
    ("docker-dev", "docker"),
    ("glassfish", ""),
    ("hipache", ""),
    ("iojs", "node"),
    ("java", "eclipse-temurin"),
    ("jenkins", "jenkins/jenkins"),
    ("nuxeo", ""),
    ("openjdk", "eclipse-temurin"),
    ("opensuse", "opensuse/leap"),
    ("owncloud", "owncloud/server"),
    ("piwik", "matomo"),
    ("plone", "plone/plone-backend"),
    ("rails", "ruby"),
    ("sentry", ""),
    ("swarm", ""),
    ("thrift", ""),
    ("ubuntu-debootstrap", "ubuntu"),
    ("ubuntu-upstart", "ubuntu"),
    ("vault", "hashicorp/vault"),
];

/// Repositories elsewhere, by registry and path, that moved.
#[rustfmt::skip]
static MOVED: &[(&str, &str, &str)] = &[
    ("docker.io", "microsoft/aspnetcore", "mcr.microsoft.com/dotnet/aspnet"),
    ("docker.io", "microsoft/aspnetcore-build", "mcr.microsoft.com/dotnet/sdk"),
    ("docker.io", "microsoft/dotnet", "mcr.microsoft.com/dotnet/sdk"),
    ("mcr.microsoft.com", "dotnet/core/aspnet", "mcr.microsoft.com/dotnet/aspnet"),
    ("mcr.microsoft.com", "dotnet/core/runtime", "mcr.microsoft.com/dotnet/runtime"),
    ("mcr.microsoft.com", "dotnet/core/runtime-deps", "mcr.microsoft.com/dotnet/runtime-deps"),
    ("mcr.microsoft.com", "dotnet/core/sdk", "mcr.microsoft.com/dotnet/sdk"),
];

/// What took the place of a repository, an empty name where nothing did; `None` for one that is maintained or not known.
pub fn successor(image: &ImageRef) -> Option<String> {
    let tag = image.tag.as_deref().unwrap_or_default();
    if image.registry == "docker.io"
        && let Some(name) = image.path.strip_prefix("library/")
    {
        let (_, successor) = OFFICIAL.iter().find(|(it, _)| *it == name)?;
        let early = name == "openjdk" && tag.split('-').any(|word| word == "ea");
        return (!early).then(|| (*successor).to_owned());
    }
    if image.registry == "gcr.io"
        && let Some(name) = image.path.strip_prefix("distroless/")
    {
        let old = ["-debian9", "-debian10", "-debian11"].iter().find_map(|end| name.strip_suffix(end))?;
        return Some(format!("gcr.io/distroless/{old}-debian13"));
    }
    let (_, _, successor) =
        MOVED.iter().find(|(registry, path, _)| *registry == image.registry && *path == image.path)?;
    Some((*successor).to_owned())
}

#[cfg(test)]
mod tests {
    use super::{OFFICIAL, successor};
    use crate::model::ImageRef;

    fn of(text: &str) -> Option<String> {
        successor(&ImageRef::parse(text)?)
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(OFFICIAL.is_sorted());
    }

    #[test]
    fn a_repository_that_was_given_up_has_a_successor() {
        assert_eq!(of("centos").as_deref(), Some("almalinux"));
        assert_eq!(of("gcr.io/distroless/base-debian10").as_deref(), Some("gcr.io/distroless/base-debian13"));
        assert_eq!(of("mcr.microsoft.com/dotnet/core/sdk:3.1").as_deref(), Some("mcr.microsoft.com/dotnet/sdk"));
    }

    #[test]
    fn another_registry_is_another_repository() {
        assert_eq!(of("quay.io/centos/centos:stream9"), None);
        assert_eq!(of("debian:12"), None);
        assert_eq!(of("openjdk:26-ea-slim"), None);
    }
}
