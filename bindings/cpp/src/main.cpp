// Starts a guard from a configuration file, counts one request and ends.

#include <mpguard.hpp>

#include <fstream>
#include <iostream>
#include <sstream>

int main(int argc, char **argv) {
  if (argc != 2) {
    std::cerr << "usage: consumer CONFIG.json\n";
    return 2;
  }
  std::ostringstream json;
  json << std::ifstream(argv[1]).rdbuf();
  try {
    const auto guard = mpguard::init(mpguard::Config::from_json(json.str()));
    std::cout << "mpguard " << mpguard::version() << ": " << to_string(guard.verdict()) << '\n';
    guard.meter("requests").add(1);
    const auto report = guard.shutdown(std::chrono::seconds(30));
    std::cout << "recorded " << report.recorded << '\n';
  } catch (const mpguard::Error &error) {
    std::cerr << "error: " << error.code() << ": " << error.what() << '\n';
    return 1;
  }
}
