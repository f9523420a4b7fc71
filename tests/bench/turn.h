/* The bench's side of a C or C++ program: it takes turns with programs of other languages.
 *
 * It says the names of its rows as one line of JSON, then answers lines. `row<TAB>threads<TAB>calls` runs one turn
 * and says the nanoseconds that it took; `account` says how many calls of the guard's row were made, and what the
 * guard holds. The end of the input ends the program. */

#ifndef BENCH_TURN_H
#define BENCH_TURN_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 2

typedef struct {
  const char *name;
  void (*run)(long calls);
} row_t;

typedef struct {
  const row_t *row;
  long calls;
  pthread_barrier_t *start;
} turn_t;

static void *take_turn(void *data) {
  turn_t *turn = (turn_t *)data;
  pthread_barrier_wait(turn->start);
  turn->row->run(turn->calls);
  return NULL;
}

static long long now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (long long)at.tv_sec * 1000000000LL + at.tv_nsec;
}

/* Runs one row and gives the nanoseconds from the moment when all threads stood ready. */
static long long run_turn(const row_t *row, int threads, long calls) {
  pthread_t ids[THREADS_MAX];
  pthread_barrier_t start;
  turn_t turn;
  long long begun;
  if (threads == 1) {
    begun = now_ns();
    row->run(calls);
    return now_ns() - begun;
  }
  turn.row = row;
  turn.calls = calls;
  turn.start = &start;
  pthread_barrier_init(&start, NULL, (unsigned)threads + 1);
  for (int i = 0; i < threads; i++) {
    if (pthread_create(&ids[i], NULL, take_turn, &turn) != 0) {
      fprintf(stderr, "cannot start a thread\n");
      exit(1);
    }
  }
  /* Before the wait: afterwards the threads may have run for a while before this one is let on. */
  begun = now_ns();
  pthread_barrier_wait(&start);
  for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
  begun = now_ns() - begun;
  pthread_barrier_destroy(&start);
  return begun;
}

/* Answers lines until the input ends. `counted` is the row that the guard counts; `account` prints what it holds. */
static int take_turns(const row_t *rows, int count, const char *counted, void (*account)(long long added)) {
  char line[256], name[128];
  long long added = 0;
  printf("[");
  for (int i = 0; i < count; i++) printf("%s\"%s\"", i == 0 ? "" : ", ", rows[i].name);
  printf("]\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    int threads = 0;
    long calls = 0;
    if (strcmp(line, "account\n") == 0) {
      account(added);
    } else if (sscanf(line, "%127[^\t]\t%d\t%ld", name, &threads, &calls) == 3 && threads >= 1 && threads <= THREADS_MAX) {
      const row_t *row = NULL;
      for (int i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0) row = &rows[i];
      }
      if (row == NULL) {
        fprintf(stderr, "no row `%s`\n", name);
        return 1;
      }
      if (strcmp(name, counted) == 0) added += (long long)threads * calls;
      printf("%lld\n", run_turn(row, threads, calls));
    } else {
      fprintf(stderr, "cannot read `%s`\n", line);
      return 1;
    }
    fflush(stdout);
  }
  return 0;
}

#endif
