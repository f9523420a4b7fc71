/// mpguard for C++17: header-only classes over mpguard.h.
///
///     mpguard::Config config;
///     config.set("pricing", "usage").set("product_code", "3xmpl");
///     config.set("dimensions", R"([{"name": "requests"}])");
///     config.on_event([](const mpguard::Event &event) { std::clog << event.text() << '\n'; });
///
///     mpguard::Guard guard(config);
///     mpguard::Meter requests = guard.meter("requests");
///     requests.add(3);
///     guard.shutdown(std::chrono::seconds(30));
///
/// What fails throws mpguard::Error. An object that was moved from answers every call with an Error.
/// Threads, fork and what each operation does: as in mpguard.h, function by function.

#ifndef MPGUARD_HPP
#define MPGUARD_HPP

#include "mpguard.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mpguard {

/// A failed operation. `what()` says what failed, on which thing, and the next step.
class Error : public std::runtime_error {
public:
  Error(std::int32_t status, const std::string &code, const std::string &kind, bool retryable,
        const std::string &text)
      : std::runtime_error(text), details_(std::make_shared<const Details>(Details{status, retryable, code, kind})) {}

  /// One of MPGUARD_ERROR_*.
  std::int32_t status() const noexcept { return details_->status; }
  /// The status as a word, such as `NOT_ENTITLED`.
  const std::string &code() const noexcept { return details_->code; }
  /// What to do: `usage`, `retry`, `entitlement`, `environment` or `internal`.
  const std::string &kind() const noexcept { return details_->kind; }
  /// True when the same call may succeed later.
  bool retryable() const noexcept { return details_->retryable; }

private:
  struct Details {
    std::int32_t status;
    bool retryable;
    std::string code;
    std::string kind;
  };
  std::shared_ptr<const Details> details_; // shared, so that copying an exception cannot throw
};

/// May the product run? Only `licensed` and `grace` mean yes.
enum class Verdict : std::int32_t {
  pending = MPGUARD_VERDICT_PENDING,
  licensed = MPGUARD_VERDICT_LICENSED,
  grace = MPGUARD_VERDICT_GRACE,
  denied = MPGUARD_VERDICT_DENIED,
};

/// What happened; later versions may send numbers that are not here yet.
enum class EventKind : std::int32_t {
  verdict_changed = MPGUARD_EVENT_VERDICT_CHANGED,
  license_upgraded = MPGUARD_EVENT_LICENSE_UPGRADED,
  license_downgraded = MPGUARD_EVENT_LICENSE_DOWNGRADED,
  license_renewed = MPGUARD_EVENT_LICENSE_RENEWED,
  license_expiring = MPGUARD_EVENT_LICENSE_EXPIRING,
  license_expired = MPGUARD_EVENT_LICENSE_EXPIRED,
  license_suspended = MPGUARD_EVENT_LICENSE_SUSPENDED,
  seat_lost = MPGUARD_EVENT_SEAT_LOST,
  seats_exhausted = MPGUARD_EVENT_SEATS_EXHAUSTED,
  seats_available = MPGUARD_EVENT_SEATS_AVAILABLE,
  usage_carried = MPGUARD_EVENT_USAGE_CARRIED,
  usage_disputed = MPGUARD_EVENT_USAGE_DISPUTED,
  usage_held = MPGUARD_EVENT_USAGE_HELD,
  usage_missed = MPGUARD_EVENT_USAGE_MISSED,
  metering_outage = MPGUARD_EVENT_METERING_OUTAGE,
  metering_recovered = MPGUARD_EVENT_METERING_RECOVERED,
  usage_crossed_month = MPGUARD_EVENT_USAGE_CROSSED_MONTH,
  key_rotation = MPGUARD_EVENT_KEY_ROTATION,
  weak_key = MPGUARD_EVENT_WEAK_KEY,
  permission_missing = MPGUARD_EVENT_PERMISSION_MISSING,
  storage_weak = MPGUARD_EVENT_STORAGE_WEAK,
  clock_skew = MPGUARD_EVENT_CLOCK_SKEW,
  storage_quarantined = MPGUARD_EVENT_STORAGE_QUARANTINED,
  ledger_split = MPGUARD_EVENT_LEDGER_SPLIT,
  leader_stalled = MPGUARD_EVENT_LEADER_STALLED,
  unit_mismatch = MPGUARD_EVENT_UNIT_MISMATCH,
  several_licenses = MPGUARD_EVENT_SEVERAL_LICENSES,
  license_cache_refused = MPGUARD_EVENT_LICENSE_CACHE_REFUSED,
  drawdown_low = MPGUARD_EVENT_DRAWDOWN_LOW,
  drawdown_exhausted = MPGUARD_EVENT_DRAWDOWN_EXHAUSTED,
  drawdown_disputed = MPGUARD_EVENT_DRAWDOWN_DISPUTED,
};

