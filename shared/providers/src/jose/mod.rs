//! Key sets [rfc-7517] and tokens [rfc-7519], based on `jsonwebtoken`.

mod keys;
mod token;

pub(crate) use keys::decode_standard_base64;
pub use keys::{InvalidKeySet, Key, KeySet};
pub use token::{TokenPolicy, TokenRejection, verify_token};
