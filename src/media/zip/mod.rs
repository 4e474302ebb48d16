//! ZIP archives that are made while they are sent: of known length, and resumable at any byte.

mod body;
pub mod layout;
pub mod names;
pub mod sums;

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Crc;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use sha2::{Digest, Sha256};

use self::body::{Archived, Tools};
use self::layout::{Layout, Member};
use self::sums::Sums;
use super::pace::Pace;
use super::send::{Sender, content_range, set};
use super::sending::{Held, Watch};
use super::source::Identity;
use crate::http::body::{Body, Response};
use crate::http::range::{Answer, Validators, answer};

/// Archives that are sent at a time in the whole server: one of 5,000 songs needs 1.5 MiB while it
/// is being sent.
pub const MOST_AT_A_TIME: usize = 8;

/// The content type of an archive.
pub const CONTENT_TYPE: &str = "application/zip";

/// A file for an archive.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name in the archive: see [`names`].
    pub name: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a file of an archive.
#[derive(Clone, Debug)]
pub enum Content {
    /// A file that was such when it was looked at.
    File(Arc<Path>, Identity),
    /// These bytes with their checksum; [`Content::bytes`] makes it.
    Bytes(Bytes, u32),
}

impl Content {
    /// A file as it is now; `None` where there is no regular file. Waits for the disk.
    pub fn look(path: &Path) -> io::Result<Option<Content>> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => {
                Ok(Some(Content::File(path.into(), Identity::of(&metadata))))
            }
            Ok(_) => Ok(None),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    /// Bytes that are there.
    pub fn bytes(bytes: impl Into<Bytes>) -> Content {
        let bytes = bytes.into();
        let mut crc = Crc::new();
        crc.update(&bytes);
        Content::Bytes(bytes, crc.sum())
    }

    fn len(&self) -> u64 {
        match self {
            Content::File(_, identity) => identity.len,
            Content::Bytes(bytes, _) => bytes.len() as u64,
        }
    }
}

/// An archive that is laid out; about 250 bytes for each file.
#[derive(Debug)]
pub struct Archive {
    layout: Layout,
    contents: Vec<Content>,
    etag: String,
}

impl Archive {
    /// Lays out an archive of these files in order; `made` is the time of those that are no files
    /// on a disk, in seconds since 1970.
    pub fn new(entries: Vec<Entry>, made: i64) -> Archive {
        let mut hash = Sha256::new();
        let (mut members, mut contents) = (Vec::new(), Vec::new());
        for Entry { name, content } in entries {
            let modified = match &content {
                Content::File(_, identity) => {
                    i64::try_from(identity.modified.div_euclid(1_000_000_000)).unwrap_or(made)
                }
                Content::Bytes(..) => made,
            };
            let member = Member { name, len: content.len(), modified };
            hash.update((member.name.len() as u64).to_le_bytes());
            hash.update(&member.name);
            hash.update(member.len.to_le_bytes());
            hash.update(member.modified.to_le_bytes());
            match &content {
                Content::File(_, identity) => hash.update(identity.etag()),
                Content::Bytes(bytes, _) => hash.update(bytes),
            }
            members.push(member);
            contents.push(content);
        }
        let digest = hash.finalize();
        let tag: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Archive { layout: Layout::new(members), contents, etag: format!("\"{tag}\"") }
    }

    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.layout.len()
    }

    /// Whether it holds no file.
    pub fn is_empty(&self) -> bool {
        self.contents.is_empty()
    }
}

/// How an archive is sent.
pub struct Delivery {
    /// Its `Content-Disposition`.
    pub disposition: String,
    /// Its `Cache-Control`.
    pub cache: &'static str,
    /// How fast; `None` is as fast as the client takes it.
    pub pace: Option<Pace>,
    /// What is kept until the last byte was taken or the client left.
    pub held: Held,
    /// Who watches over it, who may end it.
    pub watch: Option<Arc<dyn Watch>>,
}

