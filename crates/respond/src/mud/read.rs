//! A MUD file from JSON.
//!
//! Names of members are taken without their module, so that files of the drafts (`:access-lists`,
//! members without any prefix) are read like those of the RFC.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{About, Mud, Other, Rule};
use crate::range::Range;
use crate::restriction::{Proto, Way};

/// Largest file that is read.
const LARGEST: usize = 1 << 20;
/// Rules that are read.
const RULES: usize = 4_096;
/// Longest text that is kept.
const LONGEST: usize = 512;
/// Ports of a range that become a rule each; a wider range becomes any port.
const SPREAD: u16 = 16;
/// Notes that are kept.
const NOTES: usize = 100;

/// A MUD file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MudError {
    /// It is larger than any such file is.
    #[error("this file has {0} bytes and a MUD file has at most {LARGEST}: it is something else")]
    TooLarge(usize),
    /// It is no JSON.
    #[error("this is no JSON: {0}")]
    Json(String),
    /// Something that has to be there is not, or is something else.
    #[error("{at}: {why}")]
    Shape {
        /// Where, as a path of members.
        at: String,
        /// What is wrong.
        why: String,
    },
}

/// Both may quote the file, and are shown on terminals.
fn shape(at: impl Into<String>, why: impl Into<String>) -> MudError {
    MudError::Shape { at: plain(&at.into()), why: plain(&why.into()) }
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// A member by its name, in whichever module.
fn member<'a>(of: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    of.get(name).or_else(|| {
        let bare = |key: &str| key.rsplit_once(':').is_some_and(|(_, bare)| bare == name);
        of.iter().find(|(key, _)| bare(key)).map(|(_, value)| value)
    })
}

fn object<'a>(of: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    member(of, name).and_then(Value::as_object)
}

fn text<'a>(of: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    member(of, name).and_then(Value::as_str).filter(|text| text.len() <= LONGEST)
}

/// Text for people: control characters have no place in it.
fn told(of: &Map<String, Value>, name: &str) -> String {
    plain(text(of, name).unwrap_or(""))
}

/// Reads a MUD file.
///
/// # Errors
/// Where it is too large, no JSON, or lacks what a MUD file must have.
pub fn read(bytes: &[u8]) -> Result<Mud, MudError> {
    if bytes.len() > LARGEST {
        return Err(MudError::TooLarge(bytes.len()));
    }
    let file: Value = serde_json::from_slice(bytes).map_err(|e| MudError::Json(e.to_string()))?;
    let file = file.as_object().ok_or_else(|| shape("the file", "is no object"))?;
    let mud = object(file, "mud").ok_or_else(|| shape("ietf-mud:mud", "is missing"))?;
    match member(mud, "mud-version").and_then(Value::as_u64) {
        Some(1) => {}
        other => return Err(shape("mud-version", format!("is {other:?}, and 1 is read"))),
    }
    let url = text(mud, "mud-url").ok_or_else(|| shape("mud-url", "is missing"))?;
    if !url.starts_with("https://") {
        return Err(shape("mud-url", "does not begin with https://"));
    }
    let mut reader = Reader { acls: acls(file)?, rules: BTreeSet::new(), notes: Vec::new() };
    for (policy, out) in [("from-device-policy", true), ("to-device-policy", false)] {
        reader.policy(mud, policy, out)?;
    }
    let about = About {
        url: url.to_owned(),
        last_update: text(mud, "last-update").and_then(|at| at.parse().ok()).unwrap_or_default(),
        is_supported: member(mud, "is-supported").and_then(Value::as_bool).unwrap_or(false),
        systeminfo: told(mud, "systeminfo"),
        manufacturer: told(mud, "mfg-name"),
        model: told(mud, "model-name"),
    };
    reader.notes.truncate(NOTES);
    Ok(Mud { about, rules: reader.rules.into_iter().collect(), notes: reader.notes })
}

type Acls<'a> = BTreeMap<&'a str, &'a Map<String, Value>>;

fn acls(file: &Map<String, Value>) -> Result<Acls<'_>, MudError> {
    let acls = object(file, "acls").or_else(|| object(file, "access-lists"));
    let list = acls.and_then(|acls| member(acls, "acl")).and_then(Value::as_array);
    let list =
        list.ok_or_else(|| shape("ietf-access-control-list:acls", "has no list of access lists"))?;
    Ok(list
        .iter()
        .filter_map(Value::as_object)
        .filter_map(|acl| Some((text(acl, "name").or_else(|| text(acl, "acl-name"))?, acl)))
        .collect())
}

