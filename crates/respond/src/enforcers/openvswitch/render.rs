//! From an intent to the lines that `ovs-ofctl add-flows` reads, and back from those it dumps.
//!
//! Priorities go by what a flow does; within that each action has its own, from 0 to 999, because a
//! flow with the same match and priority would replace that of another action.

use std::net::IpAddr;
use std::time::Duration;

use model::net::Mac;
use sha2::{Digest, Sha256};

use super::OpenvswitchConfig;
use crate::enforcers::halves::{
    self, Half, ICMP_ANSWERS, ICMP_ERRORS, ICMP6_ANSWERS, ICMP6_ERRORS, Leg, NEIGHBOURS, What,
};
use crate::enforcers::{GRACE, is_plain};
use crate::plan::Intent;
use crate::range::Range;
use crate::restriction::{Indicator, Proto, Restriction};

/// Every flow of ours.
pub(super) const EVERY_COOKIE: &str = "cookie=0x5757000000000000/0xffff000000000000";
/// Flows that only hand on.
const CONSTANT: &str = "0x5757000000000000";
/// `hard_timeout` has 16 bits.
const LONGEST: u64 = 65_535;

/// ICMP types that call somebody: echo, timestamp, information and address mask. Others that are
/// neither these nor answers are left alone.
const ICMP_CALLS: &[u8] = &[8, 13, 15, 17];
const ICMP6_CALLS: &[u8] = &[128];

/// What a flow does, by its priority.
#[derive(Clone, Copy)]
enum Band {
    Enter = 60_000,
    Perimeter = 58_000,
    /// What is no conversation passes.
    Free = 55_000,
    Block = 50_000,
    Call = 40_000,
    Opening = 35_000,
    Answer = 30_000,
    Deny = 20_000,
}

/// The table after table 0, counted from the first of ours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Blocks,
    Source,
    Destination,
}

struct Flows<'a> {
    config: &'a OpenvswitchConfig,
    lines: Vec<String>,
    cookie: String,
    place: u16,
    hold: u64,
}

/// The change, with flows that deny for `hold`.
///
/// # Errors
/// Where it cannot be expressed exactly: why.
pub(super) fn change(
    config: &OpenvswitchConfig,
    intent: &Intent,
    hold: Duration,
) -> Result<Vec<String>, String> {
    if !is_plain(&intent.id) {
        return Err("the name of the action has to be of letters, digits and hyphens".to_owned());
    }
    let hold = hold.as_secs();
    if !(1..=LONGEST - GRACE.as_secs()).contains(&hold) {
        return Err("a flow lives from a second to 18 hours".to_owned());
    }
    let cookie = cookie(&intent.id);
    let mut flows =
        Flows { config, lines: vec![delete(&cookie)], place: place(&intent.id), cookie, hold };
    flows.hand_on();
    match &intent.restriction {
        Restriction::Block { flows: patterns } => {
            flows.block(&halves::own(&intent.subject)?, &halves::block(&intent.subject, patterns)?);
        }
        Restriction::Perimeter { indicator: Indicator::Address(range) } => {
            flows.perimeter(*range)?;
        }
        Restriction::Perimeter { indicator: Indicator::Domain(_) } => {
            return Err("packets do not name domains".to_owned());
        }
        Restriction::Essentials { allow } => {
            let own = halves::own(&intent.subject)?;
            flows.essentials(&own, &halves::halves(&intent.subject, allow)?);
        }
        Restriction::Quarantine { management } => {
            let own = halves::own(&intent.subject)?;
            flows.quarantine(&own, intent.subject.mac, management);
        }
    }
    Ok(flows.lines)
}

