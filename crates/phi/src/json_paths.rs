//! Which values of a JSON document may leave: constant paths of object keys, declared with a column.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The most paths of one column.
const MAX_PATHS: usize = 64;

/// The most keys of one path.
const MAX_KEYS: usize = 8;

/// The longest key, in bytes.
const MAX_KEY: usize = 63;

/// Paths to single values of a document: `status payer.kind`. Each is the keys of the objects on the
/// way. What lies at a path leaves if it is a string, a number or a boolean; nothing else does.
///
/// A set: equal whatever the order they were written in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JsonPaths(Vec<Vec<String>>);

/// The text is no list of paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected paths such as status payer.kind: {0}")]
pub struct JsonPathsError(String);

/// Paths by their first key: what an object is rebuilt by.
pub(crate) enum JsonTree<'p> {
    /// The value here leaves.
    Leaf,
    /// The object here leaves with these keys.
    Object(BTreeMap<&'p str, JsonTree<'p>>),
}

impl JsonPaths {
    /// No path.
    pub const NONE: Self = Self(Vec::new());

    /// Whether nothing leaves.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The paths of both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let both = self.0.iter().filter(|path| other.0.contains(path));
        Self(both.cloned().collect())
    }

    /// Whether every path is one of the other's too.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|path| other.0.contains(path))
    }

    /// The first key of each path.
    pub(crate) fn first_keys(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter_map(|path| path.first())
            .map(String::as_str)
    }

    pub(crate) fn tree(&self) -> JsonTree<'_> {
        let paths: Vec<&[String]> = self.0.iter().map(Vec::as_slice).collect();
        tree(&paths)
    }
}

fn tree<'p>(paths: &[&'p [String]]) -> JsonTree<'p> {
    if let [[]] = paths {
        return JsonTree::Leaf;
    }
    let mut below: BTreeMap<&str, Vec<&[String]>> = BTreeMap::new();
    for path in paths {
        if let Some((key, rest)) = path.split_first() {
            below.entry(key).or_default().push(rest);
        }
    }
    let object = below.into_iter().map(|(key, rest)| (key, tree(&rest)));
    JsonTree::Object(object.collect())
}

impl FromStr for JsonPaths {
    type Err = JsonPathsError;

    /// Reads paths with blanks between them, keys with points between them. A key begins with a letter or
    /// `_` and goes on with letters, digits, `_` and `-`: one that could be the number of an array's
    /// element is none.
    fn from_str(text: &str) -> Result<Self, JsonPathsError> {
        let mut paths = Vec::new();
        for word in text.split_ascii_whitespace() {
            let keys: Vec<String> = word.split('.').map(str::to_owned).collect();
            if keys.len() > MAX_KEYS {
                return Err(JsonPathsError(format!(
                    "at most {MAX_KEYS} keys in {word:?}"
                )));
            }
            if let Some(bad) = keys.iter().find(|key| !is_key(key)) {
                return Err(JsonPathsError(format!("{bad:?} is not a key")));
            }
            paths.push(keys);
        }
        paths.sort();
        paths.dedup();
        if paths.is_empty() {
            return Err(JsonPathsError("there is none".to_owned()));
        }
        if paths.len() > MAX_PATHS {
            return Err(JsonPathsError(format!("at most {MAX_PATHS} paths")));
        }
        // A value is not an object too. Sorted, the longer one of two such follows the shorter one, with
        // nothing but others like it between them.
        let longer = paths.windows(2).find_map(|pair| {
            let [short, long] = pair else { return None };
            long.starts_with(short).then(|| long.join("."))
        });
        match longer {
            Some(path) => Err(JsonPathsError(format!("{path} goes on from another path"))),
            None => Ok(Self(paths)),
        }
    }
}

fn is_key(key: &str) -> bool {
    let mut bytes = key.bytes();
    key.len() <= MAX_KEY
        && bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

impl fmt::Display for JsonPaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, path) in self.0.iter().enumerate() {
            let blank = if index > 0 { " " } else { "" };
            write!(f, "{blank}{}", path.join("."))?;
        }
        Ok(())
    }
}

impl TryFrom<String> for JsonPaths {
    type Error = JsonPathsError;

    fn try_from(text: String) -> Result<Self, JsonPathsError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.parse()
    }
}

impl From<JsonPaths> for String {
    fn from(paths: JsonPaths) -> Self {
        paths.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_a_set_of_keys() {
        let paths: JsonPaths = "payer.kind  status payer.plan-id status".parse().unwrap();
        assert_eq!(paths.to_string(), "payer.kind payer.plan-id status");
        assert_eq!(paths, "status payer.plan-id payer.kind".parse().unwrap());
        let JsonTree::Object(tree) = paths.tree() else {
            panic!("a leaf")
        };
        assert!(matches!(tree["status"], JsonTree::Leaf));
        assert!(matches!(&tree["payer"], JsonTree::Object(below) if below.len() == 2));
        let other: JsonPaths = "status x".parse().unwrap();
        assert_eq!(paths.and(&other).to_string(), "status");
        assert!(paths.and(&other).is_within(&paths) && !other.is_within(&paths));
    }

    #[test]
    fn what_is_no_path_is_said() {
        let long = "k".repeat(MAX_KEY + 1);
        let deep = ["k"; MAX_KEYS + 1].join(".");
        let many: Vec<_> = (0..=MAX_PATHS).map(|n| format!("k{n}")).collect();
        for text in [
            "",
            " ",
            ".",
            "a.",
            ".a",
            "a..b",
            "0",
            "a.0",
            "-1",
            "$",
            "a[0]",
            "a'b",
            "a\"b",
            "a\\b",
            "ä",
            "*",
            "a b.c b",
            "x x.y",
            "b b-a b.c",
            &long,
            &deep,
            &many.join(" "),
        ] {
            assert!(text.parse::<JsonPaths>().is_err(), "{text:?}");
        }
    }
}
