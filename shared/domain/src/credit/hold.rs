//! Holds: why a deposit that is in may not be credited, and who must act.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a deposit that is in may not be credited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// The provider has not yet matched the sender's name with the customer's [zerohash-name-match].
    AccountMatchPending,
    /// Information about the sender is missing (travel rule).
    TravelRule,
    /// The provider must approve the deposit.
    ApprovalPending,
    /// The provider has not yet settled the deposit.
    SettlementPending,
    /// The provider's compliance department reviews the deposit.
    ComplianceReview,
    /// The provider stated a status that Fundhook does not know.
    StatusUnknown,
    /// The provider gave a reason that Fundhook does not know, or stated no reason for a deposit that is not credited.
    UnknownReason,
    /// The customer's account is not stated.
    AccountUnknown,
    /// The amount, its asset, or the rate that it is checked with is not stated or cannot be read.
    AmountMissing,
    /// The unit of the amount is not known, so the amount in whole coins is not.
    UnitUnknown,
    /// The provider states fees that cannot be read.
    FeesUnreadable,
    /// There is a fee, and the numbers do not tell whether the customer or the platform bears it. The setting
    /// `FUNDHOOK_DEPOSIT_FEES_BORNE_BY` decides.
    FeeBearerUnknown,
    /// The amount is zero or negative.
    AmountNotPositive,
    /// The provider's numbers contradict each other.
    AmountsDisagree,
    /// The provider credited the deposit, and its coin is credited by what another webhook family reports: the setting
    /// `FUNDHOOK_CREDITING_FAMILIES` does not name the family of this one.
    Corroborates,
    /// The coin may be credited under another deposit already: the same user, asset and amount, within days, reported by
    /// another webhook family, and not both name their transactions.
    MayBeCredited,
    /// The crypto is in the customer's account as it arrived; the provider did not convert it.
    NotConverted,
    /// The sender's name does not match the customer's [zerohash-name-match].
    AccountMatchFailed,
    /// The provider put the deposit into quarantine: it is not credited unless a person decides otherwise.
    Quarantined,
}

/// Who must act, so that a held deposit goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// The provider: a further webhook is expected.
    Provider,
    /// The user, who must give information or withdraw the crypto.
    User,
    /// The operator of Fundhook, who must set a setting.
    Setting,
    /// A person of the platform, who must look into it.
    Review,
}

/// Where held money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// In the customer's account at the provider.
    CustomerAccount,
    /// In an account of the provider's.
    HoldingAccount,
}

/// Why a deposit that is in may not be credited, who must act, and where the money is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// The reason.
    pub reason: HoldReason,
    /// Who must act.
    pub needs: Needs,
    /// Where the money is; missing when the provider does not say it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<Location>,
    /// The reason as a sentence, with the numbers or the setting that it is about.
    pub explanation: String,
}

/// What a hold means for the statements beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldForce {
    /// The provider is not done: another statement follows.
    Waiting,
    /// Fundhook cannot tell what the statement means for the money.
    Unclear,
    /// The provider is done with the deposit and did not credit it.
    Terminal,
}

impl HoldReason {
    /// Every reason, from the least grave to the gravest.
    pub const ALL: [Self; 19] = [
        Self::AccountMatchPending,
        Self::TravelRule,
        Self::ApprovalPending,
        Self::SettlementPending,
        Self::ComplianceReview,
        Self::StatusUnknown,
        Self::UnknownReason,
        Self::AccountUnknown,
        Self::AmountMissing,
        Self::UnitUnknown,
        Self::FeesUnreadable,
        Self::FeeBearerUnknown,
        Self::AmountNotPositive,
        Self::AmountsDisagree,
        Self::Corroborates,
        Self::MayBeCredited,
        Self::NotConverted,
        Self::AccountMatchFailed,
        Self::Quarantined,
    ];

