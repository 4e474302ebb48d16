//! Who listens to shares, and what counts as a play: once per listener and song, when a tenth of it
//! has been sent.
//!
//! A listener is a keyed hash of address and program; its keys are drawn by chance, live in memory
//! alone and change every day, so that nothing of an address is kept. Who comes back on another
//! day, or after the server was started anew, is another listener.
//!
//! Where plays are limited, one is reserved when a song begins and kept while it goes on: of many who
//! begin at once only so many get through as plays are left, the others are asked to come again. It
//! counts at the tenth; where it does not come so far, it is given back a while after its last bytes.
//! Who has been counted may hear the song to its end, also in further requests and when all plays
//! are used up meanwhile.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::db::shares::Share;
use crate::id::Id;
use crate::visits::Visits;

/// Songs that are being heard at most, in the memory of about half a MiB. Beyond it, the plays of
/// shares without a limit are not counted, and those with one ask to come again.
const MOST_HEARD: usize = 4096;
/// Plays and listeners of a day that are told from new ones, in the memory of about a MiB. Beyond
/// it the day begins anew: who comes back counts once more.
const MOST_PLAYS_OF_DAY: usize = 32_768;
/// How long a song that was begun and left is waited for, with its reserved play.
const WAITS: Duration = Duration::from_secs(30);
/// How long a song may take beyond its length: pauses.
const SLACK: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a song is not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// All plays are used up.
    UsedUp,
    /// Those that are left are reserved for others.
    Reserved,
}

/// What is heard of a share.
#[derive(Clone, Copy, Debug)]
pub struct Track<'a> {
    /// The share.
    pub share: &'a Share,
    /// What of it.
    pub of: Id,
    /// How long it is.
    pub duration: Duration,
}

/// Counts plays.
pub struct Plays {
    visits: Arc<Visits>,
    /// Tells listeners apart who are in the middle of a song.
    key: RandomState,
    state: Mutex<State>,
}

struct State {
    heard: HashMap<Heard, Hearing>,
    /// The plays of shares that were heard since the start, those before it too: what the database
    /// tells may be behind. Bounded by the shares.
    totals: HashMap<i64, i64>,
    day: Day,
}

/// A song that a listener hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Heard {
    share: i64,
    of: Id,
    listener: u64,
}

struct Hearing {
    streams: u32,
    bytes: u64,
    /// Of today's plays, by the day's key.
    play: u64,
    listener: u64,
    /// Whether it would be a play: not of what was counted today. Where plays are limited, one is
    /// reserved for it.
    is_new: bool,
    /// Until when more of it may be had without another play; at first while it is waited for.
    until: Instant,
    is_counted: bool,
    duration: Duration,
}

/// Who listened today.
struct Day {
    key: RandomState,
    began: Instant,
    plays: HashSet<u64>,
    listeners: HashSet<u64>,
}

impl Day {
    fn new(began: Instant) -> Day {
        Day { key: RandomState::new(), began, plays: HashSet::new(), listeners: HashSet::new() }
    }
}

/// A song that is being sent; it is over when this is dropped.
pub struct Play {
    plays: Arc<Plays>,
    heard: Heard,
}

impl Plays {
    /// Counts nothing yet; what is counted is added to the visits.
    pub fn new(visits: Arc<Visits>) -> Plays {
        let state =
            State { heard: HashMap::new(), totals: HashMap::new(), day: Day::new(Instant::now()) };
        Plays { visits, key: RandomState::new(), state: Mutex::new(state) }
    }

    /// Whether all plays of a share are used up.
    pub fn is_used_up(&self, share: &Share) -> bool {
        share.max_plays.is_some_and(|most| self.lock().total(share) >= most)
    }

    /// Whether a listener may go on with a song although the plays of its share are used up.
    pub fn is_heard(&self, track: Track, listener: (IpAddr, &str), now: Instant) -> bool {
        let heard = self.heard(track, listener);
        self.lock()
            .heard
            .get(&heard)
            .is_some_and(|hearing| hearing.is_counted && hearing.lives(now))
    }

