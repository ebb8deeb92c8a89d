//! Reading a provider's JSON without failing on unexpected members.

mod fields;
mod json;

pub(crate) use fields::Fields;
pub(crate) use json::members;
