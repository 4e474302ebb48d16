//! TLS in the process: certificate and key from files, read again when they were renewed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::accept::{self, Limits};
use super::body::{self, Response};
use super::connections::Connection;
use super::stall::Watched;
use crate::error::{Error, Result};

/// The files are looked at again so often at most, and only when somebody connects: an idle server
/// sleeps.
pub const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Most bytes of a file with certificates or a key.
const MOST_FILE_BYTES: u64 = 1 << 20;
/// The first byte of TLS: a record of a handshake. No method of HTTP begins with it.
const HANDSHAKE: u8 = 0x16;
/// What a client is told who speaks plain HTTP.
pub const PLAIN_HTTP: &str =
    "This is an https port of Kinglet. Write https:// before the address.\n";

/// Who the server is, by its certificate.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    look_every: Duration,
    state: Mutex<State>,
}

struct State {
    settings: Arc<ServerConfig>,
    /// What the files were when they were last read, well or not.
    read: [Stamp; 2],
    looked: Instant,
}

/// What tells that a file is another one; nothing where it is not there.
type Stamp = Option<(u64, u64, u64, i64, i64)>;

impl Tls {
    /// Reads the files of a certificate, with those above it, and of its key, both in PEM.
    ///
    /// # Errors
    /// A file cannot be read or holds something else, or the key is that of another certificate.
    pub fn open(certificate: &Path, key: &Path, look_every: Duration) -> Result<Tls> {
        let read = [stamp(certificate), stamp(key)];
        let settings = read_files(certificate, key)?;
        let state = Mutex::new(State { settings, read, looked: Instant::now() });
        Ok(Tls { certificate: certificate.to_owned(), key: key.to_owned(), look_every, state })
    }

    /// Reads the files again where they changed; connections that are open stay as they are. Files
    /// that cannot be used leave all as it was, since a renewal may be half done; the log tells.
    pub fn reload(&self) {
        let read = [stamp(&self.certificate), stamp(&self.key)];
        {
            let mut state = self.state();
            state.looked = Instant::now();
            if state.read == read {
                return;
            }
            state.read = read;
        }
        match read_files(&self.certificate, &self.key) {
            Ok(settings) => {
                self.state().settings = settings;
                tracing::info!("the TLS certificate was renewed");
            }
            Err(error) => {
                tracing::error!(%error, "the TLS certificate cannot be renewed; the old one stays");
            }
        }
    }

    /// What a handshake is made with.
    fn settings(self: &Arc<Self>) -> Arc<ServerConfig> {
        let mut state = self.state();
        if state.looked.elapsed() >= self.look_every {
            state.looked = Instant::now();
            let tls = Arc::clone(self);
            // Whoever connects does not wait for the disk.
            tokio::task::spawn_blocking(move || tls.reload());
        }
        Arc::clone(&state.settings)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers the requests of a connection that begins with TLS; one that begins with plain HTTP is
/// told so. A handshake has the time of a head.
pub async fn carry<F, A>(
    tls: &Arc<Tls>,
    stream: TcpStream,
    peer: SocketAddr,
    limits: Limits,
    place: &Arc<Connection>,
    answer: F,
) -> hyper::Result<()>
where
    F: Fn(hyper::Request<Incoming>) -> A,
    A: Future<Output = Response>,
{
    let first = tokio::select! {
        first = tokio::time::timeout(limits.patience.head, first_byte(&stream)) => first,
        () = place.dismissed() => return Ok(()),
    };
    match first {
        Ok(Ok(Some(HANDSHAKE))) => {}
        Ok(Ok(Some(_))) => {
            let refuse = |_| async { speaks_tls() };
            return accept::carry(TokioIo::new(stream), peer, limits, place, refuse).await;
        }
        // It has gone, or waited too long.
        Ok(Ok(None) | Err(_)) | Err(_) => return Ok(()),
    }
    // Below TLS: what counts is what the peer takes and sends, not what is encrypted here.
    let watched = Watched::new(TokioIo::new(stream), limits.patience, Arc::clone(place));
    let handshake = TlsAcceptor::from(tls.settings()).accept(TokioIo::new(watched));
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(limits.patience.head, handshake) => shaken,
        () = place.dismissed() => return Ok(()),
    };
    match shaken {
        Ok(Ok(mut stream)) => {
            stream.get_mut().0.inner_mut().expect_anew();
            accept::converse(TokioIo::new(stream), peer, limits, place, answer).await
        }
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "a TLS handshake failed");
            Ok(())
        }
        Err(_) => {
            tracing::debug!(%peer, "a TLS handshake took too long");
            Ok(())
        }
    }
}

async fn first_byte(stream: &TcpStream) -> io::Result<Option<u8>> {
    let mut byte = [0];
    let count = stream.peek(&mut byte).await?;
    Ok(byte.first().copied().filter(|_| count > 0))
}

fn speaks_tls() -> Response {
    let mut response = body::text(StatusCode::BAD_REQUEST, PLAIN_HTTP);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn stamp(path: &Path) -> Stamp {
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
}

fn read_files(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let wrong = |setting: &str, path: &Path, what: &str| {
        Error::new(format!("{setting}: `{}` {what}", path.display()))
    };
    let chain: Vec<CertificateDer> =
        CertificateDer::pem_slice_iter(&read_file("tls_certificate", certificate)?)
            .collect::<std::result::Result<_, _>>()
            .map_err(|cause| {
                Error::caused(
                    format!("tls_certificate: `{}` is no PEM", certificate.display()),
                    cause,
                )
            })?;
    if chain.is_empty() {
        let what = "holds no certificate; it begins with -----BEGIN CERTIFICATE-----";
        return Err(wrong("tls_certificate", certificate, what));
    }
    let secret = PrivateKeyDer::from_pem_slice(&read_file("tls_key", key)?);
    let secret = secret.map_err(|cause| match cause {
        pem::Error::NoItemsFound => wrong(
            "tls_key",
            key,
            "holds no key that can be used; it begins with -----BEGIN PRIVATE KEY-----, and is not \
             encrypted (`openssl pkey -in OLD -out NEW` decrypts one)",
        ),
        // Its words tell nothing of what is in the file.
        cause => Error::caused(format!("tls_key: `{}` is no PEM", key.display()), cause),
    })?;
    let settings = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret));
    let mut settings = settings.map_err(|cause| match cause {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            let of = format!("is not the key of the certificate in `{}`", certificate.display());
            wrong("tls_key", key, &of)
        }
        cause => Error::caused(
            format!(
                "the certificate in `{}` cannot be used with the key in `{}`",
                certificate.display(),
                key.display()
            ),
            cause,
        ),
    })?;
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(settings))
}

fn read_file(setting: &str, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_FILE_BYTES).read_to_end(&mut bytes));
    read.map_err(|cause| {
        Error::caused(format!("{setting}: `{}` cannot be read", path.display()), cause)
    })?;
    Ok(bytes)
}
