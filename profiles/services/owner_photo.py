"""A researcher's picture: decoded, cut square and written anew, so that nothing of the file that was sent remains."""

import hashlib
from io import BytesIO

from django.db import transaction
from PIL import Image, ImageOps

from profiles.exceptions import OwnerError
from profiles.models import Change, Photo, Researcher
from profiles.services.owner import lock_page, write_down

MAX_BYTES = 5_000_000
MAX_PIXELS = 40_000_000  # a small file may claim to be huge
SIDE = 512
FORMATS = ("JPEG", "PNG", "WEBP")
_SENTENCE = "This file is no picture that can be read. Send a JPEG, PNG or WebP."


def square_webp(data: bytes) -> bytes:
    """Return a picture as a square WebP of SIDE pixels without any metadata. Raises OwnerError."""
    if len(data) > MAX_BYTES:
        raise OwnerError(f"The picture is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:  # reads the header alone
            if image.width * image.height > MAX_PIXELS:
                raise OwnerError(f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels.")
            image.verify()
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
            return _encoded(image)
    except OwnerError:
        raise
    except Image.DecompressionBombError as error:
        raise OwnerError("The picture has too many pixels.") from error
    except Exception as error:  # decoders raise whatever a broken file leads them to
        raise OwnerError(_SENTENCE) from error


def _encoded(image: Image.Image) -> bytes:
    fitted = ImageOps.fit(
        ImageOps.exif_transpose(image).convert("RGBA"), (SIDE, SIDE), Image.Resampling.LANCZOS
    )
    clean = Image.new("RGB", (SIDE, SIDE), "white")  # a new picture holds no EXIF, profile or text
    clean.paste(fitted, mask=fitted)
    out = BytesIO()
    clean.save(out, "WEBP", quality=82, method=4)
    return out.getvalue()


@transaction.atomic
def set_photo(*, researcher: Researcher, data: bytes, alt: str = "") -> Change | None:
    """Show this picture; the earlier one is deleted."""
    content = square_webp(data)
    researcher = lock_page(researcher)
    before = value_of(researcher)
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    after = {"digest": digest, "alt": alt.strip().replace("\x00", "")[:200]}
    if before == after:
        return None
    Photo.objects.update_or_create(
        researcher=researcher, defaults={"content": content, "digest": digest, "alt": after["alt"]}
    )
    return write_down(researcher, Change.Kind.PHOTO, before, after)


@transaction.atomic
def set_alt(
    *, researcher: Researcher, alt: str, digest: str | None = None, undoes: Change | None = None
) -> Change | None:
    """Change the words for who does not see the picture."""
    researcher = lock_page(researcher)
    before = value_of(researcher)
    if not before["digest"]:
        raise OwnerError("There is no picture yet. Choose one.")
    if digest is not None and digest != before["digest"]:
        raise OwnerError("The earlier picture was deleted when it was replaced. Send it again.")
    after = {**before, "alt": alt.strip().replace("\x00", "")[:200]}
    if before == after:
        return None
    Photo.objects.filter(researcher=researcher).update(alt=after["alt"])
    return write_down(researcher, Change.Kind.PHOTO, before, after, undoes=undoes)


@transaction.atomic
def remove_photo(*, researcher: Researcher, undoes: Change | None = None) -> Change | None:
    """Delete the picture for good."""
    researcher = lock_page(researcher)
    before = value_of(researcher)
    if not before["digest"]:
        return None
    Photo.objects.filter(researcher=researcher).delete()
    return write_down(researcher, Change.Kind.PHOTO, before, {"digest": "", "alt": ""}, undoes=undoes)


def value_of(researcher: Researcher) -> dict[str, str]:
    found = Photo.objects.filter(researcher=researcher).defer("content").first()
    return {"digest": found.digest, "alt": found.alt} if found else {"digest": "", "alt": ""}
