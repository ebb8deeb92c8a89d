//! What identifies the platform: API key, passphrase, and the secret that signs.

use std::fmt;

use aws_lc_rs::hmac;
use base64::alphabet;
use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use secrecy::{ExposeSecret, SecretString};

/// The bytes of a secret. No page says so, and every known client of integrators decodes this many.
const BYTES_MIN: usize = 32;

/// What the provider gave the platform for its API.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Identifies the credentials.
    pub api_key: SecretString,
    /// The passphrase that belongs to `api_key`.
    pub passphrase: SecretString,
    /// The secret that signs each request.
    pub secret: ApiSecret,
}

/// How the text of a secret becomes the key of the signature. The provider documents none; all known clients decode it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretEncoding {
    /// The key is the secret decoded from base64.
    #[default]
    Base64,
    /// The key is the text itself.
    Text,
}

/// The key that signs requests: HMAC with SHA-256 [zerohash-api-auth]. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ApiSecret {
    key: hmac::Key,
    /// What no message may repeat.
    text: SecretString,
}

/// Why a text is not a secret. The message does not repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiSecretError {
    /// The text is not base64.
    #[error("the API secret is not base64; expected base64 of at least {BYTES_MIN} bytes, as the provider shows it")]
    NotBase64,
    /// The key would be too short.
    #[error("the API secret has {bytes} bytes; expected at least {BYTES_MIN}, in base64 unless it is taken as text")]
    Short {
        /// The bytes of the key.
        bytes: usize,
    },
}

impl ApiSecret {
    /// Parses the secret. White space around it is ignored, and padding may be missing. A returned secret can sign.
    pub fn parse(secret: &SecretString, encoding: SecretEncoding) -> Result<Self, ApiSecretError> {
        let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let text = secret.expose_secret().trim();
        let key = match encoding {
            SecretEncoding::Base64 => {
                GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(text).map_err(|_| ApiSecretError::NotBase64)?
            }
            SecretEncoding::Text => text.as_bytes().to_vec(),
        };
        if key.len() < BYTES_MIN {
            return Err(ApiSecretError::Short { bytes: key.len() });
        }
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key), text: text.to_owned().into() })
    }

    /// The signature of `message` in standard base64.
    pub(crate) fn sign(&self, message: &[u8]) -> String {
        BASE64_STANDARD.encode(hmac::sign(&self.key, message))
    }

    /// The text that it was parsed from.
    pub(crate) fn text(&self) -> &SecretString {
        &self.text
    }
}

impl fmt::Debug for ApiSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiSecret").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, encoding: SecretEncoding) -> Result<ApiSecret, ApiSecretError> {
        ApiSecret::parse(&text.to_owned().into(), encoding)
    }

    #[test]
    fn a_secret_is_base64_of_32_bytes_or_more_with_or_without_padding() {
        let canary = BASE64_STANDARD.encode([0x5a; 32]);
        for text in [canary.as_str(), canary.trim_end_matches('='), &format!(" {canary}\n")] {
            let secret = parsed(text, SecretEncoding::Base64).expect("32 bytes");
            assert_eq!(format!("{secret:?}"), "ApiSecret { .. }");
            assert_eq!(secret.sign(b"x"), parsed(&canary, SecretEncoding::Base64).expect("the same").sign(b"x"));
        }
        assert_ne!(
            parsed(&canary, SecretEncoding::Text).expect("44 characters").sign(b"x"),
            parsed(&canary, SecretEncoding::Base64).expect("32 bytes").sign(b"x")
        );
    }

    #[test]
    fn an_invalid_secret_is_not_repeated() {
        for (text, encoding, error) in [
            ("canary canary", SecretEncoding::Base64, ApiSecretError::NotBase64),
            ("canary--", SecretEncoding::Base64, ApiSecretError::NotBase64),
            ("Y2FuYXJ5", SecretEncoding::Base64, ApiSecretError::Short { bytes: 6 }),
            ("", SecretEncoding::Base64, ApiSecretError::Short { bytes: 0 }),
            ("canary", SecretEncoding::Text, ApiSecretError::Short { bytes: 6 }),
        ] {
            let found = parsed(text, encoding).expect_err(text);
            assert_eq!(found, error);
            let message = found.to_string();
            assert!(message.contains("expected") && message.contains("32") && !message.contains("canary"), "{message}");
        }
    }
}
