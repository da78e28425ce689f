/* tests/crash/proxy.h: stands between millrace and PostgreSQL on a unix socket, reads what is sent, and cuts the connection where it is
 * told to, or keeps it and passes nothing on. One thread a connection. */
#ifndef MILLRACE_TESTS_CRASH_PROXY_H
#define MILLRACE_TESTS_CRASH_PROXY_H

#include <pthread.h>
#include <stdatomic.h>

enum proxy_cut {
    PROXY_BEFORE,  /* a COMMIT never reaches the store */
    PROXY_AFTER,   /* it is carried out, and its answer never comes */
    PROXY_LATE,    /* it is cut off at once, and the COMMIT arrives PROXY_LATE_MS later, as from a network's queue */
    PROXY_MESSAGE, /* whatever is sent, some messages from now */
};
#define PROXY_LATE_MS 700

/* What still passes: of a connection from which something was kept nothing passes any more. */
enum proxy_mute {
    PROXY_SPEAKS, /* all */
    PROXY_GREETS, /* of a new connection the start-up, as from a server that then hangs */
    PROXY_SILENT, /* nothing: connections are accepted, as by a machine that has stopped in the midst of its work */
};

struct proxy {
    char folder[64], target[200]; /* the sockets' folders: ours, PostgreSQL's */
    int listener;
    pthread_t thread;
    atomic_int cut;       /* enum proxy_cut */
    atomic_int countdown; /* of COMMITs, or messages; 0: nothing is cut */
    atomic_size_t cuts;   /* carried out */
    atomic_int mute;      /* enum proxy_mute */
};
/* Between a socket in a new folder and the one that `url` names (host=FOLDER). */
void proxy_start(struct proxy *proxy, const char *url);
void proxy_stop(struct proxy *proxy); /* takes no connections any more; those there are go on until they end */
void proxy_url(const struct proxy *proxy, const char *url, char *out, size_t room); /* `url` by way of the proxy */
void proxy_cut_at(struct proxy *proxy, enum proxy_cut how, int n);                  /* at the n-th from now on, once */
void proxy_mute(struct proxy *proxy, enum proxy_mute how);

#endif
