/* tests/fuzz/cursor_fuzz.c: any text as what a client hands back to go on: the cursor of a list, an id that stands for one,
 * Last-Event-ID of the live stream. What is taken is exactly what we would have written for it, and what is refused leaves
 * the caller's places as they were. And any numbers that we may write are taken again. */
#include "base/id.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition) ((condition) ? (void)0 : abort())
#define UNTOUCHED (-77)
#define DIGITS18 INT64_C(1000000000000000000)

/* As the lists ask: a word and how many numbers follow it. */
static const struct {
    const char *word;
    size_t places;
} cursors[] = { { "pos", 3 }, { "atp", 3 }, { "fence", 2 }, { "x", 1 }, { "", CURSOR_PLACES_MAX } };
static const char *const words[] = { "ord", "ful", "mov", "exc", "job", "rsv", "change", "sku", "channel", "" };

static void as_cursor(const char *text)
{
    for (size_t i = 0; i < COUNT(cursors); i++) {
        int64_t places[CURSOR_PLACES_MAX + 1] = { UNTOUCHED, UNTOUCHED, UNTOUCHED, UNTOUCHED, UNTOUCHED };
        char again[CURSOR_BYTES_MAX];
        bool taken = cursor_parse(text, cursors[i].word, places, cursors[i].places);
        for (size_t k = 0; k < COUNT(places); k++)
            MUST(taken && k < cursors[i].places ? places[k] >= 0 && places[k] < DIGITS18 : places[k] == UNTOUCHED);
        if (!taken)
            continue;
        cursor_format(cursors[i].word, places, cursors[i].places, again);
        MUST(strcmp(again, text) == 0);
    }
}

static void as_id(const char *text, size_t bytes)
{
    for (size_t i = 0; i < COUNT(words); i++) {
        int64_t unit = UNTOUCHED, counter = UNTOUCHED;
        char again[32];
        if (!id_parse(text, bytes, words[i], &unit, &counter)) {
            MUST(unit == UNTOUCHED && counter == UNTOUCHED);
            continue;
        }
        MUST(unit >= 0 && unit <= ID_UNIT_MAX && counter >= 0 && counter <= ID_COUNTER_MAX);
        id_format(words[i], unit, counter, again);
        MUST(strlen(again) == bytes && memcmp(again, text, bytes) == 0);
    }
}

static void as_event_id(struct arena *arena, const char *text)
{
    const char *unit = NULL;
    int64_t seq = UNTOUCHED;
    if (event_id_parse(arena, text, &unit, &seq))
        MUST(seq >= 0 && seq < DIGITS18 && strcmp(arena_printf(arena, "%s:%ld", unit, (long)seq), text) == 0);
    else
        MUST(unit == NULL && seq == UNTOUCHED);
}

/* The bytes as numbers, within what can stand in a cursor: what we write, we take. */
static void written(struct arena *arena, const uint8_t *data, size_t size)
{
    int64_t numbers[CURSOR_PLACES_MAX] = { 0 }, read[CURSOR_PLACES_MAX], unit, counter;
    char text[CURSOR_BYTES_MAX], id[32];
    const char *code;
    memcpy(numbers, data, size < sizeof numbers ? size : sizeof numbers);
    id_format("ord", numbers[0] & ID_UNIT_MAX, numbers[1] & ID_COUNTER_MAX, id);
    MUST(id_parse(id, strlen(id), "ord", &unit, &counter) && unit == (numbers[0] & ID_UNIT_MAX) && counter == (numbers[1] & ID_COUNTER_MAX));
    for (size_t i = 0; i < COUNT(numbers); i++)
        numbers[i] = (numbers[i] & INT64_MAX) % DIGITS18;
    for (size_t i = 0; i < COUNT(cursors); i++) {
        cursor_format(cursors[i].word, numbers, cursors[i].places, text);
        MUST(cursor_parse(text, cursors[i].word, read, cursors[i].places) && memcmp(read, numbers, cursors[i].places * sizeof *read) == 0);
    }
    MUST(event_id_parse(arena, arena_printf(arena, "a:b:%ld", (long)numbers[0]), &code, read) && read[0] == numbers[0] && strcmp(code, "a:b") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1u << 20);
    char *text = malloc(size + 1), *exact = malloc(size > 0 ? size : 1); /* the second has no NUL: a step too far is seen */
    memcpy(text, data, size);
    memcpy(exact, data, size);
    text[size] = '\0';
    as_cursor(text);
    as_id(exact, size);
    as_event_id(arena, text);
    written(arena, data, size);
    free(exact);
    free(text);
    arena_free(arena);
    return 0;
}
