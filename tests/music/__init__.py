"""Tests of the music service, helpers/music."""
