//! How webhooks are read: the settings that a statement depends on.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use fundhook_domain::{
    Details, FeeBearer, Feed, HoldReason, Kind, Reading, ResourceId, Timestamp, WebhookFamily, digest_hex,
};

use crate::{Crediting, IdKey};

/// The revision of the normaliser. It grows with every change after which the same bytes may state something else.
pub const REVISION: u32 = 1;

/// What a provider's reason for a deposit's status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReasonMeaning {
    /// The deposit was processed: there is no exception.
    Processed,
    /// The session ended without a deposit.
    Expired,
    /// The deposit is not credited.
    Held(HoldReason),
}

impl ReasonMeaning {
    /// The name in settings: `processed`, `expired`, or the name of a hold's reason.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::Expired => "expired",
            Self::Held(reason) => reason.as_str(),
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        [Self::Processed, Self::Expired].into_iter().chain(HoldReason::ALL.map(Self::Held))
    }
}

/// A text that is not the name of a meaning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a meaning of a reason: processed, expired, or a hold such as not_converted")]
pub struct UnknownMeaning(String);

impl FromStr for ReasonMeaning {
    type Err = UnknownMeaning;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::all().find(|meaning| meaning.as_str() == name).ok_or_else(|| UnknownMeaning(name.to_owned()))
    }
}

impl fmt::Display for ReasonMeaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The settings that the reading of a webhook depends on.
#[derive(Clone, Debug, Default)]
pub struct ReadingSettings {
    /// The key of the ids of resources to which the provider gives none.
    pub id_key: IdKey,
    /// Who bears the fees of a deposit, where the provider's numbers leave it open. `None` holds such deposits.
    pub deposit_fees_borne_by: Option<FeeBearer>,
    /// What codes of zerohash's reasons mean, in addition to the documented ones and in place of them.
    pub reason_codes: BTreeMap<String, ReasonMeaning>,
    /// Which webhook families credit.
    pub crediting: Crediting,
}

impl ReadingSettings {
    /// The reading of bytes that were received at `at` and state `details` about `resource`.
    ///
    /// Settings that do not matter for a statement are not part of its reading: to change them must not restate it.
    pub(crate) fn reading(&self, at: Timestamp, resource: &ResourceId, details: &Details) -> Reading {
        let settings = match details {
            Details::Transfer(transfer) if resource.kind() == Kind::Deposit => {
                transfer.family.map(|family| self.digest(resource.feed(), family)).unwrap_or_default()
            }
            Details::Transfer(_)
            | Details::Recovery(_)
            | Details::Account(_)
            | Details::Balance(_)
            | Details::Unrecognized(_) => String::new(),
        };
        Reading { at, revision: REVISION, settings }
    }

    /// A short digest of the settings that matter for a deposit; empty when all have their defaults.
    fn digest(&self, feed: &Feed, family: WebhookFamily) -> String {
        const DIGITS: usize = 16;
        let crediting = self.crediting.described(feed, family);
        let credit = if is_fund_transaction(family) { self.described_credit() } else { String::new() };
        if crediting.is_empty() && credit.is_empty() {
            return String::new();
        }
        let mut digest = digest_hex(format!("{crediting}\n{credit}").as_bytes());
        digest.truncate(DIGITS);
        digest
    }

    /// The settings that decide what a fund transaction credits; empty when all have their defaults.
    fn described_credit(&self) -> String {
        if self.deposit_fees_borne_by.is_none() && self.reason_codes.is_empty() {
            return String::new();
        }
        let bearer = match self.deposit_fees_borne_by {
            None => "",
            Some(FeeBearer::Customer) => "customer",
            Some(FeeBearer::Platform) => "platform",
        };
        let codes: Vec<String> = self.reason_codes.iter().map(|(code, meaning)| format!("{code}={meaning}")).collect();
        format!("{bearer}\n{}", codes.join("\n"))
    }
}

/// Fund transactions have fees and reason codes, as webhooks and as rows of the list.
fn is_fund_transaction(family: WebhookFamily) -> bool {
    match family {
        WebhookFamily::ZerohashFund | WebhookFamily::ConnectTransactions => true,
        WebhookFamily::ConnectDeposits
        | WebhookFamily::ConnectWithdrawals
        | WebhookFamily::ZerohashDepositStatus
        | WebhookFamily::ZerohashDepositFailed
        | WebhookFamily::ZerohashPayments
        | WebhookFamily::StrigaTransactions => false,
    }
}

#[cfg(test)]
mod tests {
    use fundhook_domain::Provider;

    use super::*;

    #[test]
    fn every_meaning_is_found_by_its_name() {
        for meaning in ReasonMeaning::all() {
            assert_eq!(meaning.to_string().parse(), Ok(meaning));
        }
        assert!("credited".parse::<ReasonMeaning>().is_err());
    }

    #[test]
    fn different_settings_are_different_readings() {
        let codes = |meaning| BTreeMap::from([("CODE".to_owned(), meaning)]);
        let all = [
            ReadingSettings::default(),
            ReadingSettings { deposit_fees_borne_by: Some(FeeBearer::Customer), ..Default::default() },
            ReadingSettings { deposit_fees_borne_by: Some(FeeBearer::Platform), ..Default::default() },
            ReadingSettings { reason_codes: codes(ReasonMeaning::Processed), ..Default::default() },
            ReadingSettings { reason_codes: codes(ReasonMeaning::Expired), ..Default::default() },
            ReadingSettings { crediting: "fund".parse().expect("a list"), ..Default::default() },
            ReadingSettings { crediting: "connect,fund".parse().expect("a list"), ..Default::default() },
        ];
        let feed = Feed::new(Provider::Zerohash, None);
        let digest = |settings: &ReadingSettings| settings.digest(&feed, WebhookFamily::ZerohashFund);
        let digests: Vec<String> = all.iter().map(digest).collect();
        assert_eq!(digests[0], "");
        assert!(digests.iter().enumerate().all(|(at, digest)| !digests[..at].contains(digest)), "{digests:?}");
        let of_deposits = |settings: &ReadingSettings| settings.digest(&feed, WebhookFamily::ZerohashDepositStatus);
        assert_eq!(all.iter().filter(|settings| !of_deposits(settings).is_empty()).count(), 2, "only what matters");
        let of_striga = |settings: &ReadingSettings| settings.digest(&feed, WebhookFamily::StrigaTransactions);
        assert!(all.iter().all(|settings| of_striga(settings).is_empty()), "nothing matters");
    }
}
