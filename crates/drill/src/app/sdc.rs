//! IEEE 11073 SDC over SOAP (IEEE 11073-20701): a consumer reads the state of a device, and sets it.

use crate::app::http;
use crate::rng::Rng;

/// Where devices listen here.
pub(crate) const PORT: u16 = 6_464;

const SERVICES: &str = "http://standards.ieee.org/downloads/11073/11073-20701-2018";
const MESSAGES: &str = "http://standards.ieee.org/downloads/11073/11073-10207-2017/message";
const MODEL: &str = "http://standards.ieee.org/downloads/11073/11073-10207-2017/participant";

/// What a consumer wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Order {
    /// The state of everything.
    Read,
    /// A set point has a new value.
    Value(f32),
    /// An alarm is silenced.
    Silence,
}

impl Order {
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Read => ("GetService", "GetMdState"),
            Self::Value(_) => ("SetService", "SetValue"),
            Self::Silence => ("SetService", "SetAlertState"),
        }
    }
}

fn envelope(rng: &mut Rng, action: &str, body: &str) -> Vec<u8> {
    let id = rng.hex(32);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <s12:Envelope xmlns:s12=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:wsa=\"http://www.w3.org/2005/08/addressing\" xmlns:msg=\"{MESSAGES}\" \
         xmlns:pm=\"{MODEL}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <s12:Header><wsa:Action s12:mustUnderstand=\"true\">{SERVICES}/{action}</wsa:Action>\
         <wsa:MessageID>urn:uuid:{}-{}-{}-{}-{}</wsa:MessageID></s12:Header>\
         <s12:Body>{body}</s12:Body></s12:Envelope>",
        &id[..8],
        &id[8..12],
        &id[12..16],
        &id[16..20],
        &id[20..]
    )
    .into_bytes()
}

/// A request over HTTP and the device's answer.
pub(crate) fn exchange(rng: &mut Rng, device: &str, order: Order, number: u32) -> [Vec<u8>; 2] {
    let (service, operation) = order.names();
    let inner = match order {
        Order::Read => String::new(),
        Order::Value(value) => format!(
            "<msg:OperationHandleRef>set.limit.{}</msg:OperationHandleRef>\
             <msg:RequestedNumericValue>{value:.1}</msg:RequestedNumericValue>",
            number % 4
        ),
        Order::Silence => "<msg:OperationHandleRef>set.alarm.0</msg:OperationHandleRef>\
             <msg:ProposedAlertState xsi:type=\"pm:AlertSignalState\" \
             DescriptorHandle=\"alarm.0\" ActivationState=\"Psd\"/>"
            .to_owned(),
    };
    let body = format!("<msg:{operation}>{inner}</msg:{operation}>");
    let ask = envelope(rng, &format!("{service}/{operation}"), &body);
    let state = match order {
        Order::Read => {
            let states: String = (0..24)
                .map(|n| {
                    let value = rng.normal(70.0, 6.0);
                    format!(
                        "<msg:State xsi:type=\"pm:NumericMetricState\" DescriptorHandle=\"m.{n}\" \
                         StateVersion=\"{number}\"><pm:MetricValue Value=\"{value:.1}\">\
                         <pm:MetricQuality Validity=\"Vld\"/></pm:MetricValue></msg:State>"
                    )
                })
                .collect();
            format!("<msg:MdState>{states}</msg:MdState>")
        }
        _ => format!(
            "<msg:InvocationInfo><msg:TransactionId>{number}</msg:TransactionId>\
             <msg:InvocationState>Fin</msg:InvocationState></msg:InvocationInfo>"
        ),
    };
    let version = format!("SequenceId=\"urn:uuid:0\" MdibVersion=\"{number}\"");
    let body = format!("<msg:{operation}Response {version}>{state}</msg:{operation}Response>");
    let answer = envelope(rng, &format!("{service}/{operation}Response"), &body);
    let kind = ["Content-Type: application/soap+xml; charset=utf-8".to_owned()];
    [
        http::request("POST", &format!("/{service}"), device, "SdcConsumer/2.0", &kind, &ask),
        http::response(
            "200 OK",
            "SdcProvider/2.0",
            "application/soap+xml; charset=utf-8",
            &[],
            &answer,
        ),
    ]
}
