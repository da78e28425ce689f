/* tests/crash/proxy.c: see proxy.h. Of PostgreSQL's protocol it knows that a message is a letter, four bytes of length and so many
 * bytes less four; that the very first has no letter; and that "P" carries a statement's name and text. */
#include "crash/proxy.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#define PORT "5432"
#define ANSWER_MS 5000 /* at most, until a COMMIT is answered */

struct link {
    struct proxy *proxy;
    int client, store;
    char *in; /* from the client, not yet sent on */
    size_t bytes, room;
    bool begun;   /* the first message has passed */
    bool deaf;    /* something was kept: what follows would make no sense */
    bool commits; /* a COMMIT that is to be cut lies in `in`; its sync is awaited */
};

static struct sockaddr_un address_of(const char *folder)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/.s.PGSQL." PORT, folder); /* a longer one does not connect */
    return address;
}

static bool send_on(int fd, const char *at, size_t bytes)
{
    while (bytes > 0) {
        ssize_t sent = send(fd, at, bytes, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        bytes -= (size_t)sent;
    }
    return true;
}

/* Bytes of the message at `at`, 0: it is not whole. */
static size_t message_bytes(const struct link *link, size_t at)
{
    size_t head = link->begun ? 1 : 0;
    uint32_t length;
    if (link->bytes - at < head + 4)
        return 0;
    memcpy(&length, link->in + at + head, sizeof length);
    size_t bytes = head + ntohl(length);
    return link->bytes - at < bytes ? 0 : bytes;
}

static bool is_commit(const char *message, size_t bytes)
{
    const char *text = message + 5 + strnlen(message + 5, bytes - 5) + 1;
    return message[0] == 'P' && strncmp(text, "COMMIT", sizeof "COMMIT") == 0;
}

/* True when this one is due. */
static bool counts_down(struct proxy *proxy)
{
    int left = atomic_load(&proxy->countdown);
    while (left > 0 && !atomic_compare_exchange_weak(&proxy->countdown, &left, left - 1))
        continue;
    return left == 1;
}

/* Until the store has answered what it was sent: ReadyForQuery stands at the end. */
static void hear_out(int store)
{
    char answer[65536];
    struct pollfd waits = { .fd = store, .events = POLLIN };
    while (poll(&waits, 1, ANSWER_MS) == 1) {
        ssize_t got = recv(store, answer, sizeof answer, 0);
        if (got <= 0 || (got >= 6 && answer[got - 6] == 'Z'))
            return;
    }
}

/* The COMMIT and its sync lie in `in`, whole. */
static void cut(struct link *link, enum proxy_cut how)
{
    if (how == PROXY_LATE) {
        shutdown(link->client, SHUT_RDWR);
        usleep(PROXY_LATE_MS * 1000);
    }
    if (how == PROXY_AFTER || how == PROXY_LATE) {
        send_on(link->store, link->in, link->bytes);
        hear_out(link->store);
    }
    atomic_fetch_add(&link->proxy->cuts, 1);
}

/* Sends whole messages on. False: the connection ends here. */
static bool pass(struct link *link)
{
    enum proxy_cut how = (enum proxy_cut)atomic_load(&link->proxy->cut);
    size_t at = 0, bytes;
    while ((bytes = message_bytes(link, at)) > 0) {
        const char *message = link->in + at;
        if (link->begun && how == PROXY_MESSAGE && counts_down(link->proxy)) {
            send_on(link->store, link->in, at);
            atomic_fetch_add(&link->proxy->cuts, 1);
            return false;
        }
        if (link->begun && how != PROXY_MESSAGE && !link->commits && is_commit(message, bytes) && counts_down(link->proxy)) {
            if (!send_on(link->store, link->in, at))
                return false;
            memmove(link->in, message, link->bytes - at);
            link->bytes -= at;
            at = 0;
            link->commits = true;
        }
        if (link->commits && link->in[at] == 'S') {
            cut(link, how);
            return false;
        }
        link->begun = true;
        at += bytes;
    }
    if (link->commits)
        return true;
    bool sent = send_on(link->store, link->in, at);
    memmove(link->in, link->in + at, link->bytes - at);
    link->bytes -= at;
    return sent;
}

static bool from_client(struct link *link)
{
    if (link->room - link->bytes < 65536) {
        link->room = link->room * 2 + 65536;
        link->in = realloc(link->in, link->room);
        if (link->in == NULL)
            return false;
    }
    ssize_t got = recv(link->client, link->in + link->bytes, link->room - link->bytes, 0);
    if (got <= 0)
        return false;
    enum proxy_mute mute = (enum proxy_mute)atomic_load(&link->proxy->mute);
    link->deaf = link->deaf || mute == PROXY_SILENT || (mute == PROXY_GREETS && link->begun);
    if (link->deaf)
        return true;
    link->bytes += (size_t)got;
    return pass(link);
}

static bool from_store(const struct link *link)
{
    char answer[65536];
    ssize_t got = recv(link->store, answer, sizeof answer, 0);
    return got > 0 && send_on(link->client, answer, (size_t)got);
}

static void *serve(void *context)
{
    struct link *link = context;
    struct pollfd waits[] = { { .fd = link->client, .events = POLLIN }, { .fd = link->store, .events = POLLIN } };
    bool goes_on = true;
    while (goes_on && poll(waits, 2, -1) > 0) {
        if (waits[1].revents != 0)
            goes_on = from_store(link);
        if (goes_on && waits[0].revents != 0)
            goes_on = from_client(link);
    }
    close(link->client);
    close(link->store);
    free(link->in);
    free(link);
    return NULL;
}

static void link_up(struct proxy *proxy, int client)
{
    struct sockaddr_un address = address_of(proxy->target);
    struct link *link = calloc(1, sizeof *link);
    pthread_t thread;
    int store = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link != NULL)
        *link = (struct link){ .proxy = proxy, .client = client, .store = store };
    if (link != NULL && connect(store, (const struct sockaddr *)(const void *)&address, sizeof address) == 0 &&
        pthread_create(&thread, NULL, serve, link) == 0) {
        pthread_detach(thread);
        return;
    }
    close(client);
    close(store);
    free(link);
}

