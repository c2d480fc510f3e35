//! Other ways to sit at a distant device: Telnet (RFC 854), FTP (RFC 959), VNC (RFC 6143), RDP
//! up to its handshake ([MS-RDPBCGR]).

use crate::app::tls;
use crate::net::tcp::{Side, Tcp};
use crate::time::{MS, Nanos, SEC};
use crate::world::{HostId, World};

/// What came of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    Taken,
    Refused,
}

/// Types a line as people do on Telnet: the far end echoes it, unless it is a password.
fn typed(w: &mut World, tcp: &mut Tcp, line: &str, echo: bool) {
    let bytes = format!("{line}\r\n");
    tcp.up(w, bytes.as_bytes());
    if echo {
        tcp.down(w, bytes.as_bytes());
    }
}

/// Opens Telnet and agrees on options.
pub(crate) fn telnet(w: &mut World, at: Nanos, from: HostId, to: HostId, port: u16) -> Tcp {
    let mut tcp = Tcp::open(w, at, from, (to, port));
    tcp.down(w, &[255, 253, 24, 255, 251, 1, 255, 251, 3]);
    tcp.up(w, &[255, 252, 24, 255, 253, 1, 255, 253, 3]);
    let name = w.hosts[to].model.clone();
    tcp.down(w, format!("\r\n{name} service console\r\nlogin: ").as_bytes());
    tcp
}

/// One try to sign in on Telnet; leaves the prompt for the next where it is refused.
pub(crate) fn telnet_login(w: &mut World, tcp: &mut Tcp, user: &str, password: &str, how: Login) {
    typed(w, tcp, user, true);
    tcp.down(w, b"Password: ");
    typed(w, tcp, password, false);
    let think = w.rng.between(100, 900) * MS;
    tcp.pause(w, think);
    match how {
        Login::Taken => tcp.down(w, b"\r\nBusyBox v1.20.2 built-in shell (ash)\r\n# "),
        Login::Refused => tcp.down(w, b"\r\nLogin incorrect\r\nlogin: "),
    }
}

/// A command on Telnet and what it prints.
pub(crate) fn telnet_command(w: &mut World, tcp: &mut Tcp, command: &str, output: &str) {
    let think = w.rng.between(300, 3_000) * MS;
    tcp.pause(w, think);
    typed(w, tcp, command, true);
    tcp.down(w, format!("{output}\r\n# ").as_bytes());
}

/// Opens the control conversation of FTP.
pub(crate) fn ftp(w: &mut World, at: Nanos, from: HostId, to: HostId) -> Tcp {
    let mut tcp = Tcp::open(w, at, from, (to, 21));
    let name = w.hosts[to].model.clone();
    tcp.down(w, format!("220 {name} FTP server ready.\r\n").as_bytes());
    tcp
}

/// One command of FTP and its answer.
pub(crate) fn ftp_command(w: &mut World, tcp: &mut Tcp, command: &str, answer: &str) {
    tcp.up(w, format!("{command}\r\n").as_bytes());
    tcp.down(w, format!("{answer}\r\n").as_bytes());
}

/// One try to sign in on FTP.
pub(crate) fn ftp_login(w: &mut World, tcp: &mut Tcp, user: &str, password: &str, how: Login) {
    ftp_command(w, tcp, &format!("USER {user}"), "331 Password required");
    tcp.up(w, format!("PASS {password}\r\n").as_bytes());
    let think = w.rng.between(20, 600) * MS;
    tcp.pause(w, think);
    match how {
        Login::Taken => tcp.down(w, b"230 User logged in\r\n"),
        Login::Refused => tcp.down(w, b"530 Login incorrect\r\n"),
    }
}

