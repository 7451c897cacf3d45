//! The server itself: listening, connections, and coming to an end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use scaffold::Error;
use scaffold::config::Config;
use scaffold_error::err;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::server::TlsStream;

use crate::call::Shared;
use crate::gate::Gate;
use crate::handle::Handler;
use crate::models::{Models, blocking};
use crate::options::ServerOptions;
use crate::places::Places;
use crate::race::{First, first};
use crate::reload::Reloader;
use crate::responses::memory::Memory;
use crate::tls::Tls;
use crate::watched::Watched;

/// A server that has its address and answers as soon as it runs.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    options: ServerOptions,
    handler: Arc<Handler>,
    tls: Option<Arc<Tls>>,
    stage: watch::Sender<Stage>,
}

/// Ends a server from elsewhere.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<Stage>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Stage {
    Serving,
    /// Answers at hand come to their end, and nothing is begun.
    Draining,
    /// Nothing is waited for.
    Ending,
}

impl Stopper {
    /// Takes no more requests, and ends the server when the answers at hand are complete, or their
    /// time is over. Said again, it waits for nothing.
    pub fn stop(&self) {
        self.0.send_modify(|stage| {
            *stage = match stage {
                Stage::Serving => Stage::Draining,
                Stage::Draining | Stage::Ending => Stage::Ending,
            };
        });
    }
}

