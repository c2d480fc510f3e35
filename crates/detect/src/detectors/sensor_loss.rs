//! The sensor did not see everything: packets were lost, an interface was down, flows were let go,
//! or detection came too late.
//!
//! Silence looks like safety. Whoever reads that nothing happened has to know whether anybody was
//! looking, so that every stretch of loss is a finding of its own, in words, and the loss of an
//! interface is one case however long it goes on: what is told anew takes the place of what was
//! told before.
//!
//! How bad it is goes by the share that was lost and by its length. Loss is no attack by itself; but
//! an interface that dies, or a flood that fills the ring, is also what an attacker would do first
//! (T0815, denial of view), and is marked so from `High` on.

use std::collections::BTreeMap;

use model::finding::{FindingId, FindingKind, Reason, Severity};
use model::observation::Observation;
use model::sensor::{DETECTION_BEHIND, INTERFACE_DOWN, INTERFACE_GONE, TABLE_FULL};
use model::time::Timestamp;

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "sensor_loss",
    doc: "The sensor was blind for a while: packets or flows were lost, or an interface was down.",
    kind: FindingKind::Rule,
    reads: &["sensor.loss"],
    attack: &["T0815"],
    next_step: "Treat what was said of this time as incomplete. If packets were lost: give capture more memory (capture.ring_mib) or threads (capture.threads), or mirror less. If the interface was down: check the cable and the mirror port of the switch, and who changed it.",
    sources: &["ATT&CK for ICS T0815"],
};

/// A stretch is over after so many seconds without loss.
const QUIET: f64 = 10.0;
/// A stretch that goes on is told anew after so many seconds.
const TELL_EVERY: f64 = 5.0;
/// Most stretches at once; there is one an interface and cause.
const MOST: usize = 256;

/// See the module. What goes on is not kept over a restart: the sensor was blind in between anyway.
#[derive(Debug, Default)]
pub struct SensorLoss {
    open: BTreeMap<(String, String), Stretch>,
}

/// Loss of one cause on one interface that goes on.
#[derive(Debug)]
struct Stretch {
    from: Timestamp,
    until: Timestamp,
    packets: u64,
    lost: u64,
    waited: f64,
    /// Flows let go: of one packet, silent, to be spared.
    flows: [u64; 3],
    last: Observation,
    finding: Option<FindingId>,
    told: Timestamp,
    severity: Severity,
}

impl Detector for SensorLoss {
    fn spec(&self) -> &'static DetectorSpec {
        &SPEC
    }

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let (Some(interface), Some(cause)) = (o.str("interface"), o.str("cause")) else { return };
        let key = (interface.to_owned(), cause.to_owned());
        let begun = o.at.minus(seconds(o.float("seconds").unwrap_or(0.0)));
        if let Some(old) = self.open.get_mut(&key)
            && begun.seconds_since(old.until) > QUIET
        {
            old.tell(&key, true, cx, out);
            self.open.remove(&key);
        }
        if self.open.len() >= MOST && !self.open.contains_key(&key) {
            return;
        }
        let stretch = self.open.entry(key.clone()).or_insert_with(|| Stretch::new(begun, o));
        stretch.take(o);
        let due = o.at.seconds_since(stretch.told) >= TELL_EVERY;
        if stretch.finding.is_none() || due || stretch.worth(cause) > stretch.severity {
            stretch.tell(&key, false, cx, out);
        }
    }

    fn tick(&mut self, cx: &Context<'_>, out: &mut Findings) {
        self.open.retain(|key, stretch| {
            let over = cx.now.seconds_since(stretch.until) > QUIET;
            if over {
                stretch.tell(key, true, cx, out);
            }
            !over
        });
    }
}

impl Stretch {
    fn new(from: Timestamp, o: &Observation) -> Self {
        Self {
            from,
            until: from,
            packets: 0,
            lost: 0,
            waited: 0.0,
            flows: [0; 3],
            last: o.clone(),
            finding: None,
            told: from,
            severity: Severity::Info,
        }
    }

    fn take(&mut self, o: &Observation) {
        let count = |name| o.uint(name).unwrap_or(0);
        self.until = self.until.max(o.at);
        self.packets = self.packets.saturating_add(count("packets"));
        self.lost = self.lost.saturating_add(count("lost"));
        self.waited += o.float("waited").unwrap_or(0.0).max(0.0);
        let names = ["flows_single_packet", "flows_idle", "flows_kept"];
        for (sum, name) in self.flows.iter_mut().zip(names) {
            *sum = sum.saturating_add(count(name));
        }
        self.last = o.clone();
    }

