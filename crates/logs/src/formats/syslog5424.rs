//! Syslog, RFC 5424 with structured data; RFC 3164 and what is sent in its name are tolerated.
//!
//! Log-ons are recognised in the text, and in the structured data that Windows forwarders send.
//! A timestamp of `-` is the time at which the record came.

use std::borrow::Cow;
use std::net::IpAddr;

use model::emit::{Emit, Probe};
use model::flow::Direction;
use model::observation::Party;
use model::text;
use model::time::Timestamp;

use crate::formats::syslog3164;
use crate::kinds;
use crate::logon::{self, Logon, Origin};
use crate::seam::{DecodeError, FormatSpec, LogFormat};
use crate::template;

static SPEC: FormatSpec = FormatSpec {
    name: "syslog",
    doc: "Lines of operating systems, network gear and most devices.",
    kinds: &[&kinds::LINE, &kinds::LOGIN],
    sources: &["RFC 5424", "RFC 3164", "RFC 6587 (framing)"],
};

/// Syslog in either form.
#[derive(Debug)]
pub struct Syslog;

/// One message, taken apart.
#[derive(Debug, PartialEq)]
pub(crate) struct Message<'a> {
    pub(crate) format: &'static str,
    pub(crate) priority: Option<u8>,
    pub(crate) at: Option<Timestamp>,
    pub(crate) host: Option<&'a str>,
    pub(crate) app: Option<&'a str>,
    pub(crate) message_id: Option<&'a str>,
    /// Structured data as it was sent, with its brackets; empty where there was none.
    pub(crate) data: &'a str,
    pub(crate) text: &'a str,
}

impl LogFormat for Syslog {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn sniff(&self, record: &[u8]) -> Probe {
        let text = readable(record);
        // The year does not matter here, only whether the line reads.
        let reference = Timestamp::from_parts(946_684_800, 0);
        match parse(&text, reference) {
            Ok(message) if message.at.is_some() || message.format == "syslog5424" => Probe::Yes,
            Ok(_) => Probe::Unsure,
            Err(_) => Probe::No,
        }
    }

    fn decode(&self, record: &[u8], out: &mut Emit<'_>) -> Result<(), DecodeError> {
        let line = readable(record);
        let message = parse(&line, out.at())?;
        let at = message.at.unwrap_or(out.at());
        let host = message.host.map(party);
        let shape = template::shape(message.text);
        let logon = logon::recognise(message.app.unwrap_or_default(), message.data, message.text);

        let mut draft = out
            .observe(&kinds::LINE, Direction::Forward)
            .at(at)
            .subject(host.clone().unwrap_or_default())
            .peer(None)
            .word("format", message.format)
            .text("app", message.app.unwrap_or_default().as_bytes())
            .text("message_id", message.message_id.unwrap_or_default().as_bytes())
            .text("template", shape.as_bytes())
            .uint("bytes", record.len() as u64);
        if let Some(priority) = message.priority {
            draft = draft.uint("facility", priority >> 3).uint("severity", priority & 7);
        }
        draft.emit();

        if let Some(logon) = logon {
            emit_logon(&logon, &message, at, host, out);
        }
        Ok(())
    }
}

fn emit_logon(
    logon: &Logon<'_>,
    message: &Message<'_>,
    at: Timestamp,
    host: Option<Party>,
    out: &mut Emit<'_>,
) {
    let subject = match logon.from {
        Origin::Remote(name) => party(name),
        Origin::Local => host.clone().unwrap_or_default(),
        Origin::Unknown => Party::default(),
    };
    let mut draft = out
        .observe(&kinds::LOGIN, Direction::Forward)
        .at(at)
        .subject(subject)
        .peer(host)
        .word("format", message.format)
        .word("outcome", logon.outcome.name())
        .text("user", logon.user.unwrap_or_default().as_bytes())
        .text("service", logon.service.as_bytes());
    if logon.count > 1 {
        draft = draft.uint("count", logon.count);
    }
    draft.emit();
}

/// The host that a name or an address stands for.
pub(crate) fn party(name: &str) -> Party {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        // An IPv4 address that came through an IPv6 socket is the IPv4 host.
        Ok(ip) => Party::from_ip(ip.to_canonical()),
        Err(_) => Party { name: Some(text::clean_str(name).into()), ..Party::default() },
    }
}

