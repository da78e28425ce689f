/* src/engine/forget.c: a command, so that it takes its turn in the unit and the working set knows what is gone. */
#include "engine/forget.h"
#include "engine/idempotency.h"
#include "engine/ws.h"

#define AT_ONCE 1000

int64_t batch_first_time(int64_t now_us)
{
    return now_us - DAY_US;
}

int64_t idempotency_first_day(int64_t now_us)
{
    return now_us / DAY_US - IDEMPOTENCY_DAYS + 1;
}

static void forget_decide(struct ws *ws, struct command *command)
{
    const struct db_value prefix[] = { db_int(ws_unit(ws)) };
    const int64_t first_day = idempotency_first_day(ws_now_us(ws)), first_time = batch_first_time(ws_now_us(ws));
    const struct idempotency_row *key;
    const struct batch_row *batch;
    struct ws_cursor keys = ws_scan(ws, &idempotency_by_day, prefix, AT_ONCE), batches = ws_scan(ws, &batch_in_order, prefix, AT_ONCE);
    command->existing = true;
    for (int n = 0; n < AT_ONCE && (key = ws_next(ws, &keys)) != NULL && key->day < first_day; n++) {
        ws_delete(ws, key);
        command->existing = false;
    }
    for (int n = 0; n < AT_ONCE && (batch = ws_next(ws, &batches)) != NULL && batch->at < first_time; n++) {
        ws_delete(ws, batch);
        command->existing = false;
    }
    command->answer.status = 200;
}

#define FORGET(NAME, COMPANY)                                   \
    const struct command_type NAME = { .name = "engine.forget", \
                                       .queue = QUEUE_BULK,     \
                                       .company = COMPANY,      \
                                       .passes_barrier = true,  \
                                       .decide = forget_decide, \
                                       .inverse = "none: nobody asks for it any more" }
FORGET(engine_forget, false);
FORGET(company_forget, true);
