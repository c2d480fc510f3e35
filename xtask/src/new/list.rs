//! Adds a module and an entry to a file that lists them.

/// The file with a `mod` line at its place in the alphabet and an entry at the end of `ALL`.
///
/// # Errors
/// When the file has no such list, or the module already.
pub(super) fn with(text: &str, module: &str, entry: &str) -> Result<String, &'static str> {
    let name = |line: &str| {
        let rest = line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod "))?;
        rest.strip_suffix(';').map(str::to_owned)
    };
    let wanted = name(module).ok_or("no module to add")?;
    let mut lines: Vec<&str> = text.lines().collect();
    let modules: Vec<usize> = (0..lines.len())
        .filter(|&at| lines.get(at).is_some_and(|line| name(line).is_some()))
        .collect();
    if modules.iter().any(|&at| name(lines[at]).as_ref() == Some(&wanted)) {
        return Err("the module is there already");
    }
    let last = *modules.last().ok_or("there is no list of modules")?;
    let place = modules.iter().find(|&&at| name(lines[at]).as_ref() > Some(&wanted));
    lines.insert(place.map_or(last + 1, |at| *at), module);
    let text = lines.join("\n") + "\n";
    let start = text.find("pub static ALL").ok_or("there is no 'pub static ALL'")?;
    let end = text[start..].find("];").ok_or("'pub static ALL' has no end")? + start;
    let before = text[..end].trim_end();
    let comma = if before.ends_with([',', '[']) { "" } else { "," };
    // rustfmt gives it its final form.
    Ok(format!("{before}{comma}\n    {entry},\n{}", &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_and_entry_come_to_their_places() {
        let text = "//! Docs.\npub mod a;\npub mod c;\n\npub static ALL: &[&dyn P] = &[\n    &a::A,\n    &c::C,\n];\n";
        let out = with(text, "pub mod b;", "&b::B").unwrap();
        assert!(out.contains("pub mod a;\npub mod b;\npub mod c;\n"), "{out}");
        assert!(out.contains("    &c::C,\n    &b::B,\n];"), "{out}");
        let out = with(text, "pub mod d;", "&d::D").unwrap();
        assert!(out.contains("pub mod c;\npub mod d;\n"), "{out}");
    }

    #[test]
    fn a_list_on_one_line_is_one_too() {
        let text = "mod x;\npub mod a;\npub static ALL: &[&dyn P] = &[&a::A, &a::B];\n";
        let out = with(text, "pub mod b;", "&b::B").unwrap();
        assert!(out.contains("&[&a::A, &a::B,\n    &b::B,\n];"), "{out}");
    }

    #[test]
    fn a_file_without_lists_is_refused() {
        assert!(with("//! Docs.\n", "pub mod b;", "&b::B").is_err());
        assert!(with("pub mod b;\npub static ALL: X = &[];", "pub mod b;", "&b::B").is_err());
    }
}
