//! Listening sockets: one per worker on the same address, so that workers share nothing.
//!
//! Accepting is `transport`'s; who may connect is decided in `routing` and applied in `proxy`.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that wait for accept, per socket.
pub const BACKLOG: i32 = 4096;

/// Opens one non-blocking listening socket per worker on `addr` (`workers` of 0 counts as 1).
///
/// With port 0 the system chooses one port for all. An address that another process listens on
/// is an error even if that process would share it. Errors name the address and the remedy.
pub fn listen(addr: SocketAddr, workers: usize) -> io::Result<Vec<TcpListener>> {
    let shared = workers > 1;
    if shared && addr.port() != 0 {
        // SO_REUSEPORT alone would silently split traffic with another process of this user.
        bind(addr, false).map_err(|error| explain(addr, &error))?;
    }
    let first = bind(addr, shared).map_err(|error| explain(addr, &error))?;
    let chosen = first.local_addr()?;
    let mut sockets = vec![first];
    for _ in 1..workers {
        sockets.push(bind(chosen, true).map_err(|error| explain(chosen, &error))?);
    }
    for socket in &sockets {
        start(socket).map_err(|error| explain(chosen, &error))?;
    }
    Ok(sockets)
}

/// Opens one non-blocking socket for datagrams per worker on `addr`, as [`listen`] does for
/// connections.
pub fn datagrams(addr: SocketAddr, workers: usize) -> io::Result<Vec<UdpSocket>> {
    let open = |addr, shared| {
        let socket = open(addr, Type::DGRAM, shared).map_err(|error| explain(addr, &error))?;
        socket.set_nonblocking(true)?;
        Ok::<_, io::Error>(UdpSocket::from(socket))
    };
    if workers > 1 && addr.port() != 0 {
        open(addr, false)?;
    }
    let first = open(addr, workers > 1)?;
    let chosen = first.local_addr()?;
    let rest = (1..workers).map(|_| open(chosen, true));
    std::iter::once(Ok(first)).chain(rest).collect()
}

/// Whether this machine has the address, so that something can listen on it.
pub fn is_local(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

fn bind(addr: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    open(addr, Type::STREAM, shared).map(TcpListener::from)
}

fn open(addr: SocketAddr, kind: Type, shared: bool) -> io::Result<Socket> {
    let protocol = if kind == Type::STREAM { Protocol::TCP } else { Protocol::UDP };
    let socket = Socket::new(Domain::for_address(addr), kind, Some(protocol))?;
    // For datagrams this would share the address with whoever has it.
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    }
    if shared {
        socket.set_reuse_port(true)?;
    }
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&addr.into())?;
    Ok(socket)
}

fn start(listener: &TcpListener) -> io::Result<()> {
    let socket = socket2::SockRef::from(listener);
    socket.listen(BACKLOG)?;
    listener.set_nonblocking(true)
}

fn explain(addr: SocketAddr, error: &io::Error) -> io::Error {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => "another process listens there; stop it or choose another port",
        io::ErrorKind::PermissionDenied if addr.port() < 1024 => {
            "ports below 1024 need a privilege; choose a higher port, grant CAP_NET_BIND_SERVICE \
             or lower net.ipv4.ip_unprivileged_port_start"
        }
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address",
        _ => return io::Error::new(error.kind(), format!("cannot listen on {addr}: {error}")),
    };
    io::Error::new(error.kind(), format!("cannot listen on {addr}: {remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn workers_get_a_socket_each_on_one_port() {
        for workers in [0, 1, 3] {
            let sockets = listen(local(0), workers).unwrap();
            assert_eq!(sockets.len(), workers.max(1));
            let ports: Vec<_> = sockets.iter().map(|s| s.local_addr().unwrap().port()).collect();
            assert!(ports.iter().all(|port| *port == ports[0] && *port != 0), "{ports:?}");
            std::net::TcpStream::connect(sockets[0].local_addr().unwrap()).unwrap();
        }
    }

    #[test]
    fn a_busy_port_is_named_whether_or_not_it_would_be_shared() {
        for (holders, workers) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            let held = listen(local(0), holders).unwrap();
            let addr = held[0].local_addr().unwrap();
            let error = listen(addr, workers).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
            assert!(error.to_string().contains(&addr.to_string()), "{error}");
        }
    }

    #[test]
    fn errors_say_what_to_do() {
        let check = |addr: &str, kind: io::ErrorKind, words: &str| {
            let text = explain(addr.parse().unwrap(), &io::Error::from(kind)).to_string();
            assert!(text.contains(addr) && text.contains(words), "{text}");
        };
        check("127.0.0.1:80", io::ErrorKind::PermissionDenied, "below 1024");
        check("127.0.0.1:8080", io::ErrorKind::PermissionDenied, "permission denied");
        check("10.0.0.1:8080", io::ErrorKind::AddrNotAvailable, "does not have that address");
        check("127.0.0.1:80", io::ErrorKind::AddrInUse, "another process");
    }

    #[test]
    fn only_own_addresses_are_local() {
        assert!(is_local(IpAddr::from([127, 0, 0, 1])));
        assert!(is_local(IpAddr::from([127, 9, 8, 7])));
        assert!(!is_local(IpAddr::from([192, 0, 2, 1])));
    }
}
