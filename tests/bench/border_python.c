/* A Python type whose method does nothing: what a call of a native method costs without a guard.
 *
 * Its other method reads its argument and adds it to a word on a mapped page: nothing that counts can cost less.
 * Built like mpguard's own module: the stable ABI of Python 3.10, a heap type, a method of one argument. */

#define Py_LIMITED_API 0x030A0000
#include <Python.h>

#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

static _Atomic uint64_t *word;

static PyObject *add(PyObject *self, PyObject *quantity) {
  (void)self;
  (void)quantity;
  Py_RETURN_NONE;
}

static PyObject *bare(PyObject *self, PyObject *quantity) {
  unsigned long long n = PyLong_AsUnsignedLongLong(quantity);
  (void)self;
  if (n == (unsigned long long)-1 && PyErr_Occurred() != NULL) return NULL;
  atomic_fetch_add_explicit(word, n, memory_order_relaxed);
  Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"add", add, METH_O, NULL}, {"bare", bare, METH_O, NULL}, {NULL, NULL, 0, NULL}};

static PyType_Slot slots[] = {{Py_tp_methods, methods}, {0, NULL}};

static PyType_Spec spec = {"border.Nothing", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, slots};

static int fill(PyObject *module) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    PyErr_NoMemory();
    return -1;
  }
  word = (_Atomic uint64_t *)page;
  return PyModule_AddObject(module, "Nothing", PyType_FromSpec(&spec));
}

static PyModuleDef_Slot steps[] = {{Py_mod_exec, (void *)fill}, {0, NULL}};

static PyModuleDef border = {PyModuleDef_HEAD_INIT, "border", NULL, 0, NULL, steps, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_border(void) { return PyModuleDef_Init(&border); }
