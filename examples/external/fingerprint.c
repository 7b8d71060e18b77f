#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <zlib.h>

static PyObject *crc(PyObject *self, PyObject *args) {
  Py_buffer data;
  if (!PyArg_ParseTuple(args, "y*", &data)) return NULL;
  unsigned long sum = crc32(0, data.buf, data.len);
  PyBuffer_Release(&data);
  return PyLong_FromUnsignedLong(sum);
}

static PyMethodDef methods[] = {{"crc", crc, METH_VARARGS, "The CRC-32 of bytes."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "fingerprint", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_fingerprint(void) { return PyModule_Create(&module); }