    /// The name in events and settings: `account_match_pending`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountMatchPending => "account_match_pending",
            Self::TravelRule => "travel_rule",
            Self::ApprovalPending => "approval_pending",
            Self::SettlementPending => "settlement_pending",
            Self::ComplianceReview => "compliance_review",
            Self::StatusUnknown => "status_unknown",
            Self::UnknownReason => "unknown_reason",
            Self::AccountUnknown => "account_unknown",
            Self::AmountMissing => "amount_missing",
            Self::UnitUnknown => "unit_unknown",
            Self::FeesUnreadable => "fees_unreadable",
            Self::FeeBearerUnknown => "fee_bearer_unknown",
            Self::AmountNotPositive => "amount_not_positive",
            Self::AmountsDisagree => "amounts_disagree",
            Self::Corroborates => "corroborates",
            Self::MayBeCredited => "may_be_credited",
            Self::NotConverted => "not_converted",
            Self::AccountMatchFailed => "account_match_failed",
            Self::Quarantined => "quarantined",
        }
    }

    /// Who must act.
    pub fn needs(self) -> Needs {
        match self {
            Self::AccountMatchPending
            | Self::ApprovalPending
            | Self::SettlementPending
            | Self::ComplianceReview
            | Self::Corroborates
            | Self::Quarantined => Needs::Provider,
            Self::TravelRule | Self::AccountMatchFailed => Needs::User,
            Self::FeeBearerUnknown => Needs::Setting,
            Self::StatusUnknown
            | Self::UnknownReason
            | Self::AccountUnknown
            | Self::AmountMissing
            | Self::UnitUnknown
            | Self::FeesUnreadable
            | Self::AmountNotPositive
            | Self::AmountsDisagree
            | Self::MayBeCredited
            | Self::NotConverted => Needs::Review,
        }
    }

    /// What the hold means for the statements beside it.
    pub fn force(self) -> HoldForce {
        match self {
            Self::AccountMatchPending
            | Self::TravelRule
            | Self::ApprovalPending
            | Self::SettlementPending
            | Self::ComplianceReview => HoldForce::Waiting,
            Self::StatusUnknown
            | Self::UnknownReason
            | Self::AccountUnknown
            | Self::AmountMissing
            | Self::UnitUnknown
            | Self::FeesUnreadable
            | Self::FeeBearerUnknown
            | Self::AmountNotPositive
            | Self::AmountsDisagree
            | Self::Corroborates
            | Self::MayBeCredited => HoldForce::Unclear,
            Self::NotConverted | Self::AccountMatchFailed | Self::Quarantined => HoldForce::Terminal,
        }
    }

    /// Whether the provider states the reason, rather than Fundhook, which cannot tell what a statement means for the money.
    pub fn is_stated(self) -> bool {
        self.force() != HoldForce::Unclear
    }

    /// Where the money is, when the reason alone tells it.
    pub fn location(self) -> Option<Location> {
        match self {
            Self::NotConverted | Self::AccountMatchFailed => Some(Location::CustomerAccount),
            Self::AccountMatchPending
            | Self::TravelRule
            | Self::ApprovalPending
            | Self::SettlementPending
            | Self::ComplianceReview
            | Self::StatusUnknown
            | Self::UnknownReason
            | Self::AccountUnknown
            | Self::AmountMissing
            | Self::UnitUnknown
            | Self::FeesUnreadable
            | Self::FeeBearerUnknown
            | Self::AmountNotPositive
            | Self::AmountsDisagree
            | Self::Corroborates
            | Self::MayBeCredited
            | Self::Quarantined => None,
        }
    }

    /// The reason as a sentence.
    fn sentence(self) -> &'static str {
        match self {
            Self::AccountMatchPending => "The provider has not yet matched the sender with the customer.",
            Self::TravelRule => "Information about the sender is missing (travel rule).",
            Self::ApprovalPending => "The provider must approve the deposit.",
            Self::SettlementPending => "The provider has not yet settled the deposit.",
            Self::ComplianceReview => "The provider's compliance department reviews the deposit.",
            Self::StatusUnknown => "The provider stated a status that is not known.",
            Self::UnknownReason => "The provider gave no reason, or one that is not known.",
            Self::AccountUnknown => "The webhook does not state the customer's account.",
            Self::AmountMissing => "The webhook does not state the amount.",
            Self::UnitUnknown => "The webhook does not state the unit of the amount.",
            Self::FeesUnreadable => "The webhook states fees that cannot be read.",
            Self::FeeBearerUnknown => {
                "There is a fee, and the numbers do not tell who bears it. Set FUNDHOOK_DEPOSIT_FEES_BORNE_BY."
            }
            Self::AmountNotPositive => "The amount is zero or negative.",
            Self::AmountsDisagree => "The provider's numbers contradict each other.",
            Self::Corroborates => "The coin is credited by what another webhook family reports.",
            Self::MayBeCredited => "The coin may be credited under another deposit already.",
            Self::NotConverted => "The crypto is in the customer's account as it arrived; it was not converted.",
            Self::AccountMatchFailed => "The sender does not match the customer. The customer can withdraw the crypto.",
            Self::Quarantined => "The provider put the deposit into quarantine.",
        }
    }
}

impl std::fmt::Display for HoldReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<HoldReason> for Hold {
    fn from(reason: HoldReason) -> Self {
        let explanation = reason.sentence().to_owned();
        Self { reason, needs: reason.needs(), location: reason.location(), explanation }
    }
}

impl Hold {
    /// The hold with the money at `location`.
    pub fn at(self, location: Location) -> Self {
        Self { location: Some(location), ..self }
    }

    /// The hold with a sentence about its particular case.
    pub fn because(self, explanation: impl Into<String>) -> Self {
        Self { explanation: explanation.into(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_are_listed_from_the_least_grave_to_the_gravest() {
        assert!(HoldReason::ALL.is_sorted());
        assert!(HoldReason::ALL.is_sorted_by_key(|reason| reason.force()));
    }

    #[test]
    fn a_reason_is_written_in_json_as_in_text() {
        for reason in HoldReason::ALL {
            assert_eq!(serde_json::to_value(reason).expect("a string"), reason.as_str());
        }
    }
}
