// What all checks of the share page share: a browser, a page for each check, and what may not happen
// behind its back.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

export const PATIENCE = 30_000; // milliseconds until something that must happen counts as not happening
const TOUCH = 44; // pixels a finger needs
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
    '--autoplay-policy=no-user-gesture-required',
  ],
});
export const outcome = { passed: 0, failed: 0 };

/**
 * One check: a page of its own at `address`. `options`: context (of playwright), before (the page is opened),
 * fragment, status, expected (errors of the console that belong to the check), cookies (how many are set).
 */
export async function check(name, address, options, steps) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options.context });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const site = new URL(address).origin, complaints = [];
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(site + '/')) complaints.push('a request left the site: ' + request.url());
  });
  try {
    if (options.before) await options.before(page, context);
    const response = await page.goto(address + (options.fragment ?? ''));
    assert.equal(response.status(), options.status ?? 200);
    await steps(page, response, context);
    assert.deepEqual(complaints.filter((text) => !options.expected?.test(text)), []);
    assert.equal((await context.cookies()).length, options.cookies ?? 0, 'cookies were set');
    outcome.passed += 1;
    console.log('ok   ' + name);
  } catch (error) {
    outcome.failed += 1;
    console.log('FAIL ' + name + '\n' + error.stack + complaints.map((text) => '\n     ' + text).join(''));
  }
  await context.close();
}

export const state = (page) => page.evaluate(() => {
  const rows = [...document.querySelectorAll('.tracks > li')];
  const current = rows.findIndex((row) => row.hasAttribute('aria-current'));
  const decks = [...document.querySelectorAll('.player audio, .stage video')];
  const sound = decks.find((deck) => !deck.paused) || decks.find((deck) => deck.index === current) || decks[0];
  return {
    time: sound.currentTime,
    paused: sound.paused,
    muted: sound.muted,
    rate: sound.playbackRate,
    volume: sound.volume,
    current,
    words: document.querySelector('.say').textContent,
  };
});
/** Waits until `current` sounds beyond `time`. */
export const plays = (page, current, time = 0) => page.waitForFunction(([current, time]) => {
  const rows = [...document.querySelectorAll('.tracks > li')];
  return rows[current].hasAttribute('aria-current') && [...document.querySelectorAll('.player audio, .stage video')]
    .some((deck) => deck.index === current && !deck.paused && deck.currentTime > time);
}, [current, time]);
export const silent = (page) => page.waitForFunction(
  () => [...document.querySelectorAll('.player audio, .stage video')].every((deck) => deck.paused));
export const until = (page, probe, argument) => page.waitForFunction(probe, argument);
export const says = (page, words) => until(page, (words) => document.querySelector('.say').textContent.includes(words), words);
export const row = (page, index) => page.locator('.tracks > li').nth(index).locator('.go');
export const titles = (page) => page.locator('.tracks .title').allTextContents();
/** Puts the slider, as a hand would, this many seconds before the end. */
export const seekToEnd = (page, before) => page.locator('.seek').evaluate((seek, before) => {
  seek.value = Number(seek.max) - before;
  seek.dispatchEvent(new Event('input', { bubbles: true }));
  seek.dispatchEvent(new Event('change', { bubbles: true }));
}, before);

export async function fitsSideways(page) {
  const [needs, has] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(needs <= has, `the page is ${needs} pixels wide in a window of ${has}`);
}
/** What a finger has to hit is large enough. */
export async function fitsFingers(page) {
  assert.deepEqual(await page.evaluate((touch) => [...document.querySelectorAll('button, a, summary, select, input')]
    .filter((target) => target.checkVisibility() && !target.matches('.go, .lines button, p a, h1 a'))
    .map((target) => [target, (target.closest('label') || target).getBoundingClientRect()])
    .filter(([, box]) => box.height < touch || box.width < touch)
    .map(([target, box]) => `${target.outerHTML.slice(0, 60)} ${box.width}x${box.height}`), TOUCH), []);
}
/** axe-core finds nothing by the rules of WCAG 2.2 AA, nor by its own of good practice. It needs a browser that runs scripts. */
export async function passesAxe(page) {
  await page.evaluate(AXE);
  const found = await Promise.race([
    page.evaluate(() => axe.run(document, { iframes: false })),
    new Promise((resolve, reject) => { setTimeout(() => reject(new Error('axe-core does not come to an end')), 2 * PATIENCE).unref(); }),
  ]);
  assert.deepEqual(found.violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html.slice(0, 100)).join(' | ')}`), []);
}
