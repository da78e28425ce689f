/* src/orders/order_key.c: orders that follow each other in a shop are neighbours in the table that finds them by the shop's id. */
#include "orders/order_key.h"
#include "base/fields.h" /* NULL_INT */
#include <assert.h>
#include <string.h>

#define HASH_OF_CHANNEL_ORDER 5
#define DIGITS 12
#define DIGITS_BITS 40
static_assert(INT64_C(1000000000000) <= INT64_C(1) << DIGITS_BITS, "twelve digits fit");

int64_t order_key_of(const struct vault *vault, struct arena *arena, const char *channel, const char *channel_order_id)
{
    size_t size = strlen(channel_order_id), digits = 0;
    while (digits < size && digits < DIGITS && channel_order_id[size - digits - 1] >= '0' && channel_order_id[size - digits - 1] <= '9')
        digits++;
    int64_t number = 0;
    for (size_t i = size - digits; i < size; i++)
        number = number * 10 + (channel_order_id[i] - '0');
    const char *before = arena_printf(arena, "%s\n%.*s", channel, (int)(size - digits), channel_order_id);
    int64_t hash = vault_hash(vault, HASH_OF_CHANNEL_ORDER, before, strlen(before));
    if (digits > 0)
        hash = (int64_t)(((uint64_t)hash & ~((UINT64_C(1) << DIGITS_BITS) - 1)) | (uint64_t)number);
    return hash == NULL_INT ? hash + 1 : hash;
}
