// Every width, light and dark, with and without a script: nothing is cut off, everything can be hit, axe finds
// nothing. The pictures are kept.
import { check, fitsFingers, fitsSideways, passesAxe, plays, row, until } from './driver.mjs';

const LONG = 'W'.repeat(200);

export default async function checks({ links }, pictures) {
  for (const [width, height] of [[320, 640], [412, 900], [1280, 800]]) {
    for (const colorScheme of ['light', 'dark']) {
      const mobile = width < 600;
      const context = { viewport: { width, height }, colorScheme, hasTouch: mobile, isMobile: mobile, reducedMotion: 'reduce' };
      const name = (what) => `${pictures}/${what}-${width}-${colorScheme}.png`;

      await check(`${width} pixels, ${colorScheme}`, links.plain, { context }, async (page) => {
        await page.screenshot({ path: name('page') });
        await passesAxe(page);
        await row(page, 0).click();
        await plays(page, 0);
        await fitsSideways(page);
        await fitsFingers(page);
        await passesAxe(page);
        await page.screenshot({ path: name('playing') });
        await page.locator('.open-options').click();
        await fitsSideways(page);
        await fitsFingers(page);
        await passesAxe(page);
        await page.screenshot({ path: name('options') });
        await page.locator('.open-lyrics').click();
        await until(page, () => document.querySelector('.lines [aria-current]'));
        await fitsSideways(page);
        await fitsFingers(page);
        await passesAxe(page);
        await page.screenshot({ path: name('lyrics') });
        await page.keyboard.press('Escape');
        await page.evaluate((long) => {
          for (const where of ['h1', '.go', '.artist-of-all', '.now b', '.note']) document.querySelector(where).textContent = long;
        }, LONG);
        await fitsSideways(page);
      });

      await check(`${width} pixels, ${colorScheme}, a mixed list in Arabic`, links.mix, { context: { ...context, locale: 'ar' } }, async (page) => {
        await row(page, 1).click();
        await plays(page, 1);
        await fitsSideways(page);
        await fitsFingers(page);
        await passesAxe(page);
        await page.screenshot({ path: name('arabic'), fullPage: true });
      });

      await check(`${width} pixels, ${colorScheme}, without its script`, links.mix, {
        context, expected: /ERR_FAILED/, before: (page) => page.route('**/assets/*.js', (route) => route.abort()),
      }, async (page) => {
        await until(page, () => document.querySelector('.tracks audio').offsetHeight > 40);
        await fitsFingers(page);
        await passesAxe(page);
      });

      await check(`${width} pixels, ${colorScheme}, without JavaScript`, links.mix, { context: { ...context, javaScriptEnabled: false } }, async (page) => {
        await fitsSideways(page);
        await page.screenshot({ path: name('without-javascript'), fullPage: true });
      });

      await check(`${width} pixels, ${colorScheme}, nothing left`, links.alone, { context }, async (page) => {
        await fitsSideways(page);
        await page.screenshot({ path: name('nothing') });
      });
    }
  }

  await check('3840 pixels', links.plain, { context: { viewport: { width: 3840, height: 2160 }, colorScheme: 'dark' } }, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    await fitsSideways(page);
    await page.screenshot({ path: `${pictures}/playing-3840-dark.png` });
  });

  await check('forced colours', links.plain, { context: { forcedColors: 'active' } }, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    await page.screenshot({ path: `${pictures}/forced-colours.png` });
    await passesAxe(page);
  });

  await check('more contrast', links.plain, { context: { contrast: 'more' } }, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    await passesAxe(page);
  });
}
