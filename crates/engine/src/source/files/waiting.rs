//! Files that were found and not yet taken.

use std::collections::BTreeSet;
use std::ffi::OsString;

use crate::sql::options::source::FileOptions;
use crate::storage::Found;

/// So many are remembered from one listing; the others are found again by a later one.
const FILES_MAX: usize = 100_000;

/// The first so many of a listing, by the order in which they are to be taken.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    options: &'a FileOptions,
    files_max: usize,
    files: BTreeSet<Found>,
    /// Of all files, also of those that were taken before.
    newest_ms: i64,
    left_out: bool,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(options: &'a FileOptions) -> Self {
        Waiting::of(options, FILES_MAX)
    }

    fn of(options: &'a FileOptions, files_max: usize) -> Self {
        Waiting { options, files_max, files: BTreeSet::new(), newest_ms: 0, left_out: false }
    }

    /// A file is there, whether it was taken or not.
    pub(super) fn meet(&mut self, file: &Found) {
        self.newest_ms = self.newest_ms.max(file.modified_ms);
    }

    /// A file was not taken yet.
    pub(super) fn add(&mut self, file: Found) {
        self.files.insert(file);
        if self.files.len() > self.files_max {
            self.forget_old();
        }
        if self.files.len() > self.files_max {
            self.left_out = true;
            // The last to be taken.
            if self.options.latest_first {
                self.files.pop_first()
            } else {
                self.files.pop_last()
            };
        }
    }

    fn forget_old(&mut self) {
        let Some(age) = self.options.age_max_ms.filter(|_| !self.options.latest_first) else { return };
        let oldest = self.newest_ms.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX));
        while self.files.first().is_some_and(|file| file.modified_ms < oldest) {
            self.files.pop_first();
        }
    }

    /// Whether another listing is needed: everything that was remembered is too old, and something was not.
    pub(super) fn is_misled(&mut self) -> bool {
        self.forget_old();
        let misled = self.files.is_empty() && self.left_out;
        self.left_out &= !misled;
        misled
    }

    /// The files, the first to take last; and whether there are more.
    pub(super) fn done(self) -> (Vec<Found>, bool) {
        let mut files: Vec<Found> = self.files.into_iter().collect();
        if !self.options.latest_first {
            files.reverse();
        }
        if self.options.file_name_only {
            let mut names = BTreeSet::<Option<OsString>>::new();
            files.retain(|file| names.insert(file.path.file_name().map(ToOwned::to_owned)));
        }
        (files, self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::files::tests::options;

    /// `taken` stands last in the listing, and was taken before.
    fn kept(options: &FileOptions, files: &[i64], taken: Option<i64>) -> (Vec<i64>, bool) {
        let mut waiting = Waiting::of(options, 3);
        let file = |ms: i64| Found { modified_ms: ms, path: format!("/in/{ms}").into(), bytes: 1 };
        loop {
            for file in files.iter().copied().map(file) {
                waiting.meet(&file);
                waiting.add(file);
            }
            taken.map(file).iter().for_each(|file| waiting.meet(file));
            if !waiting.is_misled() {
                break;
            }
        }
        let (files, more) = waiting.done();
        (files.iter().rev().map(|file| file.modified_ms).collect(), more)
    }

    #[test]
    fn the_first_to_take_are_kept_whatever_comes_first() {
        let oldest = options("/in");
        assert_eq!(kept(&oldest, &[5, 1, 4, 2, 3], None), (vec![1, 2, 3], true));
        assert_eq!(kept(&oldest, &[2, 1], None), (vec![1, 2], false));
        let newest = FileOptions { latest_first: true, ..options("/in") };
        assert_eq!(kept(&newest, &[5, 1, 4, 2, 3], None), (vec![5, 4, 3], true));
    }

    #[test]
    fn old_files_take_no_place_of_young_ones() {
        let young = FileOptions { age_max_ms: Some(10), ..options("/in") };
        assert_eq!(kept(&young, &[1, 2, 3, 95, 96, 100], None), (vec![95, 96, 100], false));
        assert_eq!(kept(&young, &[100, 99, 1, 98, 97, 2], None), (vec![97, 98, 99], true));
        // All that was kept is too old, as the last one shows: what was left out is found by another listing.
        assert_eq!(kept(&young, &[1, 2, 3, 9], Some(18)), (vec![9], false));
    }
}
