//! ClientHello and ServerHello (RFC 8446, section 4.1; RFC 5246, section 7.4.1).

use wire::cursor::{Cursor, Short};

use super::ja4::is_grease;

/// Most items kept of any list in a hello: more than any client offers.
const MAX_ITEMS: usize = 512;

/// What a client offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ClientHello<'a> {
    pub(super) legacy_version: u16,
    /// Of the supported_versions extension.
    pub(super) versions: Vec<u16>,
    pub(super) ciphers: Vec<u16>,
    /// Types of the extensions, in order.
    pub(super) extensions: Vec<u16>,
    pub(super) signature_algorithms: Vec<u16>,
    pub(super) alpn: Vec<&'a [u8]>,
    pub(super) server_name: &'a [u8],
}

impl ClientHello<'_> {
    /// The highest version offered.
    pub(super) fn offered(&self) -> u16 {
        let real = self.versions.iter().copied().filter(|version| !is_grease(*version));
        real.max().unwrap_or(self.legacy_version)
    }

    /// How many cipher suites are offered.
    pub(super) fn cipher_count(&self) -> usize {
        self.ciphers.iter().filter(|cipher| !is_grease(**cipher)).count()
    }
}

/// What a server chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ServerHello<'a> {
    pub(super) version: u16,
    pub(super) cipher: u16,
    pub(super) alpn: &'a [u8],
    /// It asks the client to try again (RFC 8446, section 4.1.4).
    pub(super) retry: bool,
}

/// The random of a HelloRetryRequest: SHA-256 of "HelloRetryRequest".
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Reads the body of a ClientHello.
///
/// # Errors
/// [`Short`] where a length does not fit, or bytes are left over.
pub(super) fn client(body: &[u8]) -> Result<ClientHello<'_>, Short> {
    let mut cursor = Cursor::new(body);
    let mut hello = ClientHello { legacy_version: cursor.u16()?, ..ClientHello::default() };
    cursor.skip(32)?;
    short_list(&mut cursor)?;
    hello.ciphers = numbers(long_list(&mut cursor)?)?;
    short_list(&mut cursor)?;
    extensions(&mut cursor, |kind, data| {
        if hello.extensions.len() < MAX_ITEMS {
            hello.extensions.push(kind);
        }
        match kind {
            0x0000 => hello.server_name = server_name(data)?,
            0x0010 => hello.alpn = protocols(data)?,
            0x000d => hello.signature_algorithms = numbers(long_list(&mut Cursor::new(data))?)?,
            0x002b => hello.versions = numbers(short_list(&mut Cursor::new(data))?)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(hello)
}

/// Reads the body of a ServerHello.
///
/// # Errors
/// [`Short`] where a length does not fit, or bytes are left over.
pub(super) fn server(body: &[u8]) -> Result<ServerHello<'_>, Short> {
    let mut cursor = Cursor::new(body);
    let mut hello = ServerHello { version: cursor.u16()?, ..ServerHello::default() };
    hello.retry = cursor.array::<32>()? == RETRY;
    short_list(&mut cursor)?;
    hello.cipher = cursor.u16()?;
    cursor.skip(1)?;
    extensions(&mut cursor, |kind, data| {
        match kind {
            0x0010 => hello.alpn = protocols(data)?.first().copied().unwrap_or_default(),
            0x002b => hello.version = Cursor::new(data).u16()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(hello)
}

/// Walks the extensions to the end of the message; before TLS 1.2 there may be none.
fn extensions<'a>(
    cursor: &mut Cursor<'a>,
    mut each: impl FnMut(u16, &'a [u8]) -> Result<(), Short>,
) -> Result<(), Short> {
    if cursor.is_empty() {
        return Ok(());
    }
    let mut list = Cursor::new(long_list(cursor)?);
    while !list.is_empty() {
        let kind = list.u16()?;
        each(kind, long_list(&mut list)?)?;
    }
    if cursor.is_empty() { Ok(()) } else { Err(Short) }
}

/// Bytes with a length of one byte in front.
fn short_list<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Short> {
    let length = cursor.u8()?;
    cursor.take(usize::from(length))
}

/// Bytes with a length of two bytes in front.
fn long_list<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Short> {
    let length = cursor.u16()?;
    cursor.take(usize::from(length))
}

fn numbers(bytes: &[u8]) -> Result<Vec<u16>, Short> {
    let mut cursor = Cursor::new(bytes);
    let mut numbers = Vec::new();
    while !cursor.is_empty() {
        let number = cursor.u16()?;
        if numbers.len() < MAX_ITEMS {
            numbers.push(number);
        }
    }
    Ok(numbers)
}

/// The host name of a server_name extension (RFC 6066, section 3); empty in some clients.
fn server_name(data: &[u8]) -> Result<&[u8], Short> {
    if data.is_empty() {
        return Ok(data);
    }
    let mut list = Cursor::new(long_list(&mut Cursor::new(data))?);
    while !list.is_empty() {
        let kind = list.u8()?;
        let name = long_list(&mut list)?;
        if kind == 0 {
            return Ok(name);
        }
    }
    Ok(&[])
}

/// The names of an ALPN extension (RFC 7301).
fn protocols(data: &[u8]) -> Result<Vec<&[u8]>, Short> {
    let mut list = Cursor::new(long_list(&mut Cursor::new(data))?);
    let mut names = Vec::new();
    while !list.is_empty() {
        let name = short_list(&mut list)?;
        if names.len() < MAX_ITEMS {
            names.push(name);
        }
    }
    Ok(names)
}
