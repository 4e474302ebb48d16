// One player for all tracks. Without this script every track keeps controls of its own.
// Fragments: #3 or #track=3 starts with the third track, #t=90 or #t=1:30 at that time, #track=3&t=90 both.
'use strict';
(() => {
  const root = document.documentElement;
  root.classList.add('js');

  const PREFIX = 'kinglet:';
  const SAVE_EVERY = 5; // seconds of playing between two saved positions
  const RESTART_AFTER = 3; // seconds into a track after which "previous" means its beginning

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

  function enliven() {
    const one = (selector, within = document) => within.querySelector(selector);
    const text = (selector, within) => one(selector, within)?.textContent || '';
    const rows = [...document.querySelectorAll('.tracks > li')];
    if (!rows.length) return;
    const name = text('h1'), artist = text('.artist-of-all'), documentTitle = document.title;
    const tracks = rows.map((row) => ({
      row,
      src: one('audio', row).getAttribute('src'),
      title: text('.title', row),
      artist: text('.artist', row) || artist,
      album: text('.album', row) || name,
      length: seconds(text('.time', row)),
    }));
    const token = location.pathname.split('/').pop();
    const player = one('.player'), seek = one('.seek'), volume = one('.volume'), words = one('.words');
    const toggles = [one('.toggle'), one('.big')];
    const sound = new Audio();
    sound.preload = 'none';
    player.append(sound);

    let now = -1; // the chosen track
    let at = 0; // where it starts, until its sound is there; then where it is
    let wanted = false; // the listener wants sound
    let dragging = false;
    let saved = 0;
    let over = false; // the share has ended

    const length = () => Number.isFinite(sound.duration) && sound.duration || tracks[now]?.length || 0;
    const say = (message) => { words.textContent = message; };

    function show() {
      const whole = length(), position = dragging ? Number(seek.value) : at;
      seek.max = whole || 1;
      if (!dragging) seek.value = position;
      seek.style.setProperty('--filled', 100 * Math.min(1, position / (whole || 1)) + '%');
      seek.setAttribute('aria-valuetext', clock(position) + ' of ' + clock(whole));
      one('.at').textContent = clock(position);
      one('.length').textContent = clock(whole);
    }
    function showPlaying() {
      const playing = wanted && !over;
      root.classList.toggle('playing', playing);
      one('.toggle').setAttribute('aria-label', playing ? 'Pause' : 'Play');
      one('.big span').textContent = playing ? 'Pause' : 'Play';
      if ('mediaSession' in navigator) navigator.mediaSession.playbackState = playing ? 'playing' : 'paused';
    }
    function tellSystem() {
      if (!('mediaSession' in navigator) || !sound.duration || !Number.isFinite(sound.duration)) return;
      try {
        navigator.mediaSession.setPositionState({ duration: sound.duration, position: Math.min(sound.currentTime, sound.duration) });
      } catch { /* an old browser */ }
    }
    function save() {
      saved = at;
      if (now >= 0 && !over) store.set(token, JSON.stringify({ src: tracks[now].src, at: Math.floor(at) }));
    }

    function choose(index, from = 0) {
      tracks[now]?.row.removeAttribute('aria-current');
      now = index;
      at = saved = from;
      const track = tracks[now];
      track.row.setAttribute('aria-current', 'true');
      say('');
      player.hidden = false;
      one('.now b').textContent = track.title;
      one('.now span').textContent = track.artist;
      one('.previous').disabled = tracks.length < 2;
      one('.next').disabled = now + 1 >= tracks.length;
      document.title = track.artist ? track.title + ' – ' + track.artist : track.title;
      if ('mediaSession' in navigator && window.MediaMetadata) {
        const cover = one('img.cover');
        navigator.mediaSession.metadata = new MediaMetadata({
          title: track.title, artist: track.artist, album: track.album,
          artwork: cover ? [{ src: cover.src, sizes: '600x600' }] : [],
        });
      }
      sound.src = track.src;
      show();
    }
    function play() {
      if (over) return;
      if (now < 0) choose(0);
      else if (sound.error) choose(now, at);
      wanted = true;
      showPlaying();
      sound.play().catch((error) => { if (error.name === 'NotAllowedError') pause(); });
    }
    function pause() {
      wanted = false;
      sound.pause();
      showPlaying();
      save();
    }
    const toggle = () => (wanted ? pause() : play());
    function go(index, from = 0) {
      if (over || index < 0 || index >= tracks.length) return;
      choose(index, from);
      play();
    }
    function jump(to) {
      if (now < 0 || over) return;
      at = Math.max(0, Math.min(to, length() || to));
      if (sound.readyState) sound.currentTime = at;
      show();
    }
    const previous = () => (at > RESTART_AFTER || now < 1 ? jump(0) : go(now - 1));
    const next = () => go(now + 1);

    // What went wrong decides: the share has ended, the line is down, or just this track is broken.
    async function fail() {
      const failed = now;
      const answer = await fetch(location.pathname, { method: 'HEAD', cache: 'no-store' }).catch(() => null);
      if (failed !== now || !sound.error) return;
      const gone = answer && (answer.status === 404 || answer.status === 410);
      if (answer?.ok) {
        tracks[now].row.classList.add('broken');
        const message = '“' + tracks[now].title + '” cannot be played here.';
        if (wanted && now + 1 < tracks.length) next(); else pause();
        return say(message);
      }
      over = gone;
      pause();
      say(gone ? 'This link has ended. Ask whoever sent it for a new one.'
        : answer ? 'The server cannot answer now. Press play to try again.'
          : 'No connection. Press play to try again.');
      if (gone) {
        store.drop(token);
        for (const control of document.querySelectorAll('.player button, .player input, .big, .go')) control.disabled = true;
      }
    }

    sound.addEventListener('loadedmetadata', () => {
      if (at > 0) sound.currentTime = Math.min(at, length());
      show();
      tellSystem();
    });
    sound.addEventListener('timeupdate', () => {
      if (sound.seeking || !sound.readyState || sound.error) return;
      if (at !== sound.currentTime && !sound.paused) tracks[now].row.classList.remove('broken');
      at = sound.currentTime;
      if (Math.abs(at - saved) >= SAVE_EVERY) save();
      show();
    });
    sound.addEventListener('seeked', tellSystem);
    sound.addEventListener('playing', () => { wanted = true; showPlaying(); tellSystem(); });
    sound.addEventListener('pause', () => { if (!sound.ended && !sound.error && sound.readyState && wanted) pause(); });
    sound.addEventListener('error', fail);
    sound.addEventListener('ended', () => {
      if (now + 1 < tracks.length) return next();
      wanted = false;
      choose(0);
      showPlaying();
      store.drop(token);
      document.title = documentTitle;
    });
    for (const event of ['pagehide', 'visibilitychange']) addEventListener(event, () => { if (at > 0) save(); });

    rows.forEach((row, index) => {
      const button = document.createElement('button');
      button.className = 'go';
      button.append(...one('.title', row).childNodes);
      button.addEventListener('click', () => (index === now ? toggle() : go(index)));
      one('.title', row).append(button);
    });
    for (const button of toggles) button.addEventListener('click', toggle);
    one('.previous').addEventListener('click', previous);
    one('.next').addEventListener('click', next);
    seek.addEventListener('input', () => { dragging = true; show(); });
    seek.addEventListener('change', () => { dragging = false; jump(Number(seek.value)); });
    function setVolume(value) {
      sound.volume = volume.value = value;
      volume.style.setProperty('--filled', 100 * value + '%');
    }
    volume.addEventListener('input', () => { setVolume(Number(volume.value)); store.set('volume', volume.value); });
    setVolume(Math.min(1, Number(store.get('volume') ?? 1) || 0));
    function mute() {
      sound.muted = !sound.muted;
      one('.mute').setAttribute('aria-pressed', sound.muted);
    }
    one('.mute').addEventListener('click', mute);
    one('.link').addEventListener('click', async () => {
      history.replaceState(null, '', '#track=' + (now + 1) + '&t=' + Math.floor(at));
      try {
        await navigator.clipboard.writeText(location.href);
        say('A link to this moment is copied.');
      } catch {
        say('The address of this page now leads to this moment.');
      }
    });

    // Single keys can be switched off, for those who talk to their computer.
    const keys = one('.keys'), switched = one('.keys input');
    keys.hidden = false;
    switched.checked = store.get('keys') !== 'off';
    switched.addEventListener('change', () => store.set('keys', switched.checked ? 'on' : 'off'));
    const actions = {
      ' ': toggle, k: toggle, p: previous, n: next,
      ArrowLeft: () => jump(at - 5), ArrowRight: () => jump(at + 5),
      j: () => jump(at - 10), l: () => jump(at + 10),
      m: mute,
    };
    document.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !switched.checked) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (key === ' ' && event.target.closest('a, button, input, summary')) return;
      if (key.startsWith('Arrow') && event.target === volume) return;
      if (!Object.hasOwn(actions, key)) return;
      event.preventDefault();
      actions[key]();
    });

    if ('mediaSession' in navigator) {
      const handlers = {
        play, pause, stop: pause, previoustrack: previous, nexttrack: next,
        seekbackward: (detail) => jump(at - (detail.seekOffset || 10)),
        seekforward: (detail) => jump(at + (detail.seekOffset || 10)),
        seekto: (detail) => jump(detail.seekTime),
      };
      for (const [action, handler] of Object.entries(handlers)) {
        try { navigator.mediaSession.setActionHandler(action, handler); } catch { /* not known here */ }
      }
    }

    // Where to start: the fragment, else where this listener stopped.
    function fromFragment() {
      const fields = new URLSearchParams(location.hash.slice(1).replace(/^(\d+)(?=&|$)/, 'track=$1'));
      const index = Math.floor(Number(fields.get('track') || 1)) - 1;
      if ((!fields.has('track') && !fields.has('t')) || !tracks[index]) return false;
      choose(index, seconds(fields.get('t')));
      tracks[index].row.scrollIntoView({ block: 'nearest' });
      return true;
    }
    addEventListener('hashchange', () => { if (!over && fromFragment() && wanted) play(); });
    if (!fromFragment()) {
      let last = null;
      try { last = JSON.parse(store.get(token)); } catch { /* not ours */ }
      const index = tracks.findIndex((track) => track.src === last?.src);
      if (index >= 0) choose(index, Math.max(0, Number(last.at) || 0));
    }
    if (now >= 0) document.title = documentTitle;
    one('.big').hidden = false;
    showPlaying();
  }

  document.addEventListener('DOMContentLoaded', () => {
    try {
      enliven();
    } catch (error) {
      root.classList.remove('js');
      throw error;
    }
  });
})();
