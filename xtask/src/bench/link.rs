//! Other link types into Ethernet frames, where that is a matter of the header: a pcap file has one
//! link type for all, and programs that are compared have to see the same.

/// Between these two stations: locally administered, so that they are nobody's.
const STATIONS: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// The frame; none for link types of other make. `link` is libpcap's number.
pub(super) fn ethernet(link: u32, data: &[u8]) -> Option<Vec<u8>> {
    let (ethertype, payload) = match link {
        1 => return Some(data.to_vec()),
        // Raw IP, by the version in it (the number differs between systems).
        12 | 14 | 101 => match data.first()? >> 4 {
            4 => (IPV4, data),
            6 => (IPV6, data),
            _ => return None,
        },
        228 => (IPV4, data),
        229 => (IPV6, data),
        // BSD loopback: the address family in the byte order of whoever captured.
        0 | 108 => {
            let family = match data.get(..4)? {
                [0, 0, 0, family] | [family, 0, 0, 0] => *family,
                _ => return None,
            };
            let ethertype = match family {
                2 => IPV4,
                10 | 24 | 28 | 30 => IPV6,
                _ => return None,
            };
            (ethertype, data.get(4..)?)
        }
        // Linux "cooked", both versions.
        113 => (u16::from_be_bytes([*data.get(14)?, *data.get(15)?]), data.get(16..)?),
        276 => (u16::from_be_bytes([*data.first()?, *data.get(1)?]), data.get(20..)?),
        _ => return None,
    };
    // Below are no EtherTypes but lengths (IEEE 802.3, 3.2.6).
    (ethertype >= 0x0600).then(|| [&STATIONS[..], &ethertype.to_be_bytes(), payload].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_say_the_same_give_the_same_frame() {
        let packet = [0x45, 0, 0, 20];
        let frame = [&STATIONS[..], &[8, 0], &packet].concat();
        let mut cooked = vec![0; 16];
        cooked[14] = 8;
        let mut cooked2 = vec![0; 20];
        cooked2[0] = 8;
        let heads: [(u32, &[u8]); 6] = [
            (101, &[]),
            (228, &[]),
            (0, &[2, 0, 0, 0]),
            (108, &[0, 0, 0, 2]),
            (113, &cooked),
            (276, &cooked2),
        ];
        for (link, head) in heads {
            let made = ethernet(link, &[head, &packet[..]].concat());
            assert_eq!(made.as_deref(), Some(&frame[..]), "link type {link}");
        }
        assert_eq!(ethernet(1, &frame), Some(frame));
    }

    #[test]
    fn what_is_no_ip_and_other_link_types_are_left_out() {
        assert_eq!(ethernet(101, &[0x15, 0]), None);
        assert_eq!(ethernet(0, &[7, 0, 0, 0, 1]), None);
        assert_eq!(ethernet(127, &[0; 60]), None);
        assert_eq!(ethernet(113, &[0; 40]), None, "an 802.3 length");
        assert_eq!(ethernet(276, &[8]), None);
    }
}
