//! The calls by their names.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use crate::service;
use crate::session::Sessions;

/// The longest message, in bytes: as Spark's own.
const MESSAGE_BYTES_MAX: usize = 128 << 20;

/// `spark.connect.SparkConnectService`.
#[derive(Debug, Clone)]
pub(crate) struct Rpc {
    sessions: Arc<Sessions>,
}

impl Rpc {
    pub(crate) fn new(sessions: Arc<Sessions>) -> Self {
        Rpc { sessions }
    }
}

impl NamedService for Rpc {
    const NAME: &'static str = "spark.connect.SparkConnectService";
}

type Answering = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

fn grpc<Req, Res>() -> Grpc<ProstCodec<Res, Req>>
where
    Req: prost::Message + Default + 'static,
    Res: prost::Message + 'static,
{
    Grpc::new(ProstCodec::default())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

/// One question, one answer.
macro_rules! unary {
    ($sessions:expr, $http:expr, $handle:path) => {
        Box::pin(async move {
            let handle = |request: Request<_>| {
                let sessions = Arc::clone(&$sessions);
                async move { $handle(&sessions, request.into_inner()).await.map(Response::new) }
            };
            Ok(grpc().unary(service_fn(handle), $http).await)
        })
    };
}

/// One question, many answers.
macro_rules! answers {
    ($sessions:expr, $http:expr, $handle:path) => {
        Box::pin(async move {
            let handle = |request: Request<_>| {
                let sessions = Arc::clone(&$sessions);
                async move { $handle(&sessions, request.into_inner()).await.map(Response::new) }
            };
            Ok(grpc().server_streaming(service_fn(handle), $http).await)
        })
    };
}

impl Service<http::Request<Body>> for Rpc {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, http: http::Request<Body>) -> Answering {
        let sessions = Arc::clone(&self.sessions);
        match http.uri().path().rsplit('/').next().unwrap_or_default() {
            "ExecutePlan" => answers!(sessions, http, service::execute::execute_plan),
            "ReattachExecute" => answers!(sessions, http, service::execute::reattach_execute),
            "ReleaseExecute" => unary!(sessions, http, service::execute::release_execute),
            "AnalyzePlan" => unary!(sessions, http, service::analyze::analyze_plan),
            "Config" => unary!(sessions, http, service::config::config),
            "ArtifactStatus" => unary!(sessions, http, service::artifacts::artifact_status),
            "AddArtifacts" => Box::pin(async move {
                let handle = |request: Request<tonic::Streaming<_>>| {
                    let sessions = Arc::clone(&sessions);
                    async move {
                        service::artifacts::add_artifacts(&sessions, request.into_inner())
                            .await
                            .map(Response::new)
                    }
                };
                Ok(grpc().client_streaming(service_fn(handle), http).await)
            }),
            "Interrupt" => unary!(sessions, http, service::control::interrupt),
            "ReleaseSession" => unary!(sessions, http, service::control::release_session),
            "CloneSession" => unary!(sessions, http, service::control::clone_session),
            "GetStatus" => unary!(sessions, http, service::control::get_status),
            "FetchErrorDetails" => unary!(sessions, http, service::control::fetch_error_details),
            _ => Box::pin(async { Ok(Status::unimplemented("there is no such call").into_http()) }),
        }
    }
}
