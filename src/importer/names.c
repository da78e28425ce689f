/* src/importer/names.c: open addressing, at most half full. */
#include "importer/names.h"
#include <string.h>

static struct name *slot_of(struct name *slots, size_t room, const char *text)
{
    size_t at = hash_bytes(text, strlen(text), 1) & (room - 1);
    while (slots[at].text != NULL && strcmp(slots[at].text, text) != 0)
        at = (at + 1) & (room - 1);
    return &slots[at];
}

static void grow(struct names *names)
{
    size_t room = names->room == 0 ? 1024 : names->room * 2;
    struct name *slots = ARENA_ARRAY(names->arena, struct name, room);
    for (size_t i = 0; i < names->room; i++)
        if (names->slots[i].text != NULL)
            *slot_of(slots, room, names->slots[i].text) = names->slots[i];
    names->slots = slots;
    names->room = room;
}

uint32_t *names_of(struct names *names, const char *text, uint32_t fresh)
{
    if (names->count * 2 >= names->room)
        grow(names);
    struct name *slot = slot_of(names->slots, names->room, text);
    if (slot->text == NULL) {
        *slot = (struct name){ arena_text(names->arena, text), fresh };
        names->count++;
    }
    return &slot->value;
}

uint32_t *names_find(const struct names *names, const char *text)
{
    struct name *slot = names->room == 0 ? NULL : slot_of(names->slots, names->room, text);
    return slot == NULL || slot->text == NULL ? NULL : &slot->value;
}
