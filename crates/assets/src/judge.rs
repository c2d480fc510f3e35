//! From evidence to a class: a sum, a bound and a margin.
//!
//! Each fingerprint speaks for a class with a weight in nats (a log-likelihood ratio against "some
//! device or other"); independent sources add up. A class is probable as `exp` of its sum over the
//! sum of all, where "something else" holds `exp(3)`: words alone (a name of 1.5, a maker of 1) do
//! not reach it, sustained behaviour (4 and more) does.
//!
//! A wrong class is worse than none, since responses follow from it, so:
//! * below the bound, or with another class too near, a device stays unknown, and unknown counts
//!   as life-sustaining;
//! * the bound is higher for classes that may be isolated by themselves (T3 and T4);
//! * kinds of scanner that cannot be told apart are an `imaging_modality`, with the strictest tier
//!   of those that it could be;
//! * servers that do several things are what stands first in [`SERVERS`]: what most care depends
//!   on, then what is most special. Their roles list all that they do.

use model::device::{DeviceClass as C, Tier};

use crate::record::Hint;

/// Evidence for "something else", in nats.
const ELSE: f32 = 3.0;
/// How far ahead of the next a class has to be, in nats.
const MARGIN: f32 = 1.0;
/// The same among servers, which do several things at once.
const SERVER_MARGIN: f32 = 1.5;
/// What a server's second trade needs to be one, in nats.
const TRADE: f32 = 4.0;
/// Least probability of a class whose tier is T0 to T2, and of one that is T3 or T4.
const BOUND: f64 = 0.6;
const BOUND_ISOLABLE: f64 = 0.75;
/// Sums are cut here: nothing passive is surer than one in some thousands.
const MOST: f32 = 11.0;

/// Kinds of scanner, which share their behaviour on the network.
const SCANNERS: &[C] = &[
    C::Ct,
    C::Mri,
    C::Angiography,
    C::NuclearMedicine,
    C::Radiotherapy,
    C::Ultrasound,
    C::Xray,
    C::Mammography,
    C::Endoscopy,
    C::EcgCart,
];

/// Devices at the bedside, which send one patient's values in a steady rhythm. The first is what
/// most of them are; words decide for another.
const BEDSIDE: &[C] = &[
    C::PatientMonitor,
    C::Ventilator,
    C::AnesthesiaMachine,
    C::InfusionPump,
    C::Dialysis,
    C::FetalMonitor,
    C::Incubator,
    C::HeartLung,
    C::BalloonPump,
];

/// Servers, in the order in which one that fits several is named.
const SERVERS: &[C] = &[
    C::Router,
    C::DhcpServer,
    C::DnsServer,
    C::NtpServer,
    C::RadiusServer,
    C::PumpServer,
    C::MqttBroker,
    C::CentralStation,
    C::Pacs,
    C::InterfaceEngine,
    C::Ehr,
    C::Lis,
    C::WorklistServer,
    C::DirectoryServer,
    C::FileServer,
    C::MailServer,
    C::SyslogServer,
    C::WebServer,
    C::Server,
];

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Fingerprint that speaks.
    pub source: &'static str,
    /// For which class.
    pub(crate) class: C,
    /// How strongly, in nats; below zero against it.
    pub weight: f32,
}

/// What fingerprints say of one device.
#[derive(Debug, Default)]
pub struct Evidence {
    source: &'static str,
    pieces: Vec<Piece>,
    roles: Vec<&'static str>,
}

impl Evidence {
    pub(crate) fn of(&mut self, source: &'static str) -> &mut Self {
        self.source = source;
        self
    }

    /// Speaks for a class; below zero against it.
    pub fn class(&mut self, class: C, weight: f32) {
        self.pieces.push(Piece { source: self.source, class, weight });
    }

    /// Says what the device does for others.
    pub fn role(&mut self, role: &'static str) {
        self.roles.push(role);
    }
}

/// What a device is, as far as anybody can tell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// Its class.
    pub(crate) class: C,
    /// How sure, 0 to 1; 0 while unknown.
    pub(crate) confidence: f64,
    /// The strictest tier of what it could be, among the kinds that its class leaves open.
    pub(crate) tier: Tier,
    /// What behaviour spoke for or against, in the order of the fingerprints.
    pub(crate) pieces: Vec<Piece>,
    /// What it does, sorted.
    pub(crate) roles: Vec<&'static str>,
}

