#!/usr/bin/env python3
"""Makes the files in `videos`: `python3 make_videos.py`, with ffmpeg in the path.

Every video is 2 s of a moving pattern and a quiet tone, by a real encoder. See README.md.
"""
import subprocess
import zlib
import struct
from pathlib import Path

HERE = Path(__file__).parent / "videos"
SRT = """1
00:00:00,000 --> 00:00:00,900
<i>First</i> & {last}

2
00:00:01,000 --> 00:00:01,800
Second <3
line
"""
VTT = """WEBVTT

00:00.100 --> 00:00.800 line:0
<v Ann>Erste & letzte</v>

00:01.100 --> 00:01.900
Zweite
"""
ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.20,0:00:00.90,Default,Ann,0,0,0,,{\\an8}Up, {\\i1}there{\\i0}\\Nand down
"""


def png(colour, side=64):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(colour) * side for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make(name, *options, inputs=(), size="128x96", tones=(440,), seconds=2):
    sources = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=10:duration={seconds}"]
    for tone in tones:
        sources += ["-f", "lavfi", "-i", f"sine=frequency={tone}:sample_rate=48000:duration={seconds},volume=0.2"]
    path = HERE / name
    subprocess.run(["ffmpeg", "-v", "error", "-y", *sources, *inputs, "-map_metadata", "-1", "-fflags", "+bitexact",
                    "-flags:v", "+bitexact", "-flags:a", "+bitexact", *options, path], check=True)
    return path


def main():
    HERE.mkdir(exist_ok=True)
    files = {"srt": SRT, "vtt": VTT, "ass": ASS}
    for suffix, text in files.items():
        (HERE / f"captions.{suffix}").write_text(text)
    (HERE / "cover.png").write_bytes(png((32, 96, 160)))
    (HERE / "font.tmp.ttf").write_bytes(b"\0\1\0\0 no font at all " * 20)
    srt, vtt, ass = (["-i", HERE / f"captions.{suffix}"] for suffix in files)
    h264 = ["-c:v", "libx264", "-profile:v", "baseline", "-crf", "36", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac", "-b:a", "32k", "-ac", "1"]
    named = ["-metadata", "title=A film", "-metadata", "artist=Ann", "-metadata", "date=2001", "-metadata", "comment=A note"]
    make("faststart.mp4", *h264, *named, "-movflags", "+faststart")
    make("late-head.mp4", *h264)
    make("captions.mp4", "-map", "0", "-map", "1", "-map", "2", "-map", "3", *h264, "-c:s", "mov_text",
         "-metadata:s:a:0", "language=eng", "-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=ger",
         "-metadata:s:s:1", "title=Untertitel", inputs=[*srt, *vtt])
    (HERE / "chapters.tmp.txt").write_text(";FFMETADATA1\ntitle=With chapters\n" + "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={start + 1000}\ntitle=Chapter\n" for start in (0, 1000)))
    make("chapters.mp4", "-map", "0", "-map", "1", "-map_metadata", "2", "-map_chapters", "2", *h264,
         inputs=["-i", HERE / "chapters.tmp.txt"])
    make("fragmented.mp4", *h264, "-movflags", "frag_keyframe+empty_moov+default_base_moof")
    make("rotated-source.tmp.mp4", *h264)
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", HERE / "rotated-source.tmp.mp4", "-c", "copy", "-metadata:s:v:0", "rotate=90",
                    "-fflags", "+bitexact", HERE / "rotated.mov"], check=True)
    make("covered.m4v", "-map", "0", "-map", "1", "-map", "2", "-c:v:0", "libx264", "-profile:v:0", "baseline", "-crf", "36", "-pix_fmt:v:0", "yuv420p", "-f", "mp4",
         "-c:v:1", "png", "-disposition:v:1", "attached_pic", "-c:a", "aac", "-b:a", "32k", *named, inputs=["-i", HERE / "cover.png"])
    make("sound-and-cover.mp4", "-map", "1", "-map", "2", "-c:v", "png", "-disposition:v:0", "attached_pic", "-c:a", "aac", "-b:a", "32k",
         inputs=["-i", HERE / "cover.png"])
    make("phone.3gp", *h264, size="176x144")
    make("vp8.webm", "-c:v", "libvpx", "-b:v", "60k", "-c:a", "libvorbis", "-q:a", "0", "-ac", "1", *named)
    make("vp9.webm", "-map", "0", "-map", "1", "-map", "2", "-c:v", "libvpx-vp9", "-b:v", "40k", "-deadline", "realtime", "-cpu-used", "8",
         "-c:a", "libopus", "-b:a", "24k", "-ac", "1", "-c:s", "copy", "-metadata:s:s:0", "language=ger", inputs=vtt)
    make("live.tmp.webm", "-c:v", "libvpx", "-b:v", "60k", "-c:a", "libvorbis", "-q:a", "0", "-ac", "1", "-f", "webm", "-live", "1")
    (HERE / "live.tmp.webm").rename(HERE / "recorded.webm")
    make("two.mkv", "-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map", "4", "-map", "5", *h264, "-c:s:0", "srt", "-c:s:1", "copy", "-c:s:2", "ass",
         "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger", "-metadata:s:a:1", "title=Kommentar",
         "-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=ger", "-metadata:s:s:2", "language=fre", "-metadata:s:s:2", "title=Chant",
         "-disposition:s:1", "default", "-disposition:s:0", "0", "-disposition:s:2", "forced",
         "-attach", HERE / "font.tmp.ttf", "-metadata:s:t:0", "mimetype=font/ttf", "-attach", HERE / "cover.png", "-metadata:s:t:1", "mimetype=image/png",
         *named, inputs=[*srt, *vtt, *ass], tones=(440, 660))
    make("theora.ogv", "-c:v", "libtheora", "-q:v", "2", "-c:a", "libvorbis", "-q:a", "0", "-ac", "1", *named)
    make("old.avi", "-c:v", "mpeg4", "-q:v", "20", "-c:a", "libmp3lame", "-b:a", "32k", "-ac", "1", *named)
    make("disc.mpg", "-c:v", "mpeg2video", "-q:v", "25", "-c:a", "mp2", "-b:a", "32k", "-ac", "1", "-f", "dvd", "-muxrate", "400000", size="128x96")
    make("broadcast.ts", "-c:v", "mpeg2video", "-q:v", "25", "-c:a", "mp2", "-b:a", "32k", "-ac", "1")
    for path in HERE.glob("*.tmp*"):
        path.unlink()
    (HERE / "noise.mkv").write_bytes(bytes((number * 7919 >> 3) % 251 for number in range(4000)))
    (HERE / "huge.mp4").write_bytes(struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + struct.pack(">I4s", 0xFFFFFFFF, b"moov")
                                   + struct.pack(">I4s", 0xFFFFFF00, b"trak") * 60)
    for path in HERE.iterdir():
        assert path.stat().st_size < 60_000, (path, path.stat().st_size)


if __name__ == "__main__":
    main()
