// The player: everything on it is pressed.
import assert from 'node:assert/strict';
import { check, plays, row, says, seekToEnd, silent, state, titles, until } from './driver.mjs';

/** Keeps the handlers of the Media Session, so that a check can press the keys of a headset. */
const headset = (page) => page.addInitScript(() => {
  window.pressed = {};
  const keep = navigator.mediaSession.setActionHandler.bind(navigator.mediaSession);
  navigator.mediaSession.setActionHandler = (action, handler) => { window.pressed[action] = handler; keep(action, handler); };
});
/** A clock that a check can put forward. */
const clock = (page) => page.addInitScript(() => {
  const now = Date.now;
  window.forward = 0;
  Date.now = () => now() + window.forward;
});
const choose = (page, selector, value) => page.locator(selector).selectOption(value);

export default async function checks({ links }) {
  await check('play plays, and the page says what', links.plain, {}, async (page) => {
    await page.locator('.big').click();
    await plays(page, 0, 0.5);
    const [first] = await titles(page);
    assert.ok((await page.title()).startsWith(first));
    assert.equal(await page.locator('.now b').textContent(), first);
    assert.equal(await page.locator('.toggle').getAttribute('aria-label'), 'Pause');
    await page.locator('.toggle').click();
    await silent(page);
    assert.equal(await page.locator('.toggle').getAttribute('aria-label'), 'Play');
  });

  await check('the next track waits, and starts at the end of one', links.plain, {}, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    await seekToEnd(page, 2.5);
    await until(page, () => [...document.querySelectorAll('.player audio')].some((deck) => deck.index === 1 && deck.readyState > 2));
    const gap = page.evaluate(() => new Promise((resolve) => {
      const [one, other] = [0, 1].map((index) => [...document.querySelectorAll('.player audio')].find((deck) => deck.index === index));
      let begun = 0, done = 0;
      const tell = () => { if (begun && done) resolve(begun - done); };
      other.addEventListener('playing', () => { begun ||= performance.now(); tell(); });
      one.addEventListener('ended', () => { done = performance.now(); tell(); });
    }));
    await plays(page, 1);
    console.log(`     from the end of one to the next: ${Math.round(await gap)} ms`);
    const asked = await page.evaluate(() => performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('.wav')).length);
    assert.ok(asked >= 2);
  });

  await check('the last track ends the playing', links.plain, {}, async (page) => {
    await row(page, 4).click();
    await plays(page, 4);
    await seekToEnd(page, 1);
    await until(page, () => document.querySelector('.tracks > li').hasAttribute('aria-current'));
    assert.equal((await state(page)).paused, true);
  });

  await check('a track plays when it is clicked, and stops when it is clicked again', links.plain, {}, async (page) => {
    await row(page, 2).click();
    await plays(page, 2);
    await row(page, 2).click();
    await silent(page);
    await page.locator('.previous').click();
    await plays(page, 1);
    await page.locator('.next').click();
    await plays(page, 2);
  });

  await check('the slider seeks by hand and by key, and shows what is fetched', links.plain, {}, async (page) => {
    await row(page, 4).click();
    await plays(page, 4, 0.3);
    const box = await page.locator('.seek').boundingBox();
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await plays(page, 4, 90);
    assert.match(await page.locator('.seek').getAttribute('aria-valuetext'), /^1:\d\d of 3:20$/);
    const { time } = await state(page);
    await page.locator('.seek').focus();
    await page.keyboard.press('ArrowRight');
    await plays(page, 4, time + 4);
    assert.match(await page.locator('.seek').evaluate((seek) => seek.style.getPropertyValue('--buffered')), /#8887/);
  });

  await check('it seeks by touch', links.plain, { context: { hasTouch: true, isMobile: true, viewport: { width: 412, height: 800 } } }, async (page) => {
    await row(page, 4).tap();
    await plays(page, 4);
    const box = await page.locator('.seek').boundingBox();
    await page.touchscreen.tap(box.x + box.width * 0.75, box.y + box.height / 2);
    await plays(page, 4, 120);
  });

  await check('keys work', links.plain, {}, async (page) => {
    await page.keyboard.press('Space');
    await plays(page, 0);
    await page.keyboard.press('k');
    await silent(page);
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

  await check('single keys can be switched off', links.plain, {}, async (page) => {
    await page.locator('.keys summary').click();
    await page.locator('.keys input').uncheck();
    await page.locator('h1').click();
    await page.keyboard.press('k');
    assert.equal((await state(page)).current, -1);
    await page.reload();
    await page.keyboard.press('k');
    assert.equal((await state(page)).current, -1);
  });

  await check('everything is reached and seen with the tab key', links.plain, {}, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    await page.locator('.open-options').click();
    const wanted = await page.evaluate(() => {
      document.activeElement.blur();
      return [...document.querySelectorAll('a[href], button:not(:disabled), input, select, summary')].filter((one) => one.checkVisibility()).length;
    });
    const seen = new Set();
    // One press more, which leads from the end of the page to its beginning.
    for (let press = 0; press <= wanted + 1; press += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => document.activeElement === document.body)) continue;
      const [key, name, ring] = await page.evaluate(() => {
        const here = document.activeElement;
        const name = here.getAttribute('aria-label') || here.textContent || here.closest('label')?.textContent || '';
        const rings = [getComputedStyle(here), getComputedStyle(here, '::after')].map((style) => style.outlineStyle);
        return [[...document.querySelectorAll('*')].indexOf(here), name.trim(), rings.some((style) => style !== 'none')];
      });
      assert.ok(name, 'something without a name has the focus');
      assert.ok(ring, `the focus on "${name}" is not seen`);
      seen.add(key);
    }
    assert.equal(seen.size, wanted);
  });

  await check('the system is told what plays, and its keys work', links.plain, { before: headset }, async (page) => {
    await row(page, 1).click();
    await plays(page, 1);
    const told = await page.evaluate(() => {
      const { metadata, playbackState } = navigator.mediaSession;
      return { title: metadata.title, album: metadata.album, artist: metadata.artist, artwork: metadata.artwork.map((one) => one.src), playbackState };
    });
    assert.deepEqual([told.title, told.album, told.artist, told.playbackState], ['Needle and Cone', 'Songs from the Spruce', 'The Goldcrests', 'playing']);
    assert.equal(told.artwork.length, 3);
    assert.equal(await page.evaluate((address) => fetch(address).then((answer) => answer.status), told.artwork[2]), 200);
    await page.evaluate(() => window.pressed.nexttrack());
    await plays(page, 2);
    await page.evaluate(() => window.pressed.seekto({ seekTime: 6 }));
    await plays(page, 2, 6);
    await page.evaluate(() => window.pressed.seekbackward({ seekOffset: 5 }));
    assert.ok((await state(page)).time < 5);
    await page.evaluate(() => window.pressed.previoustrack());
    await plays(page, 1);
    await page.evaluate(() => window.pressed.pause());
    await silent(page);
    await page.evaluate(() => window.pressed.play());
    await plays(page, 1);
  });

  await check('the position is remembered', links.plain, {}, async (page) => {
    await row(page, 1).click();
    await plays(page, 1);
    await page.keyboard.press('ArrowRight');
    await plays(page, 1, 5);
    await page.reload();
    const { current, paused } = await state(page);
    assert.deepEqual([current, paused], [1, true]);
    await page.locator('.toggle').click();
    await plays(page, 1, 4);
    const kept = await page.evaluate(() => [Object.keys(localStorage), sessionStorage.length]);
    assert.ok(kept[0].every((key) => key.startsWith('kinglet:')) && kept[1] === 0);
  });

  for (const [fragment, track, time] of [
    ['#3', 2, 0], ['#track=2&t=0:04', 1, 4], ['#t=5', 0, 5], ['#t=2,4', 1, 4], ['#t=5,1:30', 4, 90], ['#3&t=3', 2, 3],
  ]) {
    await check(`${fragment} starts there`, links.plain, { fragment }, async (page) => {
      await page.locator('.big').click();
      await plays(page, track, time);
    });
  }

  await check('a link to this moment is copied', links.plain, { before: (page, context) => context.grantPermissions(['clipboard-read', 'clipboard-write']) }, async (page) => {
    await row(page, 1).click();
    await plays(page, 1, 1.2);
    await page.locator('.open-options').click();
    await page.locator('.link').click();
    await says(page, 'copied');
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /#t=2,\d+$/);
    assert.equal(copied, page.url());
  });

  await check('where nothing may be copied, the link is there to be copied', links.plain, {
    before: (page) => page.addInitScript(() => { delete Navigator.prototype.clipboard; }),
  }, async (page) => {
    await row(page, 1).click();
    await plays(page, 1);
    await page.locator('.open-options').click();
    await page.locator('.link').click();
    const selected = await page.locator('.linked input').evaluate((field) => field.value.slice(field.selectionStart, field.selectionEnd));
    assert.equal(selected, page.url());
  });

  await check('the link is handed to the system where it takes it', links.plain, {
    before: (page) => page.addInitScript(() => { navigator.share = async (what) => { window.shared = what; }; }),
  }, async (page) => {
    await page.locator('button.share').click();
    assert.deepEqual(await page.evaluate(() => window.shared), { title: 'Songs from the Spruce', url: links.plain });
  });

  await check('speed, volume and silence are as they are set', links.plain, {}, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    await page.locator('.open-options').click();
    await choose(page, '.speed', '1.5');
    assert.equal((await state(page)).rate, 1.5);
    await page.locator('.next').click();
    await plays(page, 1);
    assert.equal((await state(page)).rate, 1.5);
    await page.locator('.volume').focus();
    for (let press = 0; press < 6; press += 1) await page.keyboard.press('ArrowDown');
    const { volume } = await state(page);
    assert.ok(volume < 0.8, String(volume));
    await page.locator('.mute').click();
    assert.equal((await state(page)).muted, true);
    assert.equal(await page.locator('.mute').getAttribute('aria-pressed'), 'true');
    await page.locator('.mute').click();
    await page.reload();
    assert.equal(await page.locator('.speed').inputValue(), '1.5');
    await page.locator('.toggle').click();
    await plays(page, 1);
    assert.deepEqual([(await state(page)).rate, (await state(page)).volume], [1.5, volume]);
  });

  await check('the sleep timer makes it silent', links.plain, { before: clock }, async (page) => {
    await row(page, 4).click();
    await plays(page, 4);
    await page.locator('.open-options').click();
    await choose(page, 'select.sleep', '15');
    assert.match(await page.locator('.options label', { has: page.locator('select.sleep') }).textContent(), /Stops in 1[45]:\d\d/);
    await page.evaluate(() => { window.forward = (15 * 60 - 5) * 1000; });
    await until(page, () => document.querySelector('.player audio').volume < 0.6);
    await page.evaluate(() => { window.forward += 5000; });
    await silent(page);
    await says(page, 'Good night');
    assert.deepEqual([(await state(page)).volume, await page.locator('select.sleep').inputValue()], [1, '']);
  });

  await check('or the end of the track does', links.plain, {}, async (page) => {
    await row(page, 0).click();
    await plays(page, 0);
    await page.locator('.open-options').click();
    await choose(page, 'select.sleep', 'end');
    await seekToEnd(page, 1);
    await silent(page);
    await says(page, 'Good night');
    assert.equal((await state(page)).current, 1);
  });

  await check('tracks are repeated and shuffled', links.plain, {}, async (page) => {
    await row(page, 4).click();
    await plays(page, 4);
    await page.locator('.open-options').click();
    assert.equal(await page.locator('.next').isDisabled(), true);
    await choose(page, '.repeat', 'all');
    await page.locator('.next').click();
    await plays(page, 0);
    await choose(page, '.repeat', 'one');
    await seekToEnd(page, 1);
    await until(page, () => document.querySelector('.player audio').ended || document.querySelector('.at').textContent < '0:05');
    await plays(page, 0, 0.2);
    await choose(page, '.repeat', '');
    await page.locator('.shuffle').check();
    const heard = [0];
    while (!(await page.locator('.next').isDisabled())) {
      await page.locator('.next').click();
      heard.push((await state(page)).current);
    }
    assert.deepEqual(heard.toSorted(), [0, 1, 2, 3, 4]);
  });

  await check('a track and all of it can be kept where that is allowed', links.plain, {}, async (page) => {
    const waiting = page.waitForEvent('download');
    await page.locator('a.get').first().click();
    assert.match((await waiting).suggestedFilename(), /First Light.*\.wav$/);
    const all = page.locator('.actions a[download]');
    const archive = page.waitForEvent('download');
    await all.click();
    assert.match((await archive).suggestedFilename(), /Songs from the Spruce.*\.zip$/);
  });
}
