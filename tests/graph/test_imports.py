"""What web processes load."""

import subprocess
import sys

from django.test import SimpleTestCase


class ImportTests(SimpleTestCase):
    def test_pages_do_not_load_the_layout_libraries(self) -> None:
        program = (
            "import django, sys; django.setup(); import bzpeer.urls;"
            "sys.exit('networkx' in sys.modules or 'numpy' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", program], check=False)
        self.assertEqual(done.returncode, 0)
