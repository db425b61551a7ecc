"""The catalogue search: forgiving of the way people type, and never surprised by a text."""

from __future__ import annotations

import random
import unicodedata
from functools import cache

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from helpers.music import SONGS, Song, SongNotFound, find_song, search_songs
from helpers.music._search import LONGEST_NAME, allowed_slips, fold, slips

from .support import SMALL_CATALOGUE, always_the_same, make_song

LETTERS = "abcdefghijklmnopqrstuvwxyz"
# surrogates, right-to-left scripts, emoji, control characters: whatever a str can hold
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)


def names_of(song: Song) -> tuple[str, ...]:
    return (song.title, *song.aliases)


def ids(songs) -> list[str]:
    return [song.id for song in songs]


# ---- the catalogue ---------------------------------------------------------------------------


def test_every_title_and_alias_finds_its_song():
    missed = {
        name: find_song(name).id
        for song in SONGS
        for name in names_of(song)
        if find_song(name).id != song.id
    }
    assert not missed


def test_no_two_songs_share_a_name():
    owners: dict[str, set[str]] = {}
    for song in SONGS:
        for name in names_of(song):
            owners.setdefault(fold(name), set()).add(song.id)
    assert {name: owned for name, owned in owners.items() if len(owned) > 1} == {}


def test_capitals_accents_and_punctuation_do_not_matter():
    for song in SONGS:
        for name in names_of(song):
            plain = "".join(
                c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c)
            )
            for typed in (name.upper(), name.lower(), plain, f"  «{name}»!? ", f"{name}\n"):
                assert find_song(typed) is song, typed


def one_slip(text: str, rng: random.Random) -> str:
    """The text with one letter missing, wrong, too many, or swapped with its neighbour."""
    at = rng.randrange(len(text) - 1)
    head, tail = text[:at], text[at:]
    return rng.choice(
        [
            head + tail[1:],
            head + rng.choice(LETTERS) + tail[1:],
            head + rng.choice(LETTERS) + tail,
            head + tail[1] + tail[0] + tail[2:],
        ]
    )


@always_the_same
@given(st.sampled_from(SONGS), st.randoms(use_true_random=False))
def test_one_slip_in_a_longer_title_finds_the_same_song(song, rng):
    typed = one_slip(song.title, rng)
    assume(len(fold(song.title)) >= 6 and fold(typed))
    distance = slips(fold(typed), fold(song.title))
    as_near = any(
        slips(fold(typed), fold(name)) <= distance
        or set(fold(typed).split()) <= set(fold(name).split())
        for other in SONGS
        if other is not song
        for name in names_of(other)
    )
    assume(not as_near)
    assert find_song(typed) is song


# ---- how people type -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "song_id"),
    [
        ("Für Elise", "fur-elise"),
        ("fur elise", "fur-elise"),
        ("FÜR ELISE", "fur-elise"),
        ("fuer-elise?", "fur-elise"),
        ("fu\N{COMBINING DIAERESIS}r e\N{COMBINING ACUTE ACCENT}lise", "fur-elise"),
        ("ｆｕｒ　ｅｌｉｓｅ", "fur-elise"),  # full-width letters
        ("elise", "fur-elise"),
        ("elise beethoven", "fur-elise"),
        ("fr elise", "fur-elise"),
        ("fur eilse", "fur-elise"),
        ("bagatelle no 25", "fur-elise"),
        ("green sleeves", "greensleeves"),
        ("grensleeves", "greensleeves"),
        ("greensleevse", "greensleeves"),
        ("mus i den", "muss-i-denn"),
        ("muß i denn", "muss-i-denn"),
        ("silentnight", "silent-night"),
        ("stille nacht gruber", "silent-night"),
    ],
)
def test_names_the_way_people_type_them(typed, song_id):
    assert find_song(typed, SMALL_CATALOGUE).id == song_id


@pytest.mark.parametrize(
    "typed", ["", " ", "?!", "Калинка", "el", "beethoven", "yellow submarine", "x" * 10_000, "🎵"]
)
def test_what_is_not_there_is_not_found(typed):
    with pytest.raises(SongNotFound):
        find_song(typed, SMALL_CATALOGUE)


