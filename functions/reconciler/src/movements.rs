//! Checks that each movement of a balance which names a deposit or a withdrawal is recorded and booked.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use fundhook_domain::{Claim, FactId, Feed, Kind, ListId, Resource, ResourceId, Timestamp};
use fundhook_ports::{AccountResources, Advance, MovementsMarks, OpenQuery, OpenResources, PortError, chain};
use fundhook_reconciliation::{
    BegunCheck, Discrepancy, MOVEMENT_SETTLES_WITHIN, Movement, MovementsMark, RecordedCauses, SAME_DEPOSIT_WITHIN,
    Unrecorded, claims_of_cause, ids_of_cause, lists_of, movements_of, plan, settles_movement,
};
use fundhook_runtime::metrics::Metric;
use tracing::{error, info, warn};

use crate::ambiguity::{CheckEnd, Checked};
use crate::listed_row::statements_of;
use crate::queueing;
use crate::run::Phase;
use crate::{Ports, ReconcileError, Reconciler};

/// How many balances are read from the index at a time.
const AT_A_TIME: u16 = 100;

/// How many pages of the index a run reads: 10,000 balances. The next run continues there.
const PAGES_MAX: usize = 100;

/// How many times a run asks the provider about a deposit or a withdrawal by its id. The other movements are reported as they
/// are recorded.
const ASKED_MAX: usize = 50;

/// Before which time the balances of the index are read: all of them. Their times are those of receivers' clocks, and one that
/// moves again during a run is later than its beginning.
const LATER_THAN_ALL: Duration = Duration::from_secs(86_400);

/// The longest name that the provider is asked about as an id. Its ids are UUIDs of 36 characters, and the hash of a
/// transaction has 43 or more.
const ID_BYTES_MAX: usize = 40;

impl<P: Ports> Reconciler<P> {
    /// Checks the movements that were received since the last check and are old enough for their deposits and withdrawals to be
    /// recorded. Reports each that is not, once.
    pub(crate) async fn check_movements(&self, phase: &mut Phase<'_>) -> Result<(), ReconcileError> {
        let checked = match self.check_due_movements(phase).await {
            // The phase has noted that the run is not complete. The next one checks the page again.
            Err(ReconcileError::OutOfTime) => Ok(()),
            checked => checked,
        };
        checked.inspect_err(|failed| {
            error!(
                error = chain(failed),
                "movements of balances were not all compared with what is recorded; the next run continues there"
            );
        })
    }

    async fn check_due_movements(&self, phase: &mut Phase<'_>) -> Result<(), ReconcileError> {
        let until = self.now().minus(self.settings.grace).minus(MOVEMENT_SETTLES_WITHIN);
        let stored = self.store.movements_mark().await?;
        let mut mark = stored.unwrap_or_else(|| MovementsMark::initial(self.now()));
        if mark.revision == 0 {
            return self.advance_mark(&mut mark).await;
        }
        if mark.is_ahead_of(self.now()) {
            let checked_until = mark.checked_until;
            warn!(
                %checked_until,
                "the mark of the movements that were checked is in the future ({checked_until}), because a clock was ahead; \
                 checking again from `ReconcileLookbackSeconds` before now"
            );
            mark = mark.moved_back(until.minus(self.settings.lookback));
            return self.advance_mark(&mut mark).await;
        }
        let Some(mut check) = mark.due(until) else {
            return Ok(());
        };
        let mut asked = 0;
        for _ in 0..PAGES_MAX {
            if phase.is_out_of_time(self.now()) {
                return Ok(());
            }
            // A balance that moved again since is later in the index, and has its earlier movements too.
            let (from, before) = (Some(mark.checked_until), self.now().plus(LATER_THAN_ALL));
            let after = check.after.as_deref();
            let query = OpenQuery { kind: Kind::Balance, overdue: false, from, before, after, limit: AT_A_TIME };
            let page = self.store.open(query).await?;
            let next = page.entries.last().map(|entry| entry.cursor.clone()).filter(|_| !page.is_last);
            let balances = self.read(page.entries.into_iter().map(|entry| entry.resource).collect()).await?;
            let window = mark.checked_until..check.until;
            let unrecorded = self.unrecorded_of(&balances, &window, &mark.reported, &mut asked, phase).await?;
            mark.reported.extend(unrecorded.iter().map(|(movement, _)| movement.id.clone()));
            self.report_movements(unrecorded, phase);

            // Only after reporting: a run that stops before this checks the page again.
            mark.advance(&check, next.clone());
            self.advance_mark(&mut mark).await?;
            match next {
                Some(after) => check = BegunCheck { after: Some(after), ..check },
                None => return Ok(()),
            }
        }
        info!("{PAGES_MAX} pages of balances were checked for movements; the next run continues there");
        Ok(())
    }