    /// A listener (by address and program) begins a song; `None` where there is no room to count it.
    pub fn begin(
        self: &Arc<Self>,
        track: Track,
        listener: (IpAddr, &str),
        now: Instant,
    ) -> Result<Option<Play>, Refused> {
        let heard = self.heard(track, listener);
        let play = || Play { plays: Arc::clone(self), heard };
        let mut state = self.lock();
        state.tidy(now);
        let used = state.begin_total(track.share);
        let is_used_up = track.share.max_plays.is_some_and(|most| used >= most);
        if let Some(hearing) = state.heard.get_mut(&heard) {
            if !hearing.lives(now) {
                // It still is sent, though its time is over.
                if is_used_up {
                    return Err(Refused::UsedUp);
                }
                hearing.until = now + hearing.duration + SLACK;
            }
            hearing.streams += 1;
            return Ok(Some(play()));
        }
        let of_day = state.day.key.hash_one((track.share.id, track.of, listener));
        let by_day = state.day.key.hash_one((track.share.id, listener));
        // What was counted today is no further play.
        let is_new = !state.day.plays.contains(&of_day);
        if let Some(most) = track.share.max_plays {
            if is_used_up {
                return Err(Refused::UsedUp);
            }
            if is_new && used.saturating_add(state.reserved(track.share.id)) >= most {
                return Err(Refused::Reserved);
            }
        }
        if state.heard.len() >= MOST_HEARD {
            return match track.share.max_plays {
                Some(_) => Err(Refused::Reserved),
                None => Ok(None),
            };
        }
        let hearing = Hearing {
            streams: 1,
            bytes: 0,
            play: of_day,
            listener: by_day,
            is_new,
            until: now,
            is_counted: false,
            duration: track.duration,
        };
        state.heard.insert(heard, hearing);
        Ok(Some(play()))
    }

