from io import BytesIO

from PIL import Image

from profiles.exceptions import OwnerError
from profiles.models import Photo
from profiles.services import owner_photo
from tests.profiles.pictures import picture
from tests.profiles.test_owner_services import OwnerTestCase


class PhotoTests(OwnerTestCase):
    def test_it_is_written_anew_square_and_without_metadata(self) -> None:
        exif = Image.Exif()
        exif[0x010F] = "SECRETCAMERA"
        exif[0x8825] = {1: "N", 2: (51.0, 3.0, 0.0)}
        data = picture((700, 300), exif=exif) + b"<script>alert(1)</script>"
        self.assertIn(b"SECRETCAMERA", data)
        owner_photo.set_photo(researcher=self.researcher, data=data, alt=" Alice ")
        photo = Photo.objects.get()
        content = bytes(photo.content)
        with Image.open(BytesIO(content)) as image:
            self.assertEqual((image.format, image.size, dict(image.getexif())), ("WEBP", (512, 512), {}))
            self.assertNotIn("icc_profile", image.info)
        for secret in (b"SECRETCAMERA", b"script", b"EXIF", b"XMP"):
            self.assertNotIn(secret, content)
        self.assertEqual((photo.alt, len(photo.digest)), ("Alice", 16))

    def test_pictures_that_are_none_are_refused(self) -> None:
        gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
        for name, data in {
            "nothing": b"",
            "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
            "html": b"<html><script>alert(1)</script></html>",
            "gif": gif,
            "cut": picture((600, 600), "PNG")[:200],
            "pdf": b"%PDF-1.4 \x00",
            "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
            "noise": bytes(range(256)) * 10,
        }.items():
            with self.subTest(name), self.assertRaises(OwnerError):
                owner_photo.square_webp(data)

    def test_a_polyglot_loses_its_other_half(self) -> None:
        data = picture(kind="PNG") + b"PK\x03\x04<html><script>alert(1)</script>"
        self.assertNotIn(b"<script>", owner_photo.square_webp(data))

    def test_bombs_are_refused_before_they_are_unpacked(self) -> None:
        bomb = BytesIO()
        Image.new("1", (9000, 9000)).save(bomb, "PNG", optimize=True)
        self.assertLess(len(bomb.getvalue()), 50_000)
        with self.assertRaisesMessage(OwnerError, "million pixels"):
            owner_photo.square_webp(bomb.getvalue())
        huge = bytearray(picture((10, 10), "PNG"))
        huge[16:24] = (60_000).to_bytes(4, "big") * 2
        with self.assertRaises(OwnerError):
            owner_photo.square_webp(bytes(huge))
        with self.assertRaisesMessage(OwnerError, "larger than 5 MB"):
            owner_photo.square_webp(b"\xff\xd8" + bytes(owner_photo.MAX_BYTES))

    def test_adding_can_be_undone_and_replacing_cannot(self) -> None:
        added = owner_photo.set_photo(researcher=self.researcher, data=picture())
        self.undo(added)
        self.assertFalse(Photo.objects.exists())
        owner_photo.set_photo(researcher=self.researcher, data=picture())
        replaced = owner_photo.set_photo(researcher=self.researcher, data=picture((10, 90), quality=5))
        if replaced:
            with self.assertRaisesMessage(OwnerError, "deleted when it was replaced"):
                self.undo(replaced)
        words = owner_photo.set_alt(researcher=self.researcher, alt="Alice")
        self.undo(words)
        self.assertEqual(Photo.objects.get().alt, "")

    def test_transparency_becomes_white(self) -> None:
        out = BytesIO()
        Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "PNG")
        with Image.open(BytesIO(owner_photo.square_webp(out.getvalue()))) as image:
            self.assertEqual(image.convert("RGB").getpixel((256, 256)), (255, 255, 255))
