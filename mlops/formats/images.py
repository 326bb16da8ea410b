"""Pictures by their first bytes, whatever their names say; nothing that may hold script is one."""

from __future__ import annotations

HEAD_BYTES = 16
SIZE_LIMIT = 25 * 1024 * 1024


def content_type(head: bytes) -> str:
    """The type of a PNG, JPEG, GIF or WebP picture that begins with these bytes, "" for anything else."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return ""
