//! A bucket: objects by their keys, asked on the engine's own runtime while the thread that asks waits.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use env::Clock;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{
    Error, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutPayload,
    Result as Answer,
};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::storage::refusal::{is_passing, late, refused};
use crate::storage::{Found, Held, SCHEMES, StorageError, Wanted, waiting};

/// How long an object store is waited for that does not answer, before the query fails: as long as PostgreSQL is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// How long one request may take, with what is moved in it: up to [`PART_BYTES`].
const REQUEST: Duration = Duration::from_secs(60);

/// What is moved with one request: longer objects are written in parts, and become visible with the last one.
const PART_BYTES: usize = 16 * 1024 * 1024;

/// Objects that are listed ahead of who looks at them: a page of S3.
const PAGE: usize = 1_000;

/// How long the name of a writer is.
pub(super) const WRITER_BYTES: usize = 16;

/// An answer that is under way.
type Asked<T> = oneshot::Receiver<io::Result<T>>;

/// A bucket of an object store. A cheap handle.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(super) store: Arc<dyn ObjectStore>,
    /// `s3://bucket/`: what stands before a key.
    pub(super) root: String,
    clock: Arc<dyn Clock>,
    handle: Handle,
    /// What tells this program from every other that writes there, also from its own earlier run.
    writer: [u8; WRITER_BYTES],
    /// How long it is waited for when it does not answer.
    patience: Duration,
}

/// The scheme and the bucket that a path names.
pub(super) fn named(path: &str) -> Result<(&'static str, &str), StorageError> {
    let scheme = SCHEMES.into_iter().find(|scheme| path.starts_with(scheme)).unwrap_or("");
    let name = path[scheme.len()..].split('/').next().unwrap_or_default();
    if name.is_empty() {
        let reason = "names no bucket; write s3://bucket/prefix".to_owned();
        return Err(StorageError::Path { path: path.to_owned(), reason });
    }
    Ok((scheme, name))
}

impl Bucket {
    pub(super) fn new(
        store: Arc<dyn ObjectStore>,
        (scheme, name): (&str, &str),
        clock: &Arc<dyn Clock>,
        handle: Handle,
        writer: [u8; WRITER_BYTES],
    ) -> Self {
        Bucket {
            store,
            root: format!("{scheme}{name}/"),
            clock: Arc::clone(clock),
            handle,
            writer,
            patience: Duration::ZERO,
        }
    }

    /// Since some moment, for who measures.
    pub(super) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(super) fn writer(&self) -> [u8; WRITER_BYTES] {
        self.writer
    }

    pub(super) fn patient(self) -> Self {
        Bucket { patience: PATIENCE, ..self }
    }

    pub(super) fn is(&self, scheme: &str, name: &str) -> bool {
        self.root.strip_prefix(scheme).and_then(|rest| rest.strip_suffix('/')) == Some(name)
    }

    fn key(&self, path: &Path) -> io::Result<Key> {
        let text = path.to_str().unwrap_or_default();
        let key = text.strip_prefix(&self.root).or_else(|| (format!("{text}/") == self.root).then_some(""));
        let other = || io::Error::new(io::ErrorKind::InvalidInput, format!("is not in {}", self.root));
        Key::parse(key.ok_or_else(other)?.trim_matches('/')).map_err(|error| refused(&error.into()))
    }

    fn path(&self, key: &Key) -> PathBuf {
        format!("{}{key}", self.root).into()
    }

