//! `HEAD` and `POST /api/blobs/sha256:…`: files that are brought for models. They go to the disk while
//! they come.

use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_LENGTH;
use scaffold::hub::Digest;
use scaffold::made::MadeStore;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::body::empty;
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::models::blocking;

/// Pieces that wait for the disk, at most.
const WAITING: usize = 8;

/// What comes of a file.
enum Piece {
    Bytes(Bytes),
    End,
}

pub(crate) async fn blob(call: &Call, written: &str) -> Answered {
    let digest = written.strip_prefix("sha256:").and_then(Digest::parse);
    let digest = digest.filter(|digest| matches!(digest, Digest::Sha256(_)));
    let Some(digest) = digest else {
        return Err(Fault::new(
            400,
            "invalid digest format: /api/blobs/sha256: and 64 hexadecimal digits are accepted",
        ));
    };
    let models = call.models();
    models.check_may_make()?;
    let store = models.made()?;
    let (known, wanted) = (store.clone(), digest.clone());
    let is_here = blocking(move || Ok(known.has_blob(&wanted))).await?;
    let Some(body) = call.incoming().filter(|_| call.method == hyper::Method::POST) else {
        let absent = || Fault::new(404, format!("{digest} is not here: POST it"));
        return if is_here { Ok(empty(200)) } else { Err(absent()) };
    };
    if is_here {
        return Ok(empty(200));
    }
    let turn = models.uploads.turns.acquire().await.map_err(|_| Fault::internal())?;
    bring(call, store, digest, body).await?;
    drop(turn);
    Ok(empty(201))
}

/// Takes a file, which has its name when all of it is there and is what it is called.
async fn bring(call: &Call, store: MadeStore, digest: Digest, body: Incoming) -> Result<(), Fault> {
    let uploads = &call.models().uploads;
    let expected = call.headers.get(CONTENT_LENGTH);
    let expected = expected.and_then(|length| length.to_str().ok()?.parse().ok());
    let (sender, receiver) = channel(WAITING);
    let most = uploads.most;
    let writing = blocking(move || write(&store, &digest, most, expected, receiver));
    let writing = tokio::spawn(writing);
    let sent = send(body, sender, uploads.patience).await;
    // What the disk says goes first: it is why nothing more was taken.
    match writing.await {
        Ok(Err(fault)) if sent.is_ok() || fault.status != BROKEN_OFF => Err(fault),
        Ok(written) => sent.and(written),
        Err(_) => Err(Fault::internal()),
    }
}

/// The status of a body that does not come to its end.
const BROKEN_OFF: u16 = 400;

/// Hands on what comes, until its end or until nobody takes it any more.
async fn send(
    mut body: Incoming,
    sender: Sender<Piece>,
    patience: std::time::Duration,
) -> Result<(), Fault> {
    loop {
        let late = |_| Fault::new(408, "the file did not come in time: nothing is kept of it");
        let frame = tokio::time::timeout(patience, body.frame()).await.map_err(late)?;
        let piece = match frame {
            None => Piece::End,
            Some(Ok(frame)) => match frame.into_data() {
                Ok(bytes) => Piece::Bytes(bytes),
                Err(_) => continue,
            },
            Some(Err(_)) => {
                return Err(Fault::new(BROKEN_OFF, "the file broke off: nothing is kept of it"));
            }
        };
        let is_end = matches!(piece, Piece::End);
        if sender.send(piece).await.is_err() || is_end {
            return Ok(());
        }
    }
}

fn write(
    store: &MadeStore,
    digest: &Digest,
    most: u64,
    expected: Option<u64>,
    mut pieces: Receiver<Piece>,
) -> Result<(), Fault> {
    let taken = |error: scaffold::Error| match error.kind() {
        scaffold::Kind::TooLarge => Fault::new(413, error.to_string()),
        scaffold::Kind::Unavailable => Fault::new(507, error.to_string()),
        _ => error.into(),
    };
    let mut upload = store.take_blob(digest, most, expected).map_err(taken)?;
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::Bytes(bytes) => upload.write(&bytes).map_err(taken)?,
            Piece::End => return Ok(upload.finish()?),
        }
    }
    Err(Fault::new(BROKEN_OFF, "the file broke off: nothing is kept of it"))
}
