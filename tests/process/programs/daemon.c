/* T32: a C host that becomes a daemon after init, as old servers do: forks twice, its parents end, and it closes every
 * descriptor that it does not know. */

#include "host.h"

#include <sys/types.h>

int main(int argc, char **argv) {
  CHECK(argc == 2);
  mpguard_t *guard = host_guard(argv[1], NULL, NULL);
  mpguard_meter_t *meter = host_meter(guard);
  CHECK(mpguard_meter_add(meter, 3, NULL) == MPGUARD_OK);
  host_say("pid", (long long)getpid());
  if (fork() != 0) _exit(0);
  CHECK(setsid() != -1);
  if (fork() != 0) _exit(0);
  for (int fd = 3; fd < 1024; fd++) close(fd);

  /* The meter needs no descriptor; the first other call makes this process lead. */
  CHECK(mpguard_meter_add(meter, 4, NULL) == MPGUARD_OK);
  int32_t verdict = 0;
  CHECK(mpguard_verdict(guard, &verdict, NULL) == MPGUARD_OK);
  CHECK(verdict == MPGUARD_VERDICT_LICENSED);
  CHECK(host_added(guard) == 7);
  host_say("daemon", (long long)getpid());
  if (!host_told()) _exit(1);
  CHECK(mpguard_meter_add(meter, 5, NULL) == MPGUARD_OK);
  CHECK(host_added(guard) == 12);
  mpguard_report_t *report = NULL;
  CHECK(mpguard_shutdown(guard, 10000, &report, NULL) == MPGUARD_OK);
  host_say("recorded", mpguard_report_recorded(report));
  return 0;
}
