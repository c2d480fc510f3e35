//! Interactive and remote-control sessions, recognised from their first bytes: SSH, Telnet, FTP,
//! RDP and VNC; with user and outcome where they are in clear text.
//!
//! How vendors service devices, and how intruders do. Each is a protocol of its own, in its own
//! file; they share three kinds of observation. Passwords are compared with published defaults and
//! then forgotten. Deliberately absent: what is typed and shown, file contents, and everything
//! behind encryption.

use model::field::{Field, FieldType, KindSpec};

use crate::credentials::is_default;

pub mod ftp;
mod lines;
pub mod rdp;
pub mod ssh;
pub mod telnet;
pub mod vnc;

/// A session began.
pub static SESSION: KindSpec = KindSpec {
    name: "remote.session",
    doc: "A remote session's protocol was recognised. Subject is the client.",
    fields: &[
        Field::new("service", FieldType::Text, "ssh, telnet, ftp, rdp, vnc."),
        Field::new("software", FieldType::Text, "What the server says it is."),
        Field::new("client", FieldType::Text, "What the client says it is."),
        Field::staff("user", "User name that an RDP client announces."),
        Field::new(
            "security",
            FieldType::Text,
            "How an RDP or VNC session is protected: none, vnc, rdp, tls, nla, other; refused.",
        ),
        Field::new(
            "offered",
            FieldType::Texts,
            "Kinds of protection that a VNC server offers, by the same words.",
        ),
    ],
};

/// A log-on in clear text.
pub static LOGIN: KindSpec = KindSpec {
    name: "remote.login",
    doc: "A log-on and its outcome. Subject is the client.",
    fields: &[
        Field::new("service", FieldType::Text, "telnet, ftp, vnc."),
        Field::new("outcome", FieldType::Text, "success, failure or unknown."),
        Field::staff("user", "User name, where sent in clear text."),
        crate::credentials::DEFAULT,
    ],
};

/// A file went over FTP.
pub static TRANSFER: KindSpec = KindSpec {
    name: "remote.transfer",
    doc: "A file command over FTP was accepted. Subject is the client.",
    fields: &[
        Field::new("service", FieldType::Text, "ftp."),
        Field::new(
            "action",
            FieldType::Text,
            "upload, download, delete, list, rename, make_folder or remove_folder.",
        ),
        Field::new("extension", FieldType::Text, "Extension of the file, lower case."),
        Field::measure(
            "bytes",
            FieldType::Uint,
            "bytes",
            "Size, where one side announced it beforehand.",
        ),
        Field::new("mode", FieldType::Text, "Who opens the data connection: active is the server."),
        Field::new("data_ip", FieldType::Ip, "Address that it is opened to, where one was named."),
        Field::new("data_port", FieldType::Uint, "Port that it is opened to."),
        Field::new(
            "elsewhere",
            FieldType::Bool,
            "Whether the client has the server connect to an address that is not its own.",
        ),
    ],
};
