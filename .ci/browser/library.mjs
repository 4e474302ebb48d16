// A server of its own for the checks: a small music folder, a user, shares.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { picture } from './picture.mjs';

const MEDIA = join(dirname(fileURLToPath(import.meta.url)), '../../tests/media');
const PASSWORD = 'browser-' + process.pid;
const RATE = 8000; // samples a second of the sounds made here

/** An ID3v2.4 tag with texts in UTF-8. */
function tag(texts) {
  const size = (bytes) => Buffer.from([21, 14, 7, 0].map((shift) => (bytes >> shift) & 127));
  const frames = Object.entries(texts).map(([id, text]) => {
    const body = Buffer.concat([Buffer.from([3]), Buffer.from(String(text))]);
    return Buffer.concat([Buffer.from(id), size(body.length), Buffer.from([0, 0]), body]);
  });
  const body = Buffer.concat(frames);
  return Buffer.concat([Buffer.from('ID3'), Buffer.from([4, 0, 0]), size(body.length), body]);
}

/** A quiet tone as WAV. */
function wave(seconds, pitch, texts) {
  const samples = Buffer.alloc(RATE * seconds);
  for (let at = 0; at < samples.length; at += 1) samples[at] = 128 + 20 * Math.sin(2 * Math.PI * pitch * at / RATE);
  const chunk = (id, body) => {
    const head = Buffer.alloc(8);
    head.write(id);
    head.writeUInt32LE(body.length, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
  };
  const format = Buffer.alloc(16);
  format.writeUInt16LE(1, 0); // PCM
  format.writeUInt16LE(1, 2); // channels
  format.writeUInt32LE(RATE, 4);
  format.writeUInt32LE(RATE, 8);
  format.writeUInt16LE(1, 12);
  format.writeUInt16LE(8, 14);
  return chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), chunk('fmt ', format), chunk('id3 ', tag(texts)), chunk('data', samples)]));
}

/** Writes an album; a track is [title, artist, seconds]. */
function album(music, name, artist, tracks, cover) {
  const folder = join(music, artist, name);
  mkdirSync(folder, { recursive: true });
  tracks.forEach(([title, by, seconds], index) => {
    const texts = { TIT2: title, TPE1: by ?? artist, TPE2: artist, TALB: name, TRCK: index + 1 };
    writeFileSync(join(folder, `${String(index + 1).padStart(4, '0')}.wav`), wave(seconds, 220 + 30 * (index % 20), texts));
  });
  if (cover) writeFileSync(join(folder, 'cover.png'), cover);
  return folder;
}