impl Flows<'_> {
    fn table(&self, stage: Stage) -> u8 {
        self.config.first_table + stage as u8
    }

    /// What it is to pass a stage.
    fn pass(&self, stage: Stage) -> String {
        match stage {
            Stage::Blocks => format!("resubmit(,{})", self.table(Stage::Source)),
            Stage::Source => format!("resubmit(,{})", self.table(Stage::Destination)),
            Stage::Destination => self.config.then.clone(),
        }
    }

    /// What no other flow of ours wants goes on, in every table, with no end.
    fn hand_on(&mut self) {
        for stage in [Stage::Blocks, Stage::Source, Stage::Destination] {
            let (table, pass) = (self.table(stage), self.pass(stage));
            self.lines
                .push(format!("add table={table},cookie={CONSTANT},priority=0,actions={pass}"));
        }
    }

    fn add(&mut self, table: u8, band: Band, life: u64, matches: &str, actions: &str) {
        let priority = band as u16 + self.place;
        let cookie = self.cookie.trim_start_matches("cookie=").trim_end_matches("/-1");
        let line = format!(
            "add table={table},cookie={cookie},priority={priority},hard_timeout={life},{matches},\
             actions={actions}"
        );
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    fn enter(&mut self, matches: &str) {
        let to = format!("resubmit(,{})", self.table(Stage::Blocks));
        self.add(0, Band::Enter, self.hold, matches, &to);
    }

    fn deny(&mut self, stage: Stage, band: Band, matches: &str) {
        self.add(self.table(stage), band, self.hold, matches, "drop");
    }

    fn allow(&mut self, stage: Stage, band: Band, matches: &str) {
        let pass = self.pass(stage);
        self.add(self.table(stage), band, self.hold + GRACE.as_secs(), matches, &pass);
    }

    fn block(&mut self, own: &[IpAddr], halves: &[Half]) {
        for &own in own {
            for end in ends(own) {
                self.enter(&format!("{},{end}", base(own)));
                self.neighbours(Stage::Blocks, own, &end);
                self.errors(Stage::Blocks, own, &end);
                let (client, server) = if own.is_ipv4() { (68, 67) } else { (546, 547) };
                let udp = name(Proto::Udp, own);
                for (from, to) in [(client, server), (server, client), (server, server)] {
                    let dhcp = format!("{udp},{end},tp_src={from},tp_dst={to}");
                    self.allow(Stage::Blocks, Band::Free, &dhcp);
                }
            }
        }
        for half in halves {
            for matches in matches(half, true) {
                self.deny(Stage::Blocks, Band::Block, &matches);
            }
        }
    }

    fn perimeter(&mut self, range: Range) -> Result<(), String> {
        if range.prefix() == 0 {
            return Err("that is everybody".to_owned());
        }
        let (base, [from, to]) = (base(range.address()), ends_of(range));
        for end in [from, to] {
            self.enter(&format!("{base},{end}"));
            self.deny(Stage::Blocks, Band::Perimeter, &format!("{base},{end}"));
        }
        Ok(())
    }

    /// Everything of the device ends here, behind whatever passes.
    fn hold_own(&mut self, own: &[IpAddr]) {
        for &own in own {
            for (stage, end) in sides(own) {
                self.enter(&format!("{},{end}", base(own)));
                self.neighbours(stage, own, &end);
                self.deny(stage, Band::Deny, &format!("{},{end}", base(own)));
            }
        }
    }

    fn neighbours(&mut self, stage: Stage, own: IpAddr, end: &str) {
        if own.is_ipv6() {
            for kind in NEIGHBOURS {
                self.allow(stage, Band::Free, &format!("icmp6,{end},icmp_type={kind}"));
            }
        }
    }

    fn errors(&mut self, stage: Stage, own: IpAddr, end: &str) {
        let errors = if own.is_ipv4() { ICMP_ERRORS } else { ICMP6_ERRORS };
        for kind in errors {
            let icmp = name(Proto::Icmp, own);
            self.allow(stage, Band::Free, &format!("{icmp},{end},icmp_type={kind}"));
        }
    }

    fn essentials(&mut self, own: &[IpAddr], halves: &[Half]) {
        self.hold_own(own);
        for &own in own {
            for (stage, end) in sides(own) {
                self.errors(stage, own, &end);
                // Whatever opens a conversation that is not essential ends here, so that what looks
                // like an answer below cannot be a call.
                let tcp = name(Proto::Tcp, own);
                self.deny(stage, Band::Opening, &format!("{tcp},{end},tcp_flags=+syn-ack"));
                let calls = if own.is_ipv4() { ICMP_CALLS } else { ICMP6_CALLS };
                for kind in calls {
                    let icmp = name(Proto::Icmp, own);
                    self.deny(stage, Band::Opening, &format!("{icmp},{end},icmp_type={kind}"));
                }
            }
        }
        for half in &with_own_peers(own, halves) {
            let stage = if half.leaves { Stage::Source } else { Stage::Destination };
            let band = if half.leg == Leg::Call { Band::Call } else { Band::Answer };
            for matches in matches(half, false) {
                self.allow(stage, band, &matches);
            }
            // Later parts of packets have no ports; without the first part they are worth nothing.
            let part = format!("{},nw_frag=later,{}", base(half.own), pair(half));
            self.allow(stage, Band::Answer, &part);
        }
    }

    fn quarantine(&mut self, own: &[IpAddr], mac: Option<Mac>, management: &[Range]) {
        self.hold_own(own);
        for v6 in [false, true] {
            let ranges = halves::widest(management, v6);
            let mut halves = Vec::new();
            for &own in own.iter().filter(|own| own.is_ipv6() == v6) {
                for &peer in &ranges {
                    let half = Half { own, peer, leaves: true, leg: Leg::Call, what: What::All };
                    halves.extend([half, Half { leaves: false, ..half }]);
                }
            }
            for half in &with_own_peers(own, &halves) {
                let stage = if half.leaves { Stage::Source } else { Stage::Destination };
                for matches in matches(half, false) {
                    self.allow(stage, Band::Call, &matches);
                }
            }
            let Some(mac) = mac.filter(|mac| mac.is_station()) else { continue };
            // By its Ethernet address it is held too when it takes another address. Without any
            // address yet it may ask for one.
            let (base, nobody) =
                if v6 { ("ipv6", "ipv6_src=::") } else { ("ip", "nw_src=0.0.0.0") };
            let device = format!("{base},dl_src={mac}");
            self.enter(&device);
            self.allow(Stage::Source, Band::Call, &format!("{device},{nobody}"));
            if v6 {
                for kind in NEIGHBOURS {
                    let near = format!("icmp6,dl_src={mac},icmp_type={kind}");
                    self.allow(Stage::Source, Band::Free, &near);
                }
            }
            for range in ranges {
                let [_, to] = ends_of(range);
                self.allow(Stage::Source, Band::Call, &format!("{device},{to}"));
            }
            self.deny(Stage::Source, Band::Deny, &device);
        }
    }
}

