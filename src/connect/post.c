/* src/connect/post.c: see post.h. */
#include "connect/post.h"
#include "base/when.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MS 5000
#define ANSWER_MS 15000
#define ANSWER_BYTES ((size_t)64 << 10)
#define CONNECTIONS 64
#define CONNECTION_S 300L /* a name is resolved anew at least that often */

struct post {
    struct postbox *postbox;
    CURL *easy;
    struct curl_slist *headers;
    void *owner;
    int64_t seq, began_us;
    size_t body_bytes, header_bytes; /* of the answer, so far */
    bool is_refused;                 /* an address that is not public came */
    char address[INET6_ADDRSTRLEN];
    struct post *next;
};

struct postbox {
    struct postbox_options options;
    CURLM *multi;
    struct curl_slist *resolve;
    struct post *posts;
    size_t flying;
};

/* ---- what libcurl asks ---- */

static bool may_connect(const struct postbox *postbox, const struct curl_sockaddr *to, char text[INET6_ADDRSTRLEN])
{
    const bool any = postbox->options.rules.private_addresses;
    if (to->family == AF_INET && to->addrlen >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, &to->addr, sizeof in);
        (void)inet_ntop(AF_INET, &in.sin_addr, text, INET6_ADDRSTRLEN);
        return any || ipv4_is_public((const uint8_t *)&in.sin_addr);
    }
    if (to->family == AF_INET6 && to->addrlen >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in;
        memcpy(&in, &to->addr, sizeof in);
        (void)inet_ntop(AF_INET6, &in.sin6_addr, text, INET6_ADDRSTRLEN);
        return any || ipv6_is_public((const uint8_t *)&in.sin6_addr);
    }
    return false; /* neither: a socket of this machine */
}

/* Of a name with a public and a private address none is taken, once the private one was seen. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct post *post = context;
    if (purpose != CURLSOCKTYPE_IPCXN || post->is_refused || !may_connect(post->postbox, to, post->address)) {
        post->is_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Anything but all of it ends the request. */
static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct post *post = context;
    post->body_bytes += size * count;
    return post->body_bytes > post->postbox->options.answer_bytes ? 0 : size * count;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct post *post = context;
    post->header_bytes += size * count;
    return post->header_bytes > post->postbox->options.answer_bytes ? 0 : size * count;
}

/* ---- a request ---- */

static void post_free(struct post *post)
{
    curl_slist_free_all(post->headers);
    curl_easy_cleanup(post->easy);
    free(post);
}

/* Ends it: it is in no list any more. */
static void post_end(struct postbox *postbox, struct post *post)
{
    for (struct post **at = &postbox->posts; *at != NULL; at = &(*at)->next)
        if (*at == post) {
            *at = post->next;
            break;
        }
    postbox->flying--;
    (void)curl_multi_remove_handle(postbox->multi, post->easy);
    post_free(post);
}

static bool add_header(struct post *post, const char *name, const char *value)
{
    char line[2048]; /* ten signatures are 480 bytes */
    const int size = snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer = size < 0 || (size_t)size >= sizeof line ? NULL : curl_slist_append(post->headers, line);
    if (longer != NULL)
        post->headers = longer;
    return longer != NULL;
}

static bool add_headers(struct post *post, const struct letter *letter)
{
    char timestamp[24];
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)letter->timestamp_s);
    return add_header(post, "Content-Type", "application/json") && add_header(post, "User-Agent", "Millrace") &&
           add_header(post, "webhook-id", letter->id) && add_header(post, "webhook-timestamp", timestamp) &&
           add_header(post, "webhook-signature", letter->signature) &&
           curl_slist_append(post->headers, "Expect:") != NULL; /* no round more before the body */
}

#define SET(option, value) (curl_easy_setopt(post->easy, option, value) == CURLE_OK)

static bool set_bounds(struct post *post, const struct postbox_options *options)
{
    return SET(CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_ms) && SET(CURLOPT_TIMEOUT_MS, (long)options->answer_ms) &&
           SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_PROXY, "") &&
           SET(CURLOPT_PROTOCOLS_STR, options->rules.plain ? "https,http" : "https") && SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           SET(CURLOPT_HTTP09_ALLOWED, 0L) && SET(CURLOPT_QUICK_EXIT, 1L) && SET(CURLOPT_MAXLIFETIME_CONN, CONNECTION_S) &&
           SET(CURLOPT_OPENSOCKETFUNCTION, open_socket) && SET(CURLOPT_OPENSOCKETDATA, post) && SET(CURLOPT_WRITEFUNCTION, take_body) &&
           SET(CURLOPT_WRITEDATA, post) && SET(CURLOPT_HEADERFUNCTION, take_header) && SET(CURLOPT_HEADERDATA, post) && SET(CURLOPT_PRIVATE, post) &&
           (post->postbox->resolve == NULL || SET(CURLOPT_RESOLVE, post->postbox->resolve));
}

