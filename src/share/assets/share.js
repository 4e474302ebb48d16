// One player for all tracks. Without this script every track keeps controls of its own.
// Fragments: #t=3,90 starts the third track after 90 seconds; also #3, #track=3, #t=1:30, #track=3&t=90.
'use strict';
(() => {
  const PREFIX = 'kinglet:';
  const SAVE_EVERY = 5; // seconds of playing between two saved positions
  const RESTART_AFTER = 3; // seconds into a track after which "previous" means its beginning
  const FETCH_NEXT = 20; // seconds before the end at which the next track is fetched
  const STUCK = 12; // seconds without progress after which the line counts as lost
  const MOST_WAIT = 30; // seconds between two tries at most
  const MOST_TRIES = 4; // tries of a track whose file can be had and yet breaks off
  const FADE = 10; // seconds over which the sleep timer makes it silent
  const LOOK_AROUND = 4; // seconds after a hand scrolled the lyrics in which they do not follow

  const root = document.documentElement;
  const one = (selector, within = document) => within.querySelector(selector);
  const text = (selector, within) => one(selector, within)?.textContent || '';
  const media = navigator.mediaSession;

  // A store that may be switched off in the browser.
  const store = {
    get(key) { try { return localStorage.getItem(PREFIX + key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(PREFIX + key, value); } catch { /* not remembered */ } },
    drop(key) { try { localStorage.removeItem(PREFIX + key); } catch { /* was not there */ } },
  };

  const clock = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds) || 0);
    const two = (number) => String(number).padStart(2, '0');
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return (hours ? hours + ':' + two(minutes) : minutes) + ':' + two(whole % 60);
  };
  const seconds = (text) => /^\d+(:\d{1,2}){0,2}(\.\d+)?$/.test(text || '')
    ? text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) : 0;
  const fileName = (address) => String(address).split('/').pop();
  /** The status of an address: 0 where nobody answers. */
  const probe = (address) => fetch(address, { method: 'HEAD', cache: 'no-store' })
    .then((answer) => answer.status, () => 0);

  function enliven() {
    const rows = [...document.querySelectorAll('.tracks > li')];
    const words = JSON.parse(text('#texts'));
    const say = (key, title = '') => { one('.say').textContent = key ? words[key].replace('{title}', title) : ''; };
    const name = text('h1'), artist = text('.artist-of-all'), documentTitle = document.title;
    const token = document.body.dataset.share;
    const tracks = rows.map((row) => {
      const own = one('audio, video', row), link = one('a.words', row);
      own?.remove();
      return {
        row,
        src: own?.getAttribute('src'),
        video: own?.tagName === 'VIDEO' ? own : null,
        title: text('.title', row),
        artist: text('.artist', row) || artist,
        album: text('.album', row) || name,
        thumb: one('img.thumb', row)?.getAttribute('src'),
        lyrics: link?.getAttribute('href'),
        length: seconds(text('.time', row)),
      };
    });
    const playable = tracks.map((track, index) => index).filter((index) => tracks[index].src);
    if (!playable.length) return;

    const player = one('.player'), seek = one('.seek'), volume = one('.volume'), stage = one('.stage');
    const toggles = [one('.toggle'), one('.big')];
    // Two for sound, so that the next track waits in one while the other plays; one for pictures.
    const decks = [new Audio(), new Audio()], screen = document.createElement('video');
    screen.controls = screen.playsInline = true;
    player.append(...decks);
    stage.append(screen);
    for (const deck of [...decks, screen]) {
      deck.preload = 'none';
      deck.index = -1;
    }

    let sound = decks[0]; // what is heard
    let now = -1; // the chosen track
    let at = 0; // where it starts, until its sound is there; then where it is
    let wanted = false; // the listener wants sound
    let dragging = false;
    let saved = 0;
    let over = false; // the share has ended
    let tries = 0, retry = 0; // how often the line was tried since it was lost, and the timer of the next try
    let change = 0; // the timer that starts the next track
    let order = playable, repeat = '';
    let speed = Number(store.get('speed')) || 1;
    let sleepAt = 0, sleepAfter = false; // when to fall silent, in ms since 1970; or after this track

    const length = () => Number.isFinite(sound.duration) && sound.duration || tracks[now]?.length || 0;
    /** The track after or before one, by the order that is wanted; undefined where there is none. */
    function beside(index, step) {
      const place = order.indexOf(index) + step;
      return order[repeat === 'all' ? (place + order.length) % order.length : place];
    }

    function show() {
      const whole = length(), position = dragging ? Number(seek.value) : at;
      seek.max = whole || 1;
      if (!dragging) seek.value = position;
      const part = (time) => (100 * Math.min(1, time / (whole || 1))).toFixed(2) + '%';
      seek.style.setProperty('--filled', part(position));
      let fetched = 'transparent 0';
      for (let range = 0; range < sound.buffered.length; range += 1) {
        const from = part(sound.buffered.start(range)), to = part(sound.buffered.end(range));
        fetched += `,transparent ${from},#8887 ${from},#8887 ${to},transparent ${to}`;
      }
      seek.style.setProperty('--buffered', `linear-gradient(to right,${fetched},transparent)`);
      seek.setAttribute('aria-valuetext', words.at.replace('{at}', clock(position)).replace('{length}', clock(whole)));
      one('.at').textContent = clock(position);
      one('.length').textContent = clock(whole);
    }
    function showPlaying() {
      const playing = wanted && !over, label = playing ? words.pause : words.play;
      root.classList.toggle('playing', playing);
      if (!playing) root.classList.remove('waiting');
      one('.toggle').setAttribute('aria-label', label);
      one('.toggle').title = label;
      one('.big span').textContent = label;
      if (media) media.playbackState = playing ? 'playing' : 'paused';
    }
    function showNeighbours() {
      one('.previous').disabled = over || order.length < 2 && !repeat;
      one('.next').disabled = over || beside(now, 1) === undefined;
    }
    function tellSystem() {
      if (!media?.setPositionState || !sound.duration || !Number.isFinite(sound.duration)) return;
      try {
        media.setPositionState({
          duration: sound.duration,
          position: Math.min(sound.currentTime, sound.duration),
          playbackRate: sound.playbackRate,
        });
      } catch { /* an old browser */ }
    }
    function save() {
      saved = at;
      if (now >= 0 && !over) store.set(token, JSON.stringify({ src: fileName(tracks[now].src), at: Math.floor(at) }));
    }

    /** Puts a track into a deck. */
    function load(deck, index, preload) {
      deck.index = index;
      deck.preload = preload;
      if (deck === screen) screen.replaceChildren(...[...tracks[index].video.children].map((track) => track.cloneNode()));
      deck.src = tracks[index].src;
      deck.playbackRate = deck.defaultPlaybackRate = speed;
    }
    function unload(deck) {
      deck.index = -1;
      deck.pause();
      deck.removeAttribute('src');
      deck.load();
    }
    /** The deck that is free for a track while another is heard. */
    const free = (index) => (tracks[index].video ? screen : decks[sound === decks[0] ? 1 : 0]);

    function choose(index, from = 0) {
      clearTimeout(retry);
      clearTimeout(change);
      tracks[now]?.row.removeAttribute('aria-current');
      const last = sound, ready = [...decks, screen].find((deck) => deck !== last && deck.index === index && !deck.error);
      sound = ready || (tracks[index].video ? screen : last === screen ? decks[0] : last);
      if (last !== sound) unload(last);
      now = index;
      at = saved = from;
      const track = tracks[now];
      track.row.setAttribute('aria-current', 'true');
      say('');
      player.hidden = false;
      one('.now b').textContent = track.title;
      one('.now span span').textContent = track.artist;
      const thumb = one('.now .thumb');
      if (thumb && track.thumb) thumb.src = track.thumb;
      document.title = track.artist ? track.title + ' – ' + track.artist : track.title;
      if (media && window.MediaMetadata) {
        const stem = (track.thumb || thumb?.getAttribute('src') || '').replace(/-96\.jpg$/, '');
        media.metadata = new MediaMetadata({
          title: track.title, artist: track.artist, album: track.album,
          artwork: stem ? [96, 300, 600].map((size) => (
            { src: new URL(`${stem}-${size}.jpg`, location.href).href, sizes: `${size}x${size}`, type: 'image/jpeg' })) : [],
        });
      }
      if (!ready) load(sound, now, 'none');
      else if (from !== sound.currentTime) sound.currentTime = from;
      stage.hidden = !track.video;
      one('.open-lyrics').hidden = !track.lyrics;
      if (shown >= 0) track.lyrics ? openLyrics(now) : closeLyrics();
      showNeighbours();
      show();
    }
    function play() {
      if (over) return;
      clearTimeout(retry);
      if (now < 0) choose(order[0]);
      else if (sound.error || sound.index !== now) choose(now, at);
      // Safari lets a script start only what was loaded by a hand once.
      for (const deck of decks) if (deck.index < 0 && !deck.touched) { deck.touched = true; deck.load(); }
      wanted = true;
      showPlaying();
      sound.play().catch((error) => { if (error.name === 'NotAllowedError') pause(); });
    }
    function pause() {
      wanted = false;
      clearTimeout(retry);
      clearTimeout(change);
      sound.pause();
      showPlaying();
      save();
    }
    const toggle = () => (wanted ? pause() : play());
    function go(index, from = 0) {
      if (over || !tracks[index]?.src) return;
      tries = 0;
      choose(index, from);
      play();
    }
    function jump(to) {
      if (now < 0 || over) return;
      clearTimeout(change);
      at = Math.max(0, Math.min(to, length() || to));
      if (sound.readyState) sound.currentTime = at;
      show();
      follow(true);
    }
    const previous = () => {
      const index = beside(now, -1);
      if (at > RESTART_AFTER || index === undefined) jump(0); else go(index);
    };
    const next = () => go(beside(now, 1));

    function ended() {
      const index = repeat === 'one' ? now : beside(now, 1);
      if (sleepAfter) return sleep(index === undefined ? now : index);
      if (index === now) return go(now);
      if (index !== undefined) return go(index);
      wanted = false;
      choose(order[0]);
      showPlaying();
      store.drop(token);
      document.title = documentTitle;
    }

    // Near the end the next track is fetched into a free deck, and started there just before the end. Where
    // plays are counted, what is fetched and not heard would be one.
    function prepare() {
      if ('counted' in document.body.dataset) return;
      const index = repeat === 'one' ? undefined : beside(now, 1), left = (length() - sound.currentTime) / speed;
      if (index === undefined || index === now || sleepAfter || !(left < FETCH_NEXT)) return;
      const deck = free(index);
      if (deck === sound) return;
      if (deck.index !== index) load(deck, index, 'auto');
      if (left < 1 && wanted && !sound.paused && deck.readyState > 2 && deck !== screen) {
        clearTimeout(change);
        const heard = sound;
        change = setTimeout(() => {
          if (sound !== heard || !wanted || deck.index !== index) return;
          deck.volume = volume.value;
          deck.muted = sound.muted;
          deck.play().catch(() => { /* it is started again at the end */ });
        }, left * 1000);
      }
    }

    // What went wrong decides: the share has ended, the line is down, or just this track is broken.
    async function fail() {
      const failed = now, trouble = sound.error?.code || 2;
      if (!wanted) return;
      let status = await probe(tracks[failed].src);
      if (failed !== now || !wanted || over) return;
      if (status === 404 || status === 410) {
        const page = await probe(location.pathname);
        if (failed !== now || over) return;
        if (page === 404 || page === 410) return end();
        if (page === 401 || page === 403) return location.reload();
        if (page === 200) return skip('missing');
        status = page;
      }
      const there = status >= 200 && status < 300;
      tries += 1;
      if (there && (trouble > 2 || tries > MOST_TRIES)) return skip('broken');
      root.classList.add('waiting');
      say(status ? (there ? '' : 'busy') : 'offline');
      clearTimeout(retry);
      retry = setTimeout(again, there ? 500 : 1000 * Math.min(MOST_WAIT, 2 ** Math.min(tries, 5)));
    }
    function again() {
      if (!wanted || over) return;
      const message = text('.say');
      choose(now, at);
      one('.say').textContent = message;
      play();
    }
    function skip(why) {
      const { row, title } = tracks[now], index = beside(now, 1);
      row.classList.add('broken');
      tries = 0;
      if (index === undefined || index === now) pause(); else go(index);
      say(why, title);
    }
    function end() {
      over = true;
      pause();
      closeLyrics();
      say('ended');
      store.drop(token);
      for (const control of document.querySelectorAll('.player button, .player input, .player select, .big, .go')) control.disabled = true;
    }

    // A line that hangs without an error, as after a sleep of the machine.
    let lastTime = -1, lastFetched = -1, stuck = 0;
    setInterval(() => {
      const { buffered, currentTime } = sound;
      const fetched = buffered.length ? buffered.end(buffered.length - 1) : 0;
      const moves = currentTime !== lastTime || fetched !== lastFetched;
      stuck = moves || !wanted || sound.paused || sound.error ? 0 : stuck + 2;
      lastTime = currentTime;
      lastFetched = fetched;
      if (stuck >= STUCK) { stuck = 0; fail(); }
    }, 2000);
    addEventListener('online', () => { if (wanted && (sound.error || root.classList.contains('waiting'))) again(); });

    /** Listens to what happens in the deck that is heard. */
    const on = (event, act) => {
      for (const deck of [...decks, screen]) deck.addEventListener(event, () => { if (deck === sound && now >= 0) act(); });
    };
    on('loadedmetadata', () => {
      if (at > 0 && Math.abs(sound.currentTime - at) > 0.5) sound.currentTime = Math.min(at, length());
      show();
      tellSystem();
    });
    on('timeupdate', () => {
      if (sound.seeking || !sound.readyState || sound.error || sound.index !== now) return;
      if (at !== sound.currentTime && !sound.paused) {
        tracks[now].row.classList.remove('broken');
        root.classList.remove('waiting');
        if (tries) { tries = 0; say(''); }
      }
      at = sound.currentTime;
      if (Math.abs(at - saved) >= SAVE_EVERY) save();
      show();
      prepare();
    });
    on('progress', show);
    on('seeked', tellSystem);
    on('ratechange', tellSystem);
    on('waiting', () => { if (wanted) root.classList.add('waiting'); });
    on('playing', () => { wanted = true; showPlaying(); tellSystem(); });
    on('pause', () => { if (!sound.ended && !sound.error && sound.readyState && wanted) pause(); });
    on('error', () => { if (sound.index >= 0) fail(); });
    on('ended', ended);
    for (const event of ['pagehide', 'visibilitychange']) addEventListener(event, () => { if (at > 0 || wanted) save(); });

    rows.forEach((row, index) => {
      if (!tracks[index].src) return;
      const button = document.createElement('button');
      button.className = 'go';
      button.append(...one('.title', row).childNodes);
      one('.title', row).append(button);
    });
    one('.tracks').addEventListener('click', (event) => {
      const index = rows.indexOf(event.target.closest('li'));
      if (event.target.closest('.go')) { if (index === now) toggle(); else go(index); }
      if (event.target.closest('a.words') && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
        event.preventDefault();
        openLyrics(index, event.target.closest('a.words'));
      }
    });
    for (const button of toggles) button.addEventListener('click', toggle);
    one('.previous').addEventListener('click', previous);
    one('.next').addEventListener('click', next);
    seek.addEventListener('input', () => { dragging = true; show(); });
    seek.addEventListener('change', () => { dragging = false; jump(Number(seek.value)); });

    function setVolume(value) {
      for (const deck of [...decks, screen]) deck.volume = value;
      volume.value = value;
      volume.style.setProperty('--filled', 100 * value + '%');
    }
    volume.addEventListener('input', () => { setVolume(Number(volume.value)); store.set('volume', volume.value); });
    setVolume(Math.min(1, Number(store.get('volume') ?? 1) || 0));
    function mute() {
      const muted = !sound.muted;
      for (const deck of [...decks, screen]) deck.muted = muted;
      one('.mute').setAttribute('aria-pressed', muted);
    }
    one('.mute').addEventListener('click', mute);

    // The panel of further controls.
    const options = one('.options'), openOptions = one('.open-options');
    function showOptions(open) {
      options.hidden = !open;
      openOptions.setAttribute('aria-expanded', open);
    }
    openOptions.addEventListener('click', () => showOptions(options.hidden));
    const speeds = one('.speed');
    function setSpeed(value) {
      speed = value;
      for (const deck of [...decks, screen]) deck.playbackRate = deck.defaultPlaybackRate = speed;
    }
    speeds.value = String(speed);
    if (speeds.selectedIndex < 0) speeds.value = String(speed = 1);
    setSpeed(speed);
    speeds.addEventListener('change', () => { setSpeed(Number(speeds.value)); store.set('speed', speeds.value); });
    one('.repeat').addEventListener('change', (event) => { repeat = event.target.value; showNeighbours(); });
    one('.shuffle').addEventListener('change', (event) => {
      order = [...playable];
      if (event.target.checked) {
        for (let last = order.length - 1; last > 0; last -= 1) {
          const other = Math.floor(Math.random() * (last + 1));
          [order[last], order[other]] = [order[other], order[last]];
        }
        // What plays comes first, so that all others follow.
        if (now >= 0) order = [now, ...order.filter((index) => index !== now)];
      }
      showNeighbours();
    });
    one('.link').addEventListener('click', async () => {
      history.replaceState(null, '', `#t=${now + 1},${Math.floor(at)}`);
      const address = document.body.matches('.embed')
        ? new URL(`../${token}${location.hash}`, location.href).href : location.href;
      const linked = one('.linked'), field = one('.linked input');
      try {
        await navigator.clipboard.writeText(address);
        linked.hidden = true;
        say('copied');
      } catch {
        // Pages without https may not write there.
        field.value = address;
        linked.hidden = false;
        field.focus();
        field.select();
      }
    });
    if (navigator.share && one('.share')) {
      one('.share').hidden = false;
      one('.share').addEventListener('click', () => {
        navigator.share({ title: name, url: location.href.split('#')[0] }).catch(() => { /* thought better of it */ });
      });
    }

    // The sleep timer, by the time of day, since timers stand still while a machine sleeps.
    const sleeper = one('select.sleep'), sleepLabel = sleeper.previousSibling, sleepName = sleepLabel.textContent;
    sleeper.addEventListener('change', () => {
      sleepAfter = sleeper.value === 'end';
      sleepAt = Number(sleeper.value) ? Date.now() + Number(sleeper.value) * 60_000 : 0;
      setVolume(Number(volume.value));
      tick();
    });
    function tick() {
      const left = (sleepAt - Date.now()) / 1000;
      sleepLabel.textContent = sleepAt ? words.sleeping.replace('{time}', clock(Math.ceil(left))) : sleepName;
      if (!sleepAt) return;
      if (left <= 0) sleep(now);
      else if (left < FADE) for (const deck of decks) deck.volume = volume.value * left / FADE;
    }
    setInterval(tick, 1000);
    function sleep(index) {
      sleepAt = 0;
      sleepAfter = false;
      sleeper.value = '';
      pause();
      setVolume(Number(volume.value));
      tick();
      if (index !== now) choose(index);
      say('asleep');
      save();
    }

    // Lyrics: those with times follow the sound.
    const lyrics = one('.lyrics'), lines = one('.lines'), openLyricsButton = one('.open-lyrics');
    let shown = -1; // whose lyrics are open
    let starts = []; // when each line is sung, in seconds
    let sung = -1, touchedAt = 0, opener = null;
    async function openLyrics(index, from = null) {
      if (shown < 0) opener = from || openLyricsButton;
      const first = shown < 0;
      shown = index;
      starts = [];
      lines.replaceChildren(words.loading);
      lyrics.hidden = player.hidden = false;
      if (now < 0) choose(index);
      for (const behind of document.querySelectorAll('main, footer')) behind.inert = true;
      openLyricsButton.setAttribute('aria-expanded', 'true');
      showOptions(false);
      if (first) one('.close').focus();
      const found = await fetch(tracks[index].lyrics + '.json')
        .then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
      if (shown !== index) return;
      if (!found) return lines.replaceChildren(words.no_lyrics);
      lines.classList.toggle('plain', !found.synced);
      starts = found.synced ? found.lines.map(([start]) => start / 1000) : [];
      lines.replaceChildren(...found.lines.map(([start, words]) => {
        const line = document.createElement(found.synced ? 'button' : 'p');
        line.dir = 'auto';
        line.textContent = words || (found.synced ? '♪' : '');
        if (found.synced) line.addEventListener('click', () => (shown === now ? (jump(start / 1000), play()) : go(shown, start / 1000)));
        return line;
      }));
      lines.scrollTop = 0;
      follow(true);
    }
    function closeLyrics() {
      if (shown < 0) return;
      shown = -1;
      lyrics.hidden = true;
      for (const behind of document.querySelectorAll('main, footer')) behind.inert = false;
      openLyricsButton.setAttribute('aria-expanded', 'false');
      if (lyrics.contains(document.activeElement) || document.activeElement === document.body) opener?.focus();
    }
    function follow(anew = false) {
      if (shown < 0 || !starts.length) return;
      const time = shown === now ? (sound.readyState ? sound.currentTime : at) : -1;
      let line = starts.length - 1;
      while (line >= 0 && starts[line] > time + 0.1) line -= 1;
      if (line === sung && !anew) return;
      lines.children[sung]?.removeAttribute('aria-current');
      sung = line;
      const element = lines.children[line];
      element?.setAttribute('aria-current', 'true');
      if (element && (anew || Date.now() - touchedAt > LOOK_AROUND * 1000)) {
        lines.scrollTo({ top: element.offsetTop - lines.clientHeight * 0.38 });
      }
    }
    setInterval(follow, 100);
    for (const event of ['wheel', 'touchmove']) lines.addEventListener(event, () => { touchedAt = Date.now(); }, { passive: true });
    openLyricsButton.addEventListener('click', () => (shown >= 0 ? closeLyrics() : openLyrics(now)));
    one('.close').addEventListener('click', closeLyrics);

    // Single keys can be switched off, for those who talk to their computer.
    const keys = one('.keys'), switched = one('.keys input');
    const usesKeys = () => !switched || switched.checked;
    if (keys) {
      keys.hidden = false;
      switched.checked = store.get('keys') !== 'off';
      switched.addEventListener('change', () => store.set('keys', switched.checked ? 'on' : 'off'));
    }
    const actions = {
      ' ': toggle, k: toggle, p: previous, n: next,
      ArrowLeft: () => jump(at - 5), ArrowRight: () => jump(at + 5),
      j: () => jump(at - 10), l: () => jump(at + 10),
      m: mute,
    };
    document.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'Escape') return shown >= 0 ? closeLyrics() : showOptions(false);
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (!usesKeys() || !Object.hasOwn(actions, key) || event.target.closest('select, [readonly], video')) return;
      if (key === ' ' && event.target.closest('a, button, input, summary')) return;
      if (key.startsWith('Arrow') && event.target === volume) return;
      event.preventDefault();
      actions[key]();
    });

    if (media) {
      const handlers = {
        play, pause, stop: pause, previoustrack: previous, nexttrack: next,
        seekbackward: (detail) => jump(at - (detail.seekOffset || 10)),
        seekforward: (detail) => jump(at + (detail.seekOffset || 10)),
        seekto: (detail) => jump(detail.seekTime),
      };
      for (const [action, handler] of Object.entries(handlers)) {
        try { media.setActionHandler(action, handler); } catch { /* not known here */ }
      }
    }

    // Where to start: the fragment, else where this listener stopped.
    function fromFragment() {
      const fields = new URLSearchParams(location.hash.slice(1).replace(/^(\d+)(?=&|$)/, 'track=$1'));
      const [, track, time] = /^(\d+),(.*)$/.exec(fields.get('t')) || [null, fields.get('track') || 1, fields.get('t')];
      const index = Math.floor(Number(track)) - 1;
      if ((!fields.has('track') && !fields.has('t')) || !tracks[index]?.src) return false;
      choose(index, seconds(time));
      tracks[index].row.scrollIntoView({ block: 'nearest' });
      return true;
    }
    addEventListener('hashchange', () => { if (!over && fromFragment() && wanted) play(); });
    if (!fromFragment()) {
      let last = null;
      try { last = JSON.parse(store.get(token)); } catch { /* not ours */ }
      const index = tracks.findIndex((track) => track.src && fileName(track.src) === fileName(last?.src));
      if (index >= 0) choose(index, Math.max(0, Number(last.at) || 0));
    }
    if (now >= 0) document.title = documentTitle;
    // What lies over the page ends above the player.
    new ResizeObserver(() => root.style.setProperty('--player', player.offsetHeight + 'px')).observe(player);
    one('.big').hidden = false;
    showPlaying();
    root.classList.add('js');
  }

  enliven();
})();
