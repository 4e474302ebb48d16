//! What every request works with: the settings, the database, and what is kept in memory.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::config::Config;
use crate::db::{Db, songs, users};
use crate::error::Result;
use crate::keeping::{self, lock::InUse};
use crate::key_uses::KeyUses;
use crate::known_users::KnownUsers;
use crate::limiter::Limiter;
use crate::media::captions::Kept;
use crate::media::cover::Covers;
use crate::media::pace::Rates;
use crate::media::places::Places;
use crate::media::send::{Mode, Sender};
use crate::media::zip::{self, sums::Sums};
use crate::metrics::Metrics;
use crate::passphrases::Passphrases;
use crate::playing::Playing;
use crate::plays::Plays;
use crate::remembered::Remembered;
use crate::scan::Scanner;
use crate::secret::Vault;
use crate::sign_ins::SignIns;
use crate::visits::Visits;

/// Links to nowhere that one network may try in a while. Who mistypes one is far below it, who looks
/// for links has the chance of 2^-95 with each.
const MOST_MISSES: u32 = 30;
const MISSES_WITHIN: Duration = Duration::from_secs(60);

/// Most songs that are remembered: players ask for parts of the few that they play.
const MOST_KNOWN_SONGS: usize = 64;

/// The server's state; data only.
pub struct App {
    /// The settings as they were at the start: for what a reload does not change.
    pub config: Config,
    /// The settings as they are.
    current: RwLock<Arc<Config>>,
    /// The database.
    pub db: Arc<Db>,
    /// Who called a moment ago.
    pub known_users: KnownUsers,
    /// Which songs were asked for a moment ago: by the row's id and the visible music folders.
    pub known_songs: Remembered<(i64, i64), songs::File>,
    /// Who failed to sign in.
    pub sign_ins: SignIns,
    /// When API keys were last used.
    pub key_uses: KeyUses,
    /// Who plays what.
    pub playing: Playing,
    /// Scales covers and keeps them.
    pub covers: Arc<Covers>,
    /// Captions that were taken out of videos a moment ago.
    pub captions: Arc<Kept>,
    /// Scans the music folders when it is asked to.
    pub scanner: Scanner,
    /// Encrypts and decrypts passwords.
    pub vault: Vault,
    /// Sends files.
    pub sender: Sender,
    /// The streams of each user, by the row id.
    pub user_streams: Places<i64>,
    /// The streams of each share, by its row id.
    pub share_streams: Places<i64>,
    /// The archives of songs that are being sent.
    pub archives: Places<()>,
    /// Checksums of songs that were sent in archives.
    pub sums: Arc<Sums>,
    /// How fast songs are sent.
    pub rates: Rates,
    /// Counts the visits and plays of shares.
    pub visits: Arc<Visits>,
    /// Counts who listens to shares, and limits it.
    pub plays: Arc<Plays>,
    /// Makes and compares hashes of passphrases of shares.
    pub passphrases: Passphrases,
    /// Links that lead nowhere, by the network of whoever tried them.
    pub misses: Limiter<IpAddr>,
    /// Counts what the server does.
    pub metrics: Metrics,
    /// Tells others that the database is open. The last field: it is dropped after the database.
    pub in_use: InUse,
}

impl App {
    /// Opens the data folder of a configuration, made at the first start.
    pub fn open(config: Config) -> Result<App> {
        keeping::make_folder(&config.data)?;
        let in_use = InUse::begin(&config.data)?;
        let db = Arc::new(Db::open(&keeping::database(&config.data))?);
        let visits = Arc::<Visits>::default();
        let key = keeping::key_file(&config);
        // A new key would open none of the passwords there are.
        let may_be_made = config.key.is_none() && db.read(users::none)?;
        let vault = Vault::open(&key, may_be_made)?;
        Ok(App {
            scanner: Scanner::new(),
            captions: Arc::default(),
            // What is encrypted here would only be copied out of maps.
            sender: Sender::new(if config.tls.is_some() { Mode::Read } else { Mode::Mapped }),
            known_users: KnownUsers::default(),
            known_songs: Remembered::new(MOST_KNOWN_SONGS),
            sign_ins: SignIns::default(),
            key_uses: KeyUses::default(),
            playing: Playing::default(),
            covers: Arc::new(Covers::new(
                config.cache.join("covers"),
                config.cover_workers,
                config.cover_cache,
            )),
            user_streams: Places::new(config.streams_per_user),
            share_streams: Places::new(config.streams_per_share),
            archives: Places::new(zip::MOST_AT_A_TIME),
            sums: Arc::default(),
            rates: Rates::new(config.stream_rate, config.share_rate),
            plays: Arc::new(Plays::new(Arc::clone(&visits))),
            visits,
            passphrases: Passphrases::new()?,
            misses: Limiter::new(MOST_MISSES, MISSES_WITHIN),
            metrics: Metrics::new(),
            current: RwLock::new(Arc::new(config.clone())),
            config,
            db,
            vault,
            in_use,
        })
    }

    /// The settings as they are: for what a reload changes.
    pub fn current(&self) -> Arc<Config> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes on with these settings; see [`Config::reloaded`]. What is being sent keeps its pace.
    pub fn reload(&self, config: Config) {
        self.user_streams.set_most(config.streams_per_user);
        self.share_streams.set_most(config.streams_per_share);
        self.rates.set(config.stream_rate, config.share_rate);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
}
