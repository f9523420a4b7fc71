// The C++ player: plays conformance scenarios, one command a line. tests/conformance/README.md has the commands.

#include "mpguard.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>

namespace {

using Words = std::vector<std::string>;
using std::chrono::milliseconds;

[[noreturn]] void fail(std::int32_t status, const char *code, const char *kind, bool retryable, const std::string &text) {
  throw mpguard::Error(status, code, kind, retryable, text);
}

[[noreturn]] void wrong(const std::string &text) {
  fail(MPGUARD_ERROR_INVALID_ARGUMENT, "INVALID_ARGUMENT", "usage", false, text);
}

/// A quantity; what C++ cannot hold is out of range.
std::int64_t quantity(const std::string &word) {
  try {
    std::size_t read = 0;
    const std::int64_t number = std::stoll(word, &read);
    if (read == word.size()) return number;
  } catch (const std::exception &) {
  }
  fail(MPGUARD_ERROR_QUANTITY_OUT_OF_RANGE, "QUANTITY_OUT_OF_RANGE", "usage", false,
       "`" + word + "` is no number that C++ can hold in an int64_t");
}

milliseconds ms(const std::string &word) { return milliseconds(quantity(word)); }

/// Events that were heard and not handed out yet.
class Heard {
public:
  void put(const mpguard::Event &event) {
    const std::lock_guard<std::mutex> lock(mutex_);
    events_.push_back(event);
    more_.notify_all();
  }

  std::string take(const std::string &kind, milliseconds timeout) {
    std::unique_lock<std::mutex> lock(mutex_);
    auto found = events_.end();
    const auto there = [&] {
      found = std::find_if(events_.begin(), events_.end(), [&](const auto &event) { return event.kind_name() == kind; });
      return found != events_.end();
    };
    if (!more_.wait_for(lock, timeout, there)) {
      fail(MPGUARD_ERROR_TIMED_OUT, "TIMED_OUT", "retry", true, "no event `" + kind + "`");
    }
    std::string json = found->json();
    events_.erase(found);
    return json;
  }

private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<mpguard::Event> events_;
};

class Player {
public:
  /// Plays one command; the payload of its answer.
  std::string play(const Words &words) {
    const auto found = commands_.find(words[0]);
    if (found == commands_.end() || words.size() < found->second.words) {
      wrong("`" + words[0] + "` is no command of a player, or lacks words");
    }
    return found->second.play(words);
  }

private:
  struct Command {
    std::size_t words;
    std::function<std::string(const Words &)> play;
  };

  std::string init(const Words &words) {
    auto config = mpguard::Config::from_json(words[1]);
    config.on_event([this](const mpguard::Event &event) { heard_.put(event); });
    guard_.emplace(config);
    return guard().license().json();
  }

  mpguard::Guard &guard() {
    if (!guard_) wrong("no guard was made");
    return *guard_;
  }

  mpguard::Seat &seat(const std::string &name) {
    const auto found = seats_.find(name);
    if (found == seats_.end()) wrong("no seat is named `" + name + "`");
    return found->second;
  }

  mpguard::Meter meter(const Words &words) {
    mpguard::Tags tags;
    for (std::size_t i = 3; i < words.size(); i++) {
      const auto at = std::min(words[i].find('='), words[i].size());
      tags.emplace_back(words[i].substr(0, at), words[i].substr(std::min(at + 1, words[i].size())));
    }
    return guard().meter(words[1], tags);
  }

  std::string check_out(const Words &words) {
    auto seat = guard().check_out(words[2], quantity(words[3]), ms(words[4]));
    const auto expires = seat.expires().time_since_epoch().count();
    seats_.insert_or_assign(words[1], std::move(seat));
    return std::to_string(expires);
  }

  Heard heard_; // before the guard, whose listener uses it
  std::optional<mpguard::Guard> guard_;
  std::map<std::string, mpguard::Seat> seats_;
  const std::map<std::string, Command> commands_{
      {"init", {2, [this](const Words &w) { return init(w); }}},
      {"verdict", {1, [this](const Words &) { return mpguard::to_string(guard().verdict()); }}},
      {"license", {1, [this](const Words &) { return guard().license().json(); }}},
      {"require", {1, [this](const Words &) { return guard().require(), ""; }}},
      {"has", {2, [this](const Words &w) { return guard().has(w[1]) ? "1" : "0"; }}},
      {"add", {3, [this](const Words &w) { return meter(w).add(quantity(w[2])), ""; }}},
      {"set", {3, [this](const Words &w) { return meter(w).set(quantity(w[2])), ""; }}},
      {"check_out", {5, [this](const Words &w) { return check_out(w); }}},
      {"draw_down", {4, [this](const Words &w) { return guard().draw_down(w[1], quantity(w[2]), ms(w[3])), ""; }}},
      {"seat_number", {2, [this](const Words &w) { return std::to_string(seat(w[1]).number()); }}},
      {"seat", {2, [this](const Words &w) { return seat(w[1]).held() ? "1" : "0"; }}},
      {"check_in", {2, [this](const Words &w) { return seat(w[1]).check_in(), ""; }}},
      {"event", {3, [this](const Words &w) { return heard_.take(w[1], ms(w[2])); }}},
      {"account", {1, [this](const Words &) { return guard().account().json; }}},
      {"stats", {1, [this](const Words &) { return guard().stats().json; }}},
      {"flush", {2, [this](const Words &w) { return guard().flush(ms(w[1])).json; }}},
      {"shutdown", {2, [this](const Words &w) { return guard().shutdown(ms(w[1])).json; }}},
      {"quit", {1, [](const Words &) { return ""; }}},
  };
};

std::string answer(Player &player, const Words &words) {
  try {
    const std::string payload = player.play(words);
    return payload.empty() ? "ok" : "ok\t" + payload;
  } catch (const mpguard::Error &error) {
    std::string text = error.what();
    std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
    return "error\t" + error.code() + '\t' + error.kind() + '\t' + (error.retryable() ? "1" : "0") + '\t' + text;
  }
}

} // namespace

int main() {
  Player player;
  for (std::string line; std::getline(std::cin, line);) {
    Words words;
    std::istringstream stream(line);
    for (std::string word; std::getline(stream, word, '\t');) words.push_back(word);
    if (words.empty()) words.emplace_back();
    std::cout << answer(player, words) << std::endl;
    if (words[0] == "quit") break;
  }
}
