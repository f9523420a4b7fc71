/* Callbacks may call anything; events end with them unless cloned; user data is freed once. */

#include "check.h"

#include <pthread.h>

#define E &check_error

typedef struct {
  mpguard_t *guard;
  mpguard_event_t *kept;
  const mpguard_event_t *borrowed;
  int32_t shutdown_status;
  uint64_t subscription;
  bool unsubscribe, shut_down, fail;
  int calls, freed;
  pthread_t thread;
} app_t;

/* Written on the notify thread, read on ours. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void on_event(const mpguard_event_t *event, void *user_data) {
  app_t *app = user_data;
  mpguard_error_t *error = NULL;
  pthread_mutex_lock(&mutex);
  mpguard_t *guard = app->guard;
  pthread_mutex_unlock(&mutex);

  CHECK(mpguard_event_kind(event) == MPGUARD_EVENT_VERDICT_CHANGED);
  CHECK(strcmp(mpguard_event_kind_name(event), "verdict_changed") == 0);
  CHECK(strcmp(mpguard_event_topic(event), "verdict") == 0);
  CHECK(mpguard_event_text(event)[0] != '\0' && mpguard_event_time_ms(event) > 0 && mpguard_event_sequence(event) > 0);
  CHECK(mpguard_event_details_json(event)[0] == '{');
  CHECK(strstr(mpguard_event_json(event), "\"kind\":\"verdict_changed\"") != NULL);
  mpguard_license_t *now = mpguard_event_license(event), *before = mpguard_event_old_license(event);
  CHECK(mpguard_license_verdict(now) == MPGUARD_VERDICT_LICENSED && mpguard_license_sandbox(now));
  CHECK(mpguard_license_verdict(before) != 0);
  mpguard_license_free(now);
  mpguard_license_free(before);

  if (guard != NULL) {
    int32_t verdict = 0, fd = -1;
    mpguard_meter_t *meter = NULL;
    mpguard_account_t *account = NULL;
    CHECK(mpguard_verdict(guard, &verdict, NULL) == MPGUARD_OK && verdict == MPGUARD_VERDICT_LICENSED);
    CHECK(mpguard_require(guard, NULL) == MPGUARD_OK);
    CHECK(mpguard_meter(guard, "requests", NULL, 0, &meter, NULL) == MPGUARD_OK);
    CHECK(mpguard_meter_add(meter, 1, NULL) == MPGUARD_OK);
    CHECK(mpguard_account(guard, &account, NULL) == MPGUARD_OK);
    CHECK(mpguard_event_fd(guard, &fd, NULL) == MPGUARD_OK);
    CHECK(mpguard_flush(guard, 1000, NULL, NULL) == MPGUARD_OK);
    mpguard_account_free(account);
    mpguard_meter_free(meter);
  }
  pthread_mutex_lock(&mutex);
  uint64_t subscription = app->subscription;
  pthread_mutex_unlock(&mutex);
  int32_t status = -1;
  if (app->unsubscribe) CHECK(mpguard_unsubscribe(guard, subscription, NULL) == MPGUARD_OK);
  if (app->shut_down) status = mpguard_shutdown(guard, 20000, NULL, &error);
  mpguard_error_free(error);
  if (app->fail) CHECK(mpguard_event_callback_failed(event) == MPGUARD_OK);

  pthread_mutex_lock(&mutex);
  app->calls++;
  app->borrowed = event;
  app->shutdown_status = status;
  app->thread = pthread_self();
  if (app->kept == NULL) CHECK(mpguard_event_clone(event, &app->kept, NULL) == MPGUARD_OK);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static void on_free(void *user_data) {
  app_t *app = user_data;
  pthread_mutex_lock(&mutex);
  app->freed++;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static void wait_for(const int *counter, int wanted) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 20;
  pthread_mutex_lock(&mutex);
  while (*counter < wanted) CHECK(pthread_cond_timedwait(&changed, &mutex, &until) == 0);
  pthread_mutex_unlock(&mutex);
}

static void events_end_with_their_callback(app_t *app, char **argv) {
  mpguard_config_t *config = check_config(argv);
  CHECK(mpguard_config_on_event(config, on_event, app, on_free) == MPGUARD_OK);
  mpguard_t *guard = check_init(config);
  mpguard_config_free(config);
  wait_for(&app->calls, 1);
  CHECK(!pthread_equal(app->thread, pthread_self()));
  /* The callback has said that it was called, and may still be on its way out. */
  EVENTUALLY(mpguard_event_kind(app->borrowed) == 0 && mpguard_event_text(app->borrowed) == NULL);
  CHECK(mpguard_event_kind(app->kept) == MPGUARD_EVENT_VERDICT_CHANGED);
  mpguard_event_free(app->kept);
  pthread_mutex_lock(&mutex);
  app->guard = guard;
  pthread_mutex_unlock(&mutex);
}

