//! Every variant of the file formats that is read, against files written byte by byte.

mod common;

use std::io::Write;
use std::sync::Arc;

use capture::{Batch, CaptureError, Fault, FileReader, Files, PacketSource};
use common::*;

const ORDERS: [Order; 2] = [Order { big: false }, Order { big: true }];

fn seen(nanos: i64, wire_len: u32, data: &[u8]) -> Seen {
    Seen { nanos, link: 1, wire_len, interface: 0, data: data.to_vec() }
}

/// A small file of three packets.
fn small_pcap() -> Vec<u8> {
    let order = Order { big: false };
    let mut bytes = pcap_header(order, MICROSECONDS, 1);
    for n in 1..=3_u8 {
        bytes.extend(pcap_packet(order, MICROSECONDS, (n.into(), 0), 60, &[n; 60]));
    }
    bytes
}

/// A file of many packets of all sizes, several blocks long.
fn large_pcap(packets: u32) -> Vec<u8> {
    let order = Order { big: false };
    let mut bytes = pcap_header(order, MICROSECONDS, 1);
    for n in 0..packets {
        let len = (n * 7919 % 1600) as usize;
        let data: Vec<u8> = n.to_le_bytes().into_iter().cycle().take(len).collect();
        bytes.extend(pcap_packet(order, MICROSECONDS, (n, n % 1_000_000), len as u32, &data));
    }
    bytes
}

#[test]
fn pcap_is_read_in_both_byte_orders_and_all_resolutions() {
    for order in ORDERS {
        for (magic, unit) in [(MICROSECONDS, 1_000), (NANOSECONDS, 1), (KUZNETZOV, 1_000)] {
            let mut bytes = pcap_header(order, magic, 1);
            bytes.extend(pcap_packet(order, magic, (1, 999_999), 60, &[7; 60]));
            bytes.extend(pcap_packet(order, magic, (u32::MAX, 5), 1_500, &[8; 61]));
            bytes.extend(pcap_packet(order, magic, (0, 0), 0, &[]));
            let expected = [
                seen(1_000_000_000 + 999_999 * unit, 60, &[7; 60]),
                seen(i64::from(u32::MAX) * 1_000_000_000 + 5 * unit, 1_500, &[8; 61]),
                seen(0, 0, &[]),
            ];
            let (packets, error) = read_bytes(&bytes);
            assert!(error.is_none(), "{error:?}");
            assert_eq!(packets, expected, "{order:?} {magic:x}");
        }
    }
}

#[test]
fn the_upper_half_of_a_pcap_link_type_is_not_part_of_it() {
    let order = Order { big: true };
    let mut bytes = pcap_header(order, MICROSECONDS, 0x5400_0071);
    bytes.extend(pcap_packet(order, MICROSECONDS, (1, 0), 20, &[0; 20]));
    assert_eq!(read_bytes(&bytes).0[0].link, 113);
}

#[test]
fn a_wire_length_below_the_captured_one_is_raised_to_it() {
    let order = Order { big: false };
    let mut bytes = pcap_header(order, MICROSECONDS, 1);
    bytes.extend(pcap_packet(order, MICROSECONDS, (1, 0), 3, &[0; 20]));
    assert_eq!(read_bytes(&bytes).0[0].wire_len, 20);
}

#[test]
fn pcapng_is_read_with_all_packet_blocks_interfaces_clocks_and_sections() {
    for order in ORDERS {
        let other = Order { big: !order.big };
        let mut bytes = section(order);
        bytes.extend(block(order, 0x0bad, b"unknown, before any interface"));
        bytes.extend(interface(order, 1, 0, &[]));
        let nanos = option(order, 9, &[9]);
        bytes.extend(interface(order, 113, 40, &nanos));
        let binary = [option(order, 2, b"eth7"), option(order, 9, &[0x8a])].concat();
        let moved = option(order, 14, &order.u64(100));
        bytes.extend(interface(order, 101, 0, &[binary, moved, option(order, 0, b"")].concat()));
        bytes.extend(enhanced(order, 0, 1_000_001, 60, &[1; 60]));
        bytes.extend(enhanced(order, 1, 5_000_000_007, 61, &[2; 33]));
        bytes.extend(block(order, 5, b"statistics"));
        bytes.extend(enhanced(order, 2, 1_536, 64, &[3; 63]));
        bytes.extend(obsolete(order, 1, 9, 20, &[4; 20]));
        bytes.extend(simple(order, 5, &[5; 5]));
        // A new section: its interfaces count on, and start again from 0 within it.
        bytes.extend(section(other));
        bytes.extend(interface(other, 276, 10, &[]));
        bytes.extend(enhanced(other, 0, 2, 2, &[6; 2]));
        bytes.extend(simple(other, 99, &[7; 10]));

        let packet = |nanos, link, wire_len, interface, data: &[u8]| Seen {
            nanos,
            link,
            wire_len,
            interface,
            data: data.to_vec(),
        };
        let expected = [
            packet(1_000_001_000, 1, 60, 0, &[1; 60]),
            packet(5_000_000_007, 113, 61, 1, &[2; 33]),
            packet(101_500_000_000, 101, 64, 2, &[3; 63]),
            packet(9, 113, 20, 1, &[4; 20]),
            // No time of its own, so that of the packet before it.
            packet(9, 1, 5, 0, &[5; 5]),
            packet(2_000, 276, 2, 3, &[6; 2]),
            packet(2_000, 276, 99, 3, &[7; 10]),
        ];
        let (packets, error) = read_bytes(&bytes);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(packets, expected, "{order:?}");
    }
}

