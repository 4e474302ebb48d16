// Covers for the checks, drawn here: a sun over hills, as PNG.
import { deflateSync } from 'node:zlib';

const SIDE = 800;

/** The check sum of PNG. */
function crc32(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? sum >>> 1 ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ -1) >>> 0;
}

function chunk(name, body) {
  const head = Buffer.alloc(8), tail = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  head.write(name, 4);
  tail.writeUInt32BE(crc32(Buffer.concat([Buffer.from(name), body])));
  return Buffer.concat([head, body, tail]);
}

/** A picture of four colours, each [red, green, blue]: the sky above and below, the sun, the hills. */
export function picture(high, low, sun, hills) {
  const mix = (one, other, part) => one.map((value, index) => value + (other[index] - value) * Math.min(1, Math.max(0, part)));
  const rows = Buffer.alloc(SIDE * (1 + 3 * SIDE));
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      const distance = Math.hypot(x - SIDE * 0.62, y - SIDE * 0.42) / SIDE;
      let colour = mix(high, low, y / SIDE * 1.3);
      colour = mix(colour, sun, (0.3 - distance) * 2.5);
      colour = mix(colour, sun, (0.15 - distance) * 200);
      for (let hill = 0; hill < 3; hill += 1) {
        const edge = SIDE * (0.62 + hill * 0.13) + 38 * Math.sin(x / (95 - 18 * hill) + 2 * hill) + 14 * Math.sin(x / 31 + hill);
        colour = mix(colour, mix(hills, low, 0.45 - 0.2 * hill), (y - edge) / 1.5);
      }
      rows.set(colour.map(Math.round), y * (1 + 3 * SIDE) + 1 + 3 * x);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(SIDE, 0);
  head.writeUInt32BE(SIDE, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(rows, { level: 3 })), chunk('IEND', Buffer.alloc(0))]);
}
