//! `docs/plimsoll.schema.json`: the settings for editors that complete and check TOML and JSON, from the table of keys.
//!
//! Written by a test of this file. **Invariant:** the schema has exactly the keys of [`KEYS`], and `files`.

use serde_json::{Map, Value, json};

use crate::config::Level;
use crate::config::keys::{GROUPS, KEYS, Key, Kind};
use crate::config::names::kebab;

/// The schema (draft 2020-12). `rules` are the ids that `[rules]` may name; with none, any id may stand there.
pub fn schema(rules: &[&str]) -> Value {
    let mut properties = keys_as_properties(rules, |_| true);
    if let Some(map) = properties.as_object_mut() {
        map.insert(
            "files".to_owned(),
            json!({
                "description": "Settings for parts of the tree, by patterns relative to this file: `*` and `?` stay \
                                within a name, `**` passes folders. The last section that matches and says something \
                                counts.",
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": keys_as_properties(rules, |key| key.per_file),
                },
            }),
        );
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/plimsoll.schema.json"),
        "title": "Plimsoll settings",
        "description": "plimsoll.toml, and what editors send below \"plimsoll\".",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "$defs": {
            "level": { "enum": Level::NAMES },
            "bytes": {
                "description": "Bytes, or a text such as \"200MB\" (decimal) or \"64MiB\".",
                "anyOf": [
                    { "type": "integer", "minimum": 0 },
                    { "type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*([bB]|[kKmMgG]([iI]?[bB])?)?\s*$" },
                ],
            },
        },
    })
}

fn keys_as_properties(rules: &[&str], wanted: fn(&Key) -> bool) -> Value {
    let mut res = Map::new();
    for key in KEYS.iter().filter(|key| wanted(key)) {
        match key.name.split_once('.') {
            None => {
                res.insert(key.name.to_owned(), property(key, rules));
            }
            Some((table, name)) => {
                let entry = res
                    .entry(table)
                    .or_insert_with(|| json!({ "type": "object", "additionalProperties": false, "properties": {} }));
                if let Some(inner) = entry.get_mut("properties").and_then(Value::as_object_mut) {
                    inner.insert(name.to_owned(), property(key, rules));
                }
            }
        }
    }
    Value::Object(res)
}

fn property(key: &Key, rules: &[&str]) -> Value {
    let mut res = match key.kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::BoolOrAuto => json!({ "enum": [true, false, "auto"] }),
        Kind::Text | Kind::Path => json!({ "type": "string" }),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Words(words) => json!({ "type": "array", "items": { "enum": words } }),
        Kind::Bytes => json!({ "$ref": "#/$defs/bytes" }),
        Kind::Budget => json!({ "anyOf": [
            { "$ref": "#/$defs/bytes" },
            { "type": "object", "additionalProperties": { "$ref": "#/$defs/bytes" } },
        ] }),
        Kind::Platform => json!({ "type": "string", "pattern": "^[A-Za-z0-9_]+(/[A-Za-z0-9_-]+){0,2}$" }),
        Kind::Arguments => {
            json!({ "type": "object", "additionalProperties": { "type": ["string", "integer", "boolean"] } })
        }
        Kind::RuleLevels if rules.is_empty() => {
            json!({ "type": "object", "additionalProperties": { "$ref": "#/$defs/level" } })
        }
        Kind::RuleLevels => levels(rules),
        Kind::GroupLevels => levels(GROUPS),
    };
    if let Some(map) = res.as_object_mut() {
        let user = if key.user_only { " The user's alone: a file of a workspace can only switch it off." } else { "" };
        map.insert("description".to_owned(), Value::String(format!("{}{user}", key.doc)));
        match serde_json::from_str(key.default) {
            Ok(Value::Null) | Err(_) => {}
            Ok(default) => {
                map.insert("default".to_owned(), default);
            }
        }
    }
    res
}

