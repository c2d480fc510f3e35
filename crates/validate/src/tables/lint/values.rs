//! Columns whose values look like addresses, times, ports, counters, or the label itself.

use std::net::IpAddr;

use ml::metrics::Ranking;

use super::names::what;
use super::{Finding, Sign};
use crate::tables::column::{Column, Table, Values};

/// An area under the curve above this, by one column, is no detection.
const MOST_AUC: f64 = 0.999;

/// Fewer rows say nothing about a column.
const LEAST_ROWS: usize = 50;

/// Of a hundred values so many have to look alike.
const NEARLY_ALL: f64 = 0.95;

/// Ports that are frequent where ports are.
const PORTS: [f32; 12] =
    [22.0, 23.0, 25.0, 53.0, 67.0, 80.0, 104.0, 123.0, 443.0, 445.0, 502.0, 1883.0];

/// Whether a column's values look like those that give the laboratory away.
pub(super) fn suspect(table: &Table, column: &Column) -> Option<Finding> {
    if table.rows() < LEAST_ROWS {
        return None;
    }
    let (sign, share) = match &column.values {
        Values::Numbers(values) => numbers(&values[..table.test.min(values.len())])?,
        Values::Words { codes, names } => words(codes, names)?,
    };
    let says = format!(
        "'{}' looks like {} ({:.1} % of its values): it says where or when something was recorded, \
         and not what it was",
        column.name,
        what(sign),
        share * 100.0
    );
    Some(Finding::about(sign, true, column, ((share * table.rows() as f64) as u64, share), says))
}

fn numbers(values: &[f32]) -> Option<(Sign, f64)> {
    let there: Vec<f32> = values.iter().copied().filter(|value| value.is_finite()).collect();
    if there.len() < LEAST_ROWS {
        return None;
    }
    let share = |test: &dyn Fn(f32) -> bool| {
        there.iter().filter(|value| test(**value)).count() as f64 / there.len() as f64
    };
    let mut sorted = there.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    sorted.dedup();
    // Seconds, milliseconds, microseconds and nanoseconds since 1970, in 2001 to 2065.
    for unit in [1.0, 1e3, 1e6, 1e9] {
        let time = share(&|value| (1e9 * unit..3e9 * unit).contains(&value));
        if time >= NEARLY_ALL {
            return Some((Sign::Time, time));
        }
    }
    let grows = there.windows(2).filter(|pair| pair[1] >= pair[0]).count();
    let grows = grows as f64 / (there.len() - 1) as f64;
    if grows >= 0.999 && sorted.len() * 2 > there.len() {
        return Some((Sign::Counter, grows));
    }
    let whole = share(&|value| value.fract() == 0.0 && (0.0..=65_535.0).contains(&value));
    if whole < NEARLY_ALL {
        return None;
    }
    // Times to live are a few below 32, 64, 128 or 255, which no count and no size is.
    let hops = |value: f32| {
        [32.0, 64.0, 128.0, 255.0].iter().any(|start| (start - 30.0..=*start).contains(&value))
    };
    let starts = [64.0, 128.0, 255.0]
        .iter()
        .filter(|start| share(&|value| (**start - 30.0..=**start).contains(&value)) > 0.1);
    let live = share(&hops);
    if live >= NEARLY_ALL && starts.count() >= 2 && sorted.last() <= Some(&255.0) {
        return Some((Sign::Ttl, live));
    }
    let known = PORTS.iter().filter(|port| share(&|value| value == **port) > 0.01).count();
    let high = share(&|value| value > 1_024.0);
    (known >= 3 && high > 0.01 && sorted.len() > 20).then_some((Sign::Port, whole))
}

fn words(codes: &[u32], names: &[String]) -> Option<(Sign, f64)> {
    let there = codes.len();
    let mut counts = vec![0_usize; names.len()];
    for code in codes {
        if let Some(count) = counts.get_mut(*code as usize) {
            *count += 1;
        }
    }
    let share = |test: &dyn Fn(&str) -> bool| {
        let rows: usize =
            names.iter().zip(&counts).filter(|(name, _)| test(name)).map(|(_, n)| *n).sum();
        rows as f64 / there as f64
    };
    let address = share(&|word| word.parse::<IpAddr>().is_ok() || is_mac(word));
    if address >= 0.5 {
        return Some((Sign::Address, address));
    }
    let time = share(&is_time);
    if time >= NEARLY_ALL {
        return Some((Sign::Time, time));
    }
    let distinct = names.len() as f64 / there as f64;
    (distinct > 0.5).then_some((Sign::Identifier, distinct))
}

fn is_mac(word: &str) -> bool {
    let parts: Vec<&str> = word.split([':', '-']).collect();
    let two = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.len() == 6 && parts.iter().all(two)
}

/// Such as "2017-07-03 08:55:58" or "3/7/2017 8:55".
fn is_time(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let date = word.matches(['-', '/', '.']).count() >= 2;
    let hour = word.contains(':');
    let signs = |c: char| c.is_ascii_digit() || "-/.:+TZ APM".contains(c);
    digits >= 5 && (date || hour) && word.chars().all(signs)
}

/// Whether a column alone tells normal rows from attacks.
pub(super) fn gives_away(table: &Table, column: &Column) -> Option<Finding> {
    let test = table.test.min(table.rows()) as u32;
    let auc = match &column.values {
        Values::Numbers(values) => {
            // What is missing may give the label away as well: it ranks below all.
            let row = |row: u32| {
                let value = f64::from(values[row as usize]);
                (if value.is_nan() { f64::NEG_INFINITY } else { value }, table.attack(row))
            };
            Ranking::new((0..test).map(row)).roc_auc()?
        }
        Values::Words { codes, names } => {
            // The share of attacks of each word in every other row, asked of the rest.
            let mut counts = vec![[0_u32; 2]; names.len() + 1];
            let place = |row: u32| (codes[row as usize] as usize).min(names.len());
            for row in (0..test).step_by(2) {
                counts[place(row)][usize::from(table.attack(row))] += 1;
            }
            let row = |row: u32| {
                let [normal, attacks] = counts[place(row)].map(f64::from);
                ((attacks + 0.5) / (attacks + normal + 1.0), table.attack(row))
            };
            Ranking::new((1..test).step_by(2).map(row)).roc_auc()?
        }
    };
    let auc = auc.max(1.0 - auc);
    let says = format!(
        "'{}' alone tells normal rows from attacks (ROC AUC {auc:.4}): it was made from the label, \
         or by how the table was recorded",
        column.name
    );
    let found = Finding::about(Sign::GivesAway, true, column, (u64::from(test), auc), says);
    (auc > MOST_AUC && test as usize >= LEAST_ROWS).then_some(found)
}
