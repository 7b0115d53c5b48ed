//! The least HTTP client that can ask what a browser asks.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};

/// Long enough for a slow machine; nothing waits for it when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    addr: SocketAddr,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }

    /// The error's message, after a look at its shape.
    pub(crate) fn error(&self) -> String {
        let json = self.json();
        assert!(json["error"]["kind"].is_string(), "{json}");
        json["error"]["message"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Client { addr }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes()).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            request += &format!("host: {}\r\n", self.addr);
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += "\r\n";
        let exchange = async {
            let mut stream = TcpStream::connect(self.addr).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            // A server that refuses a large body may stop reading it.
            let _ = stream.write_all(body).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            answer
        };
        parse(&tokio::time::timeout(PATIENCE, exchange).await.unwrap())
    }

    pub(crate) async fn live(&self) -> Live {
        self.live_with(TcpSocket::new_v4().unwrap()).await
    }

    pub(crate) async fn live_with(&self, socket: TcpSocket) -> Live {
        let mut stream = socket.connect(self.addr).await.unwrap();
        let request = format!("GET /api/live HTTP/1.1\r\nhost: {}\r\n\r\n", self.addr);
        stream.write_all(request.as_bytes()).await.unwrap();
        Live { lines: BufReader::new(stream) }
    }
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an HTTP answer has a head");
    let headers = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    let body = bytes[end + 4..].to_vec();
    Answer { status, headers, body }
}

/// An open live feed.
pub(crate) struct Live {
    lines: BufReader<TcpStream>,
}

impl Live {
    /// The next event, or `None` at the end. Chunk sizes of the transfer encoding are lines of their own: skipped.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        let mut event = String::new();
        loop {
            let mut line = Vec::new();
            let read = tokio::time::timeout(PATIENCE, self.lines.read_until(b'\n', &mut line)).await;
            if read.expect("the feed is silent").unwrap_or(0) == 0 {
                return None;
            }
            let line = String::from_utf8(line).unwrap();
            if let Some(name) = line.strip_prefix("event: ") {
                name.trim().clone_into(&mut event);
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((event, serde_json::from_str(data).unwrap()));
            }
        }
    }

    /// The next event of this name.
    pub(crate) async fn until(&mut self, wanted: &str) -> Value {
        let search = async {
            loop {
                let (event, data) =
                    self.next().await.unwrap_or_else(|| panic!("the feed ended before a {wanted}"));
                if event == wanted {
                    return data;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("no {wanted} came"))
    }

    /// Ticks until one of them is as it should be.
    pub(crate) async fn tick_with(&mut self, good: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let search = async {
            while last.is_null() || !good(&last) {
                last = self.until("tick").await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, search).await;
        assert!(found.is_ok(), "no tick is as it should be; the last one is {last}");
        last
    }
}
