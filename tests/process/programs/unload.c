/* T32: `dlclose` while our threads run. Arguments: configuration, path of the library. */

#include "host.h"

#include <dlfcn.h>

/* The functions by their own names, from the library that is opened here. */
#define FUNCTION(name) __typeof__(&name) p_##name = (__typeof__(&name))dlsym(library, #name); CHECK(p_##name != NULL)

int main(int argc, char **argv) {
  CHECK(argc == 3);
  void *library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  CHECK(library != NULL);
  FUNCTION(mpguard_config_new);
  FUNCTION(mpguard_config_set_json);
  FUNCTION(mpguard_init);
  FUNCTION(mpguard_meter);
  FUNCTION(mpguard_meter_add);
  FUNCTION(mpguard_shutdown);
  FUNCTION(mpguard_report_recorded);

  mpguard_config_t *config = p_mpguard_config_new();
  mpguard_t *guard = NULL;
  mpguard_meter_t *meter = NULL;
  CHECK(p_mpguard_config_set_json(config, argv[1], NULL) == MPGUARD_OK);
  CHECK(p_mpguard_init(config, &guard, NULL) == MPGUARD_OK);
  CHECK(p_mpguard_meter(guard, "requests", NULL, 0, &meter, NULL) == MPGUARD_OK);
  CHECK(p_mpguard_meter_add(meter, 5, NULL) == MPGUARD_OK);
  host_say("pid", (long long)getpid());

  CHECK(dlclose(library) == 0);
  if (!host_told()) return 1; /* hours pass: the threads are at work */
  CHECK(dlopen(argv[2], RTLD_NOW | RTLD_NOLOAD) != NULL);
  CHECK(p_mpguard_meter_add(meter, 6, NULL) == MPGUARD_OK);
  mpguard_report_t *report = NULL;
  CHECK(p_mpguard_shutdown(guard, 10000, &report, NULL) == MPGUARD_OK);
  host_say("recorded", p_mpguard_report_recorded(report));
  return 0;
}