/** The program at work on a music folder. */
export async function start(program, port) {
  const home = mkdtempSync(join(tmpdir(), 'kinglet-browser-'));
  const music = join(home, 'music');
  const spruce = album(music, 'Songs from the Spruce', 'The Goldcrests', [
    ['First Light', null, 14],
    ['Needle and Cone', null, 14],
    ['A Song of Five Grams', null, 14],
    ['Rain on the Window of the Last House before the Forest', 'The Goldcrests', 14],
    ['Moss', null, 200],
  ], picture([38, 70, 83], [233, 196, 106], [244, 162, 97], [30, 60, 50]));
  writeFileSync(join(spruce, '0001.lrc'), [
    '[00:00.00]Before the sun, before the wire', '[00:02.00]before the first bus down the hill,', '[00:04.00]',
    '[00:05.00]a bird no heavier than a coin', '[00:08.00]is up already, singing still.', '[00:11.00]Five grams of morning, and a crown.',
  ].join('\n'));
  writeFileSync(join(spruce, '0003.lrc'), 'Five grams of feather,\nfive grams of nerve.\n\nNothing weighs less\nand sings as much.');
  album(music, 'أغاني المساء', 'فرقة الضوء', [['أغنية المساء', null, 14], ['ليلة هادئة في المدينة القديمة', null, 14], ['شارع ٧', 'Light Street & فرقة الضوء', 14]], picture([60, 20, 90], [230, 90, 110], [255, 190, 120], [50, 20, 70]));
  const going = album(music, '夜の歌', '鶯', [['夜の歌', null, 14], ['雨の窓', '鶯 feat. <Anna>', 14], ['Gone Tomorrow', '鶯', 14]], picture([8, 14, 40], [40, 90, 160], [230, 235, 245], [10, 25, 60]));
  album(music, 'Every Day', 'Long List', Array.from({ length: 2000 }, (_, index) => [`Day ${index + 1}`, null, 1]), null);
  const short = album(music, 'One by One', 'Passing By', [['Here Today', null, 14]], null);
  const videos = join(music, 'Videos');
  mkdirSync(videos);
  copyFileSync(join(MEDIA, 'videos/faststart.mp4'), join(videos, 'Wings.mp4'));
  copyFileSync(join(MEDIA, 'videos/vp9.webm'), join(videos, 'Feathers.webm'));
  writeFileSync(join(videos, 'Wings.en.vtt'), 'WEBVTT\n\n00:00.000 --> 00:02.000\nWings.\n');

  const site = `http://127.0.0.1:${port}`;
  const log = [];
  const server = spawn(program, ['serve', '--music', music, '--data', join(home, 'data'), '--listen', `127.0.0.1:${port}`], {
    env: { ...process.env, KINGLET_ADMIN_PASSWORD: PASSWORD, KINGLET_LOG_LEVEL: 'warn' },
  });
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (text) => log.push(String(text)));
  const stopped = new Promise((resolve) => { server.on('exit', resolve); });
  const stop = async () => {
    server.kill();
    await stopped;
    rmSync(home, { recursive: true, force: true });
  };

  /** Calls the API; gives what is in `subsonic-response`. */
  async function call(method, parameters = []) {
    const salt = 'pepper', token = createHash('md5').update(PASSWORD + salt).digest('hex');
    const query = new URLSearchParams([['u', 'admin'], ['t', token], ['s', salt], ['v', '1.16.1'], ['c', 'browser'], ['f', 'json'], ...parameters]);
    const answer = (await (await fetch(`${site}/rest/${method}?${query}`)).json())['subsonic-response'];
    if (answer.status !== 'ok') throw new Error(`${method}: ${answer.error.message}`);
    return answer;
  }
  async function scan() {
    await call('startScan');
    while ((await call('getScanStatus')).scanStatus.scanning) await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  const deadline = Date.now() + 60_000;
  for (;;) {
    const there = await call('getScanStatus').then((answer) => !answer.scanStatus.scanning, () => false);
    if (there) break;
    if (Date.now() > deadline) throw new Error('the server does not answer\n' + log.join(''));
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }

  const search = async (query, kind) => (await call('search3', [['query', query]])).searchResult3[kind];
  const share = async (ids, options = {}) => {
    const { shares } = await call('createShare', [...ids.map((id) => ['id', id]), ...Object.entries(options)]);
    return shares.share[0];
  };
  const albums = async (name) => (await search(name, 'album'))[0].id;
  const videoOf = async (name) => {
    const { video } = (await call('getVideos')).videos;
    return video.find((one) => one.title.includes(name) || one.path?.includes(name)).id;
  };
  const songs = async (title) => (await search(title, 'song'))[0].id;
  const plain = await share([await albums('Songs from the Spruce')], {
    description: 'The one I told you about.\nStart with the third!', expires: String(Date.now() + 90 * 86_400_000), downloadable: 'true', embed: 'true',
  });
  const gone = await songs('Gone Tomorrow');
  const mix = await share([await songs('Needle and Cone'), await albums('أغاني المساء'), await albums('夜の歌')]);
  const alone = await share([await songs('Here Today')]);
  const long = await share([await albums('Every Day')]);
  unlinkSync(join(going, '0003.wav'));
  unlinkSync(join(short, '0001.wav'));
  await scan();
  const ended = await share([await albums('Songs from the Spruce')], { expires: String(Date.now() + 400) });
  const locked = await share([await albums('Songs from the Spruce')], { passphrase: 'open sesame' });
  const video = await share([await videoOf('Wings'), await videoOf('Feathers'), await songs('First Light')]);
  const links = { plain, mix, alone, long, ended, locked, video };
  for (const [name, made] of Object.entries(links)) links[name] = made.url;
  return { site, links, call, stop, log, gone, plainId: plain.id };
}