@pytest.mark.parametrize("apostrophe", ["'", "’", "‘", "ʻ", "ʼ", ""])
def test_an_apostrophe_may_look_any_way_or_be_missing(apostrophe):
    song = make_song("jig", "The Fisher's Hornpipe", composer="Liliʻuokalani")
    assert find_song(f"fisher{apostrophe}s hornpipe", [song]) is song
    assert search_songs(f"lili{apostrophe}uokalani", [song]) == [song]


def test_the_exact_name_wins_over_a_name_that_contains_it():
    longer, exact = make_song("longer", "Morning Song Book"), make_song("exact", "Morning Song")
    assert find_song("morning song", [longer, exact]) is exact
    assert find_song("morning book", [exact, longer]) is longer


def test_the_nearer_of_two_names_wins():
    star, stage = make_song("star", "Morning Star"), make_song("stage", "Morning Stage")
    assert find_song("mornin star", [stage, star]) is star
    assert find_song("mornin stage", [star, stage]) is stage


# ---- not found -------------------------------------------------------------------------------


def test_the_error_names_the_nearest_titles():
    with pytest.raises(SongNotFound) as caught:
        find_song("yellow sleeves submarine", SMALL_CATALOGUE)
    error = caught.value
    assert isinstance(error, LookupError)
    assert error.suggestions[0] == "Greensleeves"
    assert len(error.suggestions) == 3
    assert all(title in str(error) for title in error.suggestions)
    assert "yellow sleeves submarine" in str(error)


def test_the_error_stays_short_and_says_when_there_is_nothing_to_find():
    with pytest.raises(SongNotFound) as caught:
        find_song("x" * 10_000, SMALL_CATALOGUE)
    assert len(str(caught.value)) < 200
    with pytest.raises(SongNotFound, match=r"'anything'\. There are no songs\.$") as caught:
        find_song("anything", [])
    assert caught.value.suggestions == ()


@always_the_same
@given(st.text(LETTERS + " ", max_size=120))
def test_the_suggestions_are_the_nearest_by_an_independent_count(typed):
    try:
        find_song(typed, SMALL_CATALOGUE)
    except SongNotFound as error:
        query = fold(typed)
        far = {
            song.title: min(
                textbook_slips(query, fold(name)) / max(len(query), len(fold(name)), 1)
                for name in names_of(song)
            )
            for song in SMALL_CATALOGUE
        }
        assert list(error.suggestions) == sorted(far, key=far.__getitem__)[:3]


@pytest.mark.parametrize("wrong", [None, 5, b"fur elise", ["fur elise"], SMALL_CATALOGUE[0]])
@pytest.mark.parametrize("search", [find_song, search_songs])
def test_what_is_no_text_is_a_type_error_that_says_so(wrong, search):
    with pytest.raises(TypeError, match=rf"text \(str\), and this is {type(wrong).__name__}"):
        search(wrong)


@settings(always_the_same, max_examples=300)
@given(ANY_TEXT)
@example("\ud800")
@example("שלום עולם")
@example("👩‍👩‍👧‍👦" * 50)
@example("\u202efur elise")
@example("İıßẞŉǰ")
@example("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 100)
@example("㎨" * 10_000)
@example("a " * 5_000)
@example("\x00")
def test_any_text_is_a_song_or_not_found(text):
    try:
        assert isinstance(find_song(text, SMALL_CATALOGUE), Song)
    except SongNotFound as error:
        assert len(str(error)) < 1000
        str(error).encode("utf-8")  # also where the name could not be written
    assert set(search_songs(text, SMALL_CATALOGUE)) <= set(SMALL_CATALOGUE)


@always_the_same
@given(ANY_TEXT, ANY_TEXT)
def test_any_title_can_be_searched(title, text):
    songs = [make_song("any", title), *SMALL_CATALOGUE]
    try:
        find_song(text, songs)
    except SongNotFound as error:
        assert set(error.suggestions) <= {song.title for song in songs}
    if fold(title):
        assert find_song(title, songs[:1]) is songs[0]


# ---- folding ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Für Élise", "fur elise"),
        ("Straße STRASSE Straẞe", "strasse strasse strasse"),
        ("Æther œuvre Ørsted Łódź þorn ðe đ ı", "aether oeuvre orsted lodz thorn de d i"),
        ("Don't, don’t", "dont dont"),
        ("  two\twords \n", "two words"),
        ("No. 25 (½)", "no 25 1 2"),
        ("ﬁ ² Ⅳ Ａ", "fi 2 iv a"),
        ("Калинка", ""),
        ("", ""),
    ],
)
def test_folding(text, plain):
    assert fold(text) == plain