/// Stores a file over a passive data conversation.
pub(crate) fn ftp_store(w: &mut World, tcp: &mut Tcp, to: HostId, name: &str, data: &[u8]) {
    let from = tcp.caller().0;
    let port = 50_000 + w.rng.below(9_000) as u16;
    let [a, b, c, d] = w.hosts[to].ip.octets();
    let (high, low) = (port >> 8, port & 0xff);
    ftp_command(w, tcp, "TYPE I", "200 Type set to I");
    let passive = format!("227 Entering Passive Mode ({a},{b},{c},{d},{high},{low})");
    ftp_command(w, tcp, "PASV", &passive);
    let mut carrier = Tcp::open(w, tcp.now + MS, from, (to, port));
    let opened = carrier.now;
    tcp.wait_until(w, opened);
    ftp_command(w, tcp, &format!("STOR {name}"), "150 Opening BINARY mode data connection");
    let begun = tcp.now;
    carrier.wait_until(w, begun);
    carrier.up(w, data);
    let done = carrier.close(w, Side::Client);
    tcp.wait_until(w, done);
    tcp.down(w, b"226 Transfer complete\r\n");
}

/// A session on VNC without a password: looks for a while, and clicks.
pub(crate) fn vnc(w: &mut World, at: Nanos, from: HostId, to: HostId, clicks: usize) -> Nanos {
    let mut tcp = Tcp::open(w, at, from, (to, 5900));
    tcp.down(w, b"RFB 003.008\n");
    tcp.up(w, b"RFB 003.008\n");
    tcp.down(w, &[1, 1]);
    tcp.up(w, &[1]);
    tcp.down(w, &[0; 4]);
    tcp.up(w, &[1]);
    let name = w.hosts[to].name.clone();
    let mut init =
        vec![0x03, 0x20, 0x02, 0x58, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
    init.extend_from_slice(&(name.len() as u32).to_be_bytes());
    init.extend_from_slice(name.as_bytes());
    tcp.down(w, &init);
    for _ in 0..clicks {
        tcp.up(w, &[3, 1, 0, 0, 0, 0, 3, 32, 2, 88]);
        let (width, height) = (64_u16, 48_u16);
        let mut update = vec![0, 0, 0, 1, 0, 0, 0, 0];
        update.extend_from_slice(&width.to_be_bytes());
        update.extend_from_slice(&height.to_be_bytes());
        update.extend_from_slice(&[0; 4]);
        update.extend(w.rng.bytes(usize::from(width) * usize::from(height) * 4));
        tcp.down(w, &update);
        let look = w.rng.between(300, 1_500) * MS;
        tcp.pause(w, look);
        tcp.up(w, &[5, 1, 0, 200, 0, 120]);
    }
    tcp.close(w, Side::Client)
}

/// A session on RDP: cookie, TLS, and then a screen that comes while keys go.
pub(crate) fn rdp(w: &mut World, at: Nanos, from: HostId, to: HostId, length: Nanos) -> Nanos {
    let mut tcp = Tcp::open(w, at, from, (to, 3389));
    let user = w.hosts[from].user.clone();
    let mut cookie = format!("Cookie: mstshash={user}\r\n").into_bytes();
    cookie.extend_from_slice(&[1, 0, 8, 0, 3, 0, 0, 0]);
    let mut ask = vec![3, 0];
    ask.extend_from_slice(&(cookie.len() as u16 + 11).to_be_bytes());
    ask.extend_from_slice(&[cookie.len() as u8 + 6, 0xe0, 0, 0, 0, 0, 0]);
    ask.extend(cookie);
    tcp.up(w, &ask);
    tcp.down(w, &[3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 1, 0, 0, 0]);
    let name = w.fqdn(to);
    tls::handshake(w, &mut tcp, &name);
    let end = tcp.now + length;
    while tcp.now < end {
        tcp.up(w, &[0; 40]);
        let screen = w.rng.between(300, 9_000) as usize;
        tcp.down(w, &vec![0; screen]);
        let look = w.rng.between(100, SEC / MS) * MS;
        tcp.pause(w, look);
    }
    tcp.close(w, Side::Client)
}
