//! What `cleanup-in-later-layer` finds, leaves alone and offers.

use super::RULE;
use crate::fixture::{analyse, check, check_fix, check_no_fix, findings, parse};
use crate::rules::{Safety, Severity};

fn check_silent(body: &str) {
    check(&RULE, &format!("FROM debian:12\nWORKDIR /app\n{body}\nCMD [\"a\"]\n"));
}

#[test]
fn the_lists_stay_in_the_layer_of_the_update() {
    let text = "FROM debian:12\n\
                RUN apt-get update\n\
                RUN apt-get install -y curl\n\
                RUN rm -rf /var/lib/apt/lists/*\n\
                #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^ the package lists stay in the earlier layer that fetched them (about 20 MB)\n\
                CMD [\"a\"]\n";
    check(&RULE, text);
    let analysis = analyse(&parse(text));
    let found = findings(&analysis, &RULE);
    assert_eq!(found[0].assists, ["merge-runs"]);
    let related = found[0].related.iter().map(|it| &analysis.file.text[it.range]);
    assert_eq!(related.collect::<Vec<_>>(), ["apt-get update"]);
    assert!(analysis.shown().all(|finding| finding.id() != "apt-lists-left"), "one finding a cause");
}

#[test]
fn packages_stay_in_the_layer_of_the_install() {
    check(
        &RULE,
        "FROM alpine:3.20\n\
         RUN apk add --no-cache --virtual .deps gcc\n\
         RUN make\n\
         RUN apk del .deps\n\
         #   ^^^^^^^^^^^^^ these packages stay\n\
         CMD [\"a\"]\n",
    );
    check(
        &RULE,
        "FROM debian:12\n\
         ENV DEPS=\"gcc make\"\n\
         RUN apt-get update && apt-get install -y $DEPS && rm -rf /var/lib/apt/lists/*\n\
         RUN make && apt-get purge -y --auto-remove $DEPS\n\
         #           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ these packages stay\n\
         CMD [\"a\"]\n",
    );
}

#[test]
fn a_copied_or_fetched_file_stays_in_its_layer() {
    let text = "FROM debian:12\n\
         COPY big.tar.gz /tmp/\n\
         RUN curl -o /tmp/more.zip https://example.com/more.zip\n\
         RUN tar xf /tmp/big.tar.gz && rm /tmp/big.tar.gz\n\
         #                             ^^^^^^^^^^^^^^^^^^ `/tmp/big.tar.gz` stays in the earlier layer\n\
         RUN rm -rf /tmp/*\n\
         #   ^^^^^^^^^^^^^ `/tmp/more.zip` stays\n\
         CMD [\"a\"]\n";
    check(&RULE, text);
    let assists: Vec<_> = findings(&analyse(&parse(text)), &RULE).iter().map(|it| it.assists.clone()).collect();
    assert_eq!(assists, [["multi-stage"], ["merge-runs"]]);
}

#[test]
fn a_small_file_is_not_worth_a_word() {
    check_silent("COPY install.sh /tmp/\nRUN /tmp/install.sh && rm /tmp/install.sh");
    check(&RULE, "FROM debian:12\nCOPY big /tmp/big\nRUN rm /tmp/big\nCMD [\"a\"]\n#- big\nnot so big\n");
}

#[test]
fn caches_and_modules_for_development_stay() {
    check(
        &RULE,
        "FROM node:22-slim\n\
         RUN npm ci\n\
         RUN npm run build && npm prune --omit=dev\n\
         #                    ^^^^^^^^^^^^^^^^^^^^ what this takes away stays\n\
         RUN npm cache clean --force\n\
         #   ^^^^^^^^^^^^^^^^^^^^^^^ npm's cache of downloads stays in the earlier layer that fetched it\n\
         CMD [\"a\"]\n",
    );
}

#[test]
fn a_layer_may_delete_what_it_made() {
    check_silent("RUN curl -o /tmp/a https://b.c/a && rm /tmp/a");
    check_silent("RUN apt-get update && apt-get install -y gcc && apt-get purge -y gcc && rm -rf /var/lib/apt/lists/*");
}

