//! What stands on a terminal: text without commands, the line being written, the line being typed,
//! and what prompts and verdicts look like.

const IAC: u8 = 255;
const SE: u8 = 240;
const SB: u8 = 250;
const WILL: u8 = 251;
const DONT: u8 = 254;

/// How many option negotiations bytes begin with; nothing where they do not begin with one.
pub(super) fn negotiations(start: &[u8]) -> Option<usize> {
    let mut count = 0_usize;
    let mut rest = start;
    loop {
        match rest {
            [IAC, WILL..=DONT, option, after @ ..] if *option <= 49 || *option == 255 => {
                count = count.saturating_add(1);
                rest = after;
            }
            [IAC] | [IAC, WILL..=DONT] => return Some(count),
            _ => return (count > 0).then_some(count),
        }
    }
}

/// Takes commands out of one direction.
#[derive(Debug, Default)]
pub(super) struct Stream {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Text,
    /// After IAC.
    Command,
    /// An option follows.
    Option,
    /// Within a subnegotiation.
    Sub,
    /// After IAC within a subnegotiation.
    SubCommand,
}

impl Stream {
    /// The byte, where it is text.
    pub(super) fn text(&mut self, byte: u8) -> Option<u8> {
        let (state, text) = match (&self.state, byte) {
            (State::Text, IAC) => (State::Command, None),
            (State::Text, text) => (State::Text, Some(text)),
            // Doubled, it is text.
            (State::Command, IAC) => (State::Text, Some(IAC)),
            (State::Command, SB) => (State::Sub, None),
            (State::Command, WILL..=DONT) => (State::Option, None),
            (State::Command | State::Option, _) => (State::Text, None),
            (State::Sub, IAC) => (State::SubCommand, None),
            (State::SubCommand, SE) => (State::Text, None),
            (State::Sub | State::SubCommand, _) => (State::Sub, None),
        };
        self.state = state;
        text
    }
}

/// The line that the server is writing: its end, which is where prompts and verdicts stand.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: Vec<u8>,
}

/// Most of a line that is kept.
const LONGEST: usize = 256;

impl Line {
    /// Adds a character, and says whether the line is finished.
    pub(super) fn show(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' => return true,
            0 | b'\r' => {}
            _ if self.text.len() < LONGEST => self.text.push(byte),
            _ => {
                // The second half is what counts.
                self.text.drain(..LONGEST / 2);
                self.text.push(byte);
            }
        }
        false
    }

    pub(super) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.text)
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }
}

/// What a server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    Name,
    Password,
    Shell,
}

/// What an unfinished line asks for.
pub(super) fn prompt(line: &[u8]) -> Option<Prompt> {
    const NAMES: [&[u8]; 5] = [b"login:", b"username:", b"user name:", b"user:", b"account:"];
    const PASSWORDS: [&[u8]; 3] = [b"password:", b"passcode:", b"passwd:"];
    let line = line.trim_ascii_end().to_ascii_lowercase();
    let ends = |words: &[&[u8]]| words.iter().any(|word| line.ends_with(word));
    if ends(&PASSWORDS) {
        return Some(Prompt::Password);
    }
    if ends(&NAMES) {
        return Some(Prompt::Name);
    }
    // The usual last characters of prompts of shells and appliances.
    matches!(line.last(), Some(b'$' | b'#' | b'>' | b'%')).then_some(Prompt::Shell)
}

/// How a server judges a log-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    In,
    Out,
}

/// What a finished line says of a log-on.
pub(super) fn verdict(line: &[u8]) -> Option<Verdict> {
    const IN: [&[u8]; 4] =
        [b"last login", b"last successful login", b"login successful", b"welcome"];
    const OUT: [&[u8]; 10] = [
        b"incorrect",
        b"login failed",
        b"login failure",
        b"login invalid",
        b"authentication fail",
        b"access denied",
        b"permission denied",
        b"bad password",
        b"bad passwords",
        b"invalid",
    ];
    let line = line.to_ascii_lowercase();
    let contains = |words: &[&[u8]]| {
        words.iter().any(|word| line.windows(word.len()).any(|window| window == *word))
    };
    if contains(&IN) {
        return Some(Verdict::In);
    }
    contains(&OUT).then_some(Verdict::Out)
}

/// The line that the user is typing.
#[derive(Debug, Default)]
pub(super) struct Typed {
    line: Vec<u8>,
    going: bool,
    prompt: Option<Prompt>,
    /// The last key was a carriage return: a line feed or zero behind it belongs to it.
    returned: bool,
}

/// Longest name or password that is kept.
const LONGEST_TYPED: usize = 128;

impl Typed {
    /// Whether a key begins a line.
    pub(super) fn begins(&self, key: u8) -> bool {
        let ends_the_last = self.returned && matches!(key, b'\n' | 0);
        !self.going && !ends_the_last
    }

    /// Sets which prompt the line answers.
    pub(super) fn answers(&mut self, prompt: Option<Prompt>) {
        self.prompt = prompt;
    }

    /// Takes a key; gives the line once it is finished, with the prompt that it answers.
    pub(super) fn key(&mut self, byte: u8) -> Option<(Option<Prompt>, Vec<u8>)> {
        let after_return = std::mem::replace(&mut self.returned, byte == b'\r');
        match byte {
            b'\n' | 0 if after_return => return None,
            b'\r' | b'\n' => {
                self.going = false;
                return Some((self.prompt.take(), std::mem::take(&mut self.line)));
            }
            // Backspace and delete.
            8 | 127 => {
                self.line.pop();
            }
            _ if self.line.len() < LONGEST_TYPED => self.line.push(byte),
            _ => {}
        }
        self.going = true;
        None
    }
}
