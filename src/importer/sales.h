/* src/importer/sales.h: files of invoice lines, read whole: products, invoices in time order, and for each cancelled line
 * the sale it undoes. All of it is a function of the files alone, so that a second run asks for the same things. Amounts are minor
 * units of one currency, times microseconds UTC. */
#ifndef MILLRACE_IMPORTER_SALES_H
#define MILLRACE_IMPORTER_SALES_H

#include "importer/remarks.h"

#define NOBODY UINT32_MAX /* no product, invoice or line */
#define WEEKS_MEANT 4     /* whose mean sales a delivery brings */

struct product {
    const char *code;                /* in capitals */
    const char *name;                /* what most of its sales call it; its code where it was never sold */
    struct place_in_file place;      /* where it is first named */
    int64_t first_week, first_units; /* the week of its first sale, and what that week sold */

    /* As the days go by; see supply.c. */
    int64_t net;                     /* came in, less sold and written off: below 0 where sales wait */
    int64_t sure;                    /* the same, cancelled sales not given back: no less can be on hand */
    int64_t week_units[WEEKS_MEANT]; /* sold in this week and those before */
};

/* Part of a cancelled line that is matched to a sale. */
struct undo {
    uint32_t sold; /* the line that it undoes */
    int64_t units;
    struct undo *next;
};

struct sale_line {
    struct place_in_file place;
    uint32_t product;               /* NOBODY: a charge, not goods */
    uint32_t invoice, next, before; /* next: of the invoice; before: sold earlier to the same customer, of the same product */
    uint32_t number;                /* in the order, from 1; 0: not part of it */
    bool sold;
    int64_t quantity, price;
    int64_t left;                       /* not yet cancelled by the file */
    int64_t asked, cancelled, returned; /* units that were wanted back, and what became of them */
    struct undo *undoes;                /* of a cancelled line */
    const char *note;                   /* its description */
};

enum invoice_kind { INVOICE_ORDER, INVOICE_CANCELLATION, INVOICE_STOCK /* write-offs and finds */, INVOICE_NOTHING };

struct invoice {
    const char *number, *customer; /* customer "" where the file names none */
    const char *country;           /* ISO 3166-1 alpha-2 */
    enum invoice_kind kind;
    int64_t at_us; /* of its first line */
    uint32_t first, last;
    uint32_t line_count; /* that are part of the order */
    int64_t charges;     /* carriage and the like */
    const char *id;      /* the server's, once it is there */
};

struct sales {
    struct product *products;
    struct invoice *invoices;
    struct sale_line *lines;
    uint32_t product_count, invoice_count, line_count;
    uint32_t *in_time; /* invoices by time, as in the file where that is the same */
    size_t rows;       /* read, good and bad, without headers */
};

/* Reads the files, one behind the other; each may be gzipped. False with *error when one cannot be read, or lacks a
 * column that is needed; bad rows are remarked. What is read lives in the arena. */
bool sales_read(struct sales *sales, const char *const *files, size_t file_count, const char *currency, struct arena *arena, struct remarks *remarks,
                const char **error);

/* Says of each cancelled line which sales it undoes; what cannot be matched is remarked. See cancellations.c. */
void cancellations_match(struct sales *sales, struct arena *arena, struct remarks *remarks);

/* Monday's number of a time: weeks since 1970-01-05. And days since 1970-01-01. */
int64_t week_of(int64_t at_us);
int64_t day_of(int64_t at_us);

#endif
