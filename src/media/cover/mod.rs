//! Cover art: each picture is scaled once for a size and kept on the disk.

pub mod colours;
mod disk;
mod header;
mod kind;
pub mod oklab;
mod scale;

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use image::RgbImage;

use self::colours::Colours;
use self::disk::Disk;
pub use self::kind::content_type;
use crate::db::covers::Source;
use crate::error::{Error, Result};
use crate::media::source::read_regular;
use crate::seldom::Seldom;

/// Longest picture that is read, in bytes. Scans of whole booklets are about 10 MiB.
pub const MOST_BYTES: usize = 16 << 20;

/// Largest side a picture is scaled to, in pixels; a larger wish gets this. What clients show on
/// a whole screen is below it.
pub const MOST_SIZE: u32 = 1600;

/// The size in the key of a picture that is drawn: one that no cover can have.
const DRAWN: u32 = u32::MAX;

/// Broken pictures that are remembered, so that they are not decoded again at each look.
const MOST_BROKEN: usize = 256;

/// Pictures whose colours are remembered; the oldest go. 20 KiB.
const MOST_COLOURS: usize = 1024;

/// Pictures whose colours are looked for at a time, each by a thread of its own.
const MOST_COLOURING: usize = 4;

/// The size from which the colours of a picture are taken, in pixels.
const COLOURS_SIZE: u32 = 96;
/// How often it is told that covers cannot be kept: on a full disk none can.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// A picture as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The file.
    pub bytes: Bytes,
    /// `image/jpeg` for everything scaled.
    pub content_type: &'static str,
    /// Strong entity tag with its quotes, the same as `etag` gives without the picture.
    pub etag: String,
}

/// Scales covers and keeps them.
///
/// All its functions block. Memory is bounded by the number of workers, by the one large picture
/// at a time, and by the limits on the length and the pixels of a picture.
pub struct Covers {
    disk: Disk,
    /// Scalings that may still begin.
    permits: Mutex<usize>,
    permit_freed: Condvar,
    /// Held while a large picture is scaled.
    large: Mutex<()>,
    state: Mutex<State>,
    /// When it was last told that a cover cannot be kept.
    told: Seldom,
}

#[derive(Default)]
struct State {
    /// What is being scaled just now.
    flights: HashMap<Key, Arc<Flight>>,
    /// Stamps of pictures that cannot be decoded and why, oldest first.
    broken: VecDeque<(i64, String)>,
    /// Stamps of pictures and their colours, oldest first.
    colours: VecDeque<(i64, Colours)>,
    /// Stamps of pictures whose colours are being looked for.
    colouring: Vec<i64>,
}

/// A picture's stamp and the size wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    stamp: i64,
    size: u32,
}

/// One scaling and those who wait for it.
#[derive(Default)]
struct Flight {
    landed: Mutex<Option<std::result::Result<Bytes, String>>>,
    signal: Condvar,
}

/// Why there is no scaled picture.
enum Trouble {
    /// The picture is not to be had now; the next try may succeed.
    Missing(Error),
    /// It is there and can never be scaled.
    Broken(Error),
}

impl Covers {
    /// Covers kept in a folder (made when first needed), scaled by `workers` threads at a time,
    /// with at most `most_bytes` on the disk.
    pub fn new(dir: PathBuf, workers: usize, most_bytes: u64) -> Covers {
        Covers {
            disk: Disk::new(dir, most_bytes),
            permits: Mutex::new(workers.max(1)),
            permit_freed: Condvar::new(),
            large: Mutex::default(),
            state: Mutex::default(),
            told: Seldom::new(TELL_EVERY),
        }
    }

