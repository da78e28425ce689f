/* tests/docs/docs_test.c: pages of docs/ that are made from the tables that run. The test is that they say what the tables
 * say; `docs_test DIR --write` writes them. */
#include "engine/event.h"
#include "finance/finance.h"
#include "fulfilment/fulfilment.h"
#include "inventory/count_sheets.h"
#include "inventory/supply.h"
#include "inventory/transfers.h"
#include "orders/oversell.h"
#include "orders/payments.h"
#include "orders/timeline.h"
#include "returns/returns.h"
#include "base/fault.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void print_machines(FILE *out)
{
    fputs("# How orders and their parts move\n\n"
          "Made from the tables that run (`tests/docs`); do not edit.\n\n"
          "## The stage of an order\n\nThe first line that holds gives it. Nothing sets a stage: it follows from the facts.\n\n",
          out);
    order_stages_print(out);
    fputs("\n## The payment word of an order\n\nThe first line that holds gives it, of the sums of all facts by kind.\n\n", out);
    payment_words_print(out);
    fputs(
        "\n## Why a marketplace sold what is not there\n\nThe `detail` of an exception of type `oversell`: the first that holds, of the order's first line that is short.\n\n",
        out);
    oversell_causes_print(out);
    fputs(
        "\n## A fulfilment order\n\nWhat is not listed is refused: 409 `state_conflict`. release, reduce, cancel and ask are the order's doing, and\n"
        "what a fact takes; the others are reported by the node, or for it. miss is a pick that leaves nothing to send, agree_whole a yes that leaves nothing. What has been sent to a\n"
        "node that others run is asked for (ask) where others' work is cancelled: the node agrees, or goes on; while it is asked it reports as before,\n"
        "and *as before* is the state in which it would be, had nobody asked. assume is the scheduler's: nobody said in time that it was delivered. settle and\n"
        "write_off decide what becomes of units that were lost or damaged, and leave something or nothing of it. What does not leave with a shipment\n"
        "becomes a fulfilment order of its own, packed where packages were left for it, else picking.\n\n",
        out);
    fulfilment_machine_print(out);
    fputs("\n## A transfer\n\nWhat is not listed is refused: 409 `state_conflict`.\n\n", out);
    transfer_machine_print(out);
    fputs(
        "\n## A return\n\nIts state follows from its lines: *inspected* once nothing waits and nothing more is expected. What is not listed is refused: 409 "
        "`state_conflict`.\n\n",
        out);
    return_machine_print(out);
    fputs(
        "\n## A supply\n\n*open* while units are to come, *short* once the last delivery came and units are missing, *closed* where what had not come was "
        "given up, else *complete*. What is not listed is refused: 409 `state_conflict`.\n\n",
        out);
    supply_machine_print(out);
    fputs("\n## A count sheet and its lines\n\nWhat is not listed is refused: 409 `state_conflict`.\n\n", out);
    count_machines_print(out);
}

static void print_errors(FILE *out)
{
    fputs(
        "# Errors\n\n"
        "Made from `src/base/fault.h` (`tests/docs`); do not edit. `code` never changes. *Again* says whether the same request may succeed later.\n\n"
        "| code | HTTP | again | what it says | what to do |\n| --- | --- | --- | --- | --- |\n",
        out);
    for (int code = FAULT_NONE + 1; code < FAULT_CODE_COUNT; code++) {
        const struct fault_info *info = fault_info((enum fault_code)code);
        fprintf(out, "| `%s` | %d | %s | %s | %s |\n", info->code, info->http, info->again ? "yes" : "no", info->title, info->way_out);
    }
}

static void print_events(FILE *out)
{
    fputs(
        "# Events\n\n"
        "Made from `src/engine/event.h` and `src/orders/timeline.c` (`tests/docs`); do not edit. Events of a unit are numbered 1, 2, 3, ... in the order of their commits.\n\n"
        "| type | in a timeline, for example |\n| --- | --- |\n",
        out);
    for (int type = EVENT_NONE + 1; type < EVENT_TYPE_COUNT; type++) {
        const char *sample = timeline_sample((enum event_type)type);
        fprintf(out, "| `%s` | %s |\n", event_name((enum event_type)type), sample != NULL ? sample : event_said((enum event_type)type));
    }
    fputs("\n| what an event is about | its id |\n| --- | --- |\n", out);
    for (int kind = SUBJECT_NONE + 1; kind < SUBJECT_KIND_COUNT; kind++) {
        const char *prefix = subject_prefix((enum subject_kind)kind);
        fprintf(out, "| `%s` | %s%s |\n", subject_name((enum subject_kind)kind), prefix == NULL ? "its code" : prefix, prefix == NULL ? "" : "_...");
    }
}

static void print_ledger(FILE *out)
{
    fputs(
        "# The shadow ledger\n\n"
        "Made from `src/finance/rules.c` (`tests/docs`); do not edit. What happens is booked twice, in debit and credit, on the day that the unit's time zone\n"
        "has then, in the currency in which it happened. `GET /v1/ledger/trial` has the sums, `/postings` what was booked and why, `/stock` what goods are worth.\n\n",
        out);
    ledger_print(out);
}

static const struct {
    const char *file;
    void (*print)(FILE *out);
} pages[] = { { "machines.md", print_machines }, { "errors.md", print_errors }, { "events.md", print_events }, { "ledger.md", print_ledger } };

static const char *docs; /* the folder */

static void write_pages(void)
{
    char path[1024];
    for (size_t i = 0; i < COUNT(pages); i++) {
        snprintf(path, sizeof path, "%s/%s", docs, pages[i].file);
        FILE *out = fopen(path, "w");
        if (out == NULL) {
            perror(path);
            exit(2);
        }
        pages[i].print(out);
        fclose(out);
    }
}

static void the_pages_say_what_the_tables_say(void **state)
{
    for (size_t i = 0; i < COUNT(pages); i++) {
        char path[1024], *made = NULL, *there = NULL;
        size_t made_bytes = 0, room = 0;
        snprintf(path, sizeof path, "%s/%s", docs, pages[i].file);
        FILE *memory = open_memstream(&made, &made_bytes), *file = fopen(path, "r");
        pages[i].print(memory);
        fclose(memory);
        ssize_t bytes = file == NULL ? -1 : getdelim(&there, &room, '\0', file);
        if (bytes != (ssize_t)made_bytes || memcmp(made, there, made_bytes) != 0)
            fail_msg("docs/%s is not what the tables say: docs_test DIR --write", pages[i].file);
        if (file != NULL)
            fclose(file);
        free(there);
        free(made);
    }
}

/* Each pair of state and event is listed once at most, and what ends an order's part is left by nothing. */
static void the_machine_is_a_function(void **state)
{
    for (size_t i = 0; i < fulfilment_machine_count; i++) {
        const struct transition *t = &fulfilment_machine[i];
        assert_ptr_equal(fulfilment_transition(t->from, t->event), t);
        assert_false(t->from != FULFILMENT_DELIVERED && fulfilment_has_ended(t->from)); /* a delivered parcel may turn out to be lost */
        assert_true((t->guard == NULL) == (t->guard_name == NULL) && (t->effect == NULL) == (t->effect_name == NULL));
    }
}

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pages_say_what_the_tables_say),
        cmocka_unit_test(the_machine_is_a_function),
    };
    if (count < 2) {
        fputs("usage: docs_test DIR [--write]\n", stderr);
        return 2;
    }
    docs = words[1];
    if (count > 2 && strcmp(words[2], "--write") == 0) {
        write_pages();
        return 0;
    }
    return cmocka_run_group_tests_name("docs", tests, NULL, NULL);
}
