//! The processes at one moment, and what may happen next.

use std::sync::Arc;

use fundhook_domain::Timestamp;

use super::call::{Answer, Call, Reply, digest};
use super::handlers::{Given, Handlers, Moment, Next, Returned};
use super::state::{Computed, Row, State};

/// What a schedule may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bounds {
    /// How often a process may be interrupted between two of its calls while another one goes on.
    pub preemptions: u32,
    /// How many crashes and calls that go wrong there are.
    pub faults: u32,
}

impl Bounds {
    /// Any number of preemptions.
    pub const ANY: u32 = u32::MAX;

    /// Whether everything that is possible within `other` is possible within these bounds.
    pub(super) fn cover(&self, other: &Self) -> bool {
        self.preemptions >= other.preemptions && self.faults >= other.faults
    }
}

/// What a process does.
#[derive(Clone, Debug)]
pub(super) enum Role {
    /// Records the messages of the inbox with this number.
    Updater(usize),
    /// Publishes the events of this part of the stream.
    Publisher(usize),
    /// Reads the list at this time, until a run succeeds.
    Reconciler(Timestamp),
    /// The provider: it adds this row to its list.
    Provider(Arc<Row>),
    /// Reads the list at this time when nothing else is left to do: the next run on schedule.
    NextRun(Timestamp),
}

/// What a process is doing.
#[derive(Clone, Copy, Debug, Default, Hash)]
struct Process {
    /// Where its handler is, while it is invoked.
    at: Option<Moment>,
    /// Whether it does something once, and did it.
    is_done: bool,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// The process is invoked with what there is to do.
    Begin(usize),
    /// The call of the process is answered, and it goes on to the next one.
    Call(usize, Reply),
    /// What the process finished is acknowledged.
    Acknowledge(usize),
    /// The process ends where it is. What it was invoked with is delivered again.
    Crash(usize),
}

impl Action {
    fn process(self) -> usize {
        match self {
            Self::Begin(process) | Self::Call(process, _) | Self::Acknowledge(process) | Self::Crash(process) => {
                process
            }
        }
    }

    fn is_fault(self) -> bool {
        match self {
            Self::Begin(_) | Self::Call(_, Reply::Given) | Self::Acknowledge(_) => false,
            Self::Call(_, Reply::Refused | Reply::Lost | Reply::OfSecondCall) | Self::Crash(_) => true,
        }
    }
}

/// What the processes do, and what of it others can notice.
#[derive(Debug)]
struct Roles {
    all: Vec<Role>,
    /// Whether several of them read the list at a time.
    are_several_readers: bool,
    /// Whether one of them changes the list.
    has_provider: bool,
    /// Whether everything counts as noticed.
    is_all_noticed: bool,
}

impl Roles {
    /// Whether another process can notice when this call is answered, or change its answer.
    fn is_noticed(&self, call: &Call) -> bool {
        let by_nature = match call {
            Call::ReadResources(_)
            | Call::ReadClaims(_)
            | Call::ReadSimilar(_)
            | Call::ReadAccount(_)
            | Call::Write(_)
            | Call::Send(_) => true,
            // Each part of the stream has one publisher, and what was published is never read.
            Call::Publish(_) | Call::NoteReceipts => false,
            Call::LoadWatermark | Call::Advance(_) => self.are_several_readers,
            Call::ReadPage(_) => self.has_provider,
        };
        by_nature || self.is_all_noticed
    }

    /// Whether another process may still send something to the process before it begins.
    fn is_fed(&self, process: usize) -> bool {
        let sends = |role: &Role| matches!(role, Role::Reconciler(_) | Role::NextRun(_));
        match self.all[process] {
            Role::Updater(inbox) => self.is_all_noticed || (inbox == 0 && self.all.iter().any(sends)),
            Role::Publisher(_) | Role::Reconciler(_) | Role::Provider(_) | Role::NextRun(_) => true,
        }
    }
}

/// The processes at one moment of a schedule, and what the schedule may still spend.
#[derive(Clone, Debug)]
pub(super) struct System {
    pub(super) state: State,
    roles: Arc<Roles>,
    processes: Vec<Process>,
    /// The process that made the last step, if it is between two calls. Another one would preempt it.
    inside: Option<usize>,
    pub(super) left: Bounds,
    /// Whether there was a fault.
    has_fault: bool,
}

