/* Texts that are not UTF-8 are errors that name the argument and the place, and cost nothing. */

#include "check.h"

#define E &check_error
#define BAD "ab\xff"
#define NOT_UTF8(name, call) FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, call, name, "is not UTF-8 from byte 2")

int main(int argc, char **argv) {
  CHECK(argc == 3);
  mpguard_config_t *config = check_config(argv);
  NOT_UTF8("`key`", mpguard_config_set(config, BAD, "usage", E));
  NOT_UTF8("`value`", mpguard_config_set(config, "pricing", BAD, E));
  NOT_UTF8("`json`", mpguard_config_set_json(config, BAD, E));

  mpguard_t *guard = check_init(config);
  mpguard_meter_t *meter = NULL;
  mpguard_seat_t *seat = NULL;
  mpguard_license_t *license = NULL;
  bool has = true;
  const char *key[] = {BAD, "value"}, *value[] = {"key", BAD};
  NOT_UTF8("`dimension`", mpguard_meter(guard, BAD, NULL, 0, &meter, E));
  NOT_UTF8("`tags`", mpguard_meter(guard, "requests", key, 1, &meter, E));
  NOT_UTF8("`tags`", mpguard_meter(guard, "requests", value, 1, &meter, E));
  NOT_UTF8("`entitlement`", mpguard_check_out(guard, BAD, 1, 1000, &seat, E));
  NOT_UTF8("`entitlement`", mpguard_draw_down(guard, BAD, 1, 1000, E));
  NOT_UTF8("`feature`", mpguard_has(guard, BAD, &has, E));
  WORKS(mpguard_license(guard, &license, E));
  CHECK(!mpguard_license_has(license, BAD));
  mpguard_license_free(license);

  /* A cut character, and one in the wrong form. */
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_has(guard, "\xe2\x82", &has, E), "byte 0");
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_has(guard, "\xc0\x80", &has, E), "byte 0");
  /* Good UTF-8 that nothing is named by. */
  WORKS(mpguard_has(guard, "\xe2\x82\xac", &has, E));
  CHECK(!has);
  FAILS(MPGUARD_ERROR_UNKNOWN_DIMENSION, mpguard_meter(guard, "\xe2\x82\xac", NULL, 0, &meter, E), "`\xe2\x82\xac`");

  mpguard_free(guard);
  mpguard_config_free(config);
  return 0;
}
