"""A guestbook: entries, a page that shows them, and a form for new entries."""
