//! What `dev-dependencies-in-final` finds, and what keeps it silent.

use super::RULE;
use crate::fixture::{check, check_fix, check_no_fix};
use crate::rules::Safety;

const MANIFEST: &str = "#- package.json\n{\"scripts\": {\"start\": \"node a.js\", \"dev\": \"nodemon a.js\"}, \
                        \"dependencies\": {\"express\": \"4\"}, \"devDependencies\": {\"nodemon\": \"3\", \"ts-node\": \"10\"}}\n\
                        #- a.js\n\n";

/// A file with the manifest beside it, in which the install is not found.
fn check_silent(install: &str, start: &str) {
    check(&RULE, &file(install, start));
}

fn file(install: &str, start: &str) -> String {
    format!("FROM node:22-slim\nWORKDIR /app\nCOPY . .\n{install}\n{start}\n{MANIFEST}")
}

const START: &str = "CMD [\"node\", \"a.js\"]";

#[test]
fn the_install_is_to_blame() {
    check(
        &RULE,
        &file(
            "RUN npm ci && npm cache clean --force\n#   ^^^^^^ the dependencies for development come too: `nodemon`, `ts-node`",
            START,
        ),
    );
    check(&RULE, &file("RUN yarn install --frozen-lockfile\n#   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ come too", START));
    check(&RULE, &file("RUN pnpm install\n#   ^^^^^^^^^^^^ come too", "CMD [\"npm\", \"start\"]"));
}

#[test]
fn what_a_builder_installed_is_copied_with_them() {
    check(
        &RULE,
        &format!(
            "FROM node:22 AS build\n\
             WORKDIR /app\n\
             COPY . .\n\
             RUN npm ci && npm run lint\n\
             FROM node:22-slim\n\
             COPY --from=build /app/node_modules /app/node_modules\n\
             #                 ^^^^^^^^^^^^^^^^^ the dependencies for development are copied too\n\
             CMD [\"node\", \"/app/a.js\"]\n{MANIFEST}"
        ),
    );
    check(
        &RULE,
        &format!(
            "FROM node:22 AS build\n\
             WORKDIR /app\n\
             COPY . .\n\
             RUN npm ci\n\
             FROM node:22-slim\n\
             COPY --from=build /app /app\n\
             #                 ^^^^ copied too\n\
             CMD [\"node\", \"/app/a.js\"]\n{MANIFEST}"
        ),
    );
}

#[test]
fn a_builder_that_prunes_or_a_bundle_brings_none() {
    let file = |build: &str, copy: &str| {
        format!(
            "FROM node:22 AS build\nWORKDIR /app\nCOPY . .\nRUN {build}\nFROM node:22-slim\nCOPY --from=build {copy}\n\
             CMD [\"node\", \"/app/a.js\"]\n{MANIFEST}"
        )
    };
    check(&RULE, &file("npm ci && npm run build && npm prune --omit=dev", "/app /app"));
    check(&RULE, &file("npm ci\nRUN npm prune --production", "/app /app"));
    check(&RULE, &file("npm ci && npm run build && npm ci --omit=dev", "/app /app"));
    check(&RULE, &file("npm ci && npm run build\nRUN rm -rf node_modules && npm ci --omit=dev", "/app /app"));
    check(&RULE, &file("npm ci && npm run build", "/app/dist /app"));
}

#[test]
fn without_such_dependencies_or_a_manifest_nothing_is_claimed() {
    check(
        &RULE,
        "FROM node:22-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"a.js\"]\n#- package.json\n\
         {\"dependencies\": {\"express\": \"4\"}}\n#- a.js\n\n",
    );
    check(&RULE, "FROM node:22-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD [\"node\", \"a.js\"]\n");
    check(&RULE, "FROM php:8.3-cli\nCOPY . .\nRUN composer install\nCMD [\"php\", \"a.php\"]\n");
}

#[test]
fn flags_and_variables_leave_them_out() {
    for install in [
        "RUN npm ci --omit=dev",
        "RUN npm install --only=production",
        "RUN npm install --omit dev",
        "RUN yarn install --production",
        "RUN pnpm install --prod",
        "ENV NODE_ENV=production\nRUN npm ci",
        "ARG NODE_ENV=production\nRUN npm ci",
        "RUN NODE_ENV=production npm ci",
        "ENV NPM_CONFIG_OMIT=dev\nRUN npm ci",
        "ENV YARN_PRODUCTION=true\nRUN yarn",
    ] {
        check_silent(install, START);
    }
    check(&RULE, &file("ENV NODE_ENV=production\nRUN npm ci --include=dev\n#   ^^^^^^^^^^^^^^^^^^^^ come too", START));
}

#[test]
fn what_is_pruned_again_is_not_in_it() {
    check_silent("RUN npm ci && npm run build && npm prune --omit=dev", START);
    check_silent("RUN npm ci\nRUN npm prune --omit=dev", START);
    check_silent("RUN npm ci && npm run build && rm -rf node_modules && npm ci --omit=dev", START);
}

