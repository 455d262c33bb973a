//! `docs/plimsoll.schema.json`: the settings for editors that complete and check TOML and JSON, from the table of keys.
//!
//! Written by a test of this file. **Invariant:** the schema has exactly the keys of [`KEYS`], and `files`.

use serde_json::{Map, Value, json};

use crate::config::Level;
use crate::config::keys::{GROUPS, KEYS, Key, Kind};

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
    let properties: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!({ "$ref": "#/$defs/level" }))).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}
