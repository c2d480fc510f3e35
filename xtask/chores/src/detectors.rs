//! Rules for what detectors say of themselves: it is printed in cases and in the documentation.

use detect::DetectorSpec;
use model::field::KindSpec;

use crate::fault::Fault;
use crate::kinds::is_word;

/// Detectors that look at windows of behaviour, and at no observation. They say that something is
/// unusual and not what it is, so that no technique can be named.
const OF_WINDOWS: [&str; 2] = ["unusual_behaviour", "changed_behaviour"];

/// Whether a detector looks at windows of behaviour.
pub(crate) fn of_windows(spec: &DetectorSpec) -> bool {
    OF_WINDOWS.contains(&spec.name)
}

/// What every detector says of itself, in the order in which they are asked.
pub(crate) fn all() -> Vec<&'static DetectorSpec> {
    detect::detectors::ALL.iter().map(|make| make().spec()).collect()
}

/// What is wrong with them.
pub(crate) fn faults(specs: &[&DetectorSpec], kinds: &[&KindSpec]) -> Vec<Fault> {
    let mut out = Vec::new();
    for (place, spec) in specs.iter().enumerate() {
        let name = spec.name;
        let mut fault = |what: String, advice| out.push(Fault::named(name, what, advice));
        if !is_word(name) {
            fault(
                format!("detector '{name}' is misnamed"),
                "Write it in lower case with underscores",
            );
        }
        if specs.iter().take(place).any(|other| other.name == name) {
            fault(format!("two detectors are called '{name}'"), "Rename one of them");
        }
        for (text, called) in [(spec.doc, "doc"), (spec.next_step, "next_step")] {
            if text.trim().is_empty() {
                fault(format!("detector '{name}' has no {called}"), "Write one sentence");
            }
        }
        if spec.sources.iter().all(|source| source.trim().is_empty()) {
            let advice = "Name the paper, advisory or standard it was written from";
            fault(format!("detector '{name}' has no sources"), advice);
        }
        if spec.attack.is_empty() && !of_windows(spec) {
            let advice = "Name the ATT&CK techniques that it finds";
            fault(format!("detector '{name}' has no ATT&CK technique"), advice);
        }
        for id in spec.attack.iter().filter(|id| !is_technique(id)) {
            let advice = "Write it as T1046 or T1021.002";
            fault(format!("detector '{name}': '{id}' is no ATT&CK technique"), advice);
        }
        if spec.reads.is_empty() && !of_windows(spec) {
            fault(format!("detector '{name}' reads nothing"), "Name the kinds it looks at");
        }
        for kind in spec.reads.iter().filter(|kind| !kinds.iter().any(|known| known.name == **kind))
        {
            let advice = "Write the name as in docs/reference/observations.md";
            fault(format!("detector '{name}' reads '{kind}', which nothing observes"), advice);
        }
    }
    out
}

/// `T` and four digits, perhaps a point and three more.
fn is_technique(id: &str) -> bool {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    id.strip_prefix('T').is_some_and(|rest| match rest.split_once('.') {
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => digits(rest, 4),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::finding::FindingKind;

    #[test]
    fn a_detector_that_says_nothing_of_itself_is_found() {
        let bad = DetectorSpec {
            name: "Bad-Name",
            doc: "",
            kind: FindingKind::Rule,
            reads: &["flow.ended"],
            attack: &["T12"],
            next_step: "",
            sources: &[],
        };
        let found = faults(&[&bad, &bad], &crate::kinds::all());
        let count = |text: &str| found.iter().filter(|fault| fault.what.contains(text)).count();
        for text in ["misnamed", "no doc", "no next_step", "no sources", "'T12'", "'flow.ended'"] {
            assert_eq!(count(text), 2, "{text}");
        }
        assert_eq!(count("two detectors"), 1);
    }

    #[test]
    fn only_who_looks_at_windows_may_read_nothing_and_name_no_technique() {
        let of = |name| {
            let all = all();
            let known = *all.iter().find(|spec| spec.name == "unusual_behaviour").unwrap();
            let spec = DetectorSpec { name, reads: &[], attack: &[], ..*known };
            faults(&[&spec], &crate::kinds::all()).len()
        };
        assert_eq!(of("unusual_behaviour"), 0);
        assert_eq!(of("another"), 2, "reads and techniques");
    }

    #[test]
    fn technique_ids_have_one_shape() {
        assert!(is_technique("T1046") && is_technique("T1021.002") && is_technique("T0846"));
        for bad in ["1046", "T104", "T1021.02", "T1021.", "TA0001", "T1021.0021"] {
            assert!(!is_technique(bad), "{bad}");
        }
    }
}
