//! TLS over real connections: songs to the last byte, renewed certificates, plain HTTP, stand-still.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use kinglet::http::accept::{self, Limits, Listeners};
use kinglet::http::body::respond;
use kinglet::http::stall::Patience;
use kinglet::http::tls::Tls;
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// What never comes in this time is missing.
const DEADLINE: Duration = Duration::from_secs(30);
const NAME: &str = "kinglet.test";

/// An authority of our own, which signs certificates for the server.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Authority { issuer: Issuer::new(params, key), certificate }
    }

    /// Writes a new certificate and its key into a folder; tells its bytes.
    fn sign(&self, folder: &Path) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        // As those do it who renew: new files in the place of the old ones.
        for (name, text) in [("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem())] {
            fs::write(folder.join("new"), text).unwrap();
            fs::rename(folder.join("new"), folder.join(name)).unwrap();
        }
        certificate.der().clone()
    }

    /// What clients trust.
    fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut config = config;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Each connection sees the certificate anew.
        config.resumption = rustls::client::Resumption::disabled();
        Arc::new(config)
    }
}

/// An encrypted connection.
struct Client(StreamOwned<ClientConnection, TcpStream>);

impl Client {
    fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        let name = ServerName::try_from(NAME).unwrap();
        let mut session = ClientConnection::new(Arc::clone(config), name).unwrap();
        let mut stream = stream;
        session.complete_io(&mut stream)?;
        Ok(Client(StreamOwned::new(session, stream)))
    }

    fn certificate(&self) -> CertificateDer<'static> {
        self.0.conn.peer_certificates().unwrap().first().unwrap().clone().into_owned()
    }

    /// Sends a GET; the head of its response in small letters, and its body.
    fn get(&mut self, path: &str, more: &str) -> (String, Vec<u8>) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {NAME}:1\r\n{more}\r\n");
        self.0.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            self.0.read_exact(&mut byte).expect("a head");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.split("content-length: ").nth(1).expect("a length");
        let mut body = vec![0; length.split("\r\n").next().unwrap().parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        (head, body)
    }
}

/// The program; ended when dropped.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start(folder: &Path) -> Program {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        fs::create_dir_all(folder.join("music")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_kinglet"))
            .args(["serve", "--music", "music", "--data", "data"])
            .args(["--listen", &address.to_string(), "--log-level", "warn"])
            .current_dir(folder)
            .env("KINGLET_ADMIN_PASSWORD", "sesame")
            .env("KINGLET_TLS_CERTIFICATE", "cert.pem")
            .env("KINGLET_TLS_KEY", "key.pem")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let program = Program { child, address };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < DEADLINE, "the server does not start");
            thread::sleep(Duration::from_millis(10));
        }
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

fn call(call: &str) -> String {
    let sign = if call.contains('?') { '&' } else { '?' };
    format!("/rest/{call}{sign}u=admin&p=sesame&v=1.16.1&c=test&f=json")
}

/// A PCM file in which every byte tells its place.
fn song(path: &Path) -> Vec<u8> {
    const SAMPLES: u32 = 500_000;
    let mut bytes = Vec::new();
    let length = SAMPLES * 4;
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&(36 + length).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    bytes.extend_from_slice(&44_100_u32.to_le_bytes());
    bytes.extend_from_slice(&176_400_u32.to_le_bytes());
    bytes.extend_from_slice(b"\x04\0\x10\0data");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend((0..SAMPLES).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()));
    fs::write(path, &bytes).unwrap();
    bytes
}

#[test]
fn songs_and_links_are_served_and_plain_http_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.sign(folder.path());
    fs::create_dir(folder.path().join("music")).unwrap();
    let song = song(&folder.path().join("music/song.wav"));
    let program = Program::start(folder.path());
    let config = authority.client();
    let mut client = Client::connect(program.address, &config).unwrap();
    assert_eq!(client.0.conn.alpn_protocol(), Some(b"http/1.1".as_slice()));

    let began = Instant::now();
    let id = loop {
        let (_, body) = client.get(&call("getRandomSongs"), "");
        let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let found = &answer["subsonic-response"]["randomSongs"]["song"][0]["id"];
        if let Some(id) = found.as_str() {
            break id.to_owned();
        }
        assert!(began.elapsed() < DEADLINE, "no song: {answer}");
        thread::sleep(Duration::from_millis(50));
    };
    let (_, body) = client.get(&call(&format!("createShare?id={id}")), "");
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let url = answer["subsonic-response"]["shares"]["share"][0]["url"].as_str().unwrap();
    let link = url.strip_prefix(&format!("https://{NAME}:1")).expect("a link by https");
    assert!(client.get(link, "").0.starts_with("http/1.1 200"));

    let whole = client.get(&format!("{link}/{id}.wav"), "");
    assert!(whole.0.starts_with("http/1.1 200") && whole.1 == song);
    let stream = call(&format!("stream?id={id}"));
    for (range, from, to) in [
        ("0-0", 0, 1),
        ("65530-65545", 65_530, 65_546),
        ("100000-900000", 100_000, 900_001),
        ("-7", song.len() - 7, song.len()),
        ("1234567-", 1_234_567, song.len()),
    ] {
        let (head, body) = client.get(&stream, &format!("Range: bytes={range}\r\n"));
        assert!(head.starts_with("http/1.1 206"), "{head}");
        assert!(body == song[from..to], "{range}");
    }
    let (head, body) = client.get(&stream, "Range: bytes=5-9,2000000-2000004\r\n");
    assert!(head.contains("multipart/byteranges"), "{head}");
    assert!(body.windows(5).any(|part| part == &song[2_000_000..2_000_005]));

    let mut plain = TcpStream::connect(program.address).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https://"), "{answer}");

    // A stranger's certificate is no reason to go on, for either side.
    assert!(Client::connect(program.address, &Authority::new().client()).is_err());
    assert!(client.get(&call("ping"), "").0.starts_with("http/1.1 200"));
}

