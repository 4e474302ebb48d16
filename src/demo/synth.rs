//! A small synthesiser: from the notes of a piece to sound.

use std::f32::consts::{PI, TAU};

use super::flac::{FRAME, RATE, Sample};
use super::score::Piece;

/// Samples a second, for the arithmetic of sound.
const RATE_F: f32 = RATE as f32;
/// Beats of a bar.
const BAR: f32 = 4.0;
/// Seconds that the last notes are left to fade.
const TAIL: f32 = 3.0;
/// The loudest sample, a little below what a file can hold.
const PEAK: f32 = 0.84;

/// Plays a piece; the length is a multiple of `FRAME`.
pub fn play(piece: &Piece) -> Vec<Sample> {
    let beat = 60.0 / piece.tempo;
    let seconds = piece.bars as f32 * BAR * beat + TAIL;
    let length = at(seconds).next_multiple_of(FRAME);
    let mut mix = Mix { dry: vec![[0.0; 2]; length], chance: 0x2545_f491 };
    for (bar, chord) in (0..piece.bars).zip(piece.chords.iter().cycle()) {
        let begin = bar as f32 * BAR * beat;
        for (voice, key) in chord.iter().enumerate() {
            let side = voice as f32 / 3.0 - 0.5;
            mix.pad(begin, BAR * beat, *key, 0.05, side);
        }
        mix.bass(begin, 1.8 * beat, chord[0] - 12, 0.22);
        mix.bass(begin + 2.0 * beat, 1.6 * beat, chord[0] - 12, 0.16);
        for (eighth, tone) in piece.figure.iter().enumerate() {
            if let Some(key) = chord.get(*tone) {
                let accent = if eighth % 4 == 0 { 0.2 } else { 0.14 };
                let side = if eighth % 2 == 0 { -0.4 } else { 0.4 };
                mix.pluck(begin + eighth as f32 * beat / 2.0, 1.6, key + 12, accent, side);
            }
        }
        if piece.drums {
            for quarter in 0..4 {
                let begin = begin + quarter as f32 * beat;
                if quarter % 2 == 0 {
                    mix.kick(begin, 0.3);
                }
                mix.brush(begin + beat / 2.0, 0.05, 0.3);
                if quarter % 2 == 1 {
                    mix.brush(begin, 0.1, -0.2);
                }
            }
        }
    }
    // The tune comes in after the first chords, and leaves the last bar to them.
    let mut start = BAR.min(piece.round);
    while start < piece.bars as f32 * BAR {
        for (begin, key, beats) in piece.tune {
            let begin = start + begin;
            if begin < (piece.bars as f32 - 0.5) * BAR {
                mix.bell(begin * beat, beats * beat + 0.6, *key, 0.13);
            }
        }
        start += piece.round;
    }
    mix.master()
}

/// The sample at a time; times are positive and short.
fn at(seconds: f32) -> usize {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let sample = (seconds.max(0.0) * RATE_F) as usize;
    sample
}

fn frequency(key: u8) -> f32 {
    440.0 * ((f32::from(key) - 69.0) / 12.0).exp2()
}

/// The sound of all voices together.
struct Mix {
    dry: Vec<[f32; 2]>,
    chance: u32,
}

impl Mix {
    /// Adds a voice: `sound` gives its samples by their number, `side` is -1 for left, 1 for right.
    fn add(&mut self, begin: f32, seconds: f32, side: f32, mut sound: impl FnMut(usize) -> f32) {
        let angle = (side + 1.0) * PI / 4.0;
        let (left, right) = (angle.cos(), angle.sin());
        let places = self.dry.iter_mut().skip(at(begin)).take(at(seconds));
        for (number, place) in places.enumerate() {
            let sample = sound(number);
            place[0] += sample * left;
            place[1] += sample * right;
        }
    }

