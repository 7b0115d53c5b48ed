use super::*;

fn disk_with(path: &str, bytes: &[u8]) -> (SimDisk, Box<dyn DiskFile>) {
    let disk = SimDisk::new();
    disk.create_dir_all(Path::new("/d")).unwrap();
    let file = disk.open(Path::new(path), OpenMode::Create).unwrap();
    file.write_at(bytes, 0).unwrap();
    (disk, file)
}

#[test]
fn a_power_cut_takes_names_that_were_not_synced() {
    let (disk, file) = disk_with("/d/a", b"abc");
    file.sync_data().unwrap();
    assert!(!disk.crash().exists(Path::new("/d/a")), "the content is durable, the name is not");
    disk.sync_dir(Path::new("/d")).unwrap();
    assert_eq!(disk.crash().read(Path::new("/d/a")).unwrap(), b"abc");
}

#[test]
fn a_power_cut_takes_bytes_that_were_not_synced_and_a_process_crash_does_not() {
    let (disk, file) = disk_with("/d/a", b"abc");
    disk.sync_dir(Path::new("/d")).unwrap();
    assert_eq!(disk.crash().read(Path::new("/d/a")).unwrap(), b"");
    assert_eq!(disk.process_crash().read(Path::new("/d/a")).unwrap(), b"abc");
    file.sync_data().unwrap();
    file.set_len(1).unwrap();
    assert_eq!(disk.crash().read(Path::new("/d/a")).unwrap(), b"abc");
    file.sync_data().unwrap();
    assert_eq!(disk.crash().read(Path::new("/d/a")).unwrap(), b"a");
}

#[test]
fn a_power_cut_undoes_a_rename_and_a_removal_that_were_not_synced() {
    let (disk, file) = disk_with("/d/a", b"abc");
    file.sync_data().unwrap();
    disk.sync_dir(Path::new("/d")).unwrap();
    disk.rename(Path::new("/d/a"), Path::new("/d/b")).unwrap();
    assert!(disk.exists(Path::new("/d/b")) && !disk.exists(Path::new("/d/a")));
    let after = disk.crash();
    assert!(after.exists(Path::new("/d/a")) && !after.exists(Path::new("/d/b")));
    disk.sync_dir(Path::new("/d")).unwrap();
    disk.remove_file(Path::new("/d/b")).unwrap();
    assert!(!disk.exists(Path::new("/d/b")));
    assert_eq!(disk.crash().read(Path::new("/d/b")).unwrap(), b"abc");
}

#[test]
fn a_partial_power_cut_keeps_sectors_at_random_and_repeats_for_a_seed() {
    let (disk, _file) = disk_with("/d/a", &[7; 4096]);
    disk.sync_dir(Path::new("/d")).unwrap();
    let left = |seed| disk.crash_partly(seed).read(Path::new("/d/a")).unwrap();
    assert_eq!(left(1), left(1));
    let outcomes: HashSet<Vec<u8>> = (0..64).map(left).collect();
    assert!(outcomes.len() > 16, "only {} outcomes", outcomes.len());
    assert!(outcomes.iter().any(|bytes| bytes.len() == 4096 && bytes.contains(&0)), "a hole in the middle");
}

#[test]
fn the_nth_write_is_torn_once() {
    let (disk, file) = disk_with("/d/a", b"");
    disk.tear_write(2, 2);
    file.write_at(b"one", 0).unwrap();
    assert!(file.write_at(b"two", 3).is_err());
    assert_eq!(disk.read(Path::new("/d/a")).unwrap(), b"onetw");
    file.write_at(b"two", 3).unwrap();
    assert_eq!(disk.read(Path::new("/d/a")).unwrap(), b"onetwo");
}

#[test]
fn a_full_disk_takes_what_fits_and_recovers_when_space_returns() {
    let (disk, file) = disk_with("/d/a", b"1234");
    disk.set_capacity(Some(6));
    let error = file.write_at(b"5678", 4).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(disk.read(Path::new("/d/a")).unwrap(), b"123456");
    file.write_at(b"abcdef", 0).unwrap();
    disk.set_capacity(None);
    file.write_at(b"gh", 6).unwrap();
    assert_eq!(disk.read(Path::new("/d/a")).unwrap(), b"abcdefgh");
}

#[test]
fn a_failed_sync_makes_nothing_durable() {
    let (disk, file) = disk_with("/d/a", b"abc");
    disk.sync_dir(Path::new("/d")).unwrap();
    disk.fail_sync(1);
    assert!(file.sync_data().is_err());
    assert_eq!(disk.crash().read(Path::new("/d/a")).unwrap(), b"");
}

#[test]
fn after_the_cut_nothing_changes_any_more() {
    let (disk, file) = disk_with("/d/a", b"abc");
    disk.cut_after(1);
    file.write_at(b"d", 3).unwrap();
    assert!(file.write_at(b"e", 4).is_err());
    assert!(file.sync_data().is_err());
    assert!(disk.rename(Path::new("/d/a"), Path::new("/d/b")).is_err());
    assert_eq!(disk.process_crash().read(Path::new("/d/a")).unwrap(), b"abcd");
}

#[test]
fn a_flipped_bit_is_flipped_after_the_power_cut_too() {
    let (disk, file) = disk_with("/d/a", b"abc");
    file.sync_data().unwrap();
    disk.sync_dir(Path::new("/d")).unwrap();
    disk.flip(Path::new("/d/a"), 1, 1).unwrap();
    assert_eq!(disk.read(Path::new("/d/a")).unwrap(), b"acc");
    assert_eq!(disk.crash().read(Path::new("/d/a")).unwrap(), b"acc");
}

#[test]
fn what_was_set_aside_can_be_written_when_the_disk_is_full() {
    let (disk, file) = disk_with("/d/a", b"12");
    disk.set_capacity(Some(8));
    assert_eq!(file.reserve(9).unwrap_err().kind(), io::ErrorKind::StorageFull);
    file.reserve(6).unwrap();
    assert_eq!((file.len().unwrap(), disk.used()), (2, 6));
    let other = disk.open(Path::new("/d/b"), OpenMode::Create).unwrap();
    assert!(other.write_at(b"abc", 0).is_err());
    file.write_at(b"3456", 2).unwrap();
    file.set_len(2).unwrap();
    assert_eq!(disk.used(), 4, "what was not used comes back");
}
