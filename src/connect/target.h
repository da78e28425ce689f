/* src/connect/target.h: where we send to. Whoever may name a URL would otherwise make this server ask machines that only it can reach: the
 * metadata of its cloud, a database beside it. So a URL is taken in one spelling only, and the address that is really connected to must
 * be a public one, whatever its name said a moment ago. Pure; nothing here asks a name server. Design: docs/design/webhooks.md. */
#ifndef MILLRACE_CONNECT_TARGET_H
#define MILLRACE_CONNECT_TARGET_H

#include "base/text.h"

#define TARGET_URL_MAX 2048 /* bytes */

/* What an operator allows (serve --private-webhooks): plain http, and addresses of this machine and its network. */
struct target_rules {
    bool plain, private_addresses;
};

/* NULL: the URL may be kept. Else what is wrong with it: a sentence. What its name stands for is asked when we connect. */
const char *target_fault(const char *url, struct target_rules rules);

/* Addresses in network order. What is not reached over the public internet is none: loopback, private, link-local, shared, reserved, multicast,
 * and IPv6 that carries IPv4 (mapped, NAT64, 6to4, Teredo), whatever it carries. */
bool ipv4_is_public(const uint8_t address[4]);
bool ipv6_is_public(const uint8_t address[16]);

#endif
