//! Laboratory analysers: records of ASTM E1394 in frames of ASTM E1381.

use crate::people::Patient;
use crate::rng::Rng;
use crate::time::{Nanos, stamp};

pub(crate) const ENQ: u8 = 5;
pub(crate) const ACK: u8 = 6;
pub(crate) const EOT: u8 = 4;

/// Tests that analysers run: name, mean, unit.
const TESTS: [(&str, f64, &str); 8] = [
    ("GLU", 5.4, "mmol/L"),
    ("NA", 140.0, "mmol/L"),
    ("K", 4.1, "mmol/L"),
    ("CREA", 80.0, "umol/L"),
    ("HGB", 135.0, "g/L"),
    ("WBC", 7.1, "10*9/L"),
    ("CRP", 4.0, "mg/L"),
    ("TROP", 6.0, "ng/L"),
];

/// One record as one frame; `number` runs 1 to 7 and then from 0 again.
pub(crate) fn frame(number: usize, record: &str) -> Vec<u8> {
    let mut body = vec![b'0' + (number % 8) as u8];
    body.extend_from_slice(record.as_bytes());
    body.extend_from_slice(&[b'\r', 3]);
    let check = body.iter().fold(0_u8, |sum, b| sum.wrapping_add(*b));
    let mut out = vec![2];
    out.extend_from_slice(&body);
    out.extend_from_slice(format!("{check:02X}\r\n").as_bytes());
    out
}

fn header(device: (&str, &str), at: Nanos) -> String {
    let (date, time) = stamp(at);
    format!("H|\\^&|||{}^{}|||||LIS||P|LIS2-A2|{date}{time}", device.0, device.1)
}

/// The records of a few results of one sample; `device` is model and serial number.
pub(crate) fn results(
    rng: &mut Rng,
    device: (&str, &str),
    p: &Patient,
    at: Nanos,
    count: usize,
) -> Vec<String> {
    let (date, time) = stamp(at);
    let sample = rng.between(100_000, 999_999);
    let mut records = vec![
        header(device, at),
        format!("P|1||{}||{}^{}||{}|{}", p.id, p.family, p.given, p.born, p.sex),
        format!("O|1|{sample}||^^^ALL|R||{date}{time}||||N"),
    ];
    for i in 0..count {
        let (test, mean, unit) = *rng.pick(&TESTS);
        let value = rng.normal(mean, mean / 12.0);
        records.push(format!("R|{}|^^^{test}|{value:.2}|{unit}||N||F||||{date}{time}", i + 1));
    }
    records.push("L|1|N".to_owned());
    records
}

/// The records of a question about orders for a sample.
pub(crate) fn query(device: (&str, &str), sample: i64, at: Nanos) -> Vec<String> {
    vec![header(device, at), format!("Q|1|^{sample}||ALL||||||||O"), "L|1|N".to_owned()]
}

/// The records of the answer.
pub(crate) fn orders(rng: &mut Rng, p: &Patient, sample: i64, at: Nanos) -> Vec<String> {
    let (test, _, _) = *rng.pick(&TESTS);
    vec![
        header(("LIS", "1"), at),
        format!("P|1||{}||{}^{}", p.id, p.family, p.given),
        format!("O|1|{sample}||^^^{test}|R"),
        "L|1|F".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_is_the_sum_from_the_number_to_the_end_mark() {
        let frame = super::frame(1, "L|1|N");
        let sum: u32 = frame[1..frame.len() - 4].iter().map(|&b| u32::from(b)).sum();
        let text = String::from_utf8(frame[frame.len() - 4..frame.len() - 2].to_vec()).unwrap();
        assert_eq!(text, format!("{:02X}", sum % 256));
    }
}
