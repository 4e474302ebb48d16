// Checks the share page in a real browser, on a server and a music folder of its own.
//
//   npm install && node run.mjs <program> [folder for screenshots] [name of a file of checks ...]
//
// CHROMIUM names another browser than /usr/bin/chromium.
import { mkdirSync } from 'node:fs';
import { start } from './library.mjs';

const [program, pictures = 'target/browser', ...names] = process.argv.slice(2);
if (!program) {
  console.error('usage: node run.mjs <program> [folder for screenshots] [checks ...]');
  process.exit(2);
}
mkdirSync(pictures, { recursive: true });
const server = await start(program, 14100 + process.pid % 800);
const { browser, outcome } = await import('./driver.mjs');
try {
  for (const name of names.length ? names : ['page', 'player', 'trouble', 'lyrics', 'video', 'embed', 'shapes']) {
    const { default: checks } = await import(`./${name}.mjs`);
    await checks(server, pictures);
  }
} finally {
  await browser.close();
  await server.stop();
}
if (outcome.failed) console.log(server.log.join(''));
process.exitCode = outcome.failed ? 1 : 0;
console.log(`browser: ${outcome.passed} checks passed, ${outcome.failed} failed`);
