"""Pictures as people send them."""

from io import BytesIO

from PIL import Image


def picture(size: tuple[int, int] = (40, 30), kind: str = "JPEG", **options: object) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **options)
    return out.getvalue()
