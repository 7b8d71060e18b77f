"""A guestbook: entries, a page that shows them, and a form that takes new ones."""