#[test]
fn an_unknown_block_longer_than_any_buffer_is_skipped() {
    let order = Order { big: false };
    let mut bytes = [section(order), interface(order, 1, 0, &[])].concat();
    bytes.extend(enhanced(order, 0, 1, 4, &[1; 4]));
    bytes.extend(block(order, 0x0bad, &vec![0xaa; 3 << 20]));
    bytes.extend(enhanced(order, 0, 2, 4, &[2; 4]));
    let (packets, error) = read_bytes(&bytes);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(packets.len(), 2);
    assert_eq!(packets[1].data, [2; 4]);
}

#[test]
fn compression_is_recognised_whatever_the_name_and_however_many_members() {
    let plain = large_pcap(4_000);
    let (expected, error) = read_bytes(&plain);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(expected.len(), 4_000);
    let (start, end) = plain.split_at(1_000_003);
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    for (name, bytes) in [
        ("gzip.zst", gzip(&plain)),
        ("members", [gzip(start), gzip(end)].concat()),
        ("zstd.gz", zstd(&plain)),
        ("frames.pcap", [&skippable[..], &zstd(start), &skippable, &zstd(end)].concat()),
    ] {
        let folder = Folder::new();
        let (packets, error) = read(&folder.file(name, &bytes));
        assert!(error.is_none(), "{name}: {error:?}");
        assert!(packets == expected, "{name} differs");
    }
}

#[test]
fn blocks_can_be_walked_by_several_threads_at_once() {
    let folder = Folder::new();
    let path = folder.file("large", &large_pcap(8_000));
    let mut reader = FileReader::open(&path).unwrap();
    let mut total = 0;
    while let Some(block) = reader.next_block().unwrap() {
        let block = Arc::new(block);
        let walkers: Vec<_> = (0..3_u32)
            .map(|share| {
                let block = Arc::clone(&block);
                std::thread::spawn(move || {
                    let mine = |(n, _): &(usize, _)| *n as u32 % 3 == share;
                    block.packets().enumerate().filter(mine).count()
                })
            })
            .collect();
        total += walkers.into_iter().map(|walker| walker.join().unwrap()).sum::<usize>();
    }
    assert_eq!(total, 8_000);
}

#[test]
fn progress_ends_at_the_size_on_the_disk() {
    for bytes in [large_pcap(4_000), gzip(&large_pcap(4_000)), zstd(&large_pcap(4_000))] {
        let folder = Folder::new();
        let mut reader = FileReader::open(folder.file("file", &bytes)).unwrap();
        let mut before = 0;
        while reader.next_block().unwrap().is_some() {
            assert!(reader.progress().read >= before);
            before = reader.progress().read;
        }
        assert_eq!(reader.progress().read, bytes.len() as u64);
        assert_eq!(reader.progress().total, Some(bytes.len() as u64));
    }
}

#[test]
fn a_chain_numbers_packets_through_and_goes_on_after_a_bad_file() {
    let folder = Folder::new();
    let good = small_pcap();
    let paths = [
        folder.file("1.pcap", &good),
        folder.file("2.pcap", &good[..good.len() - 1]),
        folder.file("3.txt", b"this is no capture"),
        folder.file("4.pcap.gz", &gzip(&good)),
    ];
    let mut files = Files::new(&paths);
    let mut told = Vec::new();
    loop {
        match files.next_block() {
            Ok(None) => break,
            Ok(Some(block)) => {
                told.push(format!("{}+{} of {}", block.first_packet(), block.len(), block.file()));
            }
            Err(CaptureError::File { fault, path, .. }) => {
                told.push(format!("{fault:?} {}", path.file_name().unwrap().display()));
            }
            Err(other) => panic!("{other}"),
        }
    }
    let expected = ["0+3 of 0", "3+2 of 1", "Truncated 2.pcap", "NotACapture 3.txt", "5+3 of 3"];
    assert_eq!(told, expected);
    // Of the text only the four bytes were read that show that it is no capture.
    assert_eq!(files.packets_read(), 8);
}

#[test]
fn a_chain_is_a_packet_source() {
    let folder = Folder::new();
    let path = folder.file("small", &small_pcap());
    let mut source: Box<dyn PacketSource> = Box::new(Files::new([&path, &path]));
    let mut sizes = Vec::new();
    let mut each = |packet: capture::Packet<'_>| sizes.push(packet.data.len());
    assert_eq!(source.next_batch(&mut each).unwrap(), Batch::Packets(3));
    assert_eq!(source.next_batch(&mut each).unwrap(), Batch::Packets(3));
    assert_eq!(source.next_batch(&mut each).unwrap(), Batch::End);
    assert_eq!(source.drops(), 0);
    assert_eq!(sizes, [60; 6]);
}

