//! Whole dialogues: echo, store, find, move, over one conversation.

use crate::app::dicom::message::{self, Study, VERIFICATION, Verb, text};
use crate::app::dicom::pdu;
use crate::net::tcp::{Side, Tcp};
use crate::time::{MS, Nanos, US};
use crate::world::{HostId, Service, World};

/// An open association.
pub(crate) struct Association {
    pub(crate) tcp: Tcp,
    next_id: u16,
}

/// Calls a server and agrees on the abstract syntaxes. The titles are the hosts' own unless given.
pub(crate) fn associate(
    w: &mut World,
    at: Nanos,
    client: HostId,
    server: Service,
    calling: &str,
    abstracts: &[&str],
) -> Association {
    let mut tcp = Tcp::open(w, at, client, server.at());
    if server.tls {
        let name = w.fqdn(server.host);
        crate::app::tls::handshake(w, &mut tcp, &name);
    }
    let called = w.hosts[server.host].title.clone();
    tcp.up(w, &pdu::associate_request(&called, calling, abstracts));
    let think = w.rng.between(200, 4_000) * US;
    tcp.pause(w, think);
    tcp.down(w, &pdu::associate_accept(&called, calling, abstracts.len()));
    Association { tcp, next_id: 1 }
}

/// Calls a server that refuses, for `reason` (3: calling title unknown, 7: called title).
pub(crate) fn refused(
    w: &mut World,
    at: Nanos,
    client: HostId,
    server: Service,
    titles: [&str; 2],
    reason: u8,
) -> Nanos {
    let mut tcp = Tcp::open(w, at, client, server.at());
    let [called, calling] = titles;
    tcp.up(w, &pdu::associate_request(called, calling, &[VERIFICATION]));
    tcp.down(w, &pdu::associate_reject(reason));
    tcp.close(w, Side::Client)
}

impl Association {
    fn id(&mut self) -> u16 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// C-ECHO on the first context.
    pub(crate) fn echo(&mut self, w: &mut World) {
        let id = self.id();
        let ask = message::request(Verb::Echo, VERIFICATION, id, false, vec![]);
        self.tcp.up(w, &pdu::data(1, true, &ask));
        let answer = message::response(Verb::Echo, VERIFICATION, id, false, 0, vec![]);
        self.tcp.down(w, &pdu::data(1, true, &answer));
    }

    /// C-STORE of an image, in the direction of `side`.
    pub(crate) fn store(
        &mut self,
        w: &mut World,
        side: Side,
        context: u8,
        class: &str,
        image: &(String, Vec<u8>),
    ) {
        let id = self.id();
        let instance = || vec![text((0, 0x1000), &image.0, 0)];
        let ask = message::request(Verb::Store, class, id, true, instance());
        let mut bytes = pdu::data(context, true, &ask);
        bytes.extend(pdu::data(context, false, &image.1));
        self.tcp.say(w, side, &bytes);
        let write = w.rng.between(1, 9) * MS;
        self.tcp.pause(w, write);
        let answer = message::response(Verb::Store, class, id, false, 0, instance());
        let other = if side == Side::Client { Side::Server } else { Side::Client };
        self.tcp.say(w, other, &pdu::data(context, true, &answer));
    }

    /// C-FIND with its answers.
    pub(crate) fn find(
        &mut self,
        w: &mut World,
        context: u8,
        class: &str,
        keys: &[u8],
        answers: &[Vec<u8>],
    ) {
        let id = self.id();
        let ask = message::request(Verb::Find, class, id, true, vec![]);
        let mut bytes = pdu::data(context, true, &ask);
        bytes.extend(pdu::data(context, false, keys));
        self.tcp.up(w, &bytes);
        let search = w.rng.between(2, 30) * MS;
        self.tcp.pause(w, search);
        for answer in answers {
            let head = message::response(Verb::Find, class, id, true, 0xff00, vec![]);
            let mut bytes = pdu::data(context, true, &head);
            bytes.extend(pdu::data(context, false, answer));
            self.tcp.down(w, &bytes);
        }
        let done = message::response(Verb::Find, class, id, false, 0, vec![]);
        self.tcp.down(w, &pdu::data(context, true, &done));
    }

