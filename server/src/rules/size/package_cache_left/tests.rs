//! What `package-cache-left` finds, manager by manager, and what keeps it silent.

use super::RULE;
use crate::fixture::{check, check_fix, check_no_fix};
use crate::rules::Safety;

fn check_silent(image: &str, run: &str) {
    check(&RULE, &format!("FROM {image}\n{run}\nCMD [\"/srv/a\"]\n"));
}

fn check_fixed(image: &str, before: &str, after: &str) {
    let file = |run: &str| format!("FROM {image}\nRUN {run}\nCMD [\"/srv/a\"]\n");
    check_fix(&RULE, Safety::Safe, &file(before), &file(after));
}

#[test]
fn managers_of_scripts_keep_their_archives() {
    check(
        &RULE,
        "FROM debian:12\n\
         RUN yarn install --frozen-lockfile\n\
         #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Yarn's cache of downloads stays in this layer\n\
         RUN conda install -y numpy\n\
         #   ^^^^^^^^^^^^^^^^^^^^^^ conda's archives stay\n\
         RUN gem install rails\n\
         #   ^^^^^^^^^^^^^^^^^ the archives of the gems stay\n\
         RUN bundle install\n\
         #   ^^^^^^^^^^^^^^ the archives of the gems stay\n\
         RUN composer install --no-dev\n\
         #   ^^^^^^^^^^^^^^^^^^^^^^^^^ Composer's cache stays\n\
         RUN poetry install\n\
         #   ^^^^^^^^^^^^^^ Poetry's cache\n\
         RUN pipenv install --system\n\
         #   ^^^^^^^^^^^^^^^^^^^^^^^ pipenv's cache\n\
         CMD [\"/srv/a\"]\n",
    );
}

#[test]
fn build_tools_keep_their_downloads() {
    check(
        &RULE,
        "FROM debian:12\n\
         RUN go install example.com/a@v1\n\
         #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^ go's downloads and build cache stay\n\
         RUN cargo install a\n\
         #   ^^^^^^^^^^^^^^^ cargo's downloads stay\n\
         RUN mvn -B package\n\
         #   ^^^^^^^^^^^^^^ Maven's repository stays\n\
         RUN ./gradlew build\n\
         #   ^^^^^^^^^^^^^^^ Gradle's cache stays\n\
         RUN dotnet publish -c Release\n\
         #   ^^^^^^^^^^^^^^^^^^^^^^^^^ NuGet's packages stay\n\
         CMD [\"/srv/a\"]\n",
    );
}

#[test]
fn a_cache_that_is_cleaned_or_removed_in_the_same_layer_is_not_in_it() {
    check_silent("node:22-slim", "RUN yarn install && yarn cache clean");
    check_silent("node:22-slim", "RUN yarn install && rm -rf /usr/local/share/.cache");
    check_silent("node:22-slim", "RUN yarn install --cache-folder /tmp/yarn && rm -rf /tmp/*");
    check_silent("debian:12", "RUN conda install -y a && conda clean --yes --all");
    check_silent("debian:12", "RUN conda install -y a && rm -rf /root/miniconda3/pkgs/*");
    check_silent("ruby:3.4", "RUN bundle install && rm -rf ~/.bundle/ /usr/local/bundle/ruby/*/cache");
    check_silent("ruby:3.4", "RUN gem install a && rm -rf /usr/local/bundle/cache/*.gem");
    check_silent("php:8.3-cli", "RUN composer install && composer clear-cache");
    check_silent("python:3.12", "RUN poetry install && rm -rf ~/.cache/pypoetry");
    check_silent("python:3.12", "RUN pipenv install && rm -rf ~/.cache");
    check_silent("debian:12", "RUN go build -o /a . && go clean -cache -modcache");
    check_silent("debian:12", "RUN mvn package && rm -rf ~/.m2");
    check_silent("debian:12", "RUN dotnet publish && dotnet nuget locals all --clear");
}

#[test]
fn a_mount_keeps_it_out_of_the_layer() {
    check_silent("node:22-slim", "RUN --mount=type=cache,target=/usr/local/share/.cache/yarn yarn install");
    check_silent("node:22-slim", "RUN --mount=type=cache,target=/root/.cache yarn install");
    check_silent("debian:12", "RUN --mount=type=cache,target=/opt/conda/pkgs conda install -y a");
    check_silent("debian:12", "RUN --mount=type=cache,target=/root/.m2 mvn package");
    check_silent("debian:12", "RUN --mount=type=cache,target=/go/pkg/mod go build -o /a .");
}

#[test]
fn options_and_variables_switch_it_off_or_move_it() {
    check_silent("php:8.3-cli", "RUN composer install --no-cache");
    check_silent("php:8.3-cli", "ENV COMPOSER_CACHE_DIR=/dev/null\nRUN composer install");
    check_silent("php:8.3-cli", "ENV COMPOSER_HOME=/tmp\nRUN composer install && rm -rf /tmp/*");
    check_silent("python:3.12", "RUN poetry install --no-cache");
    check_silent("python:3.12", "ENV PIPENV_CACHE_DIR=/dev/shm/pipenv\nRUN pipenv install");
    check_silent("python:3.12", "RUN --mount=type=cache,target=/c PIPENV_CACHE_DIR=/c pipenv install");
    check_silent("node:22-slim", "RUN yarn config set cache-folder /tmp/x && yarn install");
    check_no_fix(&RULE, "FROM node:22-slim\nENV YARN_CACHE_FOLDER=/y\nRUN yarn install\nCMD [\"/srv/a\"]\n");
}