impl Default for Verdict {
    fn default() -> Self {
        Self {
            class: C::Unknown,
            confidence: 0.0,
            tier: Tier::T0,
            pieces: Vec::new(),
            roles: Vec::new(),
        }
    }
}

/// Sums by class.
struct Sums([f32; C::KNOWN.len() + 1]);

impl Sums {
    fn at(&mut self, class: C) -> &mut f32 {
        &mut self.0[class as usize]
    }

    fn get(&self, class: C) -> f32 {
        self.0[class as usize]
    }

    /// Classes with something for them, the best first, then in the order of the table.
    fn ranking(&self) -> Vec<(C, f32)> {
        let mut all: Vec<(C, f32)> = C::KNOWN
            .iter()
            .map(|class| (*class, self.get(*class).min(MOST)))
            .filter(|(_, sum)| *sum > 0.0)
            .collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all
    }
}

/// Weighs what fingerprints and words say.
pub(crate) fn judge(evidence: Evidence, hints: &[Hint]) -> Verdict {
    let Evidence { pieces, mut roles, .. } = evidence;
    roles.sort_unstable();
    roles.dedup();
    let (mut done, mut words) = (Sums([0.0; _]), Sums([0.0; _]));
    for piece in &pieces {
        *done.at(piece.class) += piece.weight;
    }
    for hint in hints {
        *words.at(hint.class) += hint.weight;
    }
    let sums = add_up(done, &words);
    let (class, confidence, tier) = decide(&sums.ranking());
    Verdict { class, confidence, tier, pieces, roles }
}

/// Behaviour and words together, with what families share.
fn add_up(mut done: Sums, words: &Sums) -> Sums {
    let usual = done.get(C::PatientMonitor);
    if usual >= TRADE {
        let named = BEDSIDE
            .iter()
            .copied()
            .max_by(|a, b| words.get(*a).total_cmp(&words.get(*b)).then_with(|| b.cmp(a)));
        if let Some(named) = named
            && words.get(named) > words.get(C::PatientMonitor) + 1.0
        {
            *done.at(named) += usual;
            *done.at(C::PatientMonitor) -= 2.0;
        }
    }
    let scanner = done.get(C::ImagingModality) + words.get(C::ImagingModality);
    for class in SCANNERS {
        let own = done.get(*class) + words.get(*class);
        // Evidence that it is a scanner is evidence for each kind that something speaks for.
        *done.at(*class) = if own > 0.0 { own + scanner.max(0.0) } else { own };
    }
    for class in C::KNOWN.iter().filter(|class| !SCANNERS.contains(class)) {
        *done.at(*class) += words.get(*class);
    }
    done
}

