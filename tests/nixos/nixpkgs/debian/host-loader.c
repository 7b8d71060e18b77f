/* What stands at /lib64/ld-linux-x86-64.so.2 of the box. The kernel starts it for every program that names that loader.

   With -DSTUB_LD it is NixOS's stub, which says that such programs do not run. With -DNIX_LD it stands in for nix-ld, by
   what version 2 documents: the loader is $NIX_LD; it looks into LD_LIBRARY_PATH first and then into
   $NIX_LD_LIBRARY_PATH; both have a form with the system's name, which goes first, and a default in the system's
   profile; what the program starts inherits nothing. Unlike nix-ld it runs the loader as a program, so that
   /proc/self/exe is the loader. */

enum { SYS_write = 1, SYS_execve = 59, SYS_exit = 60, SYS_readlink = 89 };

static long call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

static long length(const char *text) {
  long count = 0;
  while (text[count]) count++;
  return count;
}

static void say(const char *text) { call(SYS_write, 2, (long)text, length(text)); }

static void leave(void) {
  for (;;) call(SYS_exit, 127, 0, 0);
}

/* The program that the kernel was asked to start. */
static char program[4096];

#ifdef NIX_LD
static char path[65536];

/* The value of the variable, null where it is unset or empty. */
static char *variable(char **environment, const char *name) {
  for (; *environment; environment++) {
    const char *wanted = name;
    char *text = *environment;
    while (*wanted && *wanted == *text) wanted++, text++;
    if (!*wanted && *text == '=' && text[1]) return text + 1;
  }
  return 0;
}

static char *first(char *a, char *b, char *c) { return a ? a : b ? b : c; }

static void append(const char *text) {
  long end = length(path);
  if (end + length(text) + 1 > (long)sizeof path) {
    say("nix-ld stand-in: the search path is too long\n");
    leave();
  }
  while ((path[end++] = *text++)) {}
}

static void start(long count, char **arguments, char **environment) {
  char *loader = first(variable(environment, "NIX_LD_x86_64_linux"), variable(environment, "NIX_LD"),
                       "/run/current-system/sw/share/nix-ld/lib/ld.so");
  char *own = variable(environment, "LD_LIBRARY_PATH");
  char *command[count + 6];
  long i = 0;
  if (own) append(own), append(":");
  append(first(variable(environment, "NIX_LD_LIBRARY_PATH_x86_64_linux"), variable(environment, "NIX_LD_LIBRARY_PATH"),
               "/run/current-system/sw/share/nix-ld/lib"));
  command[i++] = loader;
  command[i++] = "--argv0";
  command[i++] = arguments[0];
  command[i++] = "--library-path";
  command[i++] = path;
  command[i++] = program;
  for (long argument = 1; argument <= count; argument++) command[i++] = arguments[argument]; /* with the last, null */
  call(SYS_execve, (long)loader, (long)command, (long)environment);
  say("nix-ld stand-in: cannot start the loader ");
  say(loader);
  say(", as NIX_LD or its default has it\n");
}
#else
static void start(long count, char **arguments, char **environment) {
  (void)count, (void)arguments, (void)environment;
  say("Could not start dynamically linked executable: ");
  say(program);
  say("\nNixOS cannot run dynamically linked executables intended for generic\n"
      "linux environments out of the box. For more information, see:\n"
      "https://nix.dev/permalink/stub-ld\n");
}
#endif

/* The stack as the kernel leaves it: the count of arguments, the arguments, null, the environment, null. */
__attribute__((used)) static void begin(long *stack) {
  long count = stack[0];
  char **arguments = (char **)(stack + 1);
  call(SYS_readlink, (long)"/proc/self/exe", (long)program, sizeof program - 1);
  start(count, arguments, arguments + count + 1);
  leave();
}

__asm__(".globl _start\n"
        "_start:\n"
        "  mov %rsp, %rdi\n"
        "  and $-16, %rsp\n"
        "  call begin\n");
