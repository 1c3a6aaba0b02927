//! What each operation means, said once for all backends: what it checks, and which rows it changes.
//!
//! A backend is a set of tables ([`Tables`]) that can take back what a refused batch has changed. Every operation checks
//! all it has to check before its first change.

use smol_str::SmolStr;

use crate::MAX_RECORDS;
use crate::batch::{Change, Op};
use crate::error::{Holder, Refused, StoreError};
use crate::types::{
    Answer, Hash, NewRun, Once, PromiseState, Question, Record, RunId, RunState, StartKey, Started,
};

/// What the rules must know of a run.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) number: u32,
    pub(crate) state: RunState,
    pub(crate) session: Option<SmolStr>,
    /// The number of the next record.
    pub(crate) next: u32,
    /// The process it belongs to, while it is running.
    pub(crate) owner: Option<u64>,
}

/// The rows of a store.
pub(crate) trait Tables {
    /// The process whose batch it is.
    fn me(&self) -> u64;
    /// Whether another process lives.
    fn lives(&mut self, owner: u64) -> Result<bool, StoreError>;
    /// What is known of another process.
    fn holder(&mut self, owner: u64) -> Result<Holder, StoreError>;

    fn has_program(&mut self, hash: &Hash) -> Result<bool, StoreError>;
    fn put_program(&mut self, hash: &Hash, bytes: &[u8]) -> Result<(), StoreError>;

    fn head(&mut self, run: &RunId) -> Result<Option<Head>, StoreError>;
    /// One that is running belongs to this process.
    fn insert_run(&mut self, run: &NewRun) -> Result<(), StoreError>;
    /// One that is running afterwards belongs to this process, any other one to nobody.
    fn change_run(&mut self, head: &Head, change: &Change) -> Result<(), StoreError>;
    fn append(&mut self, run: &RunId, head: &Head, records: &[Record]) -> Result<(), StoreError>;
    /// With everything that belongs to it alone.
    fn remove_run(&mut self, run: &RunId, head: &Head) -> Result<(), StoreError>;
    fn put_blob(&mut self, head: &Head, hash: &Hash, bytes: &[u8]) -> Result<(), StoreError>;

    fn promise(&mut self, head: &Head, key: &str) -> Result<Option<PromiseState>, StoreError>;
    fn insert_promise(
        &mut self,
        run: &RunId,
        head: &Head,
        question: &Question,
    ) -> Result<(), StoreError>;
    fn change_promise(
        &mut self,
        head: &Head,
        key: &str,
        state: &PromiseState,
    ) -> Result<(), StoreError>;
    fn withdraw_open(&mut self, head: &Head) -> Result<(), StoreError>;

    fn once(&mut self, call: &str, value: &Hash) -> Result<Option<Once>, StoreError>;
    fn put_once(&mut self, call: &str, value: &Hash, once: Option<&Once>)
    -> Result<(), StoreError>;

    /// The owner of a session, if it has one.
    fn owner(&mut self, session: &str) -> Result<Option<RunId>, StoreError>;
    /// Makes the session if there is none.
    fn set_owner(&mut self, session: &str, owner: Option<&RunId>) -> Result<(), StoreError>;
    fn save_cells(&mut self, session: &str, cells: &[u8]) -> Result<(), StoreError>;
    fn remove_session(&mut self, session: &str) -> Result<(), StoreError>;

    fn started(&mut self, key: &StartKey) -> Result<Option<Started>, StoreError>;
    fn put_started(&mut self, key: &StartKey, started: &Started) -> Result<(), StoreError>;
}

