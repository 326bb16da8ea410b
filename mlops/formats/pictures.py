"""Pictures that somebody uploads, brought to the size and the values that a model takes."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

SIZE_LIMIT = 5 * 1024 * 1024
# A small file may unfold to many pixels; so many are 60 MB while it is looked at.
PIXELS_LIMIT = 20_000_000
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def values(
    data: bytes, *, channels: int, height: int, width: int, last: bool, top: float, invert: bool
) -> list[float]:
    """The picture's values in one list, each from 0 to `top`.

    data: a PNG, JPEG, GIF or WebP file. channels: 1 for grey, 3 for red, green and blue. last: the channels
    of a pixel follow each other; else each channel is a picture of its own. invert: bright is 0. Transparent
    parts are black. Raises ValueError with a sentence.
    """
    if len(data) > SIZE_LIMIT:
        raise ValueError(f"The picture is larger than {SIZE_LIMIT // 1024**2} MiB.")
    picture = _opened(data).convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture)
    fitted = ImageOps.fit(flat.convert("RGB" if channels == 3 else "L"), (width, height))
    if invert:
        fitted = ImageOps.invert(fitted)
    raw = fitted.tobytes()
    ordered = raw if last or channels == 1 else b"".join(raw[at::channels] for at in range(channels))
    return [round(value / 255 * top, 4) for value in ordered]


def _opened(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow warns of what is twice as large as its own limit; ours is below it.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=_FORMATS)
            if picture.width * picture.height > PIXELS_LIMIT:
                raise ValueError(f"The picture has more than {PIXELS_LIMIT:,} pixels.")
            picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("This is no PNG, JPEG, GIF or WebP picture, or it is damaged.") from error
    return ImageOps.exif_transpose(picture) or picture
