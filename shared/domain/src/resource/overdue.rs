//! Overdue notices: a resource has awaited its next statement for too long.

use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use crate::{FactId, ResourceId, Status, Timestamp};

/// Fundhook's own notice that a resource has awaited a further statement for too long.
///
/// There is exactly one for each time that a resource reaches a status: its id is made of the resource, the status and
/// the version at which the status was reached. So it is recorded once, however often it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverdueNotice {
    /// The id of the fact that it becomes.
    pub id: FactId,
    /// The status that has lasted too long; `None` when the resource has none yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<Status>,
    /// Since when a further statement has been overdue.
    pub overdue_since: Timestamp,
    /// The evidence for the status.
    pub evidence: Evidence,
}

impl OverdueNotice {
    /// The event's name, which for statements is the provider's.
    pub(super) const EVENT_TYPE: &str = "fundhook.overdue";

    /// The id of the one notice about `resource` in `status`, which it reached at `version`.
    pub(super) fn id_for(resource: &ResourceId, status: Option<Status>, version: u64) -> FactId {
        let status = status.map_or("none", Status::as_str);
        FactId::of(resource, Self::EVENT_TYPE, format!("{status} {version}").as_bytes())
    }
}
