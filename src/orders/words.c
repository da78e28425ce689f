/* src/orders/words.c: each word is a list of orders in the order of their ids, or several where it stands for all that begin so. */
#include "orders/words.h"
#include "base/text.h"
#include "orders_sql.h"
#include <assert.h>
#include <string.h>

#define READS_MAX 3000 /* of the store, for one page */

/* ---- what is asked for ---- */

/* Of ASCII what text_tokens does not part words at. Where it parts such a piece itself, the last new word has the * behind it. */
static bool is_part(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c & 0x80) != 0;
}

static bool word_add(struct words *words, const char *text, bool begins)
{
    for (size_t i = 0; i < words->count; i++)
        if (words->each[i].begins == begins && strcmp(words->each[i].text, text) == 0)
            return true;
    if (words->count == WORDS_MAX)
        return false;
    words->each[words->count++] = (struct word){ text, begins };
    return true;
}

bool words_of(struct arena *arena, const char *q, struct words *words)
{
    *words = (struct words){ .reads_left = READS_MAX };
    for (const char *at = q; *at != '\0';) {
        size_t bytes = 0;
        while (is_part(at[bytes]))
            bytes++;
        const char *tokens[WORDS_MAX + 1];
        size_t count = bytes == 0 ? 0 : text_tokens(arena, arena_text_n(arena, at, bytes), tokens, COUNT(tokens));
        for (size_t i = 0; i < count; i++)
            if (!word_add(words, tokens[i], i + 1 == count && at[bytes] == '*'))
                return false;
        at += bytes == 0 ? 1 : bytes;
    }
    return true;
}

/* ---- the orders that have one ---- */

#define POSTINGS_PIECE 100
#define SEEKS_MAX 2000 /* for each word; most are answered from what was read before */

/* The orders that have a word, a piece at a time. */
struct postings {
    const char *word;
    struct orders_page_by_token_result *rows;
    size_t count, at;
    bool is_last; /* no piece is behind this one */
};
struct forms {
    struct postings *each;
    size_t count;
};
struct search {
    struct reading *reading;
    int64_t unit;
    struct forms forms[WORDS_MAX];
    size_t *left; /* reads of the store */
};

/* The first order from `from` on that has this form; 0: there is none. */
static enum db_result seek_form(struct search *s, struct postings *p, int64_t from, int64_t *found)
{
    enum db_result result = DB_OK;
    while (p->at < p->count && p->rows[p->at].ord < from)
        p->at++;
    if (p->at == p->count && !p->is_last) {
        result = orders_page_by_token(s->reading->projection, s->reading->arena, s->unit, p->word, from - 1, POSTINGS_PIECE, &p->rows, &p->count);
        *s->left -= *s->left > 0;
        p->at = 0;
        p->is_last = result == DB_OK && p->count < POSTINGS_PIECE;
    }
    *found = result == DB_OK && p->at < p->count ? p->rows[p->at].ord : 0;
    return result;
}

/* The same of all forms of a word. */
static enum db_result seek(struct search *s, const struct forms *forms, int64_t from, int64_t *found)
{
    enum db_result result = DB_OK;
    *found = 0;
    for (size_t i = 0; i < forms->count && result == DB_OK && *found != from; i++) {
        int64_t one;
        result = seek_form(s, &forms->each[i], from, &one);
        if (one != 0 && (*found == 0 || one < *found))
            *found = one;
    }
    return result;
}

/* All words of the unit that begin as this one, from leap to leap over the orders that have them. */
static enum db_result forms_find(struct search *s, const struct word *word, struct forms *forms)
{
    struct arena *arena = s->reading->arena;
    forms->each = ARENA_ARRAY(arena, struct postings, word->begins ? FORMS_MAX + 1 : 1);
    enum db_result result = DB_OK;
    struct token_from_result next;
    bool found = true;
    if (!word->begins)
        forms->each[forms->count++].word = word->text;
    for (const char *from = word->text; word->begins && found && forms->count <= FORMS_MAX; from = arena_printf(arena, "%s\001", next.token)) {
        result = token_from(s->reading->projection, arena, s->unit, from, &next, &found);
        *s->left -= *s->left > 0;
        found = result == DB_OK && found && strncmp(next.token, word->text, strlen(word->text)) == 0;
        if (!found)
            break;
        forms->each[forms->count++].word = next.token;
    }
    return result;
}

/* Each word in turn leaps to the first order that all before it allow: the rarest word sets the pace. */
static enum db_result leap(struct search *s, size_t words, int64_t from, int64_t most, struct candidates *out)
{
    enum db_result result = DB_OK;
    size_t agree = 0, turn = 0, seeks = 0;
    while (result == DB_OK && !out->ended && !out->tired && (int64_t)out->count <= most) {
        int64_t found;
        result = seek(s, &s->forms[turn], from, &found);
        out->ended = found == 0;
        out->tired = ++seeks > SEEKS_MAX * words || *s->left == 0;
        agree = found == from ? agree + 1 : 1;
        from = max_i64(from, found);
        turn = (turn + 1) % words;
        if (found != 0 && agree == words) {
            out->ids[out->count++] = from++;
            agree = 0;
        }
    }
    out->upto = from - 1;
    return result;
}

enum db_result orders_with_words(struct reading *reading, struct words *words, int64_t unit, int64_t after, int64_t most, struct candidates *out)
{
    struct search search = { .reading = reading, .unit = unit, .left = &words->reads_left };
    enum db_result result = DB_OK;
    assert(words->count > 0);
    for (size_t i = 0; i < words->count && result == DB_OK && out->too_common == NULL; i++) {
        result = forms_find(&search, &words->each[i], &search.forms[i]);
        out->too_common = search.forms[i].count > FORMS_MAX ? words->each[i].text : NULL;
    }
    out->ended = out->too_common != NULL;
    return result == DB_OK && !out->ended ? leap(&search, words->count, after + 1, most, out) : result;
}
