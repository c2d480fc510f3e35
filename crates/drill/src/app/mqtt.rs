//! MQTT 3.1.1 (OASIS).

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut length = body.len();
    loop {
        let more = if length >= 128 { 0x80 } else { 0 };
        out.push((length % 128) as u8 | more);
        length /= 128;
        if length == 0 {
            break;
        }
    }
    out.extend_from_slice(body);
    out
}

fn string(text: &str) -> Vec<u8> {
    let mut out = (text.len() as u16).to_be_bytes().to_vec();
    out.extend_from_slice(text.as_bytes());
    out
}

/// CONNECT with a clean session, and a user and password where given.
pub(crate) fn connect(client: &str, keep_alive: u16, login: Option<(&str, &str)>) -> Vec<u8> {
    let mut body = string("MQTT");
    body.extend_from_slice(&[4, 2 | if login.is_some() { 0xc0 } else { 0 }]);
    body.extend_from_slice(&keep_alive.to_be_bytes());
    body.extend(string(client));
    if let Some((user, password)) = login {
        body.extend(string(user));
        body.extend(string(password));
    }
    packet(0x10, &body)
}

/// CONNACK: 0 accepted, 5 not authorised.
pub(crate) fn connack(code: u8) -> Vec<u8> {
    packet(0x20, &[0, code])
}

/// PUBLISH at QoS 0.
pub(crate) fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = string(topic);
    body.extend_from_slice(payload);
    packet(0x30, &body)
}

/// SUBSCRIBE to filters at QoS 0.
pub(crate) fn subscribe(id: u16, filters: &[&str]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    for filter in filters {
        body.extend(string(filter));
        body.push(0);
    }
    packet(0x82, &body)
}

/// SUBACK for so many filters.
pub(crate) fn suback(id: u16, filters: usize) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    body.resize(2 + filters, 0);
    packet(0x90, &body)
}

/// PINGREQ.
pub(crate) fn ping() -> Vec<u8> {
    packet(0xc0, &[])
}

/// PINGRESP.
pub(crate) fn pong() -> Vec<u8> {
    packet(0xd0, &[])
}

/// DISCONNECT.
pub(crate) fn disconnect() -> Vec<u8> {
    packet(0xe0, &[])
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_long_packet_says_its_length_in_groups_of_seven_bits() {
        let packet = super::publish("t", &[0; 400]);
        assert_eq!(packet[1..3], [0x80 | (403 % 128) as u8, (403 / 128) as u8]);
    }
}
