"""The icon font is cut down right: fontTools, which reads fonts by its own code, agrees."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydata_sphinx_theme
import pytest

from live_book._icon_font import subset_font
from live_book._stylesheet import drop_glyph_rules, join_stylesheets

ttLib = pytest.importorskip("fontTools.ttLib", reason="fontTools (of matplotlib) is not installed")
FONTS = sorted(Path(pydata_sphinx_theme.__file__).parent.rglob("webfonts/*.ttf"))


def outline(font, code: int):
    coordinates, ends, flags = font["glyf"][font.getBestCmap()[code]].getCoordinates(font["glyf"])
    return list(coordinates), list(ends), list(flags)


@pytest.mark.parametrize("path", FONTS, ids=lambda path: path.stem)
def test_wanted_outlines_are_the_same_and_others_are_empty(path):
    whole = ttLib.TTFont(path)
    codes = sorted(whole.getBestCmap())
    wanted = set(codes[::97]) | {codes[-1]}
    packed = subset_font(path.read_bytes(), wanted | {0x10FFFF})
    part = ttLib.TTFont(BytesIO(packed))
    assert set(part.getBestCmap()) == wanted
    for code in wanted:
        assert outline(part, code) == outline(whole, code)
        assert part["hmtx"][part.getBestCmap()[code]] == whole["hmtx"][whole.getBestCmap()[code]]
    drawn = sum(part["glyf"][name].numberOfContours != 0 for name in part.getGlyphOrder())
    assert drawn <= len(wanted) + 1
    assert len(packed) < path.stat().st_size / 10


@pytest.mark.parametrize("junk", [b"", b"not a font", b"\0\1\0\0" + bytes(20)])
def test_what_is_no_font_is_refused(junk):
    with pytest.raises(ValueError, match="font"):
        subset_font(junk, {0xF0C9})


def test_only_unused_icons_lose_their_rule():
    used = '.fa-bars:before,.fa-navicon:before{content:"\\f0c9"}'
    css = used + '.fa-cat:before{content:"\\f6be"}.fa-2x{font-size:2em}'
    assert drop_glyph_rules(css, {"fa-navicon"}) == used + ".fa-2x{font-size:2em}"


def test_joined_stylesheets_keep_their_addresses(tmp_path):
    folder = tmp_path / "_static" / "styles"
    folder.mkdir(parents=True)
    (folder / "a.css").write_text('@import "../b.css";\na{src:url(../fonts/x.woff)}')
    (folder.parent / "b.css").write_text('b{src:url("y.png") url(data:,z) url(#q)}')
    joined = join_stylesheets(
        tmp_path, ["_static/styles/a.css", "_static/none.css"], "_static/s.css"
    )
    assert joined.split() == [
        'b{src:url("y.png")',
        "url(data:,z)",
        "url(#q)}",
        'a{src:url("fonts/x.woff")}',
    ]
