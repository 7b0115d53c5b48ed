//! One connection: requests out, replies in, in versions that the broker serves.

use std::collections::HashMap;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use bytes::Bytes;
use protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use protocol::{Decoder, ErrorCode, Frame, Message, ResponseHeader};

use super::call::Call;

/// What brokers log of this client.
const CLIENT_ID: &str = "pelton";
/// Longer than any long poll that is asked for here.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);
/// A reply beyond this is not one that was asked for.
const REPLY_BYTES_MAX: usize = 256 << 20;
/// Replies are read in pieces of this size; a larger body goes straight to its place.
const READ_BUFFER_BYTES: usize = 16 << 10;
/// The `ApiVersions` that is tried first; brokers that do not know it say so in version 0.
const API_VERSIONS_FIRST: i16 = 3;

/// One connection to one broker.
pub(crate) struct Connection {
    addr: String,
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    correlation_id: i32,
    /// What the broker serves: the oldest and the newest version per API.
    served: HashMap<i16, (i16, i16)>,
}

impl Connection {
    /// Connects and asks what the broker serves.
    ///
    /// # Errors
    /// When nothing listens there, or what listens does not speak Kafka's protocol.
    pub(crate) fn open(addr: &str, timeout: Duration) -> anyhow::Result<Self> {
        let stream = connect(addr, timeout)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(timeout))?;
        let writer = stream.try_clone().context("clone a socket")?;
        let reader = BufReader::with_capacity(READ_BUFFER_BYTES, stream);
        let served = HashMap::new();
        let mut connection = Self { addr: addr.to_owned(), reader, writer, correlation_id: 0, served };
        connection.ask_versions().map_err(|error| {
            anyhow!("{addr} does not answer as a Kafka broker ({error}): is it the right port, without TLS?")
        })?;
        connection.writer.set_read_timeout(Some(REPLY_TIMEOUT))?;
        Ok(connection)
    }

    fn ask_versions(&mut self) -> anyhow::Result<()> {
        let request = ApiVersionsRequest {
            client_software_name: CLIENT_ID.into(),
            client_software_version: env!("CARGO_PKG_VERSION").into(),
        };
        let mut version = API_VERSIONS_FIRST;
        loop {
            let correlation_id = self.write(version, &request)?;
            let reply = self.read_frame()?;
            // A broker that does not know the version answers in version 0.
            let told = |version| Self::decode::<ApiVersionsResponse>(reply.clone(), correlation_id, version);
            let answer = told(version).or_else(|_| told(0))?;
            if ErrorCode::from_code(answer.error_code) == ErrorCode::UnsupportedVersion && version > 0 {
                version = 0;
                continue;
            }
            ensure!(answer.error_code == 0, "it answers {}", ErrorCode::from_code(answer.error_code));
            let versions =
                answer.api_keys.iter().map(|api| (api.api_key, (api.min_version, api.max_version)));
            self.served = versions.collect();
            return Ok(());
        }
    }

    /// Whether the broker serves this call in a version that is known here.
    pub(crate) fn serves<Q: Call>(&self) -> bool {
        self.version::<Q>().is_ok()
    }

    /// The version that a call is made in.
    ///
    /// # Errors
    /// When the broker does not serve the API, or only in versions that are too old or too new.
    pub(crate) fn version<Q: Call>(&self) -> anyhow::Result<i16> {
        let Some((oldest, newest)) = self.served.get(&Q::KEY.code()) else {
            bail!("the broker at {} does not serve {}", self.addr, Q::KEY);
        };
        let newest_common = *newest.min(Q::KNOWN.end());
        ensure!(
            newest_common >= *oldest.max(Q::KNOWN.start()),
            "the broker at {} serves {} in versions {oldest} to {newest}; here {} to {} are known",
            self.addr,
            Q::KEY,
            Q::KNOWN.start(),
            Q::KNOWN.end()
        );
        Ok(newest_common)
    }

    /// Sends one request and waits for its answer.
    pub(crate) fn call<Q: Call>(&mut self, request: &Q) -> anyhow::Result<Q::Answer> {
        let ticket = self.send(request)?;
        self.receive(ticket)
    }

    /// Sends a request; answers come in the order of the requests.
    pub(crate) fn send<Q: Call>(&mut self, request: &Q) -> anyhow::Result<Ticket<Q>> {
        let version = self.version::<Q>()?;
        let correlation_id = self.write(version, request)?;
        Ok(Ticket { correlation_id, version, request: std::marker::PhantomData })
    }

    /// Waits for the answer to the oldest request that has none yet.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is good for one answer")]
    pub(crate) fn receive<Q: Call>(&mut self, ticket: Ticket<Q>) -> anyhow::Result<Q::Answer> {
        let Ticket { correlation_id, version, .. } = ticket;
        let reply = self.read_frame()?;
        Self::decode(reply, correlation_id, version)
            .map_err(|error| anyhow!("the answer of {} to {} cannot be read: {error}", self.addr, Q::KEY))
    }

    fn write<Q: Message>(&mut self, version: i16, request: &Q) -> anyhow::Result<i32> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let frame = Frame::request(self.correlation_id, Some(CLIENT_ID), version, request);
        let chunks = frame.into_chunks();
        // Small pieces as one write; a large one is not copied for it.
        let joined = chunks.iter().map(Bytes::len).sum::<usize>() <= READ_BUFFER_BYTES;
        let written = if joined {
            self.writer.write_all(&chunks.concat())
        } else {
            chunks.iter().try_for_each(|chunk| self.writer.write_all(chunk))
        };
        written.map_err(|error| self.lost(&error))?;
        Ok(self.correlation_id)
    }

    fn read_frame(&mut self) -> anyhow::Result<Bytes> {
        let mut length = [0; 4];
        self.reader.read_exact(&mut length).map_err(|error| self.lost(&error))?;
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
        ensure!(length <= REPLY_BYTES_MAX, "a reply of {length} bytes");
        let mut reply = vec![0; length];
        self.reader.read_exact(&mut reply).map_err(|error| self.lost(&error))?;
        Ok(reply.into())
    }

    fn decode<A: Message>(reply: Bytes, correlation_id: i32, version: i16) -> anyhow::Result<A> {
        let mut reply = Decoder::new(reply);
        let header = ResponseHeader::decode(&mut reply, A::KEY, version)?;
        ensure!(header.correlation_id == correlation_id, "a reply to another request");
        let answer = A::decode(&mut reply, version)?;
        reply.finish()?;
        Ok(answer)
    }

    fn lost(&self, error: &std::io::Error) -> anyhow::Error {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => anyhow!("{} does not answer in time", self.addr),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                anyhow!("{} closed the connection", self.addr)
            }
            _ => anyhow!("the connection to {} broke: {error}", self.addr),
        }
    }
}

/// A request whose answer is to come.
pub(crate) struct Ticket<Q> {
    correlation_id: i32,
    version: i16,
    request: std::marker::PhantomData<Q>,
}

/// Tries every address that a name has.
fn connect(addr: &str, timeout: Duration) -> anyhow::Result<TcpStream> {
    let found: Vec<SocketAddr> = addr
        .to_socket_addrs()
        .map_err(|error| anyhow!("cannot resolve {addr}: {}; it is HOST:PORT", reason(&error)))?
        .collect();
    let mut last = None;
    for each in found {
        match TcpStream::connect_timeout(&each, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    let why = last.as_ref().map_or_else(|| "the name has no address".to_owned(), reason);
    bail!(
        "no broker at {addr} ({why}); start one with `pelton serve`, or name another with --bootstrap-server"
    )
}

/// What the system says of an error, without its number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let bare = text.split(" (os error").next().unwrap_or(&text);
    bare.to_lowercase()
}
