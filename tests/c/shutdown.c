/* The end: a second shutdown is an error, what is left still answers, and freeing alone is enough. */

#include "check.h"

#define E &check_error

static int threads(void) {
  int count = 0;
  char line[256];
  FILE *file = fopen("/proc/self/status", "r");
  CHECK(file != NULL);
  while (fgets(line, sizeof line, file) != NULL) sscanf(line, "Threads: %d", &count);
  fclose(file);
  return count;
}

static void a_second_shutdown(char **argv) {
  mpguard_t *guard = check_guard(argv);
  mpguard_report_t *report = NULL;
  mpguard_license_t *license = NULL;
  mpguard_stats_t *stats = NULL;
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_shutdown(guard, -1, NULL, E), "`deadline_ms`");
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_flush(guard, -1, NULL, E), "`deadline_ms`");
  WORKS(mpguard_shutdown(guard, 20000, &report, E));
  mpguard_report_free(report);
  report = NULL;
  FAILS(MPGUARD_ERROR_SHUT_DOWN, mpguard_shutdown(guard, 20000, &report, E), "shut down");
  FAILS(MPGUARD_ERROR_SHUT_DOWN, mpguard_flush(guard, 1000, &report, E), "shut down");
  CHECK(report == NULL);
  CHECK(check_added(guard, "requests") == 0);
  WORKS(mpguard_license(guard, &license, E));
  CHECK(mpguard_license_verdict(license) != MPGUARD_VERDICT_LICENSED);
  CHECK(strcmp(mpguard_license_reason(license), "shut_down") == 0);
  mpguard_license_free(license);
  WORKS(mpguard_stats(guard, &stats, E));
  CHECK(mpguard_stats_calls(stats) > 0 && mpguard_stats_calls_failed(stats) == 0 && mpguard_stats_events(stats) > 0);
  CHECK(mpguard_stats_events_replaced(stats) >= 0 && strcmp(mpguard_stats_storage(stats), "memory") == 0);
  CHECK(strstr(mpguard_stats_json(stats), "\"storage\":\"memory\"") != NULL);
  mpguard_stats_free(stats);
  CHECK(mpguard_free(guard) == MPGUARD_OK);
}

static void freeing_alone_reports_what_is_counted(char **argv) {
  mpguard_t *guard = check_guard(argv);
  mpguard_meter_t *meter = check_meter(guard, "requests");
  WORKS(mpguard_meter_add(meter, 3, E));
  CHECK(mpguard_free(guard) == MPGUARD_OK);
  FAILS(MPGUARD_ERROR_SHUT_DOWN, mpguard_meter_add(meter, 1, E), "shut down");
  mpguard_meter_free(meter);
}

static void guards_leave_no_threads_behind(char **argv, int before) {
  mpguard_t *guard = check_guard(argv);
  EVENTUALLY(threads() == before + 2); /* a resolver's thread may be there for a moment */
  CHECK(mpguard_free(guard) == MPGUARD_OK);
  EVENTUALLY(threads() == before);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  int before = threads();
  CHECK(strcmp(mpguard_version(), MPGUARD_VERSION) == 0);
  CHECK(strcmp(mpguard_status_name(MPGUARD_ERROR_SHUT_DOWN), "SHUT_DOWN") == 0);
  CHECK(strcmp(mpguard_status_name(MPGUARD_OK), "OK") == 0 && mpguard_status_name(12345) == NULL);
  a_second_shutdown(argv);
  freeing_alone_reports_what_is_counted(argv);
  guards_leave_no_threads_behind(argv, before);
  return 0;
}
