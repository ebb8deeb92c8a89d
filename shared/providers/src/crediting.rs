//! Which webhook families credit: an operator may name the ones whose deposits are booked. The others corroborate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use fundhook_domain::{DepositStatus, Details, Feed, Hold, HoldReason, Status, Tenant, WebhookFamily};

use crate::draft::Draft;

/// A family of webhooks that may credit a deposit, by its name in settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CreditingFamily {
    /// Connect's deposits, as webhooks and as rows of its list.
    Connect,
    /// zerohash's fund transactions.
    Fund,
    /// zerohash's deposit statuses.
    DepositStatus,
}

/// A text that is not a list of crediting families.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a list of crediting families, such as fund or fund,deposit_status;acme=connect")]
pub struct CreditingError(String);

/// Which families credit, for each organization. By default all do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crediting {
    /// For organizations that have no list of their own; `None` when all families credit.
    default: Option<BTreeSet<CreditingFamily>>,
    tenants: BTreeMap<Tenant, BTreeSet<CreditingFamily>>,
}

impl CreditingFamily {
    const ALL: [Self; 3] = [Self::Connect, Self::Fund, Self::DepositStatus];

    fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Fund => "fund",
            Self::DepositStatus => "deposit_status",
        }
    }

    /// The name under which `family` is in the setting; `None` for one that the setting does not concern.
    fn of(family: WebhookFamily) -> Option<Self> {
        match family {
            WebhookFamily::ConnectDeposits | WebhookFamily::ConnectTransactions => Some(Self::Connect),
            WebhookFamily::ZerohashFund => Some(Self::Fund),
            WebhookFamily::ZerohashDepositStatus => Some(Self::DepositStatus),
            WebhookFamily::ConnectWithdrawals
            | WebhookFamily::ZerohashDepositFailed
            | WebhookFamily::ZerohashPayments
            | WebhookFamily::StrigaTransactions => None,
        }
    }
}

impl Crediting {
    /// The families that credit in the organization of `feed`; `None` when all do.
    fn of(&self, feed: &Feed) -> Option<&BTreeSet<CreditingFamily>> {
        feed.tenant().and_then(|tenant| self.tenants.get(tenant)).or(self.default.as_ref())
    }

    /// Whether deposits of `family` are credited in the organization `tenant`.
    pub fn includes(&self, tenant: Option<&Tenant>, family: CreditingFamily) -> bool {
        let families = tenant.and_then(|tenant| self.tenants.get(tenant)).or(self.default.as_ref());
        families.is_none_or(|families| families.contains(&family))
    }

    /// Whether deposits that `family` reports in `feed` are credited.
    fn credits(&self, feed: &Feed, family: WebhookFamily) -> bool {
        CreditingFamily::of(family).is_none_or(|family| self.includes(feed.tenant(), family))
    }

    /// The part of the digest of settings that matters for a deposit of `family` in `feed`; empty by default.
    pub(crate) fn described(&self, feed: &Feed, family: WebhookFamily) -> String {
        let names = self.of(feed).filter(|_| CreditingFamily::of(family).is_some());
        names.map(|names| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",")).unwrap_or_default()
    }

    /// Holds a deposit that a family credits which only corroborates. A hold because of what the credit is made of does not
    /// matter then, so it becomes the same hold.
    pub(crate) fn apply(&self, draft: &mut Draft) {
        let Details::Transfer(transfer) = &mut draft.details else {
            return;
        };
        let is_credited = draft.status == Some(Status::Deposit(DepositStatus::Confirmed))
            || transfer.hold.as_ref().is_some_and(|hold| is_about_the_credit(hold.reason));
        let Some(family) = transfer.family.filter(|family| !self.credits(draft.resource.feed(), *family)) else {
            return;
        };
        if is_credited {
            transfer.credit = None;
            transfer.hold = Some(Hold::from(HoldReason::Corroborates).because(format!(
                "Deposits that {family} reports are not credited: FUNDHOOK_CREDITING_FAMILIES does not name it."
            )));
            draft.status = Some(Status::Deposit(DepositStatus::Held));
        }
    }
}

