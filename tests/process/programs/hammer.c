/* T29 and T30 in C: forks while threads are inside every function that has a lock. Arguments: configuration, forks. */

#include "host.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <sys/wait.h>

static mpguard_t *guard;
static mpguard_meter_t *meter;
static mpguard_config_t *config;
static mpguard_event_t *event;
static mpguard_license_t *license;
static atomic_bool over;
static atomic_llong added;

static void on_event(const mpguard_event_t *heard, void *app) {
  (void)app;
  CHECK(mpguard_event_json(heard) != NULL);
}

static void count(mpguard_meter_t *to) {
  CHECK(mpguard_meter_add(to, 1, NULL) == MPGUARD_OK);
  atomic_fetch_add(&added, 1);
}

/* Every function with something to wait for, on objects that other threads use too. */
static void everything(int turn) {
  char team[16];
  snprintf(team, sizeof team, "%d", turn % 20);
  const char *tags[] = {"Team", team};
  mpguard_meter_t *tagged = NULL;
  CHECK(mpguard_meter(guard, "requests", tags, 1, &tagged, NULL) == MPGUARD_OK);
  count(tagged);
  mpguard_meter_free(tagged);

  uint64_t subscription = 0;
  CHECK(mpguard_subscribe(guard, on_event, NULL, NULL, &subscription, NULL) == MPGUARD_OK);
  CHECK(mpguard_unsubscribe(guard, subscription, NULL) == MPGUARD_OK);
  CHECK(host_added(guard) > 0);
  CHECK(mpguard_config_set(config, "startup_timeout_ms", "1000", NULL) == MPGUARD_OK);
  CHECK(mpguard_config_check(config, NULL) == MPGUARD_OK);

  mpguard_event_t *copy = NULL, *next = NULL;
  CHECK(mpguard_event_clone(event, &copy, NULL) == MPGUARD_OK);
  CHECK(mpguard_event_json(copy) != NULL && mpguard_event_details_json(copy) != NULL);
  CHECK(mpguard_event_json(event) != NULL && mpguard_license_json(license) != NULL);
  mpguard_event_free(copy);
  if (mpguard_next_event(guard, 0, &next, NULL) == MPGUARD_OK) mpguard_event_free(next);

  mpguard_error_t *error = NULL;
  CHECK(mpguard_meter(guard, "none", NULL, 0, &tagged, &error) == MPGUARD_ERROR_UNKNOWN_DIMENSION);
  CHECK(mpguard_status_name(mpguard_error_code(error)) != NULL);
  mpguard_error_free(error);
  CHECK(mpguard_require(guard, NULL) == MPGUARD_OK);
}

static void *work(void *argument) {
  (void)argument;
  for (int turn = 0; !atomic_load(&over); turn++) everything(turn);
  return NULL;
}

/* One short lock at a time, and nearly always inside of it. */
static void *make_meters(void *argument) {
  (void)argument;
  while (!atomic_load(&over)) {
    mpguard_meter_t *same = NULL;
    CHECK(mpguard_meter(guard, "requests", NULL, 0, &same, NULL) == MPGUARD_OK);
    mpguard_meter_free(same);
  }
  return NULL;
}

static void *configure(void *argument) {
  (void)argument;
  while (!atomic_load(&over)) CHECK(mpguard_config_set(config, "startup_timeout_ms", "1000", NULL) == MPGUARD_OK);
  return NULL;
}

static void *(*const WORK[])(void *) = {work, make_meters, make_meters, configure};
enum { THREADS = sizeof WORK / sizeof WORK[0] };

int main(int argc, char **argv) {
  CHECK(argc == 3);
  int forks = atoi(argv[2]);
  guard = host_guard(argv[1], on_event, NULL);
  meter = host_meter(guard);
  config = mpguard_config_new();
  CHECK(mpguard_config_set_json(config, argv[1], NULL) == MPGUARD_OK);
  CHECK(mpguard_next_event(guard, 5000, &event, NULL) == MPGUARD_OK);
  CHECK(mpguard_license(guard, &license, NULL) == MPGUARD_OK);
  host_say("pid", (long long)getpid());
  if (!host_told()) return 1;

  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, WORK[i], NULL) == 0);
  long long by_children = 0;
  for (int turn = 0; turn < forks; turn++) {
    pid_t child = fork();
    CHECK(child != -1);
    if (child == 0) {
      alarm(20); /* a child that waits for ever is killed, and seen */
      count(meter);
      if (turn % 2 == 0) everything(turn);
      _exit(0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    if (status != 0) {
      fprintf(stderr, "child %d ended with %d\n", turn, status);
      _exit(1);
    }
    by_children += turn % 2 == 0 ? 2 : 1;
  }
  atomic_store(&over, 1);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  host_say("added", by_children + atomic_load(&added));
  if (!host_told()) return 1;
  CHECK(mpguard_shutdown(guard, 10000, NULL, NULL) == MPGUARD_OK);
  return 0;
}
