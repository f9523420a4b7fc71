/* NULL everywhere: each call answers with an error that names what is NULL, or with its fallback. */

#include "check.h"

static const char text[] = "is NULL";
#define NULL_IN(name, call) FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, call, name, text)
#define E &check_error

static void on_event(const mpguard_event_t *event, void *user_data) {
  (void)event;
  (void)user_data;
}

static void no_handle(void) {
  mpguard_t *guard = NULL;
  mpguard_license_t *license = NULL;
  mpguard_meter_t *meter = NULL;
  mpguard_seat_t *seat = NULL;
  mpguard_event_t *event = NULL;
  mpguard_account_t *account = NULL;
  mpguard_stats_t *stats = NULL;
  mpguard_report_t *report = NULL;
  int32_t number = 77;
  uint64_t subscription = 77;
  bool has = true;

  NULL_IN("config", mpguard_config_set(NULL, "pricing", "usage", E));
  NULL_IN("config", mpguard_config_set_json(NULL, "{}", E));
  NULL_IN("config", mpguard_config_check(NULL, E));
  NULL_IN("config", mpguard_init(NULL, &guard, E));
  CHECK(mpguard_config_on_event(NULL, on_event, NULL, NULL) == MPGUARD_ERROR_INVALID_ARGUMENT);

  NULL_IN("`report_out`", mpguard_doctor(NULL, NULL, E));
  NULL_IN("guard", mpguard_verdict(NULL, &number, E));
  NULL_IN("guard", mpguard_license(NULL, &license, E));
  NULL_IN("guard", mpguard_require(NULL, E));
  NULL_IN("guard", mpguard_has(NULL, "x", &has, E));
  NULL_IN("guard", mpguard_meter(NULL, "x", NULL, 0, &meter, E));
  NULL_IN("guard", mpguard_check_out(NULL, "x", 1, 1, &seat, E));
  NULL_IN("guard", mpguard_draw_down(NULL, "x", 1, 1, E));
  NULL_IN("guard", mpguard_subscribe(NULL, on_event, NULL, NULL, &subscription, E));
  NULL_IN("guard", mpguard_unsubscribe(NULL, 1, E));
  NULL_IN("guard", mpguard_next_event(NULL, 0, &event, E));
  NULL_IN("guard", mpguard_event_fd(NULL, &number, E));
  NULL_IN("guard", mpguard_account(NULL, &account, E));
  NULL_IN("guard", mpguard_stats(NULL, &stats, E));
  NULL_IN("guard", mpguard_flush(NULL, 0, &report, E));
  NULL_IN("guard", mpguard_shutdown(NULL, 0, &report, E));
  NULL_IN("meter", mpguard_meter_add(NULL, 1, E));
  NULL_IN("meter", mpguard_meter_set(NULL, 1, E));
  NULL_IN("seat", mpguard_seat_check_in(NULL, E));
  NULL_IN("event", mpguard_event_clone(NULL, &event, E));
  CHECK(mpguard_event_callback_failed(NULL) == MPGUARD_ERROR_INVALID_ARGUMENT);

  /* Outputs are written on success only. */
  CHECK(guard == NULL && license == NULL && meter == NULL && seat == NULL && event == NULL);
  CHECK(account == NULL && stats == NULL && report == NULL && number == 77 && subscription == 77 && has);
}

static void no_object_to_look_at(void) {
  CHECK(mpguard_error_code(NULL) == 0 && mpguard_error_name(NULL) == NULL && mpguard_error_kind(NULL) == NULL);
  CHECK(!mpguard_error_retryable(NULL) && mpguard_error_text(NULL) == NULL);
  CHECK(mpguard_license_verdict(NULL) == 0 && mpguard_license_reason(NULL) == NULL);
  CHECK(mpguard_license_text(NULL) == NULL && mpguard_license_since_ms(NULL) == -1);
  CHECK(mpguard_license_until_ms(NULL) == -1 && mpguard_license_sandbox(NULL));
  CHECK(mpguard_license_arn(NULL) == NULL && mpguard_license_version(NULL) == NULL);
  CHECK(mpguard_license_entitlement_count(NULL) == 0 && mpguard_license_entitlement_name(NULL, 0) == NULL);
  CHECK(mpguard_license_entitlement_unit(NULL, 0) == NULL && mpguard_license_entitlement_value(NULL, 0) == NULL);
  CHECK(mpguard_license_entitlement_max_count(NULL, 0) == -1 &&
        mpguard_license_entitlement_consumed(NULL, 0) == -1 && !mpguard_license_has(NULL, "x"));
  CHECK(mpguard_license_json(NULL) == NULL);
  CHECK(mpguard_event_kind(NULL) == 0 && mpguard_event_kind_name(NULL) == NULL && mpguard_event_topic(NULL) == NULL);
  CHECK(mpguard_event_text(NULL) == NULL && mpguard_event_time_ms(NULL) == -1 && mpguard_event_sequence(NULL) == -1);
  CHECK(mpguard_event_license(NULL) == NULL && mpguard_event_old_license(NULL) == NULL);
  CHECK(mpguard_event_details_json(NULL) == NULL && mpguard_event_json(NULL) == NULL);
  CHECK(mpguard_meter_dimension(NULL) == NULL);
  CHECK(mpguard_seat_entitlement(NULL) == NULL && mpguard_seat_count(NULL) == -1);
  CHECK(mpguard_seat_number(NULL) == -1);
  CHECK(!mpguard_seat_held(NULL) && mpguard_seat_expires_ms(NULL) == -1);
  CHECK(mpguard_report_recorded(NULL) == -1 && mpguard_report_pending(NULL) == -1);
  CHECK(mpguard_report_disputed(NULL) == -1 && mpguard_report_seats_returned(NULL) == -1);
  CHECK(mpguard_report_may_be_lost(NULL) && mpguard_report_json(NULL) == NULL && mpguard_report_account(NULL) == NULL);
  CHECK(mpguard_account_count(NULL) == 0 && mpguard_account_dimension(NULL, 0) == NULL);
  CHECK(mpguard_account_added(NULL, 0) == -1 && mpguard_account_open(NULL, 0) == -1);
  CHECK(mpguard_account_pending(NULL, 0) == -1 && mpguard_account_delivered(NULL, 0) == -1);
  CHECK(mpguard_account_disputed(NULL, 0) == -1 && mpguard_account_held(NULL, 0) == -1);
  CHECK(mpguard_account_missed(NULL, 0) == -1 && mpguard_account_json(NULL) == NULL);
  CHECK(mpguard_stats_calls(NULL) == -1 && mpguard_stats_calls_failed(NULL) == -1 && mpguard_stats_events(NULL) == -1);
  CHECK(mpguard_stats_events_replaced(NULL) == -1 && mpguard_stats_listener_failures(NULL) == -1);
  CHECK(mpguard_stats_storage(NULL) == NULL && mpguard_stats_json(NULL) == NULL);
  CHECK(mpguard_doctor_report_exit_code(NULL) == -1 && mpguard_doctor_report_json(NULL) == NULL);
  CHECK(mpguard_doctor_report_text(NULL) == NULL);
}

