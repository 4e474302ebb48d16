// The player in a page of another site.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { check, fitsSideways, passesAxe, plays } from './driver.mjs';

export default async function checks({ links, site }, pictures) {
  const wall = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>Another site</title><iframe src="${site}${request.url}" width="400" height="320" allow="autoplay"></iframe>`);
  });
  await new Promise((resolve) => { wall.listen(0, '127.0.0.1', resolve); });
  const other = `http://localhost:${wall.address().port}`;
  const token = links.plain.split('/').pop();

  for (const [width, height, scheme] of [[320, 152, 'light'], [400, 380, 'dark'], [700, 500, 'light']]) {
    await check(`the small player fits ${width} by ${height} pixels`, `${links.plain}/embed`, {
      context: { viewport: { width, height }, colorScheme: scheme },
    }, async (page) => {
      await page.locator('.big').click();
      await plays(page, 0, 0.2);
      assert.match(await page.locator('img.thumb').first().evaluate((image) => image.src), /\/share\/[^/]+\/\w+-96\.jpg$/);
      await page.locator('.next').click();
      await plays(page, 1);
      await fitsSideways(page);
      await passesAxe(page);
      await page.screenshot({ path: `${pictures}/embed-${width}-${scheme}.png` });
      assert.equal(await page.locator('h1 a').evaluate((link) => link.href), links.plain);
    });
  }

  const frame = async (name, address, options, steps) => {
    await check(name, address, { ...options, expected: /left the site|frame-ancestors|Failed to load/ }, steps);
  };
  await frame('another site may show the small player', `${other}/share/${token}/embed`, {}, async (page) => {
    const inner = page.frames()[1];
    await inner.locator('.big').click();
    await inner.waitForFunction(() => [...document.querySelectorAll('.player audio')].some((deck) => !deck.paused && deck.currentTime > 0.2));
  });
  await frame('no other site may show the page', `${other}/share/${token}`, {}, async (page) => {
    await page.waitForTimeout(500);
    assert.equal(await page.frames()[1].locator('.tracks').count(), 0);
  });
  const closed = links.mix.split('/').pop();
  await frame('nor the player of a share that is not let be', `${other}/share/${closed}/embed`, {}, async (page) => {
    await page.waitForTimeout(500);
    assert.equal(await page.frames()[1].locator('main').count(), 0);
  });
  wall.close();
}