    fn noise(&mut self) -> f32 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 17;
        self.chance ^= self.chance << 5;
        (self.chance >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    /// A plucked string (Karplus and Strong): noise going round in a line that softens it.
    fn pluck(&mut self, begin: f32, seconds: f32, key: u8, loud: f32, side: f32) {
        let length = at(1.0 / frequency(key)).max(2);
        let mut line: Vec<f32> = (0..length).map(|_| self.noise()).collect();
        // A finger is softer than noise.
        for _ in 0..2 {
            for place in 1..length {
                line[place] = (line[place] + line[place - 1]) / 2.0;
            }
        }
        let (mut place, mut before) = (0, 0.0);
        self.add(begin, seconds, side, |_| {
            let now = line[place];
            line[place] = (now + before) * 0.498;
            before = now;
            place = (place + 1) % length;
            now * loud * 1.6
        });
    }

    /// A bell: one sine bends the phase of another, less and less.
    fn bell(&mut self, begin: f32, seconds: f32, key: u8, loud: f32) {
        let step = TAU * frequency(key) / RATE_F;
        let length = seconds * RATE_F;
        self.add(begin, seconds, 0.1, |number| {
            let (phase, part) = (number as f32 * step, number as f32 / length);
            let fade = (1.0 - part) * (-3.0 * part).exp() * (number as f32 / 200.0).min(1.0);
            (phase + 1.6 * fade * (phase * 3.0).sin()).sin() * fade * loud
        });
    }

    /// A soft carpet: two sines a little apart, that come and go slowly.
    fn pad(&mut self, begin: f32, seconds: f32, key: u8, loud: f32, side: f32) {
        let step = TAU * frequency(key) / RATE_F;
        let seconds = seconds + 0.5;
        let length = seconds * RATE_F;
        self.add(begin, seconds, side, |number| {
            let number = number as f32;
            let swell = (PI * number / length).sin().sqrt();
            let tone = (number * step * 1.003).sin() + (number * step * 0.997).sin();
            (tone + 0.3 * (number * step * 2.0).sin()) * swell * loud
        });
    }

    fn bass(&mut self, begin: f32, seconds: f32, key: u8, loud: f32) {
        let step = TAU * frequency(key) / RATE_F;
        let length = seconds * RATE_F;
        self.add(begin, seconds, 0.0, |number| {
            let number = number as f32;
            let fade = (number / 400.0).min(1.0) * (1.0 - number / length);
            ((number * step).sin() + 0.25 * (number * step * 2.0).sin()) * fade * loud
        });
    }

    fn kick(&mut self, begin: f32, loud: f32) {
        let mut phase = 0.0;
        self.add(begin, 0.25, 0.0, |number| {
            let fade = (-(number as f32) / (0.06 * RATE_F)).exp();
            phase += TAU * (45.0 + 70.0 * fade * fade) / RATE_F;
            phase.sin() * fade * loud
        });
    }

    /// A brush on a snare: noise without its low part.
    fn brush(&mut self, begin: f32, loud: f32, side: f32) {
        let noise: Vec<f32> = (0..at(0.12)).map(|_| self.noise()).collect();
        let mut before = 0.0;
        self.add(begin, 0.12, side, |number| {
            let now = noise.get(number).copied().unwrap_or(0.0);
            let high = now - before;
            before = now;
            high * (-(number as f32) / (0.025 * RATE_F)).exp() * loud
        });
    }

    /// Adds the room, evens the loudness and fades the end.
    fn master(self) -> Vec<Sample> {
        let mut mix = self.dry;
        for channel in 0..2 {
            let room = room(&mix, channel);
            for (place, wet) in mix.iter_mut().zip(room) {
                place[channel] += 0.22 * wet;
            }
        }
        let loudest = mix.iter().flatten().fold(0.0_f32, |most, sample| most.max(sample.abs()));
        let gain = PEAK / loudest.max(f32::EPSILON);
        let (length, fade) = (mix.len() as f32, TAIL * RATE_F);
        let number = |sample: f32| {
            #[allow(clippy::cast_possible_truncation)]
            let number = (sample * gain * f32::from(i16::MAX)) as i16;
            number
        };
        mix.iter()
            .enumerate()
            .map(|(at, sample)| {
                let left = ((length - at as f32) / fade).min(1.0);
                sample.map(|sample| number(sample * left))
            })
            .collect()
    }
}

/// The echo of a small room: four lines of different lengths that feed themselves.
fn room(mix: &[[f32; 2]], channel: usize) -> Vec<f32> {
    let mut wet = vec![0.0; mix.len()];
    for length in [1_557, 1_733, 2_029, 2_311] {
        // The two ears hear different walls.
        let length = length + 37 * channel;
        let (mut line, mut soft) = (vec![0.0; length], 0.0);
        for (number, (place, sample)) in wet.iter_mut().zip(mix).enumerate() {
            let echo = line[number % length];
            soft = echo * 0.65 + soft * 0.35;
            line[number % length] = sample[channel] + soft * 0.78;
            *place += echo / 4.0;
        }
    }
    wet
}
