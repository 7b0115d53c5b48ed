//! One execution: the answers that a client has not let go of, so that it can attach again where it was.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::Stream;
use tokio::sync::watch;
use tonic::Status;

use crate::session::{Session, lock};
use crate::wire::execute::{ExecutePlanResponse, ResponseType, ResultComplete};

/// Bytes of answers that nobody has fetched; more waits.
const BYTES_AHEAD_MAX: usize = 256 << 20;

/// How long an operation waits for a client that fetches nothing, or has gone (Spark's
/// `spark.connect.execute.manager.detachedTimeout`).
pub(crate) const DETACHED_MAX: Duration = Duration::from_secs(300);

/// An execution.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) tags: Vec<String>,
    answers: Mutex<Answers>,
    /// Counts up with every change of the answers.
    changed: watch::Sender<u64>,
    interrupted: watch::Sender<bool>,
    /// How many streams hand its answers to a client.
    attached: watch::Sender<usize>,
    /// It goes on when all others are interrupted.
    stays: AtomicBool,
}

#[derive(Debug, Default)]
struct Answers {
    kept: VecDeque<(Arc<ExecutePlanResponse>, usize)>,
    /// The number of the first answer that is kept.
    first: u64,
    /// The number of the answer to be sent next.
    next: u64,
    bytes: usize,
    end: Option<Result<(), Status>>,
}

impl Operation {
    pub(crate) fn new(id: String, tags: Vec<String>) -> Self {
        Operation {
            id,
            tags,
            answers: Mutex::default(),
            changed: watch::channel(0).0,
            interrupted: watch::channel(false).0,
            attached: watch::channel(0).0,
            stays: AtomicBool::new(false),
        }
    }

    /// From now on, it goes on when all others are interrupted: only its own number ends it.
    pub(crate) fn stay(&self) {
        self.stays.store(true, Ordering::Relaxed);
    }

    pub(crate) fn stays(&self) -> bool {
        self.stays.load(Ordering::Relaxed)
    }

    /// Asks the execution to end.
    pub(crate) fn interrupt(&self) {
        self.interrupted.send_replace(true);
    }

    /// Waits until the execution shall end.
    pub(crate) async fn interrupted(&self) {
        let _ = self.interrupted.subscribe().wait_for(|asked| *asked).await;
    }

    /// Waits until no client has listened for so long.
    pub(crate) async fn left(&self, patience: Duration) {
        let mut attached = self.attached.subscribe();
        loop {
            if attached.wait_for(|streams| *streams == 0).await.is_err() {
                return;
            }
            if tokio::time::timeout(patience, attached.wait_for(|streams| *streams > 0)).await.is_err() {
                return;
            }
        }
    }

    pub(crate) fn ended(&self) -> bool {
        lock(&self.answers).end.is_some()
    }

    /// Appends an answer; waits while too much is waiting to be fetched.
    pub(crate) async fn answer(&self, session: &Session, answer: ExecutePlanResponse) {
        let mut changed = self.changed.subscribe();
        while lock(&self.answers).bytes > BYTES_AHEAD_MAX {
            if tokio::time::timeout(DETACHED_MAX, changed.changed()).await.is_err() {
                // Nobody has fetched anything for so long: nobody will.
                self.interrupt();
                return;
            }
        }
        self.append(&mut lock(&self.answers), session, answer);
        self.notify();
    }

    fn append(&self, answers: &mut Answers, session: &Session, mut answer: ExecutePlanResponse) {
        answer.session_id.clone_from(&session.id);
        answer.server_side_session_id.clone_from(&session.server_id);
        answer.operation_id.clone_from(&self.id);
        answer.response_id = session.new_id();
        let size = prost::Message::encoded_len(&answer);
        answers.bytes += size;
        answers.kept.push_back((Arc::new(answer), size));
    }

    /// An answer of this kind.
    pub(crate) async fn tell(&self, session: &Session, kind: ResponseType) {
        self.answer(session, ExecutePlanResponse { response_type: Some(kind), ..Default::default() }).await;
    }

