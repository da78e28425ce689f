/* src/bulk/csv_writer.c: semicolons and tabs separate cells in other locales, so that they are quoted too. */
#include "bulk/bulk.h"
#include <string.h>

void csv_write(FILE *out, const char *const *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *cell = cells[i] == NULL ? "" : cells[i];
        const bool quoted = strpbrk(cell, ",;\"\t\r\n") != NULL || cell[0] == ' ';
        fputs(i == 0 ? "" : ",", out);
        fputs(quoted ? "\"" : "", out);
        for (; *cell != '\0'; cell++) {
            if (*cell == '"')
                fputc('"', out);
            fputc(*cell, out);
        }
        fputs(quoted ? "\"" : "", out);
    }
    if (count == 1 && (cells[0] == NULL || cells[0][0] == '\0'))
        fputs("\"\"", out); /* a row, not an empty line */
    fputc('\n', out);
}
