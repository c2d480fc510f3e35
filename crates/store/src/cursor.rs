//! Where a page ended: opaque to whoever holds it, and stable while rows are added.
//!
//! It is the sort key of the last row shown. A row that comes later never moves rows between
//! pages, and a dropped row leaves no gap.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::query::Table;

/// Where the next page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) table: Table,
    pub(crate) at: i64,
    pub(crate) seq: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:016x}{:016x}", self.table.letter(), self.at, self.seq)
    }
}

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that this list gave: ask again without it, from the first page")]
pub struct ParseCursorError;

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        let number = |part: Option<&str>| {
            let digits = part.filter(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            u64::from_str_radix(digits, 16).ok().map(u64::cast_signed)
        };
        let read = || {
            let table = Table::from_letter(text.chars().next()?)?;
            let (at, seq) = (number(text.get(1..17))?, number(text.get(17..33))?);
            (text.len() == 33).then_some(Self { table, at, seq })
        };
        read().ok_or(ParseCursorError)
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back(at: i64, seq: i64, table in 0_usize..5) {
            let cursor = Cursor { table: Table::ALL[table], at, seq };
            prop_assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }

        #[test]
        fn any_other_text_is_refused(text in "\\PC{0,40}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), text.to_lowercase());
            }
        }
    }
}
