//! The header of RFC 3164, in the variants that are really sent.
//!
//! `Mmm dd hh:mm:ss host tag[pid]: text`, with or without the priority before it; with the year
//! that Cisco gear puts after the day or before the time; with the RFC 3339 time of rsyslog's file
//! format; with a sequence number before the time. The time has no zone: it is read as UTC. It has
//! no year either: the year is the one that brings it nearest to when the record came.

use model::time::Timestamp;

use crate::formats::syslog5424::{Message, time};
use crate::seam::DecodeError;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Longest tag that names a program, in bytes; RFC 3164 says 32, some are longer.
const MAX_TAG: usize = 64;

/// Reads what follows the priority.
pub(crate) fn parse<'a>(
    priority: Option<u8>,
    rest: &'a str,
    reference: Timestamp,
) -> Result<Message<'a>, DecodeError> {
    let body = without_sequence(rest);
    let mut message = Message {
        format: "syslog3164",
        priority,
        at: None,
        host: None,
        app: None,
        message_id: None,
        data: "",
        text: body,
    };
    let Some((at, after)) = stamp(body, reference)? else {
        // A relay would put a header before such a line; a collector keeps it as text.
        return match priority {
            Some(_) => Ok(message),
            None => Err(DecodeError::new(
                0,
                "a syslog line: <priority>, or a time such as 'Nov 23 12:10:09' or RFC 3339, host and program",
            )),
        };
    };
    message.at = Some(at);
    message.text = after;
    if let Some((host, text)) = after.split_once(' ').filter(|(host, _)| is_host(host)) {
        message.host = Some(host);
        message.text = text.trim_start();
        if let Some((tag, text)) = tag(message.text) {
            message.app = Some(tag);
            message.text = text;
        }
    } else if let Some((tag, text)) = tag(after) {
        message.app = Some(tag);
        message.text = text;
    }
    Ok(message)
}

/// Drops `123: ` and the mark of an unset clock, which Cisco gear puts before the time.
fn without_sequence(rest: &str) -> &str {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let after = rest.get(digits..).and_then(|after| after.strip_prefix(": "));
    let rest = if digits > 0 { after.unwrap_or(rest) } else { rest };
    rest.strip_prefix(['*', '.']).filter(|after| month(after).is_some()).unwrap_or(rest)
}

/// The time at the start, and what follows it.
fn stamp(body: &str, reference: Timestamp) -> Result<Option<(Timestamp, &str)>, DecodeError> {
    if body.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        let (word, after) = body.split_once(' ').unwrap_or((body, ""));
        return Ok(time(word.trim_end_matches(':')).map(|at| (at, after.trim_start())));
    }
    let Some(month) = month(body) else { return Ok(None) };
    let refuse = DecodeError::new(0, "a time such as 'Nov 23 12:10:09'");
    let rest = body.get(3..).unwrap_or_default();
    let (day, rest) = number(rest).filter(|(day, _)| (1..=31).contains(day)).ok_or(refuse)?;
    let (mut year, rest) = match number(rest) {
        Some((year, after)) if year >= 1970 && after.starts_with(' ') => (Some(year), after),
        _ => (None, rest),
    };
    let (clock, mut after) = word(rest);
    let clock = clock.trim_end_matches(':');
    if !is_clock(clock) {
        return Err(refuse);
    }
    if let Some((late_year, rest)) = number(after).filter(|(year, _)| (1970..2262).contains(year))
        && year.is_none()
        && rest.starts_with([' ', ':'])
    {
        year = Some(late_year);
        after = rest;
    }
    for zone in ["UTC", "GMT", "Z"] {
        if let Some(rest) = after.trim_start().strip_prefix(zone)
            && rest.starts_with([' ', ':'])
        {
            after = rest;
        }
    }
    let after = after.trim_start_matches([':', ' ']);
    let at = match year {
        Some(year) => date(year, month, day, clock),
        None => nearest(reference, month, day, clock)?,
    };
    at.map(|at| Some((at, after))).ok_or(refuse)
}

/// The month at the start, 1 to 12.
fn month(text: &str) -> Option<u32> {
    let name = text.get(..3)?;
    let place = MONTHS.iter().position(|month| *month == name)?;
    text.get(3..)?.starts_with(' ').then_some(())?;
    u32::try_from(place).ok()?.checked_add(1)
}

/// The next word and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(' ');
    text.split_at_checked(text.find(' ').unwrap_or(text.len())).unwrap_or((text, ""))
}

/// A number of at most four digits, and what follows it.
fn number(text: &str) -> Option<(u32, &str)> {
    let text = text.trim_start_matches(' ');
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 4 {
        return None;
    }
    let (number, after) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, after))
}

/// `hh:mm:ss`, with or without a fraction.
fn is_clock(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 8
        && bytes.len() <= 18
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            2 | 5 => *byte == b':',
            8 => *byte == b'.',
            _ => byte.is_ascii_digit(),
        })
        && bytes.len() != 9
}

