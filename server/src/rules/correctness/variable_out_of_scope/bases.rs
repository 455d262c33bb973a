//! Which variables a base image may set.
//!
//! A distribution sets hardly any; of another image only names that are usual there are believed, so that nobody is
//! blamed for `$NODE_VERSION` under `FROM node`.

use crate::facts;
use crate::model::{Base, ImageRef, InstructionKind};
use crate::rules::Context;

/// Names that images set: those of systems, and versions and homes of languages and servers.
const USUAL: &[&str] = &[
    "ASPNETCORE_URLS",
    "ASPNETCORE_VERSION",
    "ASPNET_VERSION",
    "CARGO_HOME",
    "CATALINA_BASE",
    "CATALINA_HOME",
    "COMPOSER_VERSION",
    "CONDA_DIR",
    "CUDA_HOME",
    "CUDA_VERSION",
    "CUDNN_VERSION",
    "DEBIAN_FRONTEND",
    "DOTNET_SDK_VERSION",
    "DOTNET_VERSION",
    "ELIXIR_VERSION",
    "GEM_HOME",
    "GOLANG_VERSION",
    "GOPATH",
    "GOROOT",
    "GOTOOLCHAIN",
    "GRADLE_HOME",
    "GRADLE_VERSION",
    "HADOOP_HOME",
    "HOME",
    "HOSTNAME",
    "JAVA_HOME",
    "JAVA_VERSION",
    "JRE_HOME",
    "JULIA_VERSION",
    "KAFKA_HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "LOGNAME",
    "MARIADB_VERSION",
    "MAVEN_HOME",
    "MAVEN_VERSION",
    "MONGO_VERSION",
    "MYSQL_VERSION",
    "NB_GID",
    "NB_UID",
    "NB_USER",
    "NGINX_VERSION",
    "NJS_VERSION",
    "NODE_ENV",
    "NODE_PATH",
    "NODE_VERSION",
    "NVM_DIR",
    "OTP_VERSION",
    "PATH",
    "PGDATA",
    "PG_MAJOR",
    "PG_VERSION",
    "PHP_INI_DIR",
    "PHP_VERSION",
    "PIP_VERSION",
    "PKG_CONFIG_PATH",
    "PKG_RELEASE",
    "PWD",
    "PYTHONPATH",
    "PYTHON_PIP_VERSION",
    "PYTHON_VERSION",
    "REDIS_VERSION",
    "RUBY_MAJOR",
    "RUBY_VERSION",
    "RUSTUP_HOME",
    "RUST_VERSION",
    "SHELL",
    "SPARK_HOME",
    "SPARK_VERSION",
    "SWIFT_VERSION",
    "TERM",
    "TOMCAT_VERSION",
    "TZ",
    "UID",
    "USER",
    "VERSION",
    "YARN_VERSION",
];

/// Images that set nothing but the usual names of a system.
const DISTRIBUTIONS: &[&str] = &[
    "almalinux",
    "alpine",
    "amazonlinux",
    "archlinux",
    "buildpack-deps",
    "busybox",
    "centos",
    "debian",
    "fedora",
    "opensuse/leap",
    "opensuse/tumbleweed",
    "oraclelinux",
    "rockylinux",
    "ubuntu",
];

/// Names that only a shell or a system sets.
const OF_SYSTEMS: &[&str] =
    &["HOME", "HOSTNAME", "LANG", "LOGNAME", "PATH", "PWD", "SHELL", "TERM", "UID", "USER", "EUID", "OLDPWD", "IFS"];

/// Whether the image at the bottom of a stage may set a variable of this name.
pub(super) fn may_set(ctx: &Context, stage_idx: usize, name: &str) -> bool {
    if OF_SYSTEMS.contains(&name) {
        return true;
    }
    let Some(bottom) = facts::chain(ctx.file, stage_idx).last().and_then(|idx| ctx.file.stages.get(*idx)) else {
        return true;
    };
    match &bottom.base {
        Base::Scratch => false,
        Base::Image(image) if is_distribution(image) => false,
        Base::Image(_) | Base::Unknown(_) | Base::Stage(_) => {
            // `FROM tool:${TOOL_VERSION}` brings the same variable with it, often enough.
            let InstructionKind::From(from) = &bottom.from.instruction.kind else { return true };
            USUAL.contains(&name) || from.image.text.contains(name)
        }
    }
}

fn is_distribution(image: &ImageRef) -> bool {
    let name = image.path.strip_prefix("library/").unwrap_or(&image.path);
    image.registry == "docker.io" && DISTRIBUTIONS.contains(&name)
}
