//! A plain HTTP/1.1 client: sends bytes as given, reads one response.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// A response as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Got {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The connection closed before the body was whole.
    pub cut: bool,
}

impl Got {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let same = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        self.headers.iter().find(same).map(|(_, v)| v.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection that can be used for several requests.
pub struct Client {
    pub stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Client {
    pub fn connect(addr: SocketAddr) -> Client {
        Client::over(TcpStream::connect(addr).unwrap())
    }

    /// Connects from an address of this machine.
    pub fn connect_from(ip: &str, addr: SocketAddr) -> Client {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let from = SocketAddr::new(ip.parse().unwrap(), 0);
        socket.bind(&from.into()).unwrap();
        socket.connect(&addr.into()).unwrap();
        Client::over(socket.into())
    }

    fn over(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Client { reader: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Sends a request without a body and reads the response.
    pub fn request(&mut self, method: &str, path: &str, host: &str, more: &str) -> Got {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
        self.send(head.as_bytes());
        self.read(method == "HEAD").expect("a response")
    }

    /// Reads a response; nothing if the connection closes before a head.
    pub fn read(&mut self, bodiless: bool) -> Option<Got> {
        let mut got = self.head()?;
        if bodiless || got.status == 204 || got.status == 304 {
            return Some(got);
        }
        if got.header("transfer-encoding") == Some("chunked") {
            got.cut = self.chunks(&mut got.body).is_none();
        } else if let Some(length) = got.header("content-length").map(|v| v.parse::<u64>().unwrap())
        {
            let _ = (&mut self.reader).take(length).read_to_end(&mut got.body);
            got.cut = got.body.len() as u64 != length;
        } else {
            let _ = self.reader.read_to_end(&mut got.body);
        }
        Some(got)
    }

    /// Reads a response head only.
    pub fn head(&mut self) -> Option<Got> {
        let line = self.line()?;
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let mut got = Got { status, ..Got::default() };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            got.headers.push((name.to_owned(), value.trim().to_owned()));
        }
        if got.status == 100 { self.head() } else { Some(got) }
    }

    /// Reads one chunk; the last one is empty.
    pub fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = u64::from_str_radix(&self.line()?, 16).ok()?;
        let mut chunk = Vec::new();
        (&mut self.reader).take(size).read_to_end(&mut chunk).ok()?;
        self.line()?;
        (chunk.len() as u64 == size).then_some(chunk)
    }

    /// Reads until the connection ends; says how many bytes came.
    pub fn rest(&mut self) -> usize {
        let mut rest = Vec::new();
        // A reset ends it too.
        let _ = self.reader.read_to_end(&mut rest);
        rest.len()
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Option<()> {
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Some(());
            }
            body.extend(chunk);
        }
    }

    fn line(&mut self) -> Option<String> {
        let mut text = String::new();
        let read = self.reader.read_line(&mut text).ok()?;
        (read > 0).then(|| text.trim_end().to_owned())
    }
}
