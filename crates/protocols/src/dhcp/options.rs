//! Options, put together from the places where they may stand.
//!
//! The same option may come in parts, which are joined (RFC 3396), and may go on in the header's
//! `file` and `sname` fields (option 52), in that order.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use wire::cursor::{Cursor, Short};

use super::message::Message;

const PAD: u8 = 0;
const OVERLOAD: u8 = 52;
const END: u8 = 255;

/// All options of a message, joined. Bounded by the size of the datagram they came in.
#[derive(Debug)]
pub(super) struct Options<'a> {
    values: BTreeMap<u8, Vec<u8>>,
    /// The header's file field, where it holds a file name.
    file: &'a [u8],
}

impl<'a> Options<'a> {
    /// Reads them, and says which rule the first broken one breaks.
    pub(super) fn read(message: &Message<'a>) -> (Self, Option<&'static str>) {
        let mut options = Self { values: BTreeMap::new(), file: message.file };
        let mut broken = None;
        if options.area(message.options).is_err() {
            broken = Some("option longer than the message");
        }
        let (file, name) = match options.first(OVERLOAD) {
            None => (false, false),
            Some(1) => (true, false),
            Some(2) => (false, true),
            Some(3) => (true, true),
            Some(_) => {
                broken = broken.or(Some("option overload other than 1, 2 or 3"));
                (false, false)
            }
        };
        for (used, area) in [(file, message.file), (name, message.server_name)] {
            if used && options.area(area).is_err() {
                broken = broken.or(Some("option longer than the field it overloads"));
            }
        }
        if file {
            options.file = &[];
        }
        (options, broken)
    }

    fn area(&mut self, bytes: &[u8]) -> Result<(), Short> {
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            let code = cursor.u8()?;
            match code {
                PAD => continue,
                END => return Ok(()),
                _ => {}
            }
            let length = usize::from(cursor.u8()?);
            let value = cursor.take(length)?;
            self.values.entry(code).or_default().extend_from_slice(value);
        }
        Ok(())
    }

    /// An option's bytes.
    pub(super) fn get(&self, code: u8) -> Option<&[u8]> {
        self.values.get(&code).map(Vec::as_slice)
    }

    /// An option's first byte.
    pub(super) fn first(&self, code: u8) -> Option<u8> {
        self.get(code)?.first().copied()
    }

    /// An option that is a number of four bytes.
    pub(super) fn number(&self, code: u8) -> Option<u32> {
        Cursor::new(self.get(code)?).u32().ok()
    }

    /// An option that is one address.
    pub(super) fn address(&self, code: u8) -> Option<Ipv4Addr> {
        self.number(code).map(Ipv4Addr::from)
    }

    /// An option that is a list of addresses.
    pub(super) fn addresses(&self, code: u8) -> impl Iterator<Item = Ipv4Addr> {
        let (whole, _) = self.get(code).unwrap_or_default().as_chunks::<4>();
        whole.iter().map(|octets| Ipv4Addr::from(*octets))
    }

    /// The boot file: option 67, else the header's field up to its first zero byte.
    pub(super) fn boot_file(&self) -> &[u8] {
        let field = self.file.split(|&byte| byte == 0).next().unwrap_or_default();
        self.get(67).unwrap_or(field)
    }
}