/// The word that every language uses.
inline const char *to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::pending: return "pending";
    case Verdict::licensed: return "licensed";
    case Verdict::grace: return "grace";
    case Verdict::denied: return "denied";
  }
  return "unknown";
}

/// Version of the library that is running; MPGUARD_VERSION is this header's.
inline std::string version() { return mpguard_version(); }

/// Moments of the guard's clock.
using TimePoint = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

namespace detail {

/// Frees a handle in the way of its type.
template <class Handle, std::int32_t (*Free)(Handle *)>
struct Freer {
  void operator()(Handle *handle) const noexcept { Free(handle); }
};

template <class Handle, std::int32_t (*Free)(Handle *)>
using Owned = std::unique_ptr<Handle, Freer<Handle, Free>>;

using OwnedError = Owned<mpguard_error_t, mpguard_error_free>;
using OwnedDoctorReport = Owned<mpguard_doctor_report_t, mpguard_doctor_report_free>;
using OwnedAccount = Owned<mpguard_account_t, mpguard_account_free>;
using OwnedReport = Owned<mpguard_report_t, mpguard_report_free>;
using OwnedStats = Owned<mpguard_stats_t, mpguard_stats_free>;

inline std::string text(const char *found) { return found == nullptr ? std::string() : std::string(found); }

inline std::optional<std::string> maybe(const char *found) {
  return found == nullptr ? std::nullopt : std::optional<std::string>(found);
}

/// C says -1 for an amount that is not known.
inline std::optional<std::int64_t> amount(std::int64_t found) {
  return found < 0 ? std::nullopt : std::optional<std::int64_t>(found);
}

[[noreturn]] inline void fail(std::int32_t status, mpguard_error_t *error) {
  const OwnedError owned(error);
  if (owned == nullptr) {
    throw Error(status, text(mpguard_status_name(status)), "usage", false,
                "mpguard gave no details; look the status up in mpguard.h");
  }
  throw Error(status, text(mpguard_error_name(error)), text(mpguard_error_kind(error)), mpguard_error_retryable(error),
              text(mpguard_error_text(error)));
}

/// Runs a call that takes a place for an error as its last argument.
template <class Call>
void run(Call &&call) {
  mpguard_error_t *error = nullptr;
  const std::int32_t status = call(&error);
  if (status != MPGUARD_OK) fail(status, error);
}

/// The same for a call that gives a result.
template <class Result, class Call>
Result get(Call &&call) {
  Result result{};
  run([&](mpguard_error_t **error) { return call(&result, error); });
  return result;
}

/// A text as C takes it. A NUL inside would cut it in silence.
inline const char *c(const std::string &text) {
  if (text.find('\0') != std::string::npos) {
    throw Error(MPGUARD_ERROR_INVALID_ARGUMENT, "INVALID_ARGUMENT", "usage", false,
                "a text holds a NUL character after: `" + std::string(text.c_str()) + "`; pass text without it");
  }
  return text.c_str();
}

inline TimePoint moment(std::int64_t ms) { return TimePoint(std::chrono::milliseconds(ms)); }

} // namespace detail

/// One entitlement of a contract.
struct Entitlement {
  std::string name;                       ///< API name of the contract dimension.
  std::string unit;                       ///< AWS's unit word: `None` for a tier, `Count` for seats.
  std::optional<std::string> value;       ///< Value of an uncounted one, when the license gives one.
  std::optional<std::int64_t> max_count;  ///< Purchased amount of a counted one, when it is known.
  std::optional<std::int64_t> consumed;   ///< How much of it everybody together has taken, when AWS tells.
};

