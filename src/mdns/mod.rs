//! Announces the server on the networks at home by multicast DNS (RFC 6762, RFC 6763), so that phones
//! find it by a name instead of an address.
//!
//! It sleeps until somebody asks or an address of the machine changes. What it sends is bounded: an
//! answer to all goes out once a second for each network at most, answers to askers
//! [`MOST_ANSWERS`] a second.

mod interfaces;
mod message;
mod service;
mod sockets;

use std::collections::HashMap;
use std::future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use self::interfaces::{Address, News};
use self::message::MOST_BYTES;
pub use self::message::Message;
pub use self::service::{Service, To};
use self::sockets::{PORT, Sockets};

/// Between two probes, and two announcements.
const BETWEEN_PROBES: Duration = Duration::from_millis(250);
const BETWEEN_ANNOUNCEMENTS: Duration = Duration::from_secs(1);
/// How often it is asked whether the names are free, and how often they are told then.
const PROBES: u32 = 3;
const ANNOUNCEMENTS: u32 = 2;
/// An answer to all goes out on a network so often at most.
const BETWEEN_ANSWERS: Duration = Duration::from_secs(1);
/// Answers to askers in a second at most.
const MOST_ANSWERS: u32 = 20;
/// Names that are tried soon; further ones are tried after a while.
const QUICK_NAMES: u32 = 10;
const SLOW_NAME: Duration = Duration::from_secs(60);
/// How long to wait when another goes before.
const GIVES_WAY: Duration = Duration::from_secs(1);

/// What is announced where.
struct Announcer {
    sockets: Sockets,
    /// As it is called now.
    service: Service,
    /// As it wants to be called.
    name: String,
    /// How many names were tried.
    tries: u32,
    /// The only address that the server listens to, if it is not all.
    only: Option<IpAddr>,
    addresses: Vec<Address>,
    /// How many probes and announcements were sent under this name.
    step: u32,
    /// When the next one is due.
    due: Option<Instant>,
    /// When all on a network were last answered.
    answered: HashMap<(u32, bool), Instant>,
    /// Since when answers to askers are counted, and how many there were.
    counted: (Instant, u32),
}

