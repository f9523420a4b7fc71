/* The C player: plays conformance scenarios, one command a line. tests/conformance/README.md has the commands. */

#include "mpguard.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORDS_MAX 32

/* An event or seat under its name. */
typedef struct item {
  struct item *next;
  char *name;
  mpguard_event_t *event;
  mpguard_seat_t *seat;
} item_t;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static item_t *events; /* heard and not handed out, the oldest first; guarded by `mutex` */
static item_t *seats;
static mpguard_t *guard;

static char *copy(const char *text) {
  char *made = malloc(strlen(text) + 1);
  if (made == NULL) exit(3);
  return strcpy(made, text);
}

static item_t *put(item_t **list, const char *name) {
  item_t *item = calloc(1, sizeof *item);
  if (item == NULL) exit(3);
  item->name = copy(name);
  while (*list != NULL) list = &(*list)->next;
  *list = item;
  return item;
}

static item_t **find(item_t **list, const char *name) {
  while (*list != NULL && strcmp((*list)->name, name) != 0) list = &(*list)->next;
  return list;
}

static void drop(item_t **place) {
  item_t *item = *place;
  *place = item->next;
  mpguard_event_free(item->event);
  mpguard_seat_free(item->seat);
  free(item->name);
  free(item);
}

/* Answers */

static void say(const char *payload) {
  if (payload == NULL) printf("ok\n");
  else printf("ok\t%s\n", payload);
}

static void say_number(int64_t number) { printf("ok\t%lld\n", (long long)number); }

static void say_error(const char *code, const char *kind, bool retryable, const char *text) {
  printf("error\t%s\t%s\t%d\t", code, kind, retryable);
  for (; *text != '\0'; text++) putchar(*text == '\n' || *text == '\t' ? ' ' : *text);
  putchar('\n');
}

static void say_wrong(const char *text) { say_error("INVALID_ARGUMENT", "usage", false, text); }

/* True when the call worked; else its error was said. */
static bool worked(int32_t status, mpguard_error_t **error) {
  if (status == MPGUARD_OK) return true;
  say_error(mpguard_error_name(*error), mpguard_error_kind(*error), mpguard_error_retryable(*error),
            mpguard_error_text(*error));
  mpguard_error_free(*error);
  *error = NULL;
  return false;
}

static bool number(const char *text, int64_t *out) {
  char *end = NULL;
  errno = 0;
  *out = strtoll(text, &end, 10);
  return errno == 0 && end != text && *end == '\0';
}

/* A time or count; a word that is none is said. */
static bool argument(const char *text, int64_t *out) {
  if (number(text, out)) return true;
  say_wrong("a number was expected");
  return false;
}

/* Commands */

static void on_event(const mpguard_event_t *event, void *user_data) {
  (void)user_data;
  pthread_mutex_lock(&mutex);
  item_t *item = put(&events, mpguard_event_kind_name(event));
  mpguard_event_clone(event, &item->event, NULL);
  pthread_cond_broadcast(&more);
  pthread_mutex_unlock(&mutex);
}

static void say_license(void) {
  mpguard_error_t *error = NULL;
  mpguard_license_t *license = NULL;
  if (worked(mpguard_license(guard, &license, &error), &error)) say(mpguard_license_json(license));
  mpguard_license_free(license);
}

static void init(const char *json) {
  mpguard_error_t *error = NULL;
  mpguard_config_t *config = mpguard_config_new();
  mpguard_config_on_event(config, on_event, NULL, NULL);
  if (worked(mpguard_config_set_json(config, json, &error), &error) &&
      worked(mpguard_init(config, &guard, &error), &error)) {
    say_license();
  }
  mpguard_config_free(config);
}

static void verdict(void) {
  mpguard_error_t *error = NULL;
  int32_t found = 0;
  if (!worked(mpguard_verdict(guard, &found, &error), &error)) return;
  switch (found) {
    case MPGUARD_VERDICT_PENDING: say("pending"); break;
    case MPGUARD_VERDICT_LICENSED: say("licensed"); break;
    case MPGUARD_VERDICT_GRACE: say("grace"); break;
    case MPGUARD_VERDICT_DENIED: say("denied"); break;
    default: say("unknown");
  }
}

static void has(const char *feature) {
  mpguard_error_t *error = NULL;
  bool found = false;
  if (worked(mpguard_has(guard, feature, &found, &error), &error)) say(found ? "1" : "0");
}

/* `add` and `set`: dimension, number, then tags. */
static void count(char **words, size_t n, bool add) {
  mpguard_error_t *error = NULL;
  mpguard_meter_t *meter = NULL;
  const char *tags[2 * WORDS_MAX];
  size_t tag_count = 0;
  for (size_t i = 3; i < n; i++) {
    char *value = strchr(words[i], '=');
    if (value != NULL) *value++ = '\0';
    tags[2 * tag_count] = words[i];
    tags[2 * tag_count + 1] = value == NULL ? "" : value;
    tag_count++;
  }
  if (!worked(mpguard_meter(guard, words[1], tags, tag_count, &meter, &error), &error)) return;
  int64_t quantity = 0;
  if (!number(words[2], &quantity)) {
    say_error("QUANTITY_OUT_OF_RANGE", "usage", false, "not a number that C can hold in an int64_t");
  } else if (worked(add ? mpguard_meter_add(meter, quantity, &error)
                        : mpguard_meter_set(meter, quantity, &error), &error)) {
    say(NULL);
  }
  mpguard_meter_free(meter);
}