    /// A picture whose longer side is at most `size` pixels, as JPEG; it is never scaled up, and
    /// what is transparent becomes white. Without a size, or with 0, the picture as it is.
    ///
    /// `source` reads the picture and is called only where it is not kept yet: once, however many
    /// ask at the same time. The stamp names the picture's content: another one, another stamp.
    ///
    /// # Errors
    /// What `source` fails with, and pictures that are broken, too large or of no known format.
    pub fn scaled(
        &self,
        stamp: i64,
        size: Option<u32>,
        source: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<Picture> {
        let Some(size) = wished(size) else {
            return original(source()?, etag(stamp, None));
        };
        let bytes = self.jpeg(Key { stamp, size }, || self.scale(size, source))?;
        Ok(Picture { bytes, content_type: "image/jpeg", etag: etag(stamp, Some(size)) })
    }

    /// The colours of a picture, where they are known already; does not wait for a disk.
    pub fn known_colours(&self, stamp: i64) -> Option<Colours> {
        let state = lock(&self.state);
        state.colours.iter().find(|(other, _)| *other == stamp).map(|(_, colours)| *colours)
    }

    /// A place to look for the colours of a picture; `None` where somebody does so already, or as
    /// many are at it as may be.
    pub fn begin_colours(covers: &Arc<Covers>, stamp: i64) -> Option<Colouring> {
        let mut state = lock(&covers.state);
        if state.colouring.len() >= MOST_COLOURING || state.colouring.contains(&stamp) {
            return None;
        }
        state.colouring.push(stamp);
        Some(Colouring { covers: Arc::clone(covers), stamp })
    }

    /// The colours of a picture, taken from a small one that is kept; `source` as for
    /// [`Covers::scaled`].
    ///
    /// # Errors
    /// Those of [`Covers::scaled`].
    pub fn colours(&self, stamp: i64, source: impl FnOnce() -> Result<Vec<u8>>) -> Result<Colours> {
        if let Some(known) = self.known_colours(stamp) {
            return Ok(known);
        }
        let jpeg = self.scaled(stamp, Some(COLOURS_SIZE), source)?.bytes;
        let colours = colours::of(&scale::open(&jpeg)?.pixels()?);
        let mut state = lock(&self.state);
        if state.colours.len() >= MOST_COLOURS {
            state.colours.pop_front();
        }
        state.colours.push_back((stamp, colours));
        Ok(colours)
    }

    /// A picture that is drawn, kept like one that is scaled. What it is drawn from is gathered
    /// first, since that may be a scaled picture, which waits for a worker of its own.
    ///
    /// # Errors
    /// What gathering fails with, which is tried again at the next call, and what drawing fails
    /// with, which is not.
    pub fn drawn<T>(
        &self,
        stamp: i64,
        gather: impl FnOnce() -> Result<T>,
        draw: impl FnOnce(T) -> Result<Vec<u8>>,
    ) -> Result<Picture> {
        let key = Key { stamp, size: DRAWN };
        let bytes = self.jpeg(key, || {
            let gathered = gather().map_err(Trouble::Missing)?;
            let _permit = self.permit();
            draw(gathered).map(scale::ended).map_err(Trouble::Broken)
        })?;
        Ok(Picture { bytes, content_type: "image/jpeg", etag: drawn_etag(stamp) })
    }

    /// The picture of a key, made by the function where it is not kept.
    fn jpeg(
        &self,
        key: Key,
        make: impl FnOnce() -> std::result::Result<Vec<u8>, Trouble>,
    ) -> Result<Bytes> {
        if let Some(bytes) = self.disk.read(key) {
            return Ok(bytes);
        }
        let flight = {
            let mut state = lock(&self.state);
            if let Some((_, why)) = state.broken.iter().find(|(stamp, _)| *stamp == key.stamp) {
                return Err(Error::new(why.clone()));
            }
            if let Some(flight) = state.flights.get(&key).cloned() {
                drop(state);
                return flight.wait();
            }
            let flight = Arc::new(Flight::default());
            state.flights.insert(key, Arc::clone(&flight));
            flight
        };
        // Whoever waits must be told the end in any case, a panic of a decoder included.
        let made = catch_unwind(AssertUnwindSafe(|| self.make(key, make)))
            .unwrap_or_else(|_| Err(Trouble::Broken(Error::new("the picture broke its decoder"))));
        let mut state = lock(&self.state);
        state.flights.remove(&key);
        let made = made.map_err(|trouble| match trouble {
            Trouble::Missing(error) => error,
            Trouble::Broken(error) => {
                if state.broken.len() >= MOST_BROKEN {
                    state.broken.pop_front();
                }
                state.broken.push_back((key.stamp, error.to_string()));
                error
            }
        });
        drop(state);
        flight.land(made.as_ref().map(Bytes::clone).map_err(Error::to_string));
        made
    }

    /// Reads and scales a picture.
    fn scale(
        &self,
        size: u32,
        source: impl FnOnce() -> Result<Vec<u8>>,
    ) -> std::result::Result<Vec<u8>, Trouble> {
        let _permit = self.permit();
        let picture = source().map_err(Trouble::Missing)?;
        let opened = scale::open(&picture).map_err(Trouble::Broken)?;
        if opened.fits(size) {
            drop(opened);
            return Ok(scale::ended(picture));
        }
        let _alone = opened.large().then(|| lock(&self.large));
        opened.scale(size).map_err(Trouble::Broken)
    }

    /// Makes and keeps a picture.
    fn make(
        &self,
        key: Key,
        make: impl FnOnce() -> std::result::Result<Vec<u8>, Trouble>,
    ) -> std::result::Result<Bytes, Trouble> {
        // Another flight may have landed between the look at the disk and the start of this one.
        if let Some(bytes) = self.disk.read(key) {
            return Ok(bytes);
        }
        let jpeg = Bytes::from(make()?);
        if let Err(cause) = self.disk.keep(key, &jpeg)
            && self.told.is_due(Instant::now())
        {
            tracing::warn!("cannot keep a scaled cover in {}: {cause}", self.disk.dir().display());
        }
        Ok(jpeg)
    }

    /// Waits until one more may scale.
    fn permit(&self) -> Permit<'_> {
        let mut free = lock(&self.permits);
        while *free == 0 {
            free = self.permit_freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Permit { covers: self }
    }
}

/// The right to look for the colours of a picture; given back when dropped.
pub struct Colouring {
    covers: Arc<Covers>,
    stamp: i64,
}

impl Colouring {
    /// Looks for them; blocks. See `Covers::colours`.
    pub fn colours(&self, source: impl FnOnce() -> Result<Vec<u8>>) -> Result<Colours> {
        self.covers.colours(self.stamp, source)
    }
}

impl Drop for Colouring {
    fn drop(&mut self) {
        lock(&self.covers.state).colouring.retain(|stamp| *stamp != self.stamp);
    }
}

/// The right to scale; given back when dropped.
struct Permit<'a> {
    covers: &'a Covers,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *lock(&self.covers.permits) += 1;
        self.covers.permit_freed.notify_one();
    }
}

