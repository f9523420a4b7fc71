// Listeners: what they throw stops at the border, what they captured is destroyed once, and they may call anything.

#include "check.h"

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;

namespace {

/// Counts what threads have done, and waits for it.
class Tally {
public:
  void up() {
    const std::lock_guard<std::mutex> lock(mutex_);
    count_++;
    changed_.notify_all();
  }
  bool reaches(int wanted) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return count_ >= wanted; });
  }
  int count() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

/// Something that a listener captures. Counts its end, once however often it was copied or moved.
std::shared_ptr<int> captured(Tally &destroyed) {
  return std::shared_ptr<int>(new int(7), [&destroyed](int *value) {
    delete value;
    destroyed.up();
  });
}

struct NotAnException {};

void what_is_thrown_is_counted(const mpguard::Guard &guard, int &failures, const mpguard::Listener &listener) {
  const auto subscription = guard.subscribe(listener);
  failures++;
  for (int i = 0; i < 5000 && guard.stats().listener_failures < failures; i++) std::this_thread::sleep_for(1ms);
  CHECK(guard.stats().listener_failures == failures);
  guard.unsubscribe(subscription);
}

void exceptions(const mpguard::Guard &guard) {
  int failures = 0;
  what_is_thrown_is_counted(guard, failures, [](const mpguard::Event &) { throw std::runtime_error("no"); });
  what_is_thrown_is_counted(guard, failures, [](const mpguard::Event &) { throw NotAnException{}; });
  what_is_thrown_is_counted(guard, failures, [](const mpguard::Event &) { throw 7; });
  // An error of ours, from a call inside the listener.
  what_is_thrown_is_counted(guard, failures, [&](const mpguard::Event &) { static_cast<void>(guard.meter("no such")); });
}

void captures_are_destroyed_once(const mpguard::Guard &guard) {
  Tally calls, destroyed;
  const auto subscription = guard.subscribe([&, held = captured(destroyed)](const mpguard::Event &event) {
    CHECK(*held == 7 && event.kind() == mpguard::EventKind::verdict_changed);
    CHECK(event.sandbox() && event.text().rfind("sandbox: ", 0) == 0);
    calls.up();
  });
  CHECK(calls.reaches(1) && destroyed.count() == 0);
  guard.unsubscribe(subscription);
  CHECK(destroyed.reaches(1));
  guard.unsubscribe(subscription);
  CHECK(destroyed.count() == 1);
  // A listener that is refused is destroyed as well.
  {
    mpguard::Config config;
    mpguard::Config taken = std::move(config);
    THROWS(MPGUARD_ERROR_INVALID_ARGUMENT, config.on_event([held = captured(destroyed)](const mpguard::Event &) {}));
  }
  CHECK(destroyed.reaches(2));
}

void events_may_be_kept(const mpguard::Guard &guard) {
  Tally calls;
  std::optional<mpguard::Event> kept;
  const auto subscription = guard.subscribe([&](const mpguard::Event &event) {
    if (!kept) kept = event;
    calls.up();
  });
  CHECK(calls.reaches(1));
  guard.unsubscribe(subscription);
  const mpguard::Event copy = *kept;
  kept.reset();
  CHECK(copy.kind_name() == "verdict_changed" && copy.topic() == "verdict" && !copy.text().empty());
  CHECK(copy.license().verdict() == mpguard::Verdict::licensed && copy.sequence() >= 0);
  CHECK(copy.time() == mpguard::TimePoint(1767261600000ms) && copy.details_json()[0] == '{');
  CHECK(to_string(copy.old_license().verdict()) != std::string("unknown"));
  CHECK(holds(copy.json(), "\"kind\":\"verdict_changed\""));
}

void the_queue(const mpguard::Guard &guard) {
  CHECK(guard.event_fd() >= 0);
  const auto event = guard.next_event(20s);
  CHECK(event && event->kind() == mpguard::EventKind::verdict_changed);
  CHECK(!guard.next_event(0ms) || !guard.next_event(0ms));
  THROWS(MPGUARD_ERROR_INVALID_ARGUMENT, guard.next_event(-2ms));
}

void shutting_down_from_inside(const mpguard::Guard &guard) {
  Tally calls;
  static_cast<void>(guard.subscribe([&](const mpguard::Event &) {
    THROWS(MPGUARD_ERROR_DEFERRED, guard.shutdown(20s));
    calls.up();
  }));
  CHECK(calls.reaches(1));
  while (guard.next_event()) {
  } // ends when the guard has ended
  THROWS(MPGUARD_ERROR_SHUT_DOWN, guard.shutdown());
}

} // namespace

int main(int argc, char **argv) {
  CHECK(argc == 3);
  Tally heard, destroyed;
  {
    auto config = mpguard::Config::from_json(argv[1]);
    config.on_event([&, held = captured(destroyed)](const mpguard::Event &) { heard.up(); });
    const mpguard::Guard guard(config);
    CHECK(heard.reaches(1));
    exceptions(guard);
    captures_are_destroyed_once(guard);
    events_may_be_kept(guard);
    the_queue(guard);
    shutting_down_from_inside(guard);
    CHECK(heard.count() >= 1);
  }
  CHECK(destroyed.reaches(1) && destroyed.count() == 1);
}