static uint64_t subscribe(const mpguard_t *guard, app_t *app) {
  pthread_mutex_lock(&mutex); /* the callback waits for its own number */
  uint64_t subscription = 0;
  int32_t status = mpguard_subscribe(guard, on_event, app, on_free, &subscription, NULL);
  CHECK(status == MPGUARD_OK);
  app->subscription = subscription;
  pthread_mutex_unlock(&mutex);
  return subscription;
}

static void a_late_one_hears_the_state_first_and_is_freed_once(mpguard_t *guard) {
  app_t late = {.guard = guard};
  uint64_t subscription = subscribe(guard, &late);
  wait_for(&late.calls, 1);
  CHECK(late.freed == 0);
  WORKS(mpguard_unsubscribe(guard, subscription, E));
  wait_for(&late.freed, 1);
  WORKS(mpguard_unsubscribe(guard, subscription, E)); /* no error, and no second free */
  CHECK(late.freed == 1 && late.calls == 1);
  mpguard_event_free(late.kept);
}

static void it_may_unsubscribe_itself(mpguard_t *guard) {
  app_t shy = {.guard = guard, .unsubscribe = true};
  subscribe(guard, &shy);
  wait_for(&shy.freed, 1);
  CHECK(shy.calls == 1);
  mpguard_event_free(shy.kept);
}

static int64_t failures(const mpguard_t *guard) {
  mpguard_stats_t *stats = NULL;
  WORKS(mpguard_stats(guard, &stats, E));
  int64_t found = mpguard_stats_listener_failures(stats);
  CHECK(mpguard_stats_sandbox(stats));
  mpguard_stats_free(stats);
  return found;
}

static void one_that_fails_is_counted(mpguard_t *guard) {
  app_t clumsy = {.guard = guard, .fail = true};
  CHECK(failures(guard) == 0);
  uint64_t subscription = subscribe(guard, &clumsy);
  wait_for(&clumsy.calls, 1);
  EVENTUALLY(failures(guard) == 1);
  WORKS(mpguard_unsubscribe(guard, subscription, E));
  mpguard_event_free(clumsy.kept);
}

static void it_may_shut_down(mpguard_t *guard) {
  app_t last = {.guard = guard, .shut_down = true};
  subscribe(guard, &last);
  wait_for(&last.calls, 1);
  CHECK(last.shutdown_status == MPGUARD_ERROR_DEFERRED);
  wait_for(&last.freed, 1); /* it completes after the callback */
  FAILS(MPGUARD_ERROR_SHUT_DOWN, mpguard_shutdown(guard, 1000, NULL, E), "shut down");
  mpguard_event_free(last.kept);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  app_t app = {0};
  events_end_with_their_callback(&app, argv);
  mpguard_t *guard = app.guard;
  a_late_one_hears_the_state_first_and_is_freed_once(guard);
  it_may_unsubscribe_itself(guard);
  one_that_fails_is_counted(guard);
  it_may_shut_down(guard);
  CHECK(app.freed == 0); /* a child forked before the end may still need it */
  CHECK(mpguard_free(guard) == MPGUARD_OK);
  wait_for(&app.freed, 1);
  return 0;
}
