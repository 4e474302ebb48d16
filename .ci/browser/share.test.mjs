// Checks the share page in a real browser.
//
//   npm install && node share.test.mjs https://host/share/<token> [folder for screenshots]
//
// The share must have three tracks or more, each of eight seconds or more. CHROMIUM names another browser
// than /usr/bin/chromium.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const [address, pictures] = process.argv.slice(2);
if (!address) {
  console.error('usage: node share.test.mjs <address of a share> [folder for screenshots]');
  process.exit(2);
}
const site = new URL(address).origin;
const token = new URL(address).pathname.split('/').pop();
const PATIENCE = 15_000; // milliseconds until something that must happen counts as not happening
const BUDGET = 30_000; // bytes of page, style and script over the wire
const TOUCH = 44; // pixels a finger needs

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
    '--autoplay-policy=no-user-gesture-required',
  ],
});
let passed = 0;

/** One check: a page of its own, and what may not happen behind its back. */
async function check(name, options, steps) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options.context });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(site + '/')) complaints.push('a request left the site: ' + request.url());
  });
  try {
    if (options.before) await options.before(page);
    const response = await page.goto(address + (options.fragment ?? ''));
    assert.equal(response.status(), options.status ?? 200);
    await steps(page, response);
    const unexpected = complaints.filter((text) => !options.expected?.test(text));
    assert.deepEqual(unexpected, []);
    passed += 1;
    console.log('ok   ' + name);
  } catch (error) {
    console.log('FAIL ' + name + '\n' + error.stack + complaints.map((text) => '\n     ' + text).join(''));
    process.exitCode = 1;
  }
  await context.close();
}

const state = (page) => page.evaluate(() => {
  const sound = document.querySelector('.player audio');
  const rows = [...document.querySelectorAll('.tracks > li')];
  return {
    time: sound.currentTime,
    paused: sound.paused,
    muted: sound.muted,
    current: rows.findIndex((row) => row.hasAttribute('aria-current')),
    words: document.querySelector('.words').textContent,
  };
});
/** Waits until `current` sounds beyond `time`. */
const plays = (page, current, time = 0) => page.waitForFunction(([current, time]) => {
  const sound = document.querySelector('.player audio');
  const rows = [...document.querySelectorAll('.tracks > li')];
  return rows[current].hasAttribute('aria-current') && !sound.paused && sound.currentTime > time;
}, [current, time]);
const until = (page, probe, argument) => page.waitForFunction(probe, argument);
const row = (page, index) => page.locator('.tracks .go').nth(index);
const titles = (page) => page.locator('.tracks .title').allTextContents();
const paused = (page) => until(page, () => document.querySelector('.player audio').paused);
/** Puts the slider, as a hand would, this many seconds before the end. */
const seekToEnd = (page, before) => page.locator('.seek').evaluate((seek, before) => {
  seek.value = Number(seek.max) - before;
  seek.dispatchEvent(new Event('input', { bubbles: true }));
  seek.dispatchEvent(new Event('change', { bubbles: true }));
}, before);
const fitsSideways = async (page) => {
  const [needs, has] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(needs <= has, `the page is ${needs} pixels wide in a window of ${has}`);
};
const smallTargets = (page) => page.evaluate((touch) => [...document.querySelectorAll('button, a, summary, input[type=range]')]
  .filter((target) => target.offsetParent && !target.classList.contains('go'))
  .map((target) => [target.outerHTML.slice(0, 60), target.getBoundingClientRect()])
  .filter(([, box]) => box.height < touch || box.width < touch)
  .map(([html, box]) => `${html} ${box.width}x${box.height}`), TOUCH);

await check('page, style and script are small and come with a strict policy', {}, async (page, response) => {
  const policy = response.headers()['content-security-policy'] ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*/);
  const sizes = await page.evaluate(() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .filter((entry) => !/cover|\.(jpg|png|webp)$/.test(entry.name))
    .map((entry) => [entry.name.split('/').pop(), entry.encodedBodySize]));
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  if (await page.locator('.tracks > li').count() <= 20) assert.ok(total <= BUDGET, JSON.stringify(sizes));
  console.log(`     ${total} bytes: ${sizes.map((entry) => entry.join(' ')).join(', ')}`);
});

await check('play plays, and the page says what', {}, async (page) => {
  await page.locator('.big').click();
  await plays(page, 0, 0.5);
  const [first] = await titles(page);
  assert.ok((await page.title()).startsWith(first));
  assert.equal(await page.locator('.now b').textContent(), first);
  assert.equal(await page.locator('.toggle').getAttribute('aria-label'), 'Pause');
  await page.locator('.toggle').click();
  await paused(page);
  assert.equal(await page.locator('.toggle').getAttribute('aria-label'), 'Play');
});

