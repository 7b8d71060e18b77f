# Feature bells: a shell that greets.
# Takes nothing. Returns shell text.
_: {
  hook = ''
    echo "bells" >&2
  '';
}
