// The second file of units.cpp.

#include "mpguard.hpp"

std::string other_version();
std::int32_t other_failure();

std::string other_version() { return mpguard::version(); }

std::int32_t other_failure() {
  try {
    mpguard::Config config;
    config.on_event([](const mpguard::Event &) {});
    mpguard::init(config);
  } catch (const mpguard::Error &error) {
    return error.status();
  }
  return MPGUARD_OK;
}
