//! What a door makes of a request: a response, or work on a disk that gives one.

use super::body::Response;

/// A response, now or after a disk was waited for.
///
/// The threads that answer requests are few and never wait for a disk with music: one that hangs
/// would stop them all. What has to wait is handed on as a function, for threads that may.
pub enum Work {
    /// There it is.
    Done(Response),
    /// It waits for a disk first.
    OnDisk(Queue, Box<dyn FnOnce() -> Response + Send>),
}

/// Where work on a disk waits for its turn: pictures do not keep songs waiting, and captions
/// keep neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Songs to be opened.
    Songs,
    /// Pictures to be read and scaled.
    Pictures,
    /// Captions to be looked for in videos.
    Captions,
}

impl Work {
    /// Work that gives its response when a thread that may wait has done it.
    pub fn on_disk(queue: Queue, work: impl FnOnce() -> Response + Send + 'static) -> Work {
        Work::OnDisk(queue, Box::new(work))
    }

    /// The same with a change to the response, whenever that is there.
    pub fn map(self, change: impl FnOnce(Response) -> Response + Send + 'static) -> Work {
        match self {
            Work::Done(response) => Work::Done(change(response)),
            Work::OnDisk(queue, work) => Work::on_disk(queue, move || change(work())),
        }
    }

    /// Does what is left to do on this thread.
    pub fn finish(self) -> Response {
        match self {
            Work::Done(response) => response,
            Work::OnDisk(_, work) => work(),
        }
    }
}
