//! Answers on their way to a client: all at once, or as they come, in whatever shape an interface
//! has for them.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Bytes;
use scaffold::registry::{KeepAlive, Lease};
use scaffold::{Arrived, GenerateOptions, LlmManager, Message, PartStream, Reply as Told};
use tokio::time::{Instant, Sleep};

use crate::body::{Body, Reply, Source, reply};
use crate::call::Call;
use crate::fault::Fault;
use crate::gate::limits::Account;
use crate::tools;

/// Answers that are being computed, with what is known of their requests.
pub(crate) struct Running {
    /// The model, which stays as long as this.
    pub(crate) lease: Lease<LlmManager>,
    pub(crate) streams: Vec<PartStream>,
    /// What each prompt is, in tokens; several answers may have one prompt.
    pub(crate) prompts: Vec<Arc<[u32]>>,
    /// How long it took until the model was there.
    pub(crate) load: Duration,
    /// Whose tokens are counted.
    account: Option<Account>,
}

impl Running {
    pub(crate) fn new(
        lease: Lease<LlmManager>,
        streams: Vec<PartStream>,
        prompts: Vec<Arc<[u32]>>,
        load: Duration,
        account: Option<Account>,
    ) -> Self {
        if let Some(account) = &account {
            account.spend(prompts.iter().map(|prompt| prompt.len()).sum());
        }
        Self { lease, streams, prompts, load, account }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Also of answers that nobody waits for any more.
        if let Some(account) = &self.account {
            account.spend(self.streams.iter().map(|stream| stream.answer().ids.len()).sum());
        }
    }
}

/// How pieces of answers are written.
pub(crate) trait Form: Send {
    /// Before anything else.
    fn begin(&mut self, _running: &Running, _out: &mut Vec<u8>) {}

    /// A piece of the answer of this number.
    fn piece(&mut self, index: usize, arrived: &Arrived, out: &mut Vec<u8>);

    /// The answer of this number is complete.
    fn finished(&mut self, index: usize, stream: &PartStream, out: &mut Vec<u8>);

    /// All are.
    fn end(&mut self, _running: &Running, _out: &mut Vec<u8>) {}

    /// Something went wrong after the beginning was sent.
    fn failed(&mut self, fault: &Fault, out: &mut Vec<u8>);

    /// What says that there is still somebody, where the interface has words for that.
    fn heartbeat(&mut self, _out: &mut Vec<u8>) {}

    /// The type of the whole.
    fn content_type(&self) -> &'static str;
}

/// Something that is still to begin.
pub(crate) type Starting = Pin<Box<dyn Future<Output = Result<Running, Fault>> + Send>>;

/// A chat with a model, and so many answers to it. `field` is where the chat stands in the request.
pub(crate) fn of_chat(
    call: &Call,
    model: &str,
    keep: Option<KeepAlive>,
    messages: Vec<Message>,
    mut options: GenerateOptions,
    count: usize,
    field: &'static str,
) -> Starting {
    let (models, name) = (Arc::clone(call.models()), model.to_owned());
    let (account, notices) = (call.client.account.clone(), call.notices.clone());
    Box::pin(async move {
        let limits = Arc::clone(&models);
        let work = models.language(&name, keep, move |model| {
            tools::prepare(model, &mut options.render, &notices)?;
            tools::tell_loose(model, &options, &notices)?;
            let ids = model.chat_ids(&messages, &options.render)?;
            limits.limit(&mut options, model);
            let prompt: Arc<[u32]> = ids.as_slice().into();
            let streams = model.parts_ids(ids, count, &options);
            let streams = streams.map_err(|error| Fault::from(error).of_prompt(field))?;
            Ok((streams, prompt))
        });
        let (lease, (streams, prompt), load) = work.await?;
        Ok(Running::new(lease, streams, vec![prompt], load, account))
    })
}