/// Does one operation.
pub(crate) fn apply(op: &Op, tables: &mut impl Tables) -> Result<(), StoreError> {
    match op {
        Op::Program { hash, bytes } => {
            if tables.has_program(hash)? {
                Ok(())
            } else {
                tables.put_program(hash, bytes)
            }
        }
        Op::Start(run) => start(run, tables),
        Op::Append { run, records } => append(run, records, tables),
        Op::Blob { run, hash, bytes } => {
            let head = live(run, tables)?;
            tables.put_blob(&head, hash, bytes)
        }
        Op::State(change) => change_state(change, tables),
        Op::Ask { run, question } => {
            let head = live(run, tables)?;
            match tables.promise(&head, &question.key)? {
                None => tables.insert_promise(run, &head, question),
                Some(_) => {
                    let (run, key) = (run.clone(), question.key.clone());
                    Err(Refused::PromiseExists { run, key }.into())
                }
            }
        }
        Op::Answer { run, key, answer } => take_answer(run, key, answer, tables),
        Op::Withdraw { run, key } => {
            let head = known(run, tables)?;
            mine(run, &head, tables)?;
            match promised(run, &head, key, tables)? {
                PromiseState::Open => tables.change_promise(&head, key, &PromiseState::Withdrawn),
                _ => Ok(()),
            }
        }
        Op::Claim { run, seq, call, value } => {
            live(run, tables)?;
            match tables.once(call, value)? {
                None => {
                    let once = Once { run: run.clone(), seq: *seq, result: None };
                    tables.put_once(call, value, Some(&once))
                }
                Some(once) => {
                    let (call, once) = (call.clone(), Box::new(once));
                    Err(Refused::OnceTaken { call, once }.into())
                }
            }
        }
        Op::Settle { run, call, value, result } => {
            let mut once = held(run, call, value, tables)?;
            once.result = Some(result.clone());
            tables.put_once(call, value, Some(&once))
        }
        Op::Release { run, call, value } => {
            held(run, call, value, tables)?;
            tables.put_once(call, value, None)
        }
        Op::Cells { run, cells } => {
            let head = live(run, tables)?;
            let session = match head.session {
                Some(session) if tables.owner(&session)?.as_ref() == Some(run) => session,
                _ => return Err(Refused::NoSession { run: run.clone() }.into()),
            };
            tables.save_cells(&session, cells)
        }
        Op::Key { key, started } => match tables.started(key)? {
            None => tables.put_started(key, started),
            Some(started) => {
                let StartKey { scope, key } = (**key).clone();
                Err(Refused::KnownKey { scope, key, started: Box::new(started) }.into())
            }
        },
        Op::RemoveRun(run) => {
            let head = known(run, tables)?;
            if !head.state.is_final() {
                return Err(Refused::NotEnded { run: run.clone(), state: head.state }.into());
            }
            tables.remove_run(run, &head)
        }
        Op::RemoveSession(session) => match tables.owner(session) {
            // One that is damaged can only be removed: whose it was is not known any more.
            Ok(None) | Err(StoreError::Damaged(_)) => tables.remove_session(session),
            Ok(Some(owner)) => {
                Err(Refused::SessionTaken { session: session.clone(), owner }.into())
            }
            Err(error) => Err(error),
        },
    }
}

fn known(run: &RunId, tables: &mut impl Tables) -> Result<Head, StoreError> {
    tables.head(run)?.ok_or_else(|| Refused::NoRun { run: run.clone() }.into())
}

/// A run that has not ended.
fn unfinished(run: &RunId, tables: &mut impl Tables) -> Result<Head, StoreError> {
    let head = known(run, tables)?;
    if head.state.is_final() {
        return Err(Refused::Ended { run: run.clone(), state: head.state }.into());
    }
    Ok(head)
}

/// A run to which this process may add something.
fn live(run: &RunId, tables: &mut impl Tables) -> Result<Head, StoreError> {
    let head = unfinished(run, tables)?;
    mine(run, &head, tables)?;
    Ok(head)
}

/// Refuses what only the owner of a running run may do.
fn mine(run: &RunId, head: &Head, tables: &mut impl Tables) -> Result<(), StoreError> {
    if head.state != RunState::Running || head.owner == Some(tables.me()) {
        return Ok(());
    }
    let holder = match head.owner {
        Some(owner) => tables.holder(owner)?,
        None => Holder::unknown(0),
    };
    Err(Refused::OwnedElsewhere { run: run.clone(), holder }.into())
}

fn start(run: &NewRun, tables: &mut impl Tables) -> Result<(), StoreError> {
    let id = || run.id.clone();
    if !matches!(run.state, RunState::Queued | RunState::Running) {
        return Err(Refused::NoSuchChange { run: id(), state: run.state }.into());
    }
    if run.state == RunState::Queued && run.session.is_none() {
        return Err(Refused::NoSession { run: id() }.into());
    }
    if tables.head(&run.id)?.is_some() {
        return Err(Refused::RunExists { run: id() }.into());
    }
    if !tables.has_program(&run.program)? {
        return Err(Refused::NoProgram { run: id() }.into());
    }
    let session = run.session.as_ref().filter(|_| run.state == RunState::Running);
    if let Some(session) = session {
        free(session, tables)?;
    }
    tables.insert_run(run)?;
    match session {
        Some(session) => tables.set_owner(session, Some(&run.id)),
        None => Ok(()),
    }
}

