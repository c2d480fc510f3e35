//! What an envelope says, element by element.

use model::emit::Emit;
use model::privacy::Token;

use crate::redact::PATIENT;
use crate::xml::{Event, Scanner, Tag, local, plain};

/// Most bytes of a name or code that are kept.
const MAX_TEXT: usize = 256;

/// Most bytes of a document that are read.
const MAX_READ: u64 = 4 << 20;

/// Most devices, types, scopes and addresses kept of a message of WS-Discovery.
const MAX_LIST: usize = 32;

/// What was read of an envelope.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    pub(crate) action: Vec<u8>,
    /// Local name of the body's first element.
    pub(crate) operation: Vec<u8>,
    pub(crate) handle: Vec<u8>,
    pub(crate) invocation: Vec<u8>,
    pub(crate) error: Vec<u8>,
    pub(crate) fault: Vec<u8>,
    pub(crate) patient: Option<Token>,
    pub(crate) states: u64,
    pub(crate) alerts: u64,
    /// Of WS-Discovery.
    pub(crate) types: Vec<Vec<u8>>,
    pub(crate) scopes: Vec<Vec<u8>>,
    pub(crate) addresses: Vec<Vec<u8>>,
    pub(crate) endpoint: Vec<u8>,
    pub(crate) version: Option<u64>,
    /// ProbeMatch and ResolveMatch elements.
    pub(crate) matches: u64,
}

/// Reads one.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    scanner: Scanner,
    state: State,
    read: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Outside,
    Header,
    Body,
}

#[derive(Debug, Default)]
struct State {
    found: Envelope,
    envelope: bool,
    part: Part,
    /// Name of the element that a text is in.
    within: Vec<u8>,
    /// Depth of the patient context under way.
    patient: Option<u32>,
    /// Depth of the endpoint reference under way.
    endpoint: Option<u32>,
}

impl Reader {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// What makes it not worth reading on.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &Emit<'_>) -> Result<(), &'static str> {
        let room = usize::try_from(MAX_READ.saturating_sub(self.read)).unwrap_or(0);
        let bytes = bytes.get(..room).unwrap_or(bytes);
        self.read = self.read.saturating_add(bytes.len() as u64);
        let Self { scanner, state, .. } = self;
        scanner.feed(bytes, |depth, event| state.take(depth, event, out))
    }

    /// Whether more of the document would be read.
    pub(crate) const fn wants(&self) -> bool {
        self.read < MAX_READ
    }

    /// The envelope, where the document was one.
    pub(crate) fn end(self) -> Option<Envelope> {
        self.state.envelope.then_some(self.state.found)
    }
}

impl State {
    fn take(&mut self, depth: u32, event: Event<'_>, out: &Emit<'_>) {
        match event {
            Event::Open(tag) => self.open(depth, tag, out),
            Event::Text(text) => self.text(depth, text, out),
            Event::Close => {
                self.within.clear();
                self.patient = self.patient.filter(|begun| *begun != depth);
                self.endpoint = self.endpoint.filter(|begun| *begun != depth);
            }
        }
    }

    fn open(&mut self, depth: u32, tag: Tag<'_>, out: &Emit<'_>) {
        let name = tag.name();
        self.within.clear();
        self.within.extend_from_slice(name.get(..name.len().min(64)).unwrap_or_default());
        match (depth, name) {
            (1, _) => self.envelope = name == b"Envelope",
            (2, b"Header") => self.part = Part::Header,
            (2, b"Body") => self.part = Part::Body,
            (2, _) => self.part = Part::Outside,
            (3, _) if self.part == Part::Body && self.found.operation.is_empty() => {
                self.found.operation = cut(name);
            }
            _ => {}
        }
        if self.part != Part::Body {
            return;
        }
        let kind = local(tag.attribute(b"type").unwrap_or_default());
        match name {
            b"EndpointReference" => self.endpoint = self.endpoint.or(Some(depth)),
            b"ProbeMatch" | b"ResolveMatch" => {
                self.found.matches = self.found.matches.saturating_add(1);
            }
            _ if name.ends_with(b"State") && depth > 3 && name != b"InvocationState" => {
                self.found.states = self.found.states.saturating_add(1);
                let on = tag.attribute(b"Presence") == Some(b"true")
                    || tag.attribute(b"Presence") == Some(b"On");
                self.found.alerts = self.found.alerts.saturating_add(u64::from(on));
            }
            _ => {}
        }
        if name == b"PatientContextState" || kind == b"PatientContextState" {
            self.patient = self.patient.or(Some(depth));
        }
        // An InstanceIdentifier of the patient; validators beside it name staff.
        if name == b"Identification"
            && self.patient == depth.checked_sub(1)
            && self.patient.is_some()
            && self.found.patient.is_none()
        {
            let id = tag.attribute(b"Extension").map(plain).unwrap_or_default();
            self.found.patient = (!id.is_empty()).then(|| out.token(PATIENT, &id));
        }
    }

