// Videos with captions.
import assert from 'node:assert/strict';
import { check, fitsSideways, passesAxe, plays, row, seekToEnd, until } from './driver.mjs';

export default async function checks({ links }, pictures) {
  for (const width of [320, 1280]) {
    await check(`a video plays with captions, and sound after it, at ${width} pixels`, links.video, {
      context: { viewport: { width, height: 800 } },
    }, async (page) => {
      await row(page, 0).click();
      await plays(page, 0);
      const seen = await page.locator('.stage video').evaluate((video) => [video.videoWidth > 0, video.controls, video.textTracks.length > 0]);
      assert.deepEqual(seen, [true, true, true]);
      await page.locator('.stage video').evaluate((video) => { video.textTracks[0].mode = 'showing'; });
      await until(page, () => document.querySelector('.stage video').textTracks[0].cues?.length > 0);
      await fitsSideways(page);
      await passesAxe(page);
      await page.screenshot({ path: `${pictures}/video-${width}.png` });
      await page.locator('.stage video').evaluate((video) => video.requestFullscreen());
      await until(page, () => document.fullscreenElement !== null);
      await page.evaluate(() => document.exitFullscreen());
      await seekToEnd(page, 0.4);
      await plays(page, 1);
      assert.ok(await page.locator('.stage video').evaluate((video) => video.currentSrc.endsWith('.webm') && video.textTracks.length === video.querySelectorAll('track').length));
      await seekToEnd(page, 0.4);
      await plays(page, 2);
      assert.equal(await page.locator('.stage').isVisible(), false);
    });
  }

  await check('without JavaScript a video has its own controls', links.video, { context: { javaScriptEnabled: false } }, async (page) => {
    const video = page.locator('.tracks video').first();
    assert.equal(await video.isVisible(), true);
    assert.ok(await video.locator('track[kind=captions]').count() > 0);
  });
}