    fn heard(&self, track: Track, listener: (IpAddr, &str)) -> Heard {
        let listener = self.key.hash_one(listener);
        Heard { share: track.share.id, of: track.of, listener }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hearing {
    fn lives(&self, now: Instant) -> bool {
        self.streams > 0 && !self.is_counted || now < self.until
    }
}

impl State {
    /// The plays of a share.
    fn total(&self, share: &Share) -> i64 {
        self.totals.get(&share.id).copied().unwrap_or(0).max(share.play_count)
    }

    /// The same; from now on it is counted here.
    fn begin_total(&mut self, share: &Share) -> i64 {
        let total = self.total(share);
        self.totals.insert(share.id, total);
        total
    }

    fn reserved(&self, share: i64) -> i64 {
        let reserved = |(heard, hearing): &(&Heard, &Hearing)| {
            heard.share == share && hearing.is_new && !hearing.is_counted
        };
        i64::try_from(self.heard.iter().filter(reserved).count()).unwrap_or(i64::MAX)
    }

    /// Forgets who has gone, and yesterday.
    fn tidy(&mut self, now: Instant) {
        self.heard.retain(|_, hearing| hearing.streams > 0 || hearing.lives(now));
        if now.saturating_duration_since(self.day.began) >= DAY
            || self.day.plays.len() >= MOST_PLAYS_OF_DAY
        {
            self.day = Day::new(now);
        }
    }
}

impl Play {
    /// So many more bytes were sent of a song that has `len` in all.
    pub fn sent(&self, bytes: u64, len: u64, now: Instant) {
        let mut state = self.plays.lock();
        let State { heard, totals, day } = &mut *state;
        let Some(hearing) = heard.get_mut(&self.heard) else { return };
        hearing.bytes = hearing.bytes.saturating_add(bytes);
        if hearing.is_counted || hearing.bytes.saturating_mul(10) < len {
            return;
        }
        hearing.is_counted = true;
        hearing.until = now + hearing.duration + SLACK;
        if day.plays.insert(hearing.play) {
            let is_new_listener = day.listeners.insert(hearing.listener);
            *totals.entry(self.heard.share).or_default() += 1;
            self.plays.visits.count_play(self.heard.share, self.heard.of, is_new_listener);
        }
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        let mut state = self.plays.lock();
        if let Some(hearing) = state.heard.get_mut(&self.heard) {
            hearing.streams = hearing.streams.saturating_sub(1);
            if !hearing.is_counted {
                hearing.until = Instant::now() + WAITS;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    const SONG: Duration = Duration::from_secs(200);

    fn share(max_plays: Option<i64>, play_count: i64) -> Share {
        Share { max_plays, play_count, ..Share::of_nobody() }
    }

    fn listener(last: u8) -> (IpAddr, &'static str) {
        (Ipv4Addr::new(192, 0, 2, last).into(), "player")
    }

    fn track(share: &Share, song: i64) -> Track<'_> {
        Track { share, of: Id::Song(song), duration: SONG }
    }

    fn plays() -> Arc<Plays> {
        Arc::new(Plays::new(Arc::default()))
    }

    /// Hears so many of a hundred bytes of a song.
    fn hear(plays: &Arc<Plays>, track: Track, who: u8, bytes: u64) -> Result<(), Refused> {
        let now = Instant::now();
        let play = plays.begin(track, listener(who), now)?.unwrap();
        play.sent(bytes, 100, now);
        Ok(())
    }

    #[test]
    fn a_tenth_counts_once_per_listener_and_song() {
        let (plays, share) = (plays(), share(None, 0));
        let told = || plays.visits.pending(share.id);
        for bytes in [2, 0, 3] {
            hear(&plays, track(&share, 1), 1, bytes).unwrap();
        }
        assert_eq!(told().plays, []);
        // Parts of a song make a play together, and to begin again makes none.
        for bytes in [5, 100, 100] {
            hear(&plays, track(&share, 1), 1, bytes).unwrap();
        }
        assert_eq!((told().plays, told().listeners), (vec![(Id::Song(1), 1)], 1));
        hear(&plays, track(&share, 2), 1, 10).unwrap();
        hear(&plays, track(&share, 1), 2, 10).unwrap();
        assert_eq!(told().plays, [(Id::Song(1), 2), (Id::Song(2), 1)]);
        assert_eq!(told().listeners, 2);
        // Another program at the same address is another listener.
        let other = (listener(1).0, "another");
        let now = Instant::now();
        plays.begin(track(&share, 1), other, now).unwrap().unwrap().sent(10, 100, now);
        assert_eq!(told().listeners, 3);
    }

    #[test]
    fn of_many_who_begin_at_once_one_gets_the_last_play() {
        let (plays, share) = (plays(), share(Some(1), 0));
        let now = Instant::now();
        let first = plays.begin(track(&share, 1), listener(1), now).unwrap().unwrap();
        for who in 2..10 {
            let refused = plays.begin(track(&share, 1), listener(who), now).err();
            assert_eq!(refused, Some(Refused::Reserved));
        }
        // A second connection of the same listener for the same song needs no further play.
        assert!(plays.begin(track(&share, 1), listener(1), now).is_ok());
        assert!(plays.begin(track(&share, 2), listener(1), now).is_err());
        first.sent(10, 100, now);
        assert!(plays.is_used_up(&share));
        assert_eq!(plays.begin(track(&share, 1), listener(2), now).err(), Some(Refused::UsedUp));
    }

    #[test]
    fn a_limit_that_is_set_later_counts_those_who_hear_already() {
        let (plays, open) = (plays(), share(None, 0));
        let now = Instant::now();
        let heard = plays.begin(track(&open, 1), listener(1), now).unwrap().unwrap();
        let limited = share(Some(1), 0);
        let refused = plays.begin(track(&limited, 1), listener(2), now).err();
        assert_eq!(refused, Some(Refused::Reserved));
        heard.sent(10, 100, now);
        assert!(plays.is_used_up(&limited));
    }

    #[test]
    fn who_was_counted_may_hear_it_to_the_end_and_no_longer() {
        let (plays, share) = (plays(), share(Some(3), 2));
        hear(&plays, track(&share, 1), 1, 10).unwrap();
        let (now, end) = (Instant::now(), Instant::now() + SONG + SLACK);
        assert!(plays.is_used_up(&share));
        assert!(plays.is_heard(track(&share, 1), listener(1), now));
        assert!(plays.begin(track(&share, 1), listener(1), now).is_ok());
        for (song, who, at) in [(2, 1, now), (1, 2, now), (1, 1, end)] {
            assert!(!plays.is_heard(track(&share, song), listener(who), at));
            let refused = plays.begin(track(&share, song), listener(who), at).err();
            assert_eq!(refused, Some(Refused::UsedUp), "{song} {who}");
        }
        // A higher limit opens it again.
        let share = Share { max_plays: Some(4), ..share };
        assert!(!plays.is_used_up(&share));
        assert!(plays.begin(track(&share, 1), listener(2), now).is_ok());
    }

    #[test]
    fn a_play_that_is_left_is_given_back_after_a_while() {
        let (plays, share) = (plays(), share(Some(1), 0));
        hear(&plays, track(&share, 1), 1, 9).unwrap();
        let later = Instant::now() + WAITS;
        assert_eq!(hear(&plays, track(&share, 1), 2, 100), Err(Refused::Reserved));
        assert!(plays.begin(track(&share, 1), listener(2), later).is_ok());
        assert!(!plays.is_used_up(&share));
    }

    #[test]
    fn what_was_written_is_not_counted_twice() {
        let (plays, before) = (plays(), share(Some(3), 1));
        hear(&plays, track(&before, 1), 1, 10).unwrap();
        let after = Share { play_count: 2, ..before.clone() };
        assert!(!plays.is_used_up(&after) && !plays.is_used_up(&before));
        hear(&plays, track(&after, 1), 2, 10).unwrap();
        assert!(plays.is_used_up(&after) && plays.is_used_up(&before));
    }

    #[test]
    fn memory_is_bounded() {
        let (plays, open) = (plays(), share(None, 0));
        let now = Instant::now();
        let begin = |share, song| plays.begin(track(share, song), listener(1), now);
        let held: Vec<_> =
            (0..MOST_HEARD).map(|song| begin(&open, i64::try_from(song).unwrap())).collect();
        assert!(held.iter().all(|play| matches!(play, Ok(Some(_)))));
        assert!(matches!(begin(&open, -1), Ok(None)));
        assert_eq!(begin(&share(Some(9), 0), -1).err(), Some(Refused::Reserved));
        drop(held);
        assert!(matches!(plays.begin(track(&open, -1), listener(1), now + WAITS * 2), Ok(Some(_))));
        assert_eq!(plays.lock().heard.len(), 1);
    }

    #[test]
    fn tomorrow_a_listener_is_a_new_one() {
        let (plays, share) = (plays(), share(None, 0));
        hear(&plays, track(&share, 1), 1, 10).unwrap();
        let tomorrow = Instant::now() + DAY;
        let play = plays.begin(track(&share, 1), listener(1), tomorrow).unwrap().unwrap();
        play.sent(10, 100, tomorrow);
        assert_eq!(plays.visits.pending(share.id).listeners, 2);
        assert_eq!(plays.lock().day.plays.len(), 1);
    }

    proptest! {
        /// Listeners who come, hear a part, go and come again, in any order.
        #[test]
        fn there_are_never_more_plays_than_may_be(
            most in 1_i64..4,
            steps in proptest::collection::vec((0..5_u8, 0..3_i64, 0..12_u64, any::<bool>()), 1..60),
        ) {
            let (plays, share) = (plays(), share(Some(most), 0));
            let mut now = Instant::now();
            let mut held = Vec::new();
            for (who, song, bytes, leaves) in steps {
                now += Duration::from_secs(bytes);
                if let Ok(Some(play)) = plays.begin(track(&share, song), listener(who), now) {
                    play.sent(bytes, 100, now);
                    held.push(play);
                }
                if leaves && !held.is_empty() {
                    held.swap_remove(usize::from(who) % held.len());
                }
                let counts = plays.visits.pending(share.id);
                let total: i64 = counts.plays.iter().map(|(_, count)| count).sum();
                prop_assert!(total <= most, "{total} of {most}");
                prop_assert_eq!(plays.is_used_up(&share), total >= most);
            }
        }
    }
}
