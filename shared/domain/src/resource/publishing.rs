//! Whether a fact publishes an event.

use super::fact::{Fact, FactContent};
use super::state::Resource;
use super::statement::StatementContent;
use super::view::View;
use crate::{CoinRelation, ResourceId, StatusRule};

/// Whether a fact publishes an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publishes {
    Always,
    Never,
    /// If it changes what subscribers see.
    Changes {
        of: Shown,
    },
}

/// The part of a view that must change for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// What a subscriber books.
    Booked,
    /// That, and the details.
    Details,
}

impl Shown {
    pub(super) fn is_unchanged(self, id: &ResourceId, before: Option<&View>, after: Option<&View>) -> bool {
        let (Some(before), Some(after)) = (before, after) else {
            return false;
        };
        match self {
            Self::Booked => after.books_the_same_as(before, id),
            Self::Details => after.books_the_same_as(before, id) && after.details == before.details,
        }
    }
}

impl Resource {
    /// Whether recording `content` publishes an event.
    pub(super) fn publishes(&self, content: &FactContent) -> Publishes {
        // Once subscribers know the resource, they must learn of everything that changes it: without an event, they would not
        // book it.
        if self.sequence() == 0 && content.evidence().is_recorded_only() {
            return Publishes::Never;
        }
        match content {
            FactContent::Statement(statement) => {
                if !self.is_repetition(statement) && !self.is_corroboration(statement) {
                    Publishes::Always
                } else if self.statements().any(|known| known.is_another_reading_of(statement)) {
                    // What was said before may still change what is booked: a setting that is set back restates what an
                    // earlier reading stated, and an event must tell it.
                    Publishes::Changes { of: Shown::Details }
                } else {
                    Publishes::Changes { of: Shown::Booked }
                }
            }
            // A notice that is recorded already is recognized by its id, so this one is a new one.
            FactContent::Overdue(_) | FactContent::Decision(_) => Publishes::Always,
            // Nothing was published under this name, so there is nothing that another resource counts in place of.
            FactContent::SecondName(_) if self.view().is_none() => Publishes::Never,
            FactContent::SecondName(_) => Publishes::Always,
            FactContent::Relation(relation) => {
                let earlier = self.facts().iter().filter_map(Fact::relation);
                let is_first = !earlier.into_iter().any(|known| known.has_subject_of(relation));
                match (&relation.content, is_first) {
                    // The statement that is recorded with it says that the deposit is a duplicate, or held.
                    (CoinRelation::DuplicateOf { .. } | CoinRelation::Resembles { .. }, true) if !relation.is_alone => {
                        Publishes::Never
                    }
                    // Always, so that the number of events does not depend on the order of arrival.
                    (CoinRelation::AlsoReported(_), true) => Publishes::Always,
                    (_, _) => Publishes::Changes { of: Shown::Booked },
                }
            }
        }
    }

    fn is_repetition(&self, new: &StatementContent) -> bool {
        self.statements().any(|known| known.has_same_content_as(new))
    }

    /// Whether `new` only confirms, on other evidence, what was recorded already, so that it publishes no event: a
    /// listed row about what a webhook said, or the first webhook about what a row said. The number of events must not
    /// depend on which of them arrived first, so a second webhook does publish an event.
    fn is_corroboration(&self, new: &StatementContent) -> bool {
        // What has only a latest status may reach the same one again later.
        let is_dated_alike = |one: &StatementContent, other: &StatementContent| match self.id().kind().status_rule() {
            StatusRule::Furthest | StatusRule::Sum => true,
            StatusRule::Latest => one.occurred_at == other.occurred_at,
        };
        if new.evidence.is_from_api() {
            return self.statements().any(|known| known.agrees_with(new) && is_dated_alike(known, new));
        }
        let corroborates =
            |one: &StatementContent, other: &StatementContent| one.corroborates(other) && is_dated_alike(one, other);
        let is_uncorroborated = |row: &StatementContent| !self.statements().any(|known| corroborates(known, row));
        // A row that published nothing leaves the event to the webhook.
        let published = self.facts().iter().filter(|fact| fact.sequence > 0).filter_map(Fact::statement);
        published.filter(|known| corroborates(known, new)).any(is_uncorroborated)
    }
}