    /// Ends the answers. The last one and the end of the stream become visible together, so that they can leave in one
    /// write.
    pub(crate) fn end(&self, session: &Session, outcome: Result<(), Status>) {
        {
            let mut answers = lock(&self.answers);
            if outcome.is_ok() {
                let response_type = Some(ResponseType::ResultComplete(ResultComplete {}));
                self.append(
                    &mut answers,
                    session,
                    ExecutePlanResponse { response_type, ..Default::default() },
                );
            }
            answers.end = Some(outcome);
        }
        self.notify();
    }

    fn notify(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// The client has everything up to this answer.
    pub(crate) fn release_until(&self, response: &str) {
        {
            let mut answers = lock(&self.answers);
            let found = answers.kept.iter().position(|(answer, _)| answer.response_id == response);
            let Some(last) = found else { return };
            for (_, size) in answers.kept.drain(..=last).collect::<Vec<_>>() {
                answers.bytes -= size;
                answers.first += 1;
            }
        }
        self.notify();
    }

    /// The answers behind `after`, or all that are kept.
    pub(crate) fn stream(
        self: &Arc<Self>,
        after: Option<&str>,
    ) -> Result<impl Stream<Item = Result<ExecutePlanResponse, Status>> + Send + use<>, Status> {
        let from = {
            let answers = lock(&self.answers);
            match after {
                None => answers.first,
                Some(id) => match answers.kept.iter().position(|(answer, _)| answer.response_id == id) {
                    Some(index) => answers.first + index as u64 + 1,
                    None => answers.first,
                },
            }
        };
        self.attached.send_modify(|streams| *streams += 1);
        let state = (Attached(Arc::clone(self)), from, self.changed.subscribe(), false);
        Ok(futures::stream::unfold(state, |(operation, at, mut changed, failed)| async move {
            if failed {
                return None;
            }
            loop {
                changed.mark_unchanged();
                match operation.0.at(at) {
                    Next::Answer(at, answer) => {
                        return Some((Ok(answer), (operation, at + 1, changed, false)));
                    }
                    Next::End(Ok(())) => return None,
                    Next::End(Err(status)) => return Some((Err(status), (operation, at, changed, true))),
                    Next::Wait => changed.changed().await.ok()?,
                }
            }
        }))
    }

    fn at(&self, number: u64) -> Next {
        let mut answers = lock(&self.answers);
        let number = number.max(answers.first);
        let index = usize::try_from(number - answers.first).unwrap_or(usize::MAX);
        if let Some((answer, _)) = answers.kept.get(index) {
            let answer = ExecutePlanResponse::clone(answer);
            answers.next = answers.next.max(number + 1);
            return Next::Answer(number, answer);
        }
        answers.end.clone().map_or(Next::Wait, Next::End)
    }
}

/// An operation whose answers a client is listening to.
struct Attached(Arc<Operation>);

impl Drop for Attached {
    fn drop(&mut self) {
        self.0.attached.send_modify(|streams| *streams -= 1);
    }
}

#[expect(clippy::large_enum_variant, reason = "handed over once, never kept")]
enum Next {
    Answer(u64, ExecutePlanResponse),
    End(Result<(), Status>),
    Wait,
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn operation() -> Arc<Operation> {
        Arc::new(Operation::new("one".to_owned(), Vec::new()))
    }

    #[tokio::test]
    async fn an_operation_ends_when_its_client_has_been_gone_for_so_long() {
        let operation = operation();
        let first = operation.stream(None).unwrap();
        assert!(operation.left(Duration::ZERO).now_or_never().is_none(), "a client listens");
        drop(first);
        assert!(operation.left(DETACHED_MAX).now_or_never().is_none(), "it may come back");
        let again = operation.stream(None).unwrap();
        assert!(operation.left(Duration::ZERO).now_or_never().is_none(), "it came back");
        drop(again);
        operation.left(Duration::ZERO).await;
    }
}
