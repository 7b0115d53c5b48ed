//! Lines of text from a server, as Spark's socket source reads them: for trying things out.
//!
//! Nothing of it is kept: lines that came before a crash are not read again, and when the connection ends, so does
//! the query.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use datafusion::arrow::array::{
    ArrayRef, RecordBatch, RecordBatchOptions, StringArray, TimestampMicrosecondArray,
};
use env::Clock;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use record::Record;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::error::SourceError;
use crate::operator::scope::Refusals;
use crate::query::journal::Ranges;
use crate::source::records::{LoneRecord, SourceRecords};
use crate::source::shape::Shape;
use crate::source::{Bounds, Content, Limits, Pinned, Rows, Source, Standing};
use crate::sql::options::source::SocketOptions;
use crate::sql::types::UTC;
use crate::status::{Offsets, SourceOffset};

/// Bytes that wait for a batch; the server waits when there are so many.
const BUFFER_BYTES: usize = 16 * 1024 * 1024;

/// A longer line is cut.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// A server as a source.
#[derive(Debug)]
pub(crate) struct SocketSource {
    name: String,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    reader: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    received: Mutex<Received>,
    /// Lines have come, or the connection has ended.
    more: Notify,
    /// Lines have gone.
    room: Notify,
}

#[derive(Debug, Default)]
struct Received {
    /// The number of the first line that waits.
    first: i64,
    lines: VecDeque<Line>,
    bytes: usize,
    /// Why no more will come.
    ended: Option<std::io::Error>,
}

#[derive(Debug, Clone)]
struct Line {
    at_ms: i64,
    text: Bytes,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SocketSource {
    pub(crate) fn new(options: &SocketOptions, clock: &Arc<dyn Clock>) -> Self {
        let name = format!("{}:{}", options.host, options.port);
        let (shared, reader) = (Arc::default(), Mutex::default());
        SocketSource { name, clock: Arc::clone(clock), shared, reader }
    }

    fn position(&self, positions: &Offsets) -> i64 {
        positions.get(&self.name).and_then(|log| log.get(&0)).copied().unwrap_or(0)
    }

    /// Connects, if nobody has.
    fn connect(&self, from: i64) {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if reader.is_some() {
            return;
        }
        self.shared.lock().first = from;
        let (address, shared, clock) = (self.name.clone(), Arc::clone(&self.shared), Arc::clone(&self.clock));
        *reader = Some(tokio::spawn(async move {
            let ended = read(&address, &shared, clock.as_ref()).await;
            shared.lock().ended = Some(ended);
            shared.more.notify_one();
        }));
    }

    fn pinned(&self, from: i64, lines: Vec<Line>) -> Pinned {
        let to = from.saturating_add(i64::try_from(lines.len()).unwrap_or(i64::MAX));
        let log = if from < to { BTreeMap::from([(0, (from, to))]) } else { BTreeMap::new() };
        let lines = Lines { name: self.name.as_str().into(), from, lines };
        Pinned::new(Ranges::from([(self.name.clone(), log)]), lines)
    }
}

impl Drop for SocketSource {
    fn drop(&mut self) {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reader) = reader {
            reader.abort();
        }
    }
}

/// Reads until the connection ends, and says why it did.
async fn read(address: &str, shared: &Shared, clock: &dyn Clock) -> std::io::Error {
    let stream = match TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) => return error,
    };
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        match (&mut stream).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await {
            Err(error) => return error,
            Ok(0) => return std::io::ErrorKind::UnexpectedEof.into(),
            Ok(_) => {}
        }
        while line.last().is_some_and(|byte| b"\r\n".contains(byte)) {
            line.pop();
        }
        loop {
            {
                let mut received = shared.lock();
                if received.bytes < BUFFER_BYTES {
                    received.bytes += line.len();
                    received.lines.push_back(Line { at_ms: clock.now_ms(), text: line.into() });
                    break;
                }
            }
            shared.room.notified().await;
        }
        shared.more.notify_one();
    }
}

