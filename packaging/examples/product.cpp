// A product in C++ that is sold on AWS Marketplace: it counts what its customers do, gives each
// a seat, and draws prepaid credits.

#include <mpguard.hpp>

#include <cstdlib>
#include <iostream>

namespace {

/// One line at once: callbacks print from another thread.
void say(const std::string &line) { std::cout << line + "\n" << std::flush; }

mpguard::Config configuration() {
  const char *json = std::getenv("PRODUCT_CONFIG");
  auto config = mpguard::Config::from_json(json == nullptr ? "{}" : json);
  // Called on a thread of mpguard, one event at a time.
  config.on_event([](const mpguard::Event &event) {
    say("callback: " + event.kind_name() + ": " + event.text());
  });
  return config;
}

void run() {
  const auto guard = mpguard::init(configuration());
  guard.require();
  say(std::string("licensed: tier ") + (guard.has("Premium") ? "Premium" : "Basic"));

  auto seat = guard.check_out("Seats");
  say(std::string("seat: ") + (seat.held() ? "held" : "lost"));

  auto requests = guard.meter("requests");
  auto megabytes = guard.meter("megabytes");
  for (std::int64_t more_requests = 0, more_megabytes = 0; std::cin >> more_requests >> more_megabytes;) {
    // The customer's seat. It lingers for a moment, so that log-ins in quick succession share one call to AWS.
    const auto customer = guard.check_out("Seats");
    const std::int64_t credits = (more_requests + 9) / 10;
    if (credits > 0) guard.draw_down("Credits", credits); // the work starts when they are booked, never before
    requests.add(more_requests);
    megabytes.add(more_megabytes);
    say("worked: " + std::to_string(more_requests) + " " + std::to_string(more_megabytes) + ", " +
        std::to_string(credits) + " credits");
  }

  seat.check_in();
  const auto report = guard.shutdown(std::chrono::seconds(30));
  say("account: " + report.accounts.json);
  say("report: " + report.json);
}

} // namespace

int main() {
  try {
    run();
  } catch (const mpguard::Error &error) {
    std::cerr << "error: " << error.code() << ": " << error.what() << std::endl;
    return 1;
  }
}
