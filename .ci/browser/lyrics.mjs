// Lyrics: those with times follow the sound, all can be read.
import assert from 'node:assert/strict';
import { check, passesAxe, plays, row, state, until } from './driver.mjs';

const sung = (page, words) => until(page, (words) => document.querySelector('.lines [aria-current]')?.textContent === words, words);

export default async function checks({ links }) {
  await check('lines follow the sound and lead to their time', links.plain, {}, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    assert.equal(await page.evaluate(() => performance.getEntriesByType('resource').filter((entry) => entry.name.includes('lyrics')).length), 0);
    await page.locator('.open-lyrics').click();
    await sung(page, 'before the first bus down the hill,');
    await page.locator('.lines button', { hasText: 'is up already' }).click();
    await plays(page, 0, 8);
    await sung(page, 'is up already, singing still.');
    await page.keyboard.press('ArrowLeft');
    await sung(page, '♪');
    await passesAxe(page);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.lyrics').isVisible(), false);
    assert.match(await page.evaluate(() => document.activeElement.className), /open-lyrics/);
    assert.equal(await page.locator('main').evaluate((main) => main.inert), false);
  });

  await check('lyrics of a track open from its row, without starting it', links.plain, {}, async (page) => {
    await page.locator('.tracks > li').nth(2).locator('a.words').click();
    await until(page, () => document.querySelector('.lines').textContent.includes('Nothing weighs less'));
    assert.equal(await page.locator('.lines button').count(), 0);
    assert.deepEqual([(await state(page)).current, (await state(page)).paused], [2, true]);
    assert.equal(await page.evaluate(() => document.activeElement.className), 'close');
    await passesAxe(page);
    await page.locator('.lyrics .close').click();
    assert.match(await page.evaluate(() => document.activeElement.className), /words/);
  });

  await check('the panel goes with the track, and closes where there are no lyrics', links.plain, {}, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    await page.locator('.open-lyrics').click();
    await until(page, () => document.querySelector('.lines button'));
    await page.locator('.next').click();
    await plays(page, 1);
    assert.equal(await page.locator('.lyrics').isVisible(), false);
    assert.equal(await page.locator('.open-lyrics').isVisible(), false);
    await page.locator('.next').click();
    await plays(page, 2);
    assert.equal(await page.locator('.open-lyrics').isVisible(), true);
  });

  await check('lyrics that cannot be fetched are told as such', links.plain, {
    before: (page) => page.route('**/*.lyrics.json', (route) => route.abort()), expected: /ERR_/,
  }, async (page) => {
    await page.locator('a.words').first().click();
    await until(page, () => document.querySelector('.lines').textContent === 'There are no lyrics to show.');
  });
}
