//! The receipts of published deposits.

use std::collections::BTreeMap;

use fundhook_domain::ResourceId;
use fundhook_reconciliation::Receipt;

use super::{Fail, Fake};
use crate::{PortError, Receipts};

/// A table of receipts: one for each resource, the one that was noted last.
#[derive(Clone, Debug, Default)]
pub struct ReceiptTable {
    /// The receipt of each resource.
    pub stored: BTreeMap<ResourceId, Receipt>,
    /// The receipts of each call that stored some, in order.
    pub calls: Vec<Vec<Receipt>>,
    /// Which calls that note receipts fail.
    pub on_note: Fail,
    /// Which calls that read receipts fail.
    pub on_read: Fail,
}

impl Fake<ReceiptTable> {
    /// All receipts that were noted, in order; one that was noted twice is there twice.
    pub fn noted(&self) -> Vec<Receipt> {
        self.now().calls.concat()
    }

    /// How many calls noted receipts.
    pub fn calls(&self) -> usize {
        self.now().calls.len()
    }
}

impl Receipts for Fake<ReceiptTable> {
    async fn note(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        let mut table = self.now();
        table.on_note.outcome("note receipts")?;
        table.calls.push(receipts.to_vec());
        for receipt in receipts {
            let stored = table.stored.entry(receipt.resource.clone()).or_insert_with(|| receipt.clone());
            if receipt.sequence() >= stored.sequence() {
                *stored = receipt.clone();
            }
        }
        Ok(())
    }

    async fn receipts(&self, resources: &[ResourceId]) -> Result<Vec<Receipt>, PortError> {
        let mut table = self.now();
        table.on_read.outcome("read receipts")?;
        Ok(resources.iter().filter_map(|id| table.stored.get(id).cloned()).collect())
    }
}
