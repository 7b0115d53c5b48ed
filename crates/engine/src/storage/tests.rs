//! A bucket in memory stands for the real one, which `compat/tests/test_objects.py` asks.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use env::SimDisk;
use futures::stream::BoxStream;
use object_store::client::{HttpError, HttpErrorKind};
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as Answer,
};

use super::*;

/// An object store that does not answer for a while, and counts what it is asked to write.
#[derive(Debug)]
pub(crate) struct Unsteady {
    inner: InMemory,
    /// Requests that get no answer.
    away: AtomicUsize,
    /// Requests whose answer is lost after they were carried out.
    deaf: AtomicUsize,
    pub(crate) puts: AtomicUsize,
}

impl Unsteady {
    pub(crate) fn new() -> Arc<Self> {
        let none = AtomicUsize::default;
        Arc::new(Unsteady { inner: InMemory::new(), away: none(), deaf: none(), puts: none() })
    }

    pub(crate) fn bucket(self: &Arc<Self>) -> Store {
        self.bucket_of(1)
    }

    /// The same objects, as another program writes them.
    pub(crate) fn bucket_of(self: &Arc<Self>, writer: u8) -> Store {
        let store: Arc<dyn ObjectStore> = Arc::clone(self) as _;
        Store::Bucket(Bucket::new(store, ("s3://", "b"), &Env::real().clock, Handle::current(), [writer; 16]))
            .patient()
    }

    /// Carries the next requests out and does not say so.
    pub(crate) fn lose_answers(&self, requests: usize) {
        self.deaf.store(requests, Ordering::SeqCst);
    }

    fn comes(&self) -> Answer<()> {
        let left = self.away.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() { Err(silence()) } else { Ok(()) }
    }

    fn hears<T>(&self, answer: T) -> Answer<T> {
        let left = self.deaf.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() { Err(silence()) } else { Ok(answer) }
    }
}

fn silence() -> Error {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    Error::Generic { store: "S3", source: Box::new(HttpError::new(HttpErrorKind::Connect, refused)) }
}

impl std::fmt::Display for Unsteady {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unsteady")
    }
}

#[async_trait]
impl ObjectStore for Unsteady {
    async fn put_opts(&self, key: &Key, bytes: PutPayload, options: PutOptions) -> Answer<PutResult> {
        self.comes()?;
        self.puts.fetch_add(1, Ordering::SeqCst);
        let put = self.inner.put_opts(key, bytes, options).await?;
        self.hears(put)
    }

    async fn put_multipart_opts(
        &self,
        key: &Key,
        options: PutMultipartOptions,
    ) -> Answer<Box<dyn MultipartUpload>> {
        self.comes()?;
        self.inner.put_multipart_opts(key, options).await
    }

    async fn get_opts(&self, key: &Key, options: GetOptions) -> Answer<GetResult> {
        self.comes()?;
        self.inner.get_opts(key, options).await
    }

    fn delete_stream(&self, keys: BoxStream<'static, Answer<Key>>) -> BoxStream<'static, Answer<Key>> {
        self.inner.delete_stream(keys)
    }

    fn list(&self, below: Option<&Key>) -> BoxStream<'static, Answer<ObjectMeta>> {
        match self.comes() {
            Err(error) => Box::pin(futures::stream::iter([Err(error)])),
            Ok(()) => self.inner.list(below),
        }
    }

    async fn list_with_delimiter(&self, below: Option<&Key>) -> Answer<ListResult> {
        self.comes()?;
        self.inner.list_with_delimiter(below).await
    }

    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> Answer<()> {
        self.comes()?;
        self.inner.copy_opts(from, to, options).await
    }
}

fn put(store: &Store, path: &str, bytes: &[u8]) {
    store.put(Path::new(path), bytes.to_vec()).unwrap();
}

fn get(store: &Store, path: &str) -> Vec<u8> {
    store.read(Path::new(path), u64::MAX).unwrap().bytes.to_vec()
}

/// Below no hidden directory, and no file that begins with `-`.
struct Visible;

impl Wanted for Visible {
    fn enters(&self, depth: usize, directory: &str) -> bool {
        depth < 2 && !directory.starts_with('_')
    }

    fn takes(&self, _: usize, file: &str) -> bool {
        !file.starts_with('-')
    }
}