fn levels(names: &[&str]) -> Value {
    // BuildKit's checks have two spellings.
    let others = names.iter().map(|name| kebab(name));
    let names = names.iter().map(|name| (*name).to_owned()).chain(others);
    let properties: Map<String, Value> = names.map(|name| (name, json!({ "$ref": "#/$defs/level" }))).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::schema;
    use crate::config::keys::{KEYS, Kind};
    use crate::config::{Config, Layer, Trust};

    const RULES: &[&str] = &["apt-lists-left"];

    fn accepts(value: &Value) -> bool {
        let validator = jsonschema::draft202012::new(&schema(RULES)).expect("the schema is one");
        validator.is_valid(value)
    }

    /// What each kind of key takes, and what it does not; none of it is a default.
    fn examples(kind: Kind) -> (Vec<Value>, Value) {
        match kind {
            Kind::Bool => (vec![json!(true), json!(false)], json!("true")),
            Kind::BoolOrAuto => (vec![json!(true), json!(false), json!("auto")], json!("maybe")),
            Kind::Text | Kind::Path => (vec![json!("x")], json!(1)),
            Kind::Word(words) => (words.iter().map(|it| json!(it)).collect(), json!("none of them")),
            Kind::Texts => (vec![json!(["x"])], json!("x")),
            Kind::Words(words) => (vec![json!(words)], json!(["none of them"])),
            Kind::Bytes => (vec![json!(7), json!("200MB"), json!("1.5 GiB")], json!("many")),
            Kind::Budget => (vec![json!("7MB"), json!({"build": 5})], json!({"build": true})),
            Kind::Platform => (vec![json!("linux/arm64"), json!("linux/arm/v7")], json!("linux/")),
            Kind::Arguments => (vec![json!({"A": "b"})], json!(["A=b"])),
            Kind::RuleLevels => (vec![json!({"apt-lists-left": "off"})], json!({"apt-lists-left": "loud"})),
            Kind::GroupLevels => (vec![json!({"size": "error"})], json!({"sizes": "error"})),
        }
    }

    fn nested(name: &str, value: &Value) -> Value {
        match name.split_once('.') {
            Some((table, key)) => json!({ table: { key: value } }),
            None => json!({ name: value }),
        }
    }

    #[test]
    fn the_schema_and_the_reader_agree_on_every_key() {
        for key in KEYS {
            let (good, bad) = examples(key.kind);
            for value in good {
                let settings = nested(key.name, &value);
                assert!(accepts(&settings), "{settings}");
                assert_eq!(Layer::from_json(&settings, Trust::User, RULES).1, [], "{settings}");
            }
            let settings = nested(key.name, &bad);
            assert!(!accepts(&settings), "{settings}");
            assert_eq!(Layer::from_json(&settings, Trust::User, RULES).1.len(), 1, "{settings}");
            let in_files = json!({ "files": { "a/**": nested(key.name, &examples(key.kind).0[0]) } });
            assert_eq!(accepts(&in_files), key.per_file, "{in_files}");
            assert_eq!(Layer::from_json(&in_files, Trust::User, RULES).1.is_empty(), key.per_file, "{in_files}");
        }
        assert!(!accepts(&json!({ "targte": "x" })));
        assert!(!accepts(&json!({ "size": { "limit": 1 } })));
    }

    #[test]
    fn every_key_is_laid_onto_the_settings_and_its_default_is_the_settings_own() {
        for key in KEYS.iter().filter(|key| key.name != "server.path") {
            let config = |value: &Value| {
                let (layer, _) = Layer::from_json(&nested(key.name, value), Trust::User, RULES);
                Config::of(&[layer], None)
            };
            let changed = examples(key.kind).0.iter().any(|value| config(value) != Config::default());
            assert!(changed, "{} changes nothing", key.name);
            let default: Value = serde_json::from_str(key.default).expect("the default is JSON");
            assert_eq!(config(&default), Config::default(), "the default of {}", key.name);
        }
    }

    #[test]
    fn the_written_schema_is_that_of_the_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plimsoll.schema.json");
        let text = format!("{:#}\n", schema(&[]));
        if std::fs::read_to_string(path).ok().as_deref() != Some(text.as_str()) {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).expect("the folder can be made");
            std::fs::write(path, text).expect("the schema can be written");
            panic!("docs/plimsoll.schema.json: written, run again");
        }
    }
}