await check('the next track starts at the end of one', {}, async (page) => {
  await row(page, 0).click();
  await plays(page, 0);
  await seekToEnd(page, 1);
  await plays(page, 1);
});

await check('the last track ends the playing', {}, async (page) => {
  const last = await page.locator('.tracks > li').count() - 1;
  await row(page, last).click();
  await plays(page, last);
  await seekToEnd(page, 1);
  await until(page, () => document.querySelector('.tracks > li').hasAttribute('aria-current'));
  assert.equal((await state(page)).paused, true);
});

await check('a track plays when it is clicked, and stops when it is clicked again', {}, async (page) => {
  await row(page, 2).click();
  await plays(page, 2);
  await row(page, 2).click();
  await paused(page);
  await page.locator('.previous').click();
  await plays(page, 1);
  await page.locator('.next').click();
  await plays(page, 2);
});

await check('keys work', {}, async (page) => {
  await page.keyboard.press('Space');
  await plays(page, 0);
  await page.keyboard.press('k');
  await paused(page);
  const { time } = await state(page);
  await page.keyboard.press('ArrowRight');
  assert.ok(Math.abs((await state(page)).time - time - 5) < 0.5);
  await page.keyboard.press('ArrowLeft');
  assert.ok(Math.abs((await state(page)).time - time) < 0.5);
  await page.keyboard.press('l');
  assert.ok((await state(page)).time > time + 4);
  await page.keyboard.press('j');
  assert.ok((await state(page)).time < time + 1);
  await page.keyboard.press('n');
  await plays(page, 1);
  await page.keyboard.press('m');
  assert.equal((await state(page)).muted, true);
  await page.keyboard.press('p');
  await plays(page, 0);
});

await check('single keys can be switched off', {}, async (page) => {
  await page.locator('.keys summary').click();
  await page.locator('.keys input').uncheck();
  await page.locator('h1').click();
  await page.keyboard.press('k');
  assert.equal((await state(page)).current, -1);
  await page.reload();
  await page.keyboard.press('k');
  assert.equal((await state(page)).current, -1);
});

await check('everything is reached and seen with the tab key', {}, async (page) => {
  await row(page, 0).click();
  await plays(page, 0);
  const wanted = await page.evaluate(() => {
    document.activeElement.blur();
    return [...document.querySelectorAll('a[href], button:not(:disabled), input, summary')].filter((one) => one.checkVisibility()).length;
  });
  const seen = new Set();
  // One press more, which leads from the end of the page to its beginning.
  for (let press = 0; press <= wanted; press += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement === document.body)) continue;
    const [key, name, ring] = await page.evaluate(() => {
      const here = document.activeElement;
      const all = [...document.querySelectorAll('*')];
      const name = here.getAttribute('aria-label') || here.textContent || here.closest('label')?.textContent || '';
      const rings = [getComputedStyle(here), getComputedStyle(here, '::after')].map((style) => style.outlineStyle);
      return [all.indexOf(here), name.trim(), rings.some((style) => style !== 'none')];
    });
    assert.ok(name, 'something without a name has the focus');
    assert.ok(ring, `the focus on "${name}" is not seen`);
    seen.add(key);
  }
  assert.equal(seen.size, wanted);
});

await check('the system is told what plays', {}, async (page) => {
  await row(page, 1).click();
  await plays(page, 1);
  const told = await page.evaluate(() => {
    const { metadata, playbackState } = navigator.mediaSession;
    return { title: metadata.title, album: metadata.album, artwork: metadata.artwork.map((one) => one.src), playbackState };
  });
  assert.equal(told.title, (await titles(page))[1]);
  assert.ok(told.album);
  assert.equal(told.playbackState, 'playing');
  const covers = await page.locator('.cover:not(.none)').count();
  assert.equal(told.artwork.length, covers);
});

await check('the position is remembered', {}, async (page) => {
  await row(page, 1).click();
  await plays(page, 1);
  await page.keyboard.press('ArrowRight');
  await plays(page, 1, 5);
  await page.reload();
  const { current, paused: silent } = await state(page);
  assert.deepEqual([current, silent], [1, true]);
  await page.locator('.toggle').click();
  await plays(page, 1, 4);
});

await check('#3 starts with the third track', { fragment: '#3' }, async (page) => {
  await page.locator('.big').click();
  await plays(page, 2);
});

