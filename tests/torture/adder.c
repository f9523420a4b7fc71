/* Counts, forks, and is killed; see README.md. Two threads add, the first one forks and looks about. */

#include <mpguard.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERIES 6
#define ADDERS 2
/* Row of the signal handler in the tally; the others are the adding threads. */
#define HANDLER 3
#define TALLY_NUMBERS 80
#define REFUSED 3
#define CHILDREN_MAX 4

static const char *const TENANT_A[] = {"tenant", "a"};
static const char *const TENANT_B[] = {"tenant", "b"};
static const char *const REGION_X[] = {"region", "x"};
static const char *const GOLD[] = {"tenant", "a", "tier", "gold"};

static mpguard_t *guard;
static mpguard_meter_t *meters[SERIES];
static volatile uint64_t *tally;
static const volatile uint64_t *pulse;
static volatile sig_atomic_t told_to_end;

/* A failure that is no death: it is said on stdout and by the exit status. */
static void give_up(const char *what, mpguard_error_t *error) {
  printf("%s: %s: %s\n", what, mpguard_error_name(error), mpguard_error_text(error));
  fflush(stdout);
  _exit(3);
}

static uint64_t draw(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static void nap(long microseconds) {
  struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
  nanosleep(&time, NULL); /* a signal may end it early */
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *map(const char *path, size_t bytes, int make) {
  int file = open(path, make ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0600);
  if (file < 0 || (make && ftruncate(file, (off_t)bytes) != 0)) {
    printf("cannot open `%s`: %s\n", path, strerror(errno));
    exit(3);
  }
  void *there = mmap(NULL, bytes, make ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (there == MAP_FAILED) {
    printf("cannot map `%s`: %s\n", path, strerror(errno));
    exit(3);
  }
  return there;
}

/* A tally of this process's own. The child's view of its parent's stays mapped and is written no more. */
static void begin_tally(uint64_t kind) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.%ld", getenv("TORTURE_TALLY"), getenv("TORTURE_NAME"), (long)getpid());
  volatile uint64_t *own = map(path, TALLY_NUMBERS * sizeof(uint64_t), 1);
  own[1] = (uint64_t)getppid();
  own[2] = kind;
  own[0] = (uint64_t)getpid();
  tally = own;
}

static void count(int row, int series, int64_t quantity) {
  volatile uint64_t *started = &tally[16 + 2 * (8 * row + series)], *counted = started + 1;
  __atomic_store_n(started, *started + (uint64_t)quantity, __ATOMIC_SEQ_CST);
  if (mpguard_meter_add(meters[series], quantity, NULL) == MPGUARD_OK) {
    __atomic_store_n(counted, *counted + (uint64_t)quantity, __ATOMIC_SEQ_CST);
  } else {
    __atomic_store_n(started, *started - (uint64_t)quantity, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&tally[REFUSED], 1, __ATOMIC_SEQ_CST);
  }
}

/* Mostly a few; now and then so many that an hour does not fit into 32 bits. */
static int64_t amount(uint64_t *state) {
  uint64_t drawn = draw(state);
  return drawn % 4000 == 0 ? 100000000 : (int64_t)(drawn / 4000 % 20);
}

static void burst(int row, uint64_t *state) {
  for (int n = 0; n < 20; n++) count(row, (int)(draw(state) % SERIES), amount(state));
  nap(500 + (long)(draw(state) % 3000));
}

static void *add(void *argument) {
  int row = (int)(intptr_t)argument;
  uint64_t state = (uint64_t)getpid() * 31 + (uint64_t)row + strtoull(getenv("TORTURE_SEED"), NULL, 10) + 1;
  while (!told_to_end) burst(row, &state);
  return NULL;
}

static void on_signal(int number) {
  if (number == SIGTERM) told_to_end = 1;
  if (number == SIGUSR1 && tally != NULL) count(HANDLER, 0, 1);
}

static void block(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(how, &set, NULL);
}

/* The conductor is gone when its pulse stands still; then nobody else would end us. */
static void watch_pulse(void) {
  static uint64_t seen;
  static double since;
  uint64_t now = *pulse;
  if (now != seen || since == 0) {
    seen = now;
    since = seconds();
  } else if (seconds() - since > 30) {
    _exit(0);
  }
}

static void print_account(mpguard_account_t *account) {
  printf("account: %s\n", mpguard_account_json(account));
  fflush(stdout);
  mpguard_account_free(account);
}

/* Any call but `add` starts the child's own threads; a child that makes one leads when its parent is gone. */
static void look_about(uint64_t *state) {
  mpguard_error_t *error = NULL;
  int32_t verdict = 0;
  if (draw(state) % 2 == 0) {
    if (mpguard_verdict(guard, &verdict, &error) != MPGUARD_OK) give_up("verdict", error);
    return;
  }
  mpguard_account_t *account = NULL;
  if (mpguard_account(guard, &account, &error) != MPGUARD_OK) give_up("account", error);
  print_account(account);
}

static void shut_down(void) {
  mpguard_error_t *error = NULL;
  mpguard_report_t *report = NULL;
  if (mpguard_shutdown(guard, 5000, &report, &error) != MPGUARD_OK) give_up("shutdown", error);
  print_account(mpguard_report_account(report));
  mpguard_report_free(report);
}

static void be_child(uint64_t state) {
  begin_tally(2);
  block(SIG_UNBLOCK);
  int looks = draw(&state) % 2 == 0, ends_clean = draw(&state) % 3 == 0;
  long bursts = 50 + (long)(draw(&state) % 1500);
  if (looks) look_about(&state);
  for (long n = 0; n < bursts && !told_to_end; n++) {
    burst(0, &state);
    if (n % 50 == 0) watch_pulse();
    if (looks && n % 400 == 399) look_about(&state);
  }
  /* A recycled worker: its shutdown freezes nothing while others are attached. */
  if (ends_clean) shut_down();
  fflush(stdout);
  _exit(0);
}

static pid_t children[CHILDREN_MAX];

static void reap(void) {
  for (int n = 0; n < CHILDREN_MAX; n++) {
    int status = 0;
    if (children[n] == 0 || waitpid(children[n], &status, WNOHANG) != children[n]) continue;
    int died = WIFSIGNALED(status) ? WTERMSIG(status) : 0, code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    if ((died != 0 && died != SIGKILL) || code != 0)
      fprintf(stderr, "child %ld of %s died of signal %d, status %d\n", (long)children[n], getenv("TORTURE_NAME"),
              died, code);
    children[n] = 0;
  }
}

static void fork_one(int most, uint64_t *state) {
  for (int n = 0; n < most && n < CHILDREN_MAX; n++) {
    if (children[n] != 0) continue;
    uint64_t seed = draw(state);
    fflush(stdout);
    block(SIG_BLOCK); /* the handler must not write the parent's tally from the child */
    pid_t child = fork();
    if (child == 0) be_child(seed);
    block(SIG_UNBLOCK);
    if (child > 0) children[n] = child;
    return;
  }
}

static void make_meter(int series, const char *dimension, const char *const *tags, size_t tag_count) {
  mpguard_error_t *error = NULL;
  if (mpguard_meter(guard, dimension, tags, tag_count, &meters[series], &error) != MPGUARD_OK) give_up("meter", error);
}

/* On a thread of mpguard; what it says goes out in one piece. */
static void on_event(const mpguard_event_t *event, void *user_data) {
  (void)user_data;
  dprintf(1, "event: %s: %s\n", mpguard_event_kind_name(event), mpguard_event_text(event));
}

/* Where usage is kept: memory would be lost with the last process. */
static void say_ready(void) {
  mpguard_error_t *error = NULL;
  mpguard_stats_t *stats = NULL;
  if (mpguard_stats(guard, &stats, &error) != MPGUARD_OK) give_up("stats", error);
  printf("ready %s\n", mpguard_stats_storage(stats));
  fflush(stdout);
  mpguard_stats_free(stats);
}

static void start(void) {
  mpguard_error_t *error = NULL;
  mpguard_config_t *config = mpguard_config_new();
  if (mpguard_config_set_json(config, getenv("TORTURE_CONFIG"), &error) != MPGUARD_OK) give_up("config", error);
  mpguard_config_on_event(config, on_event, NULL, NULL);
  if (mpguard_init(config, &guard, &error) != MPGUARD_OK) give_up("init", error);
  mpguard_config_free(config);
  make_meter(0, "requests", NULL, 0);
  make_meter(1, "requests", TENANT_A, 1);
  make_meter(2, "requests", TENANT_B, 1);
  make_meter(3, "gigabytes", NULL, 0);
  make_meter(4, "gigabytes", REGION_X, 1);
  make_meter(5, "jobs", GOLD, 2);
}

static void handle(int number) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(number, &action, NULL);
}

/* Says the account at each line of its input, and shuts down at its end; adds nothing. The conductor's last look. */
static int close_the_books(void) {
  char line[64];
  start();
  say_ready();
  while (fgets(line, sizeof line, stdin) != NULL) {
    mpguard_error_t *error = NULL;
    mpguard_account_t *account = NULL;
    if (mpguard_account(guard, &account, &error) != MPGUARD_OK) give_up("account", error);
    print_account(account);
  }
  shut_down();
  return 0;
}

int main(int count_of_words, char **words) {
  if (count_of_words > 1 && strcmp(words[1], "close") == 0) return close_the_books();
  pulse = map(getenv("TORTURE_PULSE"), sizeof(uint64_t), 0);
  handle(SIGTERM);
  block(SIG_BLOCK);
  handle(SIGUSR1);
  begin_tally(1);
  start();
  say_ready();
  pthread_t threads[ADDERS];
  for (intptr_t row = 0; row < ADDERS; row++) pthread_create(&threads[row], NULL, add, (void *)row);
  block(SIG_UNBLOCK); /* in this thread only: the handler never runs twice at once */
  int most = atoi(getenv("TORTURE_CHILDREN"));
  uint64_t state = strtoull(getenv("TORTURE_SEED"), NULL, 10) * 2 + 1;
  while (!told_to_end) {
    nap(10000);
    watch_pulse();
    reap();
    if (draw(&state) % 10 == 0) fork_one(most, &state);
    if (draw(&state) % 100 == 0) look_about(&state);
  }
  for (int row = 0; row < ADDERS; row++) pthread_join(threads[row], NULL);
  shut_down();
  mpguard_free(guard);
  return 0;
}
