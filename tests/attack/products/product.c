/* A product in production mode: says in one line of JSON what the guard decided, and ends.
 *
 * Argument: the configuration. A seller's chart gives the product code from outside, as PRODUCT_CODE. */

#include "mpguard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say_text(const char *text) {
  putchar('"');
  for (; text != NULL && *text != '\0'; text++) {
    if (*text == '"' || *text == '\\') putchar('\\');
    putchar((unsigned char)*text < 0x20 ? ' ' : *text);
  }
  putchar('"');
}

static int refused(const char *name, const mpguard_error_t *error) {
  printf("{\"verdict\": \"%s\", \"reason\": ", name);
  say_text(mpguard_error_name(error));
  printf(", \"text\": ");
  say_text(mpguard_error_text(error));
  printf(", \"sandbox\": false, \"recorded\": 0}\n");
  return 0;
}

static const char *word_of(int32_t verdict) {
  switch (verdict) {
    case MPGUARD_VERDICT_PENDING: return "pending";
    case MPGUARD_VERDICT_LICENSED: return "licensed";
    case MPGUARD_VERDICT_GRACE: return "grace";
    case MPGUARD_VERDICT_DENIED: return "denied";
    default: return "unknown";
  }
}

int main(int argc, char **argv) {
  mpguard_error_t *error = NULL;
  mpguard_config_t *config = mpguard_config_new();
  mpguard_license_t *license = NULL;
  mpguard_meter_t *meter = NULL;
  mpguard_report_t *report = NULL;
  mpguard_t *guard = NULL;
  const char *code = getenv("PRODUCT_CODE");

  if (argc != 2) return 2;
  if (mpguard_config_set_json(config, argv[1], &error) != MPGUARD_OK) return refused("error", error);
  if (code != NULL && mpguard_config_set(config, "product_code", code, &error) != MPGUARD_OK) {
    return refused("error", error);
  }
  if (mpguard_init(config, &guard, &error) != MPGUARD_OK) return refused("error", error);
  mpguard_config_free(config);

  if (mpguard_meter(guard, "requests", NULL, 0, &meter, NULL) == MPGUARD_OK) mpguard_meter_add(meter, 3, NULL);
  mpguard_meter_free(meter);
  if (mpguard_license(guard, &license, &error) != MPGUARD_OK) return 3;
  /* What leaves here has to leave for AWS: the running hour is sent at the end. */
  if (mpguard_shutdown(guard, 10000, &report, &error) != MPGUARD_OK) return 4;
  printf("{\"verdict\": \"%s\", \"reason\": ", word_of(mpguard_license_verdict(license)));
  say_text(mpguard_license_reason(license));
  printf(", \"text\": ");
  say_text(mpguard_license_text(license));
  printf(", \"sandbox\": %s", mpguard_license_sandbox(license) ? "true" : "false");
  printf(", \"recorded\": %lld}\n", (long long)mpguard_report_recorded(report));
  mpguard_report_free(report);
  mpguard_license_free(license);
  mpguard_free(guard);
  return 0;
}