await check('#track=2&t=0:04 starts there, and #t=5 in the first', { fragment: '#track=2&t=0:04' }, async (page) => {
  await page.locator('.big').click();
  await plays(page, 1, 4);
  await page.evaluate(() => { location.hash = '#t=5'; });
  await plays(page, 0, 5);
});

await check('a link to this moment is offered', {}, async (page) => {
  await row(page, 1).click();
  await plays(page, 1, 1);
  await page.locator('.player .link').click();
  await until(page, () => document.querySelector('.words').textContent !== '');
  assert.match(page.url(), /#track=2&t=\d+$/);
});

await check('a track that cannot be played is named and skipped', {
  expected: /Failed to load resource/,
}, async (page) => {
  const broken = await page.locator('.tracks audio').nth(1).evaluate((sound) => sound.src);
  await page.route(broken, (route) => route.fulfill({ status: 404, body: '' }));
  await row(page, 1).click();
  await plays(page, 2);
  const [, second] = await titles(page);
  assert.ok((await state(page)).words.includes(second));
  assert.match(await page.locator('.tracks > li').nth(1).getAttribute('class'), /broken/);
});

await check('a share that ends while the page is open says so', {
  expected: /Failed to load resource/,
}, async (page) => {
  await row(page, 0).click();
  await plays(page, 0);
  await page.route('**/share/**', (route) => route.fulfill({ status: 410, body: '' }));
  await row(page, 1).click();
  await until(page, () => document.querySelector('.words').textContent.includes('ended'));
  assert.equal(await page.locator('.toggle').isDisabled(), true);
  assert.equal((await state(page)).paused, true);
});

await check('without a line the player waits, and goes on when asked', {
  expected: /Failed to load resource|ERR_/,
}, async (page) => {
  await row(page, 0).click();
  await plays(page, 0);
  await page.route('**/share/**', (route) => route.abort());
  await row(page, 1).click();
  await until(page, () => document.querySelector('.words').textContent.includes('No connection'));
  assert.equal((await state(page)).current, 1);
  await page.unroute('**/share/**');
  await page.locator('.toggle').click();
  await plays(page, 1);
});

for (const scheme of ['light', 'dark']) {
  await check(`a phone of 320 pixels fits it, in the ${scheme}`, {
    context: { viewport: { width: 320, height: 640 }, colorScheme: scheme, hasTouch: true, isMobile: true },
  }, async (page) => {
    await row(page, 0).tap();
    await plays(page, 0);
    await page.evaluate(() => {
      document.querySelector('h1').textContent = 'W'.repeat(200);
      document.querySelector('.go').textContent = 'W'.repeat(200);
    });
    await fitsSideways(page);
    assert.deepEqual(await smallTargets(page), []);
    if (pictures) await page.screenshot({ path: `${pictures}/phone-${scheme}.png` });
  });
}

await check('a wide window fits it', { context: { colorScheme: 'dark' } }, async (page) => {
  await row(page, 1).click();
  await plays(page, 1);
  await fitsSideways(page);
  if (pictures) await page.screenshot({ path: `${pictures}/wide-dark.png` });
});

await check('without JavaScript every track is there and plays', {
  context: { javaScriptEnabled: false, viewport: { width: 320, height: 640 } },
}, async (page) => {
  const tracks = await page.locator('.tracks > li').count();
  assert.ok(tracks >= 3);
  assert.equal(await page.locator('.tracks audio:visible').count(), tracks);
  assert.equal(await page.locator('button:visible').count(), 0);
  await fitsSideways(page);
  if (pictures) await page.screenshot({ path: `${pictures}/without-javascript.png` });
  const sound = page.locator('.tracks audio').nth(1);
  await sound.scrollIntoViewIfNeeded();
  const box = await sound.boundingBox();
  // The browser's own play button is the first thing in its controls.
  await page.mouse.click(box.x + 24, box.y + box.height / 2);
  const deadline = Date.now() + PATIENCE;
  while ((await sound.evaluate((one) => one.currentTime)) <= 0.2) {
    assert.ok(Date.now() < deadline, 'the sound does not start');
    await page.waitForTimeout(100);
  }
});

await check('a link that never was says so', {
  before: (page) => page.route(address, (route) => route.continue({ url: address.replace(token, 'A'.repeat(token.length)) })),
  status: 404,
  expected: /status of 404/,
}, async (page) => {
  assert.match(await page.locator('h1').textContent(), /does not lead anywhere/);
});

await browser.close();
console.log(process.exitCode ? `browser: ${passed} checks passed, others failed` : `browser: ${passed} checks passed`);
