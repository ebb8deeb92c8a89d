//! `GET /participants`: the users of the platform [zerohash-openapi].

use fundhook_domain::Timestamp;
use fundhook_http_api::{ApiError, exact};
use reqwest::Url;
use serde::Deserialize;

use super::List;
use crate::endpoints::Endpoints;
use crate::page::{Filters, Paging, Position};
use crate::settings::Settings;

/// Which participants to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParticipantsQuery {
    /// Only the participant with this code.
    pub participant_code: Option<String>,
    /// Only the participant with this email address.
    pub email: Option<String>,
    /// Only participants with this status.
    pub status: Option<String>,
    /// Only participants of this type.
    pub entity_type: Option<String>,
    /// The page; the first one if it is `None`. [`Page::next`](crate::Page::next) is the one after a page.
    pub position: Option<Position>,
}

impl List for ParticipantsQuery {
    type Row = Participant;
    const PAGING: Paging = Paging::TotalPages;

    fn url(&self, endpoints: &Endpoints) -> Result<Url, ApiError> {
        Ok(endpoints.participants.clone())
    }

    fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn filters(&self, _: &Settings) -> Filters {
        Filters::default()
            .personal("participant_code", self.participant_code.as_ref())
            .personal("email", self.email.as_ref())
            .text("status", self.status.as_ref())
            .text("entity_type", self.entity_type.as_ref())
    }
}

/// A user of the platform, without personal data and unknown fields.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Participant {
    /// The user's code.
    #[serde(deserialize_with = "exact::text")]
    pub participant_code: String,
    /// The status, such as `approved`.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub status: Option<String>,
    /// The reason for the status, as a code.
    #[serde(default, deserialize_with = "exact::optional_text")]
    pub reason_code: Option<String>,
    /// When the provider last changed it. Whether every change of the status is one is not documented.
    #[serde(default, deserialize_with = "exact::optional_timestamp")]
    pub updated_at: Option<Timestamp>,
}
