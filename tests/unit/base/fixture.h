/* tests/unit/base/fixture.h: an arena for each case, and the shared vectors. */
#ifndef MILLRACE_TESTS_BASE_FIXTURE_H
#define MILLRACE_TESTS_BASE_FIXTURE_H

#include "base/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* cmocka's setup and teardown: the state is a struct arena *. */
int make_arena(void **state);
int drop_arena(void **state);
#define CASE(test) cmocka_unit_test_setup_teardown(test, make_arena, drop_arena)

/* The bytes of vectors/`name`, ending in a NUL that is not counted; NULL where the shared folder is absent. */
char *vector_bytes(struct arena *arena, const char *name, size_t *bytes);
/* The path of vectors/`name`. */
const char *vector_path(struct arena *arena, const char *name);
/* Says on standard error that `name` is not there, and skips the case. */
void skip_for_want_of(const char *name);
/* Fails unless the vector's reader gives this token. */
void expect(struct json_reader *json, enum json_token token);
/* True when the reader's last token is this text. */
bool is_text(const struct json_reader *json, const char *text);

#endif
