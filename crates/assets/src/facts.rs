//! What a device can be seen to do: the vocabulary that fingerprints share.
//!
//! A fingerprint that hears something writes it into the device's tallies under one of these
//! names, and any fingerprint may read it there. They say what was done, never what it means:
//! that is for the fingerprints to say.

use serde::{Deserialize, Serialize};

macro_rules! facts {
    ($($variant:ident, $name:literal, $doc:literal;)*) => {
        /// Something that a device does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Fact {
            $(#[doc = $doc] #[serde(rename = $name)] $variant,)*
        }

        impl Fact {
            /// Lower-case name, as written to files.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

facts! {
    SentCt, "sent_ct", "Opened an association and stored CT objects. Others are the receivers.";
    SentMr, "sent_mr", "The same with MR objects.";
    SentUs, "sent_us", "The same with ultrasound objects.";
    SentXr, "sent_xr", "The same with CR, DX or RF objects.";
    SentMg, "sent_mg", "The same with mammograms.";
    SentXa, "sent_xa", "The same with angiograms.";
    SentNm, "sent_nm", "The same with NM or PET objects.";
    SentRt, "sent_rt", "The same with radiotherapy objects.";
    SentEs, "sent_es", "The same with endoscopic images.";
    SentEcg, "sent_ecg", "The same with electrocardiograms.";
    SentOtherImages, "sent_other_images", "The same with objects that tell nothing of their source.";
    SentImages, "sent_images", "The same with objects of any kind.";
    TookImages, "took_images", "Was sent DICOM objects. Others are the senders.";
    ServedImages, "served_images", "Sent DICOM objects on an association that the other side opened. Others are those.";
    AnsweredQueries, "answered_queries", "Answered C-FIND, C-MOVE or C-GET. Others are the askers.";
    AskedImages, "asked_images", "Asked for studies with C-FIND. Others are the archives.";
    AskedForEverybody, "asked_for_everybody", "Asked with a key that narrows nothing.";
    FetchedImages, "fetched_images", "Fetched studies with C-MOVE or C-GET. Others are the archives.";
    AskedWorklist, "asked_worklist", "Asked for a modality worklist.";
    AnsweredWorklist, "answered_worklist", "Answered a modality worklist query. Others are the askers.";
    ReportedStep, "reported_step", "Reported a performed procedure step.";
    OpenedAssociation, "opened_association", "Opened a DICOM association that was accepted.";
    SentOru, "sent_oru", "Sent HL7 observation results. Others are the patients.";
    SentAs, "sent_as", "Sent HL7. Others are the sending applications it said it was.";
    SentLabOul, "sent_lab_oul", "Sent HL7 laboratory results (OUL).";
    SentAdt, "sent_adt", "Sent HL7 patient administration. Others are the receivers.";
    SentOrders, "sent_orders", "Sent HL7 orders. Others are the receivers.";
    AckedHl7, "acked_hl7", "Acknowledged HL7. Others are the senders.";
    TookOru, "took_oru", "Was sent HL7 observation results. Others are the senders.";
    TookAdt, "took_adt", "Was sent HL7 patient administration. Others are the senders.";
    TookOrders, "took_orders", "Was sent HL7 orders. Others are the senders.";
    SentLabResults, "sent_lab_results", "Sent laboratory results over ASTM. Others are the receivers.";
    SentLabOrders, "sent_lab_orders", "Sent laboratory orders over ASTM.";
    TookLabResults, "took_lab_results", "Was sent laboratory results over ASTM. Others are the senders.";
    PublishedPump, "published_pump", "Published an infusion pump's values over MQTT. Others are the topics.";
    PublishedVentilator, "published_ventilator", "The same with a ventilator's.";
    PublishedAnesthesia, "published_anesthesia", "The same with an anaesthesia machine's.";
    PublishedMonitor, "published_monitor", "The same with vital signs.";
    PublishedDialysis, "published_dialysis", "The same with a dialysis machine's.";
    PublishedOther, "published_other", "The same with values of something else.";
    PublishedCommands, "published_commands", "Published commands over MQTT. Others are the topics.";
    ServedMqtt, "served_mqtt", "Accepted MQTT clients. Others are those.";
    Browsed, "browsed", "Asked over HTTP with a browser's name. Others are the servers.";
    ServedWeb, "served_web", "Answered over HTTP. Others are the clients.";
    ServedUpdates, "served_updates", "Served firmware, updates or drug libraries. Others are the clients.";
    ServedDrugLibrary, "served_drug_library", "Served drug libraries. Others are the clients.";
    FetchedDrugLibrary, "fetched_drug_library", "Fetched a drug library.";
    ServedFhir, "served_fhir", "Answered FHIR. Others are the clients.";
    AskedFhir, "asked_fhir", "Asked for FHIR resources. Others are the servers.";
    ServedDicomWeb, "served_dicom_web", "Answered DICOMweb. Others are the clients.";
    AnnouncedSdc, "announced_sdc", "Announced itself as a medical device of IEEE 11073 SDC.";
    ServedSdc, "served_sdc", "Answered SDC, or reported to subscribers. Others are the consumers.";
    UsedSdc, "used_sdc", "Was answered or reported to over SDC. Others are the providers.";
    SteeredSdc, "steered_sdc", "Asked SDC devices to change their state. Others are the devices.";
    ServedOnvif, "served_onvif", "Answered ONVIF, which cameras speak.";
    ServedIpp, "served_ipp", "Answered IPP, which printers speak.";
    CalledOutside, "called_outside", "Opened TLS to servers outside. Others are their names.";
    ServedTls, "served_tls", "Answered TLS. Others are the clients.";
    AskedNames, "asked_names", "Asked DNS. Others are the names.";
    ServedDns, "served_dns", "Answered DNS. Others are the clients.";
    ServedNtp, "served_ntp", "Answered NTP. Others are the clients.";
    ServedDhcp, "served_dhcp", "Gave DHCP leases in its own name. Others are the clients.";
    RelayedDhcp, "relayed_dhcp", "Passed on DHCP between segments.";
    TookSyslog, "took_syslog", "Was sent log lines. Others are the senders.";
    UsedSmb, "used_smb", "Connected to shares. Others are the servers.";
    ServedSmb, "served_smb", "Had shares connected, administrative ones aside. Others are the clients.";
    ServedDomain, "served_domain", "Had a domain controller's shares connected. Others are the clients.";
    ServedRemote, "served_remote", "Had remote sessions opened on it. Others are the clients.";
    RoutedOutside, "routed_outside", "Carried answered flows of addresses outside. Others are those.";
    RoutedInside, "routed_inside", "Carried answered flows of other internal addresses. Others are those.";
    AdvertisedRoute, "advertised_route", "Sent router advertisements, redirects or time-exceeded.";
    NamedGateway, "named_gateway", "Was named as gateway in a DHCP lease.";
    ListensPrinter, "listens_printer", "Answered on a port of printers (9100, 631, 515). Others are the clients.";
    ListensRtsp, "listens_rtsp", "Answered on RTSP's port.";
    ListensSip, "listens_sip", "Answered on SIP's port.";
    UsesSip, "uses_sip", "Called SIP's port and was answered.";
    ListensBacnet, "listens_bacnet", "Answered on BACnet's port.";
    ListensDirectory, "listens_directory", "Answered on the ports of Kerberos or LDAP. Others are the clients.";
    ListensRadius, "listens_radius", "Answered on RADIUS's port. Others are the clients.";
    ListensMail, "listens_mail", "Answered on the ports of SMTP or IMAP. Others are the clients.";
    ListensDatabase, "listens_database", "Answered on a database's port. Others are the clients.";
}
