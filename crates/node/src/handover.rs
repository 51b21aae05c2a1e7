//! Hand-over of the listening sockets from a running node to the one that was started after it on
//! the same data directory, over a Unix socket in that directory.
//!
//! The successor asks; the running node ends its control plane, lets go of the data file, and sends
//! its sockets and verdicts; the successor says when it serves; then the old one drains. What
//! connects in between is taken by the old node or waits in sockets that both have. Connections
//! are not handed over: they end with their next response, which is decided with the successor's
//! state (`follow.rs`).

use std::collections::BTreeMap;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use model::balancer::TargetId;
use model::health::{Cause, HealthView, TargetHealth};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use serde::{Deserialize, Serialize};

/// What a successor says first.
const ASK: &[u8; 19] = b"breezeway take over";
/// What it says when it serves.
const SERVING: &[u8; 7] = b"serving";
/// How long a peer may take to ask.
const ASK_WITHIN: Duration = Duration::from_secs(2);
/// How long a running node may take to let go, and a successor to serve.
const PATIENCE: Duration = Duration::from_secs(60);
/// Sockets in one message; the kernel takes up to 253.
const AT_ONCE: usize = 64;
/// The longest list of goods, in bytes.
const MAX_GOODS: u32 = 64 * 1024 * 1024;

/// Sockets by name, listening ones and those for datagrams, kept so that they can be handed over.
#[derive(Debug, Default)]
pub struct Held(Mutex<BTreeMap<String, Vec<OwnedFd>>>);

impl Held {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<OwnedFd>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps copies of sockets.
    pub fn keep<S: AsFd>(&self, name: &str, sockets: &[S]) -> io::Result<()> {
        let copies: io::Result<_> =
            sockets.iter().map(|socket| socket.as_fd().try_clone_to_owned()).collect();
        self.lock().insert(name.to_owned(), copies?);
        Ok(())
    }

    /// Lets go of sockets, so that their address is free once nobody else has them.
    pub fn release(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Takes the sockets of a name out, if they are on this address; port 0 is any port.
    pub fn take<S: From<OwnedFd>>(&self, name: &str, address: SocketAddr) -> Option<Vec<S>> {
        let sockets = self.lock().remove(name)?;
        let bound = rustix::net::getsockname(sockets.first()?).ok()?;
        let bound = SocketAddr::try_from(bound).ok()?;
        let same = bound.ip() == address.ip() && [0, bound.port()].contains(&address.port());
        same.then(|| sockets.into_iter().map(S::from).collect())
    }

    /// Lets go of all but the named ones.
    pub fn retain(&self, wanted: impl Fn(&str) -> bool) {
        self.lock().retain(|name, _| wanted(name));
    }

    /// The most sockets of any name: workers that it takes to accept on all of them.
    pub fn widest(&self) -> usize {
        self.lock().values().map(Vec::len).max().unwrap_or(0)
    }
}

/// What is sent along with the sockets.
#[derive(Serialize, Deserialize)]
struct Goods {
    /// Names and how many sockets each has, in the order in which they are sent.
    sockets: Vec<(String, usize)>,
    verdicts: Vec<Verdict>,
}

#[derive(Serialize, Deserialize)]
struct Verdict {
    group: String,
    id: String,
    port: u16,
    health: Health,
}

#[derive(Serialize, Deserialize)]
enum Health {
    Healthy,
    Mismatch(u16),
    Timeout,
    Failed(String),
}

/// Where a successor asks.
pub struct Post {
    listener: UnixListener,
    path: PathBuf,
}

fn place(folder: &Path) -> PathBuf {
    folder.join("handover.sock")
}

impl Post {
    /// Opens it in the data directory, in the place of what an earlier node left there. Only the
    /// owner of the directory may ask.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = place(folder);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, path })
    }

    /// Waits for a successor that asks.
    pub async fn successor(&self) -> Result<UnixStream> {
        let listener = tokio::net::UnixListener::from_std(self.listener.try_clone()?)?;
        loop {
            let (stream, _) = listener.accept().await?;
            let stream = stream.into_std()?;
            stream.set_nonblocking(false)?;
            match is_asking(&stream) {
                Ok(true) => return Ok(stream),
                _ => tracing::warn!("something else than a breezeway connected to hand over"),
            }
        }
    }

