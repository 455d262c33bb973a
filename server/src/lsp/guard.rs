//! The service between the transport and the handlers: a panic in a handler answers that request with an error and the
//! server lives on, and whether the client said goodbye properly is remembered.
//!
//! Without it a panic ends the server, and the library returns in the same way with and without `shutdown`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Notify;
use tower_lsp::jsonrpc::{Error, Request, Response};
use tower_service::Service;
use tracing::Instrument;

/// How the session ends, as far as it has come.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    shutdown: AtomicBool,
    exit: Notify,
}

impl Ending {
    /// Whether `shutdown` was asked for. A client that leaves without it gets the exit code 1.
    pub(crate) fn was_announced(&self) -> bool {
        self.shutdown.load(Ordering::SeqCst)
    }

    /// Waits for `exit`.
    pub(crate) async fn exit(&self) {
        self.exit.notified().await;
    }
}

/// The guard round a service.
#[derive(Debug)]
pub(crate) struct Guard<S> {
    service: S,
    ending: Arc<Ending>,
}

impl<S> Guard<S> {
    /// Puts the guard round `service`.
    pub(crate) fn new(service: S, ending: Arc<Ending>) -> Guard<S> {
        Guard { service, ending }
    }
}

impl<S> Service<Request> for Guard<S>
where
    S: Service<Request, Response = Option<Response>>,
    S::Error: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Option<Response>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Option<Response>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match request.method() {
            "shutdown" => self.ending.shutdown.store(true, Ordering::SeqCst),
            "exit" => self.ending.exit.notify_one(),
            _ => {}
        }
        let span =
            tracing::debug_span!("message", method = request.method(), id = request.id().map(tracing::field::display));
        let method = request.method().to_owned();
        let id = request.id().cloned();
        let answer_panic = move || {
            tracing::error!(method, "a handler panicked; this is a bug of plimsoll");
            Ok(id.map(|id| Response::from_error(id, Error::internal_error())))
        };
        let Ok(future) = catch_unwind(AssertUnwindSafe(|| self.service.call(request))) else {
            return futures::future::ready(answer_panic()).boxed();
        };
        let guarded = async move { AssertUnwindSafe(future).catch_unwind().await.unwrap_or_else(|_| answer_panic()) };
        guarded.instrument(span).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use futures::future::{BoxFuture, FutureExt};
    use tower_lsp::jsonrpc::{Request, Response};
    use tower_service::Service;

    use super::{Ending, Guard};

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
    }

    /// Panics where the method says so, answers otherwise.
    struct Shaky;

    impl Service<Request> for Shaky {
        type Response = Option<Response>;
        type Error = Infallible;
        type Future = BoxFuture<'static, Result<Option<Response>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request) -> Self::Future {
            assert_ne!(request.method(), "panic at once");
            async move {
                assert_ne!(request.method(), "panic later");
                Ok(request.id().map(|id| Response::from_ok(id.clone(), "fine".into())))
            }
            .boxed()
        }
    }

    fn answer(guard: &mut Guard<Shaky>, method: &'static str, id: Option<i64>) -> Option<Response> {
        let request = Request::build(method);
        let request = id.into_iter().fold(request, |request, id| request.id(id));
        block_on(guard.call(request.finish())).expect("it is infallible")
    }

    fn guard() -> (Guard<Shaky>, Arc<Ending>) {
        let ending = Arc::new(Ending::default());
        (Guard::new(Shaky, Arc::clone(&ending)), ending)
    }

    #[test]
    fn a_panic_answers_its_request_and_the_next_one_is_served() {
        let (mut guard, _) = guard();
        for method in ["panic at once", "panic later"] {
            let response = answer(&mut guard, method, Some(1)).expect("a request is answered");
            assert_eq!(response.error().map(|error| error.code.code()), Some(-32603));
            let response = answer(&mut guard, "hover", Some(2)).expect("a request is answered");
            assert!(response.is_ok());
        }
    }

    #[test]
    fn a_panic_in_a_notification_answers_nothing() {
        let (mut guard, _) = guard();
        assert_eq!(answer(&mut guard, "panic later", None), None);
    }

    #[test]
    fn only_a_shutdown_announces_the_end() {
        let (mut guard, ending) = guard();
        answer(&mut guard, "exit", None);
        assert!(!ending.was_announced());
        answer(&mut guard, "shutdown", Some(1));
        assert!(ending.was_announced());
        block_on(ending.exit());
    }
}