fn walked(store: &Store, base: &str) -> Vec<String> {
    let mut paths = Vec::new();
    store.walk(Path::new(base), &Visible, &mut |file| paths.push(file.path.display().to_string())).unwrap();
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_and_a_directory_show_the_same_files() {
    let local = Store::Local(Arc::new(SimDisk::new()));
    for (store, root) in [(&Unsteady::new().bucket(), "s3://b"), (&local, "/b")] {
        let names = ["in/a", "in/-b", "in/day=1/k=a%2Fb/c", "in/day=1/x/y/d", "in/_t/e", "inner/f", "g"];
        names.iter().for_each(|name| put(store, &format!("{root}/{name}"), b"x"));
        let below = |base: &str| {
            walked(store, &format!("{root}{base}"))
                .into_iter()
                .map(|path| path[root.len()..].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(below("/in"), ["/in/a", "/in/day=1/k=a%2Fb/c"]);
        assert_eq!(below("/in/a"), ["/in/a"]);
        assert_eq!(below(""), ["/g", "/in/a", "/inner/f"].map(str::to_owned));
        assert_eq!(below("/nowhere"), [""; 0]);
        let mut names = store.names(Path::new(&format!("{root}/in"))).unwrap();
        names.sort();
        assert_eq!(names, ["-b", "_t", "a", "day=1"]);
        assert!(store.exists(Path::new(&format!("{root}/in"))).unwrap());
        store.rename(Path::new(&format!("{root}/in/a")), Path::new(&format!("{root}/old/in/a"))).unwrap();
        assert_eq!(below("/old"), ["/old/in/a"]);
        store.clear(Path::new(&format!("{root}/in"))).unwrap();
        assert!(!store.exists(Path::new(&format!("{root}/in"))).unwrap());
        assert_eq!(below("/inner"), ["/inner/f"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_for_a_directory_is_no_file() {
    let store = Unsteady::new().bucket();
    put(&store, "s3://b/in/sub", b"");
    put(&store, "s3://b/in/a", b"x");
    assert_eq!(walked(&store, "s3://b/in"), ["s3://b/in/a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_objects_go_in_parts_and_come_back_whole() {
    let store = Unsteady::new().bucket();
    let long: Vec<u8> = (0..40_000_000_u32).map(|n| n.to_le_bytes()[1] ^ n.to_le_bytes()[2]).collect();
    put(&store, "s3://b/long", &long);
    assert!(get(&store, "s3://b/long") == long);
    let error = store.read(Path::new("s3://b/long"), 1_000).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_answer_is_waited_for() {
    let objects = Unsteady::new();
    let store = objects.bucket();
    objects.away.store(2, Ordering::SeqCst);
    put(&store, "s3://b/a", b"x");
    objects.away.store(1, Ordering::SeqCst);
    assert_eq!(get(&store, "s3://b/a"), b"x");
    objects.away.store(1, Ordering::SeqCst);
    let Store::Bucket(bucket) = &store else { unreachable!("it is one") };
    let hasty = Bucket::new(
        Arc::clone(&bucket.store),
        ("s3://", "b"),
        &Env::real().clock,
        Handle::current(),
        [1; 16],
    );
    assert!(is_passing(&hasty.len(Path::new("s3://b/a")).unwrap_err()));
    assert_eq!(hasty.len(Path::new("s3://b/a")).unwrap(), 1);
    // A listing is tried once: who lists decides.
    objects.away.store(1, Ordering::SeqCst);
    let error = store.walk(Path::new("s3://b"), &Visible, &mut |_| ()).unwrap_err();
    assert!(is_passing(&error) && error.to_string().contains("check fs.s3a.endpoint"), "{error}");
    // What is not there, time does not bring.
    let error = store.read(Path::new("s3://b/none"), 1).unwrap_err();
    assert!(!is_passing(&error) && error.kind() == io::ErrorKind::NotFound, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_claimed_by_one_content() {
    let objects = Unsteady::new();
    let (store, path) = (objects.bucket(), Path::new("s3://b/_spark_metadata/0"));
    // It is carried out, and nobody hears of it.
    objects.lose_answers(1);
    store.claim(path, b"mine".to_vec()).unwrap();
    assert_eq!(objects.puts.load(Ordering::SeqCst), 2);
    store.claim(path, b"mine".to_vec()).unwrap();
    let error = store.claim(path, b"yours".to_vec()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(get(&store, "s3://b/_spark_metadata/0"), b"mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_lead_where_they_say() {
    let storage = Storage::new(&Env::real(), Settings::default(), Handle::current());
    let told = Settings::named(
        &[("fs.s3a.access.key".into(), "a".into()), ("fs.s3a.secret.key".into(), "s".into())].into(),
    );
    let root = |path: &str| match storage.at(path, &told).unwrap() {
        Store::Bucket(bucket) => bucket.root.clone(),
        Store::Local(_) => "local".to_owned(),
    };
    assert_eq!(root("s3a://b/in/*.json"), "s3a://b/");
    assert_eq!(root("s3://b"), "s3://b/");
    assert_eq!(root("/b"), "local");
    assert!(storage.at("s3:///in", &told).unwrap_err().to_string().contains("names no bucket"));
    // The same connection again; another one for who says something else.
    assert_eq!(storage.buckets.lock().unwrap().len(), 2);
    storage.at("s3://b/other", &told).unwrap();
    assert_eq!(storage.buckets.lock().unwrap().len(), 2);
    storage
        .at(
            "s3://b/other",
            &Settings(told.0.clone().into_iter().chain([("endpoint".into(), "h".into())]).collect()),
        )
        .unwrap();
    assert_eq!(storage.buckets.lock().unwrap().len(), 3);
}
