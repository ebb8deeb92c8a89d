//! The samples in `events`: bodies of webhooks, one folder for each provider.

use std::fs;
use std::path::{Path, PathBuf};

use fundhook_domain::{Feed, Provider, Statement};
use fundhook_providers::Envelope;

use super::envelope_of;
use super::statements::statements;

/// One sample.
pub(crate) struct Sample {
    /// The provider that sends it.
    pub(crate) provider: Provider,
    /// The path below the provider's folder, without the extension and with dots for slashes: `odd.not_json`.
    pub(crate) name: String,
    /// The body's bytes.
    pub(crate) body: Vec<u8>,
}

impl Sample {
    /// The samples of all providers, in the order of their names.
    pub(crate) fn all() -> Vec<Self> {
        Provider::ALL.into_iter().flat_map(Self::of).collect()
    }

    /// The samples of `provider`.
    pub(crate) fn of(provider: Provider) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(provider.as_str());
        let mut paths = files(&folder);
        paths.sort();
        let sample = |path: PathBuf| {
            let below = path.strip_prefix(&folder).expect("it is in the folder").with_extension("");
            let name = below.to_string_lossy().replace(['/', '\\'], ".");
            Self { provider, name, body: fs::read(path).expect("a readable sample") }
        };
        paths.into_iter().map(sample).collect()
    }

    /// The payload type in zerohash's header. No document has the one of `DEPOSIT_FAILED`, so that sample has none.
    pub(crate) fn payload_type(&self) -> Option<&'static str> {
        let of_prefix = [
            ("fund.", "deposit_fund_complete"),
            ("odd.duplicate_key", "deposit_fund_complete"),
            ("odd.timestamp_out_of_range", "deposit_fund_complete"),
            ("payment.", "payment_status_changed"),
            ("deposit.", "deposit.status_changed"),
            ("balance.", "account_balance.changed"),
            ("external_account.", "external_account_status_changed"),
            ("participant.", "participant_status_changed"),
            ("odd.trade.", "trade.status_changed"),
            ("odd.asset_mover_update", "asset_mover_update"),
        ];
        match self.provider {
            Provider::Connect | Provider::Striga => None,
            Provider::Zerohash => {
                let named = of_prefix.into_iter().find(|(prefix, _)| self.name.starts_with(prefix));
                let named = named.map(|(_, payload_type)| payload_type);
                assert!(named.is_some() || self.name == "deposit_failed", "{} has no payload type", self.name);
                named
            }
        }
    }

    /// The envelope of the sample.
    pub(crate) fn envelope(&self) -> Envelope {
        envelope_of(&Feed::from(self.provider), self.payload_type(), &self.body)
    }

    /// The statements of the sample.
    pub(crate) fn statements(&self) -> Vec<Statement> {
        statements(&self.envelope())
    }
}

/// The files in `folder` and its subfolders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of samples").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