    fn length(&self) -> f64 {
        self.until.seconds_since(self.from).max(0.0)
    }

    fn share(&self) -> f64 {
        self.lost as f64 / self.packets.max(self.lost).max(1) as f64
    }

    /// How bad it is, by share and length.
    fn worth(&self, cause: &str) -> Severity {
        let length = self.length();
        match cause {
            INTERFACE_GONE => Severity::High,
            INTERFACE_DOWN if length >= 60.0 => Severity::High,
            INTERFACE_DOWN if length >= 5.0 => Severity::Medium,
            INTERFACE_DOWN => Severity::Low,
            TABLE_FULL if self.flows[2] > 0 => Severity::High,
            TABLE_FULL if self.flows[1] > 0 => Severity::Medium,
            DETECTION_BEHIND if length >= 30.0 => Severity::Medium,
            TABLE_FULL | DETECTION_BEHIND => Severity::Low,
            _ => match self.share() {
                share if share >= 0.1 && length >= 5.0 => Severity::High,
                share if share >= 0.01 || length >= 60.0 => Severity::Medium,
                _ => Severity::Low,
            },
        }
    }

    fn tell(
        &mut self,
        (interface, cause): &(String, String),
        over: bool,
        cx: &Context<'_>,
        out: &mut Findings,
    ) {
        self.severity = self.severity.max(self.worth(cause));
        self.told = self.told.max(self.until);
        let title = self.title(interface, cause, over);
        let claim = out.claim(cx, &self.last, self.severity, title).about_sensor(interface);
        let claim = match &self.finding {
            Some(finding) => claim.again(finding.clone()),
            None => claim.key(format!("{interface} {cause} {}", self.from.nanos())),
        };
        let high = self.severity >= Severity::High;
        let view = high && cause != DETECTION_BEHIND && cause != TABLE_FULL;
        let told = claim
            .because(self.reason(cause))
            .because(
                Reason::new("length", format!("{:.1}", self.length()), "0").unit("s").weight(0.5),
            )
            .attack(if view { &["T0815"] } else { &[] })
            .score(1.0)
            .make_named();
        self.finding = told.or(self.finding.take());
    }

    fn title(&self, interface: &str, cause: &str, over: bool) -> String {
        let when = if over {
            format!("from {} to {} UTC", clock(self.from), clock(self.until))
        } else {
            format!("since {} UTC", clock(self.from))
        };
        let unseen = if over { "What happened then was not seen." } else { "It goes on." };
        match cause {
            INTERFACE_DOWN => {
                format!("Blind on {interface} {when}: the interface was down. {unseen}")
            }
            INTERFACE_GONE => format!(
                "Blind on {interface} {when}: the interface is gone. Nothing is seen there until capture is started anew."
            ),
            TABLE_FULL => {
                let [single, idle, kept] = self.flows.map(words::thousands);
                format!(
                    "Too many flows at once on {interface} {when}: {} were let go before their end ({single} of one packet, {idle} silent ones, {kept} of clinical protocols). What followed in them was not understood.",
                    words::thousands(self.flows.iter().sum()),
                )
            }
            DETECTION_BEHIND => format!(
                "Detection could not keep up on {interface} {when}: capture waited {} for it. Findings came late; packets lost by it are told by themselves.",
                words::span(self.waited),
            ),
            _ => {
                let partly = if self.share() < 0.1 { "Partly blind" } else { "Blind" };
                format!(
                    "{partly} on {interface} {when}: {} of packets lost ({} of {}). {unseen}",
                    percent(self.share()),
                    words::thousands(self.lost),
                    words::thousands(self.packets.max(self.lost)),
                )
            }
        }
    }

    fn reason(&self, cause: &str) -> Reason {
        match cause {
            INTERFACE_DOWN | INTERFACE_GONE => Reason::new("state of the interface", "down", "up"),
            TABLE_FULL => {
                Reason::new("flows let go before their end", self.flows.iter().sum::<u64>(), 0)
            }
            DETECTION_BEHIND => {
                Reason::new("capture waited for detection", format!("{:.1}", self.waited), "0")
                    .unit("s")
            }
            _ => Reason::new("packets lost", self.lost, 0),
        }
    }
}

fn seconds(seconds: f64) -> std::time::Duration {
    std::time::Duration::from_secs_f64(seconds.clamp(0.0, 1e9))
}