impl Server {
    /// Takes the address. Nobody is answered before [`run`](Self::run).
    ///
    /// # Errors
    /// The address is in use or not this machine's, or it is reached from beyond this machine and
    /// there are no keys.
    pub fn bind(config: Config, options: ServerOptions) -> Result<Self, Error> {
        let wanted = options.address;
        if !options.is_local() && options.keys.is_empty() && !options.open {
            return Err(err!(
                Usage,
                "at {wanted} others than this machine's own programs can ask, and there are no API keys: anybody could use the models"
            )
            .remedy("name a file of keys: --api-key-file FILE")
            .remedy("let everybody ask who reaches it: --no-auth"));
        }
        let tls = options.tls.clone().map(Tls::open).transpose()?.map(Arc::new);
        let listener = TcpListener::bind(wanted).map_err(|cause| cannot_listen(wanted, cause))?;
        let prepared = listener.set_nonblocking(true).and_then(|()| listener.local_addr());
        let address = prepared.map_err(|cause| cannot_listen(wanted, cause))?;
        let models = Arc::new(Models::new(config, &options));
        let shared = Arc::new(Shared {
            models,
            watched: Watched::default(),
            listeners: Places::default(),
            responses: Memory::new(options.kept_responses),
        });
        let handler = Arc::new(Handler {
            shared,
            gate: Gate::new(&options),
            body_bytes: options.body_bytes,
            body_time: options.body_time,
        });
        let (stage, _) = watch::channel(Stage::Serving);
        Ok(Self { listener, address, options, handler, tls, stage })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What ends it from elsewhere.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.stage.clone())
    }

    /// What reads its files again from elsewhere.
    pub fn reloader(&self) -> Reloader {
        Reloader::new(Arc::clone(&self.handler), &self.options, self.tls.clone())
    }

    /// Answers until it is stopped; whether all answers at hand came to their end.
    ///
    /// # Errors
    /// No threads can be started, or a model of the start cannot be loaded.
    pub fn run(self) -> Result<bool, Error> {
        self.run_with(false)
    }

    /// As [`run`](Self::run), and until SIGINT or SIGTERM (Ctrl-C); a second one waits for nothing. At
    /// SIGHUP it reads its files again, where it has some.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_until_signal(self) -> Result<bool, Error> {
        self.run_with(true)
    }

    fn run_with(self, signals: bool) -> Result<bool, Error> {
        /// Templates and tokenizers of others may go deep.
        const STACK: usize = 16 << 20;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("scaffold-server")
            .thread_stack_size(STACK)
            .enable_io()
            .enable_time()
            .build()
            .map_err(|cause| {
                err!(Unavailable, "the server's threads could not be started: {cause}")
                    .because(cause)
            })?;
        let served = runtime.block_on(self.serve(signals));
        // Calls of the library that nobody waits for any more.
        runtime.shutdown_timeout(Duration::from_secs(1));
        served
    }

    async fn serve(self, signals: bool) -> Result<bool, Error> {
        let reloader = self.reloader();
        let Self { listener, options, handler, tls, stage, .. } = self;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(|cause| {
            err!(Unavailable, "the server cannot wait for connections: {cause}").because(cause)
        })?;
        if signals {
            watch_signals(&Stopper(stage.clone()))?;
            watch_hangups(reloader)?;
        }
        let models = Arc::clone(&handler.shared.models);
        let mut loading = pin!(preload(Arc::clone(&models)));
        let mut has_loaded = false;
        if options.kept_prompts.is_some() {
            tokio::spawn(keep_prompts(Arc::downgrade(&models)));
        }
        let places = Arc::new(Semaphore::new(options.connections));
        let mut told = stage.subscribe();
        while *told.borrow_and_update() == Stage::Serving {
            let place = Arc::clone(&places).acquire_owned();
            let next = async {
                let place = place.await.ok();
                (place, listener.accept().await)
            };
            let happened = {
                let (mut next, mut stopped) = (pin!(next), pin!(told.changed()));
                std::future::poll_fn(|context| {
                    if let (false, Poll::Ready(result)) = (
                        has_loaded,
                        if has_loaded { Poll::Pending } else { loading.as_mut().poll(context) },
                    ) {
                        return Poll::Ready(Happened::Loaded(result));
                    }
                    if stopped.as_mut().poll(context).is_ready() {
                        return Poll::Ready(Happened::Stopped);
                    }
                    next.as_mut()
                        .poll(context)
                        .map(|(place, accepted)| Happened::Accepted(place, accepted))
                })
                .await
            };
            match happened {
                Happened::Loaded(result) => {
                    has_loaded = true;
                    result?;
                }
                Happened::Stopped => {}
                Happened::Accepted(place, Ok((stream, peer))) => {
                    let http = http(options.header_time);
                    let (handler, told) = (Arc::clone(&handler), stage.subscribe());
                    let tls = tls.clone();
                    tokio::spawn(async move {
                        let watched = &handler.shared.watched;
                        watched.connections.fetch_add(1, Ordering::Relaxed);
                        // Tokens are small and not to be waited for.
                        let _ = stream.set_nodelay(true);
                        match tls {
                            None => connection(&http, stream, peer.ip(), &handler, told).await,
                            Some(tls) => {
                                let shaken = shake(&tls, stream, options.header_time, told.clone());
                                if let Some(stream) = shaken.await {
                                    connection(&http, stream, peer.ip(), &handler, told).await;
                                }
                            }
                        }
                        watched.connections.fetch_sub(1, Ordering::Relaxed);
                        drop(place);
                    });
                }
                // No more files, or a client that has left: the next may be luckier.
                Happened::Accepted(_, Err(error)) => {
                    tracing::warn!(target: "scaffold::server", %error, "a connection was lost");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(listener);
        handler.shared.watched.drain();
        tracing::info!(target: "scaffold::server", "stopping");
        let all = places.acquire_many(u32::try_from(options.connections).unwrap_or(u32::MAX));
        let over = ending(&mut told);
        let drained = {
            let (mut all, mut over) =
                (pin!(all), pin!(tokio::time::timeout(options.drain_time, over)));
            std::future::poll_fn(|context| {
                if all.as_mut().poll(context).is_ready() {
                    return Poll::Ready(true);
                }
                over.as_mut().poll(context).map(|_| false)
            })
            .await
        };
        let hurry = options.kept_prompts.map(|prompts| prompts.hurry).unwrap_or_default();
        if *told.borrow() == Stage::Ending {
            hurry.now();
        }
        stage.send_replace(Stage::Ending);
        told.mark_unchanged();
        // What is still computed has nobody who reads it. Who stops it once more wants no prompts to
        // be written.
        let mut ending = pin!(blocking(move || Ok(models.shutdown(Duration::from_secs(2)))));
        let freed = match first(ending.as_mut(), told.changed()).await {
            First::One(freed) => freed,
            First::Other(_) => {
                hurry.now();
                ending.await
            }
        };
        Ok(drained && freed.unwrap_or(false))
    }
}

enum Happened {
    Loaded(Result<(), Error>),
    Stopped,
    Accepted(Option<tokio::sync::OwnedSemaphorePermit>, io::Result<(TcpStream, SocketAddr)>),
}

async fn preload(models: Arc<Models>) -> Result<(), Error> {
    let loaded = tokio::task::spawn_blocking(move || {
        models.clean();
        models.preload()
    })
    .await;
    loaded.unwrap_or_else(|_| {
        Err(err!(Internal, "loading the models of the start broke off: report this"))
    })
}

/// Has models write their long prompts when nobody uses them.
async fn keep_prompts(models: std::sync::Weak<Models>) {
    loop {
        tokio::time::sleep(Duration::from_secs(10)).await;
        let Some(models) = models.upgrade() else {
            return;
        };
        let _ = tokio::task::spawn_blocking(move || models.keep_prompts()).await;
    }
}

/// Waits until nothing is to be waited for.
async fn ending(told: &mut watch::Receiver<Stage>) {
    while *told.borrow_and_update() != Stage::Ending {
        if told.changed().await.is_err() {
            return;
        }
    }
}

fn http(header_time: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(header_time);
    http
}

/// Agrees on the keys of a connection, in its own task and time: one that does not come to that
/// holds up nobody, and is not waited for when the server stops.
async fn shake(
    tls: &Tls,
    stream: TcpStream,
    time: Duration,
    mut told: watch::Receiver<Stage>,
) -> Option<TlsStream<TcpStream>> {
    let stopping = told.wait_for(|stage| *stage != Stage::Serving);
    match first(tokio::time::timeout(time, tls.accept(stream)), stopping).await {
        First::One(Ok(shaken)) => shaken,
        First::One(Err(_)) | First::Other(_) => None,
    }
}

/// Answers the requests of one connection.
async fn connection(
    http: &http1::Builder,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: IpAddr,
    handler: &Arc<Handler>,
    mut told: watch::Receiver<Stage>,
) {
    let service =
        service_fn(
            |request| async move { Ok::<_, Infallible>(handler.handle(request, peer).await) },
        );
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut is_closing = false;
    loop {
        let stage = *told.borrow_and_update();
        if stage == Stage::Ending {
            // Dropping it ends what it computes.
            return;
        }
        if stage == Stage::Draining && !is_closing {
            is_closing = true;
            connection.as_mut().graceful_shutdown();
        }
        let mut changed = pin!(told.changed());
        let is_over = std::future::poll_fn(|context| {
            // A client that breaks off is no news.
            if connection.as_mut().poll(context).is_ready() {
                return Poll::Ready(true);
            }
            changed.as_mut().poll(context).map(|changed| changed.is_err())
        })
        .await;
        if is_over {
            return;
        }
    }
}

/// Stops the server at SIGINT and SIGTERM.
#[cfg(unix)]
fn watch_signals(stopper: &Stopper) -> Result<(), Error> {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut signals = signal(kind).map_err(|cause| {
            err!(Unavailable, "the server cannot watch for signals: {cause}").because(cause)
        })?;
        let stopper = stopper.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                stopper.stop();
            }
        });
    }
    Ok(())
}

