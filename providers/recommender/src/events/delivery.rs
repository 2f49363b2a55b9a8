use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::{StatusCode, Uri};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::EventSink;
use crate::http_client::HttpClient;
use crate::json::{self, RecommendationServed};
use crate::log::note;

const QUEUE_LENGTH: usize = 1024;
const POST_DEADLINE: Duration = Duration::from_secs(2);
const RETRY_PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// Holds events until they are delivered, up to a limit: answering customers matters more than telling about it.
pub struct EventQueue {
    sender: mpsc::Sender<RecommendationServed>,
    dropped_count: AtomicU64,
}

impl EventSink for EventQueue {
    fn emit(&self, event: RecommendationServed) {
        if self.sender.try_send(event).is_err() {
            let dropped_count = self.dropped_count.fetch_add(1, Ordering::Relaxed) + 1;
            // A queue stays full for a while: a line for each event would drown everything else.
            if dropped_count.is_power_of_two() {
                note(format_args!("the event queue is full or closed, {dropped_count} events dropped so far"));
            }
        }
    }
}

/// The background task that empties the queue.
pub struct Delivery {
    closing: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Delivery {
    /// Starts to deliver to `events_url`; needs a running tokio runtime.
    #[must_use]
    pub fn start(events_url: Uri) -> (EventQueue, Delivery) {
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        let (closing, closed) = oneshot::channel();
        let task = tokio::spawn(deliver_all(events_url, receiver, closed));
        (EventQueue { sender, dropped_count: AtomicU64::new(0) }, Delivery { closing, task })
    }

    /// Takes no more events and returns when those in the queue are dealt with.
    pub async fn finish(self) {
        // Either may have ended already, which is what is wanted.
        let _ = self.closing.send(());
        let _ = self.task.await;
    }
}

async fn deliver_all(
    events_url: Uri,
    mut receiver: mpsc::Receiver<RecommendationServed>,
    mut closed: oneshot::Receiver<()>,
) {
    let client = HttpClient::new(POST_DEADLINE);
    let mut open = true;
    loop {
        let event = tokio::select! {
            event = receiver.recv() => event,
            _ = &mut closed, if open => {
                open = false;
                receiver.close();
                continue;
            }
        };
        let Some(event) = event else { return };
        if let Err(problem) = deliver(&client, &events_url, &event).await {
            note(format_args!("event {} was not delivered to {events_url}: {problem}", event.event_id));
        }
    }
}

/// Repeats what may succeed later; the receiver knows an event by its id, so that a repetition does no harm.
async fn deliver(client: &HttpClient, url: &Uri, event: &RecommendationServed) -> Result<(), String> {
    let mut pauses = RETRY_PAUSES.into_iter();
    loop {
        let problem = match client.post_json(url, json::encode(event)).await {
            Ok(answer) if answer.status.is_success() => return Ok(()),
            Ok(answer) if is_final(answer.status) => return Err(format!("it was refused with {}", answer.status)),
            Ok(answer) => answer.status.to_string(),
            Err(error) => error.to_string(),
        };
        match pauses.next() {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(problem),
        }
    }
}

fn is_final(status: StatusCode) -> bool {
    !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Bytes;
    use axum::routing::post;
    use std::sync::{Arc, Mutex};

    type Received = Arc<Mutex<Vec<RecommendationServed>>>;

    /// Answers with the given statuses in turn, then with 202, and keeps what it got.
    async fn receiver(mut statuses: Vec<StatusCode>) -> (Uri, Received) {
        let received = Received::default();
        let kept = received.clone();
        statuses.reverse();
        let statuses = Arc::new(Mutex::new(statuses));
        let handler = move |body: Bytes| async move {
            kept.lock().expect("lock").push(json::decode(&body).expect("an event"));
            statuses.lock().expect("lock").pop().unwrap_or(StatusCode::ACCEPTED)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/v1/events", listener.local_addr().expect("bound"));
        tokio::spawn(async { axum::serve(listener, Router::new().route("/v1/events", post(handler))).await });
        (url.parse().expect("a URL"), received)
    }

    fn event(event_id: &str) -> RecommendationServed {
        RecommendationServed { event_id: event_id.to_owned(), ..RecommendationServed::default() }
    }

    fn ids(received: &Received) -> Vec<String> {
        received.lock().expect("lock").iter().map(|event| event.event_id.clone()).collect()
    }

    #[tokio::test]
    async fn finishing_delivers_what_is_queued() {
        let (url, received) = receiver(vec![]).await;
        let (queue, delivery) = Delivery::start(url);
        for id in ["1", "2", "3"] {
            queue.emit(event(id));
        }
        delivery.finish().await;
        queue.emit(event("4"));
        assert_eq!(ids(&received), ["1", "2", "3"]);
        assert_eq!(queue.dropped_count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_server_error_is_tried_again_and_a_refusal_is_not() {
        let statuses = vec![StatusCode::SERVICE_UNAVAILABLE, StatusCode::ACCEPTED, StatusCode::BAD_REQUEST];
        let (url, received) = receiver(statuses).await;
        let (queue, delivery) = Delivery::start(url);
        for id in ["1", "2", "3"] {
            queue.emit(event(id));
        }
        delivery.finish().await;
        assert_eq!(ids(&received), ["1", "1", "2", "3"]);
    }

    #[tokio::test]
    async fn a_full_queue_drops_and_does_not_wait() {
        let (url, _received) = receiver(vec![]).await;
        let (queue, delivery) = Delivery::start(url);
        // Nothing is awaited in between, so the task of this single-threaded runtime cannot take anything out.
        for id in 0..QUEUE_LENGTH + 3 {
            queue.emit(event(&id.to_string()));
        }
        assert_eq!(queue.dropped_count.load(Ordering::Relaxed), 3);
        delivery.finish().await;
    }
}
