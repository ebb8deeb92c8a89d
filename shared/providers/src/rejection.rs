//! Every way in which a webhook can fail to prove where it comes from.

use std::time::Duration;

use crate::jose::TokenRejection;

/// Why a webhook was not verified. No variant holds a byte of a body or a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A header that the scheme needs is not there.
    #[error("the header `{0}` is missing")]
    HeaderMissing(String),
    /// A header that must be unique came more than once.
    #[error("the header `{0}` came more than once")]
    HeaderRepeated(String),
    /// A header cannot be read.
    #[error("the header `{name}` is malformed: {expected}")]
    HeaderMalformed {
        /// Which header.
        name: String,
        /// What would be right.
        expected: &'static str,
    },
    /// It was signed too long ago: it may be a replay.
    #[error("the timestamp lies {} s in the past, at most {} s are allowed", by.as_secs(), allowed.as_secs())]
    TimestampTooOld {
        /// How long ago.
        by: Duration,
        /// How long is allowed.
        allowed: Duration,
    },
    /// It was signed too far in the future: a clock is wrong.
    #[error("the timestamp lies {} s in the future, at most {} s are allowed", by.as_secs(), allowed.as_secs())]
    TimestampInFuture {
        /// How far ahead.
        by: Duration,
        /// How far is allowed.
        allowed: Duration,
    },
    /// No trusted key verifies the signature over what was received.
    #[error("no trusted key or secret verifies the signature")]
    SignatureUnverified,
    /// There is no key to verify this sort of signature with.
    #[error("the signature in `{header}` cannot be verified: no key or secret for it is configured")]
    NoKeyForScheme {
        /// The header it came in.
        header: String,
    },
    /// It is signed over the body alone, which anybody who has seen it can send again.
    #[error("the signature covers no timestamp; such legacy signatures are not switched on")]
    LegacySignature,
    /// The token that the settings require is not there.
    #[error("the header `{0}` must carry a JWT")]
    TokenMissing(String),
    /// The token that came along does not verify.
    #[error("the JWT was refused")]
    Token(#[source] TokenRejection),
}

impl Rejection {
    /// A stable name for the way it failed, for answers, logs and metrics.
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
            Self::TokenMissing(_) => "token_missing",
            Self::Token(_) => "token_refused",
        }
    }

    /// Whether the request cannot be read (answered 400), rather than not be believed (401).
    pub fn is_malformed(&self) -> bool {
        match self {
            Self::HeaderMissing(_) | Self::HeaderRepeated(_) | Self::HeaderMalformed { .. } => true,
            Self::TimestampTooOld { .. }
            | Self::TimestampInFuture { .. }
            | Self::SignatureUnverified
            | Self::NoKeyForScheme { .. }
            | Self::LegacySignature
            | Self::TokenMissing(_)
            | Self::Token(_) => false,
        }
    }

    /// Whether a newer key set or secret could verify what this one does not.
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
            | Self::Token(_) => false,
        }
    }
}
