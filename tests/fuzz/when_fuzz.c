/* tests/fuzz/when_fuzz.c: any text as a time. What is taken lies within the calendar, and its text is taken as the same. */
#include "base/when.h"
#include <stdlib.h>
#include <string.h>

#define MUST(condition) ((condition) ? (void)0 : abort())

static void comes_back(int64_t at_us)
{
    char out[32];
    int64_t again = 0;
    when_format(at_us, out);
    MUST(strlen(out) < 32 && when_parse(out, strlen(out), &again) && again == at_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    int64_t at_us = 0;
    memcpy(text, data, size);
    if (when_parse(text, size, &at_us)) {
        MUST(at_us >= WHEN_MIN && at_us <= WHEN_MAX);
        comes_back(at_us);
    }
    if (size >= 8) {
        memcpy(&at_us, data, 8);
        if (at_us >= WHEN_MIN && at_us <= WHEN_MAX)
            comes_back(at_us);
    }
    free(text);
    return 0;
}