/// Verdict, reason and entitlements at one moment. Copies share it; it never changes.
class License {
public:
  /// Takes over a handle.
  explicit License(mpguard_license_t *handle) : handle_(handle, [](mpguard_license_t *h) { mpguard_license_free(h); }) {}

  Verdict verdict() const { return static_cast<Verdict>(mpguard_license_verdict(get())); }
  /// Why, as a word to compare, such as `entitled`.
  std::string reason() const { return detail::text(mpguard_license_reason(get())); }
  /// What to tell a person.
  std::string text() const { return detail::text(mpguard_license_text(get())); }
  /// When the verdict took this value.
  TimePoint since() const { return detail::moment(mpguard_license_since_ms(get())); }
  /// Until when it holds if AWS says nothing more.
  std::optional<TimePoint> until() const {
    const std::int64_t ms = mpguard_license_until_ms(get());
    return ms < 0 ? std::nullopt : std::optional<TimePoint>(detail::moment(ms));
  }
  /// True when it comes from a sandbox and proves nothing.
  bool sandbox() const { return mpguard_license_sandbox(get()); }
  std::optional<std::string> arn() const { return detail::maybe(mpguard_license_arn(get())); }
  std::optional<std::string> version() const { return detail::maybe(mpguard_license_version(get())); }
  /// True when the product may run and the contract has `feature`.
  bool has(const std::string &feature) const { return mpguard_license_has(get(), detail::c(feature)); }
  std::string json() const { return detail::text(mpguard_license_json(get())); }

  std::vector<Entitlement> entitlements() const {
    std::vector<Entitlement> found;
    const std::size_t count = mpguard_license_entitlement_count(get());
    for (std::size_t i = 0; i < count; i++) {
      found.push_back({detail::text(mpguard_license_entitlement_name(get(), i)),
                       detail::text(mpguard_license_entitlement_unit(get(), i)),
                       detail::maybe(mpguard_license_entitlement_value(get(), i)),
                       detail::amount(mpguard_license_entitlement_max_count(get(), i)),
                       detail::amount(mpguard_license_entitlement_consumed(get(), i))});
    }
    return found;
  }

  const mpguard_license_t *get() const noexcept { return handle_.get(); }

private:
  std::shared_ptr<mpguard_license_t> handle_;
};

/// What happened, with the whole new state. Copies share it; it never changes.
class Event {
public:
  /// Takes over a handle.
  explicit Event(mpguard_event_t *handle) : handle_(handle, [](mpguard_event_t *h) { mpguard_event_free(h); }) {}

  EventKind kind() const { return static_cast<EventKind>(mpguard_event_kind(get())); }
  /// The kind as a word, such as `license_upgraded`.
  std::string kind_name() const { return detail::text(mpguard_event_kind_name(get())); }
  /// What it is about; of each topic a slow listener is given only the newest event.
  std::string topic() const { return detail::text(mpguard_event_topic(get())); }
  /// What happened, on which thing, and the next step.
  std::string text() const { return detail::text(mpguard_event_text(get())); }
  TimePoint time() const { return detail::moment(mpguard_event_time_ms(get())); }
  std::int64_t sequence() const { return mpguard_event_sequence(get()); }
  /// True when it comes from a sandbox and proves nothing; its text then begins with `sandbox: `.
  bool sandbox() const { return mpguard_event_sandbox(get()); }
  /// State after the event.
  License license() const { return License(mpguard_event_license(get())); }
  /// State before it.
  License old_license() const { return License(mpguard_event_old_license(get())); }
  /// More facts of this kind of event, as a JSON object.
  std::string details_json() const { return detail::text(mpguard_event_details_json(get())); }
  std::string json() const { return detail::text(mpguard_event_json(get())); }

  const mpguard_event_t *get() const noexcept { return handle_.get(); }

private:
  std::shared_ptr<mpguard_event_t> handle_;
};

/// Hears events on a thread of mpguard. What it throws is caught and counted in Stats::listener_failures.
using Listener = std::function<void(const Event &)>;

namespace detail {

/// The one trampoline: no exception crosses the C frame that called it.
inline void on_event(const mpguard_event_t *event, void *user_data) noexcept {
  try {
    const Event copy(get<mpguard_event_t *>(
        [&](mpguard_event_t **out, mpguard_error_t **error) { return mpguard_event_clone(event, out, error); }));
    (*static_cast<Listener *>(user_data))(copy);
  } catch (...) {
    mpguard_event_callback_failed(event);
  }
}

/// What a listener captured is destroyed here; a destructor that throws must not reach C either.
inline void free_listener(void *user_data) noexcept { delete static_cast<Listener *>(user_data); }

} // namespace detail

