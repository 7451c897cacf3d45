//! `POST /api/pull`: a download, as its lines tell it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use scaffold::hub::{Event, Progress};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::lines::{CONTENT_TYPE, line};
use super::options::model;
use crate::body::{self, Body, Source, reply};
use crate::call::{Answered, Call};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::models::blocking;

/// So often the bytes of a file are told at most.
const OFTEN: Duration = Duration::from_millis(100);

pub(crate) async fn pull(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let model = model(&mut fields)?;
    let stream = fields.flag("stream")?.unwrap_or(true);
    fields.settle_flag("insecure", false)?;
    call.ignore(fields);
    if !call.models().may_fetch() {
        return Err(Fault::new(
            403,
            "models are fetched on the machine of the server alone (`scaffold pull MODEL`), unless it was started with --download",
        ));
    }
    let models = Arc::clone(call.models());
    told(stream, move |teller| {
        teller.status("pulling manifest");
        models.pull(&model, teller)?;
        teller.status("verifying sha256 digest");
        teller.status("writing manifest");
        Ok(())
    })
    .await
}

/// Answers with what is told of work that takes its time, line by line, or with how it ended.
pub(super) async fn told(
    stream: bool,
    work: impl FnOnce(&mut Teller) -> Result<(), Fault> + Send + 'static,
) -> Answered {
    let (sender, lines) = unbounded_channel();
    let gone = Arc::<AtomicBool>::default();
    let mut teller = Teller { sender, gone: Arc::clone(&gone), files: HashMap::new() };
    let work = blocking(move || {
        let done = work(&mut teller);
        match &done {
            Ok(()) => teller.status("success"),
            // Under status 200: clients read errors from the lines.
            Err(fault) => teller.say(Dialect::Ollama.error(fault)),
        }
        done
    });
    if !stream {
        // Whoever leaves ends the work.
        let leaving = Leaving(gone);
        let done = work.await;
        drop((leaving, lines));
        done?;
        return Ok(body::json(200, &json!({"status": "success"})));
    }
    tokio::spawn(work);
    let source = Told { lines, leaving: Leaving(gone) };
    Ok(reply(200, CONTENT_TYPE, Body::Source(Box::new(source))))
}

/// Says so when it is dropped: nobody waits for the download any more.
struct Leaving(Arc<AtomicBool>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The lines on their way.
struct Told {
    lines: UnboundedReceiver<Value>,
    #[expect(dead_code, reason = "what counts is when it is dropped")]
    leaving: Leaving,
}

impl Source for Told {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let next = std::task::ready!(self.lines.poll_recv(context));
        Poll::Ready(next.map(|value| {
            let mut bytes = Vec::new();
            line(&value, &mut bytes);
            bytes.into()
        }))
    }
}

/// A file on its way.
struct File {
    digest: String,
    total: u64,
    completed: u64,
    told: Instant,
}

/// Turns what a download tells into lines.
pub(super) struct Teller {
    sender: UnboundedSender<Value>,
    gone: Arc<AtomicBool>,
    files: HashMap<String, File>,
}

impl Teller {
    fn say(&self, value: Value) {
        // Who has left does not hear it.
        let _ = self.sender.send(value);
    }

    pub(super) fn status(&self, status: impl Into<String>) {
        self.say(json!({"status": status.into()}));
    }

    fn tell(&self, file: &File) {
        let name = file.digest.get(7..19).unwrap_or_default();
        self.say(json!({
            "status": format!("pulling {name}"),
            "digest": file.digest,
            "total": file.total.max(file.completed),
            "completed": file.completed,
        }));
    }
}

/// Clients tell files apart by digests, which are not known before a file is there: this one is of
/// its name.
fn digest(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    hash.iter().fold("sha256:".to_owned(), |digits, byte| format!("{digits}{byte:02x}"))
}

impl Progress for Teller {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Started { file, size, resumed } => {
                let begun = File {
                    digest: digest(file),
                    total: size.unwrap_or(0),
                    completed: *resumed,
                    told: Instant::now(),
                };
                self.tell(&begun);
                self.files.insert(file.clone(), begun);
            }
            Event::Bytes { file, count } => {
                let Some(going) = self.files.get_mut(file) else {
                    return;
                };
                going.completed += count;
                if going.told.elapsed() >= OFTEN {
                    going.told = Instant::now();
                    self.tell(&self.files[file]);
                }
            }
            Event::Restarted { file, .. } => {
                if let Some(going) = self.files.get_mut(file) {
                    going.completed = 0;
                }
            }
            Event::Finished { file, .. } => {
                if let Some(mut done) = self.files.remove(file) {
                    done.completed = done.completed.max(done.total);
                    self.tell(&done);
                }
            }
            _ => {}
        }
    }

    fn written(&mut self, bytes: u64, of: u64) {
        self.say(json!({"status": "quantizing model", "total": of, "completed": bytes}));
    }

    fn cancelled(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}