    /// C-MOVE of a study to the title `destination`, up to where the server begins to send.
    pub(crate) fn ask_to_move(
        &mut self,
        w: &mut World,
        context: u8,
        study_uid: &str,
        destination: &str,
    ) -> u16 {
        let id = self.id();
        let to = vec![text((0, 0x0600), destination, b' ')];
        let ask = message::request(Verb::Move, message::STUDY_MOVE, id, true, to);
        let mut bytes = pdu::data(context, true, &ask);
        bytes.extend(pdu::data(context, false, &message::move_keys(study_uid)));
        self.tcp.up(w, &bytes);
        id
    }

    /// The server reports on a move: `left` images still to come, `done` sent, and a status.
    pub(crate) fn report_move(
        &mut self,
        w: &mut World,
        context: u8,
        id: u16,
        counts: (u16, u16),
        status: u16,
    ) {
        let (left, done) = counts;
        let mut extra = vec![
            message::short((0, 0x1021), done),
            message::short((0, 0x1022), 0),
            message::short((0, 0x1023), 0),
        ];
        if status == 0xff00 {
            extra.push(message::short((0, 0x1020), left));
        }
        let report = message::response(Verb::Move, message::STUDY_MOVE, id, false, status, extra);
        self.tcp.down(w, &pdu::data(context, true, &report));
    }

    /// Releases the association and closes.
    pub(crate) fn release(mut self, w: &mut World) -> Nanos {
        self.tcp.up(w, &pdu::release_request());
        self.tcp.down(w, &pdu::release_reply());
        self.tcp.close(w, Side::Client)
    }
}

/// Sends the images of a study to a server. Says when it was done.
pub(crate) fn store_study(
    w: &mut World,
    at: Nanos,
    from: HostId,
    to: Service,
    study: &Study,
    images: usize,
) -> Nanos {
    let calling = w.hosts[from].title.clone();
    let mut association = associate(w, at, from, to, &calling, &[VERIFICATION, study.class]);
    for number in 0..images {
        let bytes = (w.image_bytes as f64 * w.rng.uniform(0.6, 1.4)) as usize;
        let mut rng = w.rng.fork("image");
        w.rng.next();
        let image = message::image(&mut rng, study, number, bytes);
        association.store(w, Side::Client, 3, study.class, &image);
        let scan = w.rng.between(5, 60) * MS;
        association.tcp.pause(w, scan);
    }
    association.release(w)
}

/// A server sends a study to `destination` because `client` asked it to (C-MOVE with its
/// sub-association). Says when it was done.
pub(crate) fn retrieve(
    w: &mut World,
    association: &mut Association,
    server: Service,
    destination: (HostId, u16),
    study: &Study,
    images: usize,
) {
    let title = w.hosts[destination.0].title.clone();
    let id = association.ask_to_move(w, 3, &study.uid, &title);
    let begin = association.tcp.now + w.rng.between(5, 40) * MS;
    let target = Service { host: destination.0, port: destination.1, tls: false };
    let calling = w.hosts[server.host].title.clone();
    let mut sub = associate(w, begin, server.host, target, &calling, &[VERIFICATION, study.class]);
    for number in 0..images {
        let bytes = (w.image_bytes as f64 * w.rng.uniform(0.6, 1.4)) as usize;
        let mut rng = w.rng.fork("image");
        w.rng.next();
        let image = message::image(&mut rng, study, number, bytes);
        sub.store(w, Side::Client, 3, study.class, &image);
        let now = sub.tcp.now;
        association.tcp.wait_until(w, now);
        let (left, done) = ((images - number - 1) as u16, number as u16 + 1);
        association.report_move(w, 3, id, (left, done), 0xff00);
    }
    let end = sub.release(w);
    association.tcp.wait_until(w, end);
    association.report_move(w, 3, id, (0, images as u16), 0);
}
