//! What `files-stored-twice` finds, leaves alone and offers.

use super::RULE;
use crate::fixture::{analyse, check, check_fix, check_no_fix, findings, parse};
use crate::rules::Safety;

fn check_silent(body: &str) {
    check(&RULE, &format!("FROM debian:12\n{body}\nCMD [\"a\"]\n"));
}

#[test]
fn a_change_of_owner_stores_all_of_it_again() {
    check(
        &RULE,
        "FROM debian:12\n\
         COPY . /app\n\
         COPY lib.jar /lib/x.jar\n\
         RUN chown -R app:app /app\n\
         #   ^^^^^^^^^^^^^^^^^^^^^ `/app` is stored a second time, since a layer holds whole files\n\
         RUN echo a && sh -c 'touch /lib/x.jar'\n\
         #                    ^^^^^^^^^^^^^^^^ `/lib/x.jar` is stored a second time\n\
         RUN mv /app /srv/app\n\
         #   ^^^^^^^^^^^^^^^^ `/app` is stored a second time\n\
         CMD [\"a\"]\n",
    );
}

#[test]
fn the_files_are_counted_in_the_context() {
    let text = "FROM debian:12\n\
                COPY . /app/\n\
                RUN chmod -R g+w /app\n\
                #   ^^^^^^^^^^^^^^^^^ whole files (10 B)\n\
                CMD [\"a\"]\n\
                #- plimsoll.toml\nsize.minimum-saving = 5\n\
                #- a.js\n1234\n#- b/c.js\n1234\n";
    check(&RULE, text);
    check(&RULE, "FROM debian:12\nCOPY . /app/\nRUN chown -R a:a /app\nCMD [\"a\"]\n#- a.js\n1234\n");
}

#[test]
fn what_a_run_made_is_stored_again_by_the_next() {
    let text = "FROM debian:12\nRUN git clone --depth 1 https://x.org/a.git /srv/a\nRUN chown -R www-data /srv/a\n\
                #   ^^^^^^^^^^^^^^^^^^^^^^^^\nCMD [\"a\"]\n";
    check(&RULE, text);
    let analysis = analyse(&parse(text));
    assert_eq!(findings(&analysis, &RULE)[0].assists, ["merge-runs"]);
}

#[test]
fn what_the_same_run_made_is_stored_once() {
    check_silent("RUN git clone --depth 1 https://x.org/a.git /srv/a && chown -R www-data /srv/a");
}

#[test]
fn what_the_same_run_made_anew_is_not_told_apart() {
    check_silent(
        "RUN git clone --depth 1 https://x.org/a.git /srv/a\nRUN cd /srv/a && make && mv /srv/a/app /srv/app && chown -R a:a /srv/a/x",
    );
}

#[test]
fn nobody_knows_where_an_unknown_directory_lies() {
    check_silent("RUN useradd a\nCOPY . /app\nRUN cd \"$(mktemp -d)\" && tar xf /b.tar && chown -R a:a .");
}

#[test]
fn an_empty_directory_weighs_nothing() {
    check_silent("RUN mkdir -p /data /app\nRUN chown -R a:a /data /app");
    check_silent("WORKDIR /app\nRUN chown -R a:a /app\nCOPY . .");
}

#[test]
fn files_that_have_that_owner_already_were_meant_to() {
    check_silent("COPY --chown=a:b . /app\nRUN chown -R a:b /app");
    check(
        &RULE,
        "FROM debian:12\nCOPY --chown=a:b . /app\nRUN chown -R c:d /app\n#   ^^^^^^^^^^^^^^^^^\nCMD [\"a\"]\n",
    );
}

#[test]
fn files_of_another_owner_than_the_one_asked_for_stay_where_they_are() {
    check_silent("COPY --chown=1000:1000 . /app\nRUN useradd -u 1000 a && chown --from root:root -R a:a /app");
    check_silent("COPY --chown=1000:1000 . /app\nRUN chown -R --from=0 a:a /app");
}

