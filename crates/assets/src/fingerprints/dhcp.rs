//! DHCP: what a client says of itself when it asks for an address, and who gives leases.

use model::device::DeviceClass::{self as C};
use model::observation::Observation;

use super::{Fingerprint, Learn};
use crate::entity::Entity;
use crate::facts::Fact;
use crate::judge::Evidence;
use crate::record::NameRank;
use crate::tally::{Tallies, mark};

/// Reads `dhcp.message`.
pub static FINGERPRINT: Fingerprint = Fingerprint {
    name: "dhcp",
    doc: "Host name, vendor class and parameter list of DHCP clients; who gives leases.",
    reads: &[(
        "dhcp.message",
        &[
            "type",
            "client_mac",
            "host_name",
            "vendor_class",
            "parameters",
            "mud_url",
            "server_id",
            "routers",
            "assigned_ip",
        ],
    )],
    learn,
    weigh,
};

/// Vendor classes (option 60), by how they begin in lower case, and what sends them.
const VENDOR_CLASSES: &[(&str, C, f32)] = &[
    ("msft 5.0", C::Workstation, 0.9),
    ("android-dhcp", C::Mobile, 2.8),
    ("dhcpcd", C::Mobile, 0.4),
    ("udhcp", C::IotDevice, 1.8),
    ("hewlett-packard jetdirect", C::Printer, 2.8),
    ("hewlett-packard officejet", C::Printer, 2.8),
    ("hewlett-packard laserjet", C::Printer, 2.8),
    ("lexmark", C::Printer, 2.5),
    ("brother", C::Printer, 2.2),
    ("cisco systems, inc. ip phone", C::VoicePhone, 3.0),
    ("polycom", C::VoicePhone, 2.5),
    ("yealink", C::VoicePhone, 2.8),
    ("aastraipphone", C::VoicePhone, 2.8),
    ("axis", C::Camera, 2.0),
    ("hikvision", C::Camera, 2.5),
    ("sonos", C::IotDevice, 2.5),
];

/// Parameter lists (option 55) and what sends them: facts from the systems themselves.
const PARAMETER_LISTS: &[(&str, C, f32)] = &[
    // Windows 10 and 11.
    ("1,3,6,15,31,33,43,44,46,47,119,121,249,252", C::Workstation, 0.8),
    // Windows 7 and 8.
    ("1,15,3,6,44,46,47,31,33,121,249,43", C::Workstation, 0.8),
    ("1,15,3,6,44,46,47,31,33,121,249,252,43", C::Workstation, 0.8),
    // iOS and macOS.
    ("1,121,3,6,15,119,252", C::Mobile, 1.6),
    ("1,121,3,6,15,108,114,119,252", C::Mobile, 1.4),
    // Android.
    ("1,3,6,15,26,28,51,58,59,43", C::Mobile, 1.8),
    ("1,33,3,6,15,26,28,51,58,59", C::Mobile, 1.8),
    // BusyBox's udhcpc as shipped.
    ("1,3,6,12,15,28,42", C::IotDevice, 1.0),
    ("1,3,6,12,15,28,44", C::IotDevice, 1.0),
    ("1,3,6,15,28", C::IotDevice, 0.5),
];

fn learn(o: &Observation, learn: &mut Learn<'_>) {
    let client = o.mac("client_mac").map_or(Entity::Nobody, |mac| learn.with_card(mac));
    match o.str("type") {
        Some("discover" | "request" | "inform") => client_says(o, client, learn),
        Some("ack" | "offer") => server_says(o, learn),
        _ => {}
    }
}

fn client_says(o: &Observation, client: Entity, learn: &mut Learn<'_>) {
    if let Some(name) = o.str("host_name") {
        learn.name(client, NameRank::Dhcp, name);
    }
    if let Some(vendor) = o.str("vendor_class") {
        learn.claim(client, "dhcp_vendor_class", vendor, 0.8);
        let vendor = vendor.to_lowercase();
        if let Some((_, class, weight)) =
            VENDOR_CLASSES.iter().find(|(start, ..)| vendor.starts_with(start))
        {
            learn.hint(client, *class, *weight);
        }
    }
    if let Some(list) = o.str("parameters") {
        learn.claim(client, "dhcp_parameters", list, 0.8);
        if let Some((_, class, weight)) = PARAMETER_LISTS.iter().find(|(own, ..)| *own == list) {
            learn.hint(client, *class, *weight);
        }
    }
    if let Some(url) = o.str("mud_url") {
        learn.claim(client, "mud_url", url, 0.6);
    }
}

/// A lease in the sender's own name is a server's; in another's, a relay passes it on.
fn server_says(o: &Observation, learn: &mut Learn<'_>) {
    let Some(server) = o.ip("server_id") else { return };
    let client = o.mac("client_mac").map(|mac| mark(&mac.0));
    if o.subject.ip != Some(server) {
        learn.count(learn.subject, Fact::RelayedDhcp, client);
    } else if o.str("type") == Some("ack") {
        learn.count(learn.subject, Fact::ServedDhcp, client);
    }
    for router in o.texts("routers").iter().filter_map(|text| text.parse().ok()).take(2) {
        let router = learn.at_address(router);
        learn.count(router, Fact::NamedGateway, client);
    }
}

fn weigh(tallies: &Tallies, out: &mut Evidence) {
    // One lease to one client is also what a rogue gives.
    match tallies.others(Fact::ServedDhcp) {
        0 => {}
        1 if !tallies.of(Fact::ServedDhcp).is_sustained() => out.class(C::DhcpServer, 2.0),
        1 => out.class(C::DhcpServer, 3.5),
        2..5 => out.class(C::DhcpServer, 4.5),
        _ => out.class(C::DhcpServer, 5.5),
    }
    if tallies.times(Fact::ServedDhcp) > 0 {
        out.role("dhcp_server");
    }
    if tallies.others(Fact::RelayedDhcp) >= 2 {
        out.role("dhcp_relay");
        out.class(C::Router, 2.0);
    }
}
