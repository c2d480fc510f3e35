//! Files that are cut short, damaged or written by an enemy.

mod common;

use capture::{CaptureError, Fault};
use common::*;
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{LegacyPcapReader, PcapBlockOwned, PcapError};
use proptest::prelude::*;

fn fault(error: Option<CaptureError>) -> (Fault, u64, String) {
    let text = error.as_ref().map(ToString::to_string).unwrap_or_default();
    match error {
        Some(CaptureError::File { fault, offset, .. }) => (fault, offset, text),
        other => panic!("{other:?}"),
    }
}

/// The bytes of a file record by record, the header first, and whether each record is a packet.
fn pcap_records() -> Vec<(Vec<u8>, bool)> {
    let order = Order { big: true };
    let mut records = vec![(pcap_header(order, NANOSECONDS, 1), false)];
    for n in 0..4_u8 {
        let data = vec![n; 5 + usize::from(n)];
        let packet = pcap_packet(order, NANOSECONDS, (n.into(), 1), 100, &data);
        records.push((packet, true));
    }
    records
}

fn pcapng_records() -> Vec<(Vec<u8>, bool)> {
    let order = Order { big: false };
    vec![
        (section(order), false),
        (interface(order, 1, 0, &option(order, 9, &[9])), false),
        (enhanced(order, 0, 7, 100, &[1; 6]), true),
        (block(order, 4, b"names"), false),
        (obsolete(order, 0, 8, 100, &[2; 7]), true),
        (simple(order, 8, &[3; 8]), true),
        (enhanced(order, 0, 9, 100, &[4; 9]), true),
    ]
}

#[test]
fn a_file_cut_anywhere_gives_all_whole_packets_and_where_it_was_cut() {
    for records in [pcap_records(), pcapng_records()] {
        let bytes: Vec<u8> = records.iter().flat_map(|(record, _)| record.clone()).collect();
        let whole = read_bytes(&bytes).0;
        for cut in 0..bytes.len() {
            let (mut start, mut packets) = (0, 0);
            for (record, is_packet) in &records {
                if start + record.len() > cut {
                    break;
                }
                start += record.len();
                packets += usize::from(*is_packet);
            }
            for (what, file) in [("plain", bytes[..cut].to_vec()), ("gzip", gzip(&bytes[..cut]))] {
                let (seen, error) = read_bytes(&file);
                assert_eq!(seen, whole[..packets], "{what} cut at {cut}");
                if start == cut && cut > 0 {
                    assert!(error.is_none(), "{what} cut at {cut}, between records: {error:?}");
                    continue;
                }
                let (fault, offset, text) = fault(error);
                if cut < 4 && cut > 0 {
                    assert_eq!(fault, Fault::NotACapture, "{text}");
                    continue;
                }
                assert_eq!((fault, offset), (Fault::Truncated, start as u64), "{text}");
            }
        }
    }
}

#[test]
fn compressed_data_cut_anywhere_give_the_packets_before_and_an_error() {
    let bytes: Vec<u8> = pcap_records().into_iter().flat_map(|(record, _)| record).collect();
    let whole = read_bytes(&bytes).0;
    for compressed in [gzip(&bytes), zstd(&bytes)] {
        for cut in 4..compressed.len() {
            let (seen, error) = read_bytes(&compressed[..cut]);
            assert_eq!(seen, whole[..seen.len()]);
            let (fault, _, text) = fault(error);
            assert_eq!(fault, Fault::Truncated, "{text}");
        }
    }
}

