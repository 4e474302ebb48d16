#!/usr/bin/env python3
"""Makes the files beside it: `python3 make.py`, with ffmpeg in the path and mutagen installed.

Every sound is 0.4 s of a quiet tone of its own, by a real encoder; every tag is written by mutagen, but
for those mutagen cannot write, which are put together here byte by byte. See README.md.
"""
import struct
import subprocess
import zlib
from pathlib import Path

import mutagen
from mutagen import id3
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC, Picture
from mutagen.mp4 import MP4, MP4Cover, MP4FreeForm
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis

HERE = Path(__file__).parent
ARTIST_IDS = ["89ad4ac3-39f7-470e-963a-56509c546377", "0a5f5c5c-1111-4222-8333-444455556666"]
ALBUM_ID = "1b022e01-4da6-387b-8658-8678046e4cef"
RECORDING_ID = "5b11f4ce-a62d-471e-81fc-a69a8278c7da"


def png():
    """A picture of one pixel."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(b"\0\x20\x60\xa0")) + chunk(b"IEND", b""))


def sound(name, *options, tone=440, seconds=0.4, rate=44100):
    path = HERE / name
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
         f"sine=frequency={tone}:sample_rate={rate}:duration={seconds},volume=0.2",
         "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact", *options, path], check=True)
    return path


COMMENTS = {
    "TITLE": ["  Spaces  "], "TITLESORT": ["Spaces"], "ALBUM": ["Zero/One"], "ALBUMSORT": ["One, Zero"],
    "ARTIST": ["Ann feat. AC/DC"], "ARTISTS": ["Ann", "AC/DC"], "ARTISTSORT": ["Ann, A", "ACDC"],
    "MUSICBRAINZ_ARTISTID": ARTIST_IDS, "ALBUMARTIST": ["Ann", "Bob"], "ALBUMARTISTSORT": ["A", "B"],
    "MUSICBRAINZ_ALBUMARTISTID": ARTIST_IDS, "COMPOSER": ["Cho"], "CONDUCTOR": ["Con"], "LYRICIST": ["Lyr"],
    "REMIXER": ["Rem"], "ARRANGER": ["Arr"], "PRODUCER": ["Pro"], "ENGINEER": ["Eng"], "MIXER": ["Mix"],
    "DJMIXER": ["Dee"], "PERFORMER": ["Vio (violin)", "Per"],
    "TRACKNUMBER": ["3/12"], "DISCNUMBER": ["1"], "DISCTOTAL": ["2"], "DISCSUBTITLE": ["Live"],
    "DATE": ["2001-05-06"], "ORIGINALDATE": ["1968-11"], "COMPILATION": ["1"], "GENRE": ["Rock/Pop", "17", "Jazz; Funk"],
    "MOOD": ["calm", "dark"], "GROUPING": ["Group"], "WORK": ["Work"], "MOVEMENTNAME": ["Allegro"],
    "MOVEMENT": ["2"], "MOVEMENTTOTAL": ["4"], "LABEL": ["Label A", "Label B"], "RELEASETYPE": ["Album", "Live"],
    "ALBUMVERSION": ["Deluxe"], "ISRC": ["USRC17607839"], "COMMENT": ["A note"], "BPM": ["127.6"],
    "ITUNESADVISORY": ["1"], "MUSICBRAINZ_TRACKID": [RECORDING_ID], "MUSICBRAINZ_ALBUMID": [ALBUM_ID],
    "LYRICS": ["la la\nla"],
}
GAINS = {"REPLAYGAIN_TRACK_GAIN": ["-7.30 dB"], "REPLAYGAIN_TRACK_PEAK": ["0.988000"],
         "REPLAYGAIN_ALBUM_GAIN": ["-6.50 dB"], "REPLAYGAIN_ALBUM_PEAK": ["1.000000"]}


def front():
    picture = Picture()
    picture.type, picture.mime, picture.data = 3, "image/png", png()
    return picture


def comments(path, kind, gains=GAINS):
    file = kind(path)
    file.clear()
    for name, values in (COMMENTS | gains).items():
        file[name] = values
    if kind is FLAC:
        back = Picture()
        back.type, back.mime, back.data = 4, "image/png", b"back"
        file.add_picture(back)
        file.add_picture(front())
    else:
        import base64
        file["METADATA_BLOCK_PICTURE"] = [base64.b64encode(front().write()).decode()]
    file.save(**({"padding": lambda info: 0} if kind is FLAC else {}))


def frames(version, encoding):
    """All frames of an ID3 tag. A tag of version 3 joins lists with a slash, as its writers do."""
    many = (lambda values: ["/".join(values)]) if version == 3 else list
    text = lambda name, values: getattr(id3, name)(encoding=encoding, text=values)
    free = lambda name, values: id3.TXXX(encoding=encoding, desc=name, text=values)
    found = [
        text("TIT2", ["  Spaces  "]), text("TSOT", ["Spaces"]), text("TALB", ["Zero/One"]), text("TSOA", ["One, Zero"]),
        text("TPE1", ["Ann feat. Bob"]), free("ARTISTS", many(["Ann", "AC/DC"])), text("TSOP", many(["Ann, A", "ACDC"])),
        free("MusicBrainz Artist Id", many(ARTIST_IDS)), text("TPE2", many(["Ann", "Bob"])), text("TSO2", many(["A", "B"])),
        free("MusicBrainz Album Artist Id", many(ARTIST_IDS)), text("TCOM", many(["Cho", "Chu"])), text("TPE3", ["Con"]),
        text("TEXT", ["Lyr"]), text("TPE4", ["Rem"]), text("TRCK", ["3/12"]), text("TPOS", ["1/2"]), text("TSST", ["Live"]),
        text("TCMP", ["1"]), text("TCON", ["(17)(52)Funk"] if version == 3 else ["17", "(52)", "Funk/Soul"]),
        text("TIT1", ["Group"]), free("WORK", ["Work"]), text("MVNM", ["Allegro"]), text("MVIN", ["2/4"]),
        text("TPUB", many(["Label A", "Label B"])), free("MusicBrainz Album Type", many(["Album", "Live"])),
        free("ALBUMVERSION", ["Deluxe"]), text("TSRC", ["USRC17607839"]), text("TBPM", ["128"]), free("ITUNESADVISORY", ["2"]),
        free("MusicBrainz Album Id", [ALBUM_ID]), id3.UFID(owner="http://musicbrainz.org", data=RECORDING_ID.encode()),
        id3.COMM(encoding=encoding, lang="eng", desc="iTunNORM", text=["0000 0000"]),
        id3.COMM(encoding=encoding, lang="eng", desc="", text=["A note"]),
        id3.USLT(encoding=encoding, lang="deu", desc="", text="la la\nla"),
        id3.SYLT(encoding=encoding, lang="eng", format=2, type=1, desc="", text=[("one", 1000), ("two", 2500)]),
        id3.APIC(encoding=encoding, mime="image/png", type=4, desc="back", data=b"back"),
        id3.APIC(encoding=encoding, mime="image/png", type=3, desc="front", data=png()),
    ]
    found += [free(name, values) for name, values in GAINS.items()]
    if version == 4:
        found += [text("TDRC", ["2001-05-06"]), text("TDOR", ["1968-11"]), text("TMOO", ["calm", "dark"]),
                  id3.TIPL(encoding=encoding, people=[["producer", "Pro"], ["engineer", "Eng"], ["mix", "Mix"], ["DJ-mix", "Dee"], ["arranger", "Arr"]]),
                  id3.TMCL(encoding=encoding, people=[["violin", "Vio"]])]
    else:
        found += [text("TYER", ["2001"]), text("TDAT", ["0605"]), text("TORY", ["1968"]), free("MOOD", ["calm/dark"]),
                  id3.IPLS(encoding=encoding, people=[["producer", "Pro"], ["engineer", "Eng"], ["mix", "Mix"], ["DJ-mix", "Dee"], ["arranger", "Arr"], ["violin", "Vio"]])]
    return found


def tag_id3(path, version, encoding, v1=0):
    tag = id3.ID3()
    for frame in frames(version, encoding):
        tag.add(frame)
    tag.save(path, v1=v1, v2_version=version, v23_sep=None, padding=lambda info: 0)


def tag_chunk(path, version):
    """An ID3 tag in a chunk of a WAV or AIFF file."""
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    for frame in frames(version, 1 if version == 3 else 3):
        file.tags.add(frame)
    file.save(v2_version=version, v23_sep=None)


def tag_mp4(path):
    file = MP4(path)
    free = lambda *values: [MP4FreeForm(value.encode()) for value in values]
    file.tags.clear()
    plain = {"\xa9nam": ["  Spaces  "], "sonm": ["Spaces"], "\xa9alb": ["Zero/One"], "soal": ["One, Zero"],
             "\xa9ART": ["Ann feat. AC/DC"], "soar": ["Ann, A", "ACDC"], "aART": ["Ann", "Bob"], "soaa": ["A", "B"],
             "\xa9wrt": ["Cho"], "\xa9day": ["2001-05-06T07:00:00Z"], "\xa9gen": ["Rock", "Jazz"], "\xa9grp": ["Group"],
             "\xa9wrk": ["Work"], "\xa9mvn": ["Allegro"], "\xa9mvi": [2], "\xa9mvc": [4], "\xa9cmt": ["A note"],
             "\xa9lyr": ["la la\nla"], "trkn": [(3, 12)], "disk": [(1, 2)], "cpil": True, "tmpo": [128], "rtng": [4],
             "covr": [MP4Cover(png(), MP4Cover.FORMAT_PNG)]}
    own = {"ARTISTS": ["Ann", "AC/DC"], "MusicBrainz Artist Id": ARTIST_IDS, "MusicBrainz Album Artist Id": ARTIST_IDS,
           "MusicBrainz Album Id": [ALBUM_ID], "MusicBrainz Track Id": [RECORDING_ID], "MusicBrainz Album Type": ["Album", "Live"],
           "CONDUCTOR": ["Con"], "LYRICIST": ["Lyr"], "REMIXER": ["Rem"], "ARRANGER": ["Arr"], "PRODUCER": ["Pro"],
           "ENGINEER": ["Eng"], "MIXER": ["Mix"], "DJMIXER": ["Dee"], "DISCSUBTITLE": ["Live"], "ORIGINALDATE": ["1968-11"],
           "MOOD": ["calm", "dark"], "LABEL": ["Label A", "Label B"], "ISRC": ["USRC17607839"], "ALBUMVERSION": ["Deluxe"]}
    for name, value in plain.items():
        file[name] = value
    for name, values in (own | {name.lower(): values for name, values in GAINS.items()}).items():
        file[f"----:com.apple.iTunes:{name}"] = free(*values)
    file.save(padding=lambda info: 0)


def old_id3(unsynchronised=False):
    """A tag of version 2.2, which mutagen reads and does not write."""
    def frame(name, body):
        return name + struct.pack(">I", len(body))[1:] + body
    text = lambda name, value: frame(name, b"\0" + value)
    body = (text(b"TT2", b"Old title") + text(b"TP1", b"Ann/Bob") + text(b"TAL", b"Old album") + text(b"TRK", b"3/12")
            + text(b"TPA", b"1/2") + text(b"TYE", b"1999") + text(b"TDA", b"0605") + text(b"TCO", b"(17)") + text(b"TCP", b"1")
            + text(b"TCM", b"Cho") + frame(b"COM", b"\0eng\0A note") + frame(b"ULT", b"\0eng\0la la")
            + frame(b"PIC", b"\0PNG\x03\0" + png()))
    return b"ID3\x02\0\0" + syncsafe(len(body)) + body


def unsynchronised_id3():
    """A tag of version 2.3 with a zero after every 0xff, in UTF-16 with its mark of 0xff 0xfe."""
    def frame(name, text):
        body = b"\x01" + text.encode("utf-16")
        return name + struct.pack(">I", len(body)) + b"\0\0" + body
    body = frame(b"TIT2", "ÿes") + frame(b"TPE1", "Ånn/Bøb") + frame(b"TALB", "Zwölf") + frame(b"TRCK", "3")
    body = body.replace(b"\xff", b"\xff\0")
    return b"ID3\x03\0\x80" + syncsafe(len(body)) + body


def syncsafe(number):
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3v1(title, artist, album, genre):
    return (b"TAG" + title.ljust(30, b"\0") + artist.ljust(30, b" ") + album.ljust(30, b"\0") + b"1999"
            + b"Old note".ljust(28, b"\0") + bytes([0, 7, genre]))


def info_chunk(entries):
    body = b"INFO"
    for name, value in entries:
        body += name + struct.pack("<I", len(value)) + value + b"\0" * (len(value) % 2)
    return b"LIST" + struct.pack("<I", len(body)) + body


def around(path, head=b"", tail=b""):
    path.write_bytes(head + path.read_bytes() + tail)


def main():
    mp3 = ["-c:a", "libmp3lame", "-b:a", "64k", "-ac", "1", "-id3v2_version", "0", "-write_id3v1", "0"]
    for name, version, encoding in [("id3v24.mp3", 4, 3), ("id3v24-utf16.mp3", 4, 1), ("id3v23.mp3", 3, 1), ("id3v23-latin1.mp3", 3, 0)]:
        tag_id3(sound(name, *mp3), version, encoding)
    around(sound("id3v22.mp3", *mp3), head=old_id3())
    around(sound("unsynchronised.mp3", *mp3), head=unsynchronised_id3())
    around(sound("id3v1.mp3", *mp3), tail=id3v1(b"Fa\xe7ade", b"Ann", b"Old album", 17))
    path = sound("ape.mp3", *mp3)
    tag = APEv2()
    tag["Title"], tag["Artist"], tag["Album"] = "Ape title", ["Ann", "Bob"], "Ape album"
    tag["Track"], tag["Disc"], tag["Year"], tag["Genre"] = "3/12", "1/2", "2001-05-06", ["Rock", "Jazz"]
    tag["Album Artist"], tag["Comment"], tag["Lyrics"] = "Ann", "A note", "la la"
    tag["REPLAYGAIN_TRACK_GAIN"], tag["MUSICBRAINZ_TRACKID"] = "-7.30 dB", RECORDING_ID
    tag["Cover Art (Front)"] = mutagen.apev2.APEValue(b"cover.png\0" + png(), mutagen.apev2.BINARY)
    tag.save(path)
    around(path, tail=id3v1(b"Cut off title", b"Cut", b"Cut", 9))
    path = sound("two-tags.mp3", *mp3)
    tag_id3(path, 3, 1)
    first = id3.ID3()
    first.add(id3.TIT2(encoding=3, text=["The first tag"]))
    first.save(HERE / "first.tmp", v2_version=4, padding=lambda info: 0)
    around(path, head=(HERE / "first.tmp").read_bytes())
    (HERE / "first.tmp").unlink()
    sound("bare.mp3", *mp3, "-write_xing", "0")
    sound("other.mp3", *mp3, tone=660)
    path = sound("rva2.mp3", *mp3)
    tag = id3.ID3()
    tag.add(id3.RVA2(desc="track", channel=1, gain=-2.25, peak=0.5))
    tag.add(id3.RVA2(desc="album", channel=1, gain=-3.5, peak=0.75))
    tag.save(path, padding=lambda info: 0)

    comments(sound("comments.flac", "-c:a", "flac", "-sample_fmt", "s16", "-ac", "1"), FLAC)
    comments(sound("comments.ogg", "-c:a", "libvorbis", "-q:a", "0", "-ac", "2"), OggVorbis)
    comments(sound("flac.oga", "-c:a", "flac", "-sample_fmt", "s16", "-ac", "1", "-f", "oga"), OggFLAC)
    comments(sound("comments.opus", "-c:a", "libopus", "-b:a", "32k", "-ac", "1", rate=48000), OggOpus,
             {"R128_TRACK_GAIN": ["-512"], "R128_ALBUM_GAIN": ["256"]})
    tag_mp4(sound("aac.m4a", "-c:a", "aac", "-b:a", "48k", "-ac", "1"))
    tag_mp4(sound("alac.m4a", "-c:a", "alac", "-ac", "1", "-sample_fmt", "s16p"))
    sound("adts.aac", "-c:a", "aac", "-b:a", "48k", "-ac", "1", "-f", "adts")
    low = ["-ar", "8000", "-ac", "1"]
    tag_chunk(sound("id3.wav", "-c:a", "pcm_s16le", *low), 3)
    tag_chunk(sound("id3.aiff", "-c:a", "pcm_s16be", *low), 4)
    path = sound("info.wav", "-c:a", "pcm_s16le", *low)
    around(path, tail=info_chunk([(b"INAM", b"Info title"), (b"IART", b"Ann; Bob"), (b"IPRD", b"Caf\xe9"), (b"ICRD", b"2001-05-06"),
                                  (b"IGNR", b"Rock"), (b"ITRK", b"3"), (b"ICMT", b"A note")]))
    data = path.read_bytes()
    path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    named = ["-metadata", "title=Mat title", "-metadata", "artist=Ann; Bob", "-metadata", "album=Mat album", "-metadata", "album_artist=Ann",
             "-metadata", "track=3/12", "-metadata", "date=2001-05-06", "-metadata", "genre=Rock", "-metadata", "comment=A note"]
    sound("tagged.caf", "-c:a", "pcm_s16be", *low, "-metadata", "title=Caf title", "-metadata", "artist=Ann", "-metadata", "album=Caf album")
    sound("tagged.mka", "-c:a", "libvorbis", "-q:a", "0", "-ac", "1", *named)
    sound("tagged.webm", "-c:a", "libopus", "-b:a", "32k", "-ac", "1", *named, rate=48000)
    sound("alac.caf", "-c:a", "alac", "-ac", "1", "-sample_fmt", "s16p", *named)

    noise = bytes((number * 7919 >> 3) % 251 for number in range(4000))
    data = (HERE / "bare.mp3").read_bytes()
    (HERE / "really-flac.mp3").write_bytes((HERE / "comments.flac").read_bytes())
    (HERE / "id3-size-huge.mp3").write_bytes(b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + b"TIT2\0\0\0\x05\0\0\x03Huge" + data)
    (HERE / "id3-only.mp3").write_bytes(b"ID3\x04\0\0\0\0\0\x0f" + b"TIT2\0\0\0\x05\0\0\x03None")
    (HERE / "noise.mp3").write_bytes(noise)
    (HERE / "text.m4a").write_bytes(b"just text\n" * 50)
    (HERE / "atoms-huge.m4a").write_bytes(struct.pack(">I4s4sI", 16, b"ftyp", b"M4A ", 0) + struct.pack(">I4s", 0xFFFFFFFF, b"moov") + noise[:500])
    (HERE / "picture-huge.flac").write_bytes(b"fLaC\0\0\0\x22" + bytes(34) + b"\x86\xff\xff\xff" + struct.pack(">II", 3, 0xFFFFFFF0) + noise[:500])
    for path in HERE.iterdir():
        assert path.stat().st_size < 20_000, path


if __name__ == "__main__":
    main()