/// What a guard is made from. docs/CONFIGURATION.md lists the keys.
class Config {
public:
  Config() : handle_(mpguard_config_new()) {}

  /// A configuration from a JSON object of keys.
  static Config from_json(const std::string &json) {
    Config config;
    config.set_json(json);
    return config;
  }

  /// Sets a key from text: words as they are, lists and objects as JSON.
  Config &set(const std::string &key, const std::string &value) {
    const char *c_key = detail::c(key);
    const char *c_value = detail::c(value);
    detail::run([&](mpguard_error_t **error) { return mpguard_config_set(handle_.get(), c_key, c_value, error); });
    return *this;
  }
  Config &set(const std::string &key, const char *value) { return set(key, std::string(value == nullptr ? "" : value)); }
  /// Sets a number or a flag.
  template <class Value, std::enable_if_t<std::is_integral_v<Value>, int> = 0>
  Config &set(const std::string &key, Value value) {
    if constexpr (std::is_same_v<Value, bool>) {
      return set(key, std::string(value ? "true" : "false"));
    } else {
      return set(key, std::to_string(value));
    }
  }
  /// Sets a key that ends in `_ms`.
  template <class Rep, class Period>
  Config &set(const std::string &key, std::chrono::duration<Rep, Period> value) {
    return set(key, std::chrono::duration_cast<std::chrono::milliseconds>(value).count());
  }
  /// Sets every key of a JSON object, or none.
  Config &set_json(const std::string &json) {
    const char *c_json = detail::c(json);
    detail::run([&](mpguard_error_t **error) { return mpguard_config_set_json(handle_.get(), c_json, error); });
    return *this;
  }
  /// Sets who hears every event of the guards made from this, in place of who was set before.
  Config &on_event(Listener listener) {
    auto owned = std::make_unique<Listener>(std::move(listener));
    const std::int32_t status = mpguard_config_on_event(handle_.get(), *owned ? detail::on_event : nullptr, owned.get(),
                                                        detail::free_listener);
    if (status != MPGUARD_OK) detail::fail(status, nullptr);
    static_cast<void>(owned.release()); // taken
    return *this;
  }
  /// Checks the whole without starting anything.
  void check() const {
    detail::run([&](mpguard_error_t **error) { return mpguard_config_check(handle_.get(), error); });
  }

  const mpguard_config_t *get() const noexcept { return handle_.get(); }

private:
  detail::Owned<mpguard_config_t, mpguard_config_free> handle_;
};

/// A counter of one dimension and tag set, to keep and add to. It may outlive its guard.
class Meter {
public:
  /// Takes over a handle.
  explicit Meter(mpguard_meter_t *handle) : handle_(handle) {}

  /// Adds raw counts to the running hour; for dimensions of kind `sum`.
  template <class Int>
  void add(Int quantity) {
    const std::int64_t n = number(quantity);
    detail::run([&](mpguard_error_t **error) { return mpguard_meter_add(handle_.get(), n, error); });
  }
  /// Says what the level is now; for dimensions of kind `max` and `last`.
  template <class Int>
  void set(Int quantity) {
    const std::int64_t n = number(quantity);
    detail::run([&](mpguard_error_t **error) { return mpguard_meter_set(handle_.get(), n, error); });
  }
  /// API name of the dimension.
  std::string dimension() const { return detail::text(mpguard_meter_dimension(handle_.get())); }

  const mpguard_meter_t *get() const noexcept { return handle_.get(); }

private:
  /// What does not fit becomes negative, and that is refused.
  template <class Int>
  static std::int64_t number(Int quantity) {
    static_assert(std::is_integral_v<Int> && !std::is_same_v<Int, bool>, "a quantity is a whole number");
    return static_cast<std::int64_t>(quantity);
  }

  detail::Owned<mpguard_meter_t, mpguard_meter_free> handle_;
};

/// Seats of a floating entitlement. The destructor returns them without waiting.
class Seat {
public:
  /// Takes over a handle.
  explicit Seat(mpguard_seat_t *handle) : handle_(handle) {}

