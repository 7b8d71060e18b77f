"""Tests; `python main.py test` runs them in a separate database."""

from django.test import TestCase

from guestbook.models import Entry


class GuestbookTests(TestCase):
    """The page, requested like a browser does."""

    def test_what_is_written_is_shown(self) -> None:
        """An entry is stored, and shown as text."""
        self.client.post("/", {"name": "Ada", "text": "<b>first</b>"})
        self.assertContains(self.client.get("/"), "<li>Ada: &lt;b&gt;first&lt;/b&gt;</li>")

    def test_nobody_writes_nothing(self) -> None:
        """A form without a text is shown again, and nothing is stored."""
        answer = self.client.post("/", {"name": "Ada", "text": ""})
        self.assertContains(answer, "This field is required.")
        self.assertQuerySetEqual(Entry.objects.all(), [])
