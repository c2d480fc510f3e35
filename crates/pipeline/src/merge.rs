//! What several workers saw, in the order in which it is told.
//!
//! Each worker's observations are in the order of packets already. They are told by packet, and
//! within a packet (whose time may end many flows) by the flow's start and number: an order that
//! does not depend on which worker had which flow.
//!
//! They are told where they lie: what a thread has allocated it gets back whole and frees itself,
//! since memory freed by another thread costs both of them a lock.

use model::observation::Observation;
use model::time::Timestamp;

/// Tells the observations of all lists, each list in the order of packets, until one cannot be
/// told.
///
/// # Errors
/// That of `tell`.
pub fn in_order<E>(
    lists: &[Vec<Observation>],
    mut tell: impl FnMut(&Observation) -> Result<(), E>,
) -> Result<(), E> {
    let mut rest: Vec<&[Observation]> = lists.iter().map(Vec::as_slice).collect();
    let mut packet = Vec::new();
    while let Some(number) = rest.iter().filter_map(|list| list.first()).map(|o| o.packet).min() {
        for list in &mut rest {
            let count = list.iter().take_while(|o| o.packet == number).count();
            let (of_packet, after) = list.split_at(count);
            packet.extend(of_packet);
            *list = after;
        }
        if packet.len() > 1 {
            packet.sort_by_key(|o| order(o));
        }
        packet.drain(..).try_for_each(&mut tell)?;
    }
    Ok(())
}

/// Observations of a merged piece.
const PIECE: usize = 8_192;

/// The same for the observations of one packet that come in pieces, in their order within each
/// list: what all flows say at the end of the input is too much to be held at once.
///
/// # Errors
/// That of `tell`.
pub fn pieces<E>(
    lists: impl Iterator<Item = impl Iterator<Item = Vec<Observation>>>,
    mut tell: impl FnMut(Vec<Observation>) -> Result<(), E>,
) -> Result<(), E> {
    let mut lists: Vec<_> = lists.map(|pieces| pieces.flatten().peekable()).collect();
    let mut merged = Vec::new();
    loop {
        let heads = lists.iter_mut().enumerate();
        let first = heads.filter_map(|(place, list)| Some((order(list.peek()?), place))).min();
        let next = first.and_then(|(_, place)| lists.get_mut(place)?.next());
        let over = next.is_none();
        merged.extend(next);
        if merged.len() >= PIECE || over {
            tell(std::mem::take(&mut merged))?;
        }
        if over {
            return Ok(());
        }
    }
}

/// The order of observations of one packet.
fn order(o: &Observation) -> (Timestamp, u64) {
    o.flow.as_ref().map_or((Timestamp::MIN, 0), |flow| (flow.started, flow.id.0))
}

#[cfg(test)]
mod tests {
    use model::field::KindSpec;

    use super::*;

    static KIND: KindSpec = KindSpec { name: "test.kind", doc: "", fields: &[] };

    fn of_packet(packet: u64, at: i64) -> Observation {
        let mut o = Observation::new(Timestamp::from_nanos(at), &KIND);
        o.packet = packet;
        o
    }

    #[test]
    fn packets_come_in_order_whoever_saw_them_and_one_packet_keeps_its_own() {
        let lists = [
            vec![of_packet(1, 0), of_packet(4, 1), of_packet(4, 2)],
            vec![],
            vec![of_packet(0, 3), of_packet(2, 4), of_packet(9, 5)],
        ];
        let mut told = Vec::new();
        in_order(&lists, |o| {
            told.push((o.packet, o.at.nanos()));
            Ok::<(), ()>(())
        })
        .unwrap();
        assert_eq!(told, [(0, 3), (1, 0), (2, 4), (4, 1), (4, 2), (9, 5)]);
    }

    #[test]
    fn what_cannot_be_told_ends_it() {
        let lists = [vec![of_packet(1, 0), of_packet(2, 0)]];
        let mut told = 0;
        let ended = in_order(&lists, |_| {
            told += 1;
            Err("full")
        });
        assert_eq!((ended, told), (Err("full"), 1));
    }
}
