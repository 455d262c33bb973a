//! FROM lines, and what is known about their images.

use expect_test::{Expect, expect};

use crate::date::Date;
use crate::images::{ImageBook, ImageFacts, TABLE, counterparts, ended, figures, kinds};
use crate::model::{ImageRef, Platform};
use crate::table::Table;
use crate::weight::{Estimate, Size};

/// One answer for each line of `images`, each of which is what stands behind FROM.
fn check(images: &str, answer: impl Fn(&ImageBook, &ImageRef, &Platform) -> String, expected: Expect) {
    let mut res = String::new();
    for line in images.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (platform, image) = match line.strip_prefix("--platform=").and_then(|rest| rest.split_once(' ')) {
            Some((platform, image)) => (Platform::parse(platform).expect("a platform"), image),
            None => (Platform::default(), line),
        };
        let image = ImageRef::parse(image).expect("a reference");
        res.push_str(&format!("{line}: {}\n", answer(&ImageBook::embedded(), &image, &platform)));
    }
    expected.assert_eq(&res);
}

fn figures(images: &str, expected: Expect) {
    let shown = |estimate: &Option<Estimate>| match estimate {
        Some(it) => format!("{} ({} to {}, {})", it.words(), it.low, it.high, it.basis.name()),
        None => "unknown".to_owned(),
    };
    let answer = |facts: ImageFacts| {
        let source = facts.pull.as_ref().map(|pull| pull.source.clone()).unwrap_or_default();
        format!("pull {}, unpacked {}; {source}", shown(&facts.pull), shown(&facts.unpacked))
    };
    let looked_up = |book: &ImageBook, image: &ImageRef, platform: &Platform| {
        book.look_up(image, platform).map_or("not known".to_owned(), answer)
    };
    check(images, looked_up, expected);
}

fn smaller(images: &str, expected: Expect) {
    let answer = |book: &ImageBook, image: &ImageRef, platform: &Platform| {
        let names: Vec<String> = book.counterparts(image, platform).into_iter().map(|it| it.image.text).collect();
        names.join(", ")
    };
    check(images, answer, expected);
}

fn slim(images: &str, expected: Expect) {
    let answer = |book: &ImageBook, image: &ImageRef, _: &Platform| {
        book.slim_tag(image).map_or("-".to_owned(), |tag| image.with_tag(&tag))
    };
    check(images, answer, expected);
}

fn over(images: &str, today: &str, expected: Expect) {
    let today = Date::parse(today).expect("a day");
    let answer = |book: &ImageBook, image: &ImageRef, _: &Platform| match book.ended(image, today) {
        Some(it) => format!(
            "{} {}, then {}{} [{}]",
            it.name,
            it.date.map_or("some day".to_owned(), |date| date.to_string()),
            it.supported.as_deref().unwrap_or("nothing"),
            if it.lts { ", LTS goes on" } else { "" },
            image.tag.as_deref().and_then(|tag| tag.get(it.in_tag)).unwrap_or("out of the tag"),
        ),
        None => "-".to_owned(),
    };
    check(images, answer, expected);
}