/// After so long without a word the head of the answer is sent, and then heartbeats: a client that
/// hears nothing while a model is loaded gives up.
const QUIET: Duration = Duration::from_secs(10);
/// So many bytes are sent together at most.
const TOGETHER: usize = 16 << 10;

/// Answers that are sent as they come. What goes wrong before the first word has a status of its
/// own.
pub(crate) async fn live(mut starting: Starting, form: Box<dyn Form>) -> Result<Reply, Fault> {
    let content_type = form.content_type();
    let state = match tokio::time::timeout(QUIET, &mut starting).await {
        Ok(running) => State::Begun(running?),
        Err(_) => State::Starting(starting),
    };
    let source = Live { state, form, pulse: Box::pin(tokio::time::sleep(QUIET)) };
    Ok(reply(200, content_type, Body::Source(Box::new(source))))
}

/// All answers, when they are complete.
pub(crate) async fn whole(starting: Starting) -> Result<(Running, Vec<Told>), Fault> {
    let mut running = starting.await?;
    for stream in &mut running.streams {
        while let Some(piece) = std::future::poll_fn(|context| stream.poll_recv(context)).await {
            piece?;
        }
    }
    let replies = running.streams.iter().map(PartStream::reply).collect();
    Ok((running, replies))
}

enum State {
    Starting(Starting),
    Begun(Running),
    /// The next stream of each number that has not ended is asked.
    Going(Running, Vec<bool>),
    Over,
}

struct Live {
    state: State,
    form: Box<dyn Form>,
    pulse: Pin<Box<Sleep>>,
}

impl Live {
    fn fail(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        self.state = State::Over;
        self.form.failed(fault, out);
    }

    /// Writes what has come; whether nothing comes any more.
    fn advance(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) {
        if let State::Starting(starting) = &mut self.state {
            match starting.as_mut().poll(context) {
                Poll::Pending => return,
                Poll::Ready(Ok(running)) => self.state = State::Begun(running),
                Poll::Ready(Err(fault)) => return self.fail(&fault, out),
            }
        }
        if let State::Begun(_) = self.state {
            let State::Begun(running) = std::mem::replace(&mut self.state, State::Over) else {
                return;
            };
            self.form.begin(&running, out);
            let open = vec![true; running.streams.len()];
            self.state = State::Going(running, open);
        }
        let State::Going(running, open) = &mut self.state else {
            return;
        };
        let mut fault = None;
        'streams: for (index, stream) in running.streams.iter_mut().enumerate() {
            while open[index] && out.len() < TOGETHER {
                match stream.poll_recv(context) {
                    Poll::Pending => break,
                    Poll::Ready(Some(Ok(arrived))) => self.form.piece(index, &arrived, out),
                    Poll::Ready(Some(Err(error))) => {
                        fault = Some(Fault::from(error));
                        break 'streams;
                    }
                    Poll::Ready(None) => {
                        open[index] = false;
                        self.form.finished(index, stream, out);
                    }
                }
            }
        }
        if let Some(fault) = fault {
            self.fail(&fault, out);
        } else if !open.contains(&true) {
            self.form.end(running, out);
            self.state = State::Over;
        }
    }
}

impl Source for Live {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if matches!(self.state, State::Over) {
            return Poll::Ready(None);
        }
        let mut out = Vec::new();
        let done = catch_unwind(AssertUnwindSafe(|| self.advance(context, &mut out)));
        if done.is_err() {
            out.clear();
            self.fail(&Fault::internal(), &mut out);
        }
        if out.is_empty() && !matches!(self.state, State::Over) {
            if self.pulse.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.form.heartbeat(&mut out);
            if out.is_empty() {
                // Nothing can be said; look again later.
                self.pulse.as_mut().reset(Instant::now() + QUIET);
                let _ = self.pulse.as_mut().poll(context);
                return Poll::Pending;
            }
        }
        self.pulse.as_mut().reset(Instant::now() + QUIET);
        Poll::Ready((!out.is_empty()).then(|| Bytes::from(out)))
    }
}
