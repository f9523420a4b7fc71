/* The guard's own queue: for hosts that would rather ask than be called. */

#include "check.h"

#include <poll.h>
#include <pthread.h>

#define E &check_error

static bool readable(int32_t fd, int timeout_ms) {
  struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
  return poll(&poll_fd, 1, timeout_ms) == 1;
}

static int64_t announced(const mpguard_t *guard) {
  mpguard_stats_t *stats = NULL;
  WORKS(mpguard_stats(guard, &stats, E));
  int64_t events = mpguard_stats_events(stats);
  mpguard_stats_free(stats);
  return events;
}

static void *wait_for_ever(void *guard) {
  mpguard_event_t *event = NULL;
  int32_t status = mpguard_next_event(guard, MPGUARD_FOREVER, &event, NULL);
  while (status == MPGUARD_OK) {
    mpguard_event_free(event);
    status = mpguard_next_event(guard, MPGUARD_FOREVER, &event, NULL);
  }
  CHECK(status == MPGUARD_ERROR_SHUT_DOWN);
  return NULL;
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  mpguard_t *guard = check_guard(argv);
  mpguard_event_t *event = NULL;
  int32_t fd = -1;
  EVENTUALLY(announced(guard) == 1); /* what init has to say is said before the queue starts */
  WORKS(mpguard_event_fd(guard, &fd, E));
  CHECK(fd >= 0);

  /* A late asker is given the current state first. */
  CHECK(readable(fd, 20000));
  WORKS(mpguard_next_event(guard, 20000, &event, E));
  CHECK(mpguard_event_kind(event) == MPGUARD_EVENT_VERDICT_CHANGED);
  mpguard_event_free(event);
  event = NULL;

  /* Whatever else came is taken, then there is none. */
  while (mpguard_next_event(guard, 300, &event, NULL) == MPGUARD_OK) mpguard_event_free(event);
  event = NULL;
  FAILS(MPGUARD_ERROR_TIMED_OUT, mpguard_next_event(guard, 0, &event, E), "0 ms");
  FAILS(MPGUARD_ERROR_TIMED_OUT, mpguard_next_event(guard, 20, &event, E), "20 ms");
  CHECK(event == NULL && !readable(fd, 0));
  FAILS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard_next_event(guard, -2, &event, E), "`timeout_ms`", "`-2`");

  /* Shutting down wakes who waits, and every later call. */
  pthread_t waiter;
  CHECK(pthread_create(&waiter, NULL, wait_for_ever, guard) == 0);
  WORKS(mpguard_shutdown(guard, 20000, NULL, E));
  CHECK(pthread_join(waiter, NULL) == 0);
  FAILS(MPGUARD_ERROR_SHUT_DOWN, mpguard_next_event(guard, 1000, &event, E), "no more events");
  CHECK(mpguard_free(guard) == MPGUARD_OK);
  return 0;
}
