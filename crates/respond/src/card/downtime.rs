//! Downtime packs: for every class of device, what stops when it is off the network, what goes on,
//! and what people do instead.
//!
//! General on purpose, and no replacement for the hospital's own downtime procedures or the
//! instructions for use: a make or model may depend on its network for more than this says. That a
//! device's own function goes on is said only where that is how such devices are usually made, and
//! always with a request to look.

use model::device::DeviceClass;

/// What to know of a class of device that is off the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// What stops working.
    pub stops: &'static str,
    /// What goes on by itself, and what to check at once.
    pub goes_on: &'static str,
    /// What to do by hand.
    pub by_hand: &'static str,
}

const fn pack(stops: &'static str, goes_on: &'static str, by_hand: &'static str) -> Pack {
    Pack { stops, goes_on, by_hand }
}

/// The pack of a class.
pub const fn downtime(class: DeviceClass) -> Pack {
    use DeviceClass as C;
    match class {
        C::Unknown => pack(
            "Nobody knows what this device does on the network.",
            "Treat it as if a patient depended on it. Look at it now.",
            "Find out what it is and who uses it, and tell clinical engineering.",
        ),
        C::Ventilator => pack(
            "Settings, alarms and measurements no longer reach the record, the central station or remote alarm systems.",
            "Ventilation and the alarms at the bedside are the ventilator's own. Check both now.",
            "Stay within hearing of the alarm. Chart settings and measurements by hand. Keep a manual resuscitator at the bedside.",
        ),
        C::AnesthesiaMachine => pack(
            "The anaesthesia record is no longer filled, and measurements no longer reach other displays.",
            "Gas delivery, ventilation and local alarms are the machine's own. Check them now.",
            "Keep the anaesthesia record on paper.",
        ),
        C::InfusionPump => pack(
            "New drug libraries, programming from the record, documentation of what was given, and remote alarms.",
            "The running infusion and the pump's own alarms go on, with the drug library it holds. Check rate and drug now.",
            "Programme at the pump with an independent double check. Chart what is given by hand. Listen for alarms.",
        ),
        C::PumpGateway | C::PumpServer => pack(
            "All pumps behind it: programming from the record, drug library updates, documentation and remote alarms.",
            "Running infusions and the pumps' own alarms go on.",
            "Go round all pumps of the ward. Programme at the pump with an independent double check and chart by hand.",
        ),
        C::HeartLung => pack(
            "Measurements no longer reach the record or other displays.",
            "Circulation and local alarms are the machine's own, with a perfusionist or trained nurse beside it. Check now.",
            "Chart by hand. Do not leave the machine.",
        ),
        C::BalloonPump => pack(
            "Measurements and alarms no longer reach the record or remote displays.",
            "Counterpulsation and local alarms are the pump's own; some take their trigger from a monitor by cable. Check now.",
            "Chart by hand. Stay within hearing of the alarm.",
        ),
        C::Dialysis => pack(
            "Prescriptions from the record and documentation of the treatment.",
            "The running treatment and local alarms are the machine's own. Check now.",
            "Check the prescription on paper with a second person. Chart by hand.",
        ),
        C::Defibrillator => pack(
            "Sending of events, ECGs and self-test results.",
            "Defibrillation, pacing and the local display are its own.",
            "Keep printed strips. Do the daily check by hand.",
        ),
        C::PatientMonitor => pack(
            "Central monitoring, remote alarms and documentation of vital signs.",
            "The monitor's own display and alarms go on. Check that alarm volume is up.",
            "Station somebody at or within hearing of the bed. Chart vital signs by hand.",
        ),
        C::CentralStation => pack(
            "The view over all beds, central alarms and printing of strips.",
            "The monitors at the beds alarm by themselves. Telemetry patients have no monitor at the bed.",
            "Staff the ward so that every bedside alarm is heard. Move telemetry patients to bedside monitors.",
        ),
        C::Telemetry => pack(
            "Telemetry patients are not watched: the transmitter has no alarm that would be heard.",
            "Nothing that watches the patient goes on by itself.",
            "Put each telemetry patient on a bedside or transport monitor now, or have a person stay with them.",
        ),
        C::FetalMonitor => pack(
            "Central surveillance and archiving of traces.",
            "The monitor's own trace, paper and alarms go on. Check paper.",
            "Watch at the bedside. Keep paper traces, with name and time.",
        ),
        C::Incubator => pack(
            "Remote measurements and alarms.",
            "Warming and local alarms are the incubator's own. Check the temperature now.",
            "Chart by hand. Stay within hearing of the alarm.",
        ),
        C::AlarmServer => pack(
            "Alarms no longer reach phones and pagers.",
            "Alarms at the devices and at central stations go on.",
            "Tell every ward it serves. Staff so that alarms are heard at the bed and at the central station.",
        ),
        C::NurseCall => pack(
            "Calls may no longer reach phones, displays or other wards; emergency calls may be among them.",
            "Lights and buzzers that are wired in the ward often go on. Try one now.",
            "Give patients bells, go round often, and agree how to call for help.",
        ),
        C::DhcpServer => pack(
            "Devices that start or move get no address, and others lose theirs over hours.",
            "Devices keep their address until its lease ends.",
            "Do not restart or move devices. Network services sets up another server.",
        ),
        C::DnsServer => pack(
            "Devices and programs find no servers by name.",
            "What is connected, or uses addresses, goes on for a while.",
            "Use downtime viewers and paper. Network services redirects to another server.",
        ),
        C::NtpServer => pack(
            "Clocks of devices and records slowly drift apart, and sign-ins may fail after hours.",
            "Devices go on with their own clocks.",
            "Compare clocks at hand-over, and note times by one clock.",
        ),
        C::RadiusServer => pack(
            "Devices that join or roam are not let onto the network.",
            "What is connected stays so until it has to sign in again.",
            "Do not restart or move wireless devices. Network services has a fallback.",
        ),
        C::WirelessController => pack(
            "Wireless devices may lose their connection: monitors, pumps, phones, telemetry.",
            "Devices go on by themselves at the bed.",
            "Look at all wireless monitors and pumps now. Use wired phones.",
        ),
        C::Router => pack(
            "Everything behind it loses the rest of the hospital.",
            "Devices go on by themselves at the bed, and with others behind the same router.",
            "Start the downtime procedure of every ward behind it.",
        ),
        C::MqttBroker => pack(
            "Messages between devices, gateways and dashboards that go through it.",
            "Devices go on by themselves at the bed.",
            "Find out which wards use it, and chart by hand there.",
        ),
        C::MedicationCabinet => pack(
            "New orders and patients do not appear, and what is taken is not recorded.",
            "Stock can usually be reached by override or key.",
            "Use the override procedure with a second person and paper records. Call pharmacy.",
        ),
        C::MedicalGasAlarm => pack(
            "Remote display and recording of gas pressures.",
            "Gas supply and wired area alarms go on. Try the lamp test of the area panel.",
            "Facilities reads pressures at the panels at fixed times.",
        ),
        C::ColdChain => pack(
            "Recording and remote alarms of temperature.",
            "Refrigerators and freezers go on, with their own alarm where they have one.",
            "Read and write down temperatures at fixed times, with a thermometer that needs no network.",
        ),
        C::Ct | C::Mri | C::Angiography | C::NuclearMedicine => pack(
            "Worklists, sending of images and viewing of earlier studies.",
            "Scanning goes on, with images kept on the scanner as long as there is space. Finish a running examination.",
            "Enter patients by hand, with two identifiers checked by a second person. Report from the console. Send images later.",
        ),
        C::Radiotherapy => pack(
            "Plans, verification and records from the oncology information system.",
            "Beam control and interlocks are the machine's own. Treatment without verification is often not possible.",
            "A running fraction is finished or stopped by the therapist as the physicist decides. No plan is typed in by hand without the department's procedure.",
        ),
        C::LabAnalyzer => pack(
            "Orders from and results to the laboratory system.",
            "Measuring goes on, with results on its display or printer.",
            "Label and order by hand. Telephone critical results with read-back. Enter results later.",
        ),
        C::PointOfCare => pack(
            "Results no longer reach the record; lists of operators and patients are not updated.",
            "Measuring goes on, with the result on the display.",
            "Write results into the chart with time and identity. Dock again later.",
        ),
        C::Lis => pack(
            "Orders, results and labels of the laboratory.",
            "Analysers go on measuring.",
            "Paper orders and labels. Telephone critical results with read-back.",
        ),
        C::Pacs => pack(
            "Viewing, storing and comparing of images.",
            "Scanners keep images as long as they have space.",
            "View at the scanner console. Report urgent findings by telephone. Watch the space of scanners.",
        ),
        C::WorklistServer => pack(
            "Scanners get no lists of patients.",
            "Scanning and storing go on.",
            "Enter patients by hand, with two identifiers checked by a second person. Reconcile later.",
        ),
        C::InterfaceEngine => pack(
            "Messages between record, laboratory, radiology, pharmacy and devices.",
            "Each system goes on by itself, with what it has.",
            "Start the downtime procedure of the record: paper orders and results, telephoned critical values.",
        ),
        C::Ehr => pack(
            "Orders, charting, medication lists and results.",
            "Devices at the bed go on.",
            "Start the downtime procedure: read-only viewer, printed medication lists, paper orders.",
        ),
        C::TheatreHvac => pack(
            "Remote control and recording of air pressure, temperature and humidity.",
            "Local controllers usually keep their last settings. Read pressure at the room display.",
            "Facilities watches on site. Theatre lead decides on operations if pressure cannot be read.",
        ),
        C::Ultrasound => pack(
            "Worklists, sending of images and viewing of earlier studies.",
            "Scanning and local storage go on.",
            "Enter patients by hand with two identifiers. Send images later.",
        ),
        C::Xray | C::Mammography | C::ImagingModality => pack(
            "Worklists, sending of images and viewing of earlier studies.",
            "Exposures and the local preview go on; some wireless detectors need their own access point.",
            "Enter patients by hand with two identifiers. View at the console. Send images later.",
        ),
        C::ImagingWorkstation => pack(
            "Reading of images at this workstation.",
            "Other workstations go on.",
            "Read at another workstation or at the scanner console.",
        ),
        C::Endoscopy => pack(
            "Worklists, storing of images and reports.",
            "The picture on the local monitor goes on.",
            "Note findings by hand. Keep images on the processor.",
        ),
        C::EcgCart => pack(
            "Worklists and sending of recordings.",
            "Recording and printing go on.",
            "Print, label by hand with two identifiers, and send later.",
        ),
        C::Camera => pack(
            "The picture and its recording. Ask whether patients are watched with it.",
            "Nothing.",
            "Where it watches patients or doors, have a person do so.",
        ),
        C::Printer => pack(
            "Printing; wristbands and labels may be among it.",
            "Copying at the machine.",
            "Use another printer. Write labels and wristbands by hand with two identifiers.",
        ),
        C::VoicePhone => pack(
            "Calls, emergency calls among them.",
            "Nothing.",
            "Use another telephone. Tell the switchboard.",
        ),
        C::BuildingController => pack(
            "Remote control and alarms of the building.",
            "Local controllers usually keep their last settings.",
            "Facilities looks on site. Ask whether a clinical room depends on it.",
        ),
        C::IotDevice => pack(
            "What it does on the network.",
            "What it does by itself.",
            "Ask the owner whether a patient or a clinical room depends on it.",
        ),
        C::FileServer | C::MailServer | C::WebServer | C::Server => pack(
            "The programs and files on it.",
            "Devices at the bed go on.",
            "Ask its owner which wards use it. Use paper where a form or list is missing.",
        ),
        C::SyslogServer => pack(
            "Collecting of logs.",
            "Everything else.",
            "Nothing in care. Tell security that logs are missing for this time.",
        ),
        C::DirectoryServer => pack(
            "New sign-ins at computers, and in programs that ask it.",
            "Who is signed in stays so for a while.",
            "Do not sign out or restart computers. Use emergency accounts as the procedure says.",
        ),
        C::Workstation => pack(
            "Network programs at this computer; the record among them.",
            "Other computers go on.",
            "Use another computer.",
        ),
        C::Mobile => pack(
            "Network programs on it; calls and alarms may be among them.",
            "Other devices go on.",
            "Use another one. If it carries alarms, tell the charge nurse now.",
        ),
    }
}

/// What to do where a patient was or might have been harmed. United States: 21 CFR 803.30 (user
/// facilities; deaths and serious injuries within 10 work days, FDA 3500A) and voluntary MedWatch
/// reports. European Union: Regulation (EU) 2017/745, articles 87 to 89, and national law.
pub const REPORT: &str = "If a patient was harmed, or nearly was: care for the patient, leave the device and its settings as they are, write down the time, and tell risk management. In the United States they report to the manufacturer and the FDA (MedWatch, form 3500A, within 10 work days); in the European Union to the manufacturer and the national authority (medical device vigilance).";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_pack_in_whole_sentences_and_none_promises_what_it_cannot_know() {
        for class in DeviceClass::KNOWN.iter().chain([&DeviceClass::Unknown]) {
            let pack = downtime(*class);
            for text in [pack.stops, pack.goes_on, pack.by_hand] {
                assert!(text.ends_with('.') && text.len() > 6, "{class}: {text}");
                for jargon in ["VLAN", "DHCP", "TCP", " port ", "subnet", "packet", "guarantee"] {
                    assert!(!text.contains(jargon), "{class}: {text}");
                }
            }
        }
    }
}
