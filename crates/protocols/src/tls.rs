//! TLS handshakes.

use model::field::{Field, FieldType, KindSpec};

/// A ClientHello.
pub static CLIENT_HELLO: KindSpec = KindSpec {
    name: "tls.client_hello",
    doc: "A client offers TLS. Subject is the client.",
    fields: &[
        Field::new("sni", FieldType::Text, "Server name."),
        Field::new("ja4", FieldType::Text, "JA4 fingerprint of the client."),
        Field::new(
            "version",
            FieldType::Text,
            "Highest version offered: 1.3, 1.2, 1.1, 1.0, SSL3.",
        ),
        Field::new("alpn", FieldType::Texts, "Application protocols offered."),
        Field::new("ciphers", FieldType::Uint, "Cipher suites offered."),
    ],
};

/// A ServerHello.
pub static SERVER_HELLO: KindSpec = KindSpec {
    name: "tls.server_hello",
    doc: "A server answers. Subject is the server.",
    fields: &[
        Field::new("sni", FieldType::Text, "Server name that the client gave."),
        Field::new("version", FieldType::Text, "Version chosen."),
        Field::new("cipher", FieldType::Text, "Cipher suite chosen."),
        Field::new("alpn", FieldType::Text, "Application protocol chosen."),
    ],
};

/// A server's certificate.
pub static CERTIFICATE: KindSpec = KindSpec {
    name: "tls.certificate",
    doc: "A server's own certificate in clear text. Subject is the server.",
    fields: &[
        Field::new("subject", FieldType::Text, "Distinguished name of the subject."),
        Field::new("issuer", FieldType::Text, "Distinguished name of the issuer."),
        Field::new("names", FieldType::Texts, "Alternative names, at most 16."),
        Field::new("not_before", FieldType::Time, "Valid from."),
        Field::new("not_after", FieldType::Time, "Valid until."),
        Field::new("self_signed", FieldType::Bool, "Whether subject and issuer are the same."),
        Field::new("sha256", FieldType::Text, "SHA-256 of the certificate, hexadecimal."),
    ],
};
