//! DHCP for IPv4.

use model::field::{Field, FieldType, KindSpec};

/// One message.
pub static MESSAGE: KindSpec = KindSpec {
    name: "dhcp.message",
    doc: "A DHCP message. Subject is its sender.",
    fields: &[
        Field::new(
            "type",
            FieldType::Text,
            "discover, offer, request, decline, ack, nak, release, inform.",
        ),
        Field::new("client_mac", FieldType::Mac, "Hardware address of the client."),
        Field::new("host_name", FieldType::Text, "Option 12."),
        Field::new("vendor_class", FieldType::Text, "Option 60."),
        Field::new(
            "parameters",
            FieldType::Text,
            "Option 55 as numbers with commas: tells operating systems apart.",
        ),
        Field::new("mud_url", FieldType::Text, "Option 161: the maker's MUD file."),
        Field::new("requested_ip", FieldType::Ip, "Option 50."),
        Field::new("client_ip", FieldType::Ip, "ciaddr, where not zero."),
        Field::new("assigned_ip", FieldType::Ip, "yiaddr, where not zero."),
        Field::new("server_id", FieldType::Ip, "Option 54."),
        Field::new("routers", FieldType::Texts, "Option 3."),
        Field::new("dns_servers", FieldType::Texts, "Option 6."),
        Field::new("domain", FieldType::Text, "Option 15."),
        Field::new("boot_server", FieldType::Text, "Option 66 or siaddr."),
        Field::new("boot_file", FieldType::Text, "Option 67."),
        Field::new("routes", FieldType::Bool, "Whether option 121 or 249 sets routes."),
        Field::new("proxy", FieldType::Text, "Option 252: proxy configuration."),
        Field::measure("lease", FieldType::Uint, "s", "Option 51."),
    ],
};