    /// Waits for the answer to what [`ask`](Self::ask) asks.
    fn answered<T, F>(&self, attempt: impl Fn(Arc<dyn ObjectStore>) -> F + Send + 'static) -> io::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = io::Result<T>> + Send,
    {
        answer(self.ask(attempt))
    }

    /// Tries what does not answer for now until it does, or patience ends.
    fn ask<T, F>(&self, attempt: impl Fn(Arc<dyn ObjectStore>) -> F + Send + 'static) -> Asked<T>
    where
        T: Send + 'static,
        F: Future<Output = io::Result<T>> + Send,
    {
        let Bucket { store, root, clock, handle, patience, .. } = self.clone();
        let (send, receive) = oneshot::channel();
        handle.spawn(async move {
            let until = clock.monotonic() + patience;
            let mut told = false;
            let done = loop {
                match attempt(Arc::clone(&store)).await {
                    Err(error) if is_passing(&error) && clock.monotonic() < until && !send.is_closed() => {
                        if !told {
                            tracing::warn!(bucket = root, %error, "an object store does not answer; trying on");
                            told = true;
                        }
                        tokio::time::sleep(PAUSE).await;
                    }
                    done => break done,
                }
            };
            let _ = send.send(done);
        });
        receive
    }

    /// Shows all objects below a key as they come; one try.
    fn each(&self, below: Option<Key>, show: &mut dyn FnMut(ObjectMeta)) -> io::Result<()> {
        let (send, mut receive) = mpsc::channel::<io::Result<Vec<ObjectMeta>>>(1);
        let store = Arc::clone(&self.store);
        self.handle.spawn(async move {
            let mut pages = store.list(below.as_ref()).ready_chunks(PAGE);
            loop {
                let page = match tokio::time::timeout(REQUEST, pages.next()).await {
                    Ok(None) => return,
                    Ok(Some(page)) => {
                        page.into_iter().collect::<Answer<Vec<_>>>().map_err(|error| refused(&error))
                    }
                    Err(_) => Err(late()),
                };
                let ends = page.is_err();
                if send.send(page).await.is_err() || ends {
                    return;
                }
            }
        });
        // A runtime that ends in between looks like the last page.
        while let Some(page) = waiting(|| receive.blocking_recv()) {
            page?.into_iter().for_each(&mut *show);
        }
        Ok(())
    }

    pub(super) fn walk(
        &self,
        base: &Path,
        wanted: &dyn Wanted,
        show: &mut dyn FnMut(Found),
    ) -> io::Result<()> {
        let key = self.key(base)?;
        let below = Some(key.clone()).filter(|key| !key.as_ref().is_empty());
        let mut any = false;
        self.each(below.clone(), &mut |object| {
            any = true;
            let Some(rest) = self.below(&object.location, &key) else { return };
            let mut names: Vec<&str> = rest.split('/').collect();
            let file = names.pop().unwrap_or_default();
            let depth = names.len();
            let way = names.into_iter().enumerate().all(|(depth, name)| wanted.enters(depth, name));
            // What stands for a directory has no bytes, and a file without any has no rows.
            if object.size > 0 && way && wanted.takes(depth, file) {
                show(self.found(&object));
            }
        })?;
        if any || below.is_none() {
            return Ok(());
        }
        // There is nothing below: perhaps it is an object itself.
        match self.head(base) {
            Ok(object) => show(self.found(&object)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn found(&self, object: &ObjectMeta) -> Found {
        let modified_ms = object.last_modified.timestamp_millis();
        Found { modified_ms, path: self.path(&object.location), bytes: object.size }
    }

    fn below<'a>(&self, location: &'a Key, base: &Key) -> Option<&'a str> {
        match base.as_ref() {
            "" => Some(location.as_ref()),
            base => location.as_ref().strip_prefix(base)?.strip_prefix('/'),
        }
    }

    pub(super) fn names(&self, directory: &Path) -> io::Result<Vec<String>> {
        let key = self.key(directory)?;
        let below = Some(key.clone()).filter(|key| !key.as_ref().is_empty());
        let listed = self.answered(move |store| {
            let below = below.clone();
            async move { in_time(store.list_with_delimiter(below.as_ref())).await }
        })?;
        let there = listed.objects.iter().map(|object| &object.location).chain(&listed.common_prefixes);
        Ok(there.filter_map(|there| self.below(there, &key)).map(str::to_owned).collect())
    }

    fn head(&self, path: &Path) -> io::Result<ObjectMeta> {
        let key = self.key(path)?;
        self.answered(move |store| {
            let key = key.clone();
            async move { in_time(store.head(&key)).await }
        })
    }

    pub(super) fn len(&self, path: &Path) -> io::Result<u64> {
        self.head(path).map(|object| object.size)
    }

    pub(super) fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Held> {
        self.ask_for(path, bytes_max).and_then(answer)
    }

    /// Reads objects side by side.
    pub(super) fn read_all(&self, paths: &[PathBuf], bytes_max: u64) -> Vec<io::Result<Held>> {
        let asked: Vec<_> = paths.iter().map(|path| self.ask_for(path, bytes_max)).collect();
        asked.into_iter().map(|asked| asked.and_then(answer)).collect()
    }

    fn ask_for(&self, path: &Path, bytes_max: u64) -> io::Result<Asked<Held>> {
        let key = self.key(path)?;
        Ok(self.ask(move |store| {
            let key = key.clone();
            async move {
                let got = in_time(store.get(&key)).await?;
                let size = got.meta.size;
                if size > bytes_max {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
                let modified_ms = got.meta.last_modified.timestamp_millis();
                let mut bytes = BytesMut::with_capacity(usize::try_from(size).unwrap_or(0));
                let mut parts = got.into_stream();
                while let Some(part) = in_time(parts.try_next()).await? {
                    bytes.extend_from_slice(&part);
                }
                if bytes.len() as u64 != size {
                    return Err(late());
                }
                Ok(Held { bytes: bytes.freeze(), modified_ms })
            }
        }))
    }

    pub(super) fn put(&self, path: &Path, bytes: Bytes) -> io::Result<()> {
        self.ask_to_put(path, bytes).and_then(answer)
    }

    /// Writes objects side by side.
    pub(super) fn put_all(&self, files: Vec<(PathBuf, Vec<u8>)>) -> io::Result<()> {
        let asked = files.into_iter().map(|(path, bytes)| self.ask_to_put(&path, bytes.into()));
        let asked = asked.collect::<io::Result<Vec<_>>>()?;
        asked.into_iter().try_for_each(answer)
    }

    fn ask_to_put(&self, path: &Path, bytes: Bytes) -> io::Result<Asked<()>> {
        let key = self.key(path)?;
        Ok(self.ask(move |store| {
            let (key, bytes) = (key.clone(), bytes.clone());
            async move {
                if bytes.len() <= PART_BYTES {
                    return in_time(store.put(&key, bytes.into())).await.map(drop);
                }
                in_parts(store.as_ref(), &key, &bytes).await
            }
        }))
    }

    /// Writes an object that must not be there, or be the same already: a request whose answer was lost has been
    /// carried out.
    pub(super) fn claim(&self, path: &Path, bytes: Bytes) -> io::Result<()> {
        let key = self.key(path)?;
        self.answered(move |store| {
            let (key, bytes) = (key.clone(), bytes.clone());
            async move {
                let payload = PutPayload::from(bytes.clone());
                let put =
                    in_time_of(bytes.len(), store.put_opts(&key, payload, PutMode::Create.into())).await;
                match put {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        let there =
                            in_time_of(bytes.len(), async { store.get(&key).await?.bytes().await }).await;
                        match there {
                            Ok(there) if there == bytes => Ok(()),
                            // Two claims at once: neither has won yet.
                            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(late()),
                            Err(error) => Err(error),
                            Ok(_) => Err(error),
                        }
                    }
                    put => put.map(drop),
                }
            }
        })
    }

    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        let key = self.key(path)?;
        self.answered(move |store| {
            let key = key.clone();
            async move { in_time(store.delete(&key)).await }
        })
    }

    /// A copy, then the old name goes. Once more after a crash in between does no harm.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (self.key(from)?, self.key(to)?);
        self.answered(move |store| {
            let (from, to) = (from.clone(), to.clone());
            async move {
                in_time(store.copy(&from, &to)).await?;
                in_time(store.delete(&from)).await
            }
        })
    }

    pub(super) fn exists(&self, path: &Path) -> io::Result<bool> {
        let key = self.key(path)?;
        let below = Some(key).filter(|key| !key.as_ref().is_empty());
        let any = self.answered(move |store| {
            let below = below.clone();
            async move {
                let mut listed = store.list(below.as_ref());
                in_time(listed.try_next()).await.map(|first| first.is_some())
            }
        })?;
        if any {
            return Ok(true);
        }
        match self.head(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn clear(&self, directory: &Path) -> io::Result<()> {
        let key = self.key(directory)?;
        if key.as_ref().is_empty() {
            let reason = "is a whole bucket, which is not emptied; name a directory in it";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        self.answered(move |store| {
            let key = key.clone();
            async move {
                let keys = store.list(Some(&key)).map_ok(|object| object.location).boxed();
                let mut removed = store.delete_stream(keys);
                while in_time(removed.try_next()).await?.is_some() {}
                Ok(())
            }
        })
    }
}

fn answer<T>(asked: Asked<T>) -> io::Result<T> {
    waiting(|| asked.blocking_recv()).unwrap_or_else(|_| Err(io::Error::other("the engine is closed")))
}

/// Writes a long object. Of one that does not come to its end nothing stays.
async fn in_parts(store: &dyn ObjectStore, key: &Key, bytes: &Bytes) -> io::Result<()> {
    let mut upload = in_time(store.put_multipart_opts(key, PutMultipartOptions::default())).await?;
    let mut sent = Ok(());
    for at in (0..bytes.len()).step_by(PART_BYTES) {
        let part = bytes.slice(at..bytes.len().min(at + PART_BYTES));
        sent = in_time(upload.put_part(part.into())).await;
        if sent.is_err() {
            break;
        }
    }
    if sent.is_ok() {
        sent = in_time(upload.complete()).await.map(drop);
    }
    if sent.is_err() {
        // Whether it is heard or not, the error is the one of before.
        let _ = in_time(upload.abort()).await;
    }
    sent
}

/// No request goes without an end.
async fn in_time<T>(request: impl Future<Output = Answer<T>>) -> io::Result<T> {
    in_time_of(0, request).await
}

/// One that moves so many bytes may take longer.
async fn in_time_of<T>(bytes: usize, request: impl Future<Output = Answer<T>>) -> io::Result<T> {
    let parts = u32::try_from(bytes / PART_BYTES).unwrap_or(u32::MAX).saturating_add(1);
    match tokio::time::timeout(REQUEST.saturating_mul(parts), request).await {
        Ok(answer) => answer.map_err(|error: Error| refused(&error)),
        Err(_) => Err(late()),
    }
}
