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
const PEAK: f32 = 0.7;

/// Plays a piece: a bar that leads in, the rounds of its chords with the tune over them, and a last
/// bar that comes to rest. The length is a multiple of `FRAME`.
pub fn play(piece: &Piece) -> Vec<Sample> {
    let beat = 60.0 / piece.tempo;
    let bars = bars(piece);
    let length = at(bars as f32 * BAR * beat + TAIL).next_multiple_of(FRAME);
    let mut mix = Mix { dry: vec![[0.0; 2]; length], chance: 0x2545_f491 };
    for bar in 0..bars {
        let begin = bar as f32 * BAR * beat;
        let last = bar + 1 == bars;
        accompany(&mut mix, begin, beat, chord(piece, bar), last);
        if last {
            continue;
        }
        for (eighth, tone) in piece.figure.iter().enumerate() {
            if let Some(key) = chord(piece, bar).get(*tone) {
                let accent = if eighth % 4 == 0 { 0.2 } else { 0.14 };
                let side = if eighth % 2 == 0 { -0.4 } else { 0.4 };
                mix.pluck(begin + eighth as f32 * beat / 2.0, 1.6, key + 12, accent, side);
            }
        }
        if piece.drums {
            drum(&mut mix, begin, beat);
        }
    }
    for round in 0..piece.rounds {
        let start = (1 + round * piece.chords.len()) as f32 * BAR;
        for (begin, key, beats) in piece.tune {
            let begin = (start + begin) * beat;
            mix.bell(begin, beats * beat + 0.6, *key, 0.13);
            if round % 2 == 1 {
                mix.pluck(begin, 1.2, *key - 12, 0.16, -0.15);
            }
        }
    }
    if let Some((_, key, _)) = piece.tune.first() {
        mix.bell((bars - 1) as f32 * BAR * beat, BAR * beat + 2.0, *key, 0.13);
    }
    mix.master()
}

/// How many bars a piece has with the first and the last one.
fn bars(piece: &Piece) -> usize {
    piece.rounds * piece.chords.len() + 2
}

/// The chord of a bar. The first bar has the last chord, which leads home.
pub fn chord(piece: &Piece, bar: usize) -> [u8; 4] {
    let count = piece.chords.len();
    piece.chords[(bar + count - 1) % count]
}

/// Carpet and bass of a bar; the last one ends with its chord spread from the lowest tone.
fn accompany(mix: &mut Mix, begin: f32, beat: f32, chord: [u8; 4], last: bool) {
    for (voice, key) in chord.iter().enumerate() {
        let side = voice as f32 / 3.0 - 0.5;
        mix.pad(begin, BAR * beat, *key, 0.05, side);
        if last {
            mix.pluck(begin + voice as f32 * beat / 4.0, 2.5, key + 12, 0.2, side);
        }
    }
    if last {
        mix.bass(begin, BAR * beat, chord[0] - 12, 0.22);
    } else {
        mix.bass(begin, 1.8 * beat, chord[0] - 12, 0.22);
        mix.bass(begin + 2.0 * beat, 1.6 * beat, chord[0] - 12, 0.16);
    }
}

fn drum(mix: &mut Mix, begin: f32, beat: f32) {
    for quarter in 0..4 {
        let begin = begin + quarter as f32 * beat;
        if quarter % 2 == 0 {
            mix.kick(begin, 0.3);
        } else {
            mix.brush(begin, 0.1, -0.2);
        }
        mix.brush(begin + beat / 2.0, 0.05, 0.3);
    }
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

/// A sine that is asked for one sample after the other. Its phase stays small: a large one would
/// lose the bits that keep a tone free of noise.
struct Wave {
    /// In turns, 0 to 1.
    phase: f32,
    step: f32,
}

impl Wave {
    fn new(frequency: f32) -> Wave {
        Wave { phase: 0.0, step: frequency / RATE_F }
    }

    /// The next angle.
    fn next(&mut self) -> f32 {
        let angle = self.phase * TAU;
        self.phase += self.step;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
        }
        angle
    }
}

/// The sound of all voices together.
struct Mix {
    dry: Vec<[f32; 2]>,
    chance: u32,
}

