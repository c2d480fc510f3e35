//! Messages for the tests.

/// Puts a message into a NetBIOS session frame.
pub(super) fn frame(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u32).to_be_bytes();
    [&length, message].concat()
}

pub(super) fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// An SMB2 file number.
pub(super) fn file_id(number: u8) -> [u8; 16] {
    let mut id = [0; 16];
    id[0] = number;
    id
}

/// An NTLMSSP AUTHENTICATE message.
pub(super) fn ntlm(user: &str, domain: &str, host: &str) -> Vec<u8> {
    let parts = [vec![], vec![7; 24], wide(domain), wide(user), wide(host), vec![]];
    let (mut head, mut tail) = (b"NTLMSSP\0\x03\0\0\0".to_vec(), Vec::new());
    for part in parts {
        let length = (part.len() as u16).to_le_bytes();
        head.extend([length, length].concat());
        head.extend((64 + tail.len() as u32).to_le_bytes());
        tail.extend(part);
    }
    head.extend(1_u32.to_le_bytes());
    [head, tail].concat()
}

/// An SMB2 message in the making.
pub(super) struct V2(Vec<u8>);

impl V2 {
    fn new(command: u16, message: u64, status: u32, flags: u32) -> Self {
        let mut out = b"\xfeSMB\x40\0\0\0".to_vec();
        out.extend(status.to_le_bytes());
        out.extend(command.to_le_bytes());
        out.extend([1, 0]);
        out.extend(flags.to_le_bytes());
        out.extend([0; 4]);
        out.extend(message.to_le_bytes());
        out.resize(40, 0);
        out.extend(77_u64.to_le_bytes());
        out.resize(64, 0);
        Self(out)
    }

    pub(super) fn request(command: u16, message: u64) -> Self {
        Self::new(command, message, 0, 0)
    }

    pub(super) fn answer(command: u16, message: u64, status: u32) -> Self {
        Self::new(command, message, status, 1)
    }

    pub(super) fn related(mut self) -> Self {
        self.0[16] |= 4;
        self
    }

    pub(super) fn tree(mut self, number: u8) -> Self {
        self.0[36] = number;
        self
    }

    pub(super) fn body(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub(super) fn zeros(mut self, count: usize) -> Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }

    fn buffer(self, after: usize, bytes: &[u8]) -> Self {
        let offset = (self.0.len() + 4 + after) as u16;
        let length = bytes.len() as u16;
        self.body(&[offset.to_le_bytes(), length.to_le_bytes()].concat()).zeros(after).body(bytes)
    }

    pub(super) fn session_setup(self, blob: &[u8]) -> Self {
        self.body(&[25, 0]).zeros(10).buffer(8, blob)
    }

    pub(super) fn tree_connect(self, path: &str) -> Self {
        self.body(&[9, 0, 0, 0]).buffer(0, &wide(path))
    }

    pub(super) fn create(self, path: &str, disposition: u32, options: u32) -> Self {
        self.body(&[57, 0])
            .zeros(34)
            .body(&disposition.to_le_bytes())
            .body(&options.to_le_bytes())
            .buffer(8, &wide(path))
    }

    pub(super) fn created(self, action: u8, attributes: u8, number: u8) -> Self {
        self.body(&[89, 0, 0, 0, action, 0, 0, 0])
            .zeros(48)
            .body(&[attributes, 0, 0, 0, 0, 0, 0, 0])
            .body(&file_id(number))
    }

    pub(super) fn write(self, number: u8, data: &[u8]) -> Self {
        self.write_to(&file_id(number), data)
    }

    pub(super) fn write_to(self, file: &[u8; 16], data: &[u8]) -> Self {
        self.body(&[49, 0, 112, 0])
            .body(&(data.len() as u32).to_le_bytes())
            .zeros(8)
            .body(file)
            .zeros(16)
            .body(data)
    }

    pub(super) fn rename(self, number: u8, to: &str) -> Self {
        let to = wide(to);
        let length = 20 + to.len() as u32;
        self.body(&[33, 0, 1, 10])
            .body(&length.to_le_bytes())
            .body(&[96, 0, 0, 0, 0, 0, 0, 0])
            .body(&file_id(number))
            .zeros(16)
            .body(&(to.len() as u32).to_le_bytes())
            .body(&to)
    }

    pub(super) fn message(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn frame(self) -> Vec<u8> {
        frame(&self.0)
    }
}

/// Several SMB2 messages in one frame.
pub(super) fn compound(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        let mut message = message.clone();
        if place + 1 < messages.len() {
            message.resize(message.len().next_multiple_of(8), 0);
            let next = (message.len() as u32).to_le_bytes();
            message[20..24].copy_from_slice(&next);
        }
        out.extend(message);
    }
    frame(&out)
}

/// An SMB1 message of one command, with text in UTF-16.
pub(super) fn v1(command: u8, answer: bool, multiplex: u16, words: &[u8], bytes: &[u8]) -> Vec<u8> {
    let words = &words[..words.len().min(400)];
    let mut out = b"\xffSMB".to_vec();
    out.extend([command, 0, 0, 0, 0, if answer { 0x80 } else { 0 }, 0, 0xc0]);
    out.resize(30, 0);
    out.extend(multiplex.to_le_bytes());
    out.push(words.len().div_ceil(2) as u8);
    out.extend(words);
    out.resize(out.len() + words.len() % 2, 0);
    out.extend((bytes.len() as u16).to_le_bytes());
    out.extend(bytes);
    frame(&out)
}

/// An SMB1 transaction of one setup word, and the word behind it.
#[derive(Default)]
pub(super) struct Trans<'a> {
    pub(super) command: u8,
    pub(super) multiplex: u16,
    pub(super) setup: u16,
    pub(super) about: u16,
    pub(super) data: &'a [u8],
}

pub(super) fn v1_trans(trans: &Trans<'_>) -> Vec<u8> {
    let mut words = vec![0; 32];
    // Header, word count, words, byte count.
    let data_at = 32_u16 + 1 + 32 + 2;
    words[22..24].copy_from_slice(&(trans.data.len() as u16).to_le_bytes());
    words[24..26].copy_from_slice(&data_at.to_le_bytes());
    words[26] = 2;
    words[28..30].copy_from_slice(&trans.setup.to_le_bytes());
    words[30..32].copy_from_slice(&trans.about.to_le_bytes());
    v1(trans.command, false, trans.multiplex, &words, trans.data)
}
