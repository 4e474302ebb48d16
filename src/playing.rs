//! Who plays what just now, kept in memory alone.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Players that are remembered; the one heard of longest ago goes.
const MOST: usize = 128;
/// How long after its song should have ended a player is still shown, in ms.
const SILENCE: i64 = 5 * 60_000;
/// How long a player that stands still is shown, in ms.
const PAUSE: i64 = 60 * 60_000;
/// Players of one user that are remembered, so that nobody pushes the others out.
const MOST_OF_USER: usize = 8;
/// Who has heard this much of a song has played it, be it as long as it may; in ms.
const PLAYED: i64 = 4 * 60_000;

/// What a player does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is about to play.
    Starting,
    /// It plays.
    Playing,
    /// It stands still.
    Paused,
}

/// A player and its song.
#[derive(Clone, Debug)]
pub struct Player {
    /// Tells players apart; the same for one client of one user.
    pub id: i64,
    /// The user.
    pub user: i64,
    /// The user's name.
    pub username: String,
    /// The client's name.
    pub client: String,
    /// The song.
    pub song: i64,
    /// How long the song is, in ms.
    pub duration: i64,
    /// What it does.
    pub state: State,
    /// Where it was when it was last heard of, in ms.
    pub position: i64,
    /// How fast it plays: 1 for as recorded.
    pub rate: f64,
    /// When it began with the song, ms since 1970.
    pub began: i64,
    /// When it was last heard of, ms since 1970.
    pub heard: i64,
    /// Milliseconds of the song that were heard.
    played: i64,
    /// Whether this play is not to be counted.
    uncounted: bool,
}

/// What a client says of its player.
#[derive(Clone, Debug)]
pub struct Report {
    /// The user and the user's name.
    pub user: (i64, String),
    /// The client's name.
    pub client: String,
    /// The song and its length in ms.
    pub song: (i64, i64),
    /// What the player does; `None` where it has stopped.
    pub state: Option<State>,
    /// Where it is, in ms.
    pub position: i64,
    /// How fast it plays.
    pub rate: f64,
    /// Whether this play is not to be counted.
    pub uncounted: bool,
}

/// The players that were heard of.
#[derive(Default)]
pub struct Playing(Mutex<(i64, Vec<Player>)>);

impl Player {
    /// Where it is at a time, as far as can be known: the clock goes on while it plays.
    pub fn position_at(&self, now: i64) -> i64 {
        self.position.saturating_add(self.advance(now))
    }

    /// Milliseconds it went on since it was last heard of: at most what was left of the song.
    fn advance(&self, now: i64) -> i64 {
        if self.state != State::Playing {
            return 0;
        }
        let elapsed = (now - self.heard).max(0) as f64;
        let left = self.duration.saturating_sub(self.position).max(0) as f64;
        // At most a song's length: far below what an integer holds.
        #[allow(clippy::cast_possible_truncation)]
        let advance = (elapsed * self.rate).min(left) as i64;
        advance
    }

    fn is_fresh(&self, now: i64) -> bool {
        let silent = now - self.heard;
        match self.state {
            State::Paused => silent < PAUSE,
            // At a tenth of its speed or less a player stands still for all practical purposes.
            _ => (silent - SILENCE) as f64 * self.rate.max(0.1) < self.duration as f64,
        }
    }

    /// Half a song, or four minutes of it, is a play.
    fn counts(&self) -> bool {
        !self.uncounted && self.played > 0 && self.played >= (self.duration / 2).min(PLAYED)
    }
}

impl Playing {
    /// Takes a report. Gives the song whose play is to be counted, where one has come to its end
    /// by it: the player has stopped, begins anew, or has turned to another song.
    pub fn report(&self, report: Report, now: i64) -> Option<i64> {
        let mut state = self.lock();
        let (last_id, players) = &mut *state;
        players.retain(|player| player.is_fresh(now));
        let known = players
            .iter()
            .position(|player| player.user == report.user.0 && player.client == report.client);
        let before = known.map(|at| players.swap_remove(at)).map(|mut player| {
            player.played = player.played.saturating_add(player.advance(now));
            player
        });
        let goes_on = before.as_ref().is_some_and(|player| player.song == report.song.0);
        let id = before.as_ref().map_or(*last_id + 1, |player| player.id);
        *last_id = id.max(*last_id);
        let (began, played) = match &before {
            Some(player) if goes_on && report.state != Some(State::Starting) => {
                (player.began, player.played)
            }
            _ => (now, 0),
        };
        let ended = before.map(|mut player| {
            player.uncounted |= goes_on && report.uncounted;
            player
        });
        let ends = !goes_on || matches!(report.state, None | Some(State::Starting));
        if let Some(state) = report.state {
            let own = |player: &Player| player.user == report.user.0;
            let own_are_many = players.iter().filter(|player| own(player)).count() >= MOST_OF_USER;
            let crowd =
                players.iter().enumerate().filter(|(_, player)| !own_are_many || own(player));
            if (own_are_many || players.len() >= MOST)
                && let Some((oldest, _)) = crowd.min_by_key(|(_, player)| player.heard)
            {
                players.swap_remove(oldest);
            }
            players.push(Player {
                id,
                user: report.user.0,
                username: report.user.1,
                client: report.client,
                song: report.song.0,
                duration: report.song.1,
                state,
                position: report.position,
                rate: report.rate,
                began,
                heard: now,
                played,
                uncounted: report.uncounted,
            });
        }
        ended.filter(|player| ends && player.counts()).map(|player| player.song)
    }

