/* Prepaid units: booked, accounted for, refused. The sandbox's contract has a hundred, drawn ten at once. */

#include "check.h"

#define E &check_error

int main(int argc, char **argv) {
  CHECK(argc == 3);
  mpguard_t *guard = check_guard(argv);
  FAILS(MPGUARD_ERROR_UNKNOWN_ENTITLEMENT, mpguard_draw_down(guard, "Credit", 1, 1000, E), "`Credit`", "`Credits`");
  FAILS(MPGUARD_ERROR_UNKNOWN_ENTITLEMENT, mpguard_draw_down(guard, "Seats", 1, 1000, E), "`Seats`");
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_draw_down(guard, "Credits", 0, 1000, E), "at least 1");
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_draw_down(guard, "Credits", -3, 1000, E), "`-3`", "at least 1");
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_draw_down(guard, "Credits", 1, -1, E), "`timeout_ms`");

  WORKS(mpguard_draw_down(guard, "Credits", 3, 20000, E));
  mpguard_account_t *account = NULL;
  WORKS(mpguard_account(guard, &account, E));
  size_t count = mpguard_account_count(account), credits = count;
  for (size_t i = 0; i < count; i++) {
    if (strcmp(mpguard_account_dimension(account, i), "Credits") == 0) credits = i;
  }
  CHECK(credits < count && mpguard_account_added(account, credits) == 10);
  CHECK(mpguard_account_delivered(account, credits) == 3 && mpguard_account_open(account, credits) == 7);
  CHECK(mpguard_account_pending(account, credits) == 0 && mpguard_account_disputed(account, credits) == 0);
  mpguard_account_free(account);

  FAILS(MPGUARD_ERROR_EXHAUSTED, mpguard_draw_down(guard, "Credits", 98, 20000, E), "Credits");
  CHECK(strcmp(mpguard_status_name(MPGUARD_ERROR_EXHAUSTED), "EXHAUSTED") == 0);
  WORKS(mpguard_draw_down(guard, "Credits", 97, 20000, E));

  WORKS(mpguard_shutdown(guard, 20000, NULL, E));
  FAILS(MPGUARD_ERROR_SHUT_DOWN, mpguard_draw_down(guard, "Credits", 1, 1000, E), "shut down");
  CHECK(mpguard_free(guard) == MPGUARD_OK);
  return 0;
}