impl System {
    /// The processes before they begin. With `is_all_noticed`, no step is taken out of its place.
    pub(super) fn new(
        state: State,
        roles: impl IntoIterator<Item = Role>,
        bounds: Bounds,
        is_all_noticed: bool,
    ) -> Self {
        let all: Vec<Role> = roles.into_iter().collect();
        let readers = all.iter().filter(|role| matches!(role, Role::Reconciler(_))).count();
        let has_provider = all.iter().any(|role| matches!(role, Role::Provider(_)));
        let processes = vec![Process::default(); all.len()];
        let roles = Arc::new(Roles { all, are_several_readers: readers > 1, has_provider, is_all_noticed });
        Self { state, roles, processes, inside: None, left: bounds, has_fault: false }
    }

    fn is_bounded(&self) -> bool {
        self.left.preemptions != Bounds::ANY
    }

    /// A digest of the state: from equal ones, the same may follow.
    pub(super) fn digest(&self) -> u64 {
        digest((self.state.digest(), &self.processes, self.inside))
    }

    /// Everything that may happen next; the first continues what was begun. Nothing when nothing is left to do.
    ///
    /// What no other process can notice happens at once: its place among the steps of the others does not matter.
    pub(super) fn actions(&self, handlers: &Handlers) -> Vec<Action> {
        let next = |process: usize| self.processes[process].at.map(|moment| handlers.next(moment));
        let is_unnoticed = |process: &usize| match next(*process) {
            None => self.is_due(*process) && !self.roles.is_fed(*process),
            Some(Next::Call(call, _)) => !self.roles.is_noticed(call),
            Some(Next::Returned(_)) => true,
        };
        let mut actions = Vec::new();
        if let Some(process) = (0..self.processes.len()).find(is_unnoticed) {
            self.add_actions_of(process, next(process), &mut actions);
            return actions;
        }
        let may_switch = self.inside.is_none() || self.left.preemptions > 0;
        let others = (0..self.processes.len()).filter(|process| may_switch && Some(*process) != self.inside);
        for process in self.inside.into_iter().chain(others) {
            self.add_actions_of(process, next(process), &mut actions);
        }
        if actions.is_empty() {
            let is_next_run = |process: &usize| {
                matches!(self.roles.all[*process], Role::NextRun(_)) && !self.processes[*process].is_done
            };
            actions.extend((0..self.processes.len()).find(is_next_run).map(Action::Begin));
        }
        actions
    }

    fn add_actions_of(&self, process: usize, next: Option<&Next>, actions: &mut Vec<Action>) {
        let has_faults = self.left.faults > 0;
        match next {
            None => return actions.extend(self.is_due(process).then_some(Action::Begin(process))),
            Some(Next::Returned(_)) => actions.push(Action::Acknowledge(process)),
            Some(Next::Call(call, _)) => {
                actions.push(Action::Call(process, Reply::Given));
                let faults = Reply::FAULTS.into_iter().filter(|fault| has_faults && fault.concerns(call));
                actions.extend(faults.map(|fault| Action::Call(process, fault)));
            }
        }
        // For the others, a crash is the same whenever it happens after the last step of the process.
        if has_faults && (self.inside == Some(process) || !self.is_bounded()) {
            actions.push(Action::Crash(process));
        }
    }

    fn is_due(&self, process: usize) -> bool {
        let is_done = self.processes[process].is_done;
        match &self.roles.all[process] {
            Role::Updater(inbox) => !self.state.inboxes[*inbox].is_empty(),
            Role::Publisher(part) => !self.state.parts[*part].is_empty(),
            Role::Reconciler(_) | Role::Provider(_) => !is_done,
            Role::NextRun(_) => false,
        }
    }

    pub(super) fn act(&mut self, action: Action, handlers: &mut Handlers, computed: &mut Computed) {
        let process = action.process();
        self.left.faults -= u32::from(action.is_fault());
        self.has_fault |= action.is_fault();
        match action {
            Action::Begin(_) => self.begin(process, handlers),
            Action::Call(_, reply) => self.call(process, reply, handlers, computed),
            Action::Acknowledge(_) => self.acknowledge(process, handlers, computed),
            Action::Crash(_) => self.processes[process].at = None,
        }
        if self.is_bounded() {
            self.left.preemptions -= u32::from(self.inside.is_some_and(|inside| inside != process));
            // A process that begins unnoticed has not done anything yet.
            let is_unnoticed = matches!(action, Action::Begin(_)) && !self.roles.is_fed(process);
            self.inside = Some(process).filter(|process| !is_unnoticed && self.processes[*process].at.is_some());
        }
    }

