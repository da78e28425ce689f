/* src/importer/remarks.c: see remarks.h. */
#include "importer/remarks.h"
#include <stdarg.h>

#define SAID_MAX 3 /* of one kind, where no file takes them all */

static const struct {
    const char *key;
    bool taken;
    const char *says;
} kinds[] = {
#define X(NAME, KEY, TAKEN, SAYS) { KEY, TAKEN, SAYS },
    REMARKS(X)
#undef X
};

void remark(struct remarks *remarks, enum remark kind, struct place_in_file place, const char *format, ...)
{
    FILE *out = remarks->rows == NULL ? stderr : remarks->rows;
    remarks->counts[kind]++;
    if (remarks->rows == NULL && (kinds[kind].taken || remarks->said[kind] == SAID_MAX))
        return;
    remarks->said[kind]++;
    va_list args;
    va_start(args, format);
    fprintf(out, "%s:%zu: %s: ", place.file, place.line, kinds[kind].key);
    vfprintf(out, format, args);
    fputc('\n', out);
    va_end(args);
}

size_t remarks_left_out(const struct remarks *remarks)
{
    size_t count = 0;
    for (size_t i = 0; i < REMARK_COUNT; i++)
        count += kinds[i].taken ? 0 : remarks->counts[i];
    return count;
}

bool remark_is_taken(enum remark kind)
{
    return kinds[kind].taken;
}

const char *remark_key(enum remark kind)
{
    return kinds[kind].key;
}

const char *remark_says(enum remark kind)
{
    return kinds[kind].says;
}