/// Refuses a session that has an owner.
fn free(session: &SmolStr, tables: &mut impl Tables) -> Result<(), StoreError> {
    match tables.owner(session)? {
        None => Ok(()),
        Some(owner) => Err(Refused::SessionTaken { session: session.clone(), owner }.into()),
    }
}

fn append(run: &RunId, records: &[Record], tables: &mut impl Tables) -> Result<(), StoreError> {
    let head = live(run, tables)?;
    for (next, record) in (head.next..).zip(records) {
        if record.seq != next || next == MAX_RECORDS {
            return Err(Refused::OutOfOrder { run: run.clone(), seq: record.seq, next }.into());
        }
    }
    tables.append(run, &head, records)
}

fn change_state(change: &Change, tables: &mut impl Tables) -> Result<(), StoreError> {
    let (run, wanted) = (&change.run, change.state);
    let head = match wanted {
        // What has ended may turn out to be damaged.
        RunState::Damaged => known(run, tables)?,
        _ => unfinished(run, tables)?,
    };
    match head.owner {
        // What nobody goes on with any more, somebody else may take up.
        Some(owner) if wanted == RunState::Running && owner != tables.me() => {
            if tables.lives(owner)? {
                mine(run, &head, tables)?;
            }
        }
        None if wanted == RunState::Running => {}
        _ => mine(run, &head, tables)?,
    }
    let starts = head.state == RunState::Queued;
    let possible = match wanted {
        RunState::Queued => false,
        RunState::Waiting => !starts && change.ended.is_none(),
        RunState::Running => change.ended.is_none(),
        RunState::Damaged => true,
        RunState::Done | RunState::Failed | RunState::Cancelled => change.ended.is_some(),
    };
    if !possible {
        return Err(Refused::NoSuchChange { run: run.clone(), state: wanted }.into());
    }
    if starts
        && wanted == RunState::Running
        && let Some(session) = &head.session
    {
        free(session, tables)?;
        tables.set_owner(session, Some(run))?;
    }
    if wanted.is_final() {
        tables.withdraw_open(&head)?;
        if let Some(session) = &head.session
            && tables.owner(session)?.as_ref() == Some(run)
        {
            tables.set_owner(session, None)?;
        }
    }
    tables.change_run(&head, change)
}

fn promised(
    run: &RunId,
    head: &Head,
    key: &SmolStr,
    tables: &mut impl Tables,
) -> Result<PromiseState, StoreError> {
    let missing = || Refused::NoPromise { run: run.clone(), key: key.clone() }.into();
    tables.promise(head, key)?.ok_or_else(missing)
}

fn take_answer(
    run: &RunId,
    key: &SmolStr,
    answer: &Answer,
    tables: &mut impl Tables,
) -> Result<(), StoreError> {
    let head = known(run, tables)?;
    let id = || (run.clone(), key.clone());
    match promised(run, &head, key, tables)? {
        PromiseState::Open => {
            tables.change_promise(&head, key, &PromiseState::Answered(answer.clone()))
        }
        // Sent again, as its sender did not hear of the first time.
        PromiseState::Answered(first) if first.by == answer.by && first.value == answer.value => {
            Ok(())
        }
        PromiseState::Answered(first) => {
            let (run, key) = id();
            Err(Refused::Answered { run, key, answer: Box::new(first) }.into())
        }
        PromiseState::Withdrawn => {
            let (run, key) = id();
            Err(Refused::Withdrawn { run, key }.into())
        }
    }
}

/// The claim of a run. It outlives its run, so that need not be there.
fn held(
    run: &RunId,
    call: &SmolStr,
    value: &Hash,
    tables: &mut impl Tables,
) -> Result<Once, StoreError> {
    if let Some(head) = tables.head(run)? {
        mine(run, &head, tables)?;
    }
    match tables.once(call, value)? {
        Some(once) if once.run == *run => Ok(once),
        _ => Err(Refused::OnceNotHeld { run: run.clone(), call: call.clone() }.into()),
    }
}
