//! Directories and files with two faces each: what processes see, and what a power cut leaves.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path};

use super::super::DiskEntry;
use crate::{Random, SeededRandom};

const ROOT: usize = 0;
const SECTOR: usize = 512;

/// Names an open file, whatever happens to its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId(usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    File(FileId),
    Dir(usize),
}

type Names = BTreeMap<String, Node>;

#[derive(Debug, Clone, Default)]
struct Dir {
    seen: Names,
    durable: Names,
}

#[derive(Debug, Clone, Default)]
struct File {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// What happened since the last sync, in order.
    unsynced: Vec<Change>,
    /// Whether a name leads here or led here; only such files count as used space.
    linked: bool,
    /// The length up to which space was set aside.
    reserved: u64,
}

impl File {
    fn taken(&self) -> u64 {
        self.reserved.max(self.seen.len() as u64)
    }
}

#[derive(Debug, Clone)]
enum Change {
    Write { position: usize, bytes: Vec<u8> },
    SetLen(usize),
}

#[derive(Debug, Clone)]
pub(super) struct Tree {
    dirs: Vec<Dir>,
    files: Vec<File>,
}

impl Default for Tree {
    fn default() -> Self {
        Self { dirs: vec![Dir::default()], files: Vec::new() }
    }
}

impl Tree {
    pub(super) fn content(&self, id: FileId) -> &[u8] {
        &self.files[id.0].seen
    }

    pub(super) fn used(&self) -> u64 {
        self.files.iter().filter(|file| file.linked).map(File::taken).sum()
    }

    /// The space that a file takes, with what was set aside for it.
    pub(super) fn taken(&self, id: FileId) -> u64 {
        self.files[id.0].taken()
    }

    pub(super) fn reserve(&mut self, id: FileId, bytes: u64) {
        self.files[id.0].reserved = bytes;
    }

