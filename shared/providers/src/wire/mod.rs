//! Taking a provider's JSON apart without ever failing on it.

mod asset;
mod fields;
mod json;

pub(crate) use asset::split_asset;
pub(crate) use fields::Fields;
pub(crate) use json::members;
