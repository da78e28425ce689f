/* tests/faulty/faults.h: what a test says to the calls of a server that runs: a page of a file that both have mapped. The
 * module faults.c, preloaded into the server, looks at it in malloc, write, fsync, read, send, recv and their kin. */
#ifndef MILLRACE_TESTS_FAULTY_FAULTS_H
#define MILLRACE_TESTS_FAULTY_FAULTS_H

#include <limits.h>
#include <stdatomic.h>

#define FAULTS_PAGE "MILLRACE_FAULTS_PAGE" /* the variable that names the file */

enum faulty {
    FAULTY_NOTHING,
    FAULTY_MEMORY,  /* malloc, calloc, realloc: no memory */
    FAULTY_ROOM,    /* writing and growing a file: the disk is full */
    FAULTY_DISK,    /* writing and syncing a file: an I/O error */
    FAULTY_READ,    /* reading a file: an I/O error */
    FAULTY_SEND,    /* into a socket, to a client or to PostgreSQL: the connection is reset */
    FAULTY_RECEIVE, /* from a socket */
    FAULTY_KINDS
};

/* Calls of the kind are counted from 1 on; those from `first` to `last` fail. */
struct faults_page {
    atomic_int kind;
    atomic_long count, first, last;
};

#endif
