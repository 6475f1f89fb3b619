use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Fault, Faults};

/// A value of a programme file with the line it stands on, the same for TOML and JSON.
#[derive(Debug)]
pub struct Node {
    pub value: Value,
    pub line: Option<u32>,
}

#[derive(Debug)]
pub enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    Table(Vec<(String, Node)>),
    Array(Vec<Node>),
    /// A kind of value that no key takes, by its name.
    Other(&'static str),
}

impl Node {
    pub fn from_toml(text: &str) -> Result<Self, Faults> {
        let lines = Lines::new(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return Ok(Self { value: lines.table(table.get_ref()), line: Some(1) });
        }
        let faults = errors.iter().map(|error| Fault {
            line: error.span().map(|span| lines.at(span.start)),
            key: String::new(),
            reason: format!("not valid TOML: {}{}", error.message(), quote(text, error.span())),
        });
        Err(Faults(faults.collect()))
    }

    pub fn from_json(json: &Json) -> Self {
        let value = match json {
            Json::String(text) => Value::Text(text.clone()),
            Json::Bool(yes) => Value::Boolean(*yes),
            Json::Number(number) => {
                number.as_i64().map_or(Value::Other("a number"), Value::Integer)
            }
            Json::Null => Value::Other("null"),
            Json::Array(items) => Value::Array(items.iter().map(Self::from_json).collect()),
            Json::Object(entries) => Value::Table(
                entries.iter().map(|(key, value)| (key.clone(), Self::from_json(value))).collect(),
            ),
        };
        Self { value, line: None }
    }

    /// The node at a path such as `dividend[2].rate` (counted from 1), or the nearest above it.
    pub fn nearest(&self, path: &str) -> &Self {
        let mut node = self;
        for step in path.split('.') {
            let (key, index) = match step.split_once('[') {
                Some((key, rest)) => (key, rest.trim_end_matches(']').parse::<usize>().ok()),
                None => (step, None),
            };
            let Value::Table(entries) = &node.value else {
                return node;
            };
            let Some((_, next)) = entries.iter().find(|(name, _)| name == key) else {
                return node;
            };
            node = next;
            if let (Some(index), Value::Array(items)) = (index, &node.value) {
                let Some(item) = index.checked_sub(1).and_then(|i| items.get(i)) else {
                    return node;
                };
                node = item;
            }
        }
        node
    }
}

/// What stands where an error is, if that is a word or two.
fn quote(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    match span.and_then(|span| text.get(span)).map(str::trim) {
        Some(found) if !found.is_empty() && found.len() <= 40 && !found.contains('\n') => {
            format!(": `{found}`")
        }
        _ => String::new(),
    }
}

/// Where the lines of a text start, to turn offsets into line numbers.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(i, _)| i).collect())
    }

    fn at(&self, offset: usize) -> u32 {
        let before = self.0.partition_point(|&newline| newline < offset);
        u32::try_from(before).map_or(u32::MAX, |n| n.saturating_add(1))
    }

    fn table(&self, table: &DeTable<'_>) -> Value {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let entries = entries
            .into_iter()
            .map(|(key, value)| {
                let mut node = self.node(value);
                // A table's own span starts at its header; a value's line is that of its key.
                node.line = Some(self.at(key.span().start));
                (key.get_ref().to_string(), node)
            })
            .collect();
        Value::Table(entries)
    }

    fn node(&self, spanned: &Spanned<DeValue<'_>>) -> Node {
        let value = match spanned.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Value::Other("an integer out of range"), Value::Integer),
            DeValue::Boolean(yes) => Value::Boolean(*yes),
            DeValue::Float(_) => Value::Other("a float"),
            DeValue::Datetime(_) => Value::Other("a date"),
            DeValue::Array(items) => Value::Array(items.iter().map(|i| self.node(i)).collect()),
            DeValue::Table(table) => self.table(table),
        };
        Node { value, line: Some(self.at(spanned.span().start)) }
    }
}
