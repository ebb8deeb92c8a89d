//! Which webhook families credit, and where several of them may credit one coin.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Provider, SeveralFamiliesCredit, Tenant};
use fundhook_providers::{Crediting, CreditingFamily};

use super::connect::is_on;
use super::environment::{Environment, SettingError, invalid};
use super::tenants::Tenants;

/// Reads `FUNDHOOK_CREDITING_FAMILIES`, a list such as `fund` or `fund,deposit_status;acme=connect`. Without it, all
/// families credit.
pub(super) fn crediting(environment: &Environment<'_>) -> Result<Crediting, SettingError> {
    const NAME: &str = "FUNDHOOK_CREDITING_FAMILIES";
    let Some(list) = environment.optional(NAME) else {
        return Ok(Crediting::default());
    };
    let expected = "a list of connect, fund and deposit_status, such as fund or fund,deposit_status;acme=connect";
    list.parse().map_err(|_| invalid(NAME, &list, expected))
}

/// The organizations in which more than one webhook family credits: by the feeds that are on and by
/// `FUNDHOOK_CREDITING_FAMILIES`.
pub fn several_families_credit(environment: &Environment<'_>) -> Result<SeveralFamiliesCredit, SettingError> {
    use CreditingFamily::{Connect, DepositStatus, Fund};
    let (crediting, tenants) = (crediting(environment)?, Tenants::from_environment(environment)?);
    let mut reported: BTreeMap<Option<Tenant>, BTreeSet<CreditingFamily>> = BTreeMap::new();
    for (provider, name, families) in [
        (Provider::Connect, "FUNDHOOK_CONNECT", &[Connect][..]),
        (Provider::Zerohash, "FUNDHOOK_ZEROHASH", &[Fund, DepositStatus]),
    ] {
        if is_on(environment, name)? {
            for feed in tenants.feeds(provider) {
                reported.entry(feed.tenant().cloned()).or_default().extend(families);
            }
        }
    }
    let are_several = |(tenant, families): &(Option<Tenant>, BTreeSet<CreditingFamily>)| {
        families.iter().filter(|family| crediting.includes(tenant.as_ref(), **family)).count() > 1
    };
    Ok(SeveralFamiliesCredit::of(reported.into_iter().filter(are_several).map(|(tenant, _)| tenant)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_families_credit_where_their_feeds_are_on_and_the_setting_names_them() {
        let read = |settings: &[(&str, &str)]| {
            let lookup = |asked: &str| {
                let value = settings.iter().find(|(name, _)| *name == asked).map(|(_, value)| *value);
                value.map(str::to_owned)
            };
            several_families_credit(&Environment::new(&lookup)).expect("valid")
        };
        let acme = || "acme".parse::<Tenant>().ok();
        // A feed is on unless it is switched off.
        let (no_connect, no_zerohash) = (("FUNDHOOK_CONNECT", "off"), ("FUNDHOOK_ZEROHASH", "off"));
        let families = |list| ("FUNDHOOK_CREDITING_FAMILIES", list);
        let tenants = ("FUNDHOOK_TENANTS", r#"{"zerohash":["acme"]}"#);
        for (settings, expected) in [
            (vec![], vec![None]),
            (vec![no_connect, no_zerohash], vec![]),
            (vec![no_zerohash], vec![]),
            (vec![no_connect], vec![None]),
            (vec![families("fund")], vec![]),
            (vec![families("fund,connect")], vec![None]),
            (vec![no_connect, families("fund,connect")], vec![]),
            (vec![no_connect, tenants], vec![None, acme()]),
            (vec![tenants, families("fund;acme=fund,deposit_status")], vec![acme()]),
        ] {
            assert_eq!(read(&settings), SeveralFamiliesCredit::of(expected), "{settings:?}");
        }
    }
}
