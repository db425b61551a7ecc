"""The answers of the music API, one function an address."""

import re

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from .audio import byte_range
from .forms import NewSong, Search
from .json_body import read_json
from .models import Song
from .problems import does_not_fit, problem

JSON_TYPE = re.compile(
    r'application/json[ \t]*(;[ \t]*charset=(utf-8|"utf-8")[ \t]*)?', re.IGNORECASE
)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "songs.html", {"songs": Song.objects.select_related("composer")})


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@require_http_methods(["GET", "HEAD", "POST"])
def songs(request: HttpRequest) -> HttpResponse:
    return add_song(request) if request.method == "POST" else list_songs(request)


def list_songs(request: HttpRequest) -> HttpResponse:
    form = Search(request.GET)
    if not form.is_valid():
        return does_not_fit(form)
    asked = form.cleaned_data
    limit = asked["limit"] or 20
    found = Song.objects.search(asked["q"] or "", after=asked["cursor"] or "")
    items = [as_dict(song) for song in found.select_related("composer")[: limit + 1]]
    more = len(items) > limit
    return JsonResponse({"items": items[:limit], "next": items[limit - 1]["id"] if more else None})


def add_song(request: HttpRequest) -> HttpResponse:
    if not JSON_TYPE.fullmatch(request.headers.get("Content-Type", "")):
        return problem(415, {"Accept": "application/json"})
    if request.headers.get("Content-Encoding", "identity") != "identity":
        return problem(415, {"Accept-Encoding": "identity"})
    try:
        new = read_json(request.body)
    except RequestDataTooBig:
        return problem(413)
    except ValueError:
        return problem(400)
    if not isinstance(new, dict):
        return problem(422, errors=[{"pointer": "#", "detail": "A song is a JSON object."}])
    form = NewSong(new)
    if not form.is_valid():
        return does_not_fit(form)
    song = Song.objects.add(**form.cleaned_data)
    if song is None:
        return problem(409)
    headers = {"Location": reverse("song", args=[song.id])}
    return JsonResponse(as_dict(song), status=201, headers=headers)


@require_safe
def get_song(request: HttpRequest, song_id: str) -> HttpResponse:
    return JsonResponse(as_dict(find(song_id)))


@require_safe
def hear_song(request: HttpRequest, song_id: str) -> HttpResponse:
    sound = find(song_id).audio()
    if sound is None:
        raise Http404
    headers = {"Accept-Ranges": "bytes"}
    part = byte_range(request.headers, len(sound)) if request.method == "GET" else None
    if part is None:
        return HttpResponse(sound, content_type="audio/wav", headers=headers)
    start, end = part
    if start >= len(sound):
        return problem(416, {"Content-Range": f"bytes */{len(sound)}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(sound)}"
    return HttpResponse(sound[start:end], status=206, content_type="audio/wav", headers=headers)


def find(song_id: str) -> Song:
    return get_object_or_404(Song.objects.select_related("composer"), id=song_id)


def as_dict(song: Song) -> dict:
    return {
        "id": song.id,
        "title": song.title,
        "composer": song.composer.name,
        "year": song.year,
        "genre": song.genre,
    }
