use proptest::prelude::*;
use serde_json::json;

use super::*;

fn ace(matches: serde_json::Value) -> serde_json::Value {
    json!({ "name": "e", "matches": matches, "actions": { "forwarding": "accept" } })
}

fn file(from: Vec<serde_json::Value>, lists: &str) -> serde_json::Value {
    let policy = |name: &str| json!({ lists: { "access-list": [{ "name": name }] } });
    json!({
        "ietf-mud:mud": {
            "mud-version": 1, "mud-url": "https://vendor.example/cuff.json",
            "last-update": "2018-03-02T11:20:51+01:00", "cache-validity": 48,
            "is-supported": true, "systeminfo": "Blood pressure cuff",
            "from-device-policy": policy("out"), "to-device-policy": policy("in")
        },
        "ietf-access-control-list:acls": { "acl": [
            { "name": "out", "type": "ipv4-acl-type", "aces": { "ace": from } },
            { "name": "in", "type": "ipv4-acl-type", "aces": { "ace": [] } }
        ] }
    })
}

fn rules(matches: serde_json::Value) -> Mud {
    read(file(vec![ace(matches)], "access-lists").to_string().as_bytes()).unwrap()
}

#[test]
fn files_of_the_drafts_are_read_like_those_of_the_rfc() {
    let entry = ace(json!({
        "ipv4": { "ietf-acldns:dst-dnsname": "Cloud.Vendor.example.", "protocol": 6 },
        "tcp": {
            "ietf-mud:direction-initiated": "from-device",
            "destination-port": { "operator": "eq", "port": 443 }
        }
    }));
    let new = read(file(vec![entry.clone()], "access-lists").to_string().as_bytes()).unwrap();
    let old = read(file(vec![entry], ":access-lists").to_string().as_bytes()).unwrap();
    assert_eq!(new, old);
    let other = Other::Name("cloud.vendor.example".to_owned());
    assert_eq!(
        new.rules,
        [Rule { way: Way::Out, other, proto: Some(Proto::Tcp), port: Some(443) }]
    );
    assert_eq!(new.about.last_update.to_string(), "2018-03-02T10:20:51.000000Z");
    assert_eq!(new.notes, [""; 0]);
}

#[test]
fn abstractions_become_addresses_of_the_site_and_what_is_nowhere_is_told() {
    for (key, value, other) in [
        (
            "controller",
            json!("urn:ietf:params:mud:dns"),
            Other::Controller("urn:ietf:params:mud:dns".to_owned()),
        ),
        ("my-controller", json!([null]), Other::MyController),
        ("same-manufacturer", json!([null]), Other::SameManufacturer),
        ("manufacturer", json!("vendor.example"), Other::Manufacturer("vendor.example".to_owned())),
        ("local-networks", json!([null]), Other::LocalNetworks),
    ] {
        let mud = rules(json!({
            "ietf-mud:mud": { key: value }, "ipv4": { "protocol": 17 },
            "udp": { "destination-port": { "operator": "eq", "port": 53 } }
        }));
        let rule =
            Rule { way: Way::Out, other: other.clone(), proto: Some(Proto::Udp), port: Some(53) };
        assert_eq!(mud.rules, [rule]);
        let (needs, missing) = mud.needs(|asked| {
            assert_eq!(*asked, other);
            vec!["10.0.0.53".parse().unwrap(), "10.0.1.53".parse().unwrap()]
        });
        assert_eq!((needs.len(), missing.len()), (2, 0));
        let (needs, missing) = mud.needs(|_| Vec::new());
        assert_eq!((needs.len(), missing.len()), (0, 1));
    }
}

#[test]
fn what_cannot_be_said_exactly_is_taken_wider_and_told() {
    let ranged = |low: u32, high: u32| {
        rules(json!({
            "ipv4": { "protocol": 6 },
            "tcp": { "source-port": { "lower-port": low, "upper-port": high } }, "eth": {}
        }))
    };
    let few = ranged(5_000, 5_002);
    let ports: Vec<_> = few.rules.iter().map(|rule| (rule.way, rule.port)).collect();
    assert_eq!(ports, [(Way::In, Some(5_000)), (Way::In, Some(5_001)), (Way::In, Some(5_002))]);
    assert!(few.notes[0].contains("'eth' is not read"), "{:?}", few.notes);
    let many = ranged(1, 60_000);
    assert_eq!(many.rules[0].port, None);
    assert!(many.notes.iter().any(|note| note.contains("any port")), "{:?}", many.notes);
    assert!(rules(json!({ "ipv4": { "protocol": 47 } })).rules.is_empty());
}

