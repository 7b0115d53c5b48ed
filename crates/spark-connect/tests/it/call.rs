//! A door that ends with the test, and calls on it.

use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};
use engine::Engine;
use env::Env;
use h2::client::SendRequest;
use spark_connect::{Config, SparkConnect};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use topics::Topics;

use crate::message::{Fields, Message};

/// Any UUID.
pub(crate) const SESSION: &str = "11111111-2222-4333-8444-555555555555";

pub(crate) struct Door {
    pub(crate) addr: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<std::io::Result<()>>,
    client: SendRequest<Bytes>,
    _dir: TempDir,
}

/// What a call gave.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) messages: Vec<Fields>,
    /// gRPC's code: 0 is success, 5 not found, 13 internal.
    pub(crate) code: u32,
    pub(crate) error: String,
    /// `grpc-status-details-bin`.
    pub(crate) details: String,
}

impl Door {
    pub(crate) async fn open() -> Self {
        Self::opened(None).await
    }

    /// Functions run in this program.
    pub(crate) async fn with_python(python: std::path::PathBuf) -> Self {
        Self::opened(Some(python)).await
    }

    async fn opened(python: Option<std::path::PathBuf>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (topics, _) = Topics::open(topics::Config::new(dir.path()), Env::real()).unwrap();
        let engine = Engine::open(engine::Config::new(dir.path()), topics, Env::real()).unwrap();
        let config = Config { addr: "127.0.0.1:0".parse().unwrap(), python, ..Config::default() };
        let door = SparkConnect::bind(config, engine, Env::real()).await.unwrap();
        let addr = door.local_addr();
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(door.run(stopped));
        let socket = TcpStream::connect(addr).await.unwrap();
        let (client, connection) = h2::client::handshake(socket).await.unwrap();
        tokio::spawn(async move {
            // It ends with the door.
            let _ = connection.await;
        });
        Door { addr, stop, served, client, _dir: dir }
    }

    pub(crate) async fn close(self) {
        self.stop.send(true).unwrap();
        drop(self.client);
        self.served.await.unwrap().unwrap();
    }

    pub(crate) async fn call(&self, method: &str, message: Message) -> Answer {
        let uri = format!("http://{}/spark.connect.SparkConnectService/{method}", self.addr);
        let request =
            http::Request::post(uri).header("content-type", "application/grpc").header("te", "trailers");
        let mut client = self.client.clone().ready().await.unwrap();
        let (response, mut body) = client.send_request(request.body(()).unwrap(), false).unwrap();
        let mut frame = BytesMut::new();
        frame.put_u8(0);
        frame.put_u32(u32::try_from(message.0.len()).unwrap());
        frame.extend_from_slice(&message.0);
        body.send_data(frame.freeze(), true).unwrap();
        let response = response.await.unwrap();
        let head = response.headers().clone();
        let mut stream = response.into_body();
        let mut data = BytesMut::new();
        while let Some(chunk) = stream.data().await {
            let chunk = chunk.unwrap();
            stream.flow_control().release_capacity(chunk.len()).unwrap();
            data.extend_from_slice(&chunk);
        }
        // Without an answer, the trailers are the head.
        let trailers = stream.trailers().await.unwrap().unwrap_or(head);
        let text = |name: &str| trailers.get(name).map(|value| value.to_str().unwrap().to_owned());
        Answer {
            messages: messages(&data),
            code: text("grpc-status").unwrap().parse().unwrap(),
            error: text("grpc-message").unwrap_or_default(),
            details: text("grpc-status-details-bin").unwrap_or_default(),
        }
    }

    /// A call that succeeds with one answer.
    pub(crate) async fn ask(&self, method: &str, message: Message) -> Fields {
        let mut answer = self.call(method, message).await;
        assert_eq!((answer.code, answer.messages.len()), (0, 1), "{answer:?}");
        answer.messages.remove(0)
    }
}

fn messages(mut data: &[u8]) -> Vec<Fields> {
    let mut messages = Vec::new();
    while data.len() >= 5 {
        let length = u32::from_be_bytes([data[1], data[2], data[3], data[4]]) as usize;
        messages.push(Fields::read(&data[5..5 + length]));
        data = &data[5 + length..];
    }
    messages
}

/// `ExecutePlan` of a query, as a client that may attach again sends it.
pub(crate) fn execute(operation: &str, sql: &str) -> Message {
    let relation = Message::new().message(10, Message::new().text(1, sql));
    let reattachable = Message::new().message(1, Message::new().number(1, 1));
    Message::new()
        .text(1, SESSION)
        .text(6, operation)
        .message(3, Message::new().message(1, relation))
        .message(5, reattachable)
}
