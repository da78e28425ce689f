/* tools/sqlgen/lex.c: SQL cut into words. */
#include "sqlgen.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The end of a string or quoted name that begins at `at`; a doubled quote stands for itself. */
static const char *end_of_string(const char *file, int line, const char *at)
{
    char quote = *at++;
    for (; *at != '\0'; at++) {
        if (*at != quote)
            continue;
        if (at[1] != quote)
            return at + 1;
        at++;
    }
    refuse(file, line, "a string does not end: close it with %c", quote);
}

static const char *end_of_symbol(const char *at)
{
    static const char *const pairs[] = { "<>", "<=", ">=", "!=", "||", "==" };
    for (size_t i = 0; i < COUNT(pairs); i++)
        if (strncmp(at, pairs[i], 2) == 0)
            return at + 2;
    return at + 1;
}

static const char *end_of_token(const char *file, int line, const char *at, enum token_kind *kind)
{
    const char *end = at + 1;
    if (isalpha((unsigned char)*at) || *at == '_') {
        *kind = TOKEN_WORD;
    } else if (isdigit((unsigned char)*at)) {
        *kind = TOKEN_NUMBER;
    } else if (*at == '$') {
        *kind = TOKEN_PARAMETER;
    } else if (*at == '\'' || *at == '"') {
        *kind = TOKEN_STRING;
        return end_of_string(file, line, at);
    } else {
        *kind = TOKEN_SYMBOL;
        return end_of_symbol(at);
    }
    while (is_word_byte(*end))
        end++;
    return end;
}

static struct token comment(struct arena *arena, const char *at, const char *end, int line)
{
    at += 2;
    while (at < end && isspace((unsigned char)*at))
        at++;
    while (end > at && isspace((unsigned char)end[-1]))
        end--;
    return (struct token){ .kind = TOKEN_COMMENT, .text = arena_text_n(arena, at, (size_t)(end - at)), .line = line };
}

struct tokens lex(struct arena *arena, const char *file, const char *text)
{
    struct tokens tokens = { .items = ARENA_ARRAY(arena, struct token, strlen(text) + 1) };
    int line = 1;
    bool space = false;
    for (const char *at = text; *at != '\0';) {
        if (isspace((unsigned char)*at)) {
            line += *at++ == '\n';
            space = true;
            continue;
        }
        if (strncmp(at, "--", 2) == 0) {
            const char *end = at + strcspn(at, "\n");
            tokens.items[tokens.count++] = comment(arena, at, end, line);
            at = end;
            continue;
        }
        struct token token = { .space = space, .line = line };
        const char *end = end_of_token(file, line, at, &token.kind);
        token.text = arena_text_n(arena, at, (size_t)(end - at));
        tokens.items[tokens.count++] = token;
        for (; at < end; at++)
            line += *at == '\n';
        space = false;
    }
    tokens.items[tokens.count] = (struct token){ .kind = TOKEN_END, .text = "", .line = line };
    return tokens;
}

bool token_is(const struct token *token, const char *word)
{
    return token->kind != TOKEN_COMMENT && token->kind != TOKEN_STRING && strcasecmp(token->text, word) == 0;
}
