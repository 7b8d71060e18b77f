"""The table in the database."""

from django.db import models


class Entry(models.Model):
    """The entry of one guest."""

    name = models.CharField(max_length=40)
    text = models.TextField()
    written = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Show the newest entries first."""

        ordering = ("-written", "-id")

    def __str__(self) -> str:
        """Return the entry as one line."""
        return f"{self.name}: {self.text}"
