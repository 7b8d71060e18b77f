"""What is kept."""

from django.db import models


class Entry(models.Model):
    """What one guest wrote."""

    name = models.CharField(max_length=40)
    text = models.TextField()
    written = models.DateTimeField(auto_now_add=True)

    class Meta:
        """The newest come first."""

        ordering = ("-written", "-id")

    def __str__(self) -> str:
        """Return a line."""
        return f"{self.name}: {self.text}"
