//! Axes and lines in SVG.

use std::fmt::Write;

use super::html::escape;

const LEFT: f64 = 66.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 46.0;
const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 350.0;

/// One axis.
pub(super) struct Axis {
    pub(super) label: &'static str,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) log: bool,
    /// Where there is a line, and what is written there.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// 0 to 1 in steps of a fifth, in per cent.
    pub(super) fn share(label: &'static str) -> Self {
        let tick = |i: u32| (f64::from(i) / 5.0, format!("{}\u{a0}%", 20 * i));
        Self { label, low: 0.0, high: 1.0, log: false, ticks: (0..=5).map(tick).collect() }
    }

    /// Powers of ten from `low` to `high`; `write` says what is written at each.
    pub(super) fn log(
        label: &'static str,
        low: f64,
        high: f64,
        write: impl Fn(f64) -> String,
    ) -> Self {
        let from = low.log10().round() as i32;
        let to = high.log10().round() as i32;
        let ticks = (from..=to).map(|power| 10_f64.powi(power)).map(|at| (at, write(at))).collect();
        Self { label, low, high, log: true, ticks }
    }

    /// Where a value lies, 0 to 1.
    fn place(&self, x: f64) -> f64 {
        let x = x.clamp(self.low, self.high);
        if self.log {
            (x / self.low).ln() / (self.high / self.low).ln()
        } else {
            (x - self.low) / (self.high - self.low)
        }
    }
}

/// A plot that is being drawn.
pub(super) struct Plot {
    x: Axis,
    y: Axis,
    inner: String,
}

impl Plot {
    pub(super) const fn new(x: Axis, y: Axis) -> Self {
        Self { x, y, inner: String::new() }
    }

    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let across = LEFT + self.x.place(x) * (WIDTH - LEFT - RIGHT);
        let down = HEIGHT - BOTTOM - self.y.place(y) * (HEIGHT - TOP - BOTTOM);
        (across, down)
    }

    fn path(&self, points: &[(f64, f64)]) -> String {
        let mut path = String::new();
        for (place, point) in points.iter().enumerate() {
            let (x, y) = self.at(*point);
            let _ = write!(path, "{}{x:.1} {y:.1}", if place == 0 { 'M' } else { 'L' });
        }
        path
    }

    /// A line through points; `class` is one of the style sheet's.
    pub(super) fn line(&mut self, points: &[(f64, f64)], class: &str) {
        let path = self.path(points);
        let _ = writeln!(self.inner, "<path class=\"{class}\" d=\"{path}\"/>");
    }

    /// An area between points.
    pub(super) fn area(&mut self, points: &[(f64, f64)], class: &str) {
        let path = self.path(points);
        let _ = writeln!(self.inner, "<path class=\"{class}\" d=\"{path}Z\"/>");
    }

    /// A dashed line with a word at its upper end.
    pub(super) fn guide(&mut self, from: (f64, f64), to: (f64, f64), word: &str) {
        self.line(&[from, to], "guide");
        let (x, y) = self.at(to);
        let (x, y) = (x + 4.0, y.max(TOP) + 12.0);
        let _ = writeln!(self.inner, "<text x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(word));
    }

    /// Points with whiskers, joined by a line, in the `n`th colour: x, y, lower and upper end.
    pub(super) fn series(&mut self, n: usize, points: &[(f64, f64, f64, f64)]) {
        let _ = write!(self.inner, "<g class=\"group c{}\">", n % 8);
        self.line(&points.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(), "");
        for (x, y, low, high) in points {
            let (_, down) = self.at((*x, *low));
            let (across, up) = self.at((*x, *high));
            let (_, middle) = self.at((*x, *y));
            let _ = writeln!(
                self.inner,
                "<path opacity=\".6\" d=\"M{across:.1} {down:.1}V{up:.1}\"/>\
                 <circle class=\"knob\" cx=\"{across:.1}\" cy=\"{middle:.1}\" r=\"3.6\"/>"
            );
        }
        self.inner.push_str("</g>\n");
    }

    /// The whole; `told` is what somebody hears who cannot see it.
    pub(super) fn svg(&self, told: &str) -> String {
        let mut out = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" role=\"img\" aria-label=\"{}\">\n",
            escape(told)
        );
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for (at, word) in &self.x.ticks {
            let (x, _) = self.at((*at, self.y.low));
            let _ = writeln!(
                out,
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 17.0,
                escape(word)
            );
        }
        for (at, word) in &self.y.ticks {
            let (_, y) = self.at((self.x.low, *at));
            let _ = writeln!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 7.0,
                y + 4.0,
                escape(word)
            );
        }
        out.push_str(&self.inner);
        let (across, middle) = (f64::midpoint(LEFT, right), f64::midpoint(TOP, bottom));
        let _ = writeln!(
            out,
            "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>\
             <text x=\"{across:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(13 {middle:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n</svg>",
            HEIGHT - 6.0,
            escape(self.x.label),
            escape(self.y.label)
        );
        out
    }
}

/// A figure with its caption, HTML.
pub(super) fn figure(caption: &str, svg: &str, below: &str) -> String {
    format!("<figure>\n<figcaption>{caption}</figcaption>\n{svg}{below}</figure>\n")
}

/// An interval as a small bar on a scale from 0 to `most`, for a cell of a table.
pub(super) fn bar(value: f64, low: f64, high: f64, most: f64) -> String {
    let place = |x: f64| 2.0 + 116.0 * (x / most).clamp(0.0, 1.0);
    let (value, low, high) = (place(value), place(low), place(high));
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 120 14\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <path class=\"track\" d=\"M2 7H118\"/><path class=\"reach\" d=\"M{low:.1} 7H{high:.1}\"/>\
         <rect class=\"dot\" x=\"{:.1}\" y=\"3\" width=\"3\" height=\"8\"/></svg>",
        value - 1.5
    )
}