/// Announces a server until `stop` is done, and then that it has gone. `only` is the one address
/// that it listens to; `None` is all.
///
/// # Errors
/// The port of multicast DNS cannot be had, or the kernel does not tell the addresses.
pub async fn announce(
    service: Service,
    only: Option<IpAddr>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let news = News::open()?;
    let mut announcer = Announcer {
        sockets: Sockets::open()?,
        name: service.name.clone(),
        service,
        tries: 1,
        only,
        addresses: Vec::new(),
        step: 0,
        due: Some(Instant::now() + by_chance(BETWEEN_PROBES)),
        answered: HashMap::new(),
        counted: (Instant::now(), 0),
    };
    announcer.look()?;
    let mut stop = std::pin::pin!(stop);
    let (mut block4, mut block6) = (vec![0; MOST_BYTES], vec![0; MOST_BYTES]);
    loop {
        let due = announcer.due;
        let timer = async move {
            match due {
                Some(due) => sleep_until(due).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            () = &mut stop => break,
            () = timer => announcer.go_on().await,
            (count, from) = announcer.sockets.receive4(&mut block4) => {
                announcer.hear(block4.get(..count).unwrap_or_default(), from).await;
            }
            (count, from) = announcer.sockets.receive6(&mut block6) => {
                announcer.hear(block6.get(..count).unwrap_or_default(), from).await;
            }
            told = news.wait() => {
                told?;
                news.settle().await?;
                announcer.look()?;
            }
        }
    }
    if announcer.step > PROBES {
        announcer.tell_all(Service::goodbye).await;
    }
    Ok(())
}

impl Announcer {
    /// Looks at the addresses of the machine; where they are others, all is told anew.
    fn look(&mut self) -> io::Result<()> {
        let mut addresses = interfaces::addresses()?;
        addresses.retain(|address| self.only.is_none_or(|only| only == address.ip));
        if addresses == self.addresses {
            return Ok(());
        }
        self.sockets.join(&addresses);
        self.addresses = addresses;
        self.begin(by_chance(BETWEEN_PROBES));
        Ok(())
    }

    /// Asks after a while whether the names are free, and tells them then.
    fn begin(&mut self, wait: Duration) {
        self.step = 0;
        self.due = (!self.addresses.is_empty()).then(|| Instant::now() + wait);
    }

    /// Takes the next step.
    async fn go_on(&mut self) {
        let wait = if self.step < PROBES {
            self.tell_all(Service::probe).await;
            Some(BETWEEN_PROBES)
        } else {
            if self.step == PROBES {
                let Service { name, port, .. } = &self.service;
                tracing::info!("announced as {name}.local, port {port}");
            }
            self.tell_all(Service::announcement).await;
            (self.step + 1 < PROBES + ANNOUNCEMENTS).then_some(BETWEEN_ANNOUNCEMENTS)
        };
        self.step += 1;
        self.due = wait.map(|wait| Instant::now() + wait);
    }

    /// Sends a message of the service to all networks.
    async fn tell_all(&mut self, message: fn(&Service, &[IpAddr]) -> Message) {
        let mut interfaces: Vec<u32> =
            self.addresses.iter().map(|address| address.interface).collect();
        interfaces.dedup();
        for interface in interfaces {
            let bytes = message(&self.service, &self.of_interface(interface)).write();
            for v6 in [false, true] {
                self.sockets.tell(&self.addresses, interface, v6, &bytes).await;
            }
        }
    }

    /// The addresses by which a network reaches the machine.
    fn of_interface(&self, interface: u32) -> Vec<IpAddr> {
        let near = self.addresses.iter().filter(|address| address.interface == interface);
        near.map(|address| address.ip).collect()
    }

    /// The interface of whoever sent something; `None` where it came from afar, which is not heard.
    fn interface_of(&self, from: SocketAddr) -> Option<u32> {
        if let SocketAddr::V6(from) = from
            && from.scope_id() != 0
        {
            let known = self.addresses.iter().any(|address| address.interface == from.scope_id());
            return known.then_some(from.scope_id());
        }
        let near = self.addresses.iter().find(|address| address.is_near(from.ip()));
        near.map(|address| address.interface)
    }

    async fn hear(&mut self, bytes: &[u8], from: SocketAddr) {
        let Some((interface, message)) = self.interface_of(from).zip(Message::read(bytes)) else {
            return;
        };
        let addresses = self.of_interface(interface);
        if self.service.is_taken(&message, &self.all_addresses()) {
            self.rename();
        } else if !message.response {
            if self.step <= PROBES {
                if self.service.gives_way(&message, &addresses) {
                    self.begin(GIVES_WAY);
                }
                return;
            }
            self.answer(&message, from, interface, &addresses).await;
        }
    }

    /// Whatever of these another network tells is our own word that came around.
    fn all_addresses(&self) -> Vec<IpAddr> {
        self.addresses.iter().map(|address| address.ip).collect()
    }

    async fn answer(
        &mut self,
        query: &Message,
        from: SocketAddr,
        interface: u32,
        addresses: &[IpAddr],
    ) {
        let legacy = from.port() != PORT;
        let Some((answer, to)) = self.service.answer(query, addresses, legacy) else { return };
        let (now, v6) = (Instant::now(), from.is_ipv6());
        match to {
            To::Asker => {
                if now.duration_since(self.counted.0) >= Duration::from_secs(1) {
                    self.counted = (now, 0);
                }
                if self.counted.1 < MOST_ANSWERS {
                    self.counted.1 += 1;
                    self.sockets.send(&answer.write(), from).await;
                }
            }
            To::All => {
                let last = self.answered.get(&(interface, v6));
                if last.is_some_and(|last| now.duration_since(*last) < BETWEEN_ANSWERS) {
                    return;
                }
                // Bounded by the addresses of the machine.
                self.answered.insert((interface, v6), now);
                // Others may have the same to say.
                sleep(Duration::from_millis(20) + by_chance(Duration::from_millis(100))).await;
                self.sockets.tell(&self.addresses, interface, v6, &answer.write()).await;
            }
        }
    }

    /// Somebody else has the name: tries the next one.
    fn rename(&mut self) {
        let taken = self.service.name.clone();
        self.tries += 1;
        self.service.name = format!("{}-{}", self.name, self.tries);
        tracing::info!("{taken}.local is the name of another; trying {}.local", self.service.name);
        let quick = self.tries <= QUICK_NAMES;
        self.begin(if quick { by_chance(BETWEEN_PROBES) } else { SLOW_NAME });
    }
}

/// A time by chance up to this, so that machines that start together do not speak at once.
fn by_chance(most: Duration) -> Duration {
    let mut byte = [0];
    // Without chance it is only less polite.
    let _ = getrandom::fill(&mut byte);
    most * u32::from(byte[0]) / 255
}
