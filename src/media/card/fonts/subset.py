"""Makes the fonts of the card from those of Inter: fewer letters, no hints, kerning in the old table.

Usage: python3 subset.py FOLDER-WITH-INTER  (needs fonttools; writes beside itself)
"""

import os
import sys

from fontTools import subset
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0

# Latin with its extensions and Vietnamese, Greek, Cyrillic, punctuation, currencies, a few signs.
LETTERS = [
    *range(0x20, 0x7F), *range(0xA0, 0x180), 0x192, *range(0x1CD, 0x1DD), *range(0x1FA, 0x220), *range(0x2BB, 0x2BE),
    *range(0x300, 0x30D), *range(0x370, 0x3D0), *range(0x400, 0x460), *range(0x48A, 0x500), *range(0x1E00, 0x1F00), *range(0x2010, 0x2016), *range(0x2018, 0x201F),
    0x2020, 0x2021, 0x2022, 0x2026, 0x2030, 0x2032, 0x2033, 0x2039, 0x203A, 0x2044, *range(0x2070, 0x2090),
    *range(0x20A0, 0x20C0), 0x2116, 0x2122, 0x2126, *range(0x2150, 0x215F), *range(0x2190, 0x2194),
    0x2202, 0x2206, 0x2212, 0x2215, 0x2219, 0x221A, 0x221E, 0x2248, 0x2260, 0x2264, 0x2265, 0x25CA,
    0x2605, 0x2606, 0x2665, 0x2713,
]
# Letters whose distances are kept: what titles are mostly made of.
KERNED = [*range(0x20, 0x7F), *range(0xC0, 0x100), 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026,
          *range(0x391, 0x3CA), *range(0x410, 0x450)]
LEAST = 24  # of 2048 units; smaller distances are not seen
MOST_PAIRS = 3_000


def pairs(font):
    """The distance of each pair of glyphs, from the feature `kern`."""
    cmap = font.getBestCmap()
    glyphs = {cmap[letter] for letter in KERNED if letter in cmap}
    gpos = font["GPOS"].table
    lookups = sorted({i for record in gpos.FeatureList.FeatureRecord if record.FeatureTag == "kern"
                      for i in record.Feature.LookupListIndex})
    found = {}
    for index in lookups:
        seen = set()
        for table in gpos.LookupList.Lookup[index].SubTable:
            table = getattr(table, "ExtSubTable", table)
            if table.LookupType != 2:
                continue
            if table.Format == 1:
                for first, entries in zip(table.Coverage.glyphs, table.PairSet):
                    for entry in entries.PairValueRecord if first in glyphs else []:
                        pair = (first, entry.SecondGlyph)
                        if pair[1] in glyphs and pair not in seen:
                            seen.add(pair)
                            found[pair] = found.get(pair, 0) + getattr(entry.Value1, "XAdvance", 0)
            else:
                for first in set(table.Coverage.glyphs) & glyphs:
                    row = table.Class1Record[table.ClassDef1.classDefs.get(first, 0)].Class2Record
                    for second in glyphs:
                        value = row[table.ClassDef2.classDefs.get(second, 0)].Value1
                        pair = (first, second)
                        if pair not in seen:
                            seen.add(pair)
                            found[pair] = found.get(pair, 0) + (getattr(value, "XAdvance", 0) if value else 0)
    large = sorted(found.items(), key=lambda item: (-abs(item[1]), item[0]))
    return {pair: value for pair, value in large[:MOST_PAIRS] if abs(value) >= LEAST}


def make(source, target):
    font = TTFont(source)
    kerning = pairs(font)
    options = subset.Options(hinting=False, layout_features=[], name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
                             notdef_outline=True, drop_tables=["GPOS", "GSUB", "GDEF", "STAT", "DSIG"])
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=LETTERS)
    subsetter.subset(font)
    here = set(font.getGlyphOrder())
    table = KernTable_format_0()
    table.version, table.coverage, table.format, table.apple = 0, 1, 0, False
    table.kernTable = {pair: value for pair, value in kerning.items() if set(pair) <= here}
    font["kern"] = newTable("kern")
    font["kern"].version, font["kern"].kernTables = 0, [table]
    font.save(target)
    print(target, os.path.getsize(target), "bytes,", len(font.getBestCmap()), "letters,",
          len(table.kernTable), "pairs")


folder = sys.argv[1]
here = os.path.dirname(os.path.abspath(__file__))
make(f"{folder}/InterDisplay-SemiBold.otf", f"{here}/title.otf")
make(f"{folder}/Inter-Regular.otf", f"{here}/text.otf")
