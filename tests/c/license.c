/* What a guard says about its license, and how a denial or an unreachable place looks. */

#include "check.h"

#define E &check_error

static void licensed(char **argv) {
  mpguard_t *guard = check_guard(argv);
  mpguard_license_t *license = NULL;
  int32_t verdict = 0;
  bool has = false;
  WORKS(mpguard_verdict(guard, &verdict, E));
  CHECK(verdict == MPGUARD_VERDICT_LICENSED);
  WORKS(mpguard_require(guard, E));
  WORKS(mpguard_has(guard, "Basic", &has, E));
  CHECK(has);
  WORKS(mpguard_has(guard, "Premium", &has, E));
  CHECK(!has);

  WORKS(mpguard_license(guard, &license, E));
  CHECK(mpguard_license_verdict(license) == MPGUARD_VERDICT_LICENSED);
  CHECK(strcmp(mpguard_license_reason(license), "entitled") == 0);
  CHECK(mpguard_license_text(license)[0] != '\0' && mpguard_license_since_ms(license) > 0);
  CHECK(mpguard_license_sandbox(license) && strncmp(mpguard_license_text(license), "sandbox: ", 9) == 0);
  CHECK(mpguard_license_has(license, "Basic") && !mpguard_license_has(license, "Premium"));
  CHECK(!mpguard_license_has(license, NULL));
  CHECK(strncmp(mpguard_license_arn(license), "arn:", 4) == 0 && mpguard_license_version(license)[0] != '\0');
  size_t count = mpguard_license_entitlement_count(license), basic = count;
  for (size_t i = 0; i < count; i++) {
    if (strcmp(mpguard_license_entitlement_name(license, i), "Basic") == 0) basic = i;
  }
  CHECK(basic < count && strcmp(mpguard_license_entitlement_unit(license, basic), "None") == 0);
  CHECK(mpguard_license_entitlement_max_count(license, basic) == -1);
  CHECK(mpguard_license_entitlement_consumed(license, basic) == -1);
  CHECK(mpguard_license_entitlement_name(license, count) == NULL);
  CHECK(mpguard_license_entitlement_unit(license, SIZE_MAX) == NULL);
  CHECK(mpguard_license_entitlement_value(license, count) == NULL);
  CHECK(mpguard_license_entitlement_max_count(license, count) == -1);
  CHECK(mpguard_license_entitlement_consumed(license, count) == -1);
  CHECK(strstr(mpguard_license_json(license), "\"verdict\":\"licensed\"") != NULL);

  /* A snapshot stays what it was. */
  WORKS(mpguard_shutdown(guard, 5000, NULL, E));
  CHECK(mpguard_license_verdict(license) == MPGUARD_VERDICT_LICENSED);
  mpguard_license_free(license);
  CHECK(mpguard_require(guard, NULL) != MPGUARD_OK);
  WORKS(mpguard_has(guard, "Basic", &has, E));
  CHECK(!has);
  mpguard_free(guard);
}

static void denied(char **argv) {
  mpguard_config_t *config = check_config(argv);
  mpguard_t *guard = NULL;
  WORKS(mpguard_config_set(config, "product_code", "unsubscribed", E));
  int32_t status = mpguard_init(config, &guard, E);
  CHECK(status == MPGUARD_ERROR_NOT_ENTITLED && guard == NULL);
  CHECK(strcmp(mpguard_error_kind(check_error), "entitlement") == 0 && !mpguard_error_retryable(check_error));
  mpguard_error_free(check_error);
  mpguard_config_free(config);
}

static void unreachable(char **argv) {
  mpguard_config_t *config = check_config(argv);
  mpguard_t *guard = NULL;
  int32_t verdict = 0;
  /* Nobody listens on the discard port here. */
  WORKS(mpguard_config_set(config, "sandbox", "http://127.0.0.1:9/t/nobody", E));
  WORKS(mpguard_config_set(config, "startup_timeout_ms", "300", E));
  WORKS(mpguard_init(config, &guard, E));
  WORKS(mpguard_verdict(guard, &verdict, E));
  CHECK(verdict == MPGUARD_VERDICT_PENDING);
  FAILS(MPGUARD_ERROR_PENDING, mpguard_require(guard, E), "try again");
  CHECK(mpguard_free(guard) == MPGUARD_OK);

  guard = NULL;
  WORKS(mpguard_config_set(config, "startup_pending", "fail", E));
  int32_t status = mpguard_init(config, &guard, E);
  CHECK(status == MPGUARD_ERROR_PENDING && mpguard_error_retryable(check_error) && guard == NULL);
  CHECK(strstr(mpguard_error_text(check_error), "300 ms") != NULL);
  mpguard_error_free(check_error);
  mpguard_config_free(config);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  licensed(argv);
  denied(argv);
  unreachable(argv);
  return 0;
}
