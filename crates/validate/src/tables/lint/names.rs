//! Columns whose name says that they are of one laboratory and not of a kind of traffic.

use super::{Finding, Sign};
use crate::tables::Column;

/// Whole names, without spaces, dots, dashes and underscores, by sign.
const NAMES: [(Sign, &[&str]); 5] = [
    (
        Sign::Address,
        &[
            "srcip",
            "dstip",
            "sourceip",
            "destinationip",
            "saddr",
            "daddr",
            "ipsrc",
            "ipdst",
            "srcaddr",
            "dstaddr",
            "sourceaddress",
            "destinationaddress",
            "smac",
            "dmac",
            "srcmac",
            "dstmac",
            "ethsrc",
            "ethdst",
            "idorigh",
            "idresph",
            "ipsrchost",
            "ipdsthost",
            "arpsrcprotoipv4",
            "arpdstprotoipv4",
            "ipv4srcaddr",
            "ipv4dstaddr",
            "hostname",
        ],
    ),
    (
        Sign::Port,
        &[
            "sport",
            "dport",
            "srcport",
            "dstport",
            "sourceport",
            "destinationport",
            "dsport",
            "idorigp",
            "idrespp",
            "tcpsrcport",
            "tcpdstport",
            "udpport",
            "l4srcport",
            "l4dstport",
        ],
    ),
    (Sign::Ttl, &["ttl", "sttl", "dttl", "ipttl", "minttl", "maxttl", "ctstatettl", "timetolive"]),
    (
        Sign::Time,
        &[
            "timestamp",
            "time",
            "stime",
            "ltime",
            "date",
            "datetime",
            "ts",
            "starttime",
            "endtime",
            "frametime",
            "flowstart",
            "flowend",
            "frametimeepoch",
            "firstseen",
            "lastseen",
        ],
    ),
    (
        Sign::Identifier,
        &[
            "id",
            "uid",
            "flowid",
            "rowid",
            "recordid",
            "index",
            "unnamed",
            "unnamed0",
            "seq",
            "pkseqid",
            "framenumber",
            "sessionid",
            "connid",
            "no",
        ],
    ),
];

/// Whether a column is called like one that gives the laboratory away.
pub(super) fn suspect(column: &Column) -> Option<Finding> {
    if !column.named {
        return None;
    }
    let plain: String =
        column.name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let (sign, _) = NAMES.iter().find(|(_, names)| names.contains(&&*plain))?;
    let says = format!(
        "'{}' is called like {}: it says where or when something was recorded, and not what it was",
        column.name,
        what(*sign)
    );
    Some(Finding::about(*sign, true, column, (0, 1.0), says))
}

pub(super) const fn what(sign: Sign) -> &'static str {
    match sign {
        Sign::Address => "an address",
        Sign::Port => "a port",
        Sign::Ttl => "a time to live",
        Sign::Time => "a time",
        Sign::Counter => "a counter",
        _ => "an identifier of the row or its flow",
    }
}