impl Flight {
    fn wait(&self) -> Result<Bytes> {
        let mut landed = lock(&self.landed);
        loop {
            if let Some(made) = landed.as_ref() {
                return made.clone().map_err(Error::new);
            }
            landed = self.signal.wait(landed).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn land(&self, made: std::result::Result<Bytes, String>) {
        *lock(&self.landed) = Some(made);
        self.signal.notify_all();
    }
}

/// The entity tag of a picture in a size, with its quotes; known without looking at the picture.
pub fn etag(stamp: i64, size: Option<u32>) -> String {
    match wished(size) {
        Some(size) => format!("\"{stamp:016x}-{size}\""),
        None => format!("\"{stamp:016x}\""),
    }
}

/// The entity tag of a drawn picture, with its quotes.
pub fn drawn_etag(stamp: i64) -> String {
    format!("\"{stamp:016x}-drawn\"")
}

/// The middle of a picture as a square with sides of so many pixels.
///
/// # Errors
/// Pictures that are broken, too large or of no known format.
pub fn square(picture: &[u8], side: u32) -> Result<RgbImage> {
    scale::open(picture)?.square(side)
}

/// A picture as JPEG of a quality of 1 to 100.
pub fn encode(picture: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    scale::encode(picture, quality)
}

/// The bytes of a picture from where the database says it is. `embedded` reads the picture out of
/// a song's file; `None` where the song has none any more.
pub fn load(
    source: &Source,
    embedded: impl FnOnce(&Path) -> Result<Option<Vec<u8>>>,
) -> Result<Vec<u8>> {
    match source {
        Source::File(path) => read(path),
        Source::Song(path) => embedded(path)?
            .ok_or_else(|| Error::new(format!("there is no picture in {}", path.display()))),
    }
}

/// Reads a picture file, but no longer one than `MOST_BYTES`.
fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |cause| Error::caused(format!("cannot read {}", path.display()), cause);
    read_regular(path, MOST_BYTES).map_err(failed)?.ok_or_else(too_long)
}

fn too_long() -> Error {
    Error::new(format!("the picture is longer than {} MiB", MOST_BYTES >> 20))
}

/// A picture as its file is, where browsers know its format.
fn original(bytes: Vec<u8>, etag: String) -> Result<Picture> {
    if bytes.len() > MOST_BYTES {
        return Err(too_long());
    }
    let content_type = content_type(&bytes)
        .ok_or_else(|| Error::new("the picture is no JPEG, PNG, WebP or GIF"))?;
    Ok(Picture { bytes: bytes.into(), content_type, etag })
}

/// The size that is made for a wish; `None` where the picture is wanted as it is.
fn wished(size: Option<u32>) -> Option<u32> {
    size.filter(|size| *size > 0).map(|size| size.min(MOST_SIZE))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::fs::{self, File};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    fn fixture(name: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/pictures");
        fs::read(folder.join(name)).unwrap()
    }

    fn covers(dir: &Path) -> Covers {
        Covers::new(dir.join("covers"), 2, 1 << 24)
    }

    fn files(dir: &Path) -> usize {
        let shelves = fs::read_dir(dir.join("covers")).into_iter().flatten();
        shelves.map(|shelf| fs::read_dir(shelf.unwrap().path()).unwrap().count()).sum()
    }

    #[test]
    fn the_second_look_reads_the_disk_alone() {
        let dir = tempfile::tempdir().unwrap();
        let first =
            covers(dir.path()).scaled(7, Some(100), || Ok(fixture("baseline.jpg"))).unwrap();
        // A new server too.
        let again = covers(dir.path());
        let second = again.scaled(7, Some(100), || panic!("it is kept")).unwrap();
        assert_eq!(first, second);
        assert_eq!(first.etag, "\"0000000000000007-100\"");
        assert_eq!(first.etag, etag(7, Some(100)));
        assert_eq!(first.content_type, "image/jpeg");
        assert_eq!(image::load_from_memory(&first.bytes).unwrap().width(), 100);
    }

    #[test]
    fn without_a_size_the_picture_is_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let covers = covers(dir.path());
        for (name, content_type) in [
            ("baseline.jpg", "image/jpeg"),
            ("alpha.png", "image/png"),
            ("lossy.webp", "image/webp"),
            ("picture.gif", "image/gif"),
        ] {
            for size in [None, Some(0)] {
                let picture = covers.scaled(1, size, || Ok(fixture(name))).unwrap();
                assert_eq!(picture.bytes, fixture(name));
                assert_eq!(picture.content_type, content_type);
                assert_eq!(picture.etag, etag(1, None));
            }
        }
        assert!(covers.scaled(1, None, || Ok(b"<svg>".to_vec())).is_err());
        assert!(covers.scaled(1, None, || Ok(vec![0xff; MOST_BYTES + 1])).is_err());
        assert_eq!(files(dir.path()), 0);
    }