impl Mix {
    /// Adds a voice: `sound` gives its samples by their number, `side` is -1 for left, 1 for right.
    fn add(&mut self, begin: f32, seconds: f32, side: f32, mut sound: impl FnMut(f32) -> f32) {
        let angle = (side + 1.0) * PI / 4.0;
        let (left, right) = (angle.cos(), angle.sin());
        let mut number = 0.0;
        for place in self.dry.iter_mut().skip(at(begin)).take(at(seconds)) {
            let sample = sound(number);
            place[0] += sample * left;
            place[1] += sample * right;
            number += 1.0;
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
        // The softening takes half a sample; what is left of the period beside whole samples is up
        // to an all-pass filter, which takes 0.1 to 1.1 of them.
        let period = RATE_F / frequency(key) - 0.5;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let length = (period - 0.1).max(2.0) as usize;
        let part = period - length as f32;
        let tuning = (1.0 - part) / (1.0 + part);
        let mut line: Vec<f32> = (0..length).map(|_| self.noise()).collect();
        // A finger is softer than noise, and does not push the string aside for good.
        for _ in 0..4 {
            let mut before = line[length - 1];
            for sample in &mut line {
                before = (*sample + before) / 2.0;
                *sample = before;
            }
        }
        let mean = line.iter().sum::<f32>() / length as f32;
        line.iter_mut().for_each(|sample| *sample -= mean);
        let (mut place, mut before, mut soft_before, mut tuned) = (0, 0.0, 0.0, 0.0);
        let end = seconds * RATE_F;
        self.add(begin, seconds, side, |number| {
            let now = line[place];
            let soft = (now + before) * 0.498;
            tuned = tuning * (soft - tuned) + soft_before;
            (before, soft_before, line[place]) = (now, soft, tuned);
            place += 1;
            if place == length {
                place = 0;
            }
            now * loud * 2.0 * (number / 60.0).min((end - number) / 2000.0).min(1.0)
        });
    }

    /// A bell: one sine bends the phase of another, less and less.
    fn bell(&mut self, begin: f32, seconds: f32, key: u8, loud: f32) {
        let mut wave = Wave::new(frequency(key));
        let length = seconds * RATE_F;
        self.add(begin, seconds, 0.1, |number| {
            let (angle, part) = (wave.next(), number / length);
            let fade = (1.0 - part) * (-3.0 * part).exp() * (number / 200.0).min(1.0);
            (angle + 0.9 * fade * (angle * 3.0).sin()).sin() * fade * loud
        });
    }

    /// A soft carpet: two sines a little apart, that come and go slowly.
    fn pad(&mut self, begin: f32, seconds: f32, key: u8, loud: f32, side: f32) {
        let frequency = frequency(key);
        let [mut low, mut high, mut octave] =
            [0.997, 1.003, 2.0].map(|by| Wave::new(frequency * by));
        let seconds = seconds + 0.5;
        let length = seconds * RATE_F;
        self.add(begin, seconds, side, |number| {
            let swell = (PI * number / length).sin().max(0.0).sqrt();
            let tone = high.next().sin() + low.next().sin() + 0.3 * octave.next().sin();
            tone * swell * loud
        });
    }

    fn bass(&mut self, begin: f32, seconds: f32, key: u8, loud: f32) {
        let mut wave = Wave::new(frequency(key));
        let length = seconds * RATE_F;
        self.add(begin, seconds, 0.0, |number| {
            let fade = (number / 400.0).min(1.0) * (1.0 - number / length).max(0.0);
            let angle = wave.next();
            (angle.sin() + 0.25 * (angle * 2.0).sin()) * fade * loud
        });
    }

    fn kick(&mut self, begin: f32, loud: f32) {
        let mut phase = 0.0;
        self.add(begin, 0.25, 0.0, |number| {
            let fade = (-number / (0.06 * RATE_F)).exp();
            phase += TAU * (45.0 + 70.0 * fade * fade) / RATE_F;
            phase.sin() * fade * loud
        });
    }

    /// A brush on a snare: the middle part of noise.
    fn brush(&mut self, begin: f32, loud: f32, side: f32) {
        let noise: Vec<f32> = (0..at(0.12)).map(|_| self.noise()).collect();
        let (mut noise, mut soft, mut before) = (noise.into_iter(), 0.0, 0.0);
        self.add(begin, 0.12, side, |number| {
            // The high part is softened too: a brush does not hiss.
            soft += 0.45 * (noise.next().unwrap_or(0.0) - soft);
            let high = soft - before;
            before = soft;
            high * (-number / (0.025 * RATE_F)).exp() * loud
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
            let number = (sample * gain * f32::from(i16::MAX)).round() as i16;
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

/// The echo of a small room: four lines of different lengths that feed themselves, and two that
/// blur what comes of them.
fn room(mix: &[[f32; 2]], channel: usize) -> Vec<f32> {
    let mut wet = vec![0.0; mix.len()];
    // The two ears hear different walls.
    let apart = 37 * channel;
    for length in [1_557, 1_733, 2_029, 2_311] {
        let (mut line, mut soft, mut number) = (vec![0.0; length + apart], 0.0, 0);
        for (place, sample) in wet.iter_mut().zip(mix) {
            let echo = line[number];
            soft = echo * 0.65 + soft * 0.35;
            line[number] = sample[channel] + soft * 0.78;
            number = if number + 1 == line.len() { 0 } else { number + 1 };
            *place += echo / 4.0;
        }
    }
    for length in [556, 225] {
        let (mut line, mut number) = (vec![0.0; length + apart], 0);
        for place in &mut wet {
            let echo = line[number] - 0.5 * *place;
            line[number] = *place + 0.5 * echo;
            number = if number + 1 == line.len() { 0 } else { number + 1 };
            *place = echo;
        }
    }
    wet
}
