"""Which view answers at which address."""

from django.urls import path

from music import problems, views

urlpatterns = [
    path("", views.page),
    path("health", views.health),
    path("songs", views.songs),
    path("songs/<str:song_id>", views.get_song, name="song"),
    path("songs/<str:song_id>/audio", views.hear_song),
]
handler400 = problems.bad_request
handler404 = problems.not_found
handler500 = problems.server_error
