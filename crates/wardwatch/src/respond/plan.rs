//! Weighing what somebody wants done.

use std::process::ExitCode;
use std::time::Duration;

use ::respond::office::Wish;
use ::respond::{Claim, Evidence, Indicator, Pattern, Proto, Restriction, Source, Way};
use anyhow::{Result, bail};
use model::case::CaseId;
use model::finding::{FindingId, FindingKind, Severity};

use super::place::{Place, device};
use super::{decide, show};
use crate::cli::{OfficeArgs, PlanArgs};
use crate::exit;
use crate::tables::say;

pub(super) fn plan(args: &OfficeArgs, plan: &PlanArgs) -> Result<ExitCode> {
    let place = Place::of(args)?;
    let office = place.informed_office(&args.data)?;
    let by = if plan.propose { Some(super::who::person(args)?) } else { None };
    let restriction = restriction(plan, &place)?;
    let claim = Claim {
        finding: FindingId(String::new()),
        detector: "person".to_owned(),
        kind: FindingKind::Rule,
        source: Source::Network,
        title: plan.why.clone(),
    };
    let wish = Wish {
        device: device(&office, &plan.device)?,
        restriction,
        ttl: plan.minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60))),
        evidence: Evidence {
            case: CaseId(plan.case.clone()),
            severity: Severity::High,
            claims: if plan.why.is_empty() { Vec::new() } else { vec![claim] },
            doubt: None,
        },
        by,
    };
    if plan.propose {
        if plan.why.is_empty() {
            bail!(exit::Usage::from_error(
                "whoever has to sign wants to know why: give --why TEXT"
            ));
        }
        let answer = office.propose(&wish)?.map_err(|why| anyhow::anyhow!("{why}"))?;
        return decide::answer(answer);
    }
    let proposal = office.look(|desk, now| office.weigh(&wish, desk, now))?;
    let proposal = proposal.map_err(|why| anyhow::anyhow!("{why}"))?;
    if args.json {
        say(&serde_json::to_string(&proposal)?);
    } else {
        show::proposed(&proposal);
        say("");
        say("Nothing was done. '--propose' puts it before those who have to sign.");
    }
    Ok(ExitCode::SUCCESS)
}

fn restriction(plan: &PlanArgs, place: &Place) -> Result<Restriction> {
    if let Some(text) = &plan.perimeter {
        let indicator = match text.parse() {
            Ok(range) => Indicator::Address(range),
            Err(_) => Indicator::Domain(domain(text)?),
        };
        return Ok(Restriction::Perimeter { indicator });
    }
    if plan.essentials {
        return Ok(Restriction::Essentials { allow: Vec::new() });
    }
    if plan.quarantine {
        return Ok(Restriction::Quarantine { management: place.setup.management.clone() });
    }
    if plan.block.is_empty() {
        bail!(exit::Usage::from_error(
            "what to restrict: give --block FLOW, --perimeter INDICATOR, --essentials or --quarantine"
        ));
    }
    let flows = plan.block.iter().map(|text| flow(text)).collect::<Result<_>>()?;
    Ok(Restriction::Block { flows })
}

fn domain(text: &str) -> Result<String> {
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if name.len() > 253 || !name.contains('.') || !name.split('.').all(label) {
        bail!(exit::Usage::from_error(format!("'{text}' is no address, range or domain")));
    }
    Ok(name)
}

/// `to 10.0.0.5 tcp 445`.
fn flow(text: &str) -> Result<Pattern> {
    let refuse = || {
        exit::Usage::from_error(format!(
            "'{text}' is no flow: give one such as 'to 10.0.0.5 tcp 445' or 'from 10.0.0.0/24'"
        ))
    };
    let mut words = text.split_whitespace();
    let way = match words.next() {
        Some("to") => Way::Out,
        Some("from") => Way::In,
        _ => bail!(refuse()),
    };
    let peer = words.next().and_then(|word| word.parse().ok()).ok_or_else(refuse)?;
    let proto = match words.next() {
        None => None,
        Some("tcp") => Some(Proto::Tcp),
        Some("udp") => Some(Proto::Udp),
        Some("icmp") => Some(Proto::Icmp),
        Some(_) => bail!(refuse()),
    };
    let port = match words.next() {
        None => None,
        Some(word) => Some(word.parse().map_err(|_| refuse())?),
    };
    if words.next().is_some() || (port.is_some() && proto == Some(Proto::Icmp)) {
        bail!(refuse());
    }
    Ok(Pattern { way, peer, proto, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_reads_as_a_network_engineer_would_say_it() {
        let pattern = flow("to 10.0.0.5 tcp 445").unwrap();
        assert_eq!(
            (pattern.way, pattern.proto, pattern.port),
            (Way::Out, Some(Proto::Tcp), Some(445))
        );
        assert_eq!(flow("from 10.0.0.0/24").unwrap().way, Way::In);
        for bad in [
            "",
            "to",
            "to nowhere",
            "at 10.0.0.5",
            "to 10.0.0.5 sctp",
            "to 10.0.0.5 tcp x",
            "to 10.0.0.5 icmp 3",
            "to 10.0.0.5 tcp 445 now",
        ] {
            assert!(flow(bad).unwrap_err().to_string().contains("is no flow"), "{bad}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        assert_eq!(domain("Evil.Example.").unwrap(), "evil.example");
        for bad in ["localhost", "a b.example", "..", "x/../y.example"] {
            assert!(domain(bad).is_err(), "{bad}");
        }
    }
}