/// With what has to pass at the other end too, since that is the device itself under another of its
/// addresses.
fn with_own_peers(own: &[IpAddr], halves: &[Half]) -> Vec<Half> {
    let mut all = halves.to_vec();
    for half in halves {
        for &other in own.iter().filter(|other| half.peer.contains(**other)) {
            let peer = Range::one(half.own);
            all.push(Half { own: other, peer, leaves: !half.leaves, ..*half });
        }
    }
    all
}

/// What packets of a half look like. Of ICMP a block takes calls or answers only; what is allowed
/// includes answers to nobody.
fn matches(half: &Half, exact: bool) -> Vec<String> {
    let (own, pair) = (half.own, pair(half));
    let icmp = name(Proto::Icmp, own);
    match half.what {
        What::All if exact => {
            // Reports of errors and neighbour discovery are not cut; whole protocols are.
            [What::Proto(Proto::Tcp), What::Proto(Proto::Udp), What::Icmp]
                .into_iter()
                .flat_map(|what| matches(&Half { what, ..*half }, exact))
                .collect()
        }
        What::All => vec![format!("{},{pair}", base(own))],
        What::Proto(proto) => vec![format!("{},{pair}", name(proto, own))],
        What::Port(proto, port) => {
            let side = if half.leg == Leg::Call { "tp_dst" } else { "tp_src" };
            vec![format!("{},{pair},{side}={port}", name(proto, own))]
        }
        What::Icmp if half.leg == Leg::Call && !exact => vec![format!("{icmp},{pair}")],
        What::Icmp => {
            let types = match (half.leg, own.is_ipv4()) {
                (Leg::Call, true) => ICMP_CALLS,
                (Leg::Call, false) => ICMP6_CALLS,
                (Leg::Answer, true) => ICMP_ANSWERS,
                (Leg::Answer, false) => ICMP6_ANSWERS,
            };
            types.iter().map(|kind| format!("{icmp},{pair},icmp_type={kind}")).collect()
        }
    }
}

