use std::path::Path;

use env::{Disk, Env, OpenMode, SimDisk};

use super::*;
use crate::source::format::Format;
use crate::sql::options::source::FileFormat;
use crate::storage::tests::Unsteady;

pub(super) fn options(path: &str) -> FileOptions {
    FileOptions {
        path: path.to_owned(),
        format: FileFormat::Lines(Format::Text),
        files_max: None,
        bytes_max: None,
        latest_first: false,
        file_name_only: false,
        age_max_ms: None,
        clean: Clean::Off,
        name_pattern: None,
        recursive: false,
        storage: crate::storage::Settings::default(),
    }
}

fn write(disk: &Arc<dyn Disk>, path: &str) {
    disk.create_dir_all(Path::new(path).parent().unwrap()).unwrap();
    disk.open(path.as_ref(), OpenMode::Create).unwrap().write_at(b"x\n", 0).unwrap();
}

fn disk_with(paths: &[&str]) -> Arc<dyn Disk> {
    let disk: Arc<dyn Disk> = Arc::new(SimDisk::new());
    paths.iter().for_each(|path| write(&disk, path));
    disk
}

fn listed(options: &FileOptions, disk: &Arc<dyn Disk>) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    let store = Store::Local(Arc::clone(disk));
    let listing = Listing::new(options).unwrap();
    listing.each(&store, &mut |file| paths.push(file.path.display().to_string())).unwrap();
    paths.sort();
    paths
}

#[test]
fn patterns_find_files_and_what_is_hidden_is_left_alone() {
    let disk = disk_with(&[
        "/in/a.json",
        "/in/b.csv",
        "/in/.c.json",
        "/in/_d.json",
        "/in/e.json._COPYING_",
        "/in/x/f.json",
        "/in/y/g.json",
        "/in/_temporary/h.json",
    ]);
    assert_eq!(listed(&options("/in"), &disk), ["/in/a.json", "/in/b.csv"]);
    assert_eq!(listed(&options("/in/*.json"), &disk), ["/in/a.json"]);
    assert_eq!(listed(&options("file:///in/[a-b].{json,csv}"), &disk), ["/in/a.json", "/in/b.csv"]);
    assert_eq!(listed(&options("/in/?/*"), &disk), ["/in/x/f.json", "/in/y/g.json"]);
    assert_eq!(listed(&options("/in/a.json"), &disk), ["/in/a.json"]);
    assert_eq!(listed(&options("/nowhere"), &disk), [""; 0]);
    let deep = FileOptions { recursive: true, name_pattern: Some("[fg].json".into()), ..options("/in") };
    assert_eq!(listed(&deep, &disk), ["/in/x/f.json", "/in/y/g.json"]);
}

fn opened(
    options: &FileOptions,
    disk: &Arc<dyn Disk>,
    list: Option<PathBuf>,
) -> Result<FileSource, SourceError> {
    let list = list.map(|path| Place::here(disk, path));
    FileSource::new(options.clone(), Store::Local(Arc::clone(disk)), &Env::real().clock, list)
}

fn ranges(pinned: &Pinned) -> (i64, i64) {
    pinned.ranges.values().next().and_then(|log| log.get(&0)).copied().unwrap_or_default()
}

