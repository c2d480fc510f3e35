//! Calls that wait for their replies, by transaction.

use std::collections::VecDeque;

use model::emit::Emit;
use model::flow::Direction;
use model::observation::Value;
use wire::cursor::Cursor;

use super::header::{self, Call, Caller, Outcome, Record};
use super::nfs::{Activity, Waiting};
use super::{PROGRAM, SPEC, mount, portmap};

/// Calls that may wait at once; the oldest counts as unanswered then.
const MOST_WAITING: usize = 256;
/// Programs of a flow that are said.
const MOST_PROGRAMS: usize = 16;

/// What a call asked for, beyond its header.
enum Asked {
    Portmap(portmap::Question),
    Mount(mount::Question),
    Nfs(Waiting),
    Other,
}

struct Pending {
    xid: u32,
    asked: Asked,
    /// Said with its answer.
    first: Option<(u32, u32, Caller)>,
}

/// One connection, or all datagrams between two ports.
#[derive(Default)]
pub(super) struct Session {
    waiting: VecDeque<Pending>,
    programs: Vec<(u32, u32, u32)>,
    activity: Activity,
}

impl Session {
    /// Takes a record, as far as it is there.
    pub(super) fn record(&mut self, dir: Direction, bytes: &[u8], out: &mut Emit<'_>) {
        let mut cursor = Cursor::new(bytes);
        match header::read(&mut cursor) {
            // Servers call back over the same connection: not of interest.
            Ok(Some(Record::Call(call))) if dir == Direction::Forward => {
                self.call(call, &mut cursor, out);
            }
            Ok(Some(Record::Reply { xid, outcome })) if dir == Direction::Reverse => {
                self.reply(xid, outcome, &mut cursor, out);
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => out.anomaly(SPEC.name, "neither call nor reply", dir),
        }
    }

    fn call(&mut self, call: Call, arguments: &mut Cursor<'_>, out: &mut Emit<'_>) {
        // Over UDP a call that was not answered is made again.
        if self.waiting.iter().any(|pending| pending.xid == call.xid) {
            return;
        }
        let Call { xid, program, version, procedure, caller } = call;
        let known = caller.clone();
        let asked = match program {
            header::PORTMAP => portmap::question(version, procedure, arguments).map(Asked::Portmap),
            header::MOUNT => {
                mount::question(version, procedure, caller, arguments).map(Asked::Mount)
            }
            header::NFS => {
                let user = caller.uid;
                Some(Asked::Nfs(self.activity.call(version, procedure, user, arguments, out)))
            }
            _ => None,
        };
        // What says itself needs no mention.
        let said = matches!(asked, Some(Asked::Portmap(_) | Asked::Mount(_)));
        let first = if said { None } else { self.first(program, version, known) };
        if self.waiting.len() >= MOST_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            unanswered(&oldest, out);
        }
        self.waiting.push_back(Pending { xid, asked: asked.unwrap_or(Asked::Other), first });
    }

    /// The call, where it is the first of its program, version and flavour: clients ask whether
    /// somebody is there before they say who they are.
    fn first(&mut self, program: u32, version: u32, caller: Caller) -> Option<(u32, u32, Caller)> {
        let key = (program, version, caller.flavour);
        if self.programs.len() >= MOST_PROGRAMS || self.programs.contains(&key) {
            return None;
        }
        self.programs.push(key);
        Some((program, version, caller))
    }

    fn reply(&mut self, xid: u32, outcome: Outcome, results: &mut Cursor<'_>, out: &mut Emit<'_>) {
        let Some(at) = self.waiting.iter().position(|pending| pending.xid == xid) else { return };
        let Some(pending) = self.waiting.remove(at) else { return };
        if let Some(first) = &pending.first {
            say_program(first, outcome.word(), out);
        }
        match pending.asked {
            Asked::Portmap(question) => portmap::say(&question, Some((outcome, results)), out),
            Asked::Mount(question) => mount::say(&question, Some((outcome, results)), out),
            Asked::Nfs(waiting) if outcome == Outcome::Accepted => {
                self.activity.answer(&waiting, results);
            }
            Asked::Nfs(_) | Asked::Other => {}
        }
    }

    /// The flow is over.
    pub(super) fn end(&mut self, out: &mut Emit<'_>) {
        for pending in std::mem::take(&mut self.waiting) {
            unanswered(&pending, out);
        }
        self.activity.say(out);
    }
}

fn unanswered(pending: &Pending, out: &mut Emit<'_>) {
    if let Some(first) = &pending.first {
        say_program(first, "unanswered", out);
    }
    match &pending.asked {
        Asked::Portmap(question) => portmap::say(question, None, out),
        Asked::Mount(question) => mount::say(question, None, out),
        Asked::Nfs(_) | Asked::Other => {}
    }
}

fn say_program(first: &(u32, u32, Caller), outcome: &'static str, out: &mut Emit<'_>) {
    let (program, version, caller) = first;
    out.observe(&PROGRAM, Direction::Forward)
        .value("program", header::program(*program).map(Value::Word))
        .uint("number", *program)
        .uint("version", *version)
        .word("auth", caller.auth())
        .value("uid", caller.uid.map(u64::from).map(Value::Uint))
        .text("machine", &caller.machine)
        .word("outcome", outcome)
        .emit();
}
