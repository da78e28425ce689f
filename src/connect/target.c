/* src/connect/target.c: one strict reading of a URL. Whoever reads it after us (libcurl, the system's resolver) is laxer: "127.1", "0x7f000001",
 * "2130706433" and full-width digits are addresses to it. What looks like such a spelling is refused here, so that there are not two readings. */
#include "connect/target.h"
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* ---- addresses ---- */

struct range {
    uint8_t at[16];
    int bits;
};

/* IANA's special-purpose registries of 2025: what is not globally reachable, and what carries another address. */
static const struct range ipv4_special[] = {
    { { 0 }, 8 },             /* this host */
    { { 10 }, 8 },            /* private */
    { { 100, 64 }, 10 },      /* shared by carriers */
    { { 127 }, 8 },           /* loopback */
    { { 169, 254 }, 16 },     /* link-local, metadata of clouds */
    { { 172, 16 }, 12 },      /* private */
    { { 192, 0, 0 }, 24 },    /* protocol assignments */
    { { 192, 0, 2 }, 24 },    /* documentation */
    { { 192, 88, 99 }, 24 },  /* 6to4 relays */
    { { 192, 168 }, 16 },     /* private */
    { { 198, 18 }, 15 },      /* benchmarks */
    { { 198, 51, 100 }, 24 }, /* documentation */
    { { 203, 0, 113 }, 24 },  /* documentation */
    { { 224 }, 4 },           /* multicast */
    { { 240 }, 4 },           /* reserved, broadcast */
};
static const struct range ipv6_global = { { 0x20 }, 3 }; /* 2000::/3: all else is not handed out */
static const struct range ipv6_special[] = {
    { { 0x20, 0x01, 0x00 }, 23 },       /* protocol assignments, Teredo among them */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
    { { 0x20, 0x02 }, 16 },             /* 6to4 */
    { { 0x3f, 0xff, 0x00 }, 20 },       /* documentation */
};

