//! What devices say of themselves to everybody, and to those who manage them.

mod common;

use assets::Entity;
use common::{Host, Site, host, texts, word};
use model::observation::Value;
use protocols::{bacnet, dns, nbns, snmp};

const ONE: Host = host("10.1.4.41", "00:04:23:00:00:41");
const TWO: Host = host("10.1.4.42", "00:04:23:00:00:42");
const SERVER: Host = host("10.1.1.11", "00:1f:29:00:00:11");

/// A claim of a device: its value.
fn claim(site: &mut Site, of: Host, what: &str) -> Option<String> {
    site.pass(2.0);
    let ix = site.ix(of.ip)?;
    let device = site.inventory.device(ix);
    device.claims.iter().find(|claim| claim.what == what).map(|claim| claim.value.clone())
}

#[test]
fn a_managed_device_is_known_by_its_own_words() {
    let mut site = Site::new();
    let flow = site.talk(SERVER, ONE, 161);
    let fields = [
        ("sys_descr", word("Example syringe pump 4")),
        ("sys_name", word("pump-4b-2")),
        ("sys_object_id", word("1.3.6.1.4.1.99999.1")),
    ];
    site.in_flow(&snmp::RESPONSE, &flow, true, &fields);
    assert_eq!(claim(&mut site, ONE, "sys_object_id").as_deref(), Some("1.3.6.1.4.1.99999.1"));
    assert_eq!(site.by_name("pump-4b-2"), Entity::Device(site.ix(ONE.ip).unwrap()));
}

#[test]
fn a_name_that_a_reflector_repeats_is_not_its_own() {
    let mut site = Site::new();
    for (from, address) in [(ONE, TWO.ip), (TWO, TWO.ip)] {
        let flow = site.talk(from, SERVER, 5353);
        let fields = [("name", word("plate2.local")), ("addresses", texts(&[address]))];
        site.in_flow(&dns::MDNS_HOST, &flow, false, &fields);
    }
    assert_eq!(site.by_name("plate2"), Entity::Device(site.ix(TWO.ip).unwrap()));
}

#[test]
fn a_netbios_name_for_another_address_is_not_its_own() {
    let mut site = Site::new();
    let flow = site.talk(ONE, SERVER, 137);
    let fields = |address: &str| {
        [
            ("action", word("register")),
            ("name", word("CT1")),
            ("suffix", Value::Uint(0)),
            ("address", Value::Ip(address.parse().unwrap())),
        ]
    };
    site.in_flow(&nbns::CLAIM, &flow, false, &fields(TWO.ip));
    assert_eq!(site.by_name("CT1"), Entity::Nobody);
    site.in_flow(&nbns::CLAIM, &flow, false, &fields(ONE.ip));
    assert_eq!(site.by_name("CT1"), Entity::Device(site.ix(ONE.ip).unwrap()));
}

#[test]
fn a_router_is_not_the_controllers_behind_it() {
    let mut site = Site::new();
    let flow = site.talk(ONE, SERVER, 47_808);
    let behind = [("model", word("FAN-9")), ("from_network", Value::Uint(13))];
    site.in_flow(&bacnet::DEVICE, &flow, false, &behind);
    assert_eq!(claim(&mut site, ONE, "model"), None);
    site.in_flow(&bacnet::DEVICE, &flow, false, &[("model", word("ROUTER-2"))]);
    assert_eq!(claim(&mut site, ONE, "model").as_deref(), Some("ROUTER-2"));
}