#[test]
fn an_update_of_its_own_makes_its_own_lists() {
    check_silent(
        "RUN apt-get update && apt-get install -y a\n\
         RUN apt-get update && apt-get install -y b && rm -rf /var/lib/apt/lists/*",
    );
}

#[test]
fn what_was_mounted_is_in_no_layer() {
    check_silent("RUN --mount=type=cache,target=/var/lib/apt apt-get update\nRUN rm -rf /var/lib/apt/lists/*");
    check_silent("RUN --mount=type=tmpfs,target=/tmp curl -o /tmp/a https://b.c/a\nRUN rm -rf /tmp/*");
}

#[test]
fn a_cloned_directory_stays_in_its_layer() {
    check(
        &RULE,
        "FROM debian:12\nRUN git clone --depth 1 https://x.org/a.git /src && make -C /src\nRUN rm -rf /src\n\
         #   ^^^^^^^^^^^ `/src` stays in the earlier layer\nCMD [\"a\"]\n",
    );
}

#[test]
fn documentation_of_the_image_is_not_freed() {
    let text = "FROM debian:12\nRUN rm -rf /usr/share/doc/* /usr/share/man\nCMD [\"a\"]\n";
    let analysis = analyse(&parse(text));
    let found = findings(&analysis, &RULE);
    assert_eq!(found.iter().map(|it| it.severity).collect::<Vec<_>>(), [Severity::Hint]);
    check_silent("RUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/* /usr/share/doc/*");
    check_silent(
        "RUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/* && rm -rf /usr/share/doc/*",
    );
}

#[test]
fn an_archive_that_is_unpacked_and_deleted_need_not_be_stored() {
    check_fix(
        &RULE,
        Safety::Review,
        "FROM debian:12\nCOPY app.tar.gz /tmp/\nRUN tar -xzf /tmp/app.tar.gz -C /opt && rm /tmp/app.tar.gz\nCMD [\"a\"]\n",
        "FROM debian:12\nADD app.tar.gz /opt/\nCMD [\"a\"]\n",
    );
    check_fix(
        &RULE,
        Safety::Review,
        "FROM debian:12\nCOPY a.zip /tmp/a.zip\nRUN unzip /tmp/a.zip -d /opt \\\n && rm -f /tmp/a.zip \\\n && ls /opt\nCMD [\"a\"]\n",
        "FROM debian:12\nRUN --mount=type=bind,source=a.zip,target=/tmp/a.zip unzip /tmp/a.zip -d /opt \\\n && ls /opt\nCMD [\"a\"]\n",
    );
    let several = "FROM debian:12\nCOPY a.zip /tmp/a.zip\nRUN unzip /tmp/a.zip && rm -rf /tmp/*\nCMD [\"a\"]\n";
    check_no_fix(&RULE, several);
}

#[test]
fn what_no_instruction_made_may_be_of_the_base_image() {
    check_silent("RUN rm -rf /usr/share/doc/* /var/lib/apt/lists/* /tmp/*");
    check_silent("RUN apt-get purge -y perl");
}

#[test]
fn official_images_drop_archives_by_themselves() {
    check_silent("RUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*\nRUN apt-get clean");
}

#[test]
fn a_deleted_secret_is_another_matter() {
    check_silent("COPY id_rsa /root/.ssh/id_rsa\nRUN git clone a@b:c && rm /root/.ssh/id_rsa");
    check_silent("COPY .npmrc .\nRUN npm ci && npm cache clean --force && rm .npmrc");
}

#[test]
fn a_path_with_an_unknown_variable_is_not_known() {
    check_silent("ARG DIR\nRUN curl -o /tmp/a https://b.c/a\nRUN rm -rf $DIR");
}

#[test]
fn a_deletion_that_may_not_run_is_no_deletion() {
    check_silent("COPY a /tmp/a\nRUN if b; then rm /tmp/a; fi");
}

#[test]
fn a_part_of_a_directory_may_be_anybodys() {
    check_silent("COPY . .\nRUN make && rm -rf /app/build");
}

#[test]
fn a_builder_is_not_shipped() {
    check(&RULE, "FROM debian:12 AS b\nCOPY a /a\nRUN rm /a\nFROM debian:12\nCOPY --from=b /c /c\nCMD /c\n");
}
