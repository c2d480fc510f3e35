//! Events 4624, 4625 and 4634 of Windows, as forwarders send them.
//!
//! Either the event's text (`An account failed to log on. ... Account Name: X ... Source Network
//! Address: Y`) or its fields as `key=value`, in the text or in structured data. What the event is
//! called is taken from the text, which is there in English only, or else from the number.

use super::{Logon, Outcome, value};

/// Logon types that are the machine's own: system start, batch and service.
const MACHINE_TYPES: [&str; 3] = ["0", "4", "5"];

/// `Some(None)`: it is such an event, and nobody's log-on.
pub(super) fn recognise<'a>(
    app: &'a str,
    data: &'a str,
    text: &'a str,
) -> Option<Option<Logon<'a>>> {
    let field = |key: &str| value(data, key).or_else(|| value(text, key));
    let number = field("EventID").or_else(|| field("EventId")).or_else(|| field("event_id"));
    let outcome = if text.contains("An account failed to log on") {
        Outcome::Failure
    } else if text.contains("An account was successfully logged on") {
        Outcome::Success
    } else if text.contains("An account was logged off") {
        Outcome::Logoff
    } else {
        match number? {
            "4625" => Outcome::Failure,
            "4624" => Outcome::Success,
            "4634" | "4647" => Outcome::Logoff,
            _ => return None,
        }
    };
    let kind = field("LogonType").or_else(|| labelled(text, "Logon Type:"));
    if kind.is_some_and(|kind| MACHINE_TYPES.contains(&kind)) {
        return Some(None);
    }
    let section = ["New Logon:", "Account For Which Logon Failed:"]
        .iter()
        .find_map(|title| text.split_once(title))
        .map_or(text, |(_, section)| section);
    let user = field("TargetUserName").or_else(|| labelled(section, "Account Name:"));
    let from = field("IpAddress").or_else(|| labelled(text, "Source Network Address:"));
    let station = field("WorkstationName").or_else(|| labelled(text, "Workstation Name:"));
    let service = if app.is_empty() { "windows" } else { app };
    let mut logon = Logon::new(outcome, service);
    if let Some(user) = user {
        logon = logon.user(user);
    }
    if let Some(from) = from.filter(|from| !from.is_empty() && *from != "-").or(station) {
        logon = logon.from(from);
    }
    // Types 2, 7, 10 and 11 sit at the machine or on its screen; only 10 has an address.
    if from.is_some_and(|from| matches!(from, "127.0.0.1" | "::1")) {
        logon = logon.local();
    }
    Some(Some(logon))
}

/// The word after a label, across tabs, blanks and escaped line ends.
fn labelled<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let rest = text.split_once(label)?.1;
    let rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
    let end = rest.find([' ', '\t', '\r', '\n', '#', '\\']).unwrap_or(rest.len());
    rest.get(..end).filter(|word| !word.is_empty() && !word.ends_with(':'))
}