  /// Number of the seat in its guard; events about it carry it as `seat` in their details.
  std::int64_t number() const { return mpguard_seat_number(handle_.get()); }
  std::string entitlement() const { return detail::text(mpguard_seat_entitlement(handle_.get())); }
  std::int64_t count() const { return mpguard_seat_count(handle_.get()); }
  /// True while AWS holds the seats for us; false once lost or checked in.
  bool held() const { return mpguard_seat_held(handle_.get()); }
  /// When they would return by themselves if nothing extended them.
  TimePoint expires() const { return detail::moment(mpguard_seat_expires_ms(handle_.get())); }
  /// Returns the seats, after `seat_linger_ms` without waiting. A second call does nothing.
  void check_in() {
    detail::run([&](mpguard_error_t **error) { return mpguard_seat_check_in(handle_.get(), error); });
  }

  const mpguard_seat_t *get() const noexcept { return handle_.get(); }

private:
  detail::Owned<mpguard_seat_t, mpguard_seat_free> handle_;
};

/// Where every raw count of one dimension, or every unit of one drawdown entitlement, is: added = open + pending + delivered + disputed + held + missed.
struct Account {
  std::string dimension;
  std::int64_t added;
  std::int64_t open;
  std::int64_t pending;
  std::int64_t delivered;
  std::int64_t disputed;
  std::int64_t held;
  std::int64_t missed;
};

/// One account a dimension and drawdown entitlement, and the whole as JSON.
struct Accounts {
  std::vector<Account> entries;
  std::string json;

  /// Reads a handle and frees it.
  static Accounts read(mpguard_account_t *handle) {
    const detail::OwnedAccount owned(handle);
    Accounts accounts{{}, detail::text(mpguard_account_json(handle))};
    const std::size_t count = mpguard_account_count(handle);
    for (std::size_t i = 0; i < count; i++) {
      accounts.entries.push_back(
          {detail::text(mpguard_account_dimension(handle, i)), mpguard_account_added(handle, i),
           mpguard_account_open(handle, i), mpguard_account_pending(handle, i), mpguard_account_delivered(handle, i),
           mpguard_account_disputed(handle, i), mpguard_account_held(handle, i), mpguard_account_missed(handle, i)});
    }
    return accounts;
  }
  auto begin() const { return entries.begin(); }
  auto end() const { return entries.end(); }
};

/// What `flush` or `shutdown` came to. Raw counts, summed over dimensions.
struct Report {
  std::int64_t recorded;        ///< Recorded by AWS during the operation.
  std::int64_t pending;         ///< Not recorded yet.
  std::int64_t disputed;        ///< Fate unknown.
  std::int64_t seats_returned;  ///< Seats checked in.
  bool may_be_lost;             ///< Some pending usage lives in a place that ends with this process.
  Accounts accounts;            ///< After a shutdown; empty after a flush.
  std::string json;

  /// Reads a handle and frees it.
  static Report read(mpguard_report_t *handle) {
    const detail::OwnedReport owned(handle);
    return {mpguard_report_recorded(handle),
            mpguard_report_pending(handle),
            mpguard_report_disputed(handle),
            mpguard_report_seats_returned(handle),
            mpguard_report_may_be_lost(handle),
            Accounts::read(mpguard_report_account(handle)),
            detail::text(mpguard_report_json(handle))};
  }
};

/// Counts since the guard was made.
struct Stats {
  std::int64_t calls;              ///< Calls to AWS.
  std::int64_t calls_failed;       ///< Calls that gave no answer to decide on.
  std::int64_t events;             ///< Events announced.
  std::int64_t events_replaced;    ///< Events replaced by a newer one before a listener took them.
  std::int64_t listener_failures;  ///< Listeners that threw.
  std::string storage;             ///< Where usage is kept: `durable`, `container` or `memory`.
  bool sandbox;                    ///< They come from a sandbox and say nothing of AWS.
  std::string json;
};

/// Tags of a meter: keys and values.
using Tags = std::vector<std::pair<std::string, std::string>>;

/// The live object. Any thread may use it. The destructor shuts down what was not, within five seconds.
class Guard {
public:
  using milliseconds = std::chrono::milliseconds;

