"""Which media type a file's ending stands for: a short table, the same for every server.

Names as IANA registers them; audio/wav is in wide use for what RFC 2361 calls audio/vnd.wave.
"""

MEDIA_TYPES = {
    "text/html": "html htm",
    "text/css": "css",
    "text/plain": "txt",
    "text/csv": "csv",
    "text/markdown": "md",
    "text/javascript": "js mjs",
    "application/json": "json",
    "application/xml": "xml",
    "application/pdf": "pdf",
    "application/wasm": "wasm",
    "application/gzip": "gz",
    "application/zip": "zip",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg oga",
    "audio/flac": "flac",
    "audio/midi": "mid midi",
    "audio/mp4": "m4a",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "image/png": "png",
    "image/jpeg": "jpg jpeg",
    "image/gif": "gif",
    "image/svg+xml": "svg",
    "image/webp": "webp",
    "image/x-icon": "ico",
    "font/woff2": "woff2",
}
