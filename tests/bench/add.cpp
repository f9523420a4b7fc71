// Counts from C++: `Meter::add` of mpguard.hpp. add.c has what it is compared with.
//
// MPGUARD_CONFIG: the configuration as JSON; BENCH_DIMENSION: what is counted. turn.h says what it answers.

#include "mpguard.hpp"
#include "turn.h"

#include <iostream>

namespace {

mpguard::Guard *guard;
mpguard::Meter *meter;

void add(long calls) {
  for (long i = 0; i < calls; i++) meter->add(1);
}

void account(long long added) {
  std::cout << "{\"called\": {\"" << meter->dimension() << "\": " << added
            << "}, \"account\": " << guard->account().json << "}" << std::endl;
}

} // namespace

int main() try {
  static const row_t rows[] = {{"add", add}};
  mpguard::Guard own(mpguard::Config::from_json(std::getenv("MPGUARD_CONFIG")));
  mpguard::Meter requests = own.meter(std::getenv("BENCH_DIMENSION"), {{"Team", "red"}, {"Zone", "a"}});
  guard = &own;
  meter = &requests;
  return take_turns(rows, 1, "add", account);
} catch (const std::exception &why) {
  std::cerr << why.what() << '\n';
  return 1;
}
