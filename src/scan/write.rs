//! Turns what was read of files into rows: songs with their artists and albums, and what is made
//! of them.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Transaction;

use super::album::{self, Artists, Said};
use super::beside;
use super::moved::{self, Match};
use super::names;
use super::read::Loaded;
use super::tags::{self, Credit, Tags};
use super::walk::File;
use crate::db::artists::{ARTIST, PERFORMER, ROLES};
use crate::db::pack::Named;
use crate::db::scanned::albums::{self, Facts, Picture};
use crate::db::scanned::artists::{self, Who};
use crate::db::scanned::songs::{self, Song};
use crate::db::scanned::videos::{Caption, Place, Video};
use crate::db::scanned::{Touched, folders, genres};
use crate::db::songs::{Contributor, Extra, Frame};
use crate::error::Result;
use crate::media::kind;

/// A folder that holds files to read.
#[derive(Debug)]
pub struct Spot {
    /// The folder's row.
    pub folder: i64,
    /// Where it is on the disk.
    pub absolute: PathBuf,
    /// What it means for albums.
    pub place: names::Place,
    /// Whether its music folder is scanned for the first time: songs are as old as their files.
    pub first: bool,
    /// Whether it was known by another path, and its songs with it.
    pub renamed: bool,
}

/// A file to be read and written.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its folder.
    pub spot: Arc<Spot>,
    /// The file.
    pub file: File,
    /// The song it is known as.
    pub known: Option<i64>,
    /// Whether it was put off once: a song that only sounds the same is taken for it now.
    pub last_chance: bool,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// A new song.
    New,
    /// A song that was known at this place.
    Changed,
    /// A song that was known at another place.
    Moved,
    /// Not written: it may be a song that was known, if no other file is that song.
    PutOff,
}

/// Writes what a scan finds, and remembers what went where.
pub struct Writer<'a> {
    articles: &'a [String],
    now: i64,
    /// What is to be made anew before the transaction ends.
    pub touched: Touched,
    /// Whether songs are gone, so that a new file may be one of them.
    pub any_lost: bool,
    /// Albums made in this scan.
    made: BTreeSet<i64>,
    /// Albums that songs left in this scan, and to which albums.
    left: BTreeMap<i64, BTreeSet<i64>>,
    /// Artists made in this scan.
    made_artists: BTreeSet<i64>,
    /// Artists that songs left in this scan, and for which artists.
    left_artists: BTreeMap<i64, BTreeSet<i64>>,
}

