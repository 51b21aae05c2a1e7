//! Worker threads: one current-thread runtime each, with its own listeners, connections and
//! upstream pool. They share nothing but their counters. What happens on a connection is in
//! `serve`.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use edits::Edits;
use socket2::{Domain, Protocol, Type};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use crate::codec::Refusal;
use crate::connection::ListenerKey;
use crate::limits::{Limits, ListenOptions};
use crate::request::Request;
use crate::response::Response;
use crate::serve::Settings;
use crate::stats::{Stats, WorkerStats};
use crate::worker::Worker;
use crate::{Connection, serve};

/// Answers requests. Called on the worker that holds the connection; the future stays there, so
/// it need not be `Send`. It is dropped when the client leaves.
pub trait Handler: Send + Sync + 'static {
    /// Answer one request.
    fn handle(&self, request: Request, connection: &Connection) -> impl Future<Output = Response>;

    /// Answer what is no request, or one that two parties could read in two ways. The connection
    /// ends after it.
    fn refuse(&self, refusal: Refusal, connection: &Connection) -> Response {
        let _ = connection;
        Response::full(refusal.status, &Edits::new(), "")
    }
}

type Command = Box<dyn FnOnce(&Rc<Worker>) + Send>;

/// A set of worker threads. Dropping it cuts every connection; see [`Workers::drain`].
pub struct Workers {
    threads: Vec<Thread>,
    /// Options of the listeners, which all workers read: a change counts for the next connection.
    settings: Mutex<HashMap<ListenerKey, Arc<ArcSwap<Settings>>>>,
}

struct Thread {
    commands: mpsc::UnboundedSender<Command>,
    /// Patience and deadline of the drain.
    stop: oneshot::Sender<(Duration, Duration)>,
    stats: Arc<WorkerStats>,
    join: JoinHandle<Drained>,
}

/// What became of the connections that were open when a drain began.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Ended by themselves in time.
    pub finished: usize,
    /// Cut at the deadline.
    pub cut: usize,
}

impl Workers {
    /// Start `count` workers (at least one).
    pub fn start(count: usize, limits: Limits) -> io::Result<Workers> {
        let threads = (0..count.max(1)).map(|index| Thread::start(index, limits.clone()));
        Ok(Workers { threads: threads.collect::<io::Result<_>>()?, settings: Mutex::default() })
    }

    /// How many workers there are, i.e. how many sockets [`bind`] should make.
    pub fn count(&self) -> usize {
        self.threads.len()
    }

    /// Serve bound sockets with `handler`. Give one socket per worker (see [`bind`]); if there are
    /// fewer, workers share them. A listener of the same key is closed first.
    pub fn listen<H: Handler>(
        &self,
        key: ListenerKey,
        sockets: Vec<TcpListener>,
        options: ListenOptions,
        handler: Arc<H>,
    ) -> io::Result<()> {
        if sockets.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no socket to listen on"));
        }
        let settings = Arc::new(ArcSwap::from_pointee(Settings::new(options)));
        self.settings().insert(key.clone(), Arc::clone(&settings));
        for (index, thread) in self.threads.iter().enumerate() {
            let socket = sockets[index % sockets.len()].try_clone()?;
            socket.set_nonblocking(true)?;
            let (key, settings, handler) = (key.clone(), settings.clone(), handler.clone());
            thread.send(move |worker| {
                drop(worker.close(&key));
                serve::listen(worker, key, socket, settings, handler);
            });
        }
        Ok(())
    }

    /// Change the options of a listener (a renewed certificate, another accept filter) for
    /// connections that are accepted from now on.
    pub fn update(&self, key: &ListenerKey, options: ListenOptions) {
        if let Some(settings) = self.settings().get(key) {
            settings.store(Arc::new(Settings::new(options)));
        }
    }

    fn settings(&self) -> MutexGuard<'_, HashMap<ListenerKey, Arc<ArcSwap<Settings>>>> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stop accepting on a listener. Its idle connections close, the others finish what they are
    /// doing. It happens whether or not the result is awaited.
    pub fn close(&self, key: &ListenerKey) -> Closing {
        self.settings().remove(key);
        let closing = self.threads.iter().map(|thread| {
            let (closed, done) = oneshot::channel();
            let key = key.clone();
            thread.send(move |worker| {
                if let Some(accepting) = worker.close(&key) {
                    tokio::task::spawn_local(async move {
                        // An error here says that the accept loop is gone, which is the point.
                        drop(accepting.await);
                        drop(closed);
                    });
                }
            });
            done
        });
        Closing(closing.collect())
    }

    /// The counters, summed over all workers.
    pub fn stats(&self) -> Stats {
        let mut sum = Stats::default();
        for thread in &self.threads {
            thread.stats.add_to(&mut sum);
        }
        sum
    }

    /// Stop: close listeners and idle connections, tell the others that this is their last
    /// response (`Connection: close`, HTTP/2 GOAWAY), cut what is left after `deadline`.
    ///
    /// Blocks the calling thread, which must not be a worker.
    pub fn drain(self, deadline: Duration) -> Drained {
        self.retire(Duration::ZERO, deadline)
    }

    /// Stop in favour of a successor on the same sockets. For `patience`, connections that have
    /// nothing to do are not closed but told so by their next response: a request that is on its
    /// way is then not lost. After that like [`Workers::drain`]; `deadline` counts from now, too.
    ///
    /// Blocks the calling thread, which must not be a worker.
    pub fn retire(self, patience: Duration, deadline: Duration) -> Drained {
        let mut joins = HashMap::new();
        for (index, thread) in self.threads.into_iter().enumerate() {
            // A worker that has died reports nothing below.
            let _ = thread.stop.send((patience, deadline));
            joins.insert(index, thread.join);
        }
        let mut sum = Drained::default();
        for drained in joins.into_values().filter_map(|join| join.join().ok()) {
            sum.finished += drained.finished;
            sum.cut += drained.cut;
        }
        sum
    }
}

