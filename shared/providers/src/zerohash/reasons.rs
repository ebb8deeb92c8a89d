//! zerohash's reasons for the status of a fund transaction.
//!
//! A code decides. Where none comes along, a text is compared with the documented ones. A code or text that is not
//! known means nothing: the deposit is held, and a person or the setting `FUNDHOOK_ZEROHASH_REASON_CODES` says what it
//! means. What cannot be read is not known either: a reason that is stated is never taken as missing.

use fundhook_domain::{HoldReason, Location};

use crate::reading::{ReadingSettings, ReasonMeaning};
use crate::wire::Fields;

/// What a reason tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// There is none.
    None,
    /// It is known.
    Known(ReasonMeaning, Option<Location>),
    /// It is not known.
    Unknown,
}

/// The documented codes [zerohash-payins-webhooks]. `PROCESSING_FAILED` is missing: it covers so many cases that only
/// the text tells them apart.
const CODES: [(&str, ReasonMeaning); 4] = [
    ("DEPOSIT_PROCESSED", ReasonMeaning::Processed),
    ("AMOUNT_ABOVE_MAXIMUM", ReasonMeaning::Held(HoldReason::NotConverted)),
    ("AMOUNT_BELOW_MINIMUM", ReasonMeaning::Held(HoldReason::NotConverted)),
    ("DEPOSIT_WINDOW_EXPIRED", ReasonMeaning::Expired),
];

/// The code whose meaning only the text beside it tells.
const SEE_TEXT: &str = "PROCESSING_FAILED";

/// The documented texts that are compared whole, in lower case and without a final point.
const WHOLE: [(&str, ReasonMeaning); 12] = [
    ("success", ReasonMeaning::Processed),
    ("deposit processed", ReasonMeaning::Processed),
    ("deposit session has expired", ReasonMeaning::Expired),
    ("session expired", ReasonMeaning::Expired),
    (
        "deposit received, however the travel rule-based account match has not completed",
        ReasonMeaning::Held(HoldReason::AccountMatchPending),
    ),
    (
        "deposit received, however the travel rule-based account match has not completed yet",
        ReasonMeaning::Held(HoldReason::AccountMatchPending),
    ),
    ("travel rule-based account match has not completed", ReasonMeaning::Held(HoldReason::AccountMatchPending)),
    ("travel rule-based account match has not completed yet", ReasonMeaning::Held(HoldReason::AccountMatchPending)),
    ("account match has not completed", ReasonMeaning::Held(HoldReason::AccountMatchPending)),
    ("account match has not completed yet", ReasonMeaning::Held(HoldReason::AccountMatchPending)),
    ("account match failed", ReasonMeaning::Held(HoldReason::AccountMatchFailed)),
    ("pending settlement", ReasonMeaning::Held(HoldReason::SettlementPending)),
];

/// The texts of which the provider documents the beginning only [zerohash-fund-webhooks, zerohash-payins-api]. All of
/// them say that the deposit is not credited, so what follows cannot turn one into a credit.
const BEGINNINGS: [(&str, HoldReason); 11] = [
    ("deposit above maximum threshold", HoldReason::NotConverted),
    ("deposit below minimum threshold", HoldReason::NotConverted),
    ("asset deposited is not supported by the fund workflow", HoldReason::NotConverted),
    ("asset deposited is not supported by your platform", HoldReason::NotConverted),
    ("deposit to an account associated with a platform not enabled", HoldReason::NotConverted),
    ("your platform is no longer configured", HoldReason::NotConverted),
    ("the customer was not in an approved state", HoldReason::NotConverted),
    ("this participant is not in an approved state", HoldReason::NotConverted),
    ("travel rule-based account match failed", HoldReason::AccountMatchFailed),
    ("deposit received, however the travel rule-based account match failed", HoldReason::AccountMatchFailed),
    ("for zero hash compliance reasons", HoldReason::ComplianceReview),
];

/// What follows an asset's code when its conversion is halted: `USDC conversions are currently halted`.
const CONVERSIONS_HALTED: &str = " conversions are currently halted";

/// The member with the code.
const CODE: &str = "status_reason_code";

/// The members with the text. Pages differ in the name [zerohash-fund-update, zerohash-fund-api].
const TEXTS: [&str; 2] = ["status_reason", "reason"];

/// What the reason in `members` tells, which keep it.
pub(super) fn reason(members: &Fields, settings: &ReadingSettings) -> Reason {
    let texts = TEXTS.into_iter().filter(|name| members.states(name));
    let mut told = texts.map(|name| members.text(name).map_or(Reason::Unknown, of_text));
    let first = told.next().unwrap_or(Reason::None);
    // Two texts that tell different things tell nothing.
    let by_text = if told.all(|other| other == first) { first } else { Reason::Unknown };
    match members.text(CODE) {
        Some(code) => of_code(code, by_text, settings),
        None if members.states(CODE) => Reason::Unknown,
        None => by_text,
    }
}

