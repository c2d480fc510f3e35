//! Who made a network card: the IEEE's public listing, searched where it lies in the program.
//!
//! `data/vendors.txt` holds each maker's name once, one a line. `data/oui.txt` holds one block a
//! line: its prefix of 6, 7 or 9 hexadecimal digits, then in 5 the place of the name in the other
//! file. Blocks of one length lie together and sorted, so that a look-up is a binary search over
//! lines of equal length and nothing has to be built at start. Where they come from is written in
//! `data/README.md`.

use model::net::Mac;

static BLOCKS: &str = include_str!("../data/oui.txt");
static VENDORS: &str = include_str!("../data/vendors.txt");

/// Digits of a name's place.
const PLACE: usize = 5;

/// The maker that bought a card's address from the IEEE; none for an address that was made up
/// locally, or that nobody bought.
pub fn vendor(mac: Mac) -> Option<&'static str> {
    if mac.is_local() || !mac.is_station() {
        return None;
    }
    let [a, b, c, d, e, f] = mac.0;
    let digits = format!("{a:02X}{b:02X}{c:02X}{d:02X}{e:02X}{f:02X}");
    // A small block lies within a large one that the IEEE bought itself: look there first.
    [9, 7, 6].into_iter().find_map(|length| find(section(length), digits.get(..length)?))
}

/// The lines whose prefix is so long.
fn section(length: usize) -> &'static str {
    let (six, seven) = sizes();
    let range = match length {
        6 => 0..six,
        7 => six..six + seven,
        _ => six + seven..BLOCKS.len(),
    };
    BLOCKS.get(range).unwrap_or_default()
}

/// Bytes of the lines of so many bytes that a text begins with. Looks at a few of them only: where
/// two ends of line lie a line apart, both lie in that section.
fn leading(text: &[u8], line: usize) -> usize {
    let ends = |place: usize| text.get((place + 1) * line - 1) == Some(&b'\n');
    let (mut within, mut beyond) = (0, text.len() / line + 1);
    while within < beyond {
        let middle = within.midpoint(beyond);
        if ends(middle) && ends(middle + 1) {
            within = middle + 1;
        } else {
            beyond = middle;
        }
    }
    (within + usize::from(ends(within))) * line
}

/// Bytes of the sections of 6 and of 7 digits: each ends where the length of the lines changes.
fn sizes() -> (usize, usize) {
    static SIZES: std::sync::OnceLock<(usize, usize)> = std::sync::OnceLock::new();
    *SIZES.get_or_init(|| {
        let six = leading(BLOCKS.as_bytes(), 6 + PLACE + 1);
        (six, leading(&BLOCKS.as_bytes()[six..], 7 + PLACE + 1))
    })
}

fn find(section: &'static str, prefix: &str) -> Option<&'static str> {
    let line = prefix.len() + PLACE + 1;
    let block = |index: usize| section.get(index * line..(index + 1) * line);
    let (mut low, mut high) = (0, section.len() / line);
    while low < high {
        let middle = low + (high - low) / 2;
        let (here, place) = block(middle)?.split_at_checked(prefix.len())?;
        match here.cmp(prefix) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => {
                let start = usize::from_str_radix(place.trim_end(), 16).ok()?;
                return VENDORS.get(start..)?.lines().next();
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mac: &str) -> Option<&'static str> {
        vendor(mac.parse().unwrap())
    }

    #[test]
    fn blocks_of_every_length_are_found() {
        assert_eq!(of("00:1b:1b:00:00:01"), Some("Siemens AG,"));
        assert_eq!(of("00:30:e6:00:00:01"), Some("Draeger Medical Systems, Inc."));
        assert_eq!(of("00:14:22:ff:ff:ff"), Some("Dell Inc."));
        // MA-M and MA-S lie inside blocks that the Registration Authority holds.
        assert_eq!(of("70:b3:d5:f2:f0:00"), Some("TELEPLATFORMS"));
    }

    #[test]
    fn a_made_up_address_has_no_maker() {
        assert_eq!(of("02:00:5e:91:c5:b1"), None);
        assert_eq!(of("ff:ff:ff:ff:ff:ff"), None);
        assert_eq!(of("01:00:5e:00:00:fb"), None);
    }

    #[test]
    fn the_table_is_sorted_and_every_name_stands_where_it_says() {
        for length in [6, 7, 9] {
            let mut last = "";
            for line in section(length).lines() {
                let (prefix, place) = line.split_at(length);
                assert!(prefix > last, "{prefix} after {last}");
                last = prefix;
                let start = usize::from_str_radix(place, 16).unwrap();
                assert!(start == 0 || VENDORS.as_bytes()[start - 1] == b'\n', "{line}");
            }
            assert!(!last.is_empty(), "no block of {length} digits");
        }
    }
}