bool postbox_send(struct postbox *postbox, const struct letter *letter)
{
    struct post *post = calloc(1, sizeof *post);
    if (post == NULL)
        return false;
    *post =
        (struct post){ .postbox = postbox, .easy = curl_easy_init(), .owner = letter->owner, .seq = letter->seq, .began_us = when_monotonic_us() };
    if (post->easy == NULL || !add_headers(post, letter) || !set_bounds(post, &postbox->options) || !SET(CURLOPT_URL, letter->url) ||
        !SET(CURLOPT_POST, 1L) || !SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)letter->body.size) || !SET(CURLOPT_COPYPOSTFIELDS, letter->body.at) ||
        !SET(CURLOPT_HTTPHEADER, post->headers) || curl_multi_add_handle(postbox->multi, post->easy) != CURLM_OK) {
        post_free(post);
        return false;
    }
    post->next = postbox->posts;
    postbox->posts = post;
    postbox->flying++;
    return true;
}

void postbox_forget(struct postbox *postbox, const void *owner)
{
    for (struct post *post = postbox->posts, *next; post != NULL; post = next) {
        next = post->next;
        if (post->owner == owner)
            post_end(postbox, post);
    }
}

/* ---- what came of it ---- */

static void judge(const struct post *post, CURLcode code, struct post_result *result)
{
    long status = 0;
    (void)curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
    const bool is_enough = code == CURLE_WRITE_ERROR && post->header_bytes <= post->postbox->options.answer_bytes;
    const bool is_answered = (code == CURLE_OK || is_enough) && status >= 100;
    *result = (struct post_result){
        .owner = post->owner, .seq = post->seq, .took_us = when_monotonic_us() - post->began_us, .status = is_answered ? status : 0
    };
    curl_off_t retry_after_s = 0;
    if (is_answered && curl_easy_getinfo(post->easy, CURLINFO_RETRY_AFTER, &retry_after_s) == CURLE_OK)
        result->retry_after_s = (int64_t)retry_after_s;
    if (post->is_refused)
        snprintf(result->detail, sizeof result->detail, "not sent: %s is not an address of the public internet", post->address);
    else if (code == CURLE_WRITE_ERROR && !is_enough)
        snprintf(result->detail, sizeof result->detail, "its headers were longer than %zu bytes", post->postbox->options.answer_bytes);
    else if (!is_answered)
        snprintf(result->detail, sizeof result->detail, "no answer: %s", curl_easy_strerror(code));
    else if (status >= 300 && status < 400)
        snprintf(result->detail, sizeof result->detail, "answered %ld: redirects are not followed", status);
    else if (status < 200 || status >= 300)
        snprintf(result->detail, sizeof result->detail, "answered %ld", status);
}

bool postbox_next(struct postbox *postbox, struct post_result *result)
{
    int running, left;
    (void)curl_multi_perform(postbox->multi, &running);
    for (const CURLMsg *message; (message = curl_multi_info_read(postbox->multi, &left)) != NULL;) {
        char *private = NULL;
        if (message->msg != CURLMSG_DONE || curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private) != CURLE_OK)
            continue;
        struct post *post = (struct post *)(void *)private;
        judge(post, message->data.result, result);
        post_end(postbox, post);
        return true;
    }
    return false;
}

void postbox_wait(struct postbox *postbox, int milliseconds)
{
    (void)curl_multi_poll(postbox->multi, NULL, 0, milliseconds, NULL);
}

void postbox_wake(struct postbox *postbox)
{
    (void)curl_multi_wakeup(postbox->multi);
}

size_t postbox_flying(const struct postbox *postbox)
{
    return postbox->flying;
}

/* ---- the box ---- */

struct postbox *postbox_new(const struct postbox_options *options)
{
    struct postbox *postbox = calloc(1, sizeof *postbox);
    if (postbox == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(postbox);
        return NULL;
    }
    postbox->options = *options;
    struct postbox_options *o = &postbox->options;
    o->connect_ms = o->connect_ms == 0 ? CONNECT_MS : o->connect_ms;
    o->answer_ms = o->answer_ms == 0 ? ANSWER_MS : o->answer_ms;
    o->answer_bytes = o->answer_bytes == 0 ? ANSWER_BYTES : o->answer_bytes;
    o->connections = o->connections == 0 ? CONNECTIONS : o->connections;
    for (size_t i = 0; o->resolve != NULL && o->resolve[i] != NULL; i++)
        postbox->resolve = curl_slist_append(postbox->resolve, o->resolve[i]);
    o->resolve = NULL;
    postbox->multi = curl_multi_init();
    if (postbox->multi == NULL || curl_multi_setopt(postbox->multi, CURLMOPT_MAXCONNECTS, (long)o->connections) != CURLM_OK) {
        postbox_free(postbox);
        return NULL;
    }
    return postbox;
}

void postbox_free(struct postbox *postbox)
{
    if (postbox == NULL)
        return;
    for (struct post *post = postbox->posts, *next; post != NULL; post = next) {
        next = post->next;
        (void)curl_multi_remove_handle(postbox->multi, post->easy);
        post_free(post);
    }
    curl_slist_free_all(postbox->resolve);
    if (postbox->multi != NULL)
        (void)curl_multi_cleanup(postbox->multi);
    free(postbox);
    curl_global_cleanup();
}