#[test]
fn absurd_lengths_are_refused_where_they_stand() {
    let order = Order { big: false };
    let header = pcap_header(order, MICROSECONDS, 1);
    let packet = pcap_packet(order, MICROSECONDS, (1, 0), 4, &[1; 4]);
    for len in [256 * 1024 + 1, u32::MAX / 2, u32::MAX] {
        let mut bad = packet.clone();
        bad[8..12].copy_from_slice(&len.to_le_bytes());
        let (seen, error) = read_bytes(&[header.clone(), packet.clone(), bad].concat());
        assert_eq!(seen.len(), 1);
        let (fault, offset, text) = fault(error);
        assert_eq!((fault, offset), (Fault::TooLong, 44));
        assert!(text.contains(&len.to_string()) && text.contains("262144"), "{text}");
    }
    let largest = vec![9; 256 * 1024];
    let packets: Vec<u8> =
        (0..9).flat_map(|_| pcap_packet(order, MICROSECONDS, (1, 0), 262_144, &largest)).collect();
    let (seen, error) = read_bytes(&[header, packets].concat());
    assert!(error.is_none() && seen.len() == 9 && seen.iter().all(|p| p.data == largest));
}

#[test]
fn blocks_that_contradict_themselves_are_refused_where_they_stand() {
    let order = Order { big: false };
    let start = [section(order), interface(order, 1, 0, &[]), enhanced(order, 0, 1, 4, &[1; 4])];
    let start = start.concat();
    let good = enhanced(order, 0, 1, 4, &[1; 4]);
    let changed = |at: usize, to: u32| {
        let mut block = good.clone();
        let at = if at == usize::MAX { block.len() - 4 } else { at };
        block[at..at + 4].copy_from_slice(&to.to_le_bytes());
        block
    };
    let cases = [
        ("odd length", changed(4, 61), Fault::Malformed),
        ("length 0", changed(4, 0), Fault::Malformed),
        ("length below its fields", changed(4, 28), Fault::Malformed),
        ("huge length", changed(4, u32::MAX - 3), Fault::TooLong),
        ("two lengths", changed(usize::MAX, 60), Fault::Malformed),
        ("no such interface", changed(8, 1), Fault::Malformed),
        ("packet over its block", changed(20, 64), Fault::Malformed),
        ("packet beyond belief", changed(20, u32::MAX), Fault::TooLong),
        (
            "byte order of nothing",
            {
                let mut section = section(order);
                section[8] = 0;
                section
            },
            Fault::Malformed,
        ),
        ("option over its block", interface(order, 1, 0, &[9, 0, 99, 0]), Fault::Malformed),
        (
            "version of the future",
            {
                let mut section = section(order);
                section[12] = 2;
                section
            },
            Fault::Malformed,
        ),
    ];
    for (what, bad, expected) in cases {
        let bytes = [start.clone(), bad, good.clone()].concat();
        let (seen, error) = read_bytes(&bytes);
        assert_eq!(seen.len(), 1, "{what}");
        let (fault, offset, text) = fault(error);
        assert_eq!((fault, offset), (expected, start.len() as u64), "{what}: {text}");
    }
}

#[test]
fn a_packet_before_any_interface_is_refused() {
    let order = Order { big: false };
    for packet in [enhanced(order, 0, 1, 4, &[1; 4]), simple(order, 4, &[1; 4])] {
        let (seen, error) = read_bytes(&[section(order), packet].concat());
        assert!(seen.is_empty());
        assert_eq!(fault(error).0, Fault::Malformed);
    }
}

#[test]
fn endless_interfaces_are_refused() {
    let order = Order { big: false };
    let one = interface(order, 1, 0, &[]);
    let many: Vec<u8> = std::iter::repeat_n(&one[..], 40_000).flatten().copied().collect();
    let bytes = [section(order), many.clone(), section(order), many].concat();
    assert_eq!(fault(read_bytes(&bytes).1).0, Fault::TooLong);
}

