/* A product in C that is sold on AWS Marketplace: it counts what its customers do, gives each a seat, and draws
 * prepaid credits. */

#include <mpguard.h>

#include <stdio.h>
#include <stdlib.h>

/* Prints what went wrong and ends. A server would branch on mpguard_error_code and mpguard_error_retryable. */
static void fail(mpguard_error_t *error) {
  fprintf(stderr, "error: %s: %s\n", mpguard_error_name(error), mpguard_error_text(error));
  mpguard_error_free(error);
  exit(1);
}

/* Called on a thread of mpguard. `event` lives until this returns. */
static void on_event(const mpguard_event_t *event, void *user_data) {
  (void)user_data;
  printf("callback: %s: %s\n", mpguard_event_kind_name(event), mpguard_event_text(event));
}

static mpguard_t *start(void) {
  const char *json = getenv("PRODUCT_CONFIG");
  mpguard_error_t *error = NULL;
  mpguard_t *guard = NULL;
  mpguard_config_t *config = mpguard_config_new();
  if (mpguard_config_set_json(config, json == NULL ? "{}" : json, &error) != MPGUARD_OK) fail(error);
  mpguard_config_on_event(config, on_event, NULL, NULL);
  if (mpguard_init(config, &guard, &error) != MPGUARD_OK) fail(error);
  mpguard_config_free(config);
  if (mpguard_require(guard, &error) != MPGUARD_OK) fail(error);
  return guard;
}

static mpguard_meter_t *meter(const mpguard_t *guard, const char *dimension) {
  mpguard_error_t *error = NULL;
  mpguard_meter_t *made = NULL;
  if (mpguard_meter(guard, dimension, NULL, 0, &made, &error) != MPGUARD_OK) fail(error);
  return made;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  mpguard_error_t *error = NULL;
  mpguard_t *guard = start();

  bool premium = false;
  if (mpguard_has(guard, "Premium", &premium, &error) != MPGUARD_OK) fail(error);
  printf("licensed: tier %s\n", premium ? "Premium" : "Basic");

  mpguard_seat_t *seat = NULL;
  if (mpguard_check_out(guard, "Seats", 1, 30000, &seat, &error) != MPGUARD_OK) fail(error);
  printf("seat: %s\n", mpguard_seat_held(seat) ? "held" : "lost");

  mpguard_meter_t *requests = meter(guard, "requests");
  mpguard_meter_t *megabytes = meter(guard, "megabytes");
  long long more_requests = 0, more_megabytes = 0;
  while (scanf("%lld %lld", &more_requests, &more_megabytes) == 2) {
    /* The customer's seat. It lingers for a moment, so that log-ins in quick succession share one call to AWS. */
    mpguard_seat_t *customer = NULL;
    if (mpguard_check_out(guard, "Seats", 1, 30000, &customer, &error) != MPGUARD_OK) fail(error);
    /* The work starts when its credits are booked, never before. */
    long long credits = (more_requests + 9) / 10;
    if (credits > 0 && mpguard_draw_down(guard, "Credits", credits, 30000, &error) != MPGUARD_OK) fail(error);
    if (mpguard_meter_add(requests, more_requests, &error) != MPGUARD_OK) fail(error);
    if (mpguard_meter_add(megabytes, more_megabytes, &error) != MPGUARD_OK) fail(error);
    mpguard_seat_free(customer); /* checks it in */
    printf("worked: %lld %lld, %lld credits\n", more_requests, more_megabytes, credits);
  }

  if (mpguard_seat_check_in(seat, &error) != MPGUARD_OK) fail(error);
  mpguard_report_t *report = NULL;
  if (mpguard_shutdown(guard, 30000, &report, &error) != MPGUARD_OK) fail(error);
  mpguard_account_t *account = mpguard_report_account(report);
  printf("account: %s\n", mpguard_account_json(account));
  printf("report: %s\n", mpguard_report_json(report));

  mpguard_account_free(account);
  mpguard_report_free(report);
  mpguard_meter_free(requests);
  mpguard_meter_free(megabytes);
  mpguard_seat_free(seat);
  mpguard_free(guard);
  return 0;
}
