//! Tables and numbers for people, in 100 columns.

use comfy_table::{ContentArrangement, Table, presets};

/// Widest table.
const WIDTH: u16 = 100;

/// One line on standard output. A closed pipe (`| head`) ends quietly.
#[allow(clippy::print_stdout, reason = "standard output is what a command line program is for")]
pub(crate) fn say(line: &str) {
    use std::io::Write;
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// A table with a head, without lines between rows.
pub(crate) fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(head.iter().map(|name| name.to_uppercase()));
    table
}

/// 1234567 as "1 234 567".
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// "a, b, c", or "none".
pub(crate) fn or_none(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

pub(crate) use detect::words::{size, span};

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_grouped() {
        assert_eq!(super::thousands(1_234_567), "1 234 567");
        assert_eq!(super::thousands(12), "12");
    }
}
