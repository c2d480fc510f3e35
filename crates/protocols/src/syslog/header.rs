//! The header of a message: RFC 5424, and RFC 3164 as devices really write it.

/// Longest header that is read, in bytes: a message is judged by so many of its first bytes.
pub(super) const MAX_HEADER: usize = 1024;

/// Longest host name and application name that are kept (RFC 5424, section 6).
const MAX_HOST: usize = 255;
const MAX_APP: usize = 48;

/// What a header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) facility: u8,
    pub(super) severity: u8,
    pub(super) host: &'a [u8],
    pub(super) app: &'a [u8],
}

/// What stands between the angle brackets, and what follows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Priority<'a> {
    Value(u8, &'a [u8]),
    /// The bytes end within the brackets.
    More,
    /// None, or one that no message can have.
    Wrong,
}

/// Reads `<PRI>`: 0 to 191 without leading zeros.
pub(super) fn priority(bytes: &[u8]) -> Priority<'_> {
    let Some((b'<', rest)) = bytes.split_first() else {
        return if bytes.is_empty() { Priority::More } else { Priority::Wrong };
    };
    let digits = rest.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    let (number, rest) = rest.split_at_checked(digits).unwrap_or_default();
    match (rest.first(), number) {
        (_, [b'0', _, ..]) => Priority::Wrong,
        (None, number) if number.len() <= 3 => Priority::More,
        (Some(b'>'), [_, ..]) => {
            let value = std::str::from_utf8(number).ok().and_then(|n| n.parse::<u8>().ok());
            match value.filter(|value| *value <= 191) {
                Some(value) => Priority::Value(value, rest.get(1..).unwrap_or_default()),
                None => Priority::Wrong,
            }
        }
        _ => Priority::Wrong,
    }
}

/// Reads a message's header from its first bytes; nothing where it has no priority. What does not
/// have the form of a host or an application name is left out, since it may be text.
pub(super) fn header(message: &[u8]) -> Option<Header<'_>> {
    let message = message.get(..message.len().min(MAX_HEADER)).unwrap_or_default();
    let Priority::Value(priority, rest) = priority(message) else { return None };
    let (host, app) = match rest.strip_prefix(b"1 ") {
        Some(rest) => rfc_5424(rest),
        None => rfc_3164(rest),
    };
    let fits =
        |name: &[u8], cap: usize| (1..=cap).contains(&name.len()) && name.iter().all(is_name);
    Some(Header {
        facility: priority >> 3,
        severity: priority & 7,
        host: if fits(host, MAX_HOST) && host != b"-" { host } else { &[] },
        app: if fits(app, MAX_APP) && app != b"-" { app } else { &[] },
    })
}

/// `TIMESTAMP HOSTNAME APP-NAME ...`
fn rfc_5424(rest: &[u8]) -> (&[u8], &[u8]) {
    let mut fields = rest.split(|&b| b == b' ');
    let time = fields.next().unwrap_or_default();
    if !is_timestamp(time) && time != b"-" {
        return (&[], &[]);
    }
    (fields.next().unwrap_or_default(), fields.next().unwrap_or_default())
}

/// `Mmm dd hh:mm:ss HOSTNAME TAG[pid]: ...`, with an ISO time stamp in newer senders, and without
/// the host name in many devices.
fn rfc_3164(rest: &[u8]) -> (&[u8], &[u8]) {
    let Some(after) = after_time(rest) else { return (&[], tag(rest).unwrap_or_default()) };
    if let Some(app) = tag(after) {
        return (&[], app);
    }
    let space = after.iter().position(|&b| b == b' ').unwrap_or(after.len());
    let (host, message) = after.split_at_checked(space).unwrap_or_default();
    // A word that no tag follows may be the first of the text, and so may one that is no name.
    match tag(message.get(1..).unwrap_or_default()) {
        Some(app) if host.iter().all(is_name) => (host, app),
        _ => (&[], &[]),
    }
}

