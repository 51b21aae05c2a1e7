//! A switch that ends a response body from outside, e.g. when its upstream is taken away.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A switch for one exchange. It stays on its thread and has one waiter at a time: whoever waits
/// for the response head, then the response body.
#[derive(Clone, Default, Debug)]
pub struct Cut(Rc<State>);

#[derive(Default, Debug)]
struct State {
    cut: Cell<bool>,
    waiter: RefCell<Option<Waker>>,
}

impl Cut {
    /// Ends what waits on this switch, now or later.
    pub fn cut(&self) {
        self.0.cut.set(true);
        if let Some(waiter) = self.0.waiter.take() {
            waiter.wake();
        }
    }

    /// Waits until [`Cut::cut`] is called.
    pub async fn happened(&self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.cut.get() {
            return Poll::Ready(());
        }
        let mut waiter = self.0.waiter.borrow_mut();
        match waiter.as_mut() {
            Some(waiter) => waiter.clone_from(cx.waker()),
            None => *waiter = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}
