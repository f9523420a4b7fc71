/* A guard at rest: says its process id once it is licensed, and ends with its input.
 *
 * MPGUARD_CONFIG: the configuration as JSON. */

#include "mpguard.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
  mpguard_error_t *error = NULL;
  mpguard_t *guard = NULL;
  mpguard_meter_t *meter = NULL;
  mpguard_config_t *config = mpguard_config_new();
  if (mpguard_config_set_json(config, getenv("MPGUARD_CONFIG"), &error) != MPGUARD_OK ||
      mpguard_init(config, &guard, &error) != MPGUARD_OK ||
      mpguard_meter(guard, getenv("BENCH_DIMENSION"), NULL, 0, &meter, &error) != MPGUARD_OK) {
    fprintf(stderr, "%s\n", mpguard_error_text(error));
    return 1;
  }
  printf("%ld\n", (long)getpid());
  fflush(stdout);
  while (getchar() != EOF) {
  }
  /* No shutdown: an hour is measured, not an end. */
  _exit(0);
}