  /// Starts a guard and waits for the first verdict, at most `startup_timeout_ms`.
  explicit Guard(const Config &config)
      : handle_(detail::get<mpguard_t *>([&](mpguard_t **out, mpguard_error_t **error) {
          return mpguard_init(config.get(), out, error);
        })) {}

  /// May the product run? Never waits.
  Verdict verdict() const {
    return static_cast<Verdict>(detail::get<std::int32_t>(
        [&](std::int32_t *out, mpguard_error_t **error) { return mpguard_verdict(get(), out, error); }));
  }
  /// Verdict, reason and entitlements at this moment. Never waits.
  License license() const {
    return License(detail::get<mpguard_license_t *>(
        [&](mpguard_license_t **out, mpguard_error_t **error) { return mpguard_license(get(), out, error); }));
  }
  /// Throws unless the product may run now.
  void require() const {
    detail::run([&](mpguard_error_t **error) { return mpguard_require(get(), error); });
  }
  /// True when the product may run now and its contract has `feature`.
  bool has(const std::string &feature) const {
    const char *c_feature = detail::c(feature);
    return detail::get<bool>([&](bool *out, mpguard_error_t **error) { return mpguard_has(get(), c_feature, out, error); });
  }

  /// The counter of one dimension and tag set. Make it once, keep it, and add to it.
  Meter meter(const std::string &dimension, const Tags &tags = {}) const {
    std::vector<const char *> pairs;
    for (const auto &[key, value] : tags) {
      pairs.push_back(detail::c(key));
      pairs.push_back(detail::c(value));
    }
    const char *c_dimension = detail::c(dimension);
    return Meter(detail::get<mpguard_meter_t *>([&](mpguard_meter_t **out, mpguard_error_t **error) {
      return mpguard_meter(get(), c_dimension, pairs.data(), tags.size(), out, error);
    }));
  }
  /// Takes seats of a floating entitlement; waits for them at most `timeout`.
  ///
  /// Throws MPGUARD_ERROR_NO_SEAT when every seat stayed taken, MPGUARD_ERROR_NOT_ENTITLED when they were not bought.
  Seat check_out(const std::string &entitlement, std::int64_t count = 1,
                 milliseconds timeout = std::chrono::seconds(30)) const {
    const char *c_entitlement = detail::c(entitlement);
    return Seat(detail::get<mpguard_seat_t *>([&](mpguard_seat_t **out, mpguard_error_t **error) {
      return mpguard_check_out(get(), c_entitlement, count, timeout.count(), out, error);
    }));
  }

  /// Books prepaid units of a drawdown entitlement; waits at most `timeout`. Start the work after it has returned.
  ///
  /// Units are drawn exactly once. When it throws, nothing is booked: MPGUARD_ERROR_EXHAUSTED when the contract has
  /// not so many left. Source: AWS License Manager, CheckoutLicense, checkout type `PERPETUAL`.
  void draw_down(const std::string &entitlement, std::int64_t quantity,
                 milliseconds timeout = std::chrono::seconds(30)) const {
    const char *c_entitlement = detail::c(entitlement);
    detail::run([&](mpguard_error_t **error) {
      return mpguard_draw_down(get(), c_entitlement, quantity, timeout.count(), error);
    });
  }

  /// Adds a listener; it hears the current state first. Returns a number for `unsubscribe`.
  std::uint64_t subscribe(Listener listener) const {
    auto owned = std::make_unique<Listener>(std::move(listener));
    const auto subscription = detail::get<std::uint64_t>([&](std::uint64_t *out, mpguard_error_t **error) {
      return mpguard_subscribe(get(), *owned ? detail::on_event : nullptr, owned.get(), detail::free_listener, out, error);
    });
    static_cast<void>(owned.release()); // taken
    return subscription;
  }
  /// Removes a listener. When this has returned on another thread than the listener's, it runs no more.
  void unsubscribe(std::uint64_t subscription) const {
    detail::run([&](mpguard_error_t **error) { return mpguard_unsubscribe(get(), subscription, error); });
  }
  /// The next event of the guard's own queue; nothing when the guard was shut down.
  std::optional<Event> next_event() const { return next(MPGUARD_FOREVER); }
  /// The same, with nothing also when `timeout` is over.
  std::optional<Event> next_event(milliseconds timeout) const { return next(timeout.count()); }
  /// Readable while `next_event` has something to give. Wait on it; never read or close it.
  int event_fd() const {
    return detail::get<std::int32_t>(
        [&](std::int32_t *out, mpguard_error_t **error) { return mpguard_event_fd(get(), out, error); });
  }