    #[test]
    fn what_is_drawn_is_drawn_once_and_kept_beside_the_scaled() {
        let dir = tempfile::tempdir().unwrap();
        // One worker: to gather a scaled picture must not wait for the worker that draws.
        let covers = Covers::new(dir.path().join("covers"), 1, 1 << 24);
        let gather = || covers.scaled(7, Some(100), || Ok(fixture("baseline.jpg")));
        let late = covers.drawn(7, || Err::<(), _>(Error::new("the disk sleeps")), |()| Ok(vec![]));
        assert_eq!(late.unwrap_err().to_string(), "the disk sleeps");
        let first = covers.drawn(7, gather, |cover| Ok(cover.bytes.to_vec())).unwrap();
        let again = covers.drawn(7, gather, |_| panic!("it is kept")).unwrap();
        assert_eq!(first, again);
        assert_eq!((first.etag.as_str(), files(dir.path())), ("\"0000000000000007-drawn\"", 2));
    }

    #[test]
    fn colours_are_taken_once_and_outlive_the_source() {
        let dir = tempfile::tempdir().unwrap();
        let covers = covers(dir.path());
        assert_eq!(covers.known_colours(1), None);
        let colours = covers.colours(1, || Ok(fixture("baseline.jpg"))).unwrap();
        assert_eq!(covers.known_colours(1), Some(colours));
        assert_eq!(covers.colours(1, || panic!("it is known")).unwrap(), colours);
        // Another start of the server finds the small picture.
        let again = self::covers(dir.path());
        assert_eq!(again.colours(1, || panic!("it is kept")).unwrap(), colours);
        assert!(covers.colours(2, || Ok(b"junk".to_vec())).is_err());
        lock(&covers.state)
            .colours
            .extend((3..).take(MOST_COLOURS - 1).map(|stamp| (stamp, colours)));
        covers.colours(-1, || Ok(fixture("baseline.jpg"))).unwrap();
        assert_eq!(lock(&covers.state).colours.len(), MOST_COLOURS);
        assert_eq!((covers.known_colours(1), covers.known_colours(-1)), (None, Some(colours)));
    }

    #[test]
    fn colours_are_looked_for_at_few_places_and_once_a_picture() {
        let dir = tempfile::tempdir().unwrap();
        let covers = Arc::new(covers(dir.path()));
        let begin = |stamp| Covers::begin_colours(&covers, stamp);
        let first = begin(1).unwrap();
        assert!(begin(1).is_none());
        let more: Vec<_> = (2..10).filter_map(begin).collect();
        assert_eq!(more.len(), MOST_COLOURING - 1);
        assert!(first.colours(|| Ok(fixture("baseline.jpg"))).is_ok());
        drop(first);
        assert!(begin(1).is_some());
    }

