"""A wheel that holds IPython's settings for JupyterLite, and no Python module.

The kernel tells IPython to complete names with jedi, which the runtime leaves out for its size.
IPython reads `/etc/ipython/ipython_config.py` when it starts, and a wheel may put files there
(PEP 427, "the .data directory").
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

NAME = "lite-settings"
FILE = "lite_settings-1.0-py3-none-any.whl"
_INFO = "lite_settings-1.0.dist-info"
_CONTENT = {
    "lite_settings-1.0.data/data/etc/ipython/ipython_config.py": (
        'c = get_config()\nc.InteractiveShellApp.exec_lines = ["get_ipython().Completer.use_jedi = '
        'False"]\n'
    ),
    f"{_INFO}/METADATA": "Metadata-Version: 2.1\nName: lite-settings\nVersion: 1.0\n",
    f"{_INFO}/WHEEL": (
        "Wheel-Version: 1.0\nGenerator: live_book\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    ),
}


def write_settings_wheel(folder: Path) -> Path:
    """Write the wheel into a folder; the same bytes each time. Gives the file."""
    record = [
        f"{name},sha256={_digest(text)},{len(text.encode())}" for name, text in _CONTENT.items()
    ]
    content = {**_CONTENT, f"{_INFO}/RECORD": "\n".join([*record, f"{_INFO}/RECORD,,", ""])}
    with zipfile.ZipFile(folder / FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return folder / FILE


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
