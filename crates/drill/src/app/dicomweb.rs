//! DICOMweb (PS3.18): searches answered in DICOM JSON, and instances in a multipart body.

use serde_json::{Value, json};

use crate::people::Patient;

/// Where an archive answers over HTTP.
pub(crate) const PORT: u16 = 8_042;

/// A study in an answer to QIDO-RS.
pub(crate) fn study(patient: &Patient, uid: &str, modality: &str) -> Value {
    json!({
        "0020000D": {"vr": "UI", "Value": [uid]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": format!("{}^{}", patient.family, patient.given)}]},
        "00100020": {"vr": "LO", "Value": [patient.id]},
        "00100030": {"vr": "DA", "Value": [patient.born]},
        "00080061": {"vr": "CS", "Value": [modality]},
        "00201208": {"vr": "IS", "Value": [3]},
    })
}

/// A body with instances, as WADO-RS answers, and the media type that goes with it.
pub(crate) fn instances(boundary: &str, files: &[Vec<u8>]) -> (String, Vec<u8>) {
    let mut body = vec![];
    for file in files {
        let head = format!("--{boundary}\r\nContent-Type: application/dicom\r\n");
        body.extend(format!("{head}Content-Length: {}\r\n\r\n", file.len()).into_bytes());
        body.extend(file);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").into_bytes());
    (format!("multipart/related; type=\"application/dicom\"; boundary={boundary}"), body)
}

/// A DICOM file (PS3.10) with nothing in it but what every file has, and noise for pixels.
pub(crate) fn file(instance: &str, pixels: &[u8]) -> Vec<u8> {
    let element = |group: u16, number: u16, vr: &[u8; 2], value: &[u8]| {
        let mut out = group.to_le_bytes().to_vec();
        out.extend(number.to_le_bytes());
        out.extend(vr);
        out.extend((value.len() as u16).to_le_bytes());
        out.extend(value);
        out
    };
    let padded = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    };
    let class = padded("1.2.840.10008.5.1.4.1.1.2");
    let meta = [
        element(2, 2, b"UI", &class),
        element(2, 3, b"UI", &padded(instance)),
        element(2, 0x10, b"UI", &padded("1.2.840.10008.1.2.1")),
    ]
    .concat();
    let mut out = vec![0; 128];
    out.extend(b"DICM");
    out.extend(element(2, 0, b"UL", &(meta.len() as u32).to_le_bytes()));
    out.extend(meta);
    out.extend(element(8, 0x16, b"UI", &class));
    out.extend(element(8, 0x18, b"UI", &padded(instance)));
    out.extend([0xe0, 0x7f, 0x10, 0, b'O', b'B', 0, 0]);
    out.extend((pixels.len() as u32).to_le_bytes());
    out.extend(pixels);
    out
}
