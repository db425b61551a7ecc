"""Calling a function of a program on another machine as if it were here: gRPC.

``MUSIC_PROTO`` is the file that says which functions the music service has. ``compile_proto`` makes
Python of such a file, as the command ``protoc`` does. ``Tap`` stands between client and server and
keeps the bytes that pass. ``GrpcWeb`` lets a browser in, which can't speak gRPC by itself.

Servers and clients are gRPC's own: ``grpc.server`` and ``grpc.insecure_channel``.
"""

import os

# gRPC writes a line to stderr whenever a connection ends. In a notebook it would stand in the middle
# of the outputs. It is asked once, when gRPC is imported; whoever sets it differently is obeyed.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

from ._compile import MUSIC_PROTO, ProtoError, compile_proto
from ._tap import Tap
from ._web import GrpcWeb

__all__ = ["MUSIC_PROTO", "GrpcWeb", "ProtoError", "Tap", "compile_proto"]
