/* tools/sqlgen/main.c: the build tool's door. See README.md for the three calls. */
#include "sqlgen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)1 << 30)

_Noreturn void refuse(const char *file, int line, const char *format, ...)
{
    va_list args;
    if (line > 0)
        fprintf(stderr, "%s:%d: ", file, line);
    else
        fprintf(stderr, "%s: ", file);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

char *file_text(struct arena *arena, const char *file)
{
    FILE *in = fopen(file, "rb");
    if (in == NULL)
        refuse(file, 0, "cannot be read: %m");
    struct buffer text = { .arena = arena };
    char piece[4096];
    for (size_t got; (got = fread(piece, 1, sizeof(piece), in)) > 0;)
        buffer_add(&text, piece, got);
    fclose(in);
    return text.at != NULL ? text.at : arena_text(arena, "");
}

bool is_name(const char *text)
{
    static const char *const reserved[] = {
        /* C */
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float", "for", "goto", "if",
        "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union",
        "unsigned", "void", "volatile", "while", "bool", "true", "false", "unix", "linux",
        /* SQL, PostgreSQL and SQLite together */
        "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "binary", "both", "cast", "check", "collate",
        "collation", "column", "concurrently", "constraint", "create", "cross", "current_date", "current_time", "current_user", "deferrable", "desc",
        "distinct", "end", "except", "fetch", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike", "in", "index", "initially",
        "inner", "intersect", "into", "is", "isnull", "join", "lateral", "leading", "left", "like", "limit", "localtime", "natural", "not", "notnull",
        "null", "offset", "on", "only", "or", "order", "outer", "overlaps", "placing", "primary", "references", "returning", "right", "select",
        "session_user", "similar", "some", "symmetric", "table", "tablesample", "then", "to", "trailing", "transaction", "union", "unique", "user",
        "using", "values", "variadic", "verbose", "when", "where", "window", "with"
    };
    size_t bytes = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (bytes == 0 || text[bytes] != '\0' || (text[0] >= '0' && text[0] <= '9') || bytes > 60)
        return false;
    for (size_t i = 0; i < COUNT(reserved); i++)
        if (strcmp(text, reserved[i]) == 0)
            return false;
    return true;
}

static const char *file_stem(struct arena *arena, const char *file)
{
    const char *name = strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file;
    return arena_text_n(arena, name, strcspn(name, "."));
}

/* The words of the command line behind its verb. */
struct call {
    const char *header, *source, *url;
    const char **files;
    size_t file_count;
};

static struct call read_call(struct model *model, int argc, char **argv)
{
    struct call call = { .files = ARENA_ARRAY(model->arena, const char *, (size_t)argc) };
    enum { MAIN, READ, FILES } list = FILES;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--header") == 0 && i + 1 < argc)
            call.header = argv[++i];
        else if (strcmp(argv[i], "--source") == 0 && i + 1 < argc)
            call.source = argv[++i];
        else if (strncmp(argv[i], "postgres", 8) == 0)
            call.url = argv[i];
        else if (strcmp(argv[i], "--main") == 0)
            list = MAIN;
        else if (strcmp(argv[i], "--read") == 0)
            list = READ;
        else if (strcmp(argv[i], "--files") == 0)
            list = FILES;
        else if (list == FILES)
            call.files[call.file_count++] = argv[i];
        else
            model_add_migration(model, list == MAIN ? 0 : 1, argv[i]);
    }
    return call;
}

int main(int argc, char **argv)
{
    static const char usage[] = "sqlgen schema --header FILE --source FILE --main MIGRATIONS --read MIGRATIONS\n"
                                "sqlgen statements --header FILE --source FILE --main MIGRATIONS --read MIGRATIONS --files FILE.sql\n"
                                "sqlgen --check postgres://URL --main MIGRATIONS --read MIGRATIONS --files FILES.sql\n";
    struct model model = { .arena = arena_new(ARENA_BYTES) };
    for (size_t i = 0; i < COUNT(model.stores); i++)
        if (model.arena == NULL || sqlite3_open(":memory:", &model.stores[i].handle) != SQLITE_OK)
            refuse("sqlgen", 0, "no memory");
    int code = 0;
    struct call call = { 0 };
    if (argc > 2)
        call = read_call(&model, argc, argv);
    model_finish(&model);
    if (argc > 2 && strcmp(argv[1], "schema") == 0 && call.header != NULL && call.source != NULL) {
        emit_schema(&model, call.header, call.source);
    } else if (argc > 2 && strcmp(argv[1], "statements") == 0 && call.header != NULL && call.source != NULL && call.file_count == 1) {
        struct statements statements = statements_of(&model, call.files[0]);
        emit_statements(&model, &statements, file_stem(model.arena, call.files[0]), call.header, call.source);
    } else if (argc > 2 && strcmp(argv[1], "--check") == 0 && call.url != NULL) {
        code = check_postgres(&model, call.url, call.files, call.file_count);
    } else {
        fputs(usage, stderr);
        code = 2;
    }
    for (size_t i = 0; i < COUNT(model.stores); i++)
        sqlite3_close(model.stores[i].handle);
    arena_free(model.arena);
    return code;
}