impl<'a> Writer<'a> {
    /// A writer for a scan at this time (ms since 1970), which leaves these articles out in sorting.
    pub fn new(articles: &'a [String], now: i64) -> Writer<'a> {
        Writer {
            articles,
            now,
            touched: Touched::default(),
            any_lost: false,
            made: BTreeSet::new(),
            left: BTreeMap::new(),
            made_artists: BTreeSet::new(),
            left_artists: BTreeMap::new(),
        }
    }

    /// Writes one song.
    pub fn song(&mut self, db: &Transaction, job: &Job, loaded: &Loaded) -> Result<Written> {
        let (tags, file) = (&loaded.tags, &job.file);
        let (title, track) = names::title(tags, &crate::db::display_name(&file.name));
        let found = match tags.video {
            None => names::album(tags, &job.spot.place),
            Some(_) => names::Album::default(),
        };
        let (track, disc) = (some(track), some(found.disc));
        let hash = tags.sound.hash.cast_signed();
        let lost = match job.known {
            None if self.any_lost && hash != 0 => {
                let like = moved::Found {
                    size: file.size,
                    file_name: &file.name,
                    title: &title,
                    album: &found.title,
                    track: track.map(i64::from),
                    disc: disc.map(i64::from),
                };
                moved::find(&like, &songs::lost(db, hash)?)
            }
            _ => Match::New,
        };
        let (id, written) = match (job.known, lost) {
            (Some(id), _) if job.spot.renamed => (Some(id), Written::Moved),
            (Some(id), _) => (Some(id), Written::Changed),
            (None, Match::Sure(id)) => (Some(id), Written::Moved),
            (None, Match::Perhaps(id)) if job.last_chance => (Some(id), Written::Moved),
            (None, Match::Perhaps(_)) => return Ok(Written::PutOff),
            (None, Match::New) => (None, Written::New),
        };
        let album_id = match tags.video {
            None => self.album(db, id, &found, &job.spot.place)?,
            Some(_) => of_videos(db, &job.spot.place)?,
        };
        let mut song = self.facts(db, job, loaded)?;
        song.album_id = album_id;
        song.album_tags = serde_json::to_string(&Said::of(tags, &found.title)).unwrap_or_default();
        (song.title, song.album) = (title, found.title);
        (song.track, song.disc) = (track, disc);
        song.hash = hash;
        if let Some(id) = id {
            let (old, new) = (songs::artists(db, id)?, song.artists.iter().map(|artist| artist.id));
            let new: BTreeSet<i64> = new.collect();
            if let ([old], [new]) = (
                old.difference(&new).collect::<Vec<_>>().as_slice(),
                new.difference(&old).collect::<Vec<_>>().as_slice(),
            ) {
                self.left_artists.entry(**old).or_default().insert(**new);
            }
        }
        songs::write(db, id, &song, &mut self.touched)?;
        songs::forget_unreadable(db, job.spot.folder, &file.name)?;
        Ok(written)
    }

    /// The album of a song, made where it is not known yet.
    fn album(
        &mut self,
        db: &Transaction,
        song: Option<i64>,
        found: &names::Album,
        place: &names::Place,
    ) -> Result<i64> {
        let id = match albums::known_by(db, &found.keys)? {
            Some(id) => id,
            None => {
                let id = albums::add(db, place.root, place.album_folder, &found.title)?;
                self.made.insert(id);
                id
            }
        };
        albums::add_keys(db, id, &found.keys)?;
        if let Some(song) = song
            && let Some(old) = songs::album(db, song)?.filter(|old| *old != id)
        {
            self.left.entry(old).or_default().insert(id);
        }
        Ok(id)
    }

    /// What a song's row holds besides title and album.
    fn facts(&mut self, db: &Transaction, job: &Job, loaded: &Loaded) -> Result<Song> {
        let (tags, file, sound) = (&loaded.tags, &job.file, &loaded.tags.sound);
        let modified = file.modified / 1_000_000;
        let (artist, credits) = match tags.video {
            None => names::artists(tags),
            // Shown and found, but none of the artists of the music.
            Some(_) => (tags.artist.clone(), Vec::new()),
        };
        let artists = self.people(db, &credits)?;
        let mut people: Vec<(i64, i64)> =
            artists.iter().map(|artist| (artist.id, ARTIST)).collect();
        let mut contributors = Vec::with_capacity(tags.contributors.len());
        for who in &tags.contributors {
            let artist = self.person(db, &names::named(&who.name))?;
            // Those whose own role has no bit took part.
            let role = ROLES.iter().find(|(_, role)| *role == who.role);
            people.push((artist.id, role.map_or(PERFORMER, |(bit, _)| *bit)));
            let (role, sub_role) = (who.role.clone(), who.sub_role.clone());
            contributors.push(Contributor { role, sub_role, artist });
        }
        let date = if tags.date.year > 0 { tags.date } else { tags.original_date };
        let gain = &tags.gain;
        let has_movement = !tags.movement.is_empty();
        Ok(Song {
            music_folder_id: job.spot.place.root,
            folder_id: job.spot.folder,
            file_name: file.name.clone(),
            size: file.size,
            modified: file.modified,
            sidecar: file.sidecar,
            created: if job.spot.first { modified.clamp(0, self.now) } else { self.now },
            sort_title: tags.sort_title.clone(),
            artist,
            artists,
            year: (date.year > 0).then_some(date.year),
            genres: tags.genres.clone(),
            suffix: kind::of_name(&file.name).map_or("", |kind| kind.suffix),
            duration: i64::try_from(sound.duration_ms).unwrap_or(0),
            bit_rate: sound.bit_rate,
            bit_depth: sound.bit_depth,
            sample_rate: sound.sample_rate,
            channels: sound.channels,
            bpm: tags.bpm,
            comment: tags.comment.clone(),
            mbid: tags.recording_mbid.clone(),
            explicit: tags.explicit,
            gains: [
                rounded(gain.track, 100.0),
                rounded(gain.album, 100.0),
                rounded(gain.track_peak, 1e6),
                rounded(gain.album_peak, 1e6),
            ],
            picture: file.poster.as_ref().map(|poster| poster.stamp).or(loaded.picture),
            video: tags.video.as_ref().map(|seen| video(seen, file)),
            extra: Extra {
                contributors,
                isrc: tags.isrc.clone(),
                moods: tags.moods.clone(),
                groupings: tags.groupings.clone(),
                works: tags.works.clone(),
                movement: has_movement
                    .then(|| (tags.movement.clone(), tags.movement_number, tags.movement_count)),
            },
            people,
            lyrics: words(tags, loaded.words.as_deref()),
            ..Song::default()
        })
    }

    fn people(&mut self, db: &Transaction, credits: &[Credit]) -> Result<Vec<Named>> {
        let mut people: Vec<Named> = Vec::with_capacity(credits.len());
        for credit in credits {
            let who = self.person(db, credit)?;
            if people.iter().all(|known| known.id != who.id) {
                people.push(who);
            }
        }
        Ok(people)
    }

    fn person(&mut self, db: &Transaction, credit: &Credit) -> Result<Named> {
        let who = Who { name: &credit.name, sort: &credit.sort, mbid: &credit.mbid };
        let (id, is_new) = artists::resolve(db, who, self.articles, &mut self.touched)?;
        if is_new {
            self.made_artists.insert(id);
        }
        Ok(Named { id, name: credit.name.clone() })
    }

    /// Makes anew what was touched: albums from their songs, then the counts of artists and genres.
    pub fn refresh(&mut self, db: &Transaction) -> Result<()> {
        for album in mem::take(&mut self.touched.albums) {
            self.refresh_album(db, album)?;
        }
        for artist in mem::take(&mut self.touched.artists) {
            artists::refresh(db, artist)?;
        }
        for genre in mem::take(&mut self.touched.genres) {
            genres::refresh(db, genre)?;
        }
        Ok(())
    }

    fn refresh_album(&mut self, db: &Transaction, id: i64) -> Result<()> {
        let parts = albums::parts(db, id)?;
        let Some(first) = parts.first() else {
            albums::set_empty(db, id, &mut self.touched)?;
            return Ok(());
        };
        let sum = album::sum_up(&parts);
        let artists = match sum.artists {
            Artists::Known(artists) => artists,
            Artists::Named(credits) => self.people(db, &credits)?,
        };
        let (root, folder) = album_folder(db, first.folder_id)?;
        let picture = match albums::pictured(db, &[folder, first.folder_id])? {
            Some((folder, stamp)) => Some((Picture::Folder(folder), stamp)),
            None => parts
                .iter()
                .find_map(|part| part.picture.map(|stamp| (Picture::Song(part.song), stamp))),
        };
        for part in &parts {
            let own = sum.several_pictures && part.picture.is_some();
            albums::set_own_cover(db, part.song, own)?;
        }
        let guests: BTreeSet<i64> = parts
            .iter()
            .flat_map(|part| &part.artists)
            .map(|artist| artist.id)
            .filter(|id| artists.iter().all(|own| own.id != *id))
            .collect();
        let facts = Facts {
            music_folder_id: root,
            folder_id: folder,
            name: sum.name,
            sort_name: sum.sort_name,
            artist: sum.artist,
            artist_key: match artists.first() {
                Some(artist) => artists::key(db, artist.id)?,
                None => String::new(),
            },
            artists,
            guests: guests.into_iter().collect(),
            year: sum.year,
            genres: sum.genres,
            song_count: parts.len(),
            duration: parts.iter().map(|part| part.duration).sum(),
            created: parts.iter().map(|part| part.created).min().unwrap_or(self.now),
            mbid: sum.mbid,
            version: sum.version,
            compilation: sum.compilation,
            explicit: sum.explicit,
            picture,
            extra: sum.extra,
        };
        albums::set_facts(db, id, &facts, &mut self.touched)?;
        Ok(())
    }

    /// Whether `reunite_albums` or `reunite_artists` has anything to look at.
    pub fn has_left(&self) -> bool {
        !self.left.is_empty() || !self.left_artists.is_empty()
    }

    /// Gives albums that lost all their songs to one album made in this scan their songs back: the
    /// title or the folder changed, the album is the same.
    pub fn reunite_albums(&mut self, db: &Transaction) -> Result<()> {
        for (old, new) in only_ones(mem::take(&mut self.left)) {
            if self.made.contains(&new) && albums::song_count(db, old)? == 0 {
                albums::take_over(db, old, new, &mut self.touched)?;
                self.made.remove(&new);
            }
        }
        Ok(())
    }

    /// Lets artists that lost all their songs to one artist made in this scan be that artist: the
    /// spelling was corrected. Albums must be reunited and refreshed before.
    pub fn reunite_artists(&mut self, db: &Transaction) -> Result<()> {
        for (old, new) in only_ones(mem::take(&mut self.left_artists)) {
            if self.made_artists.contains(&new) && artists::is_left(db, old)? {
                artists::take_over(db, old, new, &mut self.touched)?;
                self.made_artists.remove(&new);
            }
        }
        Ok(())
    }
}

/// What was left for one thing alone.
fn only_ones(left: BTreeMap<i64, BTreeSet<i64>>) -> impl Iterator<Item = (i64, i64)> {
    left.into_iter().filter_map(|(old, new)| {
        let mut new = new.into_iter();
        new.next().filter(|_| new.next().is_none()).map(|new| (old, new))
    })
}

/// The album of the videos of a music folder. It has no songs, and so nobody sees it.
fn of_videos(db: &Transaction, place: &names::Place) -> Result<i64> {
    let key = [format!("videos:{}", place.root)];
    match albums::known_by(db, &key)? {
        Some(id) => Ok(id),
        None => {
            let id = albums::add(db, place.root, place.album_folder, "")?;
            albums::add_keys(db, id, &key)?;
            Ok(id)
        }
    }
}

/// What a video's row holds besides that of a song: of the captions those beside the file come
/// first, and those of a few words last.
fn video(seen: &tags::Video, file: &File) -> Video {
    let stem = beside::stem(&file.name);
    let beside =
        file.captions.iter().map(|name| (beside::told(name, stem), Place::File(name.clone())));
    let inside = seen.captions.iter().map(|track| (track.clone(), Place::Track(track.number)));
    let mut captions: Vec<_> = beside.chain(inside).collect();
    captions.sort_by_key(|(told, _)| told.forced);
    Video {
        frame: Frame { width: seen.width, height: seen.height },
        poster: file.poster.as_ref().map(|poster| poster.name.clone()),
        audio_tracks: seen.audio_tracks.clone(),
        captions: captions
            .into_iter()
            .map(|(told, place)| Caption { language: told.language, name: told.name, place })
            .collect(),
    }
}

/// What a folder means for the albums of the songs in it.
pub fn place(db: &rusqlite::Connection, folder: i64) -> Result<names::Place> {
    let (root, parent, name) = folders::place(db, folder)?;
    let name = crate::db::display_name(&name);
    let disc = names::disc_folder(&name);
    let Some((disc, parent)) = disc.zip(parent) else {
        let (album_folder, album_folder_name) = (folder, name);
        return Ok(names::Place { root, album_folder, album_folder_name, above: parent, disc: 0 });
    };
    let (_, above, name) = folders::place(db, parent)?;
    let album_folder_name = crate::db::display_name(&name);
    Ok(names::Place { root, album_folder: parent, album_folder_name, above, disc })
}

/// The music folder and the folder of the album that a song in a folder is on.
fn album_folder(db: &Transaction, folder: i64) -> Result<(i64, i64)> {
    let place = place(db, folder)?;
    Ok((place.root, place.album_folder))
}

/// The words of a song, those in the file beside it first.
fn words(tags: &Tags, beside: Option<&str>) -> Vec<(String, String)> {
    let beside = beside.map(|text| (String::new(), text.to_owned()));
    let inside = tags.lyrics.iter().map(|words| (words.language.clone(), words.text.clone()));
    beside.into_iter().chain(inside).collect()
}

/// A value of a tag as the file spells it, without the noise of its binary form.
fn rounded(value: Option<f32>, parts: f64) -> Option<f64> {
    value.map(|value| (f64::from(value) * parts).round() / parts)
}

fn some(number: u32) -> Option<u32> {
    (number > 0).then_some(number)
}