    /// Removes it; a node that ended by itself leaves nothing behind.
    pub fn remove(self) {
        // A file that is left behind is replaced by the next node.
        let _removed = std::fs::remove_file(&self.path);
    }
}

fn is_asking(mut stream: &UnixStream) -> io::Result<bool> {
    let mut asked = [0; ASK.len()];
    stream.set_read_timeout(Some(ASK_WITHIN))?;
    stream.read_exact(&mut asked)?;
    Ok(asked == *ASK)
}

/// What the running node gave; nothing when there was none.
#[derive(Default)]
pub struct Taken {
    /// Its sockets.
    pub sockets: Held,
    /// Its verdicts.
    pub verdicts: HealthView,
    /// Who waits to hear that this node serves; none when a node takes its own sockets back.
    pub giver: Option<UnixStream>,
}

/// Tells the old node that this one serves.
pub fn serving(mut giver: &UnixStream) -> io::Result<()> {
    giver.write_all(SERVING)
}

/// Asks the node that runs on the data directory, if there is one, for its sockets.
pub fn ask(folder: &Path) -> Result<Option<Taken>> {
    // Nobody there, or nobody there any more.
    let Ok(mut giver) = UnixStream::connect(place(folder)) else { return Ok(None) };
    crate::log::say(format_args!("taking over from the node that runs on {}", folder.display()));
    giver.set_read_timeout(Some(PATIENCE))?;
    let taken = giver.write_all(ASK).map_err(Into::into).and_then(|()| receive(&mut giver));
    let (sockets, verdicts) = taken.context("the running node did not hand over")?;
    Ok(Some(Taken { sockets, verdicts, giver: Some(giver) }))
}

fn receive(giver: &mut UnixStream) -> Result<(Held, HealthView)> {
    let mut length = [0; 4];
    giver.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    ensure!(length <= MAX_GOODS, "it sends more than {MAX_GOODS} bytes");
    let mut text = vec![0; usize::try_from(length)?];
    giver.read_exact(&mut text)?;
    let goods: Goods = serde_json::from_slice(&text)?;
    let count = goods.sockets.iter().map(|(_, count)| count).sum();
    let mut sockets = receive_sockets(giver, count)?.into_iter();
    let held = goods
        .sockets
        .into_iter()
        .map(|(name, count)| (name, sockets.by_ref().take(count).collect()))
        .collect();
    let mut view = HealthView::default();
    for Verdict { group, id, port, health } in goods.verdicts {
        let health = match health {
            Health::Healthy => TargetHealth::Healthy,
            Health::Mismatch(status) => TargetHealth::Unhealthy(Cause::CodeMismatch(status)),
            Health::Timeout => TargetHealth::Unhealthy(Cause::Timeout),
            Health::Failed(why) => TargetHealth::Unhealthy(Cause::Failed(why)),
        };
        view.set(group.into(), TargetId { id, port }, health);
    }
    Ok((Held(Mutex::new(held)), view))
}

fn receive_sockets(giver: &UnixStream, count: usize) -> Result<Vec<OwnedFd>> {
    let mut sockets: Vec<OwnedFd> = Vec::new();
    while sockets.len() < count {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(AT_ONCE))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let mut room = [IoSliceMut::new(&mut byte)];
        let before = sockets.len();
        if rustix::net::recvmsg(giver, &mut room, &mut control, flags)?.bytes == 0 {
            bail!("it ended after {before} of {count} sockets");
        }
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                sockets.extend(received);
            }
        }
        ensure!(sockets.len() > before, "a message came without a socket");
    }
    Ok(sockets)
}

