//! The sandbox provider's API, as a platform calls it.

mod sandbox_api;
mod zerohash_api;
