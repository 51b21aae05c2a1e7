//! WebSockets pass a load balancer, and do not pass an HTTP API.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use crate::client::Client;
use crate::rig::{Rig, until};
use crate::world::{HOST, World, forward};

const ASK: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n";

/// For each connection: answers 101 if it is asked for a WebSocket and then sends back what comes,
/// else answers `plain`.
fn chat(listener: &TcpListener) {
    while let Ok((mut stream, _)) = listener.accept() {
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty());
            let asked = head.filter(|line| line == "Upgrade: websocket").count() == 1;
            let answer = match asked {
                true => "101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
                false => "200 OK\r\nContent-Length: 5\r\n",
            };
            write!(stream, "HTTP/1.1 {answer}\r\n").unwrap();
            if !asked {
                return stream.write_all(b"plain").unwrap();
            }
            for line in lines.map_while(Result::ok) {
                writeln!(stream, "{line}").unwrap();
            }
        });
    }
}

#[test]
fn websockets_pass_a_load_balancer_only() {
    let listener = TcpListener::bind("127.10.3.40:0").unwrap();
    let mut world = World::new();
    world.open_listener();
    let group = world.group("chat");
    let target = listener.local_addr().unwrap();
    world.target(&group, target);
    world.default_action(forward(&[(&group, 1)]));
    world.private_route("$default");
    std::thread::spawn(move || chat(&listener));
    let mut rig = Rig::start(&world);

    let mut client = rig.inside();
    let ask = format!("GET /chat HTTP/1.1\r\nHost: web.example\r\n{ASK}\r\n");
    client.send(ask.as_bytes());
    assert_eq!(client.head().unwrap().status, 101);
    client.send(b"hello\nbye\n");
    let live = rig.live(&group, target);
    assert_eq!(live.in_flight(), 1);
    client.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(client.rest(), "hello\nbye\n".len());
    until("the request is over", || live.in_flight() == 0);
    // AWS: the line comes when the connection closes.
    let line = rig.lines.wait("/chat");
    assert!(line.starts_with("ws ") && line.contains(" 101 101 "), "{line}");
    let sent: usize = line.split(' ').nth(11).unwrap().parse().unwrap();
    assert!(sent > "hello\nbye\n".len(), "what was sent after the upgrade counts: {line}");

    let got = Client::connect(rig.front).request("GET", "/chat", HOST, ASK);
    assert_eq!((got.status, got.text().as_str()), (200, "plain"));
}
