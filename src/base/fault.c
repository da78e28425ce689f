/* src/base/fault.c: the rows of FAULT_CODES, and the list that a request's faults are collected in. */
#include "base/fault.h"
#include <assert.h>

static const struct fault_info infos[FAULT_CODE_COUNT] = { [FAULT_NONE] = { "none", 200, false, "", "" },
#define FAULT_INFO(name, code, http, again, title, way_out) [FAULT_##name] = { code, http, again, title, way_out },
                                                           FAULT_CODES(FAULT_INFO)
#undef FAULT_INFO
};

const struct fault_info *fault_info(enum fault_code code)
{
    assert((size_t)code < FAULT_CODE_COUNT);
    return &infos[code];
}

void fault_add(struct faults *faults, enum fault_code code, const char *pointer, const char *detail_format, ...)
{
    assert(code != FAULT_NONE);
    if (faults->count >= FAULTS_MAX)
        return;
    faults->items = arena_room(faults->arena, faults->items, faults->count, &faults->room, 4, sizeof *faults->items);
    va_list args;
    va_start(args, detail_format);
    faults->items[faults->count++] =
        (struct fault){ .code = code, .pointer = arena_text(faults->arena, pointer), .detail = arena_vprintf(faults->arena, detail_format, args) };
    va_end(args);
}
