//! Reports feeds whose webhooks do not come although their lists show that money moves.
//!
//! A secret or a webhook URL that is wrong at the provider shows in no request: none arrives. The lists show it.

use std::collections::BTreeMap;

use fundhook_domain::{Feed, ListId, ListedAt, Resource};
use fundhook_ports::{Watermarks, chain};
use fundhook_reconciliation::{DatedRow, ReadWindow, RowCounts, Silence, Watermark, silence};
use fundhook_runtime::metrics::{Line, Metric};
use serde_json::json;
use tracing::{error, warn};

use crate::listed_row::ListedRow;
use crate::run::Run;
use crate::{Ports, Reconciler};

impl<P: Ports> Reconciler<P> {
    /// Counts the rows of a page that are read for the first time, and those that no webhook told. Nothing is counted of a
    /// list whose feed receives no webhooks.
    pub(crate) fn count_without_webhook(
        &self,
        list: &ListId,
        rows: &[ListedRow],
        recorded: &[Resource],
        watermark: &mut Watermark,
        window: &ReadWindow,
        run: &mut Run,
    ) {
        if !self.settings.feeds.contains(&self.feed_of_rows(list)) {
            return;
        }
        let dated = |row: &ListedRow| match row.dated {
            ListedAt::At(at) => Some(at),
            ListedAt::AsRequested | ListedAt::Missing => None,
        };
        let rows: Vec<DatedRow<'_>> =
            rows.iter().map(|row| DatedRow { dated: dated(row), statement: &row.statement }).collect();
        let new = watermark.read_until..window.until;
        let counts = watermark.without_webhook.add_page(&rows, recorded, &new);
        run.counted.entry(list.feed().clone()).or_default().add(counts);
    }

    /// Emits how many rows were read for the first time and how many of them no webhook told, how long ago the last webhook about
    /// a listed row was received, and for how long the feed that is silent for longest has been silent: the metric of an alarm.
    /// `counted` is what this run counted.
    pub(crate) async fn emit_silence(&self, lists: &[ListId], counted: &BTreeMap<Feed, RowCounts>) {
        let now = self.now();
        for (feed, RowCounts { listed, without_webhook }) in counted.iter().filter(|(_, counts)| counts.listed > 0) {
            let values = [(Metric::ListedRows, *listed), (Metric::RowsWithoutWebhook, *without_webhook)];
            self.metrics.of_feed(now, feed, Line { values: &values, by: &[], fields: json!({}) });
        }
        let mut of_feeds: BTreeMap<&Feed, Vec<Watermark>> = BTreeMap::new();
        for list in lists.iter().filter(|list| self.settings.feeds.contains(&self.feed_of_rows(list))) {
            match self.store.load(list).await {
                Ok(watermark) => of_feeds.entry(list.feed()).or_default().extend(watermark),
                Err(failed) => {
                    error!(
                        feed = %list.feed(), %list, error = chain(&failed),
                        "the watermark of {list} could not be read; whether its webhooks come is not reported by this run"
                    );
                }
            }
        }
        let ages = of_feeds.iter().filter_map(|(feed, watermarks)| {
            let last = watermarks.iter().filter_map(|watermark| watermark.without_webhook.last_webhook_at()).max()?;
            Some((*feed, now.since(last).as_secs()))
        });
        self.metrics.worst(now, Metric::LastWebhookAgeSeconds, ages);
        let silences = of_feeds.iter().map(|(feed, watermarks)| {
            let of_lists = watermarks.iter().map(|watermark| &watermark.without_webhook);
            let silent = silence(of_lists, now);
            silent.iter().for_each(|silent| log(feed, silent));
            (*feed, silent.map_or(0, |silent| now.since(silent.since).as_secs()))
        });
        self.metrics.worst(now, Metric::SilenceSeconds, silences);
    }
}

fn log(feed: &Feed, Silence { since, last_webhook_at }: &Silence) {
    let last =
        last_webhook_at.map_or_else(|| "none was received yet".to_owned(), |at| format!("the last one was of {at}"));
    warn!(
        %feed, silent_since = %since, last_webhook_at = last_webhook_at.map(|at| at.to_string()),
        "no webhook of {feed} told what its lists contain since {since} ({last}); check the webhook URL and the secret at the \
         provider, and the receiver's log"
    );
}
