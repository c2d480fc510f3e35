//! What trees learn from: windows of many sites with what each really was.

use learn::behaviour::{TREE_WIDTH, tree_row};
use learn::features::distinct::mark;
use ml::Chance;

use crate::evaluation::Label;
use crate::label::Labels;
use crate::site::Site;
use crate::watch::Seen;

/// Families of attacks by the technique of ATT&CK (Enterprise and ICS) that the truth names. A
/// technique without its sub-technique stands for all of them.
static FAMILIES: &[(&str, &[&str])] = &[
    ("discovery", &["T1018", "T1046", "T0846", "T1087", "T1069", "T1482"]),
    ("collection", &["T1213", "T0801", "T1005"]),
    ("credential access", &["T1110", "T1078", "T1558", "T0859"]),
    ("denial of service", &["T0814", "T1499", "T1498"]),
    ("adversary in the middle", &["T1557", "T0830"]),
    ("command and control", &["T1071", "T1568", "T1572"]),
    ("spoofed messages", &["T0856", "T0832"]),
    ("malware", &["T0866", "T1210", "T1486", "T0867", "T1570"]),
    ("exfiltration", &["T1041", "T1567", "T1048"]),
    ("commands to devices", &["T0855", "T0836", "T0857", "T0839"]),
    ("remote access", &["T0886", "T1021", "T1219", "T0822"]),
];

/// The place of a technique's family.
pub fn family(technique: &str) -> Option<usize> {
    let whole = technique.split('.').next().unwrap_or_default();
    FAMILIES.iter().position(|(_, techniques)| techniques.contains(&whole))
}

/// Names of the families.
pub fn families() -> Vec<String> {
    FAMILIES.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// A row to learn from.
#[derive(Clone, Debug)]
pub struct Example {
    /// What trees see.
    pub row: [f32; TREE_WIDTH],
    /// What it was.
    pub label: Label,
    /// Place of its family, where it is an attack of one.
    pub family: Option<usize>,
    /// How strange the models of normal life found it.
    pub novelty: f32,
    /// A number of its site: those of one site are learned from or judged together.
    pub site: u64,
}

/// Rows of many sites.
#[derive(Clone, Debug, Default)]
pub struct Lesson {
    /// All of them.
    pub examples: Vec<Example>,
}

/// Of so many windows of normal life one is learned from: there are thousands to one of an attack.
pub(crate) const THIN: usize = 3;

impl Lesson {
    /// Takes the windows of a site after its time of learning. Those of look-alikes are normal; what is
    /// neither normal nor an attack is left out.
    pub fn add(&mut self, site: &Site, seen: &Seen, labels: &Labels, seed: u64) {
        let mut chance = Chance::new(seed);
        for watched in &seen.windows {
            let behaved = &watched.behaved;
            if behaved.end <= site.learn_until {
                continue;
            }
            let label = labels.of(watched.ip, behaved.end);
            let family = match &label {
                Label::Neutral => continue,
                Label::Normal if chance.below(THIN) > 0 => continue,
                Label::Attack(kind) => technique(site, kind).and_then(family),
                _ => None,
            };
            self.examples.push(Example {
                row: tree_row(&behaved.standard, &behaved.scores, &behaved.row),
                label,
                family,
                novelty: behaved.novelty,
                site: mark(&site.name),
            });
        }
    }
}

/// The technique of a kind of attack, by the truth of a site.
pub fn technique<'a>(site: &'a Site, kind: &str) -> Option<&'a str> {
    let of = |truth: &&drill::Truth| truth.scenario == kind || truth.technique == kind;
    site.truth.iter().find(of).map(|truth| truth.technique.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attack_that_can_be_made_belongs_to_a_family() {
        for entry in drill::catalogue().iter().filter(|entry| entry.malicious) {
            assert!(family(entry.technique).is_some(), "{} {}", entry.name, entry.technique);
        }
    }
}
