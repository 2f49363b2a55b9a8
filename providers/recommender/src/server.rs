//! Both doors, from listening to the last answer.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::server::TcpIncoming;

use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::events::{Delivery, EventSink, NoSink};
use crate::grpc_door::GrpcDoor;
use crate::http_door;
use crate::log::note;
use crate::provider_states::{self, ProviderStates};
use crate::ranker::{GrpcRanker, HttpRanker};
use crate::service::{Recommender, SharedRecommender};

/// What is under way at the end has this long to finish.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub enum ServerError {
    Bind { host: String, port: u16, cause: io::Error },
    Failed(String),
}

impl fmt::Display for ServerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerError::Bind { host, port, cause } => write!(formatter, "cannot listen on {host}:{port}: {cause}"),
            ServerError::Failed(cause) => write!(formatter, "serving ended early: {cause}"),
        }
    }
}

impl std::error::Error for ServerError {}

/// Serves until `stop` is ready, then finishes what is under way.
///
/// # Errors
/// When an address cannot be listened on, or a door closes by itself.
pub async fn run(config: Config, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
    let http = listen(&config.host, config.http_port).await?;
    let grpc = listen(&config.host, config.grpc_port).await?;
    let (events, delivery) = event_sink(&config);
    let recommender = SharedRecommender::new(Recommender {
        catalogue: Arc::new(Catalogue::seeded()),
        http_ranker: Arc::new(HttpRanker::new(&config.ranker_url)),
        grpc_ranker: Arc::new(GrpcRanker::new(&config.ranker_grpc_url)),
        events,
    });
    let more = if config.provider_states {
        provider_states::router(ProviderStates::new(recommender.clone()))
    } else {
        Router::new()
    };
    note(format_args!("listening on {} (HTTP) and {} (gRPC)", address(&http), address(&grpc)));
    let (stopping, stopped) = watch::channel(());
    let http = serve_http(http, http_door::router(recommender.clone(), more), stopped.clone());
    let grpc = serve_grpc(grpc, recommender, stopped);
    serve_until(stop, stopping, http, grpc, delivery).await
}

async fn serve_until(
    stop: impl Future<Output = ()>,
    stopping: watch::Sender<()>,
    http: impl Future<Output = Result<(), ServerError>>,
    grpc: impl Future<Output = Result<(), ServerError>>,
    delivery: Option<Delivery>,
) -> Result<(), ServerError> {
    let doors = async { tokio::try_join!(http, grpc) };
    tokio::pin!(doors);
    tokio::select! {
        ended = &mut doors => {
            ended?;
            return Err(ServerError::Failed("both doors closed".to_owned()));
        }
        () = stop => note("stopping"),
    }
    // Dropping the sender is the signal; the doors wait for it.
    drop(stopping);
    let finish = async {
        doors.await?;
        if let Some(delivery) = delivery {
            delivery.finish().await;
        }
        Ok(())
    };
    tokio::time::timeout(SHUTDOWN_DEADLINE, finish).await.unwrap_or_else(|_| {
        note(format_args!("not everything under way was finished within {SHUTDOWN_DEADLINE:?}"));
        Ok(())
    })
}

async fn listen(host: &str, port: u16) -> Result<TcpListener, ServerError> {
    let bound = TcpListener::bind((host, port)).await;
    bound.map_err(|cause| ServerError::Bind { host: host.to_owned(), port, cause })
}

fn address(listener: &TcpListener) -> String {
    listener.local_addr().map_or_else(|error| error.to_string(), |address| address.to_string())
}

fn event_sink(config: &Config) -> (Arc<dyn EventSink>, Option<Delivery>) {
    match &config.events_url {
        Some(url) => {
            let (queue, delivery) = Delivery::start(url.clone());
            (Arc::new(queue), Some(delivery))
        }
        None => (Arc::new(NoSink), None),
    }
}

async fn serve_http(listener: TcpListener, router: Router, stopped: watch::Receiver<()>) -> Result<(), ServerError> {
    let serving = axum::serve(listener, router).with_graceful_shutdown(sender_dropped(stopped));
    serving.await.map_err(|error| ServerError::Failed(error.to_string()))
}

async fn serve_grpc(
    listener: TcpListener,
    recommender: SharedRecommender,
    stopped: watch::Receiver<()>,
) -> Result<(), ServerError> {
    let serving = tonic::transport::Server::builder()
        .add_service(GrpcDoor::service(recommender))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), sender_dropped(stopped));
    serving.await.map_err(|error| ServerError::Failed(error.to_string()))
}

async fn sender_dropped(mut receiver: watch::Receiver<()>) {
    while receiver.changed().await.is_ok() {}
}
