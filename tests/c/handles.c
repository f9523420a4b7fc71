/* Use after free, double free and foreign handles, of every type: errors, never undefined behaviour. */

#include "check.h"

#define E &check_error
#define STALE(call) FAILS(MPGUARD_ERROR_STALE_HANDLE, call, "handle")

static void of_a_config(char **argv) {
  mpguard_config_t *config = check_config(argv);
  mpguard_t *guard = NULL;
  mpguard_doctor_report_t *report = NULL;
  CHECK(mpguard_config_free(config) == MPGUARD_OK);
  FAILS(MPGUARD_ERROR_STALE_HANDLE, mpguard_config_set(config, "pricing", "usage", E), "was freed before");
  STALE(mpguard_config_set_json(config, "{}", E));
  STALE(mpguard_config_check(config, E));
  STALE(mpguard_init(config, &guard, E));
  STALE(mpguard_doctor(config, &report, E));
  CHECK(guard == NULL && report == NULL);
  CHECK(mpguard_config_free(config) == MPGUARD_ERROR_STALE_HANDLE);
}

static void of_an_error(void) {
  mpguard_error_t *error = NULL;
  CHECK(mpguard_config_set(NULL, "", "", &error) == MPGUARD_ERROR_INVALID_ARGUMENT);
  CHECK(strcmp(mpguard_error_name(error), "INVALID_ARGUMENT") == 0);
  CHECK(strcmp(mpguard_error_kind(error), "usage") == 0);
  CHECK(!mpguard_error_retryable(error));
  CHECK(mpguard_error_free(error) == MPGUARD_OK);
  CHECK(mpguard_error_code(error) == MPGUARD_ERROR_STALE_HANDLE);
  CHECK(mpguard_error_name(error) == NULL && mpguard_error_kind(error) == NULL && mpguard_error_text(error) == NULL);
  CHECK(!mpguard_error_retryable(error));
  CHECK(mpguard_error_free(error) == MPGUARD_ERROR_STALE_HANDLE);
}

static void of_a_meter(mpguard_t *guard) {
  mpguard_meter_t *meter = check_meter(guard, "requests");
  WORKS(mpguard_meter_add(meter, 1, E));
  CHECK(mpguard_meter_free(meter) == MPGUARD_OK);
  FAILS(MPGUARD_ERROR_STALE_HANDLE, mpguard_meter_add(meter, 1, E), "meter", "was freed before");
  STALE(mpguard_meter_set(meter, 1, E));
  CHECK(mpguard_meter_dimension(meter) == NULL);
  CHECK(mpguard_meter_free(meter) == MPGUARD_ERROR_STALE_HANDLE);
  CHECK(check_added(guard, "requests") == 1);
}

static void of_a_seat(mpguard_t *guard) {
  mpguard_seat_t *seat = NULL;
  WORKS(mpguard_check_out(guard, "Seats", 1, 20000, &seat, E));
  CHECK(mpguard_seat_free(seat) == MPGUARD_OK);
  STALE(mpguard_seat_check_in(seat, E));
  CHECK(mpguard_seat_entitlement(seat) == NULL && mpguard_seat_count(seat) == -1 && !mpguard_seat_held(seat));
  CHECK(mpguard_seat_expires_ms(seat) == -1);
  CHECK(mpguard_seat_free(seat) == MPGUARD_ERROR_STALE_HANDLE);
}

static void of_snapshots(mpguard_t *guard) {
  mpguard_license_t *license = NULL;
  mpguard_account_t *account = NULL;
  mpguard_stats_t *stats = NULL;
  mpguard_report_t *report = NULL;
  WORKS(mpguard_license(guard, &license, E));
  WORKS(mpguard_account(guard, &account, E));
  WORKS(mpguard_stats(guard, &stats, E));
  WORKS(mpguard_flush(guard, 1000, &report, E));
  CHECK(mpguard_license_free(license) == MPGUARD_OK && mpguard_account_free(account) == MPGUARD_OK);
  CHECK(mpguard_stats_free(stats) == MPGUARD_OK && mpguard_report_free(report) == MPGUARD_OK);
  CHECK(mpguard_license_verdict(license) == 0 && mpguard_license_json(license) == NULL);
  CHECK(mpguard_license_sandbox(license) && !mpguard_license_has(license, "Basic"));
  CHECK(mpguard_account_count(account) == 0 && mpguard_account_json(account) == NULL);
  CHECK(mpguard_stats_calls(stats) == -1 && mpguard_stats_storage(stats) == NULL);
  CHECK(mpguard_report_may_be_lost(report) && mpguard_report_account(report) == NULL);
  CHECK(mpguard_license_free(license) == MPGUARD_ERROR_STALE_HANDLE);
  CHECK(mpguard_account_free(account) == MPGUARD_ERROR_STALE_HANDLE);
  CHECK(mpguard_stats_free(stats) == MPGUARD_ERROR_STALE_HANDLE);
  CHECK(mpguard_report_free(report) == MPGUARD_ERROR_STALE_HANDLE);
}

