//! The settings with which the functions of a stack read and record webhooks.

use std::collections::BTreeMap;

use fundhook_adapters::read_secret;
use fundhook_domain::SeveralFamiliesCredit;
use fundhook_ports::PortError;
use fundhook_providers::{IdKey, ReadingSettings};
use fundhook_runtime::settings::{self, Environment, SettingError};

use crate::invocation::{InvocationError, environment};
use crate::target::{Target, TargetError};

/// The settings of fan-out and of the state updater.
#[derive(Debug, Default)]
pub struct StackSettings {
    /// How fan-out reads webhooks.
    pub reading: ReadingSettings,
    /// Where the state updater holds deposits that may be one coin.
    pub several: SeveralFamiliesCredit,
}

/// Why the settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StackSettingsError {
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Function(#[from] InvocationError),
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("cannot read the key of the ids, without which resources would get other ids than before")]
    IdKey(#[source] PortError),
}

impl StackSettings {
    /// The settings of the stack, from the environment of its functions.
    pub async fn of(target: &Target) -> Result<Self, StackSettingsError> {
        let fan_out = environment(target, target.output("FanOutFunctionName")?).await?;
        let updater = environment(target, target.output("StateUpdaterFunctionName")?).await?;
        let lookup = |name: &str| fan_out.get(name).cloned();
        let environment = Environment::new(&lookup);
        let id_key = read_secret(&target.aws, &environment.required("FUNDHOOK_ID_KEY_SECRET")?).await;
        let id_key = IdKey::new(&id_key.map_err(StackSettingsError::IdKey)?);
        let reading = ReadingSettings { id_key, ..settings::reading(&environment)? };
        Ok(Self { reading, several: several(&updater)? })
    }
}

fn several(updater: &BTreeMap<String, String>) -> Result<SeveralFamiliesCredit, SettingError> {
    settings::several_families_credit(&Environment::new(&|name| updater.get(name).cloned()))
}
