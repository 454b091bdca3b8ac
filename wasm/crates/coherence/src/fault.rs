//! What a kernel refuses, as a code that crosses the boundary. A bad argument is never a trap.

use wasm_bindgen::JsValue;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Arrays that do not fit each other, or a length beyond what was allocated.
    Length,
    /// A parameter outside its range.
    Range,
    /// Memory that this machine does not have.
    Memory,
    /// A value without a Q1.30 form.
    QuantiseRange,
    /// A weight or T that no report may carry.
    ReportRange,
}

impl Fault {
    pub fn code(self) -> &'static str {
        match self {
            Self::Length => "E_KERNEL_LENGTH",
            Self::Range => "E_KERNEL_RANGE",
            Self::Memory => "E_KERNEL_MEMORY",
            Self::QuantiseRange => "E_QUANTISE_RANGE",
            Self::ReportRange => "E_REPORT_RANGE",
        }
    }
}

impl From<Fault> for JsValue {
    fn from(fault: Fault) -> Self {
        Self::from_str(fault.code())
    }
}

pub fn require(holds: bool, fault: Fault) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(fault) }
}
