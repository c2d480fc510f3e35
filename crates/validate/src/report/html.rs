//! HTML from text that nobody vouches for.

use std::fmt::Write;

const STYLE: &str = include_str!("style.css");

/// Text as it may stand between tags and in quoted attributes. Control characters and those that
/// turn the direction of writing, with which a name could pose as another, become a visible mark.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => {
                out.push('\u{fffd}');
            }
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

/// A whole page. `body` is HTML. The policy in its head lets nothing be loaded or run.
pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</main>\n\
         <footer><p>Made by <code>wardwatch validate</code>. This page needs no network.</p></footer>\n\
         </body>\n</html>\n",
        escape(title)
    )
}

/// A section with its heading; `id` is the target of the table of contents, `inner` is HTML.
pub(super) fn section(id: &str, title: &str, inner: &str) -> String {
    format!("<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n{inner}</section>\n")
}

/// One sentence that says how to read what follows.
pub(super) fn read(text: &str) -> String {
    format!("<p class=\"read\">{text}</p>\n")
}

/// What stands where nothing was measured.
pub(super) const NOTHING: &str = "<span class=\"few\" title=\"not measured\">\u{2013}</span>";

/// A cell of a table: HTML, and whether it is a number.
pub(super) struct Cell {
    html: String,
    number: bool,
}

impl Cell {
    /// Text from outside.
    pub(super) fn text(text: &str) -> Self {
        Self { html: escape(text), number: false }
    }

    /// HTML made here.
    pub(super) const fn html(html: String) -> Self {
        Self { html, number: false }
    }

    /// A number, already written.
    pub(super) const fn number(text: String) -> Self {
        Self { html: text, number: true }
    }
}

/// A table. The first cell of each row is its heading; `ours` marks rows to be set off.
pub(super) struct Table<'a> {
    caption: &'a str,
    columns: &'a [&'a str],
    rows: Vec<(Vec<Cell>, bool)>,
}

impl<'a> Table<'a> {
    pub(super) const fn new(caption: &'a str, columns: &'a [&'a str]) -> Self {
        Self { caption, columns, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push((cells, false));
    }

    pub(super) fn marked(&mut self, cells: Vec<Cell>, ours: bool) {
        self.rows.push((cells, ours));
    }

    /// Its HTML; nothing where it has no row. A column in which nothing was measured is left out.
    pub(super) fn html(&self) -> String {
        let Some((first, _)) = self.rows.first() else { return String::new() };
        let shown = |place: usize| {
            let told =
                |row: &(Vec<Cell>, bool)| row.0.get(place).is_some_and(|c| c.html != NOTHING);
            place == 0 || self.rows.iter().any(told)
        };
        // Tables wider than the page scroll: they have to be reached from the keyboard.
        let label = escape(self.caption);
        // A short one is not torn apart on paper.
        let class = if self.rows.len() <= 10 { "wide short" } else { "wide" };
        let mut out = format!(
            "<div class=\"{class}\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\">\n<table>\n\
             <caption>{label}</caption>\n<thead><tr>"
        );
        for (place, column) in self.columns.iter().enumerate().filter(|column| shown(column.0)) {
            let number = first.get(place).is_some_and(|cell| cell.number);
            let class = if number { " class=\"number\"" } else { "" };
            let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escape(column));
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for (cells, ours) in &self.rows {
            out.push_str(if *ours { "<tr class=\"ours\">" } else { "<tr>" });
            for (place, cell) in cells.iter().enumerate().filter(|cell| shown(cell.0)) {
                let class = if cell.number { " class=\"number\"" } else { "" };
                let _ = if place == 0 {
                    write!(out, "<th scope=\"row\"{class}>{}</th>", cell.html)
                } else {
                    write!(out, "<td{class}>{}</td>", cell.html)
                };
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table>\n</div>\n");
        out
    }
}
