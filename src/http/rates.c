/* src/http/rates.c: see rates.h. Keys that have a rate are few: a table that doubles. */
#include "http/rates.h"
#include "base/text.h"
#include <stdlib.h>

#define SECOND_US INT64_C(1000000)
#define PLACES_FIRST 64

struct rates {
    struct place {
        int64_t key, due_us; /* key 0: free */
    } * places;
    size_t size, count;
};

struct rates *rates_new(void)
{
    return calloc(1, sizeof(struct rates));
}

void rates_free(struct rates *rates)
{
    if (rates != NULL)
        free(rates->places);
    free(rates);
}

static struct place *find(struct place *places, size_t size, int64_t key)
{
    size_t at = hash_u64((uint64_t)key) & (size - 1);
    while (places[at].key != 0 && places[at].key != key)
        at = (at + 1) & (size - 1);
    return &places[at];
}

static struct place *place_of(struct rates *rates, int64_t key)
{
    struct place *place = rates->size == 0 ? NULL : find(rates->places, rates->size, key);
    if (place != NULL && place->key == key)
        return place;
    if (rates->count * 2 >= rates->size) {
        const size_t size = rates->size == 0 ? PLACES_FIRST : rates->size * 2;
        struct place *larger = calloc(size, sizeof *larger);
        if (larger == NULL)
            return NULL;
        for (size_t i = 0; i < rates->size; i++)
            if (rates->places[i].key != 0)
                *find(larger, size, rates->places[i].key) = rates->places[i];
        free(rates->places);
        rates->places = larger;
        rates->size = size;
    }
    rates->count++;
    place = find(rates->places, rates->size, key);
    *place = (struct place){ key, INT64_MIN };
    return place;
}

int rates_take(struct rates *rates, int64_t key, int64_t rate, int64_t burst, int64_t now_us)
{
    struct place *place = place_of(rates, key);
    const int64_t interval_us = SECOND_US / rate;
    if (place == NULL)
        return 0;
    const int64_t due_us = place->due_us > now_us ? place->due_us : now_us, early_us = due_us - now_us - burst * interval_us;
    if (early_us > 0)
        return (int)((early_us + SECOND_US - 1) / SECOND_US);
    place->due_us = due_us + interval_us;
    return 0;
}