#[test]
fn what_is_no_capture_is_told_apart_with_what_to_do() {
    let folder = Folder::new();
    let order = Order { big: false };
    let mut version = pcap_header(order, MICROSECONDS, 1);
    version[4] = 9;
    let mut damaged = gzip(b"hello, world");
    // The first byte of deflate data: no such kind of block.
    damaged[10] = 0xff;
    let cases = [
        (folder.file("empty", b""), Fault::Truncated),
        (folder.file("text", b"hello, world"), Fault::NotACapture),
        (folder.file("tiny", b"ab"), Fault::NotACapture),
        (folder.file("header", &small_pcap()[..23]), Fault::Truncated),
        (folder.file("version", &version), Fault::Malformed),
        (folder.file("gzip", &gzip(b"hello, world")), Fault::NotACapture),
        (folder.file("gz", &[0x1f, 0x8b, 8, 0]), Fault::Truncated),
        (folder.file("damaged", &damaged), Fault::Compression),
        (std::env::temp_dir(), Fault::Io),
        ("/no/such/file".into(), Fault::Io),
    ];
    for (path, expected) in cases {
        let (packets, error) = read(&path);
        let Some(CaptureError::File { fault, path: told, .. }) = &error else {
            panic!("{}: {error:?}", path.display());
        };
        assert_eq!((*fault, told), (expected, &path), "{error:?}");
        assert!(packets.is_empty());
        let text = error.unwrap().to_string();
        assert!(text.contains("expected") && text.contains(';'), "{text}");
    }
}

#[test]
fn packets_of_a_pipe_are_given_before_it_is_full_or_closed() {
    let folder = Folder::new();
    let path = folder.file("placeholder", b"").with_file_name("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (taken, wait) = std::sync::mpsc::channel();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut pipe = std::fs::File::options().write(true).open(path).unwrap();
            let bytes = small_pcap();
            let (start, end) = bytes.split_at(bytes.len() - 76 - 10);
            pipe.write_all(start).unwrap();
            // Only once the first packet was taken come the others.
            wait.recv().unwrap();
            pipe.write_all(end).unwrap();
        }
    });
    let mut reader = FileReader::open(&path).unwrap();
    assert_eq!(reader.progress().total, None);
    assert_eq!(reader.next_block().unwrap().unwrap().len(), 1);
    taken.send(()).unwrap();
    let mut rest = 0;
    while let Some(block) = reader.next_block().unwrap() {
        rest += block.len();
    }
    assert_eq!(rest, 2);
    writer.join().unwrap();
}

#[test]
fn readers_move_between_threads_and_blocks_are_shared() {
    fn moves<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    moves::<FileReader>();
    moves::<Files>();
    moves::<capture::LiveSource>();
    is_shared::<capture::Block>();
}

#[test]
fn what_a_capture_says_it_lost_is_counted_over_interfaces_sections_and_files() {
    let folder = Folder::new();
    for order in ORDERS {
        let statistics = |number: u32, options: &[Vec<u8>]| {
            let mut body = [order.u32(number), [0; 4], [0; 4]].concat();
            options.iter().for_each(|one| body.extend(one));
            block(order, 5, &body)
        };
        let dropped = |count: u64| option(order, 5, &order.u64(count));
        let by_system = |count: u64| option(order, 7, &order.u64(count));
        let mut bytes = section(order);
        bytes.extend(interface(order, 1, 0, &[]));
        bytes.extend(interface(order, 1, 0, &[]));
        bytes.extend(statistics(0, &[dropped(3), by_system(1)]));
        bytes.extend(enhanced(order, 0, 5, 60, &[1; 60]));
        // Counts are of the whole capture so far: the last one stands.
        bytes.extend(statistics(0, &[option(order, 1, b"why"), dropped(10), by_system(2)]));
        bytes.extend(statistics(1, &[by_system(100)]));
        // Lies and leftovers are no reason to stop reading: an unknown interface, a count of
        // "not known", an option beyond its block.
        bytes.extend(statistics(9, &[dropped(1)]));
        bytes.extend(statistics(1, &[dropped(u64::MAX)]));
        bytes.extend(statistics(1, &[[order.u16(5), order.u16(800)].concat()]));
        bytes.extend(section(order));
        bytes.extend(interface(order, 1, 0, &[]));
        bytes.extend(statistics(0, &[dropped(1_000)]));
        bytes.extend(enhanced(order, 0, 6, 60, &[2; 60]));
        let path = folder.file("lossy.pcapng", &bytes);
        let mut files = Files::new([&path, &path]);
        let mut packets = 0;
        while let Batch::Packets(count) = files.next_batch(&mut |_| ()).unwrap() {
            packets += count;
        }
        assert_eq!((packets, files.drops()), (4, 2 * (10 + 2 + 100 + 1_000)), "{order:?}");
    }
}