@always_the_same
@given(ANY_TEXT)
@example("㎨" * LONGEST_NAME)
@example("ß" * LONGEST_NAME)
def test_what_is_folded_is_plain_short_and_folds_to_itself(text):
    plain = fold(text)
    assert len(plain) <= LONGEST_NAME
    assert set(plain) <= set(LETTERS + "0123456789 ")
    assert plain == " ".join(plain.split()) == fold(plain)


# ---- slips -----------------------------------------------------------------------------------


def textbook_slips(a: str, b: str) -> int:
    """The optimal string alignment distance, straight from its recursive definition."""

    @cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        ways = [
            distance(i - 1, j) + 1,
            distance(i, j - 1) + 1,
            distance(i - 1, j - 1) + (a[i - 1] != b[j - 1]),
        ]
        if a[i - 2 : i] == b[j - 2 : j][::-1] and i > 1 and j > 1:
            ways.append(distance(i - 2, j - 2) + 1)
        return min(ways)

    return distance(len(a), len(b))


@pytest.mark.parametrize(
    ("a", "b", "count"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("abc", "", 3),
        ("kitten", "sitting", 3),
        ("elise", "eilse", 1),
        ("ab", "ba", 1),
        ("ca", "abc", 3),  # 2 by Damerau's unrestricted distance: no stretch is edited twice here
        ("a cat", "an act", 2),
        ("abcdefgh" * 20, "abcdefgh" * 20, 0),
        ("a" * 100, "b" * 100, 100),
    ],
)
def test_slips_of_known_pairs(a, b, count):
    assert slips(a, b) == count


@settings(always_the_same, max_examples=500)
@given(st.text("abc ", max_size=25), st.text("abc ", max_size=25))
def test_slips_agree_with_the_definition(a, b):
    assert slips(a, b) == textbook_slips(a, b) == slips(b, a)
    assert (slips(a, b) == 0) == (a == b)


@always_the_same
@given(st.text(max_size=100), st.text(max_size=100))
def test_slips_of_any_text_agree_with_the_definition(a, b):
    assert slips(a, b) == textbook_slips(a, b)


def test_longer_names_may_have_more_slips():
    allowed = [allowed_slips(length) for length in range(200)]
    assert allowed[:4] == [0, 0, 0, 0]
    assert allowed[4] == 1 and allowed[10] == 3
    assert allowed == sorted(allowed) and max(allowed) == 5


# ---- search_songs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ids(SMALL_CATALOGUE)),
        ("  ", ids(SMALL_CATALOGUE)),
        ("beet", ["fur-elise"]),
        ("BEETHOVEN für", ["fur-elise"]),
        ("folk", ["greensleeves", "kalinka", "muss-i-denn"]),
        ("folk i", ["kalinka", "muss-i-denn"]),
        ("night", ["silent-night"]),
        ("25", ["fur-elise"]),
        ("ethoven", []),
        ("folk beethoven", []),
        ("?!", []),
        ("Калинка", []),
    ],
)
def test_search_finds_the_songs_with_every_word(text, found):
    assert ids(search_songs(text, SMALL_CATALOGUE)) == found


def test_search_keeps_the_order():
    backwards = SMALL_CATALOGUE[::-1]
    assert ids(search_songs("folk", backwards)) == ["muss-i-denn", "kalinka", "greensleeves"]
