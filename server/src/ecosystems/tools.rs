//! npm packages that are installed for the whole image, and the programs they bring.

/// The programs of a package installed with `npm install -g`; `None` for one that is not in the table.
///
/// `name` is without a version.
pub fn programs(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "typescript" => &["tsc", "tsserver"],
        "@angular/cli" => &["ng"],
        "@nestjs/cli" => &["nest"],
        "pm2" => &["pm2", "pm2-runtime", "pm2-docker", "pm2-dev"],
        "nodemon" => &["nodemon"],
        "serve" => &["serve"],
        "http-server" => &["http-server"],
        "yarn" => &["yarn", "yarnpkg"],
        "pnpm" => &["pnpm", "pnpx"],
        "bun" => &["bun", "bunx"],
        "npm" => &["npm", "npx"],
        "ts-node" => &["ts-node", "ts-node-esm", "ts-script"],
        "tsx" => &["tsx"],
        "prisma" => &["prisma"],
        "sequelize-cli" => &["sequelize", "sequelize-cli"],
        "knex" => &["knex"],
        "gulp" | "gulp-cli" => &["gulp"],
        "grunt" | "grunt-cli" => &["grunt"],
        "bower" => &["bower"],
        "@vue/cli" => &["vue"],
        "@vue/cli-service" => &["vue-cli-service"],
        "react-scripts" => &["react-scripts"],
        "vite" => &["vite"],
        "next" => &["next"],
        "turbo" => &["turbo"],
        "nx" => &["nx"],
        "lerna" => &["lerna"],
        "rimraf" => &["rimraf"],
        "webpack" => &["webpack"],
        "webpack-cli" => &["webpack", "webpack-cli"],
        "node-gyp" => &["node-gyp"],
        "node-pre-gyp" | "@mapbox/node-pre-gyp" => &["node-pre-gyp"],
        "@babel/cli" => &["babel"],
        "babel-cli" => &["babel", "babel-node"],
        "forever" => &["forever"],
        "concurrently" => &["concurrently", "conc"],
        "cross-env" => &["cross-env", "cross-env-shell"],
        "husky" => &["husky"],
        "eslint" => &["eslint"],
        "jest" => &["jest"],
        "mocha" => &["mocha"],
        "live-server" => &["live-server"],
        "expo-cli" => &["expo"],
        "@quasar/cli" => &["quasar"],
        "ember-cli" => &["ember"],
        "gatsby-cli" => &["gatsby"],
        "npm-check-updates" => &["ncu"],
        "dotenv-cli" => &["dotenv"],
        "env-cmd" => &["env-cmd"],
        "json-server" => &["json-server"],
        _ => return None,
    })
}

/// The name of a package as npm is given it, without `@version`.
pub fn bare(word: &str) -> &str {
    match word.get(1..).and_then(|rest| rest.find('@')) {
        Some(at) => word.get(..at + 1).unwrap_or(word),
        None => word,
    }
}