fn date(year: u32, month: u32, day: u32, clock: &str) -> Option<Timestamp> {
    format!("{year:04}-{month:02}-{day:02}T{clock}Z").parse().ok()
}

/// The time in the year that brings it nearest to `reference`.
fn nearest(
    reference: Timestamp,
    month: u32,
    day: u32,
    clock: &str,
) -> Result<Option<Timestamp>, DecodeError> {
    if reference == Timestamp::default() {
        return Err(DecodeError::new(
            0,
            "a year: times of RFC 3164 have none, and nothing else said when these lines came",
        ));
    }
    let year: u32 =
        reference.to_string().get(..4).and_then(|year| year.parse().ok()).unwrap_or(1970);
    let distance = |at: &Timestamp| at.nanos().abs_diff(reference.nanos());
    // A 29th of February may have to come from further away.
    Ok((year.saturating_sub(4)..=year.saturating_add(1))
        .filter_map(|year| date(year, month, day, clock))
        .min_by_key(distance))
}

/// Whether a word can be the name or the address of a host.
fn is_host(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= 255
        && !word.ends_with(':')
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':'))
}

/// The program before `:` or `[pid]:`, and the text after it.
fn tag(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix(": ").unwrap_or(text);
    let end = text.find([':', '[', ' '])?;
    if end == 0 || end > MAX_TAG {
        return None;
    }
    let (tag, after) = text.split_at_checked(end)?;
    let after = match after.strip_prefix('[') {
        Some(process) => process.split_once(']')?.1,
        None => after,
    };
    let after = after.strip_prefix(':')?;
    Some((tag, after.strip_prefix(' ').unwrap_or(after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(rest: &'a str, reference: &str) -> Message<'a> {
        parse(None, rest, reference.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_year_is_the_one_nearest_to_when_the_line_came() {
        let at = |line, reference| read(line, reference).at.unwrap().to_string();
        let eve = "Dec 31 23:59:59 ct1 sshd[1]: x";
        assert_eq!(at(eve, "2027-01-01T00:00:03Z"), "2026-12-31T23:59:59.000000Z");
        let day = "Jan  1 00:00:01 ct1 sshd[1]: x";
        assert_eq!(at(day, "2026-12-31T23:59:58Z"), "2027-01-01T00:00:01.000000Z");
        let leap = "Feb 29 10:00:00 ct1 sshd[1]: x";
        assert_eq!(at(leap, "2026-06-01T00:00:00Z"), "2024-02-29T10:00:00.000000Z");
    }

    #[test]
    fn without_any_year_the_line_is_refused_and_not_dated_1970() {
        let error = parse(None, "Jun 14 15:16:01 combo su: x", Timestamp::default()).unwrap_err();
        assert!(error.expected.contains("year"), "{error}");
    }

    #[test]
    fn header_variants_of_real_gear_are_read() {
        let cases = [
            (
                "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: hello",
                Some("combo"),
                Some("sshd(pam_unix)"),
                "hello",
            ),
            (
                "2026-06-14T15:16:01.25+02:00 combo login: hello",
                Some("combo"),
                Some("login"),
                "hello",
            ),
            (
                "Jun 14 2026 15:16:01 fw1 : %ASA-6-605005: hello",
                Some("fw1"),
                Some("%ASA-6-605005"),
                "hello",
            ),
            (
                "45: *Jun 14 15:16:01.123: %SYS-5-CONFIG_I: hello",
                None,
                Some("%SYS-5-CONFIG_I"),
                "hello",
            ),
            ("Jun 14 15:16:01 UTC: %LINK-3: hello", None, Some("%LINK-3"), "hello"),
            ("Jun 14 15:16:01 10.1.2.3 kernel: hello", Some("10.1.2.3"), Some("kernel"), "hello"),
            ("Jun 14 15:16:01 combo no tag here", Some("combo"), None, "no tag here"),
        ];
        for (line, host, app, text) in cases {
            let message = read(line, "2026-11-23T00:00:00Z");
            assert_eq!((message.host, message.app, message.text), (host, app, text), "{line}");
        }
    }

    #[test]
    fn lines_of_other_programs_are_refused() {
        for other in [
            "[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok",
            "20171223-22:15:29:606|Step_LSC|30002312|onStandStepChanged 3579",
            "2016-09-28 04:30:30, Info                  CBS    Loaded",
            "",
            "Marked improvement since yesterday",
        ] {
            assert!(parse(None, other, Timestamp::from_parts(1, 0)).is_err(), "{other}");
        }
        assert!(parse(None, "Jun 44 15:16:01 a b: c", Timestamp::from_parts(1, 0)).is_err());
        assert!(parse(None, "Jun 14 15:16 a b: c", Timestamp::from_parts(1, 0)).is_err());
    }
}
