/* Seats: taken, held, given back, refused. The sandbox's contract has ten. */

#include "check.h"

#include <pthread.h>

#define E &check_error

static void *give_back(void *seat) {
  check_sleep_ms(200);
  CHECK(mpguard_seat_check_in(seat, NULL) == MPGUARD_OK);
  return NULL;
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  mpguard_t *guard = check_guard(argv);
  mpguard_seat_t *seat = NULL, *more = NULL, *last = NULL;
  FAILS(MPGUARD_ERROR_UNKNOWN_ENTITLEMENT, mpguard_check_out(guard, "Seat", 1, 1000, &seat, E), "`Seat`");
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_check_out(guard, "Seats", 0, 1000, &seat, E), "at least 1");
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_check_out(guard, "Seats", -3, 1000, &seat, E), "`-3`", "at least 1");
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_check_out(guard, "Seats", 1, -1, &seat, E), "`timeout_ms`");
  CHECK(seat == NULL);

  WORKS(mpguard_check_out(guard, "Seats", 4, 20000, &seat, E));
  CHECK(mpguard_seat_held(seat) && mpguard_seat_count(seat) == 4);
  CHECK(strcmp(mpguard_seat_entitlement(seat), "Seats") == 0);
  CHECK(mpguard_seat_expires_ms(seat) > 0);
  CHECK(mpguard_seat_number(seat) > 0 && mpguard_seat_number(more) == -1);
  FAILS(MPGUARD_ERROR_NO_SEAT, mpguard_check_out(guard, "Seats", 7, 200, &more, E), "Seats");
  CHECK(more == NULL);

  WORKS(mpguard_seat_check_in(seat, E));
  CHECK(!mpguard_seat_held(seat));
  WORKS(mpguard_seat_check_in(seat, E)); /* a second call does nothing */
  WORKS(mpguard_check_out(guard, "Seats", 10, 20000, &more, E));

  /* A call that waits has the seats that another thread gives back. */
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, give_back, more) == 0);
  WORKS(mpguard_check_out(guard, "Seats", 10, 20000, &last, E));
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(mpguard_seat_held(last) && !mpguard_seat_held(more) && mpguard_seat_number(last) != mpguard_seat_number(more));

  /* Shutting down gives back what is still held; the handle stays usable. */
  mpguard_report_t *report = NULL;
  WORKS(mpguard_shutdown(guard, 20000, &report, E));
  CHECK(mpguard_report_seats_returned(report) > 0);
  mpguard_report_free(report);
  CHECK(!mpguard_seat_held(last));
  WORKS(mpguard_seat_check_in(last, E));
  FAILS(MPGUARD_ERROR_SHUT_DOWN, mpguard_check_out(guard, "Seats", 1, 1000, &seat, E), "shut down");

  /* A seat may outlive its guard. */
  CHECK(mpguard_free(guard) == MPGUARD_OK);
  CHECK(mpguard_seat_count(last) == 10 && mpguard_seat_free(last) == MPGUARD_OK);
  CHECK(mpguard_seat_free(more) == MPGUARD_OK && mpguard_seat_free(seat) == MPGUARD_OK);
  return 0;
}
