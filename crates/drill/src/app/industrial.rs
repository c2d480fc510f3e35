//! Building automation: Modbus/TCP and BACnet/IP (ASHRAE 135, annex J).

/// Port of Modbus.
pub(crate) const MODBUS: u16 = 502;
/// Port of BACnet.
pub(crate) const BACNET: u16 = 47_808;

fn modbus(transaction: u16, pdu: &[u8]) -> Vec<u8> {
    let mut out = transaction.to_be_bytes().to_vec();
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&(pdu.len() as u16 + 1).to_be_bytes());
    out.push(1);
    out.extend_from_slice(pdu);
    out
}

/// Read holding registers: the question and the answer.
pub(crate) fn read_registers(transaction: u16, first: u16, values: &[u16]) -> (Vec<u8>, Vec<u8>) {
    let mut ask = vec![3];
    ask.extend_from_slice(&first.to_be_bytes());
    ask.extend_from_slice(&(values.len() as u16).to_be_bytes());
    let mut answer = vec![3, values.len() as u8 * 2];
    for value in values {
        answer.extend_from_slice(&value.to_be_bytes());
    }
    (modbus(transaction, &ask), modbus(transaction, &answer))
}

/// Write a single register: the question, which is its own answer.
pub(crate) fn write_register(transaction: u16, register: u16, value: u16) -> Vec<u8> {
    let mut ask = vec![6];
    ask.extend_from_slice(&register.to_be_bytes());
    ask.extend_from_slice(&value.to_be_bytes());
    modbus(transaction, &ask)
}

fn bacnet(apdu: &[u8], expects_reply: bool) -> Vec<u8> {
    let mut out = vec![0x81, 0x0a];
    out.extend_from_slice(&(apdu.len() as u16 + 6).to_be_bytes());
    out.extend_from_slice(&[1, if expects_reply { 4 } else { 0 }]);
    out.extend_from_slice(apdu);
    out
}

/// The name of an analogue value (type 2) in a request, and its present value (property 85).
fn present_value(instance: u32) -> Vec<u8> {
    let mut out = vec![0x0c];
    out.extend_from_slice(&(2 << 22 | instance).to_be_bytes());
    out.extend_from_slice(&[0x19, 85]);
    out
}

/// ReadProperty of a present value: the question and the answer.
pub(crate) fn read_value(invoke: u8, instance: u32, value: f32) -> (Vec<u8>, Vec<u8>) {
    let mut ask = vec![0, 5, invoke, 12];
    ask.extend(present_value(instance));
    let mut answer = vec![0x30, invoke, 12];
    answer.extend(present_value(instance));
    answer.extend_from_slice(&[0x3e, 0x44]);
    answer.extend_from_slice(&value.to_be_bytes());
    answer.push(0x3f);
    (bacnet(&ask, true), bacnet(&answer, false))
}

/// WriteProperty of a present value at a priority: the question and the answer.
pub(crate) fn write_value(
    invoke: u8,
    instance: u32,
    value: f32,
    priority: u8,
) -> (Vec<u8>, Vec<u8>) {
    let mut ask = vec![0, 5, invoke, 15];
    ask.extend(present_value(instance));
    ask.extend_from_slice(&[0x3e, 0x44]);
    ask.extend_from_slice(&value.to_be_bytes());
    ask.extend_from_slice(&[0x3f, 0x49, priority]);
    (bacnet(&ask, true), bacnet(&[0x20, invoke, 15], false))
}
