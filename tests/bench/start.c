/* Loads libmpguard.so, starts a guard, and says what that cost this process.
 *
 * argv[1]: the library. MPGUARD_CONFIG: the configuration as JSON. With `--quick` as argv[2] it prints nothing and
 * ends as soon as it is licensed: that run is timed from outside. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A number from /proc/self/status: kilobytes of `VmRSS:`, threads of `Threads:`. */
static long status(const char *name) {
  char line[256];
  long value = -1;
  FILE *file = fopen("/proc/self/status", "r");
  if (file == NULL) return -1;
  while (fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, name, strlen(name)) == 0) value = atol(line + strlen(name));
  }
  fclose(file);
  return value;
}

static void *symbol(void *library, const char *name) {
  void *found = dlsym(library, name);
  if (found == NULL) {
    fprintf(stderr, "no symbol %s: %s\n", name, dlerror());
    exit(1);
  }
  return found;
}

typedef void *(*make_t)(void);
typedef int32_t (*set_json_t)(void *, const char *, void **);
typedef int32_t (*init_t)(void *, void **, void **);
typedef const char *(*text_t)(const void *);

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  int quick = argc > 2 && strcmp(argv[2], "--quick") == 0;
  long memory = status("VmRSS:"), threads = status("Threads:");
  void *library = dlopen(argv[1], RTLD_NOW);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  make_t make = (make_t)(uintptr_t)symbol(library, "mpguard_config_new");
  set_json_t set_json = (set_json_t)(uintptr_t)symbol(library, "mpguard_config_set_json");
  init_t init = (init_t)(uintptr_t)symbol(library, "mpguard_init");
  text_t text = (text_t)(uintptr_t)symbol(library, "mpguard_error_text");
  void *error = NULL, *guard = NULL, *config = make();
  if (set_json(config, getenv("MPGUARD_CONFIG"), &error) != 0 || init(config, &guard, &error) != 0) {
    fprintf(stderr, "%s\n", text(error));
    return 1;
  }
  if (quick) return 0;
  /* At rest: a thread that looked up a name would be gone by now. */
  usleep(300 * 1000);
  printf("{\"memory_kb\": %ld, \"threads\": %ld}\n", status("VmRSS:") - memory, status("Threads:") - threads);
  return 0;
}
