"""The page."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import RequestContext, Template
from django.urls import path

from guestbook.models import Entry

PAGE = Template("""\
<!DOCTYPE html>
<title>Guestbook</title>
<form method="post">{% csrf_token %}{{ form }}<button>Sign</button></form>
<ul>{% for entry in entries %}<li>{{ entry }}</li>{% endfor %}</ul>
""")


class EntryForm(forms.ModelForm):
    """The form for an entry."""

    class Meta:
        """The fields of a guest; the database fills in the others."""

        model = Entry
        fields = ("name", "text")


def index(request: HttpRequest) -> HttpResponse:
    """Show the entries; with a valid form, store a new entry first."""
    form = EntryForm(request.POST or None)
    if form.is_valid():
        form.save()
        return redirect("/")
    return HttpResponse(PAGE.render(RequestContext(request, {"form": form, "entries": Entry.objects.all()})))


urlpatterns = [path("", index)]