/// Time of day, as "12:03:10".
fn clock(at: Timestamp) -> String {
    let second = at.seconds().rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        p if p < 0.1 => "less than 0.1 %".to_owned(),
        p if p < 9.95 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use model::case::Case;
    use model::observation::Value;
    use model::sensor::{LOSS, RING_FULL};

    use super::*;
    use crate::fixture::{Ward, num, word};

    /// Half a second of loss up to now.
    fn lose(ward: &mut Ward, interface: &str, cause: &str, packets: u64, lost: u64) {
        ward.pass(0.5);
        let fields = [
            ("interface", word(interface)),
            ("cause", word(cause)),
            ("seconds", Value::Float(0.5)),
            ("packets", num(packets)),
            ("lost", num(lost)),
        ];
        ward.of_sensor(&LOSS, &fields);
    }

    fn quiet(ward: &mut Ward) {
        ward.pass(QUIET + 2.0);
        ward.idle();
    }

    fn cases(ward: &mut Ward) -> BTreeMap<String, Case> {
        ward.engine.take_cases().into_iter().map(|case| (case.id.0.clone(), case)).collect()
    }

    #[test]
    fn a_stretch_of_loss_is_one_case_that_says_when_and_how_much() {
        let mut ward = Ward::new();
        ward.watch();
        (0..8).for_each(|_| lose(&mut ward, "span0", RING_FULL, 8_500, 1_543));
        quiet(&mut ward);
        let findings = ward.findings();
        let last = findings.last().unwrap();
        assert!(findings.iter().all(|f| f.id == last.id && f.case == last.case));
        assert_eq!(
            last.title,
            "Blind on span0 from 08:10:01 to 08:10:05 UTC: 18 % of packets lost (12,344 of \
             68,000). What happened then was not seen."
        );
        let cases = cases(&mut ward);
        assert_eq!(cases.len(), 1);
        let case = cases.values().next().unwrap();
        assert_eq!((&case.title, case.findings.len()), (&last.title, 1));
        assert!(case.proposal.starts_with("None"), "{}", case.proposal);
        assert_eq!(case.devices[0].0, "S-span0");
    }

    #[test]
    fn loss_for_an_hour_is_told_anew_and_stays_one_case() {
        let mut ward = Ward::new();
        ward.watch();
        (0..7_200).for_each(|_| lose(&mut ward, "span0", RING_FULL, 1_000, 500));
        let told = ward.findings();
        assert!((100..800).contains(&told.len()), "{}", told.len());
        assert!(told.iter().all(|f| f.id == told[0].id));
        let case = cases(&mut ward);
        assert_eq!(case.len(), 1);
        let case = case.values().next().unwrap();
        assert_eq!((case.severity, case.story.len()), (Severity::High, 1));
        assert_eq!(case.attack, ["T0815"]);
    }

    #[test]
    fn loss_that_comes_and_goes_floods_nobody_with_cases() {
        let mut ward = Ward::new();
        ward.watch();
        for _ in 0..50 {
            lose(&mut ward, "span0", RING_FULL, 1_000, 1);
            quiet(&mut ward);
        }
        let ids: std::collections::BTreeSet<_> =
            ward.findings().into_iter().filter_map(|f| f.case).collect();
        assert_eq!(ids.len(), 1);
    }

    #[test]
    fn each_interface_has_its_own_case_and_each_cause_its_own_words() {
        let mut ward = Ward::new();
        ward.watch();
        for _ in 0..20 {
            lose(&mut ward, "span0", INTERFACE_DOWN, 0, 0);
            lose(&mut ward, "span1", RING_FULL, 100_000, 3);
            lose(&mut ward, "span1", DETECTION_BEHIND, 0, 0);
        }
        quiet(&mut ward);
        let cases = cases(&mut ward);
        assert_eq!(cases.len(), 2);
        let of = |interface: &str| {
            let device = format!("S-{interface}");
            cases.values().find(|case| case.devices[0].0 == device).unwrap()
        };
        assert!(of("span0").title.contains("the interface was down"), "{}", of("span0").title);
        assert_eq!(of("span0").severity, Severity::Medium);
        assert_eq!((of("span1").severity, of("span1").findings.len()), (Severity::Low, 2));
    }

    #[test]
    fn clinical_flows_let_go_are_worse_than_those_of_one_packet() {
        for (field, severity) in
            [("flows_single_packet", Severity::Low), ("flows_kept", Severity::High)]
        {
            let mut ward = Ward::new();
            ward.watch();
            let fields =
                [("interface", word("a")), ("cause", word(TABLE_FULL)), (field, num(1_234))];
            ward.of_sensor(&LOSS, &fields);
            let finding = ward.findings().pop().unwrap();
            assert_eq!(finding.severity, severity);
            assert!(finding.title.contains("1,234 were let go"), "{}", finding.title);
        }
    }
}
