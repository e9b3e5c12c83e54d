//! Which three-digit ZIP code prefixes may be told: 45 CFR 164.514(b)(2)(i)(B).

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// `data/zip3.csv`: every prefix the census knows, and whether it is restricted, by census.
const TABLE: &str = include_str!("../data/zip3.csv");

/// A bit for each of 000 to 999, least significant first, as PostgreSQL's `get_bit(bytea, bigint)`
/// counts (`src/backend/utils/adt/varlena.c`, byteaGetBit).
const BITMAP_LEN: usize = 125;

/// Which census decides that a prefix holds too few people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zip3List {
    /// The 2020 Census: eighteen restricted prefixes.
    #[default]
    Census2020,
    /// Whatever the 2020 or the 2000 Census restricts.
    Union,
}

type Bitmap = [u8; BITMAP_LEN];

static CENSUS_2020: LazyLock<Bitmap> = LazyLock::new(|| releasable(Zip3List::Census2020));
static UNION: LazyLock<Bitmap> = LazyLock::new(|| releasable(Zip3List::Union));

// === impl Zip3List ===

impl Zip3List {
    /// Whether the prefix may be told; an unknown one may not.
    pub fn is_releasable(self, prefix: u16) -> bool {
        let byte = self
            .bitmap()
            .get(usize::from(prefix / 8))
            .copied()
            .unwrap_or(0);
        byte >> (prefix % 8) & 1 == 1
    }

    /// A bit for each prefix that may be told.
    pub(crate) fn bitmap(self) -> &'static [u8; BITMAP_LEN] {
        match self {
            Self::Census2020 => &CENSUS_2020,
            Self::Union => &UNION,
        }
    }
}

fn releasable(list: Zip3List) -> Bitmap {
    let mut bitmap = [0; BITMAP_LEN];
    for line in TABLE.lines() {
        let mut cells = line.split(',');
        let (Some(prefix), Some(by_2020), Some(by_2000)) =
            (cells.next(), cells.next(), cells.next())
        else {
            continue;
        };
        let restricted = by_2020 != "0" || (list == Zip3List::Union && by_2000 != "0");
        let Ok(prefix) = prefix.parse::<usize>() else {
            continue;
        };
        if let (false, Some(byte)) = (restricted, bitmap.get_mut(prefix / 8)) {
            *byte |= 1 << (prefix % 8);
        }
    }
    bitmap
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESTRICTED_2020: [u16; 18] = [
        36, 59, 102, 202, 203, 204, 205, 369, 556, 692, 753, 772, 821, 823, 878, 879, 884, 893,
    ];
    const RESTRICTED_2000_ONLY: [u16; 5] = [63, 790, 830, 831, 890];

    #[test]
    fn the_restricted_and_the_unknown_are_not_told() {
        for list in [Zip3List::Census2020, Zip3List::Union] {
            for prefix in RESTRICTED_2020
                .iter()
                .chain(&[0, 99, 213, 987, 1000, u16::MAX])
            {
                assert!(!list.is_releasable(*prefix), "{prefix:03} by {list:?}");
            }
        }
        for prefix in RESTRICTED_2000_ONLY {
            assert!(Zip3List::Census2020.is_releasable(prefix), "{prefix:03}");
            assert!(!Zip3List::Union.is_releasable(prefix), "{prefix:03}");
        }
    }

    #[test]
    fn all_others_of_the_census_are_told() {
        let told = |list: Zip3List| {
            (0..1000)
                .filter(|prefix| list.is_releasable(*prefix))
                .count()
        };
        assert_eq!(told(Zip3List::Census2020), 896 - 18);
        assert_eq!(told(Zip3List::Union), 896 - 18 - 5);
        assert!(Zip3List::Census2020.is_releasable(21), "021 is Boston");
    }
}