static void *listen_main(void *context)
{
    struct proxy *proxy = context;
    int client;
    while ((client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        link_up(proxy, client);
    return NULL;
}

void proxy_start(struct proxy *proxy, const char *url)
{
    struct sockaddr_un address;
    const char *host = strstr(url, "host=");
    assert_non_null(host);
    *proxy = (struct proxy){ .folder = "/tmp/millrace-proxy.XXXXXX" };
    assert_non_null(mkdtemp(proxy->folder));
    snprintf(proxy->target, sizeof proxy->target, "%.*s", (int)strcspn(host + 5, "&"), host + 5);
    proxy->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address = address_of(proxy->folder);
    assert_int_equal(bind(proxy->listener, (const struct sockaddr *)(const void *)&address, sizeof address), 0);
    assert_int_equal(listen(proxy->listener, 64), 0);
    assert_int_equal(pthread_create(&proxy->thread, NULL, listen_main, proxy), 0);
}

void proxy_stop(struct proxy *proxy)
{
    char line[100];
    if (proxy->folder[0] == '\0')
        return;
    shutdown(proxy->listener, SHUT_RDWR);
    pthread_join(proxy->thread, NULL);
    close(proxy->listener);
    snprintf(line, sizeof line, "rm -rf '%s'", proxy->folder);
    assert_int_equal(system(line), 0);
    proxy->folder[0] = '\0';
}

void proxy_url(const struct proxy *proxy, const char *url, char *out, size_t room)
{
    const char *host = strstr(url, "host=") + 5;
    snprintf(out, room, "%.*s%s%s", (int)(host - url), url, proxy->folder, host + strcspn(host, "&"));
}

void proxy_cut_at(struct proxy *proxy, enum proxy_cut how, int n)
{
    atomic_store(&proxy->cut, (int)how);
    atomic_store(&proxy->countdown, n);
}

void proxy_mute(struct proxy *proxy, enum proxy_mute how)
{
    atomic_store(&proxy->mute, (int)how);
}