#[test]
fn a_tag_of_the_table_has_its_own_figures() {
    figures(
        "
        node:22-bookworm-slim
        node:18
        python:3.12-slim
        debian:bookworm-slim
        gcr.io/distroless/nodejs22-debian13
        mcr.microsoft.com/dotnet/aspnet:8.0
        ",
        expect![[r#"
            node:22-bookworm-slim: pull 79.9 MB (75.9 MB to 83.9 MB, table), unpacked 227 MB (216 MB to 239 MB, table); table, 2026-07-14
            node:18: pull 395 MB (375 MB to 415 MB, table), unpacked about 1.1 GB (984 MB to 1.20 GB, relative); table, 2025-01-14
            python:3.12-slim: pull 43.2 MB (41.0 MB to 45.3 MB, table), unpacked about 120 MB (97.3 MB to 146 MB, relative); table, 2026-08-05
            debian:bookworm-slim: pull 28.2 MB (26.8 MB to 29.7 MB, table), unpacked about 74 MB (67.0 MB to 81.9 MB, relative); table, 2026-09-19
            gcr.io/distroless/nodejs22-debian13: pull about 55 MB (49.1 MB to 60.0 MB, relative), unpacked about 150 MB (137 MB to 168 MB, relative); table, 2026-11-20
            mcr.microsoft.com/dotnet/aspnet:8.0: pull 90.3 MB (85.8 MB to 94.9 MB, table), unpacked about 210 MB (193 MB to 236 MB, relative); table, 2026-08-10
        "#]],
    );
}

/// What articles say of Node 18, in MB: all unpacked, without saying so. Three lie within our bands. The slim one is of
/// 2022, when it was pulled as 79.3 MB (226 MB by the ratio of slim images); the last build of the tag, in 2025, as 68.2.
#[test]
fn the_figures_of_the_articles_are_unpacked_and_one_of_them_is_old() {
    let claims = [
        ("node:18", 1_100, true),
        ("node:18-slim", 240, false),
        ("node:18-alpine", 180, true),
        ("gcr.io/distroless/nodejs18-debian12", 120, true),
    ];
    for (name, claimed, holds) in claims {
        let image = ImageRef::parse(name).expect("an image");
        let facts = ImageBook::embedded().look_up(&image, &Platform::default()).expect("in the table");
        let (pull, unpacked) = (facts.pull.expect("a pull"), facts.unpacked.expect("unpacked bytes"));
        let claimed = Size(claimed * 1_000_000);
        assert_eq!((unpacked.low..=unpacked.high).contains(&claimed), holds, "{name}: {unpacked:?}");
        assert!(pull.high < claimed, "{name} is not pulled as {claimed}: {pull:?}");
    }
    figures(
        "
        node:18
        node:18-slim
        node:18-alpine
        gcr.io/distroless/nodejs18-debian12
        ",
        expect![[r#"
            node:18: pull 395 MB (375 MB to 415 MB, table), unpacked about 1.1 GB (984 MB to 1.20 GB, relative); table, 2025-01-14
            node:18-slim: pull 68.2 MB (68.2 MB to 68.2 MB, table), unpacked about 190 MB (184 MB to 204 MB, relative); table, 2025-05-20
            node:18-alpine: pull about 53 MB (45.1 MB to 61.0 MB, relative), unpacked about 160 MB (113 MB to 206 MB, relative); table, 2023-02
            gcr.io/distroless/nodejs18-debian12: pull about 42 MB (37.8 MB to 46.2 MB, relative), unpacked about 110 MB (103 MB to 126 MB, relative); table, 2026-11-20
        "#]],
    );
}

#[test]
fn a_tag_that_is_another_name_has_the_figures_of_that_image() {
    figures(
        "
        node
        node:20
        node:iron-bookworm
        python:3.12-bookworm
        ",
        expect![[r#"
            node: pull 442 MB (420 MB to 464 MB, table), unpacked about 1.2 GB (1.10 GB to 1.34 GB, relative); table, 2026-04-21
            node:20: pull about 400 MB (340 MB to 459 MB, relative), unpacked about 1.1 GB (890 MB to 1.33 GB, relative); as node:20-bookworm, table of 2026-08
            node:iron-bookworm: pull about 440 MB (276 MB to 707 MB, guess), unpacked about 1.2 GB (723 MB to 2.05 GB, guess); as node:bookworm, table of 2026-04-21
            python:3.12-bookworm: pull about 380 MB (323 MB to 437 MB, relative), unpacked about 960 MB (692 MB to 1.27 GB, relative); as python:3.11-bookworm, table of 2026-08
        "#]],
    );
}

#[test]
fn a_tag_that_is_missing_is_weighed_as_its_nearest_relative() {
    figures(
        "
        node:20.11.1
        node:20.11.1-bookworm-slim
        node:10-alpine
        golang:1.22-alpine3.19
        maven:3.9-eclipse-temurin-17
        python:3.7-stretch
        php:8.1-fpm-alpine
        postgres:15
        gcr.io/distroless/static:nonroot
        ",
        expect![[r#"
            node:20.11.1: pull about 400 MB (340 MB to 459 MB, relative), unpacked about 1.1 GB (890 MB to 1.33 GB, relative); as node:20-bookworm, table of 2026-08
            node:20.11.1-bookworm-slim: pull about 71 MB (60.7 MB to 82.1 MB, relative), unpacked about 200 MB (164 MB to 245 MB, relative); as node:20.20-bookworm-slim, table of 2026-02-23
            node:10-alpine: pull about 23 MB (19.3 MB to 26.1 MB, relative), unpacked about 68 MB (57.8 MB to 78.2 MB, relative); as node:9-alpine, table of 2018-01-11
            golang:1.22-alpine3.19: pull about 73 MB (62.3 MB to 84.3 MB, relative), unpacked about 240 MB (173 MB to 316 MB, relative); as golang:1.23-alpine, table of 2026-08
            maven:3.9-eclipse-temurin-17: pull about 240 MB (170 MB to 316 MB, relative), unpacked about 550 MB (280 MB to 827 MB, relative); as maven:3.9-eclipse-temurin-21, table of 2026-08-21
            python:3.7-stretch: pull about 350 MB (297 MB to 402 MB, relative), unpacked about 910 MB (774 MB to 1.05 GB, relative); as python:3.6-stretch, table of 2017-12-21
            php:8.1-fpm-alpine: pull about 39 MB (33.2 MB to 44.9 MB, relative), unpacked about 86 MB (62.4 MB to 114 MB, relative); as php:8.4-fpm-alpine, table of 2026-08-27
            postgres:15: pull about 160 MB (137 MB to 186 MB, relative), unpacked about 410 MB (297 MB to 544 MB, relative); as postgres:17, table of 2026-09-19
            gcr.io/distroless/static:nonroot: pull about 820 kB (693 kB to 937 kB, relative), unpacked about 2.3 MB (1.92 MB to 2.60 MB, relative); as gcr.io/distroless/static-debian13:nonroot, table of 2026-11-20
        "#]],
    );
}

#[test]
fn an_old_figure_of_a_tag_that_moved_on_tells_the_order_of_magnitude() {
    figures(
        "
        sonarqube
        wordpress:apache
        ubuntu:16.04
        ",
        expect![[r#"
            sonarqube: pull about 450 MB (227 MB to 907 MB, guess), unpacked about 930 MB (467 MB to 1.87 GB, guess); table, 2017-12-26
            wordpress:apache: pull about 140 MB (72.1 MB to 288 MB, guess), unpacked about 410 MB (204 MB to 814 MB, guess); table, 2018-01-18
            ubuntu:16.04: pull about 43 MB (36.4 MB to 49.3 MB, relative), unpacked about 110 MB (95.0 MB to 128 MB, relative); table, 2018-01-25
        "#]],
    );
}

#[test]
fn a_platform_that_is_missing_is_weighed_as_amd64() {
    figures(
        "
        --platform=linux/arm64 node:18
        --platform=linux/arm64 ruby:3.4-slim
        --platform=linux/s390x debian:bookworm
        --platform=windows/amd64 python:3.12
        arm64v8/node:18
        ",
        expect![[r#"
            --platform=linux/arm64 node:18: pull 386 MB (367 MB to 405 MB, table), unpacked about 1.1 GB (960 MB to 1.17 GB, relative); table, 2025-01-14
            --platform=linux/arm64 ruby:3.4-slim: pull about 85 MB (72.4 MB to 98.0 MB, relative), unpacked about 220 MB (157 MB to 288 MB, relative); as linux/amd64, table of 2026-09-17
            --platform=linux/s390x debian:bookworm: pull about 49 MB (41.2 MB to 55.8 MB, relative), unpacked about 120 MB (98.7 MB to 134 MB, relative); as linux/amd64, table of 2026-09-19
            --platform=windows/amd64 python:3.12: not known
            arm64v8/node:18: pull 386 MB (367 MB to 405 MB, table), unpacked about 1.1 GB (960 MB to 1.17 GB, relative); table, 2025-01-14
        "#]],
    );
}

#[test]
fn mirrors_hold_the_same_images() {
    figures(
        "
        mirror.gcr.io/library/node:18
        mirror.gcr.io/node:18
        public.ecr.aws/docker/library/node:18
        mcr.microsoft.com/mirror/docker/library/node:18
        docker.io/amd64/node:18
        ",
        expect![[r#"
            mirror.gcr.io/library/node:18: pull 395 MB (375 MB to 415 MB, table), unpacked about 1.1 GB (984 MB to 1.20 GB, relative); table, 2025-01-14
            mirror.gcr.io/node:18: pull 395 MB (375 MB to 415 MB, table), unpacked about 1.1 GB (984 MB to 1.20 GB, relative); table, 2025-01-14
            public.ecr.aws/docker/library/node:18: pull 395 MB (375 MB to 415 MB, table), unpacked about 1.1 GB (984 MB to 1.20 GB, relative); table, 2025-01-14
            mcr.microsoft.com/mirror/docker/library/node:18: pull 395 MB (375 MB to 415 MB, table), unpacked about 1.1 GB (984 MB to 1.20 GB, relative); table, 2025-01-14
            docker.io/amd64/node:18: pull 395 MB (375 MB to 415 MB, table), unpacked about 1.1 GB (984 MB to 1.20 GB, relative); table, 2025-01-14
        "#]],
    );
}

#[test]
fn what_no_table_knows_has_no_figure() {
    figures(
        "
        my.registry.example/node:18
        bitnami/node:18
        node@sha256:aaaa
        node:18@sha256:aaaa
        python:3.12-windowsservercore
        ",
        expect![[r#"
            my.registry.example/node:18: not known
            bitnami/node:18: not known
            node@sha256:aaaa: not known
            node:18@sha256:aaaa: pull about 400 MB (336 MB to 455 MB, relative), unpacked about 1.1 GB (880 MB to 1.32 GB, relative); as the tag, table of 2025-01-14
            python:3.12-windowsservercore: not known
        "#]],
    );
}

#[test]
fn the_slim_tag_is_of_the_same_version_and_suite() {
    slim(
        "
        node
        node:latest
        node:20
        node:20-bookworm
        node:20.11.1
        node:lts
        node:20-slim
        node:20-alpine
        python:3.11
        python:3.11-bookworm
        python:3.11.4-bullseye
        ruby:3.3-bookworm
        debian:bookworm
        debian:12
        debian
        mirror.gcr.io/library/node:20
        node:20@sha256:aaaa
        node:99
        php:8.2
        golang:1.22
        ubuntu:22.04
        ",
        expect![[r#"
            node: node:slim
            node:latest: node:slim
            node:20: node:20-slim
            node:20-bookworm: node:20-bookworm-slim
            node:20.11.1: node:20.11.1-slim
            node:lts: node:lts-slim
            node:20-slim: -
            node:20-alpine: -
            python:3.11: python:3.11-slim
            python:3.11-bookworm: python:3.11-slim-bookworm
            python:3.11.4-bullseye: python:3.11.4-slim-bullseye
            ruby:3.3-bookworm: ruby:3.3-slim-bookworm
            debian:bookworm: debian:bookworm-slim
            debian:12: debian:12-slim
            debian: -
            mirror.gcr.io/library/node:20: mirror.gcr.io/library/node:20-slim
            node:20@sha256:aaaa: node:20-slim
            node:99: -
            php:8.2: -
            golang:1.22: -
            ubuntu:22.04: -
        "#]],
    );
}

#[test]
fn counterparts_are_smaller_and_of_the_same_version() {
    smaller(
        "
        node
        node:20
        node:22
        node:22-slim
        node:18-bookworm
        python:3.11-bookworm
        python:3.12
        public.ecr.aws/docker/library/python:3.12
        debian:bookworm
        golang:1.22
        nginx:1.25
        eclipse-temurin:21
        maven:3.9-eclipse-temurin-21
        mcr.microsoft.com/dotnet/sdk:8.0
        mcr.microsoft.com/dotnet/aspnet:8.0
        php:8.2-fpm
        alpine
        scratch
        ",
        expect![[r#"
            node: node:slim, node:alpine
            node:20: node:20-slim, node:20-alpine
            node:22: node:22-slim, gcr.io/distroless/nodejs22-debian13, node:22-alpine
            node:22-slim: gcr.io/distroless/nodejs22-debian13, node:22-alpine
            node:18-bookworm: node:18-bookworm-slim, node:18-alpine
            python:3.11-bookworm: python:3.11-slim-bookworm, gcr.io/distroless/python3-debian13, python:3.11-alpine
            python:3.12: python:3.12-slim, gcr.io/distroless/python3-debian13, python:3.12-alpine
            public.ecr.aws/docker/library/python:3.12: public.ecr.aws/docker/library/python:3.12-slim, gcr.io/distroless/python3-debian13, public.ecr.aws/docker/library/python:3.12-alpine
            debian:bookworm: debian:bookworm-slim
            golang:1.22: gcr.io/distroless/base-debian13, golang:1.22-alpine, gcr.io/distroless/static-debian13
            nginx:1.25: nginx:1.25-alpine, nginx:1.25-alpine-slim
            eclipse-temurin:21: eclipse-temurin:21-jre, eclipse-temurin:21-jre-alpine
            maven:3.9-eclipse-temurin-21: eclipse-temurin:21-jre
            mcr.microsoft.com/dotnet/sdk:8.0: mcr.microsoft.com/dotnet/aspnet:8.0
            mcr.microsoft.com/dotnet/aspnet:8.0: mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled, mcr.microsoft.com/dotnet/aspnet:8.0-alpine
            php:8.2-fpm: php:8.2-fpm-alpine
            alpine: 
            scratch: 
        "#]],
    );
}

#[test]
fn versions_and_distributions_end() {
    over(
        "
        node:18-slim
        node:20.11.1-bookworm
        node:22
        node:21
        node
        node:lts
        python:3.6-slim
        python:3.12-slim-buster
        python:3.12-slim
        golang:1.20-alpine3.17
        ruby:2.7
        php:8.2-apache
        debian:10
        debian:buster-slim
        debian:12
        debian:bullseye-slim
        ubuntu:18.04
        ubuntu:focal
        ubuntu:24.04
        alpine:3.14.2
        alpine
        centos:7
        mcr.microsoft.com/dotnet/aspnet:6.0-alpine
        mcr.microsoft.com/dotnet/core/aspnet:3.1-buster-slim
        eclipse-temurin:20-jre
        amazoncorretto:8
        rust:1.70-buster
        registry.access.redhat.com/ubi8/ubi:8.4
        bitnami/node:12
        node:12@sha256:aaaa
        node@sha256:aaaa
        ",
        "2026-11-21",
        expect![[r#"
            node:18-slim: Node.js 18 2025-04-30, then 22 [18]
            node:20.11.1-bookworm: Node.js 20 2026-04-30, then 22 [20.11.1]
            node:22: -
            node:21: Node.js 21 2024-06-01, then 22 [21]
            node: -
            node:lts: -
            python:3.6-slim: Python 3.6 2021-12-23, then 3.11 [3.6]
            python:3.12-slim-buster: Debian 10 (buster) 2024-06-30, then 13 [buster]
            python:3.12-slim: -
            golang:1.20-alpine3.17: Go 1.20 2024-02-06, then 1.26 [1.20]
            ruby:2.7: Ruby 2.7 2023-03-31, then 3.3 [2.7]
            php:8.2-apache: -
            debian:10: Debian 10 (buster) 2024-06-30, then 13 [10]
            debian:buster-slim: Debian 10 (buster) 2024-06-30, then 13 [buster]
            debian:12: Debian 12 (bookworm) 2026-07-11, then 13, LTS goes on [12]
            debian:bullseye-slim: Debian 11 (bullseye) 2026-08-31, then 13 [bullseye]
            ubuntu:18.04: Ubuntu 18.04 (bionic) 2023-05-31, then 22.04 [18.04]
            ubuntu:focal: Ubuntu 20.04 (focal) 2025-05-29, then 22.04 [focal]
            ubuntu:24.04: -
            alpine:3.14.2: Alpine 3.14 2023-05-01, then 3.22 [3.14.2]
            alpine: -
            centos:7: CentOS 7 2024-06-30, then nothing [7]
            mcr.microsoft.com/dotnet/aspnet:6.0-alpine: .NET 6 2024-11-12, then 10 [6.0]
            mcr.microsoft.com/dotnet/core/aspnet:3.1-buster-slim: .NET 3.1 2022-12-13, then 10 [3.1]
            eclipse-temurin:20-jre: Eclipse Temurin 20 2023-09-19, then 21 [20]
            amazoncorretto:8: -
            rust:1.70-buster: Debian 10 (buster) 2024-06-30, then 13 [buster]
            registry.access.redhat.com/ubi8/ubi:8.4: -
            bitnami/node:12: -
            node:12@sha256:aaaa: Node.js 12 2022-04-30, then 22 [12]
            node@sha256:aaaa: -
        "#]],
    );
}

#[test]
fn an_end_that_was_planned_when_the_table_was_made_may_slip() {
    over(
        "python:3.10-bookworm",
        "2026-10-31",
        expect![[r#"
        python:3.10-bookworm: Debian 12 (bookworm) 2026-07-11, then 13, LTS goes on [bookworm]
    "#]],
    );
    over(
        "python:3.10-bookworm",
        "2026-11-21",
        expect![[r#"
        python:3.10-bookworm: Debian 12 (bookworm) 2026-07-11, then 13, LTS goes on [bookworm]
    "#]],
    );
    over(
        "python:3.10-bookworm",
        "2026-12-01",
        expect![[r#"
        python:3.10-bookworm: Python 3.10 2026-10-31, then 3.11 [3.10]
    "#]],
    );
}

#[test]
fn traits_follow_the_words_of_the_tag() {
    let answer = |book: &ImageBook, image: &ImageRef, _: &Platform| match book.traits(image) {
        Some(it) => format!(
            "{}, {}, {}, shell {}, {}, {}",
            it.distro,
            it.libc,
            it.package_manager,
            it.has_shell,
            it.default_user.as_deref().unwrap_or("?"),
            it.runtime.as_deref().unwrap_or("-"),
        ),
        None => "-".to_owned(),
    };
    check(
        "
        node:20
        node:20-alpine3.18
        node@sha256:aaaa
        mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled
        gcr.io/distroless/static-debian12:nonroot
        busybox:musl
        centos:centos7
        oven/bun:1-slim
        example.com/unknown
        ",
        answer,
        expect![[r#"
            node:20: debian, glibc, apt, shell true, root, node
            node:20-alpine3.18: alpine, musl, apk, shell true, root, node
            node@sha256:aaaa: -
            mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled: ubuntu/azurelinux, glibc, none, shell false, 1654, dotnet
            gcr.io/distroless/static-debian12:nonroot: debian12, none, none, shell false, 65532, -
            busybox:musl: busybox, musl, none, shell true, root, -
            centos:centos7: centos, glibc, yum, shell true, root, -
            oven/bun:1-slim: debian, glibc, apt, shell true, root, bun
            example.com/unknown: -
        "#]],
    );
}

#[test]
fn a_full_language_image_brings_compilers_and_a_slim_one_does_not() {
    let brings = |image: &str, package: &str| {
        let image = ImageRef::parse(image).expect("a reference");
        ImageBook::embedded().traits(&image).is_some_and(|traits| traits.packages.iter().any(|it| it == package))
    };
    assert!(brings("node:20", "g++") && brings("python:3.12-bookworm", "git") && brings("golang:1.22", "make"));
    assert!(!brings("node:20-slim", "g++") && !brings("golang:1.22", "imagemagick") && !brings("debian:12", "curl"));
}

/// All questions that can be asked of a table.
fn ask(table: Table, image: &ImageRef, platform: &Platform) {
    figures::of(table, image, platform);
    kinds::of(table, image);
    counterparts::of(table, image, platform);
    counterparts::slim_tag(table, image);
    ended::of(table, image, Date { year: 2026, month: 11, day: 21 });
}

#[test]
fn any_reference_has_an_answer() {
    arbtest::arbtest(|u| {
        let repository = *u.choose(&["node", "python", "debian", "arm64v8/ruby", "gcr.io/distroless/static", "x/y"])?;
        let words =
            ["1", "3.11", "v2", "slim", "alpine", "alpine3.", "-", "8u1", "99999999999", "bookworm", "é", "jdk17"];
        let mut tag = String::new();
        for _ in 0..u.arbitrary_len::<u8>()?.min(6) {
            tag.push_str(u.choose(&words)?);
            tag.push_str(u.choose(&["-", ".", ""])?);
        }
        if u.arbitrary()? {
            tag = u.arbitrary()?;
        }
        let platform = Platform { os: "linux".to_owned(), arch: u.arbitrary()?, variant: None };
        let text = format!("{repository}:{tag}");
        // Also references that do not parse: the fields may be filled by other means.
        let image = ImageRef::parse(&text).unwrap_or(ImageRef {
            text,
            registry: "docker.io".to_owned(),
            path: format!("library/{repository}"),
            tag: Some(tag),
            digest: None,
        });
        ask(TABLE, &image, &platform);
        Ok(())
    });
}

#[test]
fn a_table_that_is_cut_or_wrong_gives_no_panic() {
    let whole: &[u8] = include_bytes!("../../data/images.bin");
    let image = ImageRef::parse("node:20.11.1-bookworm").expect("a reference");
    let ask = |bytes: &[u8]| ask(Table::new(bytes), &image, &Platform::default());
    for len in (0..700).chain([whole.len() / 2, whole.len() - 1]) {
        ask(&whole[..len]);
    }
    arbtest::arbtest(|u| {
        let mut bytes = whole.to_vec();
        for _ in 0..u.int_in_range(1..=40)? {
            let at = if u.arbitrary()? { u.int_in_range(0..=700)? } else { u.int_in_range(0..=whole.len() - 1)? };
            bytes[at] = u.arbitrary()?;
        }
        ask(&bytes);
        Ok(())
    });
}
