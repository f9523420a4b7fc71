/* Counts from C: `mpguard_meter_add`, beside an atomic addition on a mapped page and an empty call; and `mpguard_has`.
 *
 * MPGUARD_CONFIG: the configuration as JSON; BENCH_DIMENSION: what is counted; BENCH_TIER: what was
 * bought. turn.h says what it answers. */

#define _GNU_SOURCE
#include "mpguard.h"
#include "turn.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

int32_t border_nothing(const void *meter, int64_t quantity, void **error_out);

static _Atomic uint64_t *word;
static mpguard_t *guard;
static mpguard_meter_t *meter;
static const char *tier;

static void fail(mpguard_error_t *error) {
  fprintf(stderr, "%s\n", mpguard_error_text(error));
  exit(1);
}

static void bare(long calls) {
  for (long i = 0; i < calls; i++) atomic_fetch_add_explicit(word, 1, memory_order_relaxed);
}

static void nothing(long calls) {
  for (long i = 0; i < calls; i++) {
    if (border_nothing(meter, 1, NULL) != 0) exit(1);
  }
}

static void add(long calls) {
  for (long i = 0; i < calls; i++) {
    if (mpguard_meter_add(meter, 1, NULL) != MPGUARD_OK) exit(1);
  }
}

static void has(long calls) {
  bool bought = false;
  for (long i = 0; i < calls; i++) {
    if (mpguard_has(guard, tier, &bought, NULL) != MPGUARD_OK || !bought) exit(1);
  }
}

static void account(long long added) {
  mpguard_account_t *held = NULL;
  mpguard_error_t *error = NULL;
  if (mpguard_account(guard, &held, &error) != MPGUARD_OK) fail(error);
  printf("{\"called\": {\"%s\": %lld}, \"account\": %s}\n", getenv("BENCH_DIMENSION"), added, mpguard_account_json(held));
  mpguard_account_free(held);
}

int main(void) {
  static const char *const tags[] = {"Team", "red", "Zone", "a"};
  static const row_t rows[] = {{"fetch_add", bare}, {"nothing", nothing}, {"add", add}, {"has", has}};
  mpguard_error_t *error = NULL;
  mpguard_config_t *config = mpguard_config_new();
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int ended;
  if (page == MAP_FAILED) return 1;
  tier = getenv("BENCH_TIER");
  word = (_Atomic uint64_t *)page;
  if (mpguard_config_set_json(config, getenv("MPGUARD_CONFIG"), &error) != MPGUARD_OK ||
      mpguard_init(config, &guard, &error) != MPGUARD_OK ||
      mpguard_meter(guard, getenv("BENCH_DIMENSION"), tags, 2, &meter, &error) != MPGUARD_OK)
    fail(error);
  mpguard_config_free(config);
  ended = take_turns(rows, 4, "add", account);
  mpguard_meter_free(meter);
  mpguard_free(guard);
  return ended;
}