    fn text(&mut self, depth: u32, text: &[u8], out: &Emit<'_>) {
        let found = &mut self.found;
        let text = plain(text);
        let keep = |place: &mut Vec<u8>| {
            if place.is_empty() {
                *place = cut(&text);
            }
        };
        match (self.part, &self.within[..]) {
            (Part::Header, b"Action") if depth == 3 => keep(&mut found.action),
            (Part::Outside | Part::Header, _) => {}
            (_, b"OperationHandleRef") => keep(&mut found.handle),
            (_, b"InvocationState") => found.invocation = code(&text),
            (_, b"InvocationError") => found.error = code(&text),
            (_, b"Address") if self.endpoint.is_some() => keep(&mut found.endpoint),
            (_, b"MetadataVersion") => {
                found.version = std::str::from_utf8(&text).ok().and_then(|v| v.parse().ok());
            }
            (_, b"Types") => list(&mut found.types, &text, |name| cut(local(name))),
            (_, b"Scopes") => list(&mut found.scopes, &text, |scope| nameless(scope, out)),
            (_, b"XAddrs") => list(&mut found.addresses, &text, cut),
            // SOAP 1.2 has codes within codes, SOAP 1.1 one faultcode.
            (_, b"Value" | b"faultcode")
                if found.operation == b"Fault" && found.fault.len() < MAX_TEXT =>
            {
                if !found.fault.is_empty() {
                    found.fault.push(b' ');
                }
                found.fault.extend(code(&text));
            }
            _ => {}
        }
    }
}

fn cut(text: &[u8]) -> Vec<u8> {
    text.get(..text.len().min(MAX_TEXT)).unwrap_or_default().to_vec()
}

/// A qualified name without prefix; free text is none.
fn code(text: &[u8]) -> Vec<u8> {
    let name = local(text);
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let fits = name.len() <= 64 && name.iter().all(plain);
    let letter = name.first().is_some_and(u8::is_ascii_alphabetic);
    if fits && letter { name.to_vec() } else { b"other".to_vec() }
}

fn list(kept: &mut Vec<Vec<u8>>, text: &[u8], each: impl Fn(&[u8]) -> Vec<u8>) {
    for item in text.split(u8::is_ascii_whitespace).filter(|item| !item.is_empty()) {
        if kept.len() >= MAX_LIST {
            return;
        }
        let item = each(item);
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
}

/// A scope of SDC names places, operators and patients (IEEE 11073-20701, section 9.4): the last
/// two leave as tokens.
fn nameless(scope: &[u8], out: &Emit<'_>) -> Vec<u8> {
    for start in [&b"sdc.ctxt.pat:"[..], b"sdc.ctxt.opr:"] {
        if let Some(who) = scope.get(..start.len()).filter(|s| s.eq_ignore_ascii_case(start)) {
            let id = scope.get(who.len()..).unwrap_or_default();
            let mut written = String::from_utf8_lossy(start).into_owned();
            crate::redact::token(out, PATIENT, id, &mut written);
            return written.into_bytes();
        }
    }
    cut(scope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::privacy::SiteKey;
    use model::time::Timestamp;

    fn read(text: &str) -> Option<Envelope> {
        let (key, mut seen, mut serial) = (SiteKey::new(b"k"), Vec::new(), 0);
        let out = Emit::new(&mut seen, &key, None, Timestamp::from_nanos(0), &mut serial);
        let mut reader = Reader::default();
        text.as_bytes().chunks(5).for_each(|piece| reader.feed(piece, &out).unwrap());
        reader.end()
    }

    #[test]
    fn a_context_of_a_patient_leaves_as_a_token() {
        let found = read(
            "<e:Envelope><e:Header><a:Action>urn:x</a:Action></e:Header><e:Body><m:SetContextState><m:OperationHandleRef>op1</m:OperationHandleRef><m:ProposedContextState xsi:type='p:PatientContextState'><p:Validator Extension='staff'/><p:Identification Root='r' Extension='4711'/><p:CoreData><p:Givenname>JANE</p:Givenname></p:CoreData></m:ProposedContextState><m:ProposedContextState xsi:type='p:LocationContextState'><p:Identification Extension='bed'/></m:ProposedContextState></m:SetContextState></e:Body></e:Envelope>",
        )
        .unwrap();
        assert_eq!(
            (&found.operation[..], &found.handle[..]),
            (&b"SetContextState"[..], &b"op1"[..])
        );
        assert!(found.patient.is_some() && found.states == 2);
        assert!(!format!("{found:?}").contains("JANE"));
    }

    #[test]
    fn faults_of_both_versions_give_their_codes() {
        let twelve = read("<E:Envelope><E:Body><E:Fault><E:Code><E:Value>E:Sender</E:Value><E:Subcode><E:Value>x:NotAuthorized</E:Value></E:Subcode></E:Code><E:Reason><E:Text>free</E:Text></E:Reason></E:Fault></E:Body></E:Envelope>".replace("E:Envelope", "Envelope").as_str()).unwrap();
        assert_eq!(twelve.fault, b"Sender NotAuthorized");
        let eleven = read(
            "<Envelope><Body><Fault><faultcode>s:Client</faultcode></Fault></Body></Envelope>",
        );
        assert_eq!(eleven.unwrap().fault, b"Client");
        assert!(read("<html><Body><a/></Body></html>").is_none());
    }

    #[test]
    fn scopes_of_patients_and_operators_are_tokens() {
        let found = read("<Envelope><Body><Hello><EndpointReference><Address>urn:uuid:1</Address></EndpointReference><Types>a:Device b:MedicalDevice</Types><Scopes>sdc.ctxt.pat:/x/4711 SDC.CTXT.OPR:/DOE sdc.ctxt.loc:/r?bed=1&amp;poc=2</Scopes><MetadataVersion>3</MetadataVersion></Hello></Body></Envelope>").unwrap();
        let text = String::from_utf8(found.scopes.concat()).unwrap();
        assert!(!text.contains("4711") && !text.contains("DOE") && text.contains("bed=1&poc=2"));
        assert_eq!((found.version, &found.endpoint[..]), (Some(3), &b"urn:uuid:1"[..]));
        assert_eq!(found.types, [b"Device".to_vec(), b"MedicalDevice".to_vec()]);
    }
}
