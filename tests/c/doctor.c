/* The doctor: it looks at everything, says it in text and JSON, and leaves a running guard as it was. */

#include "check.h"

#define E &check_error

static mpguard_doctor_report_t *examine(const mpguard_config_t *config) {
  mpguard_doctor_report_t *report = NULL;
  WORKS(mpguard_doctor(config, &report, E));
  CHECK(report != NULL);
  return report;
}

static bool says(const mpguard_doctor_report_t *report, const char *words) {
  const char *json = mpguard_doctor_report_json(report);
  if (json != NULL && strstr(json, words) != NULL) return true;
  fprintf(stderr, "`%s` is not in: %s\n", words, json);
  return false;
}

/* The status is the worst of the findings, and the exit code says the same. */
static void of_one_mind(const mpguard_doctor_report_t *report) {
  const char *json = mpguard_doctor_report_json(report);
  const char *text = mpguard_doctor_report_text(report);
  const bool failed = strstr(json, "\"status\":\"failed\"") != NULL;
  const bool warning = strstr(json, "\"status\":\"warning\"") != NULL;
  CHECK(mpguard_doctor_report_exit_code(report) == (failed ? 2 : warning ? 1 : 0));
  CHECK(text != NULL && text[strlen(text) - 1] == '\n' && strchr(text, '\033') == NULL);
}

static void of_a_product(char **argv) {
  mpguard_config_t *config = check_config(argv);
  mpguard_doctor_report_t *report = examine(config);
  mpguard_config_free(config); /* it has its own copy */
  CHECK(says(report, "\"findings\":[{") && says(report, "\"version\":\"" MPGUARD_VERSION "\""));
  CHECK(says(report, "\"sandbox\":true") && says(report, "\"id\":\"configuration\"") && says(report, "\"id\":\"region\""));
  CHECK(strstr(mpguard_doctor_report_text(report), "region") != NULL);
  of_one_mind(report);
  CHECK(mpguard_doctor_report_free(report) == MPGUARD_OK);
  CHECK(mpguard_doctor_report_exit_code(report) == -1 && mpguard_doctor_report_json(report) == NULL);
  CHECK(mpguard_doctor_report_text(report) == NULL);
  CHECK(mpguard_doctor_report_free(report) == MPGUARD_ERROR_STALE_HANDLE);
}

/* A callback may call it: it runs on the thread that calls, and waits for none of ours. */
static volatile int heard;

static void on_event(const mpguard_event_t *event, void *user_data) {
  mpguard_error_t *error = NULL;
  mpguard_doctor_report_t *report = NULL;
  (void)event;
  if (heard++ > 0) return;
  CHECK(mpguard_doctor((const mpguard_config_t *)user_data, &report, &error) == MPGUARD_OK);
  CHECK(mpguard_doctor_report_free(report) == MPGUARD_OK);
  heard = 100;
}

static void beside_a_guard(char **argv) {
  mpguard_config_t *config = check_config(argv);
  CHECK(mpguard_config_on_event(config, on_event, config, NULL) == MPGUARD_OK);
  mpguard_t *guard = check_init(config);
  mpguard_meter_t *meter = check_meter(guard, "requests");
  mpguard_report_t *end = NULL;
  int32_t verdict = 0;
  WORKS(mpguard_meter_add(meter, 3, E));
  EVENTUALLY(heard >= 100);
  mpguard_doctor_report_t *report = examine(config);
  of_one_mind(report);
  mpguard_doctor_report_free(report);
  WORKS(mpguard_verdict(guard, &verdict, E));
  CHECK(verdict == MPGUARD_VERDICT_LICENSED && check_added(guard, "requests") == 3);
  WORKS(mpguard_shutdown(guard, 20000, &end, E));
  CHECK(mpguard_report_recorded(end) == 3 && mpguard_report_pending(end) == 0);
  mpguard_report_free(end);
  mpguard_meter_free(meter);
  mpguard_free(guard);
  mpguard_config_free(config);
}

/* Run without a network, for there is no sandbox that would answer instead of AWS. */
static void of_the_surroundings(void) {
  mpguard_doctor_report_t *report = examine(NULL);
  CHECK(says(report, "\"sandbox\":false"));
  of_one_mind(report);
  mpguard_doctor_report_free(report);

  mpguard_config_t *config = mpguard_config_new();
  WORKS(mpguard_config_set(config, "pricing", "usage", E));
  report = examine(config); /* what is missing is a finding */
  CHECK(mpguard_doctor_report_exit_code(report) == 2);
  CHECK(says(report, "product_code") && strstr(mpguard_doctor_report_text(report), "product_code") != NULL);
  of_one_mind(report);
  mpguard_doctor_report_free(report);
  mpguard_config_free(config);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  if (strcmp(argv[1], "surroundings") == 0) {
    of_the_surroundings();
    return 0;
  }
  of_a_product(argv);
  beside_a_guard(argv);
  return 0;
}