#[test]
fn a_bomb_is_unpacked_in_pieces() {
    // 256 MiB of zeros in some kilobytes: packets of no length at the epoch, 16 bytes each.
    let order = Order { big: false };
    let mut to = zstd::Encoder::new(Vec::new(), 1).unwrap();
    std::io::Write::write_all(&mut to, &pcap_header(order, MICROSECONDS, 1)).unwrap();
    for _ in 0..256 {
        std::io::Write::write_all(&mut to, &vec![0; 1 << 20]).unwrap();
    }
    let folder = Folder::new();
    let path = folder.file("bomb", &to.finish().unwrap());
    let mut reader = capture::FileReader::open(path).unwrap();
    let mut packets = 0;
    while let Some(block) = reader.next_block().unwrap() {
        assert!(block.len() <= 1 << 16);
        packets += block.len();
    }
    assert_eq!(packets, 1 << 24);
}

/// What pcap-parser makes of a file: the link type, the time and the bytes of each packet.
fn oracle(bytes: &[u8]) -> Result<Vec<(u32, i64, Vec<u8>)>, String> {
    let mut reader: Box<dyn PcapReaderIterator> = if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        Box::new(pcap_parser::PcapNGReader::new(1 << 20, bytes).map_err(|error| error.to_string())?)
    } else {
        Box::new(LegacyPcapReader::new(1 << 20, bytes).map_err(|error| error.to_string())?)
    };
    let mut packets = Vec::new();
    let (mut link, mut unit, mut interfaces, mut big) = (0, 1_000, Vec::new(), false);
    loop {
        match reader.next() {
            Ok((used, block)) => {
                use pcap_parser::Block;
                match block {
                    PcapBlockOwned::LegacyHeader(header) => {
                        link = header.network.0 as u32 & 0xffff;
                        unit = if header.is_nanosecond_precision() { 1 } else { 1_000 };
                    }
                    PcapBlockOwned::Legacy(packet) => {
                        let nanos = i64::from(packet.ts_sec) * 1_000_000_000;
                        let nanos = nanos + i64::from(packet.ts_usec) * unit;
                        packets.push((link, nanos, packet.data.to_vec()));
                    }
                    PcapBlockOwned::NG(Block::SectionHeader(section)) => {
                        big = section.big_endian();
                        interfaces.clear();
                    }
                    PcapBlockOwned::NG(Block::InterfaceDescription(about)) => {
                        let link = u32::try_from(about.linktype.0).unwrap();
                        let power = u32::from(about.if_tsresol & 0x7f);
                        // Its own ts_resolution() has no answer past 2^-63.
                        let base: u128 = if about.if_tsresol & 0x80 == 0 { 10 } else { 2 };
                        // And it reads the offset in the wrong order in big-endian sections.
                        let offset = about.if_tsoffset;
                        let offset = if big { offset.swap_bytes() } else { offset };
                        interfaces.push((link, base.pow(power), offset));
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let (link, resolution, offset) = interfaces[packet.if_id as usize];
                        let ticks = u128::from(packet.ts_high) << 32 | u128::from(packet.ts_low);
                        let nanos = ticks * 1_000_000_000 / resolution;
                        let nanos = nanos as i128 + i128::from(offset) * 1_000_000_000;
                        let data = packet.data[..packet.caplen as usize].to_vec();
                        packets.push((link, nanos as i64, data));
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(used);
            }
            Err(PcapError::Eof) => return Ok(packets),
            Err(PcapError::Incomplete(_)) => {
                reader.refill().map_err(|error| error.to_string())?;
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn pcap_file() -> impl Strategy<Value = Vec<u8>> {
    let packet = (any::<u32>(), 0..1_000_000_u32, 0..3_000_u32, 0..300_usize);
    let magic = prop_oneof![Just(MICROSECONDS), Just(NANOSECONDS)];
    (any::<bool>(), magic, 0..300_u32, proptest::collection::vec(packet, 0..40)).prop_map(
        |(big, magic, link, packets)| {
            let order = Order { big };
            let mut bytes = pcap_header(order, magic, link);
            for (seconds, fraction, extra, len) in packets {
                let data: Vec<u8> = (0..len).map(|n| n as u8).collect();
                let wire_len = len as u32 + extra;
                bytes.extend(pcap_packet(order, magic, (seconds, fraction), wire_len, &data));
            }
            bytes
        },
    )
}

fn pcapng_file() -> impl Strategy<Value = Vec<u8>> {
    let resolution = prop_oneof![0..13_u8, 0x80..0x80 + 60_u8];
    let interfaces = proptest::collection::vec((0..300_u16, resolution, -9_i64..9), 1..4);
    // Ticks are few enough for every resolution to stay within a time stamp.
    let packet = (0..4_usize, 0..9_000_000_000_u64, 0..300_usize, any::<bool>());
    let packets = proptest::collection::vec(packet, 0..30);
    let section_of = (any::<bool>(), interfaces, packets);
    proptest::collection::vec(section_of, 1..4).prop_map(|sections| {
        let mut bytes = Vec::new();
        for (big, interfaces, packets) in sections {
            let order = Order { big };
            bytes.extend(section(order));
            for (link, resolution, offset) in &interfaces {
                let offset = option(order, 14, &order.u64(offset.cast_unsigned()));
                let options = [option(order, 9, &[*resolution]), offset, option(order, 0, b"")];
                bytes.extend(interface(order, *link, 0, &options.concat()));
            }
            for (number, ticks, len, unknown) in packets {
                if unknown {
                    // Never without a body, which pcap-parser trips over.
                    bytes.extend(block(order, 0x0bad, &vec![1; len + 1]));
                }
                let number = number % interfaces.len();
                let data: Vec<u8> = (0..len).map(|n| n as u8).collect();
                bytes.extend(enhanced(order, number as u32, ticks, len as u32, &data));
            }
        }
        bytes
    })
}

fn agrees_with_the_oracle(bytes: &[u8]) -> Result<(), TestCaseError> {
    let expected = oracle(bytes).map_err(TestCaseError::fail)?;
    let (seen, error) = read_bytes(bytes);
    prop_assert!(error.is_none(), "{:?}", error);
    let seen: Vec<_> = seen.into_iter().map(|p| (p.link, p.nanos, p.data)).collect();
    prop_assert_eq!(seen, expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pcap_files_read_as_pcap_parser_reads_them(bytes in pcap_file()) {
        agrees_with_the_oracle(&bytes)?;
    }

    #[test]
    fn pcapng_files_read_as_pcap_parser_reads_them(bytes in pcapng_file()) {
        agrees_with_the_oracle(&bytes)?;
    }

    #[test]
    fn a_damaged_file_gives_what_stands_before_the_damage(
        mut bytes in prop_oneof![pcap_file(), pcapng_file()],
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        how in 0..3_u8,
    ) {
        let original = bytes.clone();
        let mut first = bytes.len();
        for (at, to) in damage {
            let at = at.index(bytes.len());
            first = first.min(at);
            bytes[at] = to;
        }
        let (before, _) = read_bytes(&original[..first]);
        let (after, _) = match how {
            0 => read_bytes(&bytes),
            1 => read_bytes(&gzip(&bytes)),
            _ => read_bytes(&zstd(&bytes)),
        };
        prop_assert!(after.starts_with(&before));
    }

    #[test]
    fn random_bytes_behind_a_header_never_panic(
        header in prop_oneof![
            any::<bool>().prop_map(|big| pcap_header(Order { big }, MICROSECONDS, 1)),
            any::<bool>().prop_map(|big| {
                let order = Order { big };
                [section(order), interface(order, 1, 0, &[])].concat()
            }),
        ],
        noise in proptest::collection::vec(any::<u8>(), 0..2_000),
    ) {
        read_bytes(&[header, noise].concat());
    }

    #[test]
    fn damaged_compressed_data_never_panic(
        bytes in pcap_file(), at in any::<prop::sample::Index>(), to in any::<u8>(),
    ) {
        for mut compressed in [gzip(&bytes), zstd(&bytes)] {
            let at = at.index(compressed.len());
            compressed[at] = to;
            read_bytes(&compressed);
        }
    }
}