static void freeing_null_is_fine(void) {
  CHECK(mpguard_error_free(NULL) == MPGUARD_OK && mpguard_config_free(NULL) == MPGUARD_OK);
  CHECK(mpguard_free(NULL) == MPGUARD_OK && mpguard_meter_free(NULL) == MPGUARD_OK);
  CHECK(mpguard_seat_free(NULL) == MPGUARD_OK && mpguard_license_free(NULL) == MPGUARD_OK);
  CHECK(mpguard_event_free(NULL) == MPGUARD_OK && mpguard_report_free(NULL) == MPGUARD_OK);
  CHECK(mpguard_account_free(NULL) == MPGUARD_OK && mpguard_stats_free(NULL) == MPGUARD_OK);
  CHECK(mpguard_doctor_report_free(NULL) == MPGUARD_OK);
}

static void no_text_and_no_place(char **argv) {
  mpguard_config_t *config = mpguard_config_new();
  NULL_IN("`key`", mpguard_config_set(config, NULL, "usage", E));
  NULL_IN("`value`", mpguard_config_set(config, "pricing", NULL, E));
  NULL_IN("`json`", mpguard_config_set_json(config, NULL, E));
  NULL_IN("`guard_out`", mpguard_init(config, NULL, E));
  CHECK(mpguard_config_on_event(config, NULL, NULL, NULL) == MPGUARD_ERROR_INVALID_ARGUMENT);
  CHECK(mpguard_config_set(config, NULL, NULL, NULL) == MPGUARD_ERROR_INVALID_ARGUMENT);
  mpguard_config_free(config);

  mpguard_t *guard = check_guard(argv);
  mpguard_meter_t *meter = NULL;
  mpguard_seat_t *seat = NULL;
  bool has = false;
  uint64_t subscription = 0;
  const char *tags[] = {"key", NULL};
  NULL_IN("`verdict_out`", mpguard_verdict(guard, NULL, E));
  NULL_IN("`license_out`", mpguard_license(guard, NULL, E));
  NULL_IN("`feature`", mpguard_has(guard, NULL, &has, E));
  NULL_IN("`has_out`", mpguard_has(guard, "x", NULL, E));
  NULL_IN("`dimension`", mpguard_meter(guard, NULL, NULL, 0, &meter, E));
  NULL_IN("`meter_out`", mpguard_meter(guard, "requests", NULL, 0, NULL, E));
  NULL_IN("`tags`", mpguard_meter(guard, "requests", NULL, 1, &meter, E));
  NULL_IN("`tags`", mpguard_meter(guard, "requests", tags, 1, &meter, E));
  NULL_IN("`entitlement`", mpguard_check_out(guard, NULL, 1, 1, &seat, E));
  NULL_IN("`entitlement`", mpguard_draw_down(guard, NULL, 1, 1, E));
  NULL_IN("`seat_out`", mpguard_check_out(guard, "Seats", 1, 1, NULL, E));
  NULL_IN("`callback`", mpguard_subscribe(guard, NULL, NULL, NULL, &subscription, E));
  NULL_IN("`subscription_out`", mpguard_subscribe(guard, on_event, NULL, NULL, NULL, E));
  NULL_IN("`event_out`", mpguard_next_event(guard, 0, NULL, E));
  NULL_IN("`fd_out`", mpguard_event_fd(guard, NULL, E));
  NULL_IN("`account_out`", mpguard_account(guard, NULL, E));
  NULL_IN("`stats_out`", mpguard_stats(guard, NULL, E));
  /* A report that nobody wants is no mistake. */
  WORKS(mpguard_flush(guard, 1000, NULL, E));
  WORKS(mpguard_shutdown(guard, 1000, NULL, E));
  mpguard_free(guard);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  no_handle();
  no_object_to_look_at();
  freeing_null_is_fine();
  no_text_and_no_place(argv);
  return 0;
}