    pub(super) fn file(&self, path: &Path) -> io::Result<FileId> {
        match self.node(path)? {
            Node::File(id) => Ok(id),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub(super) fn is_dir(&self, path: &Path) -> bool {
        matches!(self.node(path), Ok(Node::Dir(_)))
    }

    pub(super) fn create_file(&mut self, path: &Path) -> io::Result<FileId> {
        let (dir, name) = self.parent(path)?;
        let id = FileId(self.files.len());
        self.files.push(File { linked: true, ..File::default() });
        self.dirs[dir].seen.insert(name, Node::File(id));
        Ok(id)
    }

    pub(super) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let mut at = ROOT;
        for name in names(path)? {
            at = match self.dirs[at].seen.get(&name) {
                Some(Node::Dir(next)) => *next,
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => {
                    let next = self.dirs.len();
                    self.dirs.push(Dir::default());
                    self.dirs[at].seen.insert(name.clone(), Node::Dir(next));
                    self.dirs[at].durable.insert(name, Node::Dir(next));
                    next
                }
            };
        }
        Ok(())
    }

    pub(super) fn read_dir(&self, path: &Path) -> io::Result<Vec<DiskEntry>> {
        let Node::Dir(dir) = self.node(path)? else {
            return Err(io::ErrorKind::NotADirectory.into());
        };
        let entry = |(name, node): (&String, &Node)| DiskEntry {
            name: name.clone(),
            is_dir: matches!(node, Node::Dir(_)),
        };
        Ok(self.dirs[dir].seen.iter().map(entry).collect())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.node(from)?;
        let (from_dir, from_name) = self.parent(from)?;
        let (to_dir, to_name) = self.parent(to)?;
        self.dirs[from_dir].seen.remove(&from_name);
        let replaced = self.dirs[to_dir].seen.insert(to_name, node);
        if let Some(node) = replaced {
            self.unlink(node);
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let node = self.node(path)?;
        let (dir, name) = self.parent(path)?;
        self.dirs[dir].seen.remove(&name);
        self.unlink(node);
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let Node::Dir(dir) = self.node(path)? else {
            return Err(io::ErrorKind::NotADirectory.into());
        };
        self.dirs[dir].durable = self.dirs[dir].seen.clone();
        Ok(())
    }

    pub(super) fn write(&mut self, id: FileId, bytes: &[u8], position: u64) {
        let position = usize::try_from(position).expect("a simulated file fits into memory");
        let file = &mut self.files[id.0];
        apply_write(&mut file.seen, position, bytes);
        file.unsynced.push(Change::Write { position, bytes: bytes.to_vec() });
    }

    pub(super) fn set_len(&mut self, id: FileId, length: u64) {
        let length = usize::try_from(length).expect("a simulated file fits into memory");
        let file = &mut self.files[id.0];
        file.seen.resize(length, 0);
        file.reserved = 0;
        file.unsynced.push(Change::SetLen(length));
    }

    pub(super) fn sync_file(&mut self, id: FileId) {
        let file = &mut self.files[id.0];
        for change in file.unsynced.drain(..) {
            apply(&mut file.durable, &change);
        }
        debug_assert!(file.durable == file.seen, "replaying every change gives what is seen");
    }

    pub(super) fn flip(&mut self, id: FileId, position: u64, mask: u8) -> io::Result<()> {
        let at = usize::try_from(position).expect("a simulated file fits into memory");
        let file = &mut self.files[id.0];
        *file.seen.get_mut(at).ok_or(io::ErrorKind::UnexpectedEof)? ^= mask;
        for change in &mut file.unsynced {
            if let Change::Write { position, bytes } = change
                && let Some(byte) = at.checked_sub(*position).and_then(|at| bytes.get_mut(at))
            {
                *byte ^= mask;
                return Ok(());
            }
        }
        if let Some(byte) = file.durable.get_mut(at) {
            *byte ^= mask;
        }
        Ok(())
    }

    /// What is left after a power cut; `seed` decides which unsynced parts had reached the disk, `None` says none.
    pub(super) fn after_power_cut(&self, seed: Option<u64>) -> Self {
        let random = seed.map(SeededRandom::new);
        let mut after = self.clone();
        for dir in &mut after.dirs {
            let keeps_names = random.as_ref().is_some_and(|random| random.below(2) == 1);
            let left = if keeps_names { &dir.seen } else { &dir.durable };
            (dir.seen, dir.durable) = (left.clone(), left.clone());
        }
        for file in &mut after.files {
            if let Some(random) = &random {
                for change in &file.unsynced {
                    apply_partly(&mut file.durable, change, random);
                }
            }
            file.unsynced.clear();
            file.seen = file.durable.clone();
            file.linked = false;
        }
        after.link_again();
        after
    }

    fn link_again(&mut self) {
        let mut open = vec![ROOT];
        while let Some(dir) = open.pop() {
            for node in self.dirs[dir].seen.values() {
                match node {
                    Node::File(id) => self.files[id.0].linked = true,
                    Node::Dir(next) => open.push(*next),
                }
            }
        }
    }

    fn unlink(&mut self, node: Node) {
        match node {
            Node::File(id) => self.files[id.0].linked = false,
            Node::Dir(dir) => {
                let below: Vec<Node> = self.dirs[dir].seen.values().copied().collect();
                below.into_iter().for_each(|node| self.unlink(node));
            }
        }
    }

    fn node(&self, path: &Path) -> io::Result<Node> {
        let mut at = Node::Dir(ROOT);
        for name in names(path)? {
            let Node::Dir(dir) = at else {
                return Err(io::ErrorKind::NotADirectory.into());
            };
            at = *self.dirs[dir].seen.get(&name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    fn parent(&self, path: &Path) -> io::Result<(usize, String)> {
        let mut names = names(path)?;
        let name = names.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        match self.node(parent)? {
            Node::Dir(dir) => Ok((dir, name)),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }
}

fn names(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => {
                names.push(name.to_str().ok_or(io::ErrorKind::InvalidInput)?.to_owned());
            }
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    Ok(names)
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { position, bytes } => apply_write(content, *position, bytes),
        Change::SetLen(length) => content.resize(*length, 0),
    }
}

fn apply_write(content: &mut Vec<u8>, position: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = position + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[position..end].copy_from_slice(bytes);
}

/// Sectors of one write reach the platter in any order, or not at all.
fn apply_partly(content: &mut Vec<u8>, change: &Change, random: &SeededRandom) {
    match change {
        Change::SetLen(length) => {
            if random.next_u64() & 1 == 1 {
                content.resize(*length, 0);
            }
        }
        Change::Write { position, bytes } => {
            let mut at = 0;
            while at < bytes.len() {
                let sector_end = (position + at) / SECTOR * SECTOR + SECTOR;
                let end = (sector_end - position).min(bytes.len());
                if random.next_u64() & 1 == 1 {
                    apply_write(content, position + at, &bytes[at..end]);
                }
                at = end;
            }
        }
    }
}
