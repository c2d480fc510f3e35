//! DNS: who answers, who asks for how many names, and under which name it is known.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn, text_mark};
use crate::entity::Entity;
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::record::NameRank;
use crate::tally::Tallies;

/// Reads `dns.query` and `dns.response`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "dns",
    doc: "Who answers DNS, who asks for many names, and the names that addresses are given.",
    reads: &[("dns.query", &["name"]), ("dns.response", &["name", "type", "rcode", "answers"])],
    learn,
    weigh,
};

/// DNS's own port: neighbours also answer each other in its format on 5353 (mDNS) and 5355
/// (LLMNR), which makes nobody a server.
const PORT: u16 = 53;

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    if o.flow.as_ref().is_some_and(|flow| flow.tuple.responder.port != PORT) {
        return;
    }
    if o.is("dns.query") {
        if let Some(name) = o.str("name") {
            learn.count(learn.subject, Fact::AskedNames, Some(text_mark(name)));
        }
        return;
    }
    if !matches!(o.str("rcode"), Some("NOERROR" | "NXDOMAIN")) {
        return;
    }
    learn.subject_did(Fact::ServedDns);
    let inside = matches!(learn.subject, Entity::Device(_));
    if inside && matches!(o.str("type"), Some("A" | "AAAA")) {
        let Some(name) = o.str("name") else { return };
        let addresses: Vec<_> = o.texts("answers").iter().filter_map(|t| t.parse().ok()).collect();
        // A name of several addresses is a service's, not a host's.
        if let [address] = addresses[..] {
            let host = learn.at_address(address);
            learn.name(host, NameRank::Directory, name);
        }
    }
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    let served = tallies.of(Fact::ServedDns);
    match served.others() {
        0 => return,
        1 if served.times >= 10 && served.is_sustained() => out.class(C::DnsServer, 3.5),
        1 => out.class(C::DnsServer, 1.5),
        2..4 => out.class(C::DnsServer, 4.5),
        _ => out.class(C::DnsServer, 5.5),
    }
    out.role("dns_server");
}