/// What `code` tells beside a text that tells `by_text`.
fn of_code(code: &str, by_text: Reason, settings: &ReadingSettings) -> Reason {
    let set = settings.reason_codes.iter().find(|(known, _)| known.eq_ignore_ascii_case(code));
    let documented = || CODES.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(code));
    match set.map(|(_, meaning)| *meaning).or_else(|| documented().map(|(_, meaning)| meaning)) {
        Some(meaning) => known(meaning),
        None if code.eq_ignore_ascii_case(SEE_TEXT) => match by_text {
            // The code says that something failed.
            Reason::None | Reason::Known(ReasonMeaning::Processed, _) => Reason::Unknown,
            told @ (Reason::Known(_, _) | Reason::Unknown) => told,
        },
        None => Reason::Unknown,
    }
}

fn of_text(text: &str) -> Reason {
    let words: Vec<&str> = text.split_whitespace().collect();
    let lower = words.join(" ").trim_end_matches('.').to_lowercase();
    if let Some((_, meaning)) = WHOLE.into_iter().find(|(whole, _)| *whole == lower) {
        return known(meaning);
    }
    let begins =
        |beginning: &str| lower.strip_prefix(beginning).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
    if let Some((_, hold)) = BEGINNINGS.into_iter().find(|(beginning, _)| begins(beginning)) {
        return known(ReasonMeaning::Held(hold));
    }
    match lower.split_once(CONVERSIONS_HALTED) {
        Some((asset, _)) if !asset.contains(' ') => known(ReasonMeaning::Held(HoldReason::NotConverted)),
        Some(_) | None => Reason::Unknown,
    }
}

/// The reason, and where the money is. A deposit that compliance holds is in an account of zerohash's
/// [zerohash-payins-api].
fn known(meaning: ReasonMeaning) -> Reason {
    let location = match meaning {
        ReasonMeaning::Held(HoldReason::ComplianceReview) => Some(Location::HoldingAccount),
        ReasonMeaning::Held(reason) => reason.location(),
        ReasonMeaning::Processed | ReasonMeaning::Expired => None,
    };
    Reason::Known(meaning, location)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn reason(code: Option<&str>, text: Option<&str>, settings: &ReadingSettings) -> Reason {
        let stated = json!({ CODE: code, TEXTS[0]: text });
        super::reason(&Fields::new(stated.as_object().expect("an object").clone()), settings)
    }

    fn meaning(code: Option<&str>, text: Option<&str>) -> Option<ReasonMeaning> {
        match reason(code, text, &ReadingSettings::default()) {
            Reason::Known(meaning, _) => Some(meaning),
            Reason::None | Reason::Unknown => None,
        }
    }

    #[test]
    fn a_text_that_gives_a_credit_or_is_superseded_is_compared_whole() {
        for text in ["success", "Success.", " DEPOSIT PROCESSED "] {
            assert_eq!(meaning(None, Some(text)), Some(ReasonMeaning::Processed), "{text}");
        }
        for text in ["success, reversed later", "successful", "deposit processed with exceptions", "ok"] {
            assert_eq!(reason(None, Some(text), &ReadingSettings::default()), Reason::Unknown, "{text}");
        }
        let pending = "deposit received, however the Travel Rule-based account match has not completed";
        assert_eq!(meaning(None, Some(pending)), Some(ReasonMeaning::Held(HoldReason::AccountMatchPending)));
        let refused = format!("{pending} and was refused");
        assert_eq!(reason(None, Some(&refused), &ReadingSettings::default()), Reason::Unknown);
    }

    #[test]
    fn a_text_that_says_that_nothing_is_credited_is_known_by_its_beginning() {
        for (text, hold) in [
            ("deposit above maximum threshold. The deposit has not been converted", HoldReason::NotConverted),
            ("deposit below minimum threshold", HoldReason::NotConverted),
            ("USDC.ETH conversions are currently halted.", HoldReason::NotConverted),
            ("Travel Rule-based account match failed.", HoldReason::AccountMatchFailed),
            ("For Zero Hash Compliance reasons, the deposit is under review", HoldReason::ComplianceReview),
        ] {
            assert_eq!(meaning(None, Some(text)), Some(ReasonMeaning::Held(hold)), "{text}");
        }
        assert_eq!(meaning(None, Some("deposit above maximum thresholds")), None);
    }

    #[test]
    fn the_code_decides_and_a_setting_maps_codes() {
        let failed = Some("deposit above maximum threshold");
        assert_eq!(meaning(Some("deposit_processed"), failed), Some(ReasonMeaning::Processed));
        assert_eq!(reason(Some("NEW_CODE"), Some("success"), &ReadingSettings::default()), Reason::Unknown);
        let held = Some(ReasonMeaning::Held(HoldReason::NotConverted));
        assert_eq!(meaning(Some("PROCESSING_FAILED"), failed), held);
        assert_eq!(meaning(Some("PROCESSING_FAILED"), Some("success")), None);
        let reason_codes = BTreeMap::from([("NEW_CODE".to_owned(), ReasonMeaning::Processed)]);
        let settings = ReadingSettings { reason_codes, ..Default::default() };
        assert_eq!(reason(Some("new_code"), None, &settings), Reason::Known(ReasonMeaning::Processed, None));
    }

    #[test]
    fn documented_texts_are_written_as_they_are_compared() {
        for (text, _) in WHOLE {
            assert_eq!(text, text.to_lowercase());
            assert!(!text.ends_with('.'));
        }
        assert!(BEGINNINGS.iter().all(|(text, _)| *text == text.to_lowercase()));
    }
}