#[test]
fn a_list_survives_a_crash_and_numbers_stay() {
    let disk = disk_with(&["/in/a", "/in/b", "/in/c"]);
    let list = Some(std::path::PathBuf::from("/list/seen"));
    let two = FileOptions { files_max: Some(2), ..options("/in") };
    let limits = Limits { rows: 10, bytes: 1_000, until: None };
    let start = Offsets::new();
    let source = opened(&two, &disk, list.clone()).unwrap();
    assert_eq!(ranges(&source.take(&start, &limits).unwrap()), (0, 2));
    source.lock().seen.sync().unwrap();
    drop(source);
    // A torn line, as a crash may leave it.
    let file = disk.open("/list/seen".as_ref(), OpenMode::ReadWrite).unwrap();
    file.write_at(b"\"/in/", file.len().unwrap()).unwrap();
    write(&disk, "/in/A");
    let source = opened(&two, &disk, list).unwrap();
    assert_eq!(source.lock().seen.len(), 2);
    // What was listed and not committed comes again, as it was.
    let pinned = source.take(&start, &limits).unwrap();
    assert_eq!(ranges(&pinned), (0, 2));
    let mut positions = start;
    pinned.advance(&mut positions);
    assert_eq!(ranges(&source.take(&positions, &limits).unwrap()), (2, 4));
    let names: Vec<_> = (0..4).map(|number| source.lock().seen.get(number).unwrap().clone()).collect();
    assert_eq!(names, ["/in/a", "/in/b", "/in/A", "/in/c"].map(std::path::PathBuf::from));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_read_as_a_directory_is() {
    let store = Unsteady::new().bucket();
    let put = |path: &str| store.put(path.as_ref(), b"x\n".to_vec()).unwrap();
    ["s3://b/in/day=1/a.txt", "s3://b/in/day=2/b.txt", "s3://b/in/c.csv", "s3://b/in/_d.txt"]
        .into_iter()
        .for_each(put);
    let disk: Arc<dyn Disk> = Arc::new(SimDisk::new());
    let clock = Env::real().clock;
    let archived = FileOptions {
        files_max: Some(2),
        clean: Clean::Archive("s3://b/read".to_owned()),
        ..options("s3://b/in")
    };
    let list = Some(Place::here(&disk, "/list/seen".into()));
    let source = FileSource::new(archived.clone(), store.clone(), &clock, list.clone()).unwrap();
    let limits = Limits { rows: 10, bytes: 1_000, until: None };
    let mut positions = Offsets::new();
    let first = source.pin(&positions, &limits, 0).await.unwrap();
    source.secure(&first).await.unwrap();
    first.advance(&mut positions);
    assert_eq!(ranges(&first), (0, 2));
    // The list of what was read outlives the one who read it.
    let source = FileSource::new(archived, store.clone(), &clock, list).unwrap();
    assert_eq!(ranges(&source.reread(&first.ranges).await.unwrap()), (0, 2));
    let second = source.pin(&positions, &limits, 1).await.unwrap();
    assert_eq!(ranges(&second), (2, 3));
    let before = positions.clone();
    second.advance(&mut positions);
    source.commit(&before);
    source.commit(&positions);
    let name = |number| source.lock().seen.get(number).unwrap().clone();
    assert!(!store.exists(&name(2)).unwrap() && store.exists(&name(0)).unwrap());
    let moved = name(2).display().to_string().replace("s3://b/in/", "s3://b/read/in/");
    assert!(store.exists(Path::new(&moved)).unwrap(), "{moved}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_programs_neither_ends_the_other() {
    let objects = Unsteady::new();
    let clock = Env::real().clock;
    let each = FileOptions { files_max: Some(1), ..options("s3://b/in") };
    let [early, late] = [1, 2].map(|writer| {
        let store = objects.bucket_of(writer);
        let list = Place::new(store.clone(), "s3://b/list".into());
        FileSource::new(each.clone(), store, &clock, Some(list)).unwrap()
    });
    let store = objects.bucket();
    let put = |path: &str| store.put(path.as_ref(), b"x\n".to_vec()).unwrap();
    let limits = Limits { rows: 10, bytes: 1_000, until: None };
    let mut positions = Offsets::new();
    let turns = [(&early, &late), (&late, &early), (&early, &late)];
    for (number, (first, second)) in (0_i64..).zip(turns) {
        // Each finds another one: what the second has found is gone when the first looks.
        let (gone, stays) = (format!("s3://b/in/{number}-gone"), format!("s3://b/in/{number}-stays"));
        put(&gone);
        let theirs = second.pin(&positions, &limits, 0).await.unwrap();
        store.remove(gone.as_ref()).unwrap();
        put(&stays);
        let ours = first.pin(&positions, &limits, 0).await.unwrap();
        assert!(first.secure(&ours).await.unwrap());
        assert!(!second.secure(&theirs).await.unwrap(), "the number is taken by another file");
        let again = second.pin(&positions, &limits, 0).await.unwrap();
        assert!(second.secure(&again).await.unwrap());
        assert_eq!(ranges(&again), (number, number + 1));
        again.advance(&mut positions);
        for source in [first, second] {
            assert_eq!(source.lock().seen.get(number), Some(&stays.clone().into()));
        }
    }
}

#[test]
fn a_name_counts_alone_if_that_is_wanted() {
    let disk = disk_with(&["/in/x/a", "/in/y/a", "/in/y/b"]);
    let named = FileOptions { recursive: true, file_name_only: true, ..options("/in") };
    let source = opened(&named, &disk, None).unwrap();
    let limits = Limits { rows: 10, bytes: 1_000, until: None };
    assert_eq!(ranges(&source.take(&Offsets::new(), &limits).unwrap()), (0, 2));
}

#[test]
fn a_manifest_says_which_files_count() {
    let disk = disk_with(&["/out/a.json", "/out/torn.json", "/out/_spark_metadata/0"]);
    let list = r#"v1
{"path":"file:///out/a.json","size":2,"isDir":false,"modificationTime":1,"blockReplication":1,"blockSize":1,"action":"add"}"#;
    let file = disk.open("/out/_spark_metadata/0".as_ref(), OpenMode::Truncate).unwrap();
    file.write_at(list.as_bytes(), 0).unwrap();
    assert_eq!(listed(&options("/out"), &disk), ["/out/a.json"]);
}
