/* What the C hosts of these tests share. Arguments: configuration as JSON. */

#ifndef MPGUARD_TESTS_HOST_H
#define MPGUARD_TESTS_HOST_H

#include "mpguard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
      _exit(1);                                                               \
    }                                                                         \
  } while (0)

static inline mpguard_t *host_guard(const char *json, mpguard_event_callback_t on_event, void *app) {
  mpguard_error_t *error = NULL;
  mpguard_config_t *config = mpguard_config_new();
  mpguard_t *guard = NULL;
  CHECK(mpguard_config_set_json(config, json, &error) == MPGUARD_OK);
  if (on_event != NULL) CHECK(mpguard_config_on_event(config, on_event, app, NULL) == MPGUARD_OK);
  if (mpguard_init(config, &guard, &error) != MPGUARD_OK) {
    fprintf(stderr, "init: %s\n", mpguard_error_text(error));
    _exit(1);
  }
  mpguard_config_free(config);
  return guard;
}

static inline mpguard_meter_t *host_meter(mpguard_t *guard) {
  mpguard_meter_t *meter = NULL;
  CHECK(mpguard_meter(guard, "requests", NULL, 0, &meter, NULL) == MPGUARD_OK);
  return meter;
}

static inline long long host_added(mpguard_t *guard) {
  mpguard_account_t *account = NULL;
  long long added = -1;
  CHECK(mpguard_account(guard, &account, NULL) == MPGUARD_OK);
  for (size_t i = 0; i < mpguard_account_count(account); i++) {
    if (strcmp(mpguard_account_dimension(account, i), "requests") == 0) added = mpguard_account_added(account, i);
  }
  mpguard_account_free(account);
  return added;
}

/* A line of JSON, in one piece: more than one process may say something. */
static inline void host_say(const char *key, long long value) {
  char line[80];
  int length = snprintf(line, sizeof line, "{\"%s\": %lld}\n", key, value);
  CHECK(write(1, line, (size_t)length) == length);
}

/* Waits until the test says something; false when it went away. */
static inline int host_told(void) {
  char byte = 0;
  do {
    if (read(0, &byte, 1) != 1) return 0;
  } while (byte != '\n');
  return 1;
}

#endif
