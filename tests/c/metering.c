/* Meters: what is refused counts nothing, and what is counted is in the account. */

#include "check.h"

#define E &check_error

static void refusals(mpguard_t *guard) {
  mpguard_meter_t *meter = NULL;
  const char *tags[12] = {"a", "1", "b", "1", "c", "1", "d", "1", "e", "1", "f", "1"};
  FAILS(MPGUARD_ERROR_UNKNOWN_DIMENSION, mpguard_meter(guard, "request", NULL, 0, &meter, E), "`request`", "requests");
  FAILS(MPGUARD_ERROR_INVALID_TAG, mpguard_meter(guard, "requests", tags, 6, &meter, E), "requests");
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_meter(guard, "requests", tags, SIZE_MAX, &meter, E), "`tags`");
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_meter(guard, "requests", tags, SIZE_MAX / 2, &meter, E), "`tags`");
  CHECK(meter == NULL);

  meter = check_meter(guard, "requests");
  WORKS(mpguard_meter_add(meter, 5, E));
  WORKS(mpguard_meter_add(meter, 0, E));
  FAILS(MPGUARD_ERROR_QUANTITY_OUT_OF_RANGE, mpguard_meter_add(meter, -1, E), "`-1`", "`requests`", "nothing was counted");
  FAILS(MPGUARD_ERROR_QUANTITY_OUT_OF_RANGE, mpguard_meter_add(meter, INT64_MIN, E), "nothing was counted");
  FAILS(MPGUARD_ERROR_QUANTITY_OUT_OF_RANGE, mpguard_meter_add(meter, INT64_MAX, E), "nothing was counted");
  FAILS(MPGUARD_ERROR_WRONG_METER_KIND, mpguard_meter_set(meter, 1, E), "`requests`", "add");
  CHECK(mpguard_meter_add(meter, -1, NULL) == MPGUARD_ERROR_QUANTITY_OUT_OF_RANGE);
  CHECK(check_added(guard, "requests") == 5);
  mpguard_meter_free(meter);

  meter = check_meter(guard, "hosts");
  WORKS(mpguard_meter_set(meter, 3, E));
  FAILS(MPGUARD_ERROR_QUANTITY_OUT_OF_RANGE, mpguard_meter_set(meter, -1, E), "`-1`", "`hosts`");
  FAILS(MPGUARD_ERROR_WRONG_METER_KIND, mpguard_meter_add(meter, 1, E), "`hosts`", "set");
  CHECK(strcmp(mpguard_meter_dimension(meter), "hosts") == 0);
  mpguard_meter_free(meter);
}

static void the_same_arguments_give_the_same_counter(mpguard_t *guard) {
  const char *tags[] = {"tenant", "a", "zone", "1"}, *turned[] = {"zone", "1", "tenant", "a"};
  mpguard_meter_t *one = NULL, *two = NULL, *three = NULL;
  int64_t before = check_added(guard, "requests");
  WORKS(mpguard_meter(guard, "requests", tags, 2, &one, E));
  WORKS(mpguard_meter(guard, "requests", tags, 2, &two, E));
  WORKS(mpguard_meter(guard, "requests", turned, 2, &three, E));
  CHECK(one != two && two != three);
  WORKS(mpguard_meter_add(one, 1, E));
  CHECK(mpguard_meter_free(one) == MPGUARD_OK);
  WORKS(mpguard_meter_add(two, 2, E));
  WORKS(mpguard_meter_add(three, 4, E));
  CHECK(check_added(guard, "requests") == before + 7);
  mpguard_meter_free(two);
  mpguard_meter_free(three);
}

static void asking_often_makes_no_heap(mpguard_t *guard) {
  int64_t before = check_added(guard, "megabytes");
  for (int i = 0; i < 100000; i++) {
    mpguard_meter_t *meter = check_meter(guard, "megabytes");
    CHECK(mpguard_meter_add(meter, 1, NULL) == MPGUARD_OK);
    mpguard_meter_free(meter);
  }
  CHECK(check_added(guard, "megabytes") == before + 100000);
}

static void the_end(mpguard_t *guard) {
  mpguard_meter_t *meter = check_meter(guard, "requests"), *late = NULL;
  mpguard_report_t *report = NULL;
  mpguard_account_t *account = NULL;
  int64_t requests = check_added(guard, "requests"), megabytes = check_added(guard, "megabytes");
  WORKS(mpguard_shutdown(guard, 20000, &report, E));
  FAILS(MPGUARD_ERROR_SHUT_DOWN, mpguard_meter_add(meter, 1, E), "`requests`", "nothing was counted");
  FAILS(MPGUARD_ERROR_SHUT_DOWN, mpguard_meter(guard, "requests", NULL, 0, &late, E), "shut down");
  CHECK(check_added(guard, "requests") == requests);
  CHECK(mpguard_report_recorded(report) == requests + megabytes + 3); /* 3 hosts */
  CHECK(mpguard_report_pending(report) == 0 && mpguard_report_disputed(report) == 0);
  CHECK(!mpguard_report_may_be_lost(report));
  account = mpguard_report_account(report);
  CHECK(mpguard_account_count(account) == 4);
  for (size_t i = 0; i < 3; i++) {
    CHECK(mpguard_account_added(account, i) == mpguard_account_delivered(account, i));
    CHECK(mpguard_account_open(account, i) == 0 && mpguard_account_pending(account, i) == 0);
    CHECK(mpguard_account_disputed(account, i) == 0 && mpguard_account_held(account, i) == 0);
    CHECK(mpguard_account_missed(account, i) == 0);
  }
  CHECK(mpguard_account_dimension(account, 4) == NULL && mpguard_account_added(account, 4) == -1);
  CHECK(strstr(mpguard_report_json(report), "\"accounts\":[{\"dimension\":\"requests\"") != NULL);
  CHECK(mpguard_account_json(account)[0] == '[');
  mpguard_account_free(account);
  mpguard_report_free(report);
  mpguard_meter_free(meter);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  mpguard_t *guard = check_guard(argv);
  refusals(guard);
  the_same_arguments_give_the_same_counter(guard);
  asking_often_makes_no_heap(guard);
  the_end(guard);
  mpguard_free(guard);
  return 0;
}