impl Source for SocketSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&self) -> BoxFuture<'_, Result<Offsets, SourceError>> {
        ready(Ok(Offsets::from([(self.name.clone(), BTreeMap::from([(0, 0)]))]))).boxed()
    }

    fn ready<'a>(&'a self, positions: &'a Offsets) -> BoxFuture<'a, Result<(), SourceError>> {
        self.connect(self.position(positions));
        async move {
            loop {
                {
                    let mut received = self.shared.lock();
                    if !received.lines.is_empty() {
                        return Ok(());
                    }
                    if let Some(source) = received.ended.take() {
                        return Err(SourceError::Connect { address: self.name.clone(), source });
                    }
                }
                self.shared.more.notified().await;
            }
        }
        .boxed()
    }

    fn pin<'a>(
        &'a self,
        positions: &'a Offsets,
        limits: &'a Limits,
        _: u64,
    ) -> BoxFuture<'a, Result<Pinned, SourceError>> {
        let from = self.position(positions);
        let mut received = self.shared.lock();
        // What was pinned before and has been committed is done with; what has not is given again.
        let gone =
            usize::try_from(from.saturating_sub(received.first)).unwrap_or(0).min(received.lines.len());
        let gone: Vec<Line> = received.lines.drain(..gone).collect();
        received.first = from;
        received.bytes -= gone.iter().map(|line| line.text.len()).sum::<usize>();
        let rows = usize::try_from(limits.rows).unwrap_or(usize::MAX);
        let lines = received.lines.iter().take(rows).cloned().collect();
        drop(received);
        self.shared.room.notify_one();
        ready(Ok(self.pinned(from, lines))).boxed()
    }

    fn reread<'a>(&'a self, ranges: &'a Ranges) -> BoxFuture<'a, Result<Pinned, SourceError>> {
        let log = ranges.get(&self.name).cloned().unwrap_or_default();
        // The lines went with the process that had read them.
        let nothing = Lines { name: self.name.as_str().into(), from: 0, lines: Vec::new() };
        ready(Ok(Pinned::new(Ranges::from([(self.name.clone(), log)]), nothing))).boxed()
    }

    fn secure<'a>(&'a self, _: &'a Pinned) -> BoxFuture<'a, Result<bool, SourceError>> {
        ready(Ok(true)).boxed()
    }

    fn bounds(&self) -> BoxFuture<'_, Result<Option<Bounds>, SourceError>> {
        ready(Ok(None)).boxed()
    }

    fn progress(&self, positions: &Offsets) -> Standing {
        let offset = self.position(positions);
        let received = self.shared.lock();
        let end = received.first.saturating_add(i64::try_from(received.lines.len()).unwrap_or(0)).max(offset);
        Standing::from([(self.name.clone(), BTreeMap::from([(0, SourceOffset { offset, end })]))])
    }

    fn commit(&self, positions: &Offsets) {
        let position = self.position(positions);
        let mut received = self.shared.lock();
        while received.first < position
            && let Some(line) = received.lines.pop_front()
        {
            received.first += 1;
            received.bytes -= line.text.len();
        }
        drop(received);
        self.shared.room.notify_one();
    }
}

/// Lines of one batch.
#[derive(Debug)]
struct Lines {
    name: Arc<str>,
    from: i64,
    lines: Vec<Line>,
}

impl Content for Lines {
    fn rows(self: Box<Self>, shape: &Shape) -> Result<Rows, SourceError> {
        let received = (self.from..).zip(&self.lines).map(|(offset, line)| {
            let value = Some(line.text.clone());
            let record = Record { offset, timestamp: line.at_ms, value, ..Record::default() };
            LoneRecord { topic: Arc::clone(&self.name), partition: 0, record }
        });
        let records = SourceRecords::gather(received);
        let texts = self.lines.iter().map(|line| String::from_utf8_lossy(&line.text));
        let texts = StringArray::from_iter_values(texts);
        let times = self.lines.iter().map(|line| line.at_ms.saturating_mul(1_000));
        let times = TimestampMicrosecondArray::from_iter_values(times).with_timezone(UTC);
        let columns: Vec<ArrayRef> = vec![Arc::new(texts), Arc::new(times)];
        let columns = columns.into_iter().take(shape.values().fields().len()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
        let numbers: Vec<usize> = (0..records.len()).collect();
        let batch = RecordBatch::try_new_with_options(Arc::clone(shape.values()), columns, &options)
            .and_then(|values| shape.widen(&values, &records, &numbers));
        batch.map(|batch| Rows { batch, records, refused: Refusals::new() }).map_err(SourceError::Decode)
    }
}