/// The record as text, without the line ending and the byte order mark before it.
fn readable(record: &[u8]) -> Cow<'_, str> {
    let record = record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record);
    String::from_utf8_lossy(record.trim_ascii_end())
}

fn parse(line: &str, reference: Timestamp) -> Result<Message<'_>, DecodeError> {
    let (priority, rest) = match line.strip_prefix('<') {
        Some(_) => {
            let (priority, rest) = priority(line)?;
            (Some(priority), rest)
        }
        None => (None, line),
    };
    if let (Some(priority), Some(rest)) = (priority, after_version(rest)) {
        return parse_5424(line, priority, rest);
    }
    let start = place(line, rest);
    syslog3164::parse(priority, rest, reference)
        .map_err(|error| DecodeError { at: error.at.saturating_add(start), ..error })
}

/// `<PRI>` and what follows it.
fn priority(line: &str) -> Result<(u8, &str), DecodeError> {
    const EXPECTED: &str = "a priority from <0> to <191>";
    let refuse = DecodeError::new(0, EXPECTED);
    let (digits, rest) = line.get(1..).and_then(|rest| rest.split_once('>')).ok_or(refuse)?;
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse);
    }
    digits.parse().ok().filter(|&priority: &u8| priority <= 191).map(|p| (p, rest)).ok_or(refuse)
}

/// What follows the version number of RFC 5424, which is 1 to this day.
fn after_version(rest: &str) -> Option<&str> {
    rest.strip_prefix("1 ")
}

fn parse_5424<'a>(line: &'a str, priority: u8, rest: &'a str) -> Result<Message<'a>, DecodeError> {
    let mut rest = rest;
    let mut header = |expected: &'static str| {
        let (field, after) = rest.split_once(' ').unwrap_or((rest, ""));
        if field.is_empty() {
            return Err(DecodeError::new(place(line, rest), expected));
        }
        let at = place(line, rest);
        rest = after;
        Ok((at, (field != "-").then_some(field)))
    };
    let (stamp_at, stamp) = header("a timestamp (RFC 3339, or '-')")?;
    let (_, host) = header("a host name, or '-'")?;
    let (_, app) = header("an application name, or '-'")?;
    let _process = header("a process id, or '-'")?;
    let (_, message_id) = header("a message id, or '-'")?;
    let at = match stamp {
        Some(stamp) => Some(time(stamp).ok_or(DecodeError::new(
            stamp_at,
            "a timestamp (RFC 3339, such as 2026-11-23T12:10:09.5Z), or '-'",
        ))?),
        None => None,
    };
    let (data, text) = split_data(rest);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(Message {
        format: "syslog5424",
        priority: Some(priority),
        at,
        host,
        app,
        message_id,
        data,
        text,
    })
}

/// An RFC 3339 time; not the Unix seconds that `Timestamp` reads too.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    if !text.as_bytes().get(10).is_some_and(|byte| matches!(byte, b'T' | b't')) {
        return None;
    }
    text.parse().ok()
}

/// Structured data and the text after it. What begins like structured data and does not end is text.
fn split_data(rest: &str) -> (&str, &str) {
    if let Some(after) = rest.strip_prefix('-') {
        return ("", after.strip_prefix(' ').unwrap_or(after));
    }
    match data_end(rest) {
        Some(end) => {
            let (data, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            (data, after.strip_prefix(' ').unwrap_or(after))
        }
        None => ("", rest),
    }
}

/// Where the last element of structured data ends.
fn data_end(rest: &str) -> Option<usize> {
    let (mut inside, mut quoted, mut escaped, mut end) = (false, false, false, None);
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if inside => quoted = !quoted,
            b'[' if !inside => inside = true,
            b']' if inside && !quoted => {
                inside = false;
                end = Some(at.saturating_add(1));
            }
            _ if !inside => break,
            _ => {}
        }
    }
    if inside { None } else { end }
}

/// Where a part of a line begins in it.
fn place(line: &str, part: &str) -> usize {
    line.len().saturating_sub(part.len())
}

#[cfg(test)]
mod tests;