    async fn advance_mark(&self, mark: &mut MovementsMark) -> Result<(), ReconcileError> {
        mark.revision += 1;
        match self.store.advance_movements_mark(mark).await? {
            Advance::Stored => Ok(()),
            Advance::Lost => Err(ReconcileError::MovementsMarkMoved),
        }
    }

    /// The movements of `balances` in `window` that lack what they name, unless they are `reported` already.
    async fn unrecorded_of(
        &self,
        balances: &[Resource],
        window: &Range<Timestamp>,
        reported: &[String],
        asked: &mut usize,
        phase: &mut Phase<'_>,
    ) -> Result<Vec<(Movement, Unrecorded)>, ReconcileError> {
        let mut movements = BTreeMap::new();
        for balance in balances {
            let told = movements_of(balance, window);
            if told.is_incomplete {
                warn!(
                    resource.id = %balance.id(),
                    "{} had more movements than are kept, or a webhook too large to be carried; those were not compared with what \
                     is recorded", balance.id()
                );
            }
            let new = told.movements.into_iter().filter(|movement| !reported.contains(&movement.id));
            movements.extend(new.map(|movement| ((movement.id.clone(), movement.cause.clone()), movement)));
        }
        let movements: Vec<Movement> = movements.into_values().collect();
        let (recorded, claims) = self.recorded_causes(&movements, BTreeSet::new()).await?;
        let causes = RecordedCauses::of(&recorded, &claims);
        let lacking: Vec<Movement> =
            movements.into_iter().filter(|movement| causes.lacks(movement).is_some()).collect();
        let mut unrecorded = Vec::new();
        for movement in lacking {
            if phase.is_out_of_time(self.now()) {
                return Err(ReconcileError::OutOfTime);
            }
            let still = self.look_for(&movement, asked, phase).await?;
            unrecorded.extend(still.map(|lacks| (movement, lacks)));
        }
        Ok(unrecorded)
    }

    /// What is recorded under the names of these movements' causes, the claims on the transactions that they name, and what is
    /// recorded under `others`.
    async fn recorded_causes(
        &self,
        movements: &[Movement],
        others: BTreeSet<ResourceId>,
    ) -> Result<(Vec<Resource>, Vec<Claim>), PortError> {
        let claims = self.claims(movements.iter().flat_map(claims_of_cause).collect()).await?;
        let of_claims = claims.iter().flat_map(|claim| claim.entries().map(|entry| entry.resource.clone()));
        let ids = movements.iter().flat_map(ids_of_cause).chain(of_claims).chain(others).collect();
        let mut recorded = self.read(ids).await?;
        let owners = recorded.iter().filter_map(|resource| resource.second_name_of().cloned()).collect();
        recorded.extend(self.read(owners).await?);
        Ok((recorded, claims))
    }

