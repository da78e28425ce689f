/* src/insight/stream.c: the same events, live. A client's cursor is (unit, seq); it goes on from Last-Event-ID, else from
 * `after`. No event: line is sent, so that a browser's onmessage sees every event; its type stands in the data. */
#include "base/id.h"
#include "insight/insight.h"
#include "insight_sql.h"
#include <string.h>

enum { QUERY_UNIT, QUERY_AFTER, QUERY_LIMIT, QUERY_TYPE }; /* as in events.c */

#define PIECE 100

/* Where the stream stands. The unit's code is found each time: a cursor holds numbers only. */
static bool source_open(struct event_source *source, struct event_stream *stream, enum db_result *result)
{
    const struct request *request = stream->request;
    const char *asked = request->query_text[QUERY_UNIT], *unit = asked, *wrong = NULL;
    int64_t seq = request->query_number[QUERY_AFTER];
    if (stream->last_event_id != NULL && !event_id_parse(source->arena, stream->last_event_id, &unit, &seq))
        return false;
    if (asked != NULL && !text_equal(asked, unit))
        return false; /* a place in another unit's events than those asked for */
    if (!event_source_find(source, unit, result, &wrong))
        return false;
    if (stream->seq < 0) {
        struct event_head_result head;
        bool found;
        *result = event_head(source->db, source->arena, source->unit, &head, &found);
        if (*result != DB_OK || seq > head.event_seq)
            return false; /* a number that was never given: it is of another database, and would hide what comes */
        stream->unit = source->unit;
        stream->seq = seq;
    }
    source->type = request->query_text[QUERY_TYPE] == NULL ? 0 : request->query_number[QUERY_TYPE] + 1;
    return true;
}

bool events_fill(struct reading *reading, struct event_stream *stream, struct buffer *out, size_t bytes_max, bool *more, enum db_result *result)
{
    struct event_source source = { .db = reading->db, .arena = reading->arena };
    *more = true;
    *result = DB_OK;
    if (!source_open(&source, stream, result))
        return false;
    const int64_t looked_from = stream->seq;
    while (*more && out->size < bytes_max && stream->seq - looked_from < EVENTS_LOOKED_AT_MAX) {
        struct event_page page;
        struct event_names *names;
        *result = event_page_read(&source, stream->seq, PIECE, &page);
        if (*result == DB_OK)
            *result = event_names_load(&source, &page, &names);
        if (*result != DB_OK)
            return false;
        for (size_t i = 0; i < page.count; i++) {
            struct json_writer json;
            if (out->size >= bytes_max)
                return true; /* *more stands; the cursor is behind the last one sent */
            json_begin(&json, reading->arena);
            event_write(&source, names, &page.events[i], &json);
            buffer_printf(out, "id: %s:%ld\ndata: ", source.unit_code, (long)page.events[i].seq);
            buffer_add(out, json.out.at, json.out.size);
            buffer_text(out, "\n\n");
            stream->seq = page.events[i].seq;
        }
        stream->seq = page.looked;
        *more = page.more;
    }
    return true;
}
