//! What the functions are and where their requests say what they are about.

use model::observation::Value;
use wire::cursor::{Cursor, Short};

/// Encapsulated interface, in which devices identify themselves.
pub(super) const ENCAPSULATED: u8 = 43;

/// A function's name, or FUNCTIONn.
pub(super) fn name(code: u8) -> Value {
    Value::Word(match code {
        1 => "read_coils",
        2 => "read_discrete_inputs",
        3 => "read_holding_registers",
        4 => "read_input_registers",
        5 => "write_single_coil",
        6 => "write_single_register",
        7 => "read_exception_status",
        8 => "diagnostics",
        11 => "get_comm_event_counter",
        12 => "get_comm_event_log",
        15 => "write_multiple_coils",
        16 => "write_multiple_registers",
        17 => "report_server_id",
        20 => "read_file_record",
        21 => "write_file_record",
        22 => "mask_write_register",
        23 => "read_write_multiple_registers",
        24 => "read_fifo_queue",
        43 => "encapsulated_interface",
        // Not in the specification: Schneider Electric's way to program and stop controllers.
        90 => "unity",
        other => return Value::Text(format!("FUNCTION{other}").into()),
    })
}

/// Whether a function changes something.
pub(super) const fn writes(code: u8) -> bool {
    matches!(code, 5 | 6 | 15 | 16 | 21 | 22 | 23)
}

/// Why a request was refused.
pub(super) fn exception(code: u8) -> Value {
    Value::Word(match code {
        1 => "illegal_function",
        2 => "illegal_data_address",
        3 => "illegal_data_value",
        4 => "server_device_failure",
        5 => "acknowledge",
        6 => "server_device_busy",
        8 => "memory_parity_error",
        10 => "gateway_path_unavailable",
        11 => "gateway_target_failed_to_respond",
        other => return Value::Text(format!("CODE{other}").into()),
    })
}

/// What a request is about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Request {
    pub(super) address: Option<u16>,
    pub(super) quantity: Option<u16>,
    pub(super) value: Option<u16>,
    pub(super) sub_function: Option<u16>,
}

impl Request {
    /// Reads what stands behind the function code.
    pub(super) fn read(function: u8, data: &[u8]) -> Result<Self, &'static str> {
        Self::fields(function, &mut Cursor::new(data))
            .map_err(|Short| "request shorter than its function asks for")
    }

    fn fields(function: u8, cursor: &mut Cursor<'_>) -> Result<Self, Short> {
        let mut request = Self::default();
        match function {
            1..=4 | 15 | 16 => {
                request.address = Some(cursor.u16()?);
                request.quantity = Some(cursor.u16()?);
            }
            5 | 6 => {
                request.address = Some(cursor.u16()?);
                request.quantity = Some(1);
                request.value = Some(cursor.u16()?);
            }
            22 => {
                request.address = Some(cursor.u16()?);
                request.quantity = Some(1);
                cursor.skip(4)?;
            }
            // What it writes counts, not what it reads.
            23 => {
                cursor.skip(4)?;
                request.address = Some(cursor.u16()?);
                request.quantity = Some(cursor.u16()?);
            }
            24 => request.address = Some(cursor.u16()?),
            8 => request.sub_function = Some(cursor.u16()?),
            43 => request.sub_function = Some(u16::from(cursor.u8()?)),
            _ => {}
        }
        Ok(request)
    }
}

/// What a device says it is: its objects by number (6.21).
#[derive(Debug)]
pub(super) struct Identity<'a> {
    texts: [&'a [u8]; 7],
}

impl<'a> Identity<'a> {
    /// From the answer of function 43; nothing where it is something else or says nothing.
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(data);
        if cursor.u8().ok()? != 14 {
            return None;
        }
        cursor.skip(4).ok()?;
        let count = cursor.u8().ok()?;
        let mut texts = [&[][..]; 7];
        for _ in 0..count {
            let (Ok(number), Ok(length)) = (cursor.u8(), cursor.u8()) else { break };
            let Ok(text) = cursor.take(usize::from(length)) else { break };
            if let Some(slot) = texts.get_mut(usize::from(number)) {
                *slot = text;
            }
        }
        texts.iter().any(|text| !text.is_empty()).then_some(Self { texts })
    }

    /// Fields of the table with their texts; the maker's web address is left out.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, &'a [u8])> {
        let names =
            ["vendor", "product", "revision", "", "name", "model", "application"].into_iter();
        names.zip(self.texts).filter(|(name, _)| !name.is_empty())
    }
}