    #[test]
    fn a_size_above_the_most_is_the_most() {
        let dir = tempfile::tempdir().unwrap();
        let covers = covers(dir.path());
        let huge = covers.scaled(1, Some(u32::MAX), || Ok(fixture("baseline.jpg"))).unwrap();
        // It needs no scaling then, and stays what it was.
        assert_eq!(huge.bytes, fixture("baseline.jpg"));
        assert_eq!(huge.etag, etag(1, Some(MOST_SIZE)));
    }

    #[test]
    fn all_who_ask_at_once_share_one_reading() {
        let dir = tempfile::tempdir().unwrap();
        let covers = covers(dir.path());
        let (calls, start) = (AtomicUsize::new(0), Barrier::new(8));
        let pictures: Vec<_> = thread::scope(|scope| {
            let askers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        covers.scaled(1, Some(64), || {
                            calls.fetch_add(1, Ordering::Relaxed);
                            Ok(fixture("progressive.jpg"))
                        })
                    })
                })
                .collect();
            askers.into_iter().map(|asker| asker.join().unwrap().unwrap()).collect()
        });
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert!(pictures.iter().all(|picture| picture == &pictures[0]));
    }

    #[test]
    fn no_more_are_scaled_at_a_time_than_there_are_workers() {
        let dir = tempfile::tempdir().unwrap();
        let covers = covers(dir.path());
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (covers, now, most) = (&covers, &now, &most);
        thread::scope(|scope| {
            for stamp in 0..8 {
                scope.spawn(move || {
                    covers.scaled(stamp, Some(64), || {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        let picture = fixture("baseline.jpg");
                        now.fetch_sub(1, Ordering::SeqCst);
                        Ok(picture)
                    })
                });
            }
        });
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
        assert_eq!(*lock(&covers.permits), 2);
    }

    #[test]
    fn a_broken_picture_is_read_once_and_a_missing_one_again() {
        let dir = tempfile::tempdir().unwrap();
        let covers = covers(dir.path());
        let missing = covers.scaled(1, Some(64), || Err(Error::new("the disk sleeps")));
        assert_eq!(missing.unwrap_err().to_string(), "the disk sleeps");
        let first = covers.scaled(1, Some(64), || Ok(b"\xff\xd8\xff junk".to_vec())).unwrap_err();
        for size in [64, 65] {
            let again = covers.scaled(1, Some(size), || panic!("it is known to be broken"));
            assert_eq!(again.unwrap_err().to_string(), first.to_string());
        }
        for stamp in 2..1000 {
            assert!(covers.scaled(stamp, Some(64), || Ok(Vec::new())).is_err());
        }
        assert_eq!(lock(&covers.state).broken.len(), MOST_BROKEN);
        assert_eq!(files(dir.path()), 0);
    }

    #[test]
    fn a_panic_ends_in_an_error_and_frees_the_place() {
        let dir = tempfile::tempdir().unwrap();
        let covers = covers(dir.path());
        for stamp in 0..4 {
            assert!(covers.scaled(stamp, Some(64), || panic!("a decoder breaks")).is_err());
        }
        assert!(covers.scaled(9, Some(64), || Ok(fixture("baseline.jpg"))).is_ok());
    }

    #[test]
    fn a_disk_that_takes_nothing_does_not_hide_covers() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("covers"), "a file in the way").unwrap();
        let picture = covers(dir.path()).scaled(1, Some(64), || Ok(fixture("baseline.jpg")));
        assert!(picture.is_ok());
    }

    #[test]
    fn sources_are_files_and_songs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cover.jpg");
        fs::write(&path, "picture").unwrap();
        let never = |_: &Path| panic!("it is a file");
        assert_eq!(load(&Source::File(path.clone()), never).unwrap(), b"picture");
        let song = Source::Song(path.clone());
        assert_eq!(load(&song, |_| Ok(Some(vec![1]))).unwrap(), [1]);
        assert!(load(&song, |_| Ok(None)).unwrap_err().to_string().contains("cover.jpg"));
        assert!(load(&Source::File(dir.path().to_owned()), never).is_err());
        File::create(&path).unwrap().set_len(MOST_BYTES as u64 + 1).unwrap();
        assert!(load(&Source::File(path), never).unwrap_err().to_string().contains("16 MiB"));
    }
}