struct Reader<'a> {
    acls: Acls<'a>,
    rules: BTreeSet<Rule>,
    notes: Vec<String>,
}

impl Reader<'_> {
    fn note(&mut self, note: String) {
        let note = plain(&note);
        if self.notes.len() < NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn policy(&mut self, mud: &Map<String, Value>, name: &str, out: bool) -> Result<(), MudError> {
        let Some(policy) = object(mud, name) else {
            self.note(format!("{name} is missing"));
            return Ok(());
        };
        let lists = object(policy, "access-lists")
            .and_then(|lists| member(lists, "access-list"))
            .and_then(Value::as_array)
            .ok_or_else(|| shape(name, "has no access-lists"))?;
        let mut read = BTreeSet::new();
        for list in lists.iter().filter_map(Value::as_object) {
            let acl_name = text(list, "name")
                .or_else(|| text(list, "acl-name"))
                .ok_or_else(|| shape(name, "names no access list"))?;
            let acl = *self.acls.get(acl_name).ok_or_else(|| {
                shape(name, format!("names the access list '{acl_name}', which is not there"))
            })?;
            // A file that names one long list thousands of times costs no more than one that does once.
            if !read.insert(acl_name) {
                self.note(format!("{name} names '{acl_name}' twice; once is enough"));
                continue;
            }
            let v6 = text(acl, "type").is_some_and(|kind| kind.contains("ipv6"));
            let aces = object(acl, "aces")
                .and_then(|aces| member(aces, "ace"))
                .and_then(Value::as_array)
                .ok_or_else(|| shape(format!("acl '{acl_name}'"), "has no entries"))?;
            for ace in aces.iter().filter_map(Value::as_object) {
                self.ace(ace, acl_name, out, v6)?;
            }
        }
        Ok(())
    }

    fn ace(
        &mut self,
        ace: &Map<String, Value>,
        acl: &str,
        out: bool,
        v6: bool,
    ) -> Result<(), MudError> {
        let name = text(ace, "name").or_else(|| text(ace, "rule-name")).unwrap_or("");
        let at = format!("'{acl}', '{name}'");
        let accepts = object(ace, "actions").is_some_and(|actions| {
            let forwarding = text(actions, "forwarding").unwrap_or("");
            forwarding.rsplit(':').next() == Some("accept") || member(actions, "permit").is_some()
        });
        if !accepts {
            self.note(format!("{at} does not accept and is left out"));
            return Ok(());
        }
        let empty = Map::new();
        let matches = object(ace, "matches").unwrap_or(&empty);
        let ip = ["ipv4", "ipv6"]
            .into_iter()
            .find_map(|family| Some((family, object(matches, family)?)));
        let v6 = ip.map_or(v6, |(family, _)| family == "ipv6");
        let ip = ip.map_or(&empty, |(_, ip)| ip);
        let l4 = ["tcp", "udp"].into_iter().find_map(|l4| Some((l4, object(matches, l4)?)));
        let proto = match (l4, member(ip, "protocol").or_else(|| member(ip, "next-header"))) {
            (Some(("tcp", _)), _) => Some(Proto::Tcp),
            (Some(_), _) => Some(Proto::Udp),
            (None, number) => match number.and_then(Value::as_u64) {
                Some(6) => Some(Proto::Tcp),
                Some(17) => Some(Proto::Udp),
                Some(1 | 58) => Some(Proto::Icmp),
                Some(other) => {
                    self.note(format!(
                        "{at}: IP protocol {other} can be named by no rule here; it is left out"
                    ));
                    return Ok(());
                }
                None => object(matches, "icmp").map(|_| Proto::Icmp),
            },
        };
        self.unread(matches, &at);
        let ports = l4.map_or(&empty, |(_, l4)| l4);
        let ways = self.ways(ports, out, &at);
        for other in self.others(matches, ip, out, v6, &at)? {
            for (way, port) in &ways {
                if self.rules.len() >= RULES {
                    return Err(shape(at, format!("more than {RULES} rules")));
                }
                let other = other.clone();
                self.rules.insert(Rule { way: *way, other, proto, port: *port });
            }
        }
        Ok(())
    }

    /// What narrows an entry and is not read, so that it becomes wider.
    fn unread(&mut self, matches: &Map<String, Value>, at: &str) {
        const READ: [&str; 6] = ["ipv4", "ipv6", "tcp", "udp", "icmp", "mud"];
        for key in matches.keys() {
            let bare = key.rsplit(':').next().unwrap_or(key);
            if !READ.contains(&bare) {
                let bare: String = bare.chars().take(40).collect();
                self.note(format!("{at}: '{bare}' is not read, so it is taken wider"));
            }
        }
    }

    /// Who opens it, and to which port.
    fn ways(&mut self, l4: &Map<String, Value>, out: bool, at: &str) -> Vec<(Way, Option<u16>)> {
        let mine = if out { "source-port" } else { "destination-port" };
        let others = if out { "destination-port" } else { "source-port" };
        let initiated = match text(l4, "direction-initiated") {
            Some("from-device") => Some(Way::Out),
            Some("to-device") => Some(Way::In),
            _ => None,
        };
        let (has_mine, has_others) = (object(l4, mine), object(l4, others));
        let way = initiated.or(match (has_mine, has_others) {
            (None, Some(_)) => Some(Way::Out),
            (Some(_), None) => Some(Way::In),
            _ => None,
        });
        let Some(way) = way else {
            if has_mine.is_some() {
                self.note(format!("{at}: both ports are given; it is taken wider"));
            }
            return vec![(Way::Out, None), (Way::In, None)];
        };
        let called = if way == Way::Out { has_others } else { has_mine };
        if (if way == Way::Out { has_mine } else { has_others }).is_some() {
            self.note(format!("{at}: the port of the caller is not read, so it is taken wider"));
        }
        self.ports(called, at).into_iter().map(|port| (way, port)).collect()
    }

    fn ports(&mut self, port: Option<&Map<String, Value>>, at: &str) -> Vec<Option<u16>> {
        let Some(port) = port else { return vec![None] };
        let number = |name: &str| {
            let number = member(port, name).and_then(Value::as_u64);
            number.and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0)
        };
        if let (Some(one), "eq") = (number("port"), text(port, "operator").unwrap_or("eq")) {
            return vec![Some(one)];
        }
        if let (Some(low), Some(high)) = (number("lower-port"), number("upper-port"))
            && low <= high
            && high - low < SPREAD
        {
            return (low..=high).map(Some).collect();
        }
        self.note(format!("{at}: a range of ports is taken as any port"));
        vec![None]
    }

    /// With whom.
    fn others(
        &mut self,
        matches: &Map<String, Value>,
        ip: &Map<String, Value>,
        out: bool,
        v6: bool,
        at: &str,
    ) -> Result<Vec<Other>, MudError> {
        let side = if out { "dst-dnsname" } else { "src-dnsname" };
        if let Some(name) = member(ip, side) {
            let name = name.as_str().map(|name| name.trim_end_matches('.')).and_then(dns_name);
            let name = name.ok_or_else(|| shape(at, format!("{side} is no name")))?;
            return Ok(vec![Other::Name(name)]);
        }
        let family = if v6 { "ipv6" } else { "ipv4" };
        let side = if out { "destination" } else { "source" };
        if let Some(network) = text(ip, &format!("{side}-{family}-network")) {
            let range: Range = network
                .parse()
                .map_err(|error| shape(at, format!("{side}-{family}-network: {error}")))?;
            return Ok(vec![Other::Addresses(range)]);
        }
        let Some(mud) = object(matches, "mud") else {
            return Ok(vec![Other::Anybody { v6 }]);
        };
        let owned = |name: &str| text(mud, name).map(str::to_owned);
        let all = [
            owned("controller").map(Other::Controller),
            member(mud, "my-controller").map(|_| Other::MyController),
            member(mud, "same-manufacturer").map(|_| Other::SameManufacturer),
            owned("manufacturer").map(Other::Manufacturer),
            owned("model").map(Other::Model),
            member(mud, "local-networks").map(|_| Other::LocalNetworks),
        ];
        let all: Vec<Other> = all.into_iter().flatten().collect();
        if all.is_empty() {
            return Err(shape(at, "ietf-mud:mud says nothing that is known"));
        }
        if all.len() > 1 {
            self.note(format!("{at}: several abstractions at once are taken as any of them"));
        }
        Ok(all)
    }
}

fn dns_name(name: &str) -> Option<String> {
    match crate::essentials::profile::peer(name) {
        Ok(crate::essentials::Peer::Name(name)) => Some(name),
        _ => None,
    }
}
