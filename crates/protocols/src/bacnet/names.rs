//! Names of services, objects, properties, errors (ASHRAE 135, clauses 18, 20 and 21).

use model::observation::Value;

pub(super) const READ_PROPERTY: u8 = 12;
pub(super) const READ_PROPERTY_MULTIPLE: u8 = 14;
pub(super) const I_AM: u8 = 0;

/// Confirmed and unconfirmed services share numbers: the latter are counted from here.
pub(super) const UNCONFIRMED: u16 = 256;

/// A name, or a word in front of the number.
fn or_number(name: Option<&'static str>, word: &str, number: u64) -> Value {
    match name {
        Some(name) => Value::Word(name),
        None => Value::Text(format!("{word}{number}").into()),
    }
}

/// A service's name.
pub(super) fn service(number: u16) -> Value {
    let name = match number {
        0 => "acknowledge_alarm",
        1 => "confirmed_cov_notification",
        2 => "confirmed_event_notification",
        3 => "get_alarm_summary",
        4 => "get_enrollment_summary",
        5 => "subscribe_cov",
        6 => "atomic_read_file",
        7 => "atomic_write_file",
        8 => "add_list_element",
        9 => "remove_list_element",
        10 => "create_object",
        11 => "delete_object",
        12 => "read_property",
        13 => "read_property_conditional",
        14 => "read_property_multiple",
        15 => "write_property",
        16 => "write_property_multiple",
        17 => "device_communication_control",
        18 => "confirmed_private_transfer",
        19 => "confirmed_text_message",
        20 => "reinitialize_device",
        21 => "vt_open",
        22 => "vt_close",
        23 => "vt_data",
        24 => "authenticate",
        25 => "request_key",
        26 => "read_range",
        27 => "life_safety_operation",
        28 => "subscribe_cov_property",
        29 => "get_event_information",
        30 => "subscribe_cov_property_multiple",
        31 => "confirmed_cov_notification_multiple",
        32 => "confirmed_audit_notification",
        33 => "audit_log_query",
        256 => "i_am",
        257 => "i_have",
        258 => "unconfirmed_cov_notification",
        259 => "unconfirmed_event_notification",
        260 => "unconfirmed_private_transfer",
        261 => "unconfirmed_text_message",
        262 => "time_synchronization",
        263 => "who_has",
        264 => "who_is",
        265 => "utc_time_synchronization",
        266 => "write_group",
        267 => "unconfirmed_cov_notification_multiple",
        268 => "unconfirmed_audit_notification",
        269 => "who_am_i",
        270 => "you_are",
        _ => return or_number(None, "SERVICE", u64::from(number % UNCONFIRMED)),
    };
    Value::Word(name)
}

/// An object type's name.
pub(super) fn object(number: u16) -> Value {
    const NAMES: [&str; 40] = [
        "analog_input",
        "analog_output",
        "analog_value",
        "binary_input",
        "binary_output",
        "binary_value",
        "calendar",
        "command",
        "device",
        "event_enrollment",
        "file",
        "group",
        "loop",
        "multi_state_input",
        "multi_state_output",
        "notification_class",
        "program",
        "schedule",
        "averaging",
        "multi_state_value",
        "trend_log",
        "life_safety_point",
        "life_safety_zone",
        "accumulator",
        "pulse_converter",
        "event_log",
        "global_group",
        "trend_log_multiple",
        "load_control",
        "structured_view",
        "access_door",
        "timer",
        "access_credential",
        "access_point",
        "access_rights",
        "access_user",
        "access_zone",
        "credential_data_input",
        "network_security",
        "bitstring_value",
    ];
    let name = match number {
        40 => Some("characterstring_value"),
        45 => Some("integer_value"),
        46 => Some("large_analog_value"),
        48 => Some("positive_integer_value"),
        54 => Some("lighting_output"),
        56 => Some("network_port"),
        other => NAMES.get(usize::from(other)).copied(),
    };
    or_number(name, "OBJECT", u64::from(number))
}

