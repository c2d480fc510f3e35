//! Everything that happens on one connection, in the order in which it happens.
//!
//! A connection carries one association; should it carry another one, that is followed too. The
//! sensor may see the two directions out of step, or only one of them: an answer waits for its
//! request, and data that flows from the acceptor is an answer as well.

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;

use super::association::{Association, Outcome};
use super::command::{Cargo, Command, Unreadable};
use super::elements::{Elements, Sequences};
use super::identifier::Identifier;
use super::lane::{Complete, Lane, Message};
use super::pdu::Kind;
use super::uid::Encoding;
use super::walk::{Pdv, Sink};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// No association.
    #[default]
    Idle,
    /// Asked for.
    Asked,
    /// The answer came before its request.
    Answered,
    /// Commands flow.
    Open,
}

#[derive(Debug, Default)]
struct Totals {
    commands: u64,
    objects: u64,
    bytes: u64,
    matches: u64,
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Session {
    stage: Stage,
    association: Association,
    lanes: [Lane; 2],
    totals: Totals,
    /// A-RELEASE-RQ was sent.
    releasing: bool,
    /// Rules already said to be broken.
    odd: Vec<&'static str>,
}

impl Session {
    /// What the walk through direction `dir` gives its findings to.
    pub(super) fn hand<'s, 'o, 'e>(
        &'s mut self,
        dir: Direction,
        out: &'o mut Emit<'e>,
    ) -> Hand<'s, 'o, 'e> {
        Hand { session: self, dir, out }
    }

    /// The connection is over, or no more is to be understood of it.
    pub(super) fn end(&mut self, out: &mut Emit<'_>) {
        let how = if self.releasing { "released" } else { "lost" };
        self.over(Outcome::Unanswered, how, out);
    }

    /// Says what was half known, then forgets the association.
    fn over(&mut self, unanswered: Outcome, how: &'static str, out: &mut Emit<'_>) {
        for dir in Direction::BOTH {
            if how == "released" {
                self.settle(dir, None, out);
            }
            if let Some(message) = self.lane(dir).and_then(Lane::cut) {
                self.cut(&message, dir, out);
            }
        }
        self.open_if_answered(out);
        match self.stage {
            Stage::Asked => self.association.announce(unanswered, out),
            Stage::Open => self.close(how, out),
            Stage::Idle | Stage::Answered => {}
        }
        let odd = std::mem::take(&mut self.odd);
        *self = Self { odd, ..Self::default() };
    }

    fn close(&self, how: &'static str, out: &mut Emit<'_>) {
        out.observe(&super::CLOSE, self.association.asked_from())
            .word("how", how)
            .text("calling_ae", self.association.calling())
            .text("called_ae", self.association.called())
            .uint("commands", self.totals.commands)
            .uint("objects", self.totals.objects)
            .uint("bytes", self.totals.bytes)
            .uint("matches", self.totals.matches)
            .emit();
    }

    fn open_if_answered(&mut self, out: &mut Emit<'_>) {
        if self.stage == Stage::Answered {
            self.association.announce(Outcome::Accepted, out);
            self.stage = Stage::Open;
        }
    }

    fn odd(&mut self, what: &'static str, dir: Direction, out: &mut Emit<'_>) {
        if !self.odd.contains(&what) {
            self.odd.push(what);
            out.anomaly("dicom", what, dir);
        }
    }

    /// A data set will not come whole: its query is said without it.
    fn cut(&self, message: &Message, dir: Direction, out: &mut Emit<'_>) {
        if message.command.verb.cargo() == Cargo::Identifier {
            self.say(&message.command, message.context, None, dir, out);
        }
    }

    /// An object whose end was lost came whole after all: its sender went on, or was answered.
    fn settle(&mut self, dir: Direction, answered: Option<u16>, out: &mut Emit<'_>) {
        if let Some(message) = self.lane(dir).and_then(|lane| lane.settled(answered)) {
            self.say_object(&message, dir, out);
        }
    }

    fn lane(&mut self, dir: Direction) -> Option<&mut Lane> {
        self.lanes.get_mut(dir.index())
    }

    fn count(&mut self, command: &Command, dir: Direction) {
        self.totals.commands = self.totals.commands.saturating_add(1);
        self.totals.matches = self.totals.matches.saturating_add(command.is_match().into());
        let asks = if command.verb.is_response() { dir.flipped() } else { dir };
        self.association.requestor.get_or_insert(asks);
    }

    fn say(
        &self,
        command: &Command,
        context: u8,
        identifier: Option<&Identifier<'_>>,
        dir: Direction,
        out: &mut Emit<'_>,
    ) {
        let number = |value: Option<u16>| value.map(|value| Value::Uint(value.into()));
        let class = command.sop_class.as_ref().or_else(|| self.association.class(context));
        let query = command.verb.cargo() == Cargo::Identifier;
        let worklist = query && class.is_some_and(super::uid::SopClass::is_worklist);
        let level = if worklist { Some("WORKLIST") } else { identifier.and_then(|i| i.level) };
        let [remaining, completed, failed] = command.suboperations;
        let mut draft = out
            .observe(&super::COMMAND, dir)
            .word("command", command.verb.name)
            .text("calling_ae", self.association.calling())
            .text("called_ae", self.association.called())
            .value("message_id", number(command.message_id))
            .value("sop_class", class.map(super::uid::SopClass::value))
            .value("modality", class.and_then(super::uid::SopClass::modality).map(Value::Word))
            .value("status", number(command.status))
            .value("level", level.map(Value::Word))
            .text("move_destination", &command.move_destination)
            .value("remaining", number(remaining))
            .value("completed", number(completed))
            .value("failed", number(failed));
        if let Some(found) = identifier {
            draft = draft
                .texts("keys", found.keys.iter().map(|key| key.as_bytes()), found.keys.len())
                .flag("wildcard", found.wildcard)
                .text("patient", found.patient.unwrap_or_default());
            // A key that was not read might have narrowed it.
            if found.whole || found.narrowed {
                draft = draft.flag("universal", !found.narrowed);
            }
        }
        draft.emit();
    }

    fn say_object(&mut self, message: &Message, dir: Direction, out: &mut Emit<'_>) {
        self.totals.objects = self.totals.objects.saturating_add(1);
        self.totals.bytes = self.totals.bytes.saturating_add(message.bytes);
        let class = message.command.sop_class.as_ref();
        let class = class.or_else(|| self.association.class(message.context));
        let encoding = self.encoding(message);
        let patient = Elements::new(&message.kept, encoding, Sequences::Pass)
            .find(|element| element.tag == (0x0010, 0x0020));
        out.observe(&super::OBJECT, dir)
            .text("calling_ae", self.association.calling())
            .text("called_ae", self.association.called())
            .value("sop_class", class.map(super::uid::SopClass::value))
            .value("modality", class.and_then(super::uid::SopClass::modality).map(Value::Word))
            .uint("bytes", message.bytes)
            .text("patient", patient.map(|element| element.value).unwrap_or_default())
            .emit();
    }

    fn encoding(&self, message: &Message) -> Encoding {
        let agreed = self.association.encoding(message.context);
        agreed.unwrap_or_else(|| Encoding::guess(&message.kept))
    }

    fn data_set(&mut self, message: &Message, dir: Direction, out: &mut Emit<'_>) {
        if message.command.verb.cargo() == Cargo::Object {
            return self.say_object(message, dir, out);
        }
        let encoding = self.encoding(message);
        let mut found = Identifier::parse(&message.kept, encoding);
        let readable = encoding != Encoding::Opaque;
        if message.is_whole() && readable && !found.whole {
            self.odd("identifier that cannot be read", dir, out);
        }
        found.whole &= message.is_whole();
        let found = readable.then_some(&found);
        self.say(&message.command, message.context, found, dir, out);
    }
}

