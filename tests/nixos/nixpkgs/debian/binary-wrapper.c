/* A wrapper as makeBinaryWrapper makes it, but compiled once: what to do stands behind the program, in its own file.
   make-binary-wrapper.sh appends the program to start and the options, each ended by a null byte, and the length of
   all that as eight digits. The options mean what they mean in nixpkgs. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char *what) {
  fprintf(stderr, "binary wrapper: %s\n", what);
  exit(127);
}

/* The words behind the program, and where they end. */
static char *words(char **end) {
  char digits[9] = "";
  int file = open("/proc/self/exe", O_RDONLY);
  if (file < 0 || lseek(file, -8, SEEK_END) < 0 || read(file, digits, 8) != 8) fail("cannot read itself");
  long size = atol(digits);
  char *text = malloc(size + 1);
  if (!text || lseek(file, -8 - size, SEEK_END) < 0 || read(file, text, size) != size) fail("has no options");
  close(file);
  *end = text + size;
  return text;
}

static char *next(char *word) { return word + strlen(word) + 1; }

static void add(const char *name, const char *separator, const char *value, int in_front) {
  const char *old = getenv(name);
  char *joined;
  if (!old || !*old) {
    setenv(name, value, 1);
    return;
  }
  if (asprintf(&joined, "%s%s%s", in_front ? value : old, separator, in_front ? old : value) < 0) fail("no memory");
  setenv(name, joined, 1);
}

int main(int count, char **arguments) {
  (void)count;
  char *end, *program = words(&end);
  arguments[0] = arguments[0] ? arguments[0] : program;
  char *name = program;
  for (char *word = next(program); word < end; word = next(word)) {
    if (!strcmp(word, "--inherit-argv0")) {
      name = arguments[0];
    } else if (!strcmp(word, "--resolve-argv0")) {
      continue; /* only where argv[0] is no path, which exec's own search answers */
    } else if (!strcmp(word, "--unset")) {
      unsetenv(word = next(word));
    } else if (!strcmp(word, "--set") || !strcmp(word, "--set-default")) {
      int always = !strcmp(word, "--set");
      char *variable = next(word);
      setenv(variable, word = next(variable), always);
    } else if (!strcmp(word, "--prefix") || !strcmp(word, "--suffix")) {
      int in_front = !strcmp(word, "--prefix");
      char *variable = next(word), *separator = next(variable);
      add(variable, separator, word = next(separator), in_front);
    } else {
      fail(word);
    }
  }
  arguments[0] = name;
  execv(program, arguments);
  fail(program);
}
