// Two files that include the header make one program: this one and units_other.cpp.

#include "check.h"

std::string other_version();
std::int32_t other_failure();

int main() {
  CHECK(other_version() == mpguard::version());
  CHECK(other_failure() == MPGUARD_ERROR_INVALID_CONFIG);
  THROWS(MPGUARD_ERROR_INVALID_CONFIG, mpguard::init(mpguard::Config()));
}