#[test]
fn what_is_no_mud_file_is_refused_and_says_where() {
    let good = file(vec![ace(json!({}))], "access-lists").to_string();
    for (old, new, told) in [
        ("\"mud-version\":1", "\"mud-version\":2", "mud-version"),
        ("https://", "http://", "mud-url"),
        ("{\"name\":\"out\"}", "{\"name\":\"gone\"}", "'gone', which is not there"),
        ("ietf-mud:mud", "ietf-mud:mut", "ietf-mud:mud"),
    ] {
        assert!(good.contains(old), "{old}");
        let error = read(good.replace(old, new).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    assert!(matches!(read(&vec![b' '; 2 << 20]), Err(MudError::TooLarge(_))));
    let deep = "[".repeat(100_000);
    assert!(matches!(read(deep.as_bytes()), Err(MudError::Json(_))));
    let many = (1..=5_000).map(|port| {
        ace(json!({ "tcp": { "destination-port": { "operator": "eq", "port": port } } }))
    });
    assert!(read(file(many.collect(), "access-lists").to_string().as_bytes()).is_err());
}

#[test]
fn a_list_that_is_named_again_and_again_is_read_once() {
    // A megabyte of names of one list that has thousands of entries would be 10^8 entries to read.
    let entries = (0..4_000).map(|_| json!({ "name": "a", "actions": {} }));
    let mut bomb = file(entries.collect(), "access-lists");
    let lists = &mut bomb["ietf-mud:mud"]["from-device-policy"]["access-lists"]["access-list"];
    let name = lists[0].clone();
    *lists = (0..30_000).map(|_| name.clone()).collect();
    let bytes = bomb.to_string();
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    let read = read(bytes.as_bytes()).unwrap();
    assert!(read.notes.iter().any(|note| note.contains("once is enough")), "{:?}", read.notes);
}

#[test]
fn what_is_quoted_from_a_file_moves_no_cursor() {
    let mut file = file(vec![], "access-lists");
    file["ietf-mud:mud"]["from-device-policy"]["access-lists"]["access-list"] =
        json!([{ "name": "\u{1b}[2J" }]);
    let error = read(file.to_string().as_bytes()).unwrap_err().to_string();
    assert!(error.contains("[2J") && !error.contains('\u{1b}'), "{error:?}");
}

fn other() -> impl Strategy<Value = Other> {
    prop_oneof![
        any::<(u32, u8)>().prop_map(|(bits, prefix)| {
            Other::Addresses(Range::new(std::net::Ipv4Addr::from_bits(bits).into(), prefix % 33))
        }),
        any::<(u128, u8)>().prop_map(|(bits, prefix)| {
            Other::Addresses(Range::new(std::net::Ipv6Addr::from_bits(bits).into(), prefix % 129))
        }),
        "[a-z]{1,8}\\.example".prop_map(Other::Name),
        Just(Other::MyController),
        Just(Other::SameManufacturer),
        Just(Other::LocalNetworks),
        any::<bool>().prop_map(|v6| Other::Anybody { v6 }),
    ]
}

prop_compose! {
    fn rule()(out: bool, other in other(), tcp: bool, port in 1_u16..) -> Rule {
        let way = if out { Way::Out } else { Way::In };
        let proto = if tcp { Proto::Tcp } else { Proto::Udp };
        Rule { way, other, proto: Some(proto), port: Some(port) }
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(rules in prop::collection::btree_set(rule(), 1..12)) {
        let about = About {
            url: "https://site.example/mud/cuff.json".to_owned(),
            is_supported: true,
            systeminfo: "Blood pressure cuff".to_owned(),
            ..About::default()
        };
        let mud = Mud { about, rules: rules.into_iter().collect(), notes: Vec::new() };
        let back = read(write(&mud).unwrap().as_bytes()).unwrap();
        prop_assert_eq!(&back, &mud);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), cut: prop::sample::Index) {
        let _ = read(&bytes);
        let mut good = file(vec![ace(json!({ "ipv4": { "protocol": 6 } }))], "access-lists").to_string().into_bytes();
        let at = cut.index(good.len());
        good[at] = bytes.first().copied().unwrap_or(0);
        let _ = read(&good);
    }
}
