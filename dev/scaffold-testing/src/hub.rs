//! A fake Hub on a raw socket that misbehaves on demand.
//!
//! It serves repositories the way the Hub does (description, file tree, `resolve` with its headers,
//! a redirect to a second host for large files, gates, tokens, `whoami-v2`), and any further page
//! (a package index, for one). Every answer can be spoiled with a [`Fault`]. Every request is
//! remembered.
//!
//! ```
//! use scaffold_testing::hub::{FakeHub, FakeRepo};
//! let hub = FakeHub::start();
//! hub.add(FakeRepo::new("org/name").file("config.json", "{}"));
//! assert!(hub.url().starts_with("http://127.0.0.1:"));
//! ```

mod answer;
mod fault;
mod repo;
mod wire;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

pub use fault::{Fault, Rule};
pub use repo::{FakeFile, FakeRepo, FakeToken, Reticence, git_sha1, sha256};
pub use wire::Request;

/// A running fake Hub. It stops when dropped.
pub struct FakeHub {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    ports: [u16; 2],
}

/// What the server's threads share with the test.
struct Shared {
    state: Mutex<State>,
    stop: AtomicBool,
    /// Address of the second host, to which large files are redirected.
    store: String,
}

#[derive(Default)]
struct State {
    repos: Vec<FakeRepo>,
    tokens: Vec<FakeToken>,
    pages: Vec<Page>,
    rules: Vec<Rule>,
    requests: Vec<Request>,
}

#[derive(Clone)]
struct Page {
    path: String,
    content_type: String,
    body: Vec<u8>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeHub {
    /// Starts one on two free ports: the Hub, and the store that large files come from.
    ///
    /// # Panics
    /// When the loopback interface has no free port.
    pub fn start() -> FakeHub {
        let listeners = [listen(), listen()];
        let ports = [port(&listeners[0]), port(&listeners[1])];
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            stop: AtomicBool::new(false),
            store: format!("http://127.0.0.1:{}", ports[1]),
        });
        let threads = listeners
            .into_iter()
            .enumerate()
            .map(|(index, listener)| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || accept(&listener, &shared, index == 1))
            })
            .collect();
        FakeHub { shared, threads, ports }
    }

    /// The Hub's address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// The address of the store.
    pub fn store_url(&self) -> String {
        self.shared.store.clone()
    }

    /// Adds a repository, or replaces the one of that name.
    pub fn add(&self, repo: FakeRepo) {
        let mut state = self.shared.state();
        state.repos.retain(|r| r.id != repo.id);
        state.repos.push(repo);
    }

    /// Adds an access token that the Hub knows.
    pub fn add_token(&self, token: FakeToken) {
        self.shared.state().tokens.push(token);
    }

    /// Serves one more page at `path` (without query).
    pub fn add_page(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) {
        let page = Page {
            path: path.to_owned(),
            content_type: content_type.to_owned(),
            body: body.into(),
        };
        self.shared.state().pages.push(page);
    }

    /// Spoils the answers to GET requests whose path contains `path`: the next `times` of them.
    pub fn spoil(&self, path: &str, times: u32, fault: Fault) {
        self.spoil_if(Rule { path: path.to_owned(), head: false, store_only: false, times, fault });
    }

    /// Spoils the answers that a rule describes. Rules are tried in the order they were added.
    pub fn spoil_if(&self, rule: Rule) {
        self.shared.state().rules.push(rule);
    }

    /// Forgets all rules.
    pub fn behave(&self) {
        self.shared.state().rules.clear();
    }

    /// All requests so far, in the order they came.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// Requests so far whose path contains `path`.
    pub fn requests_for(&self, path: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|r| r.path.contains(path)).collect()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.shared.state().requests.clear();
    }
}

impl Drop for FakeHub {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for port in self.ports {
            // Wakes the thread that waits in accept().
            let _ = TcpStream::connect(("127.0.0.1", port));
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a free port on the loopback interface")
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().map_or(0, |a| a.port())
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, store: bool) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        std::thread::spawn(move || handle(stream, &shared, store));
    }
}

/// One request, one answer, and the connection is closed.
fn handle(mut stream: TcpStream, shared: &Shared, store: bool) {
    let Some(mut request) = wire::read_request(&mut stream) else {
        return;
    };
    request.to_store = store;
    let (answer, fault) = {
        let mut state = shared.state();
        state.requests.push(request.clone());
        let fault = fault::take(&mut state.rules, &request);
        (answer::answer(&state, &request, &shared.store), fault)
    };
    // A client that hangs up early is part of the game.
    let _ = match fault {
        Some(fault) => fault.send(answer, &request, &mut stream, &shared.stop),
        None => answer.send(&request, &mut stream),
    };
    let _ = stream.flush();
    let _ = stream.shutdown(std::net::Shutdown::Both);
}