/// Reads the server's files again at SIGHUP, where it has some: without them the signal ends the
/// program, as it does when a terminal is closed.
#[cfg(unix)]
fn watch_hangups(reloader: Reloader) -> Result<(), Error> {
    use tokio::signal::unix::{SignalKind, signal};
    if !reloader.has_files() {
        return Ok(());
    }
    let mut signals = signal(SignalKind::hangup()).map_err(|cause| {
        err!(Unavailable, "the server cannot watch for signals: {cause}").because(cause)
    })?;
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            let reloader = reloader.clone();
            // What it read or could not is in the log.
            let _ = tokio::task::spawn_blocking(move || reloader.reload()).await;
        }
    });
    Ok(())
}

/// There is no such signal.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as where there is one")]
fn watch_hangups(_: Reloader) -> Result<(), Error> {
    Ok(())
}

/// Stops the server at Ctrl-C.
#[cfg(not(unix))]
fn watch_signals(stopper: &Stopper) -> Result<(), Error> {
    let stopper = stopper.clone();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            stopper.stop();
        }
    });
    Ok(())
}

fn cannot_listen(address: SocketAddr, cause: io::Error) -> Error {
    let error = match cause.kind() {
        io::ErrorKind::AddrInUse => err!(
            Unavailable,
            "{address} is in use: another program listens there, perhaps Ollama or another `scaffold serve`"
        )
        .remedy("take another port: --port 11435 (0 takes any that is free)"),
        io::ErrorKind::AddrNotAvailable => err!(Usage, "{address} is no address of this machine")
            .remedy("listen on 127.0.0.1, or on 0.0.0.0 for all of its addresses"),
        io::ErrorKind::PermissionDenied => {
            err!(Unavailable, "the system does not let this program listen on {address}: {cause}")
                .remedy("take a port above 1023")
        }
        _ => err!(Unavailable, "cannot listen on {address}: {cause}"),
    };
    error.because(cause)
}
