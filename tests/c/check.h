/* What every program of this folder uses. Arguments: configuration as JSON, address of the sandbox. */

#ifndef MPGUARD_TESTS_CHECK_H
#define MPGUARD_TESTS_CHECK_H

#include "mpguard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(condition)                                                           \
  do {                                                                             \
    if (!(condition)) {                                                            \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);      \
      exit(1);                                                                     \
    }                                                                              \
  } while (0)

/* Every program uses some of these. */
#define HELPER static inline

/* The call must have failed with `wanted`, and its text must hold each of the words. */
#define FAILS(wanted, call, ...) \
  check_failure(__FILE__, __LINE__, wanted, (check_error = NULL, call), (const char *[]){__VA_ARGS__, NULL})

/* The call must have succeeded. */
#define WORKS(call) check_success(__FILE__, __LINE__, (check_error = NULL, call))

static mpguard_error_t *check_error;

HELPER void check_success(const char *file, int line, int32_t status) {
  if (status == MPGUARD_OK && check_error == NULL) return;
  fprintf(stderr, "%s:%d: status %d: %s\n", file, line, (int)status, mpguard_error_text(check_error));
  exit(1);
}

HELPER void check_failure(const char *file, int line, int32_t wanted, int32_t status, const char **words) {
  const char *text = mpguard_error_text(check_error);
  if (status != wanted || mpguard_error_code(check_error) != wanted || text == NULL) {
    fprintf(stderr, "%s:%d: status %d instead of %d: %s\n", file, line, (int)status, (int)wanted, text);
    exit(1);
  }
  for (; *words != NULL; words++) {
    if (strstr(text, *words) == NULL) {
      fprintf(stderr, "%s:%d: `%s` is not in: %s\n", file, line, *words, text);
      exit(1);
    }
  }
  mpguard_error_free(check_error);
  check_error = NULL;
}

HELPER void check_sleep_ms(long ms) {
  const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&pause, NULL);
}

/* Waits for what another thread is about to do; fails when it does not come to be. */
#define EVENTUALLY(condition)                                           \
  do {                                                                  \
    for (int i_ = 0; i_ < 5000 && !(condition); i_++) check_sleep_ms(1); \
    CHECK(condition);                                                   \
  } while (0)

HELPER mpguard_config_t *check_config(char **argv) {
  mpguard_config_t *config = mpguard_config_new();
  WORKS(mpguard_config_set_json(config, argv[1], &check_error));
  return config;
}

HELPER mpguard_t *check_init(mpguard_config_t *config) {
  mpguard_t *guard = NULL;
  WORKS(mpguard_init(config, &guard, &check_error));
  return guard;
}

HELPER mpguard_t *check_guard(char **argv) {
  mpguard_config_t *config = check_config(argv);
  mpguard_t *guard = check_init(config);
  mpguard_config_free(config);
  return guard;
}

HELPER mpguard_meter_t *check_meter(const mpguard_t *guard, const char *dimension) {
  mpguard_meter_t *meter = NULL;
  WORKS(mpguard_meter(guard, dimension, NULL, 0, &meter, &check_error));
  return meter;
}

/* What the account says was added to a dimension. */
HELPER int64_t check_added(const mpguard_t *guard, const char *dimension) {
  mpguard_account_t *account = NULL;
  int64_t added = -1;
  WORKS(mpguard_account(guard, &account, &check_error));
  for (size_t i = 0; i < mpguard_account_count(account); i++) {
    if (strcmp(mpguard_account_dimension(account, i), dimension) == 0) added = mpguard_account_added(account, i);
  }
  mpguard_account_free(account);
  return added;
}

#endif