/// A session while one direction is walked.
pub(super) struct Hand<'s, 'o, 'e> {
    session: &'s mut Session,
    dir: Direction,
    out: &'o mut Emit<'e>,
}

impl Sink for Hand<'_, '_, '_> {
    fn associate(&mut self, kind: Kind, called: &[u8], calling: &[u8]) {
        let stage = self.session.stage;
        let again =
            matches!((kind, stage), (Kind::Request, Stage::Asked | Stage::Open) | (_, Stage::Open));
        if again {
            self.session.odd("association asked for within an association", self.dir, self.out);
            if kind == Kind::Request {
                self.session.end(self.out);
            }
        }
        self.session.association.begin(kind, self.dir, called, calling);
    }

    fn item(&mut self, kind: Kind, item: u8, value: &[u8]) {
        self.session.association.item(kind, item, value);
    }

    fn associated(&mut self, kind: Kind) {
        let session = &mut *self.session;
        session.stage = match (kind, session.stage) {
            (Kind::Request, Stage::Idle) => Stage::Asked,
            (Kind::Accept, Stage::Idle) => Stage::Answered,
            (_, Stage::Asked | Stage::Answered) => {
                session.stage = Stage::Answered;
                session.open_if_answered(self.out);
                Stage::Open
            }
            (_, stage) => stage,
        };
    }

    fn short(&mut self, kind: Kind, body: [u8; 4]) {
        let [_, result, source, reason] = body;
        let session = &mut *self.session;
        match kind {
            Kind::Reject => {
                session.association.requestor.get_or_insert(self.dir.flipped());
                if session.stage == Stage::Idle {
                    session.stage = Stage::Asked;
                }
                let outcome = Outcome::Rejected([result, source, reason]);
                session.over(outcome, "lost", self.out);
            }
            Kind::Abort => session.over(Outcome::Aborted, "aborted", self.out),
            Kind::ReleaseRequest => {
                session.open_if_answered(self.out);
                session.releasing = true;
            }
            Kind::ReleaseResponse => session.over(Outcome::Unanswered, "released", self.out),
            Kind::Request | Kind::Accept | Kind::Data => {}
        }
    }

    fn pdv(&mut self, pdv: Pdv) -> u64 {
        let session = &mut *self.session;
        let from_acceptor = session.association.requestor == Some(self.dir.flipped());
        match session.stage {
            Stage::Asked if from_acceptor => session.stage = Stage::Answered,
            Stage::Idle => session.stage = Stage::Open,
            _ => {}
        }
        session.open_if_answered(self.out);
        if pdv.command {
            session.settle(self.dir, None, self.out);
        }
        let Some((cut, wanted)) = session.lane(self.dir).map(|lane| lane.begin(pdv)) else {
            return 0;
        };
        if let Some(message) = cut {
            session.odd("command amid a data set", self.dir, self.out);
            session.cut(&message, self.dir, self.out);
        }
        wanted
    }

    fn data(&mut self, bytes: &[u8]) {
        if let Some(lane) = self.session.lane(self.dir) {
            lane.data(bytes);
        }
    }

    fn hole(&mut self) {
        if let Some(lane) = self.session.lane(self.dir) {
            lane.hole();
        }
    }

    fn pdv_end(&mut self) {
        let (session, dir) = (&mut *self.session, self.dir);
        match session.lane(dir).map_or(Complete::No, Lane::end) {
            Complete::No => {}
            Complete::Command(command, context) => {
                if command.verb.is_response() {
                    session.settle(dir.flipped(), command.message_id, self.out);
                }
                session.count(&command, dir);
                session.say(&command, context, None, dir, self.out);
            }
            Complete::Announced => {
                let waiting = session.lane(dir).and_then(|lane| lane.waiting());
                let Some((command, context)) =
                    waiting.map(|message| (message.command.clone(), message.context))
                else {
                    return;
                };
                session.count(&command, dir);
                if command.verb.cargo() == Cargo::Object {
                    session.say(&command, context, None, dir, self.out);
                }
            }
            Complete::Unreadable(Unreadable::Broken) => {
                session.odd("command set that cannot be read", dir, self.out);
            }
            Complete::Unreadable(Unreadable::UnknownVerb) => {
                session.odd("unknown command", dir, self.out);
            }
            Complete::DataSet(message) => session.data_set(&message, dir, self.out),
        }
    }

    fn lost(&mut self, count: u64) {
        let message = self.session.lane(self.dir).and_then(|lane| lane.lost(count));
        if let Some(message) = message {
            self.session.cut(&message, self.dir, self.out);
        }
    }

    fn odd(&mut self, what: &'static str) {
        self.session.odd(what, self.dir, self.out);
    }
}