/// Gives sockets and verdicts to a successor and waits until it serves.
pub fn give(mut successor: &UnixStream, held: &Held, view: &HealthView) -> Result<()> {
    successor.set_read_timeout(Some(PATIENCE))?;
    let held = held.lock();
    let goods = Goods {
        sockets: held.iter().map(|(name, sockets)| (name.clone(), sockets.len())).collect(),
        verdicts: view.iter().filter_map(verdict).collect(),
    };
    let text = serde_json::to_vec(&goods)?;
    successor.write_all(&u32::try_from(text.len())?.to_be_bytes())?;
    successor.write_all(&text)?;
    let all: Vec<BorrowedFd<'_>> = held.values().flatten().map(AsFd::as_fd).collect();
    for some in all.chunks(AT_ONCE) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(AT_ONCE))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        ensure!(control.push(SendAncillaryMessage::ScmRights(some)), "too many sockets at once");
        let byte = [IoSlice::new(&[0])];
        rustix::net::sendmsg(successor, &byte, &mut control, SendFlags::NOSIGNAL)?;
    }
    let mut answer = [0; SERVING.len()];
    successor.read_exact(&mut answer).context("it ended before it served")?;
    ensure!(answer == *SERVING, "it said something else than that it serves");
    Ok(())
}

fn verdict(
    (group, target, health): (&model::TargetGroupArn, &TargetId, &TargetHealth),
) -> Option<Verdict> {
    let health = match health {
        TargetHealth::Initial => return None,
        TargetHealth::Healthy => Health::Healthy,
        TargetHealth::Unhealthy(Cause::CodeMismatch(status)) => Health::Mismatch(*status),
        TargetHealth::Unhealthy(Cause::Timeout) => Health::Timeout,
        TargetHealth::Unhealthy(Cause::Failed(why)) => Health::Failed(why.clone()),
    };
    let group = group.as_str().to_owned();
    Some(Verdict { group, id: target.id.clone(), port: target.port, health })
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn sockets_and_verdicts_arrive() {
        let folder = tempfile::tempdir().unwrap();
        let post = Post::open(folder.path()).unwrap();
        let (held, mut view) = (Held::default(), HealthView::default());
        let mut bound = Vec::new();
        for name in ["http", "listener a"] {
            let sockets: Vec<_> =
                (0..70).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
            held.keep(name, &sockets).unwrap();
            bound.push(sockets[0].local_addr().unwrap());
        }
        let datagrams = [UdpSocket::bind("127.0.0.1:0").unwrap()];
        held.keep("dns", &datagrams).unwrap();
        let udp = datagrams[0].local_addr().unwrap();
        let key = |n: u16| ("group".into(), TargetId { id: "10.0.0.1".into(), port: n });
        let healths = [
            TargetHealth::Healthy,
            TargetHealth::Unhealthy(Cause::CodeMismatch(503)),
            TargetHealth::Unhealthy(Cause::Timeout),
            TargetHealth::Unhealthy(Cause::Failed("reset".into())),
        ];
        for (n, health) in healths.into_iter().enumerate() {
            let (group, target) = key(n as u16);
            view.set(group, target, health);
        }
        let folder = folder.path().to_owned();
        let asking = std::thread::spawn(move || {
            let taken = ask(&folder).unwrap().unwrap();
            let verdicts = taken.verdicts.clone();
            assert_eq!(taken.sockets.widest(), 70);
            let any = "127.0.0.1:0".parse().unwrap();
            let take = |name, address| taken.sockets.take::<TcpListener>(name, address);
            let http = take("http", any).unwrap()[0].local_addr().unwrap();
            assert!(take("http", any).is_none(), "taken once");
            let dns: Vec<UdpSocket> = taken.sockets.take("dns", udp).unwrap();
            assert_eq!(dns[0].local_addr().unwrap(), udp);
            let other = "127.0.0.1:1".parse().unwrap();
            assert!(take("listener a", other).is_none(), "another address");
            serving(&taken.giver.unwrap()).unwrap();
            (http, verdicts)
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let successor = runtime.block_on(post.successor()).unwrap();
        give(&successor, &held, &view).unwrap();
        assert_eq!(asking.join().unwrap(), (bound[0], view));
        post.remove();
    }

    #[test]
    fn without_a_running_node_nothing_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ask(folder.path()).unwrap().is_none());
        // One that was killed leaves its file.
        drop(Post::open(folder.path()).unwrap());
        assert!(ask(folder.path()).unwrap().is_none());
        Post::open(folder.path()).unwrap();
    }

    #[test]
    fn a_successor_that_ends_is_noticed() {
        let (mine, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        assert!(give(&mine, &Held::default(), &HealthView::default()).is_err());
    }
}
