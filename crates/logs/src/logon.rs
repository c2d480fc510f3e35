//! Log-ons, log-offs and failures in the text of a log line.
//!
//! Exact words of known programs come first (`unix`, `windows`), then words that many programs
//! share (`general`). Whoever tries to log on chooses the account name, so that a name may hold
//! ` from 10.0.0.1`: what the program itself wrote is always looked for from the end of the line.
//!
//! One attempt can leave several lines. Where a program says it in its own words, what PAM says of
//! the same attempt is left out, so that an attempt counts once.

mod general;
mod unix;
mod windows;

use std::net::IpAddr;

/// How a log-on went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Failure,
    Logoff,
}

impl Outcome {
    /// As the table of fields says it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Logoff => "logoff",
        }
    }
}

/// Where somebody logged on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin<'a> {
    /// An address or a host name.
    Remote(&'a str),
    /// The host that tells.
    Local,
    /// The line does not say.
    Unknown,
}

/// What a line says of a log-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Logon<'a> {
    pub(crate) outcome: Outcome,
    pub(crate) user: Option<&'a str>,
    pub(crate) from: Origin<'a>,
    pub(crate) service: &'a str,
    /// How many times, where the log joined several.
    pub(crate) count: u64,
}

impl<'a> Logon<'a> {
    fn new(outcome: Outcome, service: &'a str) -> Self {
        Self { outcome, user: None, from: Origin::Unknown, service, count: 1 }
    }

    fn user(mut self, user: &'a str) -> Self {
        self.user = account(user);
        self
    }

    fn from(mut self, name: &'a str) -> Self {
        self.from = remote(name);
        self
    }

    fn local(mut self) -> Self {
        self.from = Origin::Local;
        self
    }
}

/// What a line says of a log-on, if anything. `data` is the structured data of RFC 5424.
pub(crate) fn recognise<'a>(app: &'a str, data: &'a str, text: &'a str) -> Option<Logon<'a>> {
    let (count, text) = repeated(text);
    let service = program(app);
    let logon = match windows::recognise(service, data, text) {
        Some(told) => told?,
        None => match unix::recognise(app, service, text) {
            Some(logon) => logon,
            None if unix::owns(service) => return None,
            None => general::recognise(service, text)?,
        },
    };
    Some(Logon { count, ..logon })
}

/// Takes `message repeated 5 times: [ text]` apart, which rsyslog and syslogd write.
fn repeated(text: &str) -> (u64, &str) {
    let inside = || {
        let (count, rest) = text.strip_prefix("message repeated ")?.split_once(" times: [")?;
        Some((count.parse().ok()?, rest.trim().strip_suffix(']')?))
    };
    inside().unwrap_or((1, text))
}

/// The name of a program without its path and without `(pam_unix)`.
fn program(app: &str) -> &str {
    let name = app.rsplit('/').next().unwrap_or(app);
    name.split('(').next().unwrap_or(name)
}

/// An account name without the quotes around it; none where it cannot be one. Names of patients
/// come with `^` from medical systems.
fn account(user: &str) -> Option<&str> {
    let user = user.trim().trim_matches(['\'', '"', '<', '>', '[', ']', ',', ';', '.']);
    let fits = !user.is_empty()
        && user.len() <= 128
        && user != "-"
        && !user.contains('^')
        && !user.starts_with('(');
    fits.then_some(user)
}

/// Where from, as a program wrote it: an address with or without port and brackets, or a name.
fn remote(name: &str) -> Origin<'_> {
    let name = name.trim().trim_matches(['\'', '"', ',', ';', '(', ')', '<', '>']);
    let name = name.trim_end_matches('.');
    let name = name.strip_prefix("::ffff:").unwrap_or(name);
    if let Some(address) = address(name) {
        return Origin::Remote(address);
    }
    match name {
        "" | "-" | "?" | "UNKNOWN" | "unknown" => Origin::Unknown,
        "localhost" | "LOCAL" | "local" => Origin::Local,
        _ if is_host_name(name) => Origin::Remote(name),
        _ => Origin::Unknown,
    }
}

/// The address at the start of a word such as `10.0.0.1:4022`, `[fe80::1]:22` or `10.0.0.1`.
fn address(word: &str) -> Option<&str> {
    let word = word.trim_start_matches('[');
    let word = word.split(']').next().unwrap_or(word);
    let bare = word.split('%').next().unwrap_or(word);
    if bare.parse::<IpAddr>().is_ok() {
        return Some(bare);
    }
    let (host, port) = bare.rsplit_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_port && host.parse::<IpAddr>().is_ok()).then_some(host)
}

fn is_host_name(name: &str) -> bool {
    name.len() <= 253
        && name.bytes().any(|byte| byte.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// The text after the first `start` up to the next `end`, or to the end of the line.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let rest = text.split_once(start)?.1;
    Some(rest.split_once(end).map_or(rest, |(inside, _)| inside))
}

/// The value after `key=`, quoted or up to a blank, comma or semicolon. The key stands at the
/// start of a word.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let at = rest.find(key)?;
        let before = rest.get(..at)?.chars().next_back();
        let after = rest.get(at.saturating_add(key.len())..)?;
        let starts_word = before.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        if let Some(value) = after.strip_prefix('=').filter(|_| starts_word) {
            return Some(match value.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next().unwrap_or_default(),
                None => value.split([' ', ',', ';', ']', ')', '\t']).next().unwrap_or_default(),
            });
        }
        from = from.saturating_add(at).saturating_add(key.len());
    }
}

#[cfg(test)]
mod tests;
