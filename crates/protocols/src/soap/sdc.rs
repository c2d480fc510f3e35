//! Names of IEEE 11073-20701 (SDC) and of the other standards that use SOAP.

/// Where a standard's actions begin.
const STANDARDS: &[(&[u8], &str)] = &[
    (b"http://standards.ieee.org/downloads/11073/", "sdc"),
    (b"http://schemas.xmlsoap.org/ws/2004/08/eventing", "ws-eventing"),
    (b"http://schemas.xmlsoap.org/ws/2004/09/transfer", "ws-transfer"),
    (b"http://schemas.xmlsoap.org/ws/2004/09/mex", "ws-metadata"),
    (b"http://docs.oasis-open.org/ws-dd/ns/discovery", "ws-discovery"),
    (b"http://schemas.xmlsoap.org/ws/2005/04/discovery", "ws-discovery"),
    (b"http://www.onvif.org/", "onvif"),
    (b"urn:schemas-upnp-org:", "upnp"),
    (b"http://schemas.microsoft.com/windows/2006/08/wdp/", "wsd-print"),
];

/// Operations that change the state of a device (IEEE 11073-10207, set service).
const CHANGES: &[&str] = &[
    "SetValue",
    "SetString",
    "Activate",
    "SetAlertState",
    "SetComponentState",
    "SetContextState",
    "SetMetricState",
];

/// The standard that an action is of, as in the field `standard`.
pub(super) fn standard(action: &[u8], operation: &[u8]) -> &'static str {
    let known = STANDARDS.iter().find(|(start, _)| action.starts_with(start));
    match known {
        Some((_, name)) => name,
        // Some devices leave the action out of what they do not sign.
        None if CHANGES.iter().any(|name| name.as_bytes() == operation) => "sdc",
        None => "other",
    }
}

/// The service in an action of SDC: the part before the last.
pub(super) fn service(action: &[u8]) -> &[u8] {
    action.rsplit(|b| *b == b'/').nth(1).filter(|name| name.ends_with(b"Service")).unwrap_or(b"")
}

/// Whether an operation changes the state of a device.
pub(super) fn changes(operation: &str) -> bool {
    CHANGES.contains(&operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_known_by_their_standard() {
        let set = b"http://standards.ieee.org/downloads/11073/11073-20701-2018/SetService/SetValue";
        assert_eq!((standard(set, b"SetValue"), service(set)), ("sdc", &b"SetService"[..]));
        assert_eq!(standard(b"http://www.onvif.org/ver10/device/wsdl/Reboot", b""), "onvif");
        assert_eq!(standard(b"", b"Activate"), "sdc");
        assert_eq!(standard(b"urn:x", b"y"), "other");
        assert!(changes("SetContextState") && !changes("GetMdib") && !changes("SetValueResponse"));
    }
}
