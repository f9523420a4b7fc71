/* A function that does nothing, in a library of its own: what the border to libmpguard.so costs without a guard. */

#include <stdint.h>

int32_t border_nothing(const void *meter, int64_t quantity, void **error_out);

int32_t border_nothing(const void *meter, int64_t quantity, void **error_out) {
  (void)meter;
  (void)quantity;
  (void)error_out;
  return 0;
}
