//! The response to the provider: a status, a stable code and a sentence. It contains no secret and no byte of the request.

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::encodings::Body;
use fundhook_providers::Rejection;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};

/// The receiver's answer to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200: the webhook is durably queued.
    Accepted,
    /// 400: the gateway marked the body as base64, and it is not.
    BodyEncoding,
    /// 400 or 401: the webhook could not be verified.
    Rejected(Rejection),
    /// 404: no provider of that name is enabled.
    UnknownProvider,
    /// 405: the method is not `POST`.
    MethodNotAllowed,
    /// 413: the body is too large.
    TooLarge,
    /// 503: there is no key set or secret to verify with yet.
    NoUsableKeys,
    /// 503: the signature does not match the known keys or secrets, and newer ones cannot be read or fetched now.
    KeysUnread,
    /// 503: the queue did not accept the webhook.
    QueueUnreachable,
}

/// The `Retry-After` of a 503.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

impl Answer {
    pub fn status(&self) -> u16 {
        match self {
            Self::Accepted => 200,
            Self::BodyEncoding => 400,
            Self::Rejected(rejection) if rejection.is_malformed() => 400,
            Self::Rejected(_) => 401,
            Self::UnknownProvider => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::NoUsableKeys | Self::KeysUnread | Self::QueueUnreachable => 503,
        }
    }

    /// The stable code of the error; `accepted` when there is none.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::BodyEncoding => "body_encoding",
            Self::Rejected(rejection) => rejection.code(),
            Self::UnknownProvider => "unknown_provider",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooLarge => "body_too_large",
            Self::NoUsableKeys => "no_key_set",
            Self::KeysUnread => "keys_unread",
            Self::QueueUnreachable => "queue_unreachable",
        }
    }

    pub fn message(&self) -> String {
        match self {
            Self::Accepted => "The webhook is queued.".to_owned(),
            Self::BodyEncoding => "The body is marked as base64 and does not decode.".to_owned(),
            Self::Rejected(rejection) => format!("The webhook was rejected: {rejection}."),
            Self::UnknownProvider => "No provider of that name is switched on here.".to_owned(),
            Self::MethodNotAllowed => "Webhooks are received by POST.".to_owned(),
            Self::TooLarge => format!("The body is larger than {} bytes.", crate::BODY_BYTES_MAX),
            Self::NoUsableKeys => "There is no key set to verify with yet; please send it again.".to_owned(),
            Self::KeysUnread => {
                "The signature matches no known key, and newer keys cannot be read now; please send it again."
                    .to_owned()
            }
            Self::QueueUnreachable => "The webhook could not be queued; please send it again.".to_owned(),
        }
    }

    /// The response that Lambda passes to the gateway.
    pub fn into_response(self) -> ApiGatewayV2httpResponse {
        let status = self.status();
        let json = match &self {
            Self::Accepted => serde_json::json!({ "status": self.code() }),
            Self::BodyEncoding
            | Self::Rejected(_)
            | Self::UnknownProvider
            | Self::MethodNotAllowed
            | Self::TooLarge
            | Self::NoUsableKeys
            | Self::KeysUnread
            | Self::QueueUnreachable => serde_json::json!({ "error": self.code(), "message": self.message() }),
        };
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        if status == 503 {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        if status == 405 {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = status.into();
        response.headers = headers;
        response.body = Some(Body::Text(json.to_string()));
        response
    }
}
