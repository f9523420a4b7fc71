/* Configuration: every mistake names the key, the value and what is allowed; the old value stays. */

#include "check.h"

#define E &check_error
#define INVALID(call, ...) FAILS(MPGUARD_ERROR_INVALID_CONFIG, call, __VA_ARGS__)

static int freed;

static void on_event(const mpguard_event_t *event, void *user_data) {
  (void)event;
  (void)user_data;
}

static void count_free(void *user_data) {
  CHECK(user_data == &freed);
  freed++;
}

static void keys(void) {
  mpguard_config_t *config = mpguard_config_new();
  INVALID(mpguard_config_set(config, "prodct_code", "x", E), "`prodct_code`", "did you mean `product_code`?");
  INVALID(mpguard_config_set(config, "pricing", "free", E), "`pricing`", "free", "`hourly`");
  INVALID(mpguard_config_set(config, "grace_ms", "soon", E), "`grace_ms`", "`soon`", "whole number");
  INVALID(mpguard_config_set(config, "grace_ms", "-1", E), "`grace_ms`", "-1");
  INVALID(mpguard_config_set(config, "extra_ca_pem", "no pem", E), "`extra_ca_pem`", "-----BEGIN");
  INVALID(mpguard_config_set(config, "dimensions", "[{\"nam\":\"x\"}]", E), "nam");
  INVALID(mpguard_config_set_json(config, "[]", E), "JSON object");
  INVALID(mpguard_config_set_json(config, "{\"pricing\":", E), "cannot read configuration");
  INVALID(mpguard_config_set_json(config, "{\"pricing\":7}", E), "`pricing`", "7");
  mpguard_config_free(config);
}

static void all_or_nothing(void) {
  mpguard_config_t *config = mpguard_config_new();
  WORKS(mpguard_config_set_json(config, "{\"pricing\":\"usage\",\"dimensions\":[{\"name\":\"requests\"}]}", E));
  INVALID(mpguard_config_check(config, E), "product_code");
  /* The first key of this object is good, the second is not: neither is set. */
  INVALID(mpguard_config_set_json(config, "{\"product_code\":\"x\",\"grace\":1}", E), "`grace`");
  INVALID(mpguard_config_check(config, E), "product_code");
  WORKS(mpguard_config_set(config, "product_code", "x", E));
  WORKS(mpguard_config_check(config, E));
  /* null puts the default back, and here there is none. */
  WORKS(mpguard_config_set_json(config, "{\"product_code\":null}", E));
  INVALID(mpguard_config_check(config, E), "product_code");
  mpguard_t *guard = NULL;
  INVALID(mpguard_init(config, &guard, E), "product_code");
  CHECK(guard == NULL);
  mpguard_config_free(config);
}

static void user_data_is_freed_once(char **argv) {
  mpguard_config_t *config = check_config(argv);
  CHECK(mpguard_config_on_event(config, NULL, &freed, count_free) == MPGUARD_ERROR_INVALID_ARGUMENT);
  CHECK(freed == 0); /* nothing was taken */
  CHECK(mpguard_config_on_event(config, on_event, &freed, count_free) == MPGUARD_OK);
  CHECK(mpguard_config_on_event(config, on_event, &freed, count_free) == MPGUARD_OK);
  CHECK(freed == 1); /* the replaced one */
  mpguard_t *guard = check_init(config);
  CHECK(mpguard_config_free(config) == MPGUARD_OK);
  CHECK(freed == 1); /* the guard still calls it */
  WORKS(mpguard_shutdown(guard, 5000, NULL, E));
  CHECK(mpguard_free(guard) == MPGUARD_OK);
  CHECK(freed == 2);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  keys();
  all_or_nothing();
  user_data_is_freed_once(argv);
  return 0;
}