/// What follows the time stamp and its space; nothing where there is none.
fn after_time(rest: &[u8]) -> Option<&[u8]> {
    if let Some((first, after)) = rest.split_at_checked(16).filter(|(first, _)| is_bsd_time(first))
    {
        // Some senders put the year behind the day's time.
        let year = after.split_at_checked(5).filter(|_| first.last() == Some(&b' '));
        return match year {
            Some(([a, b, c, d, b' '], later))
                if [a, b, c, d].iter().all(|b| b.is_ascii_digit()) =>
            {
                Some(later)
            }
            _ => Some(after),
        };
    }
    let space = rest.iter().position(|&b| b == b' ')?;
    let (time, after) = rest.split_at_checked(space)?;
    is_timestamp(time).then(|| after.get(1..).unwrap_or_default())
}

/// The name in front of `[pid]:` or `:`; nothing where the first word is none.
fn tag(message: &[u8]) -> Option<&[u8]> {
    let end =
        message.iter().take(MAX_APP.saturating_add(1)).position(|b| !is_name(b) || *b == b':')?;
    let (name, rest) = message.split_at_checked(end)?;
    let ends = match rest.first()? {
        b':' => matches!(rest.get(1), None | Some(b' ')),
        b'[' => {
            let pid = rest.get(1..)?;
            let digits = pid.iter().take(12).take_while(|b| b.is_ascii_digit()).count();
            pid.get(digits) == Some(&b']')
        }
        _ => false,
    };
    (ends && !name.is_empty()).then_some(name)
}

/// `Oct 11 22:14:15 ` with its space.
pub(super) fn is_bsd_time(text: &[u8]) -> bool {
    const MONTHS: [&[u8; 3]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let Some((month, rest)) = text.split_first_chunk::<3>() else { return false };
    let shape = b" dd dd:dd:dd ";
    MONTHS.contains(&month)
        && rest.len() == shape.len()
        && rest.iter().zip(shape).enumerate().all(|(place, (byte, wanted))| match wanted {
            b'd' => byte.is_ascii_digit() || (place == 1 && *byte == b' '),
            wanted => byte == wanted,
        })
}

/// `2003-10-11T22:14:15.003Z` and whatever else begins like RFC 3339.
pub(super) fn is_timestamp(text: &[u8]) -> bool {
    let shape = b"dddd-dd-ddTdd:dd:dd";
    text.len() >= shape.len()
        && text.iter().zip(shape).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            wanted => byte == wanted,
        })
}

fn is_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/' | b':' | b'%' | b'@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &str) -> (u8, u8, String, String) {
        let header = header(message.as_bytes()).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (header.facility, header.severity, text(header.host), text(header.app))
    }

    #[test]
    fn both_standards_are_read() {
        for (message, facility, severity, host, app) in [
            (
                "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - failed",
                4,
                2,
                "mymachine.example.com",
                "su",
            ),
            (
                "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - x",
                20,
                5,
                "192.0.2.1",
                "myproc",
            ),
            ("<14>1 - - - - - -", 1, 6, "", ""),
            ("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", 4, 2, "mymachine", "su"),
            ("<13>Feb  5 17:32:18 10.0.0.99 sshd[42]: x", 1, 5, "10.0.0.99", "sshd"),
            ("<13>Feb  5 17:32:18 2024 mon1 hl7d: x", 1, 5, "mon1", "hl7d"),
            ("<13>Feb  5 17:32:18 kernel: x", 1, 5, "", "kernel"),
            ("<13>2024-02-05T17:32:18+01:00 mon1 hl7d[1]: x", 1, 5, "mon1", "hl7d"),
            ("<0>app: no time", 0, 0, "", "app"),
            ("<191>free text", 23, 7, "", ""),
        ] {
            assert_eq!(read(message), (facility, severity, host.into(), app.into()), "{message}");
        }
    }

    #[test]
    fn words_of_the_text_are_not_taken_for_names() {
        for message in [
            "<13>Feb  5 17:32:18 Patient John Doe fell",
            "<13>Doe^Jane admitted",
            "<13>1 not-a-time Doe Jane - - -",
            "<13>Feb  5 17:32:18 Doe, Jane: admitted",
        ] {
            let (_, _, host, app) = read(message);
            assert_eq!((host.as_str(), app.as_str()), ("", ""), "{message}");
        }
    }

    #[test]
    fn priorities_out_of_range_are_none() {
        for wrong in ["<192>x", "<999>x", "<01>x", "<>x", "<1", "<-1>x", "x", "", "<1234>"] {
            assert_eq!(header(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