/// A property's name; of the hundreds those that are polled, written or tell who a device is.
pub(super) fn property(number: u64) -> Value {
    let name = Some(match number {
        4 => "active_text",
        8 => "all",
        11 => "apdu_timeout",
        12 => "application_software_version",
        22 => "cov_increment",
        23 => "date_list",
        28 => "description",
        36 => "event_state",
        38 => "exception_schedule",
        44 => "firmware_revision",
        45 => "high_limit",
        56 => "local_date",
        57 => "local_time",
        58 => "location",
        59 => "low_limit",
        62 => "max_apdu_length_accepted",
        65 => "max_pres_value",
        69 => "min_pres_value",
        70 => "model_name",
        75 => "object_identifier",
        76 => "object_list",
        77 => "object_name",
        79 => "object_type",
        81 => "out_of_service",
        84 => "polarity",
        85 => "present_value",
        87 => "priority_array",
        96 => "protocol_object_types_supported",
        97 => "protocol_services_supported",
        98 => "protocol_version",
        103 => "reliability",
        104 => "relinquish_default",
        107 => "segmentation_supported",
        108 => "setpoint",
        111 => "status_flags",
        112 => "system_status",
        117 => "units",
        120 => "vendor_identifier",
        121 => "vendor_name",
        123 => "weekly_schedule",
        131 => "log_buffer",
        139 => "protocol_revision",
        155 => "database_revision",
        _ => return or_number(None, "PROPERTY", number),
    });
    or_number(name, "", number)
}

/// An error's class and code.
pub(super) fn error(class: u64, code: u64) -> (Value, Value) {
    const CLASSES: [&str; 8] = [
        "device",
        "object",
        "property",
        "resources",
        "security",
        "services",
        "vt",
        "communication",
    ];
    let place = usize::try_from(class).unwrap_or(usize::MAX);
    let code_name = Some(match code {
        0 => "other",
        2 => "configuration_in_progress",
        3 => "device_busy",
        5 => "file_access_denied",
        7 => "inconsistent_parameters",
        9 => "invalid_data_type",
        13 => "invalid_parameter_data_type",
        16 => "missing_required_parameter",
        20 => "no_space_to_write_property",
        23 => "object_deletion_not_permitted",
        25 => "operational_problem",
        26 => "password_failure",
        27 => "read_access_denied",
        29 => "service_request_denied",
        30 => "timeout",
        31 => "unknown_object",
        32 => "unknown_property",
        36 => "unsupported_object_type",
        37 => "value_out_of_range",
        40 => "write_access_denied",
        41 => "character_set_not_supported",
        42 => "invalid_array_index",
        45 => "optional_functionality_not_supported",
        _ => {
            return (
                or_number(CLASSES.get(place).copied(), "CLASS", class),
                or_number(None, "CODE", code),
            );
        }
    });
    (or_number(CLASSES.get(place).copied(), "CLASS", class), or_number(code_name, "", code))
}

/// Why something was rejected or aborted.
pub(super) fn reason(outcome: &str, number: u8) -> Value {
    const REJECT: [&str; 10] = [
        "other",
        "buffer_overflow",
        "inconsistent_parameters",
        "invalid_parameter_data_type",
        "invalid_tag",
        "missing_required_parameter",
        "parameter_out_of_range",
        "too_many_arguments",
        "undefined_enumeration",
        "unrecognized_service",
    ];
    const ABORT: [&str; 12] = [
        "other",
        "buffer_overflow",
        "invalid_apdu_in_this_state",
        "preempted_by_higher_priority_task",
        "segmentation_not_supported",
        "security_error",
        "insufficient_security",
        "window_size_out_of_range",
        "application_exceeded_reply_time",
        "out_of_resources",
        "tsm_timeout",
        "apdu_too_long",
    ];
    let names: &[&str] = if outcome == "reject" { &REJECT } else { &ABORT };
    or_number(names.get(usize::from(number)).copied(), "CODE", u64::from(number))
}

/// What a device is told to be by DeviceCommunicationControl (17) or ReinitializeDevice (20).
pub(super) fn state(service: u8, number: u64) -> Value {
    let name = match (service, number) {
        (17, 0) => Some("enable"),
        (17, 1) => Some("disable"),
        (17, 2) => Some("disable_initiation"),
        (20, 0) => Some("coldstart"),
        (20, 1) => Some("warmstart"),
        (20, 2) => Some("start_backup"),
        (20, 3) => Some("end_backup"),
        (20, 4) => Some("start_restore"),
        (20, 5) => Some("end_restore"),
        (20, 6) => Some("abort_restore"),
        (20, 7) => Some("activate_changes"),
        _ => None,
    };
    or_number(name, "STATE", number)
}