/// The response to a request for an archive: 200, 206 for one range, 304, 412 or 416. More ranges
/// than one are answered with the whole, as RFC 9110 allows.
///
/// Its body must be polled within the runtime, like those of [`Sender::respond`].
pub fn respond(
    sender: &Sender,
    sums: &Arc<Sums>,
    archive: &Arc<Archive>,
    delivery: Delivery,
    (method, headers): (&Method, &HeaderMap),
) -> Response {
    let len = archive.len();
    let validators = Validators { len, etag: &archive.etag, modified: None };
    let mut response = Response::new(Body::empty());
    let fields = response.headers_mut();
    set(fields, header::ETAG, &archive.etag);
    fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    set(fields, header::CACHE_CONTROL, delivery.cache);
    let (status, range) = match answer(method, headers, &validators) {
        Answer::NotModified => (StatusCode::NOT_MODIFIED, None),
        Answer::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, Some(0..0)),
        Answer::Unsatisfiable => {
            set(fields, header::CONTENT_RANGE, &format!("bytes */{len}"));
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(0..0))
        }
        Answer::Part(range) => {
            set(fields, header::CONTENT_RANGE, &content_range(&range, len));
            (StatusCode::PARTIAL_CONTENT, Some(range))
        }
        Answer::Whole | Answer::Parts(_) => (StatusCode::OK, Some(0..len)),
    };
    *response.status_mut() = status;
    let Some(range) = range else { return response };
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    if !status.is_success() {
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return response;
    }
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    set(fields, header::CONTENT_DISPOSITION, &delivery.disposition);
    if method != Method::HEAD {
        let tools = Tools {
            sender: sender.clone(),
            sums: Arc::clone(sums),
            pace: delivery.pace.map(Arc::new),
            held: delivery.held,
            watch: delivery.watch,
        };
        let body = Archived::new(Arc::clone(archive), tools, range.start, range.end);
        *response.body_mut() = Body::stream(body);
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::media::send::Mode;
    use http_body_util::BodyExt;
    use hyper::header::HeaderName;
    use proptest::prelude::*;
    use std::ops::Range;
    use std::path::PathBuf;
    use std::process::Command;
    use tempfile::TempDir;

    /// Longer than a window, than a buffer, short, empty.
    const LENGTHS: [usize; 4] = [700_000, 66_000, 10, 0];

    struct Setup {
        folder: TempDir,
        paths: Vec<PathBuf>,
        sender: Sender,
        sums: Arc<Sums>,
    }

    impl Setup {
        fn new(mode: Mode) -> Setup {
            let folder = tempfile::tempdir().unwrap();
            let paths: Vec<PathBuf> =
                (0..LENGTHS.len()).map(|number| folder.path().join(number.to_string())).collect();
            for (path, length) in paths.iter().zip(LENGTHS) {
                let bytes: Vec<u8> =
                    (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
                fs::write(path, bytes).unwrap();
            }
            Setup { folder, paths, sender: Sender::new(mode), sums: Arc::default() }
        }

        fn archive(&self) -> Arc<Archive> {
            let files = self.paths.iter().enumerate().map(|(number, path)| Entry {
                name: format!("Ältere Lieder/{number:02} - Song.flac"),
                content: Content::look(path).unwrap().unwrap(),
            });
            let list = Entry { name: "list.m3u8".into(), content: Content::bytes("#EXTM3U\n") };
            Arc::new(Archive::new(files.chain([list]).collect(), 1_790_000_000))
        }

        fn respond(&self, archive: &Arc<Archive>, fields: &[(HeaderName, &str)]) -> Response {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.insert(name, value.parse().unwrap());
            }
            let delivery = Delivery {
                disposition: "attachment".into(),
                cache: "private, no-cache",
                pace: None,
                held: None,
                watch: None,
            };
            respond(&self.sender, &self.sums, archive, delivery, (&Method::GET, &headers))
        }

        fn range(&self, archive: &Arc<Archive>, range: &Range<u64>) -> io::Result<Vec<u8>> {
            let bytes = format!("bytes={}-{}", range.start, range.end - 1);
            let response = self.respond(archive, &[(header::RANGE, &bytes)]);
            assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
            assert_eq!(
                response.headers()[header::CONTENT_LENGTH],
                (range.end - range.start).to_string().as_str()
            );
            let body = read(response)?;
            assert_eq!(body.len() as u64, range.end - range.start);
            Ok(body)
        }
    }

    /// The body of a response, each frame let go before the next is asked for.
    fn read(response: Response) -> io::Result<Vec<u8>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut body = response.into_body();
        let mut all = Vec::new();
        while let Some(frame) = runtime.block_on(body.frame()) {
            all.extend_from_slice(&frame?.into_data().unwrap());
        }
        Ok(all)
    }

    fn number(bytes: &[u8], at: usize, length: usize) -> usize {
        bytes[at..at + length].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    }

    /// Name and content of all files of an archive, as a program reads them that trusts nothing.
    fn files(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
        let end = zip.len() - 22;
        assert_eq!(&zip[end..end + 4], b"PK\x05\x06");
        let mut at = number(zip, end + 16, 4);
        let mut files = Vec::new();
        for _ in 0..number(zip, end + 10, 2) {
            assert_eq!(&zip[at..at + 4], b"PK\x01\x02");
            let (name, extra) = (number(zip, at + 28, 2), number(zip, at + 30, 2));
            let header = number(zip, at + 42, 4);
            assert_eq!(&zip[header..header + 4], b"PK\x03\x04");
            // Name, flags, way, time and lengths are told twice.
            assert_eq!(zip[header + 6..header + 14], zip[at + 8..at + 16]);
            assert_eq!(zip[header + 18..header + 28], zip[at + 20..at + 30]);
            let file = header + 30 + number(zip, header + 26, 2) + number(zip, header + 28, 2);
            let content = &zip[file..file + number(zip, at + 20, 4)];
            let mut crc = Crc::new();
            crc.update(content);
            assert_eq!(crc.sum() as usize, number(zip, at + 16, 4));
            let descriptor = file + content.len();
            assert_eq!(&zip[descriptor..descriptor + 4], b"PK\x07\x08");
            assert_eq!(zip[descriptor + 4..descriptor + 16], zip[at + 16..at + 28]);
            let name_bytes = &zip[at + 46..at + 46 + name];
            files.push((String::from_utf8(name_bytes.to_vec()).unwrap(), content.to_vec()));
            at += 46 + name + extra;
        }
        assert_eq!(at, end);
        files
    }

    #[test]
    fn an_archive_holds_what_the_files_hold() {
        for mode in [Mode::Mapped, Mode::Read] {
            let setup = Setup::new(mode);
            let archive = setup.archive();
            for known in [false, true] {
                let response = setup.respond(&archive, &[]);
                assert_eq!(response.status(), StatusCode::OK);
                assert_eq!(
                    response.headers()[header::CONTENT_LENGTH],
                    archive.len().to_string().as_str()
                );
                let whole = read(response).unwrap();
                assert_eq!(whole.len() as u64, archive.len());
                let files = files(&whole);
                assert_eq!(files.len(), LENGTHS.len() + 1, "{known}");
                for ((name, content), path) in files.iter().zip(&setup.paths) {
                    assert!(name.starts_with("Ältere Lieder/0") && name.ends_with(".flac"));
                    assert_eq!(content, &fs::read(path).unwrap());
                }
                assert_eq!(files[LENGTHS.len()].1, b"#EXTM3U\n");
            }
            // Each byte was handed out once a time: a checksum costs no second reading.
            let sent: usize = LENGTHS.iter().sum();
            assert_eq!(setup.sender.figures().sent, 2 * sent as u64);
        }
    }

    #[test]
    fn other_programs_take_it() {
        let setup = Setup::new(Mode::Mapped);
        let path = setup.folder.path().join("all.zip");
        fs::write(&path, read(setup.respond(&setup.archive(), &[])).unwrap()).unwrap();
        let python = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; \
            assert [i.file_size for i in z.infolist()] == [700000, 66000, 10, 0, 8]";
        let file = path.to_str().unwrap();
        for (program, arguments) in [
            ("unzip", ["-qt", file].as_slice()),
            ("python3", &["-c", python, file]),
            ("bsdtar", &["-tf", file]),
        ] {
            // Where it is not installed, there is nothing to hold it against.
            if let Ok(output) = Command::new(program).args(arguments).output() {
                assert!(output.status.success(), "{program}: {output:?}");
            }
        }
    }

    #[test]
    fn the_answer_is_by_ranges_and_tags() {
        let setup = Setup::new(Mode::Mapped);
        let archive = setup.archive();
        let tag = archive.etag.as_str();
        let status =
            |fields: &[(HeaderName, &str)]| setup.respond(&archive, fields).status().as_u16();
        assert_eq!(status(&[(header::IF_NONE_MATCH, tag)]), 304);
        assert_eq!(status(&[(header::IF_MATCH, "\"other\"")]), 412);
        assert_eq!(status(&[(header::RANGE, "bytes=99999999-")]), 416);
        assert_eq!(status(&[(header::RANGE, "bytes=5-"), (header::IF_RANGE, tag)]), 206);
        assert_eq!(status(&[(header::RANGE, "bytes=5-"), (header::IF_RANGE, "\"other\"")]), 200);
        assert_eq!(status(&[(header::RANGE, "bytes=0-1,5-6")]), 200);
        let again = setup.archive();
        assert_eq!(again.etag, archive.etag);
        fs::write(&setup.paths[2], "abcdefghij").unwrap();
        assert_ne!(setup.archive().etag, archive.etag);
    }

    #[test]
    fn a_file_that_changes_breaks_the_answer_off() {
        let setup = Setup::new(Mode::Mapped);
        let archive = setup.archive();
        fs::write(&setup.paths[1], vec![1; LENGTHS[1]]).unwrap();
        assert!(read(setup.respond(&archive, &[])).is_err());
        // What lies before it is sent, and a checksum of it is never told.
        let start = archive.layout.len() - 22;
        assert!(setup.range(&archive, &(start..archive.len())).is_ok());
        assert!(setup.range(&archive, &(start - 600..archive.len())).is_err());
        let early = setup.range(&archive, &(0..600_000)).unwrap();
        assert_eq!(early.len(), 600_000);
        fs::remove_file(&setup.paths[0]).unwrap();
        assert!(setup.range(&archive, &(0..600_000)).is_err());
    }

    #[test]
    fn what_is_no_file_is_not_taken() {
        let setup = Setup::new(Mode::Mapped);
        assert!(Content::look(setup.folder.path()).unwrap().is_none());
        assert!(Content::look(&setup.folder.path().join("none")).unwrap().is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn ranges_in_any_order_make_the_whole(
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
            mapped in any::<bool>(),
            order in any::<prop::sample::Index>(),
        ) {
            let setup = Setup::new(if mapped { Mode::Mapped } else { Mode::Read });
            let archive = setup.archive();
            let length = usize::try_from(archive.len()).unwrap();
            let mut places: Vec<u64> = cuts.iter().map(|cut| cut.index(length) as u64).collect();
            places.extend([0, archive.len()]);
            places.sort_unstable();
            places.dedup();
            let mut ranges: Vec<Range<u64>> = places.windows(2).map(|pair| pair[0]..pair[1]).collect();
            // Not from the beginning, so that checksums are needed of files that were not sent.
            let first = order.index(ranges.len());
            ranges.rotate_left(first);
            let mut joined = vec![0; length];
            for range in &ranges {
                let at = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
                joined[at].copy_from_slice(&setup.range(&archive, range).unwrap());
            }
            let whole = read(Setup::respond(&setup, &archive, &[])).unwrap();
            prop_assert!(joined == whole);
            prop_assert_eq!(files(&joined).len(), LENGTHS.len() + 1);
        }
    }
}