#[test]
fn a_start_that_needs_them_keeps_them() {
    check_silent("RUN npm ci", "CMD [\"npm\", \"run\", \"dev\"]");
    check_silent("RUN npm ci", "CMD [\"npx\", \"ts-node\", \"a.ts\"]");
    check_silent("RUN npm ci", "CMD [\"node\", \"-r\", \"ts-node/register\", \"a.ts\"]");
    check_silent("RUN npm ci", "CMD [\"nodemon\", \"a.js\"]");
    check_silent("RUN npm ci", "ENTRYPOINT [\"/entry.sh\"]");
}

#[test]
fn an_image_to_work_in_has_them_on_purpose() {
    check_silent("RUN npm ci", "");
    check_silent("RUN npm ci", "CMD [\"bash\"]");
    check(&RULE, &file("RUN npm ci", START).replace("22-slim", "22-slim AS dev"));
}

#[test]
fn composer_and_bundler_have_groups_too() {
    check(
        &RULE,
        "FROM php:8.3-cli\nWORKDIR /app\nCOPY . .\nRUN composer install\n#   ^^^^^^^^^^^^^^^^ come too\n\
         RUN composer install --no-dev\nCMD [\"php\", \"a.php\"]\n#- composer.json\n{\"require-dev\": {\"phpunit/phpunit\": \"^11\"}}\n",
    );
    let gems = "#- Gemfile\ngem 'rails'\ngroup :development, :test do\n  gem 'rspec'\nend\n";
    let image = |run: &str| format!("FROM ruby:3.4-slim\nWORKDIR /app\nCOPY . .\n{run}\nCMD [\"puma\"]\n{gems}");
    check(&RULE, &image("RUN bundle install\n#   ^^^^^^^^^^^^^^ come too"));
    check(&RULE, &image("ENV BUNDLE_WITHOUT=development:test\nRUN bundle install"));
    check(&RULE, &image("RUN bundle config set --local without development && bundle install"));
}

#[test]
fn python_has_groups_too() {
    let image = |run: &str, manifest: &str| {
        format!(
            "FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\n{run}\nCMD [\"python\", \"a.py\"]\n#- pyproject.toml\n{manifest}\n"
        )
    };
    let poetry = "[tool.poetry.group.dev.dependencies]\npytest = \"^8\"";
    check(&RULE, &image("RUN poetry install\n#   ^^^^^^^^^^^^^^ come too", poetry));
    check(&RULE, &image("RUN poetry install --only main", poetry));
    check(&RULE, &image("RUN poetry install", "[tool.poetry.dependencies]"));
    let uv = "[dependency-groups]\ndev = [\"pytest\"]";
    check(&RULE, &image("RUN uv sync --frozen\n#   ^^^^^^^^^^^^^^^^ come too", uv));
    check(&RULE, &image("RUN uv sync --no-dev", uv));
}

#[test]
fn what_is_asked_for_in_so_many_words_needs_no_manifest() {
    check(
        &RULE,
        "FROM python:3.13-slim\n\
         RUN pip install -r requirements-dev.txt\n\
         #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the dependencies for development come too\n\
         RUN pipenv install --system --dev\n\
         #   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ come too\n\
         CMD [\"gunicorn\", \"a\"]\n",
    );
    check(&RULE, "FROM python:3.13-slim\nRUN pip install -r requirements-dev.txt\nCMD [\"pytest\"]\n");
    check(&RULE, "FROM python:3.13-slim\nRUN pip install -r requirements-dev.txt\nENTRYPOINT [\"hack/run\"]\n");
    check(
        &RULE,
        "FROM python:3.13-slim\nRUN pip install -r dev.txt && pip uninstall -y -r dev.txt\nCMD [\"gunicorn\"]\n",
    );
    check(&RULE, "FROM python:3.13-slim\nRUN pip install -r requirements/dev.txt\nCMD python manage.py runserver\n");
}

#[test]
fn the_flag_stands_behind_the_verb() {
    check_fix(
        &RULE,
        Safety::Review,
        &file("RUN npm ci && npm cache clean --force", START),
        &file("RUN npm ci --omit=dev && npm cache clean --force", START),
    );
    check_fix(&RULE, Safety::Review, &file("RUN yarn", START), &file("RUN yarn --production", START));
}

#[test]
fn a_later_step_that_may_need_them_keeps_them() {
    check_no_fix(&RULE, &file("RUN npm ci && npm run build", START));
    check_no_fix(&RULE, &file("RUN npm ci\nRUN npx tsc", START));
    let husky = file("RUN npm ci", START).replace("\"start\":", "\"prepare\": \"husky\", \"start\":");
    check_no_fix(&RULE, &husky);
}