#[test]
fn links_into_the_project_weigh_nothing() {
    check_silent("node:22-slim", "RUN pnpm install --frozen-lockfile");
    check_silent("oven/bun:1", "RUN bun install");
    check_silent("python:3.12", "RUN uv sync --frozen && uv pip install a");
    check(
        &RULE,
        "FROM python:3.12-slim\n\
         ENV UV_LINK_MODE=copy\n\
         RUN uv sync --frozen\n\
         #   ^^^^^^^^^^^^^^^^ uv's cache stays\n\
         RUN UV_NO_CACHE=1 uv sync\n\
         RUN pnpm install --package-import-method copy\n\
         #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ pnpm's store stays\n\
         CMD [\"python\", \"a.py\"]\n",
    );
}

#[test]
fn yarn_of_today_keeps_its_cache_elsewhere() {
    check_silent("node:22-slim", "RUN yarn install --immutable");
    check_silent("node:22-slim", "RUN corepack enable\nRUN yarn install");
    check_silent("node:22-slim", "COPY .yarnrc.yml ./\nRUN yarn install");
    check(
        &RULE,
        "FROM node:22-slim\nRUN yarn install\nCMD [\"/srv/a\"]\n#- package.json\n{\"packageManager\": \"yarn@4.1.0\"}\n",
    );
}

#[test]
fn an_image_to_build_in_needs_what_a_build_fetched() {
    check(&RULE, "FROM golang:1.26\nRUN go mod download\n");
    check(&RULE, "FROM golang:1.26\nRUN go mod download\nCMD [\"go\", \"run\", \".\"]\n");
    check(&RULE, "FROM maven:3.9\nRUN mvn dependency:go-offline\nCMD [\"mvn\", \"spring-boot:run\"]\n");
    check(&RULE, "FROM golang:1.26\nRUN go install a@v1\nCMD [\"bash\"]\n");
    check(&RULE, "FROM golang:1.26\nRUN go install a@v1\nENTRYPOINT [\"/entry.sh\"]\n");
}

#[test]
fn a_builder_is_not_shipped() {
    check(
        &RULE,
        "FROM node:22 AS b\nRUN yarn install\nFROM node:22-slim\nCOPY --from=b /a /a\nCMD [\"node\", \"a.js\"]\n",
    );
}

#[test]
fn what_fetches_nothing_leaves_nothing() {
    check_silent("node:22-slim", "RUN yarn build && yarn --version && yarn install --offline");
    check_silent("debian:12", "RUN go version && cargo --version && mvn -v && gem list && bundle exec a");
    check_silent("debian:12", "RUN dotnet publish --no-restore");
}

#[test]
fn bundler_itself_is_a_small_archive() {
    check_silent("ruby:3.4", "RUN gem update --system && gem install bundler -v 2.5.1");
}

#[test]
fn one_finding_a_run_and_manager() {
    check(
        &RULE,
        "FROM node:22-slim\n\
         RUN yarn global add a && yarn install\n\
         #   ^^^^^^^^^^^^^^^^^ Yarn's cache\n\
         CMD [\"/srv/a\"]\n",
    );
}

#[test]
fn the_cache_is_emptied_at_the_end() {
    check_fixed("node:22-slim", "yarn install && yarn build", "yarn install && yarn build && yarn cache clean");
    check_fixed("debian:12", "mamba install -y a", "mamba install -y a && mamba clean -afy");
    check_fixed("ruby:3.4", "gem install a", "gem install a && rm -rf /usr/local/bundle/cache");
    check_fixed("php:8.3-cli", "composer install --no-dev", "composer install --no-dev && composer clear-cache");
    check_no_fix(&RULE, "FROM debian:12\nRUN bundle install\nCMD [\"/srv/a\"]\n");
    check_no_fix(&RULE, "FROM ruby:3.4\nENV BUNDLE_PATH=/b\nRUN bundle install\nCMD [\"/srv/a\"]\n");
    check_no_fix(&RULE, "FROM node:22-slim\nRUN gosu node yarn install\nCMD [\"/srv/a\"]\n");
    check_no_fix(&RULE, "FROM node:22-slim\nRUN yarn install && rm -rf /opt/yarn /usr/bin/yarn\nCMD [\"/srv/a\"]\n");
}

#[test]
fn a_flag_keeps_no_cache() {
    let file = |run: &str| format!("FROM python:3.12\nENV UV_LINK_MODE=copy\nRUN {run}\nCMD [\"/srv/a\"]\n");
    check_fix(&RULE, Safety::Safe, &file("uv sync --frozen"), &file("uv --no-cache sync --frozen"));
    check_fix(&RULE, Safety::Review, &file("poetry install"), &file("poetry --no-cache install"));
}
