/* Generated from ffi/src by cbindgen. Do not edit; run `cargo xtask generate`. */

/**
 * mpguard: entitlement, metering and seats of AWS Marketplace container products.
 *
 * Lifecycle
 *
 *     mpguard_error_t *error = NULL;
 *     mpguard_config_t *config = mpguard_config_new();
 *     mpguard_config_set(config, "pricing", "usage", &error);
 *     mpguard_config_set(config, "product_code", "3xmpl", &error);
 *     mpguard_config_set(config, "dimensions", "[{\"name\":\"requests\"}]", &error);
 *     mpguard_config_on_event(config, on_event, app, NULL);
 *
 *     mpguard_t *guard = NULL;
 *     if (mpguard_init(config, &guard, &error) != MPGUARD_OK) {
 *       fprintf(stderr, "%s\n", mpguard_error_text(error));
 *       mpguard_error_free(error);
 *     }
 *     mpguard_config_free(config);
 *
 *     mpguard_meter_t *requests = NULL;
 *     mpguard_meter(guard, "requests", NULL, 0, &requests, NULL);
 *     mpguard_meter_add(requests, 3, NULL);
 *
 *     mpguard_shutdown(guard, 30000, NULL, NULL);
 *     mpguard_meter_free(requests);
 *     mpguard_free(guard);
 *
 * Calls and errors
 *
 *     A call that can fail returns a status: 0 (MPGUARD_OK), or a number whose hundred says what to do:
 *     1xx fix the call, 2xx wait and try again, 3xx show the buyer, 4xx repair the place, 5xx report a
 *     bug in mpguard. `error_out` may be NULL; else it is written on failure only, with an error that is
 *     yours to free. The other outputs, named `*_out`, come before it and are written on success only.
 *     New numbers of status and of events may appear in later versions; treat one that you do not know
 *     by its hundred.
 *
 * Ownership
 *
 *     What a call gives you as a handle is yours, and ends with the `_free` of its type. What you give to
 *     a call is copied. A `const char *` that a call gives belongs to the object that it was asked of
 *     and lives as long. All text is UTF-8. Handles are not pointers into memory: using one after it was
 *     freed, or where another type belongs, is an error and harms nothing, and freeing NULL is fine.
 *
 * Threads
 *
 *     Any thread may use any handle; freeing an object while another thread still reads its texts is
 *     the one thing to avoid. mpguard starts two threads, `mpguard` and `mpguard-notify`, with all
 *     signals blocked. Callbacks run on the second; see `mpguard_event_callback_t`.
 *
 * Fork
 *
 *     Fork at any time. A child counts with the meters that it inherited, at once and as they are. Every
 *     other call works there too: the first one that uses the guard starts the child's own two threads,
 *     which inherit the license and who the task is, and register nothing again. Exactly one process of
 *     the task sends; when it dies, another one that has threads does within two seconds. A child that
 *     only counts has none: one that shall outlive its parent, as a daemon does, calls for example
 *     `mpguard_verdict` once, after it has closed the descriptors that it does not want.
 *
 *     `mpguard_shutdown` in a child ends the child's share alone; a record leaves when it was the last
 *     process of the task. Seats stay those of the process that took them: in a child, checking them in
 *     does nothing. The callback of `mpguard_config_on_event` is called in the child too; callbacks of
 *     `mpguard_subscribe` are not until the child subscribes. What a thread of the parent was waiting for
 *     is not waited for in the child. Nothing needs to be freed there.
 *
 *     A fork waits, two seconds at most, while another thread is in the middle of `mpguard_init`.
 *
 * Contracts
 *
 *     Seats are checked out and in, prepaid units are drawn for good. A check out waits while every seat is
 *     taken, in the order of the calls. Seats that are checked in linger for `seat_linger_ms`, so that the
 *     next check out of this process needs no call to AWS. Start work on prepaid units after
 *     `mpguard_draw_down` has returned MPGUARD_OK: they are booked then, once. What a process held when it
 *     was killed stands in the state directory, and the next process of the task takes it over.
 *
 *     Both calls wait for up to their time-out, each on the thread that calls: give customers who wait
 *     threads of their own.
 *
 * When something does not work
 *
 *     `mpguard_doctor` looks at everything that a guard would need in this place (permissions, network,
 *     clock, storage), changes nothing, and says how to mend what is not well, as `mpguard doctor` does.
 *
 * Unloading
 *
 *     The library stays in memory: after `dlclose` its threads and your meters go on.
 */

#ifndef MPGUARD_H
#define MPGUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Version of this header; `mpguard_version` gives the library's. */
#define MPGUARD_VERSION "0.1.0"
#define MPGUARD_VERSION_MAJOR 0
#define MPGUARD_VERSION_MINOR 1
#define MPGUARD_VERSION_PATCH 0

/** Success. */
#define MPGUARD_OK 0

/** A `NULL`, a bad encoding, or a value out of range. */
#define MPGUARD_ERROR_INVALID_ARGUMENT 101
/** Unknown key, bad value, or keys that contradict each other. */
#define MPGUARD_ERROR_INVALID_CONFIG 102
/** The product has no such dimension. */
#define MPGUARD_ERROR_UNKNOWN_DIMENSION 103
/** Tags that AWS would refuse. */
#define MPGUARD_ERROR_INVALID_TAG 104
/** The configuration names no such entitlement. */
#define MPGUARD_ERROR_UNKNOWN_ENTITLEMENT 105
/** Negative, or more than a counter can hold. Nothing was counted. */
#define MPGUARD_ERROR_QUANTITY_OUT_OF_RANGE 106
/** `add` on a level, or `set` on a sum. Nothing was counted. */
#define MPGUARD_ERROR_WRONG_METER_KIND 107
/** The handle was freed, or never was one. */
#define MPGUARD_ERROR_STALE_HANDLE 108
/** The guard was shut down. */
#define MPGUARD_ERROR_SHUT_DOWN 109

/** AWS has not answered yet. */
#define MPGUARD_ERROR_PENDING 201
/** The time given to the call is over. */
#define MPGUARD_ERROR_TIMED_OUT 202
/** AWS cannot be reached, or asked to wait. */
#define MPGUARD_ERROR_UNAVAILABLE 203
/** Every seat of the contract is taken. */
#define MPGUARD_ERROR_NO_SEAT 204
/** `shutdown` was called from a listener and completes when the listener returns. */
#define MPGUARD_ERROR_DEFERRED 205

