"""What holds; `python main.py test` says whether it does, in a database of its own."""

from django.test import TestCase

from guestbook.models import Entry


class GuestbookTests(TestCase):
    """The page, asked as a browser does."""

    def test_what_is_written_is_shown(self) -> None:
        """An entry is kept, and shown as text."""
        self.client.post("/", {"name": "Ada", "text": "<b>first</b>"})
        self.assertContains(self.client.get("/"), "<li>Ada: &lt;b&gt;first&lt;/b&gt;</li>")

    def test_nobody_writes_nothing(self) -> None:
        """A form without a text is shown again, and nothing is kept."""
        answer = self.client.post("/", {"name": "Ada", "text": ""})
        self.assertContains(answer, "This field is required.")
        self.assertQuerySetEqual(Entry.objects.all(), [])