  /// Where every raw count is.
  Accounts account() const {
    return Accounts::read(detail::get<mpguard_account_t *>(
        [&](mpguard_account_t **out, mpguard_error_t **error) { return mpguard_account(get(), out, error); }));
  }
  /// Counts of calls, failures and events. Never waits.
  Stats stats() const {
    const detail::OwnedStats owned(detail::get<mpguard_stats_t *>(
        [&](mpguard_stats_t **out, mpguard_error_t **error) { return mpguard_stats(get(), out, error); }));
    const mpguard_stats_t *stats = owned.get();
    return {mpguard_stats_calls(stats),
            mpguard_stats_calls_failed(stats),
            mpguard_stats_events(stats),
            mpguard_stats_events_replaced(stats),
            mpguard_stats_listener_failures(stats),
            detail::text(mpguard_stats_storage(stats)),
            mpguard_stats_sandbox(stats),
            detail::text(mpguard_stats_json(stats))};
  }

  /// Sends the usage of all ended hours now; waits at most `deadline`.
  Report flush(milliseconds deadline = std::chrono::seconds(30)) const {
    return Report::read(detail::get<mpguard_report_t *>([&](mpguard_report_t **out, mpguard_error_t **error) {
      return mpguard_flush(get(), deadline.count(), out, error);
    }));
  }
  /// Ends the guard: sends what is counted, returns seats, reports what is left; waits at most `deadline`.
  ///
  /// Inside a listener it throws an Error with status MPGUARD_ERROR_DEFERRED, and completes when the
  /// listener has returned.
  Report shutdown(milliseconds deadline = std::chrono::seconds(30)) const {
    return Report::read(detail::get<mpguard_report_t *>([&](mpguard_report_t **out, mpguard_error_t **error) {
      return mpguard_shutdown(get(), deadline.count(), out, error);
    }));
  }

  const mpguard_t *get() const noexcept { return handle_.get(); }

private:
  std::optional<Event> next(std::int64_t timeout_ms) const {
    mpguard_event_t *event = nullptr;
    mpguard_error_t *error = nullptr;
    const std::int32_t status = mpguard_next_event(get(), timeout_ms, &event, &error);
    if (status == MPGUARD_OK) return Event(event);
    if (status != MPGUARD_ERROR_TIMED_OUT && status != MPGUARD_ERROR_SHUT_DOWN) detail::fail(status, error);
    mpguard_error_free(error);
    return std::nullopt;
  }

  detail::Owned<mpguard_t, mpguard_free> handle_;
};

/// What `doctor` found out.
struct DoctorReport {
  std::int32_t exit_code;  ///< For the shell: 0 all is well, 1 something should be looked at, 2 something does not work.
  std::string text;        ///< Every finding in lines for a person; it ends with a newline.
  std::string json;        ///< The whole as a JSON object; `findings` has `id`, `status`, `what`, `why`, `fix` and `docs`.
};

namespace detail {

inline DoctorReport doctor(const mpguard_config_t *config) {
  const OwnedDoctorReport owned(get<mpguard_doctor_report_t *>(
      [&](mpguard_doctor_report_t **out, mpguard_error_t **error) { return mpguard_doctor(config, out, error); }));
  return {mpguard_doctor_report_exit_code(owned.get()), text(mpguard_doctor_report_text(owned.get())),
          text(mpguard_doctor_report_json(owned.get()))};
}

} // namespace detail

/// Looks at everything that a guard made from `config` would need; changes nothing, and waits for a minute at most.
inline DoctorReport doctor(const Config &config) {
  if (config.get() == nullptr) config.check(); // moved from: throws, for C takes NULL as no configuration at all
  return detail::doctor(config.get());
}
/// The same without a configuration: only the surroundings are looked at.
inline DoctorReport doctor() { return detail::doctor(nullptr); }

/// Starts a guard: `auto guard = mpguard::init(config);`
inline Guard init(const Config &config) { return Guard(config); }

} // namespace mpguard

#endif // MPGUARD_HPP