/** No valid subscription or license. */
#define MPGUARD_ERROR_NOT_ENTITLED 301
/** The role of the task or pod lacks a permission. */
#define MPGUARD_ERROR_ACCESS_DENIED 302
/** Not an ECS task or EKS pod. */
#define MPGUARD_ERROR_PLATFORM_NOT_SUPPORTED 303
/** The call went to another Region than the task's. */
#define MPGUARD_ERROR_INVALID_REGION 304
/** Product code or key version unknown to AWS. */
#define MPGUARD_ERROR_INVALID_PRODUCT 305
/** The signed answer does not verify. */
#define MPGUARD_ERROR_SIGNATURE_INVALID 306
/** The license has ended, or was suspended. */
#define MPGUARD_ERROR_LICENSE_ENDED 307
/** The contract's prepaid units are used up. */
#define MPGUARD_ERROR_EXHAUSTED 308

/** The state directory cannot be used. */
#define MPGUARD_ERROR_STORAGE 401
/** A thread could not be started. */
#define MPGUARD_ERROR_THREAD 402

/** A bug in mpguard; the host goes on. */
#define MPGUARD_ERROR_INTERNAL 501

/** The verdict changed. */
#define MPGUARD_EVENT_VERDICT_CHANGED 101

/** More rights: a higher tier or more seats. */
#define MPGUARD_EVENT_LICENSE_UPGRADED 201
/** Fewer rights, confirmed by a second answer. */
#define MPGUARD_EVENT_LICENSE_DOWNGRADED 202
/** A later end, or a new version with the same rights. */
#define MPGUARD_EVENT_LICENSE_RENEWED 203
/** The end is near. */
#define MPGUARD_EVENT_LICENSE_EXPIRING 204
/** The license has ended. */
#define MPGUARD_EVENT_LICENSE_EXPIRED 205
/** The license was suspended, deactivated or deleted. */
#define MPGUARD_EVENT_LICENSE_SUSPENDED 206

/** A seat could not be kept. */
#define MPGUARD_EVENT_SEAT_LOST 301
/** A check out has to wait, because every seat of the contract is taken. */
#define MPGUARD_EVENT_SEATS_EXHAUSTED 302
/** There are seats again. */
#define MPGUARD_EVENT_SEATS_AVAILABLE 303

/** Usage moved to a later hour. */
#define MPGUARD_EVENT_USAGE_CARRIED 401
/** Fate of a record unknown when its window closed. */
#define MPGUARD_EVENT_USAGE_DISPUTED 402
/** AWS refuses a record until the set-up is repaired. */
#define MPGUARD_EVENT_USAGE_HELD 403
/** A level's hour can no longer be reported. */
#define MPGUARD_EVENT_USAGE_MISSED 404
/** Records do not get through. */
#define MPGUARD_EVENT_METERING_OUTAGE 405
/** Records get through again. */
#define MPGUARD_EVENT_METERING_RECOVERED 406
/** Carried usage went out with an hour of another month. */
#define MPGUARD_EVENT_USAGE_CROSSED_MONTH 407

/** AWS says that the product's public key version has expired: rebuild the image with the new one. */
#define MPGUARD_EVENT_KEY_ROTATION 501
/** The product's public key is shorter than 2048 bits. */
#define MPGUARD_EVENT_WEAK_KEY 502
/** A permission is missing that a check would need. */
#define MPGUARD_EVENT_PERMISSION_MISSING 503
/** Usage is kept in a place that a restart may lose. */
#define MPGUARD_EVENT_STORAGE_WEAK 504
/** This computer's clock is wrong; billing follows AWS's. */
#define MPGUARD_EVENT_CLOCK_SKEW 505
/** A broken file of the state directory was set aside. */
#define MPGUARD_EVENT_STORAGE_QUARANTINED 506
/** Another ledger of the same task exists. */
#define MPGUARD_EVENT_LEDGER_SPLIT 507
/** The process that leads the task does not move. */
#define MPGUARD_EVENT_LEADER_STALLED 508
/** The contract has an entitlement in another unit than the configuration says; the contract's is used. */
#define MPGUARD_EVENT_UNIT_MISMATCH 509
/** The account has several usable licenses of the product; one is chosen by rule. */
#define MPGUARD_EVENT_SEVERAL_LICENSES 510
/** The kept answer about the contract cannot be used: damaged, changed or another's. */
#define MPGUARD_EVENT_LICENSE_CACHE_REFUSED 511

/** Few prepaid units are left. */
#define MPGUARD_EVENT_DRAWDOWN_LOW 601
/** The prepaid units are used up. */
#define MPGUARD_EVENT_DRAWDOWN_EXHAUSTED 602
/** Nobody can tell whether AWS has taken the units of a draw; they are not drawn again. */
#define MPGUARD_EVENT_DRAWDOWN_DISPUTED 603

/** AWS has not answered yet. Unknown is never licensed. */
#define MPGUARD_VERDICT_PENDING 1
/** AWS said yes. */
#define MPGUARD_VERDICT_LICENSED 2
/** AWS said yes, but its last answer is older than it should be. */
#define MPGUARD_VERDICT_GRACE 3
/** AWS said no, or the license has ended. */
#define MPGUARD_VERDICT_DENIED 4

/** A waiting time without end, where one is allowed. */
#define MPGUARD_FOREVER -1

/**
 * Where every raw count is, one entry a dimension, and every prepaid unit, one entry a drawdown entitlement.
 *
 * In each entry `added = open + pending + delivered + disputed + held + missed`.
 */
typedef struct mpguard_account_t mpguard_account_t;

/** What a guard is made from. docs/CONFIGURATION.md lists the keys. */
typedef struct mpguard_config_t mpguard_config_t;

/** What `mpguard_doctor` found out. */
typedef struct mpguard_doctor_report_t mpguard_doctor_report_t;

/** What went wrong in one call: a number to branch on and a text for people. Yours to free. */
typedef struct mpguard_error_t mpguard_error_t;

/** What happened, with the whole new state. */
typedef struct mpguard_event_t mpguard_event_t;

/** Verdict, reason and entitlements at one moment. It never changes. */
typedef struct mpguard_license_t mpguard_license_t;

/** A counter of one dimension and tag set, to keep and add to. */
typedef struct mpguard_meter_t mpguard_meter_t;

