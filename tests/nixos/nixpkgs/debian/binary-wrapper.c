/* A wrapper as makeBinaryWrapper makes it, but compiled once: what to do stands behind the program, in its own file.
   ../hooks/make-binary-wrapper.sh appends the program to start and the options, each ended by a null byte, and the length of
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
  if (!old) {
    setenv(name, value, 1);
    return;
  }
  if (asprintf(&joined, "%s%s%s", in_front ? value : old, separator, in_front ? old : value) < 0) fail("no memory");
  setenv(name, joined, 1);
}

/* What the shell found on PATH, where that is not in argv[0] itself. A name with a slash stays as it is, also where it leads
   through a link: so it is in nixpkgs today. That it shall become the real path is proposed (nixpkgs#448141, open); what
   the option did in the releases before #462090, when nothing used it, could not be established. */
static char *resolve(char *name) {
  char *path = getenv("PATH");
  if (strchr(name, '/') || !path) return name;
  path = strdup(path);
  for (char *folder = strtok(path, ":"); folder; folder = strtok(NULL, ":")) {
    char *candidate;
    if (asprintf(&candidate, "%s/%s", folder, name) < 0) fail("no memory");
    if (access(candidate, X_OK) == 0) return candidate;
  }
  return name;
}

int main(int count, char **arguments) {
  char *end, *program = words(&end);
  char *name = program;
  int resolved = 0, size = 0, position = 1, appended = 0;
  for (char *word = program; word < end; word = next(word)) size++;
  char **command = calloc(count + size + 1, sizeof *command), **behind = calloc(size, sizeof *behind);
  if (!command || !behind) fail("no memory");
  for (char *word = next(program); word < end; word = next(word)) {
    if (!strcmp(word, "--inherit-argv0")) {
      name = arguments[0] ? arguments[0] : program;
    } else if (!strcmp(word, "--argv0")) {
      name = word = next(word);
    } else if (!strcmp(word, "--resolve-argv0")) {
      resolved = 1;
    } else if (!strcmp(word, "--chdir")) {
      if (chdir(word = next(word))) fail(word);
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
    } else if (!strcmp(word, "--add-flag")) {
      command[position++] = word = next(word);
    } else if (!strcmp(word, "--append-flag")) {
      behind[appended++] = word = next(word);
    } else {
      fail(word);
    }
  }
  for (int argument = 1; argument < count; argument++) command[position++] = arguments[argument];
  for (int flag = 0; flag < appended; flag++) command[position++] = behind[flag];
  command[0] = resolved ? resolve(name) : name;
  execv(program, command);
  fail(program);
}