    fn begin(&mut self, process: usize, handlers: &mut Handlers) {
        let given = match &self.roles.all[process] {
            Role::Updater(inbox) => Given::Messages(Arc::clone(&self.state.inboxes[*inbox])),
            Role::Publisher(part) => Given::Records(self.state.parts[*part].clone()),
            Role::Reconciler(now) | Role::NextRun(now) => Given::Run(*now),
            Role::Provider(row) => {
                Arc::make_mut(&mut self.state.rows).push(Row::clone(row));
                self.processes[process].is_done = true;
                return;
            }
        };
        self.processes[process].at = Some(handlers.invoked(given));
    }

    fn call(&mut self, process: usize, reply: Reply, handlers: &mut Handlers, computed: &mut Computed) {
        let Some(moment) = self.processes[process].at else {
            return;
        };
        let Next::Call(call, call_digest) = handlers.next(moment).clone() else {
            return;
        };
        let mut answer = || self.state.answer(&call, call_digest, computed);
        let failed = (Answer::Failed, u64::MAX);
        let (answer, answer_digest) = match reply {
            Reply::Given => answer(),
            Reply::Refused => failed,
            Reply::Lost => {
                answer();
                failed
            }
            Reply::OfSecondCall => {
                answer();
                answer()
            }
        };
        self.processes[process].at = Some(handlers.answered(moment, answer, answer_digest));
    }

    fn acknowledge(&mut self, process: usize, handlers: &Handlers, computed: &mut Computed) {
        let Some(moment) = self.processes[process].at.take() else {
            return;
        };
        let Next::Returned(returned) = handlers.next(moment) else {
            return;
        };
        match (&self.roles.all[process], returned.as_ref()) {
            (Role::Updater(inbox), Returned::Messages { given, failed }) => {
                // The others write less often than the updater tries.
                if !failed.is_empty() && !self.has_fault {
                    computed.broken.push(format!("{} messages failed, and nothing went wrong", failed.len()));
                }
                let finished = given.iter().filter(|id| !failed.contains(id));
                finished.for_each(|id| self.state.delete_message(*inbox, id));
            }
            (Role::Publisher(part), Returned::Records { given, finished }) => {
                if finished < given && !self.has_fault {
                    computed.broken.push(format!("{} records failed, and nothing went wrong", given - finished));
                }
                drop(self.state.parts[*part].drain(..*finished));
            }
            (Role::Reconciler(_) | Role::NextRun(_), Returned::Run { is_well }) => {
                self.processes[process].is_done = *is_well;
            }
            (
                Role::Updater(_) | Role::Publisher(_) | Role::Reconciler(_) | Role::Provider(_) | Role::NextRun(_),
                Returned::Messages { .. } | Returned::Records { .. } | Returned::Run { .. },
            ) => {}
        }
    }

    /// What a schedule says about an action that may happen next.
    pub(super) fn described(&self, action: Action, handlers: &Handlers) -> String {
        let process = action.process();
        let name = match &self.roles.all[process] {
            Role::Updater(_) => format!("updater {}", process + 1),
            Role::Publisher(part) => format!("publisher {}", part + 1),
            Role::Reconciler(_) => format!("reconciler {}", process + 1),
            Role::Provider(row) => return format!("the provider adds the row {}", row.id),
            Role::NextRun(_) => "the next run of the reconciler".to_owned(),
        };
        let call = |moment| match handlers.next(moment) {
            Next::Call(call, _) => call.described(),
            Next::Returned(_) => String::new(),
        };
        match action {
            Action::Begin(_) => format!("{name} begins"),
            Action::Acknowledge(_) => format!("{name} is acknowledged"),
            Action::Crash(_) => format!("{name} crashes"),
            Action::Call(_, reply) => {
                let call = self.processes[process].at.map(call).unwrap_or_default();
                format!("{name} {call}{}", reply.described())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bounds;

    #[test]
    fn bounds_cover_those_that_allow_less() {
        let bounds = |preemptions, faults| Bounds { preemptions, faults };
        assert!(bounds(2, 1).cover(&bounds(2, 1)) && bounds(Bounds::ANY, 1).cover(&bounds(3, 0)));
        assert!(!bounds(2, 1).cover(&bounds(3, 0)) && !bounds(2, 1).cover(&bounds(1, 2)));
    }
}