static void check_out(char **words) {
  mpguard_error_t *error = NULL;
  mpguard_seat_t *seat = NULL;
  int64_t how_many = 0, timeout_ms = 0;
  if (!argument(words[3], &how_many) || !argument(words[4], &timeout_ms)) return;
  if (!worked(mpguard_check_out(guard, words[2], how_many, timeout_ms, &seat, &error), &error)) return;
  item_t **before = find(&seats, words[1]);
  if (*before != NULL) drop(before);
  put(&seats, words[1])->seat = seat;
  say_number(mpguard_seat_expires_ms(seat));
}

static void draw_down(char **words) {
  mpguard_error_t *error = NULL;
  int64_t quantity = 0, timeout_ms = 0;
  if (!argument(words[2], &quantity) || !argument(words[3], &timeout_ms)) return;
  if (worked(mpguard_draw_down(guard, words[1], quantity, timeout_ms, &error), &error)) say(NULL);
}

static void seat_number(const char *name) {
  item_t *item = *find(&seats, name);
  if (item == NULL) say_wrong("no seat has this name");
  else say_number(mpguard_seat_number(item->seat));
}

static void seat(const char *name, bool check_in) {
  item_t *item = *find(&seats, name);
  mpguard_error_t *error = NULL;
  if (item == NULL) say_wrong("no seat has this name");
  else if (!check_in) say(mpguard_seat_held(item->seat) ? "1" : "0");
  else if (worked(mpguard_seat_check_in(item->seat, &error), &error)) say(NULL);
}

static void event(const char *kind, const char *timeout) {
  int64_t ms = 0;
  struct timespec until;
  if (!argument(timeout, &ms)) return;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += (long)(ms % 1000) * 1000000;
  until.tv_sec += (time_t)(ms / 1000) + until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_mutex_lock(&mutex);
  item_t **place;
  while (*(place = find(&events, kind)) == NULL) {
    if (pthread_cond_timedwait(&more, &mutex, &until) == ETIMEDOUT) break;
  }
  place = find(&events, kind);
  if (*place == NULL) {
    say_error("TIMED_OUT", "retry", true, "no such event");
  } else {
    say(mpguard_event_json((*place)->event));
    drop(place);
  }
  pthread_mutex_unlock(&mutex);
}

static void account(void) {
  mpguard_error_t *error = NULL;
  mpguard_account_t *found = NULL;
  if (worked(mpguard_account(guard, &found, &error), &error)) say(mpguard_account_json(found));
  mpguard_account_free(found);
}

static void stats(void) {
  mpguard_error_t *error = NULL;
  mpguard_stats_t *found = NULL;
  if (worked(mpguard_stats(guard, &found, &error), &error)) say(mpguard_stats_json(found));
  mpguard_stats_free(found);
}

/* `flush` and `shutdown`. */
static void report(const char *deadline, bool end) {
  mpguard_error_t *error = NULL;
  mpguard_report_t *found = NULL;
  int64_t ms = 0;
  if (!argument(deadline, &ms)) return;
  int32_t status = end ? mpguard_shutdown(guard, ms, &found, &error) : mpguard_flush(guard, ms, &found, &error);
  if (worked(status, &error)) say(mpguard_report_json(found));
  mpguard_report_free(found);
}

static void require(void) {
  mpguard_error_t *error = NULL;
  if (worked(mpguard_require(guard, &error), &error)) say(NULL);
}

static void play(char **words, size_t n) {
  const char *command = words[0];
#define IS(name, least) (strcmp(command, name) == 0 && n >= (least))
  if (IS("init", 2)) init(words[1]);
  else if (IS("verdict", 1)) verdict();
  else if (IS("license", 1)) say_license();
  else if (IS("require", 1)) require();
  else if (IS("has", 2)) has(words[1]);
  else if (IS("add", 3)) count(words, n, true);
  else if (IS("set", 3)) count(words, n, false);
  else if (IS("check_out", 5)) check_out(words);
  else if (IS("draw_down", 4)) draw_down(words);
  else if (IS("seat", 2)) seat(words[1], false);
  else if (IS("seat_number", 2)) seat_number(words[1]);
  else if (IS("check_in", 2)) seat(words[1], true);
  else if (IS("event", 3)) event(words[1], words[2]);
  else if (IS("account", 1)) account();
  else if (IS("stats", 1)) stats();
  else if (IS("flush", 2)) report(words[1], false);
  else if (IS("shutdown", 2)) report(words[1], true);
  else if (IS("quit", 1)) say(NULL);
  else say_wrong("no command of a player");
#undef IS
}

int main(void) {
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  bool quit = false;
  while (!quit && (length = getline(&line, &room, stdin)) > 0) {
    char *words[WORDS_MAX] = {line};
    size_t n = 0;
    if (line[length - 1] == '\n') line[length - 1] = '\0';
    for (char *at = line; at != NULL && n < WORDS_MAX; n++) {
      words[n] = at;
      at = strchr(at, '\t');
      if (at != NULL) *at++ = '\0';
    }
    quit = strcmp(words[0], "quit") == 0;
    play(words, n);
    fflush(stdout);
  }
  while (seats != NULL) drop(&seats);
  mpguard_free(guard);
  while (events != NULL) drop(&events);
  free(line);
  return 0;
}
