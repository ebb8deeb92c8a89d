//! Reading a provider's JSON without failing on unexpected members.

mod asset;
mod fields;
mod json;

pub(crate) use asset::split_asset;
pub(crate) use fields::Fields;
pub(crate) use json::members;