/** What `mpguard_shutdown` or `mpguard_flush` came to. Raw counts, summed over dimensions. */
typedef struct mpguard_report_t mpguard_report_t;

/** Seats of a floating entitlement that are yours until checked in. */
typedef struct mpguard_seat_t mpguard_seat_t;

/** Counts of calls, failures and events since `mpguard_init`. */
typedef struct mpguard_stats_t mpguard_stats_t;

/** The live object. Any thread may use it. */
typedef struct mpguard_t mpguard_t;

/**
 * Hears events.
 *
 * Called on the thread `mpguard-notify`, one event at a time, with no lock held. It may call anything,
 * `mpguard_shutdown` and `mpguard_free` included; `mpguard_shutdown` then returns
 * MPGUARD_ERROR_DEFERRED at once and completes when the callback has returned.
 *
 * `event` lives until the callback returns; keep it longer with `mpguard_event_clone`. The last call
 * has returned when `mpguard_shutdown` or `mpguard_unsubscribe` returns on another thread.
 *
 * It must return: no C++ exception, no `longjmp`, no `pthread_exit` may leave it. It must not wait for
 * something that waits for the next event.
 */
typedef void (*mpguard_event_callback_t)(const mpguard_event_t *event, void *user_data);

/** Frees what was given as user data; called once. */
typedef void (*mpguard_user_data_free_t)(void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that is running, such as `0.1.0`; `MPGUARD_VERSION` is the header's.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives for ever.
 * Errors:  none.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_version(void);

/**
 * The status that the failed call returned.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  0 when `error` is NULL, MPGUARD_ERROR_STALE_HANDLE when it is no live error.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_error_code(const mpguard_error_t *error);

/**
 * The status as a word, such as `NOT_ENTITLED`.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives until the error is freed.
 * Errors:  NULL when `error` is no live error.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_error_name(const mpguard_error_t *error);

/**
 * What to do about it, as a word.
 *
 * `usage`: fix the call. `retry`: wait and try again. `entitlement`: show the text to the buyer.
 * `environment`: repair the place. `internal`: report a bug in mpguard.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives until the error is freed.
 * Errors:  NULL when `error` is no live error.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_error_kind(const mpguard_error_t *error);

/**
 * True when the same call may succeed later.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  false when `error` is no live error.
 * Source:  mpguard.
 * Since:   0.1
 */
bool mpguard_error_retryable(const mpguard_error_t *error);

/**
 * What failed, on which thing, and the next step. For people: the wording may change.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives until the error is freed.
 * Errors:  NULL when `error` is no live error.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_error_text(const mpguard_error_t *error);

/**
 * The word for a status, such as `NOT_ENTITLED`; `OK` for 0.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives for ever.
 * Errors:  NULL when this version has no such status.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_status_name(int32_t status);

/**
 * Frees an error. NULL is fine.
 *
 * Thread:  any, once no other thread reads its texts.
 * Owns:    takes `error`.
 * Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no error; nothing happens then.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_error_free(mpguard_error_t *error);

/**
 * Makes a configuration with every key at its default.
 *
 * Thread:  any.
 * Owns:    the result is yours; end it with `mpguard_config_free`.
 * Errors:  NULL when a million handles are live.
 * Source:  mpguard.
 * Since:   0.1
 */
mpguard_config_t *mpguard_config_new(void);

/**
 * Sets `key` from text: words and numbers as they are, lists and objects as JSON.
 *
 * Thread:  any.
 * Owns:    nothing; both texts are copied.
 * Errors:  MPGUARD_ERROR_INVALID_CONFIG naming the key, the value and what is allowed, and the old
 *          value stays; MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
 * Source:  docs/CONFIGURATION.md.
 * Since:   0.1
 */
int32_t mpguard_config_set(mpguard_config_t *config,
                           const char *key,
                           const char *value,
                           mpguard_error_t **error_out);

/**
 * Sets every key of a JSON object. `null` puts a key's default back.
 *
 * Either all keys are set or none.
 *
 * Thread:  any.
 * Owns:    nothing; the text is copied.
 * Errors:  As `mpguard_config_set`; MPGUARD_ERROR_INVALID_CONFIG also when it is no JSON object.
 * Source:  docs/CONFIGURATION.md.
 * Since:   0.1
 */
int32_t mpguard_config_set_json(mpguard_config_t *config,
                                const char *json,
                                mpguard_error_t **error_out);

/**
 * Checks the whole without starting anything.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  MPGUARD_ERROR_INVALID_CONFIG when a required key is missing or keys contradict each other;
 *          MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
 * Source:  docs/CONFIGURATION.md.
 * Since:   0.1
 */
int32_t mpguard_config_check(const mpguard_config_t *config,
                             mpguard_error_t **error_out);

/**
 * Sets who hears every event of the guards made from this configuration, from the first verdict on.
 *
 * A second call replaces the first one's callback. `callback` is called as
 * `mpguard_event_callback_t` says. `user_data_free` may be NULL; else it is called once with
 * `user_data`, on any thread, when the configuration and every guard made from it were freed. A forked
 * child calls `callback` with its copy of what `user_data` points to, and does not free it.
 *
 * Thread:  any.
 * Owns:    takes `user_data` on success, if `user_data_free` is given; else it stays yours.
 * Errors:  MPGUARD_ERROR_INVALID_ARGUMENT when `config` or `callback` is NULL;
 *          MPGUARD_ERROR_STALE_HANDLE. Nothing was taken then.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_config_on_event(mpguard_config_t *config,
                                mpguard_event_callback_t callback,
                                void *user_data,
                                mpguard_user_data_free_t user_data_free);

/**
 * Frees a configuration. NULL is fine. Guards made from it live on.
 *
 * Thread:  any.
 * Owns:    takes `config`.
 * Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no configuration; nothing
 *          happens then.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_config_free(mpguard_config_t *config);

/**
 * Starts a guard and waits for the first verdict, at most `startup_timeout_ms`.
 *
 * A guard whose verdict is still pending after that time is a success, unless `startup_pending` is
 * `fail`: AWS says that throttling must not stop a product.
 *
 * Thread:  any; it waits.
 * Owns:    `*guard_out` is yours; end it with `mpguard_shutdown` and `mpguard_free`. `config` stays
 *          yours and may be freed or used again.
 * Errors:  MPGUARD_ERROR_INVALID_CONFIG; a definite denial with what the buyer must do (3xx);
 *          MPGUARD_ERROR_PENDING; MPGUARD_ERROR_THREAD; MPGUARD_ERROR_INVALID_ARGUMENT;
 *          MPGUARD_ERROR_STALE_HANDLE.
 * Source:  AWS Marketplace Metering, RegisterUsage; AWS License Manager, CheckoutLicense.
 * Since:   0.1
 */
int32_t mpguard_init(const mpguard_config_t *config,
                     mpguard_t **guard_out,
                     mpguard_error_t **error_out);

/**
 * May the product run? Never waits.
 *
 * `*verdict_out` is one of `MPGUARD_VERDICT_*`; only LICENSED and GRACE mean yes.
 *
 * Thread:  any. The first call in a forked child starts the child's threads, as that of any function
 *          with a guard does; it then sends when its parent is gone.
 * Owns:    nothing.
 * Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_verdict(const mpguard_t *guard,
                        int32_t *verdict_out,
                        mpguard_error_t **error_out);

/**
 * Verdict, reason and entitlements at this moment. Never waits.
 *
 * Thread:  any.
 * Owns:    `*license_out` is yours; end it with `mpguard_license_free`.
 * Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_license(const mpguard_t *guard,
                        mpguard_license_t **license_out,
                        mpguard_error_t **error_out);

/**
 * Succeeds when the product may run now. Never waits.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  MPGUARD_ERROR_PENDING, or the denial with what the buyer must do (3xx);
 *          MPGUARD_ERROR_SHUT_DOWN; MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_require(const mpguard_t *guard, mpguard_error_t **error_out);

/**
 * True when the product may run now and its contract has the entitlement `feature`. Never waits.
 *
 * Thread:  any.
 * Owns:    nothing; the text is copied.
 * Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
 * Source:  AWS License Manager, CheckoutLicense.
 * Since:   0.1
 */
int32_t mpguard_has(const mpguard_t *guard,
                    const char *feature,
                    bool *has_out,
                    mpguard_error_t **error_out);

/**
 * Gives the counter of one dimension and tag set. Make it once, keep it, and add to it.
 *
 * `tags` holds `tag_count` pairs, so twice as many texts: key, value, key, value. It may be NULL when
 * `tag_count` is 0. The same arguments give a handle to the same counter.
 *
 * Thread:  any.
 * Owns:    `*meter_out` is yours; end it with `mpguard_meter_free`. It may be freed after the guard.
 * Errors:  MPGUARD_ERROR_UNKNOWN_DIMENSION, MPGUARD_ERROR_INVALID_TAG, MPGUARD_ERROR_SHUT_DOWN,
 *          MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
 * Source:  AWS Marketplace Metering, MeterUsage, members `UsageDimension` and `UsageAllocations`.
 * Since:   0.1
 */
int32_t mpguard_meter(const mpguard_t *guard,
                      const char *dimension,
                      const char *const *tags,
                      size_t tag_count,
                      mpguard_meter_t **meter_out,
                      mpguard_error_t **error_out);

/**
 * Takes `count` seats of a floating entitlement; waits at most `timeout_ms`.
 *
 * While every seat of the contract is taken it waits for one to come free, in the order of the calls. The seats
 * are kept by extending until they are checked in or the handle is freed.
 *
 * Thread:  any; it waits, so not from an event loop.
 * Owns:    `*seat_out` is yours; end it with `mpguard_seat_check_in` and `mpguard_seat_free`.
 * Errors:  MPGUARD_ERROR_UNKNOWN_ENTITLEMENT, MPGUARD_ERROR_NOT_ENTITLED; MPGUARD_ERROR_NO_SEAT when none
 *          came free in time;
 *          MPGUARD_ERROR_TIMED_OUT, MPGUARD_ERROR_UNAVAILABLE, MPGUARD_ERROR_SHUT_DOWN;
 *          MPGUARD_ERROR_INVALID_ARGUMENT, also for a count under 1 or a negative time;
 *          MPGUARD_ERROR_STALE_HANDLE.
 * Source:  AWS License Manager, CheckoutLicense.
 * Since:   0.1
 */
int32_t mpguard_check_out(const mpguard_t *guard,
                          const char *entitlement,
                          int64_t count,
                          int64_t timeout_ms,
                          mpguard_seat_t **seat_out,
                          mpguard_error_t **error_out);

/**
 * Books `quantity` prepaid units of a drawdown entitlement; waits at most `timeout_ms`. Start the work
 * after MPGUARD_OK.
 *
 * Units are drawn from the contract exactly once, whatever answers, processes or networks are lost on the way.
 * When the time is over while AWS has not answered, nothing is booked; units that AWS gives later serve the next
 * call. `mpguard_account` shows drawn, booked and disputed units.
 *
 * Thread:  any; it waits, so not from an event loop.
 * Owns:    nothing; the text is copied.
 * Errors:  MPGUARD_ERROR_UNKNOWN_ENTITLEMENT, MPGUARD_ERROR_EXHAUSTED, MPGUARD_ERROR_NOT_ENTITLED,
 *          MPGUARD_ERROR_TIMED_OUT, MPGUARD_ERROR_UNAVAILABLE, MPGUARD_ERROR_SHUT_DOWN;
 *          MPGUARD_ERROR_INVALID_ARGUMENT, also for a quantity under 1 or a negative time;
 *          MPGUARD_ERROR_STALE_HANDLE. Nothing is booked then.
 * Source:  AWS License Manager, CheckoutLicense, checkout type `PERPETUAL`.
 * Since:   0.1
 */
int32_t mpguard_draw_down(const mpguard_t *guard,
                          const char *entitlement,
                          int64_t quantity,
                          int64_t timeout_ms,
                          mpguard_error_t **error_out);

/**
 * Adds a callback; it hears the current state first, then every event.
 *
 * `*subscription_out` is the number for `mpguard_unsubscribe`. `user_data_free` may be NULL; else it is
 * called once with `user_data`, on any thread, when the last call of `callback` has returned.
 *
 * Thread:  any. `callback` may run before this returns.
 * Owns:    takes `user_data` on success, if `user_data_free` is given; else it stays yours.
 * Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE. Nothing was taken then.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_subscribe(const mpguard_t *guard,
                          mpguard_event_callback_t callback,
                          void *user_data,
                          mpguard_user_data_free_t user_data_free,
                          uint64_t *subscription_out,
                          mpguard_error_t **error_out);

/**
 * Removes a callback. A number that is not subscribed is no error.
 *
 * When this has returned on another thread than the callback's, the callback runs no more.
 *
 * Thread:  any, also from inside a callback.
 * Owns:    nothing.
 * Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_unsubscribe(const mpguard_t *guard,
                            uint64_t subscription,
                            mpguard_error_t **error_out);

/**
 * Takes the next event of the guard's own queue; waits at most `timeout_ms`, MPGUARD_FOREVER for ever.
 *
 * For hosts that would rather ask than be called. The queue starts with the first call of this or of
 * `mpguard_event_fd`, and keeps the newest event of each topic.
 *
 * Thread:  any; it waits unless `timeout_ms` is 0.
 * Owns:    `*event_out` is yours; end it with `mpguard_event_free`.
 * Errors:  MPGUARD_ERROR_TIMED_OUT when there was none in time; MPGUARD_ERROR_SHUT_DOWN when the queue
 *          is empty for good; MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_next_event(const mpguard_t *guard,
                           int64_t timeout_ms,
                           mpguard_event_t **event_out,
                           mpguard_error_t **error_out);

/**
 * Gives a file descriptor that is readable while `mpguard_next_event` has something to give.
 *
 * Thread:  any.
 * Owns:    nothing; the descriptor belongs to the guard: wait on it, never read or close it.
 * Errors:  MPGUARD_ERROR_STORAGE when the system gives none; MPGUARD_ERROR_INVALID_ARGUMENT;
 *          MPGUARD_ERROR_STALE_HANDLE.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_event_fd(const mpguard_t *guard, int32_t *fd_out, mpguard_error_t **error_out);

/**
 * Tells where every raw count is, one entry a dimension, and every prepaid unit, one entry a drawdown
 * entitlement: drawn and not booked is open, being drawn is pending, booked is delivered.
 *
 * Thread:  any.
 * Owns:    `*account_out` is yours; end it with `mpguard_account_free`.
 * Errors:  MPGUARD_ERROR_SHUT_DOWN, MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_account(const mpguard_t *guard,
                        mpguard_account_t **account_out,
                        mpguard_error_t **error_out);

/**
 * Counts calls, failures and events since `mpguard_init`. Never waits.
 *
 * Thread:  any.
 * Owns:    `*stats_out` is yours; end it with `mpguard_stats_free`.
 * Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_stats(const mpguard_t *guard,
                      mpguard_stats_t **stats_out,
                      mpguard_error_t **error_out);

/**
 * Sends the usage of all ended hours now instead of at its time; waits at most `deadline_ms`.
 *
 * The running hour is not touched: a record sent early would lock it.
 *
 * Thread:  any; it waits.
 * Owns:    `*report_out` is yours; end it with `mpguard_report_free`. `report_out` may be NULL.
 * Errors:  MPGUARD_ERROR_SHUT_DOWN, MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
 * Source:  AWS Marketplace Metering, MeterUsage.
 * Since:   0.1
 */
int32_t mpguard_flush(const mpguard_t *guard,
                      int64_t deadline_ms,
                      mpguard_report_t **report_out,
                      mpguard_error_t **error_out);

/**
 * Ends the guard in this process: sends what is counted, returns seats, reports what is left; waits at
 * most `deadline_ms`.
 *
 * The running hour is sent by the last process of the task that ends; a worker that is replaced by
 * another one sends nothing early.
 *
 * After it has returned on another thread than the callbacks', no callback runs. The handle stays
 * yours: `mpguard_account`, `mpguard_license` and `mpguard_stats` still answer.
 *
 * Thread:  any; it waits. From inside a callback it returns MPGUARD_ERROR_DEFERRED at once and completes
 *          when the callback has returned.
 * Owns:    `*report_out` is yours; end it with `mpguard_report_free`. `report_out` may be NULL.
 * Errors:  MPGUARD_ERROR_SHUT_DOWN for a second call; MPGUARD_ERROR_DEFERRED;
 *          MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
 * Source:  AWS Marketplace Metering, MeterUsage; AWS License Manager, CheckInLicense.
 * Since:   0.1
 */
int32_t mpguard_shutdown(const mpguard_t *guard,
                         int64_t deadline_ms,
                         mpguard_report_t **report_out,
                         mpguard_error_t **error_out);

/**
 * Frees a guard. NULL is fine.
 *
 * A guard that was not shut down, and of which no seat is left, is shut down now with a deadline of
 * five seconds. In a forked child that made no call of it yet, nothing is left to end.
 *
 * Thread:  any, also from inside a callback.
 * Owns:    takes `guard`.
 * Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no guard; nothing happens then.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_free(mpguard_t *guard);

/**
 * May the product run? One of `MPGUARD_VERDICT_*`.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  0, which is no verdict, when `license` is no live license.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_license_verdict(const mpguard_license_t *license);

/**
 * Why, as a word to compare, such as `entitled` or `not_entitled`.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the license.
 * Errors:  NULL when `license` is no live license.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_license_reason(const mpguard_license_t *license);

/**
 * What to tell a person: what failed, on which thing, and the next step.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the license.
 * Errors:  NULL when `license` is no live license.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_license_text(const mpguard_license_t *license);

/**
 * When the verdict took this value, in epoch milliseconds.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `license` is no live license.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_license_since_ms(const mpguard_license_t *license);

/**
 * Until when it holds if AWS says nothing more, in epoch milliseconds; -1 when there is no end.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `license` is no live license.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_license_until_ms(const mpguard_license_t *license);

/**
 * True when it comes from a sandbox and proves nothing.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  true when `license` is no live license.
 * Source:  mpguard.
 * Since:   0.1
 */
bool mpguard_license_sandbox(const mpguard_license_t *license);

/**
 * ARN of the contract's license; NULL when there is none.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the license.
 * Errors:  NULL when `license` is no live license.
 * Source:  AWS License Manager, CheckoutLicense.
 * Since:   0.1
 */
const char *mpguard_license_arn(const mpguard_license_t *license);

/**
 * Version of the contract's license; renewals and upgrades make a new one. NULL when there is none.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the license.
 * Errors:  NULL when `license` is no live license.
 * Source:  AWS License Manager, GetLicense.
 * Since:   0.1
 */
const char *mpguard_license_version(const mpguard_license_t *license);

/**
 * Number of entitlements of the contract.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  0 when `license` is no live license.
 * Source:  AWS License Manager, CheckoutLicense.
 * Since:   0.1
 */
size_t mpguard_license_entitlement_count(const mpguard_license_t *license);

/**
 * API name of entitlement `index`, counted from 0.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the license.
 * Errors:  NULL past the last one and when `license` is no live license.
 * Source:  AWS License Manager, CheckoutLicense.
 * Since:   0.1
 */
const char *mpguard_license_entitlement_name(const mpguard_license_t *license, size_t index);

/**
 * AWS's unit word of entitlement `index`: `None` for a tier, `Count` for seats.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the license.
 * Errors:  NULL past the last one and when `license` is no live license.
 * Source:  AWS License Manager, EntitlementUnit.
 * Since:   0.1
 */
const char *mpguard_license_entitlement_unit(const mpguard_license_t *license, size_t index);

/**
 * Value of entitlement `index` when the license gives one, else NULL.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the license.
 * Errors:  NULL past the last one and when `license` is no live license.
 * Source:  AWS License Manager, CheckoutLicense.
 * Since:   0.1
 */
const char *mpguard_license_entitlement_value(const mpguard_license_t *license, size_t index);

/**
 * Purchased amount of entitlement `index` when it is known, else -1.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 past the last one and when `license` is no live license.
 * Source:  AWS License Manager, GetLicense.
 * Since:   0.1
 */
int64_t mpguard_license_entitlement_max_count(const mpguard_license_t *license, size_t index);

/**
 * How much of entitlement `index` everybody together has taken, when AWS tells, else -1.
 *
 * AWS tells roles that have `license-manager:GetLicenseUsage`, at each look at the contract.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 past the last one and when `license` is no live license.
 * Source:  AWS License Manager, GetLicenseUsage.
 * Since:   0.1
 */
int64_t mpguard_license_entitlement_consumed(const mpguard_license_t *license, size_t index);

/**
 * True when the product may run and the contract has the entitlement `feature`.
 *
 * Thread:  any.
 * Owns:    nothing; the text is copied.
 * Errors:  false when `license` is no live license or `feature` no UTF-8 text.
 * Source:  AWS License Manager, CheckoutLicense.
 * Since:   0.1
 */
bool mpguard_license_has(const mpguard_license_t *license, const char *feature);

/**
 * The whole as a JSON object, in the form that every language shares.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the license.
 * Errors:  NULL when `license` is no live license.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_license_json(const mpguard_license_t *license);

/**
 * Frees a license. NULL is fine.
 *
 * Thread:  any, once no other thread reads its texts.
 * Owns:    takes `license`.
 * Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no license; nothing happens then.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_license_free(mpguard_license_t *license);

/**
 * Adds `quantity` raw counts to the running hour. For dimensions of kind `sum`.
 *
 * Takes no lock, makes no system call and allocates nothing. Once it has returned, the amount is
 * counted in memory that every process of the task shares; the record leaves later, once an hour. A
 * refusal counts nothing.
 *
 * Thread:  any, also from inside a callback and in a forked child; from a signal handler as long as it
 *          is not refused.
 * Owns:    nothing.
 * Errors:  MPGUARD_ERROR_QUANTITY_OUT_OF_RANGE for a negative quantity or more than an hour holds;
 *          MPGUARD_ERROR_WRONG_METER_KIND; MPGUARD_ERROR_SHUT_DOWN; MPGUARD_ERROR_INVALID_ARGUMENT;
 *          MPGUARD_ERROR_STALE_HANDLE.
 * Source:  AWS Marketplace Metering, MeterUsage.
 * Since:   0.1
 */
int32_t mpguard_meter_add(const mpguard_meter_t *meter,
                          int64_t quantity,
                          mpguard_error_t **error_out);

/**
 * Says that the level is `quantity` now. For dimensions of kind `max` and `last`.
 *
 * Thread:  as `mpguard_meter_add`.
 * Owns:    nothing.
 * Errors:  as `mpguard_meter_add`.
 * Source:  AWS Marketplace Metering, MeterUsage.
 * Since:   0.1
 */
int32_t mpguard_meter_set(const mpguard_meter_t *meter,
                          int64_t quantity,
                          mpguard_error_t **error_out);

/**
 * API name of the dimension.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the meter.
 * Errors:  NULL when `meter` is no live meter.
 * Source:  AWS Marketplace Metering, MeterUsage, member `UsageDimension`.
 * Since:   0.1
 */
const char *mpguard_meter_dimension(const mpguard_meter_t *meter);

/**
 * Frees a meter. What was added stays counted. NULL is fine.
 *
 * Thread:  any.
 * Owns:    takes `meter`.
 * Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no meter; nothing happens then.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_meter_free(mpguard_meter_t *meter);

/**
 * Number of the seat in its guard. Events about a seat carry it as `seat` in their details.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `seat` is no live seat.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_seat_number(const mpguard_seat_t *seat);

/**
 * API name of the entitlement.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the seat.
 * Errors:  NULL when `seat` is no live seat.
 * Source:  AWS License Manager, CheckoutLicense.
 * Since:   0.1
 */
const char *mpguard_seat_entitlement(const mpguard_seat_t *seat);

/**
 * How many seats.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `seat` is no live seat.
 * Source:  AWS License Manager, CheckoutLicense.
 * Since:   0.1
 */
int64_t mpguard_seat_count(const mpguard_seat_t *seat);

/**
 * True while AWS holds the seats for you; false once lost or checked in.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  false when `seat` is no live seat.
 * Source:  AWS License Manager, ExtendLicenseConsumption.
 * Since:   0.1
 */
bool mpguard_seat_held(const mpguard_seat_t *seat);

/**
 * When the seats would return by themselves if nothing extended them, in epoch milliseconds.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `seat` is no live seat.
 * Source:  AWS License Manager, CheckoutLicense, member `Expiration`.
 * Since:   0.1
 */
int64_t mpguard_seat_expires_ms(const mpguard_seat_t *seat);

/**
 * Returns the seats. A second call does nothing.
 *
 * With `seat_linger_ms` they first stay with this process for that time, so that its next check out needs no
 * call to AWS; with 0 this waits for AWS's answer.
 *
 * The handle stays yours; free it afterwards. In a forked child it does nothing for seats of the parent.
 *
 * Thread:  any; it waits, so not from an event loop.
 * Owns:    nothing.
 * Errors:  MPGUARD_ERROR_UNAVAILABLE when AWS did not answer: the seats return by themselves at
 *          `mpguard_seat_expires_ms`. MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
 * Source:  AWS License Manager, CheckInLicense.
 * Since:   0.1
 */
int32_t mpguard_seat_check_in(const mpguard_seat_t *seat,
                              mpguard_error_t **error_out);

/**
 * Frees a seat. Seats not checked in are returned without waiting. NULL is fine.
 *
 * Thread:  any.
 * Owns:    takes `seat`.
 * Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no seat; nothing happens then.
 * Source:  AWS License Manager, CheckInLicense.
 * Since:   0.1
 */
int32_t mpguard_seat_free(mpguard_seat_t *seat);

/**
 * What happened: one of `MPGUARD_EVENT_*`. Later versions may send numbers that are not here yet.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  0 when `event` is no live event.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_event_kind(const mpguard_event_t *event);

/**
 * What happened, as a word such as `license_upgraded`.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the event.
 * Errors:  NULL when `event` is no live event.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_event_kind_name(const mpguard_event_t *event);

/**
 * What it is about: `verdict`, `license`, `seat`, `drawdown`, `metering`, `outage`, `setup` or `storage`.
 *
 * A slow callback is given only the newest event of each topic.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the event.
 * Errors:  NULL when `event` is no live event.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_event_topic(const mpguard_event_t *event);

/**
 * What happened, on which thing, and the next step. For people: the wording may change.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the event.
 * Errors:  NULL when `event` is no live event.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_event_text(const mpguard_event_t *event);

/**
 * When it happened, by the guard's clock, in epoch milliseconds.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `event` is no live event.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_event_time_ms(const mpguard_event_t *event);

/**
 * Number of the event; it grows with each event of a guard.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `event` is no live event.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_event_sequence(const mpguard_event_t *event);

/**
 * True when it comes from a sandbox and proves nothing; its text then begins with `sandbox: `.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  true when `event` is no live event.
 * Source:  mpguard.
 * Since:   0.1
 */
bool mpguard_event_sandbox(const mpguard_event_t *event);

/**
 * The license after it: the whole new state.
 *
 * Thread:  any.
 * Owns:    the result is yours; end it with `mpguard_license_free`.
 * Errors:  NULL when `event` is no live event.
 * Source:  mpguard.
 * Since:   0.1
 */
mpguard_license_t *mpguard_event_license(const mpguard_event_t *event);

/**
 * The license before it.
 *
 * Thread:  any.
 * Owns:    the result is yours; end it with `mpguard_license_free`.
 * Errors:  NULL when `event` is no live event.
 * Source:  mpguard.
 * Since:   0.1
 */
mpguard_license_t *mpguard_event_old_license(const mpguard_event_t *event);

/**
 * More facts of this kind of event as a JSON object: `dimension`, `hour_ms`, `units`, `seat` and others.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the event.
 * Errors:  NULL when `event` is no live event.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_event_details_json(const mpguard_event_t *event);

/**
 * The whole event as a JSON object, in the form that every language shares.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the event.
 * Errors:  NULL when `event` is no live event.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_event_json(const mpguard_event_t *event);

/**
 * Makes a copy of an event that lives until you free it.
 *
 * Thread:  any.
 * Owns:    `*event_out` is yours; end it with `mpguard_event_free`.
 * Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_event_clone(const mpguard_event_t *event,
                            mpguard_event_t **event_out,
                            mpguard_error_t **error_out);

/**
 * Says from inside a callback that it failed, for example that it caught an exception.
 *
 * It is counted in `mpguard_stats_listener_failures` when the callback returns; nothing else happens.
 *
 * Thread:  any; of use only until the callback returns.
 * Owns:    nothing.
 * Errors:  MPGUARD_ERROR_INVALID_ARGUMENT, MPGUARD_ERROR_STALE_HANDLE.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_event_callback_failed(const mpguard_event_t *event);

/**
 * Frees an event that is yours. NULL is fine.
 *
 * The event that a callback is given is not yours.
 *
 * Thread:  any, once no other thread reads its texts.
 * Owns:    takes `event`.
 * Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no event; nothing happens then.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_event_free(mpguard_event_t *event);

/**
 * Raw counts that AWS recorded during the operation.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `report` is no live report.
 * Source:  AWS Marketplace Metering, MeterUsage.
 * Since:   0.1
 */
int64_t mpguard_report_recorded(const mpguard_report_t *report);

/**
 * Raw counts not recorded yet; after a flush only those of ended hours.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `report` is no live report.
 * Source:  AWS Marketplace Metering, MeterUsage.
 * Since:   0.1
 */
int64_t mpguard_report_pending(const mpguard_report_t *report);

/**
 * Raw counts whose fate is unknown; 0 after a flush.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `report` is no live report.
 * Source:  AWS Marketplace Metering, MeterUsage.
 * Since:   0.1
 */
int64_t mpguard_report_disputed(const mpguard_report_t *report);

/**
 * Seats that were checked in; 0 after a flush.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `report` is no live report.
 * Source:  AWS License Manager, CheckInLicense.
 * Since:   0.1
 */
int64_t mpguard_report_seats_returned(const mpguard_report_t *report);

/**
 * True when some pending usage lives in a place that ends with this process.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  true when `report` is no live report.
 * Source:  mpguard.
 * Since:   0.1
 */
bool mpguard_report_may_be_lost(const mpguard_report_t *report);

/**
 * The whole as a JSON object, in the form that every language shares.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the report.
 * Errors:  NULL when `report` is no live report.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_report_json(const mpguard_report_t *report);

/**
 * Where every raw count is after a shutdown; empty after a flush.
 *
 * Thread:  any.
 * Owns:    the result is yours; end it with `mpguard_account_free`.
 * Errors:  NULL when `report` is no live report.
 * Source:  mpguard.
 * Since:   0.1
 */
mpguard_account_t *mpguard_report_account(const mpguard_report_t *report);

/**
 * Frees a report. NULL is fine.
 *
 * Thread:  any, once no other thread reads its texts.
 * Owns:    takes `report`.
 * Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no report; nothing happens then.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_report_free(mpguard_report_t *report);

/**
 * Number of entries: the configured dimensions.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  0 when `account` is no live account.
 * Source:  mpguard.
 * Since:   0.1
 */
size_t mpguard_account_count(const mpguard_account_t *account);

/**
 * API name of the dimension of entry `index`, counted from 0.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the account.
 * Errors:  NULL past the last one and when `account` is no live account.
 * Source:  AWS Marketplace Metering, MeterUsage.
 * Since:   0.1
 */
const char *mpguard_account_dimension(const mpguard_account_t *account, size_t index);

/**
 * Everything that was added with success: raw counts of entry `index`.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 past the last one and when `account` is no live account.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_account_added(const mpguard_account_t *account, size_t index);

/**
 * In the running hour: raw counts of entry `index`.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 past the last one and when `account` is no live account.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_account_open(const mpguard_account_t *account, size_t index);

/**
 * Of an ended hour, frozen or carried, not yet answered for: raw counts of entry `index`.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 past the last one and when `account` is no live account.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_account_pending(const mpguard_account_t *account, size_t index);

/**
 * Recorded by AWS: raw counts of entry `index`.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 past the last one and when `account` is no live account.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_account_delivered(const mpguard_account_t *account, size_t index);

/**
 * Fate unknown when the window closed: neither resent nor forgotten: raw counts of entry `index`.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 past the last one and when `account` is no live account.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_account_disputed(const mpguard_account_t *account, size_t index);

/**
 * Refused by AWS until somebody repairs the set-up: raw counts of entry `index`.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 past the last one and when `account` is no live account.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_account_held(const mpguard_account_t *account, size_t index);

/**
 * Levels whose hour can no longer be reported: raw counts of entry `index`.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 past the last one and when `account` is no live account.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_account_missed(const mpguard_account_t *account, size_t index);

/**
 * The whole as a JSON array, in the form that every language shares.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the account.
 * Errors:  NULL when `account` is no live account.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_account_json(const mpguard_account_t *account);

/**
 * Frees an account. NULL is fine.
 *
 * Thread:  any, once no other thread reads its texts.
 * Owns:    takes `account`.
 * Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no account; nothing happens then.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_account_free(mpguard_account_t *account);

/**
 * Calls to AWS.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `stats` is no live stats object.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_stats_calls(const mpguard_stats_t *stats);

/**
 * Calls to AWS that gave no answer to decide on.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `stats` is no live stats object.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_stats_calls_failed(const mpguard_stats_t *stats);

/**
 * Events announced.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `stats` is no live stats object.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_stats_events(const mpguard_stats_t *stats);

/**
 * Events replaced by a newer one of their topic before a callback took them.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `stats` is no live stats object.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_stats_events_replaced(const mpguard_stats_t *stats);

/**
 * Callbacks that failed; see `mpguard_event_callback_failed`.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `stats` is no live stats object.
 * Source:  mpguard.
 * Since:   0.1
 */
int64_t mpguard_stats_listener_failures(const mpguard_stats_t *stats);

/**
 * Where usage is kept: `durable`, `container` or `memory`.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the stats.
 * Errors:  NULL when `stats` is no live stats object.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_stats_storage(const mpguard_stats_t *stats);

/**
 * True when they come from a sandbox and say nothing of AWS.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  true when `stats` is no live stats object.
 * Source:  mpguard.
 * Since:   0.1
 */
bool mpguard_stats_sandbox(const mpguard_stats_t *stats);

/**
 * The whole as a JSON object, in the form that every language shares.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the stats.
 * Errors:  NULL when `stats` is no live stats object.
 * Source:  mpguard.
 * Since:   0.1
 */
const char *mpguard_stats_json(const mpguard_stats_t *stats);

/**
 * Frees a stats object. NULL is fine.
 *
 * Thread:  any, once no other thread reads its texts.
 * Owns:    takes `stats`.
 * Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no stats object; nothing happens then.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_stats_free(mpguard_stats_t *stats);

/**
 * Looks at everything that a guard made from `config` would need, and says how to mend what is not well.
 *
 * Changes nothing: no registration, no usage, no seat, no unit. It needs no guard, and disturbs none.
 * With `config` NULL only the surroundings are looked at. What is wrong with the configuration as a
 * whole is a finding, not an error.
 *
 * Thread:  any; it waits, for a minute at most, so not from an event loop. In a callback it holds up
 *          later events.
 * Owns:    `*report_out` is yours; end it with `mpguard_doctor_report_free`. `config` stays yours and may
 *          be freed or used again.
 * Errors:  MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
 * Source:  docs/DOCTOR.md.
 * Since:   0.1
 */
int32_t mpguard_doctor(const mpguard_config_t *config,
                       mpguard_doctor_report_t **report_out,
                       mpguard_error_t **error_out);

/**
 * For the shell: 0 when all is well, 1 when something should be looked at, 2 when something does not work.
 *
 * Thread:  any.
 * Owns:    nothing.
 * Errors:  -1 when `report` is no live report of the doctor.
 * Source:  docs/DOCTOR.md.
 * Since:   0.1
 */
int32_t mpguard_doctor_report_exit_code(const mpguard_doctor_report_t *report);

/**
 * Every finding in lines of at most 96 letters, for a person; it ends with a newline.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the report.
 * Errors:  NULL when `report` is no live report of the doctor.
 * Source:  docs/DOCTOR.md.
 * Since:   0.1
 */
const char *mpguard_doctor_report_text(const mpguard_doctor_report_t *report);

/**
 * The whole as a JSON object, in the form that every language shares.
 *
 * Its member `findings` has an object for each matter: `id`, `status` (`passed`, `warning`, `failed` or
 * `skipped`), `what`, `why`, `fix` and `docs`.
 *
 * Thread:  any.
 * Owns:    nothing; the text lives as long as the report.
 * Errors:  NULL when `report` is no live report of the doctor.
 * Source:  docs/DOCTOR.md.
 * Since:   0.1
 */
const char *mpguard_doctor_report_json(const mpguard_doctor_report_t *report);

/**
 * Frees a report of the doctor. NULL is fine.
 *
 * Thread:  any, once no other thread reads its texts.
 * Owns:    takes `report`.
 * Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no report of the doctor; nothing
 *          happens then.
 * Source:  mpguard.
 * Since:   0.1
 */
int32_t mpguard_doctor_report_free(mpguard_doctor_report_t *report);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MPGUARD_H */
