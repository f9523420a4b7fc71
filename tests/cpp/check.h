// What every program of this folder uses. Arguments: configuration as JSON, address of the sandbox.

#ifndef MPGUARD_TESTS_CPP_CHECK_H
#define MPGUARD_TESTS_CPP_CHECK_H

#include "mpguard.hpp"

#include <cstdlib>
#include <iostream>
#include <string>

#define CHECK(condition)                                                                       \
  do {                                                                                         \
    if (!(condition)) {                                                                        \
      std::cerr << __FILE__ << ':' << __LINE__ << ": failed: " << #condition << std::endl;     \
      std::exit(1);                                                                            \
    }                                                                                          \
  } while (false)

/// The call must throw an Error with this status; gives it.
#define THROWS(wanted, call) check_throws(__FILE__, __LINE__, wanted, [&] { static_cast<void>(call); })

template <class Call>
mpguard::Error check_throws(const char *file, int line, std::int32_t wanted, Call call) {
  try {
    call();
  } catch (const mpguard::Error &error) {
    if (error.status() == wanted) return error;
    std::cerr << file << ':' << line << ": " << error.code() << " instead of " << wanted << ": " << error.what() << std::endl;
    std::exit(1);
  }
  std::cerr << file << ':' << line << ": did not throw" << std::endl;
  std::exit(1);
}

inline bool holds(const std::string &text, const std::string &word) { return text.find(word) != std::string::npos; }

#endif
