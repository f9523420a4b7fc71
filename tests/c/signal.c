/* Counting in signal handlers and in forked children. */

#include "check.h"

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static mpguard_meter_t *meter;
static volatile sig_atomic_t by_handler;

static void count(int number) {
  (void)number;
  if (mpguard_meter_add(meter, 1, NULL) == MPGUARD_OK) by_handler++;
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  mpguard_t *guard = check_guard(argv);
  meter = check_meter(guard, "requests");
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = count;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);

  /* The handler interrupts this thread in the middle of the same function. */
  const pid_t parent = getpid();
  const pid_t pest = fork();
  CHECK(pest != -1);
  if (pest == 0) {
    for (int i = 0; i < 200; i++) {
      kill(parent, SIGUSR1);
      check_sleep_ms(1);
    }
    _exit(mpguard_meter_add(meter, 1000, NULL) == MPGUARD_OK ? 0 : 1);
  }
  int64_t by_loop = 0;
  int status = -1;
  while (waitpid(pest, &status, WNOHANG) == 0) {
    for (int i = 0; i < 1000; i++, by_loop++) WORKS(mpguard_meter_add(meter, 1, &check_error));
  }
  CHECK(status == 0);
  CHECK(by_handler > 10);
  CHECK(check_added(guard, "requests") == by_loop + by_handler + 1000);

  /* A child may go on with every other call; see tests/process for forks in the middle of work. */
  const pid_t child = fork();
  CHECK(child != -1);
  if (child == 0) {
    alarm(30);
    int32_t verdict = 0;
    WORKS(mpguard_verdict(guard, &verdict, &check_error));
    CHECK(verdict == MPGUARD_VERDICT_LICENSED);
    mpguard_meter_t *own = check_meter(guard, "requests");
    WORKS(mpguard_meter_add(own, 5, &check_error));
    CHECK(check_added(guard, "requests") == by_loop + by_handler + 1005);
    WORKS(mpguard_shutdown(guard, 5000, NULL, &check_error));
    /* What the child made ends with its own shutdown. */
    FAILS(MPGUARD_ERROR_SHUT_DOWN, mpguard_meter_add(own, 1, &check_error), "shut down");
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  WORKS(mpguard_meter_add(meter, 1, &check_error));
  CHECK(check_added(guard, "requests") == by_loop + by_handler + 1006);

  WORKS(mpguard_shutdown(guard, 10000, NULL, &check_error));
  mpguard_meter_free(meter);
  mpguard_free(guard);
  return 0;
}
