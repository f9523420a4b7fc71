/* Threads add while others make and free handles: nothing is lost, and nobody meets a dead object. */

#include "check.h"

#include <pthread.h>

#define ADDERS 4
#define ROUNDS 20000

static mpguard_t *guard;
static mpguard_meter_t *shared;

/* Adds to the common meter, and to one of its own that it makes and frees. */
static void *adder(void *argument) {
  (void)argument;
  for (int i = 0; i < ROUNDS; i++) {
    CHECK(mpguard_meter_add(shared, 1, NULL) == MPGUARD_OK);
    mpguard_meter_t *own = NULL;
    CHECK(mpguard_meter(guard, "requests", NULL, 0, &own, NULL) == MPGUARD_OK);
    CHECK(mpguard_meter_add(own, 1, NULL) == MPGUARD_OK);
    CHECK(mpguard_meter_free(own) == MPGUARD_OK);
  }
  return NULL;
}

/* All free the same few handles at once: each is freed exactly once. */
static mpguard_license_t *licenses[1000];

static void *freer(void *argument) {
  (void)argument;
  intptr_t freed = 0;
  for (int i = 0; i < 1000; i++) {
    mpguard_license_verdict(licenses[i]);
    if (mpguard_license_free(licenses[i]) == MPGUARD_OK) freed++;
  }
  return (void *)freed;
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  pthread_t threads[ADDERS];
  guard = check_guard(argv);
  shared = check_meter(guard, "requests");
  for (int i = 0; i < ADDERS; i++) CHECK(pthread_create(&threads[i], NULL, adder, NULL) == 0);
  for (int i = 0; i < ADDERS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(check_added(guard, "requests") == 2 * ADDERS * ROUNDS);

  intptr_t freed = 0;
  for (int i = 0; i < 1000; i++) WORKS(mpguard_license(guard, &licenses[i], &check_error));
  for (int i = 0; i < ADDERS; i++) CHECK(pthread_create(&threads[i], NULL, freer, NULL) == 0);
  for (int i = 0; i < ADDERS; i++) {
    void *mine = NULL;
    CHECK(pthread_join(threads[i], &mine) == 0);
    freed += (intptr_t)mine;
  }
  CHECK(freed == 1000);
  mpguard_meter_free(shared);
  CHECK(mpguard_shutdown(guard, 20000, NULL, NULL) == MPGUARD_OK);
  mpguard_free(guard);
  return 0;
}
