//! Every way in which the verification of a webhook can fail.

use std::time::Duration;

use crate::jose::TokenRejection;

/// Why a webhook was rejected. No variant contains any part of a body or a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A header that the scheme requires is missing.
    #[error("the header `{0}` is missing")]
    HeaderMissing(String),
    /// A header that must be unique occurs more than once.
    #[error("the header `{0}` occurs more than once")]
    HeaderRepeated(String),
    /// A header cannot be read.
    #[error("the header `{name}` is malformed: {expected}")]
    HeaderMalformed {
        /// The header.
        name: String,
        /// What the header should contain.
        expected: &'static str,
    },
    /// It was signed too long ago and may be a replay.
    #[error("the timestamp is {} s in the past; at most {} s are allowed", by.as_secs(), allowed.as_secs())]
    TimestampTooOld {
        /// How far in the past the timestamp is.
        by: Duration,
        /// The tolerance.
        allowed: Duration,
    },
    /// It was signed too far in the future: a clock is wrong.
    #[error("the timestamp is {} s in the future; at most {} s are allowed", by.as_secs(), allowed.as_secs())]
    TimestampInFuture {
        /// How far in the future the timestamp is.
        by: Duration,
        /// The tolerance.
        allowed: Duration,
    },
    /// No trusted key verifies the signature over what was received.
    #[error("no trusted key or secret verifies the signature")]
    SignatureUnverified,
    /// There is no key for this sort of signature.
    #[error("the signature in `{header}` cannot be verified: no key or secret for it is configured")]
    NoKeyForScheme {
        /// The header of the signature.
        header: String,
    },
    /// The signature covers the body alone, so anyone who has seen the request can send it again.
    #[error("the signature covers no timestamp, and legacy signatures are not enabled")]
    LegacySignature,
    /// The token that the settings require is missing.
    #[error("the header `{0}` must contain a JWT")]
    TokenMissing(String),
    /// The header for the token that the settings require contains other credentials.
    #[error("the header `{header}` carries {scheme} credentials and not a token")]
    NotAToken {
        /// The header.
        header: String,
        /// The scheme of the credentials if it is a well-known one, such as `Basic`; otherwise `other`.
        scheme: &'static str,
    },
    /// The token does not verify.
    #[error("the JWT was rejected")]
    Token(#[source] TokenRejection),
}

impl Rejection {
    /// A stable name of the reason, for responses, logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::HeaderMissing(_) => "header_missing",
            Self::HeaderRepeated(_) => "header_repeated",
            Self::HeaderMalformed { .. } => "header_malformed",
            Self::TimestampTooOld { .. } => "timestamp_too_old",
            Self::TimestampInFuture { .. } => "timestamp_in_future",
            Self::SignatureUnverified => "signature_unverified",
            Self::NoKeyForScheme { .. } => "no_key_for_scheme",
            Self::LegacySignature => "legacy_signature",
            Self::TokenMissing(_) | Self::NotAToken { .. } => "token_missing",
            Self::Token(_) => "token_refused",
        }
    }

    /// Whether the request cannot be read (status 400), as opposed to not verified (status 401).
    pub fn is_malformed(&self) -> bool {
        match self {
            Self::HeaderMissing(_) | Self::HeaderRepeated(_) | Self::HeaderMalformed { .. } => true,
            Self::TimestampTooOld { .. }
            | Self::TimestampInFuture { .. }
            | Self::SignatureUnverified
            | Self::NoKeyForScheme { .. }
            | Self::LegacySignature
            | Self::TokenMissing(_)
            | Self::NotAToken { .. }
            | Self::Token(_) => false,
        }
    }

    /// Whether a newer key set or secret could verify the request.
    pub fn may_be_a_new_key(&self) -> bool {
        match self {
            Self::SignatureUnverified
            | Self::NoKeyForScheme { .. }
            | Self::Token(TokenRejection::SignatureUnverified) => true,
            Self::HeaderMissing(_)
            | Self::HeaderRepeated(_)
            | Self::HeaderMalformed { .. }
            | Self::TimestampTooOld { .. }
            | Self::TimestampInFuture { .. }
            | Self::LegacySignature
            | Self::TokenMissing(_)
            | Self::NotAToken { .. }
            | Self::Token(_) => false,
        }
    }
}
