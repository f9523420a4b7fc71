/* A raw Node-API function that does nothing: what a call into native code costs without a guard.
 *
 * The other one reads its argument and adds it to a word on a mapped page: nothing that counts can cost less.
 * The prototypes are written out because a Node without its headers is common. Source: js_native_api.h. */

#define _GNU_SOURCE
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);

extern int napi_create_function(napi_env env, const char *name, size_t length, napi_callback callback, void *data,
                                napi_value *result);
extern int napi_get_cb_info(napi_env env, napi_callback_info info, size_t *length, napi_value *arguments,
                            napi_value *receiver, void **data);
extern int napi_get_value_double(napi_env env, napi_value value, double *result);
extern int napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value);

static napi_value nothing(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  return NULL;
}

static napi_value bare(napi_env env, napi_callback_info info) {
  size_t length = 1;
  napi_value argument;
  void *word;
  double n;
  if (napi_get_cb_info(env, info, &length, &argument, NULL, &word) != 0) return NULL;
  if (napi_get_value_double(env, argument, &n) != 0) return NULL;
  atomic_fetch_add_explicit((_Atomic uint64_t *)word, (uint64_t)n, memory_order_relaxed);
  return NULL;
}

napi_value napi_register_module_v1(napi_env env, napi_value exports);

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function;
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return NULL;
  if (napi_create_function(env, "add", 3, nothing, NULL, &function) != 0) return NULL;
  if (napi_set_named_property(env, exports, "add", function) != 0) return NULL;
  if (napi_create_function(env, "bare", 4, bare, page, &function) != 0) return NULL;
  if (napi_set_named_property(env, exports, "bare", function) != 0) return NULL;
  return exports;
}