fn decide(ranking: &[(C, f32)]) -> (C, f64, Tier) {
    let nobody = (C::Unknown, 0.0, Tier::T0);
    let Some(&(first, best)) = ranking.first() else { return nobody };
    let mass = |sum: f32| f64::from(sum).exp();
    let is_scanner = |class: C| class == C::ImagingModality || SCANNERS.contains(&class);
    // Candidates that are too near to be ruled out.
    let near = |margin: f32| {
        ranking
            .iter()
            .copied()
            .take_while(move |(_, sum)| best - sum < margin)
            .map(|(class, _)| class)
    };
    let (class, tier, one_of): (C, Tier, Vec<C>) = if is_scanner(first) {
        if near(MARGIN).all(|class| class == first) {
            let family = if first == C::ImagingModality { SCANNERS } else { &[] };
            let mut same: Vec<C> = family.to_vec();
            same.extend([first, C::ImagingModality]);
            (first, first.tier(), same)
        } else if near(MARGIN).all(is_scanner) {
            let strictest = near(MARGIN).map(C::tier).min().unwrap_or_default();
            let mut same = SCANNERS.to_vec();
            same.push(C::ImagingModality);
            (C::ImagingModality, strictest, same)
        } else {
            return nobody;
        }
    } else if SERVERS.contains(&first) {
        let trades: Vec<C> = near(SERVER_MARGIN)
            .filter(|class| {
                *class == first || ranking.iter().any(|(c, s)| c == class && *s >= TRADE)
            })
            .collect();
        if near(MARGIN).any(|class| !SERVERS.contains(&class)) {
            return nobody;
        }
        let named = SERVERS.iter().copied().find(|class| trades.contains(class)).unwrap_or(first);
        let second_trades =
            ranking.iter().filter(|(c, s)| SERVERS.contains(c) && *s >= TRADE).map(|(c, _)| *c);
        let same = trades.iter().copied().chain(second_trades).collect();
        (named, named.tier(), same)
    } else if matches!(first, C::Workstation | C::ImagingWorkstation) {
        // Somebody's desk where images are read too is a place where images are read.
        let reads = ranking.iter().any(|(c, s)| *c == C::ImagingWorkstation && *s >= TRADE);
        let class = if reads { C::ImagingWorkstation } else { first };
        let desk = |class: C| matches!(class, C::Workstation | C::ImagingWorkstation);
        if near(MARGIN).any(|class| !desk(class)) {
            return nobody;
        }
        (class, class.tier(), vec![C::Workstation, C::ImagingWorkstation])
    } else {
        if near(MARGIN).any(|class| class != first) {
            return nobody;
        }
        (first, first.tier(), vec![first])
    };
    let all: f64 = ranking.iter().map(|(_, sum)| mass(*sum)).sum::<f64>() + mass(ELSE);
    let ours: f64 = ranking
        .iter()
        .filter(|(c, _)| *c == class || one_of.contains(c))
        .map(|(_, s)| mass(*s))
        .sum();
    let confidence = ours / all;
    let bound = if tier >= Tier::T3 { BOUND_ISOLABLE } else { BOUND };
    if confidence < bound { nobody } else { (class, confidence, tier) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(pieces: &[(C, f32)], words: &[(C, f32)]) -> Verdict {
        let mut evidence = Evidence::default();
        pieces.iter().for_each(|(class, weight)| evidence.of("test").class(*class, *weight));
        let hints: Vec<Hint> = words
            .iter()
            .map(|(class, weight)| Hint { source: "w".into(), class: *class, weight: *weight })
            .collect();
        judge(evidence, &hints)
    }

    #[test]
    fn words_alone_do_not_make_a_class() {
        assert_eq!(verdict(&[], &[(C::Ct, 1.5), (C::Ct, 1.2)]).class, C::Unknown);
        assert_eq!(verdict(&[], &[]).tier, Tier::T0);
    }

    #[test]
    fn behaviour_beats_a_name_that_says_something_else() {
        let v = verdict(&[(C::Pacs, 7.0)], &[(C::PatientMonitor, 1.5)]);
        assert_eq!(v.class, C::Pacs);
        assert!(v.confidence > 0.9, "{}", v.confidence);
    }

    #[test]
    fn scanners_that_cannot_be_told_apart_keep_the_strictest_tier() {
        let pieces = [(C::ImagingModality, 4.5), (C::Ct, 0.5), (C::Ultrasound, 0.4)];
        let v = verdict(&pieces, &[]);
        assert_eq!((v.class, v.tier), (C::ImagingModality, Tier::T1));
        let v = verdict(&[(C::ImagingModality, 4.5), (C::Ultrasound, 3.0)], &[]);
        assert_eq!((v.class, v.tier), (C::Ultrasound, Tier::T2));
    }

    #[test]
    fn a_server_of_several_trades_is_what_most_care_depends_on() {
        let v = verdict(&[(C::NtpServer, 5.5), (C::DnsServer, 5.0), (C::FileServer, 4.5)], &[]);
        assert_eq!(v.class, C::DnsServer);
        let v = verdict(&[(C::Pacs, 9.0), (C::NtpServer, 4.5)], &[]);
        assert_eq!(v.class, C::Pacs);
    }

    #[test]
    fn two_classes_at_one_height_are_none() {
        assert_eq!(
            verdict(&[(C::LabAnalyzer, 5.0), (C::InfusionPump, 5.0)], &[]).class,
            C::Unknown
        );
    }

    #[test]
    fn words_choose_among_bedside_devices() {
        let vent = verdict(&[(C::PatientMonitor, 4.5)], &[(C::Ventilator, 2.5)]);
        assert_eq!(vent.class, C::Ventilator);
        assert_eq!(verdict(&[(C::PatientMonitor, 4.5)], &[]).class, C::PatientMonitor);
    }

    #[test]
    fn what_may_be_isolated_needs_more() {
        let enough_for_care = 3.6;
        assert_eq!(verdict(&[(C::LabAnalyzer, enough_for_care)], &[]).class, C::LabAnalyzer);
        assert_eq!(verdict(&[(C::Workstation, enough_for_care)], &[]).class, C::Unknown);
    }
}