    /// How the movement lacks its cause after the resources of its user and the provider were asked; `None` if it is recorded,
    /// or what the provider lists was queued.
    async fn look_for(
        &self,
        movement: &Movement,
        asked: &mut usize,
        phase: &mut Phase<'_>,
    ) -> Result<Option<Unrecorded>, ReconcileError> {
        // A deposit that no claim names yet may have the transaction that the movement names.
        let of_user = match &movement.account {
            Some(account) if movement.cause.kind() == Kind::Deposit => {
                let ids = self.store.of_account(account, self.now().minus(SAME_DEPOSIT_WITHIN)).await?;
                let tenant = movement.cause.feed().tenant();
                let is_deposit = |id: &ResourceId| id.kind() == Kind::Deposit && id.feed().tenant() == tenant;
                ids.into_iter().filter(is_deposit).collect()
            }
            Some(_) | None => BTreeSet::new(),
        };
        let (recorded, claims) = self.recorded_causes(std::slice::from_ref(movement), of_user).await?;
        let Some(lacks) = RecordedCauses::of(&recorded, &claims).lacks(movement) else {
            return Ok(None);
        };
        let is_asked = *asked < ASKED_MAX && movement.cause.native().len() <= ID_BYTES_MAX;
        *asked += usize::from(is_asked);
        let is_queued = is_asked && self.is_queued_by_id(movement, &recorded, phase).await?;
        Ok((!is_queued).then_some(lacks))
    }

    /// Asks the provider for the cause of a movement by its id, and queues what it lists. Whether what was queued says that the
    /// money moved.
    async fn is_queued_by_id(
        &self,
        movement: &Movement,
        recorded: &[Resource],
        phase: &mut Phase<'_>,
    ) -> Result<bool, ReconcileError> {
        let id = &movement.cause;
        let find = |id: &ResourceId| recorded.iter().find(|resource| resource.id() == id);
        let named = find(id);
        let named = named.and_then(Resource::second_name_of).and_then(find).or(named);
        for kind in lists_of(id, named) {
            let list = ListId::new(id.feed(), *kind);
            if !phase.run.lists.known().contains(&list) || phase.run.outages.is_down(&list) {
                continue;
            }
            let rows = match self.rows_about(&list, id, named, phase.run).await {
                Ok(rows) => rows,
                Err(failed) => {
                    warn!(
                        resource.id = %id, error = chain(&failed),
                        "the provider could not be asked about {id}, which moved a balance; it is reported as it is recorded"
                    );
                    continue;
                }
            };
            let theirs = statements_of(&rows);
            let ours = self.recorded_for(&theirs).await?;
            let Checked { discrepancies, end } =
                self.check_ambiguity(&list, plan(&ours, &theirs), &ours, phase).await?;
            let to_queue: Vec<Discrepancy> =
                discrepancies.into_iter().filter(|discrepancy| discrepancy.to_queue().is_some()).collect();
            let queued: Vec<&FactId> =
                to_queue.iter().filter_map(Discrepancy::to_queue).map(|(_, fact)| fact).collect();
            let mut settling = theirs.iter().filter(|row| queued.contains(&&row.content.id));
            let is_settled = settling.any(|row| row.content.status.is_some_and(settles_movement));
            let rejected = self.queue_missed(&list, &rows, to_queue, phase.run).await?;
            if end == CheckEnd::OutOfTime {
                return Err(ReconcileError::OutOfTime);
            }
            if is_settled && rejected == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Logs and counts movements that lack what they name.
    fn report_movements(&self, unrecorded: Vec<(Movement, Unrecorded)>, phase: &mut Phase<'_>) {
        let now = self.now();
        let mut of_feeds: BTreeMap<Feed, u64> = BTreeMap::new();
        for (movement, lacks) in unrecorded {
            *of_feeds.entry(movement.cause.feed().clone()).or_default() += 1;
            phase.run.summary.differing += 1;
            queueing::log(&Discrepancy::UnrecordedMovement { movement, lacks });
        }
        for (feed, count) in &of_feeds {
            let by = [("discrepancy", Discrepancy::UNRECORDED_MOVEMENT)];
            self.metrics.count(now, feed, Metric::ReconciliationDiscrepancies, *count, &by);
        }
    }
}