static bool is_in(const uint8_t *address, const struct range *range)
{
    const int whole = range->bits / 8, rest = range->bits % 8;
    if (memcmp(address, range->at, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((address[whole] ^ range->at[whole]) >> (8 - rest)) == 0;
}

bool ipv4_is_public(const uint8_t address[4])
{
    for (size_t i = 0; i < COUNT(ipv4_special); i++)
        if (is_in(address, &ipv4_special[i]))
            return false;
    return true;
}

bool ipv6_is_public(const uint8_t address[16])
{
    for (size_t i = 0; i < COUNT(ipv6_special); i++)
        if (is_in(address, &ipv6_special[i]))
            return false;
    return is_in(address, &ipv6_global);
}

/* ---- URLs ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool text_is(const char *text, size_t bytes, const char *word)
{
    return strlen(word) == bytes && strncasecmp(text, word, bytes) == 0;
}

static bool ends_in(const char *text, size_t bytes, const char *word)
{
    const size_t size = strlen(word);
    return bytes >= size && strncasecmp(text + bytes - size, word, size) == 0;
}

/* Labels of letters, digits and hyphens; *labels: how many. */
static bool is_name(const char *host, size_t bytes, size_t *labels)
{
    size_t label = 0;
    *labels = 0;
    for (size_t i = 0; i <= bytes; i++) {
        if (i == bytes || host[i] == '.') {
            if (label == 0 || label > 63 || host[i - 1] == '-')
                return false;
            ++*labels;
            label = 0;
        } else if (!is_letter(host[i]) && !is_digit(host[i]) && !(host[i] == '-' && label > 0) && host[i] != '_')
            return false;
        else
            label++;
    }
    return true;
}

/* A last label that is a number makes the host an address to those who read it laxly, also "0x7f". */
static bool looks_like_ipv4(const char *host, size_t bytes)
{
    size_t from = bytes;
    while (from > 0 && host[from - 1] != '.')
        from--;
    const char *last = host + from;
    const size_t size = bytes - from;
    bool digits = size > 0, hex = size >= 2 && last[0] == '0' && (last[1] == 'x' || last[1] == 'X');
    for (size_t i = 0; i < size; i++) {
        digits = digits && is_digit(last[i]);
        hex = hex && (i < 2 || is_hex(last[i]));
    }
    return digits || hex;
}

static const char *name_fault(const char *host, size_t bytes, struct target_rules rules)
{
    size_t labels;
    if (bytes > 1 && host[bytes - 1] == '.')
        bytes--; /* the root */
    if (bytes == 0 || bytes > 253 || !is_name(host, bytes, &labels))
        return "its host is a name of letters, digits, hyphens and full stops (others in their xn-- form), or an address";
    if (looks_like_ipv4(host, bytes)) {
        char text[16] = "";
        uint8_t address[4];
        if (bytes < sizeof text)
            memcpy(text, host, bytes);
        if (inet_pton(AF_INET, text, address) != 1)
            return "an IPv4 address is four decimal numbers";
        return rules.private_addresses || ipv4_is_public(address) ? NULL : "its address is not one of the public internet";
    }
    if (!rules.private_addresses && (labels < 2 || text_is(host, bytes, "localhost") || ends_in(host, bytes, ".localhost") ||
                                     ends_in(host, bytes, ".local") || ends_in(host, bytes, ".internal")))
        return "its host is a name of a private network";
    return NULL;
}

/* Within the brackets; no zone, which is of this machine. */
static const char *ipv6_fault(const char *host, size_t bytes, struct target_rules rules)
{
    char text[INET6_ADDRSTRLEN] = "";
    uint8_t address[16];
    if (bytes < sizeof text)
        memcpy(text, host, bytes);
    if (inet_pton(AF_INET6, text, address) != 1)
        return "what stands in brackets is an IPv6 address";
    return rules.private_addresses || ipv6_is_public(address) ? NULL : "its address is not one of the public internet";
}

/* Ports below 1024 belong to other protocols, whose servers would read our lines as theirs. */
static const char *port_fault(const char *port, size_t bytes, struct target_rules rules)
{
    long number = 0;
    for (size_t i = 0; i < bytes; i++)
        number = is_digit(port[i]) && number <= 65535 ? 10 * number + (port[i] - '0') : 65536;
    if (bytes == 0 || port[0] == '0' || number > 65535)
        return "its port is 1 to 65535";
    return number >= 1024 || number == 443 || (number == 80 && rules.plain) ? NULL : "its port is 443, or 1024 and more";
}

/* What ends the host cannot be hidden: printable ASCII only, and no encoded control character. */
static const char *text_fault(const char *url)
{
    const size_t bytes = strlen(url);
    if (bytes > TARGET_URL_MAX)
        return "a URL is at most 2048 bytes";
    for (size_t i = 0; i < bytes; i++) {
        if (url[i] <= ' ' || url[i] >= 127 || strchr("\\\"<>^`{|}", url[i]) != NULL)
            return "a URL is printable ASCII without spaces, quotes, backslashes, brackets and braces: encode them";
        if (url[i] != '%')
            continue;
        if (!is_hex(url[i + 1]) || !is_hex(url[i + 2]))
            return "a per cent sign is followed by two hexadecimal digits";
        if (url[i + 1] < '2' || (url[i + 1] == '7' && (url[i + 2] == 'f' || url[i + 2] == 'F')))
            return "no control character, encoded or not";
    }
    return NULL;
}

const char *target_fault(const char *url, struct target_rules rules)
{
    const char *fault = text_fault(url), *host, *port, *end;
    if (fault != NULL)
        return fault;
    if (strncasecmp(url, "https://", 8) == 0)
        host = url + 8;
    else if (strncasecmp(url, "http://", 7) == 0 && rules.plain)
        host = url + 7;
    else
        return rules.plain ? "a URL begins with https:// or http://" : "a URL begins with https://";
    end = host + strcspn(host, "/?#");
    if (strchr(host, '#') != NULL)
        return "a fragment is not sent: leave it out";
    if (memchr(host, '@', (size_t)(end - host)) != NULL)
        return "no user name or password in a URL: they would end up in logs";
    const bool in_brackets = host[0] == '[';
    port = in_brackets ? memchr(host, ']', (size_t)(end - host)) : memchr(host, ':', (size_t)(end - host));
    if (in_brackets && port == NULL)
        return "what stands in brackets is an IPv6 address";
    if (port == NULL)
        return name_fault(host, (size_t)(end - host), rules);
    fault = in_brackets ? ipv6_fault(host + 1, (size_t)(port - host - 1), rules) : name_fault(host, (size_t)(port - host), rules);
    port += in_brackets;
    if (fault != NULL || port == end)
        return fault;
    return *port == ':' ? port_fault(port + 1, (size_t)(end - port - 1), rules) : "what stands behind the brackets is a port";
}
