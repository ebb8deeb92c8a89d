//! A stack on the emulator.

use std::collections::BTreeMap;

/// What is needed to reach a stack on the emulator.
#[derive(Clone, Debug)]
pub struct EmulatedStack {
    /// The emulator's address.
    pub endpoint: String,
    pub account: String,
    pub outputs: BTreeMap<String, String>,
}
