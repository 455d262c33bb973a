//! TOML and JSON as one tree of values, with the place of each in the text.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value of either text.
pub(crate) enum Raw {
    Bool(bool),
    Integer(i64),
    Text(String),
    List(Vec<(Place, Raw)>),
    Table(Vec<Entry>),
    /// A date, a fraction: nothing a key takes.
    Other,
}

/// A key with its value.
pub(crate) struct Entry {
    /// Its name as it was written.
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) key_at: Place,
    /// What it is set to.
    pub(crate) value: Raw,
    /// Where the value stands.
    pub(crate) value_at: Place,
}

/// An offset in the text, if there is one.
pub(crate) type Place = Option<usize>;

/// A TOML text; or where it is none, and why.
pub(crate) fn from_toml(text: &str) -> Result<Vec<Entry>, (Place, String)> {
    match DeTable::parse(text) {
        Ok(table) => Ok(from_de_table(table.into_inner())),
        Err(error) => Err((error.span().map(|span| span.start), error.message().to_owned())),
    }
}

/// In the order of the text, which the parser's map has lost.
fn from_de_table(table: DeTable<'_>) -> Vec<Entry> {
    let mut res: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| Entry {
            key_at: Some(key.span().start),
            key: key.into_inner().into_owned(),
            value_at: Some(value.span().start),
            value: value_of(value),
        })
        .collect();
    res.sort_by_key(|entry| entry.key_at);
    res
}

fn value_of(value: Spanned<DeValue<'_>>) -> Raw {
    match value.into_inner() {
        DeValue::Boolean(it) => Raw::Bool(it),
        DeValue::String(it) => Raw::Text(it.into_owned()),
        DeValue::Integer(it) => i64::from_str_radix(it.as_str(), it.radix()).map_or(Raw::Other, Raw::Integer),
        DeValue::Array(list) => Raw::List(list.into_iter().map(|it| (Some(it.span().start), value_of(it))).collect()),
        DeValue::Table(table) => Raw::Table(from_de_table(table)),
        DeValue::Float(_) | DeValue::Datetime(_) => Raw::Other,
    }
}

/// `None` for `null`, which says nothing.
pub(crate) fn from_json(value: &serde_json::Value) -> Option<Raw> {
    Some(match value {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(it) => Raw::Bool(*it),
        serde_json::Value::Number(it) => it.as_i64().map_or(Raw::Other, Raw::Integer),
        serde_json::Value::String(it) => Raw::Text(it.clone()),
        serde_json::Value::Array(list) => {
            Raw::List(list.iter().map(|it| (None, from_json(it).unwrap_or(Raw::Other))).collect())
        }
        serde_json::Value::Object(map) => Raw::Table(
            map.iter()
                .filter_map(|(key, value)| {
                    let value = from_json(value)?;
                    Some(Entry { key: key.clone(), key_at: None, value, value_at: None })
                })
                .collect(),
        ),
    })
}