fn pair(half: &Half) -> String {
    let ([from, _], [_, to]) = (ends_of(half.from()), ends_of(half.to()));
    format!("{from},{to}")
}

/// A range as source and as destination.
fn ends_of(range: Range) -> [String; 2] {
    if range.address().is_ipv4() {
        [format!("nw_src={range}"), format!("nw_dst={range}")]
    } else {
        [format!("ipv6_src={range}"), format!("ipv6_dst={range}")]
    }
}

fn ends(own: IpAddr) -> [String; 2] {
    ends_of(Range::one(own))
}

/// Where an address is looked at as source, and where as destination.
fn sides(own: IpAddr) -> [(Stage, String); 2] {
    let [from, to] = ends(own);
    [(Stage::Source, from), (Stage::Destination, to)]
}

const fn base(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ip" } else { "ipv6" }
}

const fn name(proto: Proto, address: IpAddr) -> &'static str {
    match (proto, address.is_ipv4()) {
        (Proto::Tcp, true) => "tcp",
        (Proto::Tcp, false) => "tcp6",
        (Proto::Udp, true) => "udp",
        (Proto::Udp, false) => "udp6",
        (Proto::Icmp, true) => "icmp",
        (Proto::Icmp, false) => "icmp6",
    }
}

fn digest(id: &str) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(id.as_bytes()).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    [a, b, c, d, e, f, g, h]
}

/// The flows of an action, as `ovs-ofctl` selects them.
pub(super) fn cookie(id: &str) -> String {
    let number = u64::from_be_bytes(digest(id)) >> 16;
    // Zero is what hands on.
    format!("cookie=0x5757{:012x}/-1", number.max(1))
}

fn place(id: &str) -> u16 {
    let [.., a, b] = digest(id);
    u16::from_be_bytes([a, b]) % 1_000
}

/// The line that deletes flows by a cookie.
pub(super) fn delete(cookie: &str) -> String {
    format!("delete {cookie}")
}

/// Whether flows of another action have the place of this one.
pub(super) fn is_taken(flows: &[String], id: &str) -> bool {
    let own = cookie(id);
    let own = own.trim_end_matches("/-1");
    let enters = format!("priority={},", Band::Enter as u16 + place(id));
    flows.iter().any(|flow| flow.contains(&enters) && field(flow, "cookie=") != own.get(7..))
}

/// How long a dumped flow that lets packets enter still lives.
///
/// `duration` is cut to milliseconds and `hard_timeout` is in whole seconds.
pub(super) fn holds(flow: &str) -> Option<Duration> {
    if field(flow, "table=").unwrap_or("0") != "0" {
        return None;
    }
    let timeout: f64 = field(flow, "hard_timeout=")?.parse().ok()?;
    let duration: f64 = field(flow, "duration=")?.trim_end_matches('s').parse().ok()?;
    Duration::try_from_secs_f64((timeout - duration).max(0.0)).ok()
}

fn field<'a>(flow: &'a str, name: &str) -> Option<&'a str> {
    flow.split([' ', ',']).find_map(|part| part.strip_prefix(name))
}
