//! Reads capture files and prints how many packets they hold and how fast they were read.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use capture::Files;

fn main() {
    let mut files = Files::new(std::env::args_os().skip(1));
    let (mut bytes, mut interfaces) = (0_u64, 0);
    let begin = Instant::now();
    loop {
        match files.next_block() {
            Ok(Some(block)) => {
                for packet in block.packets() {
                    bytes += packet.data.len() as u64;
                    interfaces = interfaces.max(packet.interface + 1);
                }
            }
            Ok(None) => break,
            Err(error) => println!("{error}"),
        }
    }
    let packets = files.packets_read();
    let pace = begin.elapsed().as_nanos() as f64 / packets.max(1) as f64;
    println!("{packets} packets, {bytes} bytes, {interfaces} interfaces, {pace:.1} ns a packet");
}