/// A listener that is being closed.
#[must_use = "await `stopped` if the port must be free, or drop this explicitly"]
pub struct Closing(Vec<oneshot::Receiver<()>>);

impl Closing {
    /// Wait until no worker accepts any more; the port can then be bound again.
    pub async fn stopped(self) {
        for done in self.0 {
            // The sender is dropped, never used, when its worker has closed the socket.
            drop(done.await);
        }
    }
}

impl Thread {
    fn start(index: usize, limits: Limits) -> io::Result<Thread> {
        let (commands, mut queue) = mpsc::unbounded_channel::<Command>();
        let (stop, stopped) = oneshot::channel();
        let stats = Arc::new(WorkerStats::default());
        let counters = stats.clone();
        let (started, start) = std::sync::mpsc::channel();
        let body = move || {
            let built = Builder::new_current_thread().enable_all().build_local(Default::default());
            let (runtime, outcome) = match built {
                Ok(runtime) => (Some(runtime), Ok(())),
                Err(error) => (None, Err(error)),
            };
            // The starter waits for exactly this.
            let _ = started.send(outcome);
            let Some(runtime) = runtime else { return Drained::default() };
            let worker = Worker::new(limits, counters);
            let orders = worker.clone();
            runtime.spawn_local(async move {
                while let Some(command) = queue.recv().await {
                    command(&orders);
                }
            });
            runtime.block_on(async {
                worker.start();
                match stopped.await {
                    Ok((patience, deadline)) => worker.drain(patience, deadline).await,
                    Err(_) => Drained::default(),
                }
            })
        };
        let join = std::thread::Builder::new().name(format!("worker-{index}")).spawn(body)?;
        start.recv().map_err(io::Error::other)??;
        Ok(Thread { commands, stop, stats, join })
    }

    /// A worker that has died takes no more orders; there is nobody to tell.
    fn send(&self, command: impl FnOnce(&Rc<Worker>) + Send + 'static) {
        drop(self.commands.send(Box::new(command)));
    }
}

/// Bind `count` sockets to one address, among which the kernel spreads connections
/// (SO_REUSEPORT). Port 0 picks a free port for all of them.
pub fn bind(addr: SocketAddr, count: usize) -> io::Result<Vec<TcpListener>> {
    let share = count > 1;
    if share && addr.port() != 0 {
        // Sharing would let a second process take the same port unnoticed.
        drop(socket(addr, false)?);
    }
    let listen = |addr| -> io::Result<TcpListener> {
        let socket = socket(addr, share)?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    let first = listen(addr)?;
    let addr = first.local_addr()?;
    let rest = (1..count).map(|_| listen(addr));
    std::iter::once(Ok(first)).chain(rest).collect()
}

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: i32 = 4096;

/// A bound socket that does not listen yet.
fn socket(addr: SocketAddr, share: bool) -> io::Result<socket2::Socket> {
    let socket =
        socket2::Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if share {
        socket.set_reuse_port(true)?;
    }
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&addr.into())?;
    Ok(socket)
}
