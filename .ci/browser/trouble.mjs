// What goes wrong while somebody listens.
import assert from 'node:assert/strict';
import { check, plays, row, says, silent, state, titles, until } from './driver.mjs';

const lost = /Failed to load resource|ERR_/;
const source = (page, index) => page.request.get(page.url()).then(async (answer) => {
  const sources = [...(await answer.text()).matchAll(/<audio [^>]*src="([^"]+)"/g)];
  return new URL(sources[index][1], page.url()).href;
});

export default async function checks({ links, call, plainId }) {
  await check('a track that cannot be played is named and skipped', links.plain, { expected: lost }, async (page) => {
    await page.route(await source(page, 1), (route) => (route.request().method() === 'HEAD'
      ? route.continue() : route.fulfill({ status: 200, contentType: 'audio/wav', body: 'no sound' })));
    await row(page, 1).click();
    await plays(page, 2);
    const [, second] = await titles(page);
    assert.ok((await state(page)).words.includes(second));
    assert.match(await page.locator('.tracks > li').nth(1).getAttribute('class'), /broken/);
  });

  await check('a track that has gone meanwhile is named and skipped', links.plain, { expected: lost }, async (page) => {
    await page.route(await source(page, 1), (route) => route.fulfill({ status: 404, body: '' }));
    await row(page, 1).click();
    await plays(page, 2);
    assert.match((await state(page)).words, /Needle and Cone.* is not there at the moment/);
  });

  await check('a lost line is tried again at the place where it was lost', links.plain, { expected: lost }, async (page) => {
    await row(page, 4).click();
    await plays(page, 4, 0.5);
    await page.route('**/share/**', (route) => route.abort());
    await page.evaluate(() => {
      const sound = [...document.querySelectorAll('.player audio')].find((deck) => deck.index === 4);
      // As if the machine had slept: what was fetched is gone, and there is no line.
      const { src } = sound;
      sound.currentTime = 70;
      sound.dispatchEvent(new Event('timeupdate'));
      sound.src = src;
      sound.play().catch(() => {});
    });
    await says(page, 'No connection');
    assert.equal((await state(page)).current, 4);
    await page.unroute('**/share/**');
    await plays(page, 4, 0);
    await until(page, () => document.querySelector('.say').textContent === '');
  });

  // The fourth track, since the second is fetched while the first plays.
  await check('it goes on at once when the line is back', links.plain, { expected: lost }, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    await page.route('**/share/**', (route) => route.abort());
    await row(page, 3).click();
    await says(page, 'No connection');
    await page.unroute('**/share/**');
    await page.evaluate(() => window.dispatchEvent(new Event('online')));
    await plays(page, 3);
  });

  await check('a server that is too busy is asked again', links.plain, { expected: lost }, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    await page.route('**/*.wav', (route) => route.fulfill({ status: 503, body: '' }));
    await row(page, 3).click();
    await says(page, 'Trying again');
    await page.unroute('**/*.wav');
    await plays(page, 3);
  });

  await check('a listener who gives up is left in peace', links.plain, { expected: lost }, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    await page.route('**/share/**', (route) => route.abort());
    await row(page, 3).click();
    await says(page, 'No connection');
    await page.locator('.toggle').click();
    await page.unroute('**/share/**');
    await page.waitForTimeout(3000);
    await silent(page);
    await page.locator('.toggle').click();
    await plays(page, 3);
  });

  await check('a share that ends while it is heard says so', links.plain, { expected: lost }, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    await call('updateShare', [['id', plainId], ['expires', String(Date.now() + 300)]]);
    await page.waitForTimeout(400);
    await row(page, 3).click();
    await says(page, 'ended');
    assert.equal(await page.locator('.toggle').isDisabled(), true);
    await silent(page);
    await call('updateShare', [['id', plainId], ['expires', String(Date.now() + 90 * 86_400_000)]]);
  });
}
