/* src/engine/directory.c: units of channels and nodes, and units themselves, by code. */
#include "engine/directory.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

static struct entry *entry_of(const struct directory *directory, const char *code, enum directory_kind kind)
{
    size_t at = hash_bytes(code, strlen(code), kind) & (directory->size - 1);
    while (directory->entries[at].code != NULL && (directory->entries[at].kind != kind || strcmp(directory->entries[at].code, code) != 0))
        at = (at + 1) & (directory->size - 1);
    return &directory->entries[at];
}

bool directory_find(const struct directory *directory, const char *code, enum directory_kind kind, int64_t *unit)
{
    const struct entry *entry = directory->size == 0 ? NULL : entry_of(directory, code, kind);
    if (entry == NULL || entry->code == NULL)
        return false;
    *unit = entry->unit;
    return true;
}

static bool grow(struct directory *directory)
{
    struct directory larger = { .size = directory->size == 0 ? 256 : directory->size * 2, .count = directory->count };
    larger.entries = calloc(larger.size, sizeof *larger.entries);
    if (larger.entries == NULL)
        return false;
    for (size_t i = 0; i < directory->size; i++)
        if (directory->entries[i].code != NULL)
            *entry_of(&larger, directory->entries[i].code, directory->entries[i].kind) = directory->entries[i];
    free(directory->entries);
    *directory = larger;
    return true;
}

void directory_add(struct directory *directory, const char *code, enum directory_kind kind, int64_t unit)
{
    if (directory->count * 2 >= directory->size && !grow(directory))
        return;
    struct entry *entry = entry_of(directory, code, kind);
    if (entry->code != NULL) /* another asked meanwhile */
        return;
    char *copy = strdup(code);
    if (copy == NULL)
        return;
    *entry = (struct entry){ copy, kind, unit };
    directory->count++;
}

void directory_free(struct directory *directory)
{
    for (size_t i = 0; i < directory->size; i++)
        free(directory->entries[i].code);
    free(directory->entries);
}