#[test]
fn a_script_or_a_configuration_is_small() {
    check_silent("COPY entrypoint.sh /\nRUN chmod +x /entrypoint.sh");
    check_silent("COPY docker-entrypoint /usr/local/bin/\nRUN chmod +x /usr/local/bin/docker-entrypoint");
    check_silent("COPY conf /etc/nginx\nRUN chown -R nginx /etc/nginx");
    check_silent("COPY scripts /scripts\nRUN chmod -R +x /scripts");
    check_silent("COPY a.conf /tmp/\nRUN mv /tmp/a.conf /etc/");
}

#[test]
fn directories_that_the_application_writes_to_are_nearly_empty() {
    check_silent("WORKDIR /rails\nCOPY . .\nRUN useradd rails && chown -R rails:rails db log storage tmp");
}

#[test]
fn a_mount_or_a_volume_is_in_no_layer() {
    check_silent("COPY . /app\nRUN --mount=type=tmpfs,target=/app chown -R a:a /app");
    check_silent("COPY . /app\nVOLUME /app\nRUN chown -R a:a /app");
}

#[test]
fn a_link_itself_has_no_content() {
    check_silent("COPY . /app\nRUN chown -Rh a:a /srv && chown -h a:a /app");
}

#[test]
fn what_may_not_run_is_no_change() {
    check_silent("COPY . /app\nRUN if x; then chown -R a:a /app; fi");
}

#[test]
fn a_builder_is_not_shipped() {
    check(
        &RULE,
        "FROM debian:12 AS b\nCOPY . /app\nRUN chown -R a:a /app\nFROM debian:12\nCOPY --from=b /c /c\nCMD /c\n",
    );
}

#[test]
fn the_copy_gives_the_owner() {
    check_fix(
        &RULE,
        Safety::Review,
        "FROM debian:12\nRUN useradd app\nCOPY lib /app/lib\nCOPY bin /app/bin/\nRUN chown -R app /app && ls /app\nCMD [\"a\"]\n",
        "FROM debian:12\nRUN useradd app\nCOPY --chown=app:0 lib /app/lib\nCOPY --chown=app:0 bin /app/bin/\nRUN ls /app\nCMD [\"a\"]\n",
    );
}

#[test]
fn a_directory_that_is_there_keeps_its_own_chown() {
    check_fix(
        &RULE,
        Safety::Review,
        "FROM debian:12\nWORKDIR /app\nCOPY . .\nRUN chown -R 1000:1000 .\nCMD [\"a\"]\n",
        "FROM debian:12\nWORKDIR /app\nCOPY --chown=1000:1000 . .\nRUN chown 1000:1000 .\nCMD [\"a\"]\n",
    );
}

#[test]
fn variables_of_the_file_are_kept() {
    check_fix(
        &RULE,
        Safety::Review,
        "FROM debian:12\nARG U=app\nCOPY . /app\nRUN chown -R $U:${U} /app\nCMD [\"a\"]\n",
        "FROM debian:12\nARG U=app\nCOPY --chown=$U:${U} . /app\nCMD [\"a\"]\n",
    );
}

#[test]
fn the_copy_gives_the_mode_of_a_file() {
    check_fix(
        &RULE,
        Safety::Review,
        "FROM debian:12\nCOPY app.jar /srv/\nRUN chmod 644 /srv/app.jar\nCMD [\"a\"]\n",
        "FROM debian:12\nCOPY --chmod=644 app.jar /srv/\nCMD [\"a\"]\n",
    );
    check_no_fix(&RULE, "FROM debian:12\nCOPY . /app\nRUN chmod -R 755 /app\nCMD [\"a\"]\n");
}

#[test]
fn what_is_not_the_same_is_not_offered() {
    for body in [
        "COPY . /app\nRUN npm --prefix /app ci\nRUN chown -R a:a /app",
        "COPY . /app\nRUN useradd a && chown -R a:a /app",
        "WORKDIR /app\nRUN npm ci\nCOPY . .\nRUN chown -R a:a /app",
        "COPY . /app\nUSER a\nRUN chown -R a:a /app",
        "COPY . /app\nRUN chown -R $(id -u):0 /app",
        "WORKDIR /app/sub\nCOPY . /app\nRUN chown -R a:a /app",
        "COPY --chown=b:b . /app\nRUN chown -R a:a /app",
    ] {
        check_no_fix(&RULE, &format!("FROM debian:12\n{body}\nCMD [\"a\"]\n"));
    }
}