#[test]
fn what_cannot_be_used_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.sign(folder.path());
    let path = |name: &str| folder.path().join(name);
    let open = |certificate: &str, key: &str| {
        let opened = Tls::open(&path(certificate), &path(key), Duration::ZERO);
        opened.err().map(|error| error.to_string())
    };
    assert_eq!(open("cert.pem", "key.pem"), None);
    fs::copy(path("key.pem"), path("other.pem")).unwrap();
    authority.sign(folder.path());
    fs::write(path("empty"), "").unwrap();
    let told = |certificate: &str, key: &str, words: &str| {
        let told = open(certificate, key).expect("an error");
        assert!(told.contains(words), "{told}");
    };
    told("cert.pem", "other.pem", "other.pem` is not the key of the certificate in");
    told("cert.pem", "gone", "tls_key: ");
    told("gone", "key.pem", "tls_certificate: ");
    told("empty", "key.pem", "holds no certificate");
    told("cert.pem", "empty", "openssl pkey");
    told("cert.pem", "cert.pem", "holds no key");
}

/// A server on a thread of its own, which looks at its files each time.
struct Server {
    runtime: tokio::runtime::Runtime,
    address: SocketAddr,
}

impl Server {
    fn start(folder: &Path, patience: Patience, body: usize) -> Server {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let files = (folder.join("cert.pem"), folder.join("key.pem"));
        let tls = Some(Arc::new(Tls::open(&files.0, &files.1, Duration::ZERO).unwrap()));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits { connections: 8, head_bytes: 8192, patience, grace: DEADLINE };
        let answer = move |_, _| async move {
            respond(hyper::StatusCode::OK, "text/plain", vec![b'x'; body])
        };
        let never = std::future::pending::<()>;
        let listeners = Listeners::from(listener).encrypted(tls);
        runtime.spawn(accept::serve(listeners, limits, Arc::default(), answer, never(), never()));
        Server { runtime, address }
    }
}

const PATIENT: Patience = Patience { head: DEADLINE, idle: DEADLINE, stall: DEADLINE };
const SHORT: Duration = Duration::from_millis(200);

#[test]
fn a_renewed_certificate_is_taken_and_open_connections_stay() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let first = authority.sign(folder.path());
    let server = Server::start(folder.path(), PATIENT, 5);
    let config = authority.client();
    let mut old = Client::connect(server.address, &config).unwrap();
    assert_eq!(old.certificate(), first);

    // A renewal that is half done is none.
    let key = fs::read(folder.path().join("key.pem")).unwrap();
    let second = authority.sign(folder.path());
    let new_key = fs::read(folder.path().join("key.pem")).unwrap();
    fs::write(folder.path().join("key.pem"), key).unwrap();
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(20));
        assert_eq!(Client::connect(server.address, &config).unwrap().certificate(), first);
    }
    fs::write(folder.path().join("new"), new_key).unwrap();
    fs::rename(folder.path().join("new"), folder.path().join("key.pem")).unwrap();
    let began = Instant::now();
    while Client::connect(server.address, &config).unwrap().certificate() != second {
        assert!(began.elapsed() < DEADLINE, "the new certificate is not taken");
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(old.get("/", "").1, b"xxxxx");
    drop(server.runtime);
}

#[test]
fn whoever_says_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.sign(folder.path());
    let patience = Patience { head: SHORT, ..PATIENT };
    let server = Server::start(folder.path(), patience, 5);
    // Nothing at all, the beginning of a handshake, and that of a plain request.
    for said in [b"".as_slice(), b"\x16\x03\x01", b"GET / HT"] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(said).unwrap();
        let mut rest = Vec::new();
        // It is closed, not waited for: a reset tells it too.
        let ended = stream.read_to_end(&mut rest);
        assert!(ended.is_ok() || ended.unwrap_err().kind() == io::ErrorKind::ConnectionReset);
    }
    // After the handshake the time for a first request is that of an idle connection.
    let mut client = Client::connect(server.address, &authority.client()).unwrap();
    thread::sleep(SHORT * 3);
    assert_eq!(client.get("/", "").1, b"xxxxx");
}

#[test]
fn a_client_that_takes_nothing_is_left_below_tls_too() {
    const BODY: usize = 64 << 20;
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    authority.sign(folder.path());
    let patience = Patience { stall: SHORT, ..PATIENT };
    let server = Server::start(folder.path(), patience, BODY);
    let mut client = Client::connect(server.address, &authority.client()).unwrap();
    client.0.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    thread::sleep(SHORT * 5);
    let (mut taken, mut block) = (0, vec![0; 1 << 20]);
    let ended = loop {
        match client.0.read(&mut block) {
            Ok(0) => break Ok(()),
            Ok(count) => taken += count,
            Err(error) => break Err(error),
        }
    };
    assert!(taken < BODY, "{ended:?}");
}
