//! Published shapes of attack in a web request, and orders to a device's web page from somebody who
//! never gave any.

use model::finding::{FindingKind, Reason, Severity};
use model::observation::Observation;

use crate::findings::Findings;
use crate::seam::{Context, Detector, DetectorSpec};
use crate::words;

static SPEC: DetectorSpec = DetectorSpec {
    name: "web_attack",
    doc: "A web request with a published shape of attack, or a change to a device by a stranger.",
    kind: FindingKind::Rule,
    reads: &["http.request"],
    attack: &["T1190", "T0866"],
    next_step: "Check whether the server answered with success; if so, treat it as compromised. Otherwise find the machine that sent the request.",
    sources: &[
        "CVE-2021-44228",
        "CVE-2014-6271",
        "CWE-22",
        "CISA ICSMA-21-294-01",
        "CISA ICSA-22-067-01",
    ],
};

/// See the module.
#[derive(Debug, Default)]
pub struct WebAttack;

impl Detector for WebAttack {
    fn spec(&self) -> &'static DetectorSpec {
        &SPEC
    }

    fn observe(&mut self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        if let Some(shape) = o.texts("suspicious").first() {
            let name = match &**shape {
                "traversal" => "a path that climbs out of its folder",
                "jndi" => "a JNDI look-up (Log4Shell)",
                "shellshock" => "a shell function (Shellshock)",
                other => other,
            };
            let title = words::sentence(&format!(
                "{} sent {} a web request with {name}.",
                cx.subject(o),
                cx.peer(o)
            ));
            out.claim(cx, o, Severity::High, title)
                .because(Reason::new("shape of the request", name, "none"))
                .key(shape.to_string())
                .score(0.9)
                .make();
        }
        self.order(o, cx, out);
    }
}

impl WebAttack {
    /// A request that changes something on a bedside device, from somebody who never sent it one.
    fn order(&self, o: &Observation, cx: &Context<'_>, out: &mut Findings) {
        let changes = matches!(o.str("method"), Some("POST" | "PUT" | "DELETE" | "PATCH"));
        let bedside = cx.known_tier(cx.who.peer) == Some(model::device::Tier::T0);
        let known = cx.familiarity();
        if !changes || !bedside || cx.learning() || known.pair || known.service_of_target {
            return;
        }
        let title = words::sentence(&format!(
            "{} sends changes to the web interface of {}, which it has never managed.",
            cx.subject(o),
            cx.peer(o)
        ));
        out.claim(cx, o, Severity::High, title)
            .because(Reason::new("request", o.str("method").unwrap_or("POST"), "none from here"))
            .attack(&["T0836", "T0855"])
            .key("order")
            .kind(FindingKind::Anomaly)
            .p_value(known.surprise_rate.min(0.02))
            .make();
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DESK, DESK_B, PUMPS, SERVER, Ward, texts, word};

    #[test]
    fn a_shape_of_attack_and_orders_to_a_pump_are_found() {
        let mut ward = Ward::peopled();
        ward.watch();
        let fields = [
            ("method", word("GET")),
            ("path", word("/../../etc/passwd")),
            ("suspicious", texts(&["traversal"])),
        ];
        ward.over(&protocols::http::REQUEST, DESK, SERVER, 80, &fields);
        ward.alerts("web_attack", DESK);
        let fields = [("method", word("POST")), ("path", word("/config"))];
        ward.over(&protocols::http::REQUEST, DESK_B, PUMPS[0], 80, &fields);
        ward.alerts("web_attack", DESK_B);
    }

    #[test]
    fn reading_a_pumps_page_and_its_servers_orders_are_no_alert() {
        let mut ward = Ward::peopled();
        ward.watch();
        let fields = [("method", word("GET")), ("path", word("/"))];
        ward.over(&protocols::http::REQUEST, DESK, PUMPS[0], 80, &fields);
        let fields = [("method", word("POST")), ("path", word("/firmware"))];
        ward.over(&protocols::http::REQUEST, SERVER, PUMPS[0], 80, &fields);
        ward.is_quiet();
    }
}
