// Every operation once, and what each class promises: values, moves, ownership.

#include "check.h"

#include <algorithm>
#include <type_traits>

using namespace std::chrono_literals;

namespace {

static_assert(!std::is_copy_constructible_v<mpguard::Guard> && std::is_nothrow_move_constructible_v<mpguard::Guard>);
static_assert(!std::is_copy_constructible_v<mpguard::Meter> && std::is_nothrow_move_constructible_v<mpguard::Meter>);
static_assert(!std::is_copy_constructible_v<mpguard::Seat> && std::is_nothrow_move_constructible_v<mpguard::Seat>);
static_assert(std::is_copy_constructible_v<mpguard::License> && std::is_copy_constructible_v<mpguard::Event>);
static_assert(std::is_nothrow_copy_constructible_v<mpguard::Error>, "exceptions are copied while others fly");

void configuration(const std::string &json) {
  mpguard::Config config;
  config.set("pricing", "usage").set("product_code", std::string("3xmpl"));
  config.set("grace_ms", 1h).set("recheck_interval_ms", 900000).set("startup_timeout_ms", 0U);
  config.set("dimensions", R"([{"name": "requests"}])");
  config.check();
  const auto error = THROWS(MPGUARD_ERROR_INVALID_CONFIG, config.set("grase_ms", 1s));
  CHECK(error.code() == "INVALID_CONFIG" && error.kind() == "usage" && !error.retryable());
  CHECK(holds(error.what(), "did you mean `grace_ms`?"));
  THROWS(MPGUARD_ERROR_INVALID_CONFIG, config.set("grace_ms", true));
  THROWS(MPGUARD_ERROR_INVALID_CONFIG, config.set("grace_ms", -1));
  THROWS(MPGUARD_ERROR_INVALID_CONFIG, config.set_json("[]"));
  THROWS(MPGUARD_ERROR_INVALID_CONFIG, mpguard::Config::from_json("{"));
  THROWS(MPGUARD_ERROR_INVALID_ARGUMENT, config.on_event(nullptr));
  THROWS(MPGUARD_ERROR_INVALID_ARGUMENT, config.set("product_code", std::string("a\0b", 3)));
  THROWS(MPGUARD_ERROR_INVALID_ARGUMENT, config.set("product_code", "\xff"));
  mpguard::Config taken = std::move(config);
  taken.check();
  THROWS(MPGUARD_ERROR_INVALID_ARGUMENT, config.check()); // NOLINT: moved from on purpose
  CHECK(holds(json, "native"));
}

void license(const mpguard::Guard &guard) {
  CHECK(guard.verdict() == mpguard::Verdict::licensed && std::string("licensed") == to_string(guard.verdict()));
  guard.require();
  CHECK(guard.has("Basic") && !guard.has("Premium"));
  const mpguard::License license = guard.license();
  CHECK(license.verdict() == mpguard::Verdict::licensed && license.reason() == "entitled" && !license.text().empty());
  CHECK(guard.stats().sandbox && license.text().rfind("sandbox: ", 0) == 0);
  CHECK(license.sandbox() && license.has("Basic") && !license.has("Premium"));
  CHECK(license.since() == mpguard::TimePoint(1767261600000ms)); // the frozen clock of the sandbox
  CHECK(!license.until());
  CHECK(license.arn() && license.version() == "1");
  CHECK(holds(license.json(), "\"entitlements\":["));
  bool basic = false, seats = false;
  for (const auto &entitlement : license.entitlements()) {
    basic |= entitlement.name == "Basic" && entitlement.unit == "None" && !entitlement.max_count &&
             !entitlement.consumed;
    seats |= entitlement.name == "Seats" && entitlement.unit == "Count" && entitlement.max_count == 10 &&
             entitlement.consumed.value_or(0) == 0;
  }
  CHECK(basic && seats);
}

void metering(const mpguard::Guard &guard) {
  auto requests = guard.meter("requests");
  requests.add(3);
  requests.add(4U);
  requests.add(std::int64_t{5});
  guard.meter("requests", {{"tenant", "a"}, {"zone", "1"}}).add(6);
  auto hosts = guard.meter("hosts");
  hosts.set(9);
  CHECK(requests.dimension() == "requests");
  CHECK(holds(THROWS(MPGUARD_ERROR_QUANTITY_OUT_OF_RANGE, requests.add(-1)).what(), "`-1`"));
  THROWS(MPGUARD_ERROR_QUANTITY_OUT_OF_RANGE, requests.add(UINT64_MAX));
  THROWS(MPGUARD_ERROR_WRONG_METER_KIND, requests.set(1));
  THROWS(MPGUARD_ERROR_WRONG_METER_KIND, hosts.add(1));
  THROWS(MPGUARD_ERROR_UNKNOWN_DIMENSION, guard.meter("request"));
  THROWS(MPGUARD_ERROR_INVALID_ARGUMENT, guard.meter(std::string("requests\0", 9)));
  THROWS(MPGUARD_ERROR_INVALID_TAG, guard.meter("requests", {{"", "empty key"}}));
  const auto accounts = guard.account();
  CHECK(accounts.entries.size() >= 3 && holds(accounts.json, "\"dimension\":\"requests\""));
  for (const auto &account : accounts) {
    if (account.dimension == "requests") CHECK(account.added == 18);
    CHECK(account.added == account.open + account.pending + account.delivered + account.disputed + account.held + account.missed);
  }
  auto moved = std::move(requests);
  moved.add(1);
  THROWS(MPGUARD_ERROR_INVALID_ARGUMENT, requests.add(1)); // NOLINT: moved from on purpose
}

void seats(const mpguard::Guard &guard) {
  auto seat = guard.check_out("Seats", 2, 20s);
  CHECK(seat.held() && seat.count() == 2 && seat.entitlement() == "Seats" && seat.number() > 0);
  CHECK(seat.expires() > guard.license().since());
  const auto error = THROWS(MPGUARD_ERROR_NO_SEAT, guard.check_out("Seats", 9, 200ms));
  CHECK(error.retryable() && error.kind() == "retry" && error.code() == "NO_SEAT");
  THROWS(MPGUARD_ERROR_NOT_ENTITLED, guard.check_out("Seats", 100, 20s));
  THROWS(MPGUARD_ERROR_UNKNOWN_ENTITLEMENT, guard.check_out("Chairs"));
  THROWS(MPGUARD_ERROR_INVALID_ARGUMENT, guard.check_out("Seats", 0));
  seat.check_in();
  CHECK(!seat.held());
  seat.check_in();
}

void credits(const mpguard::Guard &guard) {
  guard.draw_down("Credits", 3, 20s);
  const auto accounts = guard.account();
  const auto found = std::find_if(accounts.begin(), accounts.end(), [](const auto &a) { return a.dimension == "Credits"; });
  CHECK(found != accounts.end() && found->delivered == 3 && found->open == 7 && found->added == 10);
  const auto error = THROWS(MPGUARD_ERROR_EXHAUSTED, guard.draw_down("Credits", 98, 20s));
  CHECK(!error.retryable() && error.kind() == "entitlement" && error.code() == "EXHAUSTED");
  THROWS(MPGUARD_ERROR_UNKNOWN_ENTITLEMENT, guard.draw_down("Seats", 1));
  THROWS(MPGUARD_ERROR_INVALID_ARGUMENT, guard.draw_down("Credits", 0));
}

void doctor(const std::string &json) {
  const auto config = mpguard::Config::from_json(json);
  const auto report = mpguard::doctor(config);
  CHECK(report.exit_code >= 0 && report.exit_code <= 2 && !report.text.empty() && report.text.back() == '\n');
  CHECK(holds(report.json, "\"findings\":[{") && holds(report.json, "\"sandbox\":true"));
  mpguard::Config taken = mpguard::Config::from_json(json);
  const mpguard::Config kept = std::move(taken);
  THROWS(MPGUARD_ERROR_INVALID_ARGUMENT, mpguard::doctor(taken)); // NOLINT: moved from on purpose
  CHECK(kept.get() != nullptr);
}

void the_end(mpguard::Guard guard) {
  const auto flushed = guard.flush(1s);
  CHECK(flushed.recorded == 0 && flushed.accounts.entries.empty() && holds(flushed.json, "\"pending\":0"));
  const auto stats = guard.stats();
  CHECK(stats.calls > 0 && stats.calls_failed == 0 && stats.listener_failures == 0 && stats.storage == "memory");
  const auto report = guard.shutdown(20s);
  CHECK(report.recorded == 19 + 9 && report.pending == 0 && report.disputed == 0 && !report.may_be_lost);
  CHECK(report.accounts.entries.size() == 4 && holds(report.json, "\"recorded\":28"));
  THROWS(MPGUARD_ERROR_SHUT_DOWN, guard.shutdown());
  THROWS(MPGUARD_ERROR_SHUT_DOWN, guard.meter("requests"));
  CHECK(!guard.next_event(1s) || !guard.next_event(1s));
  CHECK(!guard.has("Basic"));
}

} // namespace

int main(int argc, char **argv) {
  CHECK(argc == 3);
  CHECK(mpguard::version() == MPGUARD_VERSION);
  configuration(argv[1]);
  auto guard = mpguard::init(mpguard::Config::from_json(argv[1]));
  license(guard);
  metering(guard);
  seats(guard);
  credits(guard);
  doctor(argv[1]);
  the_end(std::move(guard));
  THROWS(MPGUARD_ERROR_INVALID_ARGUMENT, guard.verdict()); // NOLINT: moved from on purpose
  const auto denied = THROWS(MPGUARD_ERROR_NOT_ENTITLED,
                             mpguard::init(mpguard::Config::from_json(argv[1]).set("product_code", "unsubscribed")));
  CHECK(denied.kind() == "entitlement" && !denied.retryable());
}
