//! A file to be fetched, and where what is unfinished of it lies.

use std::fs;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::disk::{UNFINISHED, with_suffix};
use crate::url::Url;

/// A file to be fetched.
#[derive(Clone)]
pub(crate) struct Job {
    /// Its name, for the user.
    pub(crate) file: String,
    pub(crate) url: Url,
    /// The `Authorization` value for `url`'s origin.
    pub(crate) authorization: Option<String>,
    /// Its size, where the listing says it.
    pub(crate) size: Option<u64>,
    pub(crate) digest: Digest,
    /// Where it is to be. Unfinished data lies beside it.
    pub(crate) dest: PathBuf,
    /// Part of the names of unfinished data where no lock keeps others away from them.
    pub(crate) mark: Option<String>,
}

impl Job {
    /// The same with unfinished data that no other process writes to. It begins with what an
    /// earlier run has left, and [`Job::leave`] gives it back.
    pub(crate) fn apart(&self) -> Job {
        let job = Job { mark: Some(scaffold_files::unique_mark()), ..self.clone() };
        // Only one process can rename the journal, and whoever did may have the data.
        let claimed = fs::rename(self.journal_path(), job.journal_path())
            .and_then(|()| fs::rename(self.data_path(), job.data_path()));
        if claimed.is_err() {
            job.discard();
        }
        job
    }

    /// Leaves unfinished data under the names at which the next run looks, unless another one has
    /// left its own.
    pub(crate) fn leave(&self) {
        let common = Job { mark: None, ..self.clone() };
        if self.journal_path().is_file() {
            // A link does not replace what is there. Where it cannot be made the next run starts
            // over.
            let _ = fs::hard_link(self.data_path(), common.data_path())
                .and_then(|()| fs::hard_link(self.journal_path(), common.journal_path()));
        }
        self.discard();
    }

    pub(super) fn data_path(&self) -> PathBuf {
        self.unfinished("")
    }

    pub(super) fn journal_path(&self) -> PathBuf {
        self.unfinished("-journal")
    }

    fn unfinished(&self, kind: &str) -> PathBuf {
        let mark = self.mark.as_ref().map(|mark| format!(".{mark}"));
        let mark = mark.unwrap_or_default();
        with_suffix(&self.dest, &format!(".scaffold{kind}{mark}{UNFINISHED}"))
    }

    /// Removes what an earlier run has left.
    pub(crate) fn discard(&self) {
        // Gone already is as good as removed; anything else shows when the file is opened.
        let _ = fs::remove_file(self.journal_path());
        let _ = fs::remove_file(self.data_path());
    }
}
