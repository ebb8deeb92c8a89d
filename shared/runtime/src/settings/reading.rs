//! The settings that the meaning of a webhook depends on.

use std::collections::BTreeMap;

use fundhook_domain::FeeBearer;
use fundhook_providers::{ReadingSettings, ReasonMeaning};

use super::crediting::crediting;
use super::environment::{Environment, SettingError, invalid};

/// Reads `FUNDHOOK_DEPOSIT_FEES_BORNE_BY`, `FUNDHOOK_ZEROHASH_REASON_CODES` and `FUNDHOOK_CREDITING_FAMILIES`. The key of the ids is the public one: who
/// names resources replaces it.
pub fn reading(environment: &Environment<'_>) -> Result<ReadingSettings, SettingError> {
    const BEARERS: [(&str, Option<FeeBearer>); 3] =
        [("customer", Some(FeeBearer::Customer)), ("platform", Some(FeeBearer::Platform)), ("unknown", None)];
    Ok(ReadingSettings {
        deposit_fees_borne_by: environment.one_of("FUNDHOOK_DEPOSIT_FEES_BORNE_BY", None, &BEARERS)?,
        reason_codes: reason_codes(environment)?,
        crediting: crediting(environment)?,
        ..ReadingSettings::default()
    })
}

/// A list such as `CODE=not_converted,OTHER=processed`.
fn reason_codes(environment: &Environment<'_>) -> Result<BTreeMap<String, ReasonMeaning>, SettingError> {
    const NAME: &str = "FUNDHOOK_ZEROHASH_REASON_CODES";
    let Some(list) = environment.optional(NAME) else {
        return Ok(BTreeMap::new());
    };
    let rejected = || {
        invalid(
            NAME,
            &list,
            "a list such as CODE=not_converted,OTHER=processed, each with processed, expired or the reason of a hold",
        )
    };
    let entry = |entry: &str| {
        let (code, meaning) = entry.split_once('=').ok_or_else(rejected)?;
        let (code, meaning) = (code.trim().to_owned(), meaning.trim().parse().map_err(|_| rejected())?);
        if code.is_empty() { Err(rejected()) } else { Ok((code, meaning)) }
    };
    list.split(',').map(entry).collect()
}

#[cfg(test)]
mod tests {
    use fundhook_domain::HoldReason;

    use super::*;

    fn read(name: &str, value: &str) -> Result<ReadingSettings, SettingError> {
        reading(&Environment::new(&|asked| (asked == name).then(|| value.to_owned())))
    }

    #[test]
    fn by_default_nobody_is_said_to_bear_a_fee_and_only_documented_codes_are_known() {
        let settings = reading(&Environment::new(&|_| None)).expect("valid");
        assert_eq!((settings.deposit_fees_borne_by, settings.reason_codes.len()), (None, 0));
    }

    #[test]
    fn the_bearer_of_fees_and_the_meanings_of_codes_are_read() {
        let borne_by = |value| read("FUNDHOOK_DEPOSIT_FEES_BORNE_BY", value).expect("valid").deposit_fees_borne_by;
        assert_eq!(borne_by("customer"), Some(FeeBearer::Customer));
        assert_eq!(borne_by("platform"), Some(FeeBearer::Platform));
        assert_eq!(borne_by("unknown"), None);
        let codes =
            read("FUNDHOOK_ZEROHASH_REASON_CODES", "A=processed, B = not_converted").expect("valid").reason_codes;
        let expected = [
            ("A".to_owned(), ReasonMeaning::Processed),
            ("B".to_owned(), ReasonMeaning::Held(HoldReason::NotConverted)),
        ];
        assert_eq!(codes, BTreeMap::from(expected));
        let crediting = read("FUNDHOOK_CREDITING_FAMILIES", "fund; acme = connect").expect("valid").crediting;
        assert_eq!(crediting.to_string(), "fund;acme=connect");
    }

    #[test]
    fn an_invalid_value_is_reported_with_the_expected_one() {
        for (name, value, hint) in [
            ("FUNDHOOK_DEPOSIT_FEES_BORNE_BY", "user", "customer or platform"),
            ("FUNDHOOK_ZEROHASH_REASON_CODES", "A", "CODE=not_converted"),
            ("FUNDHOOK_ZEROHASH_REASON_CODES", "A=credited", "processed, expired"),
            ("FUNDHOOK_ZEROHASH_REASON_CODES", "=processed", "CODE=not_converted"),
            ("FUNDHOOK_CREDITING_FAMILIES", "funds", "fund,deposit_status;acme=connect"),
        ] {
            let error = read(name, value).expect_err(value).to_string();
            assert!(error.contains(name) && error.contains(hint), "{error}");
        }
    }
}