    /// Takes the players of a user away, who is there no more.
    pub fn forget(&self, user: i64) {
        self.lock().1.retain(|player| player.user != user);
    }

    /// The players now, the one heard of last first.
    pub fn now(&self, now: i64) -> Vec<Player> {
        let mut players = self.lock().1.clone();
        players.retain(|player| player.is_fresh(now));
        players.sort_by_key(|player| -player.heard);
        players
    }

    fn lock(&self) -> MutexGuard<'_, (i64, Vec<Player>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(song: i64, state: Option<State>, position: i64) -> Report {
        Report {
            user: (1, "anna".to_owned()),
            client: "phone".to_owned(),
            song: (song, 100_000),
            state,
            position,
            rate: 1.0,
            uncounted: false,
        }
    }

    #[test]
    fn the_clock_goes_on_while_a_player_plays_and_not_beyond_the_song() {
        let playing = Playing::default();
        playing.report(report(7, Some(State::Playing), 5_000), 1_000);
        let position = |now| playing.now(now).first().map(|player| player.position_at(now));
        assert_eq!(position(3_000), Some(7_000));
        assert_eq!(position(200_000), Some(100_000));
        playing.report(report(7, Some(State::Paused), 8_000), 4_000);
        assert_eq!(position(9_000), Some(8_000));
    }

    #[test]
    fn a_slow_player_plays_to_the_end_of_its_song() {
        let playing = Playing::default();
        let slow = Report { rate: 0.5, ..report(7, Some(State::Playing), 0) };
        playing.report(slow, 0);
        let position = |now| playing.now(now).first().map(|player| player.position_at(now));
        assert_eq!(position(150_000), Some(75_000));
        assert_eq!(position(250_000), Some(100_000));
        assert_eq!(playing.report(report(7, None, 100_000), 260_000), Some(7));
    }

    #[test]
    fn half_a_song_is_a_play_once_and_less_is_none() {
        let playing = Playing::default();
        playing.report(report(7, Some(State::Playing), 0), 0);
        assert_eq!(playing.report(report(7, None, 10_000), 10_000), None);
        playing.report(report(7, Some(State::Playing), 0), 20_000);
        assert_eq!(playing.report(report(7, Some(State::Paused), 30_000), 50_000), None);
        playing.report(report(7, Some(State::Playing), 30_000), 60_000);
        assert_eq!(playing.report(report(7, None, 50_000), 80_000), Some(7));
        assert_eq!(playing.report(report(7, None, 50_000), 90_000), None);
    }

    #[test]
    fn the_clock_counts_no_more_than_what_was_left_of_the_song() {
        let playing = Playing::default();
        playing.report(report(7, Some(State::Playing), 90_000), 0);
        assert_eq!(playing.report(report(8, Some(State::Playing), 0), 90_000), None);
    }

    #[test]
    fn another_song_ends_the_one_before() {
        let playing = Playing::default();
        playing.report(report(7, Some(State::Playing), 0), 0);
        assert_eq!(playing.report(report(8, Some(State::Playing), 0), 90_000), Some(7));
        let uncounted = Report { uncounted: true, ..report(8, None, 90_000) };
        assert_eq!(playing.report(uncounted, 180_000), None);
    }

    #[test]
    fn a_player_that_fell_silent_is_forgotten_and_their_number_is_bounded() {
        let playing = Playing::default();
        for player in 0..300 {
            let (user, client) = ((player / 10, String::new()), format!("phone {player}"));
            playing.report(Report { user, client, ..report(7, Some(State::Playing), 0) }, player);
        }
        assert_eq!(playing.now(300).len(), MOST);
        let of_last = playing.now(300).iter().filter(|player| player.user == 29).count();
        assert_eq!(of_last, MOST_OF_USER);
        assert_eq!(playing.now(10_000_000).len(), 0);
    }
}
