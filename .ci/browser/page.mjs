// The page before anybody touches it: its weight, its language, what it shows without a script.
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { check, fitsSideways, passesAxe, plays, titles, until } from './driver.mjs';

const BUDGET = 30_000; // bytes of page and script over the wire

/** The bytes of an address on the wire for a client that takes these codings. */
const weigh = (address, codings) => new Promise((resolve, reject) => {
  get(address, { headers: { 'accept-encoding': codings } }, (answer) => {
    let bytes = 0;
    answer.on('data', (part) => { bytes += part.length; });
    answer.on('end', () => resolve([bytes, answer.headers['content-encoding']]));
  }).on('error', reject);
});

export default async function checks({ links, site }) {
  await check('page and script are small and come with a strict policy', links.plain, {}, async (page, response) => {
    const policy = response.headers()['content-security-policy'];
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'sha256-\S+' 'sha256-\S+';/);
    assert.doesNotMatch(policy, /unsafe|\*|data:/);
    const sizes = await page.evaluate(() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .filter((entry) => !/\.(jpg|png|svg)$/.test(entry.name)).map((entry) => [entry.name, entry.encodedBodySize]));
    assert.equal(sizes.length, 2, JSON.stringify(sizes));
    const script = sizes[1][0];
    for (const codings of ['gzip', 'gzip, br']) {
      const [[page, of], [code, by]] = [await weigh(links.plain, codings), await weigh(script, codings)];
      console.log(`     ${page + code} bytes for "${codings}": page ${page} (${of}), script ${code} (${by})`);
      assert.ok(page + code <= BUDGET);
    }
  });

  await check('it is painted after one request, and sounds after two', links.plain, {
    before: async (page) => {
      // The script comes late: the page must be seen before.
      await page.route('**/assets/*.js', async (route) => {
        await until(page, () => performance.getEntriesByName('first-contentful-paint').length > 0);
        await route.continue();
      });
    },
  }, async (page) => {
    const asked = [];
    page.on('request', (request) => { if (request.resourceType() !== 'image') asked.push(request); });
    const began = Date.now();
    await page.locator('.big').click();
    await plays(page, 0);
    const loaded = Date.now() - began;
    const of = await page.evaluate(() => performance.getEntriesByType('resource').map((entry) => [entry.initiatorType, entry.name]));
    const before = of.filter(([, name]) => !/\.(jpg|png|svg)$/.test(name) && !/\.wav$/.test(name));
    assert.equal(before.length, 1, `besides the page: ${JSON.stringify(before)}`);
    assert.match(asked.map((request) => request.url()).find((address) => !/\.svg$/.test(address)), /\.wav$/);
    console.log(`     from click to sound: ${loaded} ms, with the browser's own way of telling`);
  });

  await check('colours are taken from the cover', links.plain, {}, async (page) => {
    const colours = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement);
      return ['--accent', '--paper'].map((name) => style.getPropertyValue(name));
    });
    const other = await (await fetch(links.alone)).text();
    assert.ok(!other.includes(`--accent:${colours[0]}`), 'a page without a cover has the same colours');
    const sources = await page.locator('img.cover').evaluate((image) => [image.currentSrc, image.naturalWidth]);
    assert.match(sources[0], /-(300|600|1200)\.jpg$/);
    assert.ok(sources[1] > 0);
  });

  for (const [locale, lang, dir, words] of [
    ['de-AT', 'de', 'ltr', '5 Titel · 4 Min. · bis '],
    ['fr', 'fr', 'ltr', '5 titres · 4 min · jusqu’au '],
    ['es-MX', 'es', 'ltr', '5 pistas · 4 min · hasta el '],
    ['ja', 'ja', 'ltr', '5曲 · 4分 · '],
    ['ar-EG', 'ar', 'rtl', '5 مقاطع · 4 د · حتى '],
    ['nl', 'en', 'ltr', '5 tracks · 4 min · until '],
  ]) {
    await check(`it speaks ${lang} to ${locale}`, links.plain, {
      context: { locale, viewport: { width: 320, height: 640 } },
    }, async (page) => {
      assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), [lang, dir]);
      const facts = await page.locator('.facts').textContent();
      assert.ok(facts.startsWith(words), facts);
      await page.locator('.big').click();
      await plays(page, 0);
      await page.locator('.open-options').click();
      await fitsSideways(page);
      await passesAxe(page);
    });
  }

  await check('without JavaScript every track is there and plays', links.plain, {
    context: { javaScriptEnabled: false, viewport: { width: 320, height: 640 } },
  }, async (page) => {
    const tracks = await page.locator('.tracks > li').count();
    assert.equal(tracks, 5);
    assert.equal(await page.locator('.tracks audio:visible').count(), tracks);
    assert.equal(await page.locator('button:visible').count(), 0);
    await fitsSideways(page);
    const sound = page.locator('.tracks audio').nth(1);
    await sound.scrollIntoViewIfNeeded();
    const box = await sound.boundingBox();
    // The browser's own play button is the first thing in its controls.
    await page.mouse.click(box.x + 24, box.y + box.height / 2);
    while ((await sound.evaluate((one) => one.currentTime)) <= 0.2) await page.waitForTimeout(100);
    await page.locator('.more-ways summary').click();
    assert.equal(await page.locator('.more-ways a').first().isVisible(), true);
    await page.locator('a.words').first().click();
    await page.waitForURL(/\.lyrics$/);
    assert.match(await page.locator('main').textContent(), /a bird no heavier than a coin/);
    await fitsSideways(page);
    await page.locator('.from a').click();
    await page.waitForURL(links.plain);
  });

  await check('without its script it keeps the controls of the browser', links.plain, {
    before: (page) => page.route('**/assets/*.js', (route) => route.abort()),
    expected: /ERR_FAILED/,
  }, async (page) => {
    await until(page, () => document.querySelector('.tracks audio').offsetHeight > 40);
    assert.equal(await page.locator('button:visible').count(), 0);
    await passesAxe(page);
  });

  await check('lyrics have a page of their own', links.plain, {}, async (page) => {
    await page.goto(new URL(await page.locator('a.words').first().getAttribute('href'), links.plain).href);
    await passesAxe(page);
  });

  await check('the link can be shown as a picture, and that is fetched when it is asked for', links.plain, {}, async (page) => {
    const fetched = () => page.evaluate(() => performance.getEntriesByType('resource').filter((entry) => entry.name.includes('qr.svg')).length);
    assert.equal(await fetched(), 0);
    await page.locator('.more-ways summary').click();
    await until(page, () => document.querySelector('img.qr').naturalWidth > 0);
    assert.equal(await fetched(), 1);
    for (const link of await page.locator('.more-ways a').all()) {
      const answer = await page.request.get(new URL(await link.getAttribute('href'), links.plain).href);
      assert.equal(answer.status(), 200);
    }
  });

  await check('no name of a user is told', links.mix, {}, async (page) => {
    assert.doesNotMatch(await page.content(), /admin/);
    assert.equal(await page.locator('h1').textContent(), 'Shared music');
  });

  await check('what is missing is shown and not played', links.mix, {}, async (page) => {
    const row = page.locator('.tracks > li').nth(6);
    assert.match(await row.textContent(), /Gone Tomorrow.*not there at the moment/);
    assert.equal(await row.locator('button, a, audio').count(), 0);
    assert.equal(await page.locator('.tracks img.thumb').count(), 6);
    await page.locator('.tracks .go').nth(5).click();
    await plays(page, 5);
    assert.equal(await page.locator('.next').isDisabled(), true);
  });

  await check('a share of which nothing is left says so', links.alone, {}, async (page) => {
    assert.match(await page.locator('.nothing').textContent(), /Nothing is left here/);
    assert.equal(await page.locator('button:visible').count(), 0);
    await passesAxe(page);
  });

  await check('a passphrase opens a locked share', links.locked, {
    status: 401, expected: /status of 401/, cookies: 1, context: { locale: 'fr' },
  }, async (page) => {
    await passesAxe(page);
    await page.locator('#passphrase').fill('open says me');
    await page.keyboard.press('Enter');
    await page.locator('.trouble').waitFor();
    await passesAxe(page);
    await page.locator('#passphrase').fill('open sesame');
    await page.locator('form button').click();
    await page.locator('.tracks .go').first().click();
    await plays(page, 0);
    await page.locator('.open-lyrics').click();
    await until(page, () => document.querySelector('.lines button'));
  });

  for (const [name, address, status, heading] of [
    ['never was', `${site}/share/${'A'.repeat(16)}`, 404, 'does not lead anywhere'],
    ['has ended', links.ended, 410, 'has ended'],
  ]) {
    await check(`a link that ${name} says so`, address, {
      status, expected: /status of 4/, context: { viewport: { width: 320, height: 640 } },
    }, async (page) => {
      assert.match(await page.locator('h1').textContent(), new RegExp(heading));
      await fitsSideways(page);
      await passesAxe(page);
    });
  }

  await check('a list of thousands is quick', links.long, {}, async (page) => {
    assert.equal((await titles(page)).length, 2000);
    const began = Date.now();
    await page.locator('.tracks > li').nth(1500).locator('.go').click();
    await plays(page, 1500);
    const [{ domContentLoadedEventEnd, responseEnd }] = JSON.parse(await page.evaluate(() => JSON.stringify(performance.getEntriesByType('navigation'))));
    console.log(`     2000 tracks: alive ${Math.round(domContentLoadedEventEnd - responseEnd)} ms after the page was there, row to sound ${Date.now() - began} ms`);
  });

  await check('a fragment marks its track without JavaScript', links.plain, {
    fragment: '#4', context: { javaScriptEnabled: false, viewport: { width: 412, height: 500 } },
  }, async (page) => {
    assert.equal(await page.locator('.tracks li:target .title').textContent(), (await titles(page))[3]);
  });
}
