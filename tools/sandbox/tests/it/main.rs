//! The sandbox provider's APIs, as a platform calls them.

mod sandbox_api;
