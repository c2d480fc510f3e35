//! Numbers and lists in sentences.

/// "1 patient", "12 patients".
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// "12,345": a number as it stands in a sentence.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A span of time as a person says it: "0.4 s", "12 s", "3 min", "2 h".
pub fn span(seconds: f64) -> String {
    match seconds {
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.0} h", s / 3_600.0),
    }
}

/// A size as a person says it: "512 bytes", "3.2 MB".
pub fn size(bytes: u64) -> String {
    let bytes_f = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes_f / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes_f / 1e6),
        _ => format!("{:.1} GB", bytes_f / 1e9),
    }
}

/// "a, b and c", at most `most` of them by name.
pub fn list<S: AsRef<str>>(items: &[S], most: usize) -> String {
    let named: Vec<&str> = items.iter().take(most).map(AsRef::as_ref).collect();
    let more = items.len().saturating_sub(named.len());
    match (named.as_slice(), more) {
        ([], _) => "none".to_owned(),
        ([one], 0) => (*one).to_owned(),
        ([all @ .., last], 0) => format!("{} and {last}", all.join(", ")),
        (some, more) => format!("{} and {more} more", some.join(", ")),
    }
}

/// With a capital first letter, as a sentence begins.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_read_well() {
        assert_eq!(count(1, "patient", "patients"), "1 patient");
        assert_eq!(list(&["a", "b", "c"], 5), "a, b and c");
        assert_eq!(list(&["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(span(0.42), "0.4 s");
        assert_eq!(size(3_200_000), "3.2 MB");
        assert_eq!(sentence("patient monitor"), "Patient monitor");
    }
}