static void of_an_event(mpguard_t *guard) {
  mpguard_event_t *event = NULL, *other = NULL;
  int32_t fd = -1;
  WORKS(mpguard_event_fd(guard, &fd, E));
  WORKS(mpguard_next_event(guard, 20000, &event, E));
  CHECK(mpguard_event_sandbox(event) && strncmp(mpguard_event_text(event), "sandbox: ", 9) == 0);
  CHECK(mpguard_event_free(event) == MPGUARD_OK);
  STALE(mpguard_event_clone(event, &other, E));
  CHECK(mpguard_event_sandbox(event)); /* what is unknown proves nothing */
  CHECK(mpguard_event_kind(event) == 0 && mpguard_event_json(event) == NULL && mpguard_event_license(event) == NULL);
  CHECK(mpguard_event_callback_failed(event) == MPGUARD_ERROR_STALE_HANDLE);
  CHECK(mpguard_event_free(event) == MPGUARD_ERROR_STALE_HANDLE);
}

static void of_another_type(mpguard_t *guard) {
  char memory[256] = {0};
  mpguard_meter_t *meter = check_meter(guard, "requests");
  FAILS(MPGUARD_ERROR_STALE_HANDLE, mpguard_meter_add((mpguard_meter_t *)guard, 1, E), "is not a meter");
  FAILS(MPGUARD_ERROR_STALE_HANDLE, mpguard_require((mpguard_t *)meter, E), "is not a guard");
  FAILS(MPGUARD_ERROR_STALE_HANDLE, mpguard_require((mpguard_t *)memory, E), "was not made by mpguard");
  FAILS(MPGUARD_ERROR_STALE_HANDLE, mpguard_require((mpguard_t *)(uintptr_t)1, E), "was not made by mpguard");
  FAILS(MPGUARD_ERROR_STALE_HANDLE, mpguard_require((mpguard_t *)UINTPTR_MAX, E), "was not made by mpguard");
  CHECK(mpguard_free((mpguard_t *)meter) == MPGUARD_ERROR_STALE_HANDLE);
  CHECK(mpguard_meter_free((mpguard_meter_t *)memory) == MPGUARD_ERROR_STALE_HANDLE);
  CHECK(mpguard_meter_free(meter) == MPGUARD_OK);
}

static void of_a_guard(mpguard_t *guard) {
  mpguard_meter_t *meter = check_meter(guard, "megabytes");
  mpguard_license_t *license = NULL;
  int32_t verdict = 0;
  CHECK(mpguard_free(guard) == MPGUARD_OK);
  FAILS(MPGUARD_ERROR_STALE_HANDLE, mpguard_verdict(guard, &verdict, E), "guard", "was freed before");
  STALE(mpguard_license(guard, &license, E));
  STALE(mpguard_shutdown(guard, 0, NULL, E));
  CHECK(mpguard_free(guard) == MPGUARD_ERROR_STALE_HANDLE);
  /* The meter outlives it, and says why it counts no more. */
  FAILS(MPGUARD_ERROR_SHUT_DOWN, mpguard_meter_add(meter, 1, E), "megabytes", "shut down");
  CHECK(mpguard_meter_free(meter) == MPGUARD_OK);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  of_a_config(argv);
  of_an_error();
  mpguard_t *guard = check_guard(argv);
  of_a_meter(guard);
  of_a_seat(guard);
  of_snapshots(guard);
  of_an_event(guard);
  of_another_type(guard);
  of_a_guard(guard);
  return 0;
}