/// Whether the provider said that it credited the deposit, and Fundhook could not tell with what.
pub(crate) fn is_about_the_credit(reason: HoldReason) -> bool {
    match reason {
        HoldReason::AccountUnknown
        | HoldReason::AmountMissing
        | HoldReason::UnitUnknown
        | HoldReason::FeesUnreadable
        | HoldReason::FeeBearerUnknown
        | HoldReason::AmountsDisagree => true,
        HoldReason::AccountMatchPending
        | HoldReason::TravelRule
        | HoldReason::ApprovalPending
        | HoldReason::SettlementPending
        | HoldReason::ComplianceReview
        | HoldReason::StatusUnknown
        | HoldReason::UnknownReason
        | HoldReason::AmountNotPositive
        | HoldReason::Corroborates
        | HoldReason::MayBeCredited
        | HoldReason::NotConverted
        | HoldReason::AccountMatchFailed
        | HoldReason::Quarantined => false,
    }
}

impl FromStr for Crediting {
    type Err = CreditingError;

    /// Reads `fund`, or `fund,deposit_status;acme=connect`: a list for all organizations, and lists for tenants.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rejected = || CreditingError(text.chars().take(64).collect());
        let family = |name: &str| CreditingFamily::ALL.into_iter().find(|family| family.as_str() == name.trim());
        let families = |list: &str| -> Option<BTreeSet<CreditingFamily>> { list.split(',').map(family).collect() };
        let mut crediting = Self::default();
        for part in text.split(';') {
            let is_new = match part.split_once('=') {
                None => crediting.default.replace(families(part).ok_or_else(rejected)?).is_none(),
                Some((tenant, list)) => {
                    let tenant = tenant.trim().parse().map_err(|_| rejected())?;
                    crediting.tenants.insert(tenant, families(list).ok_or_else(rejected)?).is_none()
                }
            };
            if !is_new {
                return Err(rejected());
            }
        }
        Ok(crediting)
    }
}

impl fmt::Display for Crediting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |families: &BTreeSet<CreditingFamily>| {
            families.iter().map(|family| family.as_str()).collect::<Vec<_>>().join(",")
        };
        let default = self.default.iter().map(list);
        let tenants = self.tenants.iter().map(|(tenant, families)| format!("{tenant}={}", list(families)));
        f.write_str(&default.chain(tenants).collect::<Vec<_>>().join(";"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_back_as_it_was_written_and_names_the_families_of_each_organization() {
        for text in ["fund", "connect,deposit_status", "fund;acme=connect", "acme=deposit_status;bolt=fund"] {
            let crediting: Crediting = text.parse().expect(text);
            assert_eq!(crediting.to_string(), text);
        }
        let crediting: Crediting = "fund;acme=connect".parse().expect("a list");
        let feed = |name: &str| name.parse::<Feed>().expect("a feed");
        for (of, family, expected) in [
            ("zerohash", WebhookFamily::ZerohashFund, true),
            ("zerohash", WebhookFamily::ZerohashDepositStatus, false),
            ("connect", WebhookFamily::ConnectDeposits, false),
            ("connect", WebhookFamily::ConnectTransactions, false),
            ("connect/acme", WebhookFamily::ConnectDeposits, true),
            ("zerohash/acme", WebhookFamily::ZerohashFund, false),
            ("zerohash/bolt", WebhookFamily::ZerohashFund, true),
            ("striga", WebhookFamily::StrigaTransactions, true),
        ] {
            assert_eq!(crediting.credits(&feed(of), family), expected, "{of} {family}");
        }
    }

    #[test]
    fn what_is_no_list_is_rejected_with_an_example() {
        for text in ["", "funds", "fund,", "fund;connect", "acme=", "Acme=fund", "acme=fund;acme=connect", "=fund"] {
            let error = text.parse::<Crediting>().expect_err(text).to_string();
            assert!(error.contains("fund,deposit_status;acme=connect"), "{error}");
        }
    }
}
