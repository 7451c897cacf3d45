//! The directory of models of one's own.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use scaffold_error::{Error, err};

use super::blobs::{self, Upload};
use super::record::{self, Base, LARGEST, MadeModel};
use super::tree;
use crate::cache::lock::Lock;
use crate::digest::{self, Digest};
use crate::disk::write_atomically;
use crate::local::ModelFiles;
use crate::name::MadeName;

/// How long another process may change the store until this one gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the files of a model stay in their place that is not written down.
const LATELY: Duration = Duration::from_mins(10);

/// How long a file stays that no model refers to: whoever brings files makes the model of them next.
const FORGOTTEN: Duration = Duration::from_hours(24);

/// The models of one's own in a directory. Any number of processes may use one.
#[derive(Debug, Clone)]
pub struct MadeStore {
    dir: PathBuf,
}

impl MadeStore {
    /// The store in this directory, which need not be there.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn names(&self) -> PathBuf {
        self.dir.join("names")
    }

    fn blobs(&self) -> PathBuf {
        self.dir.join("blobs")
    }

    fn trees(&self) -> PathBuf {
        self.dir.join("files")
    }

    /// The file of a model.
    pub fn path(&self, name: &MadeName) -> PathBuf {
        let (name, tag) = name.key();
        self.names().join(name).join(format!("{tag}.json"))
    }

    /// Whether there is a model of this name.
    pub fn has(&self, name: &MadeName) -> bool {
        self.path(name).is_file()
    }

    /// The model of this name, if there is one.
    ///
    /// # Errors
    /// Its file cannot be read, is damaged, or is of another version.
    pub fn get(&self, name: &MadeName) -> Result<Option<MadeModel>, Error> {
        let path = self.path(name);
        if !path.is_file() {
            return Ok(None);
        }
        let model = read(&path)?;
        if model.name != *name {
            let (path, other) = (path.display(), &model.name);
            return Err(err!(Damaged, "{path} is the file of {other} under another name")
                .of_file(self.path(name))
                .remedy("make the model anew, or remove the file"));
        }
        Ok(Some(model))
    }

    /// All models by name, and what is wrong with files that cannot be used.
    pub fn list(&self) -> (Vec<MadeModel>, Vec<Error>) {
        let (mut models, mut faults) = (Vec::new(), Vec::new());
        for path in children(&self.names()).iter().flat_map(|dir| children(dir)) {
            let is_model = path.extension().is_some_and(|end| end == "json");
            if !is_model || name_of(&path).starts_with('.') {
                continue;
            }
            match read(&path) {
                Ok(model) if self.path(&model.name) == path => models.push(model),
                Ok(model) => {
                    let text = path.display();
                    faults.push(
                        err!(
                            Damaged,
                            "{text} is the file of {} under another name: rename or remove it",
                            model.name
                        )
                        .of_file(&path),
                    );
                }
                Err(error) => faults.push(error),
            }
        }
        models.sort_by_key(|model| model.name.key());
        (models, faults)
    }

    /// Writes a model down, in place of one of its name.
    ///
    /// # Errors
    /// A file that it is made of is not here, or the disk is in the way.
    pub fn put(&self, model: MadeModel) -> Result<MadeModel, Error> {
        let _lock = self.lock()?;
        self.put_locked(model)
    }

    fn put_locked(&self, mut model: MadeModel) -> Result<MadeModel, Error> {
        model.base.check()?;
        model.modified = now();
        let path = self.path(&model.name);
        model.created = read(&path).map_or(model.modified, |before| before.created);
        let bytes = model.to_bytes()?;
        if let Base::Files(files) = &model.base {
            tree::build(&self.trees(), &self.blobs(), files)?;
        }
        write_atomically(&path, &bytes)?;
        // What the model of that name was made of before, nobody may refer to any more.
        self.clean_locked(FORGOTTEN);
        Ok(model)
    }

    /// Puts the files of a model in their place, without writing the model down. If it never is, they
    /// go again.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn prepare(&self, model: &MadeModel) -> Result<(), Error> {
        model.base.check()?;
        let _lock = self.lock()?;
        match &model.base {
            Base::Files(files) => tree::build(&self.trees(), &self.blobs(), files),
            Base::From(_) => Ok(()),
        }
    }

    /// Gives a model a further name; both are models of their own from then on.
    ///
    /// # Errors
    /// There is no model of that name, or the disk is in the way.
    pub fn copy(&self, from: &MadeName, to: MadeName) -> Result<MadeModel, Error> {
        let _lock = self.lock()?;
        let model = self.get(from)?.ok_or_else(|| unknown(from))?;
        if *from == to {
            return Ok(model);
        }
        self.put_locked(MadeModel { name: to, ..model })
    }

    /// Removes a model, and what it was made of that no other model refers to: the paths that go,
    /// and the bytes that become free. With `dry_run` nothing is touched.
    ///
    /// # Errors
    /// There is no model of that name, or the disk is in the way.
    pub(crate) fn remove(
        &self,
        name: &MadeName,
        dry_run: bool,
    ) -> Result<(Vec<PathBuf>, u64, u64), Error> {
        let _lock = self.lock()?;
        let path = self.path(name);
        if !path.is_file() {
            return Err(unknown(name));
        }
        // One that cannot be read can be removed all the same; what it was made of is found later.
        let model = read(&path).ok();
        let (mut freed, mut kept, mut paths) = (length(&path), 0, vec![path.clone()]);
        let used = self.used(Some(&path));
        let blobs = model.iter().flat_map(MadeModel::blobs).collect::<HashSet<Digest>>();
        for digest in &blobs {
            let blob = blobs::path_of(&self.blobs(), digest);
            // Where it cannot be told who refers to it, it stays.
            if used.as_ref().is_none_or(|used| used.contains(digest)) {
                kept += length(&blob);
            } else if blob.is_file() {
                freed += length(&blob);
                paths.push(blob);
            }
        }
        if !dry_run {
            for path in &paths {
                fs::remove_file(path).map_err(Error::io("remove", path))?;
            }
            // Only if nothing else is in it.
            let _ = path.parent().map(fs::remove_dir);
            let tree = model.as_ref().and_then(|model| self.tree(model));
            let trees: Vec<PathBuf> = self.list().0.iter().filter_map(|m| self.tree(m)).collect();
            if let Some(tree) = tree.filter(|tree| tree.is_dir() && !trees.contains(tree)) {
                fs::remove_dir_all(&tree).map_err(Error::io("remove", &tree))?;
            }
            self.clean_locked(FORGOTTEN);
        }
        Ok((paths, freed, kept))
    }

    /// Removes files that no model refers to and nobody has wanted for a day. Where a model cannot be
    /// read, nothing goes: it may refer to them.
    ///
    /// # Errors
    /// Another process changes the store.
    pub fn clean(&self) -> Result<(), Error> {
        if !self.dir.is_dir() {
            return Ok(());
        }
        let _lock = self.lock()?;
        self.clean_locked(FORGOTTEN);
        Ok(())
    }

    /// What cannot be removed now is met again the next time.
    pub(super) fn clean_locked(&self, age: Duration) {
        let is_old = |path: &Path| blobs::age(path) >= age;
        let unfinished = |path: &PathBuf| blobs::is_unfinished(&name_of(path)) && is_old(path);
        for path in children(&self.blobs()).iter().filter(|path| unfinished(path)) {
            let _ = fs::remove_file(path);
        }
        let Some(used) = self.used(None) else {
            return;
        };
        for path in children(&self.blobs()) {
            if blobs::digest_of(&name_of(&path)).is_some_and(|digest| !used.contains(&digest))
                && is_old(&path)
            {
                let _ = fs::remove_file(&path);
            }
        }
        let trees: HashSet<PathBuf> = self.list().0.iter().filter_map(|m| self.tree(m)).collect();
        // One that was just put there belongs to a model that is about to be written down.
        let is_gone = |path: &&PathBuf| !trees.contains(*path) && blobs::age(path) >= LATELY;
        for path in children(&self.trees()).iter().filter(is_gone) {
            let _ = fs::remove_dir_all(path);
        }
    }

    /// The blobs that models refer to, but for the one in this file; `None` where a file cannot be
    /// read.
    fn used(&self, but: Option<&Path>) -> Option<HashSet<Digest>> {
        let (models, faults) = self.list();
        let broken = faults.iter().any(|fault| but.is_none() || fault.place().file() != but);
        let others = models.iter().filter(|model| Some(&*self.path(&model.name)) != but);
        (!broken).then(|| others.flat_map(MadeModel::blobs).collect())
    }

    /// The directory of a model that is made of files.
    fn tree(&self, model: &MadeModel) -> Option<PathBuf> {
        match &model.base {
            Base::Files(files) => Some(tree::dir(&self.trees(), files)),
            Base::From(_) => None,
        }
    }

    /// The files of a model that is made of some.
    ///
    /// # Errors
    /// They are not there, or are none of a model.
    pub(crate) fn files(
        &self,
        model: &MadeModel,
        look: impl FnOnce(&Path) -> Result<ModelFiles, Error>,
    ) -> Result<Option<ModelFiles>, Error> {
        let Some(dir) = self.tree(model) else {
            return Ok(None);
        };
        if !dir.is_dir() {
            return Err(err!(
                Damaged,
                "the files of {} are gone from {}",
                model.name,
                dir.display()
            )
            .of_file(&dir)
            .remedy("make the model anew"));
        }
        look(&dir).map(Some)
    }

    /// Bytes of the files that a model is made of.
    pub(crate) fn bytes(&self, model: &MadeModel) -> u64 {
        model.blobs().map(|digest| length(&blobs::path_of(&self.blobs(), &digest))).sum()
    }

    /// Whether a blob is here. One that is asked for stays for a day from then on.
    pub fn has_blob(&self, digest: &Digest) -> bool {
        let path = blobs::path_of(&self.blobs(), digest);
        let is_here = path.is_file();
        // Not each time: what is kept of a model goes by the times of its files.
        if is_here && blobs::age(&path) > FORGOTTEN / 24 {
            blobs::touch(&path);
        }
        is_here
    }

    /// Begins to take a blob of at most `most` bytes, of which `expected` are known to come.
    ///
    /// # Errors
    /// It is too large, or the disk has no room for it.
    pub fn take_blob(
        &self,
        digest: &Digest,
        most: u64,
        expected: Option<u64>,
    ) -> Result<Upload, Error> {
        Upload::begin(&self.blobs(), digest, most, expected)
    }

    /// Takes a file that `make` writes at the path that it is given: its digest (`sha256:…`).
    ///
    /// # Errors
    /// That of `make`, or the disk is in the way; nothing is kept then.
    pub fn make_blob(
        &self,
        make: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<String, Error> {
        let blobs = self.blobs();
        fs::create_dir_all(&blobs).map_err(Error::io("create", &blobs))?;
        // A name that nobody else has, and that is cleaned away if this process is killed.
        let path = scaffold_files::beside(&blobs.join("made"));
        make(&path)?;
        let named =
            File::open(&path).and_then(|file| digest::sha256(file, |_| ())).and_then(|hex| {
                let digest = Digest::Sha256(hex);
                scaffold_files::publish(&path, &blobs::path_of(&blobs, &digest))?;
                Ok(digest.to_string())
            });
        named.map_err(|error| {
            let _ = fs::remove_file(&path);
            Error::io("take in", &path)(error)
        })
    }

    fn lock(&self) -> Result<Lock, Error> {
        let (path, begun) = (self.dir.join("lock"), Instant::now());
        Lock::take(&path, || begun.elapsed() < PATIENCE).map_err(|error| match error.kind() {
            scaffold_error::Kind::Cancelled => err!(
                Busy,
                "another process changes the models of your own in {}: try again when it is done",
                self.dir.display()
            ),
            _ => error,
        })
    }
}

/// There is no model of this name.
pub(crate) fn unknown(name: &MadeName) -> Error {
    err!(NotFound, "there is no model of your own called {name}")
        .remedy(scaffold_error::Remedy::ListModels)
}

fn read(path: &Path) -> Result<MadeModel, Error> {
    let bytes = match length(path) {
        long if long > LARGEST => Err(err!(Damaged, "it has {long} bytes, which is no model's")),
        _ => fs::read(path).map_err(Error::io("read", path)),
    };
    bytes.and_then(|bytes| record::parse(&bytes)).map_err(|error| {
        error
            .prefixed(path.display())
            .of_file(path)
            .remedy("make the model of that name anew, or remove the file")
    })
}

fn children(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
